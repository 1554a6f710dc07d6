//! Hosts and the parts of distinguished names, found in the texts of a report.
//!
//! In: a text. Out: the pieces of it that name somebody. Bounded: by the text. Left to others: their stand-ins.

use crate::x509::Name;

/// Words of remedies, filters and published paths that look like host names but are not.
pub(super) const NO_HOSTS: &[&str] = &[
    "ip.addr",
    "ipv6.addr",
    "tcp.port",
    "frame.number",
    "intermediate.cer",
    "root.cer",
    "CertProvisioningService.svc",
    "WebTicketService.svc",
    "DHCPUtil.exe",
    "ucdevice.upx",
    "802.1X",
];

/// The hosts of the URLs in a text, with their ports.
pub(super) fn hosts_of_urls(text: &str) -> impl Iterator<Item = &str> {
    let behind = text.match_indices("//").map(|(at, slashes)| at + slashes.len());
    let authorities = behind.map(|at| authority(text.get(at..).unwrap_or_default()));
    authorities.map(|authority| authority.rsplit('@').next().unwrap_or_default()).filter(|host| !host.is_empty())
}

/// The authority at the start of a text (RFC 3986, section 3.2).
pub(super) fn authority(text: &str) -> &str {
    let of_authority =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '@' | '[' | ']' | '%');
    let end = text.find(|c| !of_authority(c)).unwrap_or(text.len());
    text.get(..end).unwrap_or_default().trim_end_matches(['.', ':'])
}

pub(super) fn with_port(text: &str) -> Option<(&str, &str)> {
    text.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok())
}

/// A host name in parts: leading service labels or a wildcard, the name itself, and a port.
pub(super) struct Host<'a> {
    pub(super) labels: &'a str,
    pub(super) name: &'a str,
    pub(super) port: String,
}

/// Parses a host name of two labels or more. The last one must hold a letter, so that version numbers do not count.
pub(super) fn host(word: &str) -> Option<Host<'_>> {
    let (word, port) = with_port(word).map_or((word, String::new()), |(host, port)| (host, format!(":{port}")));
    let of_label = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let fits = word
        .split('.')
        .enumerate()
        .all(|(at, label)| (!label.is_empty() && label.chars().all(of_label)) || (at == 0 && label == "*"));
    let last = word.rsplit('.').next().unwrap_or_default();
    if !fits || !word.contains('.') || !last.chars().any(|c| c.is_ascii_alphabetic()) || NO_HOSTS.contains(&word) {
        return None;
    }
    let is_service = |label: &&str| label.starts_with('_') || *label == "*";
    let length: usize = word.split('.').take_while(is_service).map(|label| label.len() + 1).sum();
    let (labels, name) = word.split_at_checked(length)?;
    Some(Host { labels, name, port })
}

/// An attribute of a distinguished name (RFC 4514).
pub(super) struct Attribute {
    /// The separator before it: nothing, a comma or a plus sign.
    pub(super) before: String,
    /// Its type with the equals sign.
    pub(super) kind: String,
    /// Its value as written; `value` is without escapes.
    pub(super) raw: String,
    pub(super) value: String,
}

/// Whether a word is an attribute type; directories write them in either case.
pub(super) fn is_attribute_type(word: &str) -> bool {
    let is_oid = word.contains('.') && word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    is_oid || Name::attribute_types().any(|known| known.eq_ignore_ascii_case(word))
}

/// The length of an attribute's value within a sentence: up to the end of the attribute, or of a quoted or bracketed
/// name.
pub(super) fn end_of_value(text: &str) -> usize {
    let mut escaped = false;
    let ends = |c: char| {
        let literal = std::mem::take(&mut escaped);
        escaped = c == '\\' && !literal;
        !literal && matches!(c, ',' | '"' | ')' | ';')
    };
    text.find(ends).unwrap_or(text.len())
}

/// The attributes of a name (RFC 4514); text without a type is the value of one attribute.
pub(super) fn attributes(name: &str) -> Vec<Attribute> {
    let new = |before: &str| Attribute {
        before: before.to_owned(),
        kind: String::new(),
        raw: String::new(),
        value: String::new(),
    };
    let (mut parts, mut part) = (Vec::new(), new(""));
    let mut rest = name.chars();
    while let Some(c) = rest.next() {
        match c {
            '\\' => {
                let next = rest.next().unwrap_or(c);
                part.raw.extend([c, next]);
                part.value.push(next);
            }
            ',' | '+' => parts.push(std::mem::replace(&mut part, new(&c.to_string()))),
            '=' if part.kind.is_empty() => {
                part.kind = std::mem::take(&mut part.raw) + "=";
                part.value.clear();
            }
            _ => {
                part.raw.push(c);
                part.value.push(c);
            }
        }
    }
    parts.push(part);
    parts
}
