//! In: [`Piece`]s of both directions of one connection, and a key log. Out: one [`Handshake`]. Bounded: as documented
//! in `tls`. Left to others: what is kept of it.
//!
//! Each direction has its own state: in clear, or protected with or without a known secret; in TLS 1.3 protected by
//! handshake keys and then by application keys. It is determined again whenever the keys change, so that a
//! renegotiation is read too.

use std::fmt;

use super::cipher::Opened;
use super::facts::ALERT_RECORD;
use super::handshake::{Handshake, Hole, Overlong};
use super::held::Held;
use super::keylog::KeyLog;
use super::message;
use super::names::{AlertCode, FATAL};
use super::protect::{Pending, Protection, Undecrypted};
use super::reassembly::{Message, Messages};
use super::record::{ContentType, Event, Records};
use super::session::Session;
use crate::capture::{Cut, FrameRef};
use crate::flow::{Both, Piece, Side};

/// Bytes of the lists in an ordinary handshake: a few certificate chains, or the names of all CAs of a system.
const ORDINARY: usize = 16 * 1024;

/// Bytes that a record in clear may hold (RFC 5246 section 6.2.1).
const MAX_PLAINTEXT: usize = 1 << 14;

/// The TLS state of one connection.
#[derive(Debug, Default)]
pub struct Tls {
    records: Both<Records>,
    state: State,
}

#[derive(Default)]
struct State {
    handshake: Handshake,
    sides: Both<Direction>,
    session: Session,
    /// Client records that cannot be read before the server's hello.
    held: Held,
    limit: usize,
    /// Bytes of the certificates and names listed in its messages.
    listed: usize,
}

/// One direction.
#[derive(Default)]
struct Direction {
    messages: Messages,
    /// Encrypted since its ChangeCipherSpec, before TLS 1.3.
    encrypted: bool,
    /// Boxed: most captures come without secrets.
    protection: Option<Box<Protection>>,
    /// Why there is no protection.
    why: Option<Undecrypted>,
    /// Application keys are in use, in TLS 1.3.
    application: bool,
    /// The protection of early data (RFC 8446 section 4.2.10). A client whose early data was rejected still refuses the
    /// server's certificate under it (D-PROTOCOL-15).
    early: Option<Box<Protection>>,
    /// The bytes received of an alert record in clear.
    alert: Vec<u8>,
    /// The incomplete protected record, if it is to be decrypted.
    pending: Option<Pending>,
    /// The current record contains a Finished of TLS 1.3, or a KeyUpdate.
    finished: bool,
    update: bool,
}

impl Tls {
    /// A new connection; `limit` is the longest handshake message kept, in bytes.
    pub fn new(limit: usize) -> Self {
        Self { records: Both::default(), state: State { limit, ..State::default() } }
    }

    /// Resets the state, but keeps the allocation of the history for another connection.
    pub fn clear(&mut self) {
        let mut history = std::mem::take(&mut self.state.handshake.history);
        history.clear();
        *self = Self::default();
        self.state.handshake.history = history;
    }

    /// Sets the longest handshake message kept, in bytes; the rest of a message that is already longer is skipped.
    pub fn set_limit(&mut self, limit: usize) {
        self.state.limit = limit;
    }

    /// Bytes held of incomplete messages, and of lists of certificates and names beyond those of an ordinary handshake.
    pub fn held(&self) -> usize {
        let State { sides, listed, .. } = &self.state;
        sides.client.messages.held() + sides.server.messages.held() + listed.saturating_sub(ORDINARY)
    }

    /// Takes the next piece of one direction.
    pub fn push(&mut self, side: Side, piece: Piece<'_>, at: FrameRef, keys: &KeyLog) {
        let Self { records, state } = self;
        records.of_mut(side).push(piece, &at, &mut |event, at| state.record(side, event, at, keys));
    }

    /// Whether the handshake is over in both directions, so that only record headers are still read.
    pub fn is_settled(&self) -> bool {
        let data = &self.state.handshake.data;
        data.client.records > 0 && data.server.records > 0
    }

