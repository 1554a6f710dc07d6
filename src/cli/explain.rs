//! `chaingap explain`: what a finding means, how it is proven, what mimics it, how it is mended.

use chaingap::diagnosis::{RULES, rule_named};
use clap::Args;

use super::{Exit, Failure, output};

/// `chaingap explain`.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// A code (CG001) or name (missing-intermediate); without one, the list
    code: Option<String>,
}

impl Explain {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let text = match &self.code {
            None => RULES.iter().map(|rule| format!("{}  {}\n", rule.code, rule.name)).collect(),
            Some(code) => match rule_named(code) {
                Some(rule) => rule.explain.to_owned(),
                None => return Err(Failure(format!("{code:?} is no finding; chaingap explain lists them"))),
            },
        };
        output::write(&text, None, false)?;
        Ok(Exit::Clean)
    }
}
