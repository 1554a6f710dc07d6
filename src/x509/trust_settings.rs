//! In: what follows the certificate in OpenSSL's `TRUSTED CERTIFICATE`, in DER. Out: the uses that the owner of the store
//! trusts and rejects it for. Bounded: by the bytes. Left to others: who heeds it.

use super::der::{elements, oid_text, single, tag};

/// The settings that OpenSSL keeps behind a certificate (X509_CERT_AUX, `crypto/x509/x_x509a.c`), as
/// `openssl x509 -trustout` writes them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustSettings {
    /// The uses that it is trusted for, as dotted OIDs; `None` where there is no list, which is no restriction.
    pub trusted: Option<Vec<String>>,
    /// The uses that it is rejected for, as dotted OIDs.
    pub rejected: Vec<String>,
    /// A name that its owner gave it.
    pub alias: Option<String>,
}

/// anyExtendedKeyUsage (RFC 5280 section 4.2.1.12).
const ANY: &str = "2.5.29.37.0";

/// The tag of the list of rejected uses, which is context-specific.
const REJECTED: u32 = 0;

impl TrustSettings {
    /// From exactly the DER of the settings; `None` if the bytes are not that.
    pub fn from_der(der: &[u8]) -> Option<Self> {
        let mut out = Self::default();
        for field in elements(single(der, tag::SEQUENCE)?.content)? {
            match (field.universal, field.tag) {
                (true, tag::SEQUENCE) => out.trusted = Some(uses(field.content)?),
                (false, REJECTED) => out.rejected = uses(field.content)?,
                (true, tag::UTF8_STRING) => out.alias = Some(String::from_utf8_lossy(field.content).into_owned()),
                // The key identifier and algorithms, which decide nothing.
                _ => {}
            }
        }
        Some(out)
    }

    /// Why it is not trusted for a use, a dotted OID; `None` where the settings leave it trusted. A rejection outweighs
    /// trust, and a list of uses that it is trusted for excludes the others (OpenSSL's `obj_trust`).
    pub fn refusal(&self, wanted: &str) -> Option<&'static str> {
        let names = |uses: &[String]| uses.iter().any(|oid| oid == wanted || oid == ANY);
        if names(&self.rejected) {
            return Some("reject it for this use");
        }
        let others_only = self.trusted.as_ref().is_some_and(|trusted| !names(trusted));
        others_only.then_some("trust it for other uses only")
    }

    /// What the settings say beside whether it is trusted for a use, in words.
    pub fn beside(&self, wanted: &str) -> Vec<String> {
        let others = |uses: &[String], told: &str| {
            let others: Vec<_> = uses.iter().filter(|oid| *oid != wanted && *oid != ANY).map(|oid| name(oid)).collect();
            (!others.is_empty()).then(|| format!("{told} for {}", others.join(", ")))
        };
        let trusted = self.trusted.as_deref().and_then(|uses| others(uses, "trusted"));
        let alias = self.alias.as_ref().map(|alias| format!("the alias {alias:?}"));
        trusted.into_iter().chain(others(&self.rejected, "rejected")).chain(alias).collect()
    }
}

/// OpenSSL's name of a use, or its dotted OID.
fn name(oid: &str) -> &str {
    match oid {
        "1.3.6.1.5.5.7.3.1" => "serverAuth",
        "1.3.6.1.5.5.7.3.2" => "clientAuth",
        "1.3.6.1.5.5.7.3.3" => "codeSigning",
        "1.3.6.1.5.5.7.3.4" => "emailProtection",
        "1.3.6.1.5.5.7.3.8" => "timeStamping",
        "1.3.6.1.5.5.7.3.9" => "OCSPSigning",
        other => other,
    }
}

fn uses(content: &[u8]) -> Option<Vec<String>> {
    let oid = |element: &super::der::Element<'_>| Some(oid_text(single(element.raw, tag::OID)?.content));
    elements(content)?.iter().map(oid).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `openssl x509 -trustout -addreject serverAuth` puts behind a certificate.
    const REJECT_SERVER: &[u8] = b"\x30\x0c\xa0\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01";

    #[test]
    fn settings_are_read_whole_or_not_at_all() {
        let read = TrustSettings::from_der(REJECT_SERVER).unwrap();
        assert_eq!((read.trusted, read.rejected), (None, vec!["1.3.6.1.5.5.7.3.1".to_owned()]));
        for end in 0..REJECT_SERVER.len() {
            assert_eq!(TrustSettings::from_der(&REJECT_SERVER[..end]), None, "cut at {end}");
        }
        assert_eq!(TrustSettings::from_der(b"\x30\x00"), Some(TrustSettings::default()));
    }
}
