//! In: a profile. Out: each fact of the table as reports show it. Bounded: by the table. Left to others: lists
//! (anchors, algorithms that are not supported, fetches, notes) and the layout.

use serde::Serialize;
use serde_json::{Value, json};

use super::abilities::{Check, TlsVersions};
use super::fact::{Fact, Provenance};
use super::facts::facts;
use super::profile::Profile;

/// A fact of the table, known or not.
#[derive(Clone, Debug)]
pub(crate) struct ShownFact<'a> {
    /// The key of the profile file.
    pub(crate) key: &'static str,
    /// What the device does, as the predicate of a sentence; what is asked where it is not known.
    pub(crate) words: String,
    /// The value as the profile file writes it, how well it is known and where from; `None` where it is not known.
    pub(crate) known: Option<(Value, Provenance, &'a str)>,
}

macro_rules! define_shown {
    ($($(#[$_doc:meta])* $key:ident: $type:ty { shown: $shown:expr, template: $_template:expr, })*) => {
        impl Profile {
            /// Every fact of the table, in its order.
            pub(crate) fn facts(&self) -> Vec<ShownFact<'_>> {
                vec![$(ShownFact::new::<$type>(stringify!($key), &self.$key, $shown)),*]
            }
        }
    };
}

facts!(define_shown);

impl<'a> ShownFact<'a> {
    fn new<T: Serialize>(key: &'static str, fact: &'a Option<Fact<T>>, words: impl Fn(Option<&T>) -> String) -> Self {
        let words = words(fact.as_ref().map(|fact| &fact.value));
        let known = fact.as_ref().map(|fact| (json!(fact.value), fact.provenance, fact.source.as_str()));
        Self { key, words, known }
    }
}

/// The words of a fact with a value; `question` where it is not known.
fn told<T>(question: &str, words: impl Fn(&T) -> String) -> impl Fn(Option<&T>) -> String {
    move |value| value.map_or_else(|| question.to_owned(), &words)
}

/// The words of what a device does or does not.
fn yes_no(yes: &str, no: &str) -> impl Fn(Option<&bool>) -> String {
    move |value| match value {
        Some(true) => yes.to_owned(),
        Some(false) => no.to_owned(),
        None => format!("whether it {yes}"),
    }
}

fn versions(range: &TlsVersions) -> String {
    if range.min == range.max {
        return format!("speaks {} only", range.max);
    }
    format!("speaks {} to {}", range.min, range.max)
}

#[expect(clippy::ptr_arg, reason = "it is given where a function of a reference to the fact's value is asked for")]
fn checks(checks: &Vec<Check>) -> String {
    if checks.is_empty() {
        return "is known to make no particular check of RFC 5280 section 6.1".into();
    }
    let names: Vec<_> = checks.iter().map(|check| check.as_str()).collect();
    format!("checks, of RFC 5280 section 6.1: {}", names.join(", "))
}
