//! In: what a server sends, and when. Out: what shows that a certificate of the path is outside its dates, or that the
//! server sends another way that is, beside the one that holds. Bounded: by what was sent. Left to others: who refuses
//! that: verifiers that follow the first issuer they come upon.

use std::sync::Arc;

use super::sight::Sight;
use crate::diagnosis::assess::{DateFault, Dated};
use crate::trust::{Anchor, Step};
use crate::x509::Certificate;

fn in_words(fault: &DateFault, what: &str) -> String {
    let limit = if fault.expired { "expired on" } else { "is valid only from" };
    format!("{what} \"{}\" {limit} {}", fault.name, fault.limit.date())
}

fn is_leaf(sight: &Sight<'_>, fault: &DateFault) -> bool {
    let own = sight.leaf().map(|leaf| leaf.sha256());
    fault.certificate.as_ref().map(|certificate| certificate.sha256()) == own
}

pub(super) fn leaf(sight: &Sight<'_>, expired: bool) -> Option<String> {
    let fault = sight.faults.iter().find(|fault| fault.expired == expired && is_leaf(sight, fault))?;
    Some(in_words(fault, "the server's certificate"))
}

pub(super) fn intermediate(sight: &Sight<'_>, expired: bool) -> Option<String> {
    let links = sight.faults.iter().filter(|fault| fault.of == Dated::Link && !is_leaf(sight, fault));
    let fault = links.clone().find(|fault| fault.expired == expired)?;
    Some(in_words(fault, "the intermediate"))
}

pub(super) fn anchor(sight: &Sight<'_>) -> Option<String> {
    let fault = sight.faults.iter().find(|fault| fault.of != Dated::Link && fault.expired)?;
    Some(in_words(fault, "the root"))
}

/// A certificate that was sent beside the path, for the name and key of a step of it.
struct Beside<'a> {
    at: usize,
    certificate: &'a Arc<Certificate>,
    /// Where the step's own certificate was sent, if both are of one issuer.
    twin: Option<usize>,
}

fn beside<'a>(sight: &'a Sight<'_>) -> impl Iterator<Item = Beside<'a>> {
    let steps = sight.chain.longest_path().map(|path| path.steps.as_slice()).unwrap_or_default();
    let is_step =
        |step: &Step, c: &Certificate| step.certificate.as_ref().is_some_and(|own| own.sha256() == c.sha256());
    let for_step = move |c: &Certificate| {
        steps.iter().skip(1).find(|step| match (&step.certificate, step.anchor) {
            (Some(own), _) => own.subject() == c.subject() && own.public_key() == c.public_key(),
            (None, Some(anchor)) => sight.anchors.get(anchor).is_some_and(|anchor| anchor.is(c)),
            (None, None) => false,
        })
    };
    let others = sight.sent.iter().enumerate().skip(1);
    let others = others.filter(move |(_, c)| !c.is_self_issued() && !steps.iter().any(|step| is_step(step, c)));
    others.filter_map(move |(at, certificate)| {
        let own = for_step(certificate)?.certificate.as_ref().filter(|own| own.issuer() == certificate.issuer());
        let twin = own.and_then(|own| sight.sent.iter().position(|c| c.sha256() == own.sha256()));
        Some(Beside { at, certificate, twin })
    })
}

fn has_expired(sight: &Sight<'_>, certificate: &Certificate) -> bool {
    sight.at > certificate.not_after()
}

fn expired(certificate: &Certificate) -> String {
    let (name, issuer) = (certificate.subject().short(), certificate.issuer().short());
    format!("\"{name}\", issued by \"{issuer}\", expired on {}", certificate.not_after().date())
}

pub(super) fn cross_expired(sight: &Sight<'_>) -> Option<String> {
    let cross = beside(sight).find(|it| it.twin.is_none() && has_expired(sight, it.certificate))?;
    Some(format!("the server sends a cross-certificate beside the chain: {}", expired(cross.certificate)))
}

/// The cross-certificate within its dates, and the anchor that issued it.
fn cross<'a>(sight: &'a Sight<'_>) -> Option<(&'a Certificate, Option<&'a Anchor>)> {
    let cross = beside(sight).find(|it| it.twin.is_none() && !has_expired(sight, it.certificate))?.certificate;
    Some((cross, sight.anchors.iter().find(|anchor| anchor.subject == *cross.issuer())))
}

pub(super) fn cross_to_expired_anchor(sight: &Sight<'_>) -> Option<String> {
    let (cross, anchor) = cross(sight)?;
    let anchor = anchor.filter(|anchor| !anchor.is_valid_at(sight.at))?;
    let ended = anchor.not_after.map(|end| format!(", which expired on {}", end.date())).unwrap_or_default();
    Some(format!(
        "the server sends a cross-certificate for \"{}\" beside the chain that leads to the root \"{}\"{ended}",
        cross.subject().short(),
        anchor.label
    ))
}

pub(super) fn cross_to_unknown_root(sight: &Sight<'_>) -> Option<String> {
    let (cross, anchor) = cross(sight)?;
    let known = anchor.is_some() || sight.sent.iter().any(|c| c.subject() == cross.issuer());
    let (subject, issuer) = (cross.subject().short(), cross.issuer().short());
    (!known).then(|| {
        format!("the server sends a cross-certificate for \"{subject}\" beside the chain that leads to \"{issuer}\", which is not trusted")
    })
}

/// An expired certificate with the name, key and issuer of one of the path, before or behind that one.
fn twin(sight: &Sight<'_>, first: bool) -> Option<String> {
    let is_so = |it: &Beside<'_>| it.twin.is_some_and(|own| (it.at < own) == first);
    let twin = beside(sight).find(|it| is_so(it) && has_expired(sight, it.certificate))?.certificate;
    let place = if first { "before" } else { "behind" };
    Some(format!(
        "the server sends an expired certificate {place} the valid one of the same name and key: {}",
        expired(twin)
    ))
}

pub(super) fn twin_first(sight: &Sight<'_>) -> Option<String> {
    twin(sight, true)
}

pub(super) fn twin_last(sight: &Sight<'_>) -> Option<String> {
    twin(sight, false)
}
