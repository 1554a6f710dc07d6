//! Another alert than the recorded one, or another story before it: what that leaves possible.
//!
//! In: samples whose client refuses the server's certificate. Out: the causes that remain. Left to others: alerts as recorded.

use chaingap::report::{Finding, Proof, Report, Severity};

use super::frame::Frame;
use super::samples::sample;

/// The frames with every clear-text fatal alert of the client (RFC 5246 section 7.2) changed to this code.
fn alerting(frames: &[Frame], code: u8) -> Vec<Frame> {
    let changed = |frame: &Frame| match frame.data() {
        Some(segment)
            if segment.tcp.destination_port == 443 && matches!(segment.payload[..], [21, _, _, 0, 2, 2, _]) =>
        {
            let mut segment = segment.clone();
            segment.payload[6] = code;
            frame.with(segment)
        }
        _ => frame.clone(),
    };
    frames.iter().map(changed).collect()
}

fn error(report: &Report) -> &Finding {
    report.findings.iter().find(|finding| finding.severity == Severity::Error).unwrap()
}

/// certificate_expired is "has expired or is not currently valid" (RFC 5246 section 7.2.2).
#[test]
fn certificate_expired_may_mean_that_it_is_not_valid_yet() {
    for name in ["clock-skew", "not-yet-valid"] {
        let report = sample(name).report_after(|frames| alerting(frames, 45));
        assert_eq!(error(&report).code, "CG007", "{name}: {:?}", error(&report));
    }
    // If a certificate has expired, that is what the alert means.
    let report = sample("expired").report_after(|frames| alerting(frames, 45));
    assert_eq!((error(&report).code.as_str(), error(&report).proof), ("CG006", Proof::Proven));
}

/// Without server_name only the lookups tell which name was meant.
#[test]
fn of_several_names_that_led_to_a_server_any_may_be_the_one_meant() {
    let by_name = |report: &Report| {
        let listed = error(report).excluded.iter().find(|excluded| excluded.cause == "name-mismatch");
        (error(report).code.clone(), error(report).proof, listed.map(|excluded| excluded.excluded))
    };
    // The phone was told the pool's name by DHCP and SRV record, and looks that of its updates up as well.
    assert_eq!(by_name(&sample("clock-skew").before), ("CG007".into(), Proof::Proven, Some(true)));
    let is_handed_out = |frame: &Frame| {
        let bytes = frame.bytes();
        let holds = |text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
        // DHCP's magic cookie (RFC 2131 section 3), and the name of the SRV record.
        holds(&[0x63, 0x82, 0x53, 0x63]) || holds(b"_sipinternaltls")
    };
    let without = |frames: &[Frame]| frames.iter().filter(|frame| !is_handed_out(frame)).cloned().collect();
    assert_eq!(by_name(&sample("clock-skew").report_after(without)), ("CG007".into(), Proof::Inferred, Some(false)));
}
