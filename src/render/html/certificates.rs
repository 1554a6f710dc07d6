//! In: the report's certificates. Out: each in full, once, at the end of the page, and links to them from everywhere else.
//! Bounded: by the report.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::parts::{capture_and_frame, copied, fact};
use crate::render::shared::Scope;
use crate::render::shared::words::{clean, name_of, short_name};
use crate::report::{Certificate, Report};

/// The most places listed for one certificate.
const PLACES: usize = 20;

/// The most names named in one sentence.
const NAMED: usize = 6;

/// The place of each certificate in the page. Places are numbers, so that nothing from a capture becomes an address.
pub(super) struct Shelf<'a> {
    places: BTreeMap<&'a str, (usize, &'a Certificate)>,
}

impl<'a> Shelf<'a> {
    pub(super) fn of(report: &'a Report) -> Self {
        let numbered = report.certificates.iter().enumerate();
        Self { places: numbered.map(|(n, (sha, certificate))| (sha.as_str(), (n + 1, certificate))).collect() }
    }

    pub(super) fn certificate(&self, sha256: &str) -> Option<&'a Certificate> {
        self.places.get(sha256).map(|(_, certificate)| *certificate)
    }

    /// A name, linked to its certificate where the report holds it.
    pub(super) fn link(&self, sha256: Option<&str>, name: &str) -> Markup {
        match sha256.and_then(|sha| self.places.get(sha)) {
            Some((n, _)) => html! { a href={ "#c" (n) } { (name) } },
            None => html! { span { (name) } },
        }
    }
}

/// Short names of certificates, in words.
pub(super) fn names(scope: &Scope<'_>, list: &[String]) -> String {
    let mut names: Vec<String> = list.iter().take(NAMED).map(|sha| name_of(&scope.report.certificates, sha)).collect();
    if list.len() > NAMED {
        names.push(format!("{} more", list.len() - NAMED));
    }
    names.join(", ")
}

/// All certificates in full.
pub(super) fn all(scope: &Scope<'_>) -> Markup {
    let certificates = &scope.report.certificates;
    if certificates.is_empty() {
        return html! {};
    }
    html! {
        section aria-labelledby="certificates" {
            h2 id="certificates" { "Certificates" }
            @for (index, (sha, certificate)) in certificates.iter().enumerate() {
                details.certificate {
                    summary {
                        b { (short_name(&certificate.subject)) }
                        span.dim { " issued by " (short_name(&certificate.issuer)) }
                    }
                    dl id={ "c" (index + 1) } { (in_full(scope, sha, certificate)) }
                }
            }
        }
    }
}

fn in_full(scope: &Scope<'_>, sha: &str, certificate: &Certificate) -> Markup {
    let pem = certificate.der.as_bytes().chunks(64).map(String::from_utf8_lossy).collect::<Vec<_>>().join("\n");
    let kind = if certificate.ca { "CA: may issue certificates" } else { "end entity: may not issue certificates" };
    html! {
        (fact("Subject", Some(&certificate.subject)))
        (fact("Issuer", Some(&certificate.issuer)))
        (fact("Serial number", Some(&certificate.serial)))
        (fact("Valid from", certificate.not_before.as_deref()))
        (fact("Valid until", certificate.not_after.as_deref()))
        (fact("Key", certificate.key.as_deref()))
        (fact("Signature", certificate.signature_algorithm.as_deref()))
        (fact("Kind", Some(kind)))
        (fact("Names", joined(&certificate.names).as_deref()))
        (fact("Key identifier", certificate.key_id.as_deref()))
        (fact("Issuer's key identifier", certificate.issuer_key_id.as_deref()))
        (fact("Issuer offered at", joined(&certificate.ca_issuers).as_deref()))
        (fact("SHA-256", Some(sha)))
        (fact("Could not be read", joined(&certificate.problems).as_deref()))
        dt { "Seen" }
        dd {
            @for found in certificate.seen.iter().take(PLACES) {
                div { (capture_and_frame(scope, &found.capture, found.frame)) ", " (clean(&found.how)) }
            }
            @if certificate.seen.is_empty() { "nowhere" }
            @if certificate.seen.len() > PLACES { div { "… " (certificate.seen.len() - PLACES) " more" } }
        }
        dt.pem { "PEM" }
        dd.pem { (copied(&format!("-----BEGIN CERTIFICATE-----\n{pem}\n-----END CERTIFICATE-----"))) }
    }
}

fn joined(list: &[String]) -> Option<String> {
    (!list.is_empty()).then(|| list.join(", "))
}
