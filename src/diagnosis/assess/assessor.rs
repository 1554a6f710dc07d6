//! In: one handshake, its device, what is trusted and known. Out: its [`Assessment`]. Bounded: each chain is judged once
//! for the same means of the device. Left to others: which of it was the cause.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use super::algorithms::{Algorithms, verifier};
use super::chain_end::ChainEnd;
use super::client::{self, ClientIssuer};
use super::dates::{self, Dates};
use super::malformed::Malformed;
use super::names::NameCheck;
use super::order::{AsSent, Form, form};
use super::parameters::Refusable;
use crate::capture::{FrameRef, Timestamp};
use crate::diagnosis::anchors::DeviceAnchors;
use crate::diagnosis::clock::DeviceClock;
use crate::diagnosis::inspection::Inspectors;
use crate::diagnosis::instants::Instants;
use crate::diagnosis::words;
use crate::evidence::{Device, FetchKind, Handshake, Outcome};
use crate::protocol::tls::MAX_CERTIFICATES;
use crate::trust::{
    Adds, Case, ChainStatus, Judgement, Missing, PathFinder, Pool, Purpose, StepFrom, Trust, Verifier, judge, rejudge,
    with_sign,
};
use crate::x509::{Certificate, Digest, Name};

/// Everything that can be said of one handshake's certificates.
#[derive(Clone, Debug)]
pub struct Assessment {
    /// The server's chain.
    pub chain: Rc<Judgement>,
    /// What is known of the root at which it ends.
    pub chain_end: ChainEnd,
    /// What is wrong with the list of certificates that the server sent.
    pub as_sent: AsSent,
    /// Their dates.
    pub dates: Dates,
    /// The leaf's names.
    pub name: NameCheck,
    /// What the path needs that the device may not be able to do.
    pub algorithms: Algorithms,
    /// The rules of encoding and size that the server's flight breaks.
    pub malformed: Vec<Malformed>,
    /// The parameters in clear that clients refuse.
    pub refusable: Vec<Refusable>,
    /// Why the server's Certificate message cannot be judged; `None` if it can.
    pub unreadable: Option<String>,
    /// The last handshake before this one in which the same client accepted the same certificates.
    pub accepted_before: Option<FrameRef>,
    /// The client's chain.
    pub client_chain: Option<Rc<Judgement>>,
    /// Where a certificate of the client is known from another handshake: its issuer, and whether the server's list of
    /// issuers names one of its chain.
    pub client_issuer: Option<ClientIssuer>,
}

/// Judges chains, and remembers each judgement.
#[derive(Debug)]
pub(in crate::diagnosis) struct Assessor {
    pub(in crate::diagnosis) finder: PathFinder,
    known: Pool,
    memory: HashMap<Had, Remembered>,
    /// Between which dates of certificates an instant lies; `None` where not all of them are known.
    instants: Option<Instants>,
    installed: Vec<(Arc<Certificate>, StepFrom)>,
    at: Option<Timestamp>,
    /// Issuers that act like proxies that inspect TLS.
    pub(in crate::diagnosis) inspectors: Inspectors,
}

/// What decides a judgement: the profile, the chain sent, the intermediates held, the roots fetched, and what the device was
/// seen to be able to do.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Had {
    profile: String,
    sent: Vec<Digest>,
    held: Vec<Digest>,
    roots: Vec<Digest>,
    verifier: Verifier,
}

/// A judgement that was made.
#[derive(Debug)]
struct Remembered {
    judgement: Rc<Judgement>,
    /// What takes its place at instants between certain dates of certificates.
    at: HashMap<usize, Rc<Judgement>>,
}

/// What a device had beside its anchors and what the server sent.
#[derive(Default)]
struct Means {
    held: Vec<(Arc<Certificate>, StepFrom)>,
    roots: Vec<Arc<Certificate>>,
}

