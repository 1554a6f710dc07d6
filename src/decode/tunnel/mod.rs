//! Tunnels over IP, as used by port mirrors, overlays, wireless controllers and carriers.
//!
//! In: payload of IP or UDP. Out: what the tunnel carries. Bounded: borrows. Left to others: encrypted tunnels.

mod capwap;
mod geneve;
mod gre;
mod gtp;
mod vxlan;

use super::inner::Inner;
use super::link;

/// Opens a tunnel by IP protocol number; protocols that are not tunnels hold nothing for later stages.
pub(super) fn open_ip(protocol: u8, payload: &[u8]) -> Option<Inner<'_>> {
    match protocol {
        // IP in IP (RFC 2003, RFC 2473, RFC 4213).
        4 | 41 => Some(Inner::Ip(payload)),
        47 => gre::open(payload),
        // MPLS in IP (RFC 4023).
        137 => link::open_mpls(payload),
        _ => Some(Inner::Nothing),
    }
}

const VXLAN: u16 = 4789;
/// The port that Linux used for VXLAN before one was assigned.
const VXLAN_LINUX: u16 = 8472;
const VXLAN_GPE: u16 = 4790;
const GENEVE: u16 = 6081;
const GTP_USER: u16 = 2152;
const CAPWAP_DATA: u16 = 5247;

/// The tunnel that a datagram with these source and destination ports may belong to. Overlays use their port as
/// destination in both directions; the others also answer from it.
pub(super) fn of_ports((source, destination): (u16, u16)) -> Option<Tunnel> {
    match (source, destination) {
        (_, VXLAN | VXLAN_LINUX) => Some(vxlan::open),
        (_, VXLAN_GPE) => Some(vxlan::open_gpe),
        (_, GENEVE) => Some(geneve::open),
        (GTP_USER, _) | (_, GTP_USER) => Some(gtp::open),
        (CAPWAP_DATA, _) | (_, CAPWAP_DATA) => Some(capwap::open),
        _ => None,
    }
}

/// Opens the payload of a datagram.
pub(super) type Tunnel = fn(&[u8]) -> Option<Inner<'_>>;
