//! Why a server may refuse a client's certificate, as far as that stands in the packets.
//!
//! In: a judged handshake in which the client sent a certificate. Out: the reasons that the server's answer allows, in
//! words and with what to do, and those that are excluded. Bounded: four reasons. Left to others: whether the
//! certificate was the cause at all. What the server trusts is never in a capture, so a reason is at most likely.

use crate::capture::FrameRef;
use crate::diagnosis::assess::{authorities, date_fault};
use crate::diagnosis::finding::Excluded;
use crate::diagnosis::judged::Judged;
use crate::diagnosis::session::Session;
use crate::diagnosis::words;
use crate::protocol::tls::AlertCode;
use crate::trust::{ChainStatus, Missing, same_organization};
use crate::x509::Name;

/// Why a server may refuse a client's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// The client does not send an intermediate that its chain needs.
    LacksIntermediate,
    /// Its extended key usage leaves clients out.
    OtherUse,
    /// The server's list of authorities names no issuer of it.
    NotListed,
    /// It, or an issuer that the client sent, is outside its dates.
    OutsideDates,
}

/// What the packets show of one reason.
enum Shown {
    /// It holds, for what is said here.
    Holds(String),
    /// It does not, for what is said here.
    Excluded(String),
    /// Nothing tells.
    Unknown,
}

impl Reason {
    const ALL: [Self; 4] = [Self::OutsideDates, Self::OtherUse, Self::LacksIntermediate, Self::NotListed];

    /// The reasons that hold and that the server's answer allows, each with the end of a sentence about it.
    pub(super) fn of(judged: &Judged<'_>) -> Vec<(Self, String)> {
        let allowed = Self::ALL.into_iter().filter(|reason| reason.fits(judged));
        let holds = allowed.filter_map(|reason| match reason.shown(judged) {
            Shown::Holds(why) => Some((reason, why)),
            Shown::Excluded(_) | Shown::Unknown => None,
        });
        holds.collect()
    }

    /// The reasons that the packets exclude, and what they cannot tell.
    pub(super) fn excluded(judged: &Judged<'_>) -> Vec<Excluded> {
        let trust = Excluded {
            cause: "what the server trusts".into(),
            excluded: false,
            why: "no capture shows its CAs, or what else it checks".into(),
        };
        let excluded = Self::ALL.into_iter().filter_map(|reason| match reason.shown(judged) {
            Shown::Excluded(why) => Some(Excluded { cause: reason.cause().into(), excluded: true, why }),
            Shown::Holds(_) | Shown::Unknown => None,
        });
        excluded.chain([trust]).collect()
    }

    /// Whether the server's answer may mean it (RFC 5246 section 7.2.2, and what OpenSSL sends).
    fn fits(self, judged: &Judged<'_>) -> bool {
        match judged.handshake.last_word().map(|alert| alert.code) {
            None => true,
            Some(code) if code.names_no_certificate_fault() => true,
            Some(AlertCode::UNKNOWN_CA) => matches!(self, Self::LacksIntermediate | Self::NotListed),
            Some(AlertCode::CERTIFICATE_EXPIRED) => self == Self::OutsideDates,
            Some(_) => false,
        }
    }

    /// What it is called among the excluded causes.
    fn cause(self) -> &'static str {
        match self {
            Self::LacksIntermediate => "client's chain",
            Self::OtherUse => "use of the client certificate",
            Self::NotListed => "server's list of authorities",
            Self::OutsideDates => "dates of the client certificate",
        }
    }

    fn shown(self, judged: &Judged<'_>) -> Shown {
        match self {
            Self::LacksIntermediate => chain(judged),
            Self::OtherUse => other_use(judged),
            Self::NotListed => not_listed(judged),
            Self::OutsideDates => outside_dates(judged),
        }
    }

    /// What to do: for whoever made the client's certificate or set the client up, and for whoever runs the server.
    pub(super) fn remedies(self, session: &Session<'_>, judged: &Judged<'_>) -> Vec<String> {
        let noun = session.noun();
        match self {
            Self::LacksIntermediate => {
                let missing = missing(judged);
                let seen = missing.iter().any(|link| !link.candidates.is_empty());
                let get = if seen { "\n  chaingap certs --missing -o missing <capture>" } else { "" };
                let (what, file) = match missing {
                    [_] => ("the intermediate", "intermediate.pem"),
                    _ => ("the intermediates", "intermediates.pem"),
                };
                vec![
                    format!(
                        "whoever sets up the {noun}s: make them send {what} after their own certificate{get}\n  cat {noun}.pem {file} > chain.pem"
                    ),
                    format!(
                        "or whoever runs the server: install {what} there beside the root (OpenSSL and nginx: in the file of client CAs; Windows: LocalMachine\\Intermediate)\n  openssl verify -CAfile client-cas.pem -untrusted {file} {noun}.pem"
                    ),
                ]
            }
            Self::OtherUse => vec![format!(
                "whoever makes the {noun}s' certificates: issue one for clients, with clientAuth (1.3.6.1.5.5.7.3.2) in extendedKeyUsage, or without that extension\n  openssl x509 -in {noun}.pem -noout -ext extendedKeyUsage"
            )],
            Self::NotListed => vec![
                format!(
                    "whoever runs the server: add the root of the {noun}s' certificates to the CAs that it accepts clients from (nginx: ssl_client_certificate, Apache: SSLCACertificateFile, Windows: LocalMachine\\Root)"
                ),
                format!("or whoever makes the {noun}s' certificates: issue one below a CA that the server lists"),
            ],
            Self::OutsideDates => vec![format!(
                "whoever makes the {noun}s' certificates: issue one that is valid now\n  openssl x509 -in {noun}.pem -noout -dates"
            )],
        }
    }
}

