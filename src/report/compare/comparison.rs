//! In: a report, and which two devices are compared. Out: the comparison. Bounded: by the report. Left to others: which
//! steps there are, and what follows.

use std::collections::{BTreeMap, BTreeSet};

use super::choose::{self, Pick, PickError};
use super::model::{COMPARE_SCHEMA, CompareSide, CompareStep, Comparison};
use super::names::Names;
use super::{conclude, steps};
use crate::report::model::{Certificate, ChainStatus, Device, Finding, Handshake, Outcome, Report, Tool};
use crate::report::words::counted;

/// Compares a device that works with one that does not.
///
/// # Errors
/// If a capture shows no such device, or several candidates; the error lists them.
pub fn compare(report: &Report, good: &Pick<'_>, bad: &Pick<'_>) -> Result<Comparison, PickError> {
    let (good_device, bad_device) = choose::both(report, good, bad)?;
    let findings = report.findings.iter().filter(|finding| {
        let device = finding.device.as_deref();
        device == Some(good_device.id.as_str()) || device == Some(bad_device.id.as_str())
    });
    let findings: Vec<Finding> = findings.cloned().collect();
    let told = steps::tell(report, good_device, bad_device);
    let names = Names::of(report);
    let said = conclude::conclude(&names, &told, good_device, bad_device, &findings);
    let parting = told.steps.iter().position(|step| step.parts);
    Ok(Comparison {
        schema: COMPARE_SCHEMA.into(),
        tool: Tool::this(),
        options: report.options.clone(),
        good: side(good, good_device),
        bad: side(bad, bad_device),
        comparable: said.comparable,
        agree: said.comparable && parting.is_none(),
        parting: parting.filter(|_| said.comparable),
        conclusion: said.conclusion,
        finding: said.finding,
        because: said.because,
        caveats: caveats(report, good, bad, good_device, bad_device),
        certificates: named(report, &told.steps, &findings),
        steps: told.steps,
        findings,
    })
}

fn side(pick: &Pick<'_>, device: &Device) -> CompareSide {
    let address = device.addresses.first();
    CompareSide {
        capture: pick.capture.to_owned(),
        device: device.id.clone(),
        address: address.map_or_else(|| device.id.clone(), |address| address.address.clone()),
        first_time: address.map(|address| address.first.clone()),
        mac: device.mac.clone(),
        profile: device.profile.clone(),
        verdict: device.verdict.clone(),
        clock: device.clock.clone(),
        sign_in: device.sign_in.clone(),
    }
}

/// What a reader must not conclude, because the captures do not show it.
fn caveats(report: &Report, good: &Pick<'_>, bad: &Pick<'_>, of_good: &Device, of_bad: &Device) -> Vec<String> {
    let mut out = Vec::new();
    let pair = [("good", good, of_good), ("bad", bad, of_bad)];
    for (which, _, device) in pair {
        let accepted = |handshake: &Handshake| handshake.outcome == Outcome::Completed;
        let unsupplied = |handshake: &Handshake| {
            matches!(handshake.chain.status, ChainStatus::MissingIntermediate | ChainStatus::Undetermined)
        };
        if device.handshakes.iter().any(|handshake| accepted(handshake) && unsupplied(handshake)) {
            out.push(format!(
                "where the {which} one has the rest of the chain from: it may have stored it before its trace began, or \
                 not check it"
            ));
        }
    }
    for (which, _, device) in pair {
        if device.handshakes.iter().any(|handshake| handshake.chain.status == ChainStatus::Hidden) {
            out.push(format!(
                "what certificates the {which} one was sent: TLS 1.3 without keys hides them, and they are not compared"
            ));
        }
    }
    if of_good.profile.name != of_bad.profile.name {
        out.push(format!(
            "the two are held to different profiles, {} and {}: what one trusts says little about the other",
            of_good.profile.name, of_bad.profile.name
        ));
    }
    for (which, pick, device) in pair {
        if device.shared_address {
            out.push(format!(
                "several devices seem to share the {which} one's address, so its downloads prove nothing"
            ));
        }
        let capture = report.captures.iter().find(|capture| capture.path == pick.capture);
        if capture.is_some_and(|capture| !capture.problems.is_empty()) {
            let problems = counted(problems(report, pick), "problem");
            out.push(format!("the {which} capture is not whole ({problems}): see analyze"));
        }
    }
    out
}

fn problems(report: &Report, pick: &Pick<'_>) -> usize {
    let capture = report.captures.iter().find(|capture| capture.path == pick.capture);
    capture.map_or(0, |capture| capture.problems.len())
}

/// The certificates that the steps and findings name.
fn named(report: &Report, steps: &[CompareStep], findings: &[Finding]) -> BTreeMap<String, Certificate> {
    let sides = steps.iter().flat_map(|step| step.good.iter().chain(&step.bad));
    let mut wanted: BTreeSet<&String> = sides.flat_map(|side| &side.certificates).collect();
    for finding in findings {
        wanted.extend(&finding.certificates);
        let candidates = finding.missing.iter().flat_map(|missing| &missing.candidates);
        wanted.extend(candidates.map(|candidate| &candidate.sha256));
    }
    let known = wanted.into_iter().filter_map(|sha| Some((sha.clone(), report.certificates.get(sha)?.clone())));
    known.collect()
}
