//! CG001, CG002, CG003, CG019, CG025, CG026: what is wrong with the chain.
//!
//! In: the session. Out: a finding for each handshake whose cause is the chain, and one for each server that leaves a
//! certificate out and got away with it. Bounded: by the handshakes kept. Left to others: which cause survives.

use super::assess::{Assessment, Assessor};
use super::cause::{self, Ruling, Stage};
use super::finding::{Finding, Severity};
use super::rules::Code;
use super::{ProfileBasis, Session, remedy};
use crate::capture::FrameRef;
use crate::evidence::{Device, Fetch, Handshake};
use crate::trust::{ChainStatus, Judgement, Missing, PathEnd, Proof, Speaks};
use crate::x509::Certificate;

pub(super) fn find(session: &Session<'_>, assessor: &mut Assessor<'_>, out: &mut Vec<Finding>) {
    for (index, handshake, assessment, ruling) in session.handshakes() {
        let severities = cause::CHAIN.into_iter().filter_map(|code| Some((code, ruling.severity_of(code)?)));
        out.extend(
            severities.map(|(code, severity)| describe(session, index, handshake, assessment, ruling, code, severity)),
        );
        if ruling.stage == Stage::Open && is_unseen(handshake, assessment) {
            out.push(describe(
                session,
                index,
                handshake,
                assessment,
                ruling,
                Code::ChainCauseUndecided,
                Severity::Warning,
            ));
        }
        if ruling.stage == Stage::Completed {
            tolerated(session, assessor, index, handshake, assessment, out);
        }
    }
}

/// An ending that encryption hides, with certificates that it hides as well.
fn is_unseen(handshake: &Handshake, assessment: &Assessment) -> bool {
    let hidden = assessment.chain.status == ChainStatus::Hidden;
    hidden && handshake.ending.outcome == crate::evidence::Outcome::Undetermined
}

fn describe(
    session: &Session<'_>,
    index: usize,
    handshake: &Handshake,
    assessment: &Assessment,
    ruling: &Ruling,
    code: Code,
    severity: Severity,
) -> Finding {
    let chain = &assessment.chain;
    let proof = proof(session, handshake, assessment, ruling, code);
    // Where the certificates cannot be read, the alert is all there is.
    let said = handshake.last_word().filter(|_| code == Code::ChainCauseUndecided && assessment.unreadable.is_some());
    let said = said.map(|alert| format!("the {} ended it with {}, and ", session.noun(), alert.code));
    let summary = summary(session.noun(), chain, assessment.unreadable.as_deref(), code);
    let summary = format!("{}{}{summary}", ruling.lead(code), said.unwrap_or_default());
    let mut finding = session.finding(code, severity, proof, index, summary);
    finding.evidence = evidence(session, handshake, assessment);
    finding.excluded = cause::excluded(code, handshake, assessment, ruling);
    if code == Code::MissingIntermediate {
        finding.missing = chain.missing.clone();
        if chain.root_untrusted_too && !finding.excluded.iter().any(|e| e.cause == Code::UntrustedRoot.name()) {
            let why = "the root above what is missing is not known to be on the device".into();
            finding.excluded.push(super::Excluded { cause: Code::UntrustedRoot.name().into(), excluded: false, why });
        }
    }
    finding.certificates = handshake.sent.clone();
    let intercepted = session.offers.of_another_issuer(session.index, session.device, handshake);
    finding.remedies = match code {
        Code::MissingIntermediate => remedy::missing_intermediate(session, handshake, &chain.missing),
        Code::UntrustedRoot => remedy::untrusted_root(session, chain),
        Code::IssuerKeyMismatch => remedy::key_mismatch(),
        Code::ChainInvalid => remedy::chain_invalid(),
        _ => remedy::chain_undecided(assessment),
    };
    if let Some(offer) = intercepted {
        let other = offer.leaf.issuer();
        let or =
            if offer.at.capture == handshake.first.capture { "" } else { ", or with a certificate that was changed" };
        let what = format!(
            "another client was given a certificate for the same name that {other} issued: consistent with a proxy that inspects TLS on the way of one of them{or}"
        );
        finding.evidence.push((offer.at, what));
        finding.remedies.insert(0, remedy::intercepted(other));
    }
    finding
}

