//! What is known of the anchors on a device.
//!
//! In: the profile, the roots that the user gave, and whether the profile is only assumed to fit. Out: whether a root is
//! present, and whether the absence of one is proven or only assumed. Bounded: by both lists. Left to others: chains.

use std::sync::Arc;

use crate::trust::{Anchor, Profile, Trust};
use crate::x509::Certificate;

/// The anchors that a device is held to have, and how well that is known.
#[derive(Clone, Debug)]
pub(super) struct DeviceAnchors<'a> {
    pub(super) profile: &'a Profile,
    /// Those of the profile and those that the user gave.
    pub(super) list: Arc<[Anchor]>,
    /// Whether the profile is only assumed to fit.
    pub(super) assumed: bool,
}

/// Why a root counts as present on the device. Which of these excludes a cause, and which proves one, is decided in
/// D-DIAGNOSIS-40.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    /// The user gave it.
    Given,
    /// The device fetched it.
    Fetched,
    /// A profile that lists every anchor names it, and fits for sure.
    InFullList,
    /// A profile that fits for sure names it, by a source that can be checked.
    Sourced,
    /// A profile names it, without a source that could be checked.
    Unsourced,
    /// A profile that is only assumed to fit names it.
    Assumed,
}

impl Presence {
    /// Whether the root counts as excluded from the causes (D-TRUST-07).
    pub(super) fn is_known(self) -> bool {
        matches!(self, Self::Given | Self::Fetched | Self::InFullList | Self::Sourced)
    }

    /// Whether a finding that rests on the root may be proven (docs/verdict.md, step 5).
    pub(super) fn is_proven(self) -> bool {
        matches!(self, Self::Given | Self::InFullList)
    }
}

/// How well it is known that the device lacks a root that is not among its anchors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absence {
    /// Its profile lists every anchor, and fits for sure.
    ByProfile,
    /// There is no profile, and the user gave the roots that the device has.
    ByUser,
    /// The user gave roots, and the device may have more.
    Likely,
    /// Its profile lists some anchors, and does not fit for sure or is not complete.
    Assumed,
    /// No profile that fits for sure lists an anchor of the device. Roots that the user gave for a device whose profile
    /// is only assumed are some that it has, not a list of them (D-DIAGNOSIS-39).
    Unknown,
}

impl Absence {
    /// Whether the device is known to lack it.
    pub fn is_proven(self) -> bool {
        matches!(self, Self::ByProfile | Self::ByUser)
    }

    /// Whether nothing but a list that leaves some out, or no list at all, speaks for it.
    pub fn is_guess(self) -> bool {
        matches!(self, Self::Assumed | Self::Unknown)
    }
}

impl<'a> DeviceAnchors<'a> {
    pub(super) fn new(trust: &Trust, profile: &'a Profile) -> Self {
        Self { profile, list: trust.anchors(profile), assumed: false }
    }

    /// Why the anchor of this index is present. Roots that the device fetched come behind the others.
    pub(super) fn presence(&self, index: usize) -> Presence {
        let Some(anchor) = self.list.get(index) else { return Presence::Fetched };
        match anchor.provenance {
            _ if anchor.given => Presence::Given,
            _ if self.assumed => Presence::Assumed,
            _ if self.profile.anchors_complete => Presence::InFullList,
            Some(provenance) if !provenance.is_fact() => Presence::Unsourced,
            _ => Presence::Sourced,
        }
    }

    /// As [`DeviceAnchors::presence`], in words: whether the root is known to be present, and why.
    pub(super) fn presence_in_words(&self, index: usize) -> (bool, String) {
        let presence = self.presence(index);
        let name = self.list.get(index).map(|anchor| anchor.subject.short()).unwrap_or_default();
        let listed = format!("{name} is in the profile {}", self.profile.name);
        let why = match presence {
            Presence::Given => format!("{name} is on the device"),
            Presence::Fetched => "the device downloaded the root".into(),
            Presence::InFullList | Presence::Sourced => listed,
            Presence::Unsourced => format!("{listed}, for which there is no source that could be checked"),
            Presence::Assumed => format!("{listed}, which is only assumed to fit"),
        };
        (presence.is_known(), why)
    }

    /// How well it is known that the device lacks a root that is not in the list.
    pub(super) fn absence(&self) -> Absence {
        let given = self.list.iter().any(|anchor| anchor.given);
        match given {
            _ if self.profile.anchors_complete && !self.assumed => Absence::ByProfile,
            true if self.profile.given_roots_complete => Absence::ByUser,
            _ if self.profile.anchors.is_empty() && (self.assumed || !given) => Absence::Unknown,
            true => Absence::Likely,
            false => Absence::Assumed,
        }
    }

