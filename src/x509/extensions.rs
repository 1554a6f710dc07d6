//! In: the extensions of a certificate. Out: those that decide trust, as plain values, and a line for each that cannot
//! be read. Bounded: what is kept is a part of the DER. Left to others: what the values mean for a path.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;

use x509_parser::asn1_rs::FromDer;
use x509_parser::extensions::{AuthorityKeyIdentifier, GeneralName, ParsedExtension, X509Extension};

use super::constraints::{NameConstraints, ip_from_bytes};
use super::der::{Element, Reader, cause, elements, oid_text, single, tag};
use super::hex::serial_text;
use super::name::Name;

/// Basic constraints (RFC 5280 section 4.2.1.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BasicConstraints {
    /// Whether the subject is a CA.
    pub ca: bool,
    /// How many intermediates, self-issued ones not counted, may follow this certificate in a path.
    pub path_len: Option<u32>,
    /// Whether the extension is critical.
    pub critical: bool,
}

/// Key usage bits (RFC 5280 section 4.2.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyUsage(u16);

/// The names of the bits, from bit 0.
const KEY_USAGES: [&str; 9] = [
    "digitalSignature",
    "nonRepudiation",
    "keyEncipherment",
    "dataEncipherment",
    "keyAgreement",
    "keyCertSign",
    "cRLSign",
    "encipherOnly",
    "decipherOnly",
];

impl KeyUsage {
    fn has(self, bit: u16) -> bool {
        self.0 & (1 << bit) != 0
    }

    /// Whether no bit is set, which RFC 5280 forbids.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The key may verify signatures other than on certificates and CRLs, such as a key exchange's.
    pub fn digital_signature(self) -> bool {
        self.has(0)
    }

    /// The key may encrypt keys, as RSA key exchange does.
    pub fn key_encipherment(self) -> bool {
        self.has(2)
    }

    /// The key may take part in key agreement.
    pub fn key_agreement(self) -> bool {
        self.has(4)
    }

    /// The key may verify signatures on certificates.
    pub fn key_cert_sign(self) -> bool {
        self.has(5)
    }

    /// The key may verify signatures on revocation lists.
    pub fn crl_sign(self) -> bool {
        self.has(6)
    }
}

/// The names of RFC 5280, `keyCertSign, cRLSign`.
impl fmt::Display for KeyUsage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = (0..).zip(KEY_USAGES).filter(|(bit, _)| self.has(*bit)).map(|(_, name)| name).collect();
        f.write_str(&names.join(", "))
    }
}

/// Authority key identifier (RFC 5280 section 4.2.1.1): which certificate of the issuer made the signature.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuthorityKeyId {
    /// The issuer's subject key identifier.
    pub key_id: Option<Vec<u8>>,
    /// The name of the *issuer's issuer*: `authorityCertIssuer`, the first directory name in it.
    pub issuer: Option<Name>,
    /// Whether there is an `authorityCertIssuer`, of any kind of name.
    pub has_issuer: bool,
    /// The serial number of the issuer's certificate, written as [`super::Certificate::serial_hex`] is.
    pub serial_hex: Option<String>,
}

/// Everything read from the extensions of one certificate.
#[derive(Clone, Debug, Default)]
pub(super) struct Extensions {
    pub(super) basic_constraints: Option<BasicConstraints>,
    pub(super) key_usage: Option<KeyUsage>,
    pub(super) extended_key_usage: Option<Vec<String>>,
    pub(super) subject_key_id: Option<Vec<u8>>,
    pub(super) authority_key_id: Option<AuthorityKeyId>,
    pub(super) name_constraints: Option<NameConstraints>,
    pub(super) ca_issuers: Vec<String>,
    pub(super) dns_names: Vec<String>,
    pub(super) ip_addresses: Vec<IpAddr>,
    pub(super) email_addresses: Vec<String>,
    pub(super) uris: Vec<String>,
    pub(super) directory_names: Vec<Name>,
    pub(super) unknown_critical: Vec<String>,
    pub(super) policies: Vec<String>,
    seen: BTreeSet<String>,
    doubled: BTreeSet<String>,
}

impl Extensions {
    /// The number of names and addresses; attributes of directory names count, since they take most memory.
    pub(super) fn names(&self) -> usize {
        let texts = [&self.ca_issuers, &self.dns_names, &self.email_addresses, &self.uris, &self.policies];
        let directory: usize = self.directory_names.iter().map(|name| 8 * (1 + name.attributes())).sum();
        texts.iter().map(|texts| texts.len()).sum::<usize>() + self.ip_addresses.len() + directory
    }

    /// The dotted OIDs of the extensions that are there more than once.
    pub(super) fn doubled(&self) -> impl Iterator<Item = String> {
        self.doubled.iter().cloned()
    }

    /// Adds one extension; `reader` reads the complete certificate. The error says why it cannot be read. If it is
    /// critical, it then counts as unknown: a verifier could not honour it either.
    pub(super) fn add(&mut self, reader: &Reader<'_>, element: Element<'_>) -> Result<(), String> {
        let (_, extension) = X509Extension::from_der(element.raw)
            .map_err(|error| reader.trouble("extension", element.raw, &cause(&error)))?;
        let oid = oid_text(extension.oid.as_bytes());
        if !self.seen.insert(oid.clone()) {
            let trouble = reader.trouble(&format!("extension {oid}"), element.raw, "is there a second time");
            self.doubled.insert(oid);
            return Err(trouble);
        }
        match self.take(&oid, &extension) {
            Ok(true) => Ok(()),
            Ok(false) => {
                if extension.critical {
                    self.unknown_critical.push(oid);
                }
                Ok(())
            }
            Err(why) => {
                let trouble = reader.trouble(&format!("extension {oid}"), extension.value, &why);
                if extension.critical {
                    self.unknown_critical.push(oid);
                }
                Err(trouble)
            }
        }
    }

