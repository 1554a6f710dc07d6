//! LLDP and its extension for media endpoints (IEEE 802.1AB-2016 clause 8, ANSI/TIA-1057 clause 10).
//!
//! In: the payload of an Ethernet frame of EtherType 0x88CC. Out: what a neighbour says about itself. Bounded:
//! `MAX_TLVS` TLVs of at most 511 bytes. Left to others: which device it is.

use std::net::Ipv4Addr;

/// More useful TLVs than a frame of 1,500 bytes holds.
const MAX_TLVS: usize = 64;
/// Organizationally unique identifier of the TIA, used by LLDP-MED.
const TIA: [u8; 3] = [0x00, 0x12, 0xBB];

/// What a neighbour says about itself. Everything but the chassis ID is optional. Text is exactly as sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lldp {
    /// Chassis ID, if it is a MAC address (subtype 4).
    pub chassis_mac: Option<[u8; 6]>,
    /// Management address, if it is IPv4; phones may send it as the chassis ID (subtype 5).
    pub address: Option<Ipv4Addr>,
    /// System name.
    pub system_name: Option<String>,
    /// System description.
    pub system_description: Option<String>,
    /// LLDP-MED device type: 1 to 3 are endpoint classes I to III (III: phones), 4 network connectivity.
    pub device_type: Option<u8>,
    /// VLAN for the application type voice (1) in a network policy; 0 means none.
    pub voice_vlan: Option<u16>,
    /// Inventory: hardware revision.
    pub hardware: Option<String>,
    /// Inventory: firmware revision.
    pub firmware: Option<String>,
    /// Inventory: software revision.
    pub software: Option<String>,
    /// Inventory: manufacturer.
    pub manufacturer: Option<String>,
    /// Inventory: model.
    pub model: Option<String>,
}

/// Reads one LLDP data unit; `None` if it does not start with a chassis ID.
pub fn parse(payload: &[u8]) -> Option<Lldp> {
    let mut rest = payload;
    let mut lldp = Lldp::default();
    // The chassis ID must come first (clause 8.2).
    tlv(rest).filter(|(kind, ..)| *kind == 1)?;
    for _ in 0..MAX_TLVS {
        let Some((kind, value, later)) = tlv(rest) else { break };
        rest = later;
        match (kind, value) {
            (1, [subtype, id @ ..]) => {
                lldp.chassis_mac = id.try_into().ok().filter(|_| *subtype == 4);
                lldp.address = lldp.address.or(network_address(id).filter(|_| *subtype == 5));
            }
            (0, _) => break,
            (5, name) => lldp.system_name = text(name),
            (6, description) => lldp.system_description = text(description),
            // Length of subtype and address, then the subtype; subtype 1 is IPv4.
            (8, [5, address @ ..]) => lldp.address = lldp.address.or(network_address(address)),
            (127, [a, b, c, subtype, value @ ..]) if [*a, *b, *c] == TIA => lldp.med(*subtype, value),
            _ => {}
        }
    }
    Some(lldp)
}

impl Lldp {
    fn med(&mut self, subtype: u8, value: &[u8]) {
        match (subtype, value) {
            (1, [_, _, device_type, ..]) => self.device_type = Some(*device_type),
            // Application type; flags (unknown, tagged, reserved); 12 bits of VLAN; priorities.
            (2, [1, high, low, ..]) => {
                self.voice_vlan = Some((u16::from(high & 0x1F) << 7) | u16::from(low >> 1));
            }
            (5, value) => self.hardware = text(value),
            (6, value) => self.firmware = text(value),
            (7, value) => self.software = text(value),
            (9, value) => self.manufacturer = text(value),
            (10, value) => self.model = text(value),
            _ => {}
        }
    }
}

/// The type (7 bits) and value (with a length of 9 bits) of the first TLV, and the bytes after it.
fn tlv(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<2>()?;
    let head = u16::from_be_bytes(*head);
    let (value, later) = rest.split_at_checked(usize::from(head & 0x1FF))?;
    Some((u8::try_from(head >> 9).ok()?, value, later))
}

/// IANA address family 1 (IPv4), then four bytes.
fn network_address(bytes: &[u8]) -> Option<Ipv4Addr> {
    match bytes {
        [1, a, b, c, d, ..] => Some(Ipv4Addr::new(*a, *b, *c, *d)),
        _ => None,
    }
}

fn text(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes).trim_end_matches('\0').trim().to_owned();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A TLV in the format of clause 8.4.
    fn written(kind: u16, value: &[u8]) -> Vec<u8> {
        let head = kind << 9 | u16::try_from(value.len()).unwrap();
        [&head.to_be_bytes()[..], value].concat()
    }

    fn med(subtype: u8, value: &[u8]) -> Vec<u8> {
        written(127, &[&TIA[..], &[subtype], value].concat())
    }

    #[test]
    fn a_phone_says_what_it_is() {
        let unit = [
            written(1, &[5, 1, 10, 20, 30, 50]),
            written(2, &[3, 2, 0x15, 0x5d, 0x20, 0x30, 0x50]),
            written(3, &[0, 180]),
            written(5, b"phone50"),
            med(1, &[0, 0x33, 3]),
            // Voice, tagged, VLAN 20, priority 5, DSCP 46: 0x40 is the tagged flag.
            med(2, &[1, 0x40, 20 << 1 | 1, 0x6E]),
            med(9, b"Polycom\0"),
            med(10, b"CX600"),
            written(0, &[]),
        ];
        let lldp = parse(&unit.concat()).unwrap();
        assert_eq!(lldp.address, Some(Ipv4Addr::new(10, 20, 30, 50)));
        assert_eq!(
            (lldp.system_name.as_deref(), lldp.device_type, lldp.voice_vlan),
            (Some("phone50"), Some(3), Some(20))
        );
        assert_eq!((lldp.manufacturer.as_deref(), lldp.model.as_deref()), (Some("Polycom"), Some("CX600")));
        assert_eq!(lldp.chassis_mac, None);
    }

    #[test]
    fn a_cut_or_foreign_unit_is_read_as_far_as_it_goes() {
        let chassis = written(1, &[4, 2, 0x15, 0x5d, 0x20, 0x30, 0x50]);
        let cut = [chassis.clone(), vec![0x0A, 0xFF]].concat();
        assert_eq!(parse(&cut).unwrap().chassis_mac, Some([2, 0x15, 0x5d, 0x20, 0x30, 0x50]));
        assert_eq!(parse(&written(5, b"name first")), None);
        assert_eq!(parse(&[]), None);
    }
}
