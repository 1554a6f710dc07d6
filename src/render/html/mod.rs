//! The report as one page: a file that holds all it needs and asks for nothing.
//!
//! In: a report, or a comparison with its report. Out: HTML with its style sheet and its script inside. Bounded: by the
//! report; each part says how much of it is shown. Left to others: every judgement, and where the file goes.
//!
//! The page may be opened by anybody, from a mail, with words in it that strangers chose. `maud` escapes every one of
//! them; no address in the page is made of them; the content security policy in its head lets nothing run or load but
//! the two blocks whose hashes it names; and in the end every character that hides or reorders text is spelt out.
//! Without a script all is there to read: the script only filters, copies, and unfolds for printing. Why `maud`:
//! D-RENDER-01.

#![deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::as_conversions)]

mod arrow;
mod certificates;
mod chain;
mod closing;
mod compare;
mod device;
mod faults;
mod finding;
mod index;
mod ladder;
mod lanes;
mod messages;
mod page;
mod parting;
mod parts;
mod report;
mod steps;

pub use compare::compare_html;
pub use report::html;
