//! Expectations: `NAME.expect.toml`, schema `chaingap.expect/1`.
//!
//! In: the text of a file. Out: the captures and options that it names, how a report of them differs from what it
//! expects, and the file rewritten to match a report. Bounded: by the text and the report. Left to others: reading the
//! captures and running (`chaingap check`).

mod compare;
mod model;
mod read;
#[cfg(test)]
mod schema;
mod write;

pub use model::{Expectation, ExpectedDevice, ExpectedFinding, Options};
pub use read::{ExpectationError, Problem};
