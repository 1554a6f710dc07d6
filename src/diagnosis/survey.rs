//! In: devices at rest. Out: each of them with what was found of the first of its kind. Bounded: by the kinds. Left to
//! others: how a device is judged, what is told of it.
//!
//! Devices are of one kind if everything that a judgement looks at is the same: what they have in common, the order of
//! their own frames, the dates of certificates between which their handshakes lie, and what their clocks show. One device
//! of each kind is judged (D-DIAGNOSIS-52).

use std::collections::HashMap;

use super::assess::Assessor;
use super::diagnose::{Bench, Case, DeviceDiagnosis, Devices, Standing};
use super::finding::Finding;
use super::instants::Instants;
use super::{recovery, rules};
use crate::capture::Timestamp;
use crate::evidence::{Device, Outline, Scratch};

/// Kinds that are remembered; a device of another one is judged for itself. One takes about 4 KiB.
const MOST_KINDS: usize = 4_096;

/// Takes what is found of devices, in the order of their first frames.
pub trait Census {
    /// What is remembered of the first device of a kind.
    type Kind;

    /// Takes the first device of a kind, with its findings.
    fn first(&mut self, judged: &DeviceDiagnosis<'_>, device: &Device, findings: &[Finding]) -> Self::Kind;

    /// Takes another device of a kind, by its index in the evidence.
    fn like(&mut self, kind: &mut Self::Kind, index: usize, device: &Device);
}

/// Path searches and signature checks made.
#[derive(Clone, Copy, Debug, Default)]
pub struct Effort {
    /// Path searches.
    pub path_searches: u64,
    /// Signatures checked.
    pub signature_checks: u64,
}

impl Effort {
    fn of(assessor: &Assessor) -> Self {
        Self { path_searches: assessor.finder.searches(), signature_checks: assessor.finder.signature_checks() }
    }
}

/// Judges every device, each kind of them once. All of them must be at rest.
pub fn survey<C: Census>(case: &Case<'_>, devices: &Devices, census: &mut C) -> Effort {
    let standing = Standing::of(case);
    let (mut assessor, instants) = (standing.assessor(case), standing.instants(case));
    let bench = Bench { case: *case, standing: &standing };
    let (mut kinds, mut scratch): (HashMap<Vec<u8>, C::Kind>, _) = (HashMap::new(), Scratch::default());
    for index in devices.order.iter().copied() {
        case.evidence.devices.outline(index, &mut scratch, |device, outline| {
            let key = key(&bench, &instants, (index, device), outline);
            if let Some(kind) = kinds.get_mut(&key) {
                census.like(kind, index, device);
                return;
            }
            let mut findings = Vec::new();
            let judged = bench.judge(index, device, &mut assessor, &mut findings);
            let kind = census.first(&judged, device, &findings);
            if kinds.len() < MOST_KINDS {
                kinds.insert(key, kind);
            }
        });
    }
    Effort::of(&assessor)
}

/// Judges every device for itself, and shows each with its findings.
pub fn judge_each(
    case: &Case<'_>,
    devices: &Devices,
    show: &mut dyn FnMut(&Device, &DeviceDiagnosis<'_>, &[Finding]),
) -> Effort {
    let standing = Standing::of(case);
    let (mut assessor, mut scratch) = (standing.assessor(case), Scratch::default());
    let bench = Bench { case: *case, standing: &standing };
    for index in devices.order.iter().copied() {
        case.evidence.devices.show(index, &mut scratch, |device| {
            let mut findings = Vec::new();
            let judged = bench.judge(index, device, &mut assessor, &mut findings);
            show(device, &judged, &findings);
        });
    }
    Effort::of(&assessor)
}

/// Everything that a judgement of the device looks at, as bytes that are only compared.
fn key(bench: &Bench<'_>, instants: &Instants, (index, device): (usize, &Device), outline: Outline) -> Vec<u8> {
    let (evidence, standing) = (bench.case.evidence, bench.standing);
    let mut key = outline.order;
    let mut put = |number: usize| key.extend(number.to_le_bytes());
    put(outline.kind);
    let clocks = standing.clocks_of(device);
    put(clocks.first().map_or(0, |clock| clock.kind()));
    for handshake in &device.handshakes {
        let clock = clocks.at(handshake);
        put(instants.place(handshake.first.time));
        put(clock.as_ref().map_or(0, |clock| clock.kind()));
        put(clock.map_or(0, |clock| instants.place(clock.at(handshake.first.time))));
        put(usize::from(recovery::was_idle(handshake)));
        let other = standing.offers.of_another_issuer(index, device, handshake);
        put(other.map_or(0, |offer| std::sync::Arc::as_ptr(&offer.leaf).addr()));
        // Certificates that are not stored are not among those whose dates are known.
        if evidence.certificates.dropped() > 0 {
            let own = clocks.at(handshake).map(|clock| clock.at(handshake.first.time));
            let valid =
                |at: Timestamp| handshake.sent.iter().chain(&handshake.client_sent).map(move |c| c.is_valid_at(at));
            valid(handshake.first.time)
                .chain(own.into_iter().flat_map(valid))
                .for_each(|valid| put(usize::from(valid)));
        }
    }
    for refused in rules::refused(evidence, device) {
        put(device.refused.iter().position(|known| std::ptr::eq(known, refused)).unwrap_or(usize::MAX));
    }
    // How scans and earlier recordings are judged is looked up for each device.
    if rules::may_scan(device) || standing.earlier.of_another_recording(device).next().is_some() {
        put(index);
    }
    key
}
