//! In: keys, and protected records. Out: their content, if its integrity is verified. Bounded: one record. Left to
//! others: choosing keys and record numbers.
//!
//! AEAD: RFC 8446 section 5.2 and, before TLS 1.3, RFC 5288 (GCM), RFC 6655 (CCM), RFC 7905 (ChaCha20-Poly1305). Block
//! and stream ciphers with HMAC: RFC 5246 section 6.2.3, RFC 2246 for chained initialization vectors, RFC 7366 for
//! encrypt-then-MAC.

use aes::{Aes128, Aes256};
use aes_gcm::aead::{AeadInPlace, KeyInit as AeadKeyInit, Nonce, Tag};
use aes_gcm::{Aes128Gcm, Aes256Gcm};
use cbc::Decryptor;
use cbc::cipher::block_padding::NoPadding;
use cbc::cipher::consts::{U8, U12, U16};
use cbc::cipher::{BlockDecryptMut, KeyIvInit, StreamCipher};
use ccm::Ccm;
use chacha20poly1305::ChaCha20Poly1305;
use des::TdesEde3;
use hmac::{Hmac, Mac};
use md5::Md5;
use rc4::Rc4;
use sha1::Sha1;
use sha2::{Sha256, Sha384};
use tls_parser::{TlsCipherEnc, TlsCipherEncMode, TlsCipherMac, TlsCipherSuite, TlsPRF};

use super::schedule::PrfHash;
use crate::flow::Piece;

/// The encryption algorithm of a suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Algorithm {
    Aes128Gcm,
    Aes256Gcm,
    ChaCha20Poly1305,
    Aes128Ccm,
    Aes256Ccm,
    Aes128Ccm8,
    Aes256Ccm8,
    Aes128Cbc,
    Aes256Cbc,
    TripleDesCbc,
    Rc4,
    /// No encryption, only a MAC.
    Null,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MacHash {
    Md5,
    Sha1,
    Sha256,
    Sha384,
}

/// What a cipher suite specifies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Suite {
    algorithm: Algorithm,
    mac: Option<MacHash>,
    /// The hash of the key schedule from TLS 1.2 on.
    pub(super) hash: PrfHash,
}

/// Lengths in bytes of the parts of a key block (RFC 5246 section 6.3).
#[derive(Clone, Copy, Debug)]
pub(super) struct Lengths {
    pub(super) mac: usize,
    pub(super) key: usize,
    pub(super) iv: usize,
}

/// The keys of one direction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keys<'a> {
    pub(super) mac: &'a [u8],
    pub(super) key: &'a [u8],
    pub(super) iv: &'a [u8],
}

/// What the format of protected records depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Form {
    /// TLS 1.3.
    pub(super) is_1_3: bool,
    /// Each record contains its initialization vector: TLS 1.1 and later.
    pub(super) explicit_iv: bool,
    /// The MAC covers the ciphertext.
    pub(super) encrypt_then_mac: bool,
}

/// One direction's cipher.
pub(super) struct Cipher {
    kind: Kind,
    form: Form,
    /// The fixed part of nonces. For CBC chained across records, the end of the last record: its last block and, with
    /// encrypt-then-MAC, its MAC.
    iv: Vec<u8>,
}

enum Kind {
    Gcm128(Box<Aes128Gcm>),
    Gcm256(Box<Aes256Gcm>),
    ChaCha(Box<ChaCha20Poly1305>),
    Ccm128(Box<Ccm<Aes128, U16, U12>>),
    Ccm256(Box<Ccm<Aes256, U16, U12>>),
    Ccm128Short(Box<Ccm<Aes128, U8, U12>>),
    Ccm256Short(Box<Ccm<Aes256, U8, U12>>),
    Cbc { algorithm: Algorithm, key: Vec<u8>, mac: MacKey },
    Stream { state: Option<Box<Rc4<U16>>>, mac: MacKey },
}

