//! In: a server's request for a client certificate, and the device's other handshakes. Out: whether the request names an
//! issuer of the certificate that the client has. Bounded: by both. Left to others: whether that was the cause.

use crate::capture::FrameRef;
use crate::evidence::{Device, Handshake};
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
