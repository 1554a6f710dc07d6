//! In: both directions of one TCP connection. Out: the protocol spoken over it, recognized by its first bytes on any
//! port, and its messages. Bounded: `PROBE_BYTES` per direction until the protocol is known.

use super::http::{Exchange, Http, starts_like_http};
use super::ldap::{Ldap, LdapSearch, starts_like_ldap};
use super::openvpn::{OpenVpn, starts_like_openvpn};
use super::tls::{self, Handshake, KeyLog, Tls};
use super::upgrade::{Held, Upgrade};
use super::{Side, StreamEnd};
use crate::capture::{Cut, FrameRef};
use crate::flow::Piece;
use crate::limits::Limits;

/// Every protocol of interest can be recognized by this many bytes.
const PROBE_BYTES: usize = 4096;
/// And by this many pieces.
const MOST_PIECES: usize = 32;

/// A complete exchange, reported while the connection is still open.
#[derive(Debug)]
pub enum Said {
    /// An HTTP request with its answer.
    Http(Exchange),
    /// An LDAP search with its answer.
    Ldap(LdapSearch),
}

/// What conversations have yielded since the last call of [`drain`](Self::drain), and state shared between them.
#[derive(Debug, Default)]
pub struct Outputs {
    exchanges: Vec<Exchange>,
    searches: Vec<LdapSearch>,
    /// Bytes of incomplete messages and bodies in all conversations.
    under_way: usize,
    curtailed: Option<(u64, FrameRef)>,
    /// Finished handshake states kept for reuse, to save allocations: they are large, and connections are many.
    #[expect(clippy::vec_box, reason = "the boxes themselves go into conversations and come back")]
    spare: Vec<Box<Tls>>,
}

/// Most finished `Tls` states kept for reuse.
const SPARE: usize = 16;

impl Outputs {
    /// Takes everything yielded so far.
    pub fn drain(&mut self) -> impl Iterator<Item = Said> {
        self.exchanges.drain(..).map(Said::Http).chain(self.searches.drain(..).map(Said::Ldap))
    }

    /// The number of conversations whose messages were dropped because too many were incomplete at once, and the first
    /// frame dropped.
    pub fn curtailed(&self) -> Option<(u64, FrameRef)> {
        self.curtailed
    }

    /// Takes back a finished conversation, for reuse.
    pub fn take_back(&mut self, conversation: Conversation) {
        if let State::Tls(mut tls) = conversation.state
            && self.spare.len() < SPARE
        {
            tls.clear();
            self.spare.push(tls);
        }
    }

    /// A `Tls` state for a new connection.
    fn begin_tls(&mut self, limits: &Limits) -> Box<Tls> {
        let mut tls = self.spare.pop().unwrap_or_default();
        tls.set_limit(limits.handshake_message_bytes);
        tls
    }

    /// Whether nothing was yielded.
    pub fn is_empty(&self) -> bool {
        self.exchanges.is_empty() && self.searches.is_empty()
    }
}

/// What reading a conversation needs besides its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The limits on what is kept.
    pub limits: &'a Limits,
    /// TLS secrets.
    pub keys: &'a KeyLog,
}

/// What is spoken over one connection.
#[derive(Debug, Default)]
pub struct Conversation {
    state: State,
    /// The roles were guessed wrong: the connection's client is the server.
    swapped: bool,
    /// The traffic would show certificates if it were not encrypted: LDAP under SASL or TLS.
    sealed: bool,
    /// The start of the connection is not in the capture.
    mid_stream: bool,
    /// The endpoint of a tunnel that a proxy opened.
    tunnel_to: Option<String>,
    /// Its share of the bytes counted in [`Outputs`].
    counted: usize,
    /// Some of its messages were dropped because too many were incomplete.
    curtailed: bool,
}

#[derive(Debug)]
enum State {
    Probing(Vec<Probed>),
    Tls(Box<Tls>),
    Http(Box<Http>),
    Ldap(Box<Ldap>),
    OpenVpn(Box<OpenVpn>, Box<Tls>),
    /// A protocol that is not read here unless it switches to TLS.
    Other(Box<Upgrade>),
    Ignored,
}

