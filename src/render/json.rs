//! The report as JSON.
//!
//! In: a report. Out: `chaingap.report/2`, indented, ending with a newline. Bounded: by the report. Left to others: the
//! model, whose field order is the order of the output.

use std::io::{self, Write};

use super::shared::words::obeyed_or_hidden;
use crate::report::{
    CertsReport, CheckReport, Comparison, ExplainReport, PreflightReport, ProfilesReport, Report, StacksReport, Summary,
};

/// The report as indented JSON, UTF-8, with a newline at its end.
///
/// Members are in the order of the model, certificates by their hash, so that equal reports give equal bytes.
pub fn json(report: &Report) -> String {
    text(|out| write_json(report, out))
}

/// Writes a [`Report`], or [`EveryDevice`](crate::report::EveryDevice), as [`json`] has it, piece by piece.
///
/// # Errors
/// Those of the writer.
pub fn write_json(report: &impl serde::Serialize, out: &mut dyn Write) -> io::Result<()> {
    let mut out = Escaping(out);
    serde_json::to_writer_pretty(&mut out, report)?;
    out.write_all(b"\n")
}

/// The report as JSON on one line, for JSON Lines: UTF-8, with a newline at its end.
pub fn json_line(report: &Report) -> String {
    text(|out| write_json_line(report, out))
}

/// Writes the report as [`json_line`] has it, piece by piece.
///
/// # Errors
/// Those of the writer.
pub fn write_json_line(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut out = Escaping(out);
    serde_json::to_writer(&mut out, report)?;
    out.write_all(b"\n")
}

/// A summary as one line of JSON, `chaingap.summary/1`, with a newline: summaries are added as reports are.
pub fn summary_json(summary: &Summary) -> String {
    text(|out| {
        let mut out = Escaping(out);
        serde_json::to_writer(&mut out, summary)?;
        out.write_all(b"\n")
    })
}

/// A preflight as indented JSON, `chaingap.preflight/1`.
pub fn preflight_json(report: &PreflightReport) -> String {
    pretty(report)
}

/// A comparison as indented JSON, `chaingap.compare/1`.
pub fn compare_json(comparison: &Comparison) -> String {
    pretty(comparison)
}

/// Certificates as indented JSON, `chaingap.certs/1`.
pub fn certs_json(report: &CertsReport) -> String {
    pretty(report)
}

/// A regression run as indented JSON, `chaingap.check/1`.
pub fn check_json(report: &CheckReport) -> String {
    pretty(report)
}

/// Device profiles as indented JSON, `chaingap.profiles/1`.
pub fn profiles_json(report: &ProfilesReport) -> String {
    pretty(report)
}

/// TLS stacks as indented JSON, `chaingap.stacks/1`.
pub fn stacks_json(report: &StacksReport) -> String {
    pretty(report)
}

/// Explanations as indented JSON, `chaingap.explain/1`.
pub fn explain_json(report: &ExplainReport) -> String {
    pretty(report)
}

pub(super) fn pretty(report: &impl serde::Serialize) -> String {
    text(|out| {
        let mut out = Escaping(out);
        serde_json::to_writer_pretty(&mut out, report)?;
        out.write_all(b"\n")
    })
}

/// What is written, as text.
fn text(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> String {
    let mut bytes = Vec::new();
    // The models hold no maps but those with text keys and no floating-point numbers: nothing in them can fail.
    let _ = write(&mut bytes);
    String::from_utf8(bytes).unwrap_or_default()
}

/// Escapes what serde_json leaves as it is and a terminal would obey. Decided in D-RENDER-03.
struct Escaping<'a>(&'a mut dyn Write);

impl Write for Escaping<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let is_plain = |byte: &u8| *byte == b'\n' || matches!(*byte, b' '..=b'~');
        // Nearly always all of it is. serde_json hands over whole characters; what is none passes unchanged.
        let text = if bytes.iter().all(is_plain) { None } else { std::str::from_utf8(bytes).ok() };
        let Some(text) = text else { return self.0.write_all(bytes) };
        let (mut out, mut units) = (String::with_capacity(text.len()), [0; 2]);
        for c in text.chars() {
            if c != '\n' && obeyed_or_hidden(c) {
                c.encode_utf16(&mut units).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}")));
            } else {
                out.push(c);
            }
        }
        self.0.write_all(out.as_bytes())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample::sample;

    #[test]
    fn reads_back_as_the_same_report() {
        let out = json(&sample());
        let back: Report = serde_json::from_str(&out).unwrap();
        assert_eq!(json(&back), out);
        assert!(out.ends_with("}\n"));
    }

    #[test]
    fn what_a_terminal_obeys_is_escaped_and_reads_back() {
        let name = "a\u{9b}2J\u{202e}\u{7f}\u{e0041}\u{1b}[0m é";
        let line = text(|out| Ok(serde_json::to_writer(Escaping(out), name)?));
        assert_eq!(line, "\"a\\u009b2J\\u202e\\u007f\\udb40\\udc41\\u001b[0m é\"");
        assert_eq!(serde_json::from_str::<String>(&line).unwrap(), name);
    }

    #[test]
    fn a_line_holds_the_whole_report() {
        let line = json_line(&sample());
        assert_eq!(line.matches('\n').count(), 1);
        assert_eq!(serde_json::from_str::<Report>(&line).map(|back| json(&back)).unwrap(), json(&sample()));
    }

    #[test]
    fn writes_the_words_scripts_rely_on() {
        let value: serde_json::Value = serde_json::from_str(&json(&sample())).unwrap();
        assert_eq!(value["schema"], "chaingap.report/2");
        assert_eq!(value["devices"][0]["verdict"]["status"], "fails");
        assert_eq!(value["devices"][0]["sign_in"]["method"], "usb-tethered");
        assert_eq!(value["devices"][0]["handshakes"][0]["outcome"], "rejected-by-client");
        assert_eq!(value["devices"][0]["handshakes"][0]["chain"]["status"], "missing-intermediate");
        assert_eq!(value["findings"][0]["code"], "CG001");
    }

    #[test]
    fn unknown_values_are_null_and_never_left_out() {
        let value: serde_json::Value = serde_json::from_str(&json(&sample())).unwrap();
        let finding = value["findings"][0].as_object().unwrap();
        assert!(finding.contains_key("caused_by") && finding["caused_by"].is_null());
        let device = value["devices"][0].as_object().unwrap();
        assert!(device.contains_key("clock") && device["clock"].is_null());
    }
}
