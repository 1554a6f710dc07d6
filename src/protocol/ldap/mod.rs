//! LDAP over one connection: searches with their answers, and the CA certificates in them (RFC 4511, RFC 4523).
//!
//! In: the bytes of both directions in order, in pieces of any size, with the gaps of the capture. Out:
//! [`LdapSearch`]es as they are answered. Bounded: one message of `MAX_MESSAGE` bytes per direction, `MAX_OPEN` open
//! searches, `MAX_KEPT` bytes of entries for each. Left to others: what the certificates mean, and the connection once
//! it is sealed or switches to TLS.

mod message;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use self::message::{Message, Operation, SearchRequest};
use super::ber::{self, Header};
use crate::capture::FrameRef;
use crate::flow::{Side, StreamEnd};

/// Longer messages are skipped.
const MAX_MESSAGE: usize = 1024 * 1024;
/// Most searches open at once.
const MAX_OPEN: usize = 256;
/// Most bytes of names and certificates kept of one search.
const MAX_KEPT: usize = 1024 * 1024;

/// A search and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LdapSearch {
    /// The base object; also empty if the request is not in the capture.
    pub base: String,
    /// The filter in the notation of RFC 4515; empty if the request is not in the capture.
    pub filter: String,
    /// The attributes requested.
    pub attributes: Vec<String>,
    /// The frame of the request's first byte, or of the answer's if there is no request.
    pub request: FrameRef,
    /// The frame in which the first message of the answer was complete.
    pub first: Option<FrameRef>,
    /// The frame in which the last message of the answer was complete.
    pub last: Option<FrameRef>,
    /// The result code; `None` if the end of the answer is missing.
    pub result_code: Option<u32>,
    /// The entries found.
    pub entries: Vec<LdapEntry>,
    /// Whether all of the answer is in the capture.
    pub complete: bool,
    /// Whether bytes of it were sent that are not in the capture.
    pub gap: bool,
    /// What was wrong, in plain words.
    pub problem: Option<String>,
    /// Whether caCertificate is requested, or the filter mentions certificationAuthority.
    pub asks_ca_certificates: bool,
}

/// One object that a search found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LdapEntry {
    /// Its distinguished name, as written by the server.
    pub dn: String,
    /// The values of caCertificate, exactly as sent.
    pub certificates: Vec<Vec<u8>>,
    /// The frame in which the entry was complete.
    pub at: FrameRef,
}

/// One TCP connection that carries LDAP.
#[derive(Debug, Default)]
pub struct Ldap {
    client: Half,
    server: Half,
    open: BTreeMap<u32, Open>,
    /// The messageID of the StartTLS request.
    tls_asked: Option<u32>,
    bound: bool,
    messages: u64,
    ended: Option<StreamEnd>,
    sealed: bool,
    starts_tls: bool,
}

/// An open search.
#[derive(Debug)]
struct Open {
    search: LdapSearch,
    /// Whether the request was seen.
    asked: bool,
    kept: usize,
    problem: Option<String>,
}

/// One direction.
#[derive(Debug, Default)]
struct Half {
    buffer: Vec<u8>,
    /// The frame of the first byte in the buffer.
    first: Option<FrameRef>,
    /// Bytes of a message still to be skipped.
    skip: u64,
    /// Whether the start of the next message is unknown.
    lost: bool,
}

/// Whether a connection with these first bytes speaks LDAP; `None` while there are too few to tell.
pub fn starts_like_ldap(bytes: &[u8]) -> Option<bool> {
    message::begins(bytes)
}

impl Ldap {
    /// A new connection.
    pub fn new() -> Self {
        Self::default()
    }

    /// Bytes held of incomplete messages and open searches.
    pub fn held(&self) -> usize {
        let open: usize = self.open.values().map(|open| open.kept).sum();
        self.client.buffer.len() + self.server.buffer.len() + open
    }

