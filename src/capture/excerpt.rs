//! In: a capture file, some of its frames, and what to say about them. Out: a pcapng file of those frames with
//! comments. Bounded: by the frames given. Left to others: choosing frames and comments.
//!
//! Sections, interfaces and packets of a pcapng file are copied unchanged; any other file becomes one section with an
//! interface for each link type. Format: draft-ietf-opsawg-pcapng; numbers in parentheses are its sections.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Seek, SeekFrom};
use std::net::IpAddr;

use super::block::{Block, Order};
use super::{Frame, FrameRef, LinkType};

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const SIMPLE_PACKET: u32 = 3;
const NAME_RESOLUTION: u32 = 4;
const ENHANCED_PACKET: u32 = 6;
const SECRETS: u32 = 10;

const COMMENT: u16 = 1;
const IF_TSRESOL: u16 = 9;
const SHB_USERAPPL: u16 = 4;

/// Secrets type of TLS key logs (4.7).
const TLS_KEY_LOG: u32 = 0x544c_534b;

/// A longer block is damage.
const MAX_BLOCK: u32 = 64 << 20;

/// One frame to copy.
#[derive(Clone, Debug)]
pub struct Copied {
    /// Where it is.
    pub at: FrameRef,
    /// What its data starts with.
    pub link_type: LinkType,
    /// The bytes kept.
    pub data: Vec<u8>,
    /// Length on the wire.
    pub wire_len: u32,
    /// Comments to attach to it.
    pub comments: Vec<String>,
}

impl Copied {
    /// A frame without comments.
    pub fn of(frame: &Frame<'_>) -> Self {
        Self {
            at: frame.at,
            link_type: frame.link_type,
            data: frame.data.to_vec(),
            wire_len: frame.wire_len,
            comments: Vec::new(),
        }
    }
}

/// What to write beside the frames.
#[derive(Clone, Debug, Default)]
pub struct Beside {
    /// Comments on the whole file.
    pub comments: Vec<String>,
    /// Names of hosts.
    pub names: BTreeMap<IpAddr, BTreeSet<String>>,
    /// Secrets to embed: lines of a TLS key log.
    pub key_log: Vec<u8>,
}

/// Writes the frames as a pcapng file, in the order of the source.
///
/// # Errors If the source cannot be read or seeked.
pub fn excerpt(source: &mut (impl Read + Seek), frames: &[Copied], beside: &Beside) -> io::Result<Vec<u8>> {
    source.seek(SeekFrom::Start(0))?;
    let mut header = [0; 24];
    let snaplen = if fill(source, &mut header)? { snaplen_of_pcap(&header) } else { 0 };
    let mut writer = Writer { out: Vec::new(), frames, beside, snaplen, written: 0 };
    source.seek(SeekFrom::Start(0))?;
    writer.copy_blocks(source)?;
    writer.rest();
    Ok(writer.out)
}

struct Writer<'a> {
    out: Vec<u8>,
    frames: &'a [Copied],
    beside: &'a Beside,
    /// Snaplen of the interfaces written here; 0 means no limit.
    snaplen: u32,
    /// Number of frames already written.
    written: usize,
}

/// What a section needs before its first packet.
struct Head {
    order: Order,
    /// Header and interfaces, written only once a packet needs them.
    waiting: Vec<u8>,
    open: bool,
    /// Time of the last packet that has one, in units of its interface.
    last_time: [u32; 2],
}

