//! Captures that show TLS connections in part, or in another order than they were: one direction, no start, the last words
//! of a side lost, the client's side recorded late; and peers that take their time, or speak another protocol.
//!
//! In: the samples. Out: what may be said of them then. What is true of a sample is in its expectation. Left to others:
//! bytes lost in the middle (`loss`), other orders (`disorder`).

use chaingap::evidence::Outcome;
use chaingap::report::{Device, Finding, Proof, Report, VerdictStatus};

use super::frame::{Direction, Frame, Segment};
use super::loss::{self, findings_of};
use super::samples::{SAMPLES, Sample, sample};
use super::stream::{Connection, connections};
use super::{report, same_after, same_of};
use support::share;

const SECOND: i64 = 1_000_000_000;
/// Longer than the ten seconds after which a connection counts as stalled.
const PAUSE: i64 = 12 * SECOND;
/// Places in each connection at which a capture begins.
const STARTS: usize = 8;

/// Samples with a single connection.
fn one_connection() -> impl Iterator<Item = &'static Sample> {
    SAMPLES.iter().filter(|sample| matches!(&sample.captures[..], [it] if connections(&it.frames).len() == 1))
}

/// Applies a fault to every sample: the report may not say anything that is wrong and sure.
fn nothing_wrong_after(
    what: &str,
    samples: impl Iterator<Item = &'static Sample>,
    fault: impl Fn(&[Frame]) -> Vec<Frame>,
) {
    let mut failures = Vec::new();
    for sample in share(what, samples) {
        let after = sample.report_after(&fault);
        let mut lines = loss::wrong_errors(&sample.before, &after);
        lines.extend(support::broken_promises(&after));
        failures.extend(lines.iter().map(|line| format!("{}: {line}", sample.name)));
    }
    report(what, &failures);
}

/// The only device, and its findings.
fn told(report: &Report) -> (&Device, Vec<&Finding>) {
    assert_eq!(report.devices.len(), 1);
    let device = &report.devices[0];
    (device, findings_of(report, device).collect())
}

/// Asserts that a device is undecided, and that CG017 says why.
fn is_undecided(name: &str, after: &Report, why: &str) {
    let (device, findings) = told(after);
    assert_eq!(device.verdict.status, VerdictStatus::Undecided, "{name}: {}", device.verdict.summary);
    let says = |finding: &&Finding| finding.code == "CG017" && finding.summary.contains(why);
    assert!(findings.into_iter().any(|finding| says(&finding)), "{name}: CG017 does not say {why:?}");
}

fn headline(report: &Report) -> &Finding {
    let (device, findings) = told(report);
    findings.into_iter().find(|finding| Some(&finding.id) == device.verdict.finding.as_ref()).unwrap()
}

/// The frames without the segments of one side of each TLS connection.
fn one_direction(frames: &[Frame], lost: impl Fn(&Connection) -> Direction) -> Vec<Frame> {
    let lost: Vec<Direction> = connections(frames).iter().map(lost).collect();
    let is_kept = |frame: &&Frame| frame.segment().is_none_or(|segment| !lost.contains(&segment.direction()));
    frames.iter().filter(is_kept).cloned().collect()
}

#[test]
fn only_one_direction_captured() {
    let of_server = |frames: &[Frame]| one_direction(frames, |connection| connection.client.direction);
    let of_client = |frames: &[Frame]| one_direction(frames, |connection| connection.server.direction);
    nothing_wrong_after("the client's side is not captured", SAMPLES.iter(), of_server);
    nothing_wrong_after("the server's side is not captured", SAMPLES.iter(), of_client);
    // Up to TLS 1.2 a server sends data only after the client's Finished; then its data shows that the handshake works.
    let after = sample("twin-works-12").report_after(of_server);
    assert_eq!(told(&after).0.handshakes[0].outcome, Outcome::Completed);
    // These ended in different ways, but the server's side alone does not show how.
    for name in ["usb-sign-in", "client-closes", "twin-works-13", "twin-missing-intermediate-13"] {
        is_undecided(name, &sample(name).report_after(of_server), "only one direction");
    }
}

