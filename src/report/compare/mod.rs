//! Two traces side by side: a pure function from a report to a comparison, schema `chaingap.compare/1`.
//!
//! In: a report over both captures as one investigation, so that certificates of the good one have been tried in the
//! bad one's chain. Out: [`Comparison`]. Bounded: by the report. Left to others: judgement (the findings are the
//! report's own) and how any of it looks.
//!
//! `choose` says which devices, `steps` aligns their stories, `servers` does so for TLS, `parameters` compares their hellos, `conclude` puts the outcome
//! into words, `supply` says where the good one got the certificates that the bad one lacks.

mod choose;
mod comparison;
mod conclude;
mod model;
mod names;
mod parameters;
mod sentence;
mod servers;
mod steps;
mod supply;

pub use choose::{Pick, PickError};
pub use comparison::compare;
pub use model::{Because, COMPARE_SCHEMA, CompareSide, CompareStep, Comparison, StepSide, WhichSide};
