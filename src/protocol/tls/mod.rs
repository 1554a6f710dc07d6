//! TLS over TCP: what of a handshake can be read in clear, and how it went.
//!
//! In: [`Piece`]s of both directions. Out: one [`Handshake`] per connection. Bounded: one handshake message per
//! direction; after the handshake only record headers are read and the rest is counted. Left to others: decryption,
//! how TCP ended, what it means.

mod handshake;
mod message;
mod names;
mod record;

use crate::capture::{Cut, FrameRef};
use crate::flow::{Both, Piece, Side};

use handshake::{Message, Messages};
pub use message::{CertificateList, CertificateRequest, ClientHello, ServerHello};
pub use names::{AlertCode, Version, cipher_suite};
use record::{ContentType, Event, Records};

/// Alerts kept of one connection.
const MAX_ALERTS: usize = 16;
/// Letters kept of one connection's history.
const MAX_HISTORY: usize = 64;

/// What was read of a handshake.
#[derive(Clone, Debug, Default)]
pub struct Handshake {
    /// The last ClientHello: the one that counts after a HelloRetryRequest.
    pub client_hello: Option<ClientHello>,
    /// The HelloRetryRequest that came before the ServerHello.
    pub hello_retry: Option<ServerHello>,
    /// The ServerHello.
    pub server_hello: Option<ServerHello>,
    /// The Certificate message of each side.
    pub certificates: Both<Option<CertificateList>>,
    /// The server's CertificateRequest.
    pub certificate_request: Option<CertificateRequest>,
    /// Frame of ServerHelloDone.
    pub server_hello_done: Option<FrameRef>,
    /// Frame of ClientKeyExchange.
    pub client_key_exchange: Option<FrameRef>,
    /// Frame of each side's Finished, or in TLS 1.3 of its first encrypted record.
    pub finished: Both<Option<FrameRef>>,
    /// Frame of each side's ChangeCipherSpec.
    pub change_cipher_spec: Both<Option<FrameRef>>,
    /// Alerts in clear.
    pub alerts: Vec<Alert>,
    /// Frame of each side's first encrypted alert.
    pub encrypted_alert: Both<Option<FrameRef>>,
    /// Application data of each side.
    pub data: Both<Data>,
    /// The letters of the contract, each with its frame.
    pub history: Vec<(char, FrameRef)>,
    /// What is missing, where.
    pub holes: Vec<Hole>,
    /// Whether handshake records of each side that TLS 1.3 encrypts were read with a key log's secrets.
    pub decrypted: Both<bool>,
    /// TLS 1.3 records of each side that stayed encrypted and may hold a handshake message or an alert.
    pub unread: Both<u64>,
}

/// An alert in clear.
#[derive(Clone, Copy, Debug)]
pub struct Alert {
    /// Who sent it.
    pub from: Side,
    /// AlertLevel is fatal.
    pub fatal: bool,
    /// AlertDescription.
    pub code: AlertCode,
    /// Its frame.
    pub at: FrameRef,
}

/// Application data of one side.
#[derive(Clone, Copy, Debug, Default)]
pub struct Data {
    /// Records.
    pub records: u64,
    /// Frame of the first one.
    pub first: Option<FrameRef>,
    /// Frame of the last one.
    pub last: Option<FrameRef>,
}

/// Bytes of a handshake that the capture does not hold.
#[derive(Clone, Copy, Debug)]
pub struct Hole {
    /// Whose direction.
    pub side: Side,
    /// The frame that was cut, or the first one after what is missing.
    pub at: FrameRef,
    /// How many bytes.
    pub missing: u64,
    /// How much of the frame was kept, where the capture cut it.
    pub cut: Option<Cut>,
    /// Before the sending side was encrypted, so that something readable is missing.
    pub in_clear: bool,
}

impl Handshake {
    /// Whether TLS 1.3 was agreed on, which encrypts certificates.
    pub fn is_1_3(&self) -> bool {
        self.version().is_some_and(Version::is_1_3)
    }

    /// Whether encryption hides the server's Certificate message: TLS 1.3 without its secrets.
    pub fn hides_certificates(&self) -> bool {
        self.is_1_3() && !self.decrypted.server
    }

    /// Whether encryption hides how the client took it: what looks like its Finished or data may be its alert.
    pub fn hides_answer(&self) -> bool {
        self.is_1_3() && self.unread.client > 0
    }

