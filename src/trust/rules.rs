//! In: a certificate and those below it in a path. Out: the rule of RFC 5280 section 6.1 that it breaks, if any.
//! Bounded: by a budget, since names are compared with constraints. Left to others: signatures, dates, policies and
//! revocation.

use std::fmt;

use super::budget::Budget;
use crate::x509::{Certificate, Departure, NameConstraints, Subtrees};

/// What the leaf is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// It identifies a TLS server.
    Server,
    /// It identifies a TLS client.
    Client,
}

impl Purpose {
    /// The key purpose of RFC 5280 section 4.2.1.12, as a dotted OID.
    pub(super) fn oid(self) -> &'static str {
        match self {
            Self::Server => "1.3.6.1.5.5.7.3.1",
            Self::Client => "1.3.6.1.5.5.7.3.2",
        }
    }

    /// Whether the extended key usage of a certificate allows it (RFC 5280 section 4.2.1.12). Above the leaf it
    /// restricts what the certificates below are good for, as all common verifiers have it.
    fn is_permitted_by(self, certificate: &Certificate) -> bool {
        match self {
            Self::Server => certificate.permits_server_auth(),
            Self::Client => certificate.permits_client_auth(),
        }
    }
}

/// Why a certificate cannot take its place in a path; mostly, why it is not the issuer that its name says it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Its key did not make the signature.
    KeyMismatch,
    /// The signature cannot be checked: in words, what is not supported.
    Unsupported(String),
    /// It is not a CA certificate (RFC 5280 section 6.1.4 (k)).
    NotCa,
    /// Its key usage does not include keyCertSign (section 6.1.4 (n)).
    KeyUsage,
    /// More intermediates follow than its pathLenConstraint allows (section 6.1.4 (l) and (m)).
    PathLength,
    /// Its extended key usage does not include the leaf's [`Purpose`] (section 4.2.1.12).
    ExtendedKeyUsage,
    /// A name below it lies outside its name constraints (section 6.1.3 (b) and (c)): in words, which.
    NameConstraints(String),
    /// It holds a critical extension that is not known here (section 6.1.4 (o)): the dotted OID.
    CriticalExtension(String),
    /// The device's store does not trust it for the leaf's [`Purpose`], though it holds it: in words, what its trust
    /// settings do (D-TRUST-14).
    Distrusted(&'static str),
    /// Its form departs from the profile of sections 4.1 and 4.2. Only looked for where the verifier is known to
    /// (D-TRUST-13).
    Form(Departure),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyMismatch => f.write_str("its key did not make the signature"),
            Self::Unsupported(algorithm) => write!(f, "the signature cannot be checked here ({algorithm})"),
            Self::NotCa => f.write_str("it is not a CA certificate"),
            Self::KeyUsage => f.write_str("its key usage does not allow it to sign certificates"),
            Self::PathLength => f.write_str("its path length constraint allows fewer certificates below it"),
            Self::ExtendedKeyUsage => f.write_str("its extended key usage leaves out this use"),
            Self::NameConstraints(why) => write!(f, "its name constraints forbid it: {why}"),
            Self::CriticalExtension(oid) => write!(f, "it holds the critical extension {oid}, which is not known here"),
            Self::Distrusted(how) => return write!(f, "its trust settings (OpenSSL's TRUSTED CERTIFICATE) {how}"),
            Self::Form(departure) => return write!(f, "{departure}"),
        }?;
        self.section().map_or(Ok(()), |section| write!(f, " (RFC 5280 section {section})"))
    }
}

impl Fault {
    /// The section of RFC 5280 whose rule is broken; `None` where nothing is known to be.
    pub fn section(&self) -> Option<&'static str> {
        Some(match self {
            Self::Unsupported(_) | Self::Distrusted(_) => return None,
            Self::KeyMismatch => "6.1.3 (a)",
            Self::NotCa => "6.1.4 (k)",
            Self::KeyUsage => "6.1.4 (n)",
            Self::PathLength => "6.1.4 (m)",
            Self::ExtendedKeyUsage => "4.2.1.12",
            Self::NameConstraints(_) => "6.1.3 (b)",
            Self::CriticalExtension(_) => "6.1.4 (o)",
            Self::Form(departure) => departure.section,
        })
    }
}

/// Where the form of a leaf departs from RFC 5280, and what its key usage leaves out.
pub(super) fn departures_of_leaf(leaf: &Certificate, purpose: Purpose) -> Vec<Fault> {
    let serves = leaf.key_usage().is_none_or(|usage| match purpose {
        Purpose::Server => usage.digital_signature() || usage.key_encipherment() || usage.key_agreement(),
        Purpose::Client => usage.digital_signature() || usage.key_agreement(),
    });
    let unfit = Departure { section: "4.2.1.12", what: "its key usage leaves out what TLS needs".to_owned() };
    leaf.departures().into_iter().chain((!serves).then_some(unfit)).map(Fault::Form).collect()
}

