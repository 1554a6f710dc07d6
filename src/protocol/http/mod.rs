//! HTTP/1.0 and 1.1 over one connection: requests paired with their answers, and the certificates in the answers
//! (RFC 9110, RFC 9112).
//!
//! In: the bytes of both directions in order, in pieces of any size, with the gaps of the capture. Out: [`Exchange`]s
//! in the order of their answers. Bounded: one head of 64 KiB per direction, one body of 1 MiB, 256 requests without an
//! answer and 16 answers without a request; other bodies are skipped by length. Left to others: what a fetched
//! certificate means, and the protocol after `CONNECT` or `Upgrade`.

mod head;
mod kept;
mod message;
mod part;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use self::head::{Framing, Head, RequestHead, ResponseHead};
use self::kept::{Contents, KeptBody};
use self::message::{BodyAfterGap, MessageReader, Step};
use self::part::{ContentRange, FileHead};
use super::body::FoundCertificate;
use crate::capture::FrameRef;
use crate::flow::{Side, StreamEnd};

pub use self::head::starts_like_http;
pub use self::part::{FileVersion, Part, certificates_in_parts};

/// Most requests without an answer; clients have fewer.
const MAX_PENDING: usize = 256;
/// Most answers kept until their request arrives.
const MAX_WAITING: usize = 16;

/// A request and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// The method as sent; empty if the request is not in the capture.
    pub method: String,
    /// The request target as sent, either path and query or a full URL; empty if the request is not in the capture.
    pub target: String,
    /// The Host field, or else the authority of the target.
    pub host: Option<String>,
    /// The User-Agent field.
    pub user_agent: Option<String>,
    /// The SOAPAction field without its quotes.
    pub soap_action: Option<String>,
    /// Whether there is an Authorization, Proxy-Authorization or Cookie field.
    pub has_credentials: bool,
    /// The frame of the request's first byte, or of the answer's if there is no request.
    pub request: FrameRef,
    /// The frame of its last byte seen until the answer was complete.
    pub request_last: FrameRef,
    /// The answer; `None` if there was none.
    pub response: Option<Response>,
    /// Whether the path or the content type of the answer suggests certificates.
    pub expects_certificates: bool,
}

impl Exchange {
    /// Memory of a request without its answer.
    fn kept_bytes(&self) -> usize {
        let texts = [&self.host, &self.user_agent, &self.soap_action].into_iter().flatten();
        size_of::<Self>() + self.method.len() + self.target.len() + texts.map(String::len).sum::<usize>()
    }
}

/// The answer to a request. Interim answers (1xx except 101) are skipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status code; 0 if the status line is missing from the capture, so that it is unknown whether and how the
    /// request was answered.
    pub status: u16,
    /// The reason phrase.
    pub reason: String,
    /// The Content-Type field.
    pub content_type: Option<String>,
    /// The Server field.
    pub server: Option<String>,
    /// The Location field of a redirection (RFC 9110 section 15.4).
    pub location: Option<String>,
    /// The frame of its first byte.
    pub first: FrameRef,
    /// The frame of the last byte seen.
    pub last: FrameRef,
    /// Whether all of it is in the capture.
    pub complete: bool,
    /// Whether bytes of it were sent that are not in the capture.
    pub gap: bool,
    /// Bytes of the body that were seen, as sent but without chunk framing.
    pub body_bytes: u64,
    /// The complete certificates in the body.
    pub certificates: Vec<FoundCertificate>,
    /// The bytes of the body, where it is a part of one that may hold certificates.
    pub part: Option<Box<Part>>,
    /// What was wrong, in plain words: an unsuccessful status, a premature end, a body without the expected content.
    pub problem: Option<String>,
}

/// One TCP connection that carries HTTP.
///
/// The n-th answer belongs to the n-th request, whichever direction is pushed first. If that is not certain (the
/// connection began before the capture, or a part that may have held a request is missing), an answer belongs to the
/// oldest open request captured before it, if any.
#[derive(Debug)]
pub struct Http {
    requests: MessageReader,
    responses: MessageReader,
    /// Requests without an answer so far.
    pending: VecDeque<Exchange>,
    /// Memory of these requests.
    pending_bytes: usize,
    /// Answers whose request was not seen yet.
    waiting: VecDeque<Answer>,
    current: Option<Receiving>,
    /// Whether certainly no request was missed.
    in_step: bool,
    /// The frame from which on heads of answers may be missing, and why.
    unread: Option<(FrameRef, String)>,
    /// Whether the client reset the connection.
    reset: bool,
    tunnelled: bool,
    /// The endpoint named by CONNECT.
    tunnel_to: Option<String>,
}

