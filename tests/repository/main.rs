//! What holds the repository to its own rules.
//!
//! In: its files, and its dependencies as Cargo resolves them. Out: failed tests. Left to others: everything the program
//! does.

mod circles;
mod decisions;
mod house;
mod stacks;
mod supply_chain;
