//! What else a device did: whether another connection recovers a failure, says why it failed, or brought the
//! certificates.
//!
//! In: what clients and servers said in the samples, in connections of one phone and one server behind each other; HTTP
//! with other status lines, alerts with other codes. Out: failed tests. What must be reported follows from what was
//! done: who said what, and who closed.

use std::path::PathBuf;

use chaingap::Analyzer;
use chaingap::expectations::Options;
use chaingap::flow::Side;
use chaingap::limits::Limits;
use chaingap::report::{ChainStatus, Finding, Proof, Report, Severity, VerdictStatus};

use super::disorder;
use super::file::Format;
use super::frame::{Frame, Segment};
use super::samples::SAMPLES;
use support::expectations;

const MILLISECOND: i64 = 1_000_000;
/// ContentType of application data, RFC 8446 section 5.1.
const APPLICATION_DATA: u8 = 23;

pub(crate) type Words = Vec<(Side, Vec<u8>)>;

/// The frames of a sample capture.
pub(crate) fn frames(capture: &str) -> &'static [Frame] {
    let mut recordings = SAMPLES.iter().flat_map(|sample| &sample.captures);
    &recordings.find(|recording| recording.name == capture).unwrap_or_else(|| panic!("no capture {capture}")).frames
}

pub(crate) fn opens(frame: &&Frame, port: u16) -> bool {
    frame.segment().is_some_and(|segment| segment.opens() && segment.direction().1.port() == port)
}

/// What both sides said in the first connection to a port.
pub(crate) fn said(capture: &str, port: u16) -> Words {
    let frames = frames(capture);
    let (client, server) = frames.iter().find(|frame| opens(frame, port)).unwrap().segment().unwrap().direction();
    let segments = frames.iter().filter_map(Frame::data);
    let words = segments.filter_map(|segment| match segment.direction() {
        direction if direction == (client, server) => Some((Side::Client, segment.payload.clone())),
        direction if direction == (server, client) => Some((Side::Server, segment.payload.clone())),
        _ => None,
    });
    words.collect()
}

/// The words before both sides had data for each other.
pub(crate) fn without_data(mut words: Words) -> Words {
    let data = words.iter().position(|(_, bytes)| bytes.first() == Some(&APPLICATION_DATA));
    words.truncate(data.unwrap());
    words
}

/// A request in clear with its answer.
pub(crate) fn asked(request: &str, answer: &[u8]) -> Words {
    vec![(Side::Client, format!("{request}\r\n\r\n").into_bytes()), (Side::Server, answer.to_vec())]
}

/// A tunnel, and the words in it.
fn tunnel(host: &str, words: Words) -> Words {
    let mut all = asked(&format!("CONNECT {host}:443 HTTP/1.1"), b"HTTP/1.1 200 OK\r\n\r\n");
    all.extend(words);
    all
}

/// What one phone and one server say, in connections one second apart: the server's port, the words, who closes first.
pub(crate) fn session(connections: &[(u16, Words, Side)]) -> Vec<Frame> {
    let like = frames("usb-sign-in.pcapng");
    let syn = like.iter().find(|frame| opens(frame, 443)).unwrap();
    let (phone, server) = syn.segment().unwrap().direction();
    let back = like.iter().find(|frame| frame.segment().is_some_and(|s| s.tcp.syn && s.tcp.ack)).unwrap();
    let (mut out, mut time) = (Vec::new(), syn.time);
    for (number, (port, words, closes)) in (0_u8..).zip(connections) {
        let mut next = [1_000_u32, 2_000];
        let mut send = |side: Side, payload: &[u8], change: &dyn Fn(&mut Segment)| {
            let (frame, at) = if side == Side::Client { (syn, 0) } else { (back, 1) };
            let mut segment = frame.segment().unwrap().readdressed(|mut end| {
                end.set_port(if end.ip() == server.ip() { *port } else { phone.port() + u16::from(number) });
                end
            });
            (segment.tcp.syn, segment.tcp.ack, segment.payload) = (false, true, payload.to_vec());
            change(&mut segment);
            (segment.tcp.sequence_number, segment.tcp.acknowledgment_number) = (next[at], next[1 - at]);
            next[at] = segment.end().wrapping_add(u32::from(segment.tcp.fin));
            time += MILLISECOND;
            out.push(Frame { time, ..frame.with(segment) });
        };
        send(Side::Client, &[], &|segment| (segment.tcp.syn, segment.tcp.ack) = (true, false));
        send(Side::Server, &[], &|segment| segment.tcp.syn = true);
        for (side, bytes) in words {
            send(*side, bytes, &|segment| {
                // Every hello has a random value of its own, at offset 11, whose first four bytes may be a time.
                if let [22, 3, _, _, _, 1, ..] = segment.payload[..] {
                    segment.payload[11] ^= number.wrapping_mul(0x55);
                    segment.payload[15] ^= number;
                }
            });
        }
        for side in [*closes, closes.other()] {
            send(side, &[], &|segment| segment.tcp.fin = true);
        }
        time += 1_000 * MILLISECOND;
    }
    out
}

