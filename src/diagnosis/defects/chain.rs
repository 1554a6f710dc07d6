//! In: what a server sends. Out: what shows that a certificate of the chain is missing, its root unknown, or its order not
//! that of RFC 5246 section 7.4.2. Bounded: by what was sent. Left to others: who refuses that.

use std::sync::Arc;

use super::sight::Sight;
use crate::trust::ChainStatus;
use crate::x509::Certificate;

fn name(certificate: &Certificate) -> String {
    format!("\"{}\"", certificate.subject().short())
}

/// The first link that is missing, where certificates are missing: its name, and whether it is the leaf's issuer.
fn missing(sight: &Sight<'_>) -> Option<(String, bool)> {
    let first = sight.chain.missing.first().filter(|_| sight.chain.status == ChainStatus::MissingIntermediate)?;
    let of_leaf = sight.leaf().is_some_and(|leaf| leaf.sha256() == first.below.sha256());
    Some((format!("the intermediate \"{}\" is missing", first.subject.short()), of_leaf))
}

pub(super) fn leaf_alone(sight: &Sight<'_>) -> Option<String> {
    let (what, _) = missing(sight).filter(|_| sight.sent.len() == 1)?;
    Some(what)
}

pub(super) fn upper_missing(sight: &Sight<'_>) -> Option<String> {
    let (what, of_leaf) = missing(sight)?;
    (!of_leaf).then_some(what)
}

pub(super) fn lower_missing(sight: &Sight<'_>) -> Option<String> {
    let (what, of_leaf) = missing(sight)?;
    (of_leaf && sight.sent.len() > 1 && others_are_on_path(sight)).then_some(what)
}

pub(super) fn wrong_intermediate(sight: &Sight<'_>) -> Option<String> {
    let (what, of_leaf) = missing(sight)?;
    (of_leaf && sight.sent.len() > 1 && !others_are_on_path(sight)).then_some(what)
}

fn others_are_on_path(sight: &Sight<'_>) -> bool {
    sight.sent.iter().skip(1).any(|certificate| place(sight, certificate).is_some())
}

/// The place of a certificate on the judged path, the leaf's being 0.
fn place(sight: &Sight<'_>, certificate: &Certificate) -> Option<usize> {
    let path = sight.chain.longest_path()?;
    path.steps.iter().position(|step| step.certificate.as_ref().is_some_and(|c| c.sha256() == certificate.sha256()))
}

/// The root at which a whole chain ends that is none of the anchors.
fn unknown_root<'a>(sight: &'a Sight<'_>) -> Option<&'a Arc<Certificate>> {
    let whole = sight.chain.status == ChainStatus::UntrustedRoot && sight.root_is_absent;
    sight.chain.longest_path().filter(|_| whole)?.top()
}

fn ends_at(root: &Certificate) -> String {
    let name = if root.is_self_issued() { root.subject() } else { root.issuer() };
    format!("the chain ends at \"{}\", which is not trusted", name.short())
}

fn is_sent(sight: &Sight<'_>, root: &Certificate) -> bool {
    sight.sent.iter().any(|certificate| certificate.sha256() == root.sha256() && root.is_self_issued())
}

pub(super) fn root_unknown(sight: &Sight<'_>) -> Option<String> {
    let root = unknown_root(sight).filter(|root| sight.sent.len() > 1 && !is_sent(sight, root))?;
    Some(ends_at(root))
}

pub(super) fn root_unknown_sent(sight: &Sight<'_>) -> Option<String> {
    let root = unknown_root(sight).filter(|root| sight.sent.len() > 1 && is_sent(sight, root))?;
    Some(ends_at(root))
}

pub(super) fn one_tier_root_unknown(sight: &Sight<'_>) -> Option<String> {
    let root = unknown_root(sight).filter(|root| sight.sent.len() == 1 && !is_sent(sight, root))?;
    Some(ends_at(root))
}

