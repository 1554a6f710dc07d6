//! In: the evidence, and what the user brought. Out: every device judged, with its findings and its verdict. Bounded: by
//! what the evidence keeps. Left to others: each step of it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use super::anchors::DeviceAnchors;
use super::assess::{Assessment, Assessor};
use super::clock::{Clocks, CommonClock, DeviceClock};
use super::defects::Sight;
use super::earlier::Earlier;
use super::elsewhere::Elsewhere;
use super::finding::{Finding, ProfileBasis, Verdict};
use super::inspection::Inspectors;
use super::instants::Instants;
use super::judged::Judged;
use super::offers::Offers;
use super::profiles::Profiles;
use super::refusal::{Refusal, Weighing};
use super::rules::{self, Facts};
use super::ruling::Ruling;
use super::session::Session;
use super::{cause, defects, exclude, recovery, verdict};
use crate::capture::CaptureSummary;
use crate::evidence::{Device, Evidence, Scratch, SignIn};
use crate::trust::{Anchor, PathFinder, Pool, Stack, StepFrom, Trust};

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

/// What devices are judged by.
#[derive(Clone, Copy)]
pub struct Case<'a> {
    /// All that was seen.
    pub evidence: &'a Evidence,
    /// The captures in which it was, with their names.
    pub captures: &'a [(String, CaptureSummary)],
    /// What the user brought.
    pub trust: &'a Trust,
    /// The steps that a path search may take.
    pub budget: usize,
}

/// Judges the devices of `shown`, which the evidence keeps in full, of all those in `devices`.
pub fn diagnose<'e>(case: &Case<'e>, devices: &Devices, shown: &[usize]) -> Diagnosis<'e> {
    let standing = Standing::of(case);
    let mut assessor = standing.assessor(case);
    let bench = Bench { case: *case, standing: &standing };
    let (mut judged, mut findings) = (Vec::with_capacity(shown.len()), Vec::new());
    for index in shown {
        if let Some(device) = case.evidence.devices.get(*index) {
            judged.push(bench.judge(*index, device, &mut assessor, &mut findings));
        }
    }
    findings.extend(rules::wrong_clocks(&standing.clocks, &devices.recordings));
    findings.extend(rules::nothing_seen_in(case.evidence, case.captures, &devices.recordings));
    Diagnosis {
        devices: judged,
        findings,
        path_searches: assessor.finder.searches(),
        signature_checks: assessor.finder.signature_checks(),
    }
}

/// The clients in the evidence that count as devices.
#[derive(Debug, Default)]
pub struct Devices {
    /// Their indices, in the order of their first frames.
    pub order: Vec<usize>,
    /// The recordings that they are in.
    pub(super) recordings: BTreeSet<u32>,
}

impl Devices {
    /// Keeps so many of them, and returns how many are left out.
    pub fn keep(&mut self, most: usize) -> usize {
        let left = self.order.len().saturating_sub(most);
        self.order.truncate(most);
        left
    }

    /// Those for which `only` holds that began a handshake, fetched certificates, could not connect, or were recognized as
    /// phones.
    pub fn of(evidence: &Evidence, only: &dyn Fn(&Device) -> bool) -> Self {
        let (mut found, mut recordings, mut scratch) = (Vec::new(), BTreeSet::new(), Scratch::default());
        for glance in evidence.devices.glances() {
            let is_device = |device: &Device| {
                let tried =
                    device.handshakes_total > 0 || !device.fetches.is_empty() || device.recognition.is_lync_phone();
                let failed = || {
                    rules::refused(evidence, device).next().is_some() || rules::refused_tunnels(device).next().is_some()
                };
                (tried || failed()) && only(device)
            };
            if !glance.shape.merged && evidence.devices.show(glance.index, &mut scratch, is_device) == Some(true) {
                recordings.insert(glance.shape.recording);
                found.push((glance.first.place(), glance.index));
            }
        }
        // Of two hosts with the same first frame the one with the lower address comes first.
        let address = |index| evidence.devices.glance(index).map(|glance| glance.address);
        found.sort_unstable_by(|(a, one), (b, other)| a.cmp(b).then_with(|| address(*one).cmp(&address(*other))));
        // Collected in place, the indices would keep the room of what they were sorted by.
        let mut order = Vec::with_capacity(found.len());
        order.extend(found.iter().map(|(_, index)| *index));
        Self { order, recordings }
    }
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

/// What is the same for all devices.
pub(super) struct Standing {
    pub(super) profiles: Profiles,
    pub(super) offers: Offers,
    /// By recording, the clock that its devices share where the capture's is wrong.
    pub(super) clocks: BTreeMap<u32, CommonClock>,
    pub(super) earlier: Earlier,
}

impl Standing {
    pub(super) fn of(case: &Case<'_>) -> Self {
        Self {
            profiles: Profiles::of(case.trust),
            offers: Offers::of(case.evidence),
            clocks: CommonClock::of(case.evidence),
            earlier: Earlier::of(case.evidence),
        }
    }

