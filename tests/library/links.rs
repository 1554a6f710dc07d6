//! The same exchange gives the same report in every link, tunnel and framing.
//!
//! In: `captures/links`, made by `captures/convert/links.sh` from the recordings on plain Ethernet, and those recordings.
//! Out: failed tests where a report differs in more than places and times, where `tshark` sees other certificates or
//! connections, or where bytes of any kind lead to a panic. Left to others: what the findings should be.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use chaingap::Analyzer;
use chaingap::capture::{CaptureReader, Frame, FrameRef, LinkType, Timestamp};
use chaingap::decode::{Counts, Decoder, MOST_HEADERS, Packet, Unread};
use chaingap::limits::Limits;
use chaingap::report::Report;
use proptest::prelude::*;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use support::tell;

/// Conversions from which nothing can be read, and what the report says instead.
const UNREADABLE: &[(&str, &str)] = &[
    ("macsec-encrypted", "25 packets encrypted by MACsec (first: frame 1)"),
    ("wlan-protected", "25 packets encrypted by Wi-Fi (IEEE 802.11) (first: frame 1)"),
];

/// Link types that the samples must have among them.
const LINK_TYPES: &str = "APPLE_IP_OVER_IEEE1394 ATM_RFC1483 C_HDLC ETHERNET FDDI IEEE802_11 IEEE802_11_AVS \
                          IEEE802_11_PRISM IEEE802_11_RADIOTAP IPOIB IPV4 IPV6 LINUX_SLL LINUX_SLL2 LOOP NFLOG \
                          NULL PKTAP PPI PPP PPP_ETHER PPP_HDLC PPP_PPPD RAW USBPCAP USB_LINUX USB_LINUX_MMAPPED";

/// Parts of a report that name places and times, and so differ between a recording and its conversion.
const PLACES: &[&str] = &[
    "captures",
    "capture",
    "frame",
    "frames",
    "offset",
    "length",
    "time",
    "first",
    "last",
    "first_time",
    "last_time",
    "filter",
    "statistics",
    "elsewhere",
    "offset_s",
    "last_frame",
    "first_frame",
    "judged_at",
];

#[test]
fn every_link_tells_what_plain_ethernet_tells() {
    let (mut links, mut wrong) = (BTreeSet::new(), Vec::new());
    for (path, source) in samples() {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let report = analyze(&path);
        links.extend(report.captures[0].link_types.iter().cloned());
        if let Some((_, said)) = UNREADABLE.iter().find(|(unreadable, _)| *unreadable == name) {
            assert_eq!(report.captures[0].problems, [*said], "{name}");
            assert!(report.devices.is_empty() && !report.complete, "{name}");
            continue;
        }
        assert!(report.complete, "{name}: {:?}", report.captures[0].problems);
        let (plain, converted) = (story(&analyze(&source)), story(&report));
        if plain != converted {
            wrong.push(format!("{name}\n  plain: {plain:#}\n  here: {converted:#}"));
        }
    }
    assert_eq!(
        links.into_iter().collect::<Vec<_>>().join(" "),
        LINK_TYPES.split_whitespace().collect::<Vec<_>>().join(" ")
    );
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_was_odd_is_said_and_nothing_is_lost_by_it() {
    let said = |name: &str| {
        let capture = analyze(&folder().join(name)).captures.remove(0);
        assert!(capture.problems.is_empty(), "{:?}", capture.problems);
        capture.notes
    };
    // Only the 25 IPv4 packets; the two ARP packets have no such checksum.
    assert_eq!(
        said("wrong-checksums.pcap"),
        ["23 packets with a wrong IPv4 header checksum, read all the same (first: frame 1)"]
    );
    let problems = said("overlapping-fragments.pcap");
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].contains("IP fragments in conflict with earlier ones, which count (first: frame "));
    assert!(said("padded.pcap").is_empty());
}

#[test]
fn a_missing_fragment_is_said() {
    let frames = frames(&folder().join("ipv4-fragments.pcap"));
    let whole = decode(frames.iter().cloned());
    assert!(whole.1.unread.is_empty(), "{:?}", whole.1);
    // A packet's second fragment: more fragments, at 104 octets.
    let lost = frames.iter().position(|(_, data)| data[12..14] == [8, 0] && data[20..22] == [0x20, 13]).unwrap();
    let (packets, counts) = decode(frames.iter().take(lost).chain(frames.iter().skip(lost + 1)).cloned());
    assert_eq!(packets, whole.0 - 1);
    assert!(matches!(counts.unread[..], [(Unread::FragmentsMissing, count)] if count.packets == 1));
}

