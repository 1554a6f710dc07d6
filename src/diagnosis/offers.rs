//! In: all handshakes. Out: for each server name the issuers whose certificates clients were given for it, and for each
//! server's address the certificates that it gave to clients that named a server. Bounded: `MAX_ISSUERS` for a name,
//! `MAX_NAMED` for an address. Left to others: whether that mattered.
//!
//! A proxy that inspects TLS answers in the server's place, with a certificate of its own CA: then one name has another
//! issuer for clients behind the proxy than for others. Two servers of one name with certificates of two CAs look the same.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;

use crate::capture::FrameRef;
use crate::evidence::{Device, Evidence, Handshake, Scratch};
use crate::x509::Certificate;

/// A server has one certificate, and at times a new one beside the old.
const MAX_ISSUERS: usize = 8;

/// Certificates of one address that are kept: a server of many names shows soon that it tells clients apart by name.
const MAX_NAMED: usize = 8;

/// What clients were given.
#[derive(Debug, Default)]
pub(super) struct Offers {
    by_name: BTreeMap<String, Vec<Offer>>,
    by_server: BTreeMap<SocketAddr, Vec<Named>>,
}

/// A certificate that a server gave to a client that named the server it wanted (SNI).
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) leaf: Arc<Certificate>,
    pub(super) at: FrameRef,
}

/// A certificate that a client was given.
#[derive(Debug)]
pub(super) struct Offer {
    pub(super) leaf: Arc<Certificate>,
    pub(super) at: FrameRef,
    device: usize,
}

impl Offers {
    pub(super) fn of(evidence: &Evidence) -> Self {
        let (mut offers, mut scratch) = (Self::default(), Scratch::default());
        let mut of_kind: HashMap<usize, usize> = HashMap::new();
        for glance in evidence.devices.glances() {
            // Of devices alike, the first ones have filled what is kept for each of their names.
            let known = glance.kind.map(|kind| of_kind.entry(kind).or_default());
            if known.is_some_and(|known| std::mem::replace(known, known.saturating_add(1)) >= MAX_ISSUERS) {
                continue;
            }
            evidence.devices.show(glance.index, &mut scratch, |device| offers.add(glance.index, device));
        }
        offers
    }

    fn add(&mut self, index: usize, device: &Device) {
        for handshake in &device.handshakes {
            let (Some(name), Some(leaf)) = (name(device, handshake), handshake.own_certificate()) else { continue };
            let at = handshake.tls.certificates.server.as_ref().map_or(handshake.first, |list| list.last);
            self.add_named(handshake, leaf, at);
            let known = self.by_name.entry(name.to_owned()).or_default();
            let same = |offer: &Offer| offer.leaf.issuer() == leaf.issuer() && offer.device == index;
            if known.len() < MAX_ISSUERS && !known.iter().any(same) {
                known.push(Offer { leaf: Arc::clone(leaf), at, device: index });
            }
        }
    }

    fn add_named(&mut self, handshake: &Handshake, leaf: &Arc<Certificate>, at: FrameRef) {
        let Some(name) = handshake.server_name().filter(|_| handshake.tls.tunnel_to.is_none()) else { return };
        let known = self.by_server.entry(handshake.server).or_default();
        if known.len() < MAX_NAMED && !known.iter().any(|named| named.leaf == *leaf) {
            known.push(Named { name: name.to_owned(), leaf: Arc::clone(leaf), at });
        }
    }

    /// Another certificate than here that the same server gave to a client that named a server which it covers.
    pub(super) fn by_name(&self, handshake: &Handshake) -> Option<Named> {
        let leaf = handshake.own_certificate()?;
        let named = self.by_server.get(&handshake.server)?;
        named.iter().find(|named| named.leaf != *leaf).cloned()
    }

    /// A certificate of another issuer that another device was given for the same name (D-DIAGNOSIS-36).
    pub(super) fn of_another_issuer(&self, index: usize, device: &Device, handshake: &Handshake) -> Option<&Offer> {
        let leaf = handshake.own_certificate()?;
        let offers = self.by_name.get(name(device, handshake)?)?;
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
