//! TLS that does not run over TCP, which is recognized but not analyzed: EAP methods over IEEE 802.1X or RADIUS, QUIC,
//! DTLS.
//!
//! In: an EAPOL frame, or a UDP datagram. Out: which of them it is. Bounded: headers only; 64 RADIUS attributes. Left
//! to others: everything inside.

/// A way to run TLS that this program does not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OtherTls {
    /// An EAP method with TLS inside (EAP-TLS, EAP-TTLS, PEAP, …), over IEEE 802.1X.
    Eap(EapMethod),
    /// The same, carried by RADIUS.
    EapInRadius(EapMethod),
    /// QUIC.
    Quic,
    /// DTLS.
    Dtls,
}

/// An EAP method that carries TLS, by its type number in IANA's registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EapMethod(u8);

impl EapMethod {
    fn name(self) -> &'static str {
        match self.0 {
            13 => "EAP-TLS",
            21 => "EAP-TTLS",
            25 => "PEAP",
            43 => "EAP-FAST",
            _ => "TEAP",
        }
    }
}

impl std::fmt::Display for OtherTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Eap(method) => write!(f, "{} (IEEE 802.1X)", method.name()),
            Self::EapInRadius(method) => write!(f, "{} (in RADIUS)", method.name()),
            Self::Quic => f.write_str("QUIC"),
            Self::Dtls => f.write_str("DTLS"),
        }
    }
}

/// Recognizes TLS in the payload of an Ethernet frame of EtherType 0x888E (IEEE 802.1X-2010 clause 11.3): version,
/// packet type, length, body. Packet type 0 is EAP.
pub fn eapol(payload: &[u8]) -> Option<OtherTls> {
    match payload {
        [_, 0, _, _, eap @ ..] => method(eap).map(OtherTls::Eap),
        _ => None,
    }
}

/// Recognizes TLS in a UDP datagram.
pub fn datagram(source_port: u16, destination_port: u16, payload: &[u8]) -> Option<OtherTls> {
    const RADIUS: [u16; 4] = [1812, 1813, 1645, 1646];
    if RADIUS.contains(&source_port) || RADIUS.contains(&destination_port) {
        return radius(payload).map(OtherTls::EapInRadius);
    }
    if is_quic(payload) {
        return Some(OtherTls::Quic);
    }
    is_dtls(payload).then_some(OtherTls::Dtls)
}

/// RFC 3748 section 4: code 1 or 2 (request, response), identifier, length, type.
fn method(eap: &[u8]) -> Option<EapMethod> {
    match eap {
        [1 | 2, _, _, _, kind @ (13 | 21 | 25 | 43 | 55), ..] => Some(EapMethod(*kind)),
        _ => None,
    }
}

/// RFC 2865 section 3: code, identifier, length, authenticator of 16 bytes, attributes; RFC 3579 section 3.1: attribute
/// 79 is an EAP message, split over several attributes if it is long.
fn radius(payload: &[u8]) -> Option<EapMethod> {
    let mut rest = payload.get(20..)?;
    for _ in 0..64 {
        let [kind, length, ..] = *rest else { return None };
        let (attribute, later) = rest.split_at_checked(usize::from(length).max(2))?;
        if kind == 79 {
            return method(attribute.get(2..)?);
        }
        rest = later;
    }
    None
}

/// A long header (RFC 9000 section 17.2) of an Initial packet, version 1, 2 (RFC 9369) or a draft, in a datagram of at
/// least the size that section 14.1 requires.
fn is_quic(payload: &[u8]) -> bool {
    match payload {
        [first, 0, 0, 0, 1, ..] => first & 0xF0 == 0xC0 && payload.len() >= 1200,
        [first, 0x6B, 0x33, 0x43, 0xCF, ..] => first & 0xF0 == 0xD0 && payload.len() >= 1200,
        [first, 0xFF, 0, 0, 17..=34, ..] => first & 0xF0 == 0xC0 && payload.len() >= 1200,
        _ => false,
    }
}

/// A handshake record of DTLS 1.0 or 1.2 in epoch 0 (RFC 6347 section 4.1), with a hello.
fn is_dtls(payload: &[u8]) -> bool {
    matches!(payload, [22, 0xFE, 0xFF | 0xFD, 0, 0, _, _, _, _, _, _, _, _, 1..=3, ..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eap_tls_over_a_cable_and_in_radius() {
        // An EAP-TLS start (RFC 5216 section 3.1): request, identifier 2, length 6, type 13, flags S.
        let start = [1, 2, 0, 6, 13, 0x20];
        let frame = [&[2, 0, 0, 6][..], &start].concat();
        assert_eq!(eapol(&frame).map(|it| it.to_string()).as_deref(), Some("EAP-TLS (IEEE 802.1X)"));
        // Neither an identity request nor EAPOL-Start is TLS.
        assert_eq!(eapol(&[2, 0, 0, 5, 1, 1, 0, 5, 1]), None);
        assert_eq!(eapol(&[2, 1, 0, 0]), None);
        // Access-Challenge with State (24) before the EAP message.
        let packet = [&[11, 7, 0, 40][..], &[0; 16], &[24, 6, 1, 2, 3, 4], &[79, 8], &start].concat();
        let seen = datagram(1812, 40_000, &packet);
        assert_eq!(seen.map(|it| it.to_string()).as_deref(), Some("EAP-TLS (in RADIUS)"));
        assert_eq!(datagram(1812, 40_000, &packet[..30]), None);
    }

    #[test]
    fn quic_and_dtls_by_their_first_bytes() {
        // RFC 9001 appendix A.2: the protected client Initial begins with c0 00000001 08.
        let mut initial = vec![0; 1200];
        initial[..6].copy_from_slice(&[0xC0, 0, 0, 0, 1, 8]);
        assert_eq!(datagram(50_000, 443, &initial), Some(OtherTls::Quic));
        assert_eq!(datagram(50_000, 443, &initial[..100]), None);
        let hello = [&[22, 0xFE, 0xFD][..], &[0; 8], &[0, 40, 1], &[0; 39]].concat();
        assert_eq!(datagram(50_000, 5061, &hello), Some(OtherTls::Dtls));
        assert_eq!(datagram(50_000, 5004, &[0x80, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]), None, "RTP");
    }
}
