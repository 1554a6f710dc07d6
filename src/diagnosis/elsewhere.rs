//! In: the evidence, and one handshake. Out: what its server did in other handshakes, with any client. Bounded: by what the
//! evidence keeps of servers. Left to others: what follows from it.

use std::collections::BTreeSet;

use super::offers::{Named, Offers};
use crate::evidence::{Evidence, Handshake};
use crate::protocol::tls::{Agreement, Signer};

/// What a server did in other handshakes that bears on this hello.
#[derive(Clone, Debug, Default)]
pub struct Elsewhere {
    /// It accepted the version.
    pub version: bool,
    /// It accepted one of the cipher suites.
    pub suite: bool,
    /// It accepted a hello of this version that differs in the cipher suites only.
    pub same_but_for_suites: bool,
    /// The cipher suites that it chose.
    pub suites: BTreeSet<u16>,
    /// The kinds of keys that it has, by the suites that it chose before TLS 1.3.
    pub signers: BTreeSet<Signer>,
    /// The certificate that it sent to a client that named a server, where that is another one than here.
    pub(super) by_name: Option<Named>,
}

impl Elsewhere {
    /// Behind a proxy its address does not tell which server that was (D-DIAGNOSIS-16).
    pub(super) fn of(evidence: &Evidence, offers: &Offers, handshake: &Handshake) -> Self {
        let hello = handshake.tls.client_hello.as_ref().filter(|_| handshake.tls.tunnel_to.is_none());
        let Some(hello) = hello else { return Self::default() };
        let by_name = offers.by_name(handshake);
        let Some(agreed) = evidence.tls_servers.get(&handshake.server) else {
            return Self { by_name, ..Self::default() };
        };
        let suites: BTreeSet<u16> = agreed.iter().filter_map(|agreed| agreed.cipher_suite).collect();
        Self {
            version: agreed.iter().any(|agreed| agreed.version == hello.version),
            suite: suites.iter().any(|suite| hello.cipher_suites.contains(suite)),
            same_but_for_suites: hello.besides.is_some()
                && agreed.iter().any(|agreed| agreed.version == hello.version && agreed.besides == hello.besides),
            signers: suites.iter().filter_map(|suite| key_of(*suite)).collect(),
            suites,
            by_name,
        }
    }
}

/// The kind of key that a server has which chose this suite: the one that signs, or that the client encrypts to.
fn key_of(suite: u16) -> Option<Signer> {
    match Agreement::of(suite)? {
        Agreement::Rsa => Some(Signer::Rsa),
        agreement => agreement.signer().filter(|signer| *signer != Signer::Nobody),
    }
}
