//! In: the report of a capture as recorded, and that of the capture with a fault. Out: how the two differ in what a
//! user would act on. Frame numbers, streams, times, ids and wording may differ.

use chaingap::report::{Device, Report};

/// What a user acts on, one line a device and a finding.
pub(crate) fn essence(report: &Report) -> Vec<String> {
    let verdict = |device: &Device| {
        let (verdict, sign_in) = (device.verdict.status.as_str(), device.sign_in.method.as_str());
        format!("{} verdict {verdict}, sign-in {sign_in}", device.id)
    };
    let mut lines: Vec<_> = report.devices.iter().map(verdict).collect();
    lines.extend(report.findings.iter().map(|finding| {
        let missing: Vec<_> = finding.missing.iter().map(|missing| missing.subject.as_str()).collect();
        let (device, server) = (finding.device.as_deref().unwrap_or("-"), finding.server.as_deref().unwrap_or("-"));
        let (severity, proof) = (finding.severity.as_str(), finding.proof.as_str());
        let (code, name, times) = (&finding.code, &finding.name, finding.occurrences);
        format!("{device} {code} {name} {severity} {proof} at {server}, {times} times, missing {missing:?}")
    }));
    lines.sort();
    lines
}

/// Lines that only one of the two has.
pub(crate) fn differences(before: &Report, after: &Report) -> Vec<String> {
    let (mut gone, mut new) = (essence(before), essence(after));
    gone.retain(|line| match new.iter().position(|other| other == line) {
        Some(at) => {
            new.remove(at);
            false
        }
        None => true,
    });
    let gone = gone.into_iter().map(|line| format!("gone: {line}"));
    gone.chain(new.into_iter().map(|line| format!("new:  {line}"))).collect()
}
