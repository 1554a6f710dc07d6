//! CG001, CG002, CG019, CG025, CG026: what is wrong with the chain.
//!
//! In: a judged handshake. Out: whether its chain is a cause, and the finding. Bounded: by the certificates sent. Left to
//! others: which of several causes remain.

use std::sync::Arc;

use super::links;
use super::logic::{Cause, Facts, Lacks, Logic, Rival};
use crate::capture::FrameRef;
use crate::diagnosis::anchors::Absence;
use crate::diagnosis::code::Code;
use crate::diagnosis::finding::{Excluded, Finding};
use crate::diagnosis::judged::Judged;
use crate::diagnosis::session::Session;
use crate::diagnosis::words;
use crate::evidence::{Fetch, Handshake};
use crate::protocol::tls::AlertCode;
use crate::trust::{ChainStatus, Check, Fault, Judgement, Missing, PathEnd, Profile, Proof, Speaks, StepFrom};
use crate::x509::{Certificate, Name};

pub(super) const MISSING_INTERMEDIATE: Logic = Logic {
    degrades: false,
    lacks: Lacks::Intermediate,
    cause: Some(Cause {
        holds: |facts| facts.assessment.chain.status == ChainStatus::MissingIntermediate,
        exclusion: missing_intermediate_excluded,
        describe: describe_missing_intermediate,
    }),
    find: None,
};
pub(super) const UNTRUSTED_ROOT: Logic = Logic {
    degrades: false,
    lacks: Lacks::Root,
    cause: Some(Cause {
        holds: |facts| facts.assessment.chain.status == ChainStatus::UntrustedRoot,
        exclusion: untrusted_root_excluded,
        describe: describe_untrusted_root,
    }),
    find: None,
};
pub(super) const ISSUER_KEY_MISMATCH: Logic = Logic {
    degrades: false,
    lacks: Lacks::Nothing,
    cause: Some(Cause { holds: has_wrong_key, exclusion: key_mismatch_excluded, describe: describe_key_mismatch }),
    find: None,
};
pub(super) const CHAIN_CAUSE_UNDECIDED: Logic = Logic {
    degrades: false,
    lacks: Lacks::IntermediateOrRoot,
    cause: Some(Cause {
        holds: |facts| matches!(facts.assessment.chain.status, ChainStatus::Undetermined | ChainStatus::Hidden),
        exclusion: |rival| rival.where_nothing_is_known(),
        describe: describe_undecided,
    }),
    find: None,
};
pub(super) const CHAIN_INVALID: Logic = Logic {
    degrades: false,
    lacks: Lacks::Nothing,
    cause: Some(Cause {
        holds: breaks_a_checked_rule,
        exclusion: chain_invalid_excluded,
        describe: describe_chain_invalid,
    }),
    find: None,
};

/// decrypt_error shows that the device used the wrong key, even if the right certificate, seen elsewhere, is missing too.
fn has_wrong_key(facts: &Facts<'_>) -> bool {
    let chain = &facts.assessment.chain;
    let wrong_signature = facts.handshake.ended_with(AlertCode::DECRYPT_ERROR);
    chain.key_mismatch.is_some() && (chain.status == ChainStatus::Invalid || wrong_signature)
}

fn breaks_a_checked_rule(facts: &Facts<'_>) -> bool {
    let chain = &facts.assessment.chain;
    let checked = chain.fault.as_ref().is_some_and(|(_, fault)| is_checked(facts.profile, fault));
    chain.status == ChainStatus::Invalid && checked
}

/// Whether the profile says that the device makes the check which the fault breaks.
pub(in crate::diagnosis) fn is_checked(profile: &Profile, fault: &Fault) -> bool {
    let check = match fault {
        Fault::KeyMismatch | Fault::Unsupported(_) | Fault::Distrusted(_) => return true,
        Fault::NotCa => Check::BasicConstraints,
        Fault::PathLength => Check::PathLength,
        Fault::KeyUsage => Check::KeyUsage,
        Fault::ExtendedKeyUsage => Check::ExtendedKeyUsage,
        Fault::NameConstraints(_) => Check::NameConstraints,
        Fault::CriticalExtension(_) => Check::CriticalExtensions,
        Fault::Form(_) => Check::Forms,
    };
    profile.makes(check)
}

