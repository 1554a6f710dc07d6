//! What a device knew and had at the time of a handshake: clocks that are set in between, lookups and downloads that
//! come too late, failures that last.
//!
//! In: what clients and servers said in the samples, in connections behind each other, with other times in the hellos
//! and frames moved. Out: failed tests where what came later, or belongs to another device, is held against a
//! handshake. What must be said follows from what was done: when, and by whom.

use chaingap::expectations::Options;
use chaingap::flow::Side;
use chaingap::report::{Proof, Report, Severity, VerdictStatus};

use super::frame::{Body, Frame};
use super::session::{
    codes, frames, judge, northwind, northwind_known, only, opens, options, said, session, told, verdicts,
};

use Proof::{Inferred, Proven, Undecidable};
use Severity::{Error, Warning};
use Side::Client;

const SECOND: i64 = 1_000_000_000;
const YEAR: i64 = 365 * 86_400;

/// The same hellos, each with a clock that is off by so many seconds, or without a time (RFC 5246 section 7.4.1.2).
fn telling(mut frames: Vec<Frame>, clocks: &[Option<i64>]) -> Vec<Frame> {
    let mut clocks = clocks.iter();
    for frame in &mut frames {
        if !is_hello(frame) {
            continue;
        }
        let mut segment = frame.data().unwrap().clone();
        let clock = clocks.next().unwrap().map_or(u32::MAX, |off| u32::try_from(frame.time / SECOND + off).unwrap());
        segment.payload[11..15].copy_from_slice(&clock.to_be_bytes());
        *frame = frame.with(segment);
    }
    assert_eq!(clocks.next(), None);
    frames
}

fn is_hello(frame: &Frame) -> bool {
    frame.data().is_some_and(|segment| matches!(segment.payload[..], [22, 3, _, _, _, 1, ..]))
}

/// The frames, shifted to begin at another time.
fn moved(mut frames: Vec<Frame>, to: i64) -> Vec<Frame> {
    let by = to - frames[0].time;
    frames.iter_mut().for_each(|frame| frame.time += by);
    frames
}

/// Datagrams from or to a port, IPv4 without options.
fn datagrams(capture: &str, port: u16) -> Vec<Frame> {
    let of_port = |frame: &&Frame| match &frame.body {
        Body::Other(net) if net[0] == 0x45 && net[9] == 17 => {
            net[20..24].chunks(2).any(|end| end == port.to_be_bytes())
        }
        _ => false,
    };
    frames(capture).iter().filter(of_port).cloned().collect()
}

fn in_order(mut frames: Vec<Frame>) -> Vec<Frame> {
    frames.sort_by_key(|frame| frame.time);
    frames
}

fn count(report: &Report, code: &str) -> u64 {
    report.findings.iter().filter(|finding| finding.code == code).map(|finding| finding.occurrences).sum()
}

#[test]
fn each_handshake_is_judged_by_the_clock_that_the_device_had_then() {
    let refused = || (443, said("clock-skew.pcapng", 443), Client);
    let woodgrove = options(&["woodgrove-root"], &[]);
    // The device's clock says 2006 twice and is set; then it refuses the same chain for another reason.
    let set = session(&[refused(), refused(), refused(), refused()]);
    let report = judge(&telling(set, &[Some(-20 * YEAR), Some(-20 * YEAR), Some(0), Some(1)]), &woodgrove);
    assert_eq!((count(&report, "CG007"), count(&report, "CG023")), (2, 2), "{:?}", told(&report));
    // A third stack, whose hellos hold no time.
    let third = session(&[refused(), refused(), refused()]);
    let report = judge(&telling(third, &[Some(-20 * YEAR), Some(-20 * YEAR), None]), &woodgrove);
    assert_eq!((count(&report, "CG007"), count(&report, "CG023")), (2, 1), "{:?}", told(&report));
}

