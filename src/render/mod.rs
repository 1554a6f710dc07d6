//! Stage 9: a report becomes something to read.
//!
//! In: one [`Report`](crate::report::Report), and nothing else. Out: text for people, JSON for programs. Bounded: by the
//! report; the text folds what would not fit on a screen and says how much it folded. Left to others: where the output
//! goes, and whether its terminal has colours.

mod json;
mod text;

pub use json::{compare_json, json, preflight_json, profiles_json, summary_json};
pub use text::{
    TextStyle, compare_text, explain_list, explain_text, preflight_text, profile_text, profiles_text, summary_text, text,
};