/// The links that the client's chain lacks.
pub(super) fn missing<'a>(judged: &'a Judged<'_>) -> &'a [Missing] {
    let chain = judged.assessment.client_chain.as_ref();
    chain.filter(|chain| chain.status == ChainStatus::MissingIntermediate).map_or(&[], |chain| &chain.missing)
}

/// What the client sent, as evidence.
pub(super) fn sent(judged: &Judged<'_>) -> Option<(FrameRef, String)> {
    let list = judged.handshake.tls.certificates.client.as_ref()?;
    let what = match judged.handshake.client_sent.as_slice() {
        [] => "the client's Certificate message".into(),
        [leaf] => format!("the client's Certificate message: its own certificate alone, issued by {}", leaf.issuer()),
        [leaf, more @ ..] => {
            let names: Vec<_> = more.iter().map(|certificate| certificate.subject().short()).collect();
            format!("the client's Certificate message: its own, issued by {}, and {}", leaf.issuer(), names.join(", "))
        }
    };
    Some((list.last, what))
}

/// What the server's list of authorities leaves out whole is not mended by an intermediate.
fn chain(judged: &Judged<'_>) -> Shown {
    match missing(judged) {
        _ if matches!(not_listed(judged), Shown::Holds(_)) => Shown::Unknown,
        [] => Shown::Unknown,
        [only] => Shown::Holds(format!("its chain lacks the intermediate \"{}\"", only.subject.short())),
        several => Shown::Holds(format!("its chain lacks the intermediates {}", words::names(several))),
    }
}

fn other_use(judged: &Judged<'_>) -> Shown {
    let Some(leaf) = judged.handshake.client_sent.first().filter(|leaf| leaf.is_readable()) else {
        return Shown::Unknown;
    };
    match (leaf.permits_client_auth(), leaf.extended_key_usage()) {
        (false, _) if leaf.permits_server_auth() => {
            Shown::Holds("its extended key usage is for servers, not for clients".into())
        }
        (false, _) => Shown::Holds("its extended key usage is not for clients".into()),
        (true, Some(_)) => Shown::Excluded("its extended key usage is for clients".into()),
        (true, None) => Shown::Excluded("it has no extended key usage, so that it is for any use".into()),
    }
}

/// An issuer that is missing may itself be issued by a listed one of its organization, so that the list tells nothing
/// then.
fn not_listed(judged: &Judged<'_>) -> Shown {
    let handshake = judged.handshake;
    let Some(listed) = handshake.tls.certificate_request.as_ref().and_then(authorities) else { return Shown::Unknown };
    let built = judged.assessment.client_chain.iter().flat_map(|chain| chain.judged_certificates());
    let known = handshake.client_sent.iter().cloned().chain(built);
    let issuers: Vec<Name> = known.map(|certificate| certificate.issuer().clone()).collect();
    let may_lead_there =
        || issuers.iter().any(|issuer| listed.iter().any(|authority| same_organization(authority, issuer)));
    match (issuers.iter().find(|issuer| listed.contains(issuer)), issuers.first()) {
        (Some(issuer), _) => Shown::Excluded(format!("it names {issuer}")),
        (None, Some(issuer)) if missing(judged).is_empty() || !may_lead_there() => {
            let (count, issuer) = (words::count(listed.len(), "name", "names"), issuer.short());
            Shown::Holds(format!("the server's list of authorities ({count}) leaves out its issuer \"{issuer}\""))
        }
        _ => Shown::Unknown,
    }
}

/// The server's clock is not known; the packets' time stands for it.
fn outside_dates(judged: &Judged<'_>) -> Shown {
    let handshake = judged.handshake;
    if judged.assessment.dates.suspect_clock || handshake.client_sent.is_empty() {
        return Shown::Unknown;
    }
    match handshake.client_sent.iter().find_map(|certificate| date_fault(certificate, handshake.first.time)) {
        None => Shown::Excluded("valid when captured".into()),
        Some(fault) => {
            let own = handshake.client_sent.first().is_some_and(|leaf| fault.certificate.as_ref() == Some(leaf));
            let what = if own { "it".into() } else { format!("its issuer \"{}\"", fault.name) };
            let limit = if fault.expired { "expired on" } else { "is valid only from" };
            Shown::Holds(format!("{what} {limit} {}", fault.limit.date()))
        }
    }
}
