//! Addresses and names replaced by stand-ins, so that a report can be shown to others.
//!
//! In: a report. Out: the same without what tells whose it is: addresses, network cards, host names, the names in
//! certificates, files, and the digests by which a public certificate can be looked up. The same thing has the same
//! stand-in throughout. Bounded: by the report. Left to others: what is no text of a report.
//!
//! What stays is known by its member's name ([`OWN`]); every other text is looked at, so that a member that comes later
//! is redacted before anybody thinks of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::names::{
    NO_HOSTS, attributes, authority, end_of_value, host, hosts_of_urls, hosts_told, is_attribute_type, with_port,
};
use crate::capture::STARTS_WITH;
use crate::diagnosis::{CLEAR_TEXT, NOT_TLS};
use crate::trust::Profile;

/// Members that hold words of this program, of a standard, or a time.
const OWN: &[&str] = &[
    "schema",
    "tool",
    "code",
    "name",
    "kind",
    "key",
    "signature_algorithm",
    "format",
    "compression",
    "link_types",
    "history",
    "version",
    "client_version",
    "cipher_suite",
    "severity",
    "proof",
    "status",
    "outcome",
    "by",
    "side",
    "basis",
    "method",
    "strength",
    "via",
    "time",
    "first",
    "last",
    "first_time",
    "last_time",
    "not_before",
    "not_after",
    "judged_at",
    "at",
    "level",
    "recognized_as",
    "sign_in",
    "cause",
    "from",
    "content_type",
];

/// Members that hold paths of files.
const FILES: &[&str] = &["path", "capture", "roots", "installed", "bundle", "keylog"];

/// Members that hold distinguished names (RFC 4514).
const DISTINGUISHED: &[&str] = &["subject", "issuer"];

/// Names of containers in every directory, which tell nobody anything.
const CONTAINERS: &[&str] =
    &["Configuration", "Services", "Public Key Services", "AIA", "Certification Authorities", "Enrollment Services"];

/// Names that tell nobody anything, and that sentences hold for other reasons.
const COMMON: &[&str] =
    &["ca", "ssl", "tls", "pki", "dns", "http", "ldap", "root", "server", "client", "phone", "device", "certificate"];

/// Behind the stand-in of a host (RFC 2606, section 2).
const EXAMPLE: &str = ".example";

/// Paths that are the product's.
const PATHS: &[&str] = &["/certprov/", "/webticket/", "/requesthandler/"];

/// Single letters would be found everywhere.
const SHORTEST: usize = 2;
/// Names below so many bytes count as whole words only, for longer words hold them by chance.
const WHOLE_WORD: usize = 5;

