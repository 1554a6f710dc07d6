//! DHCP for IPv4 (RFC 2131, RFC 2132, RFC 3361, RFC 3396), with the vendor options that Lync phones are given.
//!
//! In: the payload of a UDP datagram on port 67 or 68. Out: the fields and options about the phone, its address and its
//! servers. Bounded: by the datagram. Left to others: matching answers to requests.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// A message from or to a DHCP client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dhcp {
    /// 1 from a client, 2 from a server.
    pub op: u8,
    /// The transaction ID, which is equal in a request and its answers.
    pub transaction: u32,
    /// Option 53; `None` in plain BOOTP.
    pub message_type: Option<u8>,
    /// The client's hardware address: Ethernet's, or the first six octets of any other.
    pub client_mac: [u8; 6],
    /// `ciaddr`, the address the client has; `None` for 0.0.0.0, here and below.
    pub client_address: Option<Ipv4Addr>,
    /// `yiaddr`, the address the client is given.
    pub your_address: Option<Ipv4Addr>,
    /// `siaddr`, the server to boot from.
    pub next_server: Option<Ipv4Addr>,
    /// `giaddr`, the relay agent.
    pub relay: Option<Ipv4Addr>,
    /// Option 12.
    pub host_name: Option<String>,
    /// Option 15.
    pub domain: Option<String>,
    /// Option 42.
    pub ntp_servers: Vec<Ipv4Addr>,
    /// Option 43.
    pub vendor_options: Option<VendorOptions>,
    /// Option 50.
    pub requested_address: Option<Ipv4Addr>,
    /// Option 54.
    pub server_id: Option<Ipv4Addr>,
    /// Option 55, the options that the client requests.
    pub parameter_list: Vec<u8>,
    /// Option 60, such as `MS-UC-Client` or `CPE-OCPHONE`.
    pub vendor_class: Option<String>,
    /// Option 120: names or addresses, joined by commas.
    pub sip_server: Option<String>,
}

impl Dhcp {
    /// The message type, `DISCOVER` to `INFORM`; `BOOTP` if there is none.
    pub fn message_name(&self) -> &'static str {
        match self.message_type {
            None => "BOOTP",
            Some(1) => "DISCOVER",
            Some(2) => "OFFER",
            Some(3) => "REQUEST",
            Some(4) => "DECLINE",
            Some(5) => "ACK",
            Some(6) => "NAK",
            Some(7) => "RELEASE",
            Some(8) => "INFORM",
            Some(_) => "DHCP",
        }
    }
}

/// Option 43, whose content is defined by the vendor class.
///
/// The fields are the sub-options of vendor class `MS-UC-Client`, parsed whenever the bytes have that form. They are
/// valid only if `uc_identifier` is that name; `voice_vlan` also under class `CPE-OCPHONE`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VendorOptions {
    /// Sub-option 1, `MS-UC-Client`.
    pub uc_identifier: Option<String>,
    /// Sub-option 2, `https`.
    pub url_scheme: Option<String>,
    /// Sub-option 3, the web server's name.
    pub web_server: Option<String>,
    /// Sub-option 4, the web server's port.
    pub port: Option<u16>,
    /// Sub-option 5, the path of the certificate provisioning service.
    pub cert_prov_path: Option<String>,
    /// Sub-option 10.
    pub voice_vlan: Option<u16>,
    /// The option as it was sent.
    pub raw: Vec<u8>,
}

const MAGIC: [u8; 4] = [99, 130, 83, 99];
const OVERLOAD: u8 = 52;

/// Reads a message; `None` if it is not a BOOTP message with the options' magic cookie.
///
/// ```text
/// op htype hlen hops | xid | secs flags | ciaddr | yiaddr | siaddr | giaddr | chaddr 16 | sname 64 | file 128 |
/// 99 130 83 99 | options
/// ```
pub fn parse(payload: &[u8]) -> Option<Dhcp> {
    let (&[op, ..], _) = payload.split_first_chunk::<4>()?;
    if !matches!(op, 1 | 2) || field::<4>(payload, 236)? != MAGIC {
        return None;
    }
    let options = options(payload);
    let text = |code: u8| options.get(&code).map(|value| printable(value)).filter(|text| !text.is_empty());
    let address = |code: u8| options.get(&code).and_then(|value| value.first_chunk()).and_then(given);
    let addresses =
        |value: &Vec<u8>| value.as_chunks().0.iter().map(|octets: &[u8; 4]| Ipv4Addr::from(*octets)).collect();
    Some(Dhcp {
        op,
        transaction: u32::from_be_bytes(field(payload, 4)?),
        message_type: options.get(&53).and_then(|value| value.first().copied()),
        client_mac: field(payload, 28)?,
        client_address: given(&field(payload, 12)?),
        your_address: given(&field(payload, 16)?),
        next_server: given(&field(payload, 20)?),
        relay: given(&field(payload, 24)?),
        host_name: text(12),
        domain: text(15),
        ntp_servers: options.get(&42).map(addresses).unwrap_or_default(),
        vendor_options: options.get(&43).map(|value| vendor_options(value)),
        requested_address: address(50),
        server_id: address(54),
        parameter_list: options.get(&55).cloned().unwrap_or_default(),
        vendor_class: text(60),
        sip_server: options.get(&120).and_then(|value| sip_server(value)),
    })
}

