//! In: bytes from an IP header on. Out: addresses, protocol and payload after extension headers, and the offset of a
//! fragment. Bounded: borrows, allocates nothing. Left to others: reassembly, the transport.
//!
//! RFC 791, RFC 8200. With segmentation offload, captured packets may have a length of zero and an unfinished checksum:
//! then the length of the frame counts, and a wrong checksum is only noted. Bytes beyond the length are padding or a
//! trailer.

use std::net::IpAddr;

use etherparse::{
    IpAuthHeaderSlice, IpNumber, Ipv4HeaderSlice, Ipv6FragmentHeaderSlice, Ipv6HeaderSlice, Ipv6RawExtHeaderSlice,
    ip_number,
};

use super::bytes::at_most;
use super::context::Context;

/// An IP packet without its headers.
#[derive(Clone, Copy, Debug)]
pub(super) struct IpPacket<'a> {
    /// Sender.
    pub(super) source: IpAddr,
    /// Receiver.
    pub(super) destination: IpAddr,
    /// Hop limit, or time to live.
    pub(super) hops: u8,
    /// Protocol of the payload.
    pub(super) protocol: IpNumber,
    /// The captured bytes of the payload, or of this fragment.
    pub(super) payload: &'a [u8],
    /// Bytes that follow on the wire but were not captured.
    pub(super) missing: u32,
    /// The header's checksum is wrong.
    pub(super) bad_checksum: bool,
    /// Position of the payload, if it is a fragment.
    pub(super) fragment: Option<Place>,
}

/// The position of a fragment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// Identification of the packet.
    pub(super) identification: u32,
    /// Offset in octets.
    pub(super) offset: usize,
    /// Further fragments follow.
    pub(super) more: bool,
}

impl<'a> IpPacket<'a> {
    /// Reads the headers; `None` if they are truncated or damaged.
    pub(super) fn read(bytes: &'a [u8], context: &Context<'_>) -> Option<Self> {
        match bytes.first()? >> 4 {
            4 => Self::read_v4(bytes, context),
            6 => Self::read_v6(bytes, context),
            _ => None,
        }
    }

    /// The packet reassembled from fragments.
    pub(super) fn whole<'w>(fragment: &Self, protocol: IpNumber, payload: &'w [u8]) -> Option<IpPacket<'w>> {
        let chain = Chain::read(protocol, payload)?;
        Some(IpPacket {
            source: fragment.source,
            destination: fragment.destination,
            hops: fragment.hops,
            protocol: chain.protocol,
            payload: chain.rest,
            missing: 0,
            bad_checksum: false,
            // Hosts do not fragment fragments.
            fragment: None,
        })
    }

    fn read_v4(bytes: &'a [u8], context: &Context<'_>) -> Option<Self> {
        let header = Ipv4HeaderSlice::from_slice(bytes).ok()?;
        let length = header.slice().len();
        let claimed = usize::from(header.total_len()).checked_sub(length);
        let (payload, missing) = extent(bytes.get(length..)?, claimed, context);
        let place = Place {
            identification: header.identification().into(),
            offset: header.fragments_offset().byte_offset().into(),
            more: header.more_fragments(),
        };
        let mut packet = Self {
            source: header.source_addr().into(),
            destination: header.destination_addr().into(),
            hops: header.ttl(),
            protocol: header.protocol(),
            payload,
            missing,
            bad_checksum: !checksum_fits(header.slice()),
            fragment: header.is_fragmenting_payload().then_some(place),
        };
        // The authentication header (RFC 4302) is the only extension header in IPv4.
        if packet.fragment.is_none() && packet.protocol == ip_number::AUTH {
            packet.follow(Chain::read(packet.protocol, payload)?);
        }
        Some(packet)
    }

    fn read_v6(bytes: &'a [u8], context: &Context<'_>) -> Option<Self> {
        let header = Ipv6HeaderSlice::from_slice(bytes).ok()?;
        // Zero means a jumbogram (RFC 2675) or segmentation offload.
        let claimed = Some(usize::from(header.payload_length())).filter(|length| *length > 0);
        let (payload, missing) = extent(bytes.get(header.slice().len()..)?, claimed, context);
        let mut packet = Self {
            source: header.source_addr().into(),
            destination: header.destination_addr().into(),
            hops: header.hop_limit(),
            protocol: header.next_header(),
            payload,
            missing,
            bad_checksum: false,
            fragment: None,
        };
        if !matches!(packet.protocol, ip_number::TCP | ip_number::UDP) {
            packet.follow(Chain::read(packet.protocol, payload)?);
        }
        Some(packet)
    }

    fn follow(&mut self, chain: Chain<'a>) {
        (self.protocol, self.payload, self.fragment) = (chain.protocol, chain.rest, chain.fragment);
    }
}

