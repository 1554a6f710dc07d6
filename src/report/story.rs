//! In: one device's facts. Out: its story as a timeline, with the step that is absent where one is.

use std::net::SocketAddr;

use super::model::{Event, FrameRange};
use super::places::Places;
use crate::capture::FrameRef;
use crate::diagnosis::{DeviceDiagnosis, Finding};
use crate::evidence::{Device, Fetch, Handshake, SignInMethod, endpoint};

/// What a device's story is told from.
pub(super) struct Story<'a> {
    pub(super) places: Places<'a>,
    pub(super) judged: &'a DeviceDiagnosis<'a>,
    pub(super) device: &'a Device,
    /// The findings about it.
    pub(super) findings: &'a [Finding],
    /// Two devices that downloaded certificates.
    pub(super) downloaders: &'a [&'a Device],
}

impl Story<'_> {
    /// The device's events in the order of time, then of frames.
    pub(super) fn events(&self) -> Vec<Event> {
        let device = self.device;
        let mut told: Vec<(FrameRef, &str, Option<SocketAddr>, String)> = Vec::new();
        told.extend(device.events.iter().map(|event| (event.at, event.kind, event.server, event.summary.clone())));
        let fetches = device.fetches.iter();
        told.extend(fetches.map(|fetch| (fetch.request, "fetch", Some(fetch.server), fetch_in_words(fetch))));
        let handshakes = device.handshakes.iter();
        told.extend(handshakes.map(|it| (it.first, "handshake", Some(it.server), handshake_in_words(it))));
        let refused = |at: &crate::evidence::Refused| match at.reset {
            Some(_) => format!("{} refuses the connection", endpoint(at.server)),
            None => format!("{} does not answer {} SYNs", endpoint(at.server), at.opening.syns),
        };
        let came_to_nothing = device.refused.iter();
        told.extend(came_to_nothing.filter_map(|at| Some((at.opening.syn?, "connect", Some(at.server), refused(at)))));
        // Frames of one capture are in its order; captures are put in order by time.
        let one_capture =
            told.iter().all(|(at, ..)| told.first().is_some_and(|(first, ..)| first.capture == at.capture));
        told.sort_by_key(|(at, ..)| if one_capture { (0, at.place()) } else { (at.time.nanos(), at.place()) });
        let mut events: Vec<Event> = told
            .into_iter()
            .map(|(at, kind, server, summary)| Event {
                capture: self.places.path(at.capture),
                frame: Some(at.number),
                time: Some(at.time.to_string()),
                kind: kind.into(),
                summary,
                server: server.map(endpoint),
                elsewhere: None,
            })
            .collect();
        if let Some(event) = self.absent() {
            let hello = events.iter().position(|event| event.kind == "handshake").unwrap_or(events.len());
            events.insert(hello, event);
        }
        events
    }

    /// The download that this device did not make before a handshake that failed for want of it.
    fn absent(&self) -> Option<Event> {
        let device = self.device;
        let wants = |at: usize| self.findings.iter().any(|f| f.handshake == Some(at) && f.code.may_lack_intermediate());
        let first = (0..device.handshakes.len()).find(|at| wants(*at))?;
        let hello = device.handshakes.get(first)?.first;
        let fetched_before = device.fetches.iter().any(|fetch| fetch.request.is_before(&hello));
        if fetched_before || self.judged.sign_in == SignInMethod::Unknown {
            return None;
        }
        let elsewhere = self.download_elsewhere();
        Some(Event {
            capture: self.places.path(device.capture),
            frame: None,
            time: None,
            kind: "absent".into(),
            summary: "no certificate fetch on port 80".into(),
            server: None,
            elsewhere,
        })
    }

    /// Where another device, or this one in another capture, made the download.
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

fn fetch_in_words(fetch: &Fetch) -> String {
    let what = match fetch.via {
        "ldap" => format!("search {} at {}", fetch.url, endpoint(fetch.server)),
        _ => format!("{} {}", fetch.method, fetch.url),
    };
    let names: Vec<_> = fetch.certificates.iter().map(|(certificate, _)| certificate.subject().short()).collect();
    match (&fetch.problem, names.is_empty()) {
        (Some(problem), _) => format!("{what}: {problem}"),
        (None, true) => format!("{what}: no certificate"),
        (None, false) => format!("{what}: {}", names.join(", ")),
    }
}

fn handshake_in_words(handshake: &Handshake) -> String {
    let version = handshake.tls.version().or(handshake.tls.client_hello.as_ref().map(|hello| hello.version));
    let version = version.map(|version| format!("  {version}")).unwrap_or_default();
    let letters: Vec<String> = handshake.history.to_string().chars().map(String::from).collect();
    let ending = match handshake.ending.outcome {
        crate::evidence::Outcome::Completed => String::new(),
        _ => format!("  {}", crate::diagnosis::ending_in_words(handshake)),
    };
    let repeats = if handshake.repeats > 0 { format!("  ({} more like it)", handshake.repeats) } else { String::new() };
    format!("{}{version}  {}{ending}{repeats}", endpoint(handshake.server), letters.join(" "))
}
