//! Preflight: would this device trust the chain that a server is to send? No capture is needed.
//!
//! In: a chain, a profile, what the user brought, an instant. Out: the judgement, findings, and whether a sign-in would
//! work over USB (with nothing fetched) and after a PIN sign-in (which fetches what the web service hands out).
//! Bounded: two path searches. Left to others: files, the clock, text.

use std::sync::Arc;

use super::Dated;
use super::anchors::DeviceAnchors;
use super::assess::{form, path_faults, unsupported};
use super::code::Code;
use super::finding::{Finding, Severity};
use super::rules::{abilities, chain, dates, names, order, remedy};
use crate::capture::Timestamp;
use crate::evidence::FetchKind;
use crate::trust::{
    Adds, Case, ChainStatus, Judgement, Missing, PathFinder, Pool, Profile, Proof, Purpose, Trust, Verifier, judge,
    rejudge,
};
use crate::words::words;
use crate::x509::Certificate;

words! {
    /// Whether a sign-in would work.
    pub enum Prospect {
        /// It would.
        Works = "works",
        /// It would, if the device can fetch what is absent.
        WorksIfFetched = "works-if-fetched",
        /// It would not.
        Fails = "fails",
        /// What is known does not decide it.
        Undecided = "undecided",
    }
}

/// The answer for one profile.
#[derive(Debug)]
pub struct Preflight {
    /// The profile's name.
    pub profile: String,
    /// The anchors it was judged by.
    pub anchors: Arc<[crate::trust::Anchor]>,
    /// With nothing fetched before.
    pub usb: Prospect,
    /// After a PIN sign-in.
    pub pin: Prospect,
    /// The chain, judged.
    pub chain: Judgement,
    /// What is wrong, gravest first.
    pub findings: Vec<Finding>,
}

/// Judges a chain, leaf first, for one profile.
pub fn preflight(
    sent: &[Arc<Certificate>],
    host: Option<&str>,
    profile: &Profile,
    trust: &Trust,
    at: Timestamp,
    budget: usize,
) -> Preflight {
    let anchors = DeviceAnchors::new(trust, profile);
    let held = trust.held();
    let mut known = Pool::default();
    trust.add_known(&mut known);
    let mut finder = PathFinder::new(budget);
    let verifier = Verifier::of(profile, |_| false);
    let (purpose, list) = (Purpose::Server, &anchors.list);
    let case = Case { sent, purpose, held: &held, anchors: list, known: &known, verifier: &verifier };
    let chain = judge(&mut finder, &case);
    let chain = rejudge(&mut finder, &case, &chain, at).unwrap_or(chain);
    let mut findings: Vec<_> = of_chain(sent, &chain, &anchors).into_iter().collect();
    for fault in path_faults(&chain, &anchors, at) {
        let (code, word) = if fault.expired {
            (Code::CertificateExpired, "expired on")
        } else {
            (Code::CertificateNotYetValid, "is valid only from")
        };
        let mut summary = format!("\"{}\" {word} {} (it is judged at {})", fault.name, fault.limit.date(), at.date());
        let proof = if fault.of == Dated::AnchorPerhaps { Proof::Inferred } else { Proof::Proven };
        if fault.of == Dated::AnchorPerhaps {
            summary = format!("{summary}; {}", dates::PERHAPS);
        }
        findings.push(finding(code, Severity::Error, proof, summary, dates::renew()));
    }
    let rules = profile.host_rules();
    if let Some(name) = host.filter(|name| sent.first().is_some_and(|leaf| !leaf.matches_host(name, rules))) {
        let summary = names::in_words(name);
        findings.push(finding(
            Code::NameMismatch,
            Severity::Error,
            Proof::Proven,
            summary,
            names::add_name(profile.is_lync_phone()),
        ));
    }
    for what in unsupported(profile, &chain, None) {
        let summary = format!("the device cannot use {what}");
        findings.push(finding(
            Code::UnsupportedAlgorithm,
            Severity::Error,
            Proof::Inferred,
            summary,
            abilities::use_supported(),
        ));
    }
    let form = form(&mut finder, sent, &chain);
    if let Some(summary) = not_first(sent) {
        findings.push(finding(Code::ChainOrder, Severity::Error, Proof::Proven, summary, order::send_in_order()));
    } else if let Some((severity, summary)) = order::in_words(&form) {
        findings.push(finding(Code::ChainOrder, severity, Proof::Proven, summary, order::send_in_order()));
    }
    findings.sort_by_key(|finding| (std::cmp::Reverse(finding.severity), finding.code));
    let (usb, pin) = prospects(profile, &chain, &findings);
    Preflight { profile: profile.name.clone(), anchors: anchors.list, usb, pin, chain, findings }
}

/// Says so where the server's own certificate is not the first, as RFC 5246 section 7.4.2 demands. A single certificate
/// that claims to be a CA's may be a self-signed server certificate (D-DIAGNOSIS-33).
fn not_first(sent: &[Arc<Certificate>]) -> Option<String> {
    let (first, others) = sent.split_first()?;
    let own = others.iter().find(|certificate| certificate.is_readable() && !certificate.is_ca());
    let unnamed = first.dns_names().is_empty() && first.ip_addresses().is_empty();
    if !first.is_ca() || others.is_empty() || !(own.is_some() || unnamed) {
        return None;
    }
    let first = format!("the first certificate, \"{}\", is a CA's", first.subject().short());
    Some(match own {
        Some(own) => format!("{first}; the server's own, \"{}\", must stand there", own.subject().short()),
        None => format!("{first}, and the server's own is not among them"),
    })
}