/// Excluded by what the client accepted before, or by the alert. A trusted chain is the better reason, so that it comes first.
fn excluded_by_behaviour(rival: &Rival<'_>) -> Option<(bool, String)> {
    let trusted = rival.assessment.chain.status == ChainStatus::Trusted;
    rival.accepted_before().or_else(|| (rival.is_ruled_out_by_alert() && !trusted).then(|| rival.not_its_alert()))
}

fn untrusted_root_excluded(rival: &Rival<'_>) -> Option<(bool, String)> {
    let (chain, anchored) = (&rival.assessment.chain, &rival.assessment.chain_end.anchored);
    let by_status = || match chain.status {
        ChainStatus::MissingIntermediate if !chain.root_untrusted_too && chain.proof == Some(Proof::Proven) => {
            Some(anchored.clone())
        }
        ChainStatus::Trusted => Some(anchored.clone()),
        ChainStatus::MissingIntermediate => Some((false, ROOT_NOT_KNOWN.into())),
        ChainStatus::Invalid if !anchored.1.is_empty() => Some(anchored.clone()),
        ChainStatus::Invalid => Some((false, "the chain does not get as far as a root".into())),
        ChainStatus::UntrustedRoot | ChainStatus::Hidden | ChainStatus::NotSent | ChainStatus::Undetermined => None,
    };
    excluded_by_behaviour(rival).or_else(by_status)
}

const ROOT_NOT_KNOWN: &str = "the root above what is missing is not known to be on the device";

fn missing_intermediate_excluded(rival: &Rival<'_>) -> Option<(bool, String)> {
    let chain = &rival.assessment.chain;
    let fetched = || chain.downloaded_step()?.certificate.as_ref().map(|c| c.subject().short());
    let by_status = || match chain.status {
        ChainStatus::Trusted => Some(match fetched().filter(|_| rival.told == Code::RejectedWithoutReason) {
            Some(name) => (false, format!("\"{name}\" was only downloaded; that the device kept it cannot be seen")),
            None => (true, "every link was there".into()),
        }),
        ChainStatus::UntrustedRoot if chain.proof == Some(Proof::Proven) => {
            Some((true, "the chain is whole up to its root".into()))
        }
        ChainStatus::UntrustedRoot => Some((false, "the issuer of the topmost certificate is not known".into())),
        ChainStatus::Invalid => {
            Some((false, "the issuer that fits may be another certificate of the same name".into()))
        }
        ChainStatus::MissingIntermediate | ChainStatus::Hidden | ChainStatus::NotSent | ChainStatus::Undetermined => {
            None
        }
    };
    excluded_by_behaviour(rival).or_else(by_status)
}

fn key_mismatch_excluded(rival: &Rival<'_>) -> Option<(bool, String)> {
    let assessment = rival.assessment;
    let by_keys = || match (&assessment.chain.key_mismatch, &assessment.chain_end.namesake) {
        _ if rival.told == Code::ChainInvalid => None,
        (Some(certificate), _) => Some((false, format!("{} is there with another key", certificate.subject().short()))),
        (None, _) if assessment.chain.status == ChainStatus::Trusted => None,
        (None, Some(name)) => Some((false, format!("the device has a root \"{name}\" with another key"))),
        (None, None) => Some((true, "no certificate with the issuer's name and another key was at hand".into())),
    };
    excluded_by_behaviour(rival).or_else(|| rival.where_nothing_is_known()).or_else(by_keys)
}

