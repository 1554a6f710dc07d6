//! In: a handshake and its assessment. Out: which causes remain possible for its ending. The one place where that is
//! decided: docs/verdict.md, step 6. Bounded: tables. Left to others: what each cause asks for (`rules`), and why the
//! others are excluded.

use super::code::{Code, LENIENT};
use super::elsewhere::Elsewhere;
use super::rules::{Cause, Facts, abilities, server_name};
use super::ruling::Ruling;
use super::stage::{self, Stage};
use crate::evidence::Outcome;
use crate::protocol::tls::{AlertCode, Version};
use crate::trust::ChainStatus;

/// The causes that are about the chain's links.
const CHAIN: &[Code] = &[
    Code::MissingIntermediate,
    Code::UntrustedRoot,
    Code::IssuerKeyMismatch,
    Code::ChainCauseUndecided,
    Code::ChainInvalid,
];
/// The causes for which a client ends a handshake because of the server's certificates.
pub(super) const AT_CERTIFICATE: &[Code] = &[
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

/// The table of docs/verdict.md, step 6: the causes that an ending allows, by where it was and by the alert of the side that ended it.
fn table(stage: Stage, alert: Option<AlertCode>, elsewhere: &Elsewhere) -> &'static [Code] {
    match (stage, alert) {
        (Stage::ServerAfterFlight, alert) if alert.is_none_or(AlertCode::may_refuse_certificate) => {
            &[Code::IssuerListTruncated, Code::ClientCertificate]
        }
        (Stage::ServerBeforeHello, Some(AlertCode::PROTOCOL_VERSION)) => &[Code::ProtocolVersion],
        (Stage::ServerBeforeHello, Some(alert)) if alert.refuses_cipher_suites() => &[Code::NoSharedCipher],
        // Decided in D-DIAGNOSIS-15.
        (Stage::ServerBeforeHello, None) if elsewhere.version && elsewhere.suite => &[],
        (Stage::ServerBeforeHello, None) if elsewhere.version => &[Code::NoSharedCipher],
        (Stage::ServerBeforeHello, None) => &[Code::ProtocolVersion, Code::NoSharedCipher],
        (Stage::ClientAtCertificate | Stage::ClientWithoutData, alert) => match alert {
            None => AT_CERTIFICATE,
            Some(alert) if alert.names_no_certificate_fault() => AT_CERTIFICATE,
            Some(AlertCode::CERTIFICATE_REVOKED) => &[Code::CertificateRevoked],
            // "Has expired or is not currently valid" (RFC 5246 section 7.2.2; D-DIAGNOSIS-08).
            Some(AlertCode::CERTIFICATE_EXPIRED) => &[Code::CertificateExpired, Code::CertificateNotYetValid],
            Some(AlertCode::UNKNOWN_CA) => CHAIN,
            Some(AlertCode::DECRYPT_ERROR) => &[Code::IssuerKeyMismatch, Code::ChainInvalid],
            // The client refuses the version that the server chose (D-DIAGNOSIS-07).
            Some(AlertCode::PROTOCOL_VERSION) => &[Code::ProtocolVersion],
            Some(_) => &[],
        },
        _ => &[],
    }
}

/// A cause that stands in clear, and the endings that allow it (docs/verdict.md, step 6).
struct InClear {
    code: Code,
    stages: &'static [Stage],
    alerts: &'static [AlertCode],
    /// Whether an ending without an alert allows it too.
    silent: bool,
}

impl InClear {
    fn allows(&self, stage: Stage, alert: Option<AlertCode>) -> bool {
        let said = alert.map_or(self.silent, |alert| self.alerts.contains(&alert));
        // Who finished the handshake and left without an alert may have refused nothing (D-DIAGNOSIS-03).
        let unused = stage == Stage::ClientWithoutData && alert.is_none();
        self.stages.contains(&stage) && said && !unused
    }
}

/// Alerts of a side that cannot agree on parameters.
const NO_AGREEMENT: &[AlertCode] = &[
    AlertCode::HANDSHAKE_FAILURE,
    AlertCode::ILLEGAL_PARAMETER,
    AlertCode::INSUFFICIENT_SECURITY,
    AlertCode::INTERNAL_ERROR,
];

const AFTER_HELLO: &[Stage] = &[Stage::ClientAtCertificate, Stage::ClientWithoutData];

