//! In: a handshake and its assessment. Out: which causes survive, which are excluded, and why. The one place where the
//! cause is decided: step 6 of the contract's "How a verdict is reached". Bounded: tables.

use super::assess::{Assessment, NameCheck};
use super::finding::{Excluded, Severity};
use super::rules::Code;
use super::words;
use crate::capture::FrameRef;
use crate::evidence::{Handshake, Outcome};
use crate::flow::Side;
use crate::protocol::tls::{AlertCode, Letter};
use crate::trust::{ChainStatus, Check, Fault, Judgement, Profile, Proof, StepFrom};

/// Where a handshake ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Nothing is wrong with it.
    Completed,
    /// The capture ends first, or hides it.
    Open,
    /// Silence before a flight was whole.
    Stalled,
    /// The server ended it before its ServerHello.
    ServerBeforeHello,
    /// The client ended it before a ServerHello.
    ClientBeforeHello,
    /// The client ended it instead of answering the server's flight.
    ClientAtCertificate,
    /// The client answered the server's flight and ended it before both had finished.
    ClientAfterFlight,
    /// Both finished, and the client ended it without a byte of data.
    ClientWithoutData,
    /// The server ended it after its ServerHello and before the client's answer.
    ServerInFlight,
    /// The server ended it after the client's answer.
    ServerAfterFlight,
}

/// What of a hello its server took in another handshake, of whomever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// The version.
    pub version: bool,
    /// One of the cipher suites.
    pub suite: bool,
    /// A hello of this version that differs in the cipher suites only.
    pub alike: bool,
}

/// What step 6 says of one handshake.
#[derive(Clone, Debug)]
pub struct Ruling {
    /// Where it ended.
    pub stage: Stage,
    /// The causes that step 6 allows there.
    pub allowed: Vec<Code>,
    /// The causes that remain, in the order of the table.
    pub survivors: Vec<Code>,
    /// Causes that hold as facts and that only the alert rules out.
    pub filtered: Vec<Code>,
    /// What of its hello the server took elsewhere.
    pub taken: Taken,
}

impl Ruling {
    /// The device took the same certificates elsewhere: what is wrong with them was not the cause.
    pub(super) fn certificates_were_taken(&mut self) {
        (self.allowed, self.filtered) = (Vec::new(), Vec::new());
        self.survivors = vec![Code::RejectedWithoutReason];
    }

    /// How grave a cause is here: one that survived explains the failure, one that only the alert rules out is worth a
    /// warning; `None` where it is no finding.
    pub(super) fn severity_of(&self, code: Code) -> Option<Severity> {
        let survives = self.survivors.contains(&code).then_some(Severity::Error);
        survives.or(self.filtered.contains(&code).then_some(Severity::Warning))
    }

    /// How the sentence about a cause begins.
    pub(super) fn lead(&self, code: Code) -> &'static str {
        match self.stage {
            Stage::ClientWithoutData if self.survivors.contains(&Code::RejectedWithoutReason) => {
                "the TLS handshake was finished and left unused, perhaps for this: "
            }
            _ if self.survivors.contains(&code) => "TLS handshake fails: ",
            Stage::Completed => "the TLS handshake worked, but ",
            Stage::Open => "how the TLS handshake ended cannot be seen: ",
            _ if self.allowed.contains(&code) => "true as well, though not known to be the cause: ",
            _ => "not what the alert names, but true as well: ",
        }
    }
}

/// The causes that are about the chain's links.
pub(super) const CHAIN: [Code; 5] = [
    Code::MissingIntermediate,
    Code::UntrustedRoot,
    Code::IssuerKeyMismatch,
    Code::ChainCauseUndecided,
    Code::ChainInvalid,
];
const AT_CERTIFICATE: [Code; 11] = [
    Code::MissingIntermediate,
    Code::UntrustedRoot,
    Code::CertificateExpired,
    Code::CertificateNotYetValid,
    Code::NameMismatch,
    Code::UnsupportedAlgorithm,
    Code::IssuerKeyMismatch,
    Code::OtherCaRefused,
    Code::ChainCauseUndecided,
    Code::ChainInvalid,
    Code::CertificateRevoked,
];

