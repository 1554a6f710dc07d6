//! In: what connections said, and connections that are over. Out: handshakes, fetches and refused connections of the
//! devices that made them. Bounded: as `Limits` says; handshakes beyond the cap are folded into those they resemble.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::certificates::{How, Sighting};
use super::device::{Device, Event, Fetch, FetchKind, Handshake, Parts, Refused};
use super::outcome::{Closing, Outcome, ending};
use super::{Agreed, Evidence, Recognition, SignIn, endpoint};
use crate::capture::FrameRef;
use crate::flow::{Flow, Side};
use crate::protocol::http::Exchange;
use crate::protocol::ldap::LdapSearch;
use crate::protocol::tls::{self, History, Letter};
use crate::protocol::{Conversation, Said};
use crate::x509::Certificate;

/// Handshakes of one device that resemble no other are kept up to this many times the cap; of those that did not complete,
/// which matter more, as many again.
const DISTINCT_FACTOR: usize = 4;
/// The same, once all devices together have as many handshakes as are kept one by one.
const MOST_DISTINCT: usize = 16;
/// Of so many times that number on, a device has one.
const MOST_FACTOR: usize = 4;
/// Versions and suites kept of what one server took: more than any server of its own takes of all its clients.
const MAX_TAKEN: usize = 64;
/// The port of a Kerberos key distribution centre (RFC 4120 section 7.2.1).
const KERBEROS: u16 = 88;
/// Refusals in clear kept of one device.
const MAX_HTTP_ERRORS: usize = 16;
/// Refused connections to different servers kept of one device: of those to the ports of a sign-in, and of the others.
const MAX_REFUSED: usize = 32;
/// The ports of a sign-in: web services, SIP, certificate downloads, the directory.
pub const SIGN_IN_PORTS: [u16; 8] = [443, 4443, 5061, 80, 8080, 389, 636, 3268];

/// Who talks to whom, and in which connection.
#[derive(Clone, Copy, Debug)]
pub struct Talk {
    /// Wireshark's `tcp.stream`.
    pub stream: u64,
    /// The client.
    pub client: SocketAddr,
    /// The server.
    pub server: SocketAddr,
}

/// A connection that is over.
#[derive(Debug)]
pub struct Connection<'a> {
    /// What TCP tells of it.
    pub flow: &'a Flow<Conversation>,
    /// Its client and server were guessed the wrong way round.
    pub swapped: bool,
    /// It went on encrypted in a way that hides certificates it may have carried.
    pub sealed: bool,
}

impl Device {
    pub(super) fn new(recording: u32, at: FrameRef, address: IpAddr) -> Self {
        Self {
            recording,
            capture: at.capture,
            address,
            addresses: Vec::new(),
            mac: None,
            frames: (at, at),
            recognition: Recognition::default(),
            sign_in: SignIn::default(),
            names: Default::default(),
            fetches: Vec::new(),
            handshakes: Vec::new(),
            handshakes_total: 0,
            refused: Vec::new(),
            unreadable: None,
            unkept: 0,
            services: Vec::new(),
            time_asked: None,
            time_answers: Vec::new(),
            kerberos: None,
            http_errors: Vec::new(),
            events: Vec::new(),
            shared_address: false,
            merged: false,
        }
    }

    /// Adds a line to the story; the same line again adds nothing.
    pub(super) fn tell(&mut self, mut event: Event, limit: usize) {
        shorten(&mut event.summary, MAX_LINE);
        let known = self.events.iter().any(|e| e.kind == event.kind && e.summary == event.summary);
        if !known && self.events.len() < limit {
            self.events.push(event);
        }
    }

    /// Something that may have brought certificates and is not known.
    pub(super) fn cannot_read(&mut self, at: FrameRef, what: &'static str) {
        if self.unreadable.is_none_or(|(known, _)| at.is_before(&known)) {
            self.unreadable = Some((at, what));
        }
    }

    /// Counts a handshake with one that it resembles, where there is one among those kept, from `cap` of them on.
    fn count_with_another(&mut self, parts: &Parts<'_>, first: FrameRef, last: FrameRef, cap: usize) -> bool {
        if self.handshakes.len() < cap {
            return false;
        }
        let Some(known) = self.handshakes.iter_mut().rev().find(|known| known.is_like(parts)) else { return false };
        known.repeats += 1;
        known.repeated_until = last;
        if known.repeated_from.is_before(&first) {
            known.repeated_from = first;
        }
        true
    }

