//! In: one handshake, its device, what is trusted and known. Out: everything that can be said of its certificates:
//! chain, dates at the device's clock, names. Bounded: judged once per chain and what the device had.
//! Left to others: which of it was the cause.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use super::Trust;
use super::clock::{DeviceClock, YEAR_2000};
use crate::capture::{FrameRef, Timestamp};
use crate::evidence::{Device, FetchKind, Handshake, Outcome};
use crate::flow::Side;
use crate::protocol::tls::{ClientHello, MAX_CERTIFICATES, Version, cipher_suite};
use crate::trust::{
    Adds, Algorithm, Anchor, Case, ChainStatus, Judgement, Missing, PathFinder, Pool, Profile, Proof, Purpose,
    StepFrom, Unsupported, judge, rejudge,
};
use crate::x509::{Certificate, Digest, HashAlgorithm, Name};

/// What the leaf's names say of the server that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameCheck {
    /// This name is covered.
    Covered(String),
    /// A name is covered, but that need not be the one, or not be enough: why, in words.
    Perhaps(String),
    /// None of these names is.
    NotCovered {
        /// The names.
        names: Vec<String>,
        /// The name is the SNI; otherwise they are what the device asked DNS for, or was told.
        from_sni: bool,
    },
    /// The capture tells no name.
    Unknown,
}

/// The issuer of a certificate that the client has, looked for in the list by which a server asked for one.
#[derive(Clone, Debug)]
pub struct ClientIssuer {
    /// The frame in which the client showed the certificate.
    pub at: FrameRef,
    /// The issuer's name.
    pub issuer: Name,
    /// Whether the list names it, or an issuer above it that the client showed.
    pub listed: bool,
}

/// A certificate outside its dates.
#[derive(Clone, Debug)]
pub struct DateFault {
    /// Its short name.
    pub name: String,
    /// The date it is outside of.
    pub limit: Timestamp,
    /// The certificate; `None` for an anchor of which only name, key and end are known.
    pub certificate: Option<Arc<Certificate>>,
    /// After its end; otherwise before its start.
    pub expired: bool,
}

/// Everything that can be said of one handshake's certificates.
#[derive(Clone, Debug)]
pub struct Assessment {
    /// The server's chain.
    pub chain: Rc<Judgement>,
    /// The client's chain.
    pub client_chain: Option<Rc<Judgement>>,
    /// The instant at which validity was judged.
    pub judged_at: Timestamp,
    /// Certificates of the path outside their dates then; where the client's alert is certificate_expired and there is
    /// none, those beside it that were sent.
    pub dates: Vec<DateFault>,
    /// Whether those are beside the path.
    pub dates_beside: bool,
    /// The device's own clock then.
    pub clock: Option<DeviceClock>,
    /// Whether that clock is known, or an instant was given in its place.
    pub clock_known: bool,
    /// What that instant is by, in words.
    pub judged_by: &'static str,
    /// Whether it is known which anchors the device has: they were given, or its profile has them all and fits for sure.
    pub anchors_known: bool,
    /// The capture's own clock cannot be right.
    pub suspect_clock: bool,
    /// Whether the anchor at which the chain ends is surely on the device, and why it counts as one, in words.
    pub anchored: (bool, String),
    /// An anchor that has the name of an issuer above, with another key.
    pub namesake: Option<String>,
    /// What the profile says the device cannot do of that which its path needs, in words.
    pub unsupported: Vec<String>,
    /// What its path needs and newer devices refuse, where nothing is known of what this one can do, in words.
    pub outdated: Option<String>,
    /// SHA-256 of the key of the anchor at which the chain ends.
    pub root_key: Option<Digest>,
    /// Another root's chain that the same device accepted: the frame, and the root's name.
    pub other_ca: Option<(FrameRef, String)>,
    /// Where a certificate of the client is known from another handshake: its issuer, and whether the server's list of
    /// issuers names one of its chain.
    pub client_issuer: Option<ClientIssuer>,
    /// The leaf's names.
    pub name: NameCheck,
    /// Where everything stands with the bytes: `None`, or why the Certificate message cannot be judged.
    pub unreadable: Option<String>,
}

