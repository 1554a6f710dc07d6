//! Many devices: kept at rest, and judged once for each kind.
//!
//! In: the sample captures, and captures of many devices made of them. Out: what is told of a device must not depend on how
//! it is kept, nor on how many are like it. Left to others: what is true of each sample.

use std::collections::BTreeMap;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use chaingap::diagnosis::{Census, DeviceDiagnosis, Finding};
use chaingap::evidence::Device;
use chaingap::limits::Limits;
use chaingap::report::Report;
use chaingap::{Analyzer, Builder};
use support::bench_captures::{SESSIONS, make_phones};

fn samples() -> Vec<PathBuf> {
    let files = fs::read_dir("captures").unwrap().map(|entry| entry.unwrap().path());
    let mut samples: Vec<_> = files.filter(|path| matches!(ending(path), "pcap" | "pcapng")).collect();
    samples.sort();
    samples
}

fn ending(path: &Path) -> &str {
    path.extension().and_then(|ending| ending.to_str()).unwrap_or_default()
}

fn report(builder: Builder, bytes: &[u8]) -> Report {
    builder.build().unwrap().analyze(bytes, "capture").unwrap()
}

#[test]
fn a_device_comes_back_from_rest_as_it_was() {
    for path in support::share("samples whose devices are put to rest", samples()) {
        let bytes = fs::read(&path).unwrap();
        let text = |limits| serde_json::to_string(&report(Analyzer::builder().limits(limits), &bytes)).unwrap();
        let at_rest = support::limits(|limits| limits.open_handshakes = 0);
        assert!(text(at_rest) == text(Limits::default()), "{}", path.display());
    }
}

/// What is found of a device, without places and numbers.
type Found = (&'static str, Vec<String>);

/// Collects what is found of each device.
#[derive(Default)]
struct Collected {
    found: BTreeMap<IpAddr, Found>,
    kinds: usize,
}

impl Census for Collected {
    type Kind = Found;

    fn first(&mut self, judged: &DeviceDiagnosis<'_>, device: &Device, findings: &[Finding]) -> Found {
        let findings = findings.iter().map(|it| {
            let missing: Vec<_> = it.missing.iter().map(|link| link.subject.to_string()).collect();
            let (code, severity, proof) = (it.code.rule().code, it.severity.as_str(), it.proof.as_str());
            format!("{code} {severity} {proof} {:?} {:?} {missing:?}", it.server_name, it.server)
        });
        let found = (judged.verdict.status.as_str(), findings.collect());
        self.kinds += 1;
        self.found.insert(device.address, found.clone());
        found
    }

    fn like(&mut self, kind: &mut Found, _index: usize, device: &Device) {
        self.found.insert(device.address, kind.clone());
    }
}

/// The same of the devices of a report, each of which was judged by itself.
fn found_in(report: &Report) -> BTreeMap<IpAddr, Found> {
    let of_device = |device: &chaingap::report::Device| {
        let own = report.findings.iter().filter(|finding| finding.device.as_ref() == Some(&device.id));
        let findings = own.map(|it| {
            let missing: Vec<_> = it.missing.iter().map(|link| link.subject.clone()).collect();
            let server: Option<std::net::SocketAddr> = it.server.as_ref().and_then(|server| server.parse().ok());
            let (severity, proof) = (it.severity.as_str(), it.proof.as_str());
            format!("{} {severity} {proof} {:?} {server:?} {missing:?}", it.code, it.server_name)
        });
        (device.verdict.status.as_str(), findings.collect())
    };
    report.devices.iter().map(|device| (device.id.parse().unwrap(), of_device(device))).collect()
}

/// Devices that do what the samples show, mixed: those of one kind are found to have what each of them has by itself.
#[test]
fn what_is_found_of_a_kind_is_found_of_each() {
    let names: Vec<String> = samples().iter().map(|path| path.file_name().unwrap().to_str().unwrap().into()).collect();
    let mut sessions: Vec<(&str, u32)> = names.iter().map(|name| (name.as_str(), 1)).collect();
    sessions.extend(SESSIONS);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("many.pcap");
    let devices = 3 * sessions.len();
    make_phones(&sessions, devices.try_into().unwrap(), path.to_str().unwrap()).unwrap();
    let bytes = fs::read(&path).unwrap();
    let analyzer = Analyzer::builder().build().unwrap();
    let mut investigation = analyzer.investigate();
    investigation.read(bytes.as_slice(), "many").unwrap();
    let mut collected = Collected::default();
    investigation.survey(&mut collected);
    let each = found_in(&report(Analyzer::builder().all_devices(true), &bytes));
    assert!(each.len() > devices / 2, "{} devices", each.len());
    assert_eq!(collected.found.len(), each.len());
    for (address, found) in &each {
        assert_eq!(collected.found.get(address), Some(found), "{address}");
    }
    // Most devices are like one before.
    assert!(collected.kinds * 2 < each.len(), "{} kinds of {} devices", collected.kinds, each.len());
}

/// A device among many that do the same is judged as it is alone.
#[test]
fn a_device_among_many_is_judged_as_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("many.pcap");
    for session in SESSIONS {
        let read = |devices: u32| {
            make_phones(&[session], devices, path.to_str().unwrap()).unwrap();
            fs::read(&path).unwrap()
        };
        let alone = found_in(&report(Analyzer::builder(), &read(1)));
        let many = if support::everything() { 10_000 } else { 500 };
        let bytes = read(many);
        let analyzer = Analyzer::builder().build().unwrap();
        let mut investigation = analyzer.investigate();
        investigation.read(bytes.as_slice(), "many").unwrap();
        let mut collected = Collected::default();
        investigation.survey(&mut collected);
        assert_eq!(collected.found.len(), usize::try_from(many).unwrap());
        let [(_, alone)] = alone.iter().collect::<Vec<_>>()[..] else { panic!("one device") };
        assert!(collected.found.values().all(|found| found == alone), "{session:?}: {alone:?}");
        assert!(collected.kinds < 50, "{} kinds", collected.kinds);
    }
}

