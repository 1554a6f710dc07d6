//! What is no failure: connections that are opened and left unused, idle ones, scans, and a recorder whose clock is wrong.
//!
//! In: what clients and servers said in the samples, in connections behind each other. Out: failed tests where such a
//! connection is more than information, or hides what matters. What is true follows from how each capture is built.

use std::net::IpAddr;

use chaingap::flow::Side::{Client, Server};
use chaingap::report::{Finding, Proof, Report, Severity, VerdictStatus};

use super::frame::{Frame, Segment};
use super::readdress::{Moves, Who};
use super::session::{
    Words, codes, frames, judge, northwind, northwind_known, only, opens, options, said, session, told, verdicts,
    without_data,
};
use Proof::{Inferred, Proven};
use Severity::{Error, Info, Warning};

const SECOND: i64 = 1_000_000_000;

fn of_code<'r>(report: &'r Report, code: &str) -> Vec<&'r Finding> {
    report.findings.iter().filter(|finding| finding.code == code).collect()
}

/// The occurrences of the finding of a code whose summary has these words.
fn occurrences(report: &Report, code: &str, words: &str) -> Option<u64> {
    of_code(report, code).into_iter().find(|finding| finding.summary.contains(words)).map(|finding| finding.occurrences)
}

fn works() -> (u16, Words, chaingap::flow::Side) {
    (443, said("usb-full-chain.pcapng", 443), Client)
}

/// Connections to ports of the server that refuses them, a hundredth of a second apart.
fn refused(ports: impl Iterator<Item = u16>, from: i64) -> Vec<Frame> {
    let like = frames("usb-sign-in.pcapng");
    let syn = like.iter().find(|frame| opens(frame, 443)).unwrap();
    let server = syn.segment().unwrap().direction().1.ip();
    let back = like.iter().find(|frame| frame.segment().is_some_and(|s| s.tcp.syn && s.tcp.ack)).unwrap();
    let mut out = Vec::new();
    for (number, port) in (0..).zip(ports) {
        let to_port = |frame: &Frame, change: &dyn Fn(&mut Segment)| {
            let mut segment = frame.segment().unwrap().readdressed(|mut end| {
                end.set_port(if end.ip() == server { port } else { end.port() });
                end
            });
            change(&mut segment);
            let time = from + i64::from(number) * SECOND / 100;
            Frame { time, ..frame.with(segment) }
        };
        let first = syn.segment().unwrap().tcp.sequence_number;
        out.push(to_port(syn, &|_| ()));
        out.push(to_port(back, &|segment| {
            (segment.tcp.syn, segment.tcp.rst) = (false, true);
            segment.tcp.acknowledgment_number = first.wrapping_add(1);
        }));
    }
    out
}

#[test]
fn connections_that_are_left_unused_are_information() {
    let unused = || (443, Vec::new(), Client);
    let report = judge(&session(&[unused(), works(), unused()]), &northwind());
    assert_eq!((told(&report), verdicts(&report)), (vec![], vec![VerdictStatus::Ok]));
    assert_eq!(occurrences(&report, "CG030", "left unused"), Some(2));
    assert_eq!(report.statistics.handshakes, 1);
    // Beside a failure they change nothing.
    let refused = (443, said("usb-sign-in.pcapng", 443), Client);
    let alone = judge(&session(std::slice::from_ref(&refused)), &northwind_known());
    let beside = judge(&session(&[unused(), refused, unused()]), &northwind_known());
    assert_eq!((told(&alone), verdicts(&alone)), (told(&beside), verdicts(&beside)));
}

#[test]
fn a_connection_that_was_idle_before_it_was_closed_is_information() {
    for closes in [Server, Client] {
        let idle = |nanos: i64| {
            let mut frames = session(&[(443, without_data(said("usb-full-chain.pcapng", 443)), closes)]);
            let end = frames.len() - 2;
            frames[end..].iter_mut().for_each(|frame| frame.time += nanos);
            judge(&frames, &northwind())
        };
        let report = idle(60 * SECOND);
        assert_eq!((told(&report), verdicts(&report)), (vec![], vec![VerdictStatus::Ok]), "{closes:?}");
        assert_eq!(occurrences(&report, "CG030", "30 seconds of silence"), Some(1));
        assert!(!codes(&idle(20 * SECOND)).is_empty() || closes == Client, "closed too early to be idle");
    }
}

#[test]
fn a_handshake_under_way_at_the_end_of_the_capture_is_no_headline() {
    let whole = session(&[works(), works()]);
    // The second connection ends with the client's hello, then with each further segment before its data.
    let second = whole.iter().rposition(|frame| opens(&frame, 443)).unwrap();
    let words = without_data(said("usb-full-chain.pcapng", 443)).len();
    for kept in 3..3 + words {
        let report = judge(&whole[..second + kept], &northwind());
        assert_eq!((told(&report), verdicts(&report)), (vec![], vec![VerdictStatus::Ok]), "{kept} frames of it");
    }
    // Without the first connection nothing is known.
    let alone = judge(&whole[second..second + 3], &northwind());
    assert_eq!(verdicts(&alone), [VerdictStatus::Undecided]);
    assert_eq!(codes(&alone), ["CG017"]);
}

