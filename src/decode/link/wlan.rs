//! Data frames of IEEE 802.11.
//!
//! In: bytes from the frame control field on. Out: what is inside, if it is not encrypted. Bounded: borrows. Left to
//! others: management and control frames, reassembly of fragments, decryption.

use super::super::Unread;
use super::super::bundle::Amsdu;
use super::super::bytes::{array, u8_at};
use super::super::context::Context;
use super::super::inner::{Inner, Several};

/// First octet of the frame control field (IEEE 802.11 section 9.2.4.1): version, type, subtype.
const VERSION: u8 = 0x03;
const TYPE: u8 = 0x0c;
const DATA: u8 = 0x08;
const WITHOUT_DATA: u8 = 0x40;
const QUALITY_OF_SERVICE: u8 = 0x80;
/// Second octet.
const TO_DS: u8 = 0x01;
const FROM_DS: u8 = 0x02;
const MORE_FRAGMENTS: u8 = 0x04;
const PROTECTED: u8 = 0x40;
const HT_CONTROL: u8 = 0x80;
/// In the QoS control field: the frame is an A-MSDU.
const AGGREGATE: u8 = 0x80;

/// Reads the header; with `padded`, it is followed by padding to four octets, as radiotap may say.
pub(in super::super) fn frame<'a>(bytes: &'a [u8], padded: bool, context: &mut Context<'_>) -> Option<Inner<'a>> {
    let (first, flags) = (u8_at(bytes, 0)?, u8_at(bytes, 1)?);
    // Cisco's access points swap the octets of the frame control field in CAPWAP. The version is always zero while a
    // direction is always set there, which tells the two apart. Frames in CAPWAP are never fragmented.
    let swapped = first & VERSION != 0;
    let (first, flags) = if swapped { (flags, first) } else { (first, flags) };
    if first & (VERSION | TYPE) != DATA || first & WITHOUT_DATA != 0 {
        return Some(Inner::Nothing);
    }
    let four_addresses = flags & (TO_DS | FROM_DS) == TO_DS | FROM_DS;
    let mut length = if four_addresses { 30 } else { 24 };
    let mut aggregate = false;
    if first & QUALITY_OF_SERVICE != 0 {
        aggregate = u8_at(bytes, length)? & AGGREGATE != 0;
        length += if flags & HT_CONTROL != 0 { 6 } else { 2 };
    }
    if flags & PROTECTED != 0 {
        return Some(Inner::Unread(Unread::Encrypted("Wi-Fi (IEEE 802.11)")));
    }
    // The lower four bits of the sequence control field are the fragment number.
    let later = !swapped && u8_at(bytes, 22)? & 0x0f != 0;
    if flags & MORE_FRAGMENTS != 0 || later {
        return Some(Inner::Unread(Unread::LinkFragment("Wi-Fi (IEEE 802.11)")));
    }
    context.source_mac = array(bytes, source_at(flags));
    let payload = bytes.get(if padded { length.next_multiple_of(4) } else { length }..)?;
    Some(if aggregate { Inner::Several(Several::Amsdu(Amsdu::new(payload))) } else { Inner::Llc(payload) })
}

/// Offset of the source address (IEEE 802.11 table 9-60).
fn source_at(flags: u8) -> usize {
    match (flags & TO_DS != 0, flags & FROM_DS != 0) {
        (_, false) => 10,
        (false, true) => 16,
        (true, true) => 24,
    }
}
