//! `chaingap check`: runs expectations over their captures and prints what differs.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use chaingap::report::Report;
use clap::Args;

use super::expect::{Expectation, SCHEMA};
use super::file::{Links, write_file};
use super::inputs::{Input, captures, files_below, read_file};
use super::options::{SignInOption, StoreOptions, TrustOptions};
use super::progress::Progress;
use super::{Exit, Failure, analyze, output};

/// `chaingap check`.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Folder with NAME.expect.toml files
    #[arg(default_value = "captures")]
    folder: PathBuf,
    /// Rewrite the expectations to what is found now
    #[arg(long)]
    update: bool,
    /// Fail on captures that no expectation names
    #[arg(long)]
    require_all: bool,
}

impl Check {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let files: Vec<_> = files_below(&self.folder)?.into_iter().filter(|file| is_expectation(file)).collect();
        if files.is_empty() {
            return Err(Failure(format!("{}: no *.expect.toml in this folder or below it", self.folder.display())));
        }
        let (mut different, mut named, mut text) = (0, BTreeSet::new(), String::new());
        for file in &files {
            let name = file.display();
            match self.check(file, &mut named) {
                Ok(differences) if differences.is_empty() => text += &format!("ok    {name}\n"),
                Ok(differences) => {
                    let word = if self.update { "wrote" } else { "DIFF " };
                    text += &format!("{word} {name}\n");
                    differences.iter().for_each(|line| text += &format!("        {line}\n"));
                    different += usize::from(!self.update);
                }
                Err(Failure(why)) => {
                    text += &format!("DIFF  {name}\n        {why}\n");
                    different += 1;
                }
            }
        }
        if self.require_all {
            let all = captures(std::slice::from_ref(&self.folder)).unwrap_or_default();
            for input in all {
                if let Input::File(path) = input
                    && !named.contains(&path)
                {
                    text += &format!("DIFF  {}\n        no expectation names this capture\n", path.display());
                    different += 1;
                }
            }
        }
        text += &format!("{} expectations, {different} with differences\n", files.len());
        output::write(&text, None, false)?;
        Ok(if different == 0 { Exit::Clean } else { Exit::Found })
    }

    fn check(&self, file: &Path, named: &mut BTreeSet<PathBuf>) -> Result<Vec<String>, Failure> {
        let text = String::from_utf8(read_file(file)?).map_err(|_| Failure("not a text file".into()))?;
        let expectation: Expectation = toml::from_str(&text).map_err(|error| Failure(error.to_string()))?;
        if expectation.schema != SCHEMA {
            return Err(Failure(format!("schema is {:?}, not {SCHEMA:?}", expectation.schema)));
        }
        let folder = file.parent().unwrap_or(Path::new("."));
        let paths = inside(folder, &expectation.captures)?;
        named.extend(paths.iter().cloned());
        let report = run(&expectation, folder, &paths)?;
        let differences = expectation.differences(&report);
        if self.update && !differences.is_empty() {
            write_file(file, expectation.updated(&text, &report).as_bytes(), true, Links::Follow)?;
        }
        Ok(differences)
    }
}

fn is_expectation(file: &Path) -> bool {
    file.file_name().is_some_and(|name| name.to_string_lossy().ends_with(".expect.toml"))
}

/// The paths as seen from here; none may lead out of the expectation's folder.
fn inside(folder: &Path, paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let leads_out =
        |path: &PathBuf| path.components().any(|part| !matches!(part, Component::Normal(_) | Component::CurDir));
    match paths.iter().find(|path| leads_out(path)) {
        Some(path) => Err(Failure(format!("{} leads out of the expectation's folder", path.display()))),
        None => Ok(paths.iter().map(|path| folder.join(path)).collect()),
    }
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
        None | Some("auto") => SignInOption::Auto,
        Some("pin") => SignInOption::Pin,
        Some("usb") => SignInOption::Usb,
        Some(other) => return Err(Failure(format!("options.sign_in: {other:?} is none of auto, pin, usb"))),
    };
    let stores = StoreOptions {
        profile: own_profile(folder, options.profile.as_deref())?,
        roots: inside(folder, &options.roots)?,
        installed: inside(folder, &options.installed)?,
        bundle: inside(folder, &options.bundle)?,
        at: options.at.clone(),
    };
    let keylog = inside(folder, options.keylog.as_slice())?;
    let trust = TrustOptions { stores, keylog, device: options.device.clone(), sign_in };
    let analyzer = trust.builder()?.build();
    let mut investigation = analyzer.investigate();
    for path in paths {
        if !analyze::read(&mut investigation, &Input::File(path.clone()), &Progress::none()) {
            return Err(Failure(format!("{} cannot be read", path.display())));
        }
    }
    Ok(investigation.report())
}