fn chain_invalid_excluded(rival: &Rival<'_>) -> Option<(bool, String)> {
    let (chain, sent) = (&rival.assessment.chain, &rival.handshake.sent);
    if let Some(told) = rival.accepted_before().or_else(|| rival.where_nothing_is_known()) {
        return Some(told);
    }
    if rival.is_ruled_out_by_alert() {
        return None;
    }
    if chain.status == ChainStatus::MissingIntermediate {
        let (culprit, fault) = chain.fault.as_ref().filter(|(culprit, _)| sent.contains(culprit))?;
        let name = culprit.subject().short();
        return Some((false, format!("\"{name}\", which the server sends, may not be used here: {fault}")));
    }
    let other_use = sent.first().is_some_and(|leaf| !leaf.permits_server_auth());
    other_use.then(|| (false, "the server's certificate is for other uses than a server's".into()))
}

fn describe_missing_intermediate(session: &Session<'_>, judged: &Judged<'_>, code: Code) -> Finding {
    let chain = &judged.assessment.chain;
    let end_is_known = chain.anchor().is_some_and(|index| session.anchors.presence(index).is_proven());
    let proof = proof(session, judged, code, end_is_known);
    let remedies = links::add_intermediates(session, judged.handshake, &chain.missing);
    let mut finding = about_links(session, judged, (code, proof), &missing_in_words(chain), remedies);
    finding.missing = chain.missing.clone();
    if chain.root_untrusted_too && !finding.excluded.iter().any(|e| e.cause == Code::UntrustedRoot.name()) {
        let cause = Code::UntrustedRoot.name().into();
        finding.excluded.push(Excluded { cause, excluded: false, why: ROOT_NOT_KNOWN.into() });
    }
    finding
}

fn describe_untrusted_root(session: &Session<'_>, judged: &Judged<'_>, code: Code) -> Finding {
    let chain = &judged.assessment.chain;
    let absence = session.anchors.absence();
    let mut words = untrusted_root_in_words(session.noun(), chain);
    let mut proof = proof(session, judged, code, absence.is_proven());
    // Without the alert for it, nothing speaks for a root whose absence nobody knows (D-DIAGNOSIS-39).
    if absence == Absence::Unknown && !judged.handshake.ended_with(AlertCode::UNKNOWN_CA) {
        proof = Proof::Undecidable;
        words = format!("whether the {} has the root \"{}\" is not known", session.noun(), root_name(chain));
    }
    about_links(session, judged, (code, proof), &words, links::add_root(session, chain))
}

fn describe_key_mismatch(session: &Session<'_>, judged: &Judged<'_>, code: Code) -> Finding {
    let proof = proof(session, judged, code, true);
    let words = key_mismatch_in_words(&judged.assessment.chain);
    about_links(session, judged, (code, proof), &words, take_fitting_issuer())
}

fn describe_chain_invalid(session: &Session<'_>, judged: &Judged<'_>, code: Code) -> Finding {
    let proof = proof(session, judged, code, true);
    let words = invalid_in_words(&judged.assessment.chain);
    about_links(session, judged, (code, proof), &words, mend_invalid(&judged.assessment.chain))
}

fn describe_undecided(session: &Session<'_>, judged: &Judged<'_>, code: Code) -> Finding {
    let assessment = &judged.assessment;
    // If the certificates cannot be read, the alert is the only fact to tell.
    let said = judged.handshake.last_word().filter(|_| assessment.unreadable.is_some());
    let said = said.map(|alert| format!("the {} ended it with {}, and ", session.noun(), alert.code));
    let words = undecided_in_words(&assessment.chain, assessment.unreadable.as_deref());
    let words = format!("{}{words}", said.unwrap_or_default());
    about_links(session, judged, (code, Proof::Undecidable), &words, links::settle(session, judged))
}

