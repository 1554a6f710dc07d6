//! In: one device's facts. Out: its story as a timeline, with the step that is absent where one is.

use std::net::SocketAddr;

use super::event::{DhcpDetail, DnsDetail, Event, EventDetail, FrameRange, HttpDetail, LdapDetail, LldpDetail};
use super::places::Places;
use crate::capture::FrameRef;
use crate::diagnosis::{DeviceDiagnosis, Finding};
use crate::evidence::{
    self, Device, EventKind, Fact, Fetch, Handshake, MAX_LINE, Outcome, Refused, SignInMethod, Via, endpoint, shorten,
};

/// What a device's story is made from.
pub(super) struct Story<'a> {
    pub(super) places: Places<'a>,
    pub(super) judged: &'a DeviceDiagnosis<'a>,
    pub(super) device: &'a Device,
    /// The findings about it.
    pub(super) findings: &'a [Finding],
    /// Two devices that fetched certificates.
    pub(super) downloaders: &'a [&'a Device],
}

impl Story<'_> {
    /// The device's events in the order of time, then of frames.
    pub(super) fn events(&self) -> Vec<Event> {
        let device = self.device;
        let mut told: Vec<Told> = device.events.iter().map(Told::event).collect();
        told.extend(device.fetches.iter().map(Told::fetch));
        told.extend(device.handshakes.iter().map(Told::handshake));
        told.extend(device.refused.iter().filter_map(Told::refused));
        // Frames of one capture are in its order; captures are put in order by time.
        let one_capture = told.iter().all(|it| told.first().is_some_and(|first| first.at.capture == it.at.capture));
        told.sort_by_key(|it| if one_capture { (0, it.at.place()) } else { (it.at.time.nanos(), it.at.place()) });
        let mut events: Vec<Event> = told
            .into_iter()
            .map(|it| Event {
                capture: self.places.path(it.at.capture),
                frame: Some(it.at.number),
                time: Some(it.at.time.to_string()),
                kind: it.kind,
                summary: it.summary,
                server: it.server.map(endpoint),
                elsewhere: None,
                detail: it.detail,
            })
            .collect();
        if let Some(event) = self.absent() {
            let hello = events.iter().position(|event| event.kind == EventKind::Handshake).unwrap_or(events.len());
            events.insert(hello, event);
        }
        events
    }

    /// The fetch that this device did not make, before the first handshake that failed for want of it.
    fn absent(&self) -> Option<Event> {
        let device = self.device;
        let wants = |at: usize| self.findings.iter().any(|f| f.handshake == Some(at) && f.code.may_lack_intermediate());
        let first = (0..device.handshakes.len()).find(|at| wants(*at))?;
        let hello = device.handshakes.get(first)?.first;
        let fetched_before = device.fetches.iter().any(|fetch| fetch.request.is_before(&hello));
        if fetched_before || self.judged.sign_in.method == SignInMethod::Unknown {
            return None;
        }
        let elsewhere = self.download_elsewhere();
        let begins = if device.frames.0.is_before(&hello) { "" } else { "; the capture begins with this connection" };
        Some(Event {
            capture: self.places.path(device.capture),
            frame: None,
            time: None,
            kind: EventKind::Absent,
            summary: format!("no certificate fetch on port 80{begins}"),
            server: None,
            elsewhere,
            detail: None,
        })
    }

    /// Where another device, or this one in another capture, made the fetch.
    fn download_elsewhere(&self) -> Option<FrameRange> {
        let device = self.device;
        let other = |other: &&&Device| (other.recording, other.address) != (device.recording, device.address);
        let fetch = self.downloaders.iter().find(other)?.fetches.iter().find(|fetch| fetch.brought_over_http())?;
        Some(FrameRange {
            capture: self.places.path(fetch.request.capture),
            first_frame: fetch.request.number,
            last_frame: fetch.last.map_or(fetch.request.number, |at| at.number),
        })
    }
}

/// A step and its words.
struct Told {
    at: FrameRef,
    kind: EventKind,
    server: Option<SocketAddr>,
    summary: String,
    detail: Option<EventDetail>,
}

impl Told {
    fn event(event: &evidence::Event) -> Self {
        let detail = detail(&event.fact);
        let server = event.server.map(endpoint).unwrap_or_default();
        let mut summary = match (&event.fact, &detail) {
            (_, Some(EventDetail::Dhcp(dhcp))) => dhcp_in_words(dhcp),
            (_, Some(EventDetail::Dns(dns))) => format!("{}: {}", dns.subject(), dns.result().join(", ")),
            (_, Some(EventDetail::Ldap(search))) => format!("search below {:?} at {server}", search.base),
            (_, Some(EventDetail::Lldp(neighbour))) => lldp_in_words(neighbour),
            (Fact::Http(request), _) => request.to_string(),
            (Fact::TimeAsked, _) => format!("asks {server} for the time"),
            (Fact::TimeTold, _) => format!("time from {server}"),
            (Fact::OtherTls(other), _) if event.server.is_some() => format!("{other} with {server}, not analyzed"),
            (Fact::OtherTls(other), _) => format!("{other}, not analyzed"),
            _ => format!("asks {server}"),
        };
        shorten(&mut summary, MAX_LINE);
        Self { at: event.at, kind: event.fact.kind(), server: event.server, summary, detail }
    }

