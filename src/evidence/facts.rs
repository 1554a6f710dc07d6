//! In: devices, certificates and counts, as the collectors find them. Out: [`Evidence`], all that an investigation knows.
//! Bounded: [`Limits`] devices, each with as much as the collectors keep; what is beyond is counted.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};

use foldhash::quality::RandomState;

use super::card::Card;
use super::certificates::Certificates;
use super::device::Device;
use crate::capture::FrameRef;
use crate::limits::Limits;
use crate::protocol::other_tls::OtherTls;
use crate::protocol::tls::Version;

/// What a server took of a hello.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Agreed {
    /// The version.
    pub version: Version,
    /// The cipher suite; `None` where it is one of SSL 2.0.
    pub cipher_suite: Option<u16>,
    /// What the hello was like in all but these (`ClientHello::besides`); `None` where that is not known.
    pub besides: Option<u64>,
}

/// All that the captures of one investigation tell.
#[derive(Debug, Default)]
pub struct Evidence {
    pub(super) limits: Limits,
    /// Devices in the order of their first frames; also hosts that turn out to be none.
    pub devices: Vec<Device>,
    /// Every certificate seen.
    pub certificates: Certificates,
    /// Recordings in which both directions of some connection were seen.
    pub two_way: Vec<u32>,
    /// Servers that speak TLS, each with what it took from anybody. Of servers behind a proxy the address says nothing, so
    /// what they took does not count.
    pub tls_servers: BTreeMap<SocketAddr, BTreeSet<Agreed>>,
    /// Handshakes seen.
    pub handshakes: u64,
    /// Devices that were not kept because there were too many.
    pub devices_dropped: u64,
    /// TLS that does not run over TCP, by capture: its first frame and the number of frames.
    pub other_tls: BTreeMap<(u32, OtherTls), (FrameRef, u64)>,
    /// Handshakes kept.
    pub(super) kept: usize,
    /// The captures are one recording, rotated.
    pub(super) continuous: bool,
    pub(super) index: HashMap<(u32, IpAddr), usize, RandomState>,
    pub(super) cards: HashMap<(u32, [u8; 6]), Card>,
    /// Who had a connection accepted by whom, last in which frame.
    pub(super) connected: HashMap<(u32, IpAddr, SocketAddr), FrameRef, RandomState>,
    /// There were more of them than are kept.
    pub connected_dropped: bool,
    /// Handshakes of which there was no room to keep them.
    pub handshakes_dropped: u64,
    /// Downloads of which there was no room to keep them.
    pub fetches_dropped: u64,
}

impl Evidence {
    /// An empty investigation. Captures that are `continuous` are one recording, rotated over several files.
    pub fn new(limits: Limits, continuous: bool) -> Self {
        Self { certificates: Certificates::new(limits.certificates), limits, continuous, ..Self::default() }
    }

    /// Whether a device had a connection to this server accepted after a frame, as far as it is known.
    pub fn connected_after(&self, device: &Device, server: SocketAddr, at: FrameRef) -> bool {
        self.last_connected(device, server).is_some_and(|last| at.is_before(&last))
    }

    /// The last frame in which a device had a connection to this server accepted.
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
