//! In: HTTP exchanges and LDAP searches that completed. Out: fetches of certificates, refusals in clear and lines of
//! the story of the devices that asked. Bounded: `MAX_HTTP_ERRORS` refusals; the rest as `Limits` says.

use super::certificates::{How, Sighting};
use super::connections::Talk;
use super::event::{Event, Fact, HttpRequest};
use super::facts::Evidence;
use super::fetch::{Fetch, FetchKind, Via};
use super::parts::Asked;
use super::text::{MAX_LINE, MAX_URL, led_to, shorten, url};
use crate::capture::FrameRef;
use crate::protocol::Said;
use crate::protocol::http::{Exchange, certificates_in_parts};
use crate::protocol::ldap::LdapSearch;

/// Refused HTTP requests kept of one device.
const MAX_HTTP_ERRORS: usize = 16;

impl Evidence {
    /// Takes a complete exchange or search of a connection.
    pub fn said(&mut self, talk: Talk, said: Said) {
        match said {
            Said::Http(exchange) => self.http(talk, exchange),
            Said::Ldap(search) => self.ldap(talk, search),
        }
    }

    fn http(&mut self, talk: Talk, mut exchange: Exchange) {
        let at = exchange.request;
        let url = url(&exchange, &exchange.target, talk.server);
        let joined = self.join_parts(talk, &mut exchange, &url);
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
            let status = exchange.response.as_ref().map(|response| response.status);
            let mut request = HttpRequest { method: exchange.method, url, status };
            match &exchange.response {
                Some(response) if response.status >= 400 && device.http_errors.len() < MAX_HTTP_ERRORS => {
                    device.http_errors.push((response.first, request.clone()));
                }
                // NTLM and Negotiate begin with a refusal (RFC 4559 section 4).
                Some(response) if response.status < 400 => {
                    device.http_errors.retain(|(_, refused)| !refused.asks_as(&request));
                }
                _ => {}
            }
            shorten(&mut request.url, MAX_LINE);
            device.tell(Event { at, server: Some(talk.server), fact: Fact::Http(Box::new(request)) }, limit);
            return;
        }
        let response = exchange.response.as_ref();
        for part in device.fetches.iter_mut().filter(|known| known.url == url && joined.contains(&known.request)) {
            (part.joined, part.problem) = (true, None);
        }
        let location = response.and_then(|response| response.location.as_deref());
        let redirect = location.map(|location| led_to(&exchange, location, talk.server));
        let problem = match response {
            None => Some("no answer".to_owned()),
            Some(response) => response.problem.clone(),
        };
        let fetch = Fetch {
            via: Via::Http,
            stream: talk.stream,
            server: talk.server,
            method: exchange.method,
            url,
            status: response.map(|response| u32::from(response.status)),
            content_type: response.and_then(|response| response.content_type.clone()),
            certificates,
            complete: response.is_some_and(|response| response.complete),
            gap: response.is_some_and(|response| response.gap),
            joined: !joined.is_empty(),
            redirect,
            problem,
            request: at,
            last,
        };
        self.fetches_dropped += u64::from(device.keep_fetch(fetch, limit, room));
    }

    /// Adds a part of a body to those that the device had before. If they make up the whole body, the answer stands for it
    /// from here on, and the requests for the parts are returned.
    fn join_parts(&mut self, talk: Talk, exchange: &mut Exchange, url: &str) -> Vec<FrameRef> {
        let Some(response) = &mut exchange.response else { return Vec::new() };
        let Some(part) = response.part.take() else { return Vec::new() };
        let asked = Asked {
            recording: self.recording(exchange.request),
            client: talk.client.ip(),
            server: talk.server,
            url: url.to_owned(),
        };
        let Some(whole) = self.parts.add(&asked, *part, exchange.request, response.last) else { return Vec::new() };
        let kind = response.content_type.as_deref();
        (response.certificates, response.problem) = certificates_in_parts(&whole.bytes, &whole.codings, kind);
        (response.complete, response.last) = (true, whole.last);
        whole.requests
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
            shorten(&mut search.base, MAX_LINE);
            device.tell(Event { at: search.request, server: Some(talk.server), fact: Fact::Ldap(search.base) }, limit);
            return;
        }
        let nothing = certificates.is_empty() && search.problem.is_none();
        let fetch = Fetch {
            via: Via::Ldap,
            stream: talk.stream,
            server: talk.server,
            method: "search".into(),
            url: search.base,
            status: search.result_code,
            content_type: None,
            certificates,
            complete: search.complete,
            gap: search.gap,
            joined: false,
            redirect: None,
            problem: if nothing { Some("no certificate in the answer".into()) } else { search.problem },
            request: search.request,
            last: search.last,
        };
        self.fetches_dropped += u64::from(device.keep_fetch(fetch, limit, room));
    }
}