pub(crate) fn judge(frames: &[Frame], options: &Options) -> Report {
    expectations::report(&expectations::analyzer(options), &[("session.pcap".into(), Format::PLAIN.write(frames))])
}

pub(crate) fn options(roots: &[&str], bundle: &[&str]) -> Options {
    let paths = |names: &[&str]| names.iter().map(|name| PathBuf::from(format!("pki/{name}.pem"))).collect();
    Options { roots: paths(roots), bundle: paths(bundle), ..Options::default() }
}

/// Northwind's root alone; `northwind_known` adds the certificates between it and the server.
pub(crate) fn northwind() -> Options {
    options(&["root"], &[])
}

pub(crate) fn northwind_known() -> Options {
    options(&["root"], &["issuing", "policy"])
}

/// Warnings and errors.
pub(crate) fn told(report: &Report) -> Vec<(&str, Severity, Proof)> {
    let graver = report.findings.iter().filter(|finding| finding.severity >= Severity::Warning);
    graver.map(|finding| (finding.code.as_str(), finding.severity, finding.proof)).collect()
}

pub(crate) fn codes(report: &Report) -> Vec<&str> {
    told(report).into_iter().map(|(code, ..)| code).collect()
}

/// The causes that a finding does not exclude.
pub(crate) fn open(report: &Report, code: &str) -> Vec<String> {
    let excluded = only(report, code).excluded.iter().filter(|cause| !cause.excluded);
    excluded.map(|cause| cause.cause.clone()).collect()
}

pub(crate) fn only<'r>(report: &'r Report, code: &str) -> &'r Finding {
    let mut found = report.findings.iter().filter(|finding| finding.code == code);
    let (first, second) = (found.next(), found.next());
    assert!(second.is_none(), "{code} twice");
    first.unwrap_or_else(|| panic!("no {code} in {:?}", told(report)))
}

pub(crate) fn verdicts(report: &Report) -> Vec<VerdictStatus> {
    report.devices.iter().map(|device| device.verdict.status).collect()
}

use Proof::{Inferred, Proven, Undecidable};
use Severity::{Error, Warning};
use Side::{Client, Server};

#[test]
fn another_stack_behind_the_address_makes_up_for_nothing() {
    // GnuTLS refuses, and then OpenSSL connects to the same name.
    let gnutls = (443, said("gnutls-missing-intermediate.pcapng", 443), Client);
    let openssl = || (443, said("resumed-ticket.pcapng", 443), Client);
    let report = judge(&session(&[gnutls.clone(), openssl()]), &northwind_known());
    assert!(report.devices[0].shared_address);
    assert_eq!((told(&report), verdicts(&report)), (vec![("CG001", Error, Inferred)], vec![VerdictStatus::Fails]));
    // One stack that refuses, and then goes on.
    let mut retry = said("gnutls-missing-intermediate.pcapng", 443);
    retry.retain(|(_, bytes)| bytes[0] == 22 && bytes[5] == 1);
    retry.extend(openssl().1.into_iter().skip(1));
    let report = judge(&session(&[gnutls.clone(), (443, retry.clone(), Client)]), &northwind_known());
    assert_eq!((told(&report), verdicts(&report)), (vec![("CG001", Warning, Inferred)], vec![VerdictStatus::Degraded]));
    // It is the same stack even if another one shares the address.
    let report = judge(&session(&[gnutls, openssl(), (443, retry, Client)]), &northwind_known());
    assert!(report.devices[0].shared_address);
    assert_eq!((told(&report), verdicts(&report)), (vec![("CG001", Warning, Inferred)], vec![VerdictStatus::Degraded]));
}

