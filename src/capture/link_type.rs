//! In: the link type number of a capture. Out: its name. Left to others: reading such frames.

use std::fmt;

/// A link type as registered with the tcpdump group (draft-ietf-opsawg-pcaplinktype). Numbers from 0xe000 on, which the
/// register has not, are Network Monitor's own media types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkType(pub u16);

impl LinkType {
    /// BSD loopback: a host-order address family, then the packet.
    pub const NULL: Self = Self(0);
    /// IEEE 802.3 Ethernet.
    pub const ETHERNET: Self = Self(1);
    /// Raw IP, version by the first nibble.
    pub const RAW: Self = Self(101);
    /// Added to those of Network Monitor's media types that the register has no number for.
    pub(super) const NETMON: u16 = 0xfe00;
}

impl fmt::Display for LinkType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.0 {
            0 => "NULL",
            1 => "ETHERNET",
            6 => "IEEE802_5",
            9 => "PPP",
            50 => "PPP_HDLC",
            51 => "PPP_ETHER",
            101 => "RAW",
            105 => "IEEE802_11",
            108 => "LOOP",
            113 => "LINUX_SLL",
            127 => "IEEE802_11_RADIOTAP",
            189 => "USB_LINUX",
            192 => "PPI",
            220 => "USB_LINUX_MMAPPED",
            228 => "IPV4",
            229 => "IPV6",
            249 => "USBPCAP",
            276 => "LINUX_SLL2",
            number @ 0xe000.. => return write!(f, "NETMON_{number:#06x}"),
            number => return write!(f, "LINKTYPE_{number}"),
        };
        f.write_str(name)
    }
}
