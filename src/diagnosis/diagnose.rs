//! In: the evidence, and what the user brought. Out: every device judged, with its findings and its verdict. Bounded: by
//! what the evidence keeps. Left to others: each step of it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::anchors::DeviceAnchors;
use super::assess::{Assessment, Assessor};
use super::clock::{Clocks, CommonClock, DeviceClock};
use super::elsewhere::Elsewhere;
use super::finding::{Finding, ProfileBasis, Verdict};
use super::inspection::Inspectors;
use super::judged::Judged;
use super::offers::Offers;
use super::profiles::Profiles;
use super::rules::{self, Facts};
use super::session::Session;
use super::{cause, exclude, recovery, verdict};
use crate::capture::CaptureSummary;
use crate::evidence::{Device, Evidence, SignIn};
use crate::trust::{Anchor, PathFinder, Pool, StepFrom, Trust};

/// One device, judged.
#[derive(Debug)]
pub struct DeviceDiagnosis<'e> {
    /// Index of the device in the evidence.
    pub device: usize,
    /// Name of the profile it was held to.
    pub profile: String,
    /// How that profile came to be chosen.
    pub basis: ProfileBasis,
    /// What it trusted before it fetched anything.
    pub anchors: Arc<[Anchor]>,
    /// Its own clock.
    pub clock: Option<DeviceClock>,
    /// How it signed in; the method is the user's where one was given.
    pub sign_in: SignIn,
    /// Its handshakes, in the order of the evidence.
    pub handshakes: Vec<Judged<'e>>,
    /// The range of its findings in [`Diagnosis::findings`], the headline first.
    pub findings: Range<usize>,
    /// The verdict.
    pub verdict: Verdict,
}

/// Everything that was found.
#[derive(Debug)]
pub struct Diagnosis<'e> {
    /// The devices, in the order of their first frames.
    pub devices: Vec<DeviceDiagnosis<'e>>,
    /// The findings, device by device, the headline of each first.
    pub findings: Vec<Finding>,
    /// Path searches made.
    pub path_searches: u64,
    /// Signatures checked.
    pub signature_checks: u64,
}

/// Judges all devices of an investigation.
pub fn diagnose<'e>(
    evidence: &'e Evidence,
    captures: &[CaptureSummary],
    trust: &Trust,
    only: &dyn Fn(&Device) -> bool,
    budget: usize,
) -> Diagnosis<'e> {
    let profiles = Profiles::of(trust);
    let offers = Offers::of(evidence);
    let clocks = CommonClock::of(evidence);
    let bench = Bench { evidence, captures, trust, profiles: &profiles, offers: &offers, clocks: &clocks };
    let mut assessor = Assessor::new(PathFinder::new(budget), known(evidence, trust), trust);
    assessor.inspectors = Inspectors::of(evidence);
    let (mut judged, mut findings) = (Vec::new(), Vec::new());
    for (index, device) in devices(evidence).into_iter().filter(|(_, device)| only(device)) {
        judged.push(bench.judge(index, device, &mut assessor, &mut findings));
    }
    let devices: Vec<_> = judged.iter().filter_map(|judged| evidence.devices.get(judged.device)).collect();
    findings.extend(rules::wrong_clocks(&clocks, &devices));
    findings.extend(rules::nothing_seen_in(evidence, captures, &devices));
    Diagnosis {
        devices: judged,
        findings,
        path_searches: assessor.finder.searches(),
        signature_checks: assessor.finder.signature_checks(),
    }
}

/// The clients in the evidence that count as devices: they began a handshake, fetched certificates, could not connect, or
/// were recognized as phones. In the order of their first frames.
pub(crate) fn devices(evidence: &Evidence) -> Vec<(usize, &Device)> {
    let is_device = |device: &Device| {
        let tried = device.handshakes_total > 0 || !device.fetches.is_empty() || device.recognition.is_lync_phone();
        let failed =
            || rules::refused(evidence, device).next().is_some() || rules::refused_tunnels(device).next().is_some();
        !device.merged && (tried || failed())
    };
    let all = evidence.devices.iter().enumerate();
    let mut devices: Vec<_> = all.filter(|(_, device)| is_device(device)).collect();
    devices.sort_by_key(|(_, device)| (device.frames.0.place(), device.address));
    devices
}