#[test]
fn another_service_makes_up_for_nothing() {
    let refused = || said("usb-sign-in.pcapng", 443);
    let works = || said("usb-full-chain.pcapng", 443);
    let severity = |first: (u16, Words, Side), second: (u16, Words, Side)| {
        let report = judge(&session(&[first, second]), &northwind_known());
        assert!(!report.devices[0].shared_address);
        only(&report, "CG001").severity
    };
    // Behind one proxy.
    let proxied = |host: &str, words: Words| (8888, tunnel(host, words), Client);
    assert_eq!(severity(proxied("a.contoso.test", refused()), proxied("b.contoso.test", works())), Error);
    assert_eq!(severity(proxied("a.contoso.test", refused()), proxied("a.contoso.test", works())), Warning);
    // One hello names no server, the other does, and the certificates differ.
    let intercepted = said("intercepted.pcapng", 443);
    assert_eq!(severity((443, refused(), Client), (443, intercepted, Client)), Error);
    assert_eq!(severity((443, refused(), Client), (443, works(), Client)), Warning);
}

#[test]
fn a_proxy_tells_nothing_of_the_servers_behind_it() {
    let works = said("usb-full-chain.pcapng", 443);
    let hello = works[..1].to_vec();
    let first = (8888, tunnel("b.contoso.test", works), Client);
    let report = judge(&session(&[first, (8888, tunnel("c.contoso.test", hello), Server)]), &northwind());
    // As for a server that closes at the ClientHello, of which nothing else is known.
    assert_eq!(told(&report), [("CG009", Error, Undecidable), ("CG010", Error, Undecidable)]);
}

#[test]
fn a_spare_connection_is_made_up_for() {
    for (capture, options) in [("usb-full-chain.pcapng", northwind()), ("usb-after-pin.pcapng", northwind_known())] {
        let works = (443, said(capture, 443), Client);
        for closes in [Server, Client] {
            let spare = (443, without_data(said(capture, 443)), closes);
            for order in [[works.clone(), spare.clone()], [spare.clone(), works.clone()]] {
                let report = judge(&session(&order), &options);
                let mut found = told(&report);
                // It is still worth a warning that the server leaves out an intermediate.
                found.retain(|finding| *finding != ("CG003", Warning, Proven));
                assert_eq!(found, [], "{capture}, {closes:?} closes");
                let unused = |finding: &&Finding| finding.code == "CG030" && finding.summary.contains("left unused");
                assert_eq!(report.findings.iter().filter(unused).count(), 1);
            }
        }
    }
    // Alone it may have been closed for its certificates.
    let alone = (443, without_data(said("usb-after-pin.pcapng", 443)), Client);
    assert_eq!(told(&judge(&session(&[alone]), &northwind_known())), [("CG001", Error, Inferred)]);
}

#[test]
fn a_server_that_finished_took_the_client_certificate() {
    let words = without_data(said("client-certificate-accepted.pcapng", 443));
    let report = judge(&session(&[(443, words, Server)]), &options(&["adatum-root"], &[]));
    assert_eq!(told(&report), [("CG027", Error, Inferred)]);
    assert!(only(&report, "CG027").summary.contains("the TLS handshake was finished"));
}

