//! In: the certificates that a server sends, as a verifier comes upon them. Out: what shows that one of them breaks a rule
//! of RFC 5280 section 6.1, or was not signed by the key that its issuer has. Bounded: by what was sent. Left to others:
//! who refuses that.

use super::sight::Sight;
use crate::x509::Certificate;

/// The first CA of which something is true.
fn issuer(sight: &Sight<'_>, is_so: impl Fn(&Certificate) -> bool, what: &str) -> Option<String> {
    let found = sight.issuers().iter().find(|certificate| is_so(certificate))?;
    Some(format!("the intermediate \"{}\" {what}", found.subject().short()))
}

pub(super) fn leaf_purpose(sight: &Sight<'_>) -> Option<String> {
    let leaf = sight.leaf().filter(|leaf| !leaf.permits_server_auth())?;
    Some(format!("the extended key usage of the server's certificate \"{}\" lacks serverAuth", leaf.subject().short()))
}

pub(super) fn issuer_purpose(sight: &Sight<'_>) -> Option<String> {
    issuer(sight, |it| !it.permits_server_auth(), "has an extended key usage that lacks serverAuth")
}

pub(super) fn not_a_ca(sight: &Sight<'_>) -> Option<String> {
    issuer(sight, |it| it.basic_constraints().is_some_and(|constraints| !constraints.ca), "is not a CA's certificate")
}

pub(super) fn without_constraints(sight: &Sight<'_>) -> Option<String> {
    let without = |it: &Certificate| it.basic_constraints().is_none() && it.version() >= 3;
    issuer(sight, without, "has no basic constraints, so that it is not a CA's certificate")
}

pub(super) fn version_1(sight: &Sight<'_>) -> Option<String> {
    issuer(sight, |it| it.version() < 3, "is of an old version of X.509, which does not say that it is a CA's")
}

pub(super) fn may_not_sign(sight: &Sight<'_>) -> Option<String> {
    let lacks = |it: &Certificate| it.key_usage().is_some_and(|usage| !usage.key_cert_sign());
    issuer(sight, lacks, "has a key usage that does not allow it to sign certificates")
}

pub(super) fn path_too_long(sight: &Sight<'_>) -> Option<String> {
    let allowed = |it: &Certificate| it.basic_constraints().and_then(|constraints| constraints.path_len);
    let mut each = sight.issuers().iter().enumerate();
    let (_, found) = each.find(|(below, it)| {
        allowed(it).is_some_and(|allowed| u32::try_from(*below).map_or(true, |below| below > allowed))
    })?;
    Some(format!("the path length of the intermediate \"{}\" is exceeded", found.subject().short()))
}

/// How a name constraint stands to the leaf's names.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Constraint {
    Broken,
    WithDot,
    OneLabel,
}

fn constraint(sight: &Sight<'_>, kind: Constraint) -> Option<String> {
    let leaf = sight.leaf()?;
    let covers = |domain: &str| leaf.dns_names().iter().any(|name| name.ends_with(domain));
    let found = sight.issuers().iter().find_map(|certificate| {
        let constraints = certificate.name_constraints()?;
        let permitted = || constraints.permitted.dns.iter();
        let found = if permitted().any(|domain| domain.starts_with('.') && covers(domain)) {
            Constraint::WithDot
        } else if permitted().any(|domain| !domain.contains('.') && covers(&format!(".{domain}"))) {
            Constraint::OneLabel
        } else {
            constraints.violation(leaf).map(|_| Constraint::Broken)?
        };
        (found == kind).then(|| certificate.subject().short())
    })?;
    let what = match kind {
        Constraint::Broken => "forbids a name of the server's certificate",
        Constraint::WithDot => "is written with a leading dot, which stacks read differently",
        Constraint::OneLabel => "is a single label, which not every stack takes",
    };
    Some(format!("a name constraint of the intermediate \"{found}\" {what}"))
}

pub(super) fn constraint_broken(sight: &Sight<'_>) -> Option<String> {
    constraint(sight, Constraint::Broken)
}

pub(super) fn constraint_with_dot(sight: &Sight<'_>) -> Option<String> {
    constraint(sight, Constraint::WithDot)
}

pub(super) fn constraint_of_one_label(sight: &Sight<'_>) -> Option<String> {
    constraint(sight, Constraint::OneLabel)
}

pub(super) fn critical_in_leaf(sight: &Sight<'_>) -> Option<String> {
    let oid = sight.leaf()?.unknown_critical_extensions().first()?;
    Some(format!("the server's certificate has the critical extension {oid}, which hardly any stack knows"))
}

pub(super) fn critical_in_issuer(sight: &Sight<'_>) -> Option<String> {
    let unknown = |it: &Certificate| !it.unknown_critical_extensions().is_empty();
    issuer(sight, unknown, "has a critical extension that hardly any stack knows")
}

/// A certificate with an issuer's name and another key than the one that signed, and whether the key identifiers say that
/// it is the issuer all the same.
fn mismatch(sight: &Sight<'_>) -> Option<(String, bool)> {
    let other = sight.chain.key_mismatch.as_ref()?;
    let child = sight.sent.iter().find(|it| it.issuer() == other.subject() && it.sha256() != other.sha256())?;
    let identified = child.authority_key_id().is_some_and(|id| id.key_id.is_some()) && !child.names_other_key(other);
    Some((
        format!("the key of \"{}\" did not sign \"{}\"", other.subject().short(), child.subject().short()),
        identified,
    ))
}

pub(super) fn other_key(sight: &Sight<'_>) -> Option<String> {
    mismatch(sight).filter(|(_, identified)| !identified).map(|(what, _)| what)
}

pub(super) fn signature_damaged(sight: &Sight<'_>) -> Option<String> {
    mismatch(sight).filter(|(_, identified)| *identified).map(|(what, _)| what)
}