/// Step 5 of the contract: two proofs, and a finding is never surer than its chain.
fn proof(session: &Session<'_>, handshake: &Handshake, assessment: &Assessment, ruling: &Ruling, code: Code) -> Proof {
    let chain = &assessment.chain;
    if code == Code::ChainCauseUndecided || ruling.survivors.len() > 1 || handshake.conflict.is_some() {
        return Proof::Undecidable;
    }
    let alert = handshake.last_word().is_some() && ruling.survivors.contains(&code);
    let end_is_known = match code {
        Code::MissingIntermediate => {
            let top = chain.completed.as_ref().and_then(|path| path.steps.last());
            let anchor = top.and_then(|step| session.anchors.get(step.anchor?));
            anchor.is_some_and(|anchor| {
                anchor.given || (session.profile.anchors_complete && session.basis != ProfileBasis::Assumed)
            })
        }
        Code::UntrustedRoot => {
            let none = session.profile.name == "none" && session.anchors.iter().any(|anchor| anchor.given);
            none || (session.profile.anchors_complete && session.basis != ProfileBasis::Assumed)
        }
        _ => true,
    };
    let sure = alert
        && end_is_known
        && cause::others_are_excluded(code, handshake, assessment, ruling)
        && unreadable_before(session, handshake).is_none();
    let own = if sure { Proof::Proven } else { Proof::Inferred };
    own.min(chain.proof.unwrap_or(Proof::Inferred))
}

/// The first channel that cannot be read and by which the device could have got a certificate before it made up its mind.
fn unreadable_before<'s>(session: &Session<'s>, handshake: &Handshake) -> Option<(FrameRef, &'s str)> {
    let deciding = handshake.deciding();
    let sealed = session.device.unreadable.filter(|(at, _)| at.is_before(&deciding));
    let mut fetches = session.device.fetches.iter().filter(|fetch| fetch.request.is_before(&deciding));
    let unseen = fetches.find_map(|fetch| Some((fetch.request, fetch.unseen()?)));
    // What it brought may have come as soon as there was data, however long the connection stayed open.
    let brought = |other: &Handshake| other.tls.data.server.first.or(other.tls.data.client.first).unwrap_or(other.last);
    let completed = session.handshakes().find(|(_, other, _, ruling)| {
        ruling.stage == Stage::Completed && other.stream != handshake.stream && brought(other).is_before(&deciding)
    });
    sealed.or(unseen).or_else(|| completed.map(|(_, other, ..)| (other.first, "a TLS connection that cannot be read")))
}

/// What is wrong with a chain, in words; `unreadable` says why it could not be judged.
pub(super) fn summary(noun: &str, chain: &Judgement, unreadable: Option<&str>, code: Code) -> String {
    match code {
        Code::MissingIntermediate => match chain.missing.as_slice() {
            [one] => format!("intermediate certificate \"{}\" is missing", one.subject.short()),
            several => {
                let names: Vec<_> = several.iter().map(|missing| format!("\"{}\"", missing.subject.short())).collect();
                format!("intermediate certificates {} are missing", names.join(" and "))
            }
        },
        Code::UntrustedRoot => match chain.path.as_ref().map(|path| path.steps.as_slice()) {
            Some([only]) if only.certificate.as_ref().is_some_and(|leaf| leaf.is_self_signed()) => {
                let name = root_name(chain);
                format!("the server's certificate \"{name}\" is signed by itself, and the {} does not trust it", noun)
            }
            _ => format!("the {} does not have the root \"{}\"", noun, root_name(chain)),
        },
        Code::IssuerKeyMismatch => {
            let name = chain.key_mismatch.as_ref().map(|c| c.subject().short()).unwrap_or_default();
            format!("the certificate \"{name}\" that is there has another key than the issuer's")
        }
        Code::ChainInvalid => match &chain.fault {
            Some((certificate, fault)) => {
                format!("\"{}\" may not be used here: {fault}", certificate.subject().short())
            }
            None => "a link of the chain may not be".into(),
        },
        _ => match (unreadable, chain.missing.first()) {
            (Some(why), _) => format!("the chain cannot be judged: {why}"),
            (None, Some(missing)) => format!(
                "the issuer \"{}\" is not known, so it cannot be told whether an intermediate is missing or a root is not trusted",
                missing.subject.short()
            ),
            (None, None) => match &chain.fault {
                Some((issuer, fault)) => {
                    format!("the chain cannot be judged above \"{}\": {fault}", issuer.subject().short())
                }
                None => "the chain cannot be judged".into(),
            },
        },
    }
}