#[test]
fn a_clock_that_was_never_set_is_a_clock_if_it_advances() {
    let refused = || (443, said("clock-skew.pcapng", 443), Client);
    let frames = session(&[refused(), refused()]);
    // Two hours after 1970-01-01.
    let off = 7_200 - frames[0].time / SECOND;
    let report = judge(&telling(frames.clone(), &[Some(off), Some(off)]), &options(&["woodgrove-root"], &[]));
    assert_eq!((count(&report, "CG007"), count(&report, "CG014")), (2, 1), "{:?}", told(&report));
    // A proxy repeats the random value of a hello: that is one reading, and tells no clock.
    let hellos: Vec<i64> = frames.iter().filter(|frame| is_hello(frame)).map(|frame| frame.time / SECOND).collect();
    let same = hellos.iter().map(|time| Some(off + hellos[0] - time)).collect::<Vec<_>>();
    let report = judge(&telling(frames, &same), &options(&["woodgrove-root"], &[]));
    assert_eq!((count(&report, "CG007"), count(&report, "CG014")), (0, 0), "{:?}", told(&report));
}

#[test]
fn a_chain_that_the_same_client_accepted_before_is_not_refused_for_its_links() {
    // The same leaf alone, once from a phone that had the intermediates and once from one that had not.
    let works = (443, said("usb-after-pin.pcapng", 443), Client);
    let refused = || (443, said("usb-sign-in.pcapng", 443), Client);
    let codes = |report: &Report| -> Vec<String> {
        let errors = report.findings.iter().filter(|finding| finding.severity == Error);
        errors.map(|finding| finding.code.clone()).collect()
    };
    assert_eq!(codes(&judge(&session(&[refused()]), &northwind_known())), ["CG001"]);
    let report = judge(&session(&[works, refused()]), &northwind_known());
    assert_eq!(codes(&report), ["CG023"], "{:?}", told(&report));
    let finding = report.findings.iter().find(|finding| finding.code == "CG023").unwrap();
    let links = finding.excluded.iter().find(|other| other.cause == "missing-intermediate").unwrap();
    assert!(links.excluded && links.why.contains("accepted these certificates in frame"), "{}", links.why);
}

#[test]
fn a_clock_that_is_told_after_the_refusal_excludes_nothing() {
    // bad_certificate may mean the dates, too (RFC 5246 section 7.2.2).
    let refused = session(&[(443, said("gnutls-missing-intermediate.pcapng", 443), Client)]);
    let (start, end) = (refused[0].time, refused.last().unwrap().time);
    let told_the_time = |at: i64| {
        let time = moved(datagrams("ntp-answered.pcapng", 123), at);
        assert!(time.len() >= 2);
        only(&judge(&in_order([time, refused.clone()].concat()), &northwind_known()), "CG001").proof
    };
    assert_eq!(told_the_time(start - 10 * SECOND), Proven);
    assert_eq!(told_the_time(end + 10 * SECOND), Inferred);
}

#[test]
fn what_was_looked_up_after_the_refusal_is_no_name_that_led_there() {
    // A valid chain, refused with bad_certificate, at an address to which another name resolves.
    let refused = telling(session(&[(443, said("clock-skew.pcapng", 443), Client)]), &[None]);
    let (start, end) = (refused[0].time, refused.last().unwrap().time);
    let mut look_up = datagrams("other-ca-refused.pcapng", 53);
    let mail = |frame: &Frame| frame.bytes().windows(6).any(|bytes| bytes == b"\x04mail\x07");
    look_up.retain(mail);
    assert_eq!(look_up.len(), 2);
    let Body::Other(answer) = &mut look_up[1].body else { panic!("no datagram") };
    let address = answer.windows(4).rposition(|bytes| bytes == [10, 20, 30, 11]).unwrap();
    answer[address + 3] = 10;
    let found = |at: i64| {
        let frames = in_order([moved(look_up.clone(), at), refused.clone()].concat());
        let report = judge(&frames, &options(&["woodgrove-root"], &[]));
        codes(&report).join(" ")
    };
    assert_eq!(found(start - 10 * SECOND), "CG008");
    assert_eq!(found(end + 10 * SECOND), "CG023");
}

