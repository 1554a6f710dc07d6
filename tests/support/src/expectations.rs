//! In: the expectations in `captures/` and the files they name. Out: for each what it expects, the bytes of its captures
//! and the analyzer with its options. Left to others: comparing; `chaingap check` does that.

use std::fs;
use std::path::{Path, PathBuf};

use chaingap::Analyzer;
use chaingap::capture::Timestamp;
use chaingap::evidence::SignInMethod;
use chaingap::expectations::{self, Expectation, Options};
use chaingap::report::{Proof, Report, Severity, VerdictStatus};
use chaingap::trust::Profile;

use crate::project;

/// An expectation with the bytes of its captures.
pub struct Expected {
    /// The name of its file, without `.expect.toml`.
    pub name: String,
    /// Name and bytes of each capture.
    pub captures: Vec<(String, Vec<u8>)>,
    pub options: Options,
    pub devices: Vec<ExpectedDevice>,
    /// Findings that belong to no device.
    pub findings: Vec<ExpectedFinding>,
}

/// What is expected of one device, with the words of the file as values.
#[derive(Clone)]
pub struct ExpectedDevice {
    /// Its id in the report.
    pub device: String,
    pub verdict: VerdictStatus,
    pub findings: Vec<ExpectedFinding>,
}

/// One expected finding.
#[derive(Clone)]
pub struct ExpectedFinding {
    pub name: String,
    pub severity: Severity,
    pub proof: Proof,
}

impl From<expectations::ExpectedDevice> for ExpectedDevice {
    fn from(expected: expectations::ExpectedDevice) -> Self {
        let findings = expected.findings.into_iter().map(ExpectedFinding::from).collect();
        Self { device: expected.device, verdict: expected.verdict, findings }
    }
}

impl From<expectations::ExpectedFinding> for ExpectedFinding {
    fn from(expected: expectations::ExpectedFinding) -> Self {
        let said = "the samples' expectations say everything of a finding";
        Self { name: expected.name, severity: expected.severity.expect(said), proof: expected.proof.expect(said) }
    }
}

/// Every expectation of the repository, by name.
pub fn all() -> Vec<Expected> {
    let entries = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| path.to_string_lossy().ends_with(".expect.toml")).collect();
    files.sort();
    assert!(files.len() >= 60, "only {} expectations in {}", files.len(), folder().display());
    files.iter().map(|file| read(file)).collect()
}

fn folder() -> PathBuf {
    project("captures")
}

fn read(file: &Path) -> Expected {
    let name = file.file_name().unwrap().to_string_lossy().replace(".expect.toml", "");
    let text = fs::read_to_string(file).unwrap();
    let read = Expectation::parse(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
    Expected {
        name,
        captures: read.captures.iter().map(contents).collect(),
        options: read.options,
        devices: read.devices.into_iter().map(ExpectedDevice::from).collect(),
        findings: read.findings.into_iter().map(ExpectedFinding::from).collect(),
    }
}

/// A file of the folder: its name and its bytes.
pub fn contents(path: &PathBuf) -> (String, Vec<u8>) {
    (path.display().to_string(), fs::read(folder().join(path)).unwrap_or_else(|error| panic!("{path:?}: {error}")))
}

/// The analyzer with these options.
pub fn analyzer(options: &Options) -> Analyzer {
    let mut builder = Analyzer::builder();
    for (path, bytes) in options.roots.iter().map(contents) {
        builder = builder.root(&path, &bytes);
    }
    for (path, bytes) in options.installed.iter().map(contents) {
        builder = builder.installed(&path, &bytes);
    }
    for (path, bytes) in options.bundle.iter().map(contents) {
        builder = builder.bundle(&path, &bytes);
    }
    for (path, bytes) in options.keylog.iter().map(contents) {
        builder = builder.keylog(&path, &bytes);
    }
    builder = match options.profile.as_deref() {
        None | Some("auto") => builder,
        Some("none") => builder.profile(None),
        Some(file) if file.ends_with(".toml") => {
            let text = String::from_utf8(contents(&file.into()).1).unwrap();
            builder.profile(Some(Profile::parse(&text).unwrap()))
        }
        Some(other) => builder.profile(Some(Profile::builtin(other).unwrap_or_else(|| panic!("profile {other}")))),
    };
    builder = match options.sign_in.as_deref() {
        None | Some("auto") => builder,
        Some("pin") => builder.sign_in(SignInMethod::Pin),
        Some("usb") => builder.sign_in(SignInMethod::UsbTethered),
        Some(other) => panic!("sign-in {other}"),
    };
    if let Some(device) = &options.device {
        builder = builder.device(device, device.parse().unwrap());
    }
    if let Some(at) = &options.at {
        builder = builder.at(Timestamp::parse_rfc3339(at).unwrap());
    }
    builder.build().unwrap()
}

/// The report on these files, each with its capture's name.
pub fn report(analyzer: &Analyzer, files: &[(String, Vec<u8>)]) -> Report {
    let mut investigation = analyzer.investigate();
    for (name, bytes) in files {
        investigation.read(bytes.as_slice(), name).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    investigation.report()
}
