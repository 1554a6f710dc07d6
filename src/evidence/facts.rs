//! In: devices, certificates and counts, as the collectors find them. Out: [`Evidence`], all that an investigation knows.
//! Bounded: [`Limits`] devices, each with as much as the collectors keep; what is beyond is counted.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};

use foldhash::quality::RandomState;

use super::card::Card;
use super::certificates::Certificates;
use super::device::Device;
use super::devices::Devices;
use super::not_kept::NotKept;
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
    /// Hosts in the order in which they were found; some turn out to be no device.
    pub devices: Devices,
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
    pub(super) not_kept: NotKept,
    /// TLS that does not run over TCP, by capture: its first frame and the number of frames.
    pub other_tls: BTreeMap<(u32, OtherTls), (FrameRef, u64)>,
    /// Files of which some bytes came.
    pub(super) parts: Parts,
    /// Handshakes kept.
    pub(super) kept: usize,
    /// Whether the captures are one recording, rotated over several files.
    pub(super) continuous: bool,
    pub(super) index: HashMap<(u32, IpAddr), u32, RandomState>,
    pub(super) cards: HashMap<(u32, [u8; 6]), Card>,
    /// Whether more servers accepted connections from a device than are remembered.
    pub connected_dropped: bool,
    /// A part of a hash of each random value of a kept ClientHello, with the device: where two are equal, two handshakes
    /// may be one that was recorded twice.
    pub(super) hellos: Vec<(u32, u32)>,
    /// Devices whose handshakes another one has taken over, by index.
    pub(super) moved: BTreeMap<usize, usize>,
    /// Handshakes of devices that were not kept.
    pub handshakes_of_others: u64,
    /// Handshakes that were dropped for lack of space.
    pub handshakes_dropped: u64,
    /// Fetches that were dropped for lack of space.
    pub fetches_dropped: u64,
}

impl Evidence {
    /// An empty investigation. Captures that are `continuous` are one recording, rotated over several files.
    pub fn new(limits: Limits, continuous: bool) -> Self {
        let (certificates, devices) = (Certificates::new(limits.certificates), Devices::new(limits.open_handshakes));
        Self { certificates, devices, limits, continuous, ..Self::default() }
    }

    /// Devices that were not kept because there were too many, and whether there may be more.
    pub fn devices_dropped(&self) -> (u64, bool) {
        self.not_kept.count()
    }

    /// Puts all devices to rest.
    pub(crate) fn rest_all(&mut self) {
        self.devices.rest_all();
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
        let index = self.index_of(address, at)?;
        self.devices.get_mut(index)
    }

    /// The index of the device behind an address, which had something to do with this frame.
    pub(super) fn index_of(&mut self, address: IpAddr, at: FrameRef) -> Option<usize> {
        let index = self.place_of(address, at)?;
        let device = self.devices.get_mut(index)?;
        if std::mem::take(&mut device.only_connected) {
            (device.frames, device.capture) = ((at, at), at.capture);
        }
        if device.frames.1.is_before(&at) {
            device.frames.1 = at;
        }
        if at.is_before(&device.frames.0) {
            device.frames.0 = at;
        }
        Some(index)
    }

    /// Notes that a server accepted a connection; nothing else is known of a client for that.
    pub(super) fn note_connected(&mut self, client: IpAddr, server: SocketAddr, (first, last): (FrameRef, FrameRef)) {
        let Some(index) = self.place_of(client, first) else { return };
        if let Some(device) = self.devices.get_mut(index) {
            device.note_connected(server, last);
            self.connected_dropped |= device.forgot_connections();
        }
    }

    fn place_of(&mut self, address: IpAddr, at: FrameRef) -> Option<usize> {
        let recording = self.recording(at);
        if let Some(index) = self.index.get(&(recording, address)) {
            return usize::try_from(*index).ok();
        }
        let room = self.devices.bytes() < self.limits.evidence_bytes;
        let index = u32::try_from(self.devices.len()).ok().filter(|_| room);
        let Some(index) = index else {
            self.not_kept.note((recording, address));
            return None;
        };
        self.devices.rest(|device| settle(device, recording));
        let mut device = Device::new(recording, at, address);
        device.only_connected = true;
        self.devices.push(device);
        self.index.insert((recording, address), index);
        usize::try_from(index).ok()
    }
}

/// Puts in order what can be told of a device of the recording that is being read.
pub(super) fn settle(device: &mut Device, reading: u32) {
    if device.recording == reading {
        device.addresses = vec![(device.address, device.frames.0, device.frames.1)];
        device.note_stacks();
    }
}