#[test]
fn what_an_open_connection_had_brought_counts() {
    let works = (443, said("usb-full-chain.pcapng", 443), Client);
    let refused = (443, said("usb-sign-in.pcapng", 443), Client);
    let proof = |frames: &[Frame]| only(&judge(frames, &northwind_known()), "CG001").proof;
    assert_eq!(proof(&session(std::slice::from_ref(&refused))), Proven);
    let frames = session(&[works, refused]);
    let first = frames.iter().find(|frame| opens(frame, 443)).unwrap().segment().unwrap().direction();
    let end = frames.last().unwrap().time;
    // First the first connection is closed in time, then only after the second.
    assert_eq!(proof(&frames), Inferred);
    let mut late = frames;
    for frame in &mut late {
        let segment = frame.segment().unwrap();
        let (from, to) = segment.direction();
        if segment.tcp.fin && (from == first.0 || to == first.0) {
            frame.time += end;
        }
    }
    assert_eq!(proof(&in_order(late)), Inferred);
}

#[test]
fn failures_that_last_to_the_end_are_not_made_up_for() {
    let works = (443, said("usb-full-chain.pcapng", 443), Client);
    let refused = (443, said("usb-sign-in.pcapng", 443), Client);
    // More than are kept for one device.
    let mut all = vec![refused.clone()];
    all.extend(std::iter::repeat_n(works.clone(), 70));
    all.extend(std::iter::repeat_n(refused, 3));
    let report = judge(&session(&all), &northwind_known());
    assert_eq!((only(&report, "CG001").severity, verdicts(&report)), (Error, vec![VerdictStatus::Fails]));
    assert_eq!(only(&report, "CG001").occurrences, 4);
    all.push(works);
    let report = judge(&session(&all), &northwind_known());
    assert_eq!((only(&report, "CG001").severity, verdicts(&report)), (Warning, vec![VerdictStatus::Degraded]));
}

#[test]
fn a_silence_of_the_capture_is_none_of_the_server() {
    let refused = session(&[(443, said("usb-sign-in.pcapng", 443), Client)]);
    let hello = refused.iter().position(|frame| frame.data().is_some()).unwrap();
    // The recorder loses what the server sends for twelve seconds; the client's alert acknowledges it.
    let mut lossy = Vec::new();
    for (at, frame) in refused.into_iter().enumerate() {
        let of_server = frame.segment().unwrap().tcp.source_port == 443;
        if at <= hello {
            lossy.push(frame);
        } else if !(of_server && frame.data().is_some()) {
            lossy.push(Frame { time: frame.time + 12 * SECOND, ..frame });
        }
    }
    let report = judge(&lossy, &northwind());
    assert!(told(&report).iter().all(|(code, ..)| *code != "CG015"), "{:?}", told(&report));
    assert_eq!(verdicts(&report), [VerdictStatus::Undecided]);
}

#[test]
fn several_servers_of_one_name_may_have_several_faults() {
    let connection = |capture: &str| (443, said(capture, 443), Client);
    let both = session(&[connection("root-unknown.pcapng"), connection("one-tier-by-serial.pcap")]);
    let report = judge(&both, &options(&["fabrikam-root"], &["one-tier"]));
    assert_eq!(codes(&report), ["CG002", "CG002"]);
}

#[test]
fn the_headline_is_what_is_known() {
    // One server whose chain has two faults, and a client that says nothing; another, whose root the client refuses.
    let connection = |capture: &str, port: u16| (port, said(capture, 443), Client);
    let mut silent = connection("usb-sign-in.pcapng", 443);
    silent.1.retain(|(_, bytes)| bytes[0] != 21);
    let both = session(&[silent, connection("one-tier-by-serial.pcap", 5061)]);
    let at = Some("2090-01-01T00:00:00Z".into());
    let report = judge(&both, &Options { at, ..options(&["root"], &["issuing", "policy", "one-tier"]) });
    let headline = report.devices[0].verdict.finding.as_deref();
    let headline = report.findings.iter().find(|finding| Some(finding.id.as_str()) == headline).unwrap();
    assert_eq!(
        (headline.code.as_str(), verdicts(&report)),
        ("CG002", vec![VerdictStatus::Fails]),
        "{:?}",
        told(&report)
    );
    assert!(
        told(&report).iter().any(|(_, severity, proof)| (*severity, *proof) == (Error, Undecidable)),
        "{:?}",
        told(&report)
    );
}
