//! What several renderers say alike: how captures and devices are named, which events are worth telling, what stands in
//! which column of a chain.
//!
//! In: the report. Out: words and lists of words, no layout. Bounded: by what each function says. Left to others: how any
//! of it looks.

pub(super) mod chain;
pub(super) mod finding;
pub(super) mod step;
pub(super) mod story;
pub(super) mod words;

use std::collections::{BTreeMap, BTreeSet};

use words::{date_and_clock, shorten};

use crate::report::{
    Device, Dropped, Finding, Handshake, ProfileBasis, Report, SignIn, SignInMethod, SignInStrength, VerdictStatus,
    counted,
};

/// What is looked up again and again, by path and by device.
pub(super) struct Index<'a> {
    /// Short names of the captures, by path.
    captures: BTreeMap<&'a str, &'a str>,
    /// Findings by `id` of their device, in the report's order.
    findings: BTreeMap<&'a str, Vec<&'a Finding>>,
    /// Findings that concern no device of the report.
    pub(super) elsewhere: Vec<&'a Finding>,
    /// Devices whose handshakes with more than one server have findings, by `id`.
    torn: BTreeSet<&'a str>,
}

impl<'a> Index<'a> {
    pub(super) fn of(report: &'a Report) -> Self {
        let mut times: BTreeMap<&str, usize> = BTreeMap::new();
        for capture in &report.captures {
            *times.entry(file_name(&capture.path)).or_default() += 1;
        }
        let label = |path: &'a str| if times.get(file_name(path)) == Some(&1) { file_name(path) } else { path };
        let captures = report.captures.iter().map(|c| (c.path.as_str(), label(&c.path))).collect();
        let mut findings: BTreeMap<&str, Vec<&Finding>> =
            report.devices.iter().map(|device| (device.id.as_str(), Vec::new())).collect();
        let mut elsewhere = Vec::new();
        for finding in &report.findings {
            let device = finding.device.as_deref().and_then(|id| findings.get_mut(id));
            device.unwrap_or(&mut elsewhere).push(finding);
        }
        let torn = report.devices.iter().filter(|device| {
            let own = findings.get(device.id.as_str()).into_iter().flatten();
            let with =
                |finding: &&&Finding| device.handshakes.iter().any(|h| Some(&h.server) == finding.server.as_ref());
            own.filter(with).filter_map(|finding| server_of(finding)).collect::<BTreeSet<_>>().len() > 1
        });
        let torn = torn.map(|device| device.id.as_str()).collect();
        Self { captures, findings, elsewhere, torn }
    }

    /// The server that a finding is about, where its device has findings about several.
    pub(super) fn server(&self, finding: &Finding) -> Option<String> {
        let torn = finding.device.as_deref().is_some_and(|device| self.torn.contains(device));
        server_of(finding).filter(|_| torn).map(|server| shorten(server, 80))
    }
}

/// By the name that the device asked for, else by its endpoint.
fn server_of(finding: &Finding) -> Option<&str> {
    finding.server_name.as_deref().or(finding.server.as_deref())
}

/// A report seen from one device: what there is, and how to name it.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) report: &'a Report,
    pub(super) index: &'a Index<'a>,
    /// `phone` or `device`.
    pub(super) thing: &'static str,
}

impl<'a> Scope<'a> {
    pub(super) fn of(report: &'a Report, index: &'a Index<'a>, device: Option<&Device>) -> Self {
        let phone = |name: &str| name.to_ascii_lowercase().contains("phone");
        // A profile that is only assumed says nothing about the device.
        let named = |d: &Device| d.profile.basis != ProfileBasis::Assumed && phone(&d.profile.name);
        let is_phone = device.is_some_and(|d| named(d) || d.recognized_as.as_deref().is_some_and(phone));
        Self { report, index, thing: if is_phone { "phone" } else { "device" } }
    }

    /// A capture's file name, or its path where several share the name; of any other file the name.
    pub(super) fn capture(&self, path: &str) -> String {
        shorten(self.index.captures.get(path).copied().unwrap_or_else(|| file_name(path)), 60)
    }

    pub(super) fn findings(&self, device: &Device) -> &'a [&'a Finding] {
        self.index.findings.get(device.id.as_str()).map(Vec::as_slice).unwrap_or_default()
    }

    /// The finding that is the headline of a device.
    pub(super) fn headline(&self, device: &Device) -> Option<&'a Finding> {
        self.findings(device).iter().copied().find(|finding| device.verdict.finding.as_ref() == Some(&finding.id))
    }
}

pub(super) fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().filter(|name| !name.is_empty()).unwrap_or(path)
}