impl<'a> Writer<'a> {
    /// Walks through a pcapng file to its end, or to the first invalid block.
    fn copy_blocks(&mut self, source: &mut (impl Read + Seek)) -> io::Result<()> {
        let mut head = Head { order: Order::Little, waiting: Vec::new(), open: false, last_time: [0; 2] };
        let (mut offset, mut begun) = (0_u64, false);
        while self.written < self.frames.len() {
            let mut start = [0; 12];
            if !fill(source, &mut start)? {
                return Ok(());
            }
            let is_section = start.starts_with(&SECTION_HEADER.to_be_bytes());
            if is_section {
                let Some(order) = Order::of_magic(start) else { return Ok(()) };
                head = Head { order, waiting: Vec::new(), open: false, last_time: [0; 2] };
            } else if !begun {
                return Ok(());
            }
            begun = true;
            let (kind, length) = (head.order.u32_at(&start, 0), head.order.u32_at(&start, 4));
            if length < 12 || length % 4 != 0 || length > MAX_BLOCK {
                return Ok(());
            }
            if matches!(kind, SECTION_HEADER | INTERFACE | ENHANCED_PACKET | SIMPLE_PACKET) {
                let mut block = vec![0; usize::try_from(length).unwrap_or_default()];
                source.seek(SeekFrom::Start(offset))?;
                if !fill(source, &mut block)? {
                    return Ok(());
                }
                self.take(&mut head, kind, block, offset);
            } else {
                source.seek(SeekFrom::Start(offset + u64::from(length)))?;
            }
            offset += u64::from(length);
        }
        Ok(())
    }

    fn take(&mut self, head: &mut Head, kind: u32, block: Vec<u8>, offset: u64) {
        match kind {
            SECTION_HEADER => head.waiting = self.section_of(head.order, &block),
            INTERFACE if head.open => self.out.extend(block),
            INTERFACE => head.waiting.extend(block),
            _ => {
                if kind == ENHANCED_PACKET {
                    head.last_time = [head.order.u32_at(&block, 12), head.order.u32_at(&block, 16)];
                }
                let Some(frame) = self.frames.get(self.written).filter(|frame| frame.at.offset == offset) else {
                    return;
                };
                self.written += 1;
                self.open(head);
                let packet = match kind {
                    ENHANCED_PACKET => commented(head.order, &block, frame),
                    // A simple packet block has no options for comments. Its enhanced copy gets the time of the packet
                    // before it.
                    _ => packet(head.order, 0, head.last_time, frame),
                };
                self.out.extend(packet);
            }
        }
    }

    /// Writes what precedes the first packet of a section.
    fn open(&mut self, head: &mut Head) {
        if !std::mem::replace(&mut head.open, true) {
            self.out.append(&mut head.waiting);
            self.beside(head.order);
        }
    }

    /// A copied section header. Its section length becomes unknown, and the first one carries the comments on the file
    /// (4.1).
    fn section_of(&self, order: Order, block: &[u8]) -> Vec<u8> {
        let mut section = Block::new(order, SECTION_HEADER);
        section.bytes(block.get(8..16).unwrap_or_default());
        section.bytes(&[0xff; 8]);
        section.options_of(block, 24);
        self.comment_on_file(&mut section);
        section.finish()
    }

    fn comment_on_file(&self, section: &mut Block) {
        if self.out.is_empty() {
            self.beside.comments.iter().for_each(|comment| section.option(COMMENT, comment.as_bytes()));
        }
    }

    /// Names and secrets; they apply to one section, so each gets its own.
    fn beside(&mut self, order: Order) {
        if !self.beside.names.is_empty() {
            self.out.extend(names(order, &self.beside.names));
        }
        if !self.beside.key_log.is_empty() {
            let mut secrets = Block::new(order, SECRETS);
            secrets.u32(TLS_KEY_LOG);
            secrets.u32(u32::try_from(self.beside.key_log.len()).unwrap_or(u32::MAX));
            secrets.padded(&self.beside.key_log);
            self.out.extend(secrets.finish());
        }
    }

