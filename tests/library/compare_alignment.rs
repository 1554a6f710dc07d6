//! Comparisons of reports that no sample gives: how servers and steps align, and what hostile names may do.
//!
//! In: the report of the PIN and the USB sample, changed where a case asks for it. Out: the rules of alignment (name,
//! names resolved, certificate, endpoint; the port counts; proxies do not) and a text that no name can break. Left to others: the
//! samples as they are (`compare.rs`).

use std::fs::File;

use chaingap::Analyzer;
use chaingap::render::{TextStyle, compare_json, compare_text};
use chaingap::report::{Comparison, Device, EventDetail, EventKind, Pick, Report, compare};

const PIN: &str = "captures/pin-sign-in.pcapng";
const USB: &str = "captures/usb-sign-in.pcapng";

/// The report over both samples: the phone with a PIN first, then the one over USB.
fn report() -> Report {
    let root = std::fs::read("captures/pki/root.pem").unwrap();
    let analyzer = Analyzer::builder().root("root.pem", &root).build().unwrap();
    let mut investigation = analyzer.investigate();
    for path in [PIN, USB] {
        investigation.read(File::open(path).unwrap(), path).unwrap();
    }
    let report = investigation.report();
    assert_eq!(report.devices.len(), 2);
    report
}

fn compared(report: &Report) -> Comparison {
    compare(report, &Pick { capture: PIN, device: None }, &Pick { capture: USB, device: None }).unwrap()
}

/// Compares the report with both devices changed: how many steps are about TLS, and whether they can be compared.
fn servers(change: impl Fn(&mut Device, &mut Device)) -> (usize, bool) {
    let mut report = report();
    let [good, bad] = &mut report.devices[..] else { panic!("two devices") };
    change(good, bad);
    let comparison = compared(&report);
    let tls = comparison.steps.iter().filter(|step| step.kind == "handshake").count();
    (tls, comparison.comparable)
}

/// Removes what identifies a server: names, certificate, address.
fn elsewhere(device: &mut Device) {
    device.events.retain(|event| event.kind != EventKind::Dns);
    device.handshakes[0].server = "192.0.2.1:443".into();
    device.handshakes[0].certificates = vec!["0".repeat(64)];
}

#[test]
fn servers_align_by_name_else_by_what_resolved_else_by_certificate_else_by_endpoint() {
    const ONE: (usize, bool) = (1, true);
    const OTHER: (usize, bool) = (2, false);
    let asked = |device: &mut Device, name: &str| device.handshakes[0].server_name = Some(name.into());
    assert_eq!(servers(|_, bad| elsewhere(bad)), OTHER);
    // By the name asked for, whatever its case, and even at another address with another certificate.
    let named = |name: &'static str| {
        servers(move |good, bad| {
            elsewhere(bad);
            asked(good, "pool.contoso.test");
            asked(bad, name);
        })
    };
    assert_eq!(named("POOL.contoso.test"), ONE);
    assert_eq!(named("mail.contoso.test"), OTHER);
    // By the name that resolved to the address, compared with a name asked for or with another resolved one.
    assert_eq!(
        servers(|good, bad| {
            elsewhere(bad);
            asked(bad, "lyncpool.contoso.test");
            assert!(good.handshakes[0].server_name.is_none());
        }),
        ONE
    );
    assert_eq!(
        servers(|_, bad| {
            bad.handshakes[0].server = "192.0.2.1:443".into();
            bad.handshakes[0].certificates = vec!["0".repeat(64)];
            for event in &mut bad.events {
                if let Some(EventDetail::Dns(dns)) = &mut event.detail {
                    dns.answers.iter_mut().for_each(|answer| *answer = answer.replace("10.20.30.10", "192.0.2.1"));
                }
            }
        }),
        ONE
    );
    // By the certificate alone, and by the endpoint alone.
    let leaf = |good: &mut Device, bad: &mut Device| {
        elsewhere(bad);
        bad.handshakes[0].certificates.clone_from(&good.handshakes[0].certificates);
    };
    assert_eq!(servers(leaf), ONE);
    assert_eq!(
        servers(|good, bad| {
            elsewhere(bad);
            bad.handshakes[0].server.clone_from(&good.handshakes[0].server);
        }),
        ONE
    );
    // The port counts: SIP and the web service of one pool are two.
    assert_eq!(
        servers(|good, bad| {
            leaf(good, bad);
            bad.handshakes[0].server = "192.0.2.1:5061".into();
        }),
        OTHER
    );
}

