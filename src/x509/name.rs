//! In: the DER of a distinguished name. Out: a name that compares by RFC 5280 section 7.1 and prints by RFC 4514.
//! Bounded: four times the bytes of the name. Left to others: which certificate the name belongs to.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::der::{Element, elements, oid_text, single, tag};
use super::hex::hex;

/// A distinguished name (RFC 5280 section 4.1.2.4).
///
/// Names are compared, ordered and hashed in a normalised form (RFC 5280 section 7.1): letter case and the length of
/// white space in strings do not count, nor does the string type, nor the order of attributes inside one multi-valued
/// RDN. Values of other types are compared by their bytes; [`Name::same_bytes`] compares the encoding itself. Case is
/// folded by Unicode lower-casing; the compatibility mappings of RFC 4518 are not applied.
#[derive(Clone, Default)]
pub struct Name(Arc<Parts>);

/// What is kept of a name; its clones share it.
#[derive(Default)]
struct Parts {
    raw: Vec<u8>,
    /// In DER order: the least specific first.
    rdns: Vec<Vec<Attribute>>,
    /// An entry for each RDN: an unambiguous encoding of its normalised attributes in sorted order.
    normalised: Vec<Vec<u8>>,
    /// In the form of RFC 4514, made once because names are shown far more often than read.
    shown: String,
}

struct Attribute {
    /// Content octets of the type's object identifier.
    oid: Vec<u8>,
    /// Its dotted form.
    dotted: String,
    /// The value as text; `None` if its type is not a string type, or its bytes do not fit the type.
    text: Option<String>,
    /// The value as DER.
    value: Vec<u8>,
}

/// Short names of attribute types, as OpenSSL and RFC 4514 section 3 write them.
const TYPES: &[(&str, &str)] = &[
    ("2.5.4.3", "CN"),
    ("2.5.4.4", "SN"),
    ("2.5.4.5", "serialNumber"),
    ("2.5.4.6", "C"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.9", "street"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.12", "title"),
    ("2.5.4.13", "description"),
    ("2.5.4.15", "businessCategory"),
    ("2.5.4.17", "postalCode"),
    ("2.5.4.41", "name"),
    ("2.5.4.42", "GN"),
    ("2.5.4.43", "initials"),
    ("2.5.4.44", "generationQualifier"),
    ("2.5.4.46", "dnQualifier"),
    ("2.5.4.65", "pseudonym"),
    ("2.5.4.97", "organizationIdentifier"),
    ("0.9.2342.19200300.100.1.1", "UID"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("1.2.840.113549.1.9.1", "emailAddress"),
    ("1.2.840.113549.1.9.2", "unstructuredName"),
    ("1.3.6.1.4.1.311.60.2.1.1", "jurisdictionL"),
    ("1.3.6.1.4.1.311.60.2.1.2", "jurisdictionST"),
    ("1.3.6.1.4.1.311.60.2.1.3", "jurisdictionC"),
];

impl Name {
    /// The short names of attribute types with which names are shown.
    pub(crate) fn attribute_types() -> impl Iterator<Item = &'static str> {
        TYPES.iter().map(|(_, short)| *short)
    }

    /// From exactly the DER of a `Name`; `None` if the bytes are not one.
    pub fn from_der(der: &[u8]) -> Option<Self> {
        let rdns: Vec<Vec<Attribute>> =
            elements(single(der, tag::SEQUENCE)?.content)?.into_iter().map(read_rdn).collect::<Option<_>>()?;
        let normalised = rdns.iter().map(|rdn| normalise_rdn(rdn)).collect();
        let shown = shown(&rdns);
        Some(Self(Arc::new(Parts { raw: der.to_vec(), rdns, normalised, shown })))
    }

    /// The DER it was read from; empty for the default value, which stands for a name that could not be read.
    pub fn raw(&self) -> &[u8] {
        &self.0.raw
    }

    /// Whether both names have the same encoding: what some old stacks compare instead of RFC 5280 section 7.1.
    pub fn same_bytes(&self, other: &Self) -> bool {
        self.0.raw == other.0.raw
    }

    /// The number of attributes.
    pub fn attributes(&self) -> usize {
        self.0.rdns.iter().map(Vec::len).sum()
    }

    /// Whether the name has no attributes at all.
    pub fn is_empty(&self) -> bool {
        self.0.rdns.is_empty()
    }

    /// The most specific common name, as the certificate holds it: nothing is escaped.
    pub fn common_name(&self) -> Option<&str> {
        self.last("2.5.4.3")
    }

    /// The most specific organization, as the certificate holds it.
    pub fn organization(&self) -> Option<&str> {
        self.last("2.5.4.10")
    }

    /// The domain components, most specific first: joined with dots they read as a domain name.
    pub fn domain_components(&self) -> Vec<String> {
        self.values("0.9.2342.19200300.100.1.25").into_iter().map(str::to_owned).collect()
    }

    /// The e-mail addresses in the name (PKCS#9 `emailAddress`), most specific first.
    pub fn email_addresses(&self) -> Vec<String> {
        self.values("1.2.840.113549.1.9.1").into_iter().map(str::to_owned).collect()
    }

    /// One value for tables: the common name, else the most specific attribute's value; control characters escaped.
    pub fn short(&self) -> String {
        if let Some(name) = self.common_name() {
            return escape_controls(name);
        }
        match self.0.rdns.last().and_then(|rdn| rdn.last()) {
            Some(Attribute { text: Some(text), .. }) => escape_controls(text),
            Some(attribute) => format!("#{}", hex(&attribute.value)),
            None => String::new(),
        }
    }

    /// Whether the name lies in the subtree of `base`: begins with all of its RDNs (RFC 5280 section 4.2.1.10).
    pub fn is_within(&self, base: &Self) -> bool {
        self.0.normalised.starts_with(&base.0.normalised)
    }

    fn values(&self, dotted: &str) -> Vec<&str> {
        let attributes = self.0.rdns.iter().rev().flat_map(|rdn| rdn.iter().rev());
        attributes.filter(|a| a.dotted == dotted).filter_map(|a| a.text.as_deref()).collect()
    }

    fn last(&self, dotted: &str) -> Option<&str> {
        self.values(dotted).first().copied()
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.0.normalised == other.0.normalised
    }
}
impl Eq for Name {}
impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.normalised.cmp(&other.0.normalised)
    }
}
impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.normalised.hash(state);
    }
}