/// The name of the root that is no anchor, whether it is at hand or only named.
fn root_name(chain: &Judgement) -> String {
    let path = chain.completed.as_ref().or(chain.path.as_ref());
    match path.and_then(|path| path.top()) {
        Some(top) if top.is_self_issued() => top.subject().short(),
        Some(top) => top.issuer().short(),
        None => "?".into(),
    }
}

fn evidence(session: &Session<'_>, handshake: &Handshake, assessment: &Assessment) -> Vec<(FrameRef, String)> {
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
    out.extend(cause::ending_evidence(handshake));
    out
}

fn sent_in_words(sent: &[std::sync::Arc<Certificate>]) -> String {
    match sent {
        [] => "the server sent no certificate".into(),
        [leaf] => format!("the server sent its own certificate alone, issued by {}", leaf.issuer()),
        [leaf, above @ ..] => {
            let names: Vec<_> = above.iter().map(|certificate| certificate.subject().short()).collect();
            format!("the server sent its own certificate, issued by {}, and: {}", leaf.issuer(), names.join(", "))
        }
    }
}

/// Where an absent certificate was seen.
fn found(session: &Session<'_>, missing: &Missing) -> Option<(FrameRef, String)> {
    let certificate = missing.candidates.first()?;
    let sighting = session.evidence.certificates.sightings(certificate.sha256()).first()?;
    Some((sighting.at, format!("\"{}\" is here ({})", missing.subject.short(), sighting.how)))
}

/// The download of an absent certificate that the same device made in an earlier recording: it no longer had it.
fn fetched_earlier(session: &Session<'_>, handshake: &Handshake, missing: &Missing) -> Option<(FrameRef, String)> {
    let device = session.device;
    let same = |other: &&Device| match (device.mac, other.mac) {
        (Some((own, _)), Some((other, _))) => own == other,
        _ => device.address == other.address,
    };
    let others = session.evidence.devices.iter().filter(|other| other.recording != device.recording);
    let wanted = |fetch: &&Fetch| {
        let brought = |c: &Certificate| missing.candidates.iter().any(|wanted| wanted.sha256() == c.sha256());
        fetch.succeeded() && fetch.certificates.iter().any(|(c, _)| brought(c))
    };
    let mut fetches = others.filter(same).flat_map(|other| &other.fetches).filter(wanted);
    let at = fetches.find_map(|fetch| fetch.last.filter(|at| at.time < handshake.first.time))?;
    let name = missing.subject.short();
    Some((at, format!("this device fetched \"{name}\" here before: it no longer had it, or was reset")))
}

/// CG003: the server leaves out an intermediate, and it worked because the device had it from elsewhere.
fn tolerated(
    session: &Session<'_>,
    assessor: &mut Assessor<'_>,
    index: usize,
    handshake: &Handshake,
    assessment: &Assessment,
    out: &mut Vec<Finding>,
) {
    if assessment.unreadable.is_some() || handshake.sent.is_empty() {
        return;
    }
    let bare = assessor.without_fetches(handshake);
    // Only what is known to exist is known to be left out; a one-tier CA rightly sends the leaf alone, and a CA that is
    // a root as well as cross-signed may be the device's anchor.
    let left_out: Vec<Missing> = bare
        .missing
        .iter()
        .filter(|missing| !missing.candidates.is_empty() && !assessor.is_root_too(missing))
        .cloned()
        .collect();
    if bare.status != ChainStatus::MissingIntermediate || left_out.is_empty() {
        return;
    }
    let names: Vec<_> = left_out.iter().map(|missing| format!("\"{}\"", missing.subject.short())).collect();
    let had = if assessment.chain.path.as_ref().is_some_and(|path| path.end == PathEnd::Anchor) {
        "this device had fetched it"
    } else {
        "this device had it from before, or does not check"
    };
    let summary = format!(
        "the server leaves out {}; it worked because {had}, and fails on a device that has neither stored nor fetched it",
        names.join(" and ")
    );
    let mut finding = session.finding(Code::IncompleteChainTolerated, Severity::Warning, Proof::Proven, index, summary);
    if let Some(list) = &handshake.tls.certificates.server {
        finding.evidence.push((list.last, sent_in_words(&handshake.sent)));
    }
    finding.evidence.extend(left_out.iter().filter_map(|missing| found(session, missing)));
    finding.remedies = remedy::missing_intermediate(session, handshake, &left_out);
    finding.certificates = handshake.sent.clone();
    finding.missing = left_out;
    out.push(finding);
}
