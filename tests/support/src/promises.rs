//! What must hold of every report, whatever was analyzed.
//!
//! In: a report. Out: the promises that it breaks. Left to others: what the report should say of this capture.

use chaingap::evidence::Outcome;
use chaingap::report::{Device, Finding, Handshake, Proof, Report, Severity, VerdictStatus};

/// The promises that a report breaks, one line each.
pub fn broken_promises(report: &Report) -> Vec<String> {
    let mut broken = Vec::new();
    for device in &report.devices {
        let of_device =
            || report.findings.iter().filter(|finding| finding.device.as_deref() == Some(device.id.as_str()));
        for handshake in device.handshakes.iter().filter(|handshake| is_silent(device, handshake, &report.findings)) {
            let (outcome, history) = (handshake.outcome, &handshake.history);
            broken.push(format!(
                "{}: no finding about the handshake {outcome:?} {history} in frame {}",
                device.id, handshake.frame
            ));
        }
        let sure =
            of_device().any(|finding| finding.severity == Severity::Error && finding.proof != Proof::Undecidable);
        if sure != (device.verdict.status == VerdictStatus::Fails) {
            broken.push(format!("{}: verdict {} does not fit its findings", device.id, device.verdict.status.as_str()));
        }
        if let Some(headline) = &device.verdict.finding
            && !of_device().any(|finding| finding.id == *headline)
        {
            broken.push(format!("{}: the headline {headline} is not one of its findings", device.id));
        }
    }
    broken
}

/// Whether a handshake was neither completed nor recovered and no finding of warning or above is about it. Mere information
/// is enough about a probe that finished, closed and was alone, and about connections that were closed idle (CG030).
fn is_silent(device: &Device, handshake: &Handshake, findings: &[Finding]) -> bool {
    if handshake.outcome == Outcome::Completed || handshake.recovered_by.is_some() {
        return false;
    }
    // Servers of one name share their findings.
    let about = |finding: &&Finding| {
        finding.device.as_deref() == Some(device.id.as_str())
            && (finding.server.as_deref() == Some(handshake.server.as_str())
                || (finding.server_name.is_some() && finding.server_name == handshake.server_name))
    };
    let enough = |finding: &Finding| {
        let lone_probe = finding.code == "CG023" && device.handshakes_total == 1;
        finding.severity >= Severity::Warning || lone_probe
    };
    let of_device = |finding: &&Finding| finding.device.as_deref() == Some(device.id.as_str());
    let unused = || {
        let closed =
            matches!(handshake.outcome, Outcome::ClosedByClient | Outcome::ClosedByServer | Outcome::Undetermined);
        closed && findings.iter().filter(of_device).any(|finding| finding.code == "CG030")
    };
    !findings.iter().filter(about).any(enough) && !unused()
}