/// A finding about the links of a handshake's chain.
fn about_links(
    session: &Session<'_>,
    judged: &Judged<'_>,
    (code, proof): (Code, Proof),
    words: &str,
    remedies: Vec<String>,
) -> Finding {
    let mut finding = session.cause(code, proof, judged, words);
    finding.evidence = evidence(session, judged);
    finding.excluded = judged.excluded_beside(code);
    finding.certificates = judged.handshake.sent.clone();
    finding.remedies = remedies;
    if let Some((at, other)) = &judged.assessment.chain_end.other_ca {
        let what = format!("the same {} accepted a server of another CA, \"{other}\"", session.noun());
        finding.evidence.insert(0, (*at, what));
    }
    if let Some(offer) = session.offers.of_another_issuer(session.index, session.device, judged.handshake) {
        let other = offer.leaf.issuer();
        let same_capture = offer.at.capture == judged.handshake.first.capture;
        let or = if same_capture { "" } else { ", or with a certificate that was changed" };
        let what = format!(
            "another client was given a certificate for the same name that {other} issued: consistent with a proxy that inspects TLS on the way of one of them{or}"
        );
        finding.evidence.push((offer.at, what));
        finding.remedies.insert(0, look_for_a_proxy(other));
    }
    finding
}

/// How sure it is that a fault of the chain is the cause, which is never surer than the chain is judged (docs/verdict.md,
/// step 5). `end_is_known` says whether the root above is known to be present, or absent, as the cause asks.
fn proof(session: &Session<'_>, judged: &Judged<'_>, code: Code, end_is_known: bool) -> Proof {
    if judged.ruling.is_ambiguous() || judged.handshake.conflict.is_some() {
        return Proof::Undecidable;
    }
    let alert = judged.handshake.last_word().is_some() && judged.ruling.survives(code);
    let sure = alert
        && end_is_known
        && judged.others_are_excluded(code)
        && unreadable_before(session, judged.handshake).is_none();
    let own = if sure { Proof::Proven } else { Proof::Inferred };
    own.min(judged.assessment.chain.proof.unwrap_or(Proof::Inferred))
}

/// The first unreadable channel by which the device could have obtained a certificate before its deciding frame.
fn unreadable_before<'s>(session: &Session<'s>, handshake: &Handshake) -> Option<(FrameRef, &'s str)> {
    let deciding = handshake.deciding();
    let sealed = session.device.unreadable.filter(|(at, _)| at.is_before(&deciding));
    let mut fetches = session.device.fetches.iter().filter(|fetch| fetch.request.is_before(&deciding));
    let unseen = fetches.find_map(|fetch| Some((fetch.request, fetch.unseen()?)));
    // A certificate may have come as soon as there was data, however long the connection stayed open.
    let brought = |other: &Handshake| other.tls.data.server.first.or(other.tls.data.client.first).unwrap_or(other.last);
    let others = session.handshakes.iter().filter(|other| other.is_completed()).map(|other| other.handshake);
    let mut earlier = others.filter(|other| other.stream != handshake.stream && brought(other).is_before(&deciding));
    let tls = || earlier.next().map(|other| (other.first, "a TLS connection that cannot be read"));
    sealed.or(unseen).or_else(tls)
}

pub(in crate::diagnosis) fn missing_in_words(chain: &Judgement) -> String {
    let missing = match chain.missing.as_slice() {
        [one] => format!("intermediate certificate \"{}\" is missing", one.subject.short()),
        several => format!("intermediate certificates {} are missing", words::names(several)),
    };
    match unchecked_in_words(chain) {
        Some(unchecked) => format!("{missing}; {unchecked}"),
        None => missing,
    }
}

/// The certificate that may be the issuer that the chain lacks, where this cannot be checked.
fn unchecked_in_words(chain: &Judgement) -> Option<String> {
    let (candidate, fault) = chain.fault.as_ref().filter(|_| chain.is_unchecked())?;
    let (name, digest) = (candidate.subject().short(), candidate.sha256());
    Some(format!("\"{name}\" (SHA-256 {digest}) has the issuer's name, but {fault}"))
}