#[test]
fn through_a_proxy_the_server_is_the_one_that_connect_asks_for() {
    // The bad phone's handshake in a tunnel to this endpoint; the good phone resolved lyncpool.contoso.test.
    let tunnel = |to: &'static str| {
        servers(move |_, bad| {
            elsewhere(bad);
            bad.handshakes[0].server = "192.0.2.1:3128".into();
            bad.handshakes[0].tunnel_to = Some(to.into());
        })
    };
    assert_eq!(tunnel("LYNCPOOL.contoso.test:443"), (1, true));
    assert_eq!(tunnel("10.20.30.10:443"), (1, true));
    assert_eq!(tunnel("lyncpool.contoso.test:5061"), (2, false));
    assert_eq!(tunnel("mail.contoso.test:443"), (2, false));
    // A name in the hello counts more than the one that the proxy was told.
    let named = servers(|good, bad| {
        elsewhere(bad);
        bad.handshakes[0].server = "192.0.2.1:3128".into();
        bad.handshakes[0].tunnel_to = Some("192.0.2.7:443".into());
        for device in [good, bad] {
            device.handshakes[0].server_name = Some("pool.contoso.test".into());
        }
    });
    assert_eq!(named, (1, true));
}

#[test]
fn a_tunnel_that_the_proxy_refuses_is_a_connection_that_comes_to_nothing() {
    let mut report = report();
    let bad = &mut report.devices[1];
    let handshake = bad.handshakes.remove(0);
    let event = bad.events.iter_mut().find(|event| event.kind == EventKind::Handshake).unwrap();
    (event.kind, event.server) = (EventKind::Http, Some("192.0.2.1:3128".into()));
    event.summary = "CONNECT lyncpool.contoso.test:443: 407".into();
    let detail = serde_json::json!({"method": "CONNECT", "url": "lyncpool.contoso.test:443", "status": 407});
    event.detail = Some(EventDetail::Http(serde_json::from_value(detail).unwrap()));
    let comparison = compared(&report);
    let words = "the bad one's connection comes to nothing: CONNECT lyncpool.contoso.test:443: 407";
    assert!(comparison.comparable && comparison.conclusion.contains(words), "{}", comparison.conclusion);
    let told: Vec<_> = comparison.steps.iter().filter(|step| step.kind == "handshake").collect();
    let words = "the bad one's tunnel through the proxy 192.0.2.1:3128 comes to nothing";
    assert!(told.len() == 1 && told[0].differences[0].contains(words), "{:?}", told[0].differences);
    // Once the proxy has what it wants, the tunnel opens: then the handshake in it counts.
    let bad = &mut report.devices[1];
    let mut inside = handshake;
    inside.tunnel_to = Some("lyncpool.contoso.test:443".into());
    bad.handshakes.push(inside);
    let comparison = compared(&report);
    assert_eq!(comparison.steps.iter().filter(|step| step.kind == "handshake").count(), 1);
    assert!(comparison.conclusion.contains("downloads"), "{}", comparison.conclusion);
}

#[test]
fn a_failure_with_a_server_that_the_good_one_never_asked_has_nothing_to_be_held_against() {
    let mut report = report();
    let [good, bad] = &mut report.devices[..] else { panic!("two devices") };
    // The bad phone's handshake with the pool works too; the one that fails is with another server.
    let mut works = good.handshakes[0].clone();
    works.capture = USB.into();
    works.frame = 15;
    let failed = &mut bad.handshakes[0];
    failed.server_name = Some("mail.contoso.test".into());
    failed.server = "192.0.2.1:443".into();
    failed.certificates = vec!["0".repeat(64)];
    bad.handshakes.insert(0, works);
    let comparison = compared(&report);
    assert!(comparison.comparable && !comparison.agree);
    assert!(comparison.conclusion.contains("which the good one never connects to"), "{}", comparison.conclusion);
    let parting = &comparison.steps[comparison.parting.unwrap()];
    assert_eq!(parting.kind, "fetch", "the first step that differs, not the one that fails");
}