/// The certificate that the recorded phone fetched, and the handshake in which it needed it.
pub(crate) fn download() -> (Vec<u8>, (u16, Words, Side), Options) {
    let body = said("fetch-der.pcap", 80).swap_remove(2).1;
    (body, (443, said("fetch-der.pcap", 443), Client), options(&["contoso-root"], &[]))
}

pub(crate) fn get(path: &str, status: &str, body: &[u8]) -> (u16, Words, Side) {
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len());
    let request = format!("GET {path} HTTP/1.1\r\nHost: pki.contoso.test");
    (80, asked(&request, &[head.as_bytes(), body].concat()), Client)
}

#[test]
fn answers_that_are_no_failure() {
    let (body, works, options) = download();
    let whole = get("/pki/ca.crt", "200 OK\r\nContent-Type: application/pkix-cert", &body);
    let recorded = judge(&session(&[whole.clone(), works.clone()]), &options);
    assert_eq!(told(&recorded), [("CG003", Warning, Proven)]);
    let range = format!("206 Partial Content\r\nContent-Range: bytes 0-{}/{}", body.len() - 1, body.len());
    for status in [range.as_str(), "203 Non-Authoritative Information"] {
        let report = judge(&session(&[get("/pki/ca.crt", status, &body), works.clone()]), &options);
        assert_eq!((told(&report), &report.findings[0].summary), (told(&recorded), &recorded.findings[0].summary));
    }
    let head = b"HTTP/1.1 200 OK\r\nContent-Type: application/pkix-cert\r\nContent-Length: 990\r\n\r\n";
    let head = (80, asked("HEAD /pki/ca.crt HTTP/1.1\r\nHost: pki.contoso.test", head), Client);
    let not_modified = (80, asked("GET /pki/ca.crt HTTP/1.1", b"HTTP/1.1 304 Not Modified\r\n\r\n"), Client);
    let moved = |to: &str| get("/old.crt", &format!("301 Moved Permanently\r\nLocation: {to}"), &[]);
    let led = |to: &str| session(&[moved(to), whole.clone()]);
    for frames in
        [session(&[head]), session(&[not_modified]), led("http://pki.contoso.test/pki/ca.crt"), led("/pki/ca.crt")]
    {
        assert_eq!(told(&judge(&frames, &options)), [("CG029", Warning, Proven)], "nothing but the missing handshake");
    }
    // A redirection that leads elsewhere counts as a failed fetch.
    assert_eq!(told(&judge(&led("http://portal.contoso.test/"), &options)), [("CG004", Error, Proven)]);
}

#[test]
fn what_a_device_may_have_already_keeps_a_missing_certificate_from_being_proven() {
    let refused = || (443, said("usb-sign-in.pcapng", 443), Client);
    let proof = |fetch: &[(u16, Words, Side)]| {
        let report = judge(&session(&[fetch, &[refused()]].concat()), &northwind_known());
        only(&report, "CG001").proof
    };
    assert_eq!(proof(&[]), Proven);
    assert_eq!(proof(&[get("/issuing.crt", "404 Not Found", &[])]), Proven);
    assert_eq!(
        proof(&[(80, asked("GET /issuing.crt HTTP/1.1", b"HTTP/1.1 304 Not Modified\r\n\r\n"), Client)]),
        Inferred
    );
    let part = get("/issuing.crt", "206 Partial Content\r\nContent-Range: bytes 0-99/900", &[0x30; 100]);
    assert_eq!(proof(&[part]), Inferred);
}

#[test]
fn an_answer_that_the_capture_lacks_may_have_brought_the_certificate() {
    let refused = (443, said("usb-sign-in.pcapng", 443), Client);
    let (port, mut words, closes) = get("/issuing.crt", "200 OK", &[b'x'; 900]);
    let rest = words[1].1.split_off(200);
    words.push((Server, rest));
    let frames = session(&[(port, words, closes), refused]);
    let last = frames.iter().rposition(|frame| frame.data().is_some_and(|data| data.tcp.source_port == 80)).unwrap();
    let lost = [&frames[..last], &frames[last + 1..]].concat();
    // Complete, the body is no certificate.
    assert!(codes(&judge(&frames, &northwind_known())).contains(&"CG004"));
    // Incomplete, it may have been one.
    let doubts = [("CG001", Error, Inferred), ("CG004", Warning, Undecidable)];
    assert_eq!(told(&judge(&lost, &northwind_known())), doubts);
}

