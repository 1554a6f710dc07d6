//! What to do about certificates outside their dates (CG006, CG007).
//!
//! In: a judged handshake. Out: remedies, by whose certificate it is. Bounded: nothing is kept. Left to others: which
//! certificates are outside their dates. The clock comes last, or first where nothing is valid yet: a device whose clock
//! was reset finds every certificate from its future.

use super::remedy;
use super::skew::set_clock;
use crate::diagnosis::assess::DateFault;
use crate::diagnosis::judged::Judged;
use crate::diagnosis::session::Session;
use crate::x509::Certificate;

/// What to do about the first certificate that has expired.
pub(super) fn replace_expired(session: &Session<'_>, judged: &Judged<'_>) -> Vec<String> {
    let fault = judged.assessment.dates.outside(true).next();
    let mut remedies = fault.map(|fault| replace(session, judged, fault)).unwrap_or_default();
    let mut clock = set_clock(session).into_iter();
    remedies.extend(clock.next().map(|ask| format!("if the dates are right, {ask}")));
    remedies.extend(clock);
    remedies
}

/// What to do where a certificate is not valid yet.
pub(super) fn await_start(session: &Session<'_>) -> Vec<String> {
    let mut remedies = set_clock(session);
    remedies.push("if the clocks are right, issue the certificate anew with an earlier start, or wait for it".into());
    remedies
}

fn replace(session: &Session<'_>, judged: &Judged<'_>, fault: &DateFault) -> Vec<String> {
    let (handshake, name) = (judged.handshake, &fault.name);
    let check = remedy::check(session, handshake);
    let root = || {
        vec![format!(
            "the root \"{name}\" of the device has expired: bring its roots up to date with its firmware, or give the server a certificate of another CA that the device trusts"
        )]
    };
    let Some(certificate) = fault.certificate.as_deref() else { return root() };
    if handshake.own_certificate().is_some_and(|leaf| leaf.sha256() == certificate.sha256()) {
        return vec![format!(
            "renew the server's own certificate, and restart the service: it may still serve the old one\n{check}"
        )];
    }
    if let Some(current) = reissued(session, judged, certificate) {
        let until = current.not_after().date();
        return vec![format!(
            "replace the expired copy of \"{name}\" in what the server sends: its CA has reissued it with the same key, and the current copy is valid until {until}\n{check}"
        )];
    }
    if judged.assessment.dates.beside_path {
        return vec![format!(
            "remove \"{name}\" from what the server sends: the chain holds without it, and some devices follow it all the same\n{check}"
        )];
    }
    if certificate.is_self_issued() {
        return root();
    }
    vec![format!(
        "get the current copy of \"{name}\" from its CA and let the server send that; if there is none, have the server's certificate issued anew by a current CA\n{check}"
    )]
}

/// A certificate for the same name and key that is valid at the time of judgement.
fn reissued<'s>(session: &'s Session<'_>, judged: &'s Judged<'_>, old: &Certificate) -> Option<&'s Certificate> {
    let chain = &judged.assessment.chain;
    let candidates = chain.missing.iter().flat_map(|link| &link.candidates);
    let path = chain.longest_path().into_iter().flat_map(|path| path.certificates());
    let known = path.chain(candidates).chain(session.evidence.certificates.iter().map(|(certificate, _)| certificate));
    known.map(AsRef::as_ref).find(|new: &&Certificate| {
        new.subject() == old.subject()
            && new.public_key() == old.public_key()
            && !new.is_self_issued()
            && new.is_valid_at(judged.assessment.dates.judged_at)
    })
}
