//! Reading an expectation file.
//!
//! In: the text of a file. Out: the expectation, or everything that is wrong with it, each with its line: a key that is
//! missing or unknown, a value of another type or none of those known. Bounded: by the text. Left to others: files that
//! the expectation names.

use std::fmt;
use std::path::PathBuf;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::model::{Expectation, ExpectedDevice, ExpectedFinding, Options, SCHEMA, SIGN_INS, numbers};
use crate::analyzer::DeviceFilter;
use crate::capture::Timestamp;
use crate::diagnosis::rule_named;
use crate::evidence::SignInMethod;
use crate::report::{Proof, Severity, VerdictStatus};
use crate::trust::Profile;

/// The most errors of syntax that are told: a text that is no TOML has one on every line.
const SYNTAX: usize = 4;

/// Why a text is no expectation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub struct ExpectationError {
    /// Everything that is wrong, by line: at least one.
    pub problems: Vec<Problem>,
}

impl fmt::Display for ExpectationError {
    /// One line for each problem.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, Problem { line, what }) in self.problems.iter().enumerate() {
            let separator = if number == 0 { "" } else { "\n" };
            write!(f, "{separator}line {line}: {what}")?;
        }
        Ok(())
    }
}

/// One thing that is wrong with an expectation.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The line, counted from 1. A key that is missing is told at the head of its table.
    pub line: usize,
    /// What is wrong, and what would be right.
    pub what: String,
}

impl Expectation {
    /// Reads a file's text.
    ///
    /// # Errors
    /// Says everything that is wrong with the text; also that it would check nothing, because nobody would notice.
    pub fn parse(text: &str) -> Result<Self, ExpectationError> {
        read(text)
    }
}

fn read(text: &str) -> Result<Expectation, ExpectationError> {
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut reader = Reader { text, problems: Vec::new() };
    for error in errors.iter().take(SYNTAX) {
        reader.problem(error.span().map_or(0, |span| span.start), error.message().to_owned());
    }
    // Of a text that is no TOML, what its values are would be guesses.
    let read = if errors.is_empty() { reader.expectation(document.get_ref()) } else { None };
    reader.problems.sort_by_key(|problem| problem.line);
    match read {
        Some(read) if reader.problems.is_empty() => Ok(read),
        _ => Err(ExpectationError { problems: reader.problems }),
    }
}

/// One table of the file.
struct Table<'a> {
    /// What its keys are called in messages: `device.`, or nothing for the file itself.
    prefix: &'static str,
    /// Where it begins, in bytes.
    at: usize,
    keys: &'a DeTable<'a>,
}

/// A value, and where it stands in bytes.
type Value<'a> = (usize, &'a DeValue<'a>);