    /// An assessor that knows every certificate of the case.
    pub(super) fn assessor(&self, case: &Case<'_>) -> Assessor {
        let known = known(case.evidence, case.trust);
        let mut assessor = Assessor::new(PathFinder::new(case.budget), known, case.trust);
        assessor.inspectors = Inspectors::of(case.evidence);
        // Of certificates that are not stored the dates are not known here.
        match case.evidence.certificates.dropped() {
            0 => assessor.between(self.instants(case)),
            _ => assessor,
        }
    }

    /// The dates that bear on judgements.
    pub(super) fn instants(&self, case: &Case<'_>) -> Instants {
        Instants::of(case.evidence, case.trust, self.profiles.anchors())
    }

    pub(super) fn clocks_of<'d>(&self, device: &'d Device) -> Clocks<'d> {
        Clocks::of(device, self.clocks.get(&device.recording).map(|clock| clock.offset))
    }
}

/// What every device is judged by.
pub(super) struct Bench<'a> {
    pub(super) case: Case<'a>,
    pub(super) standing: &'a Standing,
}

impl Bench<'_> {
    /// Judges one device: handshakes one by one, then each family of rules, then the verdict.
    pub(super) fn judge<'e>(
        &self,
        index: usize,
        device: &'e Device,
        assessor: &mut Assessor,
        findings: &mut Vec<Finding>,
    ) -> DeviceDiagnosis<'e> {
        let standing = self.standing;
        let (anchors, basis) = standing.profiles.anchors_of(device);
        let is_phone = standing.profiles.is_lync_phone(device);
        let mut sign_in = device.sign_in(is_phone);
        if let Some(method) = self.case.trust.sign_in {
            (sign_in.method, sign_in.basis) = (method, Vec::new());
        }
        let clocks = standing.clocks_of(device);
        let clock = clocks.first();
        let assessments = assessor.assess_all(device, &anchors, |handshake| clocks.at(handshake));
        let handshakes = self.judge_handshakes(device, assessments, assessor, (&anchors, is_phone));
        let session = Session {
            evidence: self.case.evidence,
            capture: usize::try_from(device.capture).ok().and_then(|at| self.case.captures.get(at)).map(|it| &it.1),
            device,
            index,
            is_phone,
            profile: anchors.profile,
            basis,
            anchors: &anchors,
            offers: &standing.offers,
            earlier: &standing.earlier,
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
    fn judge_handshakes<'e>(
        &self,
        device: &'e Device,
        assessments: Vec<Assessment>,
        assessor: &mut Assessor,
        (anchors, is_phone): (&DeviceAnchors<'_>, bool),
    ) -> Vec<Judged<'e>> {
        let may_lack_sha_2 = is_phone && anchors.profile.is_lync_phone() && !rules::abilities::can_sha_2(device);
        let pairs = device.handshakes.iter().zip(assessments).enumerate();
        let judged = pairs.map(|(index, (handshake, assessment))| {
            let elsewhere = Elsewhere::of(self.case.evidence, &self.standing.offers, handshake);
            let profile = anchors.profile;
            let facts = Facts { handshake, assessment: &assessment, profile, may_lack_sha_2, elsewhere: &elsewhere };
            let mut ruling = cause::rule(&facts);
            let client_stack = self.weigh(&facts, anchors, &mut ruling);
            let held = ruling.told().filter(|code| cause::is_met(&facts, *code)).collect();
            let stacks = self.case.trust.stacks.clone();
            let (excluded, recovered_by, unused) = (Vec::new(), None, None);
            Judged { index, handshake, client_stack, assessment, ruling, held, stacks, excluded, recovered_by, unused }
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

    /// Recognizes the client's stack, and lets what stacks refuse decide among the causes of a refusal.
    fn weigh(&self, facts: &Facts<'_>, anchors: &DeviceAnchors<'_>, ruling: &mut Ruling) -> Option<Arc<Stack>> {
        let stacks = &self.case.trust.stacks;
        let Facts { handshake, assessment, .. } = facts;
        let stack = handshake.tls.client_hello.as_ref().and_then(|hello| stacks.recognize(hello));
        if let Some(refusal) = Refusal::of(handshake, assessment, ruling.stage) {
            let visible = defects::visible(&Sight::of(handshake, assessment, &anchors.list), stacks);
            Weighing { facts, stacks, stack, refusal, visible }.settle(ruling);
        }
        stack.cloned()
    }
}
