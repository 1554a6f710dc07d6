//! In: one direction's protected records, in order. Out: their content. Bounded: one record of at most 16 KiB + 2048,
//! and `MAX_TRIES` attempts at a record whose sequence number is unknown. Left to others: what it means.

use super::cipher::{Cipher, Opened, Record};
use super::record::ContentType;
use super::schedule::{PrfHash, next_secret};
use super::terms::Terms;
use crate::capture::FrameRef;
use crate::flow::Piece;

/// Most sequence numbers tried for the first record after missing bytes (D-PROTOCOL-04).
const MAX_TRIES: u64 = 256;
/// The same for all records of one direction under one key.
const ALL_TRIES: u64 = 64 * MAX_TRIES;
/// Most consecutive records that may fail before the secret counts as wrong (D-PROTOCOL-03).
const MAX_FAILURES: u8 = 3;
/// After the handshake of TLS 1.3 every record looks like data. The first ones of a direction are decrypted because
/// they may be tickets or certificate requests; later only those as short as an alert or a KeyUpdate (D-PROTOCOL-06).
const FIRST_RECORDS: u64 = 32;
const SHORT_RECORD: usize = 64;

/// Why records stayed encrypted although secrets were given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Undecrypted {
    /// The key log has no secret for this handshake.
    NoSecret,
    /// The key log's secret does not decrypt them.
    WrongSecret,
    /// The cipher suite or the version is not decrypted here.
    Unsupported,
    /// Missing bytes left the sequence number or the state of the cipher unknown.
    LostPlace,
}

impl Undecrypted {
    /// In words, after "records stay encrypted: ".
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoSecret => "the key log has no secret for the handshake",
            Self::WrongSecret => "the key log's secret does not fit, or they were altered",
            Self::Unsupported => "chaingap does not decrypt the cipher suite or version",
            Self::LostPlace => "too much before them is not in the capture",
        }
    }
}

/// One direction's protection between two changes of keys.
pub(super) struct Protection {
    cipher: Cipher,
    /// The secret that the next keys are derived from, in TLS 1.3.
    secret: Option<(PrfHash, Vec<u8>)>,
    terms: Terms,
    /// Sequence number of the next record.
    number: u64,
    /// Records may have been missed.
    uncertain: bool,
    failures: u8,
    opened: u64,
    /// Records under other keys may come first: early data.
    early: bool,
    /// Attempts left at records with unknown sequence numbers.
    tries: u64,
}

/// An incomplete protected record.
#[derive(Debug, Default)]
pub(super) struct Pending {
    header: [u8; 5],
    body: Vec<u8>,
    /// The offset in the body at which each frame's bytes end.
    frames: Vec<(usize, FrameRef)>,
    /// Bytes are missing.
    hole: bool,
}

impl Pending {
    pub(super) fn new(header: [u8; 5]) -> Self {
        Self { header, ..Self::default() }
    }

    pub(super) fn push(&mut self, piece: Piece<'_>, at: FrameRef) {
        match piece {
            Piece::Bytes(bytes) => {
                self.body.extend_from_slice(bytes);
                self.frames.push((self.body.len(), at));
            }
            Piece::Gap { .. } => self.hole = true,
        }
    }

    /// Whether bytes of it are missing.
    pub(super) fn has_hole(&self) -> bool {
        self.hole
    }

    /// The content of the record by frame.
    pub(super) fn parts<'a>(&self, opened: &'a Opened) -> Vec<(FrameRef, &'a [u8])> {
        let mut from = 0;
        let mut parts = Vec::new();
        for (end, at) in &self.frames {
            let to = end.saturating_sub(opened.lead).min(opened.plain.len());
            if let Some(part) = opened.plain.get(from..to).filter(|part| !part.is_empty()) {
                parts.push((*at, part));
            }
            from = to.max(from);
        }
        parts
    }
}

impl Protection {
    pub(super) fn new(cipher: Cipher, secret: Option<(PrfHash, Vec<u8>)>, terms: Terms) -> Self {
        Self {
            cipher,
            secret,
            terms,
            number: 0,
            uncertain: false,
            failures: 0,
            opened: 0,
            early: false,
            tries: ALL_TRIES,
        }
    }

    /// Whether a record should be decrypted; `application` means that the handshake of TLS 1.3 is over.
    pub(super) fn wants(&self, kind: ContentType, length: usize, application: bool) -> bool {
        match self.terms.form.is_1_3 {
            true => !application || length <= SHORT_RECORD || self.opened < FIRST_RECORDS,
            false => kind != ContentType::APPLICATION_DATA,
        }
    }

    /// Skips a part of a record that is not decrypted.
    pub(super) fn pass(&mut self, piece: Piece<'_>) {
        self.cipher.pass(piece);
    }

    /// Notes the end of a record that was not decrypted.
    pub(super) fn skip(&mut self) {
        self.number += 1;
    }

    /// Notes that records may be missing from here on.
    pub(super) fn lose(&mut self) {
        self.uncertain = true;
    }

    /// Decrypts a record. An error ends the protection, `None` only leaves this record unread.
    pub(super) fn open(&mut self, pending: &Pending) -> Result<Option<Opened>, Undecrypted> {
        if pending.hole {
            self.uncertain |= self.cipher.is_chained();
            self.number += 1;
            return Ok(None);
        }
        if self.uncertain && self.cipher.is_chained() {
            return Err(Undecrypted::LostPlace);
        }
        let mut tries = 1;
        if self.uncertain {
            tries = MAX_TRIES.min(self.tries);
            self.tries -= tries;
        }
        for number in (self.number..).take(usize::try_from(tries).unwrap_or(1)) {
            if let Some(opened) = self.cipher.open(&Record { number, header: pending.header, body: &pending.body }) {
                (self.number, self.uncertain, self.failures) = (number + 1, false, 0);
                self.opened += 1;
                return Ok(Some(opened));
            }
        }
        if self.awaits_handshake() {
            return Ok(None);
        }
        if self.uncertain {
            return Err(Undecrypted::LostPlace);
        }
        self.number += 1;
        self.failures += 1;
        let hopeless = self.opened == 0 || self.failures >= MAX_FAILURES;
        if hopeless { Err(Undecrypted::WrongSecret) } else { Ok(None) }
    }

    /// Records under other keys may come first: early data.
    pub(super) fn await_handshake(&mut self) {
        self.early = true;
    }

    /// Whether records under other keys may still come.
    pub(super) fn awaits_handshake(&self) -> bool {
        self.early && self.opened == 0
    }

    /// Derives the next keys after a KeyUpdate (RFC 8446 section 4.6.3).
    pub(super) fn update(&mut self) {
        let next = self.secret.take().and_then(|(hash, secret)| {
            let secret = next_secret(hash, &secret)?;
            self.terms.traffic_cipher(&secret).map(|cipher| (cipher, (hash, secret)))
        });
        if let Some((cipher, secret)) = next {
            (self.cipher, self.secret) = (cipher, Some(secret));
            (self.number, self.uncertain) = (0, false);
        }
    }
}
