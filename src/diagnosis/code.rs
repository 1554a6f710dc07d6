//! In: nothing. Out: the table of codes: what reports call each rule, and its explain text. Bounded: by the table. Left to
//! others: what a rule does (`rules`).
//!
//! To add a rule: a row of the table, its explain text, what it does (`rules/mod.rs`), and a capture in which it is found
//! beside one in which it is not.

/// A row of the table: what reports call a rule.
#[derive(Debug)]
#[non_exhaustive]
pub struct Rule {
    /// Its code in the program.
    pub id: Code,
    /// Its code in reports.
    pub code: &'static str,
    /// Its name in reports and expectations.
    pub name: &'static str,
    /// The version that brought it: older expectation files know nothing of it.
    pub since: &'static str,
    /// What it means, how it is proven, what mimics it, how it is mended. Markdown.
    pub explain: &'static str,
}

/// The codes and their rows, so that no code is without a row.
macro_rules! rules {
    ($($id:ident $code:literal $name:literal $since:literal;)*) => {
        /// A finding's code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        #[allow(missing_docs, reason = "each variant is the name in its row")]
        pub enum Code {
            $($id),*
        }

        /// All rules, in the order of their codes.
        pub const RULES: &[Rule] = &[$(Rule {
            id: Code::$id,
            code: $code,
            name: $name,
            since: $since,
            explain: include_str!(concat!("explain/", $code, "-", $name, ".md")),
        }),*];
    };
}

rules! {
    MissingIntermediate "CG001" "missing-intermediate" "0.1.0";
    UntrustedRoot "CG002" "untrusted-root" "0.1.0";
    IncompleteChainTolerated "CG003" "incomplete-chain-tolerated" "0.1.0";
    CertificateFetchFailed "CG004" "certificate-fetch-failed" "0.1.0";
    CertificateFetchUnhelpful "CG005" "certificate-fetch-unhelpful" "0.1.0";
    CertificateExpired "CG006" "certificate-expired" "0.1.0";
    CertificateNotYetValid "CG007" "certificate-not-yet-valid" "0.1.0";
    NameMismatch "CG008" "name-mismatch" "0.1.0";
    ProtocolVersion "CG009" "protocol-version" "0.1.0";
    NoSharedCipher "CG010" "no-shared-cipher" "0.1.0";
    UnsupportedAlgorithm "CG011" "unsupported-algorithm" "0.1.0";
    IssuerListTruncated "CG012" "issuer-list-truncated" "0.1.0";
    ClientCertificate "CG013" "client-certificate" "0.1.0";
    ClockSkew "CG014" "clock-skew" "0.1.0";
    HandshakeStalled "CG015" "handshake-stalled" "0.1.0";
    CertificateHidden "CG016" "certificate-hidden" "0.1.0";
    CaptureIncomplete "CG017" "capture-incomplete" "0.1.0";
    ChainOrder "CG018" "chain-order" "0.1.0";
    IssuerKeyMismatch "CG019" "issuer-key-mismatch" "0.1.0";
    ConnectionRefused "CG020" "connection-refused" "0.1.0";
    NameOutsideSipDomain "CG021" "name-outside-sip-domain" "0.1.0";
    OtherCaRefused "CG022" "other-ca-refused" "0.1.0";
    RejectedWithoutReason "CG023" "rejected-without-reason" "0.1.0";
    ProfileMismatch "CG024" "profile-mismatch" "0.1.0";
    ChainCauseUndecided "CG025" "chain-cause-undecided" "0.1.0";
    ChainInvalid "CG026" "chain-invalid" "0.1.0";
    ServerEndedWithoutReason "CG027" "server-ended-without-reason" "0.1.0";
    CertificateRevoked "CG028" "certificate-revoked" "0.1.0";
    NoHandshakeSeen "CG029" "no-handshake-seen" "0.1.0";
    TlsIsFine "CG030" "tls-is-fine" "0.1.0";
    ServerName "CG031" "server-name" "0.1.0";
    ParametersRefused "CG032" "parameters-refused" "0.1.0";
    MalformedMessage "CG033" "malformed-message" "0.1.0";
    NoSharedSignature "CG034" "no-shared-signature" "0.1.0";
}

