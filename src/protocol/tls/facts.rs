//! In: messages, alerts and records of a handshake. Out: what [`Handshake`] keeps of them. Bounded: `MAX_ALERTS`,
//! `MAX_HISTORY`; of several messages of one type the first counts, except hellos before the server's answer. Left to
//! others: decrypting and reassembling them.

use super::agreement::server_key_exchange;
use super::cipher::Suite;
use super::handshake::{Alert, Foreign, Handshake, Hole};
use super::history::Letter;
use super::message::{self, CertificateList};
use super::names::{AlertCode, FATAL, Version};
use super::ocsp;
use super::reassembly::Message;
use crate::capture::FrameRef;
use crate::flow::Side;

/// Most alerts kept of one connection.
const MAX_ALERTS: usize = 16;
/// Most letters kept of one connection's history.
const MAX_HISTORY: usize = 64;
/// Length of a protected record with an alert in TLS 1.3: level, code, content type, and a tag of 16 bytes (RFC 8446
/// section 5.2).
pub(super) const ALERT_RECORD: usize = 19;
/// Most characters kept of a line that is not TLS.
const MAX_LINE: usize = 40;

/// Lengths in bytes of the shortest protected records that a client's messages of TLS 1.3 fit in.
struct Shortest {
    /// A message header and the hash (RFC 8446 section 4.4.4).
    finished: usize,
    /// A message header, an empty context and an empty list (RFC 8446 section 4.4.2).
    empty_certificate: usize,
}

impl Handshake {
    /// Takes a handshake message; `limit` is the longest Certificate message that is decompressed, in bytes.
    pub(super) fn message(&mut self, side: Side, message: &Message<'_>, limit: usize) {
        let letter = match (message.kind, side) {
            (1, Side::Client) => Letter::ClientHello,
            (2, Side::Server) => Letter::ServerHello,
            (4, Side::Server) => Letter::NewSessionTicket,
            (8, Side::Server) => return self.encrypted_extensions(message),
            (11 | 25, _) => Letter::Certificate(side),
            (12, Side::Server) => Letter::ServerKeyExchange,
            (13, Side::Server) => Letter::CertificateRequest,
            (14, Side::Server) => Letter::ServerHelloDone,
            (15, _) => Letter::CertificateVerify(side),
            (16, Side::Client) => Letter::ClientKeyExchange,
            (20, _) => Letter::Finished(side),
            (22, Side::Server) => return self.certificate_status(message),
            _ => return,
        };
        self.letter(letter, &message.last);
        let whole = message.is_whole();
        match letter {
            Letter::ClientHello if self.both_finished() => {
                self.renegotiation.get_or_insert(message.first);
            }
            Letter::ClientHello if whole => self.client_hello = message::client_hello(&message.body, message.first),
            Letter::ServerHello if whole && self.server_hello.is_none() => {
                if let Some(hello) = message::server_hello(&message.body, message.first) {
                    let place = if hello.retry { &mut self.hello_retry } else { &mut self.server_hello };
                    *place = Some(hello);
                }
            }
            Letter::Certificate(_) if self.certificates.of(side).is_none() => self.certificates(side, message, limit),
            Letter::ServerKeyExchange if whole && self.server_key_exchange.is_none() => {
                let chosen = self.server_hello.as_ref().and_then(|hello| Some((hello.cipher_suite?, hello.version)));
                self.server_key_exchange = chosen
                    .and_then(|(suite, version)| server_key_exchange(&message.body, suite, version, message.first));
            }
            Letter::CertificateRequest if whole && self.certificate_request.is_none() => {
                let version = self.version().unwrap_or(Version::TLS_1_0);
                self.certificate_request = message::certificate_request(&message.body, version, message.first);
            }
            Letter::ServerHelloDone => {
                self.server_hello_done.get_or_insert(message.last);
            }
            Letter::ClientKeyExchange => {
                self.client_key_exchange.get_or_insert(message.last);
            }
            Letter::Finished(_) => {
                self.finished.of_mut(side).get_or_insert(message.last);
            }
            _ => {}
        }
    }

    /// Memory of its lists of certificates and names.
    pub(super) fn listed_bytes(&self) -> usize {
        let lists = [&self.certificates.client, &self.certificates.server].into_iter().flatten();
        let names = self.certificate_request.iter().flat_map(|request| &request.authorities);
        let entries = lists.flat_map(|list| &list.certificates).chain(names);
        entries.map(|entry| size_of::<Vec<u8>>() + entry.len()).sum()
    }

    /// EncryptedExtensions: of them the types of certificates (RFC 7250 section 4) and the application protocol count.
    fn encrypted_extensions(&mut self, message: &Message<'_>) {
        if message.is_whole()
            && let Some(hello) = &mut self.server_hello
        {
            hello.raw_public_keys = message::raw_public_keys(&message.body);
            hello.alpn = message::chosen_protocol(&message.body);
        }
    }

