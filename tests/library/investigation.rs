//! Several captures as one investigation: rotated recordings, two taps, one name with two issuers, one phone twice.
//!
//! In: the sample captures. Out: what must be reported of them together; what is true of each is in its expectation,
//! and how it was recorded in captures/record/signin.sh. Left to others: each capture alone.

use std::fs;

use chaingap::report::{Report, StepFrom};
use chaingap::{Analyzer, BuildError, Builder};

fn read(name: &str) -> Vec<u8> {
    fs::read(format!("captures/{name}")).unwrap()
}

fn analyze(continuous: bool, root: &str, files: &[(&str, Vec<u8>)]) -> Report {
    let analyzer = Analyzer::builder().root(root, &read(root)).continuous(continuous).build().unwrap();
    let mut investigation = analyzer.investigate();
    for (name, bytes) in files {
        investigation.read(bytes.as_slice(), name).unwrap();
    }
    investigation.report()
}

fn samples<'a>(names: &[&'a str]) -> Vec<(&'a str, Vec<u8>)> {
    names.iter().map(|name| (*name, read(name))).collect()
}

/// What a report says is wrong, without places.
fn findings(report: &Report) -> Vec<String> {
    let words = |f: &chaingap::report::Finding| {
        format!("{:?} {} {} {}", f.device, f.code, f.severity.as_str(), f.proof.as_str())
    };
    report.findings.iter().map(words).collect()
}

const WOODGROVE: &str = "pki/woodgrove-root.pem";

#[test]
fn a_rotated_recording_is_one() {
    let report = analyze(true, WOODGROVE, &samples(&["rotated-1.pcapng", "rotated-2.pcapng"]));
    let [phone] = report.devices.as_slice() else { panic!("{:?}", report.devices.len()) };
    let [handshake] = phone.handshakes.as_slice() else { panic!("one handshake") };
    assert_eq!(
        (handshake.capture.as_str(), phone.fetches[0].capture.as_str()),
        ("rotated-2.pcapng", "rotated-1.pcapng")
    );
    let fetched = handshake.chain.path.iter().filter(|step| step.from == StepFrom::Fetched).count();
    assert_eq!(fetched, 2, "policy CA and issuing CA came over port 80, in the first file");
    assert_eq!(handshake.stream, None, "Wireshark numbers the streams of each file anew");
    assert!(report.findings.iter().all(|finding| finding.code != "CG029"));
}

/// The recording cut in two at every frame: connections go on in the second file.
#[test]
fn a_handshake_may_be_cut_by_rotation_at_any_frame() {
    let whole = read("expired.pcap");
    let expected = findings(&analyze(false, "pki/root.pem", &[("expired.pcap", whole.clone())]));
    assert!(expected.iter().any(|finding| finding.contains("CG006 error proven")), "{expected:?}");
    // A file header of 24 bytes, then records of 16 bytes whose third word is the length of what follows.
    let mut at = 24;
    let mut cuts = 0;
    while at < whole.len() {
        let length = u32::from_le_bytes(whole[at + 8..at + 12].try_into().unwrap());
        at += 16 + usize::try_from(length).unwrap();
        let second = [&whole[..24], &whole[at..]].concat();
        let files = [("1.pcap", whole[..at].to_vec()), ("2.pcap", second)];
        assert_eq!(findings(&analyze(true, "pki/root.pem", &files)), expected, "cut at byte {at}");
        cuts += 1;
    }
    assert!(cuts >= 10, "{cuts}");
}

#[test]
fn two_taps_on_both_sides_of_address_translation_show_one_phone() {
    for names in
        [["nat-phone-side.pcapng", "nat-server-side.pcapng"], ["nat-server-side.pcapng", "nat-phone-side.pcapng"]]
    {
        let report = analyze(false, WOODGROVE, &samples(&names));
        let [phone] = report.devices.as_slice() else { panic!("{:?}", report.devices.len()) };
        assert_eq!(phone.id, "192.168.20.50", "the address before translation");
        let [handshake] = phone.handshakes.as_slice() else { panic!("one handshake") };
        assert_eq!((phone.handshakes_total, report.statistics.handshakes), (1, 1));
        assert_eq!(handshake.capture, "nat-phone-side.pcapng");
        let [other] = handshake.also_seen.as_slice() else { panic!("{:?}", handshake.also_seen) };
        assert_eq!(other.capture, "nat-server-side.pcapng");
    }
}

/// The tap at the phone lost everything after the ClientHello; the one at the server has it.
#[test]
fn what_one_tap_lost_the_other_has() {
    let both = analyze(false, WOODGROVE, &samples(&["taps-phone-side.pcapng", "taps-server-side.pcapng"]));
    let hello = both.devices[0].handshakes[0].frame;
    let (kept, other) = match both.devices[0].handshakes[0].capture.as_str() {
        "taps-phone-side.pcapng" => ("taps-phone-side.pcapng", "taps-server-side.pcapng"),
        _ => ("taps-server-side.pcapng", "taps-phone-side.pcapng"),
    };
    let cut = until_frame(&read(kept), hello);
    let alone = analyze(false, WOODGROVE, &[(kept, cut.clone())]);
    assert!(alone.findings.iter().all(|finding| finding.code != "CG001"), "{:?}", findings(&alone));
    let joined = analyze(false, WOODGROVE, &[(kept, cut), (other, read(other))]);
    let [phone] = joined.devices.as_slice() else { panic!("{:?}", joined.devices.len()) };
    assert_eq!(phone.verdict.status, both.devices[0].verdict.status);
    assert_eq!(phone.handshakes[0].certificates, both.devices[0].handshakes[0].certificates);
    assert_eq!(phone.handshakes[0].outcome, both.devices[0].handshakes[0].outcome);
}

