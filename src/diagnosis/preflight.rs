//! Preflight: would this device trust the chain that a server is to send? No capture is needed.
//!
//! In: a chain, a profile, what the user brought, an instant. Out: the judgement, findings, and whether a sign-in would
//! work over USB (with nothing fetched) and after a PIN sign-in (which fetches what the web service hands out).
//! Bounded: two path searches. Left to others: files, the clock, text.

use std::net::IpAddr;
use std::sync::Arc;

use super::Dated;
use super::anchors::DeviceAnchors;
use super::answers::{self, Expected};
use super::assess::{Form, cannot_use, form, of_certificates, path_faults, unsupported};
use super::code::Code;
use super::defects::{self, Sight};
use super::finding::{Finding, Severity};
use super::presented::Presented;
use super::rules::{abilities, chain, dates, malformed, names, order, remedy};
use crate::capture::Timestamp;
use crate::evidence::FetchKind;
use crate::trust::{
    Adds, Case, ChainStatus, Judgement, Missing, PathFinder, Pool, Profile, Proof, Purpose, StepFrom, Trust, Verifier,
    judge, rejudge,
};
use crate::words::words;
use crate::x509::{Certificate, HostRules};

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
    /// What each TLS stack would do.
    pub stacks: Vec<Expected>,
}