/// Where a handshake ended.
pub(super) fn stage(handshake: &Handshake) -> Stage {
    let tls = &handshake.tls;
    if handshake.ending.outcome == Outcome::Completed {
        return Stage::Completed;
    }
    if handshake.ending.stall.is_some() {
        return Stage::Stalled;
    }
    let by = match handshake.ending.outcome {
        Outcome::RejectedByClient | Outcome::ClosedByClient => Side::Client,
        Outcome::RejectedByServer | Outcome::ClosedByServer => Side::Server,
        Outcome::Completed | Outcome::Incomplete | Outcome::Undetermined => return Stage::Open,
    };
    // In TLS 1.3 without secrets an encrypted record of the client may be its Finished or its alert: it shows no acceptance.
    let answered = handshake.client_accepted() && !tls.hides_answer();
    // The server's Finished may be what the capture lacks.
    let lost = || tls.finished.client.is_some() && tls.holes.iter().any(|hole| hole.side == Side::Server);
    let may_be_finished = tls.both_finished() || lost();
    match by {
        Side::Client if !handshake.server_answered() => {
            if handshake.two_sided && !handshake.lacks_start() {
                Stage::ClientBeforeHello
            } else {
                Stage::ClientAtCertificate
            }
        }
        Side::Client if may_be_finished && !tls.hides_answer() => Stage::ClientWithoutData,
        Side::Client if answered => Stage::ClientAfterFlight,
        Side::Client => Stage::ClientAtCertificate,
        Side::Server if !handshake.server_answered() && !handshake.lacks_start() => Stage::ServerBeforeHello,
        Side::Server if answered || tls.both_finished() || may_have_answered(handshake) => Stage::ServerAfterFlight,
        Side::Server => Stage::ServerInFlight,
    }
}