impl Default for State {
    fn default() -> Self {
        Self::Probing(Vec::new())
    }
}

#[derive(Debug)]
struct Probed {
    side: Side,
    at: FrameRef,
    bytes: Vec<u8>,
    gap: Option<(u64, Option<Cut>)>,
}

impl Conversation {
    /// A new conversation; `opened` says whether the start of the connection was seen.
    pub fn begin(opened: bool) -> Self {
        Self { mid_stream: !opened, ..Self::default() }
    }

    /// Takes the next piece of one direction.
    pub fn push(&mut self, side: Side, piece: Piece<'_>, at: FrameRef, context: Context<'_>, out: &mut Outputs) {
        let limits = context.limits;
        let coming = match piece {
            Piece::Bytes(bytes) => bytes.len(),
            Piece::Gap { .. } => 0,
        };
        let crowded =
            out.under_way > limits.messages_bytes && self.counted + coming > limits.message_bytes_when_crowded;
        if crowded && !self.curtailed {
            self.curtailed = true;
            out.curtailed.get_or_insert((0, at)).0 += 1;
        }
        let piece = match (&mut self.state, piece) {
            (State::Http(_) | State::Ldap(_) | State::OpenVpn(..), Piece::Bytes(bytes)) if crowded => {
                Piece::Gap { missing: u64::try_from(bytes.len()).unwrap_or(u64::MAX), cut: None }
            }
            (State::Tls(tls) | State::OpenVpn(_, tls), piece) => {
                let most = if crowded { limits.message_bytes_when_crowded } else { limits.handshake_message_bytes };
                tls.set_limit(most);
                piece
            }
            (_, piece) => piece,
        };
        self.take(side, piece, at, context, out);
        let held = self.held();
        out.under_way = (out.under_way + held).saturating_sub(self.counted);
        self.counted = held;
    }

    /// Bytes held of incomplete messages and bodies.
    fn held(&self) -> usize {
        match &self.state {
            State::Tls(tls) => tls.held(),
            State::OpenVpn(vpn, tls) => vpn.held() + tls.held(),
            State::Http(http) => http.held(),
            State::Ldap(ldap) => ldap.held(),
            State::Probing(probed) => probed.iter().map(|part| size_of::<Probed>() + part.bytes.len()).sum(),
            State::Other(_) | State::Ignored => 0,
        }
    }

    fn take(&mut self, side: Side, piece: Piece<'_>, at: FrameRef, context: Context<'_>, out: &mut Outputs) {
        if let State::Probing(probed) = &mut self.state {
            // Most connections of interest start with a ClientHello, which can be read without waiting for the other
            // direction.
            if probed.is_empty()
                && side == Side::Client
                && matches!(piece, Piece::Bytes(bytes) if tls::starts_like_tls(bytes) == Some(true))
            {
                self.swapped |= self.mid_stream && matches!(piece, Piece::Bytes(bytes) if tls::starts_server(bytes));
                self.state = State::Tls(out.begin_tls(context.limits));
                return self.speak(side, piece, at, context, out);
            }
            probed.push(Probed::of(side, piece, at));
            if let Some(state) = self.recognize(context.limits) {
                let State::Probing(probed) = std::mem::replace(&mut self.state, state) else { return };
                for part in probed {
                    let piece = match part.gap {
                        None => Piece::Bytes(&part.bytes),
                        Some((missing, cut)) => Piece::Gap { missing, cut },
                    };
                    self.speak(part.side, piece, part.at, context, out);
                }
            }
            return;
        }
        self.speak(side, piece, at, context, out);
    }

    /// Notes the end of one side, and how it ended.
    pub fn end(&mut self, side: Side, how: StreamEnd, at: FrameRef, out: &mut Outputs) {
        let side = self.role(side);
        match &mut self.state {
            State::Http(http) => http.end(side, how, at, &mut out.exchanges),
            State::Ldap(ldap) => ldap.end(side, how, at, &mut out.searches),
            State::Probing(_) | State::Tls(_) | State::OpenVpn(..) | State::Other(_) | State::Ignored => {}
        }
    }

