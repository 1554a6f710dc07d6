//! A report's evidence, put back onto its capture: the frames that matter, with comments, for Wireshark.
//!
//! In: a report, and one of its captures once more. Out: a pcapng file. Bounded: `PER_CONNECTION` frames of one connection
//! and `MOST_BYTES` in all (`chosen.rs`), beside the frames that the evidence cites. Left to others: files.

mod chosen;
mod credentials;
mod excerpt;
mod key_log;
mod wanted;

pub use excerpt::{AnnotateOptions, Annotated, annotate};
