//! Whole files: captures, certificates, profiles, expectations, key logs, reports.
//!
//! In: any bytes. Out: a panic where reading them in pieces tells anything else than reading them whole, or where what
//! is read breaks a promise. Left to others: what a sound file means.

use std::net::IpAddr;
use std::str::FromStr as _;
use std::sync::Arc;

use chaingap::expectations::Expectation;
use chaingap::protocol::tls::KeyLog;
use chaingap::report::{Report, Summary};
use chaingap::trust::{Anchor, Profile, read_certificates};
use chaingap::x509::{Certificate, HostRules, Name, PublicKey, SignatureAlgorithm};
use chaingap::{Analyzer, DeviceFilter, render};

use crate::broken_promises;

/// Whole captures, from the first byte to every form of report.
pub(super) fn capture(data: &[u8]) {
    let analyzer = Analyzer::builder().build().unwrap();
    let whole = analyzer.analyze(data, "capture");
    let others = [push(&analyzer, data, 1 + data.len() % 97), read_ahead(&analyzer, data)];
    let told = |result: &Result<Report, chaingap::Error>| match result {
        Ok(report) => render::json(report),
        Err(error) => error.to_string(),
    };
    let text = told(&whole);
    for (other, how) in others.iter().zip(["pushed in pieces", "read by a thread of its own"]) {
        assert_eq!(text, told(other), "{how} it gives another report");
    }
    let Ok(report) = &whole else { return };
    let broken = broken_promises(report);
    assert!(broken.is_empty(), "{broken:?}");
    let read: Report = serde_json::from_str(&text).expect("its own JSON");
    assert_eq!(text, render::json(&read));
    show(report);
}

/// Analyzes bytes that come in pieces of this length.
fn push(analyzer: &Analyzer, data: &[u8], length: usize) -> Result<Report, chaingap::Error> {
    let mut investigation = analyzer.investigate();
    let mut run = investigation.start("capture");
    for piece in data.chunks(length) {
        run.push(piece)?;
    }
    run.finish()?;
    Ok(investigation.report())
}

/// Analyzes bytes that another thread reads.
fn read_ahead(analyzer: &Analyzer, data: &[u8]) -> Result<Report, chaingap::Error> {
    let mut investigation = analyzer.investigate();
    investigation.read_ahead(data, "capture")?;
    Ok(investigation.report())
}

/// Every form of a report; none holds a character that a terminal obeys.
fn show(report: &Report) {
    for format in render::FORMATS {
        let text = format.show(report, &render::TextStyle { color: false, width: 100 });
        let bad = text.chars().find(|c| c.is_control() && *c != '\n');
        assert!(bad.is_none(), "{} holds {bad:?}", format.name);
    }
}

/// A certificate, a name, a key, or a file with some of them.
pub(super) fn certificate(data: &[u8]) {
    let certificate = Certificate::from_der(data);
    assert_eq!(certificate.der(), data);
    look_at(&certificate);
    if let Some(name) = Name::from_der(data) {
        let (text, short) = (name.to_string(), name.short());
        assert!(name.is_within(&name) && name == name.clone(), "{text} {short}");
        assert_eq!(Name::from_der(name.raw()).as_ref(), Some(&name), "{text}");
    }
    if let Some(key) = PublicKey::from_spki_der(data) {
        assert_eq!(PublicKey::from_spki_der(key.spki_der()).as_ref(), Some(&key));
        let _ = (key.bits(), key.curve().is_some());
    }
    let _ = SignatureAlgorithm::from_der(data).map(|algorithm| algorithm.to_string());
    for certificate in read_certificates(data).certificates {
        assert!(certificate.is_readable(), "a store holds only readable certificates");
        look_at(&certificate);
        let anchor = Anchor::from_certificate(Arc::new(Certificate::from_der(certificate.der())));
        assert!(anchor.is(&certificate));
    }
}

fn look_at(certificate: &Certificate) {
    let rules = [HostRules::default()];
    for name in certificate.names().iter().map(String::as_str).chain(["a.example.com", "192.0.2.1", "", "*.", "\u{e9}"])
    {
        for rules in rules {
            let _ = certificate.matches_host(name, rules);
        }
    }
    let _ = (certificate.verify_signed_by(certificate.public_key()), certificate.is_self_signed());
    let _ = (certificate.not_before().to_string(), certificate.not_after().date(), certificate.sha1_hex().len());
    let _ = (certificate.subject().domain_components(), certificate.issuer().email_addresses());
    if let Some(constraints) = certificate.name_constraints() {
        let _ = format!("{constraints:?}");
    }
}

/// Texts that users write or programs leave: by the first byte a profile, an expectation, a key log or an address.
pub(super) fn texts(data: &[u8]) {
    let Some((kind, data)) = data.split_first() else { return };
    let text = String::from_utf8_lossy(data);
    match kind % 4 {
        0 => {
            if let Err(error) = Profile::parse(&text) {
                let _ = error.to_string();
            }
        }
        1 => expectation(&text),
        2 => {
            let mut log = KeyLog::default();
            let lines = log.add(data);
            assert!(lines.secrets + lines.unread <= data.len() + 1, "more lines than bytes");
            assert!(log.is_empty() <= (lines.secrets == 0), "secrets that are not kept");
        }
        _ => {
            let _ = DeviceFilter::from_str(&text);
            let _ =
                chaingap::capture::Timestamp::parse_rfc3339(&text).map(|at| (at.date(), at.clock(), at.to_string()));
            let _ = text.parse::<IpAddr>();
        }
    }
}

/// Compares an expectation with an empty report; once updated from that report, it must agree with it.
fn expectation(text: &str) {
    let Ok(expectation) = Expectation::parse(text) else { return };
    let report = Analyzer::builder().build().unwrap().investigate().report();
    let _ = expectation.differences(&report);
    if let Ok(updated) = expectation.updated(text, &report) {
        let updated = Expectation::parse(&updated).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert!(updated.differences(&report).is_empty(), "{text}");
    }
}

/// Lines of reports and summaries, as `merge` reads them.
pub(super) fn reports(data: &[u8]) {
    let mut total = Summary::default();
    for line in data.split(|byte| *byte == b'\n') {
        if let Ok(report) = serde_json::from_slice::<Report>(line) {
            total = total + Summary::of(&report);
            show(&report);
        } else if let Ok(summary) = serde_json::from_slice::<Summary>(line) {
            total = total + summary;
        }
    }
    let line = render::summary_json(&total);
    let again: Summary = serde_json::from_str(&line).expect("its own JSON");
    assert_eq!(line, render::summary_json(&again));
    let _ = render::summary_text(&total, &render::TextStyle { color: false, width: 80 });
}