/// Faults are counted alike whether every device is judged by itself or each kind once.
#[test]
fn faults_of_kinds_are_those_of_each() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("many.pcap");
    make_phones(&SESSIONS, 200, path.to_str().unwrap()).unwrap();
    let bytes = fs::read(&path).unwrap();
    let faults = |all| {
        let report = report(Analyzer::builder().all_devices(all), &bytes);
        let told = report.faults.into_iter().map(|it| {
            (it.id, it.devices_total, it.devices, it.handshakes_total, it.first_time, it.last_time, it.example)
        });
        (report.totals, told.collect::<Vec<_>>())
    };
    let (totals, by_kind) = faults(false);
    assert_eq!((totals.clone(), by_kind.clone()), faults(true));
    // One in five each fails once, and three times; one in five meets an expired certificate.
    let counted: Vec<_> = by_kind.iter().map(|(_, devices, _, handshakes, ..)| (*devices, *handshakes)).collect();
    assert!(counted.contains(&(80, 160)) && counted.contains(&(40, 40)), "{counted:?}");
    assert_eq!((totals.devices, totals.handshakes), (200, 280));
}

/// The report of every device that is written piece by piece, beside the one that is held.
#[test]
fn every_device_written_as_it_is_judged_is_the_whole_report() {
    let written = |builder: Builder, captures: &[(String, Vec<u8>)]| {
        let analyzer = builder.all_devices(true).build().unwrap();
        let mut investigation = analyzer.investigate();
        for (name, bytes) in captures {
            investigation.read(bytes.as_slice(), name).unwrap();
        }
        let held = chaingap::render::json(&investigation.report());
        let every = investigation.every_device(&mut |_| {}).expect("more than a report shows anyway");
        let mut pieces = Vec::new();
        chaingap::render::write_json(&every, &mut pieces).unwrap();
        (held, String::from_utf8(pieces).unwrap())
    };
    let samples: Vec<_> =
        samples().into_iter().map(|path| (path.display().to_string(), fs::read(&path).unwrap())).collect();
    let root = fs::read("captures/pki/root.pem").unwrap();
    let bundle = fs::read("captures/pki/adatum-issuing.pem").unwrap();
    let builder = || Analyzer::builder().root("root.pem", root.as_slice()).bundle("adatum.pem", bundle.as_slice());
    let (held, pieces) = written(builder(), &samples);
    assert!(held.lines().count() > 10_000 && held == pieces, "samples");
    // Certificates that were not stored are listed because devices sent them.
    let few = support::limits(|limits| limits.certificates = 8);
    let (held, pieces) = written(builder().limits(few), &samples);
    assert!(held == pieces, "few certificates stored");
}
