//! Copies of the same bytes that differ, checksums that never fit, and captures whose own clock cannot be right.
//!
//! In: the samples. Out: failures where a verdict does not follow docs/verdict.md, steps 9 and 10. Left to others: a copy
//! with a wrong checksum before the right one (`a_damaged_copy_before_the_good_one`).

use chaingap::report::{Proof, Report, Severity, VerdictStatus};

use super::frame::Frame;
use super::same_after;
use super::samples::sample;

/// The frames as captured on the sender itself, whose network card fills in the checksums only later.
fn offloaded(frames: &[Frame], by_server: bool) -> Vec<Frame> {
    let without_checksum = |frame: &Frame| match frame.segment() {
        Some(segment) if (segment.tcp.source_port < segment.tcp.destination_port) == by_server => {
            let mut segment = segment.clone();
            segment.tcp.checksum = segment.checksum() ^ 0x1234;
            segment.stale = true;
            frame.with(segment)
        }
        _ => frame.clone(),
    };
    frames.iter().map(without_checksum).collect()
}

#[test]
fn a_side_whose_checksums_never_fit() {
    same_after("the server's checksums are left to its card", |frames| offloaded(frames, true));
    same_after("the client's checksums are left to its card", |frames| offloaded(frames, false));
}

/// After each clear-text segment of the server a copy of it, with one byte changed and a checksum that fits.
fn two_copies(frames: &[Frame]) -> Vec<Frame> {
    let with_copy = |frame: &Frame| -> Vec<Frame> {
        let Some(segment) = frame.data().filter(|segment| segment.tcp.source_port == 443) else {
            return vec![frame.clone()];
        };
        let mut other = segment.clone();
        let middle = other.payload.len() / 2;
        other.payload[middle] ^= 0x5a;
        vec![frame.clone(), frame.with(other)]
    };
    frames.iter().flat_map(with_copy).collect()
}

#[test]
fn two_copies_with_nothing_to_tell_which_was_taken() {
    for name in ["expired", "usb-sign-in.bundle", "root-unknown.bundle"] {
        let sample = sample(name);
        let surely =
            |report: &Report| report.findings.iter().any(|f| f.severity == Severity::Error && f.proof == Proof::Proven);
        assert!(surely(&sample.before), "{name} is proven as recorded");
        let after = sample.report_after(two_copies);
        assert!(!surely(&after), "{name}: {:?}", after.findings);
        assert_eq!(after.devices[0].verdict.status, VerdictStatus::Undecided, "{name}");
        let told = after.findings.iter().find(|finding| finding.code == "CG017").unwrap();
        assert!(told.summary.contains("two different copies of the same bytes"), "{name}: {}", told.summary);
    }
}

/// The recording as a computer whose clock is wrong would have made it.
fn recorded_at(frames: &[Frame], seconds: i64) -> Vec<Frame> {
    let first = frames.first().map_or(0, |frame| frame.time);
    frames.iter().map(|frame| Frame { time: frame.time - first + seconds * 1_000_000_000, ..frame.clone() }).collect()
}

#[test]
fn dates_are_not_judged_by_a_clock_that_cannot_be_right() {
    // 1980-01-01, and 2001-09-09, which is before every certificate of the samples was made.
    for seconds in [315_532_800, 1_000_000_000] {
        for name in ["expired", "not-yet-valid"] {
            let after = sample(name).report_after(|frames| recorded_at(frames, seconds));
            let dates = |finding: &&chaingap::report::Finding| ["CG006", "CG007"].contains(&finding.code.as_str());
            for finding in after.findings.iter().filter(dates) {
                assert_eq!(finding.proof, Proof::Undecidable, "{name} at {seconds}: {}", finding.summary);
            }
            let clock = after.findings.iter().find(|finding| finding.code == "CG017").unwrap();
            assert!(clock.summary.contains("clock cannot be right"), "{name} at {seconds}: {}", clock.summary);
        }
    }
}
