//! In: a certificate. Out: where its own form departs from the profile of RFC 5280, sections 4.1 and 4.2. Bounded: by the
//! certificate. Left to others: what a departure means for a path, and rules that concern two certificates.

use std::collections::BTreeSet;
use std::fmt;

use x509_parser::asn1_rs::FromDer;
use x509_parser::extensions::{ParsedExtension, X509Extension};

use super::certificate::Certificate;
use super::constraints::NameConstraints;
use super::der::{Element, Reader, elements, oid_text, single, tag};

/// A rule of RFC 5280 that a certificate breaks by its form alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Departure {
    /// The section, such as `4.2.1.6`.
    pub section: &'static str,
    /// What is wrong, in words.
    pub what: String,
}

/// `its key usage has no bit set (RFC 5280 section 4.2.1.3)`.
impl fmt::Display for Departure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { section, what } = self;
        let place = if section.starts_with(|c: char| c.is_ascii_digit()) { "section" } else { "appendix" };
        write!(f, "{what} (RFC 5280 {place} {section})")
    }
}

const AUTHORITY_KEY_ID: &str = "2.5.29.35";
const SUBJECT_KEY_ID: &str = "2.5.29.14";
const BASIC_CONSTRAINTS: &str = "2.5.29.19";
const SUBJECT_ALT_NAME: &str = "2.5.29.17";
const POLICIES: &str = "2.5.29.32";
const NAME_CONSTRAINTS: &str = "2.5.29.30";

/// Extensions of RFC 5280: object identifier, section, name, and whether it must be critical, or must not.
const EXTENSIONS: &[(&str, &str, &str, Option<bool>)] = &[
    (AUTHORITY_KEY_ID, "4.2.1.1", "authority key identifier", Some(false)),
    (SUBJECT_KEY_ID, "4.2.1.2", "subject key identifier", Some(false)),
    ("2.5.29.15", "4.2.1.3", "key usage", None),
    (POLICIES, "4.2.1.4", "certificate policies", None),
    ("2.5.29.33", "4.2.1.5", "policy mappings", None),
    (SUBJECT_ALT_NAME, "4.2.1.6", "subject alternative name", None),
    ("2.5.29.18", "4.2.1.7", "issuer alternative name", None),
    ("2.5.29.9", "4.2.1.8", "subject directory attributes", Some(false)),
    (BASIC_CONSTRAINTS, "4.2.1.9", "basic constraints", None),
    (NAME_CONSTRAINTS, "4.2.1.10", "name constraints", Some(true)),
    ("2.5.29.36", "4.2.1.11", "policy constraints", Some(true)),
    ("2.5.29.37", "4.2.1.12", "extended key usage", None),
    ("2.5.29.31", "4.2.1.13", "CRL distribution points", None),
    ("2.5.29.54", "4.2.1.14", "inhibit anyPolicy", Some(true)),
    ("2.5.29.46", "4.2.1.15", "freshest CRL", Some(false)),
    ("1.3.6.1.5.5.7.1.1", "4.2.2.1", "authority information access", Some(false)),
    ("1.3.6.1.5.5.7.1.11", "4.2.2.2", "subject information access", Some(false)),
];

/// The years up to 2049 are written as UTCTime.
const FIRST_GENERALIZED: &[u8] = b"2050";

/// Bytes of the longest serial number.
const LONGEST_SERIAL: usize = 20;

impl Certificate {
    /// Where its form departs from the profile of RFC 5280 (sections 4.1 and 4.2), in the order of the sections. Most
    /// verifiers look at few of these rules. A certificate that [cannot be read](Self::is_readable) has none.
    pub fn departures(&self) -> Vec<Departure> {
        let mut found = Departures::default();
        if let Some(parts) = Parts::read(self.der()) {
            found.of_fields(self, &parts);
            found.of_each_extension(&parts);
            found.of_key_ids(self);
            found.of_usages(self);
            found.of_names(self, &parts);
            found.of_constraints(self, &parts);
        }
        found.0
    }
}