/// An answer whose body is being received.
#[derive(Debug)]
struct Receiving {
    exchange: Option<Exchange>,
    response: Response,
    declared: Option<u64>,
    file: Box<FileHead>,
    body: KeptBody,
    problems: Vec<String>,
}

/// A complete answer, with what to report if it was expected to hold certificates.
#[derive(Debug)]
struct Answer {
    response: Response,
    problems: Vec<String>,
    unfulfilled: Option<String>,
    /// Memory of the answer.
    kept_bytes: usize,
}

impl Default for Http {
    fn default() -> Self {
        Self::new()
    }
}

impl Http {
    /// A connection seen from its beginning.
    pub fn new() -> Self {
        Self {
            requests: MessageReader::new(Side::Client),
            responses: MessageReader::new(Side::Server),
            pending: VecDeque::new(),
            pending_bytes: 0,
            waiting: VecDeque::new(),
            current: None,
            in_step: true,
            unread: None,
            reset: false,
            tunnelled: false,
            tunnel_to: None,
        }
    }

    /// Whether the client's next byte may start another protocol.
    pub(super) fn is_between_requests(&self) -> bool {
        self.requests.is_between_messages()
    }

    /// A connection that was open when the capture began: answers may belong to requests before that.
    pub fn mid_stream() -> Self {
        Self { in_step: false, ..Self::new() }
    }

    /// Whether the connection has switched to another protocol by CONNECT or Upgrade; nothing more is read then.
    pub fn tunnelled(&self) -> bool {
        self.tunnelled
    }

    /// The endpoint to which CONNECT opened a tunnel, host and port (RFC 9110 section 9.3.6).
    pub fn tunnel_to(&self) -> Option<&str> {
        self.tunnel_to.as_deref()
    }

    /// Bytes held of incomplete heads and bodies, and of requests and answers that wait for each other.
    pub fn held(&self) -> usize {
        let body = self.current.as_ref().map_or(0, |current| current.body.held());
        let waiting: usize = self.waiting.iter().map(|answer| answer.kept_bytes).sum();
        self.requests.held() + self.responses.held() + body + self.pending_bytes + waiting
    }

    /// Takes the next bytes of one side, all from the frame `at`.
    pub fn push(&mut self, side: Side, bytes: &[u8], at: FrameRef, out: &mut Vec<Exchange>) {
        match side {
            _ if self.tunnelled => {}
            Side::Client => self.push_request(bytes, at, out),
            Side::Server => self.push_response(bytes, at, out),
        }
    }

    /// Skips `missing` bytes of one side that are not in the capture; `at` is the frame that shows it.
    pub fn gap(&mut self, side: Side, missing: u64, at: FrameRef, out: &mut Vec<Exchange>) {
        if missing == 0 {
            return;
        }
        match side {
            Side::Client => {
                if let Some((Head::Request(head), first)) = self.requests.cut_head() {
                    self.asked(head, first, at, out);
                }
                if self.requests.gap(missing).lost {
                    self.lose_step(out);
                }
            }
            Side::Server => self.gap_in_responses(missing, at, out),
        }
    }

    /// Notes the end of one side. Bytes that the server sent before a reset by the client may still be pushed.
    pub fn end(&mut self, side: Side, how: StreamEnd, at: FrameRef, out: &mut Vec<Exchange>) {
        match side {
            Side::Client => {
                if let Some((Head::Request(head), first)) = self.requests.cut_head() {
                    self.asked(head, first, at, out);
                }
                self.requests.stop();
                self.reset |= how == StreamEnd::Reset;
            }
            Side::Server => self.end_responses(how, at, out),
        }
    }

