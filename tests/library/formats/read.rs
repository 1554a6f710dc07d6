//! In: the bytes of a capture. Out: its frames and summary, and what is said of it; what Wireshark says of it. Left to
//! others: what should be said.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use chaingap::Analyzer;
use chaingap::capture::{CaptureReader, CaptureSummary, Secrets};
use chaingap::report::{Device, Report};

/// A frame as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) number: u64,
    pub(crate) offset: u64,
    /// Nanoseconds since 1970.
    pub(crate) time: i64,
    pub(crate) link_type: u16,
    pub(crate) wire_len: u32,
    pub(crate) data: Vec<u8>,
}

/// A capture as it was read.
#[derive(Debug)]
pub(crate) struct Capture {
    pub(crate) frames: Vec<Frame>,
    pub(crate) summary: CaptureSummary,
    pub(crate) secrets: Vec<Secrets>,
}

impl Capture {
    /// The frames without their places, which differ between formats.
    pub(crate) fn contents(&self) -> Vec<String> {
        self.frames.iter().map(|frame| frame.content(1)).collect()
    }
}

impl Frame {
    /// One line, with the time in a unit of so many nanoseconds.
    pub(crate) fn content(&self, unit: i64) -> String {
        let mut hash = DefaultHasher::new();
        self.data.hash(&mut hash);
        let (time, kept) = (self.time / unit * unit, self.data.len());
        format!("{time} link {} {kept} of {} bytes {:016x}", self.link_type, self.wire_len, hash.finish())
    }
}

/// Reads a capture whose bytes come in pieces of this size.
pub(crate) fn read_in_pieces(bytes: &[u8], piece: usize) -> Result<Capture, String> {
    let (mut reader, mut frames, mut secrets) = (CaptureReader::new(0), Vec::new(), Vec::new());
    let mut rest = bytes;
    loop {
        let space = reader.space();
        let count = space.len().min(rest.len()).min(piece);
        space[..count].copy_from_slice(&rest[..count]);
        rest = &rest[count..];
        reader.commit(count);
        if count == 0 {
            reader.end();
        }
        while let Some(frame) = reader.next_frame().map_err(|error| error.to_string())? {
            frames.push(Frame {
                number: frame.at.number,
                offset: frame.at.offset,
                time: frame.at.time.nanos(),
                link_type: frame.link_type.0,
                wire_len: frame.wire_len,
                data: frame.data.to_vec(),
            });
        }
        secrets.extend(reader.take_secrets());
        if count == 0 {
            let summary = reader.finish().map_err(|error| error.to_string())?;
            return Ok(Capture { frames, summary, secrets });
        }
    }
}

pub(crate) fn read(bytes: &[u8]) -> Capture {
    read_in_pieces(bytes, usize::MAX).unwrap()
}

/// The report on a capture, pushed in pieces of this size.
pub(crate) fn report(name: &str, bytes: &[u8], piece: usize) -> Report {
    let root = fs::read(project("captures/pki/root.pem")).unwrap();
    let analyzer = Analyzer::builder().root("root.pem", &root).build().unwrap();
    let mut investigation = analyzer.investigate();
    let mut run = investigation.start(name);
    bytes.chunks(piece).for_each(|piece| run.push(piece).unwrap_or_else(|error| panic!("{name}: {error}")));
    run.finish().unwrap_or_else(|error| panic!("{name}: {error}"));
    investigation.report()
}

/// What a user acts on: verdicts, and findings with the frames that prove them.
pub(crate) fn essence(report: &Report) -> Vec<String> {
    let verdict = |device: &Device| {
        let sign_in = device.sign_in.method.as_str();
        format!("{} {} {sign_in} {}", device.id, device.verdict.status.as_str(), device.verdict.summary)
    };
    let mut lines: Vec<_> = report.devices.iter().map(verdict).collect();
    lines.extend(report.findings.iter().map(|finding| {
        let frames: Vec<_> = finding.evidence.iter().map(|evidence| evidence.frame).collect();
        let missing: Vec<_> = finding.missing.iter().map(|missing| missing.subject.as_str()).collect();
        let (severity, proof) = (finding.severity.as_str(), finding.proof.as_str());
        format!("{} {severity} {proof} {} frames {frames:?} missing {missing:?}", finding.code, finding.summary)
    }));
    lines
}

/// Frame number, seconds since 1970, length on the wire and length kept of every frame, as `tshark` reads the file;
/// `None` where there is no `tshark`.
pub(crate) fn wireshark(path: &Path) -> Option<Vec<[String; 4]>> {
    let mut command = Command::new("tshark");
    command.env("TZ", "UTC").args(["-n", "-T", "fields", "-r"]).arg(path);
    for field in ["frame.number", "frame.time_epoch", "frame.len", "frame.cap_len"] {
        command.args(["-e", field]);
    }
    let run = command.output().ok()?;
    assert!(run.status.success(), "{}: {}", path.display(), String::from_utf8_lossy(&run.stderr));
    let text = String::from_utf8(run.stdout).unwrap();
    let columns = |line: &str| line.split('\t').map(str::to_owned).collect::<Vec<_>>().try_into().unwrap();
    Some(text.lines().map(columns).collect())
}

/// The same fields of a capture as it was read here.
pub(crate) fn as_wireshark(capture: &Capture) -> Vec<[String; 4]> {
    let line = |frame: &Frame| {
        let (seconds, nanos) = (frame.time.div_euclid(1_000_000_000), frame.time.rem_euclid(1_000_000_000));
        let time = format!("{seconds}.{nanos:09}");
        [frame.number.to_string(), time, frame.wire_len.to_string(), frame.data.len().to_string()]
    };
    capture.frames.iter().map(line).collect()
}

pub(crate) fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