#[test]
fn a_hello_inside_an_upload_is_data() {
    let hello = said("usb-sign-in.pcapng", 443).swap_remove(0).1;
    let head = format!("POST /upload HTTP/1.1\r\nHost: pool\r\nContent-Length: {}\r\n\r\n", hello.len());
    let upload = vec![(Client, head.into_bytes()), (Client, hello.clone())];
    assert_eq!(judge(&session(&[(80, upload, Client)]), &northwind()).statistics.handshakes, 0);
    // Between two requests it begins a handshake.
    let mut upgraded = asked("GET / HTTP/1.1\r\nHost: pool", b"HTTP/1.1 204 No Content\r\n\r\n");
    upgraded.push((Client, hello));
    assert_eq!(judge(&session(&[(80, upgraded, Client)]), &northwind()).statistics.handshakes, 1);
}

/// The report on a phone that trusts Northwind's root.
fn judge_within(frames: &[Frame], limits: Limits) -> Report {
    let root = std::fs::read("captures/pki/root.pem").unwrap();
    let analyzer = Analyzer::builder().limits(limits).root("root.pem", &root).build().unwrap();
    expectations::report(&analyzer, &[("session.pcap".into(), Format::PLAIN.write(frames))])
}

#[test]
fn bytes_kept_to_order_segments_are_limited_together() {
    let frames = session(&[(443, said("usb-full-chain.pcapng", 443), Client)]);
    let mut disordered = disorder::recut(&frames, 100);
    // In every three segments of one side the first and the last change places.
    let side = |frame: &Frame| frame.data().map(Segment::direction);
    for three in disordered.chunk_by_mut(|a, b| side(a) == side(b)).flat_map(|run| run.chunks_exact_mut(3)) {
        let times = [three[0].time, three[1].time, three[2].time];
        three.reverse();
        three.iter_mut().zip(times).for_each(|(frame, time)| frame.time = time);
    }
    let missing = |stream_bytes: usize| {
        let report = judge_within(&disordered, support::limits(|limits| limits.stream_bytes = stream_bytes));
        report.findings.iter().any(|finding| finding.code == "CG017") || verdicts(&report) != [VerdictStatus::Ok]
    };
    // What is not kept counts as missing from the capture.
    assert_eq!((missing(Limits::default().stream_bytes), missing(0)), (false, true));
}

#[test]
fn a_late_segment_begins_no_connection() {
    let mut frames = session(&[(443, said("usb-full-chain.pcapng", 443), Client)]);
    let mut late = frames.iter().rfind(|frame| frame.data().is_some()).unwrap().clone();
    let end = frames.last().unwrap().time;
    // While the connection waits for late segments, and long after, when only the fact that it existed is kept.
    for wait in [1_000, 60_000] {
        late.time = end + wait * MILLISECOND;
        frames.push(late.clone());
        for limits in [Limits::default(), support::limits(|limits| limits.lingering_flows = 0)] {
            let report = judge_within(&frames, limits);
            assert_eq!((report.statistics.flows, verdicts(&report)), (1, vec![VerdictStatus::Ok]), "{wait} ms");
        }
    }
}

#[test]
fn a_suite_that_the_server_took_is_not_what_it_refuses() {
    // This hello offers the suite that the server chose for another one.
    let works = (443, said("usb-full-chain.pcapng", 443), Client);
    let refused = (443, said("no-shared-cipher.pcap", 443), Server);
    let report = judge(&session(&[works.clone(), refused]), &northwind());
    let finding = only(&report, "CG010");
    assert_eq!((finding.severity, finding.proof), (Error, Inferred));
    assert_eq!(open(&report, "CG010"), ["key-exchange-groups", "signature-algorithms", "server-name"]);
    assert!(finding.summary.contains("it took one of these cipher suites elsewhere"), "{}", finding.summary);
    // The same hello as before, and the server closes: neither its version nor its suites are the cause.
    let hello = (443, said("usb-full-chain.pcapng", 443)[..1].to_vec(), Server);
    let report = judge(&session(&[hello, works]), &northwind());
    assert_eq!(told(&report), [("CG027", Warning, Inferred)]);
}

