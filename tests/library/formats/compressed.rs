//! In: compressed captures, whole, cut and damaged. Out: what was decompressed before the damage is read, and the problem
//! says at which byte of which compression it ended and why.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::read::{read, read_in_pieces};
use super::{FRAMES, SOURCE, contents, project};

fn gzip(bytes: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(level));
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A zstd file of raw blocks (RFC 8878, sections 3.1.1.1 and 3.1.1.2), 1,000 bytes each, in one frame with a window of
/// 1 KiB times 2^`exponent`.
fn zstd_raw(bytes: &[u8], exponent: u8) -> Vec<u8> {
    let mut out = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, exponent << 3];
    let count = bytes.chunks(1_000).count();
    for (index, block) in bytes.chunks(1_000).enumerate() {
        let head = u32::try_from(block.len()).unwrap() << 3 | u32::from(index + 1 == count);
        out.extend_from_slice(&head.to_le_bytes()[..3]);
        out.extend_from_slice(block);
    }
    out
}

#[test]
fn what_came_before_a_cut_is_read() {
    // Level 0 stores the bytes: five bytes of block header, ten of gzip's (RFC 1951, section 3.2.4; RFC 1952).
    let whole = gzip(&SOURCE, 0);
    for (index, frame) in FRAMES.iter().enumerate().skip(1) {
        let cut = 15 + usize::try_from(frame.offset).unwrap();
        let capture = read(&whole[..cut]);
        assert_eq!(capture.contents(), contents(1)[..index]);
        let said = format!("gzip: compressed offset {cut}: the file ends inside a member");
        assert_eq!(capture.summary.problems, [said]);
    }
    // The decoder returns complete blocks, and its window when the frame breaks off.
    let whole = zstd_raw(&SOURCE, 10);
    assert_eq!(read(&whole).contents(), contents(1));
    for blocks in 1..5 {
        let cut = 6 + blocks * 1_003 + 100;
        let capture = read(&whole[..cut]);
        let expected = FRAMES.iter().take_while(|frame| frame.offset < blocks as u64 * 1_000).count() - 1;
        assert_eq!(capture.contents(), contents(1)[..expected]);
        let said = format!("zstd: compressed offset {}: the file ends inside a frame", cut - 100);
        let problem = capture.summary.problems.last().unwrap();
        assert!(problem.starts_with(&said), "{problem}");
        assert!(problem.ends_with("; 100 compressed bytes could not be read"), "{problem}");
    }
}

#[test]
fn damage_inside_is_said() {
    // A stored byte of a packet is changed: all data is there, and only the checksum shows it.
    let mut stored = gzip(&SOURCE, 0);
    let last = FRAMES.last().unwrap();
    stored[15 + usize::try_from(last.offset).unwrap() + 40] ^= 1;
    let capture = read(&stored);
    assert_eq!(capture.frames.len(), FRAMES.len());
    let said = "gzip: compressed offset 5895: the checksum does not match; what the member holds may be wrong";
    assert_eq!(SOURCE.len() + 15, 5_895);
    assert_eq!(capture.summary.problems, [said]);
    // A block of the reserved kind (RFC 8878, section 3.1.1.2.2).
    let mut reserved = zstd_raw(&SOURCE, 10);
    reserved[6 + 3 * 1_003] |= 6;
    let capture = read(&reserved);
    assert!((1..FRAMES.len()).contains(&capture.frames.len()));
    let problem = capture.summary.problems.last().unwrap();
    assert!(problem.starts_with("zstd: compressed offset 3015: the compressed data is damaged"), "{problem}");
    // Checksums of a real zstd.
    let mut real = std::fs::read(project("captures/formats/usb-sign-in.pcapng.zst")).unwrap();
    *real.last_mut().unwrap() ^= 1;
    let capture = read(&real);
    assert_eq!(capture.frames.len(), FRAMES.len());
    assert!(capture.summary.problems[0].contains("the checksum does not match"), "{:?}", capture.summary.problems);
}

#[test]
fn what_follows_the_last_member_is_no_damage_to_it() {
    let zeros = [gzip(&SOURCE, 6), vec![0; 512]].concat();
    assert_eq!(read(&zeros).summary.problems, [""; 0]);
    let text = [gzip(&SOURCE, 6), b"left by a broken copy".to_vec()].concat();
    let capture = read(&text);
    assert_eq!(capture.contents(), contents(1));
    let at = text.len() - 21;
    let said = format!(
        "gzip: compressed offset {at}: what follows the last member is no gzip; 21 compressed bytes could not be read"
    );
    assert_eq!(capture.summary.problems, [said]);
}

/// A name, a comment, extra data and a checksum in the header (RFC 1952, section 2.3).
#[test]
fn every_part_of_a_gzip_header_is_passed_over() {
    let plain = gzip(&SOURCE, 6);
    let extra = [vec![0x1f, 0x8b, 8, 0x1e, 0, 0, 0, 0, 0, 3, 4, 0], b"abcd".to_vec(), b"ring_00001.pcapng\0".to_vec()];
    let header = [extra.concat(), b"of the front desk\0".to_vec(), vec![0, 0]].concat();
    let bytes = [header, plain[10..].to_vec()].concat();
    assert_eq!(read_in_pieces(&bytes, 1).unwrap().contents(), contents(1));
}

#[test]
fn what_is_compressed_too_deeply_or_wants_too_much_is_refused_in_words() {
    let three = gzip(&gzip(&gzip(&SOURCE, 6), 6), 6);
    assert!(read_in_pieces(&three, 100).unwrap_err().contains("compressed more than twice"));
    // A window of 1 KiB times 2^18: 256 MiB.
    let error = read_in_pieces(&zstd_raw(&SOURCE, 18), usize::MAX).unwrap_err();
    assert!(error.contains("wants a window of 268435456 bytes"), "{error}");
    // 128 MiB are allowed once; inside another zstd frame 8 MiB (RFC 8878, section 3.1.1.1.2).
    assert_eq!(read(&gzip(&zstd_raw(&SOURCE, 17), 6)).contents(), contents(1));
    assert_eq!(read(&zstd_raw(&zstd_raw(&SOURCE, 13), 17)).contents(), contents(1));
    let error = read_in_pieces(&zstd_raw(&zstd_raw(&SOURCE, 14), 10), usize::MAX).unwrap_err();
    assert!(error.contains("wants a window of 16777216 bytes, more than the 8388608 that it gets"), "{error}");
    let text = read_in_pieces(&gzip(b"no capture at all, but text", 6), usize::MAX).unwrap_err();
    assert!(text.contains("not a capture file"), "{text}");
    let empty = read_in_pieces(&gzip(b"", 6), usize::MAX).unwrap_err();
    assert!(empty.contains("empty"), "{empty}");
}
