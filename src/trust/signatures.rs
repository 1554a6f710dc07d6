//! In: certificates and keys. Out: whether the key made the certificate's signature, each pair computed once. Bounded: an
//! entry for each pair that was asked for, which budgets limit. Left to others: which pairs are worth asking for.

use std::collections::HashMap;

use crate::x509::{Certificate, Digest, PublicKey, SignatureCheck};

/// The signatures that were checked, by certificate and key.
#[derive(Debug, Default)]
pub(super) struct Signatures {
    checked: HashMap<(Digest, Digest), SignatureCheck>,
}

/// A check with a usual key takes as long as this many steps.
pub(super) const STEPS_PER_CHECK: usize = 10;

impl Signatures {
    /// Whether `key` made the signature of `certificate`.
    pub(super) fn check(&mut self, certificate: &Certificate, key: &PublicKey) -> SignatureCheck {
        self.checked.entry(pair(certificate, key)).or_insert_with(|| certificate.verify_signed_by(key)).clone()
    }

    /// Steps that [`check`](Self::check) would take now: none where the answer is known already.
    pub(super) fn cost(&self, certificate: &Certificate, key: &PublicKey) -> usize {
        if self.checked.contains_key(&pair(certificate, key)) { 0 } else { steps_per_check(key) }
    }

    /// Signatures checked so far.
    pub(super) fn count(&self) -> u64 {
        u64::try_from(self.checked.len()).unwrap_or(u64::MAX)
    }
}

/// What identifies a signature: the certificate and the key.
pub(super) fn pair(certificate: &Certificate, key: &PublicKey) -> (Digest, Digest) {
    (certificate.sha256(), key.spki_sha256())
}

/// Steps that a check with this key takes: the more, the longer the key.
pub(super) fn steps_per_check(key: &PublicKey) -> usize {
    STEPS_PER_CHECK.saturating_mul(key.cost_of_a_check())
}