/// Where the form of an issuer's certificate above `below` departs from RFC 5280.
pub(super) fn departures_of_issuer<'a>(
    issuer: &Certificate,
    below: impl Iterator<Item = &'a Certificate>,
) -> Vec<Fault> {
    let unjudged = bound_by_names(below).any(|certificate| issuer.constrains_unjudged_names_of(certificate));
    let what = "its name constraints concern a kind of name that is not judged here, and one below it has such a name";
    let departure = unjudged.then(|| Departure { section: "4.2.1.10", what: what.to_owned() });
    issuer.departures().into_iter().chain(departure).map(Fault::Form).collect()
}

/// Where a certificate does not point at its issuer's as RFC 5280 requires. One of two certificates with the issuer's
/// key may be pointed at, and the other not.
pub(super) fn departures_of_link(child: &Certificate, issuer: &Certificate) -> Vec<Fault> {
    let by_key = ("4.2.1.2", "its authority key identifier is not its issuer's subject key identifier");
    let by_name = ("4.2.1.1", "its authority key identifier names another certificate than its issuer's");
    let broken = [(child.names_other_key(issuer), by_key), (child.names_other_certificate(issuer), by_name)]
        .into_iter()
        .filter(|(broken, _)| *broken);
    broken.map(|(_, (section, what))| Fault::Form(Departure { section, what: what.to_owned() })).collect()
}

/// The rules that a leaf breaks.
pub(super) fn broken_by_leaf(leaf: &Certificate, purpose: Purpose) -> impl Iterator<Item = Fault> {
    let other_use = (!purpose.is_permitted_by(leaf)).then_some(Fault::ExtendedKeyUsage);
    unknown_critical(leaf).into_iter().chain(other_use)
}

/// The first rule that `issuer` breaks above `below`, a path with its leaf first; `None` as well once the budget is
/// spent.
pub(super) fn broken_by_issuer<'a>(
    issuer: &Certificate,
    below: impl Iterator<Item = &'a Certificate> + Clone,
    purpose: Purpose,
    budget: &mut Budget,
) -> Option<Fault> {
    if !issuer.is_ca() {
        return Some(Fault::NotCa);
    }
    if issuer.key_usage().is_some_and(|usage| !usage.key_cert_sign()) {
        return Some(Fault::KeyUsage);
    }
    // Self-issued certificates do not count, and neither does the leaf.
    let counted = below.clone().skip(1).filter(|certificate| !certificate.is_self_issued()).count();
    let allowed = issuer.basic_constraints().and_then(|constraints| constraints.path_len);
    if allowed.is_some_and(|allowed| u32::try_from(counted).map_or(true, |counted| counted > allowed)) {
        return Some(Fault::PathLength);
    }
    if !purpose.is_permitted_by(issuer) {
        return Some(Fault::ExtendedKeyUsage);
    }
    if let Some(constraints) = issuer.name_constraints() {
        for certificate in bound_by_names(below) {
            if !budget.spend_on_comparisons(comparisons(constraints, certificate)) {
                return None;
            }
            if let Some(why) = constraints.violation(certificate) {
                return Some(Fault::NameConstraints(why));
            }
        }
    }
    unknown_critical(issuer)
}

/// The certificates of a path that name constraints above it are for: self-issued ones are not, unless the leaf is one
/// (RFC 5280 section 4.2.1.10).
fn bound_by_names<'a>(below: impl Iterator<Item = &'a Certificate>) -> impl Iterator<Item = &'a Certificate> {
    let bound = below.enumerate().filter(|(at, certificate)| *at == 0 || !certificate.is_self_issued());
    bound.map(|(_, certificate)| certificate)
}

fn unknown_critical(certificate: &Certificate) -> Option<Fault> {
    certificate.unknown_critical_extensions().first().map(|oid| Fault::CriticalExtension(oid.clone()))
}

/// The most comparisons that can be needed to tell whether the names of a certificate are allowed.
fn comparisons(constraints: &NameConstraints, certificate: &Certificate) -> usize {
    let subtrees = |of: &Subtrees| of.dns.len() + of.directory.len() + of.ip.len() + of.email.len() + of.uri.len();
    let names = certificate.dns_names().len()
        + certificate.ip_addresses().len()
        + certificate.email_addresses().len()
        + certificate.uris().len()
        + certificate.directory_names().len();
    names.saturating_add(1).saturating_mul(subtrees(&constraints.permitted) + subtrees(&constraints.excluded))
}