    /// Whether the connection continued with SASL signing or sealing, which cannot be read; nothing more is read then.
    pub fn sealed(&self) -> bool {
        self.sealed
    }

    /// Whether the server agreed to StartTLS; nothing more is read then, and the next bytes are a ClientHello.
    pub fn starts_tls(&self) -> bool {
        self.starts_tls
    }

    /// Takes the next bytes of one side, all from the frame `at`.
    pub fn push(&mut self, side: Side, bytes: &[u8], at: FrameRef, out: &mut Vec<LdapSearch>) {
        if self.sealed || self.starts_tls {
            return;
        }
        let half = self.half(side);
        let skipped = usize::try_from(half.skip).unwrap_or(usize::MAX).min(bytes.len());
        half.skip = half.skip.saturating_sub(length(skipped));
        let bytes = bytes.get(skipped..).unwrap_or_default();
        if bytes.is_empty() {
            return;
        }
        if half.buffer.is_empty() {
            half.first = Some(at);
        }
        let mut buffer = std::mem::take(&mut half.buffer);
        buffer.extend_from_slice(bytes);
        let used = self.read(side, &buffer, at, out);
        if used > 0 {
            buffer.drain(..used.min(buffer.len()));
            self.half(side).first = Some(at);
        }
        self.half(side).buffer = buffer;
    }

    /// Skips `missing` bytes of one side that are not in the capture; `at` is the frame that shows it.
    pub fn gap(&mut self, side: Side, missing: u64, at: FrameRef, out: &mut Vec<LdapSearch>) {
        let half = self.half(side);
        let buffer = std::mem::take(&mut half.buffer);
        let left = match ber::header(&buffer) {
            _ if half.skip > 0 => half.skip,
            Header::Read { size, length: Some(content), .. } if !half.lost => {
                length(size.saturating_add(content).saturating_sub(buffer.len()))
            }
            _ => 0,
        };
        half.skip = left.saturating_sub(missing);
        half.lost |= missing > left;
        let lost = half.lost;
        if side == Side::Server {
            let problem = format!("the capture lacks {missing} bytes of the answer");
            self.salvage(&buffer, at, out);
            let id = message::id(&buffer).filter(|_| !lost);
            self.blame(id, &problem);
            let concerned = self.open.iter_mut().filter(|(number, _)| id.is_none_or(|id| id == **number));
            concerned.for_each(|(_, open)| open.search.gap = true);
        }
    }

    /// Notes the end of one side.
    pub fn end(&mut self, side: Side, how: StreamEnd, at: FrameRef, out: &mut Vec<LdapSearch>) {
        if side == Side::Server {
            let buffer = std::mem::take(&mut self.server.buffer);
            self.salvage(&buffer, at, out);
        }
        if side == Side::Server || how == StreamEnd::Reset {
            self.ended.get_or_insert(how);
        }
    }

    /// Notes the end of the connection; searches without a complete answer are yielded.
    pub fn finish(&mut self, at: FrameRef, out: &mut Vec<LdapSearch>) {
        let buffer = std::mem::take(&mut self.server.buffer);
        self.salvage(&buffer, at, out);
        for (_, open) in std::mem::take(&mut self.open) {
            self.emit(open, out);
        }
    }

    fn half(&mut self, side: Side) -> &mut Half {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }

