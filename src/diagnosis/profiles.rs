//! Which profile each device is held to (docs/verdict.md, step 2).
//!
//! In: the user's choice, and a device. Out: the profile, the anchors of its devices, and how it came to be chosen.
//! Bounded: two profiles. Left to others: what a profile says, recognizing a phone, and every conclusion.

use std::sync::Arc;

use super::anchors::DeviceAnchors;
use super::finding::ProfileBasis;
use crate::evidence::{Device, Handshake};
use crate::protocol::tls::Version;
use crate::trust::{Anchor, Profile, ProfileChoice, Trust};

/// The profiles that the devices of an investigation are held to.
#[derive(Debug)]
pub(super) enum Profiles {
    /// The user's choice, for every device.
    Given(Box<Standard>),
    /// One for Lync phones and what may be one, and one for all other devices.
    Auto { phones: Box<Standard>, others: Box<Standard> },
}

/// A profile, with the anchors of the devices that are held to it.
#[derive(Debug)]
pub(super) struct Standard {
    profile: Profile,
    anchors: Arc<[Anchor]>,
    is_lync_phone: bool,
}

impl Profiles {
    /// The profiles for what the user brought.
    pub(super) fn of(trust: &Trust) -> Self {
        let hold = |profile| Box::new(Standard::new(profile, trust));
        let builtin = |name| hold(Profile::builtin(name).unwrap_or_else(Profile::none));
        match &trust.profile {
            ProfileChoice::None => Self::Given(hold(Profile::none())),
            ProfileChoice::Given(profile) => Self::Given(hold(profile.as_ref().clone())),
            ProfileChoice::Auto => {
                Self::Auto { phones: builtin(Profile::LYNC_PHONE_EDITION), others: builtin("generic-no-aia") }
            }
        }
    }

    /// The anchors of a device, by the profile that it is held to, and how that came to be chosen.
    pub(super) fn anchors_of(&self, device: &Device) -> (DeviceAnchors<'_>, ProfileBasis) {
        let (standard, basis) = match self {
            Self::Given(standard) => (standard, ProfileBasis::Given),
            Self::Auto { phones, .. } if device.recognition.is_lync_phone() => (phones, ProfileBasis::Recognized),
            Self::Auto { phones, .. } if may_be_lync_phone(device) => (phones, ProfileBasis::Assumed),
            Self::Auto { others, .. } => (others, ProfileBasis::Assumed),
        };
        let (profile, list) = (&standard.profile, Arc::clone(&standard.anchors));
        (DeviceAnchors { profile, list, assumed: basis == ProfileBasis::Assumed }, basis)
    }

    /// The anchors of all devices.
    pub(super) fn anchors(&self) -> impl Iterator<Item = &Anchor> {
        let (one, other) = match self {
            Self::Given(standard) => (standard, None),
            Self::Auto { phones, others } => (phones, Some(others)),
        };
        one.anchors.iter().chain(other.into_iter().flat_map(|standard| standard.anchors.iter()))
    }

    /// Whether the device is a phone: recognized in the capture, or named by the user, unless the capture shows
    /// another maker's name (D-DIAGNOSIS-38).
    pub(super) fn is_lync_phone(&self, device: &Device) -> bool {
        let named = matches!(self, Self::Given(standard) if standard.is_lync_phone);
        device.recognition.is_lync_phone() || (named && device.recognition.other.is_none())
    }
}

impl Standard {
    fn new(profile: Profile, trust: &Trust) -> Self {
        Self { anchors: trust.anchors(&profile), is_lync_phone: profile.is_lync_phone(), profile }
    }
}

/// Whether all that a device did fits Lync Phone Edition, which speaks TLS 1.0 at most and sends no server name. Other
/// extensions do not count: recordings made with another program in a phone's place have some (D-DIAGNOSIS-37).
fn may_be_lync_phone(device: &Device) -> bool {
    let fits = |handshake: &Handshake| {
        let tls = &handshake.tls;
        let offered = tls.client_hello.as_ref().map(|hello| hello.version);
        tls.server_name().is_none() && offered.max(tls.version()).is_none_or(|version| version <= Version::TLS_1_0)
    };
    device.recognition.other.is_none() && device.handshakes.iter().all(fits)
}