    /// What was read; call after the last byte.
    pub fn finish(&mut self, keys: &KeyLog) -> &mut Handshake {
        self.state.release(keys);
        for side in [Side::Client, Side::Server] {
            if let Some(message) = self.state.sides.of_mut(side).messages.take_unfinished() {
                self.state.handshake.message(side, &message, self.state.limit);
            }
        }
        &mut self.state.handshake
    }
}

impl State {
    fn record(&mut self, side: Side, event: &Event<'_>, at: &FrameRef, keys: &KeyLog) {
        if side == Side::Client && self.must_wait(event, keys) {
            return self.held.push(event, at);
        }
        if side == Side::Client && !self.held.is_empty() {
            self.release(keys);
        }
        self.read(side, event, at, keys);
        if !self.held.is_empty() && self.handshake.server_hello.is_some() {
            self.release(keys);
        }
    }

    /// Whether an event of the client needs the server's hello, which may have been recorded late.
    fn must_wait(&self, event: &Event<'_>, keys: &KeyLog) -> bool {
        let handshake = &self.handshake;
        if keys.is_empty() || handshake.server_hello.is_some() || handshake.hello_retry.is_some() || self.held.is_full()
        {
            return false;
        }
        let early = handshake.client_hello.as_ref().is_none_or(|hello| hello.offers_early_data);
        let [changes, data] = [ContentType::CHANGE_CIPHER_SPEC, ContentType::APPLICATION_DATA];
        let begins = matches!(event, Event::Whole([kind, ..], _) | Event::Begin([kind, ..])
            if [changes, data].contains(&ContentType(*kind)));
        !self.held.is_empty() || (begins && !early)
    }

    fn release(&mut self, keys: &KeyLog) {
        std::mem::take(&mut self.held).replay(|event, at| self.read(Side::Client, event, at, keys));
    }

    fn read(&mut self, side: Side, event: &Event<'_>, at: &FrameRef, keys: &KeyLog) {
        match *event {
            Event::Whole(header, body) => self.whole(side, header, body, at, keys),
            Event::Begin(header) => self.begin(side, header, at),
            Event::Body(kind, piece) => self.body(side, kind, piece, at, keys),
            Event::End { kind, length } => self.end(side, kind, length, at, keys),
            Event::Sslv2(record) => self.handshake.sslv2(side, record, *at),
            Event::Foreign(bytes) if side == Side::Server => self.handshake.foreign(bytes, *at),
            Event::Foreign(_) => self.lost(side, 0, None, *at, keys),
            Event::Lost { missing, cut } => self.lost(side, missing, cut, *at, keys),
        }
    }

    /// Whether records of this kind are encrypted.
    fn is_protected(&self, side: Side, kind: ContentType) -> bool {
        // In TLS 1.3 every encrypted record looks like application data, and ChangeCipherSpec has no meaning (RFC 8446
        // appendix D.4).
        let encrypted = self.sides.of(side).encrypted;
        if self.handshake.is_1_3() { kind == ContentType::APPLICATION_DATA } else { encrypted }
    }

    fn whole(&mut self, side: Side, header: [u8; 5], body: &[u8], at: &FrameRef, keys: &KeyLog) {
        let [kind, ..] = header;
        let kind = ContentType(kind);
        self.begin(side, header, at);
        if !body.is_empty() {
            self.body(side, kind, Piece::Bytes(body), at, keys);
        }
        self.end(side, kind, body.len(), at, keys);
    }

    fn begin(&mut self, side: Side, header: [u8; 5], at: &FrameRef) {
        let [kind, .., high, low] = header;
        let kind = ContentType(kind);
        let protected = self.is_protected(side, kind);
        let direction = self.sides.of_mut(side);
        let length = usize::from(high) << 8 | usize::from(low);
        let wanted = |protection: &Protection| protection.wants(kind, length, direction.application);
        direction.pending = None;
        let early = direction.early.is_some() && direction.protection.is_none() && !direction.application;
        if protected && (early || direction.protection.as_deref().is_some_and(wanted)) {
            direction.pending = Some(Pending::new(header));
        } else if kind == ContentType::HANDSHAKE && !protected {
            direction.messages.record_begins();
        } else if kind == ContentType::ALERT && (length, direction.alert.len()) != (1, 1) {
            direction.alert.clear();
        }
        if !protected && length > MAX_PLAINTEXT {
            self.handshake.overlong.get_or_insert(Overlong { from: side, length, at: *at });
        }
    }