    /// Notes the end of the connection; unanswered requests are yielded.
    pub fn finish(&mut self, at: FrameRef, out: &mut Vec<Exchange>) {
        self.end(Side::Client, StreamEnd::CaptureEnd, at, out);
        self.end(Side::Server, StreamEnd::CaptureEnd, at, out);
        self.lose_step(out);
        while let Some(exchange) = self.take_pending() {
            self.unanswered(exchange, out);
        }
    }

    fn push_request(&mut self, mut rest: &[u8], at: FrameRef, out: &mut Vec<Exchange>) {
        loop {
            match self.requests.step(&mut rest, at) {
                Step::Head(Head::Request(head), first) => {
                    self.requests.expect(head.framing);
                    self.asked(head, first, at, out);
                }
                Step::Body(_) => {
                    let latest = self.pending.back_mut();
                    let current = self.current.as_mut().and_then(|current| current.exchange.as_mut());
                    if let Some(exchange) = latest.or(current) {
                        exchange.request_last = at;
                    }
                }
                Step::Broken(_) => self.lose_step(out),
                Step::Head(..) | Step::End => {}
                Step::Idle => break,
            }
        }
    }

    fn push_response(&mut self, mut rest: &[u8], at: FrameRef, out: &mut Vec<Exchange>) {
        loop {
            match self.responses.step(&mut rest, at) {
                Step::Head(Head::Response(head), first) => {
                    self.answered(head, first, at, out);
                    if self.tunnelled {
                        self.finish_response(None, out);
                        break;
                    }
                }
                Step::Body(piece) => {
                    if let Some(current) = &mut self.current {
                        current.response.last = at;
                        current.body.push(piece);
                    }
                }
                Step::End => {
                    if let Some(current) = &mut self.current {
                        current.response.last = at;
                    }
                    self.finish_response(None, out);
                }
                Step::Broken(why) => {
                    if self.current.is_some() {
                        self.finish_response(Some(format!("the body is broken off by {why}")), out);
                    }
                    self.unread.get_or_insert_with(|| (at, format!("the answer cannot be read: {why}")));
                }
                Step::Head(..) => {}
                Step::Idle => break,
            }
        }
    }

    /// Takes the head of a request, from frame `first` to frame `at`.
    fn asked(&mut self, head: RequestHead, first: FrameRef, at: FrameRef, out: &mut Vec<Exchange>) {
        let exchange = Exchange {
            expects_certificates: head::asks_for_certificates(&head.target),
            method: head.method,
            target: head.target,
            host: head.host,
            user_agent: head.user_agent,
            soap_action: head.soap_action,
            has_credentials: head.has_credentials,
            request: first,
            request_last: at,
            response: None,
        };
        if let Some(answer) = self.waiting.pop_front() {
            return emit(exchange, answer, out);
        }
        match &mut self.current {
            Some(current) if self.in_step && current.exchange.is_none() => current.exchange = Some(exchange),
            _ => {
                self.pending_bytes += exchange.kept_bytes();
                self.pending.push_back(exchange);
            }
        }
        if self.pending.len() > MAX_PENDING {
            self.in_step = false;
            if let Some(oldest) = self.take_pending() {
                self.unanswered(oldest, out);
            }
        }
    }

    /// Takes the head of an answer, from frame `first` to frame `at`.
    fn answered(&mut self, head: ResponseHead, first: FrameRef, at: FrameRef, out: &mut Vec<Exchange>) {
        if matches!(head.status, 100 | 102..=199) {
            return self.responses.expect(Framing::Nothing);
        }
        let exchange = self.request_of(first, out);
        let method = exchange.as_ref().map_or("", |exchange| exchange.method.as_str());
        let connected = method == "CONNECT" && (200..300).contains(&head.status);
        let framing = if connected || method == "HEAD" { Framing::Nothing } else { head.framing };
        self.responses.expect(framing);
        if connected || head.status == 101 {
            self.tunnelled = true;
            self.tunnel_to = exchange.as_ref().filter(|_| connected).map(|exchange| exchange.target.clone());
            self.requests.stop();
            self.responses.stop();
        }
        let kind = head.content_type.as_deref();
        // Without its request it is not yet known whether the answer is of interest.
        let keep = exchange.as_ref().is_none_or(|exchange| exchange.expects_certificates)
            || kind.is_some_and(head::is_worth_keeping);
        self.current = Some(Receiving {
            exchange,
            declared: if let Framing::Length(length) = framing { Some(length) } else { None },
            file: head.file,
            body: KeptBody::new(head.codings, keep),
            problems: status_problem(head.status, &head.reason).into_iter().collect(),
            response: Response {
                status: head.status,
                reason: head.reason,
                content_type: head.content_type,
                server: head.server,
                location: head.location,
                first,
                last: at,
                complete: false,
                gap: false,
                body_bytes: 0,
                certificates: Vec::new(),
                part: None,
                problem: None,
            },
        });
    }

