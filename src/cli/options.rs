//! In: options that several commands share, as typed. Out: an analyzer's builder with the files read.

use std::path::{Path, PathBuf};

use chaingap::capture::Timestamp;
use chaingap::limits::Limits;
use chaingap::trust::{Profile, read_certificates};
use chaingap::{Analyzer, Builder, DeviceFilter, SignInMethod};
use clap::{Args, ValueEnum, ValueHint};

use super::exit::Failure;
use super::inputs::{files_below, no_such, read_file, read_text};
use super::output::{note, tell};
use super::patterns::{self, Files};

/// A method that adds the certificates of one file.
type Add = fn(Builder, &str, &[u8]) -> Builder;

/// What to judge by.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "What to judge by")]
pub(crate) struct TrustOptions {
    #[command(flatten)]
    pub(crate) stores: StoreOptions,
    /// Secrets of the captured handshakes: a key log (SSLKEYLOGFILE); repeatable
    #[arg(long, value_name = "FILE", value_hint = ValueHint::AnyPath)]
    pub(crate) keylog: Vec<Files>,
    /// Look at these devices only
    #[arg(long, value_name = "IP|MAC|CIDR")]
    pub(crate) device: Option<String>,
    /// How the devices signed in; changes wording only
    #[arg(long, value_name = "METHOD", value_enum, default_value_t = SignInOption::Auto)]
    pub(crate) sign_in: SignInOption,
    /// Use at most about this much memory, such as 64M or 1G (default 256M); what does not fit is not judged, and the report says how many devices that are
    #[arg(long, value_name = "SIZE", value_parser = size, help_heading = "Limits")]
    pub(crate) max_memory: Option<u64>,
}

/// Certificates, profile and time: needed to judge with or without a capture.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct StoreOptions {
    /// What kind of device it is: auto, none (no anchors), a built-in profile or a profile file
    #[arg(long, value_name = "auto|none|NAME|FILE", default_value = "auto", value_parser = patterns::one_name())]
    pub(crate) profile: String,
    /// Roots that the device trusts: PEM, DER or PKCS#7; repeatable
    #[arg(long, value_name = "FILE|DIR", value_hint = ValueHint::AnyPath)]
    pub(crate) roots: Vec<Files>,
    /// Intermediates that the device is known to hold; repeatable
    #[arg(long, value_name = "FILE|DIR", value_hint = ValueHint::AnyPath)]
    pub(crate) installed: Vec<Files>,
    /// Certificates that exist in the world: they prove and name what is missing, but never count as the device's; repeatable
    #[arg(long, value_name = "FILE|DIR", value_hint = ValueHint::AnyPath)]
    pub(crate) bundle: Vec<Files>,
    /// Judge validity at this time (RFC 3339) instead of the time of each handshake
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
}

/// `--sign-in`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum SignInOption {
    /// Tell it from the capture
    #[default]
    Auto,
    /// Extension and PIN
    Pin,
    /// Credentials from a tethered PC
    Usb,
}

impl TrustOptions {
    /// Reads the files named. Problems with single certificates go to standard error.
    pub(crate) fn builder(&self) -> Result<Builder, Failure> {
        let mut builder = self.stores.builder()?;
        let known = builder.problems().len();
        for file in self.keylog.iter().flatten() {
            builder = builder.keylog(&file.to_string_lossy(), &read_file(file)?);
        }
        for problem in builder.problems().iter().skip(known) {
            tell(problem);
        }
        builder = match self.stores.profile.as_str() {
            "auto" => builder,
            "none" => builder.profile(None),
            name => builder.profile(Some(profile(name)?)),
        };
        builder = builder.limits(self.limits(1));
        if let Some(text) = &self.device {
            let filter = text.parse::<DeviceFilter>().map_err(|error| Failure(format!("--device: {error}")))?;
            builder = builder.device(text, filter);
        }
        Ok(match self.sign_in {
            SignInOption::Auto => builder,
            SignInOption::Pin => builder.sign_in(SignInMethod::Pin),
            SignInOption::Usb => builder.sign_in(SignInMethod::UsbTethered),
        })
    }

    /// Every file that is read because of these options.
    pub(crate) fn files(&self) -> Result<Vec<PathBuf>, Failure> {
        let mut files = self.stores.files()?;
        files.extend(self.keylog.iter().flatten().cloned());
        Ok(files)
    }

    /// `--device`, as typed.
    pub(crate) fn asked(&self) -> Option<String> {
        self.device.as_ref().map(|device| format!("--device {device}"))
    }

