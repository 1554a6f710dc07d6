//! `chaingap compare`: sets a trace that works beside one that does not.

use std::path::{Path, PathBuf};

use chaingap::render;
use chaingap::report::{Comparison, Pick, Redaction, Report, compare};
use clap::Args;

use super::exit::{Exit, Failure};
use super::file::is_same;
use super::format::{Format, Show, offering};
use super::inputs::Input;
use super::options::TrustOptions;
use super::output::FormOptions;
use super::patterns::one;
use super::reading::{Devices, report_of};

/// The formats of a comparison.
const FORMATS: &[(Format, Show<Compared>)] = &[
    (Format::TEXT, |compared, style| render::compare_text(&compared.comparison, style)),
    (Format::JSON, |compared, _| render::compare_json(&compared.comparison)),
    (Format::MARKDOWN, |compared, _| render::compare_markdown(&compared.comparison)),
    (Format::HTML, |compared, _| render::compare_html(&compared.report, &compared.comparison)),
];

/// A comparison, and the report it was made of, which holds both devices in full.
struct Compared {
    report: Report,
    comparison: Comparison,
}

/// `chaingap compare`.
#[derive(Debug, Args)]
#[command(mut_arg("format", offering(FORMATS)))]
pub(crate) struct Compare {
    /// The capture of the device that works, or of both devices; - is standard input
    #[arg(value_name = "GOOD", value_parser = one())]
    good_capture: PathBuf,
    /// The capture of the device that does not; without it GOOD shows both
    #[arg(value_name = "BAD", value_parser = one())]
    bad_capture: Option<PathBuf>,
    /// The device that works; needed if several devices in its capture do
    #[arg(long, value_name = "IP|MAC")]
    good: Option<String>,
    /// The device that does not work; needed if several devices in its capture do not
    #[arg(long, value_name = "IP|MAC")]
    bad: Option<String>,
    #[command(flatten)]
    trust: TrustOptions,
    /// Put stand-ins in place of addresses and names, so that the result can be shown to others
    #[arg(long)]
    redact: bool,
    #[command(flatten)]
    form: FormOptions,
}

impl Compare {
    /// Ends with 0 if they agree, 1 if they part, 2 if they cannot be compared.
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let good = input(&self.good_capture);
        let bad = self.bad_capture.as_ref().filter(|bad| !is_same(&self.good_capture, bad)).map(|bad| input(bad));
        let inputs: Vec<Input> = std::iter::once(&good).chain(&bad).cloned().collect();
        let stores = self.trust.files()?;
        let read = stores.iter().map(PathBuf::as_path).chain(inputs.iter().filter_map(Input::path));
        let output = self.form.open(|format| format.show(FORMATS), read)?;
        let Some((report, all)) = report_of(&self.trust, &inputs, Devices::All)? else { return Ok(Exit::Failed) };
        let (good, bad) = (good.name(), bad.as_ref().unwrap_or(&good).name());
        let good = Pick { capture: &good, device: self.good.as_deref() };
        let bad = Pick { capture: &bad, device: self.bad.as_deref() };
        let comparison = compare(&report, &good, &bad).map_err(|error| Failure(error.to_string()))?;
        if self.bad_capture.is_none() && comparison.good.device == comparison.bad.device {
            let (path, device) = (good.capture, &comparison.good.device);
            return Err(Failure(format!("{path}: {device} is both; name two devices, or give a second capture")));
        }
        let exit = match (all && comparison.comparable, comparison.agree) {
            (false, _) => Exit::Failed,
            (true, true) => Exit::Clean,
            (true, false) => Exit::Found,
        };
        let mut compared = Compared { comparison, report };
        if self.redact {
            let (mut redaction, report) = Redaction::of(&compared.report)?;
            compared = Compared { comparison: redaction.of_made(&compared.comparison)?, report };
        }
        output.show(&compared)?;
        Ok(exit)
    }
}

fn input(path: &Path) -> Input {
    if path.as_os_str() == "-" { Input::Stdin } else { Input::File(path.to_path_buf()) }
}
