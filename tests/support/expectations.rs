//! In: the expectations in `captures/` and the files they name. Out: for each what it expects, the bytes of its captures
//! and the analyzer with its options. Left to others: comparing; `chaingap check` does that.

use std::fs;
use std::path::{Path, PathBuf};

use chaingap::Analyzer;
use chaingap::capture::Timestamp;
use chaingap::evidence::SignInMethod;
use chaingap::report::{Proof, Report, Severity, VerdictStatus};
use chaingap::trust::Profile;
use serde::Deserialize;

/// One expectation with its captures.
pub(crate) struct Expectation {
    /// Its file's name, without `.expect.toml`.
    pub(crate) name: String,
    /// Name and bytes of each capture.
    pub(crate) captures: Vec<(String, Vec<u8>)>,
    pub(crate) options: Options,
    pub(crate) devices: Vec<Expected>,
    /// Findings about no device.
    #[allow(dead_code, reason = "not every test asks for them")]
    pub(crate) findings: Vec<ExpectedFinding>,
}

#[derive(Deserialize)]
struct Text {
    captures: Vec<PathBuf>,
    #[serde(default)]
    options: Options,
    #[serde(default, rename = "device")]
    devices: Vec<Expected>,
    #[serde(default, rename = "finding")]
    findings: Vec<ExpectedFinding>,
}

/// Options of the run.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Options {
    pub(crate) profile: Option<String>,
    #[serde(default)]
    pub(crate) roots: Vec<PathBuf>,
    #[serde(default)]
    pub(crate) installed: Vec<PathBuf>,
    #[serde(default)]
    pub(crate) bundle: Vec<PathBuf>,
    pub(crate) keylog: Option<PathBuf>,
    pub(crate) device: Option<String>,
    pub(crate) sign_in: Option<String>,
    pub(crate) at: Option<String>,
}

/// What is expected of one device.
#[derive(Clone, Deserialize)]
pub(crate) struct Expected {
    /// Its id in the report.
    pub(crate) device: String,
    pub(crate) verdict: VerdictStatus,
    #[serde(default, rename = "finding")]
    pub(crate) findings: Vec<ExpectedFinding>,
}

/// One expected finding.
#[derive(Clone, Deserialize)]
pub(crate) struct ExpectedFinding {
    pub(crate) name: String,
    pub(crate) severity: Severity,
    #[allow(dead_code, reason = "not every test asks for it")]
    pub(crate) proof: Proof,
}

/// Every expectation of the repository, by name.
pub(crate) fn all() -> Vec<Expectation> {
    let entries = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| path.to_string_lossy().ends_with(".expect.toml")).collect();
    files.sort();
    assert!(files.len() >= 60, "only {} expectations in {}", files.len(), folder().display());
    files.iter().map(|file| read(file)).collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("captures")
}

fn read(file: &Path) -> Expectation {
    let name = file.file_name().unwrap().to_string_lossy().replace(".expect.toml", "");
    let text = fs::read_to_string(file).unwrap();
    let text: Text = toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
    let captures = text.captures.iter().map(contents).collect();
    Expectation { name, captures, options: text.options, devices: text.devices, findings: text.findings }
}

/// A file of the folder: its name and its bytes.
pub(crate) fn contents(path: &PathBuf) -> (String, Vec<u8>) {
    (path.display().to_string(), fs::read(folder().join(path)).unwrap_or_else(|error| panic!("{path:?}: {error}")))
}

impl Options {
    /// What judges by these options.
    pub(crate) fn analyzer(&self) -> Analyzer {
        let mut builder = Analyzer::builder();
        for (path, bytes) in self.roots.iter().map(contents) {
            builder = builder.root(&path, &bytes);
        }
        for (path, bytes) in self.installed.iter().map(contents) {
            builder = builder.installed(&path, &bytes);
        }
        for (path, bytes) in self.bundle.iter().map(contents) {
            builder = builder.bundle(&path, &bytes);
        }
        for (path, bytes) in self.keylog.iter().map(contents) {
            builder = builder.keylog(&path, &bytes);
        }
        builder = match self.profile.as_deref() {
            None | Some("auto") => builder,
            Some("none") => builder.profile(None),
            Some(file) if file.ends_with(".toml") => {
                let text = String::from_utf8(contents(&file.into()).1).unwrap();
                builder.profile(Some(Profile::parse(&text).unwrap()))
            }
            Some(other) => builder.profile(Some(Profile::builtin(other).unwrap_or_else(|| panic!("profile {other}")))),
        };
        builder = match self.sign_in.as_deref() {
            None | Some("auto") => builder,
            Some("pin") => builder.sign_in(SignInMethod::Pin),
            Some("usb") => builder.sign_in(SignInMethod::UsbTethered),
            Some(other) => panic!("sign-in {other}"),
        };
        if let Some(device) = &self.device {
            builder = builder.device(device, device.parse().unwrap());
        }
        if let Some(at) = &self.at {
            builder = builder.at(Timestamp::parse_rfc3339(at).unwrap());
        }
        builder.build()
    }
}

/// What the program says of these files, each beside its capture's name.
pub(crate) fn report(analyzer: &Analyzer, files: &[(String, Vec<u8>)]) -> Report {
    let mut investigation = analyzer.investigate();
    for (name, bytes) in files {
        investigation.read(bytes.as_slice(), name).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    investigation.report()
}
