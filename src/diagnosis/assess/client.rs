//! In: a server's request for a client certificate, the client's chain, and the device's other handshakes. Out: whether
//! the request names an issuer of the certificate that the client has, and what can be said of its chain. Bounded: by
//! all of them. Left to others: whether that was the cause.

use std::sync::Arc;

use crate::capture::FrameRef;
use crate::evidence::{Device, Handshake};
use crate::protocol::tls::CertificateRequest;
use crate::trust::{ChainStatus, Fault, Judgement, Proof, same_organization};
use crate::x509::Name;

/// The issuer of a certificate that the client has, looked up in the list of issuers that a server asked for.
#[derive(Clone, Debug)]
pub struct ClientIssuer {
    /// The frame in which the client showed the certificate.
    pub at: FrameRef,
    /// The issuer's name.
    pub issuer: Name,
    /// Whether the list names it, or an issuer above it that the client showed.
    pub listed: bool,
}

impl ClientIssuer {
    /// Looks up the issuers of the certificate that this client showed in another handshake.
    pub(super) fn of(device: &Device, handshake: &Handshake) -> Option<Self> {
        let request = handshake.tls.certificate_request.as_ref()?;
        let shown = device.handshakes.iter().find(|other| !other.client_sent.is_empty() && !device.shared_address)?;
        let at = shown.tls.certificates.client.as_ref().map_or(shown.first, |list| list.last);
        let listed = shown.client_sent.iter().any(|c| request.authorities.iter().any(|name| name == c.issuer().raw()));
        Some(Self { at, issuer: shown.client_sent.first()?.issuer().clone(), listed })
    }
}

/// The names that a server's list of authorities holds (RFC 5246 section 7.4.4); `None` if it sends no list, or one that
/// could not be read to its end.
pub(in crate::diagnosis) fn authorities(request: &CertificateRequest) -> Option<Vec<Name>> {
    let length: usize = request.authorities.iter().map(|name| name.len() + 2).sum();
    let whole = request.bytes > 0 && u64::try_from(length).is_ok_and(|length| length == request.bytes);
    request.authorities.iter().map(|name| Name::from_der(name)).collect::<Option<_>>().filter(|_| whole)
}

/// What a judgement without anchors says of a client's chain (docs/verdict.md, step 12). The server's list of
/// authorities shows which roots it may have: an issuer of the same organization as one of them is an intermediate
/// (D-DIAGNOSIS-45).
pub(super) fn without_anchors(mut judgement: Judgement, handshake: &Handshake) -> Judgement {
    if matches!(judgement.status, ChainStatus::UntrustedRoot | ChainStatus::Trusted) {
        (judgement.status, judgement.proof) = (ChainStatus::Undetermined, Some(Proof::Undecidable));
    }
    if judgement.status != ChainStatus::Undetermined {
        return judgement;
    }
    let listed = handshake.tls.certificate_request.as_ref().and_then(authorities).unwrap_or_default();
    let is_listed = |name: &Name| listed.contains(name);
    let below_listed = |name: &Name| listed.iter().any(|authority| same_organization(authority, name));
    judgement.missing.retain(|link| !is_listed(&link.subject));
    if judgement.missing.last().is_some_and(|link| below_listed(&link.subject)) {
        (judgement.status, judgement.proof) = (ChainStatus::MissingIntermediate, Some(Proof::Inferred));
    } else if let Some(leaf) = handshake.client_sent.first().filter(|leaf| !leaf.permits_client_auth()) {
        (judgement.status, judgement.proof) = (ChainStatus::Invalid, Some(Proof::Proven));
        judgement.fault = Some((Arc::clone(leaf), Fault::ExtendedKeyUsage));
    }
    judgement
}
