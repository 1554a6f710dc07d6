//! `chaingap analyze`: explains every handshake in the captures.

use std::collections::BTreeSet;
use std::path::PathBuf;

use chaingap::report::{EveryDevice, Redaction, Report};
use chaingap::{Analyzer, Investigation, render};
use clap::{Args, ValueHint};

use super::exit::{Exit, Failure};
use super::file::{Links, WholeFile, is_no_input, is_same};
use super::format::{Format, Write};
use super::inputs::{Input, captures, rotated};
use super::options::TrustOptions;
use super::output::{Output, OutputOptions, Place};
use super::parallel;
use super::patterns::Files;
use super::progress::Progress;
use super::reading::{fitting, none_fits, read, read_all};

/// `chaingap analyze`.
#[derive(Debug, Args)]
pub(crate) struct Analyze {
    /// Captures, folders of captures, or - for standard input
    #[arg(required = true, value_name = "CAPTURE|DIR|-", value_hint = ValueHint::AnyPath)]
    inputs: Vec<Files>,
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
    /// Show every device in full instead of 64, or up to three of each kind
    #[arg(long)]
    all_devices: bool,
    /// Write a line for each device and each fault that affects it to this file, as CSV: address, MAC address, host name,
    /// first and last time, code, server, fault
    #[arg(long, value_name = "FILE", conflicts_with = "redact", help_heading = "Output")]
    csv_devices: Option<PathBuf>,
    /// Put stand-ins in place of addresses and names, so that the report can be shown to others
    #[arg(long)]
    redact: bool,
    #[command(flatten)]
    output: OutputOptions,
}