impl Rule {
    /// When it is found, in a sentence: the first paragraph of its explain text, on one line (D-RENDER-06).
    pub fn summary(&self) -> String {
        let paragraph = self.explain.lines().skip(2).take_while(|line| !line.is_empty());
        paragraph.collect::<Vec<_>>().join(" ")
    }
}

/// Which of several findings of one severity comes first: what is surely refused before what only some devices mind, and
/// what says why before what does not (docs/verdict.md, step 7).
const RANKED: &[Code] = &[
    Code::CertificateExpired,
    Code::CertificateNotYetValid,
    Code::NameMismatch,
    Code::UnsupportedAlgorithm,
    Code::CertificateRevoked,
    Code::MissingIntermediate,
    Code::UntrustedRoot,
    Code::IncompleteChainTolerated,
    Code::CertificateFetchFailed,
    Code::CertificateFetchUnhelpful,
    Code::IssuerKeyMismatch,
    Code::ChainInvalid,
    Code::MalformedMessage,
    Code::ParametersRefused,
    Code::ProtocolVersion,
    Code::NoSharedCipher,
    Code::NoSharedSignature,
    Code::ServerName,
    Code::IssuerListTruncated,
    Code::ClientCertificate,
    Code::ClockSkew,
    Code::HandshakeStalled,
    Code::CertificateHidden,
    Code::CaptureIncomplete,
    Code::ChainOrder,
    Code::ConnectionRefused,
    Code::NameOutsideSipDomain,
    Code::ChainCauseUndecided,
    Code::OtherCaRefused,
    Code::RejectedWithoutReason,
    Code::ServerEndedWithoutReason,
    Code::ProfileMismatch,
    Code::NoHandshakeSeen,
    Code::TlsIsFine,
];

/// What only some clients refuse: it is a cause only where nothing remains that every client refuses (D-DIAGNOSIS-43).
pub(super) const LENIENT: &[Code] = &[Code::MalformedMessage, Code::ParametersRefused, Code::ChainOrder];

impl Code {
    /// Its place among findings of one severity; lower comes first.
    pub(super) fn rank(self) -> usize {
        RANKED.iter().position(|ranked| *ranked == self).unwrap_or(RANKED.len())
    }

    /// Its row. Variants and rows are in the same order, because one list makes both.
    pub fn rule(self) -> &'static Rule {
        &RULES[self as usize]
    }

    /// The name in reports.
    pub fn name(self) -> &'static str {
        self.rule().name
    }
}

/// The rule of a code (`CG001`, in any case) or name.
pub fn rule_named(text: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.code.eq_ignore_ascii_case(text) || rule.name.eq_ignore_ascii_case(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_its_explain_text_and_the_codes_are_in_order() {
        for rule in RULES {
            let title = format!("# {} {}", rule.code, rule.name);
            assert_eq!(rule.explain.lines().next(), Some(title.as_str()));
            for heading in ["## What it means", "## How it is proven", "## What mimics it", "## How to mend it"] {
                assert!(rule.explain.lines().any(|line| line == heading), "{}: {heading}", rule.code);
            }
            assert_eq!(rule.id.rule().code, rule.code);
            let summary = rule.summary();
            assert!(summary.ends_with('.') && (20..=200).contains(&summary.len()), "{}: {summary:?}", rule.code);
        }
        assert!(RULES.windows(2).all(|pair| pair[0].code < pair[1].code && pair[0].id < pair[1].id));
    }

    #[test]
    fn every_rule_has_one_rank() {
        let ranked: std::collections::BTreeSet<Code> = RANKED.iter().copied().collect();
        assert_eq!((ranked.len(), RANKED.len()), (RULES.len(), RULES.len()));
    }
}
