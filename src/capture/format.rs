//! In: the first bytes of a file. Out: which capture format it is; for a format that is not read, its name and how to
//! convert it. Left to others: reading it.

use super::Compression;
use super::netmon::NetMon;
use super::pcap::Pcap;
use crate::files::Kind;

/// The container format of a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Classic pcap.
    Pcap,
    /// pcapng.
    PcapNg,
    /// Microsoft Network Monitor, 1.x or 2.x.
    NetMon,
}

impl Format {
    /// The name used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pcap => "pcap",
            Self::PcapNg => "pcapng",
            Self::NetMon => "netmon",
        }
    }

    /// Recognizes a capture by its first four bytes.
    pub fn of_magic(magic: [u8; 4]) -> Option<Self> {
        match magic {
            [0x0a, 0x0d, 0x0d, 0x0a] => Some(Self::PcapNg),
            magic if Pcap::is_magic(magic) => Some(Self::Pcap),
            magic if NetMon::is_magic(magic) => Some(Self::NetMon),
            _ => None,
        }
    }
}

/// Bytes needed to recognize every format named here; the header of an event trace needs the most.
pub(super) const TELLING: usize = 76;

const EDITCAP: &str = "convert it with Wireshark's editcap: editcap -F pcapng IN OUT.pcapng";

/// Capture formats that are not supported, by their first bytes. Wireshark's wiretap reads them, so editcap can convert
/// them.
const CAPTURES: &[(&[u8], &str)] = &[
    (b"snoop\0\0\0", "a snoop capture"),
    (b"XCP\0", "a NetXray or Sniffer capture"),
    (b"TRSNIFF data    \x1a", "a Sniffer capture"),
    (b"\x7fver", "a Peek capture (OmniPeek, AiroPeek)"),
    (b"ObserverPktBuffer", "an Observer capture"),
    (b"\xaa\xaa\xaa\xaa", "a 5View capture"),
    (b"iptrace 1.0", "an iptrace capture"),
    (b"iptrace 2.0", "an iptrace capture"),
];

/// Containers that captures are sent in, by their first bytes: name, and what to do.
const ARCHIVES: &[(&[u8], &str, &str)] = &[
    (b"PK\x03\x04", "a ZIP archive", "unpack it"),
    (b"MSCF", "a cabinet archive", "unpack it with: expand -F:* IN.cab FOLDER"),
    (b"\xfd7zXZ\0", "an xz file", "decompress it with: xz -d"),
    (b"BZh", "a bzip2 file", "decompress it with: bzip2 -d"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "unpack it with: 7z x"),
    (b"\x04\x22\x4d\x18", "an lz4 file", "decompress it with: lz4 -d"),
];

/// The name of a capture format that is known but not supported, and how to convert it.
pub(super) fn named(start: &[u8]) -> Option<(&'static str, &'static str)> {
    if is_event_trace(start) {
        let how =
            "convert it with: pktmon etl2pcap IN.etl --out OUT.pcapng (a trace of netsh: etl2pcapng IN.etl OUT.pcapng)";
        return Some(("a Windows event trace (ETL)", how));
    }
    let head = start.get(..start.len().min(TELLING)).unwrap_or_default();
    if head.windows(9).any(|bytes| bytes == b"NetScaler") {
        return Some(("a NetScaler trace", EDITCAP));
    }
    CAPTURES.iter().find(|(magic, _)| start.starts_with(magic)).map(|&(_, name)| (name, EDITCAP))
}

/// An event trace has no magic number. Its first buffer starts with its size, and the buffer header of 72 bytes is
/// followed by a system trace header: version 2, type 1 or 2 (32 or 64 bits), and the marker 0xc0 (Windows SDK,
/// evntrace: `WMI_BUFFER_HEADER`, `SYSTEM_TRACE_HEADER`).
fn is_event_trace(start: &[u8]) -> bool {
    let size = super::record::Order::LITTLE.u32(start, 0);
    let buffer = size.is_power_of_two() || size.is_multiple_of(4096);
    buffer && (1024..=16 << 20).contains(&size) && matches!(start.get(72..76), Some([2, 0, 1 | 2, 0xc0]))
}

/// Errors show the first bytes of a file after these words.
pub(crate) const STARTS_WITH: &str = "it starts with ";

/// A description of the first bytes for the error message.
pub(super) fn describe(start: &[u8]) -> String {
    if let Some((_, name, how)) = ARCHIVES.iter().find(|(magic, ..)| start.starts_with(magic)) {
        return format!("{name}; {how}");
    }
    if let Some(kind) = Kind::of_start(start) {
        return format!("it is {}", kind.in_words());
    }
    let start = start.get(..start.len().min(16)).unwrap_or_default();
    let text = start.iter().all(|b| b.is_ascii_graphic() || b.is_ascii_whitespace());
    let shown = if text {
        format!("the text {:?}", String::from_utf8_lossy(start))
    } else {
        start.iter().map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(" ")
    };
    format!("{STARTS_WITH}{shown}")
}

/// Whether these are the first bytes of a capture or of a compressed file.
pub(super) fn is_known(magic: [u8; 4]) -> bool {
    Format::of_magic(magic).is_some() || Compression::of_magic(magic).is_some()
}