/// Causes in what is sent in clear, beside those of the certificates' links, dates and names.
const IN_CLEAR: &[InClear] = &[
    InClear { code: Code::NoSharedSignature, stages: &[Stage::ServerBeforeHello], alerts: NO_AGREEMENT, silent: true },
    InClear {
        code: Code::ServerName,
        stages: &[Stage::ServerBeforeHello],
        alerts: &[AlertCode::UNRECOGNIZED_NAME],
        silent: false,
    },
    InClear {
        code: Code::ServerName,
        stages: AFTER_HELLO,
        alerts: &[
            AlertCode::HANDSHAKE_FAILURE,
            AlertCode::BAD_CERTIFICATE,
            AlertCode::UNSUPPORTED_CERTIFICATE,
            AlertCode::CERTIFICATE_UNKNOWN,
            AlertCode::UNKNOWN_CA,
            AlertCode::INTERNAL_ERROR,
            AlertCode::UNRECOGNIZED_NAME,
        ],
        silent: true,
    },
    InClear {
        code: Code::ParametersRefused,
        stages: &[Stage::ClientAtCertificate],
        alerts: NO_AGREEMENT,
        silent: true,
    },
    InClear {
        code: Code::MalformedMessage,
        stages: AFTER_HELLO,
        alerts: &[
            AlertCode::RECORD_OVERFLOW,
            AlertCode::HANDSHAKE_FAILURE,
            AlertCode::BAD_CERTIFICATE,
            AlertCode::UNSUPPORTED_CERTIFICATE,
            AlertCode::CERTIFICATE_UNKNOWN,
            AlertCode::ILLEGAL_PARAMETER,
            AlertCode::UNKNOWN_CA,
            AlertCode::DECODE_ERROR,
            AlertCode::DECRYPT_ERROR,
            AlertCode::INTERNAL_ERROR,
        ],
        silent: true,
    },
    InClear {
        code: Code::ChainOrder,
        stages: AFTER_HELLO,
        alerts: &[
            AlertCode::HANDSHAKE_FAILURE,
            AlertCode::BAD_CERTIFICATE,
            AlertCode::UNSUPPORTED_CERTIFICATE,
            AlertCode::CERTIFICATE_UNKNOWN,
            AlertCode::UNKNOWN_CA,
        ],
        silent: true,
    },
];

/// One handshake while its causes are weighed.
struct Case<'a> {
    facts: &'a Facts<'a>,
    stage: Stage,
    alert: Option<AlertCode>,
    /// The root at which the chain ends is absent by assumption only.
    guessed: bool,
}

/// Decides which causes remain.
pub(super) fn rule(facts: &Facts<'_>) -> Ruling {
    let assessment = facts.assessment;
    let case = Case {
        facts,
        stage: Stage::of(facts.handshake),
        alert: facts.handshake.last_word().map(|alert| alert.code),
        guessed: assessment.chain_end.absence.is_guess() && assessment.chain.status == ChainStatus::UntrustedRoot,
    };
    let allowed = case.allowed();
    let survivors = case.survivors(&allowed);
    let filtered = case.filtered(&allowed, &survivors);
    let (visible, elsewhere) = (Vec::new(), facts.elsewhere.clone());
    Ruling { stage: case.stage, allowed, survivors, filtered, elsewhere, visible, overruled: false, doubtful: false }
}

/// Whether a cause is reported by its own facts: they are there, or it is what remains where no facts are.
pub(super) fn is_met(facts: &Facts<'_>, code: Code) -> bool {
    let remains = [
        Code::RejectedWithoutReason,
        Code::ServerEndedWithoutReason,
        Code::HandshakeStalled,
        Code::ChainCauseUndecided,
        Code::ClientCertificate,
    ];
    let holds = |cause: &Cause| (cause.holds)(facts);
    remains.contains(&code) || code.logic().cause.as_ref().is_some_and(holds) || abilities::may_be_old_firmware(facts)
}

/// The code for an ending of which nothing in clear is the cause.
pub(super) fn unexplained_code(stage: Stage) -> Option<Code> {
    match stage {
        Stage::Completed | Stage::Open => None,
        Stage::Stalled => Some(Code::HandshakeStalled),
        Stage::ServerBeforeHello | Stage::ServerInFlight | Stage::ServerAfterFlight => {
            Some(Code::ServerEndedWithoutReason)
        }
        Stage::ClientBeforeHello | Stage::ClientAtCertificate | Stage::ClientAfterFlight | Stage::ClientWithoutData => {
            Some(Code::RejectedWithoutReason)
        }
    }
}

