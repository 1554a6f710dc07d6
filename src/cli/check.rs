//! `chaingap check`: runs expectations over their captures and prints what differs.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use chaingap::expectations::Expectation;
use chaingap::render;
use chaingap::report::{CheckOutcome, CheckReport, Checked, Report};
use clap::{Args, ValueEnum as _};

use super::exit::{Exit, Failure};
use super::file::{Links, may_write, write_file};
use super::format::{Format, Show, offering};
use super::inputs::{Input, captures_below, files_below, is_capture, no_such, read_text};
use super::options::{SignInOption, StoreOptions, TrustOptions};
use super::output::{self, FormOptions, note};
use super::patterns::one;
use super::progress::Progress;
use super::{parallel, reading};

/// The JSON Schema of expectation files.
const SCHEMA: &str = include_str!("../../schema/expect-1.json");

const FORMATS: &[(Format, Show<CheckReport>)] = &[
    (Format::TEXT, render::check_text),
    (Format::JSON, |report, _| render::check_json(report)),
    (Format::JUNIT, |report, _| render::check_junit(report)),
];

/// `chaingap check`.
#[derive(Debug, Args)]
#[command(mut_arg("format", offering(FORMATS)))]
pub(crate) struct Check {
    /// Folder with NAME.expect.toml files, or one of these
    #[arg(value_name = "DIR|FILE", default_value = "captures", value_parser = one())]
    path: PathBuf,
    /// Write a first expectation beside this capture: what is found in it now, to read, correct and keep
    #[arg(long, value_name = "CAPTURE", value_parser = one(), conflicts_with_all = ["path", "update", "require_all", "format", "output"])]
    init: Option<PathBuf>,
    /// Print the JSON Schema of these files, for an editor
    #[arg(long, conflicts_with_all = ["path", "init", "update", "require_all", "format", "output"])]
    schema: bool,
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
        if self.schema {
            output::write(SCHEMA, None, false)?;
            return Ok(Exit::Clean);
        }
        if let Some(capture) = &self.init {
            return init(capture, self.form.force());
        }
        let is_folder = self.path.is_dir();
        let below = if is_folder { files_below(&self.path)? } else { vec![self.path.clone()] };
        let files: Vec<_> = below.iter().filter(|file| !is_folder || is_expectation(file)).cloned().collect();
        if files.is_empty() {
            return Err(Failure(format!("{}: no *.expect.toml in this folder or below it", self.path.display())));
        }
        let read = below.iter().filter(|file| is_expectation(file) || is_capture(file));
        let output = self.form.open(|format| format.show(FORMATS), read.map(PathBuf::as_path))?;
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
        let report = CheckReport::new(self.path.to_string_lossy().into_owned(), checked, unnamed);
        output.show(&report)?;
        Ok(exit(&report))
    }

    /// Captures in the folder that no expectation names.
    fn unnamed(&self, named: &BTreeSet<PathBuf>) -> Result<Vec<String>, Failure> {
        let folder = if self.path.is_dir() { &self.path } else { folder_of(&self.path) };
        let paths = captures_below(folder)?.into_iter().filter(|path| !named.contains(path));
        Ok(paths.map(|path| path.to_string_lossy().into_owned()).collect())
    }

    /// How many folders an expectation's folder lies below the one that is checked. Of a single file that is the current
    /// folder, if the file is below it.
    fn levels(&self, folder: &Path) -> usize {
        let checked = if self.path.is_dir() { self.path.as_path() } else { Path::new(".") };
        let own = folder.strip_prefix(checked).unwrap_or(folder);
        let is_below = own.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        let folders = own.components().filter(|part| matches!(part, Component::Normal(_)));
        if is_below { folders.count() } else { 0 }
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
        let folder = folder_of(file);
        let paths = below(folder, 0, &expectation.captures, "the expectation's folder")?;
        named.extend(paths.iter().cloned());
        let report = run(&expectation, &Files { folder, up: self.levels(folder) }, &paths)?;
        checked.differences = expectation.differences(&report);
        if checked.differences.is_empty() {
            return Ok(CheckOutcome::Same);
        }
        if !self.update {
            return Ok(CheckOutcome::Different);
        }
        let updated = match expectation.updated(&text, &report) {
            Ok(updated) => updated,
            Err(why) => {
                checked.problem = Some(why);
                return Ok(CheckOutcome::Different);
            }
        };
        write_file(file, updated.as_bytes(), true, Links::Follow)?;
        Ok(CheckOutcome::Updated)
    }
}

fn is_expectation(file: &Path) -> bool {
    file.file_name().is_some_and(|name| name.to_string_lossy().ends_with(".expect.toml"))
}

