//! What is known of a kind of device.
//!
//! In: the facts that a profile file states, each with where it is known from. Out: how such a device behaves, also where
//! nothing is known: then in the way that claims no failure. Bounded: by the file. Left to others: the file's format
//! (`profile_file`), the table of facts (`facts`), recognizing the device, and every conclusion.

use std::collections::BTreeMap;

use super::abilities::{Adds, Check, TlsVersions, Unsupported};
use super::anchor::Anchor;
use super::fact::Fact;
use super::facts::facts;
use crate::evidence::FetchKind;
use crate::x509::{HostRules, PublicKey, SignatureAlgorithm};

macro_rules! define_profile {
    ($($(#[$doc:meta])* $key:ident: $type:ty { $($_rest:tt)* })*) => {
        /// What is known of a kind of device.
        ///
        /// A fact is `None`, or its list empty, where nothing is known. The methods then answer so that no failure is
        /// claimed that the device may not have had.
        #[derive(Clone, Debug)]
        pub struct Profile {
            /// Short name, as `--profile` takes it.
            pub name: String,
            /// What kind of device, in a sentence.
            pub description: String,
            /// The built-in profile that it is based on: what it does not say itself is taken from there.
            pub based_on: Option<String>,
            /// Roots that the device ships with.
            pub anchors: Vec<Anchor>,
            /// Whether it trusts no root beyond these.
            pub anchors_complete: bool,
            /// Whether the roots that the user gives, if there are any, are all that it trusts. Only [`Profile::none`]
            /// says so: the user then describes the device, so that a profile file cannot state it.
            pub given_roots_complete: bool,
            $($(#[$doc])* pub $key: Option<Fact<$type>>,)*
            /// Keys, hashes and signatures that it does not support.
            pub unsupported: Vec<Unsupported>,
            /// What each kind of fetch adds to its store; kinds that are not here keep their default.
            pub fetches: BTreeMap<FetchKind, Fact<Vec<Adds>>>,
            /// Anything else worth telling, in sentences.
            pub notes: Vec<Fact<String>>,
        }

        impl Profile {
            /// A device of which nothing is known: no anchors, every default.
            pub fn none() -> Self {
                Self {
                    name: "none".to_owned(),
                    description: "a device of which nothing is known".to_owned(),
                    based_on: None,
                    anchors: Vec::new(),
                    anchors_complete: false,
                    given_roots_complete: true,
                    $($key: None,)*
                    unsupported: Vec::new(),
                    fetches: BTreeMap::new(),
                    notes: Vec::new(),
                }
            }
        }
    };
}

facts!(define_profile);

impl Profile {
    /// The name of the built-in profile of Lync Phone Edition.
    pub const LYNC_PHONE_EDITION: &str = "lync-phone-edition";

    /// Whether it describes a Lync phone: it is that profile, or is based on it.
    pub fn is_lync_phone(&self) -> bool {
        let base = || self.based_on.as_deref().and_then(Self::builtin);
        self.name == Self::LYNC_PHONE_EDITION || base().is_some_and(|base| base.is_lync_phone())
    }

    /// How the device matches a server's name; the lenient way where that is not known.
    pub fn host_rules(&self) -> HostRules {
        HostRules {
            wildcards: self.wildcard_san.as_ref().is_none_or(|fact| fact.value),
            common_name: self.cn_fallback.as_ref().is_none_or(|fact| fact.value),
        }
    }

    /// Whether the device is known to make this check.
    pub fn makes(&self, check: Check) -> bool {
        self.checks.as_ref().is_some_and(|checks| checks.value.contains(&check))
    }

    /// Whether a fetch of this kind adds such certificates to the device's store. Unless the profile says otherwise,
    /// certificate provisioning, the CA entries of LDAP and the web pages of a CA add anchors and intermediates, other
    /// fetches intermediates only (docs/verdict.md, step 2).
    pub fn adds(&self, kind: FetchKind, what: Adds) -> bool {
        match self.fetches.get(&kind) {
            Some(fact) => fact.value.contains(&what),
            None => match kind {
                FetchKind::Certprov | FetchKind::LdapRoot | FetchKind::Certsrv => true,
                FetchKind::LdapAia | FetchKind::Aia | FetchKind::Http => what == Adds::Intermediates,
            },
        }
    }

    /// The entries of [`Profile::unsupported`] that include this signature algorithm.
    pub fn unsupported_signature(&self, algorithm: &SignatureAlgorithm) -> Vec<&Unsupported> {
        self.unsupported.iter().filter(|entry| entry.algorithm.covers_signature(algorithm)).collect()
    }

    /// The entries of [`Profile::unsupported`] that include this key. [`Profile::max_rsa_bits`] is not looked at.
    pub fn unsupported_key(&self, key: &PublicKey) -> Vec<&Unsupported> {
        self.unsupported.iter().filter(|entry| entry.algorithm.covers_key(key)).collect()
    }
}
