//! The report as JSON.
//!
//! In: a report. Out: `chaingap.report/1`, indented, ending with a newline. Bounded: by the report. Left to others: the
//! model, whose field order is the order of the output.

use crate::report::{Comparison, PreflightReport, ProfilesReport, Report, Summary};

/// The report as indented JSON, UTF-8, with a newline at its end.
///
/// Members stand in the order of the model, certificates by their hash, so that equal reports give equal bytes.
pub fn json(report: &Report) -> String {
    pretty(report)
}

/// A summary as one line of JSON, `chaingap.summary/1`, with a newline: summaries are added as reports are.
pub fn summary_json(summary: &Summary) -> String {
    serde_json::to_string(summary).unwrap_or_default() + "\n"
}

/// A preflight as indented JSON, `chaingap.preflight/1`.
pub fn preflight_json(report: &PreflightReport) -> String {
    pretty(report)
}

/// A comparison as indented JSON, `chaingap.compare/1`.
pub fn compare_json(comparison: &Comparison) -> String {
    pretty(comparison)
}

/// Device profiles as indented JSON, `chaingap.profiles/1`.
pub fn profiles_json(report: &ProfilesReport) -> String {
    pretty(report)
}

fn pretty(report: &impl serde::Serialize) -> String {
    // The models hold no maps but those with text keys and no floating-point numbers: nothing in them can fail.
    let mut out = serde_json::to_string_pretty(report).unwrap_or_default();
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::text::sample::sample;

    #[test]
    fn reads_back_as_the_same_report() {
        let out = json(&sample());
        let back: Report = serde_json::from_str(&out).unwrap();
        assert_eq!(json(&back), out);
        assert!(out.ends_with("}\n"));
    }

    #[test]
    fn writes_the_words_scripts_rely_on() {
        let value: serde_json::Value = serde_json::from_str(&json(&sample())).unwrap();
        assert_eq!(value["schema"], "chaingap.report/1");
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