/// Everything that is known to exist, for question B (docs/verdict.md, step 3).
fn known(evidence: &Evidence, trust: &Trust) -> Pool {
    let mut pool = Pool::default();
    for (certificate, _) in evidence.certificates.iter() {
        pool.add(certificate, StepFrom::Seen);
    }
    trust.add_known(&mut pool);
    pool
}

/// What every device is judged by.
struct Bench<'a, 'e> {
    evidence: &'e Evidence,
    captures: &'a [CaptureSummary],
    trust: &'a Trust,
    profiles: &'a Profiles,
    offers: &'a Offers,
    /// By recording, the clock that its devices share where the capture's is wrong.
    clocks: &'a BTreeMap<u32, CommonClock>,
}

impl<'e> Bench<'_, 'e> {
    /// Judges one device: handshakes one by one, then each family of rules, then the verdict.
    fn judge(
        &self,
        index: usize,
        device: &'e Device,
        assessor: &mut Assessor,
        findings: &mut Vec<Finding>,
    ) -> DeviceDiagnosis<'e> {
        let (anchors, basis) = self.profiles.anchors_of(device);
        let is_phone = self.profiles.is_lync_phone(device);
        let mut sign_in = device.sign_in(is_phone);
        if let Some(method) = self.trust.sign_in {
            (sign_in.method, sign_in.basis) = (method, Vec::new());
        }
        let clocks = Clocks::of(device, self.clocks.get(&device.recording).map(|clock| clock.offset));
        let clock = clocks.first();
        let assessments = assessor.assess_all(device, &anchors, |handshake| clocks.at(handshake));
        let handshakes = self.judge_handshakes(device, assessments, assessor, (&anchors, is_phone));
        let session = Session {
            evidence: self.evidence,
            capture: usize::try_from(device.capture).ok().and_then(|at| self.captures.get(at)),
            device,
            index,
            is_phone,
            profile: anchors.profile,
            basis,
            anchors: &anchors,
            offers: self.offers,
            clock: clock.as_ref(),
            sign_in: sign_in.method,
            handshakes: &handshakes,
        };
        let mut found = rules::findings(&session);
        let first = findings.len();
        let verdict = verdict::settle(&session, &mut found, first);
        findings.append(&mut found);
        DeviceDiagnosis {
            device: index,
            profile: anchors.profile.name.clone(),
            basis,
            anchors: Arc::clone(&anchors.list),
            clock,
            sign_in,
            handshakes,
            findings: first..findings.len(),
            verdict,
        }
    }

    /// Decides the causes that remain for each handshake, and which success recovered it.
    fn judge_handshakes(
        &self,
        device: &'e Device,
        assessments: Vec<Assessment>,
        assessor: &mut Assessor,
        (anchors, is_phone): (&DeviceAnchors<'_>, bool),
    ) -> Vec<Judged<'e>> {
        let may_lack_sha_2 = is_phone && anchors.profile.is_lync_phone() && !rules::abilities::can_sha_2(device);
        let pairs = device.handshakes.iter().zip(assessments).enumerate();
        let judged = pairs.map(|(index, (handshake, assessment))| {
            let elsewhere = Elsewhere::of(self.evidence, self.offers, handshake);
            let profile = anchors.profile;
            let facts = Facts { handshake, assessment: &assessment, profile, may_lack_sha_2, elsewhere: &elsewhere };
            let ruling = cause::rule(&facts);
            Judged { index, handshake, assessment, ruling, excluded: Vec::new(), recovered_by: None, unused: None }
        });
        let mut judged: Vec<Judged<'e>> = judged.collect();
        recovery::settle(device, &mut judged);
        for it in judged.iter_mut().filter(|it| it.is_completed()) {
            it.assessment.as_sent.left_out = assessor.left_out(it.handshake, &it.assessment, anchors);
        }
        for it in &mut judged {
            it.excluded = it.ruling.told().map(|code| (code, exclude::beside(code, it))).collect();
        }
        judged
    }
}
