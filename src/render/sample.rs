//! Reports for the tests of every renderer: a phone that fails for want of an intermediate, as another capture shows; one
//! that works; many of both; and the first with words in it that were chosen to break out of wherever they are put.
//!
//! In: nothing. Out: plain values. Left to others: any meaning beyond what the tests read.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::text::{TextStyle, text};
use crate::report::*;

pub(crate) const WIDTH: usize = 110;

/// Words that mean something to HTML, XML, Markdown, shells and terminals, or that change how others are read.
pub(crate) const HOSTILE: &str = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(1)>]]>-->&lt;{{7*7}} \
     `$(id)` | [a](javascript:alert(1)) *b* _c_ \u{1b}[31m\u{9b}2J\u{0}\u{202e}gnp\u{2066}\u{200b}\u{feff}\r\n\u{2713} all is well";

pub(crate) fn sample_text(report: &Report) -> String {
    text(&counted(report.clone()), &TextStyle { color: false, width: WIDTH })
}

/// The report with the sums and faults that belong to its devices and findings. A fault's `id` is its code and server.
pub(crate) fn counted(mut report: Report) -> Report {
    let mut totals = Totals { devices: u64::try_from(report.devices.len()).unwrap(), ..Totals::default() };
    for device in &report.devices {
        totals.handshakes += device.handshakes_total;
        *totals.verdicts.entry(device.verdict.status.as_str().into()).or_default() += 1;
        *totals.sign_ins.entry(device.sign_in.method.as_str().into()).or_default() += 1;
    }
    let mut faults: Vec<Fault> = Vec::new();
    for finding in report.findings.iter_mut().filter(|finding| finding.severity > Severity::Info) {
        let server = finding.server_name.as_ref().or(finding.server.as_ref()).map_or("-", String::as_str);
        let id = format!("{}/{server}", finding.code);
        finding.fault = Some(id.clone());
        let at = faults.iter().position(|fault| fault.id == id).unwrap_or_else(|| {
            faults.push(fault(id, finding));
            faults.len() - 1
        });
        if let Some(device) = finding.device.as_ref().filter(|device| !faults[at].devices.contains(device)) {
            faults[at].devices.push(device.clone());
            faults[at].devices_total += 1;
        }
        faults[at].handshakes_total += finding.occurrences;
    }
    faults.sort_by_key(|fault| std::cmp::Reverse(fault.devices_total));
    (report.totals, report.faults) = (totals, faults);
    report
}

fn fault(id: String, finding: &Finding) -> Fault {
    let device = finding.device.clone();
    Fault {
        id,
        code: finding.code.clone(),
        name: finding.name.clone(),
        severity: finding.severity,
        proof: finding.proof,
        server: finding.server.clone(),
        server_name: finding.server_name.clone(),
        summary: finding.summary.clone(),
        certificates: finding.certificates.clone(),
        missing: finding.missing.clone(),
        remedies: finding.remedies.clone(),
        stacks: Vec::new(),
        devices_total: 0,
        devices: Vec::new(),
        handshakes_total: 0,
        first_time: finding.first_time.clone(),
        last_time: finding.last_time.clone(),
        example: device.map(|device| FaultExample { device, handshake: Some("handshake 9".into()) }),
        filter: None,
        timeline: None,
    }
}

pub(crate) fn sample() -> Report {
    let device = device("10.20.30.50");
    let mut finding = finding("CG001", "missing-intermediate", Severity::Error, &device.verdict.summary);
    finding.proof = Proof::Proven;
    finding.excluded = vec![
        excluded("untrusted-root", "Northwind Global Root G1 is on the phone"),
        excluded("certificate-expired", "no, until 2027-01-30"),
        excluded("clock-skew", "2 s off"),
    ];
    finding.remedies = vec![
        "make the server send it: import the intermediate into LocalMachine\\Intermediate on every server:\n    \
         certutil -addstore CA \"Northwind Policy CA 1.cer\""
            .into(),
        "or sign in once with a PIN, then tether".into(),
    ];
    finding.filter = Some("ip.addr==10.20.30.50 && tcp.port==443 && frame.number>=9 && frame.number<=15".into());
    counted(Report {
        schema: REPORT_SCHEMA.into(),
        tool: Tool { name: "chaingap".into(), version: "0.1.0".into() },
        options: Options { profile: "auto".into(), sign_in: "auto".into(), ..Options::default() },
        complete: true,
        dropped: Dropped::default(),
        captures: vec![capture("captures/pin.pcapng"), capture("captures/usb.pcapng")],
        devices: vec![device],
        certificates: BTreeMap::from([
            ("a".repeat(64), certificate("lyncpool.contoso.test", "Northwind Policy CA 1")),
            ("b".repeat(64), certificate("Northwind Policy CA 1", "Northwind Global Root G1")),
            ("c".repeat(64), certificate("Northwind Global Root G1", "Northwind Global Root G1")),
        ]),
        findings: vec![finding],
        statistics: Statistics::default(),
        totals: Totals::default(),
        faults: Vec::new(),
        groups: Vec::new(),
    })
}

/// Phones that fail, then phones that work.
pub(crate) fn many(failing: usize, working: usize) -> Report {
    let mut report = sample();
    let cause = report.findings[0].clone();
    (report.devices, report.findings) = (Vec::new(), Vec::new());
    for n in 0..failing + working {
        let address = format!("10.0.{}.{}", n / 250, n % 250);
        let mut device = if n < failing { device(&address) } else { ok(&address) };
        if n < failing {
            let id = format!("CG001/{n}");
            report.findings.push(Finding { id: id.clone(), device: Some(device.id.clone()), ..cause.clone() });
            device.verdict.finding = Some(id);
        }
        report.devices.push(device);
    }
    counted(report)
}

/// The sample with these words for every text that the model leaves free, except the kinds of events and the hashes, by
/// which renderers look things up. Members added to the model later are covered by themselves.
pub(crate) fn everywhere(words: &str) -> Report {
    let mut full = sample();
    let at = Place { capture: "captures/usb.pcapng".into(), frame: 15 };
    full.devices[0].mac = Some("02:00:00:00:00:01".into());
    full.devices[0].recognized_as = Some("phone".into());
    full.devices[0].clock = Some(Clock { offset_s: 7200, basis: "NTP".into(), frames: vec![at.clone()] });
    full.devices[0].sign_in.basis = vec![Signal { capture: at.capture.clone(), frame: 9, signal: "no fetch".into() }];
    full.devices[0].fetches = vec![fetch()];
    full.devices[0].handshakes[0].server_name = Some("lyncpool".into());
    full.devices[0].handshakes[0].cipher_suite = Some("suite".into());
    full.devices[0].handshakes[0].chain.missing[0].aia = vec!["http://a/".into()];
    full.devices[0].handshakes[0].chain.completed_path[1].source = Some("source".into());
    let evidence = Evidence { capture: at.capture, frame: Some(9), offset: Some(1), length: Some(2), what: "x".into() };
    full.findings[0].evidence = vec![evidence];
    full.findings[0].excluded.push(Excluded { cause: "open".into(), excluded: false, why: "why".into() });
    full.findings.push(finding("CG017", "capture-incomplete", Severity::Warning, "cut"));
    full.findings.push(Finding { device: None, ..full.findings[1].clone() });
    full.captures[0].problems = vec!["cut".into()];
    full.dropped = Dropped { devices: 1, flows: 1, bytes: 1, why: Some("why".into()) };
    full = counted(full);
    let turned = Timeline {
        from: "2026-01-15T12:00:00Z".into(),
        to: "2026-01-15T13:00:00Z".into(),
        completed_before: 3,
        completed_after: 0,
        completed: vec![2, 1, 0],
        failed: vec![0, 0, 4],
    };
    let (name, versions) = ("s".to_owned(), "v".to_owned());
    let stack = StackAnswer { name, versions, answer: StackVerdict::Refuses, alert: None };
    (full.faults[0].timeline, full.faults[0].stacks) = (Some(turned), vec![stack]);
    let group = |addresses: &[&str]| Group {
        like: full.devices[0].id.clone(),
        verdict: VerdictStatus::Fails,
        faults: vec![full.faults[0].id.clone()],
        devices_total: 1,
        addresses: addresses.iter().collect(),
    };
    full.groups = vec![group(&["10.20.30.52"])];
    full.options.roots = vec!["root.pem".into()];
    full.options.device = Some("device".into());
    full.complete = false;
    for certificate in full.certificates.values_mut() {
        certificate.names = vec!["name".into()];
        certificate.problems = vec!["problem".into()];
        certificate.ca_issuers = vec!["http://a/".into()];
        certificate.seen = vec![Found { capture: "c".into(), frame: Some(1), how: "HTTP".into() }];
    }
    replace(&full, words)
}

/// The sample's phone beside one that fetched what it lacks and works.
pub(crate) fn pair() -> (Report, Comparison) {
    let mut report = sample();
    let mut good = ok("10.20.30.51");
    good.events[1] = event("fetch", 4, "12:00:01.500", "POST http://lyncpool.contoso.test/CertProv/");
    good.events.iter_mut().for_each(|event| event.capture = "captures/pin.pcapng".into());
    good.fetches = vec![Fetch { capture: "captures/pin.pcapng".into(), status: Some(200), problem: None, ..fetch() }];
    let handshake = &mut good.handshakes[0];
    handshake.capture = "captures/pin.pcapng".into();
    (handshake.history, handshake.outcome) = ("CsxnKIFifDdEe".into(), Outcome::Completed);
    report.devices.push(good);
    let pick = |capture| Pick { capture, device: None };
    let comparison = compare(&report, &pick("captures/pin.pcapng"), &pick("captures/usb.pcapng")).unwrap();
    (report, comparison)
}

/// The same with these words everywhere.
pub(crate) fn pair_of(words: &str) -> (Report, Comparison) {
    replace(&pair(), words)
}

/// Every text replaced that may be any text: the value must still read back.
fn replace<T: Serialize + DeserializeOwned>(value: &T, words: &str) -> T {
    let value = serde_json::to_value(value).unwrap();
    let mut pointers = Vec::new();
    texts(&value, String::new(), &mut pointers);
    let free = |pointer: &String| {
        let mut trial = value.clone();
        *trial.pointer_mut(pointer).unwrap() = "any".into();
        T::deserialize(&trial).is_ok()
    };
    let mut hostile = value.clone();
    for pointer in pointers.iter().filter(|pointer| free(pointer)) {
        *hostile.pointer_mut(pointer).unwrap() = words.into();
    }
    T::deserialize(&hostile).unwrap()
}

/// JSON pointers of the texts.
fn texts(value: &serde_json::Value, at: String, pointers: &mut Vec<String>) {
    match value {
        serde_json::Value::String(text) => {
            let hash = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
            if !hash && !at.ends_with("/kind") {
                pointers.push(at);
            }
        }
        serde_json::Value::Array(list) => {
            list.iter().enumerate().for_each(|(index, value)| texts(value, format!("{at}/{index}"), pointers));
        }
        serde_json::Value::Object(members) => {
            members.iter().for_each(|(name, value)| texts(value, format!("{at}/{name}"), pointers));
        }
        _ => {}
    }
}

fn fetch() -> Fetch {
    Fetch {
        capture: "captures/usb.pcapng".into(),
        stream: Some(0),
        frame: 4,
        time: "2026-01-15T12:00:01.500Z".into(),
        via: Via::Http,
        server: "10.20.30.10:80".into(),
        method: Some("POST".into()),
        url: Some("http://lyncpool.contoso.test/CertProv/CertProvisioningService.svc".into()),
        status: Some(404),
        content_type: Some("text/xml".into()),
        certificates: vec!["b".repeat(64)],
        problem: Some("404".into()),
        last_frame: Some(6),
    }
}

pub(crate) fn certificate(subject: &str, issuer: &str) -> Certificate {
    Certificate {
        subject: format!("CN={subject},O=Northwind"),
        issuer: format!("CN={issuer},O=Northwind"),
        serial: "01".into(),
        not_before: Some("2024-01-01T00:00:00Z".into()),
        not_after: Some("2044-01-01T00:00:00Z".into()),
        key: Some("RSA 2048".into()),
        signature_algorithm: Some("sha256WithRSAEncryption".into()),
        names: Vec::new(),
        ca: subject != "lyncpool.contoso.test",
        key_id: None,
        issuer_key_id: None,
        ca_issuers: Vec::new(),
        der: "MAA=".into(),
        problems: Vec::new(),
        seen: Vec::new(),
    }
}

pub(crate) fn capture(path: &str) -> Capture {
    Capture {
        path: path.into(),
        format: Some("pcapng".into()),
        compression: None,
        link_types: vec!["ETHERNET".into()],
        packets: 300,
        bytes: 40_000,
        first_time: None,
        last_time: None,
        cut_packets: 0,
        problems: Vec::new(),
        notes: Vec::new(),
    }
}

/// A phone with one failed handshake.
pub(crate) fn device(address: &str) -> Device {
    let instant = "2026-01-15T12:00:01.113Z".to_owned();
    let mut absent = event("absent", 0, "", "no certificate fetch on port 80");
    (absent.frame, absent.time) = (None, None);
    let elsewhere = FrameRange { capture: "captures/pin.pcapng".into(), first_frame: 14, last_frame: 22 };
    absent.elsewhere = Some(elsewhere);
    let tls = "10.20.30.10:443  TLS 1.0  CsxnL  client: fatal unknown_ca, frame 15";
    Device {
        id: format!("device {address}"),
        addresses: vec![DeviceAddress { address: address.into(), first: instant.clone(), last: instant }],
        mac: None,
        identity_basis: "one address within one capture".into(),
        shared_address: false,
        recognized_as: None,
        recognized_by: Vec::new(),
        profile: DeviceProfile { name: "lync-phone-edition".into(), basis: ProfileBasis::Recognized },
        verdict: Verdict {
            status: VerdictStatus::Fails,
            summary: "TLS handshake fails: intermediate certificate \"Northwind Policy CA 1\" is missing".into(),
            finding: Some("CG001/sample".into()),
        },
        clock: None,
        sign_in: SignIn {
            method: SignInMethod::UsbTethered,
            strength: SignInStrength::ConsistentWith,
            basis: Vec::new(),
        },
        events: vec![
            event("dhcp", 1, "12:00:01.113", "lease, vendor class MS-UC-Client"),
            absent,
            event("handshake", 9, "12:00:02.020", tls),
        ],
        fetches: Vec::new(),
        handshakes_total: 1,
        handshakes_omitted: 0,
        handshakes: vec![handshake()],
    }
}

/// A phone whose handshakes work.
pub(crate) fn ok(address: &str) -> Device {
    let mut device = device(address);
    device.verdict.status = VerdictStatus::Ok;
    device.verdict.summary = "TLS works: 1 handshake completed".into();
    device.verdict.finding = None;
    device
}

pub(crate) fn event(kind: &str, frame: u64, clock: &str, summary: &str) -> Event {
    Event {
        capture: "captures/usb.pcapng".into(),
        frame: Some(frame),
        time: Some(format!("2026-01-15T{clock}Z")),
        kind: *EventKind::ALL.iter().find(|known| known.as_str() == kind).unwrap(),
        summary: summary.into(),
        server: (kind == "handshake").then(|| "10.20.30.10:443".into()),
        elsewhere: None,
        detail: None,
    }
}

fn handshake() -> Handshake {
    let found = Found { capture: "captures/pin.pcapng".into(), frame: Some(18), how: "HTTP".into() };
    let missing = Missing {
        subject: "CN=Northwind Policy CA 1,O=Northwind".into(),
        key_id: None,
        aia: Vec::new(),
        candidates: vec![MissingCandidate { sha256: "b".repeat(64), found_in: vec![found] }],
    };
    let leaf = sent("lyncpool.contoso.test", 'a');
    let between = step("Northwind Policy CA 1", 'b', StepFrom::Seen, false);
    Handshake {
        id: "handshake 9".into(),
        capture: "captures/usb.pcapng".into(),
        stream: Some(0),
        frame: 9,
        time: "2026-01-15T12:00:02.020Z".into(),
        also_seen: Vec::new(),
        client: "10.20.30.50:49152".into(),
        server: "10.20.30.10:443".into(),
        tunnel_to: None,
        server_name: None,
        client_version: Some("TLS 1.0".into()),
        version: Some("TLS 1.0".into()),
        cipher_suite: None,
        client_hello: None,
        client_stack: None,
        server_hello: None,
        key_exchange: None,
        resumed: false,
        history: "CsxnL".into(),
        certificates: vec!["a".repeat(64)],
        client_certificates: Vec::new(),
        certificate_request: None,
        alerts: Vec::new(),
        clear_text: None,
        outcome: Outcome::RejectedByClient,
        end: End { by: Some(Party::Client), how: EndHow::Alert, frame: Some(15) },
        recovered_by: None,
        chain: Chain {
            status: ChainStatus::MissingIntermediate,
            proof: Some(Proof::Proven),
            judged_at: None,
            path: vec![leaf.clone()],
            completed_path: vec![leaf, between, anchor("Northwind Global Root G1", 'c')],
            missing: vec![missing],
        },
        client_chain: None,
        repeats: 0,
    }
}

pub(crate) fn step(name: &str, sha: char, from: StepFrom, held: bool) -> Step {
    Step {
        sha256: Some(sha.to_string().repeat(64)),
        subject: format!("CN={name},O=Northwind"),
        spki_sha256: sha.to_string().repeat(64),
        from,
        held,
        source: None,
        capture: None,
        frame: None,
    }
}

pub(crate) fn sent(name: &str, sha: char) -> Step {
    step(name, sha, StepFrom::Sent, true)
}

pub(crate) fn anchor(name: &str, sha: char) -> Step {
    Step { source: Some("captures/pki/root.pem".into()), ..step(name, sha, StepFrom::Anchor, true) }
}

pub(crate) fn finding(code: &str, name: &str, severity: Severity, summary: &str) -> Finding {
    Finding {
        id: format!("{code}/sample"),
        fault: None,
        code: code.into(),
        name: name.into(),
        severity,
        proof: Proof::Inferred,
        device: Some("device 10.20.30.50".into()),
        capture: Some("captures/usb.pcapng".into()),
        stream: Some(0),
        server: Some("10.20.30.10:443".into()),
        server_name: None,
        occurrences: 1,
        first_time: None,
        last_time: None,
        summary: summary.into(),
        evidence: Vec::new(),
        excluded: Vec::new(),
        caused_by: None,
        recovered_by: None,
        certificates: Vec::new(),
        missing: Vec::new(),
        stacks: Vec::new(),
        remedies: Vec::new(),
        filter: None,
    }
}

fn excluded(cause: &str, why: &str) -> Excluded {
    Excluded { cause: cause.into(), excluded: true, why: why.into() }
}