/// All options, those with the same code joined in order (RFC 3396), including those in the fields that option 52
/// overloads.
fn options(payload: &[u8]) -> BTreeMap<u8, Vec<u8>> {
    let mut found = BTreeMap::new();
    read_options(payload.get(240..).unwrap_or_default(), &mut found);
    let overload = found.get(&OVERLOAD).and_then(|value| value.first().copied()).unwrap_or(0);
    if overload & 1 != 0 {
        read_options(payload.get(108..236).unwrap_or_default(), &mut found);
    }
    if overload & 2 != 0 {
        read_options(payload.get(44..108).unwrap_or_default(), &mut found);
    }
    found
}

/// Reads options of code, length and value; 0 pads and 255 ends. Whether all bytes were options.
fn read_options(mut rest: &[u8], found: &mut BTreeMap<u8, Vec<u8>>) -> bool {
    loop {
        match rest {
            [] | [255, ..] => return true,
            [0, after @ ..] => rest = after,
            [code, length, after @ ..] => {
                let Some((value, after)) = after.split_at_checked(usize::from(*length)) else { return false };
                found.entry(*code).or_default().extend_from_slice(value);
                rest = after;
            }
            [_] => return false,
        }
    }
}

fn vendor_options(raw: &[u8]) -> VendorOptions {
    let mut found = BTreeMap::new();
    if !read_options(raw, &mut found) {
        return VendorOptions { raw: raw.to_vec(), ..VendorOptions::default() };
    }
    let text = |code: u8| found.get(&code).and_then(|value| plain_text(value));
    // The port is in decimal digits, the VLAN in two octets or in decimal digits.
    let vlan = found.get(&10).and_then(|value| match value[..] {
        [high @ 0..=0x0F, low] => Some(u16::from_be_bytes([high, low])),
        _ => plain_text(value)?.parse().ok(),
    });
    VendorOptions {
        uc_identifier: text(1),
        url_scheme: text(2),
        web_server: text(3),
        port: text(4).and_then(|digits| digits.parse().ok()),
        cert_prov_path: text(5),
        voice_vlan: vlan,
        raw: raw.to_vec(),
    }
}

/// Encoding 0 has uncompressed DNS names, encoding 1 addresses (RFC 3361 section 3).
fn sip_server(value: &[u8]) -> Option<String> {
    let servers: Vec<String> = match value.split_first()? {
        (0, names) => {
            // An empty label ends a name; the last name may lack it.
            let mut servers = Vec::new();
            let mut labels: Vec<String> = Vec::new();
            let mut rest = names;
            while let Some((length, after)) = rest.split_first() {
                let (label, after) = after.split_at_checked(usize::from(*length))?;
                if label.is_empty() {
                    servers.push(std::mem::take(&mut labels).join("."));
                } else {
                    labels.push(printable(label));
                }
                rest = after;
            }
            servers.push(labels.join("."));
            servers
        }
        (1, addresses) => {
            addresses.as_chunks().0.iter().map(|octets: &[u8; 4]| Ipv4Addr::from(*octets).to_string()).collect()
        }
        _ => return None,
    };
    let servers: Vec<String> = servers.into_iter().filter(|server| !server.is_empty()).collect();
    (!servers.is_empty()).then(|| servers.join(", "))
}

fn field<const N: usize>(payload: &[u8], at: usize) -> Option<[u8; N]> {
    payload.get(at..)?.first_chunk().copied()
}

fn given(octets: &[u8; 4]) -> Option<Ipv4Addr> {
    Some(Ipv4Addr::from(*octets)).filter(|address| !address.is_unspecified())
}

