//! What runs the program, as users and scripts meet it; a module a topic.
//!
//! In: the program that Cargo built, the captures of the repository. Out: failed tests. Left to others: what needs no
//! process (`tests/library`).

mod annotate;
mod certs;
mod check;
mod cli;
mod compare;
mod engines;
mod inputs;
mod kinds;
mod many;
mod memory;
mod merge;
mod output;
mod preflight;
mod profiles;
mod redact;
mod stacks;
mod tshark;
mod two_pass;