    fn certificates(&mut self, side: Side, message: &Message<'_>, limit: usize) {
        let raw_public_key = self.server_hello.as_ref().is_some_and(|hello| *hello.raw_public_keys.of(side));
        let inflated = (message.kind == 25 && message.is_whole()).then(|| message::decompressed(&message.body, limit));
        let (body, holes) = match &inflated {
            Some(Some(body)) => (body.as_slice(), &[][..]),
            Some(None) => (&[][..], &[][..]),
            None if message.kind == 25 => (&[][..], &message.holes[..]),
            None => (&*message.body, &message.holes[..]),
        };
        let entries = match raw_public_key {
            true => message::Entries { complete: holes.is_empty(), ..message::Entries::default() },
            false => message::certificate_list(body, holes, self.is_1_3()),
        };
        let missing = message.holes.iter().map(|hole| u64::try_from(hole.len()).unwrap_or(u64::MAX)).sum();
        if side == Side::Server {
            for (position, status) in &entries.statuses {
                let certificate = entries.certificates.get(*position).map(Vec::as_slice);
                let answers = ocsp::of_certificate_status(status)
                    .map(|response| ocsp::answers(response, *position, certificate, message.first));
                self.stapled.extend(answers.into_iter().flatten());
            }
            self.stapled.truncate(ocsp::MAX_ANSWERS);
        }
        let list = CertificateList {
            certificates: entries.certificates,
            own: entries.own,
            complete: entries.complete,
            empty_entries: entries.empty,
            bytes: u64::try_from(message.length).unwrap_or(u64::MAX),
            raw_public_key,
            missing,
            first: message.first,
            last: message.last,
        };
        *self.certificates.of_mut(side) = Some(list);
    }

    /// Takes a CertificateStatus of TLS 1.2, which is about the leaf.
    fn certificate_status(&mut self, message: &Message<'_>) {
        let leaf = self.certificates.server.as_ref().and_then(|list| list.certificates.first());
        if let Some(response) = ocsp::of_certificate_status(&message.body).filter(|_| message.is_whole())
            && self.stapled.is_empty()
        {
            self.stapled = ocsp::answers(response, 0, leaf.map(Vec::as_slice), message.first);
        }
    }

    /// Takes a readable alert (D-PROTOCOL-10).
    pub(super) fn alert(&mut self, side: Side, content: &[u8], at: FrameRef) {
        self.letter(Letter::Alert(side), &at);
        if let [level, code] = *content
            && self.alerts.len() < MAX_ALERTS
        {
            let code = AlertCode(code);
            let fatal = level == FATAL || (self.is_1_3() && !code.is_closure());
            self.alerts.push(Alert { from: side, fatal, code, at });
        }
    }

    /// Notes an alert by which a side may end the connection for a reason that cannot be read.
    pub(super) fn may_end(&mut self, side: Side, at: FrameRef) {
        self.encrypted_alert.of_mut(side).get_or_insert(at);
    }

    /// Takes an alert that stays encrypted.
    pub(super) fn encrypted_alert(&mut self, side: Side, at: FrameRef) {
        self.may_end(side, at);
        self.letter(Letter::Alert(side), &at);
    }

    /// Takes a handshake record that stays encrypted, before TLS 1.3.
    pub(super) fn encrypted_handshake(&mut self, side: Side, at: FrameRef) {
        let before = self.finished.of_mut(side);
        if before.is_none() {
            *before = Some(at);
            self.letter(Letter::Finished(side), &at);
        } else if self.both_finished() && (self.data.client.records > 0 || self.data.server.records > 0) {
            // After application data, a handshake record starts a renegotiation.
            if self.renegotiation.is_none() {
                self.letter(Letter::Finished(side), &at);
            }
            self.renegotiation.get_or_insert(at);
        }
    }

    /// Takes a record of TLS 1.3 that stays encrypted, or an application data record of an earlier version.
    pub(super) fn encrypted_record(&mut self, side: Side, length: usize, at: FrameRef) {
        let is_1_3 = self.is_1_3();
        let early = side == Side::Client && self.client_hello.as_ref().is_some_and(|hello| hello.offers_early_data);
        if early && self.server_hello.is_none() {
            return;
        }
        if is_1_3 && side == Side::Client && self.finished.client.is_none() {
            let shortest = self.shortest();
            if !early && length == shortest.empty_certificate && self.unread.client == 0 && self.may_have_asked() {
                self.unread.client += 1;
                return self.letter(Letter::Certificate(side), &at);
            }
            // What is shorter than a Finished is an alert: the client refuses for a hidden reason (D-PROTOCOL-11). Early
            // data may have any length, but hardly has that of an alert.
            let is_alert = if early { length == ALERT_RECORD } else { length < shortest.finished };
            if is_alert {
                self.unread.client = 0;
                return self.encrypted_alert(side, at);
            }
        }
        if is_1_3 {
            *self.unread.of_mut(side) += 1;
        }
        if is_1_3 && self.finished.of(side).is_none() {
            *self.finished.of_mut(side) = Some(at);
            self.letter(Letter::Finished(side), &at);
            return;
        }
        // The rest of the server's flight, tickets and alerts look like application data. Only records after the
        // client's Finished can be data, and only if they are longer than an alert. With early data it is unknown which
        // record is the client's Finished.
        if is_1_3 && (early || self.finished.client.is_none() || length <= ALERT_RECORD) {
            return;
        }
        self.data(side, at);
    }