    /// Keeps a download of certificates. Of more than `limit` those go first that brought none; one that did and has no
    /// room is not known, like one that cannot be read. Says whether one was left out.
    fn keep_fetch(&mut self, fetch: Fetch, limit: usize, room: bool) -> bool {
        let full = self.fetches.len() >= limit;
        let vain = if full { self.fetches.iter().rposition(|known| known.certificates.is_empty()) } else { None };
        match (room, full, vain) {
            (true, false, _) => self.fetches.push(fetch),
            (true, true, Some(vain)) if !fetch.certificates.is_empty() => {
                self.fetches.remove(vain);
                self.fetches.push(fetch);
            }
            _ if fetch.certificates.is_empty() => {}
            _ => self.cannot_read(fetch.request, "a download that there was no room to keep"),
        }
        full || !room
    }

    fn keep(&mut self, handshake: Handshake) {
        if self.handshakes.is_empty() {
            // Many devices have one handshake, and these are large.
            self.handshakes.reserve_exact(1);
        }
        self.handshakes.push(handshake);
    }

    fn refuse(&mut self, refused: Refused) {
        let same =
            |known: &&mut Refused| known.server == refused.server && known.reset.is_some() == refused.reset.is_some();
        if let Some(known) = self.refused.iter_mut().find(same) {
            known.repeats += 1;
            known.last = refused.last;
            return;
        }
        let of_sign_in = |refused: &Refused| SIGN_IN_PORTS.contains(&refused.server.port());
        let alike = self.refused.iter().filter(|known| of_sign_in(known) == of_sign_in(&refused)).count();
        if alike < MAX_REFUSED {
            self.refused.push(refused);
        }
    }
}

impl Evidence {
    /// Takes something that a connection said whole.
    pub fn said(&mut self, talk: Talk, said: Said) {
        match said {
            Said::Http(exchange) => self.http(talk, exchange),
            Said::Ldap(search) => self.ldap(talk, search),
        }
    }

    /// Takes a connection that is over.
    pub fn connection(&mut self, talk: Talk, connection: &Connection<'_>, handshake: Option<&mut tls::Handshake>) {
        let Connection { flow, swapped, sealed } = *connection;
        let closing = Closing::of(flow, swapped);
        let recording = self.recording(flow.first);
        if closing.is_two_sided() && !self.two_way.contains(&recording) {
            self.two_way.push(recording);
        }
        if flow.opening.syn_ack.is_some() || (closing.seen.server && closing.reset.server.is_none()) {
            let pair = (recording, talk.client.ip(), talk.server);
            if self.connected.len() < self.limits.flows || self.connected.contains_key(&pair) {
                self.connected.insert(pair, flow.last);
            } else {
                self.connected_dropped = true;
            }
        }
        if talk.server.port() == KERBEROS {
            self.kerberos(talk.client.ip(), talk.server, flow.first);
        }
        if sealed && let Some(device) = self.device(talk.client.ip(), flow.first) {
            device.cannot_read(flow.first, "LDAP that is sealed or encrypted");
        }
        match handshake {
            Some(tls) if tls.began() => {
                self.handshake(talk, flow, &closing, tls);
            }
            _ => self.refused(talk, flow),
        }
    }

    fn handshake(&mut self, talk: Talk, flow: &Flow<Conversation>, closing: &Closing<'_>, tls: &mut tls::Handshake) {
        self.handshakes += 1;
        if self.tls_servers.len() < self.limits.flows || self.tls_servers.contains_key(&talk.server) {
            let taken = self.tls_servers.entry(talk.server).or_default();
            let hello = tls.server_hello.as_ref().or(tls.hello_retry.as_ref());
            if let Some(hello) = hello.filter(|_| tls.tunnel_to.is_none() && taken.len() < MAX_TAKEN) {
                let (version, cipher_suite) = (hello.version, hello.cipher_suite);
                let besides = tls.client_hello.as_ref().and_then(|hello| hello.besides);
                taken.insert(Agreed { version, cipher_suite, besides });
            }
        }
        let mut list = |side: Side| -> Vec<Arc<Certificate>> {
            let Some(list) = tls.certificates.of_mut(side) else { return Vec::new() };
            let how = match side {
                Side::Client => How::SentByClient(talk.client),
                Side::Server => How::SentByServer(talk.server),
            };
            let at = list.last;
            // The bytes live on in the interned certificate; the message keeps only what is said about them.
            let certificates = std::mem::take(&mut list.certificates);
            certificates.iter().map(|der| self.certificates.see(der, Sighting { at, how: how.clone() })).collect()
        };
        let (sent, client_sent) = (list(Side::Server), list(Side::Client));
        let first = tls.history.iter().map(|(_, at)| at).min_by_key(|at| at.place()).copied().unwrap_or(flow.first);
        let ending = ending(tls, closing);
        let history = history(&mut tls.history, closing);
        // A conflict counts only where something was read in clear.
        let conflict = flow.conflict();
        let (cap, many) = (self.limits.handshakes_per_device, self.limits.handshakes);
        let (cap, distinct) = match self.kept {
            kept if kept < many => (cap, cap.saturating_mul(DISTINCT_FACTOR)),
            kept if kept < many.saturating_mul(MOST_FACTOR) => (1, MOST_DISTINCT),
            _ => (1, 1),
        };
        let failed = ending.outcome != Outcome::Completed;
        let Some(device) = self.device(talk.client.ip(), first) else { return };
        device.frames.1 = if device.frames.1.is_before(&flow.last) { flow.last } else { device.frames.1 };
        let parts = Parts {
            server: talk.server,
            sent: &sent,
            client_sent: &client_sent,
            tls,
            ending: &ending,
            history: &history,
        };
        device.handshakes_total += 1;
        if device.count_with_another(&parts, first, flow.last, cap) {
            return;
        }
        let most = if failed && distinct > 1 { distinct.saturating_mul(2) } else { distinct };
        let room = device.handshakes.len() < most && self.certificates.hold(sent.iter().chain(&client_sent));
        // The letters alone are kept of it.
        tls.history = Vec::new();
        let Some(device) = self.device(talk.client.ip(), first) else { return };
        if !room {
            device.unkept += u64::from(failed);
            self.handshakes_dropped += 1;
            return;
        }
        device.keep(Handshake {
            stream: talk.stream,
            client: talk.client,
            server: talk.server,
            sent,
            client_sent,
            ending,
            first,
            last: flow.last,
            two_sided: closing.is_two_sided(),
            opened: flow.opened,
            conflict,
            history,
            repeats: 0,
            repeated_from: first,
            repeated_until: flow.last,
            also_seen: Vec::new(),
            tls: std::mem::take(tls),
        });
        self.kept += 1;
    }

