//! Every file format reads, and gives the findings of the recording it was made from.
//!
//! In: `captures/formats/`, one recording in many formats, and files made here of the same frames where no program at hand
//! writes them. Out: frames, findings and problems held against the recording's, and against Wireshark's reading. Left to
//! others: whether the findings are right.

mod compressed;
mod damage;
mod read;
mod write;

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use read::{Capture, Frame, as_wireshark, essence, project, read, read_in_pieces, report, wireshark};
use support::tell;
use tempfile::TempDir;
use write::{BIG, LITTLE, Order, netmon, pcap, ticks};

/// The recording that all of them are made from.
static SOURCE: LazyLock<Vec<u8>> = LazyLock::new(|| fs::read(project("captures/usb-sign-in.pcapng")).unwrap());
static FRAMES: LazyLock<Vec<Frame>> = LazyLock::new(|| read(&SOURCE).frames);

/// The converted files.
fn files() -> Vec<(String, PathBuf, Vec<u8>)> {
    let entries = fs::read_dir(project("captures/formats")).unwrap().map(|entry| entry.unwrap().path());
    let converted = entries.filter(|path| !["toml", "pem"].contains(&path.extension().unwrap().to_str().unwrap()));
    let mut files: Vec<_> = converted
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), path.clone(), fs::read(&path).unwrap()))
        .collect();
    files.sort();
    assert!(files.len() >= 15, "{}", files.len());
    files
}

/// Frames as a format with this unit of time, in nanoseconds, holds them.
fn contents(unit: i64) -> Vec<String> {
    FRAMES.iter().map(|frame| frame.content(unit)).collect()
}

/// Asserts that the findings are those of the recording.
fn same_findings(name: &str, bytes: &[u8]) {
    assert_eq!(essence(&report(name, bytes, usize::MAX)), essence(&report(name, &SOURCE, usize::MAX)), "{name}");
}

/// Asserts that the frames are those that Wireshark reads.
fn as_wireshark_reads(name: &str, bytes: &[u8]) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    match wireshark(&path) {
        Some(theirs) => assert_eq!(as_wireshark(&read(bytes)), theirs, "{name}"),
        None => tell("NOT COMPARED: there is no tshark"),
    }
}

#[test]
fn every_converted_file_gives_the_findings_of_its_source() {
    for (name, _, bytes) in files() {
        same_findings(&name, &bytes);
        let capture = read(&bytes);
        let unit = match name.split('.').nth(1).unwrap() {
            // Units after a start in milliseconds: the sum is right to one millisecond, which is checked below.
            "netmon1" | "netmon2" => i64::MAX,
            "pcap" | "modpcap" | "suse6_3pcap" | "rh6_1pcap" | "nokiapcap" => 1_000,
            _ => 1,
        };
        let held: Vec<_> = capture.frames.iter().map(|frame| frame.content(unit)).collect();
        assert_eq!(held, contents(unit), "{name}");
        let off = |(here, there): (&Frame, &Frame)| (here.time - there.time).abs();
        assert!(capture.frames.iter().zip(FRAMES.iter()).map(off).max() <= Some(1_000_000), "{name}");
        let trailing = name.contains("trailing");
        assert_eq!(capture.summary.problems.len(), usize::from(trailing), "{name}: {:?}", capture.summary.problems);
        let compression = match name.rsplit_once('.').unwrap() {
            (rest, "zst") if rest.ends_with(".gz") => Some("gzip in zstd"),
            (_, "zst") => Some("zstd"),
            (_, "gz") => Some("gzip"),
            _ => None,
        };
        assert_eq!(capture.summary.compression.as_deref(), compression, "{name}");
        assert_eq!(capture.summary.bytes, bytes.len() as u64, "{name}");
    }
}

#[test]
fn wireshark_reads_the_same_frames() {
    let (mut compared, files) = (0, files());
    for (name, path, bytes) in &files {
        // Wireshark reads one compression, not one inside the other, and stops where a format breaks off.
        if name.ends_with(".gz.zst") || name.contains("trailing") {
            continue;
        }
        let Some(theirs) = wireshark(path) else { return tell("NOT COMPARED: there is no tshark") };
        assert_eq!(as_wireshark(&read(bytes)), theirs, "{name}");
        compared += 1;
    }
    assert_eq!(compared, files.len() - 2);
}

