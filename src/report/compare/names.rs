//! What things are called in a comparison.
//!
//! In: a report, and the certificates, names and words to be shown. Out: words. Bounded: `MOST` of a list, `NAME`
//! characters of a name. Left to others: what is said of them.

use crate::report::model::{Certificate, Report};

/// The most names or differences in one sentence.
pub(super) const MOST: usize = 3;

/// The most characters of a name that are shown.
const NAME: usize = 80;

/// What the certificates of a report are called.
pub(super) struct Names<'a> {
    report: &'a Report,
}

impl<'a> Names<'a> {
    pub(super) fn of(report: &'a Report) -> Self {
        Self { report }
    }

    pub(super) fn certificate(&self, sha: &str) -> Option<&'a Certificate> {
        self.report.certificates.get(sha)
    }

    /// `CN=…`.
    pub(super) fn subject(&self, sha: &str) -> String {
        match self.certificate(sha) {
            Some(certificate) => first_part(&certificate.subject),
            None => format!("certificate {}", sha.get(..16).unwrap_or(sha)),
        }
    }

    /// Up to `MOST` subjects; the others are only counted.
    pub(super) fn subjects<'s>(&self, shas: impl Iterator<Item = &'s String>) -> String {
        listed(&shas.map(|sha| self.subject(sha)).collect::<Vec<_>>())
    }

    /// The issuer's full name, not only its first attribute.
    pub(super) fn issuer(&self, sha: &str) -> Option<String> {
        self.certificate(sha).map(|certificate| shortened(&certificate.issuer))
    }

    /// `CN=… (until 2030-01-01)`.
    pub(super) fn dated(&self, sha: &str) -> String {
        let end = self.certificate(sha).and_then(|certificate| certificate.not_after.as_deref());
        let day = end.and_then(|end| end.split('T').next()).map(|day| format!(" (until {day})"));
        format!("{}{}", self.subject(sha), day.unwrap_or_default())
    }
}

/// The first attribute of an RFC 4514 name, as written.
pub(super) fn first_part(subject: &str) -> String {
    let mut escaped = false;
    let end = subject.char_indices().find(|(_, c)| {
        let ends = !escaped && matches!(c, ',' | '+');
        escaped = !escaped && *c == '\\';
        ends
    });
    shortened(end.map_or(subject, |(at, _)| subject.get(..at).unwrap_or(subject)))
}

pub(super) fn shortened(text: &str) -> String {
    if text.chars().count() <= NAME {
        return text.to_owned();
    }
    text.chars().take(NAME - 1).chain(['…']).collect()
}

/// `a, b and c`, or `a, b, c and 4 more`.
pub(super) fn listed(words: &[String]) -> String {
    let (told, more) = words.split_at(words.len().min(MOST));
    match (told, more.len()) {
        ([], _) => "none".into(),
        ([only], 0) => only.clone(),
        ([first @ .., last], 0) => format!("{} and {last}", first.join(", ")),
        (told, more) => format!("{} and {more} more", told.join(", ")),
    }
}
