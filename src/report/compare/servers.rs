//! The servers with which a device began TLS: one entry for each service, aligned over two devices.
//!
//! In: two devices. Out: which service of the one is which of the other (on one port, by the name asked for, else the
//! names resolved, else the server's certificate; else by the endpoint), and what differs between two that are the
//! same. Through a proxy the service is the one that CONNECT asks for (D-REPORT-08). Left to others: everything before
//! TLS.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::model::StepSide;
use super::names::{Names, listed};
use super::parameters;
use crate::capture::Timestamp;
use crate::diagnosis::ending_of;
use crate::report::model::{Certificate, Device, Event, EventDetail, EventKind, Handshake, Outcome, Party};

/// One device's handshakes and connections with one service.
#[derive(Debug, Default)]
pub(super) struct Service<'a> {
    /// Its handshakes, in the order of time.
    pub(super) handshakes: Vec<&'a Handshake>,
    /// Connections that failed, and tunnels that a proxy refused.
    pub(super) refused: Vec<&'a Event>,
    /// The server's endpoint; through a proxy, the one that the proxy was asked to connect to.
    endpoint: &'a str,
    /// Names by which it was asked for: SNI, or the host of a tunnel.
    asked: BTreeSet<String>,
    /// Names that resolved to its address.
    resolved: BTreeSet<String>,
}

/// A difference between two services or steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Difference {
    /// In words.
    pub(super) words: String,
    /// Whether it can matter to a sign-in.
    pub(super) parts: bool,
}

impl Difference {
    pub(super) fn parts(words: String) -> Self {
        Self { words, parts: true }
    }

    /// A difference that cannot matter to a sign-in (D-REPORT-02).
    pub(super) fn aside(words: String) -> Self {
        Self { words, parts: false }
    }
}

/// The services of a device, by first frame.
pub(super) fn services(device: &Device) -> Vec<Service<'_>> {
    let names = resolved(device);
    let mut out: Vec<Service<'_>> = Vec::new();
    for handshake in &device.handshakes {
        let endpoint = handshake.tunnel_to.as_ref().unwrap_or(&handshake.server);
        let through = handshake.tunnel_to.as_deref().and_then(host_name);
        let asked = handshake.server_name.as_deref().map(lower).or(through);
        let service =
            one_of(&mut out, |service| service.is(endpoint, asked.as_ref()), || Service::at(endpoint, &names));
        service.asked.extend(asked);
        service.handshakes.push(handshake);
    }
    for event in &device.events {
        let (endpoint, asked) = match (event.kind, refused_tunnel(event)) {
            (EventKind::Connect, _) => (event.server.as_deref().unwrap_or_default(), None),
            (_, Some(target)) => (target, host_name(target)),
            _ => continue,
        };
        let same = |service: &Service<'_>| service.endpoint == endpoint || service.is(endpoint, asked.as_ref());
        let service = one_of(&mut out, same, || Service::at(endpoint, &names));
        service.asked.extend(asked.filter(|_| service.handshakes.is_empty()));
        service.refused.push(event);
    }
    out.sort_by_key(Service::frame);
    out
}

/// The endpoint to which a proxy was asked for a tunnel in vain.
pub(super) fn refused_tunnel(event: &Event) -> Option<&str> {
    match &event.detail {
        Some(EventDetail::Http(request)) if request.method == "CONNECT" => {
            let opened = request.status.is_some_and(|status| (200..300).contains(&status));
            (!opened).then_some(request.url.as_str())
        }
        _ => None,
    }
}

/// The first that fits, or a new one.
fn one_of<T>(list: &mut Vec<T>, is_so: impl Fn(&T) -> bool, new: impl FnOnce() -> T) -> &mut T {
    let at = list.iter().position(is_so).unwrap_or(list.len());
    if at == list.len() {
        list.push(new());
    }
    &mut list[at]
}

/// The names that a device resolved, by address.
fn resolved(device: &Device) -> BTreeMap<&str, BTreeSet<String>> {
    let mut out: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for event in &device.events {
        let Some(EventDetail::Dns(dns)) = &event.detail else { continue };
        for answer in dns.answers.iter().filter(|_| dns.rcode == 0) {
            out.entry(answer).or_default().insert(lower(&dns.name));
        }
    }
    out
}

