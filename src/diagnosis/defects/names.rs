//! In: the server's certificate, and the names or the address that the client asked for. Out: what shows that it is not
//! for them, or only by a rule in which stacks differ (RFC 6125 section 6.4). Bounded: by the names. Left to others: who
//! refuses that.

use super::sight::Sight;
use crate::x509::{Certificate, HostRules};

/// The name asked for that no alternative name covers, where the leaf is for none of the names.
fn uncovered<'a>(sight: &'a Sight<'_>) -> Option<(&'a Certificate, &'a str)> {
    let leaf = sight.leaf()?;
    let covered = |name: &String| leaf.matches_host(name, HostRules::default());
    if sight.names.iter().any(covered) {
        return None;
    }
    Some((leaf, sight.names.first()?))
}

fn is_common_name(leaf: &Certificate, name: &str) -> bool {
    leaf.common_name().is_some_and(|common| common.eq_ignore_ascii_case(name))
}

fn has_alternatives(leaf: &Certificate) -> bool {
    !leaf.dns_names().is_empty() || !leaf.ip_addresses().is_empty()
}

/// How a wildcard of the leaf comes near to a name that it does not cover.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wildcard {
    TwoLabels,
    Doubled,
    Partial,
}

fn wildcard(leaf: &Certificate, name: &str) -> Option<(Wildcard, String)> {
    let near = |pattern: &String| {
        let (label, parent) = pattern.split_once('.')?;
        let (first, rest) = name.split_once('.')?;
        let kind = match label {
            "*" if parent.starts_with("*.") => Wildcard::Doubled,
            "*" => rest.split_once('.').filter(|(_, rest)| ends_with(rest, parent)).map(|_| Wildcard::TwoLabels)?,
            _ => {
                let (before, after) = label.split_once('*').filter(|_| rest.eq_ignore_ascii_case(parent))?;
                (first.starts_with(before) && first.ends_with(after)).then_some(Wildcard::Partial)?
            }
        };
        Some((kind, pattern.clone()))
    };
    leaf.dns_names().iter().find_map(near)
}

fn ends_with(name: &str, parent: &str) -> bool {
    name.eq_ignore_ascii_case(parent)
        || name.to_ascii_lowercase().ends_with(&format!(".{}", parent.to_ascii_lowercase()))
}

fn of_wildcard(sight: &Sight<'_>, kind: Wildcard) -> Option<String> {
    let (leaf, name) = uncovered(sight)?;
    let (_, pattern) = wildcard(leaf, name).filter(|(found, _)| *found == kind)?;
    Some(format!("the server's certificate has {pattern}, which stacks do not agree covers {name}"))
}

pub(super) fn wildcard_for_two_labels(sight: &Sight<'_>) -> Option<String> {
    of_wildcard(sight, Wildcard::TwoLabels)
}

pub(super) fn wildcard_doubled(sight: &Sight<'_>) -> Option<String> {
    of_wildcard(sight, Wildcard::Doubled)
}

pub(super) fn wildcard_partial(sight: &Sight<'_>) -> Option<String> {
    of_wildcard(sight, Wildcard::Partial)
}

pub(super) fn only_in_common_name(sight: &Sight<'_>) -> Option<String> {
    let (_, name) = uncovered(sight).filter(|(leaf, name)| is_common_name(leaf, name) && !has_alternatives(leaf))?;
    Some(format!("{name} is the common name of the server's certificate only, which has no alternative names"))
}

pub(super) fn in_common_name_beside_others(sight: &Sight<'_>) -> Option<String> {
    let (_, name) = uncovered(sight).filter(|(leaf, name)| is_common_name(leaf, name) && has_alternatives(leaf))?;
    Some(format!("{name} is the common name of the server's certificate, and none of its alternative names"))
}

pub(super) fn not_covered(sight: &Sight<'_>) -> Option<String> {
    let (leaf, name) = uncovered(sight)?;
    let nearly = is_common_name(leaf, name) || wildcard(leaf, name).is_some();
    (!nearly).then(|| format!("the server's certificate is not for {name}"))
}

/// The address asked for, where the leaf does not have it as an iPAddress.
fn address<'a>(sight: &'a Sight<'_>) -> Option<(&'a Certificate, &'a str)> {
    let (leaf, address) = (sight.leaf()?, sight.address.as_deref()?);
    let covered = address.parse().is_ok_and(|address| leaf.ip_addresses().contains(&address));
    (!covered).then_some((&**leaf, address))
}

pub(super) fn address_as_dns_name(sight: &Sight<'_>) -> Option<String> {
    let (_, address) = address(sight).filter(|(leaf, address)| leaf.dns_names().iter().any(|name| name == address))?;
    Some(format!("the server's certificate has its address {address} as a DNS name, not as an address"))
}

pub(super) fn address_in_common_name(sight: &Sight<'_>) -> Option<String> {
    let only = |(leaf, address): &(&Certificate, &str)| is_common_name(leaf, address) && !has_alternatives(leaf);
    let (_, address) = address(sight).filter(only)?;
    Some(format!("the server's certificate has its address {address} as its common name only"))
}