    fn body(&mut self, side: Side, kind: ContentType, piece: Piece<'_>, at: &FrameRef, keys: &KeyLog) {
        let protected = self.is_protected(side, kind);
        let direction = self.sides.of_mut(side);
        // Bytes that would be decrypted count as missing if they are not in the capture.
        let opens = direction.pending.is_some() && !direction.application && kind == ContentType::APPLICATION_DATA;
        let readable = !protected || opens;
        if let Some(pending) = &mut direction.pending {
            pending.push(piece, *at);
        } else if protected && let Some(protection) = &mut direction.protection {
            protection.pass(piece);
        }
        if let Piece::Gap { missing, cut } = piece
            && (kind != ContentType::APPLICATION_DATA || opens)
        {
            self.handshake.hole(Hole { side, at: *at, missing, cut, in_clear: readable });
        }
        match (kind, piece) {
            _ if protected => {}
            (ContentType::HANDSHAKE, piece) => self.handshake_bytes(side, piece, at, keys),
            (ContentType::ALERT, Piece::Bytes(bytes)) => {
                let alert = &mut self.sides.of_mut(side).alert;
                let room = 4_usize.saturating_sub(alert.len());
                alert.extend_from_slice(bytes.get(..room.min(bytes.len())).unwrap_or_default());
            }
            _ => {}
        }
    }

    fn handshake_bytes(&mut self, side: Side, mut piece: Piece<'_>, at: &FrameRef, keys: &KeyLog) {
        while let Some(message) = &self.sides.of_mut(side).messages.next(&mut piece, at, self.limit) {
            self.message(side, message, keys);
        }
    }

    fn end(&mut self, side: Side, kind: ContentType, length: usize, at: &FrameRef, keys: &KeyLog) {
        if self.is_protected(side, kind) {
            return self.end_of_protected(side, kind, length, at, keys);
        }
        match kind {
            ContentType::CHANGE_CIPHER_SPEC => self.change_of_keys(side, *at, keys),
            // The first half of an alert that is split over two records, as TLS before 1.3 allows (RFC 5246 section 6.2.1).
            ContentType::ALERT if length == 1 && self.sides.of(side).alert.len() == 1 => {}
            ContentType::ALERT if length == 1 => {
                let alert = std::mem::take(&mut self.sides.of_mut(side).alert);
                self.clear_alert(side, &alert, *at);
            }
            // One alert, or two in one record; a longer record is encrypted.
            ContentType::ALERT if matches!(length, 2 | 4) => {
                let alerts = std::mem::take(&mut self.sides.of_mut(side).alert);
                for alert in alerts.chunks(2) {
                    self.clear_alert(side, alert, *at);
                }
            }
            ContentType::ALERT => self.handshake.encrypted_alert(side, *at),
            ContentType::APPLICATION_DATA => self.handshake.encrypted_record(side, length, *at),
            ContentType::HEARTBEAT => self.handshake.heartbeat(side, *at),
            _ => {}
        }
    }

    fn clear_alert(&mut self, side: Side, alert: &[u8], at: FrameRef) {
        self.handshake.alert(side, alert, at);
        // A side that sends a closure alert before its Finished ends the handshake, whatever the other side does next.
        if matches!(*alert, [_, code] if AlertCode(code).is_closure()) && !self.handshake.both_finished() {
            self.handshake.may_end(side, at);
        }
    }