/// Reads values and notes what is wrong with them.
struct Reader<'a> {
    text: &'a str,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    fn expectation(&mut self, keys: &'a DeTable<'a>) -> Option<Expectation> {
        let file = Table { prefix: "", at: 0, keys };
        let known =
            ["schema", "description", "stand_in", "since", "strict", "captures", "options", "device", "finding"];
        self.only(&file, &known);
        let schema = self.required(&file, "schema", Self::string);
        self.check(&file, "schema", schema.as_deref(), |schema| {
            (schema != SCHEMA).then(|| format!("{schema:?} is not {SCHEMA:?}, which this version reads"))
        });
        let since = self.optional(&file, "since", Self::string);
        self.check(&file, "since", since.as_deref(), |since| {
            numbers(since).is_none().then(|| format!("{since:?} is no version of chaingap such as \"0.1.0\""))
        });
        let captures = self.required(&file, "captures", Self::strings);
        if captures.as_ref().is_some_and(Vec::is_empty) {
            let at =
                file.keys.iter().find(|(key, _)| key.get_ref() == "captures").map_or(0, |(key, _)| key.span().start);
            self.problem(at, "captures names no capture, so that nothing would be checked".to_owned());
        }
        let description = self.required(&file, "description", Self::string);
        let stand_in = self.optional(&file, "stand_in", Self::string);
        let strict = self.optional(&file, "strict", Self::boolean).unwrap_or_default();
        let options = self.tables(&file, "options", "options.", false);
        let options = options.first().map(|table| self.options(table)).unwrap_or_default();
        let devices = self.tables(&file, "device", "device.", true);
        let devices: Vec<_> = devices.iter().map(|table| self.device(table)).collect();
        let findings = self.findings(&file, "finding.");
        Some(Expectation {
            description: description?,
            stand_in,
            since,
            strict,
            captures: paths(captures?),
            options,
            devices: devices.into_iter().collect::<Option<_>>()?,
            findings: findings?,
        })
    }

    fn options(&mut self, table: &Table<'a>) -> Options {
        self.only(table, &["profile", "roots", "installed", "bundle", "keylog", "device", "sign_in", "at"]);
        let profile = self.optional(table, "profile", Self::string);
        self.check(table, "profile", profile.as_deref(), |name| {
            let known = ["auto", "none"].contains(&name) || name.ends_with(".toml") || Profile::builtin(name).is_some();
            let names = || Profile::names().join(", ");
            (!known).then(|| format!("{name:?} is neither a .toml file nor one of auto, none, {}", names()))
        });
        let device = self.optional(table, "device", Self::string);
        self.check(table, "device", device.as_deref(), |device| {
            device.parse::<DeviceFilter>().err().map(|error| error.to_string())
        });
        let sign_in = self.optional(table, "sign_in", Self::string);
        self.check(table, "sign_in", sign_in.as_deref(), |word| {
            (!SIGN_INS.contains(&word)).then(|| format!("{word:?} is none of {}", SIGN_INS.join(", ")))
        });
        let at = self.optional(table, "at", Self::string);
        self.check(table, "at", at.as_deref(), |at| {
            let is_time = Timestamp::parse_rfc3339(at).is_some();
            (!is_time).then(|| format!("{at:?} is no RFC 3339 time such as \"2026-01-30T12:00:00Z\""))
        });
        let mut files = |key| paths(self.optional(table, key, Self::strings).unwrap_or_default());
        let (roots, installed, bundle) = (files("roots"), files("installed"), files("bundle"));
        let keylog = self.optional(table, "keylog", Self::string).map(PathBuf::from);
        Options { profile, roots, installed, bundle, keylog, device, sign_in, at }
    }

    fn device(&mut self, table: &Table<'a>) -> Option<ExpectedDevice> {
        self.only(table, &["device", "verdict", "sign_in", "finding"]);
        let device = self.required(table, "device", Self::string);
        let verdict = self.required(table, "verdict", Self::string);
        let verdict = self.word(table, "verdict", verdict, VerdictStatus::ALL, VerdictStatus::as_str);
        let sign_in = self.optional(table, "sign_in", Self::string);
        let sign_in = self.word(table, "sign_in", sign_in, SignInMethod::ALL, SignInMethod::as_str);
        let findings = self.findings(table, "device.finding.");
        Some(ExpectedDevice { device: device?, verdict: verdict?, sign_in, findings: findings? })
    }

    fn findings(&mut self, table: &Table<'a>, prefix: &'static str) -> Option<Vec<ExpectedFinding>> {
        let tables = self.tables(table, "finding", prefix, true);
        let findings: Vec<_> = tables.iter().map(|table| self.finding(table)).collect();
        findings.into_iter().collect()
    }

    fn finding(&mut self, table: &Table<'a>) -> Option<ExpectedFinding> {
        self.only(table, &["name", "severity", "proof", "missing"]);
        let name = self.required(table, "name", Self::string);
        self.check(table, "name", name.as_deref(), |name| {
            let why = || format!("{name:?} is no name or code of a finding; chaingap explain lists them");
            rule_named(name).is_none().then(why)
        });
        let severity = self.optional(table, "severity", Self::string);
        let severity = self.word(table, "severity", severity, Severity::ALL, Severity::as_str);
        let proof = self.optional(table, "proof", Self::string);
        let proof = self.word(table, "proof", proof, Proof::ALL, Proof::as_str);
        let missing = self.optional(table, "missing", Self::strings);
        Some(ExpectedFinding { name: rule_named(&name?)?.name.to_owned(), severity, proof, missing })
    }

    /// Notes keys that are none of these.
    fn only(&mut self, table: &Table<'a>, known: &[&str]) {
        for key in table.keys.keys().filter(|key| !known.contains(&key.get_ref().as_ref())) {
            let what = format!("{}{}: unknown key; known here are {}", table.prefix, key.get_ref(), known.join(", "));
            self.problem(key.span().start, what);
        }
    }

    /// The value of a key that must be there.
    fn required<T>(
        &mut self,
        table: &Table<'a>,
        key: &str,
        of: fn(&Value<'a>) -> Result<T, &'static str>,
    ) -> Option<T> {
        if value(table, key).is_none() {
            self.problem(table.at, format!("{}{key} is missing", table.prefix));
        }
        self.optional(table, key, of)
    }

    /// The value of a key, if it is there and of this type.
    fn optional<T>(
        &mut self,
        table: &Table<'a>,
        key: &str,
        of: fn(&Value<'a>) -> Result<T, &'static str>,
    ) -> Option<T> {
        let found = value(table, key)?;
        let read = of(&found);
        read.map_err(|needed| self.problem(found.0, format!("{}{key}: {needed} is needed here", table.prefix))).ok()
    }

    /// Notes what is wrong with a value that was read.
    fn check(&mut self, table: &Table<'a>, key: &str, read: Option<&str>, wrong: impl Fn(&str) -> Option<String>) {
        if let (Some(why), Some((at, _))) = (read.and_then(wrong), value(table, key)) {
            self.problem(at, format!("{}{key}: {why}", table.prefix));
        }
    }

    /// The value that a word stands for.
    fn word<T: Copy>(
        &mut self,
        table: &Table<'a>,
        key: &str,
        word: Option<String>,
        all: &[T],
        as_str: fn(T) -> &'static str,
    ) -> Option<T> {
        let found = word.as_deref().and_then(|word| all.iter().copied().find(|value| as_str(*value) == word));
        self.check(table, key, word.as_deref(), |word| {
            let words: Vec<_> = all.iter().map(|value| as_str(*value)).collect();
            found.is_none().then(|| format!("{word:?} is none of {}", words.join(", ")))
        });
        found
    }

    /// The tables of a key: one, or a list of them.
    fn tables(&mut self, table: &Table<'a>, key: &str, prefix: &'static str, listed: bool) -> Vec<Table<'a>> {
        let Some(found) = value(table, key) else { return Vec::new() };
        let values: Vec<Value<'a>> = match found.1 {
            DeValue::Array(values) if listed => values.iter().map(at_and_value).collect(),
            _ if listed => vec![(found.0, &DeValue::Boolean(false))],
            _ => vec![found],
        };
        let mut out = Vec::new();
        for (at, value) in values {
            match value {
                DeValue::Table(keys) => out.push(Table { prefix, at, keys }),
                _ => {
                    let head = if listed { format!("[[{}{key}]]", table.prefix) } else { format!("[{key}]") };
                    self.problem(at, format!("{}{key}: tables are needed here, each under {head}", table.prefix));
                }
            }
        }
        out
    }

    fn string((_, value): &Value<'a>) -> Result<String, &'static str> {
        value.as_str().map(str::to_owned).ok_or("a string")
    }

    fn boolean((_, value): &Value<'a>) -> Result<bool, &'static str> {
        value.as_bool().ok_or("true or false")
    }

    fn strings((_, value): &Value<'a>) -> Result<Vec<String>, &'static str> {
        let values = value.as_array().into_iter().flat_map(|values| values.iter());
        let strings: Option<Vec<_>> = values.map(|value| value.get_ref().as_str().map(str::to_owned)).collect();
        strings.filter(|_| value.as_array().is_some()).ok_or("a list of strings")
    }

    fn problem(&mut self, at: usize, what: String) {
        let before = self.text.get(..at).unwrap_or(self.text);
        self.problems.push(Problem { line: before.matches('\n').count() + 1, what });
    }
}

fn value<'a>(table: &Table<'a>, key: &str) -> Option<Value<'a>> {
    let found = table.keys.iter().find(|(name, _)| name.get_ref() == key);
    found.map(|(_, value)| at_and_value(value))
}

fn at_and_value<'a>(value: &'a Spanned<DeValue<'a>>) -> Value<'a> {
    (value.span().start, value.get_ref())
}

fn paths(names: Vec<String>) -> Vec<PathBuf> {
    names.into_iter().map(PathBuf::from).collect()
}