    fn refused(&mut self, talk: Talk, flow: &Flow<Conversation>) {
        let reset = flow.reset.server;
        if flow.opening.syn.is_none() || flow.opening.syn_ack.is_some() || (flow.seen.server && reset.is_none()) {
            return;
        }
        let refused = Refused {
            stream: talk.stream,
            server: talk.server,
            opening: flow.opening,
            reset,
            repeats: 0,
            last: flow.last,
        };
        if let Some(device) = self.device(talk.client.ip(), flow.first) {
            device.refuse(refused);
        }
    }

    fn http(&mut self, talk: Talk, exchange: Exchange) {
        let at = exchange.request;
        let url = url(&exchange, &exchange.target, talk.server);
        let path = exchange.target.to_ascii_lowercase();
        let certprov = path.contains("/certprov/");
        let kind = match () {
            () if certprov => FetchKind::Certprov,
            () if path.contains("/certsrv/") => FetchKind::Certsrv,
            () => FetchKind::Http,
        };
        let found = exchange.response.as_ref().map(|response| response.certificates.as_slice()).unwrap_or_default();
        let last = exchange.response.as_ref().map(|response| response.last);
        let certificates: Vec<_> = found
            .iter()
            .map(|found| {
                let sighting = Sighting { at: last.unwrap_or(at), how: How::Http(found.how) };
                (self.certificates.see(&found.der, sighting), kind)
            })
            .collect();
        let limit = self.limits.events_per_device;
        let room = self.certificates.hold(certificates.iter().map(|(certificate, _)| certificate));
        let Some(device) = self.device(talk.client.ip(), at) else { return };
        device.recognition.user_agent(exchange.user_agent.as_deref(), at);
        if certprov {
            device.recognition.lync(at, "a request to the certificate provisioning service");
        }
        if path.contains("/requesthandler/files/") || path.ends_with("/requesthandler/ucdevice.upx") {
            device.recognition.lync(at, "a request to the device update service");
        }
        if !exchange.expects_certificates && certificates.is_empty() {
            let status = exchange.response.as_ref().map_or("no answer".into(), |response| response.status.to_string());
            let summary = format!("{} {url}: {status}", exchange.method);
            let asked = format!("{} {url}: ", exchange.method);
            match &exchange.response {
                Some(response) if response.status >= 400 && device.http_errors.len() < MAX_HTTP_ERRORS => {
                    device.http_errors.push((response.first, summary.clone()));
                }
                // NTLM and Negotiate begin with a refusal (RFC 4559 section 4).
                Some(response) if response.status < 400 => {
                    device.http_errors.retain(|(_, refused)| !refused.starts_with(&asked));
                }
                _ => {}
            }
            device.tell(Event { at, kind: "http", server: Some(talk.server), summary }, limit);
            return;
        }
        let response = exchange.response.as_ref();
        let location = response.and_then(|response| response.location.as_deref());
        let redirect = location.map(|location| led_to(&exchange, location, talk.server));
        let problem = match response {
            None => Some("no answer".to_owned()),
            Some(response) => response.problem.clone(),
        };
        let fetch = Fetch {
            via: "http",
            stream: talk.stream,
            server: talk.server,
            method: exchange.method,
            url,
            status: response.map(|response| u32::from(response.status)),
            content_type: response.and_then(|response| response.content_type.clone()),
            certificates,
            complete: response.is_some_and(|response| response.complete),
            gap: response.is_some_and(|response| response.gap),
            redirect,
            problem,
            request: at,
            last,
        };
        self.fetches_dropped += u64::from(device.keep_fetch(fetch, limit, room));
    }

