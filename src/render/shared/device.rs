//! In: a report seen from one of its devices. Out: the words around its verdict, the handshake that a finding is about,
//! and what a report says of all its devices. Bounded: by what each function says. Left to others: how any of it looks.

use std::collections::BTreeSet;

use super::finding::repetition;
use super::scope::Scope;
use super::words::{date_and_clock, shorten};
use crate::report::{
    Device, Dropped, Finding, Handshake, Report, SignIn, SignInMethod, SignInStrength, VerdictStatus, counted,
};

/// What to say of a report without a device.
pub(in crate::render) fn nobody(report: &Report) -> String {
    match &report.options.device {
        Some(filter) => format!("no device fits --device {}", shorten(filter, 45)),
        None => "no TLS client seen".to_owned(),
    }
}

/// The sign before a verdict.
pub(in crate::render) fn mark(status: VerdictStatus) -> &'static str {
    match status {
        VerdictStatus::Fails => "✗",
        VerdictStatus::Degraded => "!",
        VerdictStatus::Ok => "✓",
        VerdictStatus::Undecided => "?",
        VerdictStatus::NothingSeen => "–",
    }
}

/// The device's address, by which it is called.
pub(in crate::render) fn subject(device: &Device) -> String {
    let Some(first) = device.addresses.first() else { return shorten(&device.id, 45) };
    let address = shorten(&first.address, 45);
    match device.addresses.len() {
        1 => address,
        several => format!("{address} (+{})", several - 1),
    }
}

/// The line under the verdict: captures, date, sign-in, profile, repetitions.
pub(in crate::render) fn context(scope: &Scope<'_>, device: &Device, headline: Option<&Finding>) -> String {
    let mut words = vec![captures(scope, device)];
    words.extend(headline.and_then(|headline| scope.index.server(headline)).map(|server| format!("with {server}")));
    let time = device.events.iter().find_map(|event| event.time.as_deref());
    words.extend(time.map(|time| format!("{} UTC", shorten(&date_and_clock(time).0, 10))));
    words.extend(signed_in(&device.sign_in).map(str::to_owned));
    let basis = device.profile.basis.as_str();
    words.push(format!("profile {} ({basis})", shorten(&device.profile.name, 40)));
    words.extend(headline.and_then(repetition));
    if device.shared_address {
        words.push("several devices seem to share this address".to_owned());
    }
    words.retain(|word| !word.is_empty());
    words.join(", ")
}

/// How a device signed in, where that is known.
pub(in crate::render) fn signed_in(sign_in: &SignIn) -> Option<&'static str> {
    match (sign_in.method, sign_in.strength) {
        (SignInMethod::Unknown, _) => None,
        (SignInMethod::Pin, SignInStrength::Seen) => Some("PIN sign-in"),
        (SignInMethod::Pin, SignInStrength::ConsistentWith) => Some("consistent with PIN sign-in"),
        (SignInMethod::UsbTethered, SignInStrength::Seen) => Some("USB-tethered sign-in"),
        (SignInMethod::UsbTethered, SignInStrength::ConsistentWith) => Some("consistent with USB-tethered sign-in"),
    }
}

/// The captures that show a device.
pub(in crate::render) fn captures(scope: &Scope<'_>, device: &Device) -> String {
    let events = device.events.iter().map(|event| &event.capture);
    let handshakes = device.handshakes.iter().map(|handshake| &handshake.capture);
    let mut names: Vec<String> = Vec::new();
    let mut more = 0;
    for path in events.chain(handshakes).collect::<BTreeSet<_>>() {
        if names.len() < 3 { names.push(scope.capture(path)) } else { more += 1 }
    }
    if more > 0 {
        names.push(format!("{more} more"));
    }
    names.join(", ")
}

/// The handshake that a finding is about.
pub(in crate::render) fn handshake_of<'a>(device: &'a Device, finding: &Finding) -> Option<&'a Handshake> {
    let in_capture = |h: &&Handshake| finding.capture.as_ref().is_none_or(|capture| *capture == h.capture);
    let candidates: Vec<&Handshake> = device.handshakes.iter().filter(in_capture).collect();
    let cited = |h: &Handshake| finding.evidence.iter().any(|e| e.frame == Some(h.frame) && e.capture == h.capture);
    let streamed = candidates.iter().find(|h| finding.stream.is_some() && h.stream == finding.stream);
    let evident = || candidates.iter().find(|h| cited(h));
    let served = || candidates.iter().find(|h| finding.server.as_ref() == Some(&h.server));
    streamed.or_else(evident).or_else(served).copied()
}

/// How many devices have each verdict, shown or not, gravest first; a verdict that no device has is left out.
pub(in crate::render) fn counts(report: &Report) -> Vec<(VerdictStatus, u64, &'static str)> {
    let kinds = [
        (VerdictStatus::Fails, "fails", "fail"),
        (VerdictStatus::Undecided, "undecided", "undecided"),
        (VerdictStatus::Degraded, "degraded", "degraded"),
        (VerdictStatus::Ok, "ok", "ok"),
        (VerdictStatus::NothingSeen, "without a handshake", "without a handshake"),
    ];
    let counted = kinds.into_iter().map(|(status, one, several)| {
        let n = report.totals.verdicts.get(status.as_str()).copied().unwrap_or_default();
        (status, n, if n == 1 { one } else { several })
    });
    counted.filter(|(_, n, _)| *n > 0).collect()
}

/// `33120 devices`, shown or not.
pub(in crate::render) fn counted_devices(report: &Report) -> String {
    counted(report.totals.devices, "device")
}

/// What was dropped for lack of space, as one line for the end of the output.
pub(in crate::render) fn dropped(report: &Report) -> Option<String> {
    let Dropped { devices, flows, bytes, why } = &report.dropped;
    let why = why.as_deref();
    if *devices > 0 {
        let all = devices.saturating_add(report.totals.devices);
        let why = why.map(|why| format!(": {why}")).unwrap_or_default();
        return Some(format!("{devices} of {all} devices were not judged{why}"));
    }
    if *flows > 0 || *bytes > 0 {
        let why = why.map(|why| format!(": {why}")).unwrap_or_default();
        let (flows, bytes) = (counted(*flows, "connection"), counted(*bytes, "byte"));
        return Some(format!("{flows} and {bytes} were dropped{why}"));
    }
    why.map(|why| format!("not all was kept: {why}"))
}
