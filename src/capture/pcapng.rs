//! In: unread bytes of a pcapng file. Out: one packet at a time; names, secrets and losses of the interfaces. Bounded:
//! a block has at most `MAX_BLOCK` bytes, a section at most `MAX_INTERFACES` interfaces; names and secrets by their own
//! limits. Left to others: buffering, numbering.
//!
//! Format: draft-ietf-opsawg-pcapng. Sections may differ in byte order, interfaces in link type and time resolution.
//! Packet blocks, nearly all of a file, are parsed in place; pcap-parser reads the rest.

use pcap_parser::pcapng::{Block, parse_block_be, parse_block_le};
use pcap_parser::{InterfaceDescriptionBlock, OptionCode, PcapNGOption, SecretsType};

use super::extras::Extras;
use super::record::{Fit, MAX_RECORD, Order, Record, Step, array, size};
use super::{LinkType, Timestamp};

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;
const DECRYPTION_SECRETS: u32 = 10;
/// Block types accepted when searching for the next block after damage: those of the draft (section 11.1) that programs
/// write, the systemd journal's, and custom blocks.
const KNOWN: [u32; 11] = [
    INTERFACE_DESCRIPTION,
    OBSOLETE_PACKET,
    SIMPLE_PACKET,
    4,
    5,
    ENHANCED_PACKET,
    9,
    DECRYPTION_SECRETS,
    0x0bad,
    0x4000_0bad,
    SECTION_HEADER,
];
const BYTE_ORDER_MAGIC: [u8; 4] = [0x1a, 0x2b, 0x3c, 0x4d];
/// Name resolution and secrets blocks may be long; more than this is damage.
const MAX_BLOCK: u32 = 24 << 20;
/// The longest block whose options or names are parsed: an empty option takes ten times its own length in memory.
const LONGEST_LIST: usize = 4 << 20;
/// Options of one packet; more than this is damage.
const MAX_OPTIONS: usize = 1 << 20;
/// The longest block accepted when searching for the next block after damage.
const MAX_FOUND: usize = 1 << 20;
/// More than any machine has network cards; without a limit, a file of interface blocks would fill memory.
const MAX_INTERFACES: usize = 65_536;

/// The state of the current section.
#[derive(Debug, Default)]
pub(super) struct PcapNg {
    order: Order,
    /// Whether a complete section header was read.
    pub(super) begun: bool,
    interfaces: Vec<Interface>,
    last_time: Timestamp,
    /// What the section holds besides packets.
    pub(super) extras: Extras,
}

#[derive(Clone, Debug)]
struct Interface {
    link_type: LinkType,
    snaplen: u32,
    resolution: Resolution,
    /// Seconds to add to each timestamp.
    offset: i64,
    name: Option<Box<str>>,
    lost: Lost,
}

/// Packets of an interface that did not reach the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Lost {
    /// Dropped by the interface for lack of resources, by its last statistics block.
    by_interface: u64,
    /// Dropped by the operating system, by its last statistics block.
    by_system: u64,
    /// Sum of the drop counts in its packets.
    between_packets: u64,
}

/// The unit of a timestamp.
#[derive(Clone, Copy, Debug)]
enum Resolution {
    /// 10^-n seconds.
    Decimal(u8),
    /// 2^-n seconds.
    Binary(u8),
}

impl PcapNg {
    /// Reads the block at the start of `bytes`.
    pub(super) fn block(&mut self, bytes: &[u8]) -> Step {
        let Some(magic) = array(bytes, 8) else {
            return Step::Needs(12);
        };
        // The section header's type reads the same in both byte orders; the byte-order magic after it decides.
        if self.order.u32(bytes, 0) == SECTION_HEADER {
            match order_of(magic) {
                Some(order) => self.order = order,
                None => return Step::Damaged("the section header has no byte-order magic".into()),
            }
        }
        let (kind, length) = (self.order.u32(bytes, 0), self.order.u32(bytes, 4));
        if !(12..=MAX_BLOCK).contains(&length) {
            return Step::Damaged(format!("block of type {kind:#010x} claims a length of {length} bytes"));
        }
        // The draft requires a multiple of 4; some early writers padded but did not count the padding.
        let whole = size(length).next_multiple_of(4);
        if matches!(kind, SECTION_HEADER | INTERFACE_DESCRIPTION) && whole > LONGEST_LIST {
            return Step::Damaged(format!("block of type {kind:#010x} of {length} bytes is longer than is read"));
        }
        let packet = matches!(kind, ENHANCED_PACKET | OBSOLETE_PACKET);
        if packet && let Some(why) = self.contradiction(bytes, whole) {
            return Step::Damaged(why);
        }
        let Some(block) = bytes.get(..whole) else {
            return Step::Needs(whole);
        };
        let closing = self.order.u32(block, block.len().saturating_sub(4));
        if closing != length {
            return Step::Damaged(format!("a block of {length} bytes closes with a length of {closing}"));
        }
        if packet { self.packet(kind, block) } else { self.other(block) }
    }

