//! In: finished connections. Out: handshakes and refused connections of the devices that made them. Bounded: as
//! `Limits` says; handshakes beyond the limit are folded into those they resemble.

use std::hash::BuildHasher;
use std::net::SocketAddr;
use std::sync::Arc;

use foldhash::quality::FixedState;

use super::certificates::{How, Sighting};
use super::facts::{Agreed, Evidence};
use super::handshake::{Handshake, Parts};
use super::outcome::{Closing, Outcome, ending};
use super::refused::Refused;
use super::without_tls::{TLS_PORTS, Without};
use crate::capture::FrameRef;
use crate::flow::{Flow, Side};
use crate::protocol::Conversation;
use crate::protocol::tls::{self, History, Letter};
use crate::x509::Certificate;

/// Distinct handshakes of one device are kept up to this many times the limit; failed ones, which matter more, up to
/// twice as many.
const DISTINCT_FACTOR: usize = 4;
/// Once all devices together have reached `Limits::handshakes`: handshakes of one device kept before those alike are counted,
/// and distinct ones.
const MOST_ALIKE: usize = 8;
const MOST_DISTINCT: usize = 64;
/// Pairs of version and suite kept of one server: more than one server agrees to with all its clients.
const MAX_TAKEN: usize = 64;
/// The port of a Kerberos key distribution centre (RFC 4120 section 7.2.1).
const KERBEROS: u16 = 88;

/// A connection by its number and endpoints.
#[derive(Clone, Copy, Debug)]
pub struct Talk {
    /// Wireshark's `tcp.stream`.
    pub stream: u64,
    /// The client.
    pub client: SocketAddr,
    /// The server.
    pub server: SocketAddr,
}

/// A finished connection.
#[derive(Debug)]
pub struct Connection<'a> {
    /// What TCP tells of it.
    pub flow: &'a Flow<Conversation>,
    /// Whether the side taken for the client by its port was the server.
    pub swapped: bool,
    /// Whether it went on encrypted and may have carried certificates unseen.
    pub sealed: bool,
    /// Whether neither side is seen to have sent anything.
    pub silent: bool,
    /// Whether it was spoken in clear in a protocol other than TLS.
    pub other: bool,
}

impl Evidence {
    /// Takes a finished connection.
    pub fn connection(&mut self, talk: Talk, connection: &Connection<'_>, handshake: Option<&mut tls::Handshake>) {
        let Connection { flow, swapped, sealed, silent, other } = *connection;
        let closing = Closing::of(flow, swapped);
        let recording = self.recording(flow.first);
        if closing.is_two_sided() && !self.two_way.contains(&recording) {
            self.two_way.push(recording);
        }
        if flow.opening.syn_ack.is_some() || (closing.seen.server && closing.reset.server.is_none()) {
            self.note_connected(talk.client.ip(), talk.server, (flow.first, flow.last));
        }
        if talk.server.port() == KERBEROS {
            self.kerberos(talk.client.ip(), talk.server, flow.first);
        }
        if sealed && let Some(device) = self.device(talk.client.ip(), flow.first) {
            device.cannot_read(flow.first, "LDAP that is sealed or encrypted");
        }
        match handshake {
            // Without a hello of the client nobody is trying anything.
            Some(tls) if tls.client_hello.is_none() && flow.is_dead() => {}
            Some(tls) if tls.began() => {
                self.handshake(talk, flow, &closing, tls);
            }
            _ => {
                self.refused(talk, flow);
                let what = match () {
                    () if silent && flow.opened && flow.opening.syn_ack.is_some() => Some(Without::Unused),
                    () if other && TLS_PORTS.contains(&talk.server.port()) => Some(Without::OtherProtocol),
                    () => None,
                };
                if let Some((what, device)) = what.zip(self.device(talk.client.ip(), flow.first)) {
                    device.note_without_tls(talk.server, what, (flow.first, flow.last));
                }
            }
        }
    }