/// Places within a connection at which a capture may begin, so that the frames before are not captured.
fn starts(frames: &[Frame], connection: &Connection) -> Vec<usize> {
    let is_of = |frame: &Frame| frame.segment().is_some_and(|segment| belongs(segment, connection));
    let places: Vec<usize> = (0..frames.len()).filter(|at| is_of(&frames[*at])).collect();
    let few = places.len().div_ceil(STARTS).max(1);
    places.into_iter().skip(1).step_by(few).collect()
}

fn belongs(segment: &Segment, connection: &Connection) -> bool {
    [connection.client.direction, connection.server.direction].contains(&segment.direction())
}

/// The capture, beginning for this connection with this frame.
fn from(frames: &[Frame], connection: &Connection, start: usize) -> Vec<Frame> {
    let is_kept = |(at, frame): &(usize, &Frame)| {
        *at >= start || frame.segment().is_none_or(|segment| !belongs(segment, connection))
    };
    frames.iter().enumerate().filter(is_kept).map(|(_, frame)| frame.clone()).collect()
}

/// The places of the first frame with data of a direction, and of the last.
fn data_of(frames: &[Frame], direction: Direction) -> (usize, usize) {
    let mut places =
        (0..frames.len()).filter(|at| frames[*at].data().is_some_and(|segment| segment.direction() == direction));
    let first = places.next().unwrap();
    (first, places.next_back().unwrap_or(first))
}

#[test]
fn the_start_of_a_connection_not_captured() {
    let mut failures = Vec::new();
    // In captures of several connections the verdict on one may rest on another.
    for sample in support::share("the start of a connection", one_connection()) {
        for (which, recording) in sample.captures.iter().enumerate() {
            let connections = connections(&recording.frames);
            let places = |connection| starts(&recording.frames, connection).into_iter().map(move |at| (connection, at));
            for (connection, start) in connections.iter().flat_map(places) {
                let mut captures = sample.captures.clone();
                captures[which].frames = from(&recording.frames, connection, start);
                let after = sample.report_of(&captures);
                let mut lines = loss::wrong_errors(&sample.before, &after);
                // What is left after the hellos may not be recognizable as TLS.
                lines.retain(|line| !line.contains("CG029"));
                lines.extend(support::broken_promises(&after));
                let number = start + 1;
                failures.extend(lines.iter().map(|line| format!("{} from frame {number}: {line}", sample.name)));
            }
        }
    }
    report("the start of a connection not captured", &failures);
}

#[test]
fn what_is_left_without_the_start_of_a_connection() {
    let from_last = |frames: &[Frame], of_client: bool| {
        let connection = connections(frames).remove(0);
        let side = if of_client { &connection.client } else { &connection.server };
        from(frames, &connection, data_of(frames, side.direction).1)
    };
    // The phone's unknown_ca is all that is left; what it refused is not there.
    let after = sample("usb-sign-in.bundle").report_after(|frames| from_last(frames, true));
    is_undecided("usb-sign-in.bundle", &after, "starts in the middle");
    assert_eq!((headline(&after).code.as_str(), headline(&after).proof), ("CG025", Proof::Undecidable));
    // The server's alert is all that is left; nothing tells whether it had asked for a certificate.
    let after = sample("client-certificate-refused").report_after(|frames| from_last(frames, false));
    is_undecided("client-certificate-refused", &after, "starts in the middle");
    // A client certificate answers a request, whether or not that is there.
    let from_answer = |frames: &[Frame]| {
        let connection = connections(frames).remove(0);
        let mut answers = (data_of(frames, connection.server.direction).0..frames.len())
            .filter(|at| frames[*at].data().is_some_and(|s| s.direction() == connection.client.direction));
        from(frames, &connection, answers.next().unwrap())
    };
    let after = sample("client-certificate-refused").report_after(from_answer);
    assert_eq!(headline(&after).code, "CG013");
}