/// Judges chains, and remembers each judgement.
#[derive(Debug)]
pub(super) struct Assessor<'a> {
    pub(super) finder: PathFinder,
    known: Pool,
    profile: &'a Profile,
    anchors: Arc<[Anchor]>,
    memory: HashMap<Had, Rc<Judgement>>,
    installed: Vec<(Arc<Certificate>, StepFrom)>,
    at: Option<Timestamp>,
}

/// What decides a judgement under one profile: the chain sent, the intermediates held, the roots fetched.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Had {
    sent: Vec<Digest>,
    held: Vec<Digest>,
    roots: Vec<Digest>,
}

impl<'a> Assessor<'a> {
    /// An assessor that knows these certificates, for devices of this profile with these anchors.
    pub(super) fn new(
        finder: PathFinder,
        known: Pool,
        profile: &'a Profile,
        anchors: &Arc<[Anchor]>,
        trust: &Trust,
    ) -> Self {
        let installed = trust.installed.iter().map(|s| (Arc::clone(&s.certificate), StepFrom::Installed)).collect();
        Self { finder, known, profile, anchors: Arc::clone(anchors), memory: HashMap::new(), installed, at: trust.at }
    }

    /// Looks at one handshake of a device that the profile is known, or only assumed, to fit.
    pub(super) fn assess(
        &mut self,
        device: &Device,
        handshake: &Handshake,
        clock: Option<DeviceClock>,
        assumed: bool,
    ) -> Assessment {
        let offset = clock.as_ref().map_or(0, |clock| clock.offset);
        let seen = handshake.first.time;
        let own = Timestamp::from_nanos(seen.nanos().saturating_add(offset.saturating_mul(1_000_000_000)), 0);
        let judged_at = self.at.unwrap_or(if clock.is_some() { own } else { seen });
        let unreadable = unreadable(handshake);
        let chain = match &unreadable {
            Some(_) if handshake.tls.hides_certificates() => Rc::new(Judgement::without_chain(ChainStatus::Hidden)),
            Some(_) => Rc::new(Judgement::without_chain(ChainStatus::Undetermined)),
            None => self.chain(device, handshake, judged_at),
        };
        let client_chain = handshake.tls.certificates.client.as_ref().map(|_| self.client_chain(handshake));
        let certificates = chain.judged_certificates();
        let mut dates = date_faults(&certificates, judged_at);
        dates.extend(self.bare_anchor(&chain).and_then(|anchor| expired_anchor(anchor, judged_at)));
        let says_expired = handshake.last_word().is_some_and(|alert| alert.from == Side::Client && alert.code.0 == 45);
        let dates_beside = dates.is_empty() && says_expired && chain.completed.is_some();
        if dates_beside {
            dates = date_faults(&handshake.sent, judged_at);
        }
        let before_all = !certificates.is_empty() && certificates.iter().all(|c| judged_at < c.not_before());
        let suspect = clock.is_none()
            && self.at.is_none()
            && (seen.seconds() < YEAR_2000 || (before_all && device.time_answers.is_empty()));
        let namesake = self.namesake(&chain);
        let name = handshake.own_certificate().map_or(NameCheck::Unknown, |leaf| self.name(device, handshake, leaf));
        let anchored = self.anchored(&chain, assumed);
        // What a device did although its profile says that it cannot is told apart, by the profile alone.
        let hello = handshake.tls.client_hello.as_ref().filter(|_| handshake.ending.outcome != Outcome::Completed);
        let unsupported = unsupported(self.profile, &certificates, hello);
        let unknown = assumed || self.profile.unsupported.is_empty();
        let outdated = outdated(&certificates).filter(|_| unknown);
        let root_key = self.root_key(&chain);
        let judged_by = if self.at.is_some() { "the time given" } else { "the device's own clock" };
        Assessment {
            chain,
            client_chain,
            judged_at,
            dates,
            dates_beside,
            clock_known: clock.is_some() || self.at.is_some(),
            clock,
            judged_by,
            anchors_known: self.anchors.iter().any(|anchor| anchor.given)
                || (self.profile.anchors_complete && !assumed),
            suspect_clock: suspect,
            anchored,
            namesake,
            unsupported,
            outdated,
            root_key,
            other_ca: None,
            client_issuer: client_issuer(device, handshake),
            name,
            unreadable,
        }
    }