/// Decides which causes survive.
pub(super) fn rule(handshake: &Handshake, assessment: &Assessment, profile: &Profile, taken: Taken) -> Ruling {
    let stage = stage(handshake);
    let alert = handshake.last_word().map(|alert| alert.code.0);
    let mut allowed = allowed(stage, alert, taken);
    // What has expired explains certificate_expired; that something is not valid yet is its meaning only without that.
    if alert == Some(45)
        && !assessment.dates_beside
        && self::holds(Code::CertificateExpired, handshake, assessment, profile)
    {
        allowed.retain(|code| *code == Code::CertificateExpired);
    }
    if stage == Stage::ServerAfterFlight && alert.is_none() && server_took_answer(handshake) {
        allowed.clear();
    }
    let guessed = !assessment.anchors_known && assessment.chain.status == ChainStatus::UntrustedRoot;
    match (stage, alert) {
        // What clients call an unsupported certificate is its use or its algorithm, not a root that nobody knows to be absent.
        (Stage::ClientAtCertificate | Stage::ClientWithoutData, Some(43)) if guessed => {
            allowed.retain(|code| *code != Code::UntrustedRoot);
        }
        // Browsers leave where they are asked for a certificate, to ask their user.
        (Stage::ClientAtCertificate, None) if guessed || assessment.chain.status == ChainStatus::Trusted => {
            allowed.extend(handshake.tls.certificate_request.as_ref().map(|_| Code::ClientCertificate));
        }
        _ => {}
    }
    let holds = |code: &Code| holds(*code, handshake, assessment, profile);
    let mut survivors: Vec<Code> = allowed.iter().copied().filter(holds).collect();
    // Where a part of the server's flight is missing, it may have asked for a client certificate.
    let asked = handshake.asked_client();
    let unsure = if asked { !handshake.two_sided } else { may_have_asked(handshake) };
    if stage == Stage::ServerAfterFlight && !allowed.is_empty() && unsure {
        survivors = vec![Code::ClientCertificate, Code::ServerEndedWithoutReason];
    }
    // Who finished and left unused may have had no fault to find at all.
    if stage == Stage::ClientWithoutData && alert.is_none() && guessed && survivors == [Code::UntrustedRoot] {
        survivors.push(Code::RejectedWithoutReason);
    }
    // That no client certificate came is what follows from a list that names no issuer of one.
    if survivors.contains(&Code::IssuerListTruncated) {
        survivors.retain(|code| *code != Code::ClientCertificate);
    }
    let at_certificate = matches!(stage, Stage::ClientAtCertificate | Stage::ClientWithoutData);
    if survivors.is_empty() {
        survivors = match stage {
            Stage::Completed | Stage::Open => Vec::new(),
            Stage::Stalled => vec![Code::HandshakeStalled],
            // What the capture hides may well be the cause, unless the alert says that it is another.
            _ if at_certificate
                && assessment.unreadable.is_some()
                && allowed.iter().any(|code| AT_CERTIFICATE.contains(code))
                && !handshake.client_accepted() =>
            {
                vec![Code::ChainCauseUndecided]
            }
            Stage::ServerInFlight | Stage::ServerAfterFlight => vec![Code::ServerEndedWithoutReason],
            Stage::ServerBeforeHello => vec![Code::ServerEndedWithoutReason],
            _ => vec![Code::RejectedWithoutReason],
        };
    }
    let mut filtered: Vec<Code> = if at_certificate || stage == Stage::Completed {
        let others = AT_CERTIFICATE.into_iter().filter(|code| !survivors.contains(code) && !allowed.contains(code));
        others.filter(holds).collect()
    } else {
        Vec::new()
    };
    // A rule that is broken, but that nobody knows the device to check, is worth telling and no cause.
    let broken = assessment.chain.fault.is_some() && assessment.chain.status == ChainStatus::Invalid;
    if at_certificate && broken && !survivors.contains(&Code::ChainInvalid) && !filtered.contains(&Code::ChainInvalid) {
        filtered.push(Code::ChainInvalid);
    }
    // That a root is absent which nobody knows to be absent is no fact.
    filtered.retain(|code| !(guessed && *code == Code::UntrustedRoot));
    Ruling { stage, allowed, survivors, filtered: warn_about(stage, filtered), taken }
}

/// A client that went on accepted the chain: then its links are no findings at all, only dates and names remain.
fn warn_about(stage: Stage, filtered: Vec<Code>) -> Vec<Code> {
    if stage != Stage::Completed {
        return filtered.into_iter().filter(|code| *code != Code::ChainCauseUndecided).collect();
    }
    let kept = [Code::CertificateExpired, Code::CertificateNotYetValid, Code::CertificateRevoked];
    filtered.into_iter().filter(|code| kept.contains(code)).collect()
}

