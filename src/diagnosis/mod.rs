//! Stage 7: a device's session meets what it could have believed, and what does not fit becomes findings.
//!
//! In: [`Evidence`] and [`Trust`]. Out: [`Diagnosis`]: per device its assessed handshakes, findings and a verdict.
//! Bounded: by what the evidence keeps. Left to others: text beyond single sentences, and any format.
//!
//! The order is that of the contract's "How a verdict is reached": each handshake is assessed (`assess`), its cause is
//! decided in one place (`cause`), the families of rules put that into words and evidence (`chain`, `dates`,
//! `negotiation`, `endings`, `fetches`, `coverage`), `recovery` says which success makes up for a failure, and `verdict`
//! settles severity and the headline.

mod abilities;
mod assess;
mod cause;
mod chain;
mod client;
mod clock;
mod coverage;
mod dates;
mod endings;
mod fetches;
mod finding;
mod negotiation;
mod offers;
mod order;
mod preflight;
mod recovery;
mod remedy;
mod rules;
mod sign_in;
mod verdict;
mod words;

use std::sync::Arc;

use crate::capture::{CaptureSummary, Timestamp};
use crate::evidence::{Device, Evidence, Handshake, SignInMethod};
use crate::trust::{Anchor, PathFinder, Pool, Profile, StepFrom};
use crate::x509::Certificate;

pub use assess::{Assessment, ClientIssuer, DateFault, NameCheck};
pub use cause::{Ruling, Stage, Taken};
use clock::Clocks;
pub use clock::DeviceClock;
pub use finding::{Excluded, Finding, ProfileBasis, Severity, Verdict, VerdictStatus};
pub use preflight::{Preflight, Prospect, preflight};
pub use rules::{Code, RULES, Rule, rule_named};

pub(crate) use endings::{CLEAR_TEXT, NOT_TLS};
pub(crate) use words::ending as ending_in_words;

use assess::Assessor;
use offers::Offers;

/// What the user brought to the investigation.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// `--profile`.
    pub profile: ProfileChoice,
    /// `--roots`.
    pub roots: Vec<Supplied>,
    /// `--installed`.
    pub installed: Vec<Supplied>,
    /// `--bundle`.
    pub bundle: Vec<Supplied>,
    /// `--at`.
    pub at: Option<Timestamp>,
    /// `--sign-in`: `None` is `auto`.
    pub sign_in: Option<SignInMethod>,
}

/// A certificate from a file.
#[derive(Clone, Debug)]
pub struct Supplied {
    /// The certificate.
    pub certificate: Arc<Certificate>,
    /// The file, as given.
    pub file: String,
}

impl Supplied {
    /// Whether it can be a root: it names itself as its issuer.
    pub fn is_root(&self) -> bool {
        self.certificate.is_self_issued()
    }
}

/// Which profile devices are held to.
#[derive(Clone, Debug, Default)]
pub enum ProfileChoice {
    /// Recognized phones to theirs, all others to `lync-phone-edition`, which is then an assumption.
    #[default]
    Auto,
    /// One with no anchors.
    None,
    /// One that the user named or made.
    Given(Box<Profile>),
}

/// One device, judged.
#[derive(Debug)]
pub struct DeviceDiagnosis {
    /// Index of the device in the evidence.
    pub device: usize,
    /// Name of the profile it was held to.
    pub profile: String,
    /// How that came.
    pub basis: ProfileBasis,
    /// What it trusted before it fetched anything.
    pub anchors: Arc<[Anchor]>,
    /// Its own clock.
    pub clock: Option<DeviceClock>,
    /// Its sign-in method.
    pub sign_in: SignInMethod,
    /// One for each handshake of the device.
    pub assessments: Vec<Assessment>,
    /// One for each handshake of the device.
    pub rulings: Vec<Ruling>,
    /// One for each handshake: the success that makes up for it.
    pub recovered_by: Vec<Option<crate::capture::FrameRef>>,
    /// Its findings among all, the headline first.
    pub findings: std::ops::Range<usize>,
    /// The verdict.
    pub verdict: Verdict,
}

/// Everything that was found.
#[derive(Debug)]
pub struct Diagnosis {
    /// The devices, in the order of their first frames.
    pub devices: Vec<DeviceDiagnosis>,
    /// The findings, device by device, the headline of each first.
    pub findings: Vec<Finding>,
    /// Path searches made.
    pub path_searches: u64,
    /// Signatures checked.
    pub signature_checks: u64,
}

