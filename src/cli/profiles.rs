//! `chaingap profiles`: lists the device profiles, shows one, prints a template to start from.

use std::path::Path;

use chaingap::render::{self, TextStyle};
use chaingap::report::ProfilesReport;
use chaingap::trust::Profile;
use clap::Args;

use super::exit::{Exit, Failure};
use super::format::{Format, Show, offering};
use super::options::profile_named;
use super::output::FormOptions;
use super::patterns::one_name;

/// Columns beyond which sentences are hard to read.
const WIDEST: usize = 100;

const JSON: (Format, Show<ProfilesReport>) = (Format::JSON, |report, _| render::profiles_json(report));

/// The formats of the list.
const ALL: &[(Format, Show<ProfilesReport>)] =
    &[(Format::TEXT, |report, style| render::profiles_text(report, &readable(style))), JSON];

/// The formats of one profile.
const ONE: &[(Format, Show<ProfilesReport>)] = &[
    (Format::TEXT, |report, style| {
        report.profiles.iter().map(|profile| render::profile_text(profile, &readable(style))).collect()
    }),
    JSON,
];

/// `chaingap profiles`.
#[derive(Debug, Args)]
#[command(mut_arg("format", offering(ALL)))]
pub(crate) struct Profiles {
    /// A built-in profile or a profile file; without one, the list
    #[arg(value_name = "NAME|FILE", value_parser = one_name())]
    name: Option<String>,
    /// Print a profile to start from, with every key explained
    #[arg(long, conflicts_with_all = ["name", "format"])]
    template: bool,
    #[command(flatten)]
    form: FormOptions,
}

impl Profiles {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        if self.template {
            let show: Show<&str> = |text, _| (*text).to_owned();
            self.form.open(|_| Ok(show), [])?.show(&Profile::template())?;
            return Ok(Exit::Clean);
        }
        let formats = if self.name.is_some() { ONE } else { ALL };
        let output = self.form.open(|format| format.show(formats), self.name.as_deref().map(Path::new))?;
        let profiles = match &self.name {
            Some(name) => vec![profile_named(name)?.ok_or_else(|| unknown(name))?],
            None => Profile::names().into_iter().filter_map(Profile::builtin).collect(),
        };
        let report = ProfilesReport::new(&profiles);
        output.show(&report)?;
        Ok(Exit::Clean)
    }
}

fn readable(style: &TextStyle) -> TextStyle {
    TextStyle { width: style.width.min(WIDEST), ..*style }
}

fn unknown(name: &str) -> Failure {
    Failure(format!("{name:?} is neither a file nor one of: {}", Profile::names().join(", ")))
}
