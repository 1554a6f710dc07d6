//! In: the files and options that the user gives. Out: an [`Analyzer`], or the file that cannot be used; what could not
//! be read of the other files. Bounded: by the files.

use std::sync::Arc;

use super::device_filter::DeviceFilter;
use super::settings::Analyzer;
use crate::capture::Timestamp;
use crate::diagnosis::{ProfileChoice, Supplied, Trust};
use crate::evidence::SignInMethod;
use crate::files::Kind;
use crate::limits::Limits;
use crate::trust::{Profile, Stacks, StoreContents, read_certificates};

/// Collects what to judge by. A file that cannot be used is an error of [`build`](Self::build).
#[derive(Clone, Debug, Default)]
pub struct Builder {
    analyzer: Analyzer,
    certificates: usize,
    problems: Vec<String>,
    /// The first file that cannot be used.
    refused: Option<BuildError>,
}

/// Why no [`Analyzer`] can be made of what was given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// No certificate could be read from a file of roots, installed certificates or a bundle. Without the certificates that
    /// were to decide it, the verdict would be a different one (D-TRUST-06).
    #[error("{file}: {why}")]
    NoCertificate {
        /// The file's name, as given.
        file: String,
        /// What is wrong with it.
        why: String,
    },
}

impl Analyzer {
    /// Starts with `--profile auto` and nothing else.
    pub fn builder() -> Builder {
        Builder::default()
    }
}

impl Builder {
    /// Holds every device to this profile instead of recognizing it; `None` is a device with no anchors.
    pub fn profile(mut self, profile: Option<Profile>) -> Self {
        self.analyzer.trust.profile = match profile {
            Some(profile) => ProfileChoice::Given(Box::new(profile)),
            None => ProfileChoice::None,
        };
        self
    }

    /// Adds anchors that the device trusts: PEM, DER or PKCS#7 (D-TRUST-05).
    pub fn root(mut self, file: &str, bytes: &[u8]) -> Self {
        let mut contents = read_certificates(bytes);
        let settings = std::mem::take(&mut contents.settings);
        let supplied = self.supplied(file, contents, |trust| &trust.roots);
        for other in supplied.iter().filter(|supplied| !supplied.is_root()) {
            let name = other.certificate.subject().short();
            self.problems.push(format!(
                "{file}: \"{name}\" is no root, and not taken for one that the device trusts; name it by --installed if the device holds it"
            ));
        }
        let Trust { roots, settings: all, .. } = &mut self.analyzer.trust;
        roots.extend(supplied);
        for (digest, settings) in settings {
            let root = roots.iter().find(|root| root.certificate.sha256() == digest);
            all.extend(root.map(|root| (Arc::clone(&root.certificate), settings)));
        }
        self.analyzer.options.roots.push(file.into());
        self
    }

    /// Adds intermediates that the device is known to hold.
    pub fn installed(mut self, file: &str, bytes: &[u8]) -> Self {
        let supplied = self.supplied(file, read_certificates(bytes), |trust| &trust.installed);
        for root in supplied.iter().filter(|supplied| supplied.is_root()) {
            let name = root.certificate.subject().short();
            self.problems.push(format!(
                "{file}: \"{name}\" is a root, and installed on the device it is not taken for one that the device trusts; name it by --roots if the device trusts it"
            ));
        }
        self.analyzer.trust.installed.extend(supplied);
        self.analyzer.options.installed.push(file.into());
        self
    }

    /// Adds certificates that exist in the world: they prove and name what is missing, and are never the device's.
    pub fn bundle(mut self, file: &str, bytes: &[u8]) -> Self {
        let supplied = self.supplied(file, read_certificates(bytes), |trust| &trust.bundle);
        self.analyzer.trust.bundle.extend(supplied);
        self.analyzer.options.bundle.push(file.into());
        self
    }

    /// Adds the secrets of a key log (SSLKEYLOGFILE), so that what they open is read. Where a capture holds secrets of
    /// its own, both count.
    pub fn keylog(mut self, file: &str, bytes: &[u8]) -> Self {
        let lines = Arc::make_mut(&mut self.analyzer.keys).add(bytes);
        if lines.secrets == 0 {
            let kind = Kind::of_file(bytes).map(|kind| format!(": it is {}", kind.in_words())).unwrap_or_default();
            self.problems.push(format!("{file}: no secret of a key log in it{kind}"));
        } else if lines.unread > 0 {
            let count = lines.unread;
            self.problems.push(format!("{file}: {count} of its lines are none of a key log, or were too many"));
        }
        self.analyzer.options.keylog.push(file.into());
        self
    }