    /// Reads one extension; false if it is not known here.
    fn take(&mut self, oid: &str, extension: &X509Extension<'_>) -> Result<bool, String> {
        let critical = extension.critical;
        match extension.parsed_extension() {
            ParsedExtension::ParseError { error } => return Err(cause(error)),
            ParsedExtension::BasicConstraints(it) => {
                self.basic_constraints =
                    Some(BasicConstraints { ca: it.ca, path_len: it.path_len_constraint, critical });
            }
            ParsedExtension::KeyUsage(it) => self.key_usage = Some(KeyUsage(it.flags)),
            ParsedExtension::SubjectKeyIdentifier(it) => self.subject_key_id = Some(it.0.to_vec()),
            ParsedExtension::AuthorityKeyIdentifier(it) => self.authority_key_id = Some(authority_key_id(it)),
            ParsedExtension::NameConstraints(it) => {
                self.name_constraints = Some(NameConstraints::from_parsed(it, critical));
            }
            ParsedExtension::ExtendedKeyUsage(_) => self.extended_key_usage = Some(key_purposes(extension.value)?),
            ParsedExtension::SubjectAlternativeName(it) => {
                // One that cannot be read takes none of the others away.
                let read: Vec<_> = it.general_names.iter().map(|name| self.add_name(name)).collect();
                read.into_iter().collect::<Result<(), _>>()?;
            }
            ParsedExtension::AuthorityInfoAccess(it) => {
                for access in it.iter() {
                    if let (CA_ISSUERS, GeneralName::URI(uri)) =
                        (access.access_method.as_bytes(), &access.access_location)
                    {
                        self.ca_issuers.push((*uri).to_owned());
                    }
                }
            }
            ParsedExtension::CertificatePolicies(it) => {
                self.policies = it.iter().map(|policy| oid_text(policy.policy_id.as_bytes())).collect();
            }
            _ => return Ok(UNDERSTOOD.contains(&oid)),
        }
        Ok(true)
    }

    fn add_name(&mut self, name: &GeneralName<'_>) -> Result<(), String> {
        match name {
            GeneralName::DNSName(name) => self.dns_names.push((*name).to_owned()),
            GeneralName::RFC822Name(name) => self.email_addresses.push((*name).to_owned()),
            GeneralName::URI(uri) => self.uris.push((*uri).to_owned()),
            GeneralName::IPAddress(bytes) => {
                let address = ip_from_bytes(bytes).ok_or_else(|| format!("IP address of {} bytes", bytes.len()))?;
                self.ip_addresses.push(address);
            }
            GeneralName::DirectoryName(name) => {
                let name = Name::from_der(name.as_raw()).ok_or("directory name that is none")?;
                self.directory_names.push(name);
            }
            GeneralName::Invalid(tag, _) => return Err(format!("alternative name of kind {} cannot be read", tag.0)),
            _ => {}
        }
        Ok(())
    }
}

/// id-ad-caIssuers, 1.3.6.1.5.5.7.48.2, as content octets.
const CA_ISSUERS: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 0x30, 2];

/// Extensions that are known although their values are not needed here, so that they may be critical: the mappings and
/// constraints of policies, issuerAltName, CRL distribution points, Netscape's certificate type and comment.
const UNDERSTOOD: &[&str] = &[
    "2.5.29.33",
    "2.5.29.36",
    "2.5.29.54",
    "2.5.29.18",
    "2.5.29.31",
    "2.5.29.46",
    "1.3.6.1.5.5.7.1.11",
    "2.16.840.1.113730.1.1",
    "2.16.840.1.113730.1.13",
];

fn authority_key_id(parsed: &AuthorityKeyIdentifier<'_>) -> AuthorityKeyId {
    let names = parsed.authority_cert_issuer.as_deref().unwrap_or_default();
    AuthorityKeyId {
        key_id: parsed.key_identifier.as_ref().map(|id| id.0.to_vec()),
        issuer: names.iter().find_map(|name| match name {
            GeneralName::DirectoryName(name) => Name::from_der(name.as_raw()),
            _ => None,
        }),
        has_issuer: parsed.authority_cert_issuer.is_some(),
        serial_hex: parsed.authority_cert_serial.map(serial_text),
    }
}

/// The purposes in the order of the extension; the parser would give an unordered set.
fn key_purposes(value: &[u8]) -> Result<Vec<String>, String> {
    let list = single(value, tag::SEQUENCE).and_then(|list| elements(list.content)).ok_or("no list of purposes")?;
    list.into_iter()
        .map(|purpose| single(purpose.raw, tag::OID).map(|oid| oid_text(oid.content)).ok_or("purpose that is no OID"))
        .collect::<Result<_, _>>()
        .map_err(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_usage_names_its_bits() {
        assert_eq!(KeyUsage(0b110_0000).to_string(), "keyCertSign, cRLSign");
        assert!(KeyUsage(0b10_0000).key_cert_sign() && !KeyUsage(0b1_0000).key_cert_sign());
    }
}
