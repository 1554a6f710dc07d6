//! Stand-ins for addresses, names and files: the same thing has the same stand-in throughout.
//!
//! In: an address, a name, a file. Out: its stand-in. Bounded: by the report. Left to others: where they are used.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::names::with_port;
use crate::trust::Profile;

/// The top-level domain of hosts' stand-ins (RFC 2606, section 2).
pub(super) const EXAMPLE: &str = ".example";

/// The stand-ins given so far.
#[derive(Default)]
pub(super) struct StandIns {
    /// Numbers of stand-ins, by kind and by what they replace.
    known: BTreeMap<(&'static str, String), u32>,
    /// How many of each kind there are.
    counts: BTreeMap<&'static str, u32>,
    /// Addresses that are no guess.
    addresses: BTreeSet<IpAddr>,
}

impl StandIns {
    /// Addresses that are no guess.
    pub(super) fn know(&mut self, address: Option<IpAddr>) {
        self.addresses.extend(address);
    }

    /// A built-in profile keeps its name; one of the user's is redacted as a name or a file.
    pub(super) fn profile(&mut self, name: &str) -> String {
        if matches!(name, "auto" | "none") || Profile::names().contains(&name) {
            name.to_owned()
        } else if name.contains(['.', '/', '\\']) {
            self.file(name)
        } else {
            self.stand_in("profile", name)
        }
    }

    /// The stand-in for a file, which keeps its extension; standard input stays.
    pub(super) fn file(&mut self, path: &str) -> String {
        if path == "-" {
            return path.to_owned();
        }
        let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
        let end = name.rsplit_once('.').map(|(_, end)| end);
        let end = end.filter(|end| (1..=6).contains(&end.len()) && end.chars().all(|c| c.is_ascii_alphanumeric()));
        let stand_in = self.stand_in("file", path);
        end.map_or(stand_in.clone(), |end| format!("{stand_in}.{end}"))
    }

    /// An address, perhaps with a port behind it.
    pub(super) fn address(&mut self, word: &str) -> Option<String> {
        let octets: Vec<_> = word.split([':', '-']).collect();
        if octets.len() == 6 && octets.iter().all(|octet| octet.len() == 2 && u8::from_str_radix(octet, 16).is_ok()) {
            let [.., c, d] = self.number("card", &word.to_ascii_lowercase()).to_be_bytes();
            return Some(format!("02:00:00:00:{c:02x}:{d:02x}"));
        }
        // `2001:db8::1:443` is also an address by itself: if the one without the port is known, that one is meant.
        let parted = with_port(word).and_then(|(address, port)| Some((address.parse().ok()?, port)));
        let whole = word.parse::<IpAddr>();
        let (address, port) = match (parted, whole) {
            (Some((address, port)), whole) if whole.is_err() || self.addresses.contains(&address) => {
                (address, format!(":{port}"))
            }
            (_, Ok(address)) if word.len() > 2 => (address, String::new()),
            _ => return None,
        };
        let number = self.number("address", &address.to_string());
        // The networks of RFC 2544 and RFC 3849, which no site uses.
        let stand_in = match address {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::from_bits(0xc612_0000 | (number & 0x1_ffff))),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::from_bits(0x2001_0db8_u128 << 96 | u128::from(number))),
        };
        Some(format!("{stand_in}{port}"))
    }

    pub(super) fn host(&mut self, name: &str) -> String {
        self.stand_in("host", &name.to_ascii_lowercase()) + EXAMPLE
    }

    /// As many other digits.
    pub(super) fn hex(&mut self, digits: &str) -> String {
        let number = self.number("digits", digits);
        format!("{number:0width$x}", width = digits.len())
    }

    pub(super) fn stand_in(&mut self, kind: &'static str, real: &str) -> String {
        format!("{kind}-{}", self.number(kind, real))
    }

    /// The number of a stand-in: from 1, in the order in which things are met.
    pub(super) fn number(&mut self, kind: &'static str, real: &str) -> u32 {
        let count = self.counts.entry(kind).or_default();
        *self.known.entry((kind, real.to_owned())).or_insert_with(|| {
            *count += 1;
            *count
        })
    }
}
