//! NTP and SNTP (RFC 5905 section 7.3).
//!
//! In: the payload of a UDP datagram on port 123. Out: the sender's role, and the times. Bounded: 48 bytes are read.
//! Left to others: matching answers to requests, and what the times say about a clock.

use crate::capture::Timestamp;

/// Seconds from 1900-01-01, the epoch of NTP, to 1970-01-01.
const UNIX_EPOCH: i64 = 2_208_988_800;
/// Seconds of one NTP era; the second begins on 2036-02-07.
const ERA: i64 = 1 << 32;

/// A message from a client or a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ntp {
    /// Version, 1 to 4.
    pub version: u8,
    /// Mode: 3 from a client, 4 from a server, 5 broadcast; 1 and 2 between peers.
    pub mode: u8,
    /// Leap indicator: 3 if the sender's clock is not synchronized.
    pub leap: u8,
    /// Stratum, the distance from a reference clock: 0 means unspecified or a refusal, 16 unsynchronized.
    pub stratum: u8,
    /// When the sender's clock was last set; `None` if the field is zero, here and below.
    pub reference: Option<Timestamp>,
    /// The client's `transmit`, returned by the server.
    pub originate: Option<Timestamp>,
    /// When the server received the request, by its clock.
    pub receive: Option<Timestamp>,
    /// When the message was sent, by the sender's clock. Clients may put a random number here.
    pub transmit: Option<Timestamp>,
}

impl Ntp {
    /// Whether it gives the time: an answer or a broadcast of a synchronized server.
    pub fn tells_time(&self) -> bool {
        matches!(self.mode, 4 | 5) && self.leap != 3 && matches!(self.stratum, 1..=15) && self.transmit.is_some()
    }
}

/// Reads a message; `None` if it is too short, has another version, or is a control message.
///
/// ```text
/// leap 2 bits, version 3, mode 3 | stratum | poll | precision | root delay | root dispersion | reference id |
/// reference 8 | originate 8 | receive 8 | transmit 8
/// ```
pub fn parse(payload: &[u8]) -> Option<Ntp> {
    let &[flags, stratum, ..] = payload.first_chunk::<48>()?;
    let (leap, version, mode) = (flags >> 6, flags >> 3 & 7, flags & 7);
    if !matches!(version, 1..=4) || !matches!(mode, 1..=5) {
        return None;
    }
    let time = |at: usize| payload.get(at..)?.first_chunk().copied().and_then(timestamp);
    Some(Ntp {
        version,
        mode,
        leap,
        stratum,
        reference: time(16),
        originate: time(24),
        receive: time(32),
        transmit: time(40),
    })
}

/// Seconds and fraction of a second, 32 bits each; the era is chosen so that the time is between 1968 and 2104 (RFC
/// 4330 section 3).
fn timestamp(octets: [u8; 8]) -> Option<Timestamp> {
    let whole = u64::from_be_bytes(octets);
    if whole == 0 {
        return None;
    }
    let seconds = i64::try_from(whole >> 32).ok()?;
    let nanos = i64::try_from(((whole & 0xFFFF_FFFF) * 1_000_000_000) >> 32).ok()?;
    let era = if seconds < ERA / 2 { ERA } else { 0 };
    Some(Timestamp::from_nanos((seconds + era - UNIX_EPOCH) * 1_000_000_000 + nanos, 9))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(flags: u8, stratum: u8, transmit: [u8; 8]) -> Vec<u8> {
        [&[flags, stratum][..], &[0; 38], &transmit].concat()
    }

    #[test]
    fn times_of_both_eras() {
        // RFC 5905 figure 4 dates: 1970-01-01 is 2,208,988,800; 1999-12-31 is 3,155,587,200; era 1 begins with 0 on
        // 2036-02-07 at 06:28:16.
        let at = |seconds: u32, fraction: u32| {
            let transmit = (u64::from(seconds) << 32 | u64::from(fraction)).to_be_bytes();
            parse(&message(0x24, 2, transmit)).unwrap().transmit.map(|time| time.to_string())
        };
        assert_eq!(at(2_208_988_800, 1 << 31).as_deref(), Some("1970-01-01T00:00:00.500000000Z"));
        assert_eq!(at(3_155_587_200, 0).as_deref(), Some("1999-12-31T00:00:00.000000000Z"));
        assert_eq!(at(u32::MAX, 0).as_deref(), Some("2036-02-07T06:28:15.000000000Z"));
        assert_eq!(at(0, 1 << 30).as_deref(), Some("2036-02-07T06:28:16.250000000Z"));
        assert_eq!(at(0, 0), None);
    }

    #[test]
    fn who_tells_the_time() {
        let now = 3_900_000_000u64 << 32;
        let server = parse(&message(0x24, 2, now.to_be_bytes())).unwrap();
        assert_eq!((server.version, server.mode, server.leap, server.tells_time()), (4, 4, 0, true));
        let client = parse(&message(0x1B, 0, now.to_be_bytes())).unwrap();
        assert_eq!((client.version, client.mode, client.tells_time()), (3, 3, false));
        let unsynchronized = parse(&message(0xE4, 16, now.to_be_bytes())).unwrap();
        assert_eq!((unsynchronized.leap, unsynchronized.tells_time()), (3, false));
        assert_eq!(parse(&message(0x16, 0, [1; 8])), None, "a control message");
        assert_eq!(parse(&message(0x24, 2, [1; 8])[..47]), None);
    }
}
