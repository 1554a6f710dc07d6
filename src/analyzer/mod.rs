//! The library's front door.
//!
//! In: what the user trusts, and the bytes of captures, pulled from a reader or pushed. Out: a [`Report`]. Bounded: by
//! [`Limits`]. Left to others: files, threads, clock, environment.

mod builder;
mod device_filter;
mod investigation;
mod preflight;
mod settings;

pub use builder::{BuildError, Builder};
pub use device_filter::{DeviceFilter, DeviceFilterError};
pub use investigation::{CaptureRun, Error, Investigation};
pub use settings::Analyzer;