fn allowed(stage: Stage, alert: Option<u8>, taken: Taken) -> Vec<Code> {
    match (stage, alert) {
        (Stage::ServerAfterFlight, Some(40..=49 | 116) | None) => {
            vec![Code::IssuerListTruncated, Code::ClientCertificate]
        }
        (Stage::ServerBeforeHello, Some(70)) => vec![Code::ProtocolVersion],
        (Stage::ServerBeforeHello, Some(40 | 71)) => vec![Code::NoSharedCipher],
        (Stage::ServerBeforeHello, None) if taken.version && taken.suite => Vec::new(),
        (Stage::ServerBeforeHello, None) if taken.version => vec![Code::NoSharedCipher],
        (Stage::ServerBeforeHello, None) => vec![Code::ProtocolVersion, Code::NoSharedCipher],
        (Stage::ClientAtCertificate | Stage::ClientWithoutData, alert) => match alert {
            Some(44) => vec![Code::CertificateRevoked],
            // "Has expired or is not currently valid" (RFC 5246 section 7.2.2).
            Some(45) => vec![Code::CertificateExpired, Code::CertificateNotYetValid],
            Some(48) => CHAIN.to_vec(),
            Some(51) => vec![Code::IssuerKeyMismatch, Code::ChainInvalid],
            // The client names the version that the server chose as what it refuses.
            Some(70) => vec![Code::ProtocolVersion],
            Some(40 | 42 | 43 | 46) | None => AT_CERTIFICATE.to_vec(),
            Some(_) => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// Whether the facts of a cause are there.
fn holds(code: Code, handshake: &Handshake, assessment: &Assessment, profile: &Profile) -> bool {
    let chain = &assessment.chain;
    match code {
        Code::MissingIntermediate => chain.status == ChainStatus::MissingIntermediate,
        Code::UntrustedRoot => chain.status == ChainStatus::UntrustedRoot,
        // The device found the wrong key, also where others show the right one, which is then missing as well.
        Code::IssuerKeyMismatch => {
            let wrong_signature = handshake.ended_with(AlertCode::DECRYPT_ERROR);
            chain.key_mismatch.is_some() && (chain.status == ChainStatus::Invalid || wrong_signature)
        }
        Code::ChainInvalid => {
            let fault = chain.fault.as_ref().map(|(_, fault)| fault);
            chain.status == ChainStatus::Invalid && fault.is_some_and(|fault| profile_checks(profile, fault))
        }
        Code::ChainCauseUndecided => matches!(chain.status, ChainStatus::Undetermined | ChainStatus::Hidden),
        Code::CertificateExpired => assessment.dates.iter().any(|fault| fault.expired),
        Code::CertificateNotYetValid => assessment.dates.iter().any(|fault| !fault.expired),
        Code::NameMismatch => matches!(assessment.name, NameCheck::NotCovered { .. }),
        Code::UnsupportedAlgorithm => !assessment.unsupported.is_empty(),
        Code::OtherCaRefused => chain.status == ChainStatus::Trusted && assessment.other_ca.is_some(),
        // A bare close or an alert for it is all that a server's refusal of version or suites ever shows.
        Code::ProtocolVersion if handshake.ending.by == Some(Side::Client) => handshake.tls.version().is_some(),
        Code::ProtocolVersion | Code::NoSharedCipher => {
            handshake.history.has(Letter::ClientHello) && handshake.tls.other_protocol().is_none()
        }
        // The alert itself says it, or the server's own OCSP answer.
        Code::CertificateRevoked => {
            handshake.ended_with(AlertCode::CERTIFICATE_REVOKED) || handshake.tls.revoked_by_ocsp().is_some()
        }
        Code::IssuerListTruncated => {
            let answer = handshake.tls.certificates.client.as_ref();
            let listed = assessment.client_issuer.as_ref().is_some_and(|issuer| issuer.listed);
            let empty = answer.is_some_and(|list| list.complete) && handshake.client_sent.is_empty();
            is_truncated_list(handshake) && empty && !listed
        }
        Code::ClientCertificate => handshake.asked_client(),
        _ => false,
    }
}

/// Whether the server went on after the client's answer to its CertificateRequest: before TLS 1.3 its Finished comes after
/// that (RFC 5246 section 7.3).
pub(super) fn server_took_answer(handshake: &Handshake) -> bool {
    let tls = &handshake.tls;
    let finished = tls.finished.server.filter(|_| tls.both_finished() && !tls.is_1_3());
    let asked_later = |at: FrameRef| tls.certificate_request.as_ref().is_some_and(|asked| at.is_before(&asked.at));
    finished.is_some_and(|at| !asked_later(at))
}

/// Whether the client's answer to the server's flight may be what the capture lacks.
fn may_have_answered(handshake: &Handshake) -> bool {
    handshake.tls.lacks_in_clear(Side::Client) || !handshake.two_sided || handshake.lacks_start()
}

/// Whether bytes of the server are missing that may have held its CertificateRequest: more than its Certificate lacks.
fn may_have_asked(handshake: &Handshake) -> bool {
    if handshake.lacks_start() {
        return true;
    }
    let holes = handshake.tls.holes.iter().filter(|hole| hole.side == Side::Server && hole.in_clear);
    let missing: u64 = holes.map(|hole| hole.missing).sum();
    missing > handshake.tls.certificates.server.as_ref().map_or(0, |list| list.missing)
}

/// Bytes by which a list may stay below a limit for the next name not to have fitted.
const LAST_NAME: u64 = 512;
/// Where Schannel ends the list of issuers that it sends: Windows Server 2003, and 2008 R2 and later (KB 931125).
const LIST_LIMITS: [u64; 2] = [12_288, 16_384];

/// Whether the server's list of issuers ends where Schannel cuts it.
pub(super) fn is_truncated_list(handshake: &Handshake) -> bool {
    let bytes = handshake.tls.certificate_request.as_ref().map_or(0, |request| request.bytes);
    LIST_LIMITS.iter().any(|limit| (limit - LAST_NAME..=*limit).contains(&bytes))
}

/// Whether the profile says that the device makes the check which the fault breaks.
pub(super) fn profile_checks(profile: &Profile, fault: &Fault) -> bool {
    let check = match fault {
        Fault::KeyMismatch | Fault::Unsupported(_) => return true,
        Fault::NotCa => Check::BasicConstraints,
        Fault::PathLength => Check::PathLength,
        Fault::KeyUsage => Check::KeyUsage,
        Fault::ExtendedKeyUsage => Check::ExtendedKeyUsage,
        Fault::NameConstraints(_) => Check::NameConstraints,
        Fault::CriticalExtension(_) => Check::CriticalExtensions,
    };
    profile.makes(check)
}

/// Whether the causes that step 6 allows beside `code` are excluded, each with the reason.
pub(super) fn excluded(code: Code, handshake: &Handshake, assessment: &Assessment, ruling: &Ruling) -> Vec<Excluded> {
    let at_certificate = matches!(ruling.stage, Stage::ClientAtCertificate | Stage::ClientWithoutData);
    let mut out = Vec::new();
    if at_certificate {
        for other in AT_CERTIFICATE.into_iter().filter(|other| *other != code) {
            if let Some((excluded, why)) = exclusion(other, code, assessment, ruling, handshake) {
                out.push(Excluded { cause: other.name().into(), excluded, why });
            }
        }
    }
    if may_refuse_parameters(handshake, ruling) {
        out.push(Excluded {
            cause: "handshake-parameters".into(),
            excluded: false,
            why: "a client may say handshake_failure for a short key exchange group or insecure renegotiation too"
                .into(),
        });
    }
    if let Some(hello) = handshake.tls.server_hello.as_ref().filter(|_| code != Code::ProtocolVersion) {
        let suite = hello.cipher_suite.map_or_else(|| "one of SSL 2.0".into(), crate::protocol::tls::cipher_suite);
        let why = format!("the server agreed on {} and {suite}", hello.version);
        out.push(Excluded { cause: Code::ProtocolVersion.name().into(), excluded: true, why });
    } else if ruling.stage == Stage::ServerBeforeHello {
        for other in [Code::ProtocolVersion, Code::NoSharedCipher].into_iter().filter(|other| *other != code) {
            let (excluded, why) = match (other, handshake.last_word()) {
                (_, Some(alert)) if alert.code.0 == 70 => {
                    (true, "protocol_version names the version, not the suites".into())
                }
                (Code::ProtocolVersion, _) if ruling.taken.version => {
                    let version = handshake.tls.client_hello.as_ref().map(|hello| hello.version.to_string());
                    (true, format!("this server took {} elsewhere", version.unwrap_or_default()))
                }
                (Code::ProtocolVersion, Some(alert)) if words::meaning(handshake).is_some() => {
                    (true, format!("{} is not the alert for it", alert.code))
                }
                (Code::NoSharedCipher, None) if ruling.taken.suite => {
                    (true, "this server took one of these cipher suites elsewhere".into())
                }
                (Code::NoSharedCipher, Some(alert)) if !ruling.allowed.contains(&other) => {
                    (true, format!("{} is not the alert for it", alert.code))
                }
                _ => (false, "the same answer fits it".into()),
            };
            out.push(Excluded { cause: other.name().into(), excluded, why });
        }
    }
    out
}

/// Whether one other cause is excluded, and why; `None` where it is not worth a word.
fn exclusion(
    other: Code,
    this: Code,
    assessment: &Assessment,
    ruling: &Ruling,
    handshake: &Handshake,
) -> Option<(bool, String)> {
    let chain = &assessment.chain;
    let by_alert = !ruling.allowed.is_empty() && !ruling.allowed.contains(&other);
    let alert = handshake.last_word().map(|alert| alert.code.to_string()).unwrap_or_default();
    let survives = ruling.survivors.contains(&other);
    let dates_hold = |word: &str| {
        let certificates = chain.judged_certificates();
        let limit = match word {
            "expired" => certificates.iter().map(|c| c.not_after()).min().map(|at| format!("until {}", at.date())),
            _ => certificates.iter().map(|c| c.not_before()).max().map(|at| format!("valid since {}", at.date())),
        };
        limit.unwrap_or_default()
    };
    let nothing_known = chain.judged_certificates().is_empty();
    match other {
        _ if survives => Some((false, "it fits as well".into())),
        Code::CertificateRevoked => None,
        Code::MissingIntermediate | Code::UntrustedRoot | Code::IssuerKeyMismatch
            if by_alert && chain.status != ChainStatus::Trusted =>
        {
            Some((true, format!("{alert} is not the alert for it")))
        }
        Code::UntrustedRoot => match chain.status {
            ChainStatus::MissingIntermediate if !chain.root_untrusted_too && chain.proof == Some(Proof::Proven) => {
                Some(assessment.anchored.clone())
            }
            ChainStatus::Trusted => Some(assessment.anchored.clone()),
            ChainStatus::MissingIntermediate => {
                Some((false, "the root above what is missing is not known to be on the device".into()))
            }
            ChainStatus::Invalid if !assessment.anchored.1.is_empty() => Some(assessment.anchored.clone()),
            ChainStatus::Invalid => Some((false, "the chain does not get as far as a root".into())),
            _ => None,
        },
        Code::MissingIntermediate => match chain.status {
            ChainStatus::Trusted => Some(match downloaded(chain).filter(|_| this == Code::RejectedWithoutReason) {
                Some(name) => {
                    (false, format!("\"{name}\" was only downloaded; that the device kept it cannot be seen"))
                }
                None => (true, "every link was there".into()),
            }),
            ChainStatus::UntrustedRoot if chain.proof == Some(Proof::Proven) => {
                Some((true, "the chain is whole up to its root".into()))
            }
            ChainStatus::UntrustedRoot => Some((false, "the issuer of the topmost certificate is not known".into())),
            ChainStatus::Invalid => {
                Some((false, "the issuer that fits may be another certificate of the same name".into()))
            }
            _ => None,
        },
        _ if nothing_known && by_alert => Some((true, format!("{alert} is not the alert for it"))),
        _ if nothing_known => Some((false, "the certificates are not known".into())),
        Code::CertificateExpired | Code::CertificateNotYetValid => {
            let expired = other == Code::CertificateExpired;
            let faulty = assessment.dates.iter().any(|fault| fault.expired == expired);
            if assessment.suspect_clock {
                return Some((by_alert, "the capture's clock cannot be right".into()));
            }
            let word = if expired { "expired" } else { "not-yet-valid" };
            match (faulty, by_alert, assessment.clock_known) {
                (true, true, _) => Some((true, format!("{alert} is not the alert for it"))),
                (true, false, _) => Some((false, "it fits as well".into())),
                (false, true, _) => Some((true, format!("no, {}", dates_hold(word)))),
                (false, false, true) => Some((true, format!("no, {} by {}", dates_hold(word), assessment.judged_by))),
                (false, false, false) => {
                    Some((false, format!("{}, but the device's own clock is not known", dates_hold(word))))
                }
            }
        }
        Code::NameMismatch => match &assessment.name {
            NameCheck::Covered(name) => Some((true, format!("the certificate covers {name}"))),
            _ if by_alert => Some((true, format!("{alert} is not the alert for it"))),
            NameCheck::NotCovered { .. } => Some((false, "the certificate does not cover the name".into())),
            NameCheck::Perhaps(why) => Some((false, why.clone())),
            NameCheck::Unknown => Some((false, "the capture does not tell which name was asked for".into())),
        },
        Code::ChainInvalid if !by_alert && chain.status == ChainStatus::MissingIntermediate => {
            let (culprit, fault) = chain.fault.as_ref().filter(|(culprit, _)| handshake.sent.contains(culprit))?;
            Some((
                false,
                format!("\"{}\", which the server sends, may not be used here: {fault}", culprit.subject().short()),
            ))
        }
        Code::IssuerKeyMismatch if this != Code::ChainInvalid => match &chain.key_mismatch {
            Some(certificate) => Some((false, format!("{} is there with another key", certificate.subject().short()))),
            None if chain.status == ChainStatus::Trusted => None,
            None if assessment.namesake.is_some() => {
                let name = assessment.namesake.as_deref().unwrap_or_default();
                Some((false, format!("the device has a root \"{name}\" with another key")))
            }
            None => Some((true, "no certificate with the issuer's name and another key was at hand".into())),
        },
        Code::ChainInvalid if !by_alert && handshake.sent.first().is_some_and(|leaf| !leaf.permits_server_auth()) => {
            Some((false, "the server's certificate is for other uses than a server's".into()))
        }
        // Stacks that cannot check a signature or take no short key may call that decrypt_error.
        Code::UnsupportedAlgorithm if !by_alert || handshake.ended_with(AlertCode::DECRYPT_ERROR) => {
            assessment.outdated.clone().map(|what| (false, what))
        }
        _ => None,
    }
}

/// A certificate of the path that the device had from a download.
pub(super) fn downloaded(chain: &Judgement) -> Option<String> {
    let mut steps = chain.path.iter().flat_map(|path| &path.steps);
    steps.find(|step| step.from == StepFrom::Fetched)?.certificate.as_ref().map(|c| c.subject().short())
}

/// Whether the client's alert is one that refuses the parameters of the key exchange too, of which nothing is read here.
fn may_refuse_parameters(handshake: &Handshake, ruling: &Ruling) -> bool {
    ruling.stage == Stage::ClientAtCertificate && handshake.ended_with(AlertCode::HANDSHAKE_FAILURE)
}

/// Whether every other cause that step 6 allows for this ending is excluded, not merely unseen.
pub(super) fn others_are_excluded(code: Code, handshake: &Handshake, assessment: &Assessment, ruling: &Ruling) -> bool {
    let listed = excluded(code, handshake, assessment, ruling);
    ruling.survivors.len() == 1
        && ruling.allowed.iter().filter(|other| **other != code).all(|other| {
            let told = listed.iter().find(|entry| entry.cause == other.name());
            told.is_none_or(|entry| entry.excluded)
        })
        && !may_refuse_parameters(handshake, ruling)
        // Dates are refused with the general alerts too, and without the device's clock nothing here excludes that.
        && !matches!(handshake.last_word().map(|alert| alert.code.0), Some(40 | 42 | 43 | 46) if ruling.stage == Stage::ClientAtCertificate && !assessment.clock_known)
}

/// The sentence about an ending that `words::ending` gives, with its frame.
pub(super) fn ending_evidence(handshake: &Handshake) -> Option<(FrameRef, String)> {
    handshake.ending.at.map(|at| (at, words::ending(handshake)))
}
