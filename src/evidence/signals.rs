//! In: a device's facts. Out: how it signed in, with the frames that show it.
//! Bounded: a handful of signals. Left to others: what follows from it.
//!
//! What is published about the phones: PIN sign-in fetches the certificate chain from the provisioning service on port
//! 80; USB-tethered sign-in looks certificates up in Active Directory by LDAP. Nothing published says what the USB link
//! itself carries, so USB is never seen, only consistent with what is.

use super::device::Device;
use super::fetch::{FetchKind, Via};
use super::sign_in::{SignIn, SignInMethod, SignInStrength};
use crate::capture::FrameRef;

impl Device {
    /// How the device signed in, by published signals, each of which is named. `is_phone` says whether it is a Lync
    /// phone: some signals count of these alone.
    pub fn sign_in(&self, is_phone: bool) -> SignIn {
        let provisioning = self.fetches.iter().find(|fetch| {
            fetch.url.to_ascii_lowercase().contains("/certprov/")
                || fetch.certificates.iter().any(|(_, kind)| *kind == FetchKind::Certprov)
        });
        if let Some(fetch) = provisioning {
            let (method, url) = (&fetch.method, &fetch.url);
            let what = format!("{method} {url} asks the provisioning service for the certificate chain");
            return SignIn {
                method: SignInMethod::Pin,
                strength: SignInStrength::Seen,
                basis: vec![(fetch.request, what)],
            };
        }
        let basis = usb_signals(self, is_phone);
        let method = if basis.is_empty() { SignInMethod::Unknown } else { SignInMethod::UsbTethered };
        SignIn { method, strength: SignInStrength::ConsistentWith, basis }
    }
}

/// What fits a USB-tethered sign-in, strongest first. None of it proves one: nothing published says what the USB link
/// carries, and a phone that stored the chain at an earlier sign-in fetches none either.
fn usb_signals(device: &Device, is_phone: bool) -> Vec<(FrameRef, String)> {
    let mut signals = Vec::new();
    let searched = device.fetches.iter().find(|fetch| fetch.via == Via::Ldap);
    signals.extend(searched.map(|fetch| (fetch.request, "LDAP search for CA certificates".to_owned())));
    let directory = device.names.iter().find(|(name, _)| name.starts_with("_ldap._tcp"));
    let asked = directory.and_then(|(_, naming)| naming.at);
    signals.extend(asked.map(|at| (at, "DNS query for the directory's LDAP service".to_owned())));
    if !is_phone {
        return signals;
    }
    // Every PC of a domain speaks Kerberos; from a phone it is a sign.
    signals.extend(device.kerberos.map(|at| (at, "Kerberos, as with credentials of the directory".to_owned())));
    // The first word to any server is a ClientHello.
    let hello = device.handshakes.iter().map(|h| h.first).min_by_key(FrameRef::place);
    let fetched_before = |hello: &FrameRef| device.fetches.iter().any(|fetch| fetch.request.is_before(hello));
    if let Some(hello) = hello.filter(|hello| !fetched_before(hello)) {
        let begins = match device.frames.0.is_before(&hello) {
            true => "",
            false => "; the capture begins with this connection",
        };
        let what = "a ClientHello with no certificate fetch before it";
        signals.push((hello, format!("{what} (a chain stored at an earlier sign-in looks the same{begins})")));
    }
    signals
}