    fn end_of_protected(&mut self, side: Side, kind: ContentType, length: usize, at: &FrameRef, keys: &KeyLog) {
        let Some(pending) = self.sides.of_mut(side).pending.take() else {
            if let Some(protection) = &mut self.sides.of_mut(side).protection {
                protection.skip();
                if self.handshake.is_1_3() {
                    // Too long for anything but application data.
                    return self.handshake.data(side, *at);
                }
            }
            return self.unread(side, kind, length, *at, keys);
        };
        if let Some(opened) = self.open(side, &pending, keys) {
            return self.content(side, &opened, &pending, *at, keys);
        }
        let direction = self.sides.of(side);
        let in_handshake = self.handshake.is_1_3() && !direction.application;
        if in_handshake && pending.has_hole() && direction.protection.is_some() {
            // The content length of an unpadded record is known: all but the content type and the tag.
            let missing = u64::try_from(length.saturating_sub(17)).unwrap_or_default();
            self.handshake_bytes(side, Piece::Gap { missing, cut: None }, at, keys);
        } else if in_handshake
            && direction.protection.as_deref().map_or(direction.early.is_some(), |it| it.awaits_handshake())
        {
            // Early data, until a handshake record has been decrypted.
            match self.open_early(&pending) {
                Some(opened) if ContentType(opened.kind) == ContentType::ALERT => {
                    self.content(side, &opened, &pending, *at, keys);
                }
                Some(_) => {}
                None if length == ALERT_RECORD => self.handshake.encrypted_alert(side, *at),
                None => *self.handshake.unread.of_mut(side) += 1,
            }
        } else {
            self.unread(side, kind, length, *at, keys);
        }
    }

    /// Decrypts a protected record. A protection that proves wrong is dropped.
    fn open(&mut self, side: Side, pending: &Pending, keys: &KeyLog) -> Option<Opened> {
        let is_1_3 = self.handshake.is_1_3();
        let direction = self.sides.of_mut(side);
        let protection = direction.protection.as_mut()?;
        let early = protection.awaits_handshake();
        let why = match protection.open(pending) {
            Ok(opened) => {
                if opened.is_some() && is_1_3 && !direction.application {
                    *self.handshake.decrypted.of_mut(side) = true;
                    if early {
                        *self.handshake.unread.of_mut(side) = 0;
                    }
                }
                return opened;
            }
            Err(why) => why,
        };
        // The Finished that ends the use of handshake keys may be missing from the capture.
        if is_1_3
            && !direction.application
            && let Ok(mut next) = self.session.traffic(side, true, keys)
        {
            next.lose();
            if let Ok(Some(opened)) = next.open(pending) {
                (direction.protection, direction.application) = (Some(Box::new(next)), true);
                return Some(opened);
            }
        }
        (direction.protection, direction.why) = (None, Some(why));
        None
    }

    /// Decrypts a record of the client under the keys of early data.
    fn open_early(&mut self, pending: &Pending) -> Option<Opened> {
        self.sides.client.early.as_mut()?.open(pending).ok().flatten()
    }

    /// Takes the content of a decrypted record.
    fn content(&mut self, side: Side, opened: &Opened, pending: &Pending, at: FrameRef, keys: &KeyLog) {
        match ContentType(opened.kind) {
            ContentType::HANDSHAKE => {
                self.sides.of_mut(side).messages.record_begins();
                for (at, bytes) in pending.parts(opened) {
                    self.handshake_bytes(side, Piece::Bytes(bytes), &at, keys);
                }
                self.take_next_keys(side, keys);
            }
            ContentType::ALERT => {
                self.handshake.alert(side, &opened.plain, at);
                // Warnings other than close_notify and user_canceled do not end the connection.
                let ends = matches!(*opened.plain, [level, code] if level == FATAL || AlertCode(code).is_closure());
                if ends || self.handshake.is_1_3() {
                    self.handshake.may_end(side, at);
                }
            }
            ContentType::CHANGE_CIPHER_SPEC => self.change_of_keys(side, at, keys),
            ContentType::APPLICATION_DATA => self.handshake.data(side, at),
            ContentType::HEARTBEAT => self.handshake.heartbeat(side, at),
            _ => {}
        }
    }

    /// In TLS 1.3, changes keys after the record with Finished or KeyUpdate (RFC 8446 section 5.1).
    fn take_next_keys(&mut self, side: Side, keys: &KeyLog) {
        let direction = self.sides.of_mut(side);
        if std::mem::take(&mut direction.update)
            && let Some(protection) = &mut direction.protection
        {
            protection.update();
        }
        if std::mem::take(&mut direction.finished) && !direction.application {
            direction.application = true;
            let next = self.session.traffic(side, true, keys);
            self.protect(side, next);
        }
    }

    fn protect(&mut self, side: Side, next: Result<Protection, Undecrypted>) {
        let direction = self.sides.of_mut(side);
        direction.why = next.as_ref().err().copied();
        direction.protection = next.ok().map(Box::new);
    }