    fn take_pending(&mut self) -> Option<Exchange> {
        let exchange = self.pending.pop_front()?;
        self.pending_bytes = self.pending_bytes.saturating_sub(exchange.kept_bytes());
        Some(exchange)
    }

    /// The request of an answer that starts in frame `first`.
    fn request_of(&mut self, first: FrameRef, out: &mut Vec<Exchange>) -> Option<Exchange> {
        let before =
            |exchange: &Exchange| (exchange.request.capture, exchange.request.number) <= (first.capture, first.number);
        if self.unread.is_some() {
            // Answers may be missing. A client that waits for each answer has only its latest request open.
            while self.pending.get(1).is_some_and(before) {
                if let Some(skipped) = self.take_pending() {
                    self.unanswered(skipped, out);
                }
            }
            self.unread = None;
        }
        if !self.in_step && !self.pending.front().is_some_and(before) {
            return None;
        }
        self.take_pending()
    }

    /// Finishes the answer being received, prematurely if there is a problem.
    fn finish_response(&mut self, problem: Option<String>, out: &mut Vec<Exchange>) {
        let Some(receiving) = self.current.take() else { return };
        let Receiving { exchange, mut response, declared, file, body, mut problems } = receiving;
        response.complete = problem.is_none() && body.missing == 0;
        response.body_bytes = body.seen;
        if body.missing > 0 {
            problems.push(format!("the capture lacks {} bytes of the body", body.missing));
        }
        problems.extend(problem);
        let Contents { certificates, trouble, nothing, bytes, codings } =
            body.contents(response.content_type.as_deref());
        let found = !certificates.is_empty();
        response.certificates = certificates;
        let unfulfilled = match response.status {
            206 if !found => Some(self::part::unfulfilled(response.content_type.as_deref()).to_owned()),
            _ => trouble.or_else(|| (!found).then(|| nothing.to_owned())),
        };
        // A body that was cut off is the first part of a whole one.
        let cut_off = declared.filter(|_| response.status == 200 && !response.complete);
        let place = file.range.or_else(|| cut_off.and_then(ContentRange::whole)).filter(|_| !response.gap);
        response.part = place.and_then(|place| Part::new(place, file.version, codings, bytes)).map(Box::new);
        let certificates = response.certificates.iter().map(|one| size_of::<FoundCertificate>() + one.der.len());
        let part = response.part.as_ref().map_or(0, |part| part.bytes.len());
        let kept_bytes = size_of::<Answer>() + part + certificates.sum::<usize>();
        let answer = Answer { response, problems, unfulfilled, kept_bytes };
        match exchange {
            Some(exchange) => emit(exchange, answer, out),
            None if self.in_step => self.waiting.push_back(answer),
            None => emit_alone(answer, out),
        }
        if self.waiting.len() > MAX_WAITING {
            self.lose_step(out);
        }
    }

    fn gap_in_responses(&mut self, missing: u64, at: FrameRef, out: &mut Vec<Exchange>) {
        let inside_head = self.responses.is_inside_head();
        if let Some((Head::Response(head), first)) = self.responses.cut_head() {
            self.answered(head, first, at, out);
            self.current.iter_mut().for_each(|current| current.response.gap = true);
            self.finish_response(Some("the capture lacks a part of the answer's head".to_owned()), out);
            self.responses.expect(Framing::Nothing);
        } else if inside_head {
            self.unread = Some((at, format!("the capture lacks {missing} bytes inside the answer's head")));
        }
        let gapped = self.responses.gap(missing);
        if let Some(current) = &mut self.current {
            current.body.hole(gapped.hole);
            current.response.gap = true;
            match gapped.body {
                BodyAfterGap::Open => {}
                BodyAfterGap::Ended => self.finish_response(None, out),
                BodyAfterGap::Broken => {
                    let problem = format!("the capture lacks {missing} bytes, and with them the chunks' sizes");
                    self.finish_response(Some(problem), out);
                }
            }
        }
        if gapped.lost {
            self.unread.get_or_insert_with(|| (at, format!("the capture lacks {missing} bytes from the server")));
        }
    }

