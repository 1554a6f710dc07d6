//! `chaingap analyze`: explains every handshake in the captures.

use std::path::PathBuf;

use chaingap::Investigation;
use chaingap::render;
use clap::Args;

use super::inputs::{Input, captures};
use super::options::TrustOptions;
use super::output::OutputOptions;
use super::{Exit, Failure};

/// `chaingap analyze`.
#[derive(Debug, Args)]
pub(crate) struct Analyze {
    /// Captures, folders of captures, or - for standard input
    #[arg(required = true, value_name = "CAPTURE|DIR|-")]
    inputs: Vec<PathBuf>,
    #[command(flatten)]
    trust: TrustOptions,
    /// The captures are one recording that was rotated over several files, in the order given
    #[arg(long)]
    continuous: bool,
    /// Show every handshake in full instead of 64 per device
    #[arg(long)]
    all_handshakes: bool,
    #[command(flatten)]
    output: OutputOptions,
}

impl Analyze {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let inputs = captures(&self.inputs)?;
        let analyzer = self.trust.builder()?.all_handshakes(self.all_handshakes).continuous(self.continuous).build();
        let mut investigation = analyzer.investigate();
        let failed = inputs.iter().filter(|input| !read(&mut investigation, input)).count();
        if failed == inputs.len() && inputs.iter().all(|input| !is_partly_read(&investigation, input)) {
            return Ok(Exit::Failed);
        }
        let report = investigation.report();
        self.output.write(|| render::json(&report), |style| render::text(&report, style))?;
        Ok(if failed > 0 { Exit::Failed } else { self.output.exit(report.findings.iter()) })
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
