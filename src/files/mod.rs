//! What files are, before any stage reads them: the encoding of texts, and the kind of a file by its first bytes.
//!
//! In: the bytes of a file. Out: its text as UTF-8; the name of its kind, and what to do with such a file. Bounded: one
//! pass over the text; the first bytes decide the kind. Left to others: reading what a file holds.

mod kind;
mod text;

pub use kind::Kind;
pub use text::{is_utf16, utf8};
