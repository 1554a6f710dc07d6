//! Writing an expectation file.
//!
//! In: a report, and the text of a file if there is one. Out: the file rewritten to match the report, or a new one for a
//! person to read and keep. Bounded: by the text and the report. Left to others: where the file stands.

use super::model::{Expectation, SCHEMA};
use super::read::ExpectationError;
use crate::report::{Proof, Report, Severity};

impl Expectation {
    /// A new file: it expects of one capture what a report found there. The words about the capture are left to whoever
    /// keeps the file, and so are the options, as comments.
    ///
    /// # Errors
    /// If what was written would not expect what was found, which would be a fault of this program.
    pub fn first(capture: &str, report: &Report) -> Result<String, ExpectationError> {
        let (name, version) = (toml_string(capture), toml_string(env!("CARGO_PKG_VERSION")));
        let description = toml_string(&format!("what happens in {capture}, and how it was recorded"));
        let head = format!(
            "# Below [options] stands what chaingap found. Is it right? Then keep it.\n\
             schema = \"{SCHEMA}\"\n\
             description = {description}\n\
             since = {version}\n\
             captures = [{name}]\n\n\
             [options]\n\
             # roots = [\"root.pem\"]      # what the device trusts; then: chaingap check --update\n\
             # profile = \"auto\"          # chaingap profiles lists them\n"
        );
        let text = Self::parse(&head)?.rewritten(&head, report);
        Self::parse(&text).map(|_| text)
    }

    /// The text of the file with its devices and findings replaced by those of a report; everything before them stays, and
    /// lines end as they did.
    ///
    /// # Errors
    /// If rewriting would lose something else in the file (D-CLI-05).
    pub fn updated(&self, text: &str, report: &Report) -> Result<String, String> {
        let out = self.rewritten(text, report);
        let holds = |new: Self| new.differences(report).is_empty();
        if apart_from_results(text) == apart_from_results(&out) && Self::parse(&out).is_ok_and(holds) {
            return Ok(out);
        }
        let why = "it differs, and is left as it is: --update writes anew all from the first line [[device]] or \
                   [[finding]] on, and would lose what else stands there, or is in another notation; rewrite it by \
                   hand, or move what is yours before that line";
        Err(why.into())
    }

    /// The text up to its first table of results, and new tables after it.
    fn rewritten(&self, text: &str, report: &Report) -> String {
        let kept: Vec<_> = text.lines().take_while(|line| !begins_results(line)).collect();
        let mut out = format!("{}\n", kept.join("\n").trim_end());
        let findings = |header: &str, device: Option<&str>| {
            let mut text = String::new();
            for finding in self.counting(report, device) {
                text += &format!("\n[[{header}]]\nname = {}\n", toml_string(&finding.name));
                let words =
                    [("severity", finding.severity.map(Severity::as_str)), ("proof", finding.proof.map(Proof::as_str))];
                for (key, word) in words {
                    text += &word.map(|word| format!("{key} = {}\n", toml_string(word))).unwrap_or_default();
                }
                let subjects: Vec<_> = finding.missing.iter().flatten().map(|subject| toml_string(subject)).collect();
                if !subjects.is_empty() {
                    text += &format!("missing = [{}]\n", subjects.join(", "));
                }
            }
            text
        };
        for device in &report.devices {
            out += &format!(
                "\n[[device]]\ndevice = {}\nverdict = {}\nsign_in = {}\n",
                toml_string(&device.id),
                toml_string(device.verdict.status.as_str()),
                toml_string(device.sign_in.method.as_str())
            );
            out += &findings("device.finding", Some(&device.id));
        }
        out += &findings("finding", None);
        let is_crlf = text.split_inclusive('\n').next().is_some_and(|line| line.ends_with("\r\n"));
        if is_crlf { out.replace('\n', "\r\n") } else { out }
    }
}

/// Whether a line is the head of a table of results, with or without a comment behind it.
fn begins_results(line: &str) -> bool {
    let head = line.split('#').next().unwrap_or_default();
    matches!(head.split_whitespace().collect::<String>().as_str(), "[[device]]" | "[[finding]]")
}

/// The file without its devices and findings; `None` if it is not TOML.
fn apart_from_results(text: &str) -> Option<toml::Table> {
    let mut table: toml::Table = toml::from_str(text).ok()?;
    table.remove("device");
    table.remove("finding");
    Some(table)
}

fn toml_string(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