    /// Takes a record that stays encrypted.
    fn unread(&mut self, side: Side, kind: ContentType, length: usize, at: FrameRef, keys: &KeyLog) {
        // A record after a fatal alert, such as an answer to it or a ticket sent at the same time, changes nothing.
        let over = self.handshake.alerts.iter().any(|alert| alert.fatal);
        if let Some(why) = self.sides.of(side).why.filter(|_| !keys.is_empty() && !over) {
            self.handshake.undecrypted.get_or_insert((why, at));
        }
        match kind {
            ContentType::CHANGE_CIPHER_SPEC => self.change_of_keys(side, at, keys),
            ContentType::ALERT => self.handshake.encrypted_alert(side, at),
            ContentType::HANDSHAKE => self.handshake.encrypted_handshake(side, at),
            ContentType::APPLICATION_DATA => self.handshake.encrypted_record(side, length, at),
            ContentType::HEARTBEAT => self.handshake.heartbeat(side, at),
            _ => {}
        }
    }

    fn change_of_keys(&mut self, side: Side, at: FrameRef, keys: &KeyLog) {
        self.handshake.change_of_keys(side, at);
        // Before the server's hello only a client that sends early data says it: for middleboxes (RFC 8446 appendix D.4).
        let handshake = &self.handshake;
        let offers = handshake.client_hello.as_ref().is_some_and(|hello| hello.offers_early_data);
        let early = side == Side::Client && offers && handshake.version().is_none();
        if !handshake.is_1_3() && !early {
            self.sides.of_mut(side).encrypted = true;
            let next = self.session.key_block(side, keys);
            self.protect(side, next);
        }
    }

    fn message(&mut self, side: Side, message: &Message<'_>, keys: &KeyLog) {
        self.handshake.message(side, message, self.limit);
        if matches!(message.kind, 11 | 13 | 25) {
            self.listed = self.handshake.listed_bytes();
        }
        if keys.is_empty() || !message.is_whole() {
            return;
        }
        let (kind, body) = (message.kind, &*message.body);
        match (kind, side) {
            (1, Side::Client) => {
                if let Some(hello) = message::client_hello(body, message.first) {
                    self.session.client_hello(&hello);
                }
            }
            (2, Side::Server) => {
                if let Some(hello) = message::server_hello(body, message.first).filter(|hello| !hello.retry) {
                    self.session.server_hello(&hello);
                    if hello.version.is_1_3() {
                        self.protect_handshake(keys);
                    }
                }
            }
            (20, _) => self.sides.of_mut(side).finished = self.handshake.is_1_3(),
            (24, _) => self.sides.of_mut(side).update = self.handshake.is_1_3(),
            _ => {}
        }
        self.session.keep(kind, body, keys);
        if (kind, side) == (16, Side::Client) {
            self.session.client_key_exchange(body, keys);
        }
    }

    /// Starts the protection by handshake keys of TLS 1.3.
    fn protect_handshake(&mut self, keys: &KeyLog) {
        let early = self.handshake.client_hello.as_ref().is_some_and(|hello| hello.offers_early_data);
        for side in [Side::Client, Side::Server] {
            let mut next = self.session.traffic(side, false, keys);
            if let Ok(protection) = &mut next
                && early
                && side == Side::Client
            {
                protection.await_handshake();
            }
            self.protect(side, next);
        }
        if early && let Some(mut protection) = self.session.early_traffic(keys) {
            // Early data came before the server's hello, and was not counted.
            protection.lose();
            self.sides.client.early = Some(Box::new(protection));
        }
    }

    fn lost(&mut self, side: Side, missing: u64, cut: Option<Cut>, at: FrameRef, keys: &KeyLog) {
        if let Some(message) = self.sides.of_mut(side).messages.take_unfinished() {
            self.message(side, &message, keys);
        }
        let direction = self.sides.of_mut(side);
        direction.pending = None;
        if let Some(protection) = &mut direction.protection {
            protection.lose();
        }
        let in_clear = !direction.encrypted && self.handshake.data.of(side).records == 0;
        self.handshake.hole(Hole { side, at, missing, cut, in_clear });
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("handshake", &self.handshake).finish_non_exhaustive()
    }
}