/// What the families of rules look at.
pub(crate) struct Session<'a> {
    evidence: &'a Evidence,
    /// The device's capture.
    capture: Option<&'a CaptureSummary>,
    device: &'a Device,
    index: usize,
    profile: &'a Profile,
    basis: ProfileBasis,
    anchors: &'a [Anchor],
    offers: &'a Offers,
    clock: Option<&'a DeviceClock>,
    sign_in: SignInMethod,
    assessments: &'a [Assessment],
    rulings: &'a [Ruling],
    recovered_by: &'a [Option<crate::capture::FrameRef>],
}

impl<'a> Session<'a> {
    /// Each handshake with its index, assessment and ruling.
    fn handshakes(&self) -> impl Iterator<Item = (usize, &'a Handshake, &'a Assessment, &'a Ruling)> {
        let judged = self.assessments.iter().zip(self.rulings);
        self.device.handshakes.iter().zip(judged).enumerate().map(|(index, (h, (a, r)))| (index, h, a, r))
    }

    /// The capture of the device is one of a phone that was recognized.
    fn is_phone(&self) -> bool {
        self.device.recognition.is_lync_phone()
    }

    /// What to call it.
    fn noun(&self) -> &'static str {
        if self.is_phone() { "phone" } else { "device" }
    }

    /// A finding about one handshake, with its place filled in.
    fn finding(
        &self,
        code: Code,
        severity: Severity,
        proof: crate::trust::Proof,
        at: usize,
        summary: String,
    ) -> Finding {
        let mut finding = Finding::new(code, severity, proof, summary);
        finding.device = Some(self.index);
        finding.capture = Some(self.device.capture);
        if let Some(handshake) = self.device.handshakes.get(at) {
            finding.handshake = Some(at);
            finding.capture = Some(handshake.first.capture);
            finding.stream = Some(handshake.stream);
            finding.server = Some(handshake.server);
            finding.server_name = handshake.server_name().map(str::to_owned);
            finding.frames = Some((handshake.first, handshake.repeated_until));
            finding.occurrences = 1 + handshake.repeats;
        }
        finding
    }
}

/// Judges all devices of an investigation.
pub fn diagnose(
    evidence: &Evidence,
    captures: &[CaptureSummary],
    trust: &Trust,
    only: &dyn Fn(&Device) -> bool,
    budget: usize,
) -> Diagnosis {
    let profile = match &trust.profile {
        ProfileChoice::None => Profile::none(),
        ProfileChoice::Given(profile) => profile.as_ref().clone(),
        ProfileChoice::Auto => Profile::builtin("lync-phone-edition").unwrap_or_else(Profile::none),
    };
    let anchors = anchors(&profile, trust);
    let offers = Offers::of(evidence);
    let bench = Bench { evidence, captures, trust, profile: &profile, anchors: &anchors, offers: &offers };
    let mut assessor = Assessor::new(PathFinder::new(budget), known(evidence, trust), &profile, &anchors, trust);
    let mut diagnosis = Diagnosis { devices: Vec::new(), findings: Vec::new(), path_searches: 0, signature_checks: 0 };
    for (index, device) in devices(evidence).into_iter().filter(|(_, device)| only(device)) {
        let judged = bench.judge(index, device, &mut assessor, &mut diagnosis.findings);
        diagnosis.devices.push(judged);
    }
    coverage::captures(evidence, captures, &diagnosis.devices, &mut diagnosis.findings);
    diagnosis.path_searches = assessor.finder.searches();
    diagnosis.signature_checks = assessor.finder.signature_checks();
    diagnosis
}

/// The profile's anchors and the roots that the user gave; where both name one, it is the user's, and of several issues
/// of one the last to expire. What is no root in the user's files is only known to exist ([`known`]).
fn anchors(profile: &Profile, trust: &Trust) -> Arc<[Anchor]> {
    let mut anchors = profile.anchors.clone();
    for supplied in trust.roots.iter().filter(|supplied| supplied.is_root()) {
        let anchor = Anchor::from_certificate(Arc::clone(&supplied.certificate));
        let same = |known: &Anchor| known.is(&supplied.certificate);
        if !anchors.iter().any(|known| known.given && same(known) && known.not_after >= anchor.not_after) {
            anchors.retain(|known| !same(known));
            anchors.push(anchor);
        }
    }
    anchors.into()
}