#[test]
fn pieces_of_any_size_make_no_difference() {
    for (name, _, bytes) in files() {
        let whole = read(&bytes);
        for piece in [1, 7, 1000] {
            let pieces = read_in_pieces(&bytes, piece).unwrap();
            assert_eq!(pieces.frames, whole.frames, "{name} in pieces of {piece}");
            assert_eq!(pieces.summary.problems, whole.summary.problems, "{name} in pieces of {piece}");
            assert_eq!(pieces.secrets, whole.secrets, "{name} in pieces of {piece}");
        }
        assert_eq!(essence(&report(&name, &bytes, 1)), essence(&report(&name, &bytes, usize::MAX)), "{name}");
    }
}

/// What formats.sh injected with editcap and tshark.
#[test]
fn secrets_and_names_are_handed_over() {
    let file = |name: &str| read(&fs::read(project("captures/formats").join(name)).unwrap());
    let secrets = file("usb-sign-in.secrets.pcapng").secrets;
    let text = format!("CLIENT_RANDOM {:064} {:096}\n", 1, 2);
    assert_eq!(secrets.iter().map(|secrets| secrets.0.as_slice()).collect::<Vec<_>>(), [text.as_bytes()]);
    assert!(!format!("{secrets:?}").contains("67, 76"), "{secrets:?}");
    let names = file("usb-sign-in.names.pcapng").summary.names;
    assert_eq!(names[&"10.20.30.10".parse().unwrap()], ["lyncpool.contoso.test"]);
}

/// The frames in two sections of different byte orders, each with interfaces of another resolution.
fn sections(resolutions: [u8; 4], offset: i64) -> Vec<u8> {
    let half = FRAMES.len() / 2;
    let mut out = Vec::new();
    for (order, frames, resolutions) in
        [(BIG, &FRAMES[..half], &resolutions[..2]), (LITTLE, &FRAMES[half..], &resolutions[2..])]
    {
        out.extend(order.section());
        for resolution in resolutions {
            // if_tsresol is 9, if_tsoffset 14 (section 4.2).
            let options = [(9, vec![*resolution]), (14, order.u64(offset.cast_unsigned()))];
            out.extend(order.interface(1, &options));
        }
        for (index, frame) in frames.iter().enumerate() {
            let at = frame.time - offset * 1_000_000_000;
            out.extend(order.packet(index % 2, ticks(at, resolutions[index % 2]), &frame.data, &[]));
        }
    }
    out
}

#[test]
fn sections_of_both_byte_orders_with_units_of_every_kind() {
    // 10^-9, 2^-32, 2^-30 and 10^-9 seconds: no unit is longer than a nanosecond; times before 1970 in ticks, and after.
    for (name, offset) in [("plain.pcapng", 0), ("earlier.pcapng", -3_600), ("later.pcapng", 1_000_000_000)] {
        let bytes = sections([9, 0x80 | 32, 0x80 | 30, 9], offset);
        assert_eq!(read(&bytes).contents(), contents(1), "{name}");
        same_findings(name, &bytes);
        as_wireshark_reads(name, &bytes);
    }
    // What is finer than a nanosecond is dropped: 64 bits of 10^-12 seconds end within the year 1970.
    let fine = LITTLE.interface(1, &[(9, vec![12])]);
    let bytes = [LITTLE.section(), fine, LITTLE.packet(0, 1_500_000_000_999, &FRAMES[0].data, &[])].concat();
    assert_eq!(read(&bytes).frames[0].time, 1_500_000_000);
    // Coarse units.
    let seconds = |unit: u8, ticks: u64| {
        let interface = LITTLE.interface(1, &[(9, vec![unit])]);
        read(&[LITTLE.section(), interface, LITTLE.packet(0, ticks, &FRAMES[0].data, &[])].concat()).frames[0].time
    };
    assert_eq!(seconds(3, 1_700_000_000_123), 1_700_000_000_123_000_000);
    assert_eq!(seconds(0x80 | 1, 3_400_000_001), 1_700_000_000_500_000_000);
}

