//! In: a socket address. Out: the form that reports use. Bounded: by the address.

use std::net::SocketAddr;

/// An endpoint as reports write it: address, colon, port, without brackets.
pub fn endpoint(socket: SocketAddr) -> String {
    format!("{}:{}", socket.ip(), socket.port())
}
