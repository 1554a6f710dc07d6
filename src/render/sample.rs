//! A report for the tests: one phone that fails for want of an intermediate, as another capture shows.
//!
//! In: nothing. Out: plain values. Left to others: any meaning beyond what the tests read.

use std::collections::BTreeMap;

use super::{TextStyle, text};
use crate::report::*;

pub(crate) const WIDTH: usize = 110;

pub(crate) fn sample_text(report: &Report) -> String {
    text(report, &TextStyle { color: false, width: WIDTH })
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
    Report {
        schema: REPORT_SCHEMA.into(),
        tool: Tool { name: "chaingap".into(), version: "0.1.0".into() },
        options: Options { profile: "auto".into(), sign_in: "auto".into(), ..Options::default() },
        complete: true,
        dropped: Dropped::default(),
        captures: vec![capture("captures/pin.pcapng"), capture("captures/usb.pcapng")],
        devices: vec![device],
        certificates: BTreeMap::new(),
        findings: vec![finding],
        statistics: Statistics::default(),
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
        kind: kind.into(),
        summary: summary.into(),
        elsewhere: None,
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
        server_name: None,
        client_version: Some("TLS 1.0".into()),
        version: Some("TLS 1.0".into()),
        cipher_suite: None,
        resumed: false,
        history: "CsxnL".into(),
        certificates: vec!["a".repeat(64)],
        client_certificates: Vec::new(),
        certificate_request: None,
        alerts: Vec::new(),
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
        remedies: Vec::new(),
        filter: None,
    }
}

fn excluded(cause: &str, why: &str) -> Excluded {
    Excluded { cause: cause.into(), excluded: true, why: why.into() }
}
