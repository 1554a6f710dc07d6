//! In: a parsed TCP header. Out: the segment as the next stage needs it. Bounded: borrows, allocates nothing. Left to
//! others: sequence arithmetic.

use std::net::{IpAddr, SocketAddr};

use etherparse::TcpSlice;

use super::context::Context;
use crate::capture::{Cut, FrameRef};

/// One TCP segment (RFC 9293 section 3.1).
#[derive(Clone, Debug)]
pub struct Segment<'a> {
    /// Where it was captured.
    pub at: FrameRef,
    /// Sender.
    pub source: SocketAddr,
    /// Receiver.
    pub destination: SocketAddr,
    /// Sender's address on the link.
    pub source_mac: Option<[u8; 6]>,
    /// Sequence number of the first byte, or of SYN.
    pub sequence: u32,
    /// Acknowledgment number; valid if `flags.ack` is set.
    pub acknowledges: u32,
    /// The control bits that matter here.
    pub flags: Flags,
    /// The captured bytes of the payload.
    pub payload: &'a [u8],
    /// Bytes of payload that follow on the wire but were not captured.
    pub missing: u32,
    /// How much of the frame was kept, if it was truncated.
    pub cut: Option<Cut>,
    tcp: &'a [u8],
}

/// Control bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// Synchronize.
    pub syn: bool,
    /// The acknowledgment number is valid.
    pub ack: bool,
    /// No more data from the sender.
    pub fin: bool,
    /// Reset.
    pub rst: bool,
}

/// The result of checking a segment's checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checksum {
    /// It is correct.
    Valid,
    /// It is wrong: the segment was damaged, or captured before the network card computed the checksum.
    Invalid,
    /// It cannot be computed because bytes are missing.
    Unknown,
}

impl<'a> Segment<'a> {
    pub(super) fn new(
        context: &Context<'_>,
        (source, destination): (IpAddr, IpAddr),
        tcp: &TcpSlice<'a>,
        missing: u32,
    ) -> Self {
        Self {
            at: *context.at,
            source: SocketAddr::new(source, tcp.source_port()),
            destination: SocketAddr::new(destination, tcp.destination_port()),
            source_mac: context.source_mac,
            sequence: tcp.sequence_number(),
            acknowledges: tcp.acknowledgment_number(),
            flags: Flags { syn: tcp.syn(), ack: tcp.ack(), fin: tcp.fin(), rst: tcp.rst() },
            payload: tcp.payload(),
            missing,
            cut: context.cut,
            tcp: tcp.slice(),
        }
    }

    /// Whether it opens a connection: SYN without ACK (RFC 9293 section 3.5).
    pub fn opens(&self) -> bool {
        self.flags.syn && !self.flags.ack
    }

    /// Whether it has payload, captured or not.
    pub fn carries_data(&self) -> bool {
        !self.payload.is_empty() || self.missing > 0
    }

    /// Computes the checksum over pseudo-header, header and payload (RFC 9293 section 3.1). Costs a pass over the bytes.
    pub fn checksum(&self) -> Checksum {
        let Ok(tcp) = TcpSlice::from_slice(self.tcp) else {
            return Checksum::Unknown;
        };
        if self.missing > 0 {
            return Checksum::Unknown;
        }
        let computed = match (self.source.ip(), self.destination.ip()) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                tcp.calc_checksum_ipv4(source.octets(), destination.octets())
            }
            (IpAddr::V6(source), IpAddr::V6(destination)) => {
                tcp.calc_checksum_ipv6(source.octets(), destination.octets())
            }
            _ => return Checksum::Unknown,
        };
        match computed {
            Ok(sum) if sum == tcp.checksum() => Checksum::Valid,
            Ok(_) => Checksum::Invalid,
            Err(_) => Checksum::Unknown,
        }
    }
}
