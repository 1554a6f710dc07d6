//! In: facts of one device. Out: its session, each fact with its frames. Bounded: `MAX_REFUSED` refused connections,
//! `MAX_NAMES` names and `MAX_SERVICES` services; the rest by the limits that the collectors give.

use std::collections::BTreeMap;
use std::mem::size_of;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::event::{Event, HttpRequest};
use super::fetch::Fetch;
use super::handshake::{Handshake, Parts};
use super::recognition::Recognition;
use super::refused::{Refused, SIGN_IN_PORTS};
use super::without_tls::{Without, WithoutTls};
use crate::capture::{FrameRef, Timestamp};

/// Refused connections kept of one device, to different servers: this many to ports of a sign-in, and as many to others.
const MAX_REFUSED: usize = 32;
pub(super) const MAX_NAMES: usize = 64;
const MAX_SERVICES: usize = 16;
/// Servers kept of one device to which connections carried no handshake.
const MAX_WITHOUT_TLS: usize = 32;
/// Servers kept of one device that accepted its connections.
const MAX_CONNECTED: usize = 1_024;

/// One device: all that one address did within one recording, or several addresses that one network card had.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Device {
    /// The recording: the index of its first capture.
    pub recording: u32,
    /// Index of the capture in which it was first seen.
    pub capture: u32,
    /// Its address, the first one where it had several.
    pub address: IpAddr,
    /// Each of its addresses with the first and the last frame in which it occurs.
    pub addresses: Vec<(IpAddr, FrameRef, FrameRef)>,
    /// Its network card, where DHCP or ARP binds it to the address.
    pub mac: Option<([u8; 6], FrameRef)>,
    /// First and last frame of it.
    pub frames: (FrameRef, FrameRef),
    /// What shows whether it is a Lync phone or another maker's device.
    pub recognition: Recognition,
    /// Names that it looked up or was given, each with its addresses and the first frame.
    pub names: BTreeMap<String, Naming>,
    /// Its fetches of certificates.
    pub fetches: Vec<Fetch>,
    /// Its handshakes.
    pub handshakes: Vec<Handshake>,
    /// How many handshakes it made, kept or not.
    pub handshakes_total: u64,
    /// Connections that failed.
    pub refused: Vec<Refused>,
    /// Servers beyond those, to which connections failed too.
    pub refused_beyond: u64,
    /// Connections in which no handshake began.
    pub without_tls: Vec<WithoutTls>,
    /// The first exchange that may have brought certificates but cannot be read: its frame, and what it is.
    pub unreadable: Option<(FrameRef, &'static str)>,
    /// Incomplete handshakes dropped for lack of space (D-EVIDENCE-12).
    pub dropped_incomplete: u64,
    /// Records that named its SIP servers.
    pub services: Vec<Service>,
    /// First Network Time query and the number of them.
    pub time_asked: Option<(FrameRef, u32)>,
    /// Network Time answers it had: the server's time minus the capture's, in nanoseconds.
    pub time_answers: Vec<(FrameRef, i64)>,
    /// Its first Kerberos message.
    pub kerberos: Option<FrameRef>,
    /// HTTP requests in clear that were refused, each with the frame of the answer: status 400 and above.
    pub http_errors: Vec<(FrameRef, HttpRequest)>,
    /// The rest of its story.
    pub events: Vec<Event>,
    /// The last frame in which each server accepted a connection from it.
    pub(super) connected: BTreeMap<SocketAddr, FrameRef>,
    /// Whether more servers did than are remembered.
    pub(super) connected_beyond: bool,
    /// Whether nothing but such a connection is known of it.
    pub(super) only_connected: bool,
    /// Whether several TLS stacks or DHCP clients share the address (D-EVIDENCE-18).
    pub shared_address: bool,
    /// Whether another device has taken over all of it: the same handshakes at another tap, or the same network card.
    pub merged: bool,
}

/// An SRV record that names a server of a SIP domain (RFC 2782).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Service {
    /// The frame of the answer.
    pub at: FrameRef,
    /// The name asked for, `_sipinternaltls._tcp.example.com`.
    pub name: String,
    /// The domain in it.
    pub domain: String,
    /// The host that it points to.
    pub target: String,
}