/// A report that could not be given without its names. Nothing of it may be shown then.
#[derive(Debug, thiserror::Error)]
#[error("nothing is shown, for the names in the report could not all be replaced: {0}")]
pub struct NotRedacted(#[from] serde_json::Error);

/// What stands for what.
#[derive(Default)]
pub struct Redaction {
    /// Numbers of stand-ins, by kind and by what they stand for.
    known: BTreeMap<(&'static str, String), u32>,
    /// How many of each kind there are.
    counts: BTreeMap<&'static str, u32>,
    /// Files and parts of distinguished names, which are found within sentences, by their first bytes, longest first.
    phrases: HashMap<[u8; SHORTEST], Vec<(String, String)>>,
    /// Addresses that are no guess.
    addresses: BTreeSet<IpAddr>,
}

impl Redaction {
    /// Of a report, and that report with stand-ins for addresses and names; `der` is left empty. The words, counts, times,
    /// frames and offsets stay.
    ///
    /// # Errors
    /// When what is left is no such report.
    pub fn of<T: Serialize + DeserializeOwned>(report: &T) -> Result<(Self, T), NotRedacted> {
        let value = serde_json::to_value(report)?;
        let mut redaction = Self::default();
        redaction.learn(&value, "");
        let report = redaction.replaced(value)?;
        Ok((redaction, report))
    }

    /// What was made from that report, with the same stand-ins.
    ///
    /// # Errors
    /// As [`of`](Self::of).
    pub fn of_made<T: Serialize + DeserializeOwned>(&mut self, made: &T) -> Result<T, NotRedacted> {
        let value = serde_json::to_value(made)?;
        self.replaced(value)
    }

    fn replaced<T: DeserializeOwned>(&mut self, mut value: Value) -> Result<T, NotRedacted> {
        self.replace(&mut value, "");
        Ok(serde_json::from_value(value)?)
    }

    /// Learns the names that sentences may hold from the members that hold nothing else.
    fn learn(&mut self, value: &Value, member: &str) {
        match value {
            Value::Array(values) => values.iter().for_each(|value| self.learn(value, member)),
            Value::Object(members) => {
                if let (Some(Value::String(kind)), Some(Value::String(summary))) =
                    (members.get("kind"), members.get("summary"))
                {
                    hosts_told(kind, summary).into_iter().for_each(|host| self.learn_host(host));
                }
                members.iter().for_each(|(name, value)| self.learn(value, own_name(member, name)));
            }
            Value::String(text) if FILES.contains(&member) => {
                let stand_in = self.file(text);
                self.phrase(text, &stand_in);
            }
            Value::String(text) if DISTINGUISHED.contains(&member) => {
                for attribute in attributes(text) {
                    let stand_in = self.attribute(&attribute.kind, &attribute.value);
                    self.phrase(&attribute.raw, &stand_in);
                    self.phrase(&attribute.value, &stand_in);
                }
            }
            Value::String(text) if member == "profile" => {
                let stand_in = self.profile(text);
                self.phrase(text, &stand_in);
            }
            Value::String(text) => {
                match member {
                    "server_name" | "names" => self.learn_host(text),
                    _ => hosts_of_urls(text).for_each(|host| self.learn_host(host)),
                }
                let address: Option<IpAddr> = match member {
                    "address" => text.parse().ok(),
                    "client" | "server" => with_port(text).and_then(|(address, _)| address.parse().ok()),
                    _ => None,
                };
                self.addresses.extend(address);
            }
            _ => {}
        }
    }

    /// A host of one label, which nothing in a sentence shows to be a host.
    fn learn_host(&mut self, text: &str) {
        let name = with_port(text).map_or(text, |(name, _)| name).trim_end_matches(['.', ':']);
        if host(name).is_none() && self.address(name).is_none() && !name.contains(['/', ' ', '@', ':']) {
            let stand_in = self.host(name);
            self.phrase(name, &stand_in);
        }
    }

    fn phrase(&mut self, text: &str, stand_in: &str) {
        if COMMON.contains(&text.to_ascii_lowercase().as_str()) {
            return;
        }
        let Some(first) = text.as_bytes().first_chunk() else { return };
        let phrases = self.phrases.entry(*first).or_default();
        if text != stand_in && !phrases.iter().any(|(known, _)| known == text) {
            phrases.push((text.to_owned(), stand_in.to_owned()));
            phrases.sort_by_key(|(known, _)| std::cmp::Reverse(known.len()));
        }
    }

    fn replace(&mut self, value: &mut Value, member: &str) {
        match value {
            Value::Array(values) => values.iter_mut().for_each(|value| self.replace(value, member)),
            Value::Object(members) => {
                let old = std::mem::take(members);
                *members = old.into_iter().map(|(name, value)| self.member(member, name, value)).collect::<Map<_, _>>();
            }
            Value::String(text) => *text = self.text(text, member),
            _ => {}
        }
    }

    /// A member; where its name is a digest, that is replaced too.
    fn member(&mut self, of: &str, name: String, mut value: Value) -> (String, Value) {
        self.replace(&mut value, own_name(of, &name));
        (if name.len() == 64 { self.hex(&name) } else { name }, value)
    }

    fn text(&mut self, text: &str, member: &str) -> String {
        match member {
            "der" => String::new(),
            "serial" => self.hex(text),
            "profile" => self.profile(text),
            "server_name" | "names" if !text.contains(['.', ' ', '@', ':', '/']) => self.host(text),
            _ if OWN.contains(&member) => text.to_owned(),
            _ if FILES.contains(&member) => self.file(text),
            _ if DISTINGUISHED.contains(&member) => {
                let parts = attributes(text).into_iter();
                parts
                    .map(|part| format!("{}{}{}", part.before, part.kind, self.attribute(&part.kind, &part.value)))
                    .collect()
            }
            _ => self.sentence(text),
        }
    }

    /// The value of a part of a distinguished name.
    fn attribute(&mut self, kind: &str, value: &str) -> String {
        let country = kind.eq_ignore_ascii_case("C=") && value.len() <= 2;
        if CONTAINERS.contains(&value) || country || value.is_empty() {
            value.to_owned()
        } else if host(value).is_some() || value.parse::<IpAddr>().is_ok() {
            self.word(value)
        } else {
            self.stand_in("name", value)
        }
    }

    /// A profile of this program keeps its name, one of the user's is a name or a file.
    fn profile(&mut self, name: &str) -> String {
        if matches!(name, "auto" | "none") || Profile::names().contains(&name) {
            name.to_owned()
        } else if name.contains(['.', '/', '\\']) {
            self.file(name)
        } else {
            self.stand_in("profile", name)
        }
    }

    /// A file keeps its kind; standard input is nobody's.
    fn file(&mut self, path: &str) -> String {
        if path == "-" {
            return path.to_owned();
        }
        let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
        let end = name.rsplit_once('.').map(|(_, end)| end);
        let end = end.filter(|end| (1..=6).contains(&end.len()) && end.chars().all(|c| c.is_ascii_alphanumeric()));
        let stand_in = self.stand_in("file", path);
        end.map_or(stand_in.clone(), |end| format!("{stand_in}.{end}"))
    }

    /// Phrases and the hosts of URLs first, then what looks like a name or an address in what is left between them.
    fn sentence(&mut self, text: &str) -> String {
        // What a file that is no capture begins with may be anything.
        if let Some((before, _)) = text.split_once(STARTS_WITH) {
            return format!("{}{STARTS_WITH}other bytes", self.sentence(before));
        }
        // So may the line by which a server shows that it speaks another protocol.
        if let Some((before, (_, after))) =
            text.split_once(CLEAR_TEXT).and_then(|(a, b)| Some((a, b.rsplit_once(NOT_TLS)?)))
        {
            return format!("{}{CLEAR_TEXT}…\"){NOT_TLS}{}", self.sentence(before), self.sentence(after));
        }
        let (mut out, mut between) = (String::new(), String::new());
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let authority = if between.ends_with("//") { authority(rest) } else { "" };
            if !authority.is_empty() {
                out.push_str(&self.words(&std::mem::take(&mut between)));
                out.push_str(&self.authority(authority));
                rest = rest.get(authority.len()..).unwrap_or_default();
                rest = self.path_behind(rest, &mut out);
                continue;
            }
            // Part of a host's name is no phrase: the name as a whole has a stand-in.
            let joins = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '@');
            let first = rest.as_bytes().first_chunk().filter(|_| !between.ends_with(joins));
            let phrases = first.and_then(|first| self.phrases.get(first)).map(Vec::as_slice).unwrap_or_default();
            let goes_on = |known: &str, tail: &str| {
                let mut next = tail.chars();
                match next.next() {
                    Some('.' | '-' | '_' | '@') => next.next().is_some_and(char::is_alphanumeric),
                    Some(c) => known.len() < WHOLE_WORD && c.is_alphanumeric(),
                    None => false,
                }
            };
            let fits = |known: &str| rest.strip_prefix(known).is_some_and(|tail| !goes_on(known, tail));
            match phrases.iter().find(|(known, _)| fits(known)).cloned() {
                Some((known, stand_in)) => {
                    out.push_str(&self.words(&std::mem::take(&mut between)));
                    out.push_str(&stand_in);
                    rest = rest.get(known.len()..).unwrap_or_default();
                    if stand_in.ends_with(EXAMPLE) {
                        rest = self.path_behind(rest, &mut out);
                    }
                }
                None => {
                    between.push(c);
                    rest = rest.get(c.len_utf8()..).unwrap_or_default();
                }
            }
        }
        out + &self.words(&between)
    }

    fn words(&mut self, text: &str) -> String {
        let of_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '-' | '_' | '*' | '@');
        let mut out = String::new();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let (word, after) = rest.split_at(rest.find(|c| !of_word(c)).unwrap_or(rest.len()));
            if word.is_empty() {
                out.push(c);
                rest = rest.get(c.len_utf8()..).unwrap_or_default();
                continue;
            }
            let bare = word.trim_end_matches(['.', ':', '-']);
            let is_host = host(bare).is_some();
            out.push_str(&self.word(bare));
            out.push_str(word.get(bare.len()..).unwrap_or_default());
            rest = after;
            if let Some(value) = after.strip_prefix('=').filter(|_| is_attribute_type(bare)) {
                let (value, after) = value.split_at(end_of_value(value));
                out.push('=');
                out.push_str(&if value.is_empty() {
                    String::new()
                } else {
                    self.attribute(&format!("{bare}="), value)
                });
                rest = after;
            } else if is_host {
                rest = self.path_behind(after, &mut out);
            }
        }
        out
    }

    /// The host of a URL with what belongs to it, whatever it is called.
    fn authority(&mut self, authority: &str) -> String {
        let (user, host_and_port) = authority.rsplit_once('@').map_or(("", authority), |(user, host)| (user, host));
        let user = if user.is_empty() { String::new() } else { format!("{}@", self.stand_in("user", user)) };
        let (name, port) =
            with_port(host_and_port).map_or((host_and_port, String::new()), |(n, p)| (n, format!(":{p}")));
        if name.starts_with('[') || name.contains(':') || host(name).is_some() || self.address(name).is_some() {
            return format!("{user}{}", self.words(host_and_port));
        }
        format!("{user}{}{port}", self.host(name))
    }

    /// Behind a host stands a path, which may be named after anybody; gives what follows it.
    fn path_behind<'a>(&mut self, text: &'a str, out: &mut String) -> &'a str {
        let port =
            text.strip_prefix(':').map_or(0, |port| 1 + port.find(|c: char| !c.is_ascii_digit()).unwrap_or(port.len()));
        let (port, after) = text.split_at(port);
        if !after.starts_with('/') || after.starts_with("//") {
            return text;
        }
        let end = |c: char| c.is_whitespace() || matches!(c, '"' | ',' | ';' | ')' | '\'');
        let (path, after) = after.split_at(after.find(end).unwrap_or(after.len()));
        out.push_str(port);
        out.push_str(&self.path(path));
        after
    }

    fn path(&mut self, path: &str) -> String {
        let bare = path.trim_end_matches(['.', ':']);
        let lower = bare.to_ascii_lowercase();
        if bare == "/" || PATHS.iter().any(|known| lower.starts_with(known)) {
            return path.to_owned();
        }
        format!("/{}{}", self.file(bare), path.get(bare.len()..).unwrap_or_default())
    }

    fn word(&mut self, word: &str) -> String {
        if word.is_empty() || NO_HOSTS.contains(&word) {
            return word.to_owned();
        }
        if let Some(found) = self.address(word) {
            return found;
        }
        if let Some((user, host)) = word.split_once('@').filter(|(user, _)| !user.is_empty()) {
            return format!("{}@{}", self.stand_in("user", user), self.word(host));
        }
        if let Some(host) = host(word) {
            return format!("{}{}{}", host.labels, self.host(host.name), host.port);
        }
        if word.contains(':') {
            return word.split(':').map(|part| self.word(part)).collect::<Vec<_>>().join(":");
        }
        // A digest, or the number of a network card in a host's name.
        let runs = word.split(|c: char| !c.is_ascii_hexdigit());
        match runs
            .into_iter()
            .find(|run| run.len() >= 32 || (run.len() >= 12 && run.bytes().any(|byte| byte.is_ascii_digit())))
        {
            Some(run) => word.replace(run, &self.hex(run)),
            None => word.to_owned(),
        }
    }

    /// An address, perhaps with a port behind it.
    fn address(&mut self, word: &str) -> Option<String> {
        let octets: Vec<_> = word.split([':', '-']).collect();
        if octets.len() == 6 && octets.iter().all(|octet| octet.len() == 2 && u8::from_str_radix(octet, 16).is_ok()) {
            let [.., c, d] = self.number("card", &word.to_ascii_lowercase()).to_be_bytes();
            return Some(format!("02:00:00:00:{c:02x}:{d:02x}"));
        }
        // 2001:db8::1:443 is an address too: where the shorter one is known, it is meant.
        let parted = with_port(word).and_then(|(address, port)| Some((address.parse().ok()?, port)));
        let whole = word.parse::<IpAddr>();
        let (address, port) = match (parted, whole) {
            (Some((address, port)), whole) if whole.is_err() || self.addresses.contains(&address) => {
                (address, format!(":{port}"))
            }
            (_, Ok(address)) if word.len() > 2 => (address, String::new()),
            _ => return None,
        };
        let number = self.number("address", &address.to_string());
        // The networks of RFC 2544 and RFC 3849, which nobody has.
        let stand_in = match address {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::from_bits(0xc612_0000 | (number & 0x1_ffff))),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::from_bits(0x2001_0db8_u128 << 96 | u128::from(number))),
        };
        Some(format!("{stand_in}{port}"))
    }

    fn host(&mut self, name: &str) -> String {
        self.stand_in("host", &name.to_ascii_lowercase()) + EXAMPLE
    }

    /// Digits of the same length.
    fn hex(&mut self, digits: &str) -> String {
        let number = self.number("digits", digits);
        format!("{number:0width$x}", width = digits.len())
    }

    fn stand_in(&mut self, kind: &'static str, real: &str) -> String {
        format!("{kind}-{}", self.number(kind, real))
    }

    /// Numbers from 1, in the order in which things are met.
    fn number(&mut self, kind: &'static str, real: &str) -> u32 {
        let count = self.counts.entry(kind).or_default();
        *self.known.entry((kind, real.to_owned())).or_insert_with(|| {
            *count += 1;
            *count
        })
    }
}