struct MacKey {
    hash: MacHash,
    key: Vec<u8>,
}

/// A protected record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record<'a> {
    /// Its sequence number under the keys in use.
    pub(super) number: u64,
    pub(super) header: [u8; 5],
    pub(super) body: &'a [u8],
}

/// The content of a record.
#[derive(Debug)]
pub(super) struct Opened {
    /// Its content type.
    pub(super) kind: u8,
    pub(super) plain: Vec<u8>,
    /// Bytes of the record before those decrypted to `plain`.
    pub(super) lead: usize,
}

impl Suite {
    /// The suite with this number; `None` if it is not decrypted here.
    pub(super) fn of(id: u16) -> Option<Self> {
        let suite = TlsCipherSuite::from_id(id)?;
        let short = suite.name.contains("_CCM_8");
        let algorithm = match (suite.enc, suite.enc_mode, suite.enc_size) {
            (TlsCipherEnc::Aes, TlsCipherEncMode::Gcm, 128) => Algorithm::Aes128Gcm,
            (TlsCipherEnc::Aes, TlsCipherEncMode::Gcm, 256) => Algorithm::Aes256Gcm,
            (TlsCipherEnc::Aes, TlsCipherEncMode::Ccm, 128) if short => Algorithm::Aes128Ccm8,
            (TlsCipherEnc::Aes, TlsCipherEncMode::Ccm, 256) if short => Algorithm::Aes256Ccm8,
            (TlsCipherEnc::Aes, TlsCipherEncMode::Ccm, 128) => Algorithm::Aes128Ccm,
            (TlsCipherEnc::Aes, TlsCipherEncMode::Ccm, 256) => Algorithm::Aes256Ccm,
            (TlsCipherEnc::Aes, TlsCipherEncMode::Cbc, 128) => Algorithm::Aes128Cbc,
            (TlsCipherEnc::Aes, TlsCipherEncMode::Cbc, 256) => Algorithm::Aes256Cbc,
            (TlsCipherEnc::TripleDes, TlsCipherEncMode::Cbc, _) => Algorithm::TripleDesCbc,
            (TlsCipherEnc::Chacha20_Poly1305, ..) => Algorithm::ChaCha20Poly1305,
            (TlsCipherEnc::Rc4, _, 128) => Algorithm::Rc4,
            (TlsCipherEnc::Null, ..) => Algorithm::Null,
            _ => return None,
        };
        let mac = match suite.mac {
            TlsCipherMac::HmacMd5 => Some(MacHash::Md5),
            TlsCipherMac::HmacSha1 => Some(MacHash::Sha1),
            TlsCipherMac::HmacSha256 => Some(MacHash::Sha256),
            TlsCipherMac::HmacSha384 => Some(MacHash::Sha384),
            TlsCipherMac::Aead => None,
            TlsCipherMac::Null | TlsCipherMac::HmacSha512 => return None,
        };
        let hash = if suite.prf == TlsPRF::Sha384 { PrfHash::Sha384 } else { PrfHash::Sha256 };
        Some(Self { algorithm, mac, hash })
    }

    /// Bytes that TLS 1.3 adds to what a record protects: its content type and a tag (RFC 8446 section 5.2), which CCM_8
    /// has half as long (RFC 6655 section 6.1).
    pub(super) fn overhead_of_1_3(self) -> usize {
        match self.algorithm {
            Algorithm::Aes128Ccm8 | Algorithm::Aes256Ccm8 => 1 + 8,
            _ => 1 + 16,
        }
    }