impl Case<'_> {
    fn holds(&self, code: Code) -> bool {
        code.logic().cause.as_ref().is_some_and(|cause| (cause.holds)(self.facts))
    }

    /// What the table allows, and what other facts add to it or take from it.
    fn allowed(&self) -> Vec<Code> {
        let Facts { handshake, assessment, elsewhere, .. } = self.facts;
        let mut allowed = table(self.stage, self.alert, elsewhere).to_vec();
        // What has expired explains certificate_expired; the alert means that something is not valid yet only where
        // nothing has.
        if self.alert == Some(AlertCode::CERTIFICATE_EXPIRED)
            && !assessment.dates.beside_path
            && self.holds(Code::CertificateExpired)
        {
            allowed.retain(|code| *code == Code::CertificateExpired);
        }
        if self.stage == Stage::ServerAfterFlight && self.alert.is_none() && stage::server_accepted_answer(handshake) {
            allowed.clear();
        }
        // SSL 3.0 has no alert for the version (RFC 6101 section 5.4.2).
        let highest = handshake.tls.client_hello.as_ref().map(|hello| hello.version);
        let by_ssl_3 = highest == Some(Version::SSL_3_0) && !elsewhere.version;
        if by_ssl_3 && allowed == [Code::NoSharedCipher] {
            allowed.insert(0, Code::ProtocolVersion);
        }
        allowed.extend(IN_CLEAR.iter().filter(|cause| cause.allows(self.stage, self.alert)).map(|cause| cause.code));
        // A client that accepted these certificates before did not refuse their links, order or encoding.
        if assessment.accepted_before.is_some() {
            let of_certificates = [Code::ChainOrder, Code::MalformedMessage];
            allowed.retain(|code| !CHAIN.contains(code) && !of_certificates.contains(code));
        }
        match (self.stage, self.alert) {
            // Clients call the use or the algorithm of a certificate unsupported, not a root that is absent by
            // assumption only (D-DIAGNOSIS-11).
            (Stage::ClientAtCertificate | Stage::ClientWithoutData, Some(AlertCode::UNSUPPORTED_CERTIFICATE))
                if self.guessed =>
            {
                allowed.retain(|code| *code != Code::UntrustedRoot);
            }
            // Browsers leave where they are asked for a certificate, to ask their user (D-DIAGNOSIS-06).
            (Stage::ClientAtCertificate, None) if self.guessed || assessment.chain.status == ChainStatus::Trusted => {
                allowed.extend(handshake.tls.certificate_request.as_ref().map(|_| Code::ClientCertificate));
            }
            _ => {}
        }
        allowed
    }

    /// The allowed causes whose preconditions are met; if there is none, the code for an unknown cause.
    fn survivors(&self, allowed: &[Code]) -> Vec<Code> {
        let Facts { handshake, assessment, .. } = self.facts;
        let mut survivors: Vec<Code> = allowed.iter().copied().filter(|code| self.holds(*code)).collect();
        if survivors.iter().any(|code| !self.is_lenient(*code) && !self.is_feeble(*code)) {
            survivors.retain(|code| !self.is_lenient(*code));
        }
        // What shows that a server cannot sign, or was told no name, explains what else seems wrong (D-DIAGNOSIS-44).
        if survivors.contains(&Code::NoSharedSignature) {
            survivors.retain(|code| *code != Code::NoSharedCipher);
        }
        if survivors.contains(&Code::ServerName) {
            // A mere warning of the server leaves other causes open (D-DIAGNOSIS-54).
            let warned = server_name::only_warned(handshake);
            let unknown = |code: &Code| *code == Code::ChainCauseUndecided && assessment.unreadable.is_none();
            let fact = |code: &Code| !self.is_lenient(*code) && !self.is_feeble(*code);
            let stays = |code: &Code| warned && (fact(code) || unknown(code));
            survivors.retain(|code| *code == Code::ServerName || stays(code));
            // Certificates that nobody sees may be what the client left for, too (D-DIAGNOSIS-51).
            let unseen = assessment.unreadable.is_some() && assessment.accepted_before.is_none();
            if self.stage == Stage::ClientAtCertificate && unseen && !handshake.client_accepted() {
                survivors.push(Code::ChainCauseUndecided);
            }
        }
        // The server may have asked for a client certificate in a part of its flight that is missing.
        let unsure = if handshake.asked_client() { !handshake.two_sided } else { stage::may_have_asked(handshake) };
        if self.stage == Stage::ServerAfterFlight && !allowed.is_empty() && unsure {
            survivors = vec![Code::ClientCertificate, Code::ServerEndedWithoutReason];
        }
        // A client that completed the handshake and sent no data may not have objected to anything (D-DIAGNOSIS-03).
        if self.stage == Stage::ClientWithoutData
            && self.alert.is_none()
            && self.guessed
            && survivors == [Code::UntrustedRoot]
        {
            survivors.push(Code::RejectedWithoutReason);
        }
        // If the list names no issuer of a client certificate, it explains why none came.
        if survivors.contains(&Code::IssuerListTruncated) {
            survivors.retain(|code| *code != Code::ClientCertificate);
        }
        if survivors.is_empty() { self.unexplained(allowed).into_iter().collect() } else { survivors }
    }

    /// Whether only some clients refuse a handshake for it. What a profile says that a device cannot do, it refuses; what
    /// its hello merely omits, it may accept.
    fn is_lenient(&self, code: Code) -> bool {
        let omitted = code == Code::UnsupportedAlgorithm && self.facts.assessment.algorithms.unsupported.is_empty();
        omitted || LENIENT.contains(&code)
    }

    /// Whether a cause that holds need not be one: what is unknown, and what is only assumed.
    fn is_feeble(&self, code: Code) -> bool {
        let guess = self.guessed && code == Code::UntrustedRoot;
        guess || matches!(code, Code::ChainCauseUndecided | Code::OtherCaRefused)
    }

    /// The code for an ending that no cause explains.
    fn unexplained(&self, allowed: &[Code]) -> Option<Code> {
        let Facts { handshake, assessment, .. } = self.facts;
        match self.stage {
            // What the capture hides may well be the cause, unless the alert names another one (D-DIAGNOSIS-10).
            Stage::ClientAtCertificate | Stage::ClientWithoutData
                if assessment.unreadable.is_some()
                    && assessment.accepted_before.is_none()
                    && allowed.iter().any(|code| AT_CERTIFICATE.contains(code))
                    && !handshake.client_accepted() =>
            {
                Some(Code::ChainCauseUndecided)
            }
            Stage::ClientAtCertificate
                if allowed.contains(&Code::UnsupportedAlgorithm) && abilities::may_be_old_firmware(self.facts) =>
            {
                Some(Code::UnsupportedAlgorithm)
            }
            stage => unexplained_code(stage),
        }
    }

    /// The causes whose preconditions are met and that only the alert rules out, if they are worth a warning.
    fn filtered(&self, allowed: &[Code], survivors: &[Code]) -> Vec<Code> {
        let chain = &self.facts.assessment.chain;
        if self.stage == Stage::Completed {
            // A client that went on accepted the chain: its links are not reported at all; only dates may be.
            let dates = [Code::CertificateExpired, Code::CertificateNotYetValid, Code::CertificateRevoked];
            return dates.into_iter().filter(|code| self.holds(*code)).collect();
        }
        if !self.stage.is_at_certificate() {
            // Encryption may hide the ending and the certificates as well.
            let hidden = self.stage == Stage::Open
                && chain.status == ChainStatus::Hidden
                && self.facts.handshake.ending.outcome == Outcome::Undetermined;
            return if hidden { vec![Code::ChainCauseUndecided] } else { Vec::new() };
        }
        // The absence of a root is no fact where it is only assumed.
        let is_fact = |code: &Code| {
            let accepted = self.facts.assessment.accepted_before.is_some() && CHAIN.contains(code);
            let guess = self.guessed && *code == Code::UntrustedRoot;
            !accepted && !guess && *code != Code::ChainCauseUndecided && !self.is_lenient(*code) && self.holds(*code)
        };
        let others = AT_CERTIFICATE.iter().filter(|code| !survivors.contains(code) && !allowed.contains(code));
        let mut filtered: Vec<Code> = others.copied().filter(is_fact).collect();
        // A broken rule that the device is not known to check is worth a warning, but is not a cause (D-DIAGNOSIS-29).
        let broken = chain.fault.is_some()
            && chain.status == ChainStatus::Invalid
            && self.facts.assessment.accepted_before.is_none();
        if broken && !survivors.contains(&Code::ChainInvalid) && !filtered.contains(&Code::ChainInvalid) {
            filtered.push(Code::ChainInvalid);
        }
        filtered
    }
}
