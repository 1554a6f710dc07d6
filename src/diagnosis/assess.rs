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
use crate::protocol::tls::MAX_CERTIFICATES;
use crate::trust::{
    Adds, Anchor, Case, ChainStatus, Judgement, PathFinder, Pool, Profile, Proof, Purpose, StepFrom, judge,
};
use crate::x509::{Certificate, Digest, Name};

/// What the leaf's names say of the server that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameCheck {
    /// This name is covered.
    Covered(String),
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
    /// Certificates of the path outside their dates then.
    pub dates: Vec<DateFault>,
    /// Whether the device's clock is known.
    pub clock_known: bool,
    /// The capture's own clock cannot be right.
    pub suspect_clock: bool,
    /// The anchor at which the chain ends, and why it counts as one, in words.
    pub anchored: String,
    /// What the profile says the device cannot do of that which its path needs, in words.
    pub unsupported: Vec<String>,
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

    /// Looks at one handshake.
    pub(super) fn assess(&mut self, device: &Device, handshake: &Handshake, clock: Option<&DeviceClock>) -> Assessment {
        let unreadable = unreadable(handshake);
        let chain = match &unreadable {
            Some(_) if handshake.tls.hides_certificates() => Rc::new(Judgement::without_chain(ChainStatus::Hidden)),
            Some(_) => Rc::new(Judgement::without_chain(ChainStatus::Undetermined)),
            None => self.chain(device, handshake),
        };
        let client_chain = handshake.tls.certificates.client.as_ref().map(|_| self.client_chain(handshake));
        let offset = clock.map_or(0, |clock| clock.offset);
        let seen = handshake.first.time;
        let own = Timestamp::from_nanos(seen.nanos().saturating_add(offset.saturating_mul(1_000_000_000)), 0);
        let judged_at = self.at.unwrap_or(if clock.is_some() { own } else { seen });
        let certificates = chain.judged_certificates();
        let mut dates = date_faults(&certificates, judged_at);
        dates.extend(self.bare_anchor(&chain).and_then(|anchor| expired_anchor(anchor, judged_at)));
        let before_all = !certificates.is_empty() && certificates.iter().all(|c| judged_at < c.not_before());
        let suspect = clock.is_none()
            && self.at.is_none()
            && (seen.seconds() < YEAR_2000 || (before_all && device.time_answers.is_empty()));
        let name = handshake.own_certificate().map_or(NameCheck::Unknown, |leaf| self.name(device, handshake, leaf));
        let anchored = self.anchored(&chain);
        let unsupported = unsupported(self.profile, &certificates);
        let root_key = self.root_key(&chain);
        let clock_known = clock.is_some() || self.at.is_some();
        Assessment {
            chain,
            client_chain,
            judged_at,
            dates,
            clock_known,
            suspect_clock: suspect,
            anchored,
            unsupported,
            root_key,
            other_ca: None,
            client_issuer: client_issuer(device, handshake),
            name,
            unreadable,
        }
    }

    /// The chain that only what the server sent would give: does it leave something out that the device happened to have?
    pub(super) fn without_fetches(&mut self, handshake: &Handshake) -> Rc<Judgement> {
        self.judgement(&handshake.sent, Vec::new(), &[])
    }

    fn chain(&mut self, device: &Device, handshake: &Handshake) -> Rc<Judgement> {
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
        self.judgement(&handshake.sent, held, &roots)
    }

    /// The judgement on a chain, made once for all handshakes in which the device had the same.
    fn judgement(
        &mut self,
        sent: &[Arc<Certificate>],
        held: Vec<(Arc<Certificate>, StepFrom)>,
        roots: &[Arc<Certificate>],
    ) -> Rc<Judgement> {
        let digests = |list: &[Arc<Certificate>]| list.iter().map(|c| c.sha256()).collect();
        let had =
            Had { sent: digests(sent), held: held.iter().map(|(c, _)| c.sha256()).collect(), roots: digests(roots) };
        if let Some(known) = self.memory.get(&had) {
            return Rc::clone(known);
        }
        let mut anchors = self.anchors.to_vec();
        anchors.extend(roots.iter().map(|root| Anchor::from_certificate(Arc::clone(root))));
        let case = Case { sent, purpose: Purpose::Server, held: &held, anchors: &anchors, known: &self.known };
        let judgement = Rc::new(judge(&mut self.finder, &case));
        self.memory.insert(had, Rc::clone(&judgement));
        judgement
    }

    /// The key of the anchor at which a trusted chain ends.
    fn root_key(&self, chain: &Judgement) -> Option<Digest> {
        let step = chain.path.as_ref().filter(|_| chain.status == ChainStatus::Trusted)?.steps.last()?;
        let bare = || self.anchors.get(step.anchor?).map(|anchor| anchor.key.spki_sha256());
        step.certificate.as_ref().map(|certificate| certificate.public_key().spki_sha256()).or_else(bare)
    }

    /// Why the certificate at which a chain ends is an anchor.
    fn anchored(&self, chain: &Judgement) -> String {
        let path = chain.completed.as_ref().or(chain.path.as_ref());
        let index = path.and_then(|path| path.steps.last()?.anchor);
        match index.map(|index| self.anchors.get(index)) {
            Some(Some(anchor)) if anchor.given => format!("{} is on the device", anchor.subject.short()),
            Some(Some(anchor)) => format!("{} is in the profile {}", anchor.subject.short(), self.profile.name),
            Some(None) => "the device downloaded the root".into(),
            None => String::new(),
        }
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
        if let Some(name) = handshake.server_name() {
            return if leaf.matches_host(name, rules) {
                NameCheck::Covered(name.to_owned())
            } else {
                NameCheck::NotCovered { names: vec![name.to_owned()], from_sni: true }
            };
        }
        let address = handshake.server.ip();
        let asked = device.names.iter().filter(|(_, naming)| naming.addresses.contains(&address));
        // Through a proxy the address is the proxy's, and the name was said to it.
        let names: Vec<String> = match &handshake.tls.tunnel_to {
            Some(host) => vec![host.clone()],
            None => asked.map(|(name, _)| name.clone()).collect(),
        };
        match names.iter().find(|name| leaf.matches_host(name, rules)) {
            Some(name) => NameCheck::Covered(name.clone()),
            None if names.is_empty() => NameCheck::Unknown,
            None => NameCheck::NotCovered { names, from_sni: false },
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
        None if !handshake.two_sided => Some("the server's packets are not in the capture".into()),
        None if tls.holes.iter().any(|hole| hole.in_clear) => {
            Some("a part of the server's flight is not in the capture".into())
        }
        None => None,
    }
}

