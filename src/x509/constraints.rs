//! In: a parsed name constraints extension (RFC 5280 section 4.2.1.10). Out: its subtrees as plain values. Bounded: by
//! the extension. Left to others: whether a name lies within them (`permitted`).

use std::net::IpAddr;

use x509_parser::extensions::{GeneralName, GeneralSubtree, NameConstraints as ParsedConstraints};

use super::name::Name;

/// The name constraints of a CA certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameConstraints {
    /// If there are subtrees of a kind here, every name of that kind must lie in one of them.
    pub permitted: Subtrees,
    /// No name may lie in any of these.
    pub excluded: Subtrees,
    /// Whether the extension is critical, as it must be.
    pub critical: bool,
}

/// Subtrees by the kind of name, as written in the extension.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subtrees {
    /// A domain and all below it.
    pub dns: Vec<String>,
    /// A directory name and all below it.
    pub directory: Vec<Name>,
    /// IP networks.
    pub ip: Vec<IpSubnet>,
    /// A mailbox, a host, or `.domain` for all hosts below it.
    pub email: Vec<String>,
    /// A host, or `.domain` for all hosts below it.
    pub uri: Vec<String>,
    /// Whether there is a subtree of another kind, or one that cannot be read. These are not judged.
    pub unsupported: bool,
}

/// An IP network: an address, and a mask of the bits that count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IpSubnet {
    /// Network address.
    pub address: IpAddr,
    /// Mask, of the same family.
    pub mask: IpAddr,
}

impl NameConstraints {
    pub(super) fn from_parsed(parsed: &ParsedConstraints<'_>, critical: bool) -> Self {
        Self {
            permitted: Subtrees::from_parsed(parsed.permitted_subtrees.as_deref().unwrap_or_default()),
            excluded: Subtrees::from_parsed(parsed.excluded_subtrees.as_deref().unwrap_or_default()),
            critical,
        }
    }
}

impl Subtrees {
    /// Whether there is no subtree of any kind.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn from_parsed(parsed: &[GeneralSubtree<'_>]) -> Self {
        let mut subtrees = Self::default();
        for subtree in parsed {
            match &subtree.base {
                GeneralName::DNSName(name) => subtrees.dns.push((*name).to_owned()),
                GeneralName::RFC822Name(name) => subtrees.email.push((*name).to_owned()),
                GeneralName::URI(name) => subtrees.uri.push((*name).to_owned()),
                GeneralName::DirectoryName(name) => match Name::from_der(name.as_raw()) {
                    Some(name) => subtrees.directory.push(name),
                    None => subtrees.unsupported = true,
                },
                GeneralName::IPAddress(bytes) => match IpSubnet::from_bytes(bytes) {
                    Some(subnet) => subtrees.ip.push(subnet),
                    None => subtrees.unsupported = true,
                },
                _ => subtrees.unsupported = true,
            }
        }
        subtrees
    }
}

impl IpSubnet {
    /// Whether `address` is of the same family and agrees in every bit of the mask.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (address, self.address, self.mask) {
            (IpAddr::V4(a), IpAddr::V4(b), IpAddr::V4(mask)) => (a.to_bits() ^ b.to_bits()) & mask.to_bits() == 0,
            (IpAddr::V6(a), IpAddr::V6(b), IpAddr::V6(mask)) => (a.to_bits() ^ b.to_bits()) & mask.to_bits() == 0,
            _ => false,
        }
    }

    /// From address and mask, one after the other: 8 or 32 bytes.
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (address, mask) = bytes.split_at_checked(bytes.len() / 2)?;
        let address = ip_from_bytes(address)?;
        Some(Self { address, mask: ip_from_bytes(mask)? })
    }
}

/// An address of 4 or 16 bytes.
pub(super) fn ip_from_bytes(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_need_not_be_a_prefix() {
        let subnet = IpSubnet::from_bytes(&[10, 9, 8, 0, 255, 255, 255, 0]).unwrap();
        assert!(subnet.contains([10, 9, 8, 77].into()) && !subnet.contains([10, 9, 9, 77].into()));
        assert!(!subnet.contains("::1".parse().unwrap()));
        assert!(IpSubnet::from_bytes(&[1, 2, 3]).is_none() && IpSubnet::from_bytes(&[]).is_none());
    }
}