    /// The chain that only what the server sent would give: does it leave something out that the device happened to have?
    pub(super) fn without_fetches(&mut self, handshake: &Handshake) -> Rc<Judgement> {
        self.judgement(&handshake.sent, Vec::new(), &[], None)
    }

    /// Whether a link is known to be a root as well: a certificate signed by itself for the same name and key.
    pub(super) fn is_root_too(&self, link: &Missing) -> bool {
        let is = |root: &Certificate, c: &Certificate| root.is_self_signed() && root.public_key() == c.public_key();
        let namesakes = self.known.named(&link.subject);
        link.candidates.iter().any(|candidate| namesakes.iter().any(|(root, _)| is(root, candidate)))
    }

    fn chain(&mut self, device: &Device, handshake: &Handshake, at: Timestamp) -> Rc<Judgement> {
        let (mut held, mut roots) = (self.installed.clone(), Vec::new());
        for (certificate, kind) in fetched(device, handshake) {
            let adds = |what| self.profile.adds(kind, what);
            if certificate.is_self_signed() {
                if adds(Adds::Anchors) {
                    roots.push(Arc::clone(certificate));
                }
            } else if adds(Adds::Intermediates) {
                held.push((Arc::clone(certificate), StepFrom::Fetched));
            }
        }
        self.judgement(&handshake.sent, held, &roots, Some(at))
    }

    /// The judgement on a chain, made once for all handshakes in which the device had the same; where certificates are
    /// outside their dates at `at`, once more for each.
    fn judgement(
        &mut self,
        sent: &[Arc<Certificate>],
        held: Vec<(Arc<Certificate>, StepFrom)>,
        roots: &[Arc<Certificate>],
        at: Option<Timestamp>,
    ) -> Rc<Judgement> {
        let digests = |list: &[Arc<Certificate>]| list.iter().map(|c| c.sha256()).collect();
        let had =
            Had { sent: digests(sent), held: held.iter().map(|(c, _)| c.sha256()).collect(), roots: digests(roots) };
        let anchors = self.anchors_with(roots);
        let case = Case { sent, purpose: Purpose::Server, held: &held, anchors: &anchors, known: &self.known };
        let judgement = match self.memory.get(&had) {
            Some(known) => Rc::clone(known),
            None => {
                let judgement = Rc::new(judge(&mut self.finder, &case));
                self.memory.insert(had, Rc::clone(&judgement));
                judgement
            }
        };
        at.and_then(|at| rejudge(&mut self.finder, &case, &judgement, at)).map_or(judgement, Rc::new)
    }

    /// The anchors of the profile and the user, and roots that the device fetched.
    fn anchors_with(&self, roots: &[Arc<Certificate>]) -> Arc<[Anchor]> {
        if roots.is_empty() {
            return Arc::clone(&self.anchors);
        }
        let fetched = roots.iter().map(|root| Anchor::from_certificate(Arc::clone(root)));
        self.anchors.iter().cloned().chain(fetched).collect()
    }

    /// The key of the anchor at which a trusted chain ends.
    fn root_key(&self, chain: &Judgement) -> Option<Digest> {
        let step = chain.path.as_ref().filter(|_| chain.status == ChainStatus::Trusted)?.steps.last()?;
        let bare = || self.anchors.get(step.anchor?).map(|anchor| anchor.key.spki_sha256());
        step.certificate.as_ref().map(|certificate| certificate.public_key().spki_sha256()).or_else(bare)
    }

    /// Why the certificate at which a chain ends is an anchor.
    fn anchored(&self, chain: &Judgement, assumed: bool) -> (bool, String) {
        let path = chain.completed.as_ref().or(chain.path.as_ref());
        let index = path.and_then(|path| path.steps.last()?.anchor);
        match index.map(|index| self.anchors.get(index)) {
            Some(Some(anchor)) if anchor.given => (true, format!("{} is on the device", anchor.subject.short())),
            Some(Some(anchor)) => {
                let is_fact = anchor.provenance.is_none_or(|provenance| provenance.is_fact());
                let doubt = match (assumed, is_fact || self.profile.anchors_complete) {
                    (true, _) => ", which is only assumed to fit",
                    (false, false) => ", for which there is no source that could be checked",
                    (false, true) => "",
                };
                let why = format!("{} is in the profile {}{doubt}", anchor.subject.short(), self.profile.name);
                (doubt.is_empty(), why)
            }
            Some(None) => (true, "the device downloaded the root".into()),
            None => (false, String::new()),
        }
    }

