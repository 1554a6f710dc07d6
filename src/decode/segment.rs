//! In: a sliced TCP header. Out: the segment as the next stage wants it. Bounded: borrows, allocates nothing.
//! Left to others: sequence arithmetic.

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
    /// Sequence number up to which the other side's bytes came; counts where `flags.ack` is set.
    pub acknowledges: u32,
    /// The control bits that matter.
    pub flags: Flags,
    /// The bytes kept of the payload.
    pub payload: &'a [u8],
    /// Bytes of payload that were on the wire after those kept.
    pub missing: u32,
    /// How much of the frame the capture kept, where it is not all.
    pub cut: Option<Cut>,
    tcp: &'a [u8],
}

/// Control bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// Synchronize.
    pub syn: bool,
    /// The acknowledgment number counts.
    pub ack: bool,
    /// No more data from the sender.
    pub fin: bool,
    /// Reset.
    pub rst: bool,
}

/// What the checksum says of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checksum {
    /// It fits.
    Valid,
    /// It does not: the segment was damaged, or captured before the network card computed it.
    Invalid,
    /// Bytes are missing, so it cannot be computed.
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

    /// Whether it is the first of a connection: SYN without ACK (RFC 9293 section 3.5).
    pub fn opens(&self) -> bool {
        self.flags.syn && !self.flags.ack
    }

    /// Whether it has payload, though the capture may have cut it off.
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