    fn fetch(fetch: &Fetch) -> Self {
        let (at, server) = (fetch.request, Some(fetch.server));
        Self { at, kind: EventKind::Fetch, server, summary: fetch_in_words(fetch), detail: None }
    }

    fn handshake(handshake: &Handshake) -> Self {
        let (at, server) = (handshake.first, Some(handshake.server));
        Self { at, kind: EventKind::Handshake, server, summary: handshake_in_words(handshake), detail: None }
    }

    fn refused(refused: &Refused) -> Option<Self> {
        let server = endpoint(refused.server);
        let summary = match refused.reset {
            Some(_) => format!("{server} refuses the connection"),
            None => format!("{server} does not answer {} SYNs", refused.opening.syns),
        };
        let at = refused.opening.syn?;
        Some(Self { at, kind: EventKind::Connect, server: Some(refused.server), summary, detail: None })
    }
}

/// What a fact holds beside its server and kind.
fn detail(fact: &Fact) -> Option<EventDetail> {
    Some(match fact {
        Fact::Dhcp(dhcp) => EventDetail::Dhcp(DhcpDetail {
            message: dhcp.message.into(),
            lease: dhcp.lease.map(|address| address.to_string()),
            vendor_class: dhcp.vendor_class.clone(),
            web_service: dhcp.web_service.clone(),
            sip_server: dhcp.sip_server.clone(),
        }),
        Fact::Dns(dns) => EventDetail::Dns(DnsDetail {
            question: dns.question.clone(),
            name: dns.name.clone(),
            rcode: dns.rcode,
            answers: dns.answers.clone(),
        }),
        Fact::Http(request) => EventDetail::Http(HttpDetail {
            method: request.method.clone(),
            url: request.url.clone(),
            status: request.status,
        }),
        Fact::Ldap(base) => EventDetail::Ldap(LdapDetail { base: base.clone() }),
        Fact::Lldp(neighbour) => EventDetail::Lldp(LldpDetail {
            device_type: neighbour.device_type,
            manufacturer: neighbour.manufacturer.clone(),
            model: neighbour.model.clone(),
            software: neighbour.version.clone(),
            voice_vlan: neighbour.voice_vlan,
        }),
        Fact::TimeAsked | Fact::TimeTold | Fact::Kerberos | Fact::OtherTls(_) => return None,
    })
}

fn dhcp_in_words(dhcp: &DhcpDetail) -> String {
    let class = dhcp.vendor_class.as_ref().map(|class| format!("vendor class {class}"));
    let parts = [Some(dhcp.message.clone()), dhcp.lease_in_words(), class];
    parts.into_iter().flatten().chain(dhcp.servers_in_words()).collect::<Vec<_>>().join(", ")
}

fn lldp_in_words(neighbour: &LldpDetail) -> String {
    let kind = match neighbour.device_type {
        Some(1) => "media endpoint, class I",
        Some(2) => "media endpoint, class II",
        Some(3) => "media endpoint, class III (phone)",
        Some(4) => "network connectivity device",
        _ => "LLDP neighbour",
    };
    let mut parts = vec![kind.to_owned()];
    let made: Vec<&str> =
        [&neighbour.manufacturer, &neighbour.model].into_iter().flatten().map(String::as_str).collect();
    if !made.is_empty() {
        parts.push(made.join(" "));
    }
    parts.extend(neighbour.software.as_ref().map(|version| format!("version {version}")));
    parts.extend(neighbour.voice_vlan.map(|vlan| format!("voice VLAN {vlan}")));
    parts.join(", ")
}

fn fetch_in_words(fetch: &Fetch) -> String {
    let what = match fetch.via {
        Via::Ldap => format!("search {} at {}", fetch.url, endpoint(fetch.server)),
        Via::Http => format!("{} {}", fetch.method, fetch.url),
    };
    let names: Vec<_> = fetch.certificates.iter().map(|(certificate, _)| certificate.subject().short()).collect();
    match (&fetch.problem, names.is_empty()) {
        (Some(problem), _) => format!("{what}: {problem}"),
        (None, true) if fetch.joined => format!("{what}: a part of the file"),
        (None, true) => format!("{what}: no certificate"),
        (None, false) => format!("{what}: {}", names.join(", ")),
    }
}

fn handshake_in_words(handshake: &Handshake) -> String {
    let version = handshake.tls.version().or(handshake.tls.client_hello.as_ref().map(|hello| hello.version));
    let version = version.map(|version| format!("  {version}")).unwrap_or_default();
    let letters: Vec<String> = handshake.history.to_string().chars().map(String::from).collect();
    let ending = match handshake.ending.outcome {
        Outcome::Completed => String::new(),
        _ => format!("  {}", crate::diagnosis::ending_in_words(handshake)),
    };
    let repeats = if handshake.repeats > 0 { format!("  ({} more like it)", handshake.repeats) } else { String::new() };
    format!("{}{version}  {}{ending}{repeats}", endpoint(handshake.server), letters.join(" "))
}