impl Service {
    /// Whether the host is in the domain, or below it.
    pub fn is_in_domain(&self) -> bool {
        let host = self.target.strip_suffix(self.domain.as_str());
        host.is_some_and(|host| host.is_empty() || host.ends_with('.'))
    }
}

/// What is known of a name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Naming {
    /// Addresses it resolved to.
    pub addresses: Vec<IpAddr>,
    /// The frame of the first query or option.
    pub at: Option<FrameRef>,
    /// Whether it was the target of an SRV record.
    pub is_srv_target: bool,
    /// Whether DHCP handed it out.
    pub by_dhcp: bool,
}

impl Device {
    pub(super) fn new(recording: u32, at: FrameRef, address: IpAddr) -> Self {
        Self {
            recording,
            capture: at.capture,
            address,
            addresses: Vec::new(),
            mac: None,
            frames: (at, at),
            recognition: Recognition::default(),
            names: Default::default(),
            fetches: Vec::new(),
            handshakes: Vec::new(),
            handshakes_total: 0,
            refused: Vec::new(),
            refused_beyond: 0,
            without_tls: Vec::new(),
            unreadable: None,
            dropped_incomplete: 0,
            services: Vec::new(),
            time_asked: None,
            time_answers: Vec::new(),
            kerberos: None,
            http_errors: Vec::new(),
            events: Vec::new(),
            connected: Default::default(),
            connected_beyond: false,
            only_connected: false,
            shared_address: false,
            merged: false,
        }
    }

    /// In the place of a device that is elsewhere.
    pub(super) fn nobody() -> Self {
        let at = FrameRef { capture: 0, number: 0, offset: 0, length: 0, time: Timestamp::from_nanos(0, 0) };
        Self::new(0, at, IpAddr::V4(Ipv4Addr::UNSPECIFIED))
    }

    /// About how many bytes it takes without its handshakes.
    pub(super) fn weight(&self) -> usize {
        let names: usize = self.names.iter().map(|(name, naming)| 128 + name.len() + naming.addresses.len() * 17).sum();
        let fetches: usize = self.fetches.iter().map(|fetch| size_of::<Fetch>() + fetch.url.len() + 64).sum();
        let events: usize = self.events.iter().map(Event::weight).sum();
        let refused = self.refused.len() * size_of::<Refused>() + self.without_tls.len() * size_of::<WithoutTls>();
        let services = self.services.len() * (size_of::<Service>() + 128);
        let errors = self.http_errors.len() * (size_of::<HttpRequest>() + 128);
        size_of::<Self>() + names + fetches + events + refused + services + errors + self.connected.len() * 96
    }

    /// Notes that a server accepted a connection; `last` is the connection's last frame.
    pub(super) fn note_connected(&mut self, server: SocketAddr, last: FrameRef) {
        if self.connected.len() < MAX_CONNECTED || self.connected.contains_key(&server) {
            self.connected.insert(server, last);
        } else {
            self.connected_beyond = true;
        }
    }

    /// Whether the server is known to have accepted a connection from it after a frame.
    pub fn connected_after(&self, server: SocketAddr, at: FrameRef) -> bool {
        self.connected.get(&server).is_some_and(|last| at.is_before(last))
    }

    /// Whether more servers accepted connections from it than are remembered.
    pub fn forgot_connections(&self) -> bool {
        self.connected_beyond
    }

    /// Adds a step to the story; a step like one before adds nothing.
    pub(super) fn tell(&mut self, event: Event, limit: usize) {
        let known = self.events.iter().any(|known| known.is_like(&event));
        if !known && self.events.len() < limit {
            self.events.push(event);
        }
    }

    /// Notes an exchange that may have brought certificates but cannot be read.
    pub(super) fn cannot_read(&mut self, at: FrameRef, what: &'static str) {
        if self.unreadable.is_none_or(|(known, _)| at.is_before(&known)) {
            self.unreadable = Some((at, what));
        }
    }

    /// From `cap` kept handshakes on, counts a handshake as a repeat of a kept one that it resembles, if there is one.
    pub(super) fn count_with_another(
        &mut self,
        parts: &Parts<'_>,
        first: FrameRef,
        last: FrameRef,
        cap: usize,
    ) -> bool {
        if self.handshakes.len() < cap {
            return false;
        }
        let Some(known) = self.handshakes.iter_mut().rev().find(|known| known.is_like(parts)) else { return false };
        known.repeats += 1;
        known.repeated_until = last;
        if known.repeated_from.is_before(&first) {
            known.repeated_from = first;
        }
        true
    }

