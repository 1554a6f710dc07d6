//! Stage 5: protocol events become the session of one device, each fact citing its frames.
//!
//! In: datagrams, address bindings, what connections said, and connections that are over. Out: [`Evidence`]: devices and
//! certificates. Bounded: [`Limits`] devices, and per device handshakes and events; what is beyond is counted.
//! Left to others: trust and blame.

mod certificates;
mod collect;
mod device;
mod identity;
mod link;
mod lookups;
mod outcome;
mod sign_in;
mod taps;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};

use foldhash::quality::RandomState;

use crate::capture::FrameRef;
use crate::limits::Limits;
use crate::protocol::other_tls::OtherTls;
use crate::protocol::tls::Version;

pub use certificates::{Certificates, How, Sighting};
pub use collect::{Connection, SIGN_IN_PORTS, Talk};
pub use device::{Device, Event, Fetch, FetchKind, Handshake, Naming, Refused, Service};
pub use outcome::{EndHow, Ending, Outcome};
pub use sign_in::{Recognition, SignIn, SignInMethod, SignInStrength};

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
    limits: Limits,
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
    kept: usize,
    /// The captures are one recording, rotated.
    continuous: bool,
    index: HashMap<(u32, IpAddr), usize, RandomState>,
    cards: HashMap<(u32, [u8; 6]), Card>,
    /// Who had a connection accepted by whom, last in which frame.
    connected: HashMap<(u32, IpAddr, SocketAddr), FrameRef, RandomState>,
    /// There were more of them than are kept.
    pub connected_dropped: bool,
    /// Handshakes of which there was no room to keep them.
    pub handshakes_dropped: u64,
    /// Downloads of which there was no room to keep them.
    pub fetches_dropped: u64,
}

/// What a network card said by DHCP or LLDP, before its address was known or after.
#[derive(Debug, Default)]
struct Card {
    /// Its addresses, each with whether a DHCP server bound it.
    addresses: Vec<(IpAddr, bool)>,
    at: Option<FrameRef>,
    events: Vec<Event>,
    recognition: Recognition,
    /// What the client last called itself; servers do not repeat it.
    vendor_class: Option<String>,
    names: Vec<(String, FrameRef)>,
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

    fn recording(&self, at: FrameRef) -> u32 {
        self.recording_of(at.capture)
    }

    /// The device behind an address of a capture; `None` when there are too many.
    fn device(&mut self, address: IpAddr, at: FrameRef) -> Option<&mut Device> {
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

/// An endpoint as reports write it: address, colon, port, without brackets.
pub fn endpoint(socket: SocketAddr) -> String {
    format!("{}:{}", socket.ip(), socket.port())
}