pub(super) fn self_signed(sight: &Sight<'_>) -> Option<String> {
    let root = unknown_root(sight).filter(|root| sight.sent.len() == 1 && is_sent(sight, root))?;
    Some(format!("the server's certificate {} is self-signed and not trusted", name(root)))
}

/// The places on the path of what was sent, in the order sent, each once.
fn places(sight: &Sight<'_>) -> Vec<usize> {
    let mut places: Vec<usize> = Vec::new();
    for at in sight.sent.iter().skip(1).filter_map(|certificate| place(sight, certificate)).filter(|at| *at > 0) {
        if !places.contains(&at) {
            places.push(at);
        }
    }
    places
}

pub(super) fn order_reversed(sight: &Sight<'_>) -> Option<String> {
    let places = places(sight);
    let reversed = places.len() > 1 && places.windows(2).all(|pair| matches!(pair, [a, b] if a > b));
    reversed.then(|| "the intermediates are in reverse order".to_owned())
}

pub(super) fn order_shuffled(sight: &Sight<'_>) -> Option<String> {
    let places = places(sight);
    let turns = |up: bool| places.windows(2).any(|pair| matches!(pair, [a, b] if (a < b) == up));
    (turns(true) && turns(false)).then(|| "the certificates of the chain are in mixed order".to_owned())
}

/// A CA comes first, and the last certificate is a leaf whose issuers lead to it.
pub(super) fn leaf_last(sight: &Sight<'_>) -> Option<String> {
    let (first, last) = sight.sent.first().zip(sight.sent.last()).filter(|_| sight.sent.len() > 1)?;
    if !first.is_ca() || last.is_ca() {
        return None;
    }
    let mut top = last;
    for _ in sight.sent {
        if top.sha256() == first.sha256() {
            return Some(format!("the chain is in reverse order: it begins with the CA {}", name(first)));
        }
        top = sight.sent.iter().find(|c| c.subject() == top.issuer() && c.sha256() != top.sha256())?;
    }
    None
}

fn twice<'a>(sight: &'a Sight<'_>) -> impl Iterator<Item = (usize, &'a Arc<Certificate>)> {
    let first = |certificate: &Certificate| sight.sent.iter().position(|c| c.sha256() == certificate.sha256());
    sight.sent.iter().enumerate().filter_map(move |(at, certificate)| {
        let first = first(certificate)?;
        (first < at).then_some((first, certificate))
    })
}

pub(super) fn leaf_twice(sight: &Sight<'_>) -> Option<String> {
    let (_, leaf) = twice(sight).find(|(first, _)| *first == 0)?;
    Some(format!("the server's certificate {} is sent twice", name(leaf)))
}

pub(super) fn intermediate_twice(sight: &Sight<'_>) -> Option<String> {
    let (_, certificate) = twice(sight).find(|(first, _)| *first > 0)?;
    Some(format!("{} is sent twice", name(certificate)))
}

pub(super) fn root_sent(sight: &Sight<'_>) -> Option<String> {
    let root = sight.form.root.as_ref().filter(|_| unknown_root(sight).is_none())?;
    Some(format!("the root \"{root}\" is sent too"))
}

/// A certificate that belongs to another chain, and whether certificates of this one follow it.
fn unrelated(sight: &Sight<'_>, between: bool) -> Option<String> {
    let follows = |at: usize| sight.sent.iter().skip(at + 1).any(|c| place(sight, c).is_some());
    let at = sight.form.unrelated.iter().find(|at| follows(**at) == between)?;
    Some(format!("{} is sent too, which has nothing to do with the chain", name(sight.sent.get(*at)?)))
}

pub(super) fn unrelated_last(sight: &Sight<'_>) -> Option<String> {
    unrelated(sight, false)
}

pub(super) fn unrelated_between(sight: &Sight<'_>) -> Option<String> {
    unrelated(sight, true)
}