/// A sample with its fatal alert changed to another code.
fn with_alert(capture: &str, code: u8) -> Vec<Frame> {
    let mut changed = 0;
    let change = |frame: &Frame| match frame.data() {
        Some(segment) if matches!(segment.payload[..], [21, 3, _, 0, 2, 2, _]) => {
            let mut segment = segment.clone();
            segment.payload[6] = code;
            changed += 1;
            frame.with(segment)
        }
        _ => frame.clone(),
    };
    let frames = frames(capture).iter().map(change).collect();
    assert_eq!(changed, 1, "{capture}");
    frames
}

#[test]
fn alerts_that_do_not_name_the_certificates() {
    // RFC 8446 section 6.2: illegal_parameter, internal_error, missing_extension, unsupported_extension.
    for code in [47, 80, 109, 110] {
        let report = judge(&with_alert("tls13-fails.pcapng", code), &northwind());
        assert_eq!(told(&report), [("CG023", Error, Inferred)], "{code}");
    }
    for (code, name) in [(45, "certificate_expired"), (51, "decrypt_error")] {
        let report = judge(&with_alert("tls13-fails.pcapng", code), &northwind());
        assert_eq!(told(&report), [("CG025", Error, Undecidable)], "{code}");
        assert!(only(&report, "CG025").summary.contains(name));
    }
    let refused = |code| judge(&with_alert("client-certificate-refused.pcapng", code), &options(&["adatum-root"], &[]));
    assert_eq!(told(&refused(42)), [("CG013", Error, Proven)]);
    assert_eq!(told(&refused(47)), [("CG013", Error, Inferred)]);
}