/// What to say of a report without a device.
pub(super) fn nobody(report: &Report) -> String {
    match &report.options.device {
        Some(filter) => format!("no device fits --device {}", shorten(filter, 45)),
        None => "no TLS client seen".to_owned(),
    }
}

/// The sign that stands before a verdict.
pub(super) fn mark(status: VerdictStatus) -> &'static str {
    match status {
        VerdictStatus::Fails => "✗",
        VerdictStatus::Degraded => "!",
        VerdictStatus::Ok => "✓",
        VerdictStatus::Undecided => "?",
        VerdictStatus::NothingSeen => "–",
    }
}

/// What to call a device: its address.
pub(super) fn subject(device: &Device) -> String {
    let Some(first) = device.addresses.first() else { return shorten(&device.id, 45) };
    let address = shorten(&first.address, 45);
    match device.addresses.len() {
        1 => address,
        several => format!("{address} (+{})", several - 1),
    }
}

/// The line under the verdict: captures, date, sign-in, profile, repetitions.
pub(super) fn context(scope: &Scope<'_>, device: &Device, headline: Option<&Finding>) -> String {
    let mut words = vec![captures(scope, device)];
    words.extend(headline.and_then(|headline| scope.index.server(headline)).map(|server| format!("with {server}")));
    let time = device.events.iter().find_map(|event| event.time.as_deref());
    words.extend(time.map(|time| format!("{} UTC", shorten(&date_and_clock(time).0, 10))));
    words.extend(signed_in(&device.sign_in).map(str::to_owned));
    let basis = device.profile.basis.as_str();
    words.push(format!("profile {} ({basis})", shorten(&device.profile.name, 40)));
    words.extend(headline.and_then(finding::repetition));
    if device.shared_address {
        words.push("several devices seem to share this address".to_owned());
    }
    words.retain(|word| !word.is_empty());
    words.join(", ")
}

/// How a device signed in, where that is known.
pub(super) fn signed_in(sign_in: &SignIn) -> Option<&'static str> {
    match (sign_in.method, sign_in.strength) {
        (SignInMethod::Unknown, _) => None,
        (SignInMethod::Pin, SignInStrength::Seen) => Some("PIN sign-in"),
        (SignInMethod::Pin, SignInStrength::ConsistentWith) => Some("consistent with PIN sign-in"),
        (SignInMethod::UsbTethered, SignInStrength::Seen) => Some("USB-tethered sign-in"),
        (SignInMethod::UsbTethered, SignInStrength::ConsistentWith) => Some("consistent with USB-tethered sign-in"),
    }
}

/// The captures that show a device.
pub(super) fn captures(scope: &Scope<'_>, device: &Device) -> String {
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
pub(super) fn handshake_of<'a>(device: &'a Device, finding: &Finding) -> Option<&'a Handshake> {
    let in_capture = |h: &&Handshake| finding.capture.as_ref().is_none_or(|capture| *capture == h.capture);
    let candidates: Vec<&Handshake> = device.handshakes.iter().filter(in_capture).collect();
    let cited = |h: &Handshake| finding.evidence.iter().any(|e| e.frame == Some(h.frame) && e.capture == h.capture);
    let streamed = candidates.iter().find(|h| finding.stream.is_some() && h.stream == finding.stream);
    let evident = || candidates.iter().find(|h| cited(h));
    let served = || candidates.iter().find(|h| finding.server.as_ref() == Some(&h.server));
    streamed.or_else(evident).or_else(served).copied()
}

/// Kinds of verdicts with how many devices have each, gravest first, without those that none has.
pub(super) fn counts(report: &Report) -> Vec<(VerdictStatus, usize, &'static str)> {
    let kinds = [
        (VerdictStatus::Fails, "fails", "fail"),
        (VerdictStatus::Undecided, "undecided", "undecided"),
        (VerdictStatus::Degraded, "degraded", "degraded"),
        (VerdictStatus::Ok, "ok", "ok"),
        (VerdictStatus::NothingSeen, "without a handshake", "without a handshake"),
    ];
    let counted = kinds.into_iter().map(|(status, one, several)| {
        let n = report.devices.iter().filter(|device| device.verdict.status == status).count();
        (status, n, if n == 1 { one } else { several })
    });
    counted.filter(|(_, n, _)| *n > 0).collect()
}

/// What there was no room for, as a line of the closing words.
pub(in crate::render) fn dropped(dropped: &Dropped) -> Option<String> {
    let Dropped { flows, bytes, why } = dropped;
    if *flows > 0 || *bytes > 0 {
        let why = why.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
        let (flows, bytes) = (counted(*flows, "connection"), counted(*bytes, "byte"));
        return Some(format!("{flows} and {bytes} were dropped{why}"));
    }
    why.as_deref().map(|why| format!("not all was kept: {why}"))
}