    /// Whether the server took up an earlier session, so that it sent no certificate.
    pub fn resumed(&self) -> bool {
        let Some(hello) = &self.server_hello else { return false };
        if hello.version.is_1_3() {
            return hello.resumes_psk;
        }
        let sent_nothing = self.certificates.server.is_none() && self.server_hello_done.is_none();
        sent_nothing && self.change_cipher_spec.server.is_some() && self.holes.is_empty()
    }

    /// Whether a message of a handshake was seen in clear, though it may be cut.
    pub fn began(&self) -> bool {
        self.history.iter().any(|(letter, _)| "CsxkrnXKV".contains(*letter)) || !self.alerts.is_empty()
    }

    /// Whether nothing readable tells TLS 1.3, most of whose handshake looks like application data, from the versions
    /// before it.
    pub fn version_is_open(&self) -> bool {
        let earlier = self.server_hello_done.or(self.client_key_exchange).or(self.finished.client);
        self.version().is_none() && self.certificates.server.is_none() && earlier.is_none()
    }

    /// Whether bytes that the capture lacks may hold the Finished messages that were not seen.
    pub fn may_have_finished(&self) -> bool {
        let flight =
            self.history.iter().filter(|(letter, _)| "sxkrn".contains(*letter)).map(|(_, at)| at.place()).max();
        let hole = |side: Side, from: (u32, u64)| {
            let mut holes = self.holes.iter().filter(|hole| hole.side == side).map(|hole| hole.at.place());
            holes.find(|place| *place >= from)
        };
        let seen = self.client_key_exchange.or(self.finished.client).map(|at| at.place());
        // What the client lacks after the server's flight is its answer; what the server lacks after that, its Finished.
        let answer = seen.or_else(|| hole(Side::Client, flight?));
        answer.is_some_and(|answer| {
            let client = self.finished.client.is_some() || hole(Side::Client, answer).is_some();
            let server = self.finished.server.is_some() || hole(Side::Server, (answer.0, answer.1 + 1)).is_some();
            client && server
        })
    }

    /// The first fatal alert in clear.
    pub fn fatal_alert(&self) -> Option<&Alert> {
        self.alerts.iter().find(|alert| alert.fatal)
    }

    /// Whether both sides have shown that they have all they need.
    pub fn both_finished(&self) -> bool {
        self.finished.client.is_some() && self.finished.server.is_some()
    }

    /// The version agreed on.
    pub fn version(&self) -> Option<Version> {
        self.server_hello.as_ref().or(self.hello_retry.as_ref()).map(|hello| hello.version)
    }
}

/// The TLS state of one connection.
#[derive(Debug, Default)]
pub struct Tls {
    records: Both<Records>,
    state: State,
}

#[derive(Debug, Default)]
struct State {
    handshake: Handshake,
    messages: Both<Messages>,
    encrypted: Both<bool>,
    /// The alert bytes of a record under way.
    alert: Both<Vec<u8>>,
    limit: usize,
}

impl Tls {
    /// A connection of which nothing was read yet; `limit` is the longest handshake message kept, in bytes.
    pub fn new(limit: usize) -> Self {
        Self { records: Both::default(), state: State { limit, ..State::default() } }
    }

    /// Whether a direction that starts with these bytes speaks TLS; `None` when there are too few to tell.
    pub fn starts(bytes: &[u8]) -> Option<bool> {
        record::starts_like_tls(bytes)
    }

    /// Whether these bytes start a ClientHello, so that their sender is the client.
    pub fn starts_client(bytes: &[u8]) -> bool {
        matches!(bytes, [22, 3, _, _, _, 1, ..] | [0x80..=0xff, _, 1, ..])
    }

    /// Whether bytes within a connection start a hello of TLS; `None` when there are too few to tell.
    pub fn starts_with_hello(bytes: &[u8]) -> Option<bool> {
        record::starts_with_hello(bytes)
    }

    /// Takes the next piece of one direction.
    pub fn push(&mut self, side: Side, piece: Piece<'_>, at: FrameRef) {
        let Self { records, state } = self;
        records.of_mut(side).push(piece, at, &mut |event, at| state.record(side, event, at));
    }

    /// Whether the handshake is over in both directions, so that only record headers are still read.
    pub fn is_settled(&self) -> bool {
        let data = &self.state.handshake.data;
        data.client.records > 0 && data.server.records > 0
    }

    /// What was read, once no more bytes come.
    pub fn finish(mut self) -> Handshake {
        for side in [Side::Client, Side::Server] {
            if let Some(message) = self.state.messages.of_mut(side).take_unfinished() {
                self.state.message(side, message);
            }
        }
        self.state.handshake
    }
}

