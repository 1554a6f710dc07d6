//! In: the expectations in `captures/` and the captures they name. Out: for each the frames, and the analyzer with its
//! options. Left to others: what is expected; `chaingap check` compares that.

use std::sync::LazyLock;

use chaingap::Analyzer;
use chaingap::capture::CaptureReader;
use chaingap::expectations::Options;
use chaingap::report::Report;

use super::file::Format;
use super::frame::Frame;
use support::expectations::{self, Expected, ExpectedDevice};

/// One expectation with its captures.
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) captures: Vec<Recording>,
    /// What the program says of the captures as recorded.
    pub(crate) before: Report,
    pub(crate) options: Options,
    /// What is true of each device.
    pub(crate) devices: Vec<ExpectedDevice>,
    analyzer: Analyzer,
}

/// The frames of one capture.
#[derive(Clone)]
pub(crate) struct Recording {
    pub(crate) name: String,
    pub(crate) frames: Vec<Frame>,
}

impl Sample {
    /// `None` where frames were cut when captured: what is damaged already is no basis for a fault.
    fn of(expectation: Expected) -> Option<Self> {
        let Expected { name, captures, options, devices, .. } = expectation;
        let analyzer = expectations::analyzer(&options);
        let before = expectations::report(&analyzer, &captures);
        let whole = |(name, bytes): (String, Vec<u8>)| Some(Recording { frames: frames(&bytes)?, name });
        let captures = captures.into_iter().map(whole).collect::<Option<_>>()?;
        Some(Self { name, captures, before, options, devices, analyzer })
    }

    /// The report on these files, each with its capture's name.
    pub(crate) fn report(&self, files: &[(String, Vec<u8>)]) -> Report {
        expectations::report(&self.analyzer, files)
    }

    /// The report on these captures, written in the plain format.
    pub(crate) fn report_of(&self, captures: &[Recording]) -> Report {
        let write = |recording: &Recording| (recording.name.clone(), Format::PLAIN.write(&recording.frames));
        self.report(&captures.iter().map(write).collect::<Vec<_>>())
    }

    /// The report on the captures after the fault was applied to the frames of each.
    pub(crate) fn report_after(&self, fault: impl Fn(&[Frame]) -> Vec<Frame>) -> Report {
        let changed =
            |recording: &Recording| Recording { name: recording.name.clone(), frames: fault(&recording.frames) };
        self.report_of(&self.captures.iter().map(changed).collect::<Vec<_>>())
    }
}

/// Every expectation of the repository whose captures are complete.
pub(crate) static SAMPLES: LazyLock<Vec<Sample>> = LazyLock::new(|| {
    let all = expectations::all();
    let (recorded, samples) = (all.len(), all.into_iter().filter_map(Sample::of).collect::<Vec<_>>());
    assert!(samples.len() * 20 > recorded * 19, "{} of {recorded} expectations have whole captures", samples.len());
    samples
});

/// The frames of a capture, `None` if one of them is cut.
fn frames(bytes: &[u8]) -> Option<Vec<Frame>> {
    let (mut reader, mut rest, mut frames) = (CaptureReader::new(0), bytes, Vec::new());
    let mut over = false;
    while !over {
        let space = reader.space();
        let count = space.len().min(rest.len());
        space[..count].copy_from_slice(&rest[..count]);
        rest = &rest[count..];
        reader.commit(count);
        over = count == 0;
        if over {
            reader.end();
        }
        while let Some(frame) = reader.next_frame().unwrap() {
            if frame.cut().is_some() {
                return None;
            }
            frames.push(Frame::read(frame.at.time.nanos(), frame.link_type.0, frame.data));
        }
    }
    Some(frames)
}

/// The sample of this name.
pub(crate) fn sample(name: &str) -> &'static Sample {
    SAMPLES.iter().find(|sample| sample.name == name).unwrap_or_else(|| panic!("no sample {name}"))
}