    /// The parts of the key block.
    pub(super) fn lengths(self, form: Form) -> Lengths {
        let mac = self.mac.map_or(0, MacHash::length);
        let (key, iv) = match self.algorithm {
            Algorithm::Aes128Gcm | Algorithm::Aes128Ccm | Algorithm::Aes128Ccm8 => (16, 4),
            Algorithm::Aes256Gcm | Algorithm::Aes256Ccm | Algorithm::Aes256Ccm8 => (32, 4),
            Algorithm::ChaCha20Poly1305 => (32, 12),
            Algorithm::Aes128Cbc => (16, 16),
            Algorithm::Aes256Cbc => (32, 16),
            Algorithm::TripleDesCbc => (24, 8),
            Algorithm::Rc4 => (16, 0),
            Algorithm::Null => (0, 0),
        };
        // In TLS 1.3 all twelve bytes of the IV are derived from the secret.
        let iv = if form.is_1_3 { 12 } else { iv };
        let carried = !form.is_1_3 && form.explicit_iv && self.mac.is_some();
        Lengths { mac, key, iv: if carried { 0 } else { iv } }
    }
}

impl MacHash {
    fn length(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
        }
    }
}

impl MacKey {
    /// Whether `tag` is the MAC of these parts.
    fn verifies(&self, parts: &[&[u8]], tag: &[u8]) -> bool {
        fn check<M: Mac + hmac::digest::KeyInit>(key: &[u8], parts: &[&[u8]], tag: &[u8]) -> bool {
            let Ok(mut mac) = <M as Mac>::new_from_slice(key) else { return false };
            parts.iter().for_each(|part| mac.update(part));
            mac.verify_slice(tag).is_ok()
        }
        match self.hash {
            MacHash::Md5 => check::<Hmac<Md5>>(&self.key, parts, tag),
            MacHash::Sha1 => check::<Hmac<Sha1>>(&self.key, parts, tag),
            MacHash::Sha256 => check::<Hmac<Sha256>>(&self.key, parts, tag),
            MacHash::Sha384 => check::<Hmac<Sha384>>(&self.key, parts, tag),
        }
    }
}

impl Cipher {
    pub(super) fn new(suite: Suite, form: Form, keys: Keys<'_>) -> Option<Self> {
        let mac = || Some(MacKey { hash: suite.mac?, key: keys.mac.to_vec() });
        let key = keys.key;
        let kind = match suite.algorithm {
            Algorithm::Aes128Gcm => Kind::Gcm128(Box::new(AeadKeyInit::new_from_slice(key).ok()?)),
            Algorithm::Aes256Gcm => Kind::Gcm256(Box::new(AeadKeyInit::new_from_slice(key).ok()?)),
            Algorithm::ChaCha20Poly1305 => Kind::ChaCha(Box::new(AeadKeyInit::new_from_slice(key).ok()?)),
            Algorithm::Aes128Ccm => Kind::Ccm128(Box::new(AeadKeyInit::new_from_slice(key).ok()?)),
            Algorithm::Aes256Ccm => Kind::Ccm256(Box::new(AeadKeyInit::new_from_slice(key).ok()?)),
            Algorithm::Aes128Ccm8 => Kind::Ccm128Short(Box::new(AeadKeyInit::new_from_slice(key).ok()?)),
            Algorithm::Aes256Ccm8 => Kind::Ccm256Short(Box::new(AeadKeyInit::new_from_slice(key).ok()?)),
            algorithm @ (Algorithm::Aes128Cbc | Algorithm::Aes256Cbc | Algorithm::TripleDesCbc) => {
                Kind::Cbc { algorithm, key: key.to_vec(), mac: mac()? }
            }
            Algorithm::Rc4 => Kind::Stream { state: Some(Box::new(Rc4::new_from_slice(key).ok()?)), mac: mac()? },
            Algorithm::Null => Kind::Stream { state: None, mac: mac()? },
        };
        let mut iv = keys.iv.to_vec();
        if let Kind::Cbc { mac, .. } = &kind
            && form.encrypt_then_mac
        {
            iv.resize(iv.len() + mac.hash.length(), 0);
        }
        Some(Self { kind, form, iv })
    }