impl Certificate {
    /// Whether its name constraints concern a kind of name that they are not judged for here, and `below` has a name of
    /// that kind. RFC 5280 section 4.2.1.10 then has a verifier reject `below`.
    pub fn constrains_unjudged_names_of(&self, below: &Self) -> bool {
        let marked =
            |constraints: &NameConstraints| constraints.permitted.unsupported || constraints.excluded.unsupported;
        if !self.name_constraints().is_some_and(marked) {
            return false;
        }
        let (Some(own), Some(below)) = (Parts::read(self.der()), Parts::read(below.der())) else { return false };
        let lists = own.list(NAME_CONSTRAINTS).unwrap_or_default();
        let subtrees = lists.iter().filter_map(|list| elements(list.content)).flatten();
        let bases = subtrees.filter_map(|subtree| elements(subtree.content)?.into_iter().next());
        let constrained: BTreeSet<_> = bases.filter_map(unjudged_kind).collect();
        let names = below.list(SUBJECT_ALT_NAME).unwrap_or_default();
        names.into_iter().filter_map(unjudged_kind).any(|kind| constrained.contains(&kind))
    }
}

/// The kind of a name that is not judged: its tag, and the type of an otherName.
fn unjudged_kind(name: Element<'_>) -> Option<(u32, &[u8])> {
    match name.tag {
        OTHER_NAME => Some((name.tag, elements(name.content)?.first()?.raw)),
        X400_ADDRESS | EDI_PARTY_NAME | REGISTERED_ID => Some((name.tag, &[])),
        _ => None,
    }
}

/// The parts of a certificate of which the form counts.
struct Parts<'a> {
    inner_algorithm: &'a [u8],
    outer_algorithm: &'a [u8],
    serial: &'a [u8],
    times: Vec<Element<'a>>,
    has_unique_id: bool,
    /// `None` where the certificate has none.
    extensions: Option<Vec<Extension<'a>>>,
}

struct Extension<'a> {
    oid: String,
    critical: bool,
    raw: &'a [u8],
    value: &'a [u8],
}

impl<'a> Parts<'a> {
    fn read(der: &'a [u8]) -> Option<Self> {
        let mut body = elements(Reader::new(der).expect(tag::SEQUENCE, "").ok()?.content)?.into_iter();
        let (tbs, outer) = (body.next()?, body.next()?);
        let mut fields = Reader::new(tbs.content);
        let _version = fields.context(0);
        let serial = fields.expect(tag::INTEGER, "").ok()?.content;
        let inner = fields.next("").ok()?;
        let _issuer = fields.next("").ok()?;
        let times = elements(fields.expect(tag::SEQUENCE, "").ok()?.content)?;
        let (_subject, _key) = (fields.next("").ok()?, fields.next("").ok()?);
        let has_unique_id = [fields.context(1), fields.context(2)].iter().any(Option::is_some);
        let extensions = match fields.context(3) {
            None => None,
            Some(list) => {
                let list = elements(single(list.content, tag::SEQUENCE)?.content)?;
                Some(list.into_iter().map(Extension::read).collect::<Option<_>>()?)
            }
        };
        let (inner_algorithm, outer_algorithm) = (inner.raw, outer.raw);
        Some(Self { inner_algorithm, outer_algorithm, serial, times, has_unique_id, extensions })
    }

    fn extensions(&self) -> &[Extension<'a>] {
        self.extensions.as_deref().unwrap_or_default()
    }

    fn extension(&self, oid: &str) -> Option<&Extension<'a>> {
        self.extensions().iter().find(|extension| extension.oid == oid)
    }

    /// The elements of the SEQUENCE that is the value of an extension.
    fn list(&self, oid: &str) -> Option<Vec<Element<'a>>> {
        elements(single(self.extension(oid)?.value, tag::SEQUENCE)?.content)
    }
}

impl<'a> Extension<'a> {
    fn read(element: Element<'a>) -> Option<Self> {
        let parts = elements(element.content)?;
        let (oid, rest) = parts.split_first()?;
        let (value, flag) = rest.split_last()?;
        // A BOOLEAN is true unless its byte is zero (X.690, 8.2.2).
        let critical = flag.first().is_some_and(|flag| flag.content.first().is_some_and(|byte| *byte != 0));
        Some(Self { oid: oid_text(oid.content), critical, raw: element.raw, value: value.content })
    }
}

#[derive(Default)]
struct Departures(Vec<Departure>);

impl Departures {
    /// Notes `what` if it is so.
    fn note(&mut self, so: bool, section: &'static str, what: &str) {
        if so {
            self.0.push(Departure { section, what: what.to_owned() });
        }
    }