#[test]
fn a_tunnel_that_the_proxy_refuses() {
    let connect = "CONNECT lyncpool.contoso.test:443 HTTP/1.1";
    let refusal = asked(connect, b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
    let report = judge(&session(&[(8888, refusal.clone(), Server)]), &northwind());
    assert_eq!((told(&report), verdicts(&report)), (vec![("CG020", Error, Proven)], vec![VerdictStatus::Fails]));
    let summary = &only(&report, "CG020").summary;
    assert!(summary.contains("10.20.30.10:8888") && summary.contains("lyncpool.contoso.test:443"), "{summary}");
    assert!(summary.contains("407"), "{summary}");
    // Proxies ask for credentials first; with them the tunnel opens.
    let mut signed_in = refusal;
    signed_in.extend(tunnel("lyncpool.contoso.test", said("usb-full-chain.pcapng", 443)));
    assert_eq!(told(&judge(&session(&[(8888, signed_in, Client)]), &northwind())), []);
}

/// The reasons by how each was recorded: what OpenSSL was given to refuse (`captures/record/pairs.sh`).
#[test]
fn why_a_client_certificate_is_refused() {
    let proseware = || options(&["proseware-root"], &[]);
    let lacks = "its chain lacks the intermediate \"Trey Research Device Issuing CA 1\"";
    let other_use = "its extended key usage is for servers, not for clients";
    let not_listed = "the server's list of authorities (1 name) leaves out its issuer \"Relecloud Device CA\"";
    let expired = "it expired on 2025-01-01";
    for (name, reason, who) in [
        ("client-chain-incomplete.pcapng", lacks, "make them send the intermediate"),
        ("client-for-servers.pcapng", other_use, "clientAuth"),
        ("client-issuer-not-listed.pcapng", not_listed, "whoever runs the server: add the root"),
        ("client-expired.pcapng", expired, "issue one that is valid now"),
    ] {
        let report = judge(frames(name), &proseware());
        let finding = only(&report, "CG013");
        assert!(
            finding.summary.ends_with(&format!("\"0004F2A1B2C3\", likely because {reason}")),
            "{}",
            finding.summary
        );
        assert!(finding.remedies.iter().any(|remedy| remedy.contains(who)), "{name}: {:?}", finding.remedies);
        assert_eq!(finding.missing.len(), usize::from(reason == lacks), "{name}");
    }
    // bad_certificate may mean any of them, certificate_expired only dates, unknown_ca only the chain and the list.
    for (name, code, reason) in [
        ("client-chain-incomplete.pcapng", 42, Some(lacks)),
        ("client-chain-incomplete.pcapng", 45, None),
        ("client-for-servers.pcapng", 42, Some(other_use)),
        ("client-for-servers.pcapng", 48, None),
        ("client-expired.pcapng", 46, Some(expired)),
        ("client-expired.pcapng", 48, None),
        ("client-issuer-not-listed.pcapng", 45, None),
    ] {
        let report = judge(&with_alert(name, code), &proseware());
        let summary = &only(&report, "CG013").summary;
        assert_eq!(summary.contains("likely"), reason.is_some(), "{name}, {code}: {summary}");
        assert!(reason.is_none_or(|reason| summary.contains(reason)), "{name}, {code}: {summary}");
    }
    // The intermediate that the client lacks is named with its place where one is known.
    let report = judge(frames("client-chain-incomplete.pcapng"), &options(&["proseware-root"], &["trey-issuing"]));
    let finding = only(&report, "CG013");
    assert_eq!(finding.missing[0].subject, "CN=Trey Research Device Issuing CA 1,O=Trey Research");
    assert_eq!(finding.missing[0].aia, ["http://pki.treyresearch.test/trey-issuing.crt"]);
    assert_eq!(finding.missing[0].candidates.len(), 1);
    assert!(finding.remedies[0].contains("chaingap certs --missing"), "{:?}", finding.remedies);
    let status = |report: &Report| report.devices[0].handshakes[0].client_chain.as_ref().map(|chain| chain.status);
    assert_eq!(status(&report), Some(ChainStatus::MissingIntermediate));
    let other = judge(frames("client-for-servers.pcapng"), &proseware());
    assert_eq!(status(&other), Some(ChainStatus::Invalid));
}

#[test]
fn a_client_that_sends_a_heartbeat_did_not_refuse() {
    // The client's alert unknown_ca comes last; in its place it sends a HeartbeatRequest with 16 bytes of padding (RFC
    // 6520 section 4), or nothing, and closes.
    let mut words = said("usb-sign-in.pcapng", 443);
    assert!(matches!(words.pop(), Some((Client, alert)) if alert[0] == 21 && alert[6] == 48));
    let silent = judge(&session(&[(443, words.clone(), Client)]), &northwind_known());
    assert_eq!(codes(&silent), ["CG001"]);
    let request = [&[24, 3, 1, 0, 19, 1, 0, 0][..], &[0; 16]].concat();
    words.push((Client, request.clone()));
    let alive = judge(&session(&[(443, words.clone(), Client)]), &northwind_known());
    assert_eq!((codes(&alive), alive.devices[0].handshakes[0].history.as_str()), (vec!["CG023"], "CsxnHEe"));
    // The server answers it with a HeartbeatResponse, type 2.
    let mut response = request.clone();
    response[5] = 2;
    words.push((Server, response));
    let answered = judge(&session(&[(443, words, Client)]), &northwind_known());
    assert_eq!((codes(&answered), answered.devices[0].handshakes[0].history.as_str()), (vec!["CG023"], "CsxnHhEe"));
    // One that comes before the flight says nothing of it.
    let mut early = said("usb-sign-in.pcapng", 443);
    early.insert(1, (Client, request));
    assert_eq!(codes(&judge(&session(&[(443, early, Client)]), &northwind_known())), ["CG001"]);
}
