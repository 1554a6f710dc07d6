//! Names and addresses within the texts of a report.
//!
//! In: names that are known, and a text. Out: the text with stand-ins for what it names. Bounded: by the text. Left to
//! others: which texts are looked at.

use std::collections::HashMap;
use std::net::IpAddr;

use super::names::{NO_HOSTS, authority, end_of_value, host, is_attribute_type, with_port};
use super::policy::{COMMON, CONTAINERS, PATHS};
use super::stand_ins::{EXAMPLE, StandIns};
use crate::capture::STARTS_WITH;

/// Bytes of the shortest name that is looked for: single letters would be found everywhere.
const SHORTEST: usize = 2;
/// Names shorter than this count as whole words only: longer words contain them by chance.
const WHOLE_WORD: usize = 5;

/// The names that texts of a report are known to hold, with their stand-ins.
#[derive(Default)]
pub(super) struct Sentences {
    pub(super) stand_ins: StandIns,

    /// Files and parts of distinguished names, which are found within sentences, by their first bytes, longest first.
    phrases: HashMap<[u8; SHORTEST], Vec<(String, String)>>,
}

impl Sentences {
    /// Learns a host name of one label, which cannot be recognized as a host within a sentence.
    pub(super) fn learn_host(&mut self, text: &str) {
        let name = with_port(text).map_or(text, |(name, _)| name).trim_end_matches(['.', ':']);
        if host(name).is_none() && self.stand_ins.address(name).is_none() && !name.contains(['/', ' ', '@', ':']) {
            let stand_in = self.stand_ins.host(name);
            self.phrase(name, &stand_in);
        }
    }

    pub(super) fn phrase(&mut self, text: &str, stand_in: &str) {
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

    /// The stand-in for the value of an attribute of a distinguished name.
    pub(super) fn attribute(&mut self, kind: &str, value: &str) -> String {
        let country = kind.eq_ignore_ascii_case("C=") && value.len() <= 2;
        if CONTAINERS.contains(&value) || country || value.is_empty() {
            value.to_owned()
        } else if host(value).is_some() || value.parse::<IpAddr>().is_ok() {
            self.word(value)
        } else {
            self.stand_ins.stand_in("name", value)
        }
    }

    /// Phrases and the hosts of URLs first, then what looks like a name or an address in what is left between them.
    pub(super) fn sentence(&mut self, text: &str) -> String {
        // The first bytes of a file that is not a capture may be anything.
        if let Some((before, _)) = text.split_once(STARTS_WITH) {
            return format!("{}{STARTS_WITH}other bytes", self.sentence(before));
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
            // A phrase does not count inside a host name: the host name as a whole has a stand-in.
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

    /// The stand-in for the authority of a URL, whatever the host is called.
    fn authority(&mut self, authority: &str) -> String {
        let (user, host_and_port) = authority.rsplit_once('@').map_or(("", authority), |(user, host)| (user, host));
        let user = if user.is_empty() { String::new() } else { format!("{}@", self.stand_ins.stand_in("user", user)) };
        let (name, port) =
            with_port(host_and_port).map_or((host_and_port, String::new()), |(n, p)| (n, format!(":{p}")));
        if name.starts_with('[') || name.contains(':') || host(name).is_some() || self.stand_ins.address(name).is_some()
        {
            return format!("{user}{}", self.words(host_and_port));
        }
        format!("{user}{}{port}", self.stand_ins.host(name))
    }

    /// Replaces the path behind a host, since it may hold anybody's name, and returns the text after it.
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
        format!("/{}{}", self.stand_ins.file(bare), path.get(bare.len()..).unwrap_or_default())
    }

    pub(super) fn word(&mut self, word: &str) -> String {
        if word.is_empty() || NO_HOSTS.contains(&word) {
            return word.to_owned();
        }
        if let Some(found) = self.stand_ins.address(word) {
            return found;
        }
        if let Some((user, host)) = word.split_once('@').filter(|(user, _)| !user.is_empty()) {
            return format!("{}@{}", self.stand_ins.stand_in("user", user), self.word(host));
        }
        if let Some(host) = host(word) {
            return format!("{}{}{}", host.labels, self.stand_ins.host(host.name), host.port);
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
            Some(run) => word.replace(run, &self.stand_ins.hex(run)),
            None => word.to_owned(),
        }
    }
}
