//! Captures of many devices, made from recordings of one.
//!
//! In: recordings, and how many devices did what each shows. Out: a pcap in which each device has an address and a random
//! value of its own, one after the other. Bounded: by the devices. Left to others: what is expected of it, which follows
//! from the numbers.

use crate::bench_captures::{frames_of, header_end, is_hello, moved, tcp_checksum};

/// Time from one device's first packet to the next one's, in microseconds.
const APART: u64 = 100_000;

/// The first packet, in seconds since 1970: 2026-01-01, when the recorded certificates are valid.
const START: u64 = 1_767_225_600;

/// As many devices do, one after the other, what a recording shows; the address of the first is this many after 10.64.0.0.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// A capture of the repository, with one connection to port 443 of 10.20.30.10.
    pub recording: &'static str,
    /// How many devices.
    pub devices: u32,
    /// The number of the first one's address.
    pub first: u32,
}

/// The address of a device by its number.
pub fn address(number: u32) -> String {
    let [_, second, third, fourth] = number.to_be_bytes();
    format!("10.{}.{third}.{fourth}", 64 + second)
}

/// A pcap in which the parts follow each other.
///
/// # Errors
/// If a recording cannot be read.
pub fn fleet(parts: &[Part]) -> std::io::Result<Vec<u8>> {
    let mut pcap: Vec<u8> = Vec::new();
    let words: [u32; 6] = [0xa1b2_c3d4, 0x0004_0002, 0, 0, 262_144, 1];
    words.iter().for_each(|word| pcap.extend(word.to_le_bytes()));
    let mut began = 0;
    for part in parts {
        let frames = frames_of(part.recording, 443)?;
        for number in part.first..part.first + part.devices {
            for (micros, frame) in (began..).step_by(1_000).zip(&frames) {
                record(&mut pcap, micros, &of_device(frame, number));
            }
            began += APART;
        }
    }
    Ok(pcap)
}

/// The frame with the address of a device, and a random value of its own.
fn of_device(frame: &[u8], number: u32) -> Vec<u8> {
    let [_, second, third, fourth] = number.to_be_bytes();
    let mut frame = moved(frame, [10, 64 + second, third, fourth], 50_000);
    if is_hello(&frame) {
        // Record, ClientHello, version; then the random value, whose last bytes are made unique.
        let random = header_end(&frame) + 39;
        frame[random..random + 4].copy_from_slice(&number.to_be_bytes());
        tcp_checksum(&mut frame);
    }
    frame
}

fn record(pcap: &mut Vec<u8>, micros: u64, frame: &[u8]) {
    let length = u32::try_from(frame.len()).unwrap_or_default();
    let (seconds, rest) = (START + micros / 1_000_000, micros % 1_000_000);
    let words = [u32::try_from(seconds).unwrap_or_default(), u32::try_from(rest).unwrap_or_default(), length, length];
    words.iter().for_each(|word| pcap.extend(word.to_le_bytes()));
    pcap.extend(frame);
}
