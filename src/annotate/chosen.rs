//! In: the frames of a capture, and what is wanted. Out: the frames of the excerpt, and what is to be known of them.
//! Bounded: `PER_CONNECTION` frames of one connection and `MOST_BYTES` in all, beside the frames that the evidence cites;
//! `MOST_NAMES` names of one server.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use super::credentials::Sent;
use super::key_log::client_random;
use super::wanted::{Wanted, is_host_name};
use crate::capture::{Copied, Frame};
use crate::decode::{Datagram, Decoder, Packet, Segment};
use crate::protocol::dns::{self, RecordData};

/// Frames of one connection: those of a handshake, and a while after it.
const PER_CONNECTION: usize = 256;
/// Bytes of frames that nothing cites.
const MOST_BYTES: usize = 64 << 20;
/// Names of one server.
const MOST_NAMES: usize = 16;

/// The frames chosen so far.
#[derive(Debug, Default)]
pub(super) struct Chosen {
    pub(super) frames: Vec<Copied>,
    /// Frames so far of each connection, both directions together.
    counts: BTreeMap<(SocketAddr, SocketAddr), usize>,
    bytes: usize,
    /// What was sent in each direction: frame, sequence number, bytes.
    pub(super) requests: BTreeMap<(SocketAddr, SocketAddr), Vec<Sent>>,
    /// Frames of Kerberos: what is encrypted there with a password is open to guessing.
    pub(super) kerberos: BTreeSet<u64>,
    /// Names that were resolved to addresses.
    resolved: BTreeMap<IpAddr, BTreeSet<String>>,
    /// Randoms of the ClientHellos, by which key logs name handshakes.
    pub(super) randoms: BTreeSet<String>,
}

impl Chosen {
    pub(super) fn take(&mut self, frame: &Frame<'_>, decoder: &mut Decoder, wanted: &Wanted) {
        let number = frame.at.number;
        let cited = wanted.comments.contains_key(&number);
        let mut matters = cited || wanted.frames.contains(&number);
        let (mut segments, mut kerberos) = (Vec::new(), false);
        decoder.decode(frame, &mut |packet| match packet {
            Packet::Tcp(segment) => {
                matters |= wanted.has(&segment) && self.is_early(&segment);
                kerberos |= is_kerberos(segment.source, segment.destination);
                if matters {
                    let sent = Sent { frame: number, sequence: segment.sequence, bytes: segment.payload.to_vec() };
                    segments.push(((segment.source, segment.destination), sent));
                }
            }
            Packet::Udp(datagram) => {
                kerberos |= is_kerberos(datagram.source, datagram.destination);
                self.resolve(&datagram, wanted);
            }
            Packet::Binding(_) | Packet::Link(_) => {}
        });
        if !matters || (!cited && self.bytes + frame.data.len() > MOST_BYTES) {
            return;
        }
        if kerberos {
            self.kerberos.insert(number);
        }
        self.bytes += frame.data.len();
        self.frames.push(Copied::of(frame));
        for (ends, sent) in segments {
            self.randoms.extend(client_random(&sent.bytes));
            self.requests.entry(ends).or_default().push(sent);
        }
    }

    /// Whether a segment is among the first of its connection.
    fn is_early(&mut self, segment: &Segment<'_>) -> bool {
        let ends = (segment.source.min(segment.destination), segment.source.max(segment.destination));
        let count = self.counts.entry(ends).or_default();
        *count += 1;
        *count <= PER_CONNECTION
    }

    /// Names that an answer gives to a server of interest.
    fn resolve(&mut self, datagram: &Datagram<'_>, wanted: &Wanted) {
        if datagram.source.port() != 53 {
            return;
        }
        let Some(dns) = dns::parse(datagram.payload).filter(|dns| dns.response) else { return };
        for answer in dns.answers.iter().chain(&dns.additional) {
            if let RecordData::A(address) = answer.data
                && wanted.servers.contains_key(&address)
                && is_host_name(&answer.name)
            {
                let names = self.resolved.entry(address).or_default();
                if names.len() < MOST_NAMES {
                    names.insert(answer.name.clone());
                }
            }
        }
    }

    /// The names of the servers: as resolved, and as the clients' hellos say.
    pub(super) fn names(&self, wanted: &Wanted) -> BTreeMap<IpAddr, BTreeSet<String>> {
        let mut names = self.resolved.clone();
        for (address, given) in wanted.servers.iter().filter(|(_, given)| !given.is_empty()) {
            names.entry(*address).or_default().extend(given.iter().cloned());
        }
        names
    }
}

/// Whether a datagram or segment is of Kerberos (RFC 4120, section 7.2; D-ANNOTATE-04).
fn is_kerberos(source: SocketAddr, destination: SocketAddr) -> bool {
    source.port() == 88 || destination.port() == 88
}