    /// Parses the complete messages in `buffer` and returns the number of bytes consumed.
    fn read(&mut self, side: Side, buffer: &[u8], at: FrameRef, out: &mut Vec<LdapSearch>) -> usize {
        let mut used = 0;
        while let Some(rest) = buffer.get(used..).filter(|rest| !rest.is_empty()) {
            if self.half(side).lost {
                let starts = rest.iter().enumerate().filter(|(_, octet)| **octet == 0x30).map(|(start, _)| start);
                let mut starts = starts.map(|start| (start, message::begins(rest.get(start..).unwrap_or_default())));
                let Some((start, begins)) = starts.find(|(_, begins)| *begins != Some(false)) else {
                    return buffer.len();
                };
                used += start;
                if begins.is_none() {
                    return used;
                }
                self.half(side).lost = false;
                continue;
            }
            // A SASL buffer starts with its length in four octets, the first of which is zero (RFC 4422 section 3.7).
            if rest.first() == Some(&0) && (self.bound || self.messages == 0) {
                self.sealed = true;
                return buffer.len();
            }
            match (message::begins(rest), ber::header(rest)) {
                (Some(true), Header::Read { size, length: Some(content), .. }) => {
                    let whole = size.saturating_add(content);
                    let first = if used == 0 { self.half(side).first.unwrap_or(at) } else { at };
                    if let Some(bytes) = rest.get(..whole) {
                        self.message(message::parse(bytes), first, at, out);
                        used += whole;
                        if self.starts_tls {
                            return buffer.len();
                        }
                    } else if whole > MAX_MESSAGE {
                        self.blame(message::id(rest), &format!("a message of {whole} bytes was not looked at"));
                        self.half(side).skip = length(whole.saturating_sub(rest.len()));
                        return buffer.len();
                    } else {
                        return used;
                    }
                }
                (None, _) => return used,
                _ => self.half(side).lost = true,
            }
        }
        used
    }

    fn message(&mut self, message: Option<Message>, first: FrameRef, at: FrameRef, out: &mut Vec<LdapSearch>) {
        self.messages = self.messages.saturating_add(1);
        let Some(Message { id, operation }) = message else { return };
        match operation {
            Operation::Search(asked) => self.asked(id, asked, first, out),
            Operation::Entry { dn, certificates } => {
                let open = self.answered(id, at, out);
                let size: usize = certificates.iter().map(|der| size_of::<Vec<u8>>() + der.len()).sum();
                open.kept = open.kept.saturating_add(size_of::<LdapEntry>() + dn.len() + size);
                if open.kept <= MAX_KEPT {
                    open.search.entries.push(LdapEntry { dn, certificates, at });
                } else {
                    open.problem.get_or_insert_with(|| "more entries came than are kept".to_owned());
                }
            }
            Operation::Done { code } => {
                let open = self.answered(id, at, out);
                open.search.result_code = Some(code);
                if open.asked {
                    self.close(id, out);
                }
            }
            Operation::Bound { code } => self.bound |= code == 0,
            Operation::StartTls => self.tls_asked = Some(id),
            Operation::Extended { code } => self.starts_tls = code == 0 && self.tls_asked == Some(id),
            Operation::Abandon { id } => {
                if let Some(open) = self.open.get_mut(&id) {
                    open.problem.get_or_insert_with(|| "the client abandoned the search".to_owned());
                }
            }
            Operation::Other => {}
        }
    }

    fn asked(&mut self, id: u32, asked: SearchRequest, request: FrameRef, out: &mut Vec<LdapSearch>) {
        let SearchRequest { base, filter, attributes } = asked;
        if self.open.get(&id).is_some_and(|open| open.asked) {
            // A messageID may be reused once its search is answered, so the end of that answer was missed.
            self.close(id, out);
        }
        let open = self.entry(id, request, out);
        open.asked = true;
        let size: usize = attributes.iter().map(|name| size_of::<String>() + name.len()).sum();
        open.kept = open.kept.saturating_add(size_of::<Open>() + base.len() + filter.len() + size);
        open.search.asks_ca_certificates = attributes.iter().any(|name| message::is_ca_certificate(name))
            || filter.to_ascii_lowercase().contains("certificationauthority");
        open.search = LdapSearch { base, filter, attributes, request, ..open.search.clone() };
        // The answer may have been recorded before the request.
        if open.search.result_code.is_some() {
            self.close(id, out);
        }
    }

    /// The search of an answer.
    fn answered(&mut self, id: u32, at: FrameRef, out: &mut Vec<LdapSearch>) -> &mut Open {
        let open = self.entry(id, at, out);
        open.search.first.get_or_insert(at);
        open.search.last = Some(at);
        open
    }

