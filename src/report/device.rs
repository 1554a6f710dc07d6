//! In: a device and the verdict on it. Out: the device as people and machines read it. Bounded: `CAP` handshakes shown in
//! full, unless all were asked for.

use std::collections::BTreeSet;

use super::finding::Findings;
use super::handshake::handshake;
use super::model;
use super::places::Places;
use super::story::Story;
use crate::diagnosis::{DeviceDiagnosis, Finding};
use crate::evidence::{Device, Fetch, SignIn, endpoint};

/// What the reports of all devices share.
pub(super) struct Devices<'a> {
    pub(super) findings: Findings<'a>,
    /// Two devices that fetched certificates: enough for each device to have another one beside it.
    pub(super) downloaders: Vec<&'a Device>,
    /// Show every handshake that was kept.
    pub(super) all_handshakes: bool,
}

impl Devices<'_> {
    /// One device.
    pub(super) fn device(&self, judged: &DeviceDiagnosis<'_>, device: &Device) -> model::Device {
        let places = self.findings.places;
        let own = self.findings.of_device(judged);
        let kept = self.kept(own, device);
        let mut handshakes = Vec::with_capacity(kept.len());
        handshakes.extend(kept.iter().filter_map(|index| handshake(places, judged, device, *index)));
        let listed: u64 = u64::try_from(handshakes.len()).unwrap_or_default();
        model::Device {
            id: self.findings.devices.get(&judged.device).cloned().unwrap_or_default(),
            addresses: device
                .addresses
                .iter()
                .map(|(address, first, last)| model::DeviceAddress {
                    address: address.to_string(),
                    first: first.time.to_string(),
                    last: last.time.to_string(),
                })
                .collect(),
            mac: mac_of(device),
            identity_basis: identity_basis(device),
            shared_address: device.shared_address,
            recognized_as: device.recognition.is_lync_phone().then(|| "lync-phone-edition".into()),
            recognized_by: device
                .recognition
                .lync
                .iter()
                .chain(device.recognition.other.as_ref())
                .map(|(at, what)| model::Recognition {
                    capture: places.path(at.capture),
                    frame: at.number,
                    what: what.clone(),
                })
                .collect(),
            profile: model::DeviceProfile { name: judged.profile.clone(), basis: judged.basis },
            verdict: model::Verdict {
                status: judged.verdict.status,
                summary: judged.verdict.summary.clone(),
                finding: judged.verdict.finding.and_then(|index| Some(self.findings.id(self.findings.all.get(index)?))),
            },
            clock: judged.clock.as_ref().map(|clock| model::Clock {
                offset_s: clock.offset,
                basis: clock.basis.into(),
                frames: clock.frames.iter().map(|at| places.place(*at)).collect(),
            }),
            sign_in: sign_in(&places, judged),
            events: Story { places, judged, device, findings: own, downloaders: &self.downloaders }.events(),
            fetches: device.fetches.iter().map(|fetch| self::fetch(&places, fetch)).collect(),
            handshakes_total: device.handshakes_total,
            handshakes_omitted: device.handshakes_total.saturating_sub(listed),
            handshakes,
        }
    }

    /// The handshakes shown in full: those that a finding cites, the first and the last, up to the cap.
    fn kept(&self, own: &[Finding], device: &Device) -> Vec<usize> {
        const CAP: usize = 64;
        let all = device.handshakes.len();
        if all <= CAP || self.all_handshakes {
            return (0..all).collect();
        }
        let mut kept: BTreeSet<usize> = own.iter().filter_map(|finding| finding.handshake).take(CAP - 2).collect();
        kept.extend([0, all - 1]);
        for index in 0..all {
            if kept.len() >= CAP {
                break;
            }
            kept.insert(index);
        }
        kept.into_iter().collect()
    }
}

/// The network card that is bound to a device.
pub(super) fn mac_of(device: &Device) -> Option<String> {
    device.mac.map(|(mac, _)| mac.map(|byte| format!("{byte:02x}")).join(":"))
}

fn sign_in(places: &Places<'_>, judged: &DeviceDiagnosis<'_>) -> model::SignIn {
    let SignIn { method, strength, basis } = &judged.sign_in;
    let basis = basis.iter().map(|(at, signal)| model::Signal {
        capture: places.path(at.capture),
        frame: at.number,
        signal: signal.clone(),
    });
    model::SignIn { method: *method, strength: *strength, basis: basis.collect() }
}

fn fetch(places: &Places<'_>, fetch: &Fetch) -> model::Fetch {
    model::Fetch {
        capture: places.path(fetch.request.capture),
        stream: places.stream(fetch.stream, fetch.request.capture),
        frame: fetch.request.number,
        time: fetch.request.time.to_string(),
        via: fetch.via,
        server: endpoint(fetch.server),
        method: Some(fetch.method.clone()),
        url: Some(fetch.url.clone()),
        status: fetch.status,
        content_type: fetch.content_type.clone(),
        certificates: fetch.certificates.iter().map(|(certificate, _)| certificate.sha256().to_string()).collect(),
        problem: fetch.problem.clone(),
        last_frame: fetch.last.filter(|_| fetch.complete).map(|at| at.number),
    }
}

/// Why these packets are taken for those of one device, in words.
fn identity_basis(device: &Device) -> String {
    let bound = device.mac.map(|(_, at)| format!("; frame {} binds it to the network card", at.number));
    let mut basis = match device.addresses.len() {
        0 | 1 => format!("one address in one capture{}", bound.unwrap_or_default()),
        _ => "its network card, which had these addresses one after the other or beside each other".into(),
    };
    let mut again = device.handshakes.iter().flat_map(|it| it.also_seen.iter().map(|(_, at)| (it.first.capture, at)));
    if let Some((capture, at)) = again.next() {
        let place = if at.capture == capture { "interface" } else { "tap" };
        basis += &format!("; handshakes with the same random values were recorded at another {place}");
    }
    basis
}