impl Assessor {
    /// An assessor that knows these certificates.
    pub(in crate::diagnosis) fn new(finder: PathFinder, known: Pool, trust: &Trust) -> Self {
        let (installed, at) = (trust.held(), trust.at);
        let inspectors = Inspectors::default();
        Self { finder, known, memory: HashMap::new(), instants: None, installed, at, inspectors }
    }

    /// The same, which judges all instants alike that lie between the same of these dates.
    pub(in crate::diagnosis) fn between(self, instants: Instants) -> Self {
        Self { instants: Some(instants), ..self }
    }

    /// Assesses each handshake of a device; `clock` tells its clock at a handshake.
    pub(in crate::diagnosis) fn assess_all(
        &mut self,
        device: &Device,
        anchors: &DeviceAnchors<'_>,
        clock: impl Fn(&Handshake) -> Option<DeviceClock>,
    ) -> Vec<Assessment> {
        let assess = |handshake| self.assess(device, handshake, anchors, clock(handshake));
        let mut assessments: Vec<_> = device.handshakes.iter().map(assess).collect();
        note_other_cas(device, &mut assessments);
        let accepted = Accepted::by(device);
        for (handshake, assessment) in device.handshakes.iter().zip(&mut assessments) {
            assessment.accepted_before = accepted.before(handshake);
        }
        assessments
    }

    fn assess(
        &mut self,
        device: &Device,
        handshake: &Handshake,
        anchors: &DeviceAnchors<'_>,
        clock: Option<DeviceClock>,
    ) -> Assessment {
        let unreadable = unreadable(handshake);
        let chain = match &unreadable {
            Some(_) if handshake.tls.hides_certificates() && !handshake.lacked_flight() => {
                Rc::new(Judgement::without_chain(ChainStatus::Hidden))
            }
            Some(_) => Rc::new(Judgement::without_chain(ChainStatus::Undetermined)),
            None => {
                let at = dates::instant(handshake, clock.as_ref(), self.at);
                let chain = self.judge(anchors, handshake, &self.means(device, handshake, anchors), Some(at));
                let signed = self.inspectors.of_handshake(handshake);
                let told = signed.and_then(|signed| with_sign(&chain, signed));
                told.map_or(chain, Rc::new)
            }
        };
        let client_chain = handshake.tls.certificates.client.as_ref().map(|_| self.client_chain(handshake));
        let own = handshake.own_certificate();
        let form = match unreadable {
            Some(_) => Form::default(),
            None => form(&mut self.finder, &handshake.sent, &chain),
        };
        Assessment {
            chain_end: ChainEnd::of(&chain, anchors),
            as_sent: AsSent { left_out: Vec::new(), form },
            dates: Dates::of(device, handshake, (&chain, anchors), clock, self.at),
            name: own.map_or(NameCheck::Unknown, |leaf| NameCheck::of(device, handshake, leaf, anchors.profile)),
            algorithms: Algorithms::of(handshake, &chain, anchors),
            malformed: Malformed::of(&mut self.finder, handshake),
            refusable: Refusable::of(handshake),
            unreadable,
            accepted_before: None,
            client_chain,
            client_issuer: ClientIssuer::of(device, handshake),
            chain,
        }
    }

    /// The intermediates without which the chain that the server sent ends below an anchor.
    pub(in crate::diagnosis) fn left_out(
        &mut self,
        handshake: &Handshake,
        assessment: &Assessment,
        anchors: &DeviceAnchors<'_>,
    ) -> Vec<Missing> {
        if assessment.unreadable.is_some() || handshake.sent.is_empty() {
            return Vec::new();
        }
        let bare = self.judge(anchors, handshake, &Means::default(), None);
        if bare.status != ChainStatus::MissingIntermediate {
            return Vec::new();
        }
        // Only what is known to exist is known to be left out: a one-tier CA rightly sends the leaf alone, and a CA that
        // is a root as well as cross-signed may be the device's anchor.
        let is_left_out = |link: &&Missing| !link.candidates.is_empty() && !self.is_root_too(link);
        bare.missing.iter().filter(is_left_out).cloned().collect()
    }