#[test]
fn a_scan_is_said_once() {
    let fails = session(&[(443, said("usb-sign-in.pcapng", 443), Client)]);
    let end = fails.last().unwrap().time;
    let scan = |ports: std::ops::Range<u16>| {
        let frames = [fails.clone(), refused(ports.chain([80, 389, 5061]), end + SECOND)].concat();
        judge(&frames, &northwind_known())
    };
    let report = scan(1000..1030);
    assert_eq!(told(&report), [("CG001", Error, Proven)]);
    let finding = only(&report, "CG020");
    assert_eq!((finding.severity, finding.occurrences), (Info, 33));
    // Thirteen ports and these three are none.
    let few = scan(1000..1013);
    assert_eq!(of_code(&few, "CG020").len(), 3);
    assert!(of_code(&few, "CG020").iter().all(|finding| finding.severity >= Warning));
}

#[test]
fn a_dead_host_in_clear_is_no_headline_above_failed_tls() {
    let hello: Words = said("usb-sign-in.pcapng", 443).into_iter().take(1).collect();
    let fails = session(&[(443, hello, Server)]);
    let end = fails.last().unwrap().time;
    let with = |port: u16| judge(&[fails.clone(), refused([port].into_iter(), end + SECOND)].concat(), &northwind());
    let report = with(80);
    let headline = report.devices[0].verdict.finding.clone().unwrap();
    assert!(!headline.starts_with("CG020"), "{headline}");
    assert_eq!(only(&report, "CG020").severity, Warning);
    assert_eq!(only(&with(5061), "CG020").severity, Error, "a port of TLS may be what the sign-in needs");
}

/// The frames with the phone at several places at once, each with random values of its own behind the time.
fn several(one: &[Frame], places: std::ops::Range<u8>) -> Vec<Frame> {
    let phone: IpAddr = "10.20.30.50".parse().unwrap();
    let mut all = one.to_vec();
    for place in places {
        let mut moved = Moves::to(place, one, Who::Only(&[phone])).apply(one);
        for frame in &mut moved {
            if let Some(segment) = frame.segment().filter(|s| matches!(s.payload[..], [22, 3, _, _, _, 1 | 2, ..])) {
                let mut segment = segment.clone();
                segment.payload[20] ^= place;
                *frame = frame.with(segment);
            }
        }
        all.extend(moved);
    }
    all.sort_by_key(|frame| frame.time);
    all
}

#[test]
fn a_wrong_clock_of_the_recorder_is_said_once() {
    let one = frames("clock-skew-harmless.pcapng").to_vec();
    let roots = options(&["woodgrove-root"], &[]);
    let skewed = |report: &Report| of_code(report, "CG014").len();
    assert_eq!(skewed(&judge(&one, &roots)), 1, "one device alone");
    let report = judge(&several(&one, 1..3), &roots);
    assert_eq!((report.devices.len(), skewed(&report)), (3, 0), "{:?}", told(&report));
    let finding = only(&report, "CG017");
    assert_eq!((finding.device.as_deref(), finding.proof), (None, Inferred));
    assert!(finding.summary.contains("60 min slow") || finding.summary.contains("60 min fast"), "{}", finding.summary);
    // A device whose clock is right stands out then.
    let belied = frames("clock-skew.pcapng").to_vec();
    assert_eq!(skewed(&judge(&belied, &roots)), 1);
}

#[test]
fn certificates_keep_clocks_that_are_off_alike_from_being_the_recorders() {
    // The certificate is valid at the packets' time, and not yet by the clock that all three phones share.
    let one = frames("clock-skew.pcapng").to_vec();
    let report = judge(&several(&one, 1..3), &options(&["root"], &[]));
    assert_eq!(report.devices.len(), 3);
    assert_eq!(of_code(&report, "CG014").iter().map(|finding| finding.occurrences).sum::<u64>(), 3);
    assert!(of_code(&report, "CG017").iter().all(|finding| !finding.summary.contains("clock is likely")));
}

#[test]
fn another_protocol_on_a_port_of_tls_is_information() {
    let talk = || -> Words {
        vec![
            (Server, b"220 mail.contoso.test ESMTP Postfix\r\n".to_vec()),
            (Client, b"QUIT\r\n".to_vec()),
            (Server, b"221 2.0.0 Bye\r\n".to_vec()),
        ]
    };
    let beside = |port: u16| judge(&session(&[works(), (port, talk(), Client), (port, talk(), Client)]), &northwind());
    let report = beside(5061);
    assert_eq!((told(&report), verdicts(&report)), (vec![], vec![VerdictStatus::Ok]));
    assert_eq!(occurrences(&report, "CG029", "another protocol in clear on a port of TLS"), Some(2));
    assert_eq!(only(&report, "CG029").severity, Info);
    // On a port of its own it is worth no word.
    assert_eq!(of_code(&beside(25), "CG029").len(), 0);
}

#[test]
fn a_spare_connection_of_tls_1_3_is_information() {
    // The client's ChangeCipherSpec and Finished are its second word; then it closes.
    let words = said("tls13-works.pcapng", 443);
    let finished = words.iter().rposition(|(side, bytes)| *side == Client && bytes.starts_with(&[20, 3, 3, 0, 1, 1]));
    let spare: Words = words[..=finished.unwrap()].to_vec();
    let report = judge(&session(&[(443, words.clone(), Client), (443, spare.clone(), Client)]), &northwind());
    assert_eq!((told(&report), verdicts(&report)), (vec![], vec![VerdictStatus::Ok]));
    assert_eq!(occurrences(&report, "CG030", "left unused"), Some(1));
    // Without a success beside it nobody knows, and an alert in place of the Finished is a refusal.
    assert_eq!(verdicts(&judge(&session(&[(443, spare, Client)]), &northwind())), [VerdictStatus::Undecided]);
    let refused = said("tls13-fails-gnutls.pcapng", 443);
    let report = judge(&session(&[(443, words, Client), (443, refused, Client)]), &northwind());
    assert_eq!(occurrences(&report, "CG030", "left unused"), None);
}
