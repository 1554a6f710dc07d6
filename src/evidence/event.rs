//! In: nothing. Out: a line of a device's story. Bounded: by the collectors.

use std::net::SocketAddr;

use crate::capture::FrameRef;

/// One line of a device's story.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its frame.
    pub at: FrameRef,
    /// `dhcp`, `dns`, `ntp`, `ldap`, `http`, …
    pub kind: &'static str,
    /// The server it was between, where it matters to the story which.
    pub server: Option<SocketAddr>,
    /// What happened.
    pub summary: String,
}