/// Text without trailing zeros; unprintable characters are replaced.
fn printable(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    text.trim_end_matches('\0').chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// The value if it is printable ASCII.
fn plain_text(value: &[u8]) -> Option<String> {
    let text = printable(value);
    (!text.is_empty() && text.chars().all(|c| c.is_ascii_graphic() || c == ' ')).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const INFORM: &[u8] = include_bytes!("../../tests/data/protocol/dhcp-inform.bin");
    const ACK: &[u8] = include_bytes!("../../tests/data/protocol/dhcp-ack.bin");

    #[test]
    fn a_phone_asks() {
        let inform = parse(INFORM).unwrap();
        assert_eq!((inform.op, inform.message_name(), inform.transaction), (1, "INFORM", 1));
        assert_eq!(inform.client_mac, [0x00, 0x04, 0xF2, 0xAA, 0xBB, 0xCC]);
        assert_eq!(inform.client_address, Some(Ipv4Addr::new(192, 0, 2, 50)));
        assert_eq!((inform.your_address, inform.server_id), (None, None));
        assert_eq!(inform.vendor_class.as_deref(), Some("MS-UC-Client"));
        assert_eq!((inform.host_name.as_deref(), &inform.parameter_list[..]), (Some("phone"), &[43, 120][..]));
    }

    #[test]
    fn a_server_answers() {
        let ack = parse(ACK).unwrap();
        assert_eq!((ack.op, ack.message_name()), (2, "ACK"));
        assert_eq!(ack.your_address, Some(Ipv4Addr::new(192, 0, 2, 50)));
        assert_eq!((ack.server_id, ack.next_server), (Some(Ipv4Addr::new(192, 0, 2, 1)), ack.server_id));
        assert_eq!(ack.ntp_servers, [Ipv4Addr::new(192, 0, 2, 2), Ipv4Addr::new(192, 0, 2, 3)]);
        assert_eq!(
            (ack.domain.as_deref(), ack.sip_server.as_deref()),
            (Some("contoso.test"), Some("sip.contoso.test"))
        );
        let vendor = ack.vendor_options.unwrap();
        assert_eq!(vendor.uc_identifier.as_deref(), Some("MS-UC-Client"));
        assert_eq!((vendor.url_scheme.as_deref(), vendor.port), (Some("https"), Some(443)));
        assert_eq!(vendor.web_server.as_deref(), Some("pool.contoso.test"));
        assert_eq!(vendor.cert_prov_path.as_deref(), Some("/CertProv/CertProvisioningService.svc"));
        assert_eq!((vendor.voice_vlan, vendor.raw.len()), (None, 84));
    }

    /// A reply with these options.
    fn reply(options: &[u8]) -> Vec<u8> {
        [&ACK[..240], options].concat()
    }

    #[test]
    fn options_continue_in_the_fields_lent_for_them() {
        let mut message = reply(&[53, 1, 2, 12, 3, b'o', b'n', b'e', 52, 1, 3, 255]);
        message[108..115].copy_from_slice(&[12, 3, b't', b'w', b'o', 255, 9]);
        message[44..50].copy_from_slice(&[60, 2, b'x', b'y', 255, 9]);
        let offer = parse(&message).unwrap();
        assert_eq!((offer.message_name(), offer.host_name.as_deref()), ("OFFER", Some("onetwo")));
        assert_eq!(offer.vendor_class.as_deref(), Some("xy"));
    }

    #[test]
    fn servers_and_vendors_of_other_forms() {
        // RFC 3361 section 3.2: two addresses; section 3.1: two names, example.com and example.net.
        let addresses = reply(&[120, 9, 1, 192, 0, 2, 1, 192, 0, 2, 2]);
        assert_eq!(parse(&addresses).unwrap().sip_server.as_deref(), Some("192.0.2.1, 192.0.2.2"));
        let names = reply(b"\x78\x1b\x00\x07example\x03com\x00\x07example\x03net\x00");
        assert_eq!(parse(&names).unwrap().sip_server.as_deref(), Some("example.com, example.net"));
        for (value, vlan) in
            [(&b"\x0a\x02\x00\x64"[..], Some(100)), (b"\x0a\x03100", Some(100)), (b"\x0a\x02\xff\xff", None)]
        {
            let length = u8::try_from(value.len()).unwrap();
            let message = reply(&[&[43, length], value].concat());
            assert_eq!(parse(&message).unwrap().vendor_options.unwrap().voice_vlan, vlan);
        }
        let foreign = parse(&reply(&[43, 3, 1, 9, 9])).unwrap().vendor_options.unwrap();
        assert_eq!(foreign, VendorOptions { raw: vec![1, 9, 9], ..VendorOptions::default() });
    }

    #[test]
    fn cut_and_foreign_messages() {
        for end in 0..ACK.len() {
            assert_eq!(parse(&ACK[..end]).is_some(), end >= 240, "{end}");
        }
        assert_eq!(parse(&[0; 300]), None);
    }
}