    fn of_fields(&mut self, certificate: &Certificate, parts: &Parts<'_>) {
        let differ = parts.inner_algorithm != parts.outer_algorithm;
        self.note(differ, "4.1.1.2", "its two signature algorithms differ");
        let old = certificate.version() < 3 && parts.extensions.is_some();
        self.note(old, "4.1.2.1", "it has extensions, and its version is not 3");
        let negative = parts.serial.first().is_none_or(|byte| byte & 0x80 != 0);
        let zero = parts.serial.iter().all(|byte| *byte == 0);
        self.note(negative || zero, "4.1.2.2", "its serial number is not positive");
        let significant = parts.serial.iter().skip_while(|byte| **byte == 0).count();
        self.note(significant > LONGEST_SERIAL, "4.1.2.2", "its serial number is longer than 20 bytes");
        self.note(certificate.issuer().is_empty(), "4.1.2.4", "it names no issuer");
        for time in &parts.times {
            self.of_time(time);
        }
        let unnamed = certificate.is_ca() && certificate.subject().is_empty();
        self.note(unnamed, "4.1.2.6", "it is a CA's and names no subject");
        self.note(parts.has_unique_id, "4.1.2.8", "it has a unique identifier");
        let bare = parts.extensions.as_ref().is_some_and(Vec::is_empty);
        self.note(bare, "4.1.2.9", "its list of extensions is empty");
    }

    /// UTCTime has the form YYMMDDHHMMSSZ, GeneralizedTime YYYYMMDDHHMMSSZ.
    fn of_time(&mut self, time: &Element<'_>) {
        let is_utc = time.tag == tag::UTC_TIME;
        let digits = time.content.strip_suffix(b"Z").filter(|digits| digits.iter().all(u8::is_ascii_digit));
        let whole = digits.is_some_and(|digits| digits.len() == if is_utc { 12 } else { 14 });
        let section = if is_utc { "4.1.2.5.1" } else { "4.1.2.5.2" };
        self.note(!whole, section, "a time is not written to the second, in UTC");
        let early = !is_utc && time.content.get(..4).is_some_and(|year| year < FIRST_GENERALIZED);
        self.note(early, "4.1.2.5", "a time before 2050 is a GeneralizedTime");
    }

    fn of_each_extension(&mut self, parts: &Parts<'_>) {
        let mut seen = BTreeSet::new();
        for extension in parts.extensions() {
            let known = EXTENSIONS.iter().find(|(oid, ..)| *oid == extension.oid);
            let name = known.map_or(extension.oid.as_str(), |(_, _, name, _)| *name);
            self.note(!seen.insert(&extension.oid), "4.2", &format!("it has two extensions {name}"));
            let Some((_, section, name, critical)) = known else { continue };
            let other = critical.is_some_and(|must| must != extension.critical);
            // "Constraints" are many, "access" is one.
            let verb = if name.ends_with('s') && !name.ends_with("ss") { "are" } else { "is" };
            let not = if extension.critical { "" } else { "not " };
            self.note(other, section, &format!("its {name} {verb} {not}critical"));
            let parsed = X509Extension::from_der(extension.raw).ok();
            let broken =
                parsed.is_none_or(|(_, it)| matches!(it.parsed_extension(), ParsedExtension::ParseError { .. }));
            self.note(broken, section, &format!("its {name} cannot be read"));
            // Each of these lists has a size of at least one. Basic constraints may be empty.
            let empty = extension.oid != BASIC_CONSTRAINTS && extension.value == [0x30, 0];
            self.note(empty, section, &format!("its {name} {verb} empty"));
        }
        let policies = parts.list(POLICIES).unwrap_or_default();
        let ids: Vec<_> = policies.iter().filter_map(|policy| Some(elements(policy.content)?.first()?.raw)).collect();
        let distinct: BTreeSet<_> = ids.iter().collect();
        self.note(distinct.len() < ids.len(), "4.2.1.4", "it names a policy twice");
    }

    fn of_key_ids(&mut self, certificate: &Certificate) {
        let authority = certificate.authority_key_id();
        let identifies = authority.is_some_and(|id| id.key_id.is_some());
        let exempt = identifies || certificate.is_self_signed();
        self.note(!exempt, "4.2.1.1", "it has no authority key identifier with a key identifier");
        let half = authority.is_some_and(|id| id.has_issuer != id.serial_hex.is_some());
        self.note(half, "A.2", "its authority key identifier has an issuer or a serial number without the other");
        let unnamed = certificate.is_ca() && certificate.subject_key_id().is_none();
        self.note(unnamed, "4.2.1.2", "it is a CA's and has no subject key identifier");
        // A self-signed certificate is its own issuer's. By issuer and serial number it may name an earlier issue of it.
        let other = certificate.is_self_signed() && certificate.names_other_key(certificate);
        self.note(other, "4.2.1.2", "it is self-signed, and its two key identifiers differ");
    }