/// The TCP frames as raw IP on one interface, the others as Ethernet on another: libpcap refuses such a file.
#[test]
fn interfaces_of_different_link_types() {
    let mut bytes =
        [LITTLE.section(), LITTLE.interface(1, &[(9, vec![9])]), LITTLE.interface(101, &[(9, vec![9])])].concat();
    for frame in FRAMES.iter() {
        let raw = frame.data[12..14] == [8, 0] && frame.data[23] == 6;
        let (interface, data) = if raw { (1, &frame.data[14..]) } else { (0, &frame.data[..]) };
        bytes.extend(LITTLE.packet(interface, ticks(frame.time, 9), data, &[]));
    }
    let summary = read(&bytes).summary;
    assert_eq!(summary.link_types.iter().map(ToString::to_string).collect::<Vec<_>>(), ["ETHERNET", "RAW"]);
    same_findings("links.pcapng", &bytes);
    as_wireshark_reads("links.pcapng", &bytes);
}

#[test]
fn simple_and_obsolete_packet_blocks() {
    let head = [BIG.section(), BIG.interface(1, &[(9, vec![9])])].concat();
    let old = |frame: &Frame| BIG.old_packet(0, 0xffff, ticks(frame.time, 9), &frame.data);
    let bytes = [head.clone(), FRAMES.iter().flat_map(old).collect()].concat();
    assert_eq!(read(&bytes).contents(), contents(1));
    // Early writers padded blocks without counting the padding, as in files that Wireshark's wiki keeps.
    let uncounted = |frame: &Frame| {
        let (mut block, short) = (old(frame), 3 - (frame.data.len() + 3) % 4);
        let (end, length) = (block.len(), BIG.u32(block.len() - short));
        block[4..8].copy_from_slice(&length);
        block[end - 4..].copy_from_slice(&length);
        block
    };
    let early = [head.clone(), FRAMES.iter().flat_map(uncounted).collect()].concat();
    assert_eq!(read(&early).contents(), contents(1));
    as_wireshark_reads("early.pcapng", &early);
    same_findings("old.pcapng", &bytes);
    as_wireshark_reads("old.pcapng", &bytes);
    // Simple packets have no time: each gets that of the packet before, and none counts for the capture's time.
    assert_eq!(read(&[head.clone(), BIG.simple_packet(&FRAMES[0].data)].concat()).summary.times, None);
    let mut bytes = [head, old(&FRAMES[0])].concat();
    FRAMES[1..].iter().for_each(|frame| bytes.extend(BIG.simple_packet(&frame.data)));
    let capture = read(&bytes);
    let (data, times): (Vec<_>, Vec<_>) = capture.frames.iter().map(|frame| (&frame.data, frame.time)).unzip();
    assert_eq!(data, FRAMES.iter().map(|frame| &frame.data).collect::<Vec<_>>());
    assert!(times.iter().all(|time| *time == FRAMES[0].time));
    assert_eq!(capture.summary.notes.len(), 1, "{:?}", capture.summary.notes);
    assert!(capture.summary.notes[0].starts_with(&format!("{} packets have no time", FRAMES.len() - 1)));
}

#[test]
fn blocks_that_hold_no_packet_are_passed_over() {
    let mut bytes = [LITTLE.section(), LITTLE.interface(1, &[(9, vec![9])])].concat();
    for (index, frame) in FRAMES.iter().enumerate() {
        // Custom blocks (section 4.9), the systemd journal's, and types that are not assigned.
        let kind = [0x0bad, 0x4000_0bad, 9, 0x1234, 0x8000_0001][index % 5];
        bytes.extend(LITTLE.block(kind, b"__REALTIME_TIMESTAMP=1\n\0"));
        // A comment (1) and flags (2).
        let options = [(1, b"said by a person".to_vec()), (2, LITTLE.u32(1))];
        bytes.extend(LITTLE.packet(0, ticks(frame.time, 9), &frame.data, &options));
    }
    let capture = read(&bytes);
    assert_eq!((capture.contents(), capture.summary.problems), (contents(1), Vec::new()));
    same_findings("other.pcapng", &bytes);
}

