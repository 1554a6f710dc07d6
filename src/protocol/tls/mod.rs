//! TLS over TCP: what can be read of a handshake, and how it went.
//!
//! In: [`Piece`](crate::flow::Piece)s of both directions. Out: one [`Handshake`] per connection. Bounded: one handshake
//! message and one protected record per direction; after the handshake only record headers are read and the rest is
//! counted, except handshake and alert records that a key log can decrypt. Left to others: how TCP ended, what it
//! means.
//!
//! Secrets must be known when their keys come into use: a key log is read before the capture, and secrets in a capture
//! precede the packets that need them, as Wireshark requires too.

mod agreement;
mod cipher;
mod connection;
mod facts;
mod handshake;
mod held;
mod history;
mod keylog;
mod message;
mod names;
mod ocsp;
mod protect;
mod reassembly;
mod record;
mod registry;
mod schedule;
mod session;
mod terms;

pub use agreement::{Agreement, Group, ServerKeyExchange, Signer};
pub use connection::Tls;
pub use handshake::{Alert, Data, Foreign, Handshake, Hole, Overlong};
pub use history::{History, Letter};
pub use keylog::{KeyLog, KeyLogLines};
pub use message::{CertificateList, CertificateRequest, ClientHello, MAX_CERTIFICATES, ServerHello};
pub use names::{AlertCode, Version, cipher_suite};
pub use ocsp::{OcspAnswer, OcspStatus};
pub use protect::Undecrypted;
pub use registry::{extension, group, is_grease, signature_scheme};

/// Whether a direction that starts with these bytes speaks TLS; `None` if there are too few to tell.
pub fn starts_like_tls(bytes: &[u8]) -> Option<bool> {
    record::starts_like_tls(bytes)
}

/// Whether bytes within a connection start a TLS hello; `None` if there are too few to tell.
pub fn starts_with_hello(bytes: &[u8]) -> Option<bool> {
    record::starts_with_hello(bytes)
}

/// Whether these bytes start a ClientHello, so that their sender is the client.
pub fn starts_client(bytes: &[u8]) -> bool {
    matches!(bytes, [22, 3, _, _, _, 1, ..] | [22, 1, 1, _, _, 1, ..] | [0x80..=0xff, _, 1, ..])
}

/// Whether these bytes start a ServerHello, so that their sender is the server.
pub fn starts_server(bytes: &[u8]) -> bool {
    matches!(bytes, [22, 3, _, _, _, 2, ..] | [22, 1, 1, _, _, 2, ..])
}

#[cfg(test)]
mod tests;
