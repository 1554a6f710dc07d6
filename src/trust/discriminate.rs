//! In: a path whose topmost certificate has an issuer that is not at hand. Out: the signs that this issuer is an
//! intermediate, or a root. Bounded: four sentences. Left to others: what follows from them.

use super::anchor::Anchor;
use super::judgement::{Discriminator, Speaks};
use super::path::{Path, StepFrom};
use crate::x509::{Certificate, Name};

/// What `top`, the topmost certificate of a path, tells about its issuer, in four levels, the strongest first.
pub(super) fn discriminators(anchors: &[Anchor], path: &Path, top: &Certificate) -> [Vec<Discriminator>; 4] {
    let issuer = top.issuer();
    let say = |speaks, what: String| Discriminator { speaks, what };
    let mut by_key_id = Vec::new();
    // The issuer's own name there is what a root's certificate asks for, and what CAs put there by mistake (D-TRUST-12).
    if let Some(named) = top.authority_key_id().and_then(|id| id.issuer.as_ref()).filter(|named| *named != issuer) {
        by_key_id
            .push(say(Speaks::Intermediate, format!("its authority key identifier says that {named} issued {issuer}")));
    }
    let mut by_policy = Vec::new();
    // The Baseline Requirements, section 6.1.7, keep the keys of roots from signing such certificates.
    if let Some(policy) = top.policies().iter().find(|policy| !top.is_ca() && is_baseline(policy)) {
        let what = format!("its policy {policy} is one of public CAs, whose roots issue no server certificates");
        by_policy.push(say(Speaks::Intermediate, what));
    }
    let mut by_name = Vec::new();
    if let Some(anchor) = anchors.iter().find(|anchor| same_organization(&anchor.subject, issuer)) {
        by_name.push(say(
            Speaks::Intermediate,
            format!("{issuer} is of the same organization as the device's anchor {}", anchor.subject),
        ));
    }
    if issuer
        .common_name()
        .is_some_and(|name| name.to_lowercase().split(|c: char| !c.is_alphanumeric()).any(|word| word == "root"))
    {
        by_name.push(say(Speaks::Root, format!("{issuer} calls itself a root")));
    }
    let sent_above = path.steps.iter().skip(1).filter(|step| step.from == StepFrom::Sent).count();
    let mut by_sending = Vec::new();
    if sent_above > 0 {
        by_sending.push(say(
            Speaks::Root,
            format!("the server sent intermediates up to it ({sent_above}), and servers send all but the root"),
        ));
    }
    [by_key_id, by_policy, by_name, by_sending]
}

/// Whether a policy is one of the CA/Browser Forum's for server certificates.
fn is_baseline(policy: &str) -> bool {
    policy == "2.23.140.1.1" || policy.starts_with("2.23.140.1.2.")
}

/// Whether both name the same organization or, where the issuer names none, the same domain components.
pub(crate) fn same_organization(anchor: &Name, issuer: &Name) -> bool {
    // Compared as in RFC 5280 section 7.1: letter case and the length of white space do not count.
    let fold = |text: &str| text.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>();
    match (issuer.organization(), anchor.organization()) {
        (Some(a), Some(b)) => fold(a) == fold(b),
        (Some(_), None) => false,
        (None, _) => {
            let (a, b) = (issuer.domain_components(), anchor.domain_components());
            !a.is_empty() && a.iter().map(|c| fold(c)).eq(b.iter().map(|c| fold(c)))
        }
    }
}