pub(in crate::diagnosis) fn untrusted_root_in_words(noun: &str, chain: &Judgement) -> String {
    let name = root_name(chain);
    if chain.last_step().is_some_and(|step| step.from == StepFrom::Installed) {
        return format!("the {noun} holds the root \"{name}\", which is installed there, but is not known to trust it");
    }
    match chain.path.as_ref().map(|path| path.steps.as_slice()) {
        Some([only]) if only.certificate.as_ref().is_some_and(|leaf| leaf.is_self_signed()) => {
            format!("the server's certificate \"{name}\" is signed by itself, and the {noun} does not trust it")
        }
        _ => format!("the {noun} does not have the root \"{name}\""),
    }
}

pub(in crate::diagnosis) fn key_mismatch_in_words(chain: &Judgement) -> String {
    let name = chain.key_mismatch.as_ref().map(|c| c.subject().short()).unwrap_or_default();
    format!("the certificate \"{name}\" that is there has another key than the issuer's")
}

/// Most faults of a path that are told.
const MOST_FAULTS: usize = 16;

pub(in crate::diagnosis) fn invalid_in_words(chain: &Judgement) -> String {
    let told = |(certificate, fault): &(Arc<Certificate>, Fault)| {
        format!("\"{}\" may not be used here: {fault}", certificate.subject().short())
    };
    let Some(first) = &chain.fault else { return "a link of the chain may not be".into() };
    // A path that reaches an anchor has all its faults, each a reason to refuse it.
    let path = chain.longest_path().filter(|path| path.reaches_anchor());
    let others =
        path.into_iter().flat_map(|path| &path.faults).filter_map(|(c, fault)| Some((c.clone()?, fault.clone())));
    let others = others.filter(|other| other != first).take(MOST_FAULTS - 1);
    [first.clone()].iter().chain(&others.collect::<Vec<_>>()).map(told).collect::<Vec<_>>().join("; ")
}

/// `unreadable` says why the certificates could not be judged.
pub(in crate::diagnosis) fn undecided_in_words(chain: &Judgement, unreadable: Option<&str>) -> String {
    match (unreadable, chain.missing.first(), &chain.fault) {
        (Some(why), ..) => format!("the chain cannot be judged: {why}"),
        (None, _, Some((_, Fault::Unsupported(_)))) => {
            format!("the chain cannot be judged: {}", unchecked_in_words(chain).unwrap_or_default())
        }
        (None, Some(missing), _) => format!(
            "the issuer \"{}\" is not known, so it cannot be told whether an intermediate is missing or a root is not trusted",
            missing.subject.short()
        ),
        (None, None, Some((issuer, fault))) => {
            format!("the chain cannot be judged above \"{}\": {fault}", issuer.subject().short())
        }
        (None, None, None) => {
            let circular = chain.longest_path().is_some_and(|path| path.end == PathEnd::Loop);
            let why = if circular {
                ": its CAs are certified by one another only, and any of them may be a root"
            } else {
                ""
            };
            format!("the chain cannot be judged{why}")
        }
    }
}

/// The name of the untrusted root, whether its certificate was seen or only its name.
fn root_name(chain: &Judgement) -> String {
    match chain.longest_path().and_then(|path| path.top()) {
        Some(top) if top.is_self_issued() => top.subject().short(),
        Some(top) => top.issuer().short(),
        None => "?".into(),
    }
}

fn evidence(session: &Session<'_>, judged: &Judged<'_>) -> Vec<(FrameRef, String)> {
    let Judged { handshake, assessment, .. } = judged;
    let mut out = Vec::new();
    if let Some(hello) = &handshake.tls.client_hello {
        out.push((hello.at, format!("ClientHello, {}", hello.version)));
    }
    if let Some(list) = handshake.tls.certificates.server.as_ref().filter(|list| list.complete) {
        out.push((list.last, sent_in_words(&handshake.sent)));
    }
    let certificate_at = handshake.tls.certificates.server.as_ref().map_or(handshake.first, |list| list.last);
    out.extend(assessment.chain.discriminators.iter().map(|told| {
        let kind = match told.speaks {
            Speaks::Intermediate => "an intermediate",
            Speaks::Root => "a root",
        };
        (certificate_at, format!("{}, which speaks for {kind}", told.what))
    }));
    for missing in &assessment.chain.missing {
        out.extend(found(session, missing));
        out.extend(fetched_earlier(session, handshake, missing));
    }
    if assessment.chain.budget_hit {
        out.push((certificate_at, "the search for a chain was cut short by its budget; a better one may exist".into()));
    }
    if let Some((at, what)) = unreadable_before(session, handshake) {
        out.push((at, format!("{what}: the device may have certificates from it")));
    }
    if let Some(at) = handshake.conflict {
        out.push((at, "a copy of bytes that differs from another copy, with nothing to tell which was taken".into()));
    }
    out.extend(judged.ending());
    out
}