#[test]
fn a_server_on_a_higher_port_than_its_client_s() {
    const HIGH: u16 = 65_443;
    let elsewhere = |frames: &[Frame]| -> Vec<Frame> {
        let server = connections(frames)[0].server.direction.0;
        let moved = |address: std::net::SocketAddr| match address == server {
            true => std::net::SocketAddr::new(address.ip(), HIGH),
            false => address,
        };
        let map = |frame: &Frame| match frame.segment() {
            Some(segment) => frame.with(segment.readdressed(moved)),
            None => frame.clone(),
        };
        frames.iter().map(map).collect()
    };
    let from_hello = |frames: &[Frame]| {
        let frames = elsewhere(frames);
        let connection = connections(&frames).remove(0);
        from(&frames, &connection, data_of(&frames, connection.server.direction).0)
    };
    let sample = sample("usb-sign-in.bundle");
    let after = sample.report_after(from_hello);
    assert_eq!(told(&after).0.id, told(&sample.before).0.id, "the side that sends a ServerHello is the server");
    assert_eq!(headline(&after).code, "CG001");
}

/// Without the last data of one side of each TLS connection and everything that this side sends after it, where the
/// other side acknowledges it explicitly.
fn without_last_words(frames: &[Frame], of: impl Fn(&Connection) -> Direction) -> Vec<Frame> {
    let mut out = frames.to_vec();
    for direction in connections(frames).iter().map(of) {
        let last = data_of(frames, direction).1;
        let end = frames[last].segment().unwrap().end();
        let acknowledged = |frame: &Frame| {
            frame.segment().is_some_and(|segment| {
                segment.direction() == (direction.1, direction.0)
                    && segment.tcp.ack
                    && !segment.tcp.rst
                    && segment.tcp.acknowledgment_number.wrapping_sub(end) < 0x8000_0000
            })
        };
        if !frames[last..].iter().any(acknowledged) {
            continue;
        }
        let mut at = 0;
        out.retain(|frame| {
            at += 1;
            at <= last
                || frame
                    .segment()
                    .is_none_or(|it| it.direction() != direction || !(it.closes() || frame.data().is_some()))
        });
    }
    out
}

#[test]
fn the_last_words_of_a_side_lost() {
    let of_server = |frames: &[Frame]| without_last_words(frames, |connection| connection.server.direction);
    let of_client = |frames: &[Frame]| without_last_words(frames, |connection| connection.client.direction);
    nothing_wrong_after("the server's last words", one_connection(), of_server);
    nothing_wrong_after("the client's last words", one_connection(), of_client);
    // The server's alert and its FIN are lost: the client's FIN comes after it had acknowledged them.
    for name in ["client-certificate-refused", "tls10-refused"] {
        is_undecided(name, &sample(name).report_after(of_server), "bytes that the server sent before frame");
    }
}

/// The client's side of each TLS connection, recorded behind the server's first data: two captures that were merged, with
/// clocks some milliseconds apart.
fn client_late(frames: &[Frame]) -> Vec<Frame> {
    let mut out = frames.to_vec();
    for connection in connections(frames) {
        let (from, to) = (connection.client.direction, connection.server.direction);
        let syn = frames.iter().find(|frame| frame.segment().is_some_and(|s| s.opens() && s.direction() == from));
        let late = frames[data_of(frames, to).0].time - syn.unwrap().time + 1;
        if late > SECOND {
            continue;
        }
        for frame in out.iter_mut().filter(|frame| frame.segment().is_some_and(|s| s.direction() == from)) {
            frame.time += late;
        }
    }
    out.sort_by_key(|frame| frame.time);
    out
}

#[test]
fn the_client_recorded_behind_the_server() {
    // Without the client's hello nothing of TLS 1.3 can be decrypted, and its data cannot be told from its handshake.
    let is_1_3 = |sample: &&Sample| {
        let mut handshakes = sample.before.devices.iter().flat_map(|device| &device.handshakes);
        handshakes.any(|handshake| handshake.version.as_deref() == Some("TLS 1.3"))
    };
    // Which of two taps is nearer to the client shows in how long each sees it wait.
    let one_tap = |sample: &&Sample| sample.captures.len() == 1;
    let analyze = |sample: &Sample| sample.report_after(client_late);
    same_of("the client's side late", SAMPLES.iter().filter(one_tap).filter(|it| !is_1_3(it)), analyze);
    nothing_wrong_after("the client's side late", SAMPLES.iter().filter(one_tap).filter(is_1_3), client_late);
}