/// A pcapng up to a frame, counted as packet blocks (draft-ietf-opsawg-pcapng: block type 6, lengths on both sides).
fn until_frame(bytes: &[u8], frame: u64) -> Vec<u8> {
    let (mut at, mut packets) = (0, 0);
    while at < bytes.len() {
        let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        packets += u64::from(word(at) == 6);
        at += usize::try_from(word(at + 4)).unwrap();
        if packets == frame {
            break;
        }
    }
    bytes[..at].to_vec()
}

#[test]
fn one_name_with_two_issuers_is_said() {
    let report = analyze(false, WOODGROVE, &samples(&["intercepted.pcapng"]));
    let refused = report.findings.iter().find(|finding| finding.code == "CG002").unwrap();
    assert_eq!(refused.device.as_deref(), Some("10.20.30.51"));
    let said = |what: &str| what.contains("CN=Woodgrove Issuing CA 1") && what.contains("consistent with a proxy");
    assert!(refused.evidence.iter().any(|evidence| said(&evidence.what)), "{:?}", refused.evidence);
    assert!(refused.remedies[0].contains("inspects TLS"), "{:?}", refused.remedies);
    // The same phone at a server with one certificate: no such finding.
    let usual = analyze(false, "pki/root.pem", &samples(&["pin-sign-in.pcapng", "usb-sign-in.pcapng"]));
    assert!(usual.findings.iter().flat_map(|finding| &finding.evidence).all(|e| !e.what.contains("proxy")));
}

/// The chain was fetched in one recording, and in a later one the same phone lacks it.
#[test]
fn a_phone_that_lost_its_chain_is_told_as_such() {
    let files = samples(&["address-change.pcapng", "lldp-med.pcapng"]);
    let report = analyze(false, WOODGROVE, &files);
    let lacks = report.findings.iter().find(|finding| finding.code == "CG001").unwrap();
    let before = lacks.evidence.iter().find(|evidence| evidence.what.contains("it no longer had it, or was reset"));
    assert_eq!(before.unwrap().capture, "address-change.pcapng");
}

/// A phone refuses a server whose CA it accepted in an earlier recording, so the cause is another one.
#[test]
fn a_phone_that_took_a_ca_before_does_not_refuse_that_ca() {
    let (adatum, tailspin) = ("pki/adatum-root.pem", "pki/tailspin-root.pem");
    let builder = Analyzer::builder().root(adatum, &read(adatum)).root(tailspin, &read(tailspin));
    let analyzer = builder.continuous(true).build().unwrap();
    let errors = |names: &[&str]| -> Vec<String> {
        let mut investigation = analyzer.investigate();
        names.iter().for_each(|name| investigation.read(read(name).as_slice(), name).unwrap());
        let report = investigation.report();
        let errors = report.findings.iter().filter(|finding| finding.severity == chaingap::report::Severity::Error);
        errors.map(|finding| finding.code.clone()).collect()
    };
    assert_eq!(errors(&["other-ca-refused-gnutls.pcapng"]), ["CG022"]);
    assert_eq!(errors(&["other-ca-accepted.pcapng", "other-ca-refused-gnutls.pcapng"]), ["CG023"]);
}

/// What to do about a missing intermediate: for a phone, and for a client of TLS 1.2 that says a server name.
#[test]
fn remedies_are_for_who_reads_them() {
    let phone = ["PIN", "USB", "dspublish", "New-CsWebTrustedCACertificate", "certutil -addstore CA"];
    let server = ["fullchain.pem", "nginx", "Apache"];
    for (capture, profile, told, not_told) in [
        ("usb-sign-in.pcapng", "lync-phone-edition", &phone[..], &server[..]),
        ("java-missing-intermediate.pcapng", "generic-no-aia", &server, &phone),
    ] {
        let profile = chaingap::trust::Profile::builtin(profile).unwrap();
        let analyzer = Analyzer::builder().profile(Some(profile)).root("root", &read("pki/root.pem")).build().unwrap();
        let report = analyzer.analyze(read(capture).as_slice(), capture).unwrap();
        let finding = report.findings.iter().find(|finding| finding.code == "CG001").unwrap();
        let remedies = finding.remedies.join("\n");
        assert!(told.iter().all(|words| remedies.contains(words)), "{capture}: {remedies}");
        assert!(!not_told.iter().any(|words| remedies.contains(words)), "{capture}: {remedies}");
    }
}

