//! What several renderers say alike: how captures and devices are named, which events are worth telling, what is in
//! which column of a chain.
//!
//! In: the report. Out: words and lists of words, no layout. Bounded: by what each function says. Left to others: how any
//! of it looks.

pub(super) mod chain;
mod device;
pub(super) mod finding;
pub(super) mod many;
mod scope;
pub(super) mod step;
pub(super) mod story;
pub(super) mod words;

pub(super) use device::{
    captures, context, counted_devices, counts, dropped, handshake_of, mark, nobody, signed_in, subject,
};
pub(super) use scope::{Index, Scope, file_name};