    /// Whether a record can be decrypted only after all records before it.
    pub(super) fn is_chained(&self) -> bool {
        match &self.kind {
            Kind::Cbc { .. } => !self.form.explicit_iv,
            Kind::Stream { state, .. } => state.is_some(),
            _ => false,
        }
    }

    /// Skips a part of a record that is not decrypted.
    pub(super) fn pass(&mut self, piece: Piece<'_>) {
        match (&mut self.kind, piece) {
            (Kind::Cbc { .. }, Piece::Bytes(bytes)) if !self.form.explicit_iv => {
                let kept = self.iv.len();
                self.iv.extend_from_slice(bytes.get(bytes.len().saturating_sub(kept)..).unwrap_or_default());
                self.iv.drain(..self.iv.len().saturating_sub(kept));
            }
            (Kind::Stream { state: Some(state), .. }, piece) => {
                let mut left = match piece {
                    Piece::Bytes(bytes) => bytes.len(),
                    Piece::Gap { missing, .. } => usize::try_from(missing).unwrap_or_default(),
                };
                let mut scratch = [0; 256];
                while left > 0 {
                    let now = left.min(scratch.len());
                    state.apply_keystream(scratch.get_mut(..now).unwrap_or_default());
                    left -= now;
                }
            }
            _ => {}
        }
    }

    /// Decrypts a record; `None` if its integrity cannot be verified.
    pub(super) fn open(&mut self, record: &Record<'_>) -> Option<Opened> {
        let form = self.form;
        let opened = match &mut self.kind {
            Kind::Gcm128(cipher) => open_aead::<16, _>(cipher.as_ref(), form, &self.iv, record)?,
            Kind::Gcm256(cipher) => open_aead::<16, _>(cipher.as_ref(), form, &self.iv, record)?,
            Kind::ChaCha(cipher) => open_aead::<16, _>(cipher.as_ref(), form, &self.iv, record)?,
            Kind::Ccm128(cipher) => open_aead::<16, _>(cipher.as_ref(), form, &self.iv, record)?,
            Kind::Ccm256(cipher) => open_aead::<16, _>(cipher.as_ref(), form, &self.iv, record)?,
            Kind::Ccm128Short(cipher) => open_aead::<8, _>(cipher.as_ref(), form, &self.iv, record)?,
            Kind::Ccm256Short(cipher) => open_aead::<8, _>(cipher.as_ref(), form, &self.iv, record)?,
            Kind::Cbc { algorithm, key, mac } => {
                let opened = open_blocks(*algorithm, key, mac, form, &self.iv, record);
                self.pass(Piece::Bytes(record.body));
                opened?
            }
            Kind::Stream { state, mac } => {
                let mut plain = record.body.to_vec();
                if let Some(state) = state {
                    state.apply_keystream(&mut plain);
                }
                let content = plain.len().checked_sub(mac.hash.length())?;
                let tag = plain.split_off(content);
                let head = record.pseudo_header(plain.len());
                mac.verifies(&[&head, &plain], &tag).then_some(Opened { kind: record.kind(), plain, lead: 0 })?
            }
        };
        if form.is_1_3 { inner(opened) } else { Some(opened) }
    }
}

impl Record<'_> {
    /// The content type in the header.
    fn kind(&self) -> u8 {
        let [kind, ..] = self.header;
        kind
    }

    /// The bytes that a MAC or an AEAD covers before the content: number, type, version, length of the content.
    fn pseudo_header(&self, length: usize) -> [u8; 13] {
        let [a, b, c, d, e, f, g, h] = self.number.to_be_bytes();
        let [kind, major, minor, ..] = self.header;
        let [high, low] = u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes();
        [a, b, c, d, e, f, g, h, kind, major, minor, high, low]
    }
}

/// Unwraps a TLSInnerPlaintext: content, type, zeros (RFC 8446 section 5.2).
fn inner(mut opened: Opened) -> Option<Opened> {
    let end = opened.plain.iter().rposition(|byte| *byte != 0)?;
    opened.kind = *opened.plain.get(end)?;
    opened.plain.truncate(end);
    Some(opened)
}

