//! In: evidence and diagnosis. Out: the report, all values as people and machines read them. Bounded: by both.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::model;
use super::{REPORT_SCHEMA, story};
use crate::capture::{CaptureSummary, FrameRef};
use crate::diagnosis::{DeviceDiagnosis, Diagnosis, Finding, Trust};
use crate::evidence::{Device, Evidence, Fetch, Handshake, endpoint};
use crate::flow::Side;
use crate::protocol::tls;
use crate::trust::{Anchor, ChainStatus, Judgement, Missing, Path, StepFrom};
use crate::x509::{Certificate, Digest, hex};

/// What a report is made of.
pub(crate) struct Material<'a> {
    pub(crate) captures: &'a [(String, CaptureSummary)],
    pub(crate) evidence: &'a Evidence,
    pub(crate) diagnosis: &'a Diagnosis,
    pub(crate) trust: &'a Trust,
    pub(crate) options: model::Options,
    pub(crate) flows: u64,
    pub(crate) flows_dropped: u64,
    /// Show every handshake that was kept.
    pub(crate) all_handshakes: bool,
}

/// Addresses told of from which one missing certificate can be had.
const MOST_ADDRESSES: usize = 8;
/// Characters of one name or address of a missing certificate: they stand in every finding about it.
const MOST_CHARACTERS: usize = 1024;