/// Judges what a server would present, for one profile.
pub fn preflight(
    presented: &Presented,
    host: Option<&str>,
    profile: &Profile,
    trust: &Trust,
    at: Timestamp,
    budget: usize,
) -> Preflight {
    let anchors = DeviceAnchors::new(trust, profile);
    let sent = presented.judged.as_slice();
    let held = trust.held();
    let mut known = Pool::default();
    trust.add_known(&mut known);
    let mut finder = PathFinder::new(budget);
    let verifier = Verifier::of(profile, |_| false);
    let (purpose, list) = (Purpose::Server, &anchors.list);
    let case = Case { sent, purpose, held: &held, anchors: list, known: &known, verifier: &verifier };
    let chain = judge(&mut finder, &case);
    let chain = match sent {
        [] => Judgement::without_chain(ChainStatus::Undetermined),
        _ => rejudge(&mut finder, &case, &chain, at).unwrap_or(chain),
    };
    let mut findings = of_file(presented);
    findings.extend((!sent.is_empty()).then(|| of_chain(sent, &chain, &anchors)).flatten());
    let faults = path_faults(&chain, &anchors, at);
    for fault in &faults {
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
    findings.extend(host.zip(sent.first()).and_then(|(host, leaf)| of_name(host, leaf, profile)));
    for unusable in unsupported(profile, &chain, None) {
        let summary = format!("the device {}", cannot_use(std::slice::from_ref(&unusable)));
        findings.push(finding(
            Code::UnsupportedAlgorithm,
            Severity::Error,
            Proof::Inferred,
            summary,
            abilities::use_supported(profile, &chain.judged_certificates()),
        ));
    }
    findings.extend(of_encoding(sent));
    let form = match presented.ordered && presented.misplaced.is_none() {
        true => form(&mut finder, sent, &chain),
        false => Form::default(),
    };
    let stacks = {
        let malformed: Vec<_> = of_certificates(sent).collect();
        let sight = Sight::of_chain(sent, (&chain, &form), &anchors, (at, &faults), &malformed, host);
        answers::expected(&defects::visible(&sight, &trust.stacks), &trust.stacks)
    };
    if presented.ordered && presented.misplaced.is_none() {
        findings.extend(order::in_words(&form).map(|(severity, summary)| {
            finding(Code::ChainOrder, severity, Proof::Proven, summary, order::send_in_order())
        }));
    }
    findings.sort_by_key(|finding| (std::cmp::Reverse(finding.severity), finding.code));
    let (usb, pin) = prospects(profile, &chain, &findings);
    Preflight { profile: profile.name.clone(), anchors: anchors.list, usb, pin, chain, findings, stacks }
}

/// What is wrong with the file itself: a certificate that cannot be read, or one that stands where the server's own must
/// (RFC 5246 section 7.4.2, D-DIAGNOSIS-33).
fn of_file(presented: &Presented) -> Vec<Finding> {
    let mut out = Vec::new();
    if !presented.unreadable.is_empty() {
        let (code, summary) = (Code::MalformedMessage, presented.unreadable.join("; "));
        out.push(finding(code, Severity::Error, Proof::Inferred, summary, export_again()));
    }
    out.extend(
        presented
            .misplaced
            .clone()
            .map(|summary| finding(Code::ChainOrder, Severity::Error, Proof::Proven, summary, order::send_in_order())),
    );
    out
}

/// The finding about rules of encoding that certificates break which can be read all the same (D-CLI-07).
fn of_encoding(sent: &[Arc<Certificate>]) -> Option<Finding> {
    let breaches: Vec<_> = of_certificates(sent).collect();
    let first: Vec<_> = breaches.iter().take(BREACHES).map(ToString::to_string).collect();
    let summary = match breaches.len().saturating_sub(BREACHES) {
        0 => format!("{}, which strict stacks refuse", first.join("; ")),
        more => format!("{}; and {more} more, which strict stacks refuse", first.join("; ")),
    };
    let of = |summary| {
        finding(Code::MalformedMessage, Severity::Warning, Proof::Inferred, summary, malformed::remedies(&breaches))
    };
    (!breaches.is_empty()).then(|| of(summary))
}

/// How many breaches a sentence names.
const BREACHES: usize = 3;

/// The finding about the server's name. An address must be an iPAddress of the subjectAltName (RFC 2818 section 3.1), and
/// the common name is a fallback that not every device makes (RFC 6125 section 6.4.4).
fn of_name(host: &str, leaf: &Certificate, profile: &Profile) -> Option<Finding> {
    let rules = profile.host_rules();
    let by_subject_alt_name = leaf.matches_host(host, HostRules { common_name: false, ..rules });
    if by_subject_alt_name {
        return None;
    }
    let by_common_name = leaf.matches_host(host, rules);
    let is_address = host.parse::<IpAddr>().is_ok();
    let known = profile.cn_fallback.as_ref().is_some_and(|fact| fact.value && fact.provenance.is_fact());
    let as_dns_name = leaf.dns_names().iter().any(|name| name == host);
    let as_common_name = leaf.common_name() == Some(host);
    let add_name = || names::add_name(profile.is_lync_phone());
    let of = |severity, proof, summary, remedies| Some(finding(Code::NameMismatch, severity, proof, summary, remedies));
    if is_address && (as_dns_name || as_common_name) {
        let stands = if as_dns_name { "as a DNS name" } else { "as its common name" };
        let summary = format!(
            "the server's certificate has the address {host} {stands} only, where devices look for an iPAddress in the subjectAltName"
        );
        let severity = if by_common_name && known { Severity::Warning } else { Severity::Error };
        return of(severity, Proof::Inferred, summary, names::add_address());
    }
    match (by_common_name, known) {
        (true, true) => None,
        (true, false) => {
            let summary =
                format!("{host} is the common name of the server's certificate only, which not every device takes");
            of(Severity::Warning, Proof::Undecidable, summary, add_name())
        }
        (false, _) => of(Severity::Error, Proof::Proven, names::in_words(host), add_name()),
    }
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
            (Code::UntrustedRoot, words, trust_root(anchors.profile, judged), inferred_unless(absent))
        }
        ChainStatus::Invalid if judged.key_mismatch.is_some() => {
            let words = chain::key_mismatch_in_words(judged);
            (Code::IssuerKeyMismatch, words, chain::take_fitting_issuer(), Proof::Proven)
        }
        ChainStatus::Invalid => {
            (Code::ChainInvalid, chain::invalid_in_words(judged), chain::mend_invalid(judged), Proof::Proven)
        }
        ChainStatus::Undetermined => {
            let words = chain::undecided_in_words(judged, None);
            let remedies = if judged.is_unchecked() { remedy::check_elsewhere() } else { bring_certificates() };
            (Code::ChainCauseUndecided, words, remedies, Proof::Undecidable)
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
        let rules = [Code::ChainInvalid, Code::NameMismatch, Code::MalformedMessage];
        let broken = findings.iter().any(|it| it.severity == Severity::Warning && rules.contains(&it.code));
        let prospect =
            if broken || chain.status != ChainStatus::Trusted { Prospect::Undecided } else { Prospect::Works };
        return (prospect, prospect);
    }
    if errors().any(|finding| !links.contains(&finding.code)) {
        return (Prospect::Fails, Prospect::Fails);
    }
    // Only phones that provision certificates sign in with a PIN (D-CLI-08).
    let adds = |what| profile.fetches.contains_key(&FetchKind::Certprov) && profile.adds(FetchKind::Certprov, what);
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

fn trust_root(profile: &Profile, chain: &Judgement) -> Vec<String> {
    let root = chain.longest_path().and_then(|path| path.root());
    let mut out = Vec::new();
    if chain.last_step().is_some_and(|step| step.from == StepFrom::Installed) {
        out.push("if the device does trust this root, give its file by --roots".into());
    }
    out.push("give the server a certificate of a CA that the device trusts, or make the device trust this root".into());
    if profile.is_lync_phone() {
        out.push(format!(
            "hand the root out by the web service, and publish it in Active Directory\n{}\n  certutil -f -dspublish root.cer RootCA",
            remedy::web_service(root, "TrustedRootCA")
        ));
    }
    out
}

fn export_again() -> Vec<String> {
    vec!["export or copy the certificate again, and look at it before the server gets it\n  openssl x509 -in FILE -noout -text".into()]
}

fn bring_certificates() -> Vec<String> {
    vec!["give the CA's certificates, which may decide it\n  chaingap preflight CHAIN --bundle ca-certificates/ --roots root.pem".into()]
}