fn lower(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

fn address(endpoint: &str) -> &str {
    endpoint.rsplit_once(':').map_or(endpoint, |(address, _)| address)
}

/// The host of an endpoint in lower case, unless it is an address.
fn host_name(endpoint: &str) -> Option<String> {
    let host = address(endpoint);
    host.parse::<IpAddr>().is_err().then(|| lower(host))
}

fn port(endpoint: &str) -> Option<&str> {
    endpoint.rsplit_once(':').map(|(_, port)| port)
}

/// A criterion by which two things count as the same.
pub(super) type Ground<'g, T> = &'g dyn Fn(&T, &T) -> bool;

/// Which services are the same, as pairs of indices. The surest criterion comes first.
pub(super) fn pairs(good: &[Service<'_>], bad: &[Service<'_>]) -> Vec<(usize, usize)> {
    let same_port = |a: &Service<'_>, b: &Service<'_>| port(a.endpoint) == port(b.endpoint);
    // Two services that were asked for by different names are different, even at one address.
    let both_asked = |a: &Service<'_>, b: &Service<'_>| !a.asked.is_empty() && !b.asked.is_empty();
    let grounds: [Ground<'_, Service<'_>>; 4] = [
        &|a, b| same_port(a, b) && !a.asked.is_disjoint(&b.asked),
        &|a, b| same_port(a, b) && !both_asked(a, b) && !a.names().is_disjoint(b.names()),
        &|a, b| same_port(a, b) && !a.leaves().is_disjoint(&b.leaves()),
        &|a, b| !both_asked(a, b) && a.endpoint == b.endpoint,
    ];
    let mut out: Vec<(usize, usize)> = Vec::new();
    for ground in grounds {
        for (g, one) in good.iter().enumerate() {
            if out.iter().any(|(known, _)| *known == g) {
                continue;
            }
            let free = |b: &usize| !out.iter().any(|(_, known)| known == b);
            let other = bad.iter().enumerate().find(|(b, other)| free(b) && ground(one, other));
            if let Some((b, _)) = other {
                out.push((g, b));
            }
        }
    }
    out
}

/// If no two services are the same: what the first two with anything in common share, and what distinguishes them.
pub(super) fn in_common(good: &[Service<'_>], bad: &[Service<'_>]) -> Option<(Vec<&'static str>, &'static str)> {
    let couples = good.iter().flat_map(|one| bad.iter().map(move |other| (one, other)));
    couples.into_iter().find_map(|(one, other)| {
        let shared = [
            ("name", !one.names().is_disjoint(other.names())),
            ("certificate", !one.leaves().is_disjoint(&other.leaves())),
            ("address", address(one.endpoint) == address(other.endpoint)),
        ];
        let shared: Vec<_> = shared.into_iter().filter_map(|(what, is_shared)| is_shared.then_some(what)).collect();
        let differs = if port(one.endpoint) == port(other.endpoint) { "name asked for" } else { "port" };
        (!shared.is_empty()).then_some((shared, differs))
    })
}

impl<'a> Service<'a> {
    fn at(endpoint: &'a str, names: &BTreeMap<&str, BTreeSet<String>>) -> Self {
        let resolved = names.get(address(endpoint)).cloned().unwrap_or_default();
        Self { endpoint, resolved, ..Self::default() }
    }

    /// Whether a handshake with this endpoint, by this name, is with this service.
    fn is(&self, endpoint: &str, asked: Option<&String>) -> bool {
        match asked {
            Some(name) => port(self.endpoint) == port(endpoint) && self.asked.contains(name),
            None => self.endpoint == endpoint && self.asked.is_empty(),
        }
    }

    /// The endpoint of the proxy through which it was reached.
    fn proxy(&self) -> Option<&'a str> {
        match self.telling() {
            Some(handshake) => handshake.tunnel_to.as_ref().map(|_| handshake.server.as_str()),
            None => self.refused.first().filter(|event| refused_tunnel(event).is_some())?.server.as_deref(),
        }
    }

    /// The names it was asked for by, else those that resolved to its address.
    fn names(&self) -> &BTreeSet<String> {
        if self.asked.is_empty() { &self.resolved } else { &self.asked }
    }

    fn leaves(&self) -> BTreeSet<&'a String> {
        self.handshakes.iter().filter_map(|handshake| handshake.certificates.first()).collect()
    }

    /// The first frame.
    pub(super) fn frame(&self) -> u64 {
        let refused = self.refused.iter().filter_map(|event| event.frame);
        self.handshakes.iter().map(|handshake| handshake.frame).chain(refused).min().unwrap_or(u64::MAX)
    }

    /// Name and port, else the endpoint.
    pub(super) fn subject(&self) -> String {
        match (self.asked.first(), port(self.endpoint)) {
            (Some(name), Some(port)) => format!("{name}:{port}"),
            _ => self.endpoint.to_owned(),
        }
    }

    /// The endpoint with its names, and the proxy; if its certificate covers some of the names, only those.
    pub(super) fn described(&self, names: &Names<'_>) -> String {
        let leaves = self.leaves();
        let covers = |name: &&String| {
            let mut certificates = leaves.iter().filter_map(|sha| names.certificate(sha));
            certificates.any(|certificate| certificate.names.iter().any(|known| known.eq_ignore_ascii_case(name)))
        };
        let mut called: Vec<String> = self.names().iter().filter(covers).cloned().collect();
        if called.is_empty() {
            called = self.names().iter().cloned().collect();
        }
        called.retain(|name| !name.eq_ignore_ascii_case(address(self.endpoint)));
        let called = if called.is_empty() { String::new() } else { format!(" ({})", listed(&called)) };
        let through = self.proxy().map(|proxy| format!(" through the proxy {proxy}")).unwrap_or_default();
        format!("{}{called}{through}", self.endpoint)
    }

    /// Whether it has this endpoint.
    pub(super) fn is_at(&self, endpoint: Option<&str>) -> bool {
        endpoint == Some(self.endpoint) || self.handshakes.iter().any(|h| endpoint == Some(h.server.as_str()))
    }

    /// The handshake that stands for the service: the first that failed for good, else the first that worked, else the
    /// first.
    pub(super) fn telling(&self) -> Option<&'a Handshake> {
        let all = || self.handshakes.iter().copied();
        let failed = all().find(|handshake| is_failure(handshake) && handshake.recovered_by.is_none());
        failed.or_else(|| all().find(|handshake| works(handshake))).or_else(|| all().next())
    }

    /// Whether that handshake worked.
    pub(super) fn works(&self) -> bool {
        self.telling().is_some_and(works)
    }

    /// The first failure that was recovered.
    fn failed_before(&self) -> Option<&'a Handshake> {
        self.handshakes.iter().copied().find(|handshake| is_failure(handshake) && handshake.recovered_by.is_some())
    }

    /// The service as one side of a step.
    pub(super) fn side(&self) -> StepSide {
        let Some(handshake) = self.telling() else {
            let first = self.refused.first();
            return StepSide {
                capture: first.map(|event| event.capture.clone()).unwrap_or_default(),
                frame: first.and_then(|event| event.frame),
                time: first.and_then(|event| event.time.clone()),
                count: u64::try_from(self.refused.len()).unwrap_or(u64::MAX),
                summary: first.map(|event| event.summary.clone()).unwrap_or_default(),
                ..StepSide::default()
            };
        };
        let version = handshake.version.as_ref().or(handshake.client_version.as_ref());
        let version = version.map(|version| format!("  {version}")).unwrap_or_default();
        StepSide {
            capture: handshake.capture.clone(),
            frame: Some(handshake.frame),
            last_frame: handshake.end.frame,
            time: Some(handshake.time.clone()),
            count: self.handshakes.iter().map(|handshake| 1 + handshake.repeats).sum(),
            summary: match (&handshake.server_name, &handshake.tunnel_to) {
                (name, Some(to)) => {
                    format!("{} (through the proxy {}){version}", name.as_ref().unwrap_or(to), handshake.server)
                }
                (Some(name), None) => format!("{name} ({}){version}", handshake.server),
                (None, None) => format!("{}{version}", handshake.server),
            },
            history: Some(handshake.history.clone()),
            outcome: Some(handshake.outcome),
            ending: Some(ending(handshake)),
            certificates: handshake.certificates.clone(),
        }
    }
}

