//! In: what a capture file holds besides packets. Out: names, key-log secrets, losses. Bounded: each by its own limit.
//! Left to others: using the names and secrets.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;

use super::record::array;

/// Most addresses kept with their names. Wireshark writes the names of every address in the capture.
const MAX_ADDRESSES: usize = 16_384;
/// Most names kept of one address.
const MAX_NAMES: usize = 8;
/// The longest DNS name in text (RFC 1035, section 2.3.4).
const MAX_NAME: usize = 253;
/// Most bytes of secrets kept: a key log of a hundred thousand connections.
const MAX_SECRETS: usize = 32 << 20;
/// Most interfaces whose losses are reported.
const MAX_LOSSES: usize = 64;

/// Names that a capture gives to addresses, in the order of the addresses.
pub type Names = BTreeMap<IpAddr, Vec<String>>;

/// The text of one TLS key log (draft-ietf-tls-keylogfile) that a capture carried. Printing it shows its length alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Secrets(pub Vec<u8>);

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({} bytes)", self.0.len())
    }
}

/// What a file holds besides packets.
#[derive(Debug, Default)]
pub(super) struct Extras {
    pub(super) names: Names,
    /// Not taken yet.
    pub(super) secrets: Vec<Secrets>,
    secrets_bytes: usize,
    pub(super) secrets_dropped: bool,
    /// Losses that interfaces report, in words.
    pub(super) losses: BTreeSet<String>,
    /// Packets without a time of their own.
    pub(super) untimed: u64,
}

impl Extras {
    /// Takes a record of a name resolution block: an address of kind 1 (IPv4) or 2 (IPv6), then names that end in zero.
    pub(super) fn name(&mut self, kind: u16, value: &[u8]) {
        let (address, names) = match kind {
            1 => (array::<4>(value, 0).map(IpAddr::from), value.get(4..)),
            2 => (array::<16>(value, 0).map(IpAddr::from), value.get(16..)),
            _ => return,
        };
        let (Some(address), Some(names)) = (address, names) else { return };
        if self.names.len() >= MAX_ADDRESSES && !self.names.contains_key(&address) {
            return;
        }
        for name in names.split(|&byte| byte == 0).filter(|name| (1..=MAX_NAME).contains(&name.len())) {
            let name = String::from_utf8_lossy(name).into_owned();
            let known = self.names.entry(address).or_default();
            if known.len() < MAX_NAMES && !known.contains(&name) {
                known.push(name);
            }
        }
    }

    /// Takes what an interface lost.
    pub(super) fn loss(&mut self, words: String) {
        if self.losses.len() < MAX_LOSSES {
            self.losses.insert(words);
        }
    }

    /// Takes a TLS key log.
    pub(super) fn secrets(&mut self, text: &[u8]) {
        self.secrets_bytes = self.secrets_bytes.saturating_add(text.len() + size_of::<Secrets>());
        if self.secrets_bytes > MAX_SECRETS {
            self.secrets_dropped = true;
        } else {
            self.secrets.push(Secrets(text.to_vec()));
        }
    }
}
