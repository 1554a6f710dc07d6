//! `chaingap analyze`: explains every handshake in the captures.

use std::path::PathBuf;

use chaingap::Investigation;
use chaingap::render::{self, TextStyle};
use chaingap::report::{Finding, Severity};
use clap::{Args, ValueEnum};

use super::inputs::{Input, captures};
use super::options::TrustOptions;
use super::output::{self, Color};
use super::{Exit, Failure};

/// `chaingap analyze`.
#[derive(Debug, Args)]
pub(crate) struct Analyze {
    /// Captures, folders of captures, or - for standard input
    #[arg(required = true, value_name = "CAPTURE|DIR|-")]
    inputs: Vec<PathBuf>,
    #[command(flatten)]
    trust: TrustOptions,
    /// Show every handshake in full instead of 64 per device
    #[arg(long)]
    all_handshakes: bool,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Overwrite the output file
    #[arg(long)]
    force: bool,
    /// Exit with 1 from this severity on
    #[arg(long, value_enum, default_value_t = FailOn::Error)]
    fail_on: FailOn,
    /// Colour the text
    #[arg(long, value_enum, default_value_t = Color::Auto)]
    color: Color,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For machines, schema chaingap.report/1
    Json,
}

/// `--fail-on`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    Error,
    Warning,
    Never,
}

impl Analyze {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let inputs = captures(&self.inputs)?;
        let analyzer = self.trust.builder()?.all_handshakes(self.all_handshakes).build();
        let mut investigation = analyzer.investigate();
        let failed = inputs.iter().filter(|input| !read(&mut investigation, input)).count();
        if failed == inputs.len() && inputs.iter().all(|input| !is_partly_read(&investigation, input)) {
            return Ok(Exit::Failed);
        }
        let report = investigation.report();
        let text = match self.format {
            Format::Json => render::json(&report),
            Format::Text => {
                let style = TextStyle { color: self.color.is_on(self.output.is_some()), width: output::width() };
                render::text(&report, &style)
            }
        };
        output::write(&text, self.output.as_deref(), self.force)?;
        Ok(if failed > 0 { Exit::Failed } else { self.fail_on.exit(report.findings.iter()) })
    }
}

impl FailOn {
    /// The exit by the gravest of these findings.
    pub(crate) fn exit<'a>(self, mut findings: impl Iterator<Item = &'a Finding>) -> Exit {
        let threshold = match self {
            Self::Error => Severity::Error,
            Self::Warning => Severity::Warning,
            Self::Never => return Exit::Clean,
        };
        let found = findings.any(|finding| finding.severity >= threshold);
        if found { Exit::Found } else { Exit::Clean }
    }
}

/// Reads one capture; says on standard error why it could not be read.
pub(crate) fn read(investigation: &mut Investigation<'_>, input: &Input) -> bool {
    let name = input.name();
    let result = match input.open() {
        Ok(bytes) => investigation.read(bytes, &name).map_err(|error| error.to_string()),
        Err(error) => Err(investigation.unopened(&name, &error)),
    };
    result.map_err(|error| eprintln!("chaingap: {name}: {error}")).is_ok()
}

/// Whether anything of a capture whose reading failed was understood.
fn is_partly_read(investigation: &Investigation<'_>, input: &Input) -> bool {
    investigation.packets_of(&input.name()) > 0
}
