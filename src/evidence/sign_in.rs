//! In: a device's facts. Out: whether it is a Lync phone, and how it signed in, each with the frames that say so.
//! Bounded: a handful of signals. Left to others: what follows from it.
//!
//! What is published about the phones: PIN sign-in downloads the certificate chain from the provisioning service on port
//! 80; USB-tethered sign-in looks certificates up in Active Directory by LDAP. Nothing published says what the USB link
//! itself carries, so USB is never seen, only consistent with what is.

use super::device::Device;
use super::fetch::{FetchKind, Via};
use crate::capture::FrameRef;
use crate::words::words;

/// Makers whose phones use the same DHCP options and web service, and that are not Lync Phone Edition.
const OTHER_MAKERS: [&str; 7] = ["audiocodes", "polycom vvx", "polycomvvx", "yealink", "sip-t", "snom", "420hd"];
/// Organizationally unique identifiers of such makers, from the IEEE's registry; those of makers of Lync phones as well
/// (Polycom, HP, Aastra) tell nothing.
const OTHER_CARDS: [([u8; 3], &str); 5] = [
    ([0x00, 0x90, 0x8F], "AudioCodes"),
    ([0x00, 0x15, 0x65], "Yealink"),
    ([0x80, 0x5E, 0xC0], "Yealink"),
    ([0x24, 0x9A, 0xD8], "Yealink"),
    ([0x00, 0x04, 0x13], "snom"),
];
/// Signals kept of one device.
const MAX_SIGNALS: usize = 8;

/// What tells what kind of device it is.
#[derive(Clone, Debug, Default)]
pub struct Recognition {
    /// Frames that show a Lync phone.
    pub lync: Vec<(FrameRef, String)>,
    /// A frame that names another maker.
    pub other: Option<(FrameRef, String)>,
}

impl Recognition {
    /// Whether it is a Lync Phone Edition phone.
    pub fn is_lync_phone(&self) -> bool {
        !self.lync.is_empty() && self.other.is_none()
    }

    pub(super) fn lync(&mut self, at: FrameRef, what: &str) {
        if self.lync.len() < MAX_SIGNALS && !self.lync.iter().any(|(_, known)| known == what) {
            self.lync.push((at, what.to_owned()));
        }
    }

    pub(super) fn user_agent(&mut self, agent: Option<&str>, at: FrameRef) {
        self.maker("User-Agent", agent, at);
    }

    /// Looks for another maker's name in something the device says of itself.
    pub(super) fn maker(&mut self, field: &str, text: Option<&str>, at: FrameRef) {
        let Some(text) = text else { return };
        let lower = text.to_ascii_lowercase();
        if self.other.is_none() && OTHER_MAKERS.iter().any(|maker| lower.contains(maker)) {
            self.other = Some((at, format!("{field} {text:?}")));
        }
    }

    /// Looks at who made the network card.
    pub(super) fn card(&mut self, [a, b, c, ..]: [u8; 6], at: FrameRef) {
        let maker = OTHER_CARDS.iter().find(|(prefix, _)| *prefix == [a, b, c]);
        if let Some((_, maker)) = maker.filter(|_| self.other.is_none()) {
            self.other = Some((at, format!("network card of {maker}")));
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (at, what) in &other.lync {
            self.lync(*at, what);
        }
        self.other = self.other.take().or_else(|| other.other.clone());
    }
}

words! {
    /// A sign-in method.
    #[derive(Default)]
    pub enum SignInMethod {
        /// Extension and PIN.
        Pin = "pin",
        /// Credentials from a tethered PC.
        UsbTethered = "usb-tethered",
        /// Nothing tells.
        #[default]
        Unknown = "unknown",
    }
}

words! {
    /// How sure a sign-in method is.
    #[derive(Default)]
    pub enum SignInStrength {
        /// The capture shows it.
        Seen = "seen",
        /// The capture fits it.
        #[default]
        ConsistentWith = "consistent-with",
    }
}

/// How a device signed in.
#[derive(Clone, Debug, Default)]
pub struct SignIn {
    /// The method.
    pub method: SignInMethod,
    /// How sure it is.
    pub strength: SignInStrength,
    /// The frames it rests on, each with what it shows.
    pub basis: Vec<(FrameRef, String)>,
}

impl SignIn {
    /// Decides by the signals that were published, and names each of them.
    pub(super) fn of(device: &Device) -> Self {
        let provisioning = device.fetches.iter().find(|fetch| {
            fetch.url.to_ascii_lowercase().contains("/certprov/")
                || fetch.certificates.iter().any(|(_, kind)| *kind == FetchKind::Certprov)
        });
        if let Some(fetch) = provisioning {
            let what =
                format!("{} {} asks the provisioning service for the certificate chain", fetch.method, fetch.url);
            return Self {
                method: SignInMethod::Pin,
                strength: SignInStrength::Seen,
                basis: vec![(fetch.request, what)],
            };
        }
        let basis = usb_signals(device);
        let method = if basis.is_empty() { SignInMethod::Unknown } else { SignInMethod::UsbTethered };
        Self { method, strength: SignInStrength::ConsistentWith, basis }
    }
}

/// What fits a USB-tethered sign-in, strongest first. None of it proves one: nothing published says what the USB link
/// carries, and a phone that stored the chain at an earlier sign-in downloads none either.
fn usb_signals(device: &Device) -> Vec<(FrameRef, String)> {
    let mut signals = Vec::new();
    let searched = device.fetches.iter().find(|fetch| fetch.via == Via::Ldap);
    signals.extend(searched.map(|fetch| (fetch.request, "LDAP search for CA certificates".to_owned())));
    let directory = device.names.iter().find(|(name, _)| name.starts_with("_ldap._tcp"));
    let asked = directory.and_then(|(_, naming)| naming.at);
    signals.extend(asked.map(|at| (at, "DNS query for the directory's LDAP service".to_owned())));
    if !device.recognition.is_lync_phone() {
        return signals;
    }
    // Any PC of a domain speaks Kerberos; of a phone it is a sign.
    signals.extend(device.kerberos.map(|at| (at, "Kerberos, as with credentials of the directory".to_owned())));
    // The first word to any server is a ClientHello.
    let hello = device.handshakes.iter().map(|h| h.first).min_by_key(FrameRef::place);
    let stored =
        "a ClientHello with no certificate fetch before it (a chain stored at an earlier sign-in looks the same)";
    signals.extend(hello.map(|at| (at, stored.to_owned())));
    signals
}
