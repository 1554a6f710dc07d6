//! Flights that never arrive: they are sent again, and nobody acknowledges them.
//!
//! In: the samples. Out: failed tests where such a flight is not the cause, or where anything is said about certificates
//! that the device never had (docs/verdict.md, step 6). Left to others: bytes that only the capture lacks (`loss`).

use chaingap::report::{Device, Report, Severity};

use super::disorder::duplicate;
use super::frame::{Direction, Frame, Segment};
use super::loss::findings_of;
use super::samples::{Recording, SAMPLES, Sample, sample};
use super::stream::connections;
use super::{report, same_after};
use support::{share, share_of};

const MILLISECOND: i64 = 1_000_000;
/// When a flight is sent again, after it was sent: as Linux does on a path where it takes no time (RFC 6298 section 5).
const AGAIN: [i64; 3] = [200 * MILLISECOND, 600 * MILLISECOND, 1_400 * MILLISECOND];
/// Longer than the ten seconds after which a connection counts as stalled.
const LATE: i64 = 13_000 * MILLISECOND;
/// ContentType of an alert, RFC 8446 section 5.1.
const ALERT: u8 = 21;

/// The codes of findings about certificates, of servers and of clients.
const ABOUT_CERTIFICATES: [&str; 19] = [
    "CG001", "CG002", "CG003", "CG006", "CG007", "CG008", "CG011", "CG012", "CG013", "CG016", "CG018", "CG019",
    "CG022", "CG023", "CG025", "CG026", "CG028", "CG032", "CG033",
];

/// Who closes the connection after the flight was sent in vain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Closer {
    Sender,
    Receiver,
    Nobody,
}

/// The frames with the first flight of one side of each TLS connection sent again and never acknowledged, and the
/// directions of these clients.
fn in_vain(frames: &[Frame], by_client: bool, closer: Closer) -> (Vec<Frame>, Vec<Direction>) {
    let (mut out, mut clients) = (frames.to_vec(), Vec::new());
    for connection in connections(frames) {
        let client = connection.client.direction;
        let sender = if by_client { client } else { (client.1, client.0) };
        let of = |frame: &Frame| frame.segment().map(Segment::direction);
        let is_of = |frame: &Frame| of(frame).is_some_and(|it| it == client || it == (client.1, client.0));
        let says = |frame: &Frame, direction: Direction| of(frame) == Some(direction) && frame.data().is_some();
        let Some(first) = frames.iter().position(|frame| says(frame, sender)) else { continue };
        let answers = |frame: &Frame| {
            of(frame) == Some((sender.1, sender.0))
                && frame.segment().is_some_and(|segment| segment.closes() || !segment.payload.is_empty())
        };
        let end = (first..frames.len()).find(|at| answers(&frames[*at])).unwrap_or(frames.len());
        let flight: Vec<&Frame> = frames[first..end].iter().filter(|frame| says(frame, sender)).collect();
        let last_of_receiver = frames[..first].iter().rfind(|frame| of(frame) == Some((sender.1, sender.0)));
        let alerts = flight.iter().any(|frame| frame.data().is_some_and(|segment| segment.payload[0] == ALERT));
        let (Some(receiver), false) = (last_of_receiver, alerts) else { continue };
        let mut left = frames[..first].iter().filter(|frame| is_of(frame)).count();
        out.retain(|frame| {
            let is_kept = !is_of(frame) || left > 0;
            left -= usize::from(is_of(frame) && left > 0);
            is_kept
        });
        out.extend(lost(&flight, receiver, closer));
        clients.push(client);
    }
    out.sort_by_key(|frame| frame.time);
    (out, clients)
}

/// A flight that is sent, and sent again, and the end of its connection.
fn lost(flight: &[&Frame], receiver: &Frame, closer: Closer) -> Vec<Frame> {
    let open = |frame: &Frame| {
        let mut segment = frame.segment().unwrap().clone();
        segment.tcp.fin = false;
        frame.with(segment)
    };
    let mut out: Vec<Frame> = flight.iter().map(|frame| open(frame)).collect();
    let (head, tail) = (out[0].clone(), out[out.len() - 1].clone());
    let later = |frame: &Frame, after: i64| Frame { time: tail.time + after, ..frame.clone() };
    out.extend(AGAIN.map(|after| later(&head, after)));
    let close = |frame: &Frame, acknowledges: u32| {
        let segment = frame.segment().unwrap();
        let mut fin = segment.part(segment.payload.len(), segment.payload.len());
        (fin.tcp.syn, fin.tcp.fin, fin.tcp.ack) = (false, true, true);
        (fin.tcp.sequence_number, fin.tcp.acknowledgment_number) = (segment.end(), acknowledges);
        frame.with(fin)
    };
    let (first, known) = (head.segment().unwrap().first(), tail.segment().unwrap().tcp.acknowledgment_number);
    out.push(match closer {
        Closer::Sender => later(&close(&tail, known), 3_000 * MILLISECOND),
        Closer::Receiver => later(&close(receiver, first), 3_000 * MILLISECOND),
        Closer::Nobody => later(&head, LATE),
    });
    out
}

