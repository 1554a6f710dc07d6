//! Faults that lose bytes: a segment that is not there, frames cut when captured.
//!
//! In: the frames of a capture, or the report of it as recorded. Out: frames that lack something, what exactly they
//! lack, and what may be said of that. Left to others: asking the program.

use std::ops::Range;

use chaingap::evidence::Outcome;
use chaingap::report::{Device, Finding, Handshake, Proof, Report, Severity, VerdictStatus};

use super::disorder::{acknowledges, recut};
use super::frame::{Direction, Frame, Segment};
use super::samples::Recording;
use super::stream::{Connection, connections};

/// Segments dropped from each handshake, one at a time: enough to hit every message, few enough to be quick.
const LOSSES: usize = 10;

/// Causes that follow from the server's certificates, and CG023 and CG032, which say that they are not to blame.
const BY_CERTIFICATES: [&str; 15] = [
    "CG001", "CG002", "CG006", "CG007", "CG008", "CG011", "CG018", "CG019", "CG022", "CG023", "CG025", "CG026",
    "CG031", "CG032", "CG033",
];

/// Causes that follow from what a server sends after its Certificate: its CertificateRequest, its key exchange, and the
/// OCSP response that it staples.
const BY_WHAT_FOLLOWS: [&str; 4] = ["CG012", "CG013", "CG028", "CG032"];

/// Causes that follow from both hellos, the client's first.
const BY_HELLOS: [&str; 4] = ["CG009", "CG010", "CG031", "CG034"];

/// The frames without one of them.
pub(crate) fn without(frames: &[Frame], lost: usize) -> Vec<Frame> {
    let mut out = frames.to_vec();
    out.remove(lost);
    out
}

/// Segments of TLS connections that come after the server's complete Certificate and hold no part of an alert, of a
/// close, of the first application data of their side or, where a side has none, of its Finished.
pub(crate) fn expendable(frames: &[Frame]) -> Vec<usize> {
    connections(frames).iter().flat_map(|connection| spread(&expendable_of(frames, connection), LOSSES)).collect()
}

fn expendable_of(frames: &[Frame], connection: &Connection) -> Vec<usize> {
    let Some(certificate) = connection.server.certificate() else { return Vec::new() };
    let mut complete = false;
    let mut out = Vec::new();
    for (index, frame) in frames.iter().enumerate() {
        let Some(segment) = frame.data() else { continue };
        let direction = segment.direction();
        let stream = match direction {
            _ if direction == connection.server.direction => &connection.server,
            _ if direction == connection.client.direction => &connection.client,
            _ => continue,
        };
        let place = stream.place(segment);
        let after = complete && (direction == connection.client.direction || place.start >= certificate.end);
        complete |= direction == connection.server.direction && place.end >= certificate.end;
        let trace = leaves_a_trace(&frames[index + 1..], segment);
        let decides = stream.holds_alert_or_first_data(&place) || (!stream.has_data() && stream.holds_finish(&place));
        // Where no side sends an alert, the last bytes of the server may have been one.
        let silent = !connection.client.has_alert() && !connection.server.has_alert();
        let last_word = silent && direction == connection.server.direction && stream.ends_with(&place);
        if after && trace && !segment.closes() && !decides && !last_word {
            out.push(index);
        }
    }
    out
}

/// Whether later frames show that a segment existed: one of the same direction with later bytes, or one that
/// acknowledges it. The last segment of a server whose client is gone leaves no trace, and without it the capture shows
/// another course of events.
fn leaves_a_trace(later: &[Frame], lost: &Segment) -> bool {
    let (from, to) = lost.direction();
    later.iter().filter_map(Frame::segment).any(|segment| {
        let behind = segment.direction() == (from, to) && segment.end() != lost.end() && !segment.tcp.rst;
        behind || acknowledges(segment, lost)
    })
}

/// At most `count` of these, spread from the first to the last.
fn spread(all: &[usize], count: usize) -> Vec<usize> {
    if all.len() <= count {
        return all.to_vec();
    }
    (0..count).map(|index| all[index * (all.len() - 1) / (count - 1)]).collect()
}

/// Which part of each Certificate message is lost.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part {
    /// All that the server sends before it, the length of the list, and the start of the first certificate.
    FlightStart,
    /// The length of the list, and the start of the first certificate.
    Start,
    /// A hundred bytes in its middle.
    Middle,
    /// Its last hundred bytes.
    End,
}

/// A segment that was removed.
#[derive(Clone, Debug)]
pub(crate) struct Loss {
    /// From the server to the client.
    pub(crate) direction: Direction,
    /// The number of bytes that it carried.
    pub(crate) bytes: usize,
    /// Number of the next frame with data of the same direction.
    pub(crate) next: Option<u64>,
}