impl Analyze {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let formats = self.output.form.formats();
        let separate = self.separate || formats.contains(&Format::JSONL);
        // Decided in D-CLI-03.
        if separate && formats.len() > 1 {
            let why = "--separate and --format jsonl make a report of each capture; they write one file";
            return Err(Failure(why.into()));
        }
        if separate && !formats.iter().all(|format| matches!(*format, Format::JSONL | Format::TEXT | Format::MARKDOWN))
        {
            let why = "--separate makes a report of each capture: take --format jsonl for programs, text or markdown for \
                       people";
            return Err(Failure(why.into()));
        }
        if separate && self.continuous {
            return Err(Failure("--continuous makes one report of all captures, --format jsonl one of each".into()));
        }
        let inputs = captures(&self.inputs)?;
        let inputs = if self.continuous { rotated(inputs) } else { inputs };
        let outputs = self.open(&inputs)?;
        let at_once = if separate { parallel::at_once(self.jobs, inputs.len()) } else { 1 };
        let builder = self.trust.builder()?.limits(self.trust.limits(at_once));
        let builder = builder.all_handshakes(self.all_handshakes).all_devices(self.all_devices);
        let analyzer = builder.continuous(self.continuous).build()?;
        let progress = Progress::of(&inputs);
        if separate {
            self.separately(&analyzer, &inputs, &progress, outputs)
        } else {
            self.together(&analyzer, &inputs, &progress, outputs)
        }
    }

    /// Opens what will be written, before anything is read.
    fn open(&self, inputs: &[Input]) -> Result<Outputs, Failure> {
        let stores = self.trust.files()?;
        let read = || stores.iter().map(PathBuf::as_path).chain(inputs.iter().filter_map(Input::path));
        let csv = match &self.csv_devices {
            None => None,
            Some(path) => {
                is_no_input(path, read())?;
                if self.output.form.files().into_iter().flatten().any(|report| is_same(report, path)) {
                    return Err(Failure(format!(
                        "{}: cannot be both the report and the table of devices",
                        path.display()
                    )));
                }
                let mut file = WholeFile::create(path, self.output.form.force(), Links::Follow)?;
                file.write(render::CSV_HEAD.as_bytes())?;
                Some(file)
            }
        };
        Ok(Outputs { report: self.output.form.open(|format| Ok(format.write_report()), read())?, csv })
    }

    fn together(
        &self,
        analyzer: &Analyzer,
        inputs: &[Input],
        progress: &Progress,
        outputs: Outputs,
    ) -> Result<Exit, Failure> {
        let mut investigation = analyzer.investigate();
        let Some(all) = read_all(&mut investigation, inputs, progress, parallel::at_once(self.jobs, 2)) else {
            return Ok(Exit::Failed);
        };
        let Outputs { report: output, mut csv } = outputs;
        let mut written = Ok(());
        let mut line = |line: &str| {
            if let (Ok(()), Some(file)) = (&written, &mut csv) {
                written = file.write(line.as_bytes());
            }
        };
        let exit = if let Some(every) = self.every_device(&mut investigation, &mut line) {
            written?;
            output.write_by(|out| render::write_json(&every, out))?;
            self.exit(every.frame())
        } else {
            let report = self.report(&mut investigation, &mut line)?;
            written?;
            let fits = fitting(self.trust.asked(), &investigation, &report);
            // Of very many devices the evidence and what a format makes of the report need not be held at once.
            drop(investigation);
            output.report(&report)?;
            fits?;
            self.exit(&report)
        };
        csv.map_or(Ok(()), WholeFile::finish)?;
        Ok(if all { exit } else { Exit::Failed })
    }

    /// JSON of every device, which is written as the devices are judged; other formats, and stand-ins, need the whole
    /// report. `line` is as for [`report`](Self::report).
    fn every_device<'i>(
        &self,
        investigation: &'i mut Investigation<'_>,
        line: &mut dyn FnMut(&str),
    ) -> Option<EveryDevice<'i>> {
        let piecewise = self.all_devices && self.output.form.formats() == [Format::JSON] && !self.redact;
        let rows = self.csv_devices.is_some();
        if !piecewise {
            return None;
        }
        investigation.every_device(&mut |affected| {
            if rows {
                line(&render::csv_line(affected));
            }
        })
    }

    /// The report; `line` is given a line for each affected device where the user asked for them.
    fn report(&self, investigation: &mut Investigation<'_>, line: &mut dyn FnMut(&str)) -> Result<Report, Failure> {
        let wanted = self.csv_devices.is_some();
        let report = investigation.report_with(&mut |affected| {
            if wanted {
                line(&render::csv_line(affected));
            }
        });
        Ok(if self.redact { Redaction::of(&report)?.1 } else { report })
    }

    /// How the run ends, by all faults.
    fn exit(&self, report: &Report) -> Exit {
        self.output.exit(report.faults.iter().map(|fault| fault.severity))
    }

    /// Judges each capture by itself, several at once; the reports come in the order of the captures.
    fn separately(
        &self,
        analyzer: &Analyzer,
        inputs: &[Input],
        progress: &Progress,
        outputs: Outputs,
    ) -> Result<Exit, Failure> {
        let Outputs { report: Output(mut places), mut csv } = outputs;
        let Some((Place { how: write, mut sink, style }, format)) = places.pop().zip(self.output.form.formats().pop())
        else {
            return Ok(Exit::Clean);
        };
        let mut worst = Exit::Clean;
        let work = |input: &Input| {
            let mut investigation = analyzer.investigate();
            let was_read = read(&mut investigation, input, progress, 1);
            let mut lines = String::new();
            let report = self.report(&mut investigation, &mut |line| lines.push_str(line))?;
            let exit = if was_read { self.exit(&report) } else { Exit::Failed };
            let (fits, left_out) = (!report.devices.is_empty(), investigation.left_out());
            let mut text = Vec::new();
            if format == Format::TEXT {
                let path = report.captures.first().map_or("", |capture| capture.path.as_str());
                text.extend(format!("{}\n\n", render::printable(path)).into_bytes());
            }
            // Memory takes whatever is written.
            let _ = write(&report, &style, &mut text);
            Ok((text, lines, exit, fits, left_out))
        };
        let mut first = true;
        // It is enough if one of the captures shows the device asked for.
        let (mut any_fits, mut there) = (false, BTreeSet::new());
        parallel::in_order(inputs, self.jobs, work, |judged: Result<_, Failure>| {
            let (text, lines, exit, fits, left_out) = judged?;
            any_fits |= fits;
            there.extend(left_out);
            let between = format != Format::JSONL && !std::mem::take(&mut first);
            worst = worst.max(exit);
            csv.as_mut().map_or(Ok(()), |file| file.write(lines.as_bytes()))?;
            sink.write(if between { "\n" } else { "" })?;
            sink.write_by(|out| out.write_all(&text))
        })?;
        sink.finish()?;
        csv.map_or(Ok(()), WholeFile::finish)?;
        if !any_fits {
            none_fits(self.trust.asked(), there)?;
        }
        Ok(worst)
    }
}

/// What is written: the report, and the table of affected devices if it was asked for.
struct Outputs {
    report: Output<Write>,
    csv: Option<WholeFile>,
}