    /// Notes the end of the connection; unanswered requests are yielded.
    pub fn finish(&mut self, at: FrameRef, keys: &KeyLog, out: &mut Outputs) -> Option<&mut Handshake> {
        out.under_way = out.under_way.saturating_sub(self.counted);
        match &mut self.state {
            State::Tls(tls) | State::OpenVpn(_, tls) => {
                let handshake = tls.finish(keys);
                if self.mid_stream {
                    handshake.begins_mid_stream();
                }
                handshake.tunnel_to = self.tunnel_to.take();
                return Some(handshake);
            }
            State::Http(http) => http.finish(at, &mut out.exchanges),
            State::Ldap(ldap) => ldap.finish(at, &mut out.searches),
            State::Probing(_) | State::Other(_) | State::Ignored => {}
        }
        None
    }

    /// Whether the roles of client and server were guessed wrong.
    pub fn is_swapped(&self) -> bool {
        self.swapped
    }

    /// Whether it continued encrypted in a way that may hide certificates.
    pub fn is_sealed(&self) -> bool {
        self.sealed
    }

    /// Whether copies of bytes no longer need to be compared.
    pub fn is_settled(&self) -> bool {
        match &self.state {
            State::Tls(tls) | State::OpenVpn(_, tls) => tls.is_settled(),
            State::Ignored => true,
            State::Other(upgrade) => upgrade.is_late(),
            State::Probing(_) | State::Http(_) | State::Ldap(_) => false,
        }
    }

    /// Whether neither side is seen to have sent anything.
    pub fn is_silent(&self) -> bool {
        matches!(&self.state, State::Probing(probed) if probed.is_empty())
    }

    /// Whether something was said in clear in a protocol other than TLS.
    pub fn is_other(&self) -> bool {
        matches!(&self.state, State::Http(_) | State::Other(_)) && self.tunnel_to.is_none() && !self.mid_stream
    }

    fn role(&self, side: Side) -> Side {
        if self.swapped { side.other() } else { side }
    }

    fn speak(&mut self, side: Side, piece: Piece<'_>, at: FrameRef, context: Context<'_>, out: &mut Outputs) {
        let side = self.role(side);
        // The capture may lack the answer that opens a tunnel or agrees to TLS, but hold what follows (D-PROTOCOL-09).
        let may_go_over = match &self.state {
            State::Http(http) => http.is_between_requests(),
            State::Ldap(_) => true,
            _ => false,
        };
        if side == Side::Client
            && may_go_over
            && let Piece::Bytes(bytes) = piece
            && tls::starts_client(bytes)
            && tls::starts_with_hello(bytes) == Some(true)
        {
            match &mut self.state {
                State::Http(http) => http.finish(at, &mut out.exchanges),
                State::Ldap(ldap) => ldap.finish(at, &mut out.searches),
                _ => {}
            }
            return self.go_over_to_tls(side, vec![(at, bytes.to_vec())], context);
        }
        match (&mut self.state, piece) {
            (State::Tls(tls), piece) => tls.push(side, piece, at, context.keys),
            (State::Http(http), Piece::Bytes(bytes)) => {
                http.push(side, bytes, at, &mut out.exchanges);
                if http.tunnelled() {
                    self.tunnel_to = http.tunnel_to().map(str::to_owned);
                    self.state = State::default();
                }
            }
            (State::Http(http), Piece::Gap { missing, .. }) => http.gap(side, missing, at, &mut out.exchanges),
            (State::Ldap(ldap), Piece::Bytes(bytes)) => {
                ldap.push(side, bytes, at, &mut out.searches);
                if ldap.starts_tls() || ldap.sealed() {
                    self.sealed = true;
                    self.state = if ldap.starts_tls() { State::default() } else { State::Ignored };
                }
            }
            (State::Ldap(ldap), Piece::Gap { missing, .. }) => ldap.gap(side, missing, at, &mut out.searches),
            (State::OpenVpn(vpn, tls), piece) => {
                vpn.push(side, piece, at, |bytes, at| tls.push(side, Piece::Bytes(bytes), at, context.keys));
            }
            (State::Other(upgrade), piece) => {
                if let Some(held) = upgrade.push(side, piece, at) {
                    self.go_over_to_tls(side, held, context);
                }
            }
            (State::Probing(_) | State::Ignored, _) => {}
        }
    }