/// The finding about the chain's links. No alert is needed here: the chain itself decides.
fn of_chain(sent: &[Arc<Certificate>], judged: &Judgement, anchors: &DeviceAnchors<'_>) -> Option<Finding> {
    let checked = judged.fault.as_ref().is_none_or(|(_, fault)| chain::is_checked(anchors.profile, fault));
    let inferred_unless = |sure: bool| if sure { Proof::Proven } else { Proof::Inferred };
    let (code, words, remedies, proof) = match judged.status {
        ChainStatus::Trusted | ChainStatus::NotSent | ChainStatus::Hidden => return None,
        ChainStatus::MissingIntermediate => {
            let present = judged.anchor().is_some_and(|index| anchors.presence(index).is_proven());
            let remedies = add_to_server(&judged.missing);
            (Code::MissingIntermediate, chain::missing_in_words(judged), remedies, inferred_unless(present))
        }
        ChainStatus::UntrustedRoot => {
            let absent = anchors.absence().is_proven();
            let words = chain::untrusted_root_in_words("device", judged);
            (Code::UntrustedRoot, words, trust_root(judged), inferred_unless(absent))
        }
        ChainStatus::Invalid if judged.key_mismatch.is_some() => {
            let words = chain::key_mismatch_in_words(judged);
            (Code::IssuerKeyMismatch, words, chain::take_fitting_issuer(), Proof::Proven)
        }
        ChainStatus::Invalid => {
            (Code::ChainInvalid, chain::invalid_in_words(judged), chain::issue_anew(), Proof::Proven)
        }
        ChainStatus::Undetermined => {
            let unread = sent.first().is_some_and(|leaf| !leaf.is_readable());
            let unread = unread.then_some("the server's certificate cannot be read");
            let words = chain::undecided_in_words(judged, unread);
            (Code::ChainCauseUndecided, words, bring_certificates(), Proof::Undecidable)
        }
    };
    let severity = if code == Code::ChainInvalid && !checked { Severity::Warning } else { Severity::Error };
    let proof = proof.min(judged.proof.unwrap_or(Proof::Inferred));
    let mut out = finding(code, severity, proof, words, remedies);
    out.missing = judged.missing.clone();
    out.certificates = sent.to_vec();
    Some(out)
}

fn finding(code: Code, severity: Severity, proof: Proof, summary: String, remedies: Vec<String>) -> Finding {
    Finding { remedies, ..Finding::new(code, severity, proof, summary) }
}

/// Whether a sign-in would work over USB, where the device has only its store, and by PIN, where the web service hands out
/// certificates.
fn prospects(profile: &Profile, chain: &Judgement, findings: &[Finding]) -> (Prospect, Prospect) {
    let links = [Code::MissingIntermediate, Code::UntrustedRoot, Code::ChainCauseUndecided];
    let errors = || findings.iter().filter(|finding| finding.severity == Severity::Error);
    if errors().next().is_none() {
        // A rule is broken that the device is not known to check, nor known to ignore.
        let broken = findings.iter().any(|finding| finding.code == Code::ChainInvalid);
        let prospect = if broken { Prospect::Undecided } else { Prospect::Works };
        return (prospect, prospect);
    }
    if errors().any(|finding| !links.contains(&finding.code)) {
        return (Prospect::Fails, Prospect::Fails);
    }
    let adds = |what| profile.adds(FetchKind::Certprov, what);
    let chases = profile.aia.as_ref().is_some_and(|aia| aia.value);
    let fetchable = chain.missing.iter().all(|missing| !missing.below.ca_issuers().is_empty());
    match chain.status {
        ChainStatus::MissingIntermediate => {
            let usb = if chases && fetchable { Prospect::WorksIfFetched } else { Prospect::Fails };
            let pin = if adds(Adds::Intermediates) { Prospect::WorksIfFetched } else { usb };
            (usb, pin)
        }
        ChainStatus::UntrustedRoot => {
            let pin = if adds(Adds::Anchors) { Prospect::WorksIfFetched } else { Prospect::Fails };
            (Prospect::Fails, pin)
        }
        _ => (Prospect::Undecided, Prospect::Undecided),
    }
}

/// Names no server: without a capture its address is unknown.
fn add_to_server(missing: &[Missing]) -> Vec<String> {
    let it = if missing.len() == 1 { "it" } else { "them" };
    vec![format!(
        "add {it} to what the server sends: behind its own certificate in the file, or on Windows in LocalMachine\\Intermediate\n  certutil -addstore CA intermediate.cer"
    )]
}

fn trust_root(chain: &Judgement) -> Vec<String> {
    let root = chain.longest_path().and_then(|path| path.root());
    vec![
        "give the server a certificate of a CA that the device trusts, or make the device trust this root".into(),
        format!(
            "for Lync phones: hand the root out by the web service, and publish it in Active Directory\n{}\n  certutil -f -dspublish root.cer RootCA",
            remedy::web_service(root, "TrustedRootCA")
        ),
    ]
}

fn bring_certificates() -> Vec<String> {
    vec!["bring the CA's certificates, and it can be decided\n  chaingap preflight CHAIN --bundle ca-certificates/ --roots root.pem".into()]
}
