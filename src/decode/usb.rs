//! USB captures: the network frames that a tethered device or an adapter exchanges with its PC.
//!
//! In: a frame of usbmon or USBPcap. Out: the Ethernet frames in its bulk transfer. Bounded: borrows. Left to others:
//! control transfers. The descriptors in them would name the framing of an interface; here it is recognized by its
//! bytes.

use super::Unread;
use super::bundle::{Ncm, Rndis};
use super::bytes::{at_most, be16, le16, le32, u8_at};
use super::inner::{Inner, Several};

/// The number of bulk transfers in both formats.
const BULK: u8 = 3;

/// A usbmon header has 48 octets, or 64 with the memory-mapped interface (Linux, Documentation/usb/usbmon.rst). Its
/// numbers are in host byte order, but those needed here have one octet.
pub(super) fn usbmon(bytes: &[u8], header: usize) -> Option<Inner<'_>> {
    let (transfer, data) = (u8_at(bytes, 9)?, bytes.get(header..)?);
    Some(if transfer == BULK { bulk(data) } else { Inner::Nothing })
}

/// A USBPcap header contains its own length (USBPcap capture format: `USBPCAP_BUFFER_PACKET_HEADER`).
pub(super) fn usbpcap(bytes: &[u8]) -> Option<Inner<'_>> {
    let (header, transfer, length) = (usize::from(le16(bytes, 0)?), u8_at(bytes, 22)?, le32(bytes, 23)?);
    Some(if transfer == BULK { bulk(at_most(bytes.get(header..)?, length)) } else { Inner::Nothing })
}

/// Decided in D-DECODE-02.
fn bulk(data: &[u8]) -> Inner<'_> {
    if data.is_empty() {
        // A request for data, or the confirmation that data was sent.
        Inner::Nothing
    } else if let Some(messages) = Rndis::of(data) {
        Inner::Several(Several::Rndis(messages))
    } else if let Some(block) = Ncm::of(data) {
        Inner::Several(Several::Ncm(block))
    } else if is_ethernet(data) {
        // CDC-ECM: one frame per transfer, without a header.
        Inner::ethernet(data)
    } else {
        Inner::Unread(Unread::UsbTransfer)
    }
}

/// Disks and printers use bulk transfers too, so the content must match the EtherType.
fn is_ethernet(data: &[u8]) -> bool {
    let at = if be16(data, 12) == Some(0x8100) { 16 } else { 12 };
    let Some(content) = data.get(at + 2..) else { return false };
    match be16(data, at) {
        Some(0x0800) => u8_at(content, 0) == Some(0x45) && be16(content, 2).is_some_and(|length| length >= 20),
        Some(0x86dd) => u8_at(content, 0).is_some_and(|first| first >> 4 == 6) && content.len() >= 40,
        Some(0x0806) => content.starts_with(&[0, 1, 8, 0, 6, 4]),
        // LLDP and EAPOL go to addresses that bridges do not forward (IEEE 802.1Q table 8-1).
        Some(0x88cc | 0x888e) => data.starts_with(&[0x01, 0x80, 0xc2, 0, 0]),
        _ => false,
    }
}