pub(super) fn sent_in_words(sent: &[Arc<Certificate>]) -> String {
    match sent {
        [] => "the server sent no certificate".into(),
        [leaf] if !leaf.is_readable() => "the server sent one certificate, which cannot be read".to_owned(),
        [leaf] => format!("the server sent its own certificate alone, issued by {}", leaf.issuer()),
        [leaf, above @ ..] => {
            let names: Vec<_> = above.iter().map(|certificate| certificate.subject().short()).collect();
            format!("the server sent its own certificate, issued by {}, and: {}", leaf.issuer(), names.join(", "))
        }
    }
}

/// The first place where a missing certificate was seen.
pub(super) fn found(session: &Session<'_>, missing: &Missing) -> Option<(FrameRef, String)> {
    let certificate = missing.candidates.first()?;
    let sighting = session.evidence.certificates.sightings(certificate.sha256()).first()?;
    Some((sighting.at, format!("\"{}\" is here ({})", missing.subject.short(), sighting.how)))
}

/// The same device's fetch of a missing certificate in an earlier recording.
fn fetched_earlier(session: &Session<'_>, handshake: &Handshake, missing: &Missing) -> Option<(FrameRef, String)> {
    let device = session.device;
    let others = session.earlier.of_another_recording(device);
    let wanted = |fetch: &&Fetch| {
        let brought = |c: &Certificate| missing.candidates.iter().any(|wanted| wanted.sha256() == c.sha256());
        fetch.succeeded() && fetch.certificates.iter().any(|(c, _)| brought(c))
    };
    let mut fetches = others.flat_map(|other| &other.fetches).filter(wanted);
    let at = fetches.find_map(|fetch| fetch.last.filter(|at| at.time < handshake.first.time))?;
    let name = missing.subject.short();
    Some((at, format!("this device fetched \"{name}\" here before: it no longer had it, or was reset")))
}

pub(in crate::diagnosis) fn take_fitting_issuer() -> Vec<String> {
    vec![
        "give the server the issuer that fits its certificate: the one whose subject key identifier is the certificate's authority key identifier\n  openssl x509 -in server.cer -noout -ext authorityKeyIdentifier\n  openssl x509 -in issuer.cer -noout -ext subjectKeyIdentifier".into(),
        "a CA that was renewed with a new key has two certificates of one name: both belong into the server's Intermediate store".into(),
    ]
}

pub(in crate::diagnosis) fn mend_invalid(chain: &Judgement) -> Vec<String> {
    if matches!(chain.fault, Some((_, Fault::Distrusted(_)))) {
        return vec![
            "give the server a certificate of a CA that the device trusts".into(),
            "if the device does trust this root, take the settings off, here and on the device\n  openssl x509 -in root.pem -clrtrust -clrreject -out trusted-root.pem".into(),
        ];
    }
    vec![
        "issue the server's certificate anew from a CA that may issue it; the evidence names the rule that is broken"
            .into(),
    ]
}

fn look_for_a_proxy(other: &Name) -> String {
    format!(
        "see whether a proxy or firewall inspects TLS on the way: others reach a server whose certificate {} issued; except these devices from inspection, or make them trust its CA",
        other.short()
    )
}