    fn ldap(&mut self, talk: Talk, mut search: LdapSearch) {
        shorten(&mut search.base, MAX_URL);
        let limit = self.limits.events_per_device;
        let mut certificates = Vec::new();
        for entry in &search.entries {
            let root = entry.dn.to_ascii_lowercase().contains("cn=certification authorities");
            let kind = if root { FetchKind::LdapRoot } else { FetchKind::LdapAia };
            for der in &entry.certificates {
                certificates.push((self.certificates.see(der, Sighting { at: entry.at, how: How::Ldap }), kind));
            }
        }
        let room = self.certificates.hold(certificates.iter().map(|(certificate, _)| certificate));
        let Some(device) = self.device(talk.client.ip(), search.request) else { return };
        if !search.asks_ca_certificates && certificates.is_empty() {
            let summary = format!("search below {:?} at {}", search.base, endpoint(talk.server));
            device.tell(Event { at: search.request, kind: "ldap", server: Some(talk.server), summary }, limit);
            return;
        }
        let nothing = certificates.is_empty() && search.problem.is_none();
        let fetch = Fetch {
            via: "ldap",
            stream: talk.stream,
            server: talk.server,
            method: "search".into(),
            url: search.base,
            status: search.result_code,
            content_type: None,
            certificates,
            complete: search.complete,
            gap: search.gap,
            redirect: None,
            problem: if nothing { Some("no certificate in the answer".into()) } else { search.problem },
            request: search.request,
            last: search.last,
        };
        self.fetches_dropped += u64::from(device.keep_fetch(fetch, limit, room));
    }
}

/// Bytes of a line of a device's story, and of where a download came from: a name of DNS fits the one, and most URLs the
/// other.
const MAX_LINE: usize = 320;
const MAX_URL: usize = 1024;

/// Cuts a line to what is kept of it.
fn shorten(line: &mut String, most: usize) {
    if line.len() > most {
        let end = (0..=most).rev().find(|at| line.is_char_boundary(*at)).unwrap_or_default();
        line.truncate(end);
        line.push('…');
        line.shrink_to_fit();
    }
}

/// Where a redirection leads: its Location may leave out the scheme, the host and the folder (RFC 9110 section 10.2.2).
fn led_to(exchange: &Exchange, location: &str, server: SocketAddr) -> String {
    let folder = || exchange.target.split(['?', '#']).next().and_then(|path| path.rsplit_once('/'));
    let target = match location {
        _ if location.starts_with("//") => format!("http:{location}"),
        _ if location.starts_with('/') || location.contains("://") => location.to_owned(),
        _ => format!("{}/{location}", folder().map_or("", |(folder, _)| folder)),
    };
    url(exchange, &target, server)
}

fn url(exchange: &Exchange, target: &str, server: SocketAddr) -> String {
    let mut url = address(exchange, target, server);
    shorten(&mut url, MAX_URL);
    url
}

/// Scheme, host and path: user info and query may hold secrets.
fn address(exchange: &Exchange, target: &str, server: SocketAddr) -> String {
    let path = target.split(['?', '#']).next().unwrap_or_default();
    if let Some((scheme, rest)) = path.split_once("://") {
        let (authority, tail) = rest.split_once('/').unwrap_or((rest, ""));
        let host = authority.rsplit('@').next().unwrap_or_default();
        return format!("{scheme}://{host}/{tail}");
    }
    // The target of CONNECT is an endpoint alone (RFC 9112 section 3.2.3).
    if exchange.method == "CONNECT" {
        return path.to_owned();
    }
    let host = exchange.host.clone().unwrap_or_else(|| endpoint(server));
    let host = host.rsplit('@').next().unwrap_or_default();
    format!("http://{host}{path}")
}

/// The history in the order of the capture, with how each side ended.
fn history(letters: &mut Vec<(Letter, FrameRef)>, closing: &Closing<'_>) -> History {
    for side in [Side::Client, Side::Server] {
        letters.extend(closing.fin.of(side).map(|at| (Letter::Fin(side), *at)));
        letters.extend(closing.reset.of(side).map(|at| (Letter::Rst(side), *at)));
    }
    letters.sort_by_key(|(_, at)| at.place());
    letters.iter().map(|(letter, _)| *letter).collect()
}