#[test]
fn fragments_of_radio_frames_are_named_and_not_joined() {
    // IEEE 802.11 section 9.2.4: a data frame to the access point, more fragments to follow; the second and last of them.
    let frame = |flags: u8, fragment: u8| [&[0x08, flags, 0, 0][..], &[2; 18], &[fragment, 0], &[0xaa; 40]].concat();
    let unread = |link: LinkType, data: Vec<u8>| decode([(link, data)]).1.unread;
    for data in [frame(0x05, 0), frame(0x01, 1)] {
        let counts = unread(LinkType::IEEE802_11, data);
        assert!(matches!(counts[..], [(Unread::LinkFragment("Wi-Fi (IEEE 802.11)"), _)]), "{counts:?}");
    }
    // RFC 5415 section 4.3: a header of eight bytes for IEEE 802.11, the bits for its own frames and for fragments set.
    let capwap = [&[0x00, 0x10, 0x03, 0x80, 0, 0, 0, 0][..], &frame(0x01, 0)].concat();
    let length = u16::try_from(capwap.len()).unwrap();
    let udp = [&[0x14, 0x7f, 0x14, 0x7f][..], &(8 + length).to_be_bytes(), &[0, 0], &capwap].concat();
    let ip =
        [&[0x45, 0][..], &(28 + length).to_be_bytes(), &[0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]].concat();
    let counts = unread(LinkType::RAW, [ip, udp].concat());
    assert!(matches!(counts[..], [(Unread::LinkFragment("CAPWAP"), _)]), "{counts:?}");
}

#[test]
fn headers_one_inside_another_are_bounded() {
    let tagged = |tags: usize| {
        let mut data = [&[2; 12][..], &[0x81, 0, 0, 7].repeat(tags)].concat();
        data.extend([0x81, 0]);
        decode([(LinkType::ETHERNET, data)]).1.unread
    };
    assert!(matches!(tagged(usize::from(MOST_HEADERS) + 1)[..], [(Unread::Nested, _)]));
    assert!(matches!(tagged(usize::from(MOST_HEADERS) - 4)[..], [(Unread::Damaged, _)]));
}

#[test]
fn datagrams_that_no_stage_reads_are_turned_away() {
    let udp = |source: u16, destination: u16| {
        let ports = [source.to_be_bytes(), destination.to_be_bytes()].concat();
        let ip = [0x45, 0, 0, 36, 0, 0, 0, 0, 64, 17, 0x66, 0xc3, 10, 0, 0, 1, 10, 0, 0, 2];
        let data = [&[2; 12][..], &[8, 0], &ip, &ports, &[0, 16, 0, 0], b"datagram"].concat();
        decode([(LinkType::ETHERNET, data)]).0
    };
    assert_eq!((udp(5004, 5005), udp(5353, 5355)), (0, 0));
    assert_eq!((udp(40000, 53), udp(53, 40000), udp(68, 67), udp(123, 40000)), (1, 1, 1, 1));
}

#[test]
fn every_frame_cut_at_every_length_is_survived() {
    for (path, _) in samples() {
        let frames = frames(&path);
        for kept in 0..200 {
            let cut = frames.iter().map(|(link, data)| (*link, data[..kept.min(data.len())].to_vec()));
            decode(cut);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_of_any_link_are_survived(
        link in prop_oneof![0..300u16],
        data in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        decode([(LinkType(link), data)]);
    }

    #[test]
    fn changed_bytes_are_survived(
        sample in any::<proptest::sample::Index>(),
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), 0..120usize, any::<u8>()), 1..40),
    ) {
        let samples = samples();
        let mut frames = frames(&samples[sample.index(samples.len())].0);
        let count = frames.len();
        for (frame, at, byte) in changes {
            if let Some(place) = frames[frame.index(count)].1.get_mut(at) {
                *place = byte;
            }
        }
        decode(frames);
    }
}

/// Samples that `tshark` 4.0 does not dissect, and why.
const BEYOND_TSHARK: &[(&str, &str)] = &[
    ("offloaded-ipv6", "it takes an IPv6 payload length of zero for a damaged jumbogram"),
    ("ppp-pppd", "it does not open files of this link type"),
    ("usbmon-ecm", "it needs the device's descriptors to know the framing"),
    ("usbmon-rndis", "it does not dissect RNDIS"),
    ("usbmon-mapped-rndis", "it does not dissect RNDIS"),
    ("usbpcap-rndis", "it does not dissect RNDIS"),
];

#[test]
fn tshark_sees_the_same_certificates_and_connections() {
    let installed = Command::new("tshark").arg("--version").output().is_ok();
    if std::env::var("CHAINGAP_ORACLES").as_deref() != Ok("1") || !installed {
        return tell("SKIPPED: links are not compared with tshark; install it and set CHAINGAP_ORACLES=1 to do so");
    }
    let unreadable = UNREADABLE.iter().map(|(name, _)| *name);
    let beyond: BTreeSet<_> = unreadable.chain(BEYOND_TSHARK.iter().map(|(name, _)| *name)).collect();
    let mut compared = 0;
    for (path, _) in samples() {
        if beyond.contains(path.file_stem().unwrap().to_str().unwrap()) {
            continue;
        }
        let report = analyze(&path);
        let theirs = tshark(&path);
        let mut ours: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for handshake in report.devices.iter().flat_map(|device| &device.handshakes) {
            ours.entry(handshake.stream).or_default().extend(handshake.certificates.iter().cloned());
        }
        assert_eq!(theirs.certificates, ours.into_iter().filter(|(_, sent)| !sent.is_empty()).collect(), "{path:?}");
        assert_eq!(theirs.streams, report.statistics.flows, "{path:?}");
        compared += 1;
    }
    assert!(compared >= 50, "{compared}");
    tell(&format!("compared with tshark: {compared} captures on other links"));
}