/// The payload without padding or trailer, and how many of its bytes were not captured.
fn extent<'a>(rest: &'a [u8], claimed: Option<usize>, context: &Context<'_>) -> (&'a [u8], u32) {
    match claimed {
        Some(claimed) => {
            let payload = at_most(rest, claimed);
            (payload, u32::try_from(claimed - payload.len()).unwrap_or(u32::MAX))
        }
        None => (rest, context.cut.map_or(0, |cut| cut.of - cut.kept)),
    }
}

/// RFC 791 section 3.1: the ones' complement sum over the header, checksum included, is all ones.
fn checksum_fits(header: &[u8]) -> bool {
    // A header consists of whole 32-bit words, and the sum is independent of byte order (RFC 1071 section 2).
    let sum_of = |words: &[[u8; 4]]| words.iter().map(|word| u64::from(u32::from_ne_bytes(*word))).sum::<u64>();
    let Some((fixed, options)) = header.split_first_chunk::<20>() else { return false };
    let mut sum = sum_of(fixed.as_chunks().0);
    // Options are very rare: skip the loop without them.
    if !options.is_empty() {
        sum += sum_of(options.as_chunks().0);
    }
    // This many folds absorb the carries of up to 15 words.
    let sum = (sum & 0xffff_ffff) + (sum >> 32);
    let sum = (sum & 0xffff) + (sum >> 16);
    let sum = (sum & 0xffff) + (sum >> 16);
    (sum & 0xffff) + (sum >> 16) == 0xffff
}

/// What follows the extension headers.
struct Chain<'a> {
    protocol: IpNumber,
    rest: &'a [u8],
    fragment: Option<Place>,
}

impl<'a> Chain<'a> {
    /// Skips extension headers (RFC 8200 section 4) up to a fragment header, after which the data may start anywhere in
    /// the packet.
    fn read(mut protocol: IpNumber, mut rest: &'a [u8]) -> Option<Self> {
        loop {
            let length = match protocol {
                ip_number::IPV6_HOP_BY_HOP | ip_number::IPV6_DEST_OPTIONS | ip_number::IPV6_ROUTE => {
                    let header = Ipv6RawExtHeaderSlice::from_slice(rest).ok()?;
                    protocol = header.next_header();
                    header.slice().len()
                }
                ip_number::AUTH => {
                    let header = IpAuthHeaderSlice::from_slice(rest).ok()?;
                    protocol = header.next_header();
                    header.slice().len()
                }
                ip_number::IPV6_FRAG => {
                    let header = Ipv6FragmentHeaderSlice::from_slice(rest).ok()?;
                    protocol = header.next_header();
                    let behind = rest.get(header.slice().len()..)?;
                    if header.is_fragmenting_payload() {
                        let fragment = Place {
                            identification: header.identification(),
                            offset: header.fragment_offset().byte_offset().into(),
                            more: header.more_fragments(),
                        };
                        return Some(Self { protocol, rest: behind, fragment: Some(fragment) });
                    }
                    header.slice().len()
                }
                _ => return Some(Self { protocol, rest, fragment: None }),
            };
            rest = rest.get(length..)?;
        }
    }
}
