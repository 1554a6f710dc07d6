//! In: a ServerHello. Out: the cipher suite, the format of records and the hash it selects. Bounded: nothing is kept.
//! Left to others: secrets.

use super::cipher::{Cipher, Form, Keys, Suite};
use super::message::ServerHello;
use super::names::Version;
use super::schedule::{PrfHash, expand_label};

/// The negotiated parameters that decryption needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    pub(super) suite: Suite,
    pub(super) form: Form,
    pub(super) hash: PrfHash,
}

impl Terms {
    /// The terms of a ServerHello; `None` if they are not decrypted here: SSL 3.0 and drafts of TLS 1.3 before the 25th
    /// derive keys differently (D-PROTOCOL-08).
    pub(super) fn of(hello: &ServerHello) -> Option<Self> {
        let is_1_3 = hello.version == Version::TLS_1_3 || (0x7f19..=0x7f1c).contains(&hello.version.0);
        let before = (Version::TLS_1_0..=Version::TLS_1_2).contains(&hello.version);
        if !is_1_3 && !before {
            return None;
        }
        let suite = Suite::of(hello.cipher_suite?)?;
        let hash = if hello.version < Version::TLS_1_2 { PrfHash::Md5Sha1 } else { suite.hash };
        let explicit_iv = hello.version > Version::TLS_1_0;
        let form = Form { is_1_3, explicit_iv, encrypt_then_mac: hello.encrypt_then_mac };
        Some(Self { suite, form, hash })
    }

    /// The cipher of a traffic secret (RFC 8446 section 7.3).
    pub(super) fn traffic_cipher(&self, secret: &[u8]) -> Option<Cipher> {
        let lengths = self.suite.lengths(self.form);
        let key = expand_label(self.hash, secret, b"key", lengths.key)?;
        let iv = expand_label(self.hash, secret, b"iv", lengths.iv)?;
        Cipher::new(self.suite, self.form, Keys { mac: &[], key: &key, iv: &iv })
    }
}
