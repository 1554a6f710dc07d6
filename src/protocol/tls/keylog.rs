//! In: key logs in the format of browsers, OpenSSL and GnuTLS (SSLKEYLOGFILE, draft-ietf-tls-keylogfile), which
//! pcapng's decryption secrets blocks use too. Out: the secrets of one handshake, by its client random. Bounded:
//! `MAX_HANDSHAKES`. Left to others: deriving keys.

use std::collections::HashMap;
use std::fmt;

use crate::files;

/// Most handshakes whose secrets are kept. A key log of a busy day has fewer.
const MAX_HANDSHAKES: usize = 262_144;

/// The secrets of handshakes. They are never shown.
#[derive(Clone, Default)]
pub struct KeyLog {
    handshakes: HashMap<[u8; 32], Secrets>,
    /// Premaster secrets by the first eight bytes of their encrypted form.
    premaster: HashMap<[u8; 8], Vec<u8>>,
}

/// The secrets of one handshake.
#[derive(Clone, Default)]
pub(super) struct Secrets {
    /// The master secret of TLS 1.2 and earlier.
    pub(super) master: Option<Vec<u8>>,
    pub(super) client_early: Option<Vec<u8>>,
    pub(super) client_handshake: Option<Vec<u8>>,
    pub(super) server_handshake: Option<Vec<u8>>,
    pub(super) client_application: Option<Vec<u8>>,
    pub(super) server_application: Option<Vec<u8>>,
}

/// The result of reading a key log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyLogLines {
    /// Lines with a usable secret.
    pub secrets: usize,
    /// Lines that are not empty, a comment or in a known format, or that exceed the limit.
    pub unread: usize,
}

impl KeyLog {
    /// Adds the secrets in the text of a key log, in UTF-8 or UTF-16: `CLIENT_RANDOM`, the early, handshake and first application traffic
    /// secrets of TLS 1.3, and `RSA`. Other labels are skipped.
    pub fn add(&mut self, text: &[u8]) -> KeyLogLines {
        let mut lines = KeyLogLines::default();
        for line in files::utf8(text).split(|byte| matches!(byte, b'\n' | b'\r')) {
            let line = line.trim_ascii();
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            match self.line(line) {
                Some(true) => lines.secrets += 1,
                Some(false) => {}
                None => lines.unread += 1,
            }
        }
        lines
    }

    /// Whether it has no secrets.
    pub fn is_empty(&self) -> bool {
        self.handshakes.is_empty() && self.premaster.is_empty()
    }

    /// Whether the line has a secret; `None` if it is not a key log line.
    fn line(&mut self, line: &[u8]) -> Option<bool> {
        let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let (label, id, secret) = (words.next()?, from_hex(words.next()?)?, from_hex(words.next()?)?);
        if words.next().is_some() || secret.is_empty() || secret.len() > 256 {
            return None;
        }
        if label == b"RSA" {
            let start: [u8; 8] = id.try_into().ok()?;
            if self.premaster.len() >= MAX_HANDSHAKES && !self.premaster.contains_key(&start) {
                return None;
            }
            self.premaster.insert(start, secret);
            return Some(true);
        }
        let slot: fn(&mut Secrets) -> &mut Option<Vec<u8>> = match label {
            b"CLIENT_RANDOM" => |secrets| &mut secrets.master,
            b"CLIENT_EARLY_TRAFFIC_SECRET" => |secrets| &mut secrets.client_early,
            b"CLIENT_HANDSHAKE_TRAFFIC_SECRET" => |secrets| &mut secrets.client_handshake,
            b"SERVER_HANDSHAKE_TRAFFIC_SECRET" => |secrets| &mut secrets.server_handshake,
            b"CLIENT_TRAFFIC_SECRET_0" => |secrets| &mut secrets.client_application,
            b"SERVER_TRAFFIC_SECRET_0" => |secrets| &mut secrets.server_application,
            label => {
                let known = label.iter().all(|byte| byte.is_ascii_uppercase() || matches!(byte, b'_' | b'0'..=b'9'));
                return known.then_some(false);
            }
        };
        let random: [u8; 32] = id.try_into().ok()?;
        if self.handshakes.len() >= MAX_HANDSHAKES && !self.handshakes.contains_key(&random) {
            return None;
        }
        *slot(self.handshakes.entry(random).or_default()) = Some(secret);
        Some(true)
    }

    pub(super) fn of(&self, client_random: &[u8; 32]) -> Option<&Secrets> {
        self.handshakes.get(client_random)
    }

    /// The premaster secret whose encrypted form starts with these bytes.
    pub(super) fn premaster(&self, encrypted: &[u8]) -> Option<&[u8]> {
        self.premaster.get(encrypted.get(..8)?).map(Vec::as_slice)
    }

    /// Whether there are premaster secrets, which require keeping a handshake's messages.
    pub(super) fn has_premaster(&self) -> bool {
        !self.premaster.is_empty()
    }
}

fn from_hex(text: &[u8]) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    text.chunks_exact(2)
        .map(|pair| match pair {
            [high, low] => Some(digit(high)? << 4 | digit(low)?),
            _ => None,
        })
        .collect()
}

impl fmt::Debug for KeyLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyLog").field("handshakes", &self.handshakes.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_every_kind() {
        let random = "11".repeat(32);
        let text = format!(
            "# SSL/TLS secrets log file, generated by OpenSSL\r\n\
             CLIENT_RANDOM {random} {}\r\n\
             SERVER_HANDSHAKE_TRAFFIC_SECRET {random} AAbb\n\
             EXPORTER_SECRET {random} 0011\n\
             RSA 0102030405060708 0303\n\
             RSA 01020304 0303\n\
             \n\
             CLIENT_RANDOM {random}\n\
             CLIENT_RANDOM 1111 22\n\
             -----BEGIN CERTIFICATE-----\n",
            "22".repeat(48)
        );
        let mut keys = KeyLog::default();
        assert_eq!(keys.add(text.as_bytes()), KeyLogLines { secrets: 3, unread: 4 });
        let secrets = keys.of(&[0x11; 32]).unwrap();
        assert_eq!(secrets.master.as_deref(), Some(&[0x22; 48][..]));
        assert_eq!(secrets.server_handshake.as_deref(), Some(&[0xaa, 0xbb][..]));
        assert!(secrets.client_handshake.is_none() && keys.of(&[0; 32]).is_none());
        assert_eq!(keys.premaster(&[1, 2, 3, 4, 5, 6, 7, 8, 9]), Some(&[3, 3][..]));
        assert!(!format!("{keys:?}").contains("22"), "secrets are never shown");
    }
}
