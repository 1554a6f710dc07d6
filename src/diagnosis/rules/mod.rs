//! The rules, a file a family: for each code what must hold, what excludes it, its proof, words and remedies.
//!
//! In: a device's session. Out: its findings. Bounded: by what the evidence keeps. Left to others: which of several causes
//! remain (`cause`), severity and headline (`verdict`).
//!
//! To add a rule: a row in the table of codes, its explain text, a [`Logic`] in the file of its family, and an arm below.

pub(super) mod abilities;
pub(super) mod chain;
mod client;
mod client_reason;
mod connections;
mod coverage;
pub(super) mod dates;
mod endings;
mod fetches;
mod links;
mod logic;
pub(super) mod malformed;
pub(super) mod names;
mod negotiation;
pub(super) mod order;
mod parameters;
pub(super) mod remedy;
mod renewal;
mod revocation;
pub(super) mod server_name;
mod sign_in;
mod signatures;
mod skew;
mod stacks;
mod tolerated;
mod unused;

use super::code::{Code, RULES};
use super::finding::{Finding, Severity};
use super::session::Session;

pub(super) use connections::{may_scan, refused, refused_tunnels};
pub(super) use coverage::{nothing_seen_in, wrong_clocks};
use logic::Lacks;
pub(super) use logic::{Cause, Facts, Logic, Rival};

impl Code {
    /// What the rule does.
    pub(super) fn logic(self) -> &'static Logic {
        match self {
            Self::MissingIntermediate => &chain::MISSING_INTERMEDIATE,
            Self::UntrustedRoot => &chain::UNTRUSTED_ROOT,
            Self::IncompleteChainTolerated => &tolerated::INCOMPLETE_CHAIN_TOLERATED,
            Self::CertificateFetchFailed => &fetches::CERTIFICATE_FETCH_FAILED,
            Self::CertificateFetchUnhelpful => &fetches::CERTIFICATE_FETCH_UNHELPFUL,
            Self::CertificateExpired => &dates::CERTIFICATE_EXPIRED,
            Self::CertificateNotYetValid => &dates::CERTIFICATE_NOT_YET_VALID,
            Self::NameMismatch => &names::NAME_MISMATCH,
            Self::ProtocolVersion => &negotiation::PROTOCOL_VERSION,
            Self::NoSharedCipher => &negotiation::NO_SHARED_CIPHER,
            Self::UnsupportedAlgorithm => &abilities::UNSUPPORTED_ALGORITHM,
            Self::IssuerListTruncated => &client::ISSUER_LIST_TRUNCATED,
            Self::ClientCertificate => &client::CLIENT_CERTIFICATE,
            Self::ClockSkew => &skew::CLOCK_SKEW,
            Self::HandshakeStalled => &endings::HANDSHAKE_STALLED,
            Self::CertificateHidden => &coverage::CERTIFICATE_HIDDEN,
            Self::CaptureIncomplete => &coverage::CAPTURE_INCOMPLETE,
            Self::ChainOrder => &order::CHAIN_ORDER,
            Self::IssuerKeyMismatch => &chain::ISSUER_KEY_MISMATCH,
            Self::ConnectionRefused => &connections::CONNECTION_REFUSED,
            Self::NameOutsideSipDomain => &sign_in::NAME_OUTSIDE_SIP_DOMAIN,
            Self::OtherCaRefused => &abilities::OTHER_CA_REFUSED,
            Self::RejectedWithoutReason => &endings::REJECTED_WITHOUT_REASON,
            Self::ProfileMismatch => &abilities::PROFILE_MISMATCH,
            Self::ChainCauseUndecided => &chain::CHAIN_CAUSE_UNDECIDED,
            Self::ChainInvalid => &chain::CHAIN_INVALID,
            Self::ServerEndedWithoutReason => &endings::SERVER_ENDED_WITHOUT_REASON,
            Self::CertificateRevoked => &revocation::CERTIFICATE_REVOKED,
            Self::NoHandshakeSeen => &coverage::NO_HANDSHAKE_SEEN,
            Self::TlsIsFine => &sign_in::TLS_IS_FINE,
            Self::ServerName => &server_name::SERVER_NAME,
            Self::ParametersRefused => &parameters::PARAMETERS_REFUSED,
            Self::MalformedMessage => &malformed::MALFORMED_MESSAGE,
            Self::NoSharedSignature => &signatures::NO_SHARED_SIGNATURE,
        }
    }

    /// Whether it is shown as a sentence although it is only information, because it says what failed after TLS.
    pub fn tells_of_later_failures(self) -> bool {
        self == Self::TlsIsFine
    }

    /// Whether the device may lack an intermediate where this is found.
    pub fn may_lack_intermediate(self) -> bool {
        matches!(self.logic().lacks, Lacks::Intermediate | Lacks::IntermediateOrRoot)
    }

    /// Whether the device may lack an intermediate or a root where this is found.
    pub fn may_lack_certificate(self) -> bool {
        self.logic().lacks != Lacks::Nothing
    }
}

/// Everything that the rules find in a session, the handshakes in their order.
pub(super) fn findings(session: &Session<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for judged in session.handshakes {
        let causes = judged.ruling.told().filter_map(|code| Some((code, code.logic().cause.as_ref()?)));
        found.extend(causes.map(|(code, cause)| match judged.held.contains(&code) {
            true => stacks::add_answers(judged, code, (cause.describe)(session, judged, code)),
            false => stacks::describe(session, judged, code),
        }));
    }
    for find in RULES.iter().filter_map(|rule| rule.id.logic().find) {
        found.extend(find(session));
    }
    // For a phone that was recognized and did nothing else, the finding says what the capture does hold.
    if found.iter().all(|finding| finding.severity == Severity::Info) {
        found.extend(coverage::nothing_seen(session));
    }
    found.sort_by_key(|finding| finding.handshake);
    found
}