    /// Switches to TLS when one side sends a hello within the connection.
    fn go_over_to_tls(&mut self, side: Side, held: Held, context: Context<'_>) {
        let bytes: Vec<u8> = held.iter().flat_map(|(_, bytes)| bytes.iter().copied()).collect();
        // The sender of a ClientHello is the client, whatever the ports say.
        let client = tls::starts_client(&bytes);
        let wrong = client && side == Side::Server;
        self.swapped ^= wrong;
        let side = if wrong { Side::Client } else { side };
        let mut tls = Tls::new(context.limits.handshake_message_bytes);
        for (at, bytes) in &held {
            tls.push(side, Piece::Bytes(bytes), *at, context.keys);
        }
        self.state = State::Tls(Box::new(tls));
    }

    /// The protocol recognized by the first bytes of either direction; `None` while there are too few.
    fn recognize(&mut self, limits: &Limits) -> Option<State> {
        let State::Probing(probed) = &self.state else { return None };
        let start = |side| {
            let mine = probed.iter().filter(|part| part.side == side).skip_while(|part| part.gap.is_some());
            let parts = mine.take_while(|part| part.gap.is_none());
            parts.flat_map(|part| part.bytes.iter().copied()).take(64).collect::<Vec<u8>>()
        };
        let (client, server) = (start(Side::Client), start(Side::Server));
        let mut hopeless = true;
        for (bytes, side) in [(&client, Side::Client), (&server, Side::Server)] {
            let answers = [
                tls::starts_like_tls(bytes),
                starts_like_http(bytes),
                starts_like_ldap(bytes),
                starts_like_openvpn(bytes),
            ];
            // The side that sends requests is the client, whatever the ports say.
            let asks = tls::starts_client(bytes) || (answers[1] == Some(true) && !bytes.starts_with(b"HTTP/"));
            let answers_hello = self.mid_stream && tls::starts_server(bytes);
            if (asks && side == Side::Server && client.is_empty()) || (answers_hello && side == Side::Client) {
                self.swapped = true;
            }
            match answers {
                [Some(true), ..] => return Some(State::Tls(Box::new(Tls::new(limits.handshake_message_bytes)))),
                [_, Some(true), ..] => {
                    // If the start is missing, the first answer may belong to a request that was not captured.
                    let http = if self.mid_stream { Http::mid_stream() } else { Http::new() };
                    return Some(State::Http(Box::new(http)));
                }
                [_, _, Some(true), _] => return Some(State::Ldap(Box::new(Ldap::new()))),
                [.., Some(true)] => {
                    let tls = Box::new(Tls::new(limits.handshake_message_bytes));
                    return Some(State::OpenVpn(Box::default(), tls));
                }
                answers => hopeless &= answers.iter().all(Option::is_some),
            }
        }
        let held: usize = probed.iter().map(|part| part.bytes.len()).sum();
        let unknown = hopeless || held > PROBE_BYTES || probed.len() > MOST_PIECES;
        unknown.then(|| State::Other(Box::default()))
    }
}

impl Probed {
    fn of(side: Side, piece: Piece<'_>, at: FrameRef) -> Self {
        match piece {
            Piece::Bytes(bytes) => Self { side, at, bytes: bytes.to_vec(), gap: None },
            Piece::Gap { missing, cut } => Self { side, at, bytes: Vec::new(), gap: Some((missing, cut)) },
        }
    }
}
