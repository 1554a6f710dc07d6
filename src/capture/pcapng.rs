//! In: unread bytes of a pcapng file. Out: one packet at a time. Bounded: a block claims at most `MAX_BLOCK` bytes, a
//! section at most `MAX_INTERFACES` interfaces. Left to others: buffering, numbering.
//!
//! Format: draft-ietf-opsawg-pcapng. Sections may differ in byte order, interfaces in link type and resolution. The
//! packet block that makes up nearly all of a file is read in place, without its options; pcap-parser reads the rest.

use pcap_parser::pcapng::{Block, parse_block_be, parse_block_le};
use pcap_parser::{InterfaceDescriptionBlock, OptionCode};

use super::pcap::{Record, Step};
use super::{LinkType, Timestamp};

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const ENHANCED_PACKET: u32 = 6;
const BYTE_ORDER_MAGIC: [u8; 4] = [0x1a, 0x2b, 0x3c, 0x4d];
/// Name resolution and secrets blocks may be long; more than this is damage.
const MAX_BLOCK: u32 = 64 << 20;
/// One for each network card and more; without a cap a file of interface blocks would fill memory.
const MAX_INTERFACES: usize = 65_536;

/// The state of the current section.
#[derive(Debug, Default)]
pub(super) struct PcapNg {
    big_endian: bool,
    /// Whether a section header was read whole.
    pub(super) begun: bool,
    interfaces: Vec<Interface>,
    last_time: Timestamp,
}

#[derive(Clone, Copy, Debug)]
struct Interface {
    link_type: LinkType,
    snaplen: u32,
    resolution: Resolution,
    /// Seconds to add to each time.
    offset: i64,
}

/// What one unit of a time stamp is.
#[derive(Clone, Copy, Debug)]
enum Resolution {
    /// 10^-n seconds.
    Decimal(u8),
    /// 2^-n seconds.
    Binary(u8),
}

impl PcapNg {
    /// Reads the block at the start of `bytes`. A block that holds no packet is a record of `None`.
    pub(super) fn block(&mut self, bytes: &[u8]) -> Step<Option<Record>> {
        let (Some(kind), Some(magic)) = (word(bytes, 0), word(bytes, 8)) else {
            return Step::Needs(12);
        };
        if u32::from_be_bytes(kind) == SECTION_HEADER {
            let mut little = BYTE_ORDER_MAGIC;
            little.reverse();
            self.big_endian = match magic {
                BYTE_ORDER_MAGIC => true,
                m if m == little => false,
                _ => return Step::Damaged("the section header has no byte-order magic".into()),
            };
        }
        let (kind, length) = (self.u32(bytes, 0), self.u32(bytes, 4));
        if length < 12 || length % 4 != 0 || length > MAX_BLOCK {
            return Step::Damaged(format!("block of type {kind:#010x} claims a length of {length} bytes"));
        }
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let Some(block) = bytes.get(..length) else {
            return Step::Needs(length);
        };
        if kind == ENHANCED_PACKET { self.enhanced_packet(block) } else { self.other(block) }
    }

    fn enhanced_packet(&mut self, block: &[u8]) -> Step<Option<Record>> {
        // 8 bytes of block header, then interface, time high, time low, captured length, length on the wire.
        let id = self.u32(block, 8);
        let captured = usize::try_from(self.u32(block, 20)).unwrap_or(usize::MAX);
        let Some(interface) = usize::try_from(id).ok().and_then(|id| self.interfaces.get(id).copied()) else {
            return Step::Damaged(format!("a packet names interface {id}, which no block describes"));
        };
        if captured > block.len().saturating_sub(32) {
            return Step::Damaged(format!("a packet claims {captured} bytes in a block of {}", block.len()));
        }
        let ticks = (u64::from(self.u32(block, 12)) << 32) | u64::from(self.u32(block, 16));
        let time = interface.time(ticks);
        self.last_time = time;
        let record =
            Record { time, wire_len: self.u32(block, 24), link_type: interface.link_type, data: 28..28 + captured };
        Step::Record(Some(record), block.len())
    }