fn open_aead<const TAG: usize, C: AeadInPlace>(
    cipher: &C,
    form: Form,
    iv: &[u8],
    record: &Record<'_>,
) -> Option<Opened> {
    // The nonce is a salt of four bytes and eight bytes from the record, or twelve bytes XORed with the record number.
    let lead = if iv.len() == 4 { 8 } else { 0 };
    let (explicit, sealed) = record.body.split_at_checked(lead)?;
    let mut nonce = Nonce::<C>::default();
    if lead > 0 {
        nonce.iter_mut().zip(iv.iter().chain(explicit)).for_each(|(to, from)| *to = *from);
    } else {
        nonce.iter_mut().zip(iv).for_each(|(to, from)| *to = *from);
        nonce.iter_mut().rev().zip(record.number.to_be_bytes().iter().rev()).for_each(|(to, from)| *to ^= from);
    }
    let content = sealed.len().checked_sub(TAG)?;
    let (sealed, tag) = sealed.split_at_checked(content)?;
    let mut plain = sealed.to_vec();
    let head = record.pseudo_header(content);
    let additional: &[u8] = if form.is_1_3 { &record.header } else { &head };
    let mut expected = Tag::<C>::default();
    expected.iter_mut().zip(tag).for_each(|(to, from)| *to = *from);
    cipher.decrypt_in_place_detached(&nonce, additional, &mut plain, &expected).ok()?;
    Some(Opened { kind: record.kind(), plain, lead })
}

fn open_blocks(
    algorithm: Algorithm,
    key: &[u8],
    mac: &MacKey,
    form: Form,
    carried: &[u8],
    record: &Record<'_>,
) -> Option<Opened> {
    let tag_length = mac.hash.length();
    let mut body = record.body;
    if form.encrypt_then_mac {
        let (sealed, tag) = body.split_at_checked(body.len().checked_sub(tag_length)?)?;
        let head = record.pseudo_header(sealed.len());
        if !mac.verifies(&[&head, sealed], tag) {
            return None;
        }
        body = sealed;
    }
    let block = if algorithm == Algorithm::TripleDesCbc { 8 } else { 16 };
    let lead = if form.explicit_iv { block } else { 0 };
    let (explicit, sealed) = body.split_at_checked(lead)?;
    let iv = if form.explicit_iv { explicit } else { carried.get(..block)? };
    let mut plain = unchain(algorithm, key, iv, sealed)?;
    // RFC 5246 section 6.2.3.2: every padding byte is the padding length.
    let padding = *plain.last()?;
    let padded = plain.len().checked_sub(usize::from(padding) + 1)?;
    if plain.get(padded..)?.iter().any(|byte| *byte != padding) {
        return None;
    }
    plain.truncate(padded);
    if !form.encrypt_then_mac {
        let tag = plain.split_off(padded.checked_sub(tag_length)?);
        let head = record.pseudo_header(plain.len());
        if !mac.verifies(&[&head, &plain], &tag) {
            return None;
        }
    }
    Some(Opened { kind: record.kind(), plain, lead })
}

/// Decrypts CBC; `None` if the length is not a whole number of blocks.
fn unchain(algorithm: Algorithm, key: &[u8], iv: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    fn run<D: BlockDecryptMut + KeyIvInit>(key: &[u8], iv: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let cipher = D::new_from_slices(key, iv).ok()?;
        cipher.decrypt_padded_vec_mut::<NoPadding>(sealed).ok()
    }
    match algorithm {
        Algorithm::Aes128Cbc => run::<Decryptor<Aes128>>(key, iv, sealed),
        Algorithm::Aes256Cbc => run::<Decryptor<Aes256>>(key, iv, sealed),
        Algorithm::TripleDesCbc => run::<Decryptor<TdesEde3>>(key, iv, sealed),
        _ => None,
    }
}
