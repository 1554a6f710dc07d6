//! In: nothing. Out: connections in which no handshake began although one might have, counted by server. Bounded: by the
//! collectors.

use std::net::SocketAddr;

use crate::capture::FrameRef;

/// Ports on which nothing but TLS is expected: web services, SIP, the directory.
pub(super) const TLS_PORTS: [u16; 4] = [443, 4443, 5061, 636];

/// Why no handshake began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Without {
    /// The connection was opened, and neither side sent anything but its end.
    Unused,
    /// Another protocol was spoken on a port of TLS.
    OtherProtocol,
}

/// Connections of a device to one server in which no handshake began.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WithoutTls {
    /// The server.
    pub server: SocketAddr,
    /// Why not.
    pub what: Without,
    /// How many there were.
    pub count: u64,
    /// The first frame of the first one, and the last frame of the last one.
    pub frames: (FrameRef, FrameRef),
}