struct Seen {
    /// SHA-256 of the certificates of each stream.
    certificates: BTreeMap<Option<u64>, Vec<String>>,
    streams: u64,
}

fn tshark(path: &Path) -> Seen {
    let fields = |filter: &str, fields: &[&str]| {
        let mut command = Command::new("tshark");
        // Linux's old port for VXLAN belongs to another protocol in tshark's table.
        command.args(["-n", "-o", "tcp.reassemble_out_of_order:TRUE", "-d", "udp.port==8472,vxlan", "-r"]).arg(path);
        command.args(["-Y", filter, "-T", "fields"]).args(fields.iter().flat_map(|field| ["-e", *field]));
        let output = command.output().unwrap();
        assert!(output.status.success(), "{path:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let mut certificates: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for line in fields("tls.handshake.certificate", &["tcp.stream", "tls.handshake.certificate"]).lines() {
        let (stream, sent) = line.split_once('\t').unwrap();
        let stream = stream.split(',').next_back().unwrap().parse().ok();
        certificates.entry(stream).or_default().extend(sent.split(',').map(digest_of_hex));
    }
    let streams: BTreeSet<_> = fields("tcp", &["tcp.stream"]).split([',', '\n']).map(str::to_owned).collect();
    Seen { certificates, streams: streams.iter().filter(|stream| !stream.is_empty()).count().try_into().unwrap() }
}

fn digest_of_hex(text: &str) -> String {
    let text = text.replace(':', "");
    let bytes: Vec<_> =
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect();
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A report without places and times.
fn story(report: &Report) -> Value {
    let mut value = serde_json::to_value(report).unwrap();
    strip(&mut value);
    value
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, _| !PLACES.contains(&name.as_str()));
            members.values_mut().for_each(strip);
        }
        Value::Array(elements) => elements.iter_mut().for_each(strip),
        Value::String(text) => *text = without_frames(text),
        _ => {}
    }
}

/// A text without the numbers after `frame ` and without the last number of a handshake's id, `capture:stream:frame`.
fn without_frames(text: &str) -> String {
    let mut parts = text.split("frame ");
    let first = parts.next().unwrap_or_default().to_owned();
    let text = parts.fold(first, |text, part| text + "frame " + part.trim_start_matches(|c: char| c.is_ascii_digit()));
    match text.rsplit_once(':') {
        Some((stream, frame))
            if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b':') && !frame.is_empty() =>
        {
            stream.to_owned()
        }
        _ => text,
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/links")
}

/// Every sample with the recording it was made of, which its expectation names first.
fn samples() -> Vec<(PathBuf, PathBuf)> {
    let mut samples = Vec::new();
    for entry in fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()) {
        let Some(name) = entry.to_str().unwrap().strip_suffix(".expect.toml") else { continue };
        let text: toml::Table = fs::read_to_string(&entry).unwrap().parse().unwrap();
        let source = text["description"].as_str().unwrap().split(' ').next().unwrap().to_owned();
        samples.push((PathBuf::from(format!("{name}.pcap")), folder().parent().unwrap().join(source)));
    }
    samples.sort();
    assert!(samples.len() >= 60, "{}", samples.len());
    samples
}

fn analyze(path: &Path) -> Report {
    let root = fs::read(folder().join("root.pem")).unwrap();
    let analyzer = Analyzer::builder().root("root.pem", &root).all_handshakes(true).build().unwrap();
    analyzer.analyze(fs::File::open(path).unwrap(), "sample").unwrap()
}

/// Link type and bytes of every frame.
fn frames(path: &Path) -> Vec<(LinkType, Vec<u8>)> {
    let (mut reader, bytes) = (CaptureReader::new(0), fs::read(path).unwrap());
    let (mut rest, mut frames) = (&bytes[..], Vec::new());
    while !rest.is_empty() {
        let space = reader.space();
        let count = space.len().min(rest.len());
        space[..count].copy_from_slice(&rest[..count]);
        rest = &rest[count..];
        reader.commit(count);
        while let Some(frame) = reader.next_frame().unwrap() {
            frames.push((frame.link_type, frame.data.to_vec()));
        }
    }
    frames
}

/// The number of packets in the frames, and the counters.
fn decode(frames: impl IntoIterator<Item = (LinkType, Vec<u8>)>) -> (usize, Counts) {
    let (mut decoder, mut packets) = (Decoder::new(&Limits::default()), 0);
    for (number, (link_type, data)) in (1..).zip(frames) {
        let at = FrameRef { capture: 0, number, offset: 0, length: 0, time: Timestamp::from_nanos(0, 9) };
        let wire_len = u32::try_from(data.len()).unwrap();
        decoder.decode(&Frame { at, link_type, data: &data, wire_len }, &mut |packet: Packet<'_>| {
            packets += usize::from(!matches!(packet, Packet::Binding(_)));
        });
    }
    (packets, decoder.finish())
}