    fn end_responses(&mut self, how: StreamEnd, at: FrameRef, out: &mut Vec<Exchange>) {
        let event = match how {
            StreamEnd::Fin => "the connection was closed",
            StreamEnd::Reset => "the connection was reset",
            StreamEnd::CaptureEnd if self.reset => "the connection was reset",
            StreamEnd::CaptureEnd => "the capture ends",
        };
        let inside_head = self.responses.is_inside_head();
        if let Some((Head::Response(head), first)) = self.responses.cut_head() {
            self.answered(head, first, at, out);
            self.finish_response(Some(format!("{event} inside the answer's head")), out);
        } else if inside_head {
            self.unread = Some((at, format!("{event} inside the answer's head")));
        }
        if let Some(current) = &self.current {
            let place = current.body.seen.saturating_add(current.body.missing);
            let problem = match current.declared {
                Some(length) => Some(format!("{event} after {place} of {length} bytes")),
                None if !self.responses.ends_with_connection() => {
                    Some(format!("{event} after {place} bytes of a chunked body, before its end"))
                }
                None if how == StreamEnd::Fin => None,
                None => Some(format!("{event} after {place} bytes of a body of unknown length")),
            };
            self.finish_response(problem, out);
        }
        self.responses.stop();
    }

    /// From here on answers may not belong to the requests seen.
    fn lose_step(&mut self, out: &mut Vec<Exchange>) {
        self.in_step = false;
        self.waiting.drain(..).for_each(|answer| emit_alone(answer, out));
    }

    /// Yields a request without an answer. It is reported as unanswered only if certainly no answer was missed.
    fn unanswered(&self, mut exchange: Exchange, out: &mut Vec<Exchange>) {
        let unread = self.unread.as_ref().filter(|(at, _)| exchange.request.number <= at.number);
        exchange.response = unread.map(|(at, why)| Response {
            status: 0,
            reason: String::new(),
            content_type: None,
            server: None,
            location: None,
            first: *at,
            last: *at,
            complete: false,
            gap: true,
            body_bytes: 0,
            certificates: Vec::new(),
            part: None,
            problem: Some(why.clone()),
        });
        out.push(exchange);
    }
}

/// Success is no problem, and neither is 304: the client already has what it requests.
fn status_problem(status: u16, reason: &str) -> Option<String> {
    let is_success = matches!(status, 101 | 200..=299 | 304);
    (!is_success).then(|| format!("HTTP status {status} {reason}").trim_end().to_owned())
}

fn emit(mut exchange: Exchange, answer: Answer, out: &mut Vec<Exchange>) {
    let Answer { mut response, mut problems, unfulfilled, .. } = answer;
    exchange.expects_certificates |= response.content_type.as_deref().is_some_and(head::is_certificate_type);
    let wanted = exchange.expects_certificates && response.status != 304 && exchange.method != "HEAD";
    if (wanted && problems.is_empty()) || !response.certificates.is_empty() {
        problems.extend(unfulfilled);
    }
    response.problem = (!problems.is_empty()).then(|| problems.join("; "));
    exchange.response = Some(response);
    out.push(exchange);
}

/// Yields an answer whose request is not in the capture.
fn emit_alone(answer: Answer, out: &mut Vec<Exchange>) {
    let first = answer.response.first;
    let exchange = Exchange {
        method: String::new(),
        target: String::new(),
        host: None,
        user_agent: None,
        soap_action: None,
        has_credentials: false,
        request: first,
        request_last: first,
        response: None,
        expects_certificates: false,
    };
    emit(exchange, answer, out);
}
