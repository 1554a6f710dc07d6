//! In: secrets of a key log. Out: record keys. Bounded: a few hundred bytes. Left to others: using them.
//!
//! TLS 1.3: HKDF-Expand-Label, RFC 8446 sections 7.1 to 7.3. Before: the pseudorandom function of RFC 5246 section 5
//! and RFC 2246 section 5, the key block of section 6.3, the extended master secret of RFC 7627.

use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use md5::Md5;
use sha1::{Digest, Sha1};
use sha2::{Sha256, Sha384};

/// The hash by which a version or a cipher suite derives keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PrfHash {
    /// MD5 and SHA-1, each over half of the secret, before TLS 1.2.
    Md5Sha1,
    Sha256,
    Sha384,
}

impl PrfHash {
    /// Bytes of its output.
    pub(super) fn length(self) -> usize {
        match self {
            Self::Md5Sha1 => 36,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
        }
    }
}

/// HKDF-Expand-Label with an empty context (RFC 8446 section 7.1); `None` if the secret is shorter than the hash.
pub(super) fn expand_label(hash: PrfHash, secret: &[u8], label: &[u8], length: usize) -> Option<Vec<u8>> {
    let mut info = Vec::with_capacity(10 + label.len());
    info.extend_from_slice(&u16::try_from(length).ok()?.to_be_bytes());
    info.push(u8::try_from(6 + label.len()).ok()?);
    info.extend_from_slice(b"tls13 ");
    info.extend_from_slice(label);
    info.push(0);
    let mut out = vec![0; length];
    match hash {
        PrfHash::Sha256 => Hkdf::<Sha256>::from_prk(secret).ok()?.expand(&info, &mut out).ok()?,
        PrfHash::Sha384 => Hkdf::<Sha384>::from_prk(secret).ok()?.expand(&info, &mut out).ok()?,
        PrfHash::Md5Sha1 => return None,
    }
    Some(out)
}

/// The application traffic secret after a KeyUpdate (RFC 8446 section 7.2).
pub(super) fn next_secret(hash: PrfHash, secret: &[u8]) -> Option<Vec<u8>> {
    expand_label(hash, secret, b"traffic upd", secret.len())
}

/// The pseudorandom function before TLS 1.3.
pub(super) fn prf(hash: PrfHash, secret: &[u8], label: &[u8], seed: &[&[u8]], length: usize) -> Vec<u8> {
    let mut parts = vec![label];
    parts.extend_from_slice(seed);
    match hash {
        PrfHash::Sha256 => expand::<Hmac<Sha256>>(secret, &parts, length),
        PrfHash::Sha384 => expand::<Hmac<Sha384>>(secret, &parts, length),
        PrfHash::Md5Sha1 => {
            // Both halves are rounded up, so they share a byte if the length is odd.
            let half = secret.len().div_ceil(2);
            let first = secret.get(..half).unwrap_or_default();
            let second = secret.get(secret.len() - half..).unwrap_or_default();
            let md5 = expand::<Hmac<Md5>>(first, &parts, length);
            let sha1 = expand::<Hmac<Sha1>>(second, &parts, length);
            md5.iter().zip(&sha1).map(|(a, b)| a ^ b).collect()
        }
    }
}

/// P_hash (RFC 5246 section 5).
fn expand<M: Mac + hmac::digest::KeyInit>(secret: &[u8], seed: &[&[u8]], length: usize) -> Vec<u8> {
    let keyed = |first: Option<&[u8]>, seed: &[&[u8]]| -> Vec<u8> {
        // HMAC takes keys of any length.
        let Ok(mut mac) = <M as Mac>::new_from_slice(secret) else { return Vec::new() };
        first.into_iter().chain(seed.iter().copied()).for_each(|part| mac.update(part));
        mac.finalize().into_bytes().to_vec()
    };
    let mut a = keyed(None, seed);
    let mut out = Vec::with_capacity(length + 64);
    while out.len() < length && !a.is_empty() {
        out.extend(keyed(Some(&a), seed));
        a = keyed(Some(&a), &[]);
    }
    out.truncate(length);
    out
}

/// The master secret of a premaster secret: with the hash of the handshake messages up to ClientKeyExchange if the
/// extended master secret was negotiated, otherwise with both random values.
pub(super) fn master(
    hash: PrfHash,
    premaster: &[u8],
    randoms: (&[u8; 32], &[u8; 32]),
    extended: Option<&[u8]>,
) -> Vec<u8> {
    let Some(messages) = extended else {
        return prf(hash, premaster, b"master secret", &[randoms.0, randoms.1], 48);
    };
    let session = match hash {
        PrfHash::Sha256 => Sha256::digest(messages).to_vec(),
        PrfHash::Sha384 => Sha384::digest(messages).to_vec(),
        PrfHash::Md5Sha1 => [Md5::digest(messages).to_vec(), Sha1::digest(messages).to_vec()].concat(),
    };
    prf(hash, premaster, b"extended master secret", &[&session], 48)
}