/// The frames without a segment inside each Certificate message that a server sent in clear, and what is lost.
pub(crate) fn without_part_of_certificates(frames: &[Frame], part: Part) -> (Vec<Frame>, Vec<Loss>) {
    let connections = connections(frames);
    let mut losses = Vec::new();
    let mut out = frames.to_vec();
    for connection in &connections {
        let Some(certificate) = connection.server.certificate() else { continue };
        let Range { start, end } = certificate;
        let lost = match part {
            Part::FlightStart => 0..start + 60,
            Part::Start => start + 4..start + 60,
            Part::Middle => (start + end) / 2 - 50..(start + end) / 2 + 50,
            Part::End => end - 100..end,
        };
        assert!(lost.end <= end && start + 100 < end, "the Certificate is too short for this");
        let mut kept = Vec::new();
        for frame in &out {
            let segment = frame.data().filter(|segment| segment.direction() == connection.server.direction);
            let Some(segment) = segment else {
                kept.push(frame.clone());
                continue;
            };
            let place = connection.server.place(segment);
            let (length, at) = (segment.payload.len(), |to: usize| to.clamp(place.start, place.end) - place.start);
            for (from, to) in [(0, at(lost.start)), (at(lost.end), length)].into_iter().filter(|(from, to)| from < to) {
                kept.push(frame.with(segment.part(from, to)));
            }
        }
        out = kept;
        losses.push(Loss { direction: connection.server.direction, bytes: lost.len(), next: None });
    }
    // Frame numbers are known only when all losses are done.
    for loss in &mut losses {
        let connection = connections.iter().find(|connection| connection.server.direction == loss.direction).unwrap();
        let mut expected = None;
        for (number, frame) in (1_u64..).zip(&out) {
            let segment = frame.data().filter(|segment| segment.direction() == loss.direction);
            let Some(place) = segment.map(|segment| connection.server.place(segment)) else { continue };
            if expected.is_some_and(|expected| expected != place.start) {
                loss.next = Some(number);
                break;
            }
            expected = Some(place.end);
        }
    }
    (out, losses)
}

/// What captures lack besides parts of certificates.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Besides {
    Nothing,
    /// The server's messages before its certificates: the ServerHello.
    ServerHello,
    /// The end of every longer frame, so that TLS 1.3 cannot be told from earlier versions, nor data from its
    /// handshake. The heads of downloads and the options of DHCP are incomplete as well.
    FrameEnds,
}

/// What is wrong with a report of captures whose certificates are incomplete, compared with the report of the captures
/// as recorded; `lost` says which devices' certificates are. One line each.
pub(crate) fn faults_without_certificates(
    before: &Report,
    after: &Report,
    besides: Besides,
    lost: impl Fn(&Device) -> bool,
) -> Vec<String> {
    let mut faults = wrong_errors(before, after);
    for device in &before.devices {
        let status = after.devices.iter().find(|other| other.id == device.id).map(|other| other.verdict.status);
        let Some(status) = status else {
            faults.push(format!("{}: the device is gone", device.id));
            continue;
        };
        let by_size = besides == Besides::Nothing && rests_on_record_size(device, before);
        let undecided = lost(device) && rests_on_certificates(device, before) && !by_size;
        // If the client sent a certificate, what tells TLS 1.2 from 1.3 comes after it and is cut away; if a server
        // ended the handshake without a reason, the bytes cut away may have asked for a certificate.
        let asked = device.handshakes.iter().any(|handshake| handshake.certificate_request.is_some())
            || findings_of(before, device).any(|finding| finding.code == "CG027");
        let cut = besides == Besides::FrameEnds;
        let fits = match device.verdict.status {
            same if besides != Besides::Nothing && asked => status == VerdictStatus::Undecided || status == same,
            same if cut && rests_on_finished(device) => status == VerdictStatus::Undecided || status == same,
            same if cut && rests_on_heads(device, before) => status == VerdictStatus::NothingSeen || status == same,
            same if cut && rests_on(device, before, &BY_HELLOS) && !undecided => {
                status == VerdictStatus::Undecided || status == same
            }
            // Whether a flight was sent again is not seen where its beginning is not there.
            same if besides != Besides::Nothing && rests_on(device, before, &["CG015"]) => {
                status == VerdictStatus::Undecided || status == same
            }
            _ if undecided || (cut && is_1_3(device)) => status == VerdictStatus::Undecided,
            // What the server leaves out although the handshake works can no longer be seen.
            VerdictStatus::Degraded => matches!(status, VerdictStatus::Degraded | VerdictStatus::Ok),
            same => status == same,
        };
        if !fits {
            let (was, is) = (device.verdict.status.as_str(), status.as_str());
            faults.push(format!("{}: verdict {is} where it was {was}, expected undecided: {undecided}", device.id));
        }
        let told = findings_of(after, device).any(|finding| finding.code == "CG017");
        if undecided && !told {
            faults.push(format!("{}: no CG017", device.id));
        }
    }
    faults
}

