//! Stage 9: a report becomes something to read.
//!
//! In: one [`Report`](crate::report::Report), and nothing else. Out: text, HTML and Markdown for people, JSON for programs,
//! SARIF and JUnit for CI, CSV of the devices affected. Bounded: by the report; the text folds what would not fit on a screen and says how much it
//! folded. Left to others: where the output goes, and whether its terminal has colours.

mod csv;
mod formats;
mod html;
mod json;
mod junit;
mod markdown;
mod pkcs7;
#[cfg(test)]
mod sample;
mod sarif;
mod shared;
mod text;

pub use csv::{CSV_HEAD, csv_line};
pub use formats::{FORMATS, Format};
pub use html::{compare_html, html};
pub use json::{
    certs_json, check_json, compare_json, explain_json, json, json_line, preflight_json, profiles_json, stacks_json,
    summary_json, write_json, write_json_line,
};
pub use junit::{check_junit, junit};
pub use markdown::{compare_markdown, markdown};
pub use pkcs7::certs_pkcs7;
pub use sarif::sarif;
pub use text::{
    TextStyle, certs_text, check_text, compare_text, explain_list, explain_text, preflight_text, profile_text,
    profiles_text, stack_text, stacks_text, summary_text, text,
};

/// Text in which every character that a terminal or an editor would obey, or would not show, is written as `\u{..}`:
/// fit to be printed on a line, wherever it comes from.
pub fn printable(text: &str) -> String {
    shared::words::clean(text)
}

/// The name by which people call the owner of a certificate: of its subject (RFC 4514) the first CN, else OU, else O, else
/// all of it; at most 80 characters.
pub fn common_name(subject: &str) -> String {
    shared::words::short_name(subject)
}