/// Both missing certificates were fetched by another phone: each stands in the commands, by its hash.
#[test]
fn every_missing_certificate_is_in_the_commands() {
    let files = samples(&["pin-sign-in.pcapng", "usb-sign-in.pcapng"]);
    let report = analyze(false, "pki/root.pem", &files);
    let finding = report.findings.iter().find(|finding| finding.code == "CG001").unwrap();
    let of = |link: &chaingap::report::Missing| format!("missing/*-{}.pem", &link.candidates[0].sha256[..12]);
    let names: Vec<String> = finding.missing.iter().map(of).collect();
    assert_eq!(names.len(), 2, "the issuing CA and the policy CA");
    for command in ["certutil -addstore CA", "certutil -f -dspublish"] {
        for name in &names {
            let line = format!("\n  {command} (Resolve-Path {name})");
            assert!(finding.remedies.iter().any(|remedy| remedy.contains(&line)), "{line}: {:?}", finding.remedies);
        }
    }
    assert!(finding.remedies[0].contains("\n  chaingap certs CAPTURE --missing -o missing\n"));
}

/// The offset at which each block of a pcapng file begins (little-endian; type and length of four bytes each).
fn blocks(file: &[u8]) -> Vec<usize> {
    let mut at = 0;
    let mut out = Vec::new();
    while at < file.len() {
        out.push(at);
        at += usize::try_from(u32::from_le_bytes(file[at + 4..at + 8].try_into().unwrap())).unwrap();
    }
    out
}

/// The file with every packet recorded so many days later. Its times are nanoseconds, at offset 12 of an Enhanced Packet
/// Block (type 6), the upper four bytes first.
fn days_later(file: &[u8], days: u64) -> Vec<u8> {
    let mut out = file.to_vec();
    for at in blocks(file).into_iter().filter(|at| file[*at..*at + 4] == [6, 0, 0, 0]) {
        let word = |from: usize| u64::from(u32::from_le_bytes(file[at + from..at + from + 4].try_into().unwrap()));
        let time = (word(12) << 32 | word(16)) + days * 86_400_000_000_000;
        for (from, half) in [(12, time >> 32), (16, time & 0xffff_ffff)] {
            out[at + from..at + from + 4].copy_from_slice(&u32::try_from(half).unwrap().to_le_bytes());
        }
    }
    out
}

#[test]
fn an_issuer_of_young_certificates_for_many_owners_is_likely_a_proxys_root() {
    let whole = read("inspected-sites.pcapng");
    let report = |file: Vec<u8>| analyze(false, "pki/datum-root.pem", &[("inspected.pcapng", file)]);
    let codes = |report: &Report| -> Vec<(String, &'static str)> {
        let graver = report.findings.iter().filter(|finding| finding.severity > chaingap::report::Severity::Info);
        graver.map(|finding| (finding.code.clone(), finding.proof.as_str())).collect()
    };
    let inspected = report(whole.clone());
    assert_eq!(codes(&inspected), vec![("CG002".to_owned(), "inferred"); 3]);
    let why = inspected.findings[0].evidence.iter().find(|evidence| evidence.what.contains("which speaks for a root"));
    let why = &why.expect("the reason is evidence").what;
    assert!(
        why.contains("www.litware.test, www.tailspin.test, www.wingtip.test") && why.contains("inspects TLS"),
        "{why}"
    );
    // Without the third site two are left, which is no more than a private CA may serve.
    let third = blocks(&whole);
    let last = third.len() - third.len() / 3;
    let two = report(whole[..third[last]].to_vec());
    assert_eq!(two.devices[0].handshakes.len(), 2);
    assert_eq!(codes(&two), vec![("CG025".to_owned(), "undecidable"); 2]);
    // The certificates began a day before the recording.
    assert_eq!(codes(&report(days_later(&whole, 5))), codes(&inspected));
    assert_eq!(codes(&report(days_later(&whole, 8))), vec![("CG025".to_owned(), "undecidable"); 3]);
}

/// Whoever forgets to look at `problems` must not get a verdict without the roots that were to decide it.
#[test]
fn no_analyzer_is_made_without_the_certificates_that_were_given() {
    type Add = fn(Builder, &str, &[u8]) -> Builder;
    let given: [Add; 3] = [Builder::root, Builder::installed, Builder::bundle];
    let (root, page) = (read("pki/root.pem"), b"<html>not found</html>");
    let cut = &root[..root.len() / 2];
    for add in given {
        for bytes in [&page[..], b"", cut] {
            let builder = add(add(Analyzer::builder(), "good.pem", &root), "bad.pem", bytes);
            let BuildError::NoCertificate { file, why } = builder.build().unwrap_err() else { panic!("another error") };
            assert!(file == "bad.pem" && !why.is_empty(), "{file}: {why}");
        }
        // What can be read of a file is used, and what cannot is a problem.
        let both = [&root[..], cut].concat();
        let builder = add(Analyzer::builder(), "both.pem", &both);
        assert!(builder.problems().iter().any(|problem| problem.starts_with("both.pem: ")), "{:?}", builder.problems());
        assert!(builder.build().is_ok());
    }
}
