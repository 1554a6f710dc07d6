//! What uses the library, a module a topic.
//!
//! In: the captures of the repository, and captures, chains and reports made on the spot. Out: failed tests. Left to
//! others: the program (`tests/binary`), the unit tests beside the code.

mod budget;
mod chain_files;
mod compare_alignment;
mod explain;
mod faults;
mod findings;
mod formats;
mod hostile;
mod in_clear;
mod investigation;
mod keylog;
mod knockout;
mod links;
mod many;
mod paths;
mod pkits;
mod properties;
mod regressions;
mod renderers;
mod rfc5280;
mod stacks;
mod trust_settings;
mod unchecked;
mod validity;
