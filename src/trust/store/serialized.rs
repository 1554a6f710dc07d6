//! Serialized certificate stores (`.sst`), as Windows exports them.
//!
//! In: the bytes of a file. Out: the certificates in it. Bounded: by the file. Left to others: the properties that
//! Windows keeps beside a certificate, which may name a private key, and lists of revoked certificates.
//!
//! The format is published as \[MS-OSHARED\] section 2.3.9.1, DocSigSerializedCertStore: a version, the letters `CERT`,
//! then elements with an id, an encoding type and a length, little-endian; an element of id 0 is the end.

/// Version 0 and the letters.
const HEADER: &[u8] = b"\0\0\0\0CERT";
/// The id of an element that holds a certificate (section 2.3.2.5.1).
const CERTIFICATE: u32 = 32;

/// What a serialized store holds.
pub(super) struct Store<'a> {
    /// The DER of each certificate.
    pub(super) certificates: Vec<&'a [u8]>,
    /// Whether its end is there.
    pub(super) whole: bool,
}

/// The certificates of a serialized store, as far as it is there; `None` if the file is none.
pub(super) fn read(bytes: &[u8]) -> Option<Store<'_>> {
    let mut rest = bytes.strip_prefix(HEADER)?;
    let mut certificates = Vec::new();
    while let Some((id, value, after)) = element(rest) {
        match id {
            0 => return Some(Store { certificates, whole: true }),
            CERTIFICATE => certificates.push(value),
            _ => {}
        }
        rest = after;
    }
    Some(Store { certificates, whole: false })
}

/// Id and value of the element at the start of `bytes`, and what follows it.
fn element(bytes: &[u8]) -> Option<(u32, &[u8], &[u8])> {
    let (id, rest) = number(bytes)?;
    let (_encoding, rest) = number(rest)?;
    let (length, rest) = number(rest)?;
    let (value, after) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    Some((id, value, after))
}

fn number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u32::from_le_bytes(*number), rest))
}