fn works(handshake: &Handshake) -> bool {
    handshake.outcome == Outcome::Completed
}

fn is_failure(handshake: &Handshake) -> bool {
    !matches!(handshake.outcome, Outcome::Completed | Outcome::Incomplete | Outcome::Undetermined)
}

/// How a handshake ended, in words.
pub(super) fn ending(handshake: &Handshake) -> String {
    match handshake.outcome {
        Outcome::Completed => "completed".into(),
        Outcome::Undetermined => "encryption hides how it ended".into(),
        _ => {
            let end = &handshake.end;
            let last = handshake.alerts.iter().rfind(|alert| Some(alert.frame) == end.frame);
            let alert = last.map(|alert| format!("{} {}", alert.level, alert.name)).unwrap_or_default();
            ending_of(end.by.map(Party::as_str), end.how, &alert, end.frame)
        }
    }
}

/// What differs between the same service with the good and with the bad device.
pub(super) fn differences(names: &Names<'_>, good: &Service<'_>, bad: &Service<'_>) -> Vec<Difference> {
    let (one, other) = match (good.telling(), bad.telling()) {
        (Some(one), Some(other)) => (one, other),
        (None, None) => return route(good, bad).into_iter().collect(),
        (None, Some(_)) => return came_to_nothing("good", good),
        (Some(_), None) => return came_to_nothing("bad", bad),
    };
    let mut out: Vec<Difference> = certificates(names, one, other).into_iter().collect();
    out.extend(dates(names, one, other));
    out.extend(terms(names, one, other));
    out.extend(parameters::differences(one, other).into_iter().map(Difference::aside));
    out.extend(route(good, bad));
    out.extend(ends(good, bad).map(Difference::parts));
    out.extend(failed_first(good, bad));
    // What can matter comes first, because only the first few differences are shown.
    out.sort_by_key(|difference| !difference.parts);
    out
}