#[test]
fn steps_stand_in_the_order_of_the_good_one() {
    let mut report = report();
    // What only the bad one did comes after what it did before: a lookup between frames 10 and 12 of its trace.
    let mut extra = report.devices[1].events.iter().find(|event| event.frame == Some(10)).unwrap().clone();
    (extra.frame, extra.summary) = (Some(11), "A mail.contoso.test: 10.20.30.11".into());
    let Some(EventDetail::Dns(dns)) = &mut extra.detail else { panic!("{extra:?}") };
    (dns.question, dns.name, dns.answers) = ("A".into(), "mail.contoso.test".into(), vec!["10.20.30.11".into()]);
    report.devices[1].events.push(extra);
    let comparison = compared(&report);
    let subjects: Vec<_> = comparison.steps.iter().map(|step| step.subject.as_str()).collect();
    let at = |subject: &str| subjects.iter().position(|known| *known == subject).unwrap();
    assert_eq!(at("A mail.contoso.test"), at("SRV _sipinternaltls._tcp.contoso.test") + 1, "{subjects:?}");
    assert_eq!(subjects.last(), Some(&"10.20.30.10:443"));
    let step = &comparison.steps[at("A mail.contoso.test")];
    assert!(step.differs && !step.parts && step.good.is_none());
}

#[test]
fn clocks_that_are_apart_are_a_step() {
    let clock = |offset_s: i64| -> chaingap::report::Clock {
        serde_json::from_value(serde_json::json!({"offset_s": offset_s, "basis": "NTP", "frames": []})).unwrap()
    };
    for (good, bad, steps, parts) in [(2, 200, 0, false), (0, 86_400, 1, true), (-86_400, -86_400, 1, false)] {
        let mut report = report();
        report.devices[0].clock = Some(clock(good));
        report.devices[1].clock = Some(clock(bad));
        let comparison = compared(&report);
        let told: Vec<_> = comparison.steps.iter().filter(|step| step.kind == "clock").collect();
        assert_eq!((told.len(), told.iter().any(|step| step.parts)), (steps, parts), "{good} and {bad}");
    }
}

#[test]
fn a_comparison_reads_back_from_its_json() {
    let text = compare_json(&compared(&report()));
    let back: Comparison = serde_json::from_str(&text).unwrap();
    assert_eq!(compare_json(&back), text);
}

#[test]
fn no_name_from_a_capture_steers_the_terminal_or_breaks_the_columns() {
    let hostile = format!("\u{1b}[31mred\u{9b}2J\r\n\u{202e}evil\u{2066}\u{200b} {}", "long.name/".repeat(40));
    let mut report = report();
    for device in &mut report.devices {
        for event in &mut device.events {
            event.summary = format!("{}{hostile}: {hostile}", event.summary);
            match &mut event.detail {
                Some(EventDetail::Dns(dns)) => {
                    dns.name.push_str(&hostile);
                    dns.answers.push(hostile.clone());
                }
                Some(EventDetail::Dhcp(dhcp)) => dhcp.vendor_class = Some(hostile.clone()),
                Some(EventDetail::Http(http)) => http.url.push_str(&hostile),
                _ => {}
            }
        }
        for fetch in &mut device.fetches {
            fetch.url = Some(format!("http://{hostile}"));
        }
        for handshake in &mut device.handshakes {
            handshake.server_name = Some(hostile.clone());
        }
        device.verdict.summary.push_str(&hostile);
    }
    for certificate in report.certificates.values_mut() {
        certificate.subject = format!("CN={hostile},O=x");
        certificate.issuer.push_str(&hostile);
    }
    for finding in &mut report.findings {
        finding.summary.push_str(&hostile);
        finding.remedies.clear();
        finding.filter = None;
    }
    let comparison = compared(&report);
    for width in [40, 60, 80, 110, 160] {
        let text = compare_text(&comparison, &TextStyle { color: false, width });
        for line in text.lines() {
            assert!(!line.contains(|c: char| c.is_control() || "\u{202e}\u{2066}\u{200b}".contains(c)), "{line:?}");
            // A single word of the conclusion may be longer than the line.
            let words = line.split_whitespace().count();
            assert!(line.chars().count() <= width || words == 1, "{width}: {} {line}", line.chars().count());
        }
        assert!(text.len() < 40_000, "{}", text.len());
    }
}