    /// Judges validity at this instant instead of the time of each handshake.
    pub fn at(mut self, at: Timestamp) -> Self {
        self.analyzer.trust.at = Some(at);
        self
    }

    /// Says how the devices signed in, instead of inferring it from the capture.
    pub fn sign_in(mut self, method: SignInMethod) -> Self {
        self.analyzer.trust.sign_in = Some(method);
        self
    }

    /// What is known of TLS stacks, in place of the program's own data.
    pub fn stacks(mut self, stacks: Stacks) -> Self {
        self.analyzer.trust.stacks = stacks;
        self
    }

    /// Looks at some devices only.
    pub fn device(mut self, text: &str, filter: DeviceFilter) -> Self {
        self.analyzer.device = Some((text.into(), filter));
        self
    }

    /// Sets the limits on what is kept.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.analyzer.limits = limits;
        self
    }

    /// Shows every handshake in full instead of 64 per device.
    pub fn all_handshakes(mut self, all: bool) -> Self {
        self.analyzer.all_handshakes = all;
        self
    }

    /// Shows every device in full instead of 64, or some of each kind.
    pub fn all_devices(mut self, all: bool) -> Self {
        self.analyzer.all_devices = all;
        self
    }

    /// Takes the captures as one recording that was rotated over several files, in their order.
    pub fn continuous(mut self, continuous: bool) -> Self {
        self.analyzer.continuous = continuous;
        self
    }

    /// What was left out of the files given so far, one line each: certificates that cannot be read or cannot be used, lines
    /// of a key log. The analyzer does without them.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// The analyzer.
    ///
    /// # Errors
    /// If no certificate could be read from one of the files.
    pub fn build(mut self) -> Result<Analyzer, BuildError> {
        if let Some(refused) = self.refused {
            return Err(refused);
        }
        let trust = &self.analyzer.trust;
        self.analyzer.options.profile = match &trust.profile {
            ProfileChoice::Auto => "auto".into(),
            ProfileChoice::None => "none".into(),
            ProfileChoice::Given(profile) => profile.name.clone(),
        };
        self.analyzer.options.sign_in = match trust.sign_in {
            None | Some(SignInMethod::Unknown) => "auto".into(),
            Some(SignInMethod::Pin) => "pin".into(),
            Some(SignInMethod::UsbTethered) => "usb".into(),
        };
        self.analyzer.options.at = trust.at.map(|at| at.to_string());
        self.analyzer.options.device = self.analyzer.device.as_ref().map(|(text, _)| text.clone());
        Ok(self.analyzer)
    }

    /// Number of certificates read so far, duplicates included.
    pub fn certificates(&self) -> usize {
        self.certificates
    }

    /// The certificates of a file that are not in the store yet. What is skipped is a problem; a file without any
    /// certificate is refused.
    fn supplied(&mut self, file: &str, contents: StoreContents, store: fn(&Trust) -> &Vec<Supplied>) -> Vec<Supplied> {
        if contents.certificates.is_empty() {
            let why = contents.problems.into_iter().next().unwrap_or_else(|| "no certificate in it".into());
            self.refused.get_or_insert(BuildError::NoCertificate { file: file.into(), why });
            return Vec::new();
        }
        self.certificates += contents.certificates.len();
        self.problems.extend(contents.problems.iter().map(|problem| format!("{file}: {problem}")));
        let mut fresh = Vec::new();
        for certificate in contents.certificates {
            let known = store(&self.analyzer.trust).iter().find(|s| s.certificate.sha256() == certificate.sha256());
            match known {
                Some(known) => {
                    let (name, first) = (certificate.subject().short(), &known.file);
                    self.problems.push(format!("{file}: \"{name}\" is in {first} already"));
                }
                None => fresh.push(Supplied { certificate: Arc::new(certificate), file: file.to_owned() }),
            }
        }
        fresh
    }
}