    fn entry(&mut self, id: u32, at: FrameRef, out: &mut Vec<LdapSearch>) -> &mut Open {
        if self.open.len() >= MAX_OPEN && !self.open.contains_key(&id) {
            let oldest = self.open.iter().min_by_key(|(_, open)| open.search.request.number).map(|(id, _)| *id);
            oldest.into_iter().for_each(|id| self.close(id, out));
        }
        self.open.entry(id).or_insert_with(|| Open {
            search: LdapSearch {
                base: String::new(),
                filter: String::new(),
                attributes: Vec::new(),
                request: at,
                first: None,
                last: None,
                result_code: None,
                entries: Vec::new(),
                complete: false,
                gap: false,
                problem: None,
                asks_ca_certificates: false,
            },
            asked: false,
            kept: 0,
            problem: None,
        })
    }

    /// Reads the complete part of a truncated entry.
    fn salvage(&mut self, buffer: &[u8], at: FrameRef, out: &mut Vec<LdapSearch>) {
        if self.server.lost || self.sealed || self.starts_tls {
            return;
        }
        let cut = message::parse(buffer).filter(|message| matches!(message.operation, Operation::Entry { .. }));
        if let Some(message) = cut {
            let id = message.id;
            self.message(Some(message), at, at, out);
            self.blame(Some(id), "an entry of the answer is cut off");
        }
    }

    /// Notes what is wrong with the answer to one search, or to all open ones.
    fn blame(&mut self, id: Option<u32>, problem: &str) {
        let concerned = self.open.iter_mut().filter(|(number, _)| id.is_none_or(|id| id == **number));
        concerned.for_each(|(_, open)| {
            open.problem.get_or_insert_with(|| problem.to_owned());
        });
    }

    fn close(&mut self, id: u32, out: &mut Vec<LdapSearch>) {
        if let Some(open) = self.open.remove(&id) {
            self.emit(open, out);
        }
    }

    fn emit(&self, open: Open, out: &mut Vec<LdapSearch>) {
        let Open { mut search, asked, problem, .. } = open;
        // The end of an answer to an unknown request is of no interest.
        if !asked && search.entries.is_empty() {
            return;
        }
        search.complete = asked && search.result_code.is_some() && problem.is_none();
        let is_empty = search.entries.iter().all(|entry| entry.certificates.is_empty());
        search.problem = problem.or_else(|| match search.result_code {
            None => {
                let event = match self.ended {
                    Some(StreamEnd::Fin) => "the connection was closed",
                    Some(StreamEnd::Reset) => "the connection was reset",
                    Some(StreamEnd::CaptureEnd) | None => "the capture ends",
                };
                let state = if search.first.is_some() { "the answer was complete" } else { "an answer came" };
                Some(format!("{event} before {state}"))
            }
            Some(0) if asked && search.asks_ca_certificates && is_empty => {
                Some("no certificate in the answer".to_owned())
            }
            Some(0) => None,
            Some(code) => Some(format!("LDAP result {code}{}", result_name(code))),
        });
        out.push(search);
    }
}

fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

/// Names of the result codes that phones get from directories (RFC 4511 appendix A).
fn result_name(code: u32) -> &'static str {
    match code {
        1 => " (operationsError)",
        3 => " (timeLimitExceeded)",
        4 => " (sizeLimitExceeded)",
        8 => " (strongerAuthRequired)",
        10 => " (referral)",
        11 => " (adminLimitExceeded)",
        12 => " (unavailableCriticalExtension)",
        13 => " (confidentialityRequired)",
        32 => " (noSuchObject)",
        34 => " (invalidDNSyntax)",
        50 => " (insufficientAccessRights)",
        51 => " (busy)",
        52 => " (unavailable)",
        53 => " (unwillingToPerform)",
        _ => "",
    }
}