    /// An anchor that a device may take for an issuer on the path, whose key did not sign: the names are the same.
    fn namesake(&self, chain: &Judgement) -> Option<String> {
        let path: Vec<_> = chain.completed.as_ref().or(chain.path.as_ref())?.certificates().collect();
        path.iter().enumerate().find_map(|(at, child)| {
            let issuer = path.get(at + 1).or_else(|| path.get(at).filter(|top| top.is_self_issued()))?;
            let other = |a: &&Anchor| a.subject == *child.issuer() && a.key != *issuer.public_key();
            self.anchors.iter().find(other).map(|anchor| anchor.subject.short())
        })
    }

    /// The anchor at which a chain ends, where only its name and key are known.
    fn bare_anchor(&self, chain: &Judgement) -> Option<&Anchor> {
        let step = chain.completed.as_ref().or(chain.path.as_ref())?.steps.last()?;
        self.anchors.get(step.anchor?).filter(|_| step.certificate.is_none())
    }

    /// The server's anchors are unknown, so a client's chain is never trusted and its root never refused.
    fn client_chain(&mut self, handshake: &Handshake) -> Rc<Judgement> {
        let sent = &handshake.client_sent;
        let case = Case { sent, purpose: Purpose::Client, held: &[], anchors: &[], known: &self.known };
        let mut judgement = judge(&mut self.finder, &case);
        if matches!(judgement.status, ChainStatus::UntrustedRoot | ChainStatus::Trusted) {
            judgement.status = ChainStatus::Undetermined;
            judgement.proof = Some(Proof::Undecidable);
        }
        Rc::new(judgement)
    }

    fn name(&self, device: &Device, handshake: &Handshake, leaf: &Certificate) -> NameCheck {
        let rules = self.profile.host_rules();
        let by_common_name = leaf.dns_names().is_empty()
            && self.profile.cn_fallback.as_ref().is_none_or(|fact| !fact.provenance.is_fact());
        let covered = |name: &str| match by_common_name {
            true => NameCheck::Perhaps(format!("{name} is its common name only, which not every device takes")),
            false => NameCheck::Covered(name.to_owned()),
        };
        if let Some(name) = handshake.server_name() {
            return if leaf.matches_host(name, rules) {
                covered(name)
            } else {
                NameCheck::NotCovered { names: vec![name.to_owned()], from_sni: true }
            };
        }
        let address = handshake.server.ip();
        let deciding = handshake.deciding();
        let in_time = |at: Option<FrameRef>| at.is_none_or(|at| at.is_before(&deciding)) && !device.shared_address;
        let asked = device.names.iter().filter(|(_, naming)| naming.addresses.contains(&address) && in_time(naming.at));
        // Through a proxy the address is the proxy's, and the name was said to it.
        let names: Vec<String> = match &handshake.tls.tunnel_to {
            Some(host) => vec![host.clone()],
            None => asked.map(|(name, _)| name.clone()).collect(),
        };
        let (fit, mut others): (Vec<_>, Vec<_>) = names.iter().partition(|name| leaf.matches_host(name, rules));
        // The name of the service is the one that was handed out; what else was looked up there counts only without it.
        let handed_out = |name: &&String| device.names.get(*name).is_some_and(|it| it.is_srv_target || it.by_dhcp);
        if fit.iter().any(handed_out) {
            others.retain(handed_out);
        }
        match (fit.as_slice(), others.as_slice()) {
            ([], []) => NameCheck::Unknown,
            ([], _) => NameCheck::NotCovered { names, from_sni: false },
            ([name, ..], []) => covered(name),
            ([name, ..], [other, ..]) => {
                NameCheck::Perhaps(format!("the certificate covers {name} and not {other}, and both led there"))
            }
        }
    }
}

