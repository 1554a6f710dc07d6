//! In: nothing. Out: a connection that failed. Bounded: by the collectors.

use std::net::SocketAddr;

use crate::capture::FrameRef;
use crate::flow::Opening;

/// The ports of a sign-in: web services, SIP, certificate fetches, the directory.
pub const SIGN_IN_PORTS: [u16; 8] = [443, 4443, 5061, 80, 8080, 389, 636, 3268];

/// A connection that failed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Refused {
    /// Wireshark's `tcp.stream`.
    pub stream: u64,
    /// The server.
    pub server: SocketAddr,
    /// The SYNs.
    pub opening: Opening,
    /// The server's RST; `None` when nothing came.
    pub reset: Option<FrameRef>,
    /// How many more connections to the server ended like this.
    pub repeats: u64,
    /// Last frame of the last of them.
    pub last: FrameRef,
}
