//! In: what reading a certificate came upon. Out: the rules of encoding that it breaks, typed and in words. Bounded: by the
//! fields of the certificate. Left to others: who refuses it for that. Where the field lies is in
//! [`Certificate::problems`](super::Certificate::problems).

use std::fmt;

/// A rule of encoding that a certificate breaks. Lenient stacks read it all the same; strict ones refuse it.
///
/// `Display` continues a sentence of which the certificate is the subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Defect {
    /// A field that a verifier needs cannot be read: which, at which byte, and why.
    Unreadable(String),
    /// An extension is there twice, by its dotted OID (RFC 5280 section 4.2).
    DoubledExtension(String),
    /// So many bytes follow the certificate within its entry (X.690 section 8.1; RFC 5280 section 4.1).
    TrailingBytes(usize),
    /// This date, as it is written, is not in Zulu time with seconds (RFC 5280 section 4.1.2.5).
    Time {
        /// `notBefore` or `notAfter`.
        field: &'static str,
        /// The characters of the time.
        text: String,
    },
    /// The parameters of its key's curve are written out; only named curves are allowed (RFC 5480 section 2.1.1).
    ExplicitCurve,
    /// The algorithm beside the signature is not the one inside the signed part (RFC 5280 section 4.1.1.2).
    AlgorithmsDiffer {
        /// The one inside.
        inner: String,
        /// The one beside the signature.
        outer: String,
    },
    /// The serial number, in hexadecimal, is negative (RFC 5280 section 4.1.2.2).
    NegativeSerial(String),
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(problem) => write!(f, "cannot be read: {problem}"),
            Self::DoubledExtension(oid) => write!(f, "has the extension {} twice", extension_name(oid)),
            Self::TrailingBytes(1) => f.write_str("has a surplus byte after its end"),
            Self::TrailingBytes(count) => write!(f, "has {count} surplus bytes after its end"),
            Self::Time { field, text } => {
                write!(f, "has a {field} that is not a time in UTC with seconds and a Z (\"{text}\")")
            }
            Self::ExplicitCurve => {
                f.write_str("has a key whose curve is written out as explicit parameters, not named")
            }
            Self::AlgorithmsDiffer { inner, outer } => {
                write!(f, "names the signature algorithm {inner} inside its signed part and {outer} outside")
            }
            Self::NegativeSerial(serial) => write!(f, "has a negative serial number ({serial})"),
        }
    }
}

/// The name of an extension that servers' certificates commonly have (RFC 5280 section 4.2.1), with its OID.
fn extension_name(oid: &str) -> String {
    let name = match oid {
        "2.5.29.14" => "subjectKeyIdentifier",
        "2.5.29.15" => "keyUsage",
        "2.5.29.17" => "subjectAltName",
        "2.5.29.19" => "basicConstraints",
        "2.5.29.30" => "nameConstraints",
        "2.5.29.31" => "cRLDistributionPoints",
        "2.5.29.32" => "certificatePolicies",
        "2.5.29.35" => "authorityKeyIdentifier",
        "2.5.29.37" => "extKeyUsage",
        "1.3.6.1.5.5.7.1.1" => "authorityInfoAccess",
        _ => return oid.to_owned(),
    };
    format!("{name} ({oid})")
}
