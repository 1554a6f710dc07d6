//! `chaingap check`: runs expectations over their captures and prints what differs.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use chaingap::expectations::Expectation;
use chaingap::render;
use chaingap::report::{CheckOutcome, CheckReport, Checked, Report};
use clap::{Args, ValueEnum as _};

use super::exit::{Exit, Failure};
use super::file::{Links, write_file};
use super::format::{Format, Show, offering};
use super::inputs::{Input, captures_below, files_below, is_capture, no_such, read_text};
use super::options::{SignInOption, StoreOptions, TrustOptions};
use super::output::FormOptions;
use super::patterns::one;
use super::progress::Progress;
use super::{parallel, reading};

const FORMATS: &[(Format, Show<CheckReport>)] = &[
    (Format::TEXT, render::check_text),
    (Format::JSON, |report, _| render::check_json(report)),
    (Format::JUNIT, |report, _| render::check_junit(report)),
];

/// `chaingap check`.
#[derive(Debug, Args)]
#[command(mut_arg("format", offering(FORMATS)))]
pub(crate) struct Check {
    /// Folder with NAME.expect.toml files
    #[arg(default_value = "captures", value_parser = one())]
    folder: PathBuf,
    /// Rewrite the expectations to what is found now
    #[arg(long)]
    update: bool,
    /// Fail on captures that no expectation names
    #[arg(long)]
    require_all: bool,
    /// Run this many expectations at once; by default one for each processor
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    jobs: usize,
    #[command(flatten)]
    form: FormOptions,
}

impl Check {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let show = self.form.format().show(FORMATS)?;
        let below = files_below(&self.folder)?;
        let files: Vec<_> = below.iter().filter(|file| is_expectation(file)).cloned().collect();
        if files.is_empty() {
            return Err(Failure(format!("{}: no *.expect.toml in this folder or below it", self.folder.display())));
        }
        let read = below.iter().filter(|file| is_expectation(file) || is_capture(file));
        let output = self.form.open(read.map(PathBuf::as_path))?;
        let (mut checked, mut named) = (Vec::new(), BTreeSet::new());
        parallel::in_order(
            &files,
            self.jobs,
            |file| self.check(file),
            |(result, captures)| {
                checked.push(result);
                named.extend(captures);
                Ok::<(), Failure>(())
            },
        )?;
        let unnamed = if self.require_all { self.unnamed(&named)? } else { Vec::new() };
        let report = CheckReport::new(self.folder.to_string_lossy().into_owned(), checked, unnamed);
        output.show(show, &report)?;
        Ok(if report.different == 0 { Exit::Clean } else { Exit::Found })
    }

    /// Captures in the folder that no expectation names.
    fn unnamed(&self, named: &BTreeSet<PathBuf>) -> Result<Vec<String>, Failure> {
        let paths = captures_below(&self.folder)?.into_iter().filter(|path| !named.contains(path));
        Ok(paths.map(|path| path.to_string_lossy().into_owned()).collect())
    }

    /// Runs one expectation; returns also the captures that it names.
    fn check(&self, file: &Path) -> (Checked, Vec<PathBuf>) {
        let mut checked = Checked {
            path: file.to_string_lossy().into_owned(),
            description: None,
            outcome: CheckOutcome::Failed,
            differences: Vec::new(),
            problem: None,
        };
        let mut named = Vec::new();
        match self.compare(file, &mut checked, &mut named) {
            Ok(outcome) => checked.outcome = outcome,
            Err(Failure(why)) => checked.problem = Some(why),
        }
        (checked, named)
    }

    fn compare(&self, file: &Path, checked: &mut Checked, named: &mut Vec<PathBuf>) -> Result<CheckOutcome, Failure> {
        let text = read_text(file)?;
        let expectation = Expectation::parse(&text);
        let expectation = expectation.map_err(|error| Failure(no_such("expectation", &text, &error)))?;
        checked.description = Some(expectation.description.clone());
        let folder = file.parent().unwrap_or(Path::new("."));
        let paths = inside(folder, &expectation.captures)?;
        named.extend(paths.iter().cloned());
        let report = run(&expectation, folder, &paths)?;
        checked.differences = expectation.differences(&report);
        if checked.differences.is_empty() {
            return Ok(CheckOutcome::Same);
        }
        if !self.update {
            return Ok(CheckOutcome::Different);
        }
        let updated = expectation.updated(&text, &report).map_err(Failure)?;
        write_file(file, updated.as_bytes(), true, Links::Follow)?;
        Ok(CheckOutcome::Updated)
    }
}

fn is_expectation(file: &Path) -> bool {
    file.file_name().is_some_and(|name| name.to_string_lossy().ends_with(".expect.toml"))
}

/// The paths as seen from here; none may lead out of the expectation's folder. An expectation that was written on Windows
/// holds on Unix too: `\` separates folders like `/`.
fn inside(folder: &Path, paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let seen_from_here = |path: &PathBuf| {
        let portable = PathBuf::from(path.to_string_lossy().replace('\\', "/"));
        let leads_out = portable.components().any(|part| !matches!(part, Component::Normal(_) | Component::CurDir));
        // Collected anew, so that it has this system's separators.
        let here = || folder.join(portable.components().collect::<PathBuf>());
        let failure = || Failure(format!("{} leads out of the expectation's folder", path.display()));
        if leads_out { Err(failure()) } else { Ok(here()) }
    };
    paths.iter().map(seen_from_here).collect()
}

/// A profile by name, or a file in the expectation's folder.
fn own_profile(folder: &Path, profile: Option<&str>) -> Result<String, Failure> {
    let Some(name) = profile else { return Ok("auto".into()) };
    if !name.ends_with(".toml") {
        return Ok(name.to_owned());
    }
    let files = inside(folder, &[PathBuf::from(name)])?;
    Ok(files.first().map(|file| file.to_string_lossy().into_owned()).unwrap_or_default())
}

fn run(expectation: &Expectation, folder: &Path, paths: &[PathBuf]) -> Result<Report, Failure> {
    let options = &expectation.options;
    let sign_in = match options.sign_in.as_deref() {
        None => SignInOption::Auto,
        Some(word) => SignInOption::from_str(word, false)
            .map_err(|_| Failure(format!("options.sign_in: {word:?} is none of auto, pin, usb")))?,
    };
    let stores = StoreOptions {
        profile: own_profile(folder, options.profile.as_deref())?,
        roots: vec![inside(folder, &options.roots)?.into()],
        installed: vec![inside(folder, &options.installed)?.into()],
        bundle: vec![inside(folder, &options.bundle)?.into()],
        at: options.at.clone(),
    };
    let keylog = vec![inside(folder, options.keylog.as_slice())?.into()];
    let trust = TrustOptions { stores, keylog, device: options.device.clone(), sign_in, max_memory: None };
    let analyzer = trust.builder()?.all_devices(true).build()?;
    let mut investigation = analyzer.investigate();
    for path in paths {
        if !reading::read(&mut investigation, &Input::File(path.clone()), &Progress::none(), 1) {
            return Err(Failure(format!("{} cannot be read", path.display())));
        }
    }
    let report = investigation.report();
    let asked = options.device.as_ref().map(|device| format!("options.device = {device:?}"));
    reading::fitting(asked, &investigation, &report)?;
    Ok(report)
}