    fn other(&mut self, block: &[u8]) -> Step<Option<Record>> {
        let parsed = if self.big_endian { parse_block_be(block) } else { parse_block_le(block) };
        let record = match parsed {
            Ok((_, Block::SectionHeader(_))) => {
                self.interfaces.clear();
                self.begun = true;
                None
            }
            Ok((_, Block::InterfaceDescription(description))) => {
                if self.interfaces.len() >= MAX_INTERFACES {
                    return Step::Damaged(format!("more than {MAX_INTERFACES} interfaces in one section"));
                }
                self.interfaces.push(Interface::describe(&description, self.big_endian));
                None
            }
            Ok((_, Block::SimplePacket(packet))) => match self.interfaces.first() {
                Some(interface) => Some(self.simple_packet(interface, packet.origlen, block.len())),
                None => return Step::Damaged("a packet comes before any interface".into()),
            },
            Ok(_) => None,
            Err(_) => return Step::Damaged(format!("a block of {} bytes cannot be read", block.len())),
        };
        Step::Record(record, block.len())
    }

    /// A simple packet has no time of its own: it gets that of the packet before it.
    fn simple_packet(&self, interface: &Interface, wire_len: u32, block_len: usize) -> Record {
        let mut captured = usize::try_from(wire_len).unwrap_or(usize::MAX).min(block_len.saturating_sub(16));
        if interface.snaplen > 0 {
            captured = captured.min(usize::try_from(interface.snaplen).unwrap_or(usize::MAX));
        }
        Record { time: self.last_time, wire_len, link_type: interface.link_type, data: 12..12 + captured }
    }

    fn u32(&self, bytes: &[u8], at: usize) -> u32 {
        let bytes = word(bytes, at).unwrap_or_default();
        if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    }
}

impl Interface {
    fn describe(block: &InterfaceDescriptionBlock<'_>, big_endian: bool) -> Self {
        let option = |code| block.options.iter().find(|o| o.code == code).map(|o| &*o.value);
        let resolution = match option(OptionCode::IfTsresol).and_then(|v| v.first()).copied() {
            None => Resolution::Decimal(6),
            Some(n) if n & 0x80 == 0 => Resolution::Decimal(n),
            Some(n) => Resolution::Binary(n & 0x7f),
        };
        let offset = option(OptionCode::IfTsoffset).and_then(|v| v.get(..8)).and_then(|v| <[u8; 8]>::try_from(v).ok());
        let offset = offset.map_or(0, |v| if big_endian { i64::from_be_bytes(v) } else { i64::from_le_bytes(v) });
        let link_type = LinkType(u16::try_from(block.linktype.0 & 0xffff).unwrap_or_default());
        Self { link_type, snaplen: block.snaplen, resolution, offset }
    }

    fn time(&self, ticks: u64) -> Timestamp {
        let ticks = i128::from(ticks);
        let (nanos, digits) = match self.resolution {
            Resolution::Decimal(n @ 0..=9) => (ticks * 10_i128.pow(u32::from(9 - n)), n),
            Resolution::Decimal(n) => (10_i128.checked_pow(u32::from(n - 9)).map_or(0, |unit| ticks / unit), 9),
            // 2^64 ticks of a billion nanoseconds stay below 2^94, so the product never overflows.
            Resolution::Binary(n) => ((ticks * 1_000_000_000) >> n, 9),
        };
        let nanos = nanos.saturating_add(i128::from(self.offset) * 1_000_000_000);
        let bounded = nanos.clamp(i128::from(i64::MIN), i128::from(i64::MAX));
        Timestamp::from_nanos(i64::try_from(bounded).unwrap_or_default(), digits)
    }
}

fn word(bytes: &[u8], at: usize) -> Option<[u8; 4]> {
    bytes.get(at..at.checked_add(4)?)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(resolution: Resolution, offset: i64) -> Interface {
        Interface { link_type: LinkType::ETHERNET, snaplen: 0, resolution, offset }
    }

    #[test]
    fn resolutions_of_both_bases_and_offsets_of_both_signs() {
        // 1.5 s in each unit; the pcapng draft, section 4.2, options if_tsresol and if_tsoffset.
        assert_eq!(interface(Resolution::Decimal(6), 0).time(1_500_000).nanos(), 1_500_000_000);
        assert_eq!(interface(Resolution::Decimal(0), 0).time(2).nanos(), 2_000_000_000);
        assert_eq!(interface(Resolution::Decimal(12), 0).time(1_500_000_000_000).nanos(), 1_500_000_000);
        assert_eq!(interface(Resolution::Binary(10), 0).time(1_536).nanos(), 1_500_000_000);
        assert_eq!(interface(Resolution::Decimal(6), -1).time(1_500_000).nanos(), 500_000_000);
        assert_eq!(interface(Resolution::Decimal(6), i64::MAX).time(u64::MAX).nanos(), i64::MAX);
    }
}