#[test]
fn what_the_interfaces_lost_is_said() {
    let statistics = |order: Order, by_interface: u64, by_system: u64| {
        // isb_ifdrop is 5, isb_osdrop 7 (section 4.6).
        let options = order.options(&[(5, order.u64(by_interface)), (7, order.u64(by_system))]);
        order.block(5, &[order.u32(0), vec![0; 8], options].concat())
    };
    for order in [LITTLE, BIG] {
        let name = (2, b"eth0".to_vec());
        let mut bytes = [order.section(), order.interface(1, &[(9, vec![9]), name]), statistics(order, 1, 1)].concat();
        for frame in FRAMES.iter() {
            // epb_dropcount is 4 (section 4.3).
            let lost = if frame.number % 10 == 0 { vec![(4, order.u64(6))] } else { Vec::new() };
            bytes.extend(order.packet(0, ticks(frame.time, 9), &frame.data, &lost));
        }
        bytes.extend(statistics(order, 3, 40));
        let said = "interface \"eth0\" lost packets that are not in the file: 3 dropped by the interface, 40 dropped by the operating system, 12 by what its packets say";
        assert_eq!(read(&bytes).summary.problems, [said]);
        let report = report("lossy.pcapng", &bytes, usize::MAX);
        assert_eq!((report.complete, report.captures[0].problems.as_slice()), (false, [said.to_owned()].as_slice()));
    }
}

#[test]
fn pcap_headers_of_every_kind_in_both_orders() {
    // Kuznetzov's: interface index, Ethertype, kind of packet, padding (wiretap/libpcap.h, pcaprec_modified_hdr).
    let modified = |order: Order| [order.u32(2), order.u16(0x0800), vec![0, 0]].concat();
    for (name, order) in [("little.pcap", LITTLE), ("big.pcap", BIG)] {
        let cases = [
            ("plain", pcap(order, 0xa1b2_c3d4, 1, &[], &FRAMES)),
            ("modified", pcap(order, 0xa1b2_cd34, 1, &modified(order), &FRAMES)),
        ];
        for (kind, bytes) in cases {
            assert_eq!(read(&bytes).contents(), contents(1_000), "{kind} {name}");
            same_findings(name, &bytes);
            as_wireshark_reads(name, &bytes);
        }
        // Four bytes of frame check sequence, which the header announces (draft-ietf-opsawg-pcap, section 4).
        let checked: Vec<_> = FRAMES
            .iter()
            .map(|frame| Frame { data: [&frame.data, &[0xfc; 4][..]].concat(), ..frame.clone() })
            .collect();
        let bytes = pcap(order, 0xa1b2_c3d4, 0x2400_0001, &[], &checked);
        assert_eq!(read(&bytes).contents(), contents(1_000), "frame check sequences, {name}");
        same_findings(name, &bytes);
    }
}

#[test]
fn network_monitor_files_of_every_version() {
    for (minor, first, unit) in [(1, 128, 1_000), (2, 128, 1_000), (3, 128, 100), (3, 72, 100)] {
        let name = format!("2.{minor} from {first}.cap");
        let bytes = netmon(minor, first, 0, &[], &FRAMES);
        let capture = read(&bytes);
        assert_eq!((capture.contents(), capture.summary.problems), (contents(unit), Vec::new()), "{name}");
        assert_eq!(capture.summary.notes.len(), usize::from(minor < 3), "{name}");
        same_findings(&name, &bytes);
        as_wireshark_reads(&name, &bytes);
        // Resolved names are a frame of the file but not a packet.
        as_wireshark_reads(&name, &netmon(minor, first, 0, &[3, 9], &FRAMES));
        assert_eq!(read(&netmon(minor, first, 0, &[3, 9], &FRAMES)).frames.len(), FRAMES.len() - 2, "{name}");
    }
    // A hole between two frames, which only the table at the end of the file shows.
    let capture: Capture = read(&netmon(3, 72, 1_000, &[], &FRAMES));
    assert_eq!(capture.contents(), contents(100));
    assert_eq!(capture.summary.problems.len(), 1, "{:?}", capture.summary.problems);
    assert!(capture.summary.problems[0].contains("; 1000 bytes skipped, reading went on at offset"));
}