/// The report on a sample after a fault, and the directions of the clients that it hit.
fn after(sample: &Sample, fault: impl Fn(&[Frame]) -> (Vec<Frame>, Vec<Direction>)) -> (Report, Vec<Direction>) {
    let mut hit = Vec::new();
    let captures = sample.captures.iter().map(|recording| {
        let (frames, clients) = fault(&recording.frames);
        hit.extend(clients);
        Recording { name: recording.name.clone(), frames }
    });
    let captures: Vec<_> = captures.collect();
    (sample.report_of(&captures), hit)
}

/// What is wrong with the findings about a device none of whose flights arrived.
fn faults(report: &Report, device: &Device) -> Vec<String> {
    let findings: Vec<_> = findings_of(report, device).collect();
    let stalled = findings.iter().find(|it| it.code == "CG015" && it.severity == Severity::Error);
    let says = stalled.is_some_and(|it| it.summary.contains("sent again") && it.summary.contains("never acknowledged"));
    let about = findings.iter().filter(|it| ABOUT_CERTIFICATES.contains(&it.code.as_str()));
    let mut lines: Vec<_> = about.map(|it| format!("{}: {} {}", device.id, it.code, it.summary)).collect();
    lines.extend((!says).then(|| format!("{}: {:?}", device.id, findings.iter().map(|it| &it.summary))));
    lines
}

#[test]
fn a_flight_that_nobody_acknowledges_was_not_delivered() {
    let (mut failures, mut judged) = (Vec::new(), 0);
    for by_client in [false, true] {
        for closer in [Closer::Sender, Closer::Receiver, Closer::Nobody] {
            for sample in share("in vain", SAMPLES.iter()) {
                let (after, clients) = after(sample, |frames| in_vain(frames, by_client, closer));
                let hit = |client: &str| clients.iter().any(|(from, _)| from.to_string() == client);
                let all = |device: &&Device| {
                    !device.handshakes.is_empty() && device.handshakes.iter().all(|it| hit(&it.client))
                };
                for device in after.devices.iter().filter(all) {
                    judged += 1;
                    let lines = faults(&after, device);
                    failures.extend(lines.iter().map(|line| format!("{} {closer:?} {by_client}: {line}", sample.name)));
                }
                let broken = support::broken_promises(&after);
                failures.extend(broken.iter().map(|line| format!("{} {closer:?}: {line}", sample.name)));
            }
        }
    }
    assert!(judged > share_of(600), "only {judged} devices");
    report("a flight in vain", &failures);
}

#[test]
fn without_the_receiver_s_side_nothing_is_known_of_delivery() {
    let mut failures = Vec::new();
    for sample in share("in vain, one direction", SAMPLES.iter()) {
        let one_direction = |frames: &[Frame]| {
            let (mut out, clients) = in_vain(frames, false, Closer::Receiver);
            out.retain(|frame| !frame.segment().is_some_and(|segment| clients.contains(&segment.direction())));
            (out, clients)
        };
        let (after, hit) = after(sample, one_direction);
        let stalled = after.findings.iter().filter(|finding| finding.code == "CG015" && !hit.is_empty());
        failures.extend(stalled.map(|finding| format!("{}: {}", sample.name, finding.summary)));
    }
    report("a flight in vain, one direction", &failures);
}

/// Sends the first data of each direction of a connection again, some milliseconds later and before anything else.
fn sent_again(frames: &[Frame]) -> Vec<Frame> {
    let (mut seen, mut out, mut later) = (Vec::new(), Vec::new(), 0);
    for frame in frames {
        let frame = Frame { time: frame.time + later, ..frame.clone() };
        out.push(frame.clone());
        let Some(segment) = frame.data().filter(|segment| !seen.contains(&segment.direction())) else { continue };
        seen.push(segment.direction());
        out.extend([2, 4].map(|after| Frame { time: frame.time + after * MILLISECOND, ..frame.clone() }));
        later += 5 * MILLISECOND;
    }
    out
}

#[test]
fn a_flight_that_is_acknowledged_in_the_end_was_delivered() {
    same_after("sent again, then acknowledged", sent_again);
}

#[test]
fn copies_at_several_interfaces_are_not_sent_again() {
    same_after("every frame four times", |frames| duplicate(&duplicate(frames)));
}

#[test]
fn what_a_side_says_in_its_flight_explains_more_than_that_it_was_lost() {
    // The phone's alert, and the server's, are never acknowledged: the other side is gone.
    for name in ["usb-sign-in.bundle", "tls10-refused"] {
        let sample = sample(name);
        let last_words_in_vain = |frames: &[Frame]| {
            let words = frames.iter().rposition(|frame| frame.data().is_some()).unwrap();
            let mut out = frames[..=words].to_vec();
            let after = |after: i64| Frame { time: frames[words].time + after, ..frames[words].clone() };
            out.extend(AGAIN.map(after));
            out.push(after(LATE));
            out
        };
        let after = sample.report_after(last_words_in_vain);
        let codes = |report: &Report| {
            let errors = report.findings.iter().filter(|finding| finding.severity == Severity::Error);
            errors.map(|finding| finding.code.clone()).collect::<Vec<_>>()
        };
        assert_eq!(codes(&after), codes(&sample.before), "{name}");
    }
}
