//! Stage 5: protocol events become the session of one device, each fact citing its frames.
//!
//! In: datagrams, address bindings, exchanges of connections, and finished connections. Out: [`Evidence`]: devices and
//! certificates. Bounded: devices, and handshakes and events of each, by [`Limits`](crate::limits::Limits); what is
//! beyond is counted. Left to others: trust and blame.

mod card;
mod certificates;
mod connections;
mod device;
mod devices;
mod endpoint;
mod event;
mod exchanges;
mod facts;
mod fetch;
mod handshake;
mod identity;
mod interfaces;
mod link;
mod lookups;
mod not_kept;
mod order;
mod outcome;
mod own;
mod packed;
mod parts;
mod recognition;
mod refused;
mod sign_in;
mod signals;
mod taps;
mod text;
mod without_tls;

pub use certificates::{Certificates, How, Sighting};
pub use connections::{Connection, Talk};
pub use device::{Device, Naming, Service};
pub use devices::{Devices, Glance, Held, Outline, Scratch};
pub use endpoint::endpoint;
pub use event::{DhcpMessage, DnsAnswer, Event, EventKind, Fact, HttpRequest, Neighbour};
pub use facts::{Agreed, Evidence};
pub use fetch::{Fetch, FetchKind, Via};
pub use handshake::Handshake;
pub use outcome::{EndHow, Ending, Outcome};
pub use recognition::Recognition;
pub use refused::{Refused, SIGN_IN_PORTS};
pub use sign_in::{SignIn, SignInMethod, SignInStrength};
pub(crate) use text::{MAX_LINE, shorten};
pub use without_tls::{Without, WithoutTls};
