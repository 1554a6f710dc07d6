//! In: files with a damaged record. Out: all that is not damaged is read, and the problem says where, why and how much
//! was lost; no damage makes the program fail.

use super::read::{Capture, read, read_in_pieces};
use super::write::{LITTLE, netmon, pcap, ticks};
use super::{FRAMES, SOURCE, files};

/// The numbers that the frames read have in the recording, found by their times, which all differ.
fn kept(capture: &Capture, unit: i64) -> Vec<u64> {
    let number = |time: i64| FRAMES.iter().find(|f| f.time / unit == time / unit).map_or(0, |frame| frame.number);
    capture.frames.iter().map(|frame| number(frame.time)).collect()
}

fn all_but(number: u64) -> Vec<u64> {
    (1..=FRAMES.len() as u64).filter(|&other| other != number).collect()
}

/// Asserts that there is one problem, which names the place and what was skipped.
fn said(capture: &Capture, offset: usize, skipped: usize) {
    let problems = &capture.summary.problems;
    let end = format!("; {skipped} bytes skipped, reading went on at offset {}", offset + skipped);
    let fits =
        problems.len() == 1 && problems[0].starts_with(&format!("offset {offset}: ")) && problems[0].ends_with(&end);
    assert!(fits, "expected offset {offset} … {end}, got {problems:?}");
}

#[test]
fn a_damaged_block_of_pcapng_costs_that_block_alone() {
    let source = read(&SOURCE);
    for frame in &source.frames {
        let at = usize::try_from(frame.offset).unwrap();
        let length = usize::try_from(u32::from_le_bytes(SOURCE[at + 4..at + 8].try_into().unwrap())).unwrap();
        // The length, too short, not a multiple of 4, too long, far too long; the closing length; the interface; the
        // length of the packet; the whole block.
        let changes: [(usize, &[u8]); 8] = [
            (4, &[8, 0, 0, 0]),
            (4, &[61, 0, 0, 0]),
            (4, &[0, 0, 8, 0]),
            (4, &[0, 0, 0, 0x7f]),
            (length - 4, &[0, 0, 0, 0]),
            (8, &[0xff; 4]),
            (20, &[0, 0, 1, 0]),
            (0, &vec![0xaa; length]),
        ];
        for (place, bytes) in changes {
            let mut damaged = SOURCE.clone();
            damaged[at + place..at + place + bytes.len()].copy_from_slice(bytes);
            for piece in [usize::MAX, 100] {
                let capture = read_in_pieces(&damaged, piece).unwrap();
                assert_eq!(kept(&capture, 1), all_but(frame.number), "frame {}, {bytes:?} at {place}", frame.number);
                if at + length < SOURCE.len() {
                    said(&capture, at, length);
                } else {
                    let problems = &capture.summary.problems;
                    let fits = problems.len() == 1 && problems[0].starts_with(&format!("offset {at}: "));
                    assert!(fits && problems[0].contains(&format!("{length} ")), "{problems:?}");
                }
            }
        }
    }
}

#[test]
fn a_damaged_section_header_is_said_and_what_follows_read_where_it_can_be() {
    let mut header = LITTLE.section();
    header[24] += 4;
    let packet = LITTLE.packet(0, ticks(FRAMES[0].time, 9), &FRAMES[0].data, &[]);
    let interface = LITTLE.interface(1, &[(9, vec![9])]);
    // A packet cannot be read if no block before it describes its interface.
    let lost = read_in_pieces(&[header.clone(), packet.clone()].concat(), usize::MAX).err().unwrap();
    assert_eq!(lost.to_string(), "a block of 28 bytes closes with a length of 32");
    let found = read(&[header, interface.clone(), interface, packet].concat());
    assert_eq!(kept(&found, 1), [FRAMES[0].number]);
    said(&found, 0, 28);
}

#[test]
fn garbage_between_blocks_costs_nothing_else() {
    for garbage in [&b"?"[..], &[0; 37], &[0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0]] {
        for frame in &read(&SOURCE).frames {
            let at = usize::try_from(frame.offset).unwrap();
            let capture = read(&[&SOURCE[..at], garbage, &SOURCE[at..]].concat());
            assert_eq!(kept(&capture, 1), (1..=FRAMES.len() as u64).collect::<Vec<_>>());
            said(&capture, at, garbage.len());
        }
    }
}

#[test]
fn a_damaged_record_of_pcap_or_network_monitor_costs_that_record_alone() {
    let cases = [
        ("pcap", 16, 8, 1_000, pcap(LITTLE, 0xa1b2_c3d4, 1, &[], &FRAMES)),
        ("netmon", 16, 12, 100, netmon(3, 72, 0, &[], &FRAMES)),
    ];
    for (name, head, place, unit, bytes) in cases {
        let frames = read(&bytes).frames;
        // The last record but one is the last that has a successor.
        for frame in &frames[2..frames.len() - 2] {
            let at = usize::try_from(frame.offset).unwrap();
            let mut damaged = bytes.clone();
            damaged[at + place..at + place + 4].copy_from_slice(&[0xff, 0xff, 0xff, 0x7f]);
            let capture = read(&damaged);
            assert_eq!(kept(&capture, unit), all_but(frame.number), "{name}, frame {}", frame.number);
            let lost = &capture.summary.problems[0];
            let skipped = head + frame.data.len() + if name == "netmon" { 15 } else { 0 };
            assert!(lost.contains(&format!("; {skipped} bytes skipped")), "{name}: {lost}");
        }
    }
}

/// No file crashes the reader: every file with single bytes changed, and cut anywhere.
#[test]
fn no_byte_makes_the_reader_fail() {
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = move |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random % u64::try_from(below).unwrap()).unwrap()
    };
    let mut made = files();
    made.push(("netmon 2.3".into(), "".into(), netmon(3, 72, 0, &[], &FRAMES)));
    for (_, _, bytes) in &made {
        for _ in 0..200 {
            let mut changed = bytes.clone();
            for _ in 0..=next(4) {
                let at = next(changed.len());
                changed[at] = u8::try_from(next(256)).unwrap();
            }
            changed.truncate(changed.len() - next(2) * next(bytes.len()));
            // An error message or a capture: either will do.
            if let Ok(capture) = read_in_pieces(&changed, 1 + next(5_000)) {
                assert_eq!(capture.summary.packets, capture.frames.len() as u64);
            }
        }
    }
}

/// A section of nothing but claimed lengths: the reader allocates no more memory than there are bytes.
#[test]
fn hostile_lengths_are_refused() {
    let packet = LITTLE.packet(0, ticks(FRAMES[0].time, 9), &FRAMES[0].data, &[]);
    let mut bytes = [LITTLE.section(), LITTLE.interface(1, &[(9, vec![9])]), packet.clone()].concat();
    let at = bytes.len();
    bytes.extend([LITTLE.u32(6), LITTLE.u32(0x03ff_fffc), packet[8..].to_vec()].concat());
    let capture = read(&bytes);
    assert_eq!(capture.frames.len(), 1);
    assert!(capture.summary.problems[0].starts_with(&format!("offset {at}: ")), "{:?}", capture.summary.problems);
}
