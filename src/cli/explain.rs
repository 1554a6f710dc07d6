//! `chaingap explain`: what a finding or an alert means, how it is proven, what mimics it, how it is mended.

use chaingap::render::{self, TextStyle};
use chaingap::report::ExplainReport;
use chaingap::trust::Stacks;
use clap::Args;

use super::exit::{Exit, Failure};
use super::format::{Format, Show, offering};
use super::output::FormOptions;

const FORMATS: &[(Format, Show<ExplainReport>)] =
    &[(Format::TEXT, text), (Format::JSON, |report, _| render::explain_json(report))];

/// `chaingap explain`.
#[derive(Debug, Args)]
#[command(mut_arg("format", offering(FORMATS)))]
pub(crate) struct Explain {
    /// A code (CG001) or name (missing-intermediate), or an alert (unknown_ca, 48); without one, the list
    code: Option<String>,
    #[command(flatten)]
    form: FormOptions,
}

impl Explain {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let report = match &self.code {
            None => ExplainReport::all(),
            Some(code) => ExplainReport::of(code, &Stacks::default())
                .ok_or_else(|| Failure(format!("{code:?} is no finding; chaingap explain lists them")))?,
        };
        self.form.open(|format| format.show(FORMATS), [])?.show(&report)?;
        Ok(Exit::Clean)
    }
}

/// The text of the one entry, or the list of several.
fn text(report: &ExplainReport, style: &TextStyle) -> String {
    if let [one] = report.entries.as_slice() {
        return render::explain_text(&one.text, style);
    }
    fn word(text: &Option<String>) -> &str {
        text.as_deref().unwrap_or_default()
    }
    let rows: Vec<_> =
        report.entries.iter().map(|it| (word(&it.code), it.name.as_str(), word(&it.summary).to_owned())).collect();
    render::explain_list(&rows, style)
}
