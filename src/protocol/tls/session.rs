//! In: the hellos, and a key log. Out: the protection of each direction's records. Bounded: `MAX_TRANSCRIPT` bytes of
//! handshake messages, kept only if a premaster secret may need them. Left to others: records.

use super::cipher::{Cipher, Keys};
use super::keylog::KeyLog;
use super::message::{ClientHello, ServerHello};
use super::protect::{Protection, Undecrypted};
use super::schedule::{master, prf};
use super::terms::Terms;
use crate::flow::Side;

/// Enough for the messages up to ClientKeyExchange: only Certificate messages among them are large.
const MAX_TRANSCRIPT: usize = 256 * 1024;

/// The current handshake of the connection, which is not the first in a renegotiation.
#[derive(Default)]
pub(super) struct Session {
    client_random: [u8; 32],
    server_random: [u8; 32],
    terms: Option<Terms>,
    extended_master: bool,
    /// The handshake's messages, if a premaster secret may need them.
    transcript: Vec<u8>,
    master: Option<Vec<u8>>,
}

impl Session {
    pub(super) fn client_hello(&mut self, hello: &ClientHello) {
        // After a HelloRetryRequest the client sends the same random value.
        *self = Self { client_random: hello.random, ..Self::default() };
    }

    pub(super) fn server_hello(&mut self, hello: &ServerHello) {
        self.server_random = hello.random;
        self.extended_master = hello.extended_master_secret;
        self.terms = Terms::of(hello);
    }

    /// Keeps a handshake message as it was sent.
    pub(super) fn keep(&mut self, kind: u8, body: &[u8], keys: &KeyLog) {
        if keys.has_premaster() && self.transcript.len() + body.len() < MAX_TRANSCRIPT {
            let [_, high, middle, low] = u32::try_from(body.len()).unwrap_or_default().to_be_bytes();
            self.transcript.extend_from_slice(&[kind, high, middle, low]);
            self.transcript.extend_from_slice(body);
        }
    }

    /// Takes a ClientKeyExchange: with RSA it contains the encrypted premaster secret after its length (RFC 5246
    /// section 7.4.7.1).
    pub(super) fn client_key_exchange(&mut self, body: &[u8], keys: &KeyLog) {
        let premaster = body.get(2..).and_then(|encrypted| keys.premaster(encrypted));
        if let (Some(premaster), Some(terms)) = (premaster, self.terms) {
            let extended = self.extended_master.then_some(self.transcript.as_slice());
            self.master = Some(master(terms.hash, premaster, (&self.client_random, &self.server_random), extended));
        }
    }

    /// The protection after ServerHello in TLS 1.3, or with `application` the one after a side's Finished.
    pub(super) fn traffic(&self, side: Side, application: bool, keys: &KeyLog) -> Result<Protection, Undecrypted> {
        let secrets = keys.of(&self.client_random).ok_or(Undecrypted::NoSecret)?;
        let secret = match (side, application) {
            (Side::Client, false) => &secrets.client_handshake,
            (Side::Server, false) => &secrets.server_handshake,
            (Side::Client, true) => &secrets.client_application,
            (Side::Server, true) => &secrets.server_application,
        };
        let secret = secret.as_ref().ok_or(Undecrypted::NoSecret)?;
        let terms = self.terms.filter(|terms| terms.form.is_1_3).ok_or(Undecrypted::Unsupported)?;
        let cipher = terms.traffic_cipher(secret).ok_or(Undecrypted::WrongSecret)?;
        Ok(Protection::new(cipher, Some((terms.hash, secret.clone())), terms))
    }

    /// The protection of the client's early data. The cipher suite is that of the resumed session; it is taken to be the
    /// one that the server chose.
    pub(super) fn early_traffic(&self, keys: &KeyLog) -> Option<Protection> {
        let secret = keys.of(&self.client_random)?.client_early.as_ref()?;
        let terms = self.terms.filter(|terms| terms.form.is_1_3)?;
        let cipher = terms.traffic_cipher(secret)?;
        Some(Protection::new(cipher, Some((terms.hash, secret.clone())), terms))
    }

    /// The protection after a ChangeCipherSpec, before TLS 1.3.
    pub(super) fn key_block(&self, side: Side, keys: &KeyLog) -> Result<Protection, Undecrypted> {
        let logged = keys.of(&self.client_random).and_then(|secrets| secrets.master.as_ref());
        let master = logged.or(self.master.as_ref()).ok_or(Undecrypted::NoSecret)?;
        let terms = self.terms.filter(|terms| !terms.form.is_1_3).ok_or(Undecrypted::Unsupported)?;
        let lengths = terms.suite.lengths(terms.form);
        let total = 2 * (lengths.mac + lengths.key + lengths.iv);
        let seed = [&self.server_random[..], &self.client_random[..]];
        let block = prf(terms.hash, master, b"key expansion", &seed, total);
        let mut rest = block.as_slice();
        let mut pair = |length: usize| {
            let (client, after) = rest.split_at_checked(length)?;
            let (server, after) = after.split_at_checked(length)?;
            rest = after;
            Some(if side == Side::Client { client } else { server })
        };
        let keys = (|| Some(Keys { mac: pair(lengths.mac)?, key: pair(lengths.key)?, iv: pair(lengths.iv)? }))();
        let cipher = keys.and_then(|keys| Cipher::new(terms.suite, terms.form, keys));
        Ok(Protection::new(cipher.ok_or(Undecrypted::WrongSecret)?, None, terms))
    }
}
