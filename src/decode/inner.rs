//! What follows a header.
//!
//! In: nothing. Out: [`Inner`], by which every link and tunnel says what it carries, and [`Several`], for frames that
//! bundle packets. Bounded: borrows, allocates nothing. Left to others: reading it.

use super::Unread;
use super::bundle::{Amsdu, Ncm, Rndis};
use super::context::Context;
use crate::capture::LinkType;

/// What follows a header.
#[derive(Clone, Copy, Debug)]
pub(super) enum Inner<'a> {
    /// A frame of this link type.
    Link(LinkType, &'a [u8]),
    /// The payload of this EtherType; not IP.
    EtherType(u16, &'a [u8]),
    /// Logical link control (IEEE 802.2).
    Llc(&'a [u8]),
    /// PPP, from its protocol field on.
    Ppp(&'a [u8]),
    /// An IP packet; the first nibble is the version.
    Ip(&'a [u8]),
    /// An ARP packet.
    Arp(&'a [u8]),
    /// Several of the above.
    Several(Several<'a>),
    /// An EtherType that this stage does not decode.
    Other(u16, &'a [u8]),
    /// Something that may matter but is not read, for this reason.
    Unread(Unread),
    /// Nothing of interest to later stages.
    Nothing,
}

impl<'a> Inner<'a> {
    /// The payload of an EtherType; IP is recognized at once because it is the most common.
    pub(super) fn of_ethertype(number: u16, bytes: &'a [u8]) -> Self {
        match number {
            0x0800 | 0x86dd => Self::Ip(bytes),
            _ => Self::EtherType(number, bytes),
        }
    }

    /// An Ethernet frame.
    pub(super) fn ethernet(bytes: &'a [u8]) -> Self {
        Self::Link(LinkType::ETHERNET, bytes)
    }
}

/// Packets in one frame.
#[derive(Clone, Copy, Debug)]
pub(super) enum Several<'a> {
    /// An A-MSDU of IEEE 802.11.
    Amsdu(Amsdu<'a>),
    /// RNDIS messages of one USB transfer.
    Rndis(Rndis<'a>),
    /// A CDC-NCM block.
    Ncm(Ncm<'a>),
}

impl<'a> Several<'a> {
    /// The next packet.
    pub(super) fn next(&mut self, context: &mut Context<'_>) -> Option<Inner<'a>> {
        match self {
            Self::Amsdu(amsdu) => {
                let (source, bytes) = amsdu.next()?;
                context.source_mac = Some(source);
                Some(Inner::Llc(bytes))
            }
            Self::Rndis(rndis) => rndis.next().map(Inner::ethernet),
            Self::Ncm(ncm) => ncm.next().map(Inner::ethernet),
        }
    }
}
