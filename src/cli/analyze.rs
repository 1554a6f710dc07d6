//! `chaingap analyze`: explains every handshake in the captures.

use std::collections::BTreeSet;
use std::path::PathBuf;

use chaingap::report::{Redaction, Report};
use chaingap::{Analyzer, Investigation, render};
use clap::Args;

use super::exit::{Exit, Failure};
use super::format::{Format, Show};
use super::inputs::{Input, captures, rotated};
use super::options::TrustOptions;
use super::output::OutputOptions;
use super::parallel;
use super::progress::Progress;
use super::reading::{fitting, none_fits, read, read_all};

/// `chaingap analyze`.
#[derive(Debug, Args)]
pub(crate) struct Analyze {
    /// Captures, folders of captures, or - for standard input
    #[arg(required = true, value_name = "CAPTURE|DIR|-")]
    inputs: Vec<PathBuf>,
    #[command(flatten)]
    trust: TrustOptions,
    /// The captures are one recording that was rotated over several files; they are read in the order of time
    #[arg(long, conflicts_with = "separate")]
    continuous: bool,
    /// Make each capture an investigation of its own
    #[arg(long)]
    separate: bool,
    /// Use this many processors, by default all: with --separate or --format jsonl as many captures are read at once,
    /// otherwise a second one reads ahead
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    jobs: usize,
    /// Show every handshake in full instead of 64 per device
    #[arg(long)]
    all_handshakes: bool,
    /// Put stand-ins in place of addresses and names, so that the report can be shown to others
    #[arg(long)]
    redact: bool,
    #[command(flatten)]
    output: OutputOptions,
}

impl Analyze {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let show = self.output.form.format.show_report()?;
        let separate = self.separate || self.output.form.format == Format::JSONL;
        // Decided in D-CLI-03.
        if separate && !matches!(self.output.form.format, Format::JSONL | Format::TEXT | Format::MARKDOWN) {
            let why = "--separate makes a report of each capture: take --format jsonl for programs, text or markdown for \
                       people";
            return Err(Failure(why.into()));
        }
        if separate && self.continuous {
            return Err(Failure("--continuous makes one report of all captures, --format jsonl one of each".into()));
        }
        let inputs = captures(&self.inputs)?;
        let inputs = if self.continuous { rotated(inputs) } else { inputs };
        let at_once = if separate { parallel::at_once(self.jobs, inputs.len()) } else { 1 };
        let builder = self.trust.builder()?.limits(self.trust.limits(at_once));
        let analyzer = builder.all_handshakes(self.all_handshakes).continuous(self.continuous).build();
        let progress = Progress::of(&inputs);
        if separate {
            self.separately(&analyzer, &inputs, &progress, show)
        } else {
            self.together(&analyzer, &inputs, &progress, show)
        }
    }

    fn together(
        &self,
        analyzer: &Analyzer,
        inputs: &[Input],
        progress: &Progress,
        show: Show<Report>,
    ) -> Result<Exit, Failure> {
        let mut investigation = analyzer.investigate();
        let Some(all) = read_all(&mut investigation, inputs, progress, parallel::at_once(self.jobs, 2)) else {
            return Ok(Exit::Failed);
        };
        let report = self.report(&mut investigation)?;
        self.output.form.write(show, &report)?;
        fitting(self.trust.asked(), &investigation, &report)?;
        Ok(if all { self.output.exit(report.findings.iter()) } else { Exit::Failed })
    }

    fn report(&self, investigation: &mut Investigation<'_>) -> Result<Report, Failure> {
        let report = investigation.report();
        Ok(if self.redact { Redaction::of(&report)?.1 } else { report })
    }

    /// Judges each capture by itself, several at once; the reports come in the order of the captures.
    fn separately(
        &self,
        analyzer: &Analyzer,
        inputs: &[Input],
        progress: &Progress,
        show: Show<Report>,
    ) -> Result<Exit, Failure> {
        let style = self.output.form.style();
        let mut sink = self.output.form.begin()?;
        let mut worst = Exit::Clean;
        let work = |input: &Input| {
            let mut investigation = analyzer.investigate();
            let was_read = read(&mut investigation, input, progress, 1);
            let report = self.report(&mut investigation)?;
            let exit = if was_read { self.output.exit(report.findings.iter()) } else { Exit::Failed };
            let (fits, left_out) = (!report.devices.is_empty(), investigation.left_out());
            let heading = match self.output.form.format {
                Format::TEXT => format!(
                    "{}\n\n",
                    render::printable(report.captures.first().map_or("", |capture| capture.path.as_str()))
                ),
                _ => String::new(),
            };
            Ok((format!("{heading}{}", show(&report, &style)), exit, fits, left_out))
        };
        let mut first = true;
        // It is enough if one of the captures shows the device asked for.
        let (mut any_fits, mut there) = (false, BTreeSet::new());
        parallel::in_order(inputs, self.jobs, work, |judged: Result<_, Failure>| {
            let (text, exit, fits, left_out) = judged?;
            any_fits |= fits;
            there.extend(left_out);
            let between = self.output.form.format != Format::JSONL && !std::mem::take(&mut first);
            worst = worst.max(exit);
            sink.write(if between { "\n" } else { "" })?;
            sink.write(&text)
        })?;
        sink.finish()?;
        if !any_fits {
            none_fits(self.trust.asked(), there)?;
        }
        Ok(worst)
    }
}