/// Name that a member is treated by: the name of a profile is one of a profile, and how a handshake ended is a word.
fn own_name<'a>(of: &str, name: &'a str) -> &'a str {
    match (of, name) {
        ("profile", "name") => "profile",
        ("end", "how") => "by",
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn redact(value: Value) -> Value {
        Redaction::of(&value).unwrap().1
    }

    #[test]
    fn the_same_has_the_same_stand_in_everywhere() {
        let out = redact(json!({
            "devices": [{"id": "10.1.2.3", "mac": "00:04:f2:aa:bb:cc", "client": "10.1.2.3:5000", "server": "fd00::1:443"}],
            "filter": "ip.addr==10.1.2.3 && tcp.port==443",
            "summary": "10.1.2.3 asked fd00::1:443 for pool.contoso.test, POOL.contoso.test and _sip._tls.contoso.test",
        }));
        assert_eq!(out["devices"][0]["id"], "198.18.0.1");
        assert_eq!(out["devices"][0]["client"], "198.18.0.1:5000");
        assert_eq!(out["devices"][0]["mac"], "02:00:00:00:00:01");
        assert_eq!(out["devices"][0]["server"], "2001:db8::2:443");
        assert_eq!(out["filter"], "ip.addr==198.18.0.1 && tcp.port==443");
        let summary =
            "198.18.0.1 asked 2001:db8::2:443 for host-1.example, host-1.example and _sip._tls.host-2.example";
        assert_eq!(out["summary"], summary);
    }

    #[test]
    fn names_in_certificates_are_found_in_sentences() {
        let out = redact(json!({
            "subject": "CN=Contoso Issuing CA 1,O=Contoso\\, Inc.,C=US",
            "summary": "\"Contoso Issuing CA 1\" of Contoso, Inc. is missing; issued by CN=Contoso Issuing CA 1,O=Contoso\\, Inc.",
            "serial": "01ab", "der": "MIIB", "sha256": "ab".repeat(32),
        }));
        assert_eq!(out["subject"], "CN=name-1,O=name-2,C=US");
        assert_eq!(out["summary"], "\"name-1\" of name-2 is missing; issued by CN=name-1,O=name-2");
        assert_eq!((&out["serial"], &out["der"]), (&json!("0001"), &json!("")));
        assert_eq!(out["sha256"], format!("{}2", "0".repeat(63)));
    }

    #[test]
    fn files_paths_and_directories_are_nobodys() {
        let out = redact(json!({
            "path": "/srv/contoso/usb.pcapng",
            "summary": "seen in /srv/contoso/usb.pcapng; GET http://pki.contoso.test:8080/ca/Contoso%20CA.crt failed",
            "url": "http://10.1.2.3/CertProv/CertProvisioningService.svc",
            "base": "CN=AIA,CN=Public Key Services,OU=Contoso Phones,DC=contoso,DC=test",
            "who": "user bob@contoso.test, host SEP0004F2AABBCC, TLS 1.0, firmware 4.0.7577.4363",
        }));
        assert_eq!(out["path"], "file-1.pcapng");
        assert_eq!(out["summary"], "seen in file-1.pcapng; GET http://host-1.example:8080/file-2.crt failed");
        assert_eq!(out["url"], "http://198.18.0.1/CertProv/CertProvisioningService.svc");
        assert_eq!(out["base"], "CN=AIA,CN=Public Key Services,OU=name-1,DC=name-2,DC=name-3");
        assert_eq!(out["who"], "user user-1@host-2.example, host SEP000000000001, TLS 1.0, firmware 4.0.7577.4363");
    }

    #[test]
    fn hosts_of_one_label_are_told_by_where_they_stand() {
        let out = redact(json!({
            "handshakes": [{"server_name": "frontdesk", "client": "10.1.2.3:5000"}],
            "names": ["frontdesk", "pool.contoso.test"],
            "events": [{"kind": "dns", "summary": "A dc1: 10.1.2.3"}, {"kind": "dns", "summary": "A gone: no such name"}],
            "id": "CG001/10.1.2.3/frontdesk/0123456789abcdef0123456789abcdef01234567",
            "aia": ["http://pkihost:8080/ca/Contoso.crt", "ldap://dc1/CN=Contoso%20CA"],
            "remedies": ["openssl s_client -connect frontdesk:443; the certificate covers frontdesk, not dc1 or frontdesks"],
            "summary": "GET http://pool.contoso.test:8080/secret/x.crt, https://bob@pkihost/secret",
        }));
        let host = out["handshakes"][0]["server_name"].as_str().unwrap();
        let is_stand_in = |text: &str| text.starts_with("host-") && text.ends_with(".example");
        assert!(is_stand_in(host) && out["names"][0] == host && out["names"][1] != host, "{out}");
        let dns = |at: usize| out["events"][at]["summary"].as_str().unwrap().split([' ', ':']).nth(1).unwrap();
        assert!(is_stand_in(dns(0)) && is_stand_in(dns(1)) && dns(0) != dns(1), "{out}");
        assert!(out["id"].as_str().unwrap().starts_with(&format!("CG001/198.18.0.1/{host}/")), "{out}");
        let text = out.to_string();
        for told in ["frontdesk:", "pkihost", "dc1", "Contoso", "contoso", "secret", "bob"] {
            assert!(!text.contains(told), "{told}: {text}");
        }
        let remedy = format!("openssl s_client -connect {host}:443; the certificate covers {host}, not ");
        assert!(out["remedies"][0].as_str().unwrap().starts_with(&remedy), "{out}");
    }

    #[test]
    fn two_letters_are_a_country_in_a_country_only() {
        let out = redact(json!({
            "subject": "CN=HR,O=HP,C=US", "summary": "\"HR\" of HP is missing, THREE and HRM are not; issued by O=HP",
        }));
        assert_eq!(out["subject"], "CN=name-1,O=name-2,C=US");
        assert_eq!(out["summary"], "\"name-1\" of name-2 is missing, THREE and HRM are not; issued by O=name-2");
    }

    #[test]
    fn a_profile_of_the_users_and_what_a_file_begins_with_are_nobodys() {
        let out = redact(json!({
            "options": {"profile": "meyer.toml"},
            "profile": {"name": "meyer-phones", "basis": "given"},
            "other": {"profile": {"name": "lync-phone-edition"}},
            "summary": "the device is not what the profile meyer-phones says",
            "problems": ["not a capture file: it starts with the text \"Meyer, room 4\""],
            "line": "the server answers in clear text (\"220 mailserver of Meyer\"): it does not speak TLS on this port",
            "events": [{"kind": "eap", "summary": "EAP-TLS (IEEE 802.1X)"}],
        }));
        assert_eq!(out["options"]["profile"], "file-1.toml");
        assert_eq!((&out["profile"]["name"], &out["profile"]["basis"]), (&json!("profile-1"), &json!("given")));
        assert_eq!(out["other"]["profile"]["name"], "lync-phone-edition");
        assert_eq!(out["summary"], "the device is not what the profile profile-1 says");
        assert_eq!(out["problems"][0], "not a capture file: it starts with other bytes");
        assert_eq!(out["line"], "the server answers in clear text (\"…\"): it does not speak TLS on this port");
        assert_eq!(out["events"][0]["summary"], "EAP-TLS (IEEE 802.1X)");
    }

    #[test]
    fn what_is_made_of_a_report_has_the_stand_ins_of_that_report() {
        let report = json!({"devices": [{"id": "10.1.2.3"}, {"id": "10.1.2.4"}]});
        let (mut redaction, report) = Redaction::of(&report).unwrap();
        let made = redaction.of_made(&json!({"bad": "10.1.2.4", "good": "10.1.2.3"})).unwrap();
        assert_eq!(made, json!({"bad": report["devices"][1]["id"], "good": report["devices"][0]["id"]}));
    }

    #[test]
    fn what_only_a_sentence_names_is_replaced_whatever_its_type() {
        let out = redact(json!({
            "summary": "issued by \"O=Zebra\\, Meyer GmbH,GN=Ottokar,street=Rosenweg 4,1.2.840.113549.1.9.20=Otto\", which is missing",
        }));
        let expected = "issued by \"O=name-1,GN=name-2,street=name-3,1.2.840.113549.1.9.20=name-4\", which is missing";
        assert_eq!(out["summary"], expected);
    }

    /// Names of the members of a schema whose values are words of this program, as they are treated.
    fn words<'s>(
        schema: &'s Value,
        node: &'s Value,
        of: &str,
        member: &'s str,
        depth: u32,
        out: &mut BTreeSet<&'s str>,
    ) {
        if let Some(to) = node["$ref"].as_str() {
            let node = schema.pointer(to.trim_start_matches('#')).unwrap();
            return words(schema, node, of, member, depth, out);
        }
        if node["enum"].is_array() || node["const"].is_string() {
            out.insert(own_name(of, member));
        }
        for several in ["oneOf", "anyOf"] {
            node[several].as_array().into_iter().flatten().for_each(|node| words(schema, node, of, member, depth, out));
        }
        for inner in ["items", "additionalProperties"].into_iter().filter_map(|inner| node.get(inner)) {
            words(schema, inner, of, member, depth, out);
        }
        for (name, node) in node["properties"].as_object().into_iter().flatten().filter(|_| depth < 12) {
            words(schema, node, member, name, depth + 1, out);
        }
    }

    #[test]
    fn no_word_of_this_program_is_taken_for_a_name() {
        for schema in [include_str!("../../schema/report-1.json"), include_str!("../../schema/compare-1.json")] {
            let schema: Value = serde_json::from_str(schema).unwrap();
            let mut found = BTreeSet::new();
            words(&schema, &schema, "", "", 0, &mut found);
            assert!(found.len() > 8, "{found:?}");
            found.retain(|member| !OWN.contains(member));
            assert!(found.is_empty(), "{found:?}");
        }
    }
}