    /// Whether a link is known to be a root as well: a certificate signed by itself for the same name and key.
    fn is_root_too(&self, link: &Missing) -> bool {
        let is = |root: &Certificate, c: &Certificate| root.is_self_signed() && root.public_key() == c.public_key();
        let namesakes = self.known.named(&link.subject);
        link.candidates.iter().any(|candidate| namesakes.iter().any(|(root, _)| is(root, candidate)))
    }

    fn means(&self, device: &Device, handshake: &Handshake, anchors: &DeviceAnchors<'_>) -> Means {
        let mut means = Means { held: self.installed.clone(), roots: Vec::new() };
        for (certificate, kind) in fetched(device, handshake) {
            let adds = |what| anchors.profile.adds(kind, what);
            if certificate.is_self_signed() {
                if adds(Adds::Anchors) {
                    means.roots.push(Arc::clone(certificate));
                }
            } else if adds(Adds::Intermediates) {
                means.held.push((Arc::clone(certificate), StepFrom::Fetched));
            }
        }
        means
    }

    /// The judgement on a chain, made once for all handshakes in which the device had the same; where certificates are
    /// outside their dates at `at`, once more for all instants between the same dates.
    fn judge(
        &mut self,
        anchors: &DeviceAnchors<'_>,
        handshake: &Handshake,
        means: &Means,
        at: Option<Timestamp>,
    ) -> Rc<Judgement> {
        let digests = |list: &[Arc<Certificate>]| list.iter().map(|c| c.sha256()).collect();
        let held = means.held.iter().map(|(c, _)| c.sha256()).collect();
        let (sent, profile) = (&handshake.sent, anchors.profile.name.clone());
        let verifier = verifier(handshake, anchors.profile);
        let (roots, verified) = (digests(&means.roots), verifier.clone());
        let had = Had { profile, sent: digests(sent), held, roots, verifier: verified };
        let anchors = anchors.with_fetched(&means.roots);
        let case = Case {
            sent,
            purpose: Purpose::Server,
            held: &means.held,
            anchors: &anchors,
            known: &self.known,
            verifier: &verifier,
        };
        let finder = &mut self.finder;
        let remembered = self
            .memory
            .entry(had)
            .or_insert_with(|| Remembered { judgement: Rc::new(judge(finder, &case)), at: HashMap::new() });
        let judgement = Rc::clone(&remembered.judgement);
        let Some(at) = at else { return judgement };
        let between = self.instants.as_ref().map(|instants| instants.place(at));
        if let Some(known) = between.and_then(|between| remembered.at.get(&between)) {
            return Rc::clone(known);
        }
        let judgement = rejudge(finder, &case, &judgement, at).map_or(judgement, Rc::new);
        if let Some(between) = between {
            remembered.at.insert(between, Rc::clone(&judgement));
        }
        judgement
    }

    /// The server's anchors are unknown, so a client's chain is never trusted and its root never refused.
    fn client_chain(&mut self, handshake: &Handshake) -> Rc<Judgement> {
        let sent = &handshake.client_sent;
        let verifier = Verifier::default();
        let purpose = Purpose::Client;
        let case = Case { sent, purpose, held: &[], anchors: &[], known: &self.known, verifier: &verifier };
        Rc::new(client::without_anchors(judge(&mut self.finder, &case), handshake))
    }
}

/// What the device had fetched before its deciding frame.
fn fetched<'d>(device: &'d Device, handshake: &Handshake) -> Vec<(&'d Arc<Certificate>, FetchKind)> {
    if device.shared_address {
        return Vec::new();
    }
    let deciding = handshake.deciding();
    let in_time = |last: Option<FrameRef>| last.is_some_and(|at| at.is_before(&deciding));
    let fetches = device.fetches.iter().filter(|fetch| fetch.succeeded() && in_time(fetch.last));
    fetches.flat_map(|fetch| fetch.certificates.iter().map(|(certificate, kind)| (certificate, *kind))).collect()
}

