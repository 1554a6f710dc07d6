//! In: devices, certificates and counts, as the collectors find them. Out: [`Evidence`], all that an investigation knows.
//! Bounded: [`Limits`] devices, each with as much as the collectors keep; what is beyond is counted.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};

use foldhash::quality::RandomState;

use super::card::Card;
use super::certificates::Certificates;
use super::device::Device;
use super::parts::Parts;
use crate::capture::FrameRef;
use crate::limits::Limits;
use crate::protocol::other_tls::OtherTls;
use crate::protocol::tls::Version;

/// The version and cipher suite that a server chose from a ClientHello.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Agreed {
    /// The version.
    pub version: Version,
    /// The cipher suite; `None` where it is one of SSL 2.0.
    pub cipher_suite: Option<u16>,
    /// A hash of the rest of the hello (`ClientHello::besides`); `None` where that is not known.
    pub besides: Option<u64>,
}

/// All that the captures of one investigation tell.
#[derive(Debug, Default)]
pub struct Evidence {
    pub(super) limits: Limits,
    /// Hosts in the order of their first frames; some turn out to be no device.
    pub devices: Vec<Device>,
    /// Every certificate seen.
    pub certificates: Certificates,
    /// Recordings in which both directions of some connection were seen.
    pub two_way: Vec<u32>,
    /// What each TLS server agreed to with any client. A server behind a proxy is left out, because the address is the
    /// proxy's.
    pub tls_servers: BTreeMap<SocketAddr, BTreeSet<Agreed>>,
    /// Handshakes seen.
    pub handshakes: u64,
    /// Devices that were not kept because there were too many.
    pub devices_dropped: u64,
    /// TLS that does not run over TCP, by capture: its first frame and the number of frames.
    pub other_tls: BTreeMap<(u32, OtherTls), (FrameRef, u64)>,
    /// Files of which some bytes came.
    pub(super) parts: Parts,
    /// Handshakes kept.
    pub(super) kept: usize,
    /// Whether the captures are one recording, rotated over several files.
    pub(super) continuous: bool,
    pub(super) index: HashMap<(u32, IpAddr), usize, RandomState>,
    pub(super) cards: HashMap<(u32, [u8; 6]), Card>,
    /// Last frame in which a server accepted a connection, by recording, client and server.
    pub(super) connected: HashMap<(u32, IpAddr, SocketAddr), FrameRef, RandomState>,
    /// Whether more connections were accepted than are remembered.
    pub connected_dropped: bool,
    /// Handshakes that were dropped for lack of space.
    pub handshakes_dropped: u64,
    /// Fetches that were dropped for lack of space.
    pub fetches_dropped: u64,
}

impl Evidence {
    /// An empty investigation. Captures that are `continuous` are one recording, rotated over several files.
    pub fn new(limits: Limits, continuous: bool) -> Self {
        Self { certificates: Certificates::new(limits.certificates), limits, continuous, ..Self::default() }
    }

    /// Whether the server is known to have accepted a connection from the device after a frame.
    pub fn connected_after(&self, device: &Device, server: SocketAddr, at: FrameRef) -> bool {
        self.last_connected(device, server).is_some_and(|last| at.is_before(&last))
    }

    /// The last frame in which the server accepted a connection from the device.
    fn last_connected(&self, device: &Device, server: SocketAddr) -> Option<FrameRef> {
        let from = |(address, ..): &(IpAddr, FrameRef, FrameRef)| {
            self.connected.get(&(device.recording, *address, server)).copied()
        };
        device.addresses.iter().filter_map(from).max_by_key(FrameRef::place)
    }

    /// The recording that a capture belongs to, by the index of its first capture.
    pub fn recording_of(&self, capture: u32) -> u32 {
        if self.continuous { 0 } else { capture }
    }

    /// Decided in D-EVIDENCE-14.
    pub(super) fn recording(&self, at: FrameRef) -> u32 {
        self.recording_of(at.capture)
    }

    /// The device behind an address of a capture; `None` when there are too many.
    pub(super) fn device(&mut self, address: IpAddr, at: FrameRef) -> Option<&mut Device> {
        let recording = self.recording(at);
        let index = match self.index.get(&(recording, address)) {
            Some(index) => *index,
            None if self.devices.len() >= self.limits.devices => {
                self.devices_dropped += 1;
                return None;
            }
            None => {
                self.devices.push(Device::new(recording, at, address));
                self.index.insert((recording, address), self.devices.len() - 1);
                self.devices.len() - 1
            }
        };
        let device = self.devices.get_mut(index)?;
        if device.frames.1.is_before(&at) {
            device.frames.1 = at;
        }
        if at.is_before(&device.frames.0) {
            device.frames.0 = at;
        }
        Some(device)
    }
}