/// Those of the evidence that are devices: they began a handshake, fetched certificates, could not connect, or are
/// phones that were recognized; in the order of their first frames.
pub(crate) fn devices(evidence: &Evidence) -> Vec<(usize, &Device)> {
    let is_device = |device: &Device| {
        if device.merged {
            return false;
        }
        let tried = device.handshakes_total > 0 || !device.fetches.is_empty() || device.recognition.is_lync_phone();
        tried
            || endings::refused(evidence, device).next().is_some()
            || endings::refused_tunnels(device).next().is_some()
    };
    let all = evidence.devices.iter().enumerate();
    let mut devices: Vec<_> = all.filter(|(_, device)| is_device(device)).collect();
    devices.sort_by_key(|(_, device)| (device.frames.0.place(), device.address));
    devices
}

/// Everything that exists in the world, for question B.
fn known(evidence: &Evidence, trust: &Trust) -> Pool {
    let mut pool = Pool::default();
    for (certificate, _) in evidence.certificates.iter() {
        pool.add(certificate, StepFrom::Seen);
    }
    for supplied in trust.bundle.iter().chain(&trust.roots) {
        pool.add(&supplied.certificate, StepFrom::Bundle);
    }
    pool
}

/// What all devices are judged by.
struct Bench<'a> {
    evidence: &'a Evidence,
    captures: &'a [CaptureSummary],
    trust: &'a Trust,
    profile: &'a Profile,
    anchors: &'a Arc<[Anchor]>,
    offers: &'a Offers,
}

impl Bench<'_> {
    fn basis(&self, device: &Device) -> ProfileBasis {
        match &self.trust.profile {
            ProfileChoice::None | ProfileChoice::Given(_) => ProfileBasis::Given,
            ProfileChoice::Auto if device.recognition.is_lync_phone() => ProfileBasis::Recognized,
            ProfileChoice::Auto => ProfileBasis::Assumed,
        }
    }

    /// Judges one device: handshakes one by one, then each family of rules, then the verdict.
    fn judge(
        &self,
        index: usize,
        device: &Device,
        assessor: &mut Assessor<'_>,
        findings: &mut Vec<Finding>,
    ) -> DeviceDiagnosis {
        let clocks = Clocks::of(device);
        let clock = clocks.first();
        let assumed = self.basis(device) == ProfileBasis::Assumed;
        let assess = |handshake| assessor.assess(device, handshake, clocks.at(handshake), assumed);
        let mut assessments: Vec<Assessment> = device.handshakes.iter().map(assess).collect();
        assess::note_other_cas(device, &mut assessments);
        let judged = device.handshakes.iter().zip(&assessments);
        let taken = |handshake| negotiation::taken(self.evidence, handshake);
        let mut rulings: Vec<Ruling> = judged.map(|(h, a)| cause::rule(h, a, self.profile, taken(h))).collect();
        recovery::settle_spares(device, &assessments, &mut rulings);
        let recovered_by = recovery::recoveries(device, &rulings);
        let capture = usize::try_from(device.capture).ok().and_then(|at| self.captures.get(at));
        let session = Session {
            evidence: self.evidence,
            capture,
            device,
            index,
            profile: self.profile,
            basis: self.basis(device),
            anchors: self.anchors,
            offers: self.offers,
            clock: clock.as_ref(),
            sign_in: self.trust.sign_in.unwrap_or(device.sign_in.method),
            assessments: &assessments,
            rulings: &rulings,
            recovered_by: &recovered_by,
        };
        let mut found = Vec::new();
        chain::find(&session, assessor, &mut found);
        order::find(&session, assessor, &mut found);
        dates::find(&session, &mut found);
        abilities::find(&session, &mut found);
        negotiation::find(&session, &mut found);
        client::find(&session, &mut found);
        clock::find(&session, &mut found);
        sign_in::find(&session, &mut found);
        endings::find(&session, &mut found);
        fetches::find(&session, &mut found);
        coverage::find(&session, &mut found);
        let verdict = verdict::settle(&session, &mut found, findings.len());
        let (basis, sign_in) = (session.basis, session.sign_in);
        let first = findings.len();
        findings.append(&mut found);
        DeviceDiagnosis {
            device: index,
            profile: self.profile.name.clone(),
            basis,
            anchors: Arc::clone(self.anchors),
            clock,
            sign_in,
            assessments,
            rulings,
            recovered_by,
            findings: first..findings.len(),
            verdict,
        }
    }
}