impl State {
    fn record(&mut self, side: Side, event: Event<'_>, at: FrameRef) {
        match event {
            Event::Begin([kind, ..]) => match ContentType(kind) {
                ContentType::HANDSHAKE => self.messages.of_mut(side).record_begins(),
                ContentType::ALERT => self.alert.of_mut(side).clear(),
                _ => {}
            },
            Event::Body(kind, piece) => self.body(side, kind, piece, at),
            Event::End { kind, length } => self.end_of_record(side, kind, length, at),
            Event::Sslv2(record) => self.sslv2(side, record, at),
            Event::Lost { missing, cut } => self.lost(side, missing, cut, at),
        }
    }

    fn body(&mut self, side: Side, kind: ContentType, piece: Piece<'_>, at: FrameRef) {
        let encrypted = *self.encrypted.of(side);
        if kind == ContentType::APPLICATION_DATA {
            return;
        }
        if let Piece::Gap { missing, cut } = piece {
            self.hole(Hole { side, at, missing, cut, in_clear: !encrypted });
        }
        match (kind, piece) {
            _ if encrypted => {}
            (ContentType::HANDSHAKE, piece) => {
                let mut whole = Vec::new();
                self.messages.of_mut(side).push(piece, at, self.limit, &mut |message| whole.push(message));
                for message in whole {
                    self.message(side, message);
                }
            }
            (ContentType::ALERT, Piece::Bytes(bytes)) => {
                let alert = self.alert.of_mut(side);
                let room = 2_usize.saturating_sub(alert.len());
                alert.extend_from_slice(bytes.get(..room.min(bytes.len())).unwrap_or_default());
            }
            _ => {}
        }
    }

    fn end_of_record(&mut self, side: Side, kind: ContentType, length: usize, at: FrameRef) {
        let encrypted = *self.encrypted.of(side);
        match kind {
            ContentType::CHANGE_CIPHER_SPEC => {
                self.handshake.change_cipher_spec.of_mut(side).get_or_insert(at);
                self.letter(pick(side, 'I', 'i'), at);
                // In TLS 1.3 it means nothing (RFC 8446 appendix D.4).
                if !self.handshake.is_1_3() {
                    *self.encrypted.of_mut(side) = true;
                }
            }
            ContentType::ALERT if !encrypted && length == 2 => self.alert_in_clear(side, at),
            ContentType::ALERT => {
                self.handshake.encrypted_alert.of_mut(side).get_or_insert(at);
                self.letter(pick(side, 'L', 'l'), at);
            }
            ContentType::HANDSHAKE if encrypted => {
                let first = self.handshake.finished.of(side).is_none();
                self.handshake.finished.of_mut(side).get_or_insert(at);
                if first {
                    self.letter(pick(side, 'F', 'f'), at);
                }
            }
            ContentType::APPLICATION_DATA => self.encrypted_record(side, length, at),
            _ => {}
        }
    }

    fn encrypted_record(&mut self, side: Side, length: usize, at: FrameRef) {
        let is_1_3 = self.handshake.is_1_3();
        if is_1_3 {
            *self.handshake.unread.of_mut(side) += 1;
        }
        if is_1_3 && self.handshake.finished.of(side).is_none() {
            self.handshake.finished.of_mut(side).get_or_insert(at);
            self.letter(pick(side, 'F', 'f'), at);
            return;
        }
        // The rest of the server's flight comes in records like those of data, as do tickets and alerts. Only what
        // follows the client's own Finished can be data, and a record of 19 bytes is as long as an alert.
        if is_1_3 && (self.handshake.finished.client.is_none() || length <= 19) {
            return;
        }
        self.data(side, at);
    }

    fn data(&mut self, side: Side, at: FrameRef) {
        let data = self.handshake.data.of_mut(side);
        data.records += 1;
        data.last = Some(at);
        if data.first.is_none() {
            data.first = Some(at);
            self.letter(pick(side, 'D', 'd'), at);
        }
    }

    /// A record of SSL 2.0 (draft-hickman-netscape-ssl-00 section 2): messages in clear up to the client's master key.
    fn sslv2(&mut self, side: Side, record: &[u8], at: FrameRef) {
        let version_2 = self.handshake.version() == Some(Version::SSL_2_0);
        match (side, record.first()) {
            (Side::Client, Some(1)) if self.handshake.client_hello.is_none() => {
                self.letter('C', at);
                self.handshake.client_hello = message::sslv2_hello(record, at);
            }
            (Side::Server, Some(4)) if self.handshake.server_hello.is_none() => {
                let Some((hello, certificate)) = message::sslv2_server_hello(record, at) else { return };
                self.letter('s', at);
                self.letter('x', at);
                let certificates = vec![certificate];
                let list = CertificateList { certificates, complete: true, missing: 0, first: at, last: at };
                self.handshake.server_hello = Some(hello);
                self.handshake.certificates.server = Some(list);
                self.handshake.server_hello_done = Some(at);
            }
            (Side::Client, Some(2)) if version_2 && self.handshake.client_key_exchange.is_none() => {
                self.letter('K', at);
                self.handshake.client_key_exchange = Some(at);
                self.encrypted = Both { client: true, server: true };
            }
            _ if self.encrypted.client => self.encrypted_sslv2(side, at),
            _ => {}
        }
    }