/// What the device had downloaded by the time it made up its mind.
pub(super) fn fetched<'d>(device: &'d Device, handshake: &Handshake) -> Vec<(&'d Arc<Certificate>, FetchKind)> {
    if device.shared_address {
        return Vec::new();
    }
    let deciding = handshake.deciding();
    let in_time = |last: Option<FrameRef>| last.is_some_and(|at| at.is_before(&deciding));
    let fetches = device.fetches.iter().filter(|fetch| fetch.succeeded() && in_time(fetch.last));
    fetches.flat_map(|fetch| fetch.certificates.iter().map(|(certificate, kind)| (certificate, *kind))).collect()
}

/// Looks the issuers of the certificate that this client showed elsewhere up in the server's list.
fn client_issuer(device: &Device, handshake: &Handshake) -> Option<ClientIssuer> {
    let request = handshake.tls.certificate_request.as_ref()?;
    let shown = device.handshakes.iter().find(|other| !other.client_sent.is_empty() && !device.shared_address)?;
    let at = shown.tls.certificates.client.as_ref().map_or(shown.first, |list| list.last);
    let listed = shown.client_sent.iter().any(|c| request.authorities.iter().any(|name| name == c.issuer().raw()));
    Some(ClientIssuer { at, issuer: shown.client_sent.first()?.issuer().clone(), listed })
}

/// Why a Certificate message cannot be judged.
fn unreadable(handshake: &Handshake) -> Option<String> {
    let tls = &handshake.tls;
    if tls.hides_certificates() {
        return Some("TLS 1.3 encrypts the certificates".into());
    }
    match &tls.certificates.server {
        Some(list) if !list.complete && handshake.sent.len() == MAX_CERTIFICATES => Some(format!(
            "the Certificate message holds more than {} certificates, of which no more were read (frame {})",
            MAX_CERTIFICATES, list.last.number
        )),
        Some(list) if !list.complete => Some(format!(
            "{} of the Certificate message are not in the capture (frame {})",
            crate::diagnosis::words::bytes(list.missing),
            tls.holes.first().map_or(list.last.number, |hole| hole.at.number)
        )),
        Some(_) => None,
        None if handshake.lacks_start() => Some("the capture starts in the middle of the connection".into()),
        None if !handshake.two_sided => Some("the server's packets are not in the capture".into()),
        None if tls.holes.iter().any(|hole| hole.in_clear) => {
            Some("a part of the server's flight is not in the capture".into())
        }
        None => None,
    }
}

/// Keys and signatures of a path that the profile says the device cannot use. A fact that holds only for some devices
/// of the kind is none here, and the signature of a root counts for nothing.
pub(super) fn unsupported(profile: &Profile, path: &[Arc<Certificate>], hello: Option<&ClientHello>) -> Vec<String> {
    let mut out = Vec::new();
    let source = |is_fact: bool| if is_fact { "" } else { ", as far as can be inferred" };
    for certificate in path {
        let name = || certificate.subject().short();
        let key = certificate.public_key();
        let longest = profile
            .max_rsa_bits
            .as_ref()
            .filter(|most| key.is_rsa() && key.bits().is_some_and(|bits| bits > most.value));
        let applies =
            |fact: &&Unsupported| fact.only.is_none() && !hello.is_some_and(|hello| can(hello, fact.algorithm));
        let kind = profile.unsupported_key(key).into_iter().find(applies);
        if let Some(provenance) = longest.map(|fact| fact.provenance).or(kind.map(|fact| fact.provenance)) {
            out.push(format!("the key of \"{}\" ({key}){}", name(), source(provenance.is_fact())));
        }
        let algorithm = certificate.signature_algorithm();
        let signature = profile.unsupported_signature(&algorithm).into_iter().find(applies);
        if let Some(fact) = signature.filter(|_| !certificate.is_self_issued()) {
            out.push(format!("the signature of \"{}\" ({algorithm}){}", name(), source(fact.provenance.is_fact())));
        }
    }
    out
}

/// Whether a hello shows that its sender can do this, whatever a profile says: by the suites that it offers, or since
/// the version asks for it (RFC 5246 section 1.2, RFC 8446 section 9.1).
fn can(hello: &ClientHello, algorithm: Algorithm) -> bool {
    let (tls12, tls13) = (hello.version >= Version(0x0303), hello.version >= Version(0x0304));
    match algorithm {
        Algorithm::Ecdsa => tls13 || hello.cipher_suites.iter().any(|suite| cipher_suite(*suite).contains("_ECDSA_")),
        Algorithm::Sha2 => tls12,
        Algorithm::RsassaPss => tls13,
        Algorithm::Ed25519 | Algorithm::Md5 | Algorithm::Sha1 => false,
    }
}