/// RFC 4514: the most specific RDN first, `CN=Northwind Policy CA 1,O=Northwind`; an empty name is empty text. Letters
/// beyond ASCII are kept as they are; control characters and characters that reorder text are hex-escaped.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.shown)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({self})")
    }
}

/// `CN=value`; `1.2.3=#hex` for a type without a short name; `CN=#hex` for a value that is no string.
impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = TYPES.iter().find(|(oid, _)| *oid == self.dotted).map(|(_, name)| *name);
        f.write_str(known.unwrap_or(&self.dotted))?;
        f.write_str("=")?;
        match &self.text {
            Some(text) if known.is_some() => f.write_str(&escape(text)),
            _ => write!(f, "#{}", hex(&self.value).to_uppercase()),
        }
    }
}

fn read_rdn(rdn: Element<'_>) -> Option<Vec<Attribute>> {
    if !rdn.universal || rdn.tag != tag::SET {
        return None;
    }
    elements(rdn.content)?.into_iter().map(read_attribute).collect()
}

fn read_attribute(attribute: Element<'_>) -> Option<Attribute> {
    let parts = elements(single(attribute.raw, tag::SEQUENCE)?.content)?;
    let [kind, value] = parts.as_slice() else { return None };
    let oid = single(kind.raw, tag::OID)?.content.to_vec();
    let text = if value.universal { decode(value.tag, value.content) } else { None };
    Some(Attribute { dotted: oid_text(&oid), oid, text, value: value.raw.to_vec() })
}

fn shown(rdns: &[Vec<Attribute>]) -> String {
    let rdns = rdns.iter().rev().map(|rdn| {
        let attributes: Vec<String> = rdn.iter().rev().map(Attribute::to_string).collect();
        attributes.join("+")
    });
    rdns.collect::<Vec<_>>().join(",")
}

