//! In: the server's own certificate, and the names by which the device came to it. Out: whether the certificate is for
//! that server. Bounded: by the names of the device. Left to others: whether that was the cause.

use crate::capture::FrameRef;
use crate::evidence::{Device, Handshake};
use crate::trust::Profile;
use crate::x509::Certificate;

/// Whether the names in the server's certificate cover the server that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameCheck {
    /// This name is covered.
    Covered(String),
    /// A name is covered, but it need not be the right one, or not enough: why, in words.
    Perhaps(String),
    /// None of these names is.
    NotCovered {
        /// The names.
        names: Vec<String>,
        /// The name is the SNI; otherwise they are what the device asked DNS for, or was told.
        from_sni: bool,
    },
    /// The capture tells no name.
    Unknown,
}

impl NameCheck {
    /// Compares the names of a leaf with SNI, or where there is none with the names that led to the server.
    pub(super) fn of(device: &Device, handshake: &Handshake, leaf: &Certificate, profile: &Profile) -> Self {
        let rules = profile.host_rules();
        let by_common_name =
            leaf.dns_names().is_empty() && profile.cn_fallback.as_ref().is_none_or(|fact| !fact.provenance.is_fact());
        let covered = |name: &str| match by_common_name {
            true => Self::Perhaps(format!("{name} is its common name only, which not every device takes")),
            false => Self::Covered(name.to_owned()),
        };
        if let Some(name) = handshake.server_name() {
            return if leaf.matches_host(name, rules) {
                covered(name)
            } else {
                Self::NotCovered { names: vec![name.to_owned()], from_sni: true }
            };
        }
        let names = names_that_led_to(device, handshake);
        let (fit, mut others): (Vec<_>, Vec<_>) = names.iter().partition(|name| leaf.matches_host(name, rules));
        // A name that was handed out is the service's; other names that were looked up count only where there is none.
        // Decided in D-DIAGNOSIS-18.
        let handed_out = |name: &&String| device.names.get(*name).is_some_and(|it| it.is_srv_target || it.by_dhcp);
        if fit.iter().any(handed_out) {
            others.retain(handed_out);
        }
        match (fit.as_slice(), others.as_slice()) {
            ([], []) => Self::Unknown,
            ([], _) => Self::NotCovered { names, from_sni: false },
            ([name, ..], []) => covered(name),
            ([name, ..], [other, ..]) => {
                Self::Perhaps(format!("the certificate covers {name} and not {other}, and both led there"))
            }
        }
    }
}

/// The names that led the device to the server before its deciding frame. Through a proxy the address is the proxy's, and
/// the name is the one that the proxy was told.
fn names_that_led_to(device: &Device, handshake: &Handshake) -> Vec<String> {
    if let Some(host) = handshake.tls.tunnel_host() {
        return vec![host.to_owned()];
    }
    let address = handshake.server.ip();
    let deciding = handshake.deciding();
    let in_time = |at: Option<FrameRef>| at.is_none_or(|at| at.is_before(&deciding)) && !device.shared_address;
    let asked = device.names.iter().filter(|(_, naming)| naming.addresses.contains(&address) && in_time(naming.at));
    asked.map(|(name, _)| name.clone()).collect()
}