    /// The limits for each capture, of `at_once` that are read at the same time.
    pub(crate) fn limits(&self, at_once: usize) -> Limits {
        let share = |bytes: u64| bytes / u64::try_from(at_once.max(1)).unwrap_or(u64::MAX);
        self.max_memory.map(|bytes| Limits::within(share(bytes))).unwrap_or_default()
    }
}

/// A number of bytes, with K, M or G for powers of 1024.
fn size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = text.get(digits.len()..).unwrap_or_default().to_ascii_uppercase();
    let shift = match unit.as_str() {
        "" | "B" => 0,
        "K" | "KB" | "KIB" => 10,
        "M" | "MB" | "MIB" => 20,
        "G" | "GB" | "GIB" => 30,
        _ => return Err("a number of bytes, or one with K, M or G behind it".into()),
    };
    let bytes = digits.parse::<u64>().ok().and_then(|count| count.checked_mul(1 << shift));
    match bytes {
        Some(bytes) if bytes >= Limits::LEAST_BYTES => Ok(bytes),
        Some(_) => Err(format!("at least {}M are needed", Limits::LEAST_BYTES >> 20)),
        None => Err("a number of bytes, or one with K, M or G behind it".into()),
    }
}

impl StoreOptions {
    /// Every file that is read because of these options.
    pub(crate) fn files(&self) -> Result<Vec<PathBuf>, Failure> {
        let mut files = vec![PathBuf::from(&self.profile)];
        for path in self.roots.iter().chain(&self.installed).chain(&self.bundle).flatten() {
            if path.is_dir() { files.extend(files_below(path)?) } else { files.push(path.clone()) }
        }
        Ok(files)
    }

    /// A builder with the certificates and the time; the caller adds the profile.
    pub(crate) fn builder(&self) -> Result<Builder, Failure> {
        let mut builder = Analyzer::builder();
        for (paths, add) in [
            (&self.roots, Builder::root as Add),
            (&self.installed, Builder::installed),
            (&self.bundle, Builder::bundle),
        ] {
            for path in paths.iter().flatten() {
                builder = if path.is_dir() {
                    folder(builder, path, add)?
                } else {
                    add(builder, &path.to_string_lossy(), &read_file(path)?)
                };
            }
        }
        builder.problems().iter().for_each(|problem| note(problem));
        if let Some(text) = &self.at {
            let at = Timestamp::parse_rfc3339(text)
                .ok_or_else(|| Failure(format!("--at: {text:?} is no RFC 3339 time such as 2026-01-30T12:00:00Z")))?;
            builder = builder.at(at);
        }
        Ok(builder)
    }
}

/// The profile that `--profile` names.
pub(crate) fn profile(name: &str) -> Result<Profile, Failure> {
    let known = || Profile::names().join(", ");
    let unknown = || Failure(format!("--profile: {name:?} is neither a file nor one of: auto, none, {}", known()));
    profile_named(name)?.ok_or_else(unknown)
}

/// A built-in profile by name, or one from a file; `None` if there is neither.
pub(crate) fn profile_named(name: &str) -> Result<Option<Profile>, Failure> {
    let path = Path::new(name);
    if let Some(profile) = Profile::builtin(name) {
        return Ok(Some(profile));
    }
    if !path.exists() {
        return Ok(None);
    }
    let text = read_text(path)?;
    let refused = |error: &dyn std::fmt::Display| Failure(format!("{name}: {}", no_such("profile", &text, error)));
    Profile::parse(&text).map(Some).map_err(|error| refused(&error))
}

/// Adds the files of a folder that hold certificates. Others lie there for other reasons: they are counted.
fn folder(mut builder: Builder, folder: &Path, add: Add) -> Result<Builder, Failure> {
    let (known, mut without, mut example) = (builder.certificates(), 0, None);
    for file in files_below(folder)? {
        let bytes = read_file(&file)?;
        let contents = read_certificates(&bytes);
        if contents.certificates.is_empty() {
            without += 1;
            let why = contents.problems.into_iter().next().unwrap_or_default();
            example.get_or_insert_with(|| format!("{}: {why}", file.display()));
        } else {
            builder = add(builder, &file.to_string_lossy(), &bytes);
        }
    }
    if builder.certificates() == known {
        return Err(Failure(format!("{}: no certificate in it", folder.display())));
    }
    if let Some(example) = example {
        let files = if without == 1 { "1 file holds".to_owned() } else { format!("{without} files hold") };
        note(&format!("{}: {files} no certificate, the first being {example}", folder.display()));
    }
    Ok(builder)
}