    /// How the first 32 bytes of a packet block contradict each other, if they do.
    fn contradiction(&self, bytes: &[u8], length: usize) -> Option<String> {
        // Checked first: the bytes after it may not be there yet, or belong to another block.
        if length < 32 {
            return Some(format!("a packet block of {length} bytes is too short"));
        }
        let head = bytes.get(..28)?;
        let captured = size(self.order.u32(head, 20));
        let room = length.saturating_sub(32);
        (captured > room || room - captured > MAX_OPTIONS || captured > size(MAX_RECORD))
            .then(|| format!("a packet claims {captured} bytes in a block of {length}"))
    }

    /// An enhanced packet block: 8 bytes of block header, then interface, time high, time low, captured length, length
    /// on the wire. In the obsolete packet block the interface has 16 bits and the packets lost before this one follow.
    fn packet(&mut self, kind: u32, block: &[u8]) -> Step {
        let order = self.order;
        let (id, mut lost) = match kind {
            ENHANCED_PACKET => (order.u32(block, 8), 0),
            _ => (u32::from(order.u16(block, 8)), u64::from(order.u16(block, 10))),
        };
        let captured = size(order.u32(block, 20));
        let Some(interface) = self.interfaces.get_mut(size(id)) else {
            return Step::Damaged(format!("a packet names interface {id}, which no block describes"));
        };
        if kind == OBSOLETE_PACKET && lost == 0xffff {
            lost = 0; // Unknown, says the draft.
        }
        let options = block.get(28 + captured.next_multiple_of(4)..block.len() - 4).unwrap_or_default();
        if kind == ENHANCED_PACKET && !options.is_empty() {
            lost = drop_count(options, order);
        }
        interface.lost.between_packets = interface.lost.between_packets.saturating_add(lost);
        let ticks = (u64::from(order.u32(block, 12)) << 32) | u64::from(order.u32(block, 16));
        let time = interface.time(ticks);
        self.last_time = time;
        let data = 28..28 + captured;
        let record = Record { time, timed: true, wire_len: order.u32(block, 24), link_type: interface.link_type, data };
        Step::Packet(record, block.len())
    }

    fn other(&mut self, block: &[u8]) -> Step {
        let kind = self.order.u32(block, 0);
        if block.len() > LONGEST_LIST && !matches!(kind, SIMPLE_PACKET | DECRYPTION_SECRETS) {
            return Step::Skip(block.len());
        }
        let parsed = if self.order.big_endian { parse_block_be(block) } else { parse_block_le(block) };
        match parsed {
            Ok((_, Block::SectionHeader(_))) => {
                self.end_section();
                self.begun = true;
            }
            Ok((_, Block::InterfaceDescription(description))) => {
                if self.interfaces.len() >= MAX_INTERFACES {
                    return Step::Damaged(format!("more than {MAX_INTERFACES} interfaces in one section"));
                }
                self.interfaces.push(Interface::describe(&description, self.order));
            }
            Ok((_, Block::SimplePacket(packet))) => {
                let Some(interface) = self.interfaces.first() else {
                    return Step::Damaged("a packet comes before any interface".into());
                };
                self.extras.untimed += 1;
                return Step::Packet(self.simple_packet(interface, packet.origlen, block.len()), block.len());
            }
            Ok((_, Block::InterfaceStatistics(statistics))) => {
                let order = self.order;
                if let Some(interface) = self.interfaces.get_mut(size(statistics.if_id)) {
                    interface.lost.count(&statistics.options, order);
                }
            }
            Ok((_, Block::NameResolution(names))) => {
                names.nr.iter().for_each(|record| self.extras.name(record.record_type.0, record.record_value));
            }
            Ok((_, Block::DecryptionSecrets(secrets))) if secrets.secrets_type == SecretsType::TlsKeyLog => {
                let length = size(secrets.secrets_len).min(secrets.data.len());
                self.extras.secrets(secrets.data.get(..length).unwrap_or_default());
            }
            Ok(_) => {}
            Err(_) => return Step::Damaged(format!("a block of {} bytes cannot be read", block.len())),
        }
        Step::Skip(block.len())
    }

    /// A simple packet block has no time of its own: it gets that of the packet before it.
    fn simple_packet(&self, interface: &Interface, wire_len: u32, block_len: usize) -> Record {
        let mut captured = size(wire_len).min(block_len.saturating_sub(16));
        if interface.snaplen > 0 {
            captured = captured.min(size(interface.snaplen));
        }
        let data = 12..12 + captured;
        Record { time: self.last_time, timed: false, wire_len, link_type: interface.link_type, data }
    }

    /// Whether a block may begin here: its type is known, its two lengths agree, its packet header is plausible, and a
    /// block or the end of the file follows.
    pub(super) fn fit(&self, bytes: &[u8], at_end: bool) -> Fit {
        let Some(magic) = array(bytes, 8) else {
            return Fit::needs(12, at_end);
        };
        let section = self.order.u32(bytes, 0) == SECTION_HEADER;
        let order = if section { order_of(magic) } else { Some(self.order) };
        let Some(length) = order.and_then(|order| self.plausible(bytes, order)) else { return Fit::No };
        let Some(block) = bytes.get(..length) else {
            return Fit::needs(length, at_end);
        };
        let order = order.unwrap_or_default();
        if size(order.u32(block, length - 4)) != length {
            return Fit::No;
        }
        let next = bytes.get(length..).unwrap_or_default();
        // The first 32 bytes of a packet block show whether it is plausible.
        if next.len() < 32 && !at_end {
            return Fit::Needs(length + 32);
        }
        let follows =
            next.len() >= 12 && (order.u32(next, 0) == SECTION_HEADER || self.plausible(next, order).is_some());
        if follows || next.is_empty() { Fit::Yes } else { Fit::No }
    }