    /// The shortest protected records that the client's messages fit in.
    fn shortest(&self) -> Shortest {
        let suite = self.server_hello.as_ref().and_then(|hello| Suite::of(hello.cipher_suite?));
        // Every other suite of TLS 1.3 has a hash and a tag at least as long.
        let (hash, overhead) = suite.map_or((32, 17), |suite| (suite.hash.length(), suite.overhead_of_1_3()));
        Shortest { finished: 4 + hash + overhead, empty_certificate: 8 + overhead }
    }

    /// Whether the server may have asked for a client certificate in a part of its flight that stays encrypted. A server
    /// that resumes a session does not (RFC 8446 section 4.3.2).
    fn may_have_asked(&self) -> bool {
        !self.resumed() && (self.certificate_request.is_some() || !self.decrypted.server)
    }

    /// Takes a record of application data.
    pub(super) fn data(&mut self, side: Side, at: FrameRef) {
        let data = self.data.of_mut(side);
        data.records += 1;
        data.last = Some(at);
        if data.first.is_none() {
            data.first = Some(at);
            self.letter(Letter::Data(side), &at);
        }
    }

    /// Takes a heartbeat (RFC 6520).
    pub(super) fn heartbeat(&mut self, side: Side, at: FrameRef) {
        self.letter(Letter::Heartbeat(side), &at);
    }

    /// Takes a ChangeCipherSpec.
    pub(super) fn change_of_keys(&mut self, side: Side, at: FrameRef) {
        let known = self.change_cipher_spec.of_mut(side);
        let again = known.is_some();
        known.get_or_insert(at);
        if again && self.both_finished() && !self.is_1_3() {
            self.renegotiation.get_or_insert(at);
        }
        self.letter(Letter::ChangeCipherSpec(side), &at);
    }

    /// Takes missing bytes.
    pub(super) fn hole(&mut self, hole: Hole) {
        self.letter(Letter::Uncertain, &hole.at);
        if self.holes.len() < MAX_ALERTS {
            self.holes.push(hole);
        }
    }

    /// Takes the server's first bytes if they are not a record.
    pub(super) fn foreign(&mut self, bytes: &[u8], at: FrameRef) {
        self.letter(Letter::Uncertain, &at);
        let line = bytes.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
        let line = line.get(..MAX_LINE).unwrap_or(line);
        let is_text = line.len() >= 4 && line.iter().all(|byte| matches!(byte, b' '..=b'~'));
        let text = if is_text { String::from_utf8_lossy(line).into_owned() } else { String::new() };
        self.foreign = Some(Foreign { at, text });
    }

    /// Takes a record of SSL 2.0 (draft-hickman-netscape-ssl-00 section 2): messages are in clear up to the client's
    /// master key.
    pub(super) fn sslv2(&mut self, side: Side, record: &[u8], at: FrameRef) {
        let version_2 = self.version() == Some(Version::SSL_2_0);
        match (side, record.first()) {
            (Side::Client, Some(1)) if self.client_hello.is_none() => {
                self.letter(Letter::ClientHello, &at);
                self.client_hello = message::sslv2_hello(record, at);
            }
            (Side::Server, Some(4)) if self.server_hello.is_none() => {
                let Some((hello, certificate)) = message::sslv2_server_hello(record, at) else { return };
                self.letter(Letter::ServerHello, &at);
                self.letter(Letter::Certificate(side), &at);
                let certificates = vec![certificate];
                let list = CertificateList { certificates, own: true, complete: true, ..CertificateList::none(at) };
                self.server_hello = Some(hello);
                self.certificates.server = Some(list);
                self.server_hello_done = Some(at);
            }
            (Side::Client, Some(2)) if version_2 && self.client_key_exchange.is_none() => {
                self.letter(Letter::ClientKeyExchange, &at);
                self.client_key_exchange = Some(at);
            }
            _ if version_2 && self.client_key_exchange.is_some() => self.encrypted_sslv2(side, at),
            _ => {}
        }
    }

    /// After the master key come the server's Verify, each side's Finished, and data. A client certificate, which the
    /// server may request in between, cannot be told from data.
    fn encrypted_sslv2(&mut self, side: Side, at: FrameRef) {
        if side == Side::Server && self.change_cipher_spec.server.is_none() {
            self.change_of_keys(side, at);
        } else if self.finished.of(side).is_none() {
            *self.finished.of_mut(side) = Some(at);
            self.letter(Letter::Finished(side), &at);
        } else {
            self.data(side, at);
        }
    }

    fn letter(&mut self, letter: Letter, at: &FrameRef) {
        let history = &mut self.history;
        let again = letter == Letter::Uncertain && history.iter().any(|(known, _)| *known == letter);
        if history.len() < MAX_HISTORY && !again {
            history.push((letter, *at));
        }
        let flight = self.server_hello_done.or(self.certificates.server.as_ref().map(|list| list.last));
        if self.went_on.is_none() && letter.goes_on(self.is_1_3()) && flight.is_some_and(|it| it.is_before(at)) {
            self.went_on = Some(*at);
        }
    }
}
