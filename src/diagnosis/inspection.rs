//! In: all handshakes. Out: for each capture the issuers that signed certificates a few days old for servers of several
//! owners, as a proxy that inspects TLS does (docs/verdict.md, step 4). Bounded: `MAX_ISSUERS`. Left to others: what follows
//! from it (`trust::judge`).

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::capture::Timestamp;
use crate::evidence::{Evidence, Handshake, Scratch};
use crate::x509::{Certificate, Digest, Name};

/// Issuers that are looked at, over all captures; a capture holds a few dozen.
const MAX_ISSUERS: usize = 1024;
/// Owners of servers from which on one young issuer is conspicuous: a private CA rarely serves three.
const MANY_OWNERS: usize = 3;
/// Owners of which a server is named, as redaction knows names of servers.
const SHOWN_OWNERS: usize = 4;
const DAY: i64 = 86_400_000_000_000;
/// Age in nanoseconds of a certificate that a proxy may have made for this capture. Proxies keep them for some days, and
/// date them back by up to a day.
const YOUNG: std::ops::RangeInclusive<i64> = -DAY..=7 * DAY;

/// What issuers signed in a capture, as a clause, where it is conspicuous.
#[derive(Debug, Default)]
pub(in crate::diagnosis) struct Inspectors(BTreeMap<(u32, Name), String>);

#[derive(Default)]
struct Signed {
    /// A name of a server of each owner, by owner.
    owners: BTreeMap<String, String>,
    /// Whether one of its certificates is older than those that a proxy makes.
    old: bool,
}

impl Inspectors {
    pub(in crate::diagnosis) fn of(evidence: &Evidence) -> Self {
        let mut issuers: BTreeMap<(u32, Name), Signed> = BTreeMap::new();
        for ((capture, _), (leaf, first, last)) in shown(evidence) {
            let key = (capture, leaf.issuer().clone());
            if issuers.len() >= MAX_ISSUERS && !issuers.contains_key(&key) {
                continue;
            }
            let signed = issuers.entry(key).or_default();
            signed.old |= [first, last].iter().any(|at| !YOUNG.contains(&at.since(leaf.not_before())));
            if let Some((owner, name)) = leaf.dns_names().first().and_then(|name| Some((owner(name)?, name))) {
                signed.owners.entry(owner).or_insert_with(|| name.clone());
            }
        }
        let conspicuous = issuers.into_iter().filter(|(_, it)| !it.old && it.owners.len() >= MANY_OWNERS);
        Self(conspicuous.map(|(key, signed)| (key, clause(&signed.owners))).collect())
    }

    /// What the issuer of this handshake's certificate signed, if it is conspicuous.
    pub(in crate::diagnosis) fn of_handshake(&self, handshake: &Handshake) -> Option<&str> {
        let issuer = handshake.own_certificate()?.issuer().clone();
        self.0.get(&(handshake.first.capture, issuer)).map(String::as_str)
    }
}

/// The servers' own certificates in each capture, each with the first and the last time at which one was shown.
fn shown(evidence: &Evidence) -> BTreeMap<(u32, Digest), (Arc<Certificate>, Timestamp, Timestamp)> {
    let (mut shown, mut scratch) = (BTreeMap::new(), Scratch::default());
    let mut note = |handshake: &Handshake| {
        let Some(leaf) = handshake.own_certificate().filter(|leaf| !leaf.is_ca() && !leaf.is_self_issued()) else {
            return;
        };
        let (capture, at) = (handshake.first.capture, handshake.first.time);
        let (_, first, last) = shown.entry((capture, leaf.sha256())).or_insert_with(|| (Arc::clone(leaf), at, at));
        (*first, *last) = (at.min(*first), at.max(*last));
    };
    for index in 0..evidence.devices.len() {
        evidence.devices.show(index, &mut scratch, |device| device.handshakes.iter().for_each(&mut note));
    }
    shown
}

/// The label that most likely names the owner of a domain: the one before the last. Below a public suffix of two labels
/// that is the suffix's own, so that different owners count as one, never one owner as different ones.
fn owner(name: &str) -> Option<String> {
    let mut labels = name.rsplit('.');
    let (_, label) = (labels.next()?, labels.next()?);
    Some(label.to_ascii_lowercase()).filter(|label| !label.is_empty() && label != "*")
}

fn clause(owners: &BTreeMap<String, String>) -> String {
    let shown: Vec<&str> = owners.values().take(SHOWN_OWNERS).map(String::as_str).collect();
    let more = if owners.len() > shown.len() { ", …" } else { "" };
    format!("certificates a few days old for servers of {} owners ({}{more})", owners.len(), shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owner_of_a_domain_is_before_its_last_label() {
        assert_eq!(owner("www.litware.test").as_deref(), Some("litware"));
        assert_eq!(owner("*.litware.test").as_deref(), Some("litware"));
        assert_eq!(owner("a.example.co.uk"), owner("b.other.co.uk"), "cautious where a suffix has two labels");
        assert_eq!((owner("localhost"), owner("*.test")), (None, None));
    }
}