    /// After the master key: the server's Verify, each side's Finished, data. A client certificate, for which the server
    /// would ask between the two, cannot be told from data.
    fn encrypted_sslv2(&mut self, side: Side, at: FrameRef) {
        let verified = self.handshake.change_cipher_spec.of_mut(side);
        if side == Side::Server && verified.is_none() {
            *verified = Some(at);
            self.letter('i', at);
        } else if self.handshake.finished.of(side).is_none() {
            *self.handshake.finished.of_mut(side) = Some(at);
            self.letter(pick(side, 'F', 'f'), at);
        } else {
            self.data(side, at);
        }
    }

    fn alert_in_clear(&mut self, side: Side, at: FrameRef) {
        self.letter(pick(side, 'L', 'l'), at);
        if let [level, code] = *self.alert.of(side).as_slice()
            && self.handshake.alerts.len() < MAX_ALERTS
        {
            self.handshake.alerts.push(Alert { from: side, fatal: level == 2, code: AlertCode(code), at });
        }
    }

    fn message(&mut self, side: Side, message: Message) {
        let letter = match (message.kind, side) {
            (1, Side::Client) => 'C',
            (2, Side::Server) => 's',
            (4, Side::Server) => 't',
            (11, _) => pick(side, 'X', 'x'),
            (12, Side::Server) => 'k',
            (13, Side::Server) => 'r',
            (14, Side::Server) => 'n',
            (15, _) => pick(side, 'V', 'v'),
            (16, Side::Client) => 'K',
            (20, _) => pick(side, 'F', 'f'),
            _ => return,
        };
        self.letter(letter, message.last);
        let (first, last) = (message.first, message.last);
        let handshake = &mut self.handshake;
        match letter {
            'C' if message.is_whole() => handshake.client_hello = message::client_hello(&message.body, first),
            's' if message.is_whole() => {
                if let Some(hello) = message::server_hello(&message.body, first) {
                    let place = if hello.retry { &mut handshake.hello_retry } else { &mut handshake.server_hello };
                    *place = Some(hello);
                }
            }
            'x' | 'X' => {
                let (certificates, own, complete) = message::certificate_list(&message.body, &message.holes);
                let missing = message.holes.iter().map(|hole| u64::try_from(hole.len()).unwrap_or(u64::MAX)).sum();
                let list = CertificateList { certificates, own, complete, missing, first, last };
                handshake.certificates.of_mut(side).get_or_insert(list);
            }
            'r' if message.is_whole() => {
                let version = handshake.version().unwrap_or(Version::TLS_1_0);
                handshake.certificate_request = message::certificate_request(&message.body, version, first);
            }
            'n' => handshake.server_hello_done = Some(last),
            'K' => handshake.client_key_exchange = Some(last),
            'F' | 'f' => {
                handshake.finished.of_mut(side).get_or_insert(last);
            }
            _ => {}
        }
    }

    fn lost(&mut self, side: Side, missing: u64, cut: Option<Cut>, at: FrameRef) {
        if let Some(message) = self.messages.of_mut(side).take_unfinished() {
            self.message(side, message);
        }
        let in_clear = !*self.encrypted.of(side) && self.handshake.data.of(side).records == 0;
        self.hole(Hole { side, at, missing, cut, in_clear });
    }

    fn hole(&mut self, hole: Hole) {
        self.letter('?', hole.at);
        if self.handshake.holes.len() < MAX_ALERTS {
            self.handshake.holes.push(hole);
        }
    }

    fn letter(&mut self, letter: char, at: FrameRef) {
        let history = &mut self.handshake.history;
        let repeated = letter == '?' && history.iter().any(|(known, _)| *known == '?');
        if history.len() < MAX_HISTORY && !repeated {
            history.push((letter, at));
        }
    }
}

fn pick(side: Side, client: char, server: char) -> char {
    match side {
        Side::Client => client,
        Side::Server => server,
    }
}
