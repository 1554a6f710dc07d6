//! `chaingap stacks`: lists the TLS stacks whose answers are known, or shows one.

use chaingap::render::{self, TextStyle};
use chaingap::report::StacksReport;
use chaingap::trust::{Stack, Stacks as Data};
use clap::Args;

use super::exit::{Exit, Failure};
use super::format::{Format, Show, offering};
use super::output::FormOptions;

/// Columns beyond which rows are hard to read.
const WIDEST: usize = 120;

const JSON: (Format, Show<StacksReport>) = (Format::JSON, |report, _| render::stacks_json(report));

/// The formats of the list.
const ALL: &[(Format, Show<StacksReport>)] =
    &[(Format::TEXT, |report, style| render::stacks_text(report, &readable(style))), JSON];

/// The formats of one stack.
const ONE: &[(Format, Show<StacksReport>)] =
    &[(Format::TEXT, |report, style| render::stack_text(report, &readable(style))), JSON];

/// `chaingap stacks`.
#[derive(Debug, Args)]
#[command(mut_arg("format", offering(ALL)))]
pub(crate) struct Stacks {
    /// A stack by its name in the list (openssl-3), or all of one name (OpenSSL); without one, the list
    name: Option<String>,
    #[command(flatten)]
    form: FormOptions,
}

impl Stacks {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let formats = if self.name.is_some() { ONE } else { ALL };
        let data = Data::default();
        let is_asked = |stack: &Stack| {
            self.name.as_ref().is_none_or(|name| {
                stack.id.eq_ignore_ascii_case(name)
                    || stack.name.eq_ignore_ascii_case(name)
                    || stack.title().eq_ignore_ascii_case(name)
            })
        };
        let stacks: Vec<&Stack> = data.all().iter().map(|stack| &**stack).filter(|stack| is_asked(stack)).collect();
        if stacks.is_empty() {
            let name = self.name.unwrap_or_default();
            let known: Vec<&str> = data.all().iter().map(|stack| stack.id.as_str()).collect();
            return Err(Failure(format!("{name:?} is none of the stacks: {}", known.join(", "))));
        }
        self.form.open(|format| format.show(formats), [])?.show(&StacksReport::new(&data, stacks))?;
        Ok(Exit::Clean)
    }
}

fn readable(style: &TextStyle) -> TextStyle {
    TextStyle { width: style.width.min(WIDEST), ..*style }
}