/// Keys and signatures of a path that the profile says the device cannot use. A fact that holds only for some devices
/// of the kind is none here, and the signature of a root counts for nothing.
pub(super) fn unsupported(profile: &Profile, path: &[Arc<Certificate>]) -> Vec<String> {
    let mut out = Vec::new();
    let source = |is_fact: bool| if is_fact { "" } else { ", as far as can be inferred" };
    for certificate in path {
        let name = || certificate.subject().short();
        let key = certificate.public_key();
        let longest = profile
            .max_rsa_bits
            .as_ref()
            .filter(|most| key.is_rsa() && key.bits().is_some_and(|bits| bits > most.value));
        let kind = profile.unsupported_key(key).into_iter().find(|fact| fact.only.is_none());
        if let Some(provenance) = longest.map(|fact| fact.provenance).or(kind.map(|fact| fact.provenance)) {
            out.push(format!("the key of \"{}\" ({key}){}", name(), source(provenance.is_fact())));
        }
        let algorithm = certificate.signature_algorithm();
        let signature = profile.unsupported_signature(&algorithm).into_iter().find(|fact| fact.only.is_none());
        if let Some(fact) = signature.filter(|_| !certificate.is_self_issued()) {
            out.push(format!("the signature of \"{}\" ({algorithm}){}", name(), source(fact.provenance.is_fact())));
        }
    }
    out
}

/// For each handshake the chain of another root that the same device accepted (cause: it trusts one CA only).
pub(super) fn note_other_cas(device: &Device, assessments: &mut [Assessment]) {
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
        let Some(own) = assessment.root_key else { continue };
        let other = accepted.iter().find(|(key, ..)| *key != own);
        assessment.other_ca = other.map(|(_, at, name)| (*at, name.clone()));
    }
}

pub(super) fn date_faults(certificates: &[Arc<Certificate>], at: Timestamp) -> Vec<DateFault> {
    let outside = certificates.iter().filter(|c| at > c.not_after() || at < c.not_before());
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