/// Why the server's Certificate message cannot be judged.
fn unreadable(handshake: &Handshake) -> Option<String> {
    let tls = &handshake.tls;
    if handshake.lacked_flight() {
        return Some("the device never acknowledged the server's certificates".into());
    }
    if tls.hides_certificates() {
        return Some("TLS 1.3 encrypts the certificates".into());
    }
    match &tls.certificates.server {
        Some(list) if list.raw_public_key => Some(format!(
            "the server sent a raw public key (RFC 7250) in place of certificates (frame {})",
            list.first.number
        )),
        Some(list) if !list.complete && handshake.sent.len() == MAX_CERTIFICATES => Some(format!(
            "the Certificate message holds more than {} certificates, of which no more were read (frame {})",
            MAX_CERTIFICATES, list.last.number
        )),
        Some(list) if !list.complete => Some(format!(
            "{} of the Certificate message are not in the capture (frame {})",
            words::bytes(list.missing),
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

/// The handshakes of a device in which a TLS stack went on to data: their first frames in order, by the shape of the hello
/// and the certificates.
struct Accepted(HashMap<(u64, Vec<Digest>), Vec<FrameRef>>);

impl Accepted {
    fn by(device: &Device) -> Self {
        let mut accepted: HashMap<_, Vec<FrameRef>> = HashMap::new();
        let worked = |of: &&Handshake| of.ending.outcome == Outcome::Completed && of.tls.data.client.records > 0;
        for handshake in device.handshakes.iter().filter(worked) {
            if let Some(key) = Self::key(handshake) {
                accepted.entry(key).or_default().push(handshake.first);
            }
        }
        accepted.values_mut().for_each(|firsts| firsts.sort_by_key(FrameRef::place));
        Self(accepted)
    }

    /// The last of them before this handshake by the same stack with the same certificates.
    fn before(&self, handshake: &Handshake) -> Option<FrameRef> {
        let firsts = self.0.get(&Self::key(handshake)?)?;
        let earlier = firsts.partition_point(|first| first.is_before(&handshake.first));
        firsts.get(earlier.checked_sub(1)?).copied()
    }

    /// `None` where no certificates were sent, or the hello cannot be compared.
    fn key(handshake: &Handshake) -> Option<(u64, Vec<Digest>)> {
        let shape = handshake.tls.client_hello.as_ref()?.besides?;
        let sent: Vec<Digest> = handshake.sent.iter().map(|certificate| certificate.sha256()).collect();
        (!sent.is_empty()).then_some((shape, sent))
    }
}

/// Notes for each handshake the chain of another root that the same device accepted: it may trust one CA only.
fn note_other_cas(device: &Device, assessments: &mut [Assessment]) {
    if device.shared_address {
        return;
    }
    let accepted: Vec<(Digest, FrameRef, Name)> = device
        .handshakes
        .iter()
        .zip(assessments.iter())
        .filter(|(handshake, _)| handshake.ending.outcome == Outcome::Completed)
        .filter_map(|(handshake, assessment)| {
            let root = assessment.chain.path.as_ref()?.top()?;
            let name = if root.is_self_issued() { root.subject() } else { root.issuer() };
            Some((assessment.chain_end.root_key?, handshake.deciding(), name.clone()))
        })
        .collect();
    for assessment in assessments {
        // A device that accepted this CA in another handshake refuses something else.
        let own = assessment.chain_end.root_key;
        let path = assessment.chain.judged_certificates();
        let is_own = |(key, _, name): &&(Digest, FrameRef, Name)| {
            own == Some(*key) || path.iter().any(|c| c.issuer() == name || c.subject() == name)
        };
        let other = accepted.first().filter(|_| !path.is_empty() && !accepted.iter().any(|it| is_own(&it)));
        assessment.chain_end.other_ca = other.map(|(_, at, name)| (*at, name.short()));
    }
}
