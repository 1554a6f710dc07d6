//! The defects that a handshake shows, whether or not its client minds.
//!
//! In: what the other files of this stage found out about what a server sent, or is to send. Out: the defects of the data
//! of stacks that are visible in it, each with the fact that shows it. Bounded: by the table and by what was sent. Left
//! to others: who refuses them (`refusal`), and what is said.
//!
//! To add a defect: a row of the data (`trust/stacks.toml`, which recordings make) and a row of [`FACTS`].

mod algorithms;
mod chain;
mod dates;
mod flight;
mod names;
mod rules;
mod sight;

use super::code::{Code, rule_named};
use crate::trust::Stacks;

pub(super) use sight::Sight;

/// A defect that is visible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visible {
    /// Its name in the data of stacks.
    pub defect: &'static str,
    /// The code that it belongs to.
    pub code: Code,
    /// What shows it, as a clause.
    pub what: String,
}

/// What shows a defect, as a clause; `None` where it is not there.
type Fact = fn(&Sight<'_>) -> Option<String>;

/// The defects and what shows each, in the order of the data. What no fact shows is listed, with its reason, in
/// the test below.
const FACTS: &[(&str, Fact)] = &[
    ("leaf-alone", chain::leaf_alone),
    ("upper-intermediate-missing", chain::upper_missing),
    ("lower-intermediate-missing", chain::lower_missing),
    ("wrong-intermediate", chain::wrong_intermediate),
    ("root-unknown", chain::root_unknown),
    ("root-unknown-sent", chain::root_unknown_sent),
    ("one-tier-root-unknown", chain::one_tier_root_unknown),
    ("self-signed", chain::self_signed),
    ("order-reversed", chain::order_reversed),
    ("leaf-last", chain::leaf_last),
    ("order-shuffled", chain::order_shuffled),
    ("leaf-twice", chain::leaf_twice),
    ("intermediate-twice", chain::intermediate_twice),
    ("root-sent", chain::root_sent),
    ("unrelated-last", chain::unrelated_last),
    ("unrelated-between", chain::unrelated_between),
    ("leaf-expired", |sight| dates::leaf(sight, true)),
    ("intermediate-expired", |sight| dates::intermediate(sight, true)),
    ("expired-anchor", dates::anchor),
    ("cross-expired", dates::cross_expired),
    ("cross-to-expired-anchor", dates::cross_to_expired_anchor),
    ("cross-to-unknown-root", dates::cross_to_unknown_root),
    ("expired-twin-first", dates::twin_first),
    ("expired-twin-last", dates::twin_last),
    ("leaf-not-yet-valid", |sight| dates::leaf(sight, false)),
    ("intermediate-not-yet-valid", |sight| dates::intermediate(sight, false)),
    ("name-not-covered", names::not_covered),
    ("name-only-in-cn", names::only_in_common_name),
    ("name-in-cn-beside-san", names::in_common_name_beside_others),
    ("address-as-dns-name", names::address_as_dns_name),
    ("address-only-in-cn", names::address_in_common_name),
    ("wildcard-two-labels", names::wildcard_for_two_labels),
    ("wildcard-doubled", names::wildcard_doubled),
    ("wildcard-partial", names::wildcard_partial),
    ("purpose-other", rules::leaf_purpose),
    ("intermediate-purpose-other", rules::issuer_purpose),
    ("not-a-ca", rules::not_a_ca),
    ("constraints-absent", rules::without_constraints),
    ("intermediate-version-1", rules::version_1),
    ("no-cert-sign", rules::may_not_sign),
    ("path-too-long", rules::path_too_long),
    ("name-constraint-broken", rules::constraint_broken),
    ("name-constraint-dot", rules::constraint_with_dot),
    ("name-constraint-label", rules::constraint_of_one_label),
    ("unknown-critical-leaf", rules::critical_in_leaf),
    ("unknown-critical", rules::critical_in_issuer),
    ("md5-in-chain", algorithms::md5),
    ("sha1-in-chain", algorithms::sha1_above),
    ("sha1-leaf", algorithms::sha1_leaf),
    ("pss-in-chain", algorithms::pss),
    ("ed25519-in-chain", algorithms::ed25519),
    ("p521-in-chain", algorithms::p521_above),
    ("rsa1024-in-chain", algorithms::short_above),
    ("rsa1024-leaf", algorithms::short_leaf),
    ("p521-leaf", algorithms::p521_leaf),
    ("issuer-other-key", rules::other_key),
    ("signature-damaged", rules::signature_damaged),
    ("extension-doubled", flight::extension_doubled),
    ("trailing-bytes", flight::trailing_bytes),
    ("time-with-offset", flight::time_with_offset),
    ("time-without-seconds", flight::time_without_seconds),
    ("time-with-fraction", flight::time_with_fraction),
    ("explicit-curve", flight::explicit_curve),
    ("algorithms-differ", flight::algorithms_differ),
    ("list-empty", flight::list_empty),
    ("entry-empty", flight::entry_empty),
    ("record-too-long", flight::record_too_long),
    ("flight-16k", |sight| flight::list_of(sight, 16_384..40_000)),
    ("flight-40k", |sight| flight::list_of(sight, 40_000..100_000)),
    ("flight-110k", |sight| flight::list_of(sight, 100_000..u64::MAX)),
    ("usage-encipherment", |sight| flight::usage_lacks(sight, "digitalSignature")),
    ("usage-signature", |sight| flight::usage_lacks(sight, "keyEncipherment")),
    ("serial-negative", flight::serial_negative),
    ("serial-long", flight::serial_long),
    ("aki-matches-none", flight::issuer_identifier),
    ("dh-512", |sight| flight::prime_of(sight, 0..=768)),
    ("dh-1024", |sight| flight::prime_of(sight, 769..=2047)),
    ("no-renegotiation-info", flight::no_renegotiation_info),
    ("suite-not-offered", flight::suite_not_offered),
    ("curve-not-offered", flight::curve_not_offered),
    ("version-ssl3", flight::ssl_3),
    ("version-tls10", flight::tls_1_0),
    ("scheme-sha1", flight::signed_with_sha1),
    ("extension-not-offered", flight::extension_not_offered),
    ("compression-not-offered", flight::compression_not_offered),
    ("unrecognized-name-warning", flight::name_warning),
    ("revoked-by-staple", flight::revoked),
    ("client-certificate-absent", flight::client_sent_none),
    ("client-certificate-lacks-intermediates", flight::client_sent_leaf_alone),
    ("client-certificate-other-purpose", flight::client_purpose),
    ("client-certificate-expired", |sight| flight::client_dates(sight, true)),
    ("client-certificate-not-yet-valid", |sight| flight::client_dates(sight, false)),
];

/// The defects that are visible, in the order of the data.
pub(super) fn visible(sight: &Sight<'_>, stacks: &Stacks) -> Vec<Visible> {
    let code = |defect: &str| Some(rule_named(&stacks.defect(defect)?.code)?.id);
    let facts = FACTS.iter().filter_map(|(defect, fact)| {
        let what = fact(sight)?;
        Some(Visible { defect, code: code(defect)?, what })
    });
    let mut out: Vec<_> = facts.collect();
    // What a verifier takes for the leaf is another certificate: whatever else seems wrong follows from that.
    if out.iter().any(|it| it.defect == "leaf-last") {
        out.retain(|it| it.defect == "leaf-last" || !replaced_by("leaf-last").contains(&it.code));
    }
    // The signature was made by the other algorithm: it does not seem to fit, and need not be what it says it is.
    if out.iter().any(|it| it.defect == "algorithms-differ") {
        out.retain(|it| !replaced_by("algorithms-differ").contains(&it.code));
    }
    out
}

/// The codes whose facts follow from a defect, so that they are no causes of their own beside it.
pub(super) fn replaced_by(defect: &str) -> &'static [Code] {
    match defect {
        "leaf-last" => &[
            Code::MissingIntermediate,
            Code::UntrustedRoot,
            Code::CertificateExpired,
            Code::CertificateNotYetValid,
            Code::NameMismatch,
            Code::UnsupportedAlgorithm,
            Code::IssuerKeyMismatch,
            Code::ChainInvalid,
            Code::ChainCauseUndecided,
            Code::MalformedMessage,
            Code::ChainOrder,
        ],
        "algorithms-differ" => {
            &[Code::IssuerKeyMismatch, Code::ChainCauseUndecided, Code::ChainInvalid, Code::UnsupportedAlgorithm]
        }
        "explicit-curve" | "list-empty" | "entry-empty" => &[Code::ChainCauseUndecided],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Defects of the data that no fact shows, each with its reason.
    const WITHOUT_A_FACT: &[(&str, &str)] = &[
        ("small-records", "where records begin within a message is not kept"),
        ("unrecognized-name-fatal", "the server ends it: CG031 by its alert"),
        ("client-certificate-root-unknown", "what the server trusts is in no capture"),
    ];

    #[test]
    fn every_defect_of_the_data_has_a_fact_or_a_reason() {
        let without = |id: &str| WITHOUT_A_FACT.iter().any(|(defect, _)| *defect == id);
        for row in Stacks::default().defects() {
            let facts = FACTS.iter().filter(|(defect, _)| *defect == row.id).count();
            assert_eq!(facts, usize::from(!without(&row.id)), "{}", row.id);
            assert!(rule_named(&row.code).is_some(), "{}", row.code);
        }
        assert_eq!(FACTS.len() + WITHOUT_A_FACT.len(), Stacks::default().defects().len());
    }
}