/// Errors and warnings that claim more than the capture shows: they are surer than undecidable, and the whole capture
/// did not have them. CG017, that bytes are missing, is true now, and so is CG029 where there never was a handshake.
pub(crate) fn wrong_errors(before: &Report, after: &Report) -> Vec<String> {
    let is_sure = |finding: &&Finding| finding.severity >= Severity::Warning && finding.proof != Proof::Undecidable;
    let is_true = |finding: &&Finding| {
        let same = |known: &Finding| {
            (&known.code, &known.device, &known.server) == (&finding.code, &finding.device, &finding.server)
        };
        let none = before.statistics.handshakes == 0 && finding.code == "CG029";
        finding.code == "CG017" || none || before.findings.iter().any(same)
    };
    let wrong = after.findings.iter().filter(is_sure).filter(|finding| !is_true(finding));
    wrong
        .map(|finding| format!("a wrong error: {} {}, {}", finding.code, finding.proof.as_str(), finding.summary))
        .collect()
}

/// Whether the verdict on a device rests on the server's certificates.
pub(crate) fn rests_on_certificates(device: &Device, report: &Report) -> bool {
    let headline = device.verdict.finding.as_ref();
    let readable = device.handshakes.iter().any(|handshake| !handshake.certificates.is_empty());
    let decides = |finding: &&Finding| Some(&finding.id) == headline || finding.code == "CG023";
    device.verdict.status != VerdictStatus::Degraded
        && readable
        && findings_of(report, device)
            .find(decides)
            .is_some_and(|finding| BY_CERTIFICATES.contains(&finding.code.as_str()))
}

/// Whether the verdict on a device rests on one of these causes.
fn rests_on(device: &Device, report: &Report, causes: &[&str]) -> bool {
    let headline = findings_of(report, device).find(|finding| Some(&finding.id) == device.verdict.finding.as_ref());
    headline.is_some_and(|finding| causes.contains(&finding.code.as_str()))
}

/// Whether the verdict on a device rests on the length of a record, which is in its head.
pub(crate) fn rests_on_record_size(device: &Device, report: &Report) -> bool {
    let of_size = |finding: &Finding| finding.evidence.iter().any(|evidence| evidence.what.contains("16,384"));
    rests_on(device, report, &["CG033"]) && findings_of(report, device).any(|it| it.code == "CG033" && of_size(it))
}

/// Whether only the Finished of a side that sent no data shows that a handshake was completed.
fn rests_on_finished(device: &Device) -> bool {
    let silent = |handshake: &Handshake| !handshake.history.contains('D') || !handshake.history.contains('d');
    device.handshakes.iter().any(|handshake| handshake.outcome == Outcome::Completed && silent(handshake))
}

/// Whether the verdict on a device rests on HTTP requests, or its identity on its DHCP options.
fn rests_on_heads(device: &Device, report: &Report) -> bool {
    let mut headline =
        findings_of(report, device).filter(|finding| Some(&finding.id) == device.verdict.finding.as_ref());
    device.addresses.len() > 1 || headline.any(|finding| finding.code == "CG004")
}

fn is_1_3(device: &Device) -> bool {
    device.handshakes.iter().any(|handshake| handshake.version.as_deref() == Some("TLS 1.3"))
}

/// Whether a device's handshakes run inside another protocol, which is recognized by words that a cut removes.
pub(crate) fn is_tunneled(device: &Device, captures: &[Recording]) -> bool {
    let clients = captures.iter().flat_map(|recording| connections(&recording.frames)).map(|c| c.client.direction.0);
    let clients: Vec<_> = clients.map(|client| format!("{}:{}", client.ip(), client.port())).collect();
    !device.handshakes.is_empty() && device.handshakes.iter().all(|handshake| !clients.contains(&handshake.client))
}

/// Whether a certificate that was sent to a device in clear is among what is lost.
pub(crate) fn has_lost(device: &Device, losses: &[Loss]) -> bool {
    losses.iter().any(|loss| loss.direction.1.ip().to_string() == device.id)
}

/// The findings about a device.
pub(crate) fn findings_of<'r>(report: &'r Report, device: &'r Device) -> impl Iterator<Item = &'r Finding> {
    report.findings.iter().filter(|finding| finding.device.as_deref() == Some(device.id.as_str()))
}

/// Whether the verdict on a device rests on the absence of data after both sides finished: lost bytes may be that data.
fn rests_on_absent_data(device: &Device) -> bool {
    let without_data = |handshake: &Handshake| {
        let has = |letters: [char; 2]| handshake.history.contains(letters);
        let closed = matches!(handshake.outcome, Outcome::ClosedByClient | Outcome::ClosedByServer);
        closed && has(['F', 'f']) && !has(['D', 'd'])
    };
    device.handshakes.iter().any(without_data)
}