    /// The length of the block that starts here, if it is plausible.
    fn plausible(&self, bytes: &[u8], order: Order) -> Option<usize> {
        let (kind, length) = (order.u32(bytes, 0), size(order.u32(bytes, 4)));
        let least = match kind {
            SECTION_HEADER => 28,
            INTERFACE_DESCRIPTION => 20,
            ENHANCED_PACKET | OBSOLETE_PACKET => 32,
            SIMPLE_PACKET => 16,
            _ => 12,
        };
        let fits = KNOWN.contains(&kind) && length % 4 == 0 && (least..=MAX_FOUND).contains(&length);
        let interface = match kind {
            ENHANCED_PACKET => size(order.u32(bytes, 8)),
            OBSOLETE_PACKET => usize::from(order.u16(bytes, 8)),
            _ => return fits.then_some(length),
        };
        let agrees = interface < self.interfaces.len() && self.contradiction(bytes, length).is_none();
        (fits && agrees).then_some(length)
    }

    /// Reports the losses of the section's interfaces; the next section has its own.
    pub(super) fn end_section(&mut self) {
        for (id, interface) in self.interfaces.drain(..).enumerate() {
            let said = interface.lost.in_words();
            if said.is_empty() {
                continue;
            }
            let name = interface.name.map_or_else(|| id.to_string(), |name| format!("{name:?}"));
            self.extras.loss(format!("interface {name} lost packets that are not in the file: {said}"));
        }
    }
}

impl Interface {
    fn describe(block: &InterfaceDescriptionBlock<'_>, order: Order) -> Self {
        let option = |code| option(&block.options, code);
        let resolution = match option(OptionCode::IfTsresol).and_then(|v| v.first()).copied() {
            None => Resolution::Decimal(6),
            Some(n) if n & 0x80 == 0 => Resolution::Decimal(n),
            Some(n) => Resolution::Binary(n & 0x7f),
        };
        let offset = option(OptionCode::IfTsoffset).filter(|v| v.len() >= 8).map_or(0, |v| order.u64(v, 0));
        let name = option(OptionCode(2)).map(|name| {
            let end = name.iter().position(|&byte| byte == 0).unwrap_or(name.len()).min(64);
            String::from_utf8_lossy(name.get(..end).unwrap_or_default()).into()
        });
        Self {
            link_type: LinkType(u16::try_from(block.linktype.0 & 0xffff).unwrap_or_default()),
            snaplen: block.snaplen,
            resolution,
            offset: offset.cast_signed(),
            name,
            lost: Lost::default(),
        }
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

impl Lost {
    /// Takes the counters of a statistics block, isb_ifdrop (5) and isb_osdrop (7). They count from the start of the
    /// capture, so the last block has the total.
    fn count(&mut self, options: &[PcapNGOption<'_>], order: Order) {
        let counter = |code| option(options, OptionCode(code)).filter(|v| v.len() >= 8).map(|v| order.u64(v, 0));
        self.by_interface = counter(5).unwrap_or(self.by_interface);
        self.by_system = counter(7).unwrap_or(self.by_system);
    }

    fn in_words(self) -> String {
        let said = [
            (self.by_interface, "dropped by the interface"),
            (self.by_system, "dropped by the operating system"),
            (self.between_packets, "by what its packets say"),
        ];
        let said = said.iter().filter(|(count, _)| *count > 0).map(|(count, how)| format!("{count} {how}"));
        said.collect::<Vec<_>>().join(", ")
    }
}

fn option<'a>(options: &'a [PcapNGOption<'_>], code: OptionCode) -> Option<&'a [u8]> {
    options.iter().find(|option| option.code == code).map(|option| &*option.value)
}

/// The option epb_dropcount (4): packets lost between this one and the one before it.
fn drop_count(mut options: &[u8], order: Order) -> u64 {
    while options.len() >= 4 {
        let (code, length) = (order.u16(options, 0), usize::from(order.u16(options, 2)));
        match code {
            0 => break,
            4 if length == 8 => return order.u64(options, 4),
            _ => options = options.get(4 + length.next_multiple_of(4)..).unwrap_or_default(),
        }
    }
    0
}

fn order_of(magic: [u8; 4]) -> Option<Order> {
    let mut little = BYTE_ORDER_MAGIC;
    little.reverse();
    match magic {
        BYTE_ORDER_MAGIC => Some(Order::BIG),
        m if m == little => Some(Order::LITTLE),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(resolution: Resolution, offset: i64) -> Interface {
        let lost = Lost::default();
        Interface { link_type: LinkType::ETHERNET, snaplen: 0, resolution, offset, name: None, lost }
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
