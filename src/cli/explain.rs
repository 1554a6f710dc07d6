//! `chaingap explain`: what a finding or an alert means, how it is proven, what mimics it, how it is mended.

use chaingap::render;
use chaingap::report::{RULES, explain_alert, rule_named};
use chaingap::trust::Stacks;
use clap::Args;

use super::exit::{Exit, Failure};
use super::output::{self, Color};

/// `chaingap explain`.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// A code (CG001) or name (missing-intermediate), or an alert (unknown_ca, 48); without one, the list
    code: Option<String>,
    /// Colour the text
    #[arg(long, value_enum, default_value_t = Color::Auto)]
    color: Color,
}

impl Explain {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let style = self.color.style(false);
        let text = match &self.code {
            None => {
                let rules: Vec<_> = RULES.iter().map(|rule| (rule.code, rule.name, rule.summary())).collect();
                render::explain_list(&rules, &style)
            }
            Some(code) => match rule_named(code) {
                Some(rule) => render::explain_text(rule.explain, &style),
                None => match explain_alert(code, &Stacks::default()) {
                    Some(text) => render::explain_text(&text, &style),
                    None => return Err(Failure(format!("{code:?} is no finding; chaingap explain lists them"))),
                },
            },
        };
        output::write(&text, None, false)?;
        Ok(Exit::Clean)
    }
}