/// The first thing of a path that newer devices refuse; the signature of a root counts for nothing.
fn outdated(path: &[Arc<Certificate>]) -> Option<String> {
    path.iter().find_map(|certificate| {
        let (name, key) = (certificate.subject().short(), certificate.public_key());
        let algorithm = certificate.signature_algorithm();
        let hash = matches!(algorithm.hash(), Some(HashAlgorithm::Md2 | HashAlgorithm::Md5 | HashAlgorithm::Sha1));
        if hash && !certificate.is_self_issued() {
            return Some(format!("\"{name}\" is signed by {algorithm}, which newer devices refuse"));
        }
        let short = key.is_rsa() && key.bits().is_some_and(|bits| bits < 2048);
        short.then(|| format!("\"{name}\" has a short key ({key}), which newer devices refuse"))
    })
}

/// For each handshake the chain of another root that the same device accepted (cause: it trusts one CA only).
pub(super) fn note_other_cas(device: &Device, assessments: &mut [Assessment]) {
    if device.shared_address {
        return;
    }
    let accepted: Vec<(Digest, FrameRef, String)> = device
        .handshakes
        .iter()
        .zip(assessments.iter())
        .filter(|(handshake, _)| handshake.ending.outcome == Outcome::Completed)
        .filter_map(|(handshake, assessment)| {
            let root = assessment.chain.path.as_ref()?.top()?;
            let name = if root.is_self_issued() { root.subject().short() } else { root.issuer().short() };
            Some((assessment.root_key?, handshake.first, name))
        })
        .collect();
    for assessment in assessments {
        // A device that accepted this CA elsewhere refuses something else.
        let Some(own) = assessment.root_key.filter(|own| accepted.iter().all(|(key, ..)| key != own)) else { continue };
        let other = accepted.iter().find(|(key, ..)| *key != own);
        assessment.other_ca = other.map(|(_, at, name)| (*at, name.clone()));
    }
}

pub(super) fn date_faults(certificates: &[Arc<Certificate>], at: Timestamp) -> Vec<DateFault> {
    let outside = certificates.iter().filter(|c| !c.is_valid_at(at));
    outside
        .map(|certificate| {
            let expired = at > certificate.not_after();
            DateFault {
                name: certificate.subject().short(),
                limit: if expired { certificate.not_after() } else { certificate.not_before() },
                certificate: Some(Arc::clone(certificate)),
                expired,
            }
        })
        .collect()
}

/// Devices judge the dates of their roots too: old ones failed all at once when a root that they shared expired.
pub(super) fn expired_anchor(anchor: &Anchor, at: Timestamp) -> Option<DateFault> {
    let limit = anchor.not_after.filter(|end| at > *end)?;
    Some(DateFault { name: anchor.label.clone(), limit, certificate: None, expired: true })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_hello_offers_its_sender_can_do() {
        let at = FrameRef { capture: 0, number: 1, offset: 0, length: 0, time: Timestamp::from_seconds(0) };
        let hello = |version, cipher_suites: &[u16]| ClientHello {
            at,
            version: Version(version),
            sslv2: false,
            random: [0; 32],
            session_id: Vec::new(),
            cipher_suites: cipher_suites.to_vec(),
            server_name: None,
            offers_early_data: false,
            besides: None,
            stack: Vec::new(),
        };
        // TLS_RSA_WITH_AES_128_CBC_SHA (RFC 5246) and TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA (RFC 8422).
        assert!(!can(&hello(0x0301, &[0x002f]), Algorithm::Ecdsa));
        assert!(can(&hello(0x0301, &[0x002f, 0xc009]), Algorithm::Ecdsa));
        assert!(!can(&hello(0x0302, &[0x002f]), Algorithm::Sha2) && can(&hello(0x0303, &[0x002f]), Algorithm::Sha2));
        assert!(
            !can(&hello(0x0303, &[0x002f]), Algorithm::RsassaPss)
                && can(&hello(0x0304, &[0x1301]), Algorithm::RsassaPss)
        );
    }
}