/// The frames, with a pause before this one.
fn paused(frames: &[Frame], place: usize) -> Vec<Frame> {
    let later =
        |(at, frame): (usize, &Frame)| Frame { time: frame.time + i64::from(at >= place) * PAUSE, ..frame.clone() };
    frames.iter().enumerate().map(later).collect()
}

#[test]
fn a_pause_that_is_not_the_fault() {
    let before_hello = |frames: &[Frame]| match connections(frames).first() {
        Some(connection) => paused(frames, data_of(frames, connection.client.direction).0),
        None => frames.to_vec(),
    };
    same_after("a pause before the first ClientHello", before_hello);
    let of_server = |frames: &[Frame]| data_of(frames, connections(frames)[0].server.direction);
    // The server is slow, and then it or the client sends an alert that says why.
    for name in ["usb-sign-in.bundle", "tls10-refused", "client-certificate-refused"] {
        let after = sample(name).report_after(|frames| paused(frames, of_server(frames).0));
        assert_eq!(
            headline(&after).code,
            headline(&sample(name).before).code,
            "{name}, before the server's first data"
        );
        let after = sample(name).report_after(|frames| paused(frames, of_server(frames).1));
        assert_eq!(headline(&after).code, headline(&sample(name).before).code, "{name}, before the server's last data");
    }
    // Nobody says what was wrong.
    let after = sample("client-closes").report_after(|frames| paused(frames, of_server(frames).0));
    assert_eq!(headline(&after).code, "CG015");
}

/// A server that answers the hello in clear text and then resets the connection, or waits until the client ends it.
fn in_clear_text(frames: &[Frame], text: &str, by_client: bool) -> Vec<Frame> {
    let connection_of = |frame: &Frame| frame.segment().map(Segment::direction);
    let hello = frames.iter().position(|frame| frame.data().is_some()).unwrap();
    let client = connection_of(&frames[hello]).unwrap();
    let server = (client.1, client.0);
    let opening = frames.iter().find(|frame| connection_of(frame) == Some(server)).unwrap();
    let mut out = frames[..=hello].to_vec();
    let asked = frames[hello].segment().unwrap();
    let mut answer = opening.segment().unwrap().clone();
    (answer.tcp.syn, answer.tcp.psh) = (false, true);
    answer.tcp.sequence_number = answer.tcp.sequence_number.wrapping_add(1);
    answer.tcp.acknowledgment_number = asked.end();
    answer.payload = text.as_bytes().to_vec();
    let time = frames[hello].time;
    let end = if by_client {
        let mut end = asked.part(asked.payload.len(), asked.payload.len());
        (end.tcp.fin, end.tcp.acknowledgment_number) = (true, answer.end());
        Frame { time: time + PAUSE, ..frames[hello].with(end) }
    } else {
        let mut end = answer.clone();
        end.payload.clear();
        (end.tcp.rst, end.tcp.psh, end.tcp.sequence_number) = (true, false, answer.end());
        Frame { time: time + SECOND, ..opening.with(end) }
    };
    out.push(Frame { time: time + SECOND / 2, ..opening.with(answer) });
    out.push(end);
    out
}

#[test]
fn a_server_that_speaks_another_protocol() {
    // What Python's http.server and Postfix answer to a ClientHello.
    let http = "HTTP/1.1 400 Bad request syntax\r\nConnection: close\r\n\r\n";
    for (text, by_client, code) in [(http, false, "CG027"), ("220 mail.contoso.test ESMTP Postfix\r\n", true, "CG023")]
    {
        let after = sample("server-closes-at-hello").report_after(|frames| in_clear_text(frames, text, by_client));
        let (finding, line) = (headline(&after), text.lines().next().unwrap());
        assert_eq!((finding.code.as_str(), after.findings.len()), (code, 1), "{}", finding.summary);
        assert!(finding.summary.contains(line), "{}", finding.summary);
        assert!(finding.summary.contains("does not speak TLS on this port"), "{}", finding.summary);
    }
}
