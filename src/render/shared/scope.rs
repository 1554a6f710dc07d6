//! In: a report. Out: what is looked up in it by path and by device, and how a capture and a device are called. Bounded:
//! by the report. Left to others: what is said of them.

use std::collections::{BTreeMap, BTreeSet};

use super::words::shorten;
use crate::report::{Device, Finding, ProfileBasis, Report};

/// The captures of a report by path, and its findings by device.
pub(in crate::render) struct Index<'a> {
    /// Short names of the captures, by path.
    captures: BTreeMap<&'a str, &'a str>,
    /// Findings by `id` of their device, in the report's order.
    findings: BTreeMap<&'a str, Vec<&'a Finding>>,
    /// Findings that concern no device of the report.
    pub(in crate::render) elsewhere: Vec<&'a Finding>,
    /// The `id` of each device with findings about more than one of its servers.
    several_servers: BTreeSet<&'a str>,
}

impl<'a> Index<'a> {
    pub(in crate::render) fn of(report: &'a Report) -> Self {
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
        let several_servers = report.devices.iter().filter(|device| {
            let own = findings.get(device.id.as_str()).into_iter().flatten();
            let with =
                |finding: &&&Finding| device.handshakes.iter().any(|h| Some(&h.server) == finding.server.as_ref());
            own.filter(with).filter_map(|finding| server_of(finding)).collect::<BTreeSet<_>>().len() > 1
        });
        let several_servers = several_servers.map(|device| device.id.as_str()).collect();
        Self { captures, findings, elsewhere, several_servers }
    }

    /// The findings of a device.
    pub(in crate::render) fn findings_of(&self, device: &Device) -> &[&'a Finding] {
        self.findings.get(device.id.as_str()).map(Vec::as_slice).unwrap_or_default()
    }

    /// The server that a finding is about, where its device has findings about several.
    pub(in crate::render) fn server(&self, finding: &Finding) -> Option<String> {
        let several_servers = finding.device.as_deref().is_some_and(|device| self.several_servers.contains(device));
        server_of(finding).filter(|_| several_servers).map(|server| shorten(server, 80))
    }
}

/// The server's name as the device asked for it, else its endpoint.
fn server_of(finding: &Finding) -> Option<&str> {
    finding.server_name.as_deref().or(finding.server.as_deref())
}

/// A report seen from one of its devices, with the words for both.
#[derive(Clone, Copy)]
pub(in crate::render) struct Scope<'a> {
    pub(in crate::render) report: &'a Report,
    pub(in crate::render) index: &'a Index<'a>,
    /// `phone` or `device`.
    pub(in crate::render) thing: &'static str,
}

impl<'a> Scope<'a> {
    pub(in crate::render) fn of(report: &'a Report, index: &'a Index<'a>, device: Option<&Device>) -> Self {
        let phone = |name: &str| name.to_ascii_lowercase().contains("phone");
        // A profile that is only assumed says nothing about the device.
        let named = |d: &Device| d.profile.basis != ProfileBasis::Assumed && phone(&d.profile.name);
        let is_phone = device.is_some_and(|d| named(d) || d.recognized_as.as_deref().is_some_and(phone));
        Self { report, index, thing: if is_phone { "phone" } else { "device" } }
    }

    /// A capture's file name, or its path where several share the name; of any other file the name.
    pub(in crate::render) fn capture(&self, path: &str) -> String {
        shorten(self.index.captures.get(path).copied().unwrap_or_else(|| file_name(path)), 60)
    }

    pub(in crate::render) fn findings(&self, device: &Device) -> &'a [&'a Finding] {
        self.index.findings_of(device)
    }

    /// The finding that is the headline of a device.
    pub(in crate::render) fn headline(&self, device: &Device) -> Option<&'a Finding> {
        self.findings(device).iter().copied().find(|finding| device.verdict.finding.as_ref() == Some(&finding.id))
    }
}

pub(in crate::render) fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().filter(|name| !name.is_empty()).unwrap_or(path)
}