/// What was offered, agreed and asked for.
fn terms(names: &Names<'_>, one: &Handshake, other: &Handshake) -> Vec<Difference> {
    let mut out = Vec::new();
    // A ClientHello that was not seen may have offered and named the same.
    let both_offer = one.client_hello.is_some() && other.client_hello.is_some();
    if one.version != other.version && one.version.is_some() && other.version.is_some() {
        out.push(Difference::parts(format!(
            "other version: {} and {}",
            or_none(&one.version),
            or_none(&other.version)
        )));
    } else if one.client_version != other.client_version && both_offer {
        let offered = (or_none(&one.client_version), or_none(&other.client_version));
        out.push(Difference::aside(format!("the good one offers {}, the bad one {}", offered.0, offered.1)));
    }
    if one.cipher_suite != other.cipher_suite && one.cipher_suite.is_some() && other.cipher_suite.is_some() {
        let suites = (or_none(&one.cipher_suite), or_none(&other.cipher_suite));
        out.push(Difference::aside(format!("other cipher suite: {} and {}", suites.0, suites.1)));
    }
    let asked = (one.certificate_request.is_some(), other.certificate_request.is_some());
    if asked.0 != asked.1 && !one.resumed && !other.resumed {
        let which = if asked.0 { "good" } else { "bad" };
        out.push(Difference::aside(format!("only the {which} one is asked for a client certificate")));
    } else if asked == (true, true) && one.client_certificates.is_empty() != other.client_certificates.is_empty() {
        let which = if one.client_certificates.is_empty() { "bad" } else { "good" };
        out.push(Difference::aside(format!("only the {which} one sends a client certificate")));
    } else if let (Some(own), Some(its)) = (one.client_certificates.first(), other.client_certificates.first())
        && own != its
    {
        let issuers = (names.issuer(own).unwrap_or_default(), names.issuer(its).unwrap_or_default());
        out.push(Difference::aside(format!(
            "client certificates {} issued by {}, and {} issued by {}",
            names.subject(own),
            issuers.0,
            names.subject(its),
            issuers.1
        )));
    }
    if one.server_name != other.server_name && both_offer {
        let named = (or_none(&one.server_name), or_none(&other.server_name));
        out.push(Difference::aside(format!("server name asked for (SNI): {} and {}", named.0, named.1)));
    }
    out
}

/// The two endings, where they differ.
pub(super) fn ends(good: &Service<'_>, bad: &Service<'_>) -> Option<String> {
    let (one, other) = (good.telling()?, bad.telling()?);
    let differ = one.outcome != other.outcome || last_alert(one) != last_alert(other);
    differ.then(|| format!("the good one's: {}; the bad one's: {}", ending(one), ending(other)))
}

fn came_to_nothing(which: &str, service: &Service<'_>) -> Vec<Difference> {
    let summary = service.refused.first().map_or("", |event| event.summary.as_str());
    let what = match service.proxy() {
        Some(proxy) => format!("tunnel through the proxy {proxy}"),
        None => "connection".into(),
    };
    vec![Difference::parts(format!("the {which} one's {what} comes to nothing: {summary}"))]
}

/// The proxies through which a service was reached, where they differ. Alone this decides nothing: proxies that only
/// pass on what they are sent are not noticed by TLS.
fn route(good: &Service<'_>, bad: &Service<'_>) -> Option<Difference> {
    let words = match (good.proxy(), bad.proxy()) {
        (Some(one), Some(other)) if one != other => format!("through other proxies: {one} and {other}"),
        (Some(proxy), None) => format!("only the good one goes through a proxy ({proxy})"),
        (None, Some(proxy)) => format!("only the bad one goes through a proxy ({proxy})"),
        _ => return None,
    };
    Some(Difference::aside(words))
}

