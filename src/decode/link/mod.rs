//! Link-layer headers, one file per family.
//!
//! In: a frame and its link type, or bytes and their EtherType. Out: what is inside. Bounded: each header takes bytes,
//! and the caller counts headers. Left to others: IP and the layers above.

mod cooked;
mod ethernet;
mod macsec;
mod mpls;
mod ppp;
mod radio;
mod wlan;

use super::bytes::be16;
use super::context::Context;
use super::inner::Inner;
use super::{Unread, usb};
use crate::capture::LinkType;

pub(super) use ethernet::frame as open_ethernet;
pub(super) use ethernet::llc as open_llc;
pub(super) use mpls::labels as open_mpls;
pub(super) use ppp::protocol as open_ppp;

/// EtherTypes that are not reported as unread: LLDP, EAPOL, PPPoE discovery, RARP, link aggregation, maintenance, clock
/// synchronization, loop tests, vendor protocols of switches.
pub(super) const SILENT_ETHERTYPES: [u16; 11] =
    [0x8035, 0x8809, 0x8863, 0x8899, 0x88cc, 0x888e, 0x88e1, 0x88f7, 0x8902, 0x893a, 0x9000];

/// Reads the header of a frame; `None` if it is truncated or damaged.
#[inline]
pub(super) fn open<'a>(link: LinkType, bytes: &'a [u8], context: &mut Context<'_>) -> Option<Inner<'a>> {
    match link {
        LinkType::ETHERNET => ethernet::frame(bytes, context),
        // 12 and 14 are raw IP in BSD numbering.
        LinkType::RAW | LinkType::IPV4 | LinkType::IPV6 | LinkType(12 | 14) => Some(Inner::Ip(bytes)),
        LinkType::NULL | LinkType::LOOP => cooked::loopback(bytes),
        LinkType::LINUX_SLL => cooked::sll(bytes, context),
        LinkType::LINUX_SLL2 => cooked::sll2(bytes, context),
        LinkType::NFLOG => cooked::nflog(bytes),
        LinkType::PKTAP => cooked::pktap(bytes),
        LinkType::FDDI => ethernet::fddi(bytes, context),
        LinkType::ATM_RFC1483 | LinkType(11) => Some(Inner::Llc(bytes)),
        // Two addresses of eight octets before the EtherType; for InfiniBand two of twenty, and two octets after it.
        LinkType::APPLE_IP_OVER_IEEE1394 => Some(Inner::of_ethertype(be16(bytes, 16)?, bytes.get(18..)?)),
        LinkType::IPOIB => Some(Inner::of_ethertype(be16(bytes, 40)?, bytes.get(44..)?)),
        LinkType::PPP => Some(ppp::framed(bytes)),
        LinkType::PPP_HDLC => ppp::hdlc(bytes),
        LinkType::PPP_PPPD => Some(Inner::Ppp(bytes.get(2..)?)),
        LinkType::PPP_WITH_DIR => Some(ppp::framed(bytes.get(1..)?)),
        LinkType::PPP_ETHER => ppp::pppoe(bytes),
        LinkType::C_HDLC => ppp::cisco(bytes),
        LinkType::IEEE802_11 => wlan::frame(bytes, false, context),
        LinkType::IEEE802_11_RADIOTAP => radio::radiotap(bytes, context),
        LinkType::IEEE802_11_PRISM => radio::prism(bytes),
        LinkType::IEEE802_11_AVS => radio::avs(bytes),
        LinkType::PPI => radio::ppi(bytes),
        LinkType::USB_LINUX => usb::usbmon(bytes, 48),
        LinkType::USB_LINUX_MMAPPED => usb::usbmon(bytes, 64),
        LinkType::USBPCAP => usb::usbpcap(bytes),
        other => Some(Inner::Unread(Unread::LinkType(other))),
    }
}

/// Reads the header that an EtherType announces (IEEE 802 numbers at IANA).
pub(super) fn open_ethertype<'a>(number: u16, bytes: &'a [u8], context: &Context<'_>) -> Option<Inner<'a>> {
    match number {
        0x0806 => Some(Inner::Arp(bytes)),
        // IEEE 802.1Q, 802.1ad, and older numbers for outer tags.
        0x8100 | 0x88a8 | 0x9100 | 0x9200 | 0x9300 => ethernet::tag(bytes),
        0x8847 | 0x8848 => mpls::labels(bytes),
        0x8864 => ppp::pppoe(bytes),
        0x88e5 => macsec::frame(bytes, context),
        // Ethernet and PPP bridged over GRE and Geneve.
        0x6558 => Some(Inner::ethernet(bytes)),
        0x880b => Some(ppp::framed(bytes)),
        other => Some(Inner::Other(other, bytes)),
    }
}