/// Decodes a string value by its type (X.680, 8.4); `None` for other types, and for bytes that do not fit the type.
fn decode(tag: u32, content: &[u8]) -> Option<String> {
    match tag {
        tag::UTF8_STRING => String::from_utf8(content.to_vec()).ok(),
        // Encoders put UTF-8 and Latin-1 into the ASCII types too; Teletex is Latin-1 in practice.
        tag::NUMERIC_STRING | tag::PRINTABLE_STRING | tag::IA5_STRING | tag::VISIBLE_STRING => {
            Some(String::from_utf8(content.to_vec()).unwrap_or_else(|_| latin1(content)))
        }
        tag::TELETEX_STRING => Some(latin1(content)),
        tag::BMP_STRING => {
            let (pairs, rest) = content.as_chunks::<2>();
            let units: Vec<u16> = pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
            String::from_utf16(&units).ok().filter(|_| rest.is_empty())
        }
        tag::UNIVERSAL_STRING => {
            let (quads, rest) = content.as_chunks::<4>();
            let text = quads.iter().map(|quad| char::from_u32(u32::from_be_bytes(*quad))).collect::<Option<String>>();
            text.filter(|_| rest.is_empty())
        }
        _ => None,
    }
}

fn latin1(content: &[u8]) -> String {
    content.iter().copied().map(char::from).collect()
}

/// Encodes each attribute as OID, kind and value with their lengths, sorted so that their order does not count.
fn normalise_rdn(rdn: &[Attribute]) -> Vec<u8> {
    let mut attributes: Vec<Vec<u8>> = rdn
        .iter()
        .map(|attribute| {
            let mut bytes = Vec::new();
            push_sized(&mut bytes, &attribute.oid);
            match &attribute.text {
                Some(text) => {
                    bytes.push(1);
                    push_sized(&mut bytes, fold(text).as_bytes());
                }
                None => {
                    bytes.push(0);
                    push_sized(&mut bytes, &attribute.value);
                }
            }
            bytes
        })
        .collect();
    attributes.sort_unstable();
    attributes.concat()
}

fn push_sized(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&bytes.len().to_be_bytes());
    out.extend_from_slice(bytes);
}

/// Folds text by RFC 5280 section 7.1: no white space at the ends, one space for any inside, lower case.
fn fold(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").to_lowercase()
}

/// Escapes a value by RFC 4514 section 2.4, and control characters as the hex pairs of their UTF-8 bytes.
fn escape(text: &str) -> String {
    let last = text.chars().count().saturating_sub(1);
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.chars().enumerate() {
        match c {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => out.extend(['\\', c]),
            ' ' if at == 0 || at == last => out.push_str("\\ "),
            '#' if at == 0 => out.push_str("\\#"),
            c => push_visible(&mut out, c),
        }
    }
    out
}

fn escape_controls(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    text.chars().for_each(|c| push_visible(&mut out, c));
    out
}

