//! What the user brought: the profile, certificates from files, an instant and a sign-in method.
//!
//! In: the options of an investigation. Out: the anchors that devices are held to, and certificates by what they count
//! for. Bounded: by the files given. Left to others: reading the files, and every conclusion.

use std::sync::Arc;

use super::anchor::Anchor;
use super::path::StepFrom;
use super::pool::Pool;
use super::profile::Profile;
use super::stacks::Stacks;
use crate::capture::Timestamp;
use crate::evidence::SignInMethod;
use crate::x509::{Certificate, TrustSettings};

/// What the user brought to the investigation.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// `--profile`.
    pub profile: ProfileChoice,
    /// `--roots`.
    pub roots: Vec<Supplied>,
    /// The trust settings that stand behind certificates of `--roots`.
    pub settings: Vec<(Arc<Certificate>, TrustSettings)>,
    /// `--installed`.
    pub installed: Vec<Supplied>,
    /// `--bundle`.
    pub bundle: Vec<Supplied>,
    /// `--at`.
    pub at: Option<Timestamp>,
    /// `--sign-in`: `None` is `auto`.
    pub sign_in: Option<SignInMethod>,
    /// What is known of TLS stacks.
    pub stacks: Stacks,
}

/// A certificate from a file.
#[derive(Clone, Debug)]
pub struct Supplied {
    /// The certificate.
    pub certificate: Arc<Certificate>,
    /// The file, as given.
    pub file: String,
}

impl Supplied {
    /// Whether it can be a root: it names itself as its issuer.
    pub fn is_root(&self) -> bool {
        self.certificate.is_self_issued()
    }
}

/// Which profile devices are held to.
#[derive(Clone, Debug, Default)]
pub enum ProfileChoice {
    /// Recognized phones, and whatever may be one, to `lync-phone-edition`; all other devices to `generic-no-aia`. Unless
    /// the phone was recognized, that is an assumption.
    #[default]
    Auto,
    /// One with no anchors.
    None,
    /// One that the user named or made.
    Given(Box<Profile>),
}

impl Trust {
    /// The profile's anchors and the roots that the user gave. A root that both name is the user's, and of several
    /// issues of one root the last to expire is taken. A certificate among the roots that is not self-issued is only
    /// known to exist ([`Trust::add_known`]). Trust settings hold for all issues of their root.
    pub fn anchors(&self, profile: &Profile) -> Arc<[Anchor]> {
        let mut anchors = profile.anchors.clone();
        for supplied in self.roots.iter().filter(|supplied| supplied.is_root()) {
            let anchor = Anchor::from_certificate(Arc::clone(&supplied.certificate));
            let same = |known: &Anchor| known.is(&supplied.certificate);
            if !anchors.iter().any(|known| known.given && same(known) && known.not_after >= anchor.not_after) {
                anchors.retain(|known| !same(known));
                anchors.push(anchor);
            }
        }
        for anchor in &mut anchors {
            let own = self.settings.iter().filter(|(certificate, _)| anchor.is(certificate));
            let own: Vec<_> = own.map(|(_, settings)| settings.clone()).collect();
            anchor.settings.extend(own);
        }
        anchors.into()
    }

    /// The certificates that every device is known to hold beside its anchors.
    pub fn held(&self) -> Vec<(Arc<Certificate>, StepFrom)> {
        self.installed.iter().map(|supplied| (Arc::clone(&supplied.certificate), StepFrom::Installed)).collect()
    }

    /// Adds the certificates that are only known to exist, so that they can complete a path.
    pub fn add_known(&self, pool: &mut Pool) {
        for supplied in self.bundle.iter().chain(&self.roots) {
            pool.add(&supplied.certificate, StepFrom::Bundle);
        }
    }
}
