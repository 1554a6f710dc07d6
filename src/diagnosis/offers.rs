//! In: all handshakes. Out: for each server name the issuers whose certificates clients were given for it. Bounded:
//! `MAX_ISSUERS` for a name. Left to others: whether that mattered.
//!
//! A proxy that inspects TLS answers in the server's place, with a certificate of its own CA: then one name has another
//! issuer for clients behind the proxy than for others. Two servers of one name with certificates of two CAs look the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::capture::FrameRef;
use crate::evidence::{Device, Evidence, Handshake};
use crate::x509::Certificate;

/// A server has one certificate, and at times a new one beside the old.
const MAX_ISSUERS: usize = 8;

/// What clients were given for each name.
#[derive(Debug, Default)]
pub(super) struct Offers(BTreeMap<String, Vec<Offer>>);

/// A certificate that a client was given.
#[derive(Debug)]
pub(super) struct Offer {
    pub(super) leaf: Arc<Certificate>,
    pub(super) at: FrameRef,
    device: usize,
}

impl Offers {
    pub(super) fn of(evidence: &Evidence) -> Self {
        let mut offers = Self::default();
        for (index, device) in evidence.devices.iter().enumerate() {
            for handshake in &device.handshakes {
                let (Some(name), Some(leaf)) = (name(device, handshake), handshake.own_certificate()) else { continue };
                let known = offers.0.entry(name.to_owned()).or_default();
                let same = |offer: &Offer| offer.leaf.issuer() == leaf.issuer() && offer.device == index;
                if known.len() < MAX_ISSUERS && !known.iter().any(same) {
                    let at = handshake.tls.certificates.server.as_ref().map_or(handshake.first, |list| list.last);
                    known.push(Offer { leaf: Arc::clone(leaf), at, device: index });
                }
            }
        }
        offers
    }

    /// A certificate of another issuer that another device was given for the same name (D-DIAGNOSIS-36).
    pub(super) fn of_another_issuer(&self, index: usize, device: &Device, handshake: &Handshake) -> Option<&Offer> {
        let leaf = handshake.own_certificate()?;
        let offers = self.0.get(name(device, handshake)?)?;
        offers.iter().find(|offer| offer.device != index && offer.leaf.issuer() != leaf.issuer())
    }
}

/// The name that a client asked for: SNI, else what it asked a proxy for or resolved to the server's address.
fn name<'a>(device: &'a Device, handshake: &'a Handshake) -> Option<&'a str> {
    let address = handshake.server.ip();
    let resolved = || device.names.iter().find(|(_, naming)| naming.addresses.contains(&address));
    let named = handshake.server_name().or(handshake.tls.tunnel_host());
    named.or_else(|| resolved().map(|(name, _)| name.as_str()))
}
