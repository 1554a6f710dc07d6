//! In: the expectations in `captures/` and the captures they name. Out: for each the frames, and the analyzer with its
//! options. Left to others: what is expected; `chaingap check` compares that.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use chaingap::Analyzer;
use chaingap::capture::{CaptureReader, Timestamp};
use chaingap::report::Report;
use chaingap::trust::Profile;
use serde::Deserialize;

use crate::file::Format;
use crate::frame::Frame;

/// One expectation with its captures.
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) captures: Vec<Recording>,
    /// What the program says of the captures as recorded.
    pub(crate) before: Report,
    analyzer: Analyzer,
}

/// The frames of one capture.
#[derive(Clone)]
pub(crate) struct Recording {
    pub(crate) name: String,
    pub(crate) frames: Vec<Frame>,
}

#[derive(Deserialize)]
struct Expectation {
    captures: Vec<PathBuf>,
    #[serde(default)]
    options: Options,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    profile: Option<String>,
    #[serde(default)]
    roots: Vec<PathBuf>,
    #[serde(default)]
    installed: Vec<PathBuf>,
    #[serde(default)]
    bundle: Vec<PathBuf>,
    at: Option<String>,
}

impl Sample {
    /// What the program says of these files, each beside its capture's name.
    pub(crate) fn report(&self, files: &[(String, Vec<u8>)]) -> Report {
        report(&self.analyzer, files)
    }

    /// What the program says of these captures, written plainly.
    pub(crate) fn report_of(&self, captures: &[Recording]) -> Report {
        let write = |recording: &Recording| (recording.name.clone(), Format::PLAIN.write(&recording.frames));
        self.report(&captures.iter().map(write).collect::<Vec<_>>())
    }

    /// What the program says of the captures after something was done to the frames of each.
    pub(crate) fn report_after(&self, fault: impl Fn(&[Frame]) -> Vec<Frame>) -> Report {
        let changed =
            |recording: &Recording| Recording { name: recording.name.clone(), frames: fault(&recording.frames) };
        self.report_of(&self.captures.iter().map(changed).collect::<Vec<_>>())
    }
}

/// Every expectation of the repository.
pub(crate) static SAMPLES: LazyLock<Vec<Sample>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    let entries = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| path.to_string_lossy().ends_with(".expect.toml")).collect();
    files.sort();
    let samples: Vec<_> = files.iter().map(|file| sample(&folder, file)).collect();
    assert!(samples.len() >= 60, "only {} expectations in {}", samples.len(), folder.display());
    samples
});

fn sample(folder: &Path, file: &Path) -> Sample {
    let name = file.file_name().unwrap().to_string_lossy().replace(".expect.toml", "");
    let text = fs::read_to_string(file).unwrap();
    let Expectation { captures, options } = toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
    let read = |path: &PathBuf| (path.display().to_string(), fs::read(folder.join(path)).unwrap());
    let mut builder = Analyzer::builder();
    for (path, bytes) in options.roots.iter().map(read) {
        builder = builder.root(&path, &bytes);
    }
    for (path, bytes) in options.installed.iter().map(read) {
        builder = builder.installed(&path, &bytes);
    }
    for (path, bytes) in options.bundle.iter().map(read) {
        builder = builder.bundle(&path, &bytes);
    }
    builder = match options.profile.as_deref() {
        None | Some("auto") => builder,
        Some("none") => builder.profile(None),
        Some(file) if file.ends_with(".toml") => {
            let text = fs::read_to_string(folder.join(file)).unwrap();
            builder.profile(Some(Profile::parse(&text).unwrap()))
        }
        Some(other) => {
            builder.profile(Some(Profile::builtin(other).unwrap_or_else(|| panic!("{name}: profile {other}"))))
        }
    };
    if let Some(at) = &options.at {
        builder = builder.at(Timestamp::parse_rfc3339(at).unwrap());
    }
    let analyzer = builder.build();
    let files: Vec<_> = captures.iter().map(read).collect();
    let before = report(&analyzer, &files);
    let captures = files.into_iter().map(|(name, bytes)| Recording { frames: frames(&bytes), name }).collect();
    Sample { name, captures, before, analyzer }
}

fn report(analyzer: &Analyzer, files: &[(String, Vec<u8>)]) -> Report {
    let mut investigation = analyzer.investigate();
    for (name, bytes) in files {
        investigation.read(bytes.as_slice(), name).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    investigation.report()
}

fn frames(bytes: &[u8]) -> Vec<Frame> {
    let (mut reader, mut rest, mut frames) = (CaptureReader::new(0), bytes, Vec::new());
    while !rest.is_empty() {
        let space = reader.space();
        let count = space.len().min(rest.len());
        space[..count].copy_from_slice(&rest[..count]);
        rest = &rest[count..];
        reader.commit(count);
        while let Some(frame) = reader.next_frame().unwrap() {
            assert_eq!(frame.cut(), None, "the samples hold whole frames");
            frames.push(Frame::read(frame.at.time.nanos(), frame.link_type.0, frame.data));
        }
    }
    frames
}