    fn handshake(&mut self, talk: Talk, flow: &Flow<Conversation>, closing: &Closing<'_>, tls: &mut tls::Handshake) {
        self.handshakes += 1;
        if self.tls_servers.len() < self.limits.flows || self.tls_servers.contains_key(&talk.server) {
            let taken = self.tls_servers.entry(talk.server).or_default();
            let hello = tls.server_hello.as_ref().or(tls.hello_retry.as_ref());
            if let Some(hello) = hello.filter(|_| tls.tunnel_to.is_none() && taken.len() < MAX_TAKEN) {
                let (version, cipher_suite) = (hello.version, hello.cipher_suite);
                let besides = tls.client_hello.as_ref().and_then(|hello| hello.besides);
                taken.insert(Agreed { version, cipher_suite, besides });
            }
        }
        let mut list = |side: Side| -> Vec<Arc<Certificate>> {
            let Some(list) = tls.certificates.of_mut(side) else { return Vec::new() };
            let how = match side {
                Side::Client => How::SentByClient(talk.client),
                Side::Server => How::SentByServer(talk.server),
            };
            let at = list.last;
            // The interned certificate owns the bytes from here on.
            let certificates = std::mem::take(&mut list.certificates);
            certificates.iter().map(|der| self.certificates.see(der, Sighting { at, how: how.clone() })).collect()
        };
        let (sent, client_sent) = (list(Side::Server), list(Side::Client));
        let first = tls.history.iter().map(|(_, at)| at).min_by_key(|at| at.place()).copied().unwrap_or(flow.first);
        let ending = ending(tls, closing);
        let history = history(&mut tls.history, closing);
        // A conflict counts only where something was read in clear.
        let conflict = flow.conflict();
        let cap = self.limits.handshakes_per_device;
        let (cap, distinct) = match () {
            () if self.devices.bytes() >= self.limits.evidence_bytes => (1, 1),
            () if self.kept >= self.limits.handshakes => (cap.min(MOST_ALIKE), cap.min(MOST_DISTINCT)),
            () => (cap, cap.saturating_mul(DISTINCT_FACTOR)),
        };
        let failed = ending.outcome != Outcome::Completed;
        let Some(index) = self.index_of(talk.client.ip(), first) else {
            self.handshakes_of_others += 1;
            return;
        };
        let Some(device) = self.devices.get_mut(index) else { return };
        device.frames.1 = if device.frames.1.is_before(&flow.last) { flow.last } else { device.frames.1 };
        let parts = Parts {
            server: talk.server,
            sent: &sent,
            client_sent: &client_sent,
            tls,
            ending: &ending,
            history: &history,
        };
        device.handshakes_total += 1;
        if device.count_with_another(&parts, first, flow.last, cap) {
            return;
        }
        let most = if failed && distinct > 1 { distinct.saturating_mul(2) } else { distinct };
        let room = device.handshakes.len() < most && self.certificates.hold(sent.iter().chain(&client_sent));
        // `history` holds the letters; their frames are not needed any more.
        tls.history = Vec::new();
        let hello = tls.client_hello.as_ref().map(|hello| hello.random);
        let Some(device) = self.devices.get_mut(index) else { return };
        if !room {
            device.dropped_incomplete += u64::from(failed);
            self.handshakes_dropped += 1;
            return;
        }
        device.keep(Handshake {
            stream: talk.stream,
            client: talk.client,
            server: talk.server,
            sent,
            client_sent,
            ending,
            first,
            last: flow.last,
            two_sided: closing.is_two_sided(),
            opened: flow.opened,
            conflict,
            history,
            repeats: 0,
            repeated_from: first,
            repeated_until: flow.last,
            also_seen: Vec::new(),
            tls: std::mem::take(tls),
        });
        self.kept += 1;
        self.devices.note_handshake(index);
        if let Some(hello) = hello.filter(|hello| *hello != [0; 32]) {
            self.hellos.push((part_of_hash(hello), u32::try_from(index).unwrap_or(u32::MAX)));
        }
    }

    fn refused(&mut self, talk: Talk, flow: &Flow<Conversation>) {
        let reset = flow.reset().server.copied();
        if flow.opening.syn.is_none() || flow.opening.syn_ack.is_some() || (flow.seen.server && reset.is_none()) {
            return;
        }
        let refused = Refused {
            stream: talk.stream,
            server: talk.server,
            opening: flow.opening,
            reset,
            repeats: 0,
            last: flow.last,
        };
        if let Some(device) = self.device(talk.client.ip(), flow.first) {
            device.refuse(refused);
        }
    }
}

/// A part of a hash of a random value; some servers and clients count in it, so that its own bits would not do.
fn part_of_hash(random: [u8; 32]) -> u32 {
    let [a, b, c, d, ..] = FixedState::default().hash_one(random).to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

/// The history in the order of the capture, with how each side ended.
fn history(letters: &mut Vec<(Letter, FrameRef)>, closing: &Closing<'_>) -> History {
    for side in [Side::Client, Side::Server] {
        letters.extend(closing.fin.of(side).map(|at| (Letter::Fin(side), *at)));
        letters.extend(closing.reset.of(side).map(|at| (Letter::Rst(side), *at)));
    }
    letters.sort_by_key(|(_, at)| at.place());
    letters.iter().map(|(letter, _)| *letter).collect()
}
