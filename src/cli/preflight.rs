//! `chaingap preflight`: whether devices would trust the chain that a server is to send.

use std::path::PathBuf;
use std::time::SystemTime;

use chaingap::capture::Timestamp;
use chaingap::render;
use chaingap::report::PreflightReport;
use chaingap::trust::{Profile, read_chain};
use clap::Args;

use super::exit::{Exit, Failure};
use super::format::{Format, Show, offering};
use super::host::asked_for;
use super::inputs::read_input;
use super::options::{StoreOptions, profile};
use super::output::OutputOptions;
use super::patterns::one;

const FORMATS: &[(Format, Show<PreflightReport>)] =
    &[(Format::TEXT, render::preflight_text), (Format::JSON, |report, _| render::preflight_json(report))];

/// `chaingap preflight`.
#[derive(Debug, Args)]
#[command(mut_arg("format", offering(FORMATS)))]
pub(crate) struct Preflight {
    /// The file with the server's chain, its own certificate first, or - for standard input: PEM, DER, PKCS#7, .sst
    #[arg(value_name = "CHAIN|-", value_parser = one())]
    chain: PathBuf,
    /// The name or address that devices ask for; a URL will do
    #[arg(long, value_name = "NAME", value_parser = asked_for)]
    host: Option<String>,
    /// Judge by every built-in profile
    #[arg(long, conflicts_with = "profile")]
    all_profiles: bool,
    #[command(flatten)]
    stores: StoreOptions,
    #[command(flatten)]
    output: OutputOptions,
}

impl Preflight {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let stores = self.stores.files()?;
        let read = stores.iter().chain([&self.chain]).map(PathBuf::as_path);
        let output = self.output.form.open(|format| format.show(FORMATS), read)?;
        let name = self.chain.to_string_lossy().into_owned();
        let file = read_chain(&read_input(&self.chain)?);
        if file.certificates.is_empty() {
            let why = file.problems.first().map_or("no certificate in it", String::as_str);
            return Err(Failure(format!("{name}: {why}")));
        }
        let profiles = self.profiles()?;
        let builder = self.stores.builder()?;
        let analyzer = match self.stores.profile.as_str() {
            "auto" => builder,
            "none" => builder.profile(None),
            _ => builder.profile(profiles.first().cloned()),
        };
        let analyzer = analyzer.build()?;
        let report = analyzer.preflight(&name, &file, self.host.as_deref(), &profiles, now());
        output.show(&report)?;
        Ok(self.output.exit(report.profiles.iter().flat_map(|profile| &profile.findings).map(|found| found.severity)))
    }

    fn profiles(&self) -> Result<Vec<Profile>, Failure> {
        if self.all_profiles {
            return Ok(Profile::names()
                .into_iter()
                .filter(|name| *name != Profile::RFC_5280)
                .filter_map(Profile::builtin)
                .collect());
        }
        Ok(vec![match self.stores.profile.as_str() {
            "auto" => profile("lync-phone-edition")?,
            "none" => Profile::none(),
            name => profile(name)?,
        }])
    }
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_seconds(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}