    fn of_usages(&mut self, certificate: &Certificate) {
        let usage = certificate.key_usage();
        let signs = usage.is_some_and(|usage| usage.key_cert_sign());
        self.note(certificate.is_ca() && usage.is_none(), "4.2.1.3", "it is a CA's and has no key usage");
        self.note(usage.is_some_and(|usage| usage.is_empty()), "4.2.1.3", "its key usage has no bit set");
        self.note(signs && !certificate.is_ca(), "4.2.1.3", "its key usage includes keyCertSign, and it is no CA's");
        let basic = certificate.basic_constraints();
        let lax = basic.is_some_and(|basic| basic.ca && !basic.critical);
        self.note(lax, "4.2.1.9", "it is a CA's, and its basic constraints are not critical");
        let has_length = basic.is_some_and(|basic| basic.path_len.is_some());
        let may_have = certificate.is_ca() && usage.is_none_or(|_| signs);
        self.note(has_length && !may_have, "4.2.1.9", "it has a path length constraint without signing certificates");
    }

    fn of_names(&mut self, certificate: &Certificate, parts: &Parts<'_>) {
        let critical = parts.extension(SUBJECT_ALT_NAME).map(|extension| extension.critical);
        let unnamed = certificate.subject().is_empty();
        let lacks = unnamed && critical != Some(true);
        self.note(lacks, "4.2.1.6", "its subject is empty, and it has no critical subject alternative name");
        let odd = !unnamed && critical == Some(true);
        self.note(odd, "4.2.1.6", "its subject alternative name is critical, and its subject is not empty");
        let blank = certificate.dns_names().iter().any(|name| name.trim().is_empty());
        self.note(blank, "4.2.1.6", "one of its DNS names is blank");
        let gap = |name: &String| !name.is_empty() && name.split('.').any(str::is_empty);
        self.note(certificate.dns_names().iter().any(gap), "4.2.1.6", "one of its DNS names has an empty label");
        let names = parts.list(SUBJECT_ALT_NAME).unwrap_or_default();
        let odd = |name: &Element<'_>| name.tag == IP_ADDRESS && !matches!(name.content.len(), 4 | 16);
        self.note(names.iter().any(odd), "4.2.1.6", "one of its IP addresses has neither 4 nor 16 bytes");
    }

    fn of_constraints(&mut self, certificate: &Certificate, parts: &Parts<'_>) {
        let Some(lists) = parts.list(NAME_CONSTRAINTS) else { return };
        const SECTION: &str = "4.2.1.10";
        self.note(!certificate.is_ca(), SECTION, "it has name constraints and is no CA's");
        let bare = lists.iter().any(|list| list.content.is_empty());
        self.note(bare, SECTION, "a list of its name constraints is empty");
        let subtrees = lists.iter().filter_map(|list| elements(list.content)).flatten();
        for subtree in subtrees.filter_map(|subtree| elements(subtree.content)) {
            self.note(subtree.len() > 1, SECTION, "a name constraint has a minimum or maximum");
            let Some(base) = subtree.first() else { continue };
            let dotted = base.tag == DNS_NAME && base.content.starts_with(b".");
            self.note(dotted, SECTION, "a name constraint is a DNS name with a leading dot");
            let odd = base.tag == IP_ADDRESS && !is_network(base.content);
            self.note(odd, SECTION, "a name constraint is no network of addresses");
        }
    }
}

/// The tags of a GeneralName (section 4.2.1.6).
const OTHER_NAME: u32 = 0;
const DNS_NAME: u32 = 2;
const X400_ADDRESS: u32 = 3;
const EDI_PARTY_NAME: u32 = 5;
const IP_ADDRESS: u32 = 7;
const REGISTERED_ID: u32 = 8;

/// Whether bytes are an address of IPv4 or IPv6 with a mask as CIDR has it, ones before zeros.
fn is_network(bytes: &[u8]) -> bool {
    let Some((_, mask)) = bytes.split_at_checked(bytes.len() / 2) else { return false };
    let mut bits = mask.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1));
    matches!(bytes.len(), 8 | 32) && bits.by_ref().find(|one| !one).is_none_or(|_| !bits.any(|one| one))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_a_mask_of_ones_before_zeros() {
        // RFC 4632 section 3.1.
        assert!(is_network(&[10, 0, 0, 0, 255, 240, 0, 0]) && is_network(&[0; 8]) && is_network(&[0xff; 32]));
        assert!(!is_network(&[10, 0, 0, 0, 255, 0, 255, 0]) && !is_network(&[10, 0, 0, 0, 240, 255, 0, 0]));
        assert!(!is_network(&[10, 0, 0, 0]) && !is_network(&[]));
    }
}
