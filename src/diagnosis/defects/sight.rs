//! In: a handshake with what is said of it, or certificates that are to be sent. Out: what the facts of defects look at.
//! Bounded: by what was sent. Left to others: the facts.

use std::net::IpAddr;
use std::sync::Arc;

use crate::capture::Timestamp;
use crate::diagnosis::anchors::DeviceAnchors;
use crate::diagnosis::assess::{Assessment, DateFault, Form, Malformed, NameCheck, Refusable};
use crate::evidence::Handshake;
use crate::trust::{Anchor, ChainStatus, Judgement};
use crate::x509::Certificate;

/// What is looked at.
pub(in crate::diagnosis) struct Sight<'a> {
    /// The certificates that the server sends, in its order.
    pub(super) sent: &'a [Arc<Certificate>],
    pub(super) chain: &'a Judgement,
    pub(super) form: &'a Form,
    pub(super) anchors: &'a [Anchor],
    /// Whether the root at which the chain ends is known to be none of the anchors.
    pub(super) root_is_absent: bool,
    /// When dates are judged.
    pub(super) at: Timestamp,
    /// Certificates of the path outside their dates then.
    pub(super) faults: &'a [DateFault],
    pub(super) malformed: &'a [Malformed],
    /// The names that the client asked for.
    pub(super) names: Vec<String>,
    /// The address by which it may have asked, where it told no name.
    pub(super) address: Option<String>,
    pub(super) in_clear: Option<InClear<'a>>,
    /// Whether the client's chain holds.
    pub(super) client_status: Option<ChainStatus>,
    /// The certificates sent that a verifier comes upon who follows the issuers' names: the leaf first, without the root
    /// or an anchor.
    pub(super) line: Vec<&'a Arc<Certificate>>,
}

/// What only a handshake shows.
pub(super) struct InClear<'a> {
    pub(super) handshake: &'a Handshake,
    pub(super) refusable: &'a [Refusable],
}

impl<'a> Sight<'a> {
    /// What is seen of a handshake.
    pub(in crate::diagnosis) fn of(
        handshake: &'a Handshake,
        assessment: &'a Assessment,
        anchors: &'a [Anchor],
    ) -> Self {
        let names = match (&assessment.name, handshake.server_name()) {
            (_, Some(name)) => vec![name.to_owned()],
            (NameCheck::NotCovered { names, .. }, None) => names.clone(),
            _ => Vec::new(),
        };
        let direct = handshake.tls.tunnel_to.is_none() && handshake.tls.client_hello.is_some();
        let address = (direct && handshake.server_name().is_none()).then(|| handshake.server.ip().to_string());
        let dates = &assessment.dates;
        let unsure = dates.beside_path || dates.suspect_clock;
        Self {
            sent: &handshake.sent,
            chain: &assessment.chain,
            form: &assessment.as_sent.form,
            anchors,
            root_is_absent: !assessment.chain_end.absence.is_guess(),
            at: dates.judged_at,
            faults: if unsure { &[] } else { &dates.faults },
            malformed: &assessment.malformed,
            names,
            address,
            client_status: assessment.client_chain.as_ref().map(|chain| chain.status),
            in_clear: Some(InClear { handshake, refusable: &assessment.refusable }),
            line: line(&handshake.sent, &assessment.chain, anchors),
        }
    }

    /// What is seen of certificates that are to be sent; `host` is the name or address that devices ask for.
    pub(in crate::diagnosis) fn of_chain(
        sent: &'a [Arc<Certificate>],
        (chain, form): (&'a Judgement, &'a Form),
        anchors: &'a DeviceAnchors<'_>,
        (at, faults): (Timestamp, &'a [DateFault]),
        malformed: &'a [Malformed],
        host: Option<&str>,
    ) -> Self {
        let is_address = host.is_some_and(|host| host.parse::<IpAddr>().is_ok());
        let host = host.map(str::to_owned);
        Self {
            sent,
            chain,
            form,
            anchors: &anchors.list,
            root_is_absent: !anchors.absence().is_guess(),
            at,
            faults,
            malformed,
            names: host.clone().filter(|_| !is_address).into_iter().collect(),
            address: host.filter(|_| is_address),
            in_clear: None,
            client_status: None,
            line: line(sent, chain, &anchors.list),
        }
    }

    pub(super) fn leaf(&self) -> Option<&'a Arc<Certificate>> {
        self.sent.first()
    }

    /// The CAs of [`Self::line`].
    pub(super) fn issuers(&self) -> &[&'a Arc<Certificate>] {
        self.line.get(1..).unwrap_or_default()
    }
}

/// Follows the issuers' names through what was sent; certificates of the judged path come first.
fn line<'a>(sent: &'a [Arc<Certificate>], chain: &Judgement, anchors: &[Anchor]) -> Vec<&'a Arc<Certificate>> {
    let on_path = |c: &Arc<Certificate>| {
        chain.longest_path().is_some_and(|path| path.certificates().any(|step| step.sha256() == c.sha256()))
    };
    let mut line: Vec<&Arc<Certificate>> = sent.first().into_iter().collect();
    while let Some(last) = line.last().filter(|last| !last.is_self_issued()) {
        let is_next = |c: &&Arc<Certificate>| {
            c.subject() == last.issuer()
                && !c.is_self_issued()
                && !line.iter().any(|known| known.sha256() == c.sha256())
                && !anchors.iter().any(|anchor| anchor.is(c))
        };
        let next = || sent.iter().filter(is_next);
        let Some(next) = next().find(|c| on_path(c)).or_else(|| next().next()) else { break };
        line.push(next);
    }
    line
}
