//! `chaingap profiles`: lists the device profiles, shows one, prints a template to start from.

use chaingap::render::{self, TextStyle};
use chaingap::report::ProfilesReport;
use chaingap::trust::Profile;
use clap::Args;

use super::options::profile_named;
use super::output::{self, FormOptions};
use super::{Exit, Failure};

/// Columns beyond which sentences are hard to read.
const WIDEST: usize = 100;

/// `chaingap profiles`.
#[derive(Debug, Args)]
pub(crate) struct Profiles {
    /// A built-in profile or a profile file; without one, the list
    #[arg(value_name = "NAME|FILE")]
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
            output::write(Profile::template(), None, false)?;
            return Ok(Exit::Clean);
        }
        let profiles = match &self.name {
            Some(name) => vec![profile_named(name)?.ok_or_else(|| unknown(name))?],
            None => Profile::names().into_iter().filter_map(Profile::builtin).collect(),
        };
        let report = ProfilesReport::new(&profiles);
        let text = |style: &TextStyle| {
            let style = TextStyle { width: style.width.min(WIDEST), ..*style };
            match &self.name {
                None => render::profiles_text(&report, &style),
                Some(_) => report.profiles.iter().map(|profile| render::profile_text(profile, &style)).collect(),
            }
        };
        self.form.write(|| render::profiles_json(&report), text)?;
        Ok(Exit::Clean)
    }
}

fn unknown(name: &str) -> Failure {
    Failure(format!("{name:?} is neither a file nor one of: {}", Profile::names().join(", ")))
}
