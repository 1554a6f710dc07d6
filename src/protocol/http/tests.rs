//! Whole conversations, each pushed at once and byte by byte with equal results.
#![allow(clippy::as_conversions)]

use super::*;
use crate::capture::Timestamp;
use Side::{Client, Server};

const ROOT: &[u8] = include_bytes!("../../../tests/data/protocol/root.der");
const ISSUING: &[u8] = include_bytes!("../../../tests/data/protocol/issuing.der");
const P7B: &[u8] = include_bytes!("../../../tests/data/protocol/chain.p7b");
const SOAP: &[u8] = include_bytes!("../../../tests/data/protocol/soap.xml");
const FETCH: &str = "GET /CertProv/CertProvisioningService.svc HTTP/1.1\r\nHost: lync.contoso.test\r\n\r\n";

fn at(number: u64) -> FrameRef {
    FrameRef { capture: 0, number, offset: number * 100, length: 0, time: Timestamp::from_seconds(number as i64) }
}

/// What happens on a connection, in the order of the capture; the n-th event is frame n.
enum Event<'a> {
    Bytes(Side, &'a [u8]),
    Gap(Side, u64),
    End(Side, StreamEnd),
}

fn said<'a>(side: Side, text: &'a (impl AsRef<[u8]> + ?Sized)) -> Event<'a> {
    Event::Bytes(side, text.as_ref())
}

