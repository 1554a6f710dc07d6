//! Preflight: would this device trust the chain that a server is to send? No capture is needed.
//!
//! In: a chain, a profile, what the user brought, an instant. Out: the judgement, findings, and whether a sign-in would
//! work over USB (with nothing fetched) and after a PIN sign-in (which downloads what the web service hands out).
//! Bounded: two path searches. Left to others: files, the clock, text.

use std::sync::Arc;

use super::assess::{date_faults, expired_anchor, unsupported};
use super::finding::{Finding, Severity};
use super::rules::Code;
use super::{Trust, anchors, cause, chain, order, remedy};
use crate::capture::Timestamp;
use crate::evidence::FetchKind;
use crate::trust::{
    Adds, Case, ChainStatus, Judgement, PathFinder, Pool, Profile, Proof, Purpose, StepFrom, judge, rejudge,
};
use crate::words::words;
use crate::x509::Certificate;

words! {
    /// Whether a sign-in would work.
    pub enum Prospect {
        /// It would.
        Works = "works",
        /// It would, if the device can download what is absent.
        WorksIfFetched = "works-if-fetched",
        /// It would not.
        Fails = "fails",
        /// What is known does not tell.
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
    let anchors = anchors(profile, trust);
    let held: Vec<_> = trust.installed.iter().map(|s| (Arc::clone(&s.certificate), StepFrom::Installed)).collect();
    let mut known = Pool::default();
    for supplied in trust.bundle.iter().chain(&trust.roots) {
        known.add(&supplied.certificate, StepFrom::Bundle);
    }
    let mut finder = PathFinder::new(budget);
    let case = Case { sent, purpose: Purpose::Server, held: &held, anchors: &anchors, known: &known };
    let chain = judge(&mut finder, &case);
    let chain = rejudge(&mut finder, &case, &chain, at).unwrap_or(chain);
    let mut findings = of_chain(sent, profile, trust, &chain, &anchors);
    let path = chain.judged_certificates();
    let bare = chain.completed.as_ref().or(chain.path.as_ref()).and_then(|path| path.steps.last());
    let bare = bare.filter(|step| step.certificate.is_none()).and_then(|step| anchors.get(step.anchor?));
    let dates = date_faults(&path, at).into_iter().chain(bare.and_then(|anchor| expired_anchor(anchor, at)));
    for fault in dates {
        let (code, word) = if fault.expired {
            (Code::CertificateExpired, "expired on")
        } else {
            (Code::CertificateNotYetValid, "is valid only from")
        };
        let summary = format!("\"{}\" {word} {} (it is judged at {})", fault.name, fault.limit.date(), at.date());
        findings.push(finding(code, Severity::Error, Proof::Proven, summary, remedy::dates()));
    }
    let rules = profile.host_rules();
    if let Some(name) = host.filter(|name| sent.first().is_some_and(|leaf| !leaf.matches_host(name, rules))) {
        let summary = format!("the server's certificate is not for {name}");
        findings.push(finding(Code::NameMismatch, Severity::Error, Proof::Proven, summary, remedy::name_mismatch()));
    }
    for what in unsupported(profile, &path, None) {
        let summary = format!("the device cannot use {what}");
        findings.push(finding(
            Code::UnsupportedAlgorithm,
            Severity::Error,
            Proof::Inferred,
            summary,
            remedy::unsupported_algorithm(),
        ));
    }
    let complaints = order::complaints(&mut finder, sent, &chain);
    if let Some(summary) = not_first(sent) {
        findings.push(finding(Code::ChainOrder, Severity::Error, Proof::Proven, summary, remedy::chain_order()));
    } else if !complaints.is_empty() {
        let summary = format!("the server's chain is not in order: {}", complaints.join("; "));
        findings.push(finding(Code::ChainOrder, Severity::Warning, Proof::Proven, summary, remedy::chain_order()));
    }
    findings.sort_by_key(|finding| (std::cmp::Reverse(finding.severity), finding.code));
    let (usb, pin) = prospects(profile, &chain, &findings);
    Preflight { profile: profile.name.clone(), anchors, usb, pin, chain, findings }
}

/// Where the server's own certificate does not stand first, as it must (RFC 5246 section 7.4.2), in words. Alone, a
/// certificate that calls itself a CA's may be a server's that signed itself.
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
fn of_chain(
    sent: &[Arc<Certificate>],
    profile: &Profile,
    trust: &Trust,
    judged: &Judgement,
    anchors: &[crate::trust::Anchor],
) -> Vec<Finding> {
    let (code, remedies) = match judged.status {
        ChainStatus::Trusted | ChainStatus::NotSent | ChainStatus::Hidden => return Vec::new(),
        ChainStatus::MissingIntermediate => (Code::MissingIntermediate, remedy::add_to_server(&judged.missing)),
        ChainStatus::UntrustedRoot => (Code::UntrustedRoot, remedy::trust_root(judged)),
        ChainStatus::Invalid if judged.key_mismatch.is_some() => (Code::IssuerKeyMismatch, remedy::key_mismatch()),
        ChainStatus::Invalid => (Code::ChainInvalid, remedy::chain_invalid()),
        ChainStatus::Undetermined => (Code::ChainCauseUndecided, remedy::bring_certificates()),
    };
    let unread = sent.first().filter(|leaf| !leaf.is_readable()).map(|_| "the server's certificate cannot be read");
    let checked = judged.fault.as_ref().is_none_or(|(_, fault)| cause::profile_checks(profile, fault));
    let severity = if code == Code::ChainInvalid && !checked { Severity::Warning } else { Severity::Error };
    let given = |index: usize| anchors.get(index).is_some_and(|anchor| anchor.given);
    let top = judged.completed.as_ref().and_then(|path| path.steps.last()?.anchor);
    let sure = match code {
        Code::MissingIntermediate => profile.anchors_complete || top.is_some_and(given),
        Code::UntrustedRoot => profile.anchors_complete || (profile.name == "none" && !trust.roots.is_empty()),
        Code::ChainCauseUndecided => false,
        _ => true,
    };
    let own = match code {
        Code::ChainCauseUndecided => Proof::Undecidable,
        _ if sure => Proof::Proven,
        _ => Proof::Inferred,
    };
    let proof = own.min(judged.proof.unwrap_or(Proof::Inferred));
    let mut out = finding(code, severity, proof, chain::summary("device", judged, unread, code), remedies);
    out.missing = judged.missing.clone();
    out.certificates = sent.to_vec();
    vec![out]
}

fn finding(code: Code, severity: Severity, proof: Proof, summary: String, remedies: Vec<String>) -> Finding {
    Finding { remedies, ..Finding::new(code, severity, proof, summary) }
}

/// Over USB the device has nothing but its store; a PIN sign-in adds what the web service hands out.
fn prospects(profile: &Profile, chain: &Judgement, findings: &[Finding]) -> (Prospect, Prospect) {
    let links = [Code::MissingIntermediate, Code::UntrustedRoot, Code::ChainCauseUndecided];
    let errors = || findings.iter().filter(|finding| finding.severity == Severity::Error);
    if errors().next().is_none() {
        // A rule is broken, and nobody knows the device to check it, or not to.
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
