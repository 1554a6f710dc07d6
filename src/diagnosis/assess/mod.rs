//! In: one handshake, its device, what is trusted and known. Out: everything that can be said of its certificates: chain,
//! dates at the device's clock, names, algorithms. Bounded: each chain is judged once for the same means of the device.
//! Left to others: which of it was the cause.

mod algorithms;
mod assessor;
mod chain_end;
mod client;
mod dates;
mod malformed;
mod names;
mod order;
mod parameters;

pub use algorithms::{Algorithms, Unusable};
pub(super) use algorithms::{cannot_use, unsupported};
pub use assessor::Assessment;
pub(super) use assessor::Assessor;
pub use chain_end::ChainEnd;
pub use client::ClientIssuer;
pub(super) use client::authorities;
pub use dates::{DateFault, Dated, Dates};
pub(super) use dates::{date_fault, path_faults};
pub use malformed::Malformed;
pub(super) use malformed::of_certificates;
pub use names::NameCheck;
pub(super) use order::form;
pub use order::{AsSent, Form};
pub use parameters::Refusable;