fn run(mut http: Http, events: &[Event<'_>], piece: usize) -> (Http, Vec<Exchange>) {
    let mut out = Vec::new();
    for (number, event) in (1..).zip(events) {
        match event {
            Event::Bytes(side, bytes) => {
                bytes.chunks(piece).for_each(|piece| http.push(*side, piece, at(number), &mut out));
            }
            Event::Gap(side, missing) => http.gap(*side, *missing, at(number), &mut out),
            Event::End(side, how) => http.end(*side, *how, at(number), &mut out),
        }
    }
    http.finish(at(events.len() as u64), &mut out);
    (http, out)
}

#[track_caller]
fn exchanges(events: &[Event<'_>]) -> Vec<Exchange> {
    let whole = run(Http::new(), events, usize::MAX).1;
    for piece in [1, 2, 7] {
        assert_eq!(run(Http::new(), events, piece).1, whole, "in pieces of {piece}");
    }
    whole
}

fn answer(head: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n{head}\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn chunked(body: &[u8], size: usize) -> Vec<u8> {
    let chunks =
        body.chunks(size).map(|chunk| [format!("{:x};a=b\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat());
    [chunks.collect::<Vec<_>>().concat(), b"0\r\nX-Trailer: x\r\n\r\n".to_vec()].concat()
}

fn ders(exchange: &Exchange) -> Vec<&[u8]> {
    exchange.response.iter().flat_map(|response| &response.certificates).map(|found| &found.der[..]).collect()
}

fn problem(exchange: &Exchange) -> &str {
    exchange.response.as_ref().and_then(|response| response.problem.as_deref()).unwrap_or_default()
}

#[test]
fn a_fetch_with_all_that_is_told_of_it() {
    let request = "POST http://lync.contoso.test:80/certprov/CertProvisioningService.svc?x HTTP/1.1\r\nUser-Agent: CPE\r\n\
        SOAPAction: \"urn:GetRootCertChains\"\r\nAuthorization: NTLM AA==\r\nContent-Length: 5\r\n\r\n";
    let body = answer("Content-Type: text/xml\r\nServer: IIS\r\n", SOAP);
    let (early, late) = body.split_at(300);
    let found = exchanges(&[said(Client, request), said(Client, "<a/>\n"), said(Server, early), said(Server, late)]);
    let [exchange] = &found[..] else { panic!("{found:?}") };
    assert_eq!((exchange.method.as_str(), exchange.host.as_deref()), ("POST", Some("lync.contoso.test:80")));
    assert_eq!(exchange.soap_action.as_deref(), Some("urn:GetRootCertChains"));
    assert_eq!((exchange.user_agent.as_deref(), exchange.has_credentials), (Some("CPE"), true));
    assert_eq!((exchange.request, exchange.request_last), (at(1), at(2)));
    assert!(exchange.expects_certificates);
    let response = exchange.response.as_ref().unwrap();
    assert_eq!((response.status, response.reason.as_str(), response.complete), (200, "OK", true));
    assert_eq!((response.first, response.last, response.body_bytes), (at(3), at(4), SOAP.len() as u64));
    assert_eq!((response.server.as_deref(), response.problem.as_deref()), (Some("IIS"), None));
    assert_eq!(ders(exchange), [ISSUING, ROOT]);
    assert_eq!(response.certificates[0].how, "PKCS#7 in SOAP");
}

#[test]
fn codings_and_framings() {
    let gzip = include_bytes!("../../../tests/data/protocol/soap.xml.gz");
    let zlib = include_bytes!("../../../tests/data/protocol/soap.zlib");
    let raw = include_bytes!("../../../tests/data/protocol/soap.deflate");
    for (coding, body) in [("gzip", &gzip[..]), ("x-gzip", gzip), ("deflate", zlib), ("deflate", raw)] {
        let head = format!("Content-Encoding: {coding}\r\n");
        let chunks = format!("HTTP/1.1 200 OK\r\n{head}Transfer-Encoding: chunked\r\n\r\n");
        let open = format!("HTTP/1.0 200 OK\r\n{head}\r\n");
        for answer in
            [answer(&head, body), [chunks.as_bytes(), &chunked(body, 100)].concat(), [open.as_bytes(), body].concat()]
        {
            let found = exchanges(&[said(Client, FETCH), said(Server, &answer), Event::End(Server, StreamEnd::Fin)]);
            assert_eq!((found.len(), ders(&found[0])), (1, vec![ISSUING, ROOT]), "{coding}");
            assert_eq!((problem(&found[0]), found[0].response.as_ref().unwrap().complete), ("", true), "{coding}");
        }
    }
}

#[test]
fn a_compressed_file_is_read_though_nobody_says_that_it_is() {
    let gzip = include_bytes!("../../../tests/data/protocol/soap.xml.gz");
    let found = exchanges(&[said(Client, FETCH), said(Server, &answer("", gzip))]);
    assert_eq!((ders(&found[0]), problem(&found[0])), (vec![ISSUING, ROOT], ""));
}

#[test]
fn pipelined_answers_follow_their_requests() {
    let requests = "HEAD /a.cer HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\nPOST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\
        3\r\nabc\r\n0\r\n\r\nGET /d.p7b HTTP/1.1\r\nHost: x\r\n\r\nGET /e HTTP/1.1\r\n\r\n";
    let answers = [
        b"HTTP/1.1 200 OK\r\nContent-Length: 433\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 304 Not Modified\r\n\r\n",
        &b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"[..],
        &answer("Content-Type: text/plain\r\n", P7B),
    ]
    .concat();
    let found = exchanges(&[said(Client, requests), said(Server, &answers)]);
    let told: Vec<_> = found
        .iter()
        .map(|e| (e.method.as_str(), e.target.as_str(), e.response.as_ref().map(|r| r.status), ders(e).len()))
        .collect();
    assert_eq!(
        told,
        [
            ("HEAD", "/a.cer", Some(200), 0),
            ("GET", "/b", Some(304), 0),
            ("POST", "/c", Some(204), 0),
            ("GET", "/d.p7b", Some(200), 2),
            ("GET", "/e", None, 0)
        ]
    );
    assert_eq!(problem(&found[0]), "");
}

#[test]
fn an_answer_recorded_before_its_request() {
    let first = answer("", SOAP);
    let second = answer("", ISSUING);
    let found = exchanges(&[said(Server, &first), said(Client, FETCH), said(Client, FETCH), said(Server, &second)]);
    assert_eq!(found.iter().map(|e| (&e.method[..], ders(e).len())).collect::<Vec<_>>(), [("GET", 2), ("GET", 1)]);
    assert_eq!((found[0].request, found[0].response.as_ref().unwrap().first), (at(2), at(1)));
}

#[test]
fn a_connection_under_way() {
    let first = answer("", ROOT);
    let second = answer("", SOAP);
    let events = [said(Server, &first), said(Client, FETCH), said(Server, &second)];
    let found = run(Http::mid_stream(), &events, usize::MAX).1;
    assert_eq!(found.iter().map(|e| (&e.method[..], ders(e).len())).collect::<Vec<_>>(), [("", 1), ("GET", 2)]);
    // The tail of a body precedes the first complete head, without a line end between them.
    let tail = [b"ff</end>", &answer("", ROOT)[..]].concat();
    let found = run(Http::mid_stream(), &[said(Client, "abc</x>POST / HTTP/1.1\r\n\r\n"), said(Server, &tail)], 1).1;
    assert_eq!((found[0].method.as_str(), ders(&found[0])), ("POST", vec![ROOT]));
}

#[test]
fn failures_in_plain_words() {
    let html = b"<!DOCTYPE html><html>sign in</html>";
    let not_found = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    let fault = b"<s:Envelope xmlns:s='x'><s:Body><s:Fault/></s:Body></s:Envelope>";
    let gzip = include_bytes!("../../../tests/data/protocol/soap.xml.gz");
    // The checksum at the end is wrong.
    let damaged = [&gzip[..gzip.len() - 8], b"checksum"].concat();
    for (answer, words) in [
        (not_found.as_bytes().to_vec(), "HTTP status 404 Not Found"),
        (answer("", html), "body is HTML, no certificate in it"),
        (answer("", b""), "the body is empty"),
        (answer("", fault), "body is a SOAP fault, no certificate in it"),
        (answer("Content-Encoding: br\r\n", b"\x1b"), "body is encoded with \"br\", which is not read"),
    ] {
        let found = exchanges(&[said(Client, FETCH), said(Server, &answer)]);
        assert_eq!(problem(&found[0]), words);
        assert!(found[0].response.as_ref().unwrap().complete);
    }
    let found = exchanges(&[said(Client, FETCH), said(Server, &answer("Content-Encoding: gzip\r\n", &damaged))]);
    assert_eq!(problem(&found[0]), format!("gzip body damaged after {} decoded bytes", SOAP.len()));
    assert_eq!(ders(&found[0]).len(), 2);
    // Nobody asked for a certificate here.
    let found = exchanges(&[said(Client, "GET / HTTP/1.1\r\n\r\n"), said(Server, &answer("", html))]);
    assert_eq!((problem(&found[0]), found[0].expects_certificates), ("", false));
}

#[test]
fn a_body_cut_off() {
    let both = [ISSUING, ROOT].concat();
    let whole = answer("", &both);
    let cut = &whole[..whole.len() - 100];
    let seen = both.len() - 100;
    for (how, words) in [
        (StreamEnd::Fin, "the connection was closed"),
        (StreamEnd::Reset, "the connection was reset"),
        (StreamEnd::CaptureEnd, "the capture ends"),
    ] {
        let found = exchanges(&[said(Client, FETCH), said(Server, cut), Event::End(Server, how)]);
        let response = found[0].response.as_ref().unwrap();
        assert_eq!(problem(&found[0]), format!("{words} after {seen} of {} bytes", both.len()));
        assert_eq!((response.complete, response.body_bytes, ders(&found[0])), (false, seen as u64, vec![ISSUING]));
    }
    // The client's reset counts, but not for bytes that the server sent before it.
    let reset = Event::End(Client, StreamEnd::Reset);
    let found = exchanges(&[said(Client, FETCH), said(Server, cut), reset]);
    assert!(problem(&found[0]).starts_with("the connection was reset after"));
    let (early, late) = whole.split_at(50);
    let reset = Event::End(Client, StreamEnd::Reset);
    let found = exchanges(&[said(Client, FETCH), said(Server, early), reset, said(Server, late)]);
    assert_eq!(ders(&found[0]), [ISSUING, ROOT]);

    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let body = chunked(&both, 500);
    let found = exchanges(&[said(Client, FETCH), said(Server, head), said(Server, &body[..505])]);
    assert_eq!(problem(&found[0]), "the capture ends after 496 bytes of a chunked body, before its end");
    assert_eq!(ders(&found[0]), [ISSUING]);
}

#[test]
fn gaps_in_bodies() {
    let both = [ISSUING, ROOT].concat();
    let whole = answer("", &both);
    // Four bytes are missing after the first certificate; the next exchange is unaffected.
    let hole = whole.len() - 200;
    let next = answer("", ROOT);
    let found = exchanges(&[
        said(Client, FETCH),
        said(Server, &whole[..hole]),
        Event::Gap(Server, 4),
        said(Server, &whole[hole + 4..]),
        said(Client, FETCH),
        said(Server, &next),
    ]);
    assert_eq!((problem(&found[0]), ders(&found[0])), ("the capture lacks 4 bytes of the body", vec![ISSUING]));
    assert!(!found[0].response.as_ref().unwrap().complete);
    assert_eq!((problem(&found[1]), ders(&found[1])), ("", vec![ROOT]));

    // Inside a chunk a gap does no more harm; across chunks the body ends, and the next head is found.
    let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let pem = include_bytes!("../../../tests/data/protocol/chain.pem");
    let body = [&head[..], &chunked(pem, 2000)].concat();
    let found = exchanges(&[
        said(Client, FETCH),
        said(Server, &body[..200]),
        Event::Gap(Server, 10),
        said(Server, &body[210..]),
    ]);
    assert_eq!((found.len(), ders(&found[0])), (1, vec![ROOT]), "the second block stands whole");
    let body = [&head[..], &chunked(pem, 100)].concat();
    let found = exchanges(&[
        said(Client, FETCH),
        said(Server, &body[..800]),
        Event::Gap(Server, 300),
        said(Server, &body[1100..]),
        said(Client, FETCH),
        said(Server, &next),
    ]);
    assert_eq!((ders(&found[0]), ders(&found[1])), (vec![ISSUING], vec![ROOT]));
    assert!(problem(&found[0]).contains("the capture lacks 300 bytes, and with them the chunks' sizes"));
}

#[test]
fn gaps_in_heads() {
    let whole = answer("", ROOT);
    // The request line is complete, the rest of the head is missing.
    let found = exchanges(&[said(Client, &FETCH[..60]), Event::Gap(Client, 30), said(Server, &whole)]);
    assert_eq!((found[0].method.as_str(), found[0].expects_certificates, ders(&found[0])), ("GET", true, vec![ROOT]));
    // The status line is complete.
    let found = exchanges(&[
        said(Client, FETCH),
        said(Server, &whole[..25]),
        Event::Gap(Server, 30),
        said(Server, &whole[55..]),
        said(Client, FETCH),
        said(Server, &whole),
    ]);
    assert_eq!(found.iter().map(|e| ders(e).len()).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(problem(&found[0]), "the capture lacks a part of the answer's head");
    assert_eq!(found[0].response.as_ref().map(|response| (response.status, response.complete)), Some((200, false)));
    // An entire answer is missing: the request is not reported as unanswered, and the next answer is not mistaken for
    // it.
    let found = exchanges(&[
        said(Client, FETCH),
        Event::Gap(Server, 500),
        said(Client, "GET /next.cer HTTP/1.1\r\n\r\n"),
        said(Server, &whole),
    ]);
    assert_eq!(found[0].response.as_ref().map(|response| response.status), Some(0));
    assert_eq!((found[1].target.as_str(), ders(&found[1])), ("/next.cer", vec![ROOT]));
    // An entire request is missing: its answer is yielded alone.
    let found = exchanges(&[Event::Gap(Client, 90), said(Server, &whole), said(Client, FETCH), said(Server, &whole)]);
    assert_eq!(found.iter().map(|e| e.method.as_str()).collect::<Vec<_>>(), ["", "GET"]);
}

#[test]
fn bodies_of_no_interest_are_only_counted() {
    let firmware = vec![0x4D; 3_000_000];
    let body = answer("Content-Type: application/x-msdownload\r\n", &firmware);
    let mut http = Http::new();
    let mut out = Vec::new();
    http.push(Client, b"GET /RequestHandler/Files/x.cab HTTP/1.1\r\n\r\n", at(1), &mut out);
    for piece in body.chunks(1460) {
        http.push(Server, piece, at(2), &mut out);
        let held = http.current.as_ref().map_or(0, |current| current.body.held());
        assert!(held <= 4096, "{held}");
    }
    assert_eq!((out[0].response.as_ref().unwrap().body_bytes, problem(&out[0])), (3_000_000, ""));
    // Certificates are found whatever the path and the type.
    let found = exchanges(&[
        said(Client, "GET /x HTTP/1.1\r\n\r\n"),
        said(Server, &answer("Content-Type: image/png\r\n", &[ISSUING, ROOT, ROOT].concat())),
    ]);
    assert_eq!(ders(&found[0]), [ISSUING, ROOT]);
    // More than is kept: that is reported, and what was found counts.
    let long = [ISSUING, &vec![0; 2_000_000]].concat();
    let found = run(Http::new(), &[said(Client, FETCH), said(Server, &answer("", &long))], 1460).1;
    assert_eq!(problem(&found[0]), "the body is longer than 1 MiB; the rest was not looked at");
    assert_eq!(ders(&found[0]), [ISSUING]);
}

#[test]
fn a_decompression_bomb_ends() {
    let mut bomb = Vec::new();
    let zeros = vec![0; 20_000_000];
    let mut encoder = flate2::read::GzEncoder::new(&zeros[..], flate2::Compression::best());
    std::io::Read::read_to_end(&mut encoder, &mut bomb).unwrap();
    let found =
        run(Http::new(), &[said(Client, FETCH), said(Server, &answer("Content-Encoding: gzip\r\n", &bomb))], 1460).1;
    assert_eq!(problem(&found[0]), "the decoded body is longer than 1 MiB; the rest was not looked at");
}

#[test]
fn tunnels_end_the_parsing() {
    let connect = "CONNECT sip.contoso.test:443 HTTP/1.1\r\n\r\n";
    let established = "HTTP/1.1 200 Connection established\r\n\r\n";
    let (http, found) =
        run(Http::new(), &[said(Client, connect), said(Server, established), said(Client, "\x16\x03")], 1);
    assert_eq!((http.tunnelled(), http.tunnel_to()), (true, Some("sip.contoso.test:443")));
    assert_eq!((found.len(), found[0].method.as_str()), (1, "CONNECT"));
    assert!(found[0].response.as_ref().unwrap().complete);
    let switching = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n";
    let (http, found) = run(Http::new(), &[said(Client, FETCH), said(Server, switching)], 9);
    assert!(http.tunnelled() && http.tunnel_to().is_none() && found[0].response.as_ref().unwrap().status == 101);
    let refused = "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n";
    assert!(!run(Http::new(), &[said(Client, connect), said(Server, refused)], 1).0.tunnelled());
}

#[test]
fn which_connections_speak_http() {
    for (start, expected) in [
        ("GET /", Some(true)),
        ("HTTP/1.1 200", Some(true)),
        ("CONNECT x", Some(true)),
        ("POST http://x/", Some(true)),
        ("GE", None),
        ("POST ", None),
        ("HTTP/", None),
        ("", None),
        ("OPTIONS sip:a@b SIP/2.0", Some(false)),
        ("\x16\x03\x01", Some(false)),
        ("GETX /", Some(false)),
    ] {
        assert_eq!(starts_like_http(start.as_bytes()), expected, "{start:?}");
    }
}

#[test]
fn which_requests_are_fetches() {
    for target in [
        "/CertProv/CertProvisioningService.svc",
        "http://pool/certPROV/x.svc/mex",
        "/certsrv/certnew.p7b?ReqID=CACert&Renewal=0",
        "/aia/Contoso%20Issuing.CRT?x=1",
        "http://pki.contoso.test/a.p7c",
    ] {
        assert!(head::asks_for_certificates(target), "{target}");
    }
    for target in ["/", "/RequestHandler/Files/cpe.nbt", "/x?file=a.cer", "http://host.cer/", "/crl/a.crl"] {
        assert!(!head::asks_for_certificates(target), "{target}");
    }
}

#[test]
fn nothing_that_is_sent_panics() {
    // A small generator of hostile conversations: pieces of real ones, shuffled and cut by a fixed pseudo-random walk.
    let gzip = answer("Content-Encoding: gzip\r\n", include_bytes!("../../../tests/data/protocol/soap.xml.gz"));
    let pieces: Vec<Vec<u8>> = vec![
        FETCH.into(),
        answer("", SOAP),
        gzip,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n".to_vec(),
        b"HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n".to_vec(),
        b"\r\n\r\n\0\xff HTTP/1.1\r\n".to_vec(),
        chunked(P7B, 9),
    ];
    let mut state = 1u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) as usize) % below.max(1)
    };
    for _ in 0..2000 {
        let (mut http, mut out) = (Http::new(), Vec::new());
        for number in 1..8 {
            let side = if random(2) == 0 { Client } else { Server };
            let piece = &pieces[random(pieces.len())];
            let (from, to) = (random(piece.len()), random(piece.len() + 1));
            match random(6) {
                0 => http.gap(side, [1, 100, u64::MAX][random(3)], at(number), &mut out),
                1 => http.push(side, &piece[from.min(to)..from.max(to)], at(number), &mut out),
                2 if number > 5 => http.end(side, StreamEnd::Reset, at(number), &mut out),
                _ => http.push(side, piece, at(number), &mut out),
            }
        }
        http.finish(at(9), &mut out);
    }
}