    /// The anchors, and behind them roots that the device fetched.
    pub(super) fn with_fetched(&self, roots: &[Arc<Certificate>]) -> Arc<[Anchor]> {
        if roots.is_empty() {
            return Arc::clone(&self.list);
        }
        let fetched = roots.iter().map(|root| Anchor::from_certificate(Arc::clone(root)));
        self.list.iter().cloned().chain(fetched).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::{ProfileChoice, Provenance, Supplied, read_certificates};

    const ROOT: &[u8] = include_bytes!("../../captures/pki/root.pem");
    const INTERMEDIATE: &[u8] = include_bytes!("../../captures/pki/issuing.pem");

    fn certificate(pem: &[u8]) -> Arc<Certificate> {
        Arc::new(read_certificates(pem).certificates.into_iter().next().expect("a certificate"))
    }

    fn given(pem: &[u8]) -> Trust {
        let supplied = Supplied { certificate: certificate(pem), file: "root.pem".into() };
        Trust { profile: ProfileChoice::Auto, roots: vec![supplied], ..Trust::default() }
    }

    /// A profile with one root, known with this provenance.
    fn profile(provenance: Provenance, complete: bool) -> Profile {
        let root = Anchor::from_certificate(certificate(ROOT));
        let anchor = Anchor { given: false, provenance: Some(provenance), ..root };
        let anchors = vec![anchor];
        Profile { anchors, anchors_complete: complete, given_roots_complete: false, ..Profile::none() }
    }

    fn held_to<'a>(profile: &'a Profile, trust: &Trust, assumed: bool) -> DeviceAnchors<'a> {
        DeviceAnchors { assumed, ..DeviceAnchors::new(trust, profile) }
    }

    /// Whether the first anchor's absence is excluded, and whether a finding that rests on it may be proven.
    fn first(anchors: &DeviceAnchors<'_>) -> (Presence, bool, bool) {
        let presence = anchors.presence(0);
        (presence, presence.is_known(), presence.is_proven())
    }

    #[test]
    fn a_root_that_the_user_gave_is_present_whatever_the_profile() {
        let profile = profile(Provenance::Unverified, false);
        for assumed in [false, true] {
            let anchors = held_to(&profile, &given(ROOT), assumed);
            assert_eq!(anchors.list.len(), 1);
            assert_eq!(first(&anchors), (Presence::Given, true, true));
        }
    }

    #[test]
    fn a_sourced_root_excludes_that_it_is_absent_and_proves_nothing_that_rests_on_it() {
        let (sourced, full) = (profile(Provenance::Doc, false), profile(Provenance::Doc, true));
        let trust = Trust::default();
        assert_eq!(first(&held_to(&sourced, &trust, false)), (Presence::Sourced, true, false));
        assert_eq!(first(&held_to(&full, &trust, false)), (Presence::InFullList, true, true));
    }

    #[test]
    fn a_root_without_a_source_counts_where_the_list_is_complete() {
        let (some, full) = (profile(Provenance::Unverified, false), profile(Provenance::Unverified, true));
        let trust = Trust::default();
        assert_eq!(first(&held_to(&some, &trust, false)), (Presence::Unsourced, false, false));
        assert_eq!(first(&held_to(&full, &trust, false)), (Presence::InFullList, true, true));
    }

    #[test]
    fn an_assumed_profile_proves_neither_presence_nor_absence() {
        let full = profile(Provenance::Doc, true);
        let anchors = held_to(&full, &Trust::default(), true);
        assert_eq!(first(&anchors), (Presence::Assumed, false, false));
        assert_eq!(anchors.absence(), Absence::Assumed);
    }

    #[test]
    fn a_fetched_root_is_present_and_proves_nothing_that_rests_on_it() {
        let none = Profile::none();
        assert_eq!(first(&held_to(&none, &Trust::default(), false)), (Presence::Fetched, true, false));
    }

    #[test]
    fn the_absence_of_a_root_is_proven_by_a_full_list_or_by_the_user_s_own() {
        let (some, full, none) = (profile(Provenance::Doc, false), profile(Provenance::Doc, true), Profile::none());
        let absence = |profile: &Profile, trust: &Trust| held_to(profile, trust, false).absence();
        assert_eq!(absence(&full, &Trust::default()), Absence::ByProfile);
        assert_eq!(absence(&none, &given(ROOT)), Absence::ByUser);
        assert!([Absence::ByProfile, Absence::ByUser].into_iter().all(Absence::is_proven));
        // A root that the user adds to a profile is no complete list, but it is no mere assumption either.
        assert_eq!(absence(&some, &given(ROOT)), Absence::Likely);
        assert_eq!(absence(&some, &Trust::default()), Absence::Assumed);
        assert_eq!(absence(&none, &Trust::default()), Absence::Unknown);
        let any = Profile { given_roots_complete: false, ..Profile::none() };
        assert_eq!(absence(&any, &given(ROOT)), Absence::Likely);
        assert_eq!(held_to(&any, &given(ROOT), true).absence(), Absence::Unknown);
        assert!(![Absence::Likely, Absence::Assumed, Absence::Unknown].into_iter().any(Absence::is_proven));
    }

    #[test]
    fn a_certificate_among_the_roots_that_is_none_proves_no_absence() {
        let none = Profile::none();
        let anchors = held_to(&none, &given(INTERMEDIATE), false);
        assert!(anchors.list.is_empty());
        assert_eq!(anchors.absence(), Absence::Unknown);
    }
}