    /// Keeps a fetch. Beyond `limit`, fetches that brought no certificates make room for those that did; one that did
    /// and finds no room counts as unreadable. Returns whether a fetch was left out.
    pub(super) fn keep_fetch(&mut self, fetch: Fetch, limit: usize, room: bool) -> bool {
        let full = self.fetches.len() >= limit;
        let vain = if full { self.fetches.iter().rposition(|known| known.certificates.is_empty()) } else { None };
        match (room, full, vain) {
            (true, false, _) => self.fetches.push(fetch),
            (true, true, Some(vain)) if !fetch.certificates.is_empty() => {
                self.fetches.remove(vain);
                self.fetches.push(fetch);
            }
            _ if fetch.certificates.is_empty() => {}
            _ => self.cannot_read(fetch.request, "a download that there was no room to keep"),
        }
        full || !room
    }

    pub(super) fn keep(&mut self, handshake: Handshake) {
        if self.handshakes.is_empty() {
            // Many devices have a single handshake, and a `Handshake` is large.
            self.handshakes.reserve_exact(1);
        }
        self.handshakes.push(handshake);
    }

    pub(super) fn refuse(&mut self, refused: Refused) {
        let same =
            |known: &&mut Refused| known.server == refused.server && known.reset.is_some() == refused.reset.is_some();
        if let Some(known) = self.refused.iter_mut().find(same) {
            known.repeats += 1;
            known.last = refused.last;
            return;
        }
        let of_sign_in = |refused: &Refused| SIGN_IN_PORTS.contains(&refused.server.port());
        let alike = self.refused.iter().filter(|known| of_sign_in(known) == of_sign_in(&refused)).count();
        if alike < MAX_REFUSED {
            self.refused.push(refused);
        } else {
            self.refused_beyond += 1;
        }
    }

    /// Counts a connection in which no handshake began.
    pub(super) fn note_without_tls(&mut self, server: SocketAddr, what: Without, frames: (FrameRef, FrameRef)) {
        let same = |known: &&mut WithoutTls| (known.server, known.what) == (server, what);
        if let Some(known) = self.without_tls.iter_mut().find(same) {
            known.count += 1;
            known.frames.1 = frames.1;
        } else if self.without_tls.len() < MAX_WITHOUT_TLS {
            self.without_tls.push(WithoutTls { server, what, count: 1, frames });
        }
    }

    pub(super) fn name(&mut self, name: &str, at: FrameRef, change: impl FnOnce(&mut Naming)) {
        if self.names.len() >= MAX_NAMES && !self.names.contains_key(name) {
            return;
        }
        let naming = self.names.entry(name.to_owned()).or_default();
        naming.at.get_or_insert(at);
        change(naming);
        naming.addresses.sort_unstable();
        naming.addresses.dedup();
        naming.addresses.truncate(16);
    }

    /// Remembers a record that names a SIP server.
    pub(super) fn service(&mut self, name: &str, target: &str, at: FrameRef) {
        let sip = ["_sipinternaltls._tcp.", "_sip._tls.", "_sipinternal._tcp."];
        let Some(domain) = sip.iter().find_map(|service| name.strip_prefix(service)) else { return };
        let target = target.to_ascii_lowercase();
        let service = Service { at, name: name.to_owned(), domain: domain.to_owned(), target };
        if self.services.len() < MAX_SERVICES && !self.services.iter().any(|known| known.target == service.target) {
            self.services.push(service);
        }
    }

    /// Several TLS stacks behind one address: hellos of one version that differ in more than the suites.
    /// Decided in D-EVIDENCE-17.
    pub(super) fn note_stacks(&mut self) {
        let mut stacks: Vec<_> = self
            .handshakes
            .iter()
            .filter_map(|handshake| handshake.tls.client_hello.as_ref())
            .map(|hello| (hello.version, hello.sslv2, &hello.stack))
            .collect();
        stacks.sort_unstable();
        stacks.dedup();
        self.shared_address |= stacks.windows(2).any(|pair| matches!(pair, [a, b] if a.0 == b.0 && a.1 == b.1));
    }
}
