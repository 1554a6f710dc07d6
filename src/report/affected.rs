//! In: a device and a fault that it shows. Out: the two as one row of a table of affected devices. Bounded: by the values.
//! Left to others: the table (`render/csv`).

use super::device::mac_of;
use super::faults::{Frames, server_key};
use crate::diagnosis::Finding;
use crate::evidence::{Device, Fact};

/// A device that a fault affects.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Affected {
    /// Its first address.
    pub address: String,
    /// Its MAC address, where something binds it to the device.
    pub mac: Option<String>,
    /// The name that it gave to the DHCP server (RFC 2132, section 3.14).
    pub host_name: Option<String>,
    /// Time of the first occurrence, RFC 3339.
    pub first: String,
    /// Time of the last occurrence.
    pub last: String,
    /// The fault's code.
    pub code: String,
    /// The server: its name, else its endpoint.
    pub server: Option<String>,
    /// The fault's `id`.
    pub fault: String,
}

impl Affected {
    pub(super) fn of(device: &Device, shows: &Finding, frames: Frames, fault: &str) -> Self {
        let (first, last) = frames.unwrap_or(device.frames);
        let mut names = device.events.iter().filter_map(|event| match &event.fact {
            Fact::Dhcp(message) => message.host_name.as_deref().map(|name| String::from_utf8_lossy(name).into_owned()),
            _ => None,
        });
        Self {
            address: device.address.to_string(),
            mac: mac_of(device),
            host_name: names.next_back(),
            first: first.time.to_string(),
            last: last.time.to_string(),
            code: shows.code.rule().code.into(),
            server: server_key(shows),
            fault: fault.to_owned(),
        }
    }
}