/// Whether a finding rests on what a server sends after its Certificate, or on the client's answer: lost bytes may be
/// those.
fn rests_on_what_follows(report: &Report) -> bool {
    report.findings.iter().any(|finding| BY_WHAT_FOLLOWS.contains(&finding.code.as_str()))
}

/// Whether the verdict survives the loss of a segment after the Certificate.
pub(crate) fn may_lose(report: &Report) -> bool {
    !report.devices.iter().any(rests_on_absent_data) && !rests_on_what_follows(report)
}

/// The frames with segments short enough to lose parts of messages.
pub(crate) fn in_small_segments(frames: &[Frame]) -> Vec<Frame> {
    recut(frames, 64)
}

/// What is wrong with a report of captures whose verdict rested on the absence of data, or on what was asked of the
/// client, now that lost bytes may have been just that. It must be the same as before, or undecided for a stated
/// reason.
pub(crate) fn faults_without_data(before: &Report, after: &Report) -> Vec<String> {
    let mut faults = wrong_errors(before, after);
    for (was, is) in before.devices.iter().zip(&after.devices) {
        let (was_status, is_status) = (was.verdict.status, is.verdict.status);
        let told = findings_of(after, is).any(|finding| finding.code == "CG017");
        if was_status != is_status && !(is_status == VerdictStatus::Undecided && told) {
            faults.push(format!("{}: verdict {} where it was {}", is.id, is_status.as_str(), was_status.as_str()));
        }
    }
    faults
}

/// Losses in connections of a device for which CG017 does not say how many bytes are missing before which frame.
/// Handshakes with one server that lack the same bytes share a finding, which counts all and describes the first.
pub(crate) fn untold_losses(losses: &[Loss], device: &Device, report: &Report) -> Vec<String> {
    // A handshake that worked does not need its certificates.
    let worked = |loss: &Loss| {
        let client = format!("{}:{}", loss.direction.1.ip(), loss.direction.1.port());
        device.handshakes.iter().any(|h| h.client == client && h.outcome == Outcome::Completed)
    };
    let of_this = |loss: &&Loss| loss.direction.1.ip().to_string() == device.id && !worked(loss);
    let mut of_device = losses.iter().filter(of_this).peekable();
    assert!(of_device.peek().is_some(), "{} lost nothing", device.id);
    let told = |loss: &Loss| {
        let bytes = format!("{} bytes", loss.bytes);
        let frame = loss.next.map(|next| format!("frame {next} "));
        let mut findings = findings_of(report, device).filter(|finding| finding.code == "CG017");
        findings.any(|finding| {
            let says = |text: &str| text.contains(&bytes) && frame.as_ref().is_none_or(|frame| text.contains(frame));
            finding
                .evidence
                .iter()
                .any(|evidence| says(&evidence.what) && (loss.next.is_none() || evidence.frame == loss.next))
        })
    };
    let (told, untold): (Vec<&Loss>, Vec<&Loss>) = of_device.partition(|loss| told(loss));
    let counted = |loss: &&&Loss| {
        let at = |other: &&&Loss| other.direction.0 == loss.direction.0;
        let server = format!("{}:{}", loss.direction.0.ip(), loss.direction.0.port());
        let alike = |finding: &&Finding| finding.code == "CG017" && finding.server.as_ref() == Some(&server);
        let times: u64 = findings_of(report, device).filter(alike).map(|finding| finding.occurrences).sum();
        told.iter().any(|told| at(&told))
            && times >= u64::try_from(told.iter().chain(&untold).filter(at).count()).unwrap()
    };
    untold
        .iter()
        .filter(|loss| !counted(loss))
        .map(|loss| format!("{}: CG017 does not tell {loss:?}", device.id))
        .collect()
}

/// A line if CG017 does not say of a cut frame how many of how many bytes were kept, `None` if it does.
pub(crate) fn untold_cuts(kept: usize, captures: &[Recording], device: &Device, report: &Report) -> Option<String> {
    let tells = |finding: &Finding| {
        finding.evidence.iter().any(|evidence| {
            let capture = captures.iter().find(|recording| recording.name == evidence.capture);
            let number = evidence.frame.and_then(|number| usize::try_from(number).ok());
            let frame = capture.zip(number).and_then(|(capture, number)| capture.frames.get(number - 1));
            frame.is_some_and(|frame| {
                let length = frame.bytes().len();
                let words = format!("{kept} of {length} bytes");
                length > kept && evidence.what.contains(&words) && finding.summary.contains("frame ")
            })
        })
    };
    let mut findings = findings_of(report, device).filter(|finding| finding.code == "CG017");
    let told = findings.any(tells);
    (!told).then(|| format!("{}: CG017 does not tell which frame kept {kept} of how many bytes", device.id))
}