fn or_none(value: &Option<String>) -> &str {
    value.as_deref().unwrap_or("none")
}

/// The last fatal alert, unless the handshake worked: after that, alerts only close the connection.
fn last_alert(handshake: &Handshake) -> Option<u8> {
    let alert = handshake.alerts.iter().rfind(|alert| alert.level == "fatal");
    alert.filter(|_| !works(handshake)).map(|alert| alert.code)
}

/// Which one failed at first, if only one of the two did.
fn failed_first(good: &Service<'_>, bad: &Service<'_>) -> Option<Difference> {
    let (which, handshake) = match (good.failed_before(), bad.failed_before()) {
        (Some(handshake), None) => ("good", handshake),
        (None, Some(handshake)) => ("bad", handshake),
        _ => return None,
    };
    let end = ending(handshake);
    Some(Difference::parts(format!("the {which} one fails at first (frame {}: {end}), then works", handshake.frame)))
}

/// How the certificates sent differ, if both servers sent readable ones.
fn certificates(names: &Names<'_>, one: &Handshake, other: &Handshake) -> Option<Difference> {
    let (a, b) = (&one.certificates, &other.certificates);
    let ((Some(leaf), Some(other_leaf)), true) = ((a.first(), b.first()), a != b) else { return None };
    if leaf != other_leaf {
        let issuers = (names.issuer(leaf), names.issuer(other_leaf));
        return Some(Difference::parts(match issuers {
            (Some(one), Some(other)) if one != other => format!(
                "other certificate, by another issuer: {one} to the good one, {other} to the bad one; consistent with \
                 an inspecting proxy, or with a certificate from another CA"
            ),
            _ => format!("other certificate for the server: {} and {}", names.dated(leaf), names.dated(other_leaf)),
        }));
    }
    let absent = |list: &[String], from: &[String]| -> Vec<String> {
        list.iter().filter(|sha| !from.contains(sha)).map(|sha| names.subject(sha)).collect()
    };
    let (only_good, only_bad) = (absent(a, b), absent(b, a));
    let words = match (only_good.is_empty(), only_bad.is_empty()) {
        (false, true) => format!("the server sends {} to the good one only", only_good.join(", ")),
        (true, false) => format!("the server sends {} to the bad one only", only_bad.join(", ")),
        (false, false) => {
            format!("the server sends {} to the good one, {} to the bad one", only_good.join(", "), only_bad.join(", "))
        }
        (true, true) => "the server sends the same certificates in another order".into(),
    };
    Some(Difference { words, parts: !only_good.is_empty() || !only_bad.is_empty() })
}

/// Certificates in both chains that were valid at the time of one handshake and not at that of the other.
fn dates(names: &Names<'_>, one: &Handshake, other: &Handshake) -> Vec<Difference> {
    let at = |handshake: &Handshake| {
        Timestamp::parse_rfc3339(handshake.chain.judged_at.as_deref().unwrap_or(&handshake.time))
    };
    let (Some(then), Some(now)) = (at(one), at(other)) else { return Vec::new() };
    let chain = |handshake: &Handshake| -> Vec<String> {
        let built = handshake.chain.completed_path.iter().filter_map(|step| step.sha256.clone());
        let mut chain: Vec<String> = handshake.certificates.iter().cloned().chain(built).collect();
        let mut known = BTreeSet::new();
        chain.retain(|sha| known.insert(sha.clone()));
        chain
    };
    let theirs = chain(other);
    let mut changed: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    for sha in chain(one).iter().filter(|sha| theirs.contains(sha)) {
        let Some(certificate) = names.certificate(sha) else { continue };
        let (was, is) = (validity(certificate, then), validity(certificate, now));
        if was != is {
            changed.entry((was, is)).or_default().push(names.dated(sha));
        }
    }
    let told = changed.into_iter().map(|((was, is), which)| {
        Difference::parts(format!("{was} in the good trace, {is} in the bad one: {}", listed(&which)))
    });
    told.collect()
}

/// Whether a certificate is valid at a time, in words.
fn validity(certificate: &Certificate, at: Timestamp) -> &'static str {
    let time = |text: &Option<String>| text.as_deref().and_then(Timestamp::parse_rfc3339);
    if time(&certificate.not_after).is_some_and(|end| at > end) {
        "expired"
    } else if time(&certificate.not_before).is_some_and(|start| at < start) {
        "not yet valid"
    } else {
        "valid"
    }
}