/// Appends a character; control characters, and those that reorder or hide text on a terminal, as `\xx` for each byte.
fn push_visible(out: &mut String, c: char) {
    let hides = matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    if c.is_control() || hides {
        let mut buffer = [0; 4];
        for byte in c.encode_utf8(&mut buffer).bytes() {
            out.push_str(&format!("\\{byte:02X}"));
        }
    } else {
        out.push(c);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
        let mut out = vec![tag, u8::try_from(content.len()).unwrap()];
        out.extend_from_slice(content);
        out
    }

    /// A name with one RDN for each entry, which holds attributes of type 2.5.4.`type`, string tag and content.
    fn name(rdns: &[&[(u8, u8, &[u8])]]) -> Name {
        let rdns: Vec<u8> = rdns
            .iter()
            .flat_map(|rdn| {
                let attributes: Vec<u8> = rdn
                    .iter()
                    .flat_map(|(kind, tag, content)| {
                        tlv(0x30, &[tlv(6, &[0x55, 4, *kind]), tlv(*tag, content)].concat())
                    })
                    .collect();
                tlv(0x31, &attributes)
            })
            .collect();
        Name::from_der(&tlv(0x30, &rdns)).unwrap()
    }

    #[test]
    fn case_space_and_string_type_do_not_count() {
        let printable = name(&[&[(10, 19, b"Northwind")], &[(3, 19, b"Policy CA 1")]]);
        let utf8 = name(&[&[(10, 12, b" NORTHWIND ")], &[(3, 12, b"policy  ca\t1")]]);
        let bmp = name(&[&[(10, 20, b"northwind")], &[(3, 30, b"\0P\0o\0l\0i\0c\0y\0 \0C\0A\0 \x001")]]);
        assert_eq!(printable, utf8);
        assert_eq!(printable, bmp);
        assert!(!printable.same_bytes(&utf8));
        assert!(printable.same_bytes(&printable.clone()));
        assert_ne!(printable, name(&[&[(10, 19, b"Northwind")], &[(3, 19, b"PolicyCA1")]]));
        assert_ne!(printable, name(&[&[(10, 19, b"Northwind")]]));
        assert_eq!(name(&[&[(3, 12, "MÜLLER".as_bytes())]]), name(&[&[(3, 20, b"m\xfcller")]]));
    }

    #[test]
    fn order_counts_between_rdns_but_not_inside_one() {
        let (o, cn) = ((10, 19, &b"A"[..]), (3, 19, &b"B"[..]));
        assert_eq!(name(&[&[o, cn]]), name(&[&[cn, o]]));
        assert_ne!(name(&[&[o], &[cn]]), name(&[&[cn], &[o]]));
        assert_ne!(name(&[&[o, cn]]), name(&[&[o], &[cn]]));
    }

    #[test]
    fn other_types_compare_by_bytes() {
        // An OCTET STRING value: letter case counts.
        assert_ne!(name(&[&[(3, 4, b"a")]]), name(&[&[(3, 4, b"A")]]));
        assert_eq!(name(&[&[(3, 4, b"a")]]), name(&[&[(3, 4, b"a")]]));
    }

    #[test]
    fn prints_by_rfc_4514() {
        let plain = name(&[&[(10, 19, b"Northwind")], &[(3, 19, b"Policy CA 1")]]);
        assert_eq!(plain.to_string(), "CN=Policy CA 1,O=Northwind");
        // RFC 4514 section 4: James "Jim" Smith, III and a value with a carriage return.
        assert_eq!(name(&[&[(3, 12, b"James \"Jim\" Smith, III")]]).to_string(), r#"CN=James \"Jim\" Smith\, III"#);
        assert_eq!(name(&[&[(3, 12, b"Before\rAfter")]]).to_string(), r"CN=Before\0DAfter");
        assert_eq!(name(&[&[(3, 12, b"#1 ")]]).to_string(), r"CN=\#1\ ");
        // RFC 4514 section 4: an octet string value.
        assert_eq!(name(&[&[(3, 4, b"Hi")]]).to_string(), "CN=#04024869");
        assert_eq!(Name::default().to_string(), "");
        assert_eq!(name(&[&[(3, 12, "a\u{202e}b".as_bytes())]]).to_string(), r"CN=a\E2\80\AEb");
    }

    #[test]
    fn short_is_the_common_name_or_the_most_specific_value() {
        assert_eq!(name(&[&[(3, 19, b"outer")], &[(3, 19, b"inner")], &[(10, 19, b"O")]]).short(), "inner");
        assert_eq!(name(&[&[(10, 19, b"O")], &[(11, 19, b"Class 3\x1b[2J")]]).short(), "Class 3\\1B[2J");
        assert_eq!(Name::default().short(), "");
    }

    #[test]
    fn a_subtree_is_a_prefix_of_whole_rdns() {
        let base = name(&[&[(10, 19, b"Northwind")]]);
        let below = name(&[&[(10, 19, b"northwind")], &[(3, 19, b"x")]]);
        assert!(below.is_within(&base) && base.is_within(&base) && below.is_within(&Name::default()));
        assert!(!base.is_within(&below));
        assert!(!name(&[&[(10, 19, b"Northwind Ltd")]]).is_within(&base));
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for bytes in [&b""[..], b"\x30", b"\x31\x00", b"\x30\x02\x31", b"\x30\x02\x30\x00", b"\x30\x00\x00"] {
            assert!(Name::from_der(bytes).is_none(), "{bytes:?}");
        }
        assert!(Name::from_der(b"\x30\x00").unwrap().is_empty());
    }
}
