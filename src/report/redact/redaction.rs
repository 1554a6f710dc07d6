//! In: a report. Out: the same with stand-ins. Bounded: by the report. Left to others: the choice of stand-ins.

use std::net::IpAddr;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::names::{attributes, authority, hosts_of_urls, with_port};
use super::policy::{DISTINGUISHED, FILES, OWN, PROTOCOLS, own_name};
use super::sentences::Sentences;

/// A report could not be redacted, so nothing of it may be shown (D-REPORT-07).
#[derive(Debug, thiserror::Error)]
#[error("nothing is shown, for the names in the report could not all be replaced: {0}")]
pub struct NotRedacted(#[from] serde_json::Error);

/// The stand-ins of one report.
#[derive(Default)]
#[non_exhaustive]
pub struct Redaction {
    sentences: Sentences,
}

impl Redaction {
    /// Redacts a report: returns its stand-ins, and the report with stand-ins for addresses and names. `der` is left
    /// empty; words, counts, times, frames and offsets stay.
    ///
    /// # Errors
    /// If the redacted value does not fit the model.
    pub fn of<T: Serialize + DeserializeOwned>(report: &T) -> Result<(Self, T), NotRedacted> {
        let value = serde_json::to_value(report)?;
        let mut redaction = Self::default();
        redaction.learn(&value, "");
        let report = redaction.replaced(value)?;
        Ok((redaction, report))
    }

    /// Redacts what was made from that report, with the same stand-ins.
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
                members.iter().for_each(|(name, value)| self.learn(value, own_name(member, name)));
            }
            Value::String(text) if FILES.contains(&member) => {
                let stand_in = self.sentences.stand_ins.file(text);
                self.sentences.phrase(text, &stand_in);
            }
            Value::String(text) if DISTINGUISHED.contains(&member) => {
                for attribute in attributes(text) {
                    let stand_in = self.sentences.attribute(&attribute.kind, &attribute.value);
                    self.sentences.phrase(&attribute.raw, &stand_in);
                    self.sentences.phrase(&attribute.value, &stand_in);
                }
            }
            // The line by which a server shows that it speaks another protocol may be anything.
            Value::String(text) if member == "clear_text" => {
                self.sentences.phrase(&in_quotes(text), &in_quotes(ANYTHING));
            }
            Value::String(text) if member == "profile" => {
                let stand_in = self.sentences.stand_ins.profile(text);
                self.sentences.phrase(text, &stand_in);
            }
            Value::String(text) => {
                match member {
                    "server_name" | "names" => self.sentences.learn_host(text),
                    "tunnel_to" => self.sentences.learn_host(text),
                    // What CONNECT asks for is an endpoint, so that one label is a name there too.
                    "answers" | "url" if !text.contains("//") && with_port(text).is_some() => {
                        self.sentences.learn_host(text);
                    }
                    "web_service" | "sip_server" if !text.contains("//") => {
                        text.split(", ").for_each(|server| self.sentences.learn_host(authority(server)));
                    }
                    _ => hosts_of_urls(text).for_each(|host| self.sentences.learn_host(host)),
                }
                let address: Option<IpAddr> = match member {
                    "address" => text.parse().ok(),
                    "client" | "server" => with_port(text).and_then(|(address, _)| address.parse().ok()),
                    _ => None,
                };
                self.sentences.stand_ins.know(address);
            }
            _ => {}
        }
    }

    fn replace(&mut self, value: &mut Value, member: &str) {
        match value {
            Value::Array(values) => values.iter_mut().for_each(|value| self.replace(value, member)),
            Value::Object(members) => {
                let mut old = std::mem::take(members);
                // Stand-ins are numbered in the order in which they are met: the sentence comes before the facts behind
                // it.
                let detail = old.remove_entry("detail");
                *members = old
                    .into_iter()
                    .chain(detail)
                    .map(|(name, value)| self.member(member, name, value))
                    .collect::<Map<_, _>>();
            }
            Value::String(text) => *text = self.text(text, member),
            _ => {}
        }
    }

    /// Redacts a member, and its name if that is a digest (D-REPORT-06).
    fn member(&mut self, of: &str, name: String, mut value: Value) -> (String, Value) {
        self.replace(&mut value, own_name(of, &name));
        (if name.len() == 64 { self.sentences.stand_ins.hex(&name) } else { name }, value)
    }

    fn text(&mut self, text: &str, member: &str) -> String {
        match member {
            "der" => String::new(),
            "clear_text" => ANYTHING.into(),
            "alpn" if !PROTOCOLS.contains(&text) => ANYTHING.into(),
            "alpn" => text.to_owned(),
            "serial" => self.sentences.stand_ins.hex(text),
            "profile" => self.sentences.stand_ins.profile(text),
            "server_name" | "names" if !text.contains(['.', ' ', '@', ':', '/']) => self.sentences.stand_ins.host(text),
            _ if OWN.contains(&member) => text.to_owned(),
            _ if FILES.contains(&member) => self.sentences.stand_ins.file(text),
            _ if DISTINGUISHED.contains(&member) => {
                let parts = attributes(text).into_iter();
                parts
                    .map(|part| {
                        format!("{}{}{}", part.before, part.kind, self.sentences.attribute(&part.kind, &part.value))
                    })
                    .collect()
            }
            _ => self.sentences.sentence(text),
        }
    }
}

/// The stand-in for words that may be anything.
const ANYTHING: &str = "…";

/// A server's line as sentences show it.
fn in_quotes(text: &str) -> String {
    format!("(\"{text}\")")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

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
            "events": [
                {"summary": "A dc1: 10.1.2.3", "detail": {"dns": {"question": "A", "name": "dc1", "answers": ["10.1.2.3"]}}},
                {"summary": "A gone: no such name", "detail": {"dns": {"question": "A", "name": "gone", "answers": []}}},
                {"summary": "CONNECT intranet:443: 407",
                 "detail": {"http": {"method": "CONNECT", "url": "intranet:443", "status": 407}}},
            ],
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
        for told in ["frontdesk:", "pkihost", "dc1", "intranet", "Contoso", "contoso", "secret", "bob"] {
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
            "handshakes": [{"clear_text": "220 mailserver of Meyer"}],
            "line": "the server answers in clear text (\"220 mailserver of Meyer\"): it does not speak TLS on this port",
            "events": [{"kind": "eap", "summary": "EAP-TLS (IEEE 802.1X)"}],
        }));
        assert_eq!(out["options"]["profile"], "file-1.toml");
        assert_eq!((&out["profile"]["name"], &out["profile"]["basis"]), (&json!("profile-1"), &json!("given")));
        assert_eq!(out["other"]["profile"]["name"], "lync-phone-edition");
        assert_eq!(out["summary"], "the device is not what the profile profile-1 says");
        assert_eq!(out["problems"][0], "not a capture file: it starts with other bytes");
        assert_eq!(out["line"], "the server answers in clear text (\"…\"): it does not speak TLS on this port");
        assert_eq!(out["handshakes"][0]["clear_text"], "…");
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
        for schema in [include_str!("../../../schema/report-2.json"), include_str!("../../../schema/compare-1.json")] {
            let schema: Value = serde_json::from_str(schema).unwrap();
            let mut found = BTreeSet::new();
            words(&schema, &schema, "", "", 0, &mut found);
            assert!(found.len() > 8, "{found:?}");
            found.retain(|member| !OWN.contains(member));
            assert!(found.is_empty(), "{found:?}");
        }
    }
}