fn line(text: &str) -> String {
    match text.char_indices().nth(MOST_CHARACTERS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Puts the report together.
pub(crate) fn build(material: &Material<'_>) -> model::Report {
    Builder::new(material).report()
}

pub(crate) struct Builder<'a> {
    pub(super) m: &'a Material<'a>,
    /// The stable name of each device, by its index in the evidence.
    ids: BTreeMap<usize, String>,
    /// Two devices that downloaded certificates: for each device there is another one among them, if there is any.
    pub(super) downloaders: Vec<&'a Device>,
}

/// An address, with a number where several captures have it.
fn device_ids(material: &Material<'_>) -> BTreeMap<usize, String> {
    let mut used: BTreeMap<String, usize> = BTreeMap::new();
    let mut ids = BTreeMap::new();
    for judged in &material.diagnosis.devices {
        let Some(device) = material.evidence.devices.get(judged.device) else { continue };
        let address = device.address.to_string();
        let count = used.entry(address.clone()).or_default();
        *count += 1;
        ids.insert(judged.device, if *count == 1 { address } else { format!("{address}#{count}") });
    }
    ids
}

impl<'a> Builder<'a> {
    pub(crate) fn new(material: &'a Material<'a>) -> Self {
        let downloads = |device: &&Device| device.fetches.iter().any(story::is_download);
        let downloaders = material.evidence.devices.iter().filter(downloads).take(2).collect();
        Self { m: material, ids: device_ids(material), downloaders }
    }

    fn report(&self) -> model::Report {
        let findings: Vec<model::Finding> =
            self.m.diagnosis.findings.iter().map(|finding| self.finding(finding)).collect();
        let devices: Vec<_> = self.m.diagnosis.devices.iter().filter_map(|judged| self.device(judged)).collect();
        let captures = self.captures();
        let dropped = self.dropped();
        let lacking = |summary: &CaptureSummary| !summary.problems.is_empty() || summary.cut_packets > 0;
        let damaged = self.m.captures.iter().any(|(_, summary)| lacking(summary));
        model::Report {
            schema: REPORT_SCHEMA.into(),
            tool: super::tool(),
            options: self.m.options.clone(),
            complete: dropped.why.is_none() && !damaged,
            dropped,
            certificates: self.certificates(&devices, &findings),
            statistics: model::Statistics {
                packets: captures.iter().map(|capture| capture.packets).sum(),
                flows: self.m.flows,
                handshakes: self.m.evidence.handshakes,
                path_searches: self.m.diagnosis.path_searches,
                signature_checks: self.m.diagnosis.signature_checks,
            },
            captures,
            devices,
            findings,
        }
    }

    fn captures(&self) -> Vec<model::Capture> {
        let read = self.m.captures.iter().map(|(path, summary)| model::Capture {
            path: path.clone(),
            format: summary.format.map(|format| format.as_str().into()),
            compression: summary.compression.clone(),
            link_types: summary.link_types.iter().map(ToString::to_string).collect(),
            packets: summary.packets,
            bytes: summary.bytes,
            first_time: summary.times.map(|(first, _)| first.to_string()),
            last_time: summary.times.map(|(_, last)| last.to_string()),
            cut_packets: summary.cut_packets,
            problems: summary.problems.iter().cloned().chain(cut_in_words(summary)).collect(),
            notes: summary.notes.clone(),
        });
        read.collect()
    }

    fn dropped(&self) -> model::Dropped {
        let evidence = self.m.evidence;
        let reasons = [
            (self.m.flows_dropped > 0, "more connections at once than are followed"),
            (evidence.devices_dropped > 0, "more devices than are kept"),
            (evidence.certificates.dropped() > 0, "more certificates than are kept"),
            (evidence.handshakes_dropped > 0, "more handshakes of one device than are kept"),
            (evidence.fetches_dropped > 0, "more downloads of one device than are kept"),
            (evidence.connected_dropped, "more servers than are remembered"),
        ];
        let why: Vec<_> = reasons.iter().filter(|(happened, _)| *happened).map(|(_, why)| *why).collect();
        let why =
            (!why.is_empty()).then(|| format!("{}; a verdict may suffer; --max-memory allows more", why.join(", ")));
        model::Dropped { flows: self.m.flows_dropped, bytes: 0, why }
    }

    pub(super) fn path(&self, capture: u32) -> String {
        let index = usize::try_from(capture).unwrap_or(usize::MAX);
        self.m.captures.get(index).map(|(path, _)| path.clone()).unwrap_or_default()
    }

    /// A stream as Wireshark numbers it, who begins anew with each file.
    fn stream(&self, stream: u64, capture: u32) -> Option<u64> {
        (self.m.evidence.recording_of(capture) == capture).then_some(stream)
    }

    pub(super) fn place(&self, at: FrameRef) -> model::Place {
        model::Place { capture: self.path(at.capture), frame: at.number }
    }

    fn device(&self, judged: &DeviceDiagnosis) -> Option<model::Device> {
        let device = self.m.evidence.devices.get(judged.device)?;
        let kept = self.kept(judged, device);
        let mut handshakes = Vec::with_capacity(kept.len());
        handshakes.extend(kept.iter().filter_map(|index| self.handshake(judged, device, *index)));
        let listed: u64 = u64::try_from(handshakes.len()).unwrap_or_default();
        Some(model::Device {
            id: self.ids.get(&judged.device).cloned().unwrap_or_default(),
            addresses: device
                .addresses
                .iter()
                .map(|(address, first, last)| model::DeviceAddress {
                    address: address.to_string(),
                    first: first.time.to_string(),
                    last: last.time.to_string(),
                })
                .collect(),
            mac: device.mac.map(|(mac, _)| mac.map(|byte| format!("{byte:02x}")).join(":")),
            identity_basis: identity_basis(device),
            shared_address: device.shared_address,
            recognized_as: device.recognition.is_lync_phone().then(|| "lync-phone-edition".into()),
            recognized_by: device
                .recognition
                .lync
                .iter()
                .chain(device.recognition.other.as_ref())
                .map(|(at, what)| model::Recognition {
                    capture: self.path(at.capture),
                    frame: at.number,
                    what: what.clone(),
                })
                .collect(),
            profile: model::DeviceProfile { name: judged.profile.clone(), basis: judged.basis },
            verdict: model::Verdict {
                status: judged.verdict.status,
                summary: judged.verdict.summary.clone(),
                finding: judged.verdict.finding.and_then(|index| Some(self.id(self.m.diagnosis.findings.get(index)?))),
            },
            clock: judged.clock.as_ref().map(|clock| model::Clock {
                offset_s: clock.offset,
                basis: clock.basis.into(),
                frames: clock.frames.iter().map(|at| self.place(*at)).collect(),
            }),
            sign_in: self.sign_in(judged, device),
            events: story::events(self, judged, device),
            fetches: device.fetches.iter().map(|fetch| self.fetch(fetch)).collect(),
            handshakes_total: device.handshakes_total,
            handshakes_omitted: device.handshakes_total.saturating_sub(listed),
            handshakes,
        })
    }

    /// The handshakes shown in full: those that a finding cites, the first and the last, up to the cap.
    fn kept(&self, judged: &DeviceDiagnosis, device: &Device) -> Vec<usize> {
        const CAP: usize = 64;
        let all = device.handshakes.len();
        if all <= CAP || self.m.all_handshakes {
            return (0..all).collect();
        }
        let own = self.findings_of(judged).iter();
        let mut kept: BTreeSet<usize> = own.filter_map(|finding| finding.handshake).take(CAP - 2).collect();
        kept.extend([0, all - 1]);
        for index in 0..all {
            if kept.len() >= CAP {
                break;
            }
            kept.insert(index);
        }
        kept.into_iter().collect()
    }

    /// The findings of one device.
    pub(super) fn findings_of(&self, judged: &DeviceDiagnosis) -> &[Finding] {
        self.m.diagnosis.findings.get(judged.findings.clone()).unwrap_or_default()
    }

    fn sign_in(&self, judged: &DeviceDiagnosis, device: &Device) -> model::SignIn {
        let given = self.m.trust.sign_in.is_some();
        let basis = device.sign_in.basis.iter().filter(|_| !given).map(|(at, signal)| model::Signal {
            capture: self.path(at.capture),
            frame: at.number,
            signal: signal.clone(),
        });
        model::SignIn { method: judged.sign_in, strength: device.sign_in.strength, basis: basis.collect() }
    }

    fn fetch(&self, fetch: &Fetch) -> model::Fetch {
        model::Fetch {
            capture: self.path(fetch.request.capture),
            stream: self.stream(fetch.stream, fetch.request.capture),
            frame: fetch.request.number,
            time: fetch.request.time.to_string(),
            via: fetch.via.into(),
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

    fn handshake(&self, judged: &DeviceDiagnosis, device: &Device, index: usize) -> Option<model::Handshake> {
        let handshake = device.handshakes.get(index)?;
        let assessment = judged.assessments.get(index)?;
        let hello = handshake.tls.client_hello.as_ref();
        let digests = |list: &[Arc<Certificate>]| list.iter().map(|c| c.sha256().to_string()).collect();
        let capture = handshake.first.capture;
        Some(model::Handshake {
            id: format!("{}:{}:{}", capture + 1, handshake.stream, handshake.first.number),
            capture: self.path(capture),
            stream: self.stream(handshake.stream, capture),
            frame: handshake.first.number,
            time: handshake.first.time.to_string(),
            also_seen: handshake
                .also_seen
                .iter()
                .map(|(stream, at)| model::Sighting {
                    capture: self.path(at.capture),
                    stream: self.stream(*stream, at.capture),
                    frame: at.number,
                    time: at.time.to_string(),
                })
                .collect(),
            client: endpoint(handshake.client),
            server: endpoint(handshake.server),
            server_name: handshake.server_name().map(str::to_owned),
            client_version: hello.map(|hello| hello.version.to_string()),
            version: handshake.tls.version().map(|version| version.to_string()),
            cipher_suite: handshake
                .tls
                .server_hello
                .as_ref()
                .and_then(|hello| hello.cipher_suite)
                .map(tls::cipher_suite),
            resumed: handshake.tls.resumed(),
            history: handshake.history.clone(),
            certificates: digests(&handshake.sent),
            client_certificates: digests(&handshake.client_sent),
            certificate_request: handshake.tls.certificate_request.as_ref().map(|request| model::CertificateRequest {
                authorities: u64::try_from(request.authorities.len()).unwrap_or(u64::MAX),
                bytes: request.bytes,
            }),
            alerts: handshake.tls.alerts.iter().map(alert).collect(),
            outcome: handshake.ending.outcome,
            end: model::End {
                by: handshake.ending.by.map(party),
                how: handshake.ending.how,
                frame: handshake.ending.at.map(|at| at.number),
            },
            recovered_by: judged.recovered_by.get(index).copied().flatten().map(|at| self.place(at)),
            chain: self.chain(&assessment.chain, judged, device, handshake, Some(assessment.judged_at.to_string())),
            client_chain: assessment
                .client_chain
                .as_ref()
                .map(|chain| self.chain(chain, judged, device, handshake, None)),
            repeats: handshake.repeats,
        })
    }

    fn chain(
        &self,
        judgement: &Judgement,
        judged: &DeviceDiagnosis,
        device: &Device,
        handshake: &Handshake,
        judged_at: Option<String>,
    ) -> model::Chain {
        let steps = |path: &Option<Path>| -> Vec<model::Step> {
            let Some(path) = path else { return Vec::new() };
            path.steps.iter().filter_map(|step| self.step(step, judged, device, handshake)).collect()
        };
        model::Chain {
            status: judgement.status,
            proof: judgement.proof,
            judged_at: judged_at.filter(|_| !matches!(judgement.status, ChainStatus::NotSent | ChainStatus::Hidden)),
            path: steps(&judgement.path),
            completed_path: steps(&judgement.completed),
            missing: judgement.missing.iter().map(|missing| self.missing(missing)).collect(),
        }
    }

    fn step(
        &self,
        step: &crate::trust::Step,
        judged: &DeviceDiagnosis,
        device: &Device,
        handshake: &Handshake,
    ) -> Option<model::Step> {
        let anchor = step.anchor.and_then(|index| judged.anchors.get(index));
        let certificate = step.certificate.as_ref();
        let (subject, key) = match (certificate, anchor) {
            (Some(certificate), _) => (certificate.subject(), certificate.public_key()),
            (None, Some(anchor)) => (&anchor.subject, &anchor.key),
            (None, None) => return None,
        };
        let (source, at) = match step.from {
            StepFrom::Anchor => (Some(self.anchor_source(anchor, certificate, judged)), None),
            StepFrom::Sent => (None, handshake.tls.certificates.server.as_ref().map(|list| list.last)),
            StepFrom::Fetched => {
                let fetch = device.fetches.iter().find(|fetch| {
                    fetch.succeeded()
                        && fetch.certificates.iter().any(|(c, _)| Some(c.sha256()) == certificate.map(|c| c.sha256()))
                });
                (fetch.map(|fetch| fetch.via.to_owned()), fetch.and_then(|fetch| fetch.last))
            }
            StepFrom::Installed | StepFrom::Bundle => (certificate.and_then(|c| self.file_of(c)), None),
            StepFrom::Seen => {
                let sighting = certificate.and_then(|c| self.m.evidence.certificates.sightings(c.sha256()).first());
                (sighting.map(|sighting| sighting.how.to_string()), sighting.map(|sighting| sighting.at))
            }
        };
        Some(model::Step {
            sha256: certificate.map(|certificate| certificate.sha256().to_string()),
            subject: subject.to_string(),
            spki_sha256: key.spki_sha256().to_string(),
            from: step.from,
            held: step.from.is_held(),
            source,
            capture: at.map(|at| self.path(at.capture)),
            frame: at.map(|at| at.number),
        })
    }

    fn anchor_source(
        &self,
        anchor: Option<&Anchor>,
        certificate: Option<&Arc<Certificate>>,
        judged: &DeviceDiagnosis,
    ) -> String {
        match (anchor, certificate) {
            (Some(anchor), _) if !anchor.given => judged.profile.clone(),
            (Some(_), Some(certificate)) => self.file_of(certificate).unwrap_or_else(|| "--roots".into()),
            // A root that the device fetched itself is an anchor of this one handshake only.
            (None, _) => "fetched".into(),
            (Some(_), None) => "--roots".into(),
        }
    }

    pub(super) fn file_of(&self, certificate: &Certificate) -> Option<String> {
        let trust = self.m.trust;
        let supplied = trust.roots.iter().chain(&trust.installed).chain(&trust.bundle);
        supplied.into_iter().find(|s| s.certificate.sha256() == certificate.sha256()).map(|s| s.file.clone())
    }

    pub(super) fn missing(&self, missing: &Missing) -> model::Missing {
        let key_id = missing.below.authority_key_id().and_then(|id| id.key_id.as_deref()).map(hex);
        model::Missing {
            subject: line(&missing.subject.to_string()),
            key_id: key_id.or_else(|| missing.candidates.first().and_then(|c| c.subject_key_id()).map(hex)),
            aia: missing.below.ca_issuers().iter().take(MOST_ADDRESSES).map(|url| line(url)).collect(),
            candidates: missing
                .candidates
                .iter()
                .map(|c| model::MissingCandidate { sha256: c.sha256().to_string(), found_in: self.found(c) })
                .collect(),
        }
    }

    /// Every place where a certificate was seen.
    fn found(&self, certificate: &Certificate) -> Vec<model::Found> {
        let sightings = self.m.evidence.certificates.sightings(certificate.sha256()).iter();
        let seen = sightings.map(|sighting| model::Found {
            capture: self.path(sighting.at.capture),
            frame: Some(sighting.at.number),
            how: sighting.how.to_string(),
        });
        let trust = self.m.trust;
        let files = [(&trust.roots, "--roots"), (&trust.installed, "--installed"), (&trust.bundle, "--bundle")];
        let supplied = files.into_iter().flat_map(|(list, how)| {
            let same = list.iter().filter(|s| s.certificate.sha256() == certificate.sha256());
            same.map(move |s| model::Found { capture: s.file.clone(), frame: None, how: how.into() })
        });
        seen.chain(supplied).collect()
    }

    pub(super) fn finding(&self, finding: &Finding) -> model::Finding {
        let rule = finding.code.rule();
        let device = finding.device.and_then(|index| self.m.evidence.devices.get(index));
        model::Finding {
            id: self.id(finding),
            code: rule.code.into(),
            name: rule.name.into(),
            severity: finding.severity,
            proof: finding.proof,
            device: finding.device.and_then(|index| self.ids.get(&index).cloned()),
            capture: finding.capture.map(|capture| self.path(capture)),
            stream: finding.stream.and_then(|stream| self.stream(stream, finding.capture?)),
            server: finding.server.map(endpoint),
            server_name: finding.server_name.clone(),
            occurrences: finding.occurrences,
            first_time: finding.frames.map(|(first, _)| first.time.to_string()),
            last_time: finding.frames.map(|(_, last)| last.time.to_string()),
            summary: finding.summary.clone(),
            evidence: finding.evidence.iter().map(|(at, what)| self.evidence(*at, what)).collect(),
            excluded: finding.excluded.clone(),
            caused_by: finding.caused_by.and_then(|index| Some(self.id(self.m.diagnosis.findings.get(index)?))),
            recovered_by: finding.recovered_by.map(|at| self.place(at)),
            certificates: finding.certificates.iter().map(|c| c.sha256().to_string()).collect(),
            missing: finding.missing.iter().map(|missing| self.missing(missing)).collect(),
            remedies: finding.remedies.clone(),
            filter: filter(finding, device, finding.handshake),
        }
    }

    fn evidence(&self, at: FrameRef, what: &str) -> model::Evidence {
        model::Evidence {
            capture: self.path(at.capture),
            frame: Some(at.number),
            offset: Some(at.offset),
            length: Some(u64::from(at.length)),
            what: what.to_owned(),
        }
    }

    /// Stable over runs, paths and frames: code, device, server name or leaf, missing key.
    fn id(&self, finding: &Finding) -> String {
        let device = finding.device.and_then(|index| self.ids.get(&index).cloned()).unwrap_or_default();
        let leaf = finding.certificates.first().map(|leaf| short(leaf.sha256()));
        let server = finding.server_name.clone().or(leaf).or(finding.server.map(endpoint)).unwrap_or_default();
        let missing: Vec<_> = finding
            .missing
            .iter()
            .map(|missing| match missing.below.authority_key_id().and_then(|id| id.key_id.as_deref()) {
                Some(key) => hex(key),
                None => short(Digest::of(missing.subject.raw())),
            })
            .collect();
        let parts = [finding.code.rule().code.to_owned(), device, server, missing.join("+")];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/")
    }

    fn certificates(
        &self,
        devices: &[model::Device],
        findings: &[model::Finding],
    ) -> BTreeMap<String, model::Certificate> {
        let cited: BTreeSet<&String> = devices
            .iter()
            .flat_map(|device| &device.handshakes)
            .flat_map(|h| h.chain.path.iter().chain(&h.chain.completed_path))
            .filter_map(|step| step.sha256.as_ref())
            .chain(findings.iter().flat_map(|f| f.missing.iter().flat_map(|m| m.candidates.iter().map(|c| &c.sha256))))
            .collect();
        let trust = self.m.trust;
        let supplied = trust.roots.iter().chain(&trust.installed).chain(&trust.bundle).map(|s| &s.certificate);
        let supplied = supplied.filter(|certificate| cited.contains(&certificate.sha256().to_string()));
        let seen = self.m.evidence.certificates.iter().map(|(certificate, _)| certificate);
        // Of very many the evidence keeps not all, but what is told of is there.
        let shown = self.m.evidence.devices.iter().flat_map(|device| {
            let sent =
                device.handshakes.iter().flat_map(|handshake| handshake.sent.iter().chain(&handshake.client_sent));
            sent.chain(
                device.fetches.iter().flat_map(|fetch| fetch.certificates.iter().map(|(certificate, _)| certificate)),
            )
        });
        let shown = shown.filter(|_| self.m.evidence.certificates.dropped() > 0);
        let all: BTreeMap<Digest, &Arc<Certificate>> =
            seen.chain(supplied).chain(shown).map(|certificate| (certificate.sha256(), certificate)).collect();
        all.into_iter().map(|(sha256, certificate)| (sha256.to_string(), self.certificate(certificate))).collect()
    }

    pub(super) fn certificate(&self, certificate: &Certificate) -> model::Certificate {
        let readable = certificate.is_readable();
        let issuer_key_id = certificate.authority_key_id().and_then(|id| id.key_id.as_deref()).map(hex);
        model::Certificate {
            subject: certificate.subject().to_string(),
            issuer: certificate.issuer().to_string(),
            serial: certificate.serial_hex().to_owned(),
            not_before: readable.then(|| certificate.not_before().to_string()),
            not_after: readable.then(|| certificate.not_after().to_string()),
            key: readable.then(|| certificate.public_key().to_string()),
            signature_algorithm: readable.then(|| certificate.signature_algorithm().to_string()),
            names: certificate.names(),
            ca: certificate.is_ca(),
            key_id: certificate.subject_key_id().map(hex),
            issuer_key_id,
            ca_issuers: certificate.ca_issuers().to_vec(),
            der: STANDARD.encode(certificate.der()),
            problems: certificate.problems().to_vec(),
            seen: self.found(certificate),
        }
    }
}

fn short(digest: Digest) -> String {
    digest.to_string().chars().take(16).collect()
}

pub(super) fn party(side: Side) -> model::Party {
    match side {
        Side::Client => model::Party::Client,
        Side::Server => model::Party::Server,
    }
}

fn alert(alert: &tls::Alert) -> model::Alert {
    model::Alert {
        from: party(alert.from),
        level: if alert.fatal { "fatal" } else { "warning" }.into(),
        code: alert.code.0,
        name: alert.code.to_string(),
        frame: alert.at.number,
    }
}

/// Addresses, port and frames: stream numbers differ between programs.
fn filter(finding: &Finding, device: Option<&Device>, handshake: Option<usize>) -> Option<String> {
    let device = device?;
    let handshake = handshake.and_then(|index| device.handshakes.get(index));
    let address = handshake.map_or(device.address, |handshake| handshake.client.ip());
    let field = if address.is_ipv6() { "ipv6.addr" } else { "ip.addr" };
    let mut parts = vec![format!("{field}=={address}")];
    if let Some(server) = finding.server {
        parts.push(format!("tcp.port=={}", server.port()));
    }
    if let Some((first, last)) = finding.frames {
        parts.push(format!("frame.number>={} && frame.number<={}", first.number, last.number));
    }
    Some(parts.join(" && "))
}

/// What makes the packets those of one device, in words.
fn identity_basis(device: &Device) -> String {
    let bound = device.mac.map(|(_, at)| format!("; frame {} binds it to the network card", at.number));
    let mut basis = match device.addresses.len() {
        0 | 1 => format!("one address in one capture{}", bound.unwrap_or_default()),
        _ => "its network card, which had these addresses one after the other or beside each other".into(),
    };
    let tap = device.handshakes.iter().find_map(|handshake| handshake.also_seen.first());
    if tap.is_some() {
        basis += "; handshakes with the same random values were recorded at another tap";
    }
    basis
}

/// Which frames were cut, and to how many bytes.
fn cut_in_words(summary: &CaptureSummary) -> Option<String> {
    let (at, cut) = summary.first_cut?;
    let others = match summary.cut_packets {
        1 => String::new(),
        count => format!(", and {} more packets are cut as well", count - 1),
    };
    Some(format!("frame {} was cut when captured: {} of {} bytes are there{others}", at.number, cut.kept, cut.of))
}
