//! Stage 4: bytes of a connection, or of a datagram, become protocol events.
//!
//! In: [`Piece`](crate::flow::Piece)s of both directions. Out: HTTP exchanges and LDAP searches as they complete, one
//! TLS handshake when the connection is over. Bounded: `PROBE_BYTES` until the protocol is known, then as each parser
//! says. Left to others: which device it was, and what the events mean.

pub mod ber;
pub mod body;
mod conversation;
pub mod dhcp;
pub mod dns;
pub mod http;
pub mod ldap;
pub mod lldp;
pub mod ntp;
mod openvpn;
pub mod other_tls;
pub mod pkcs7;
pub mod tls;
mod upgrade;

pub use crate::flow::{Both, Side, StreamEnd};
pub use body::FoundCertificate;
pub use conversation::{Context, Conversation, Outputs, Said};
