//! Pseudo-headers by operating systems, for links without a header or captures of several links at once.
//!
//! In: a frame. Out: what is inside. Bounded: borrows. Left to others: non-IP links inside.

use super::super::bytes::{array, be16, le16, le32, u8_at};
use super::super::context::Context;
use super::super::inner::Inner;
use crate::capture::LinkType;

/// BSD loopback: an address family in the byte order of the capturing host (tcpdump.org: LINKTYPE_NULL, LINKTYPE_LOOP).
pub(super) fn loopback(bytes: &[u8]) -> Option<Inner<'_>> {
    let family = array(bytes, 0)?;
    // Address families are small numbers, so the byte order that gives the smaller one is right.
    let family = u32::from_le_bytes(family).min(u32::from_be_bytes(family));
    let rest = bytes.get(4..)?;
    Some(match family {
        2 => Inner::Ip(rest),
        // AF_INET6 of NetBSD and OpenBSD, FreeBSD, macOS.
        24 | 28 | 30 => Inner::Ip(rest),
        // AF_INET6 of Linux and Windows; on BSDs the latter is IPX.
        10 | 23 if u8_at(rest, 0).is_some_and(|first| first >> 4 == 6) => Inner::Ip(rest),
        _ => Inner::Nothing,
    })
}

/// Linux hardware types (`if_arp.h`) whose payload is not determined by the EtherType.
const ETHERNET: u16 = 1;
const IEEE80211: u16 = 801;
const IEEE80211_RADIOTAP: u16 = 803;
const NETLINK: u16 = 824;

/// Header: packet type, hardware type, address length, address, protocol (tcpdump.org: LINKTYPE_LINUX_SLL).
pub(super) fn sll<'a>(bytes: &'a [u8], context: &mut Context<'_>) -> Option<Inner<'a>> {
    let (hardware, address_length, protocol) = (be16(bytes, 2)?, be16(bytes, 4)?, be16(bytes, 14)?);
    if hardware == ETHERNET && address_length == 6 {
        context.source_mac = array(bytes, 6);
    }
    Some(by_hardware(hardware, protocol, bytes.get(16..)?))
}

/// Header: protocol, reserved, interface, hardware type, packet type, address length, address (LINKTYPE_LINUX_SLL2).
pub(super) fn sll2<'a>(bytes: &'a [u8], context: &mut Context<'_>) -> Option<Inner<'a>> {
    let (protocol, hardware, address_length) = (be16(bytes, 0)?, be16(bytes, 8)?, u8_at(bytes, 11)?);
    if hardware == ETHERNET && address_length == 6 {
        context.source_mac = array(bytes, 12);
    }
    Some(by_hardware(hardware, protocol, bytes.get(20..)?))
}

fn by_hardware(hardware: u16, protocol: u16, rest: &[u8]) -> Inner<'_> {
    match (hardware, protocol) {
        (NETLINK, _) => Inner::Nothing,
        (IEEE80211, _) => Inner::Link(LinkType::IEEE802_11, rest),
        (IEEE80211_RADIOTAP, _) => Inner::Link(LinkType::IEEE802_11_RADIOTAP, rest),
        // Linux's own number for a frame with an IEEE 802.3 length (`if_ether.h`).
        (_, 0x0004) => Inner::Llc(rest),
        (_, 0..0x0600) => Inner::Nothing,
        (_, number) => Inner::of_ethertype(number, rest),
    }
}

/// Header: length, record type, link type (Apple's `pktap.h`), in little-endian order as on all Macs today.
pub(super) fn pktap(bytes: &[u8]) -> Option<Inner<'_>> {
    let (length, link) = (le32(bytes, 0)?, u16::try_from(le32(bytes, 8)?).ok()?);
    Some(Inner::Link(LinkType(link), bytes.get(length..)?))
}

/// Header: family, version, resource; then attributes, one of which holds the packet (tcpdump.org: LINKTYPE_NFLOG).
pub(super) fn nflog(bytes: &[u8]) -> Option<Inner<'_>> {
    const HEADER: usize = 4;
    const PAYLOAD: u16 = 9;
    // AF_INET and AF_INET6 on Linux; other families have no packets of interest here.
    if !matches!(u8_at(bytes, 0)?, 2 | 10) || u8_at(bytes, 1)? != 0 {
        return Some(Inner::Nothing);
    }
    let mut rest = bytes.get(HEADER..)?;
    loop {
        // Lengths are in host byte order, which is not recorded: take the one that fits.
        let length =
            [le16(rest, 0)?, be16(rest, 0)?].into_iter().map(usize::from).find(|l| (4..=rest.len()).contains(l))?;
        let kind = [le16(rest, 2)?, be16(rest, 2)?];
        if kind.iter().any(|kind| kind & 0x7fff == PAYLOAD) {
            return Some(Inner::Ip(rest.get(HEADER..length)?));
        }
        rest = rest.get(length.next_multiple_of(4)..)?;
    }
}