/// The folder of a file.
fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// How the run ends: what could not be run at all weighs more than a difference.
fn exit(report: &CheckReport) -> Exit {
    let failed = report.expectations.iter().any(|checked| checked.outcome == CheckOutcome::Failed);
    match (failed, report.different) {
        (true, _) => Exit::Failed,
        (false, 0) => Exit::Clean,
        (false, _) => Exit::Found,
    }
}

/// Where the files stand that an expectation's options name.
struct Files<'a> {
    /// The expectation's folder.
    folder: &'a Path,
    /// How many folders up from there their paths may lead.
    up: usize,
}

impl Files<'_> {
    fn named(&self, paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
        below(self.folder, self.up, paths, "the folder that is checked")
    }

    /// A profile by name, or a file.
    fn profile(&self, profile: Option<&str>) -> Result<String, Failure> {
        let Some(name) = profile else { return Ok("auto".into()) };
        if !name.ends_with(".toml") {
            return Ok(name.to_owned());
        }
        let files = self.named(&[PathBuf::from(name)])?;
        Ok(files.first().map(|file| file.to_string_lossy().into_owned()).unwrap_or_default())
    }
}

/// The paths as seen from here; they may lead up from the folder by so many levels, and no further (D-CLI-11). An
/// expectation that was written on Windows holds on Unix too: `\` separates folders like `/`.
fn below(folder: &Path, up: usize, paths: &[PathBuf], bound: &str) -> Result<Vec<PathBuf>, Failure> {
    let seen_from_here = |path: &PathBuf| {
        let portable = PathBuf::from(path.to_string_lossy().replace('\\', "/"));
        // Collected anew, so that it has this system's separators.
        let here = || folder.join(portable.components().collect::<PathBuf>());
        let failure = || Failure(format!("{} leads out of {bound}", path.display()));
        if stays(&portable, up) { Ok(here()) } else { Err(failure()) }
    };
    paths.iter().map(seen_from_here).collect()
}

/// Whether a path never leads up by more than so many levels.
fn stays(path: &Path, mut up: usize) -> bool {
    path.components().all(|part| match part {
        Component::CurDir => true,
        Component::Normal(_) => {
            up += 1;
            true
        }
        Component::ParentDir if up > 0 => {
            up -= 1;
            true
        }
        Component::ParentDir | Component::RootDir | Component::Prefix(_) => false,
    })
}

/// Writes an expectation beside a capture.
fn init(capture: &Path, force: bool) -> Result<Exit, Failure> {
    let name = capture.file_name().unwrap_or_default().to_string_lossy();
    let packed = [".gz", ".zst"].iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(&name);
    let stem = packed.rsplit_once('.').map_or(packed, |(stem, _)| stem);
    let file = capture.with_file_name(format!("{stem}.expect.toml"));
    may_write(&file, force)?;
    let stores = StoreOptions { profile: "auto".into(), ..StoreOptions::default() };
    let trust = TrustOptions { stores, ..TrustOptions::default() };
    let report = judged(&trust, &[capture.to_path_buf()], None)?;
    let text = Expectation::first(&name, &report).map_err(|error| Failure(error.to_string()))?;
    write_file(&file, text.as_bytes(), force, Links::Follow)?;
    let shown = file.display();
    note(&format!("{shown}: written; read it, name your roots under [options], then: chaingap check --update {shown}"));
    Ok(Exit::Clean)
}

fn run(expectation: &Expectation, files: &Files<'_>, paths: &[PathBuf]) -> Result<Report, Failure> {
    let options = &expectation.options;
    let stores = StoreOptions {
        profile: files.profile(options.profile.as_deref())?,
        roots: vec![files.named(&options.roots)?.into()],
        installed: vec![files.named(&options.installed)?.into()],
        bundle: vec![files.named(&options.bundle)?.into()],
        at: options.at.clone(),
    };
    let keylog = vec![files.named(options.keylog.as_slice())?.into()];
    let sign_in = options.sign_in.as_deref().and_then(|word| SignInOption::from_str(word, false).ok());
    let sign_in = sign_in.unwrap_or_default();
    let trust = TrustOptions { stores, keylog, device: options.device.clone(), sign_in, max_memory: None };
    judged(&trust, paths, options.device.as_ref().map(|device| format!("options.device = {device:?}")))
}

/// The report of these captures, with every device in full; `asked` is what chose a device, as typed.
fn judged(trust: &TrustOptions, paths: &[PathBuf], asked: Option<String>) -> Result<Report, Failure> {
    let analyzer = trust.builder()?.all_devices(true).build()?;
    let mut investigation = analyzer.investigate();
    for path in paths {
        if !reading::read(&mut investigation, &Input::File(path.clone()), &Progress::none(), 1) {
            return Err(Failure(format!("{} cannot be read", path.display())));
        }
    }
    let report = investigation.report();
    reading::fitting(asked, &investigation, &report)?;
    Ok(report)
}