    /// The remaining frames, in a section of their own with an interface for each link type.
    fn rest(&mut self) {
        let rest = self.frames.get(self.written..).unwrap_or_default();
        if rest.is_empty() && !self.out.is_empty() {
            return;
        }
        let order = Order::Little;
        let mut section = Block::new(order, SECTION_HEADER);
        section.u32(0x1a2b_3c4d);
        section.u16(1);
        section.u16(0);
        section.bytes(&[0xff; 8]);
        section.option(SHB_USERAPPL, concat!("chaingap ", env!("CARGO_PKG_VERSION")).as_bytes());
        self.comment_on_file(&mut section);
        self.out.extend(section.finish());
        let links: BTreeSet<LinkType> = rest.iter().map(|frame| frame.link_type).collect();
        let micro = rest.iter().all(|frame| frame.at.time.nanos() % 1_000 == 0);
        let (unit, digits) = if micro { (1_000, 6) } else { (1, 9) };
        for link in &links {
            let mut interface = Block::new(order, INTERFACE);
            interface.u16(link.0);
            interface.u16(0);
            interface.u32(self.snaplen);
            interface.option(IF_TSRESOL, &[digits]);
            self.out.extend(interface.finish());
        }
        self.beside(order);
        for frame in rest {
            let id = links.iter().position(|link| *link == frame.link_type).unwrap_or_default();
            // Times before 1970 cannot be expressed without an interface time offset.
            let ticks = u64::try_from(frame.at.time.nanos() / unit).unwrap_or_default().to_be_bytes();
            let [a, b, c, d, e, f, g, h] = ticks;
            let time = [u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h])];
            self.out.extend(packet(order, u32::try_from(id).unwrap_or_default(), time, frame));
        }
        self.written = self.frames.len();
    }
}

/// A packet block with comments added to its options (4.3).
fn commented(order: Order, block: &[u8], frame: &Copied) -> Vec<u8> {
    let captured = usize::try_from(order.u32_at(block, 20)).unwrap_or(usize::MAX);
    let options = captured.checked_next_multiple_of(4).and_then(|data| data.checked_add(28)).unwrap_or(usize::MAX);
    let Some(fixed) = block.get(8..options) else { return packet(order, 0, [0; 2], frame) };
    let mut out = Block::new(order, ENHANCED_PACKET);
    out.bytes(fixed);
    out.options_of(block, options);
    frame.comments.iter().for_each(|comment| out.option(COMMENT, comment.as_bytes()));
    out.finish()
}

fn packet(order: Order, interface: u32, time: [u32; 2], frame: &Copied) -> Vec<u8> {
    let mut out = Block::new(order, ENHANCED_PACKET);
    out.u32(interface);
    time.into_iter().for_each(|half| out.u32(half));
    out.u32(u32::try_from(frame.data.len()).unwrap_or(u32::MAX));
    out.u32(frame.wire_len);
    out.padded(&frame.data);
    frame.comments.iter().for_each(|comment| out.option(COMMENT, comment.as_bytes()));
    out.finish()
}

/// A name resolution block (4.5): for each address its names, each terminated by a zero.
fn names(order: Order, names: &BTreeMap<IpAddr, BTreeSet<String>>) -> Vec<u8> {
    let mut out = Block::new(order, NAME_RESOLUTION);
    for (address, names) in names {
        let (kind, mut record) = match address {
            IpAddr::V4(address) => (1, address.octets().to_vec()),
            IpAddr::V6(address) => (2, address.octets().to_vec()),
        };
        for name in names {
            record.extend(name.bytes());
            record.push(0);
        }
        out.option(kind, &record);
    }
    out.u16(0);
    out.u16(0);
    out.finish_without_options()
}

/// The snaplen of a classic pcap file (draft-ietf-opsawg-pcap, section 4); 0 for any other file.
fn snaplen_of_pcap(header: &[u8; 24]) -> u32 {
    match header {
        [0xd4 | 0x34, 0xc3 | 0xcd, 0xb2, 0xa1, ..] | [0x4d, 0x3c, 0xb2, 0xa1, ..] => Order::Little.u32_at(header, 16),
        [0xa1, 0xb2, 0xc3, 0xd4, ..] | [0xa1, 0xb2, 0x3c, 0x4d, ..] => Order::Big.u32_at(header, 16),
        _ => 0,
    }
}

/// Fills `bytes` completely; false at the end of the file.
fn fill(source: &mut impl Read, bytes: &mut [u8]) -> io::Result<bool> {
    match source.read_exact(bytes) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}
