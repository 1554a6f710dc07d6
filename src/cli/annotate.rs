//! `chaingap annotate`: the frames that matter as pcapng with a comment on each piece of evidence.

use std::fs::File;
use std::path::PathBuf;

use chaingap::{AnnotateOptions, annotate, files};
use clap::Args;

use super::exit::{Exit, Failure};
use super::file::{is_no_input, is_same, may_write};
use super::inputs::{Input, read_file};
use super::options::TrustOptions;
use super::output::{self, named, note};
use super::patterns::one;
use super::reading::{Devices, report_of};

/// `chaingap annotate`.
#[derive(Debug, Args)]
pub(crate) struct Annotate {
    /// A capture file
    #[arg(value_name = "CAPTURE", value_parser = one())]
    capture: PathBuf,
    #[command(flatten)]
    trust: TrustOptions,
    /// Keep requests that carry credentials in clear (authorization, cookies, user names, PINs); by default they are left
    /// out
    #[arg(long)]
    with_credentials: bool,
    /// Keep TLS secrets, of the capture and of --keylog, with which everything in these connections can be read
    #[arg(long)]
    embed_secrets: bool,
    /// The pcapng file to write, or - for standard output
    #[arg(short, long, value_name = "OUT.pcapng", help_heading = "Output")]
    output: PathBuf,
    /// Overwrite that file
    #[arg(long, help_heading = "Output")]
    force: bool,
}

impl Annotate {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let name = self.capture.display();
        if !self.capture.is_file() {
            let why = if self.capture.exists() || self.capture.as_os_str() == "-" {
                "is read twice, so it must be a file"
            } else {
                "there is no such file"
            };
            return Err(Failure(format!("{name}: {why}")));
        }
        let target = named(&self.output);
        if let Some(output) = target {
            if is_same(output, &self.capture) {
                return Err(Failure(format!("{name}: is the capture itself; it would be lost")));
            }
            is_no_input(output, self.trust.files()?.iter().map(PathBuf::as_path))?;
            may_write(output, self.force)?;
        }
        let input = Input::File(self.capture.clone());
        let read = report_of(&self.trust, std::slice::from_ref(&input), Devices::Examples)?;
        let Some((report, _)) = read else { return Ok(Exit::Failed) };
        let hidden: u64 = report.groups.iter().map(|group| group.devices_total).sum();
        if hidden > 0 {
            let all = report.totals.devices;
            note(&format!("{} of {all} devices are annotated; --device ADDRESS takes another", all - hidden));
        }
        let mut options = AnnotateOptions::default();
        options.with_credentials = self.with_credentials;
        options.embed_secrets = self.embed_secrets;
        options.key_log = self.key_log()?;
        let failure = |error: &dyn std::fmt::Display| Failure(format!("{name}: {error}"));
        let mut file = File::open(&self.capture).map_err(|error| failure(&error))?;
        let annotated = annotate(&report, &input.name(), &mut file, &options).map_err(|error| failure(&error))?;
        output::write(&annotated.pcapng, target, self.force)?;
        let counted = |count: usize, thing| if count == 1 { format!("1 {thing}") } else { format!("{count} {thing}s") };
        let (frames, comments) = (counted(annotated.frames, "frame"), counted(annotated.comments, "comment"));
        note(&format!("{}: {frames}, {comments}", self.output.display()));
        if !annotated.withheld.is_empty() {
            let numbers: Vec<String> = annotated.withheld.iter().take(20).map(u64::to_string).collect();
            let more = if annotated.withheld.len() > 20 { ", …" } else { "" };
            let numbers = numbers.join(", ");
            note(&format!("left out because they carry credentials: frames {numbers}{more} (--with-credentials)"));
        }
        Ok(Exit::Clean)
    }

    /// The key logs given, one after the other.
    fn key_log(&self) -> Result<Vec<u8>, Failure> {
        let mut all = Vec::new();
        for file in self.trust.keylog.iter().flatten() {
            all.extend_from_slice(&files::utf8(&read_file(file)?));
            all.push(b'\n');
        }
        Ok(all)
    }
}
