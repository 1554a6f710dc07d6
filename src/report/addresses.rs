//! In: addresses, one after the other. Out: the same, in their order. Bounded: a byte for each character. Left to others:
//! what they are addresses of.
//!
//! A report lists the addresses of hundreds of thousands of devices, so no address is an allocation of its own.

use std::fmt::{self, Display, Write};

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Ends each address. No address, and no stand-in for one, contains it.
const END: char = '\n';

/// Addresses, or stand-ins for them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addresses {
    /// Each address with [`END`] behind it.
    text: String,
    len: usize,
}

impl Addresses {
    /// Adds an address.
    pub fn push(&mut self, address: impl Display) {
        let before = self.text.len();
        // Writing to a string never fails.
        let _ = write!(self.text, "{address}");
        if self.text.get(before..).is_some_and(|address| address.contains(END)) {
            let address = self.text.split_off(before).replace(END, " ");
            self.text.push_str(&address);
        }
        self.text.push(END);
        self.len += 1;
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The addresses, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.text.split_terminator(END)
    }
}

impl<D: Display> Extend<D> for Addresses {
    fn extend<I: IntoIterator<Item = D>>(&mut self, addresses: I) {
        addresses.into_iter().for_each(|address| self.push(address));
    }
}

impl<D: Display> FromIterator<D> for Addresses {
    fn from_iter<I: IntoIterator<Item = D>>(addresses: I) -> Self {
        let mut all = Self::default();
        all.extend(addresses);
        all
    }
}

impl Serialize for Addresses {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Addresses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Strings;

        impl<'de> Visitor<'de> for Strings {
            type Value = Addresses;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of addresses")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Addresses, A::Error> {
                let mut all = Addresses::default();
                while let Some(address) = seq.next_element::<String>()? {
                    all.push(address);
                }
                Ok(all)
            }
        }

        deserializer.deserialize_seq(Strings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_come_back_as_they_went_in() {
        let given = ["10.0.0.1", "fd00::1", "", "device 3"];
        let addresses: Addresses = given.iter().collect();
        assert_eq!((addresses.iter().collect::<Vec<_>>(), addresses.len()), (given.to_vec(), 4));
        let json = serde_json::to_string(&addresses).unwrap();
        assert_eq!(json, r#"["10.0.0.1","fd00::1","","device 3"]"#);
        assert_eq!(serde_json::from_str::<Addresses>(&json).unwrap(), addresses);
        assert!(Addresses::default().is_empty() && Addresses::default().iter().next().is_none());
    }

    #[test]
    fn an_address_of_two_lines_stays_one() {
        let addresses: Addresses = serde_json::from_str(r#"["a\nb","c"]"#).unwrap();
        assert_eq!(addresses.iter().collect::<Vec<_>>(), ["a b", "c"]);
    }
}
