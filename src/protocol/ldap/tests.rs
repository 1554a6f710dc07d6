//! Conversations made by an LDAP library, each pushed at once and byte by byte with equal results.

use super::*;
use crate::capture::Timestamp;
use Side::{Client, Server};

const ROOT: &[u8] = include_bytes!("../../../tests/data/protocol/root.der");
const ISSUING: &[u8] = include_bytes!("../../../tests/data/protocol/issuing.der");
const REQUESTS: &[u8] = include_bytes!("../../../tests/data/protocol/ldap-client.ber");
const ANSWERS: &[u8] = include_bytes!("../../../tests/data/protocol/ldap-server.ber");
const BOUND: &[u8] = include_bytes!("../../../tests/data/protocol/ldap-bind-response.ber");

fn at(number: u64) -> FrameRef {
    FrameRef { capture: 0, number, offset: number * 100, length: 0, time: Timestamp::from_seconds(0) }
}

/// What happens on a connection, in the order of the capture; the n-th event is frame n.
enum Event<'a> {
    Bytes(Side, &'a [u8]),
    Gap(Side, u64),
    End(Side, StreamEnd),
}

fn run(events: &[Event<'_>], piece: usize) -> (Ldap, Vec<LdapSearch>) {
    let (mut ldap, mut out) = (Ldap::new(), Vec::new());
    for (number, event) in (1..).zip(events) {
        match event {
            Event::Bytes(side, bytes) => {
                bytes.chunks(piece).for_each(|piece| ldap.push(*side, piece, at(number), &mut out));
            }
            Event::Gap(side, missing) => ldap.gap(*side, *missing, at(number), &mut out),
            Event::End(side, how) => ldap.end(*side, *how, at(number), &mut out),
        }
    }
    ldap.finish(at(99), &mut out);
    (ldap, out)
}

#[track_caller]
fn searches(events: &[Event<'_>]) -> Vec<LdapSearch> {
    let whole = run(events, usize::MAX).1;
    for piece in [1, 2, 7] {
        assert_eq!(run(events, piece).1, whole, "in pieces of {piece}");
    }
    whole
}

fn ders(search: &LdapSearch) -> Vec<&[u8]> {
    search.entries.iter().flat_map(|entry| &entry.certificates).map(Vec::as_slice).collect()
}

#[test]
fn three_searches_at_once() {
    let (early, late) = ANSWERS.split_at(300);
    let found = searches(&[Event::Bytes(Client, REQUESTS), Event::Bytes(Server, early), Event::Bytes(Server, late)]);
    let [phone, none, authorities] = &found[..] else { panic!("{found:?}") };
    let keys = "CN=Public Key Services,CN=Services,CN=Configuration,DC=contoso,DC=test";
    assert_eq!(authorities.base, keys);
    assert_eq!(authorities.filter, "(objectCategory=certificationAuthority)");
    assert_eq!(authorities.attributes, ["cACertificate", "cn"]);
    assert_eq!((authorities.result_code, authorities.complete, &authorities.problem), (Some(0), true, &None));
    assert_eq!((authorities.request, authorities.first, authorities.last), (at(1), Some(at(3)), Some(at(3))));
    let names: Vec<_> = authorities.entries.iter().map(|entry| entry.dn.split(',').next().unwrap()).collect();
    assert_eq!(names, ["CN=Contoso Root CA", "CN=Contoso Issuing CA", "CN=placeholder"]);
    assert_eq!(ders(authorities), [ROOT, ISSUING, ROOT]);
    assert!(authorities.asks_ca_certificates && none.asks_ca_certificates && !phone.asks_ca_certificates);
    assert_eq!((phone.entries.len(), ders(phone).len(), &phone.problem), (1, 0, &None), "userCertificate is no CA's");
    assert_eq!(none.problem.as_deref(), Some("LDAP result 32 (noSuchObject)"));
    assert_eq!(none.attributes, ["CACERTIFICATE;binary"]);
}

#[test]
fn answers_recorded_before_their_requests() {
    let found = searches(&[Event::Bytes(Server, ANSWERS), Event::Bytes(Client, REQUESTS)]);
    let base = |search: &LdapSearch| search.base.split(',').next().unwrap().to_owned();
    let mut told: Vec<_> = found.iter().map(|search| (base(search), ders(search).len(), search.complete)).collect();
    told.sort_unstable();
    let expected = [("CN=Public Key Services", 3, true), ("CN=none", 0, true), ("DC=contoso", 0, true)];
    assert_eq!(told, expected.map(|(base, count, complete)| (base.to_owned(), count, complete)));
    // Without any request, only answers with entries are yielded.
    let found = searches(&[Event::Bytes(Server, ANSWERS)]);
    assert_eq!(
        found.iter().map(|search| (search.entries.len(), search.complete)).collect::<Vec<_>>(),
        [(3, false), (1, false)]
    );
}

#[test]
fn answers_that_end_early() {
    // Inside the second certificate of the third entry.
    let third = ANSWERS.windows(ISSUING.len()).position(|window| window == ISSUING).unwrap() + ISSUING.len() + 100;
    for (how, words) in [
        (StreamEnd::Fin, "the connection was closed before an answer came"),
        (StreamEnd::Reset, "the connection was reset before an answer came"),
        (StreamEnd::CaptureEnd, "the capture ends before an answer came"),
    ] {
        let cut = &ANSWERS[..third];
        let found = searches(&[Event::Bytes(Client, REQUESTS), Event::Bytes(Server, cut), Event::End(Server, how)]);
        assert_eq!(ders(&found[0]), [ROOT, ISSUING]);
        assert_eq!(
            (found[0].complete, found[0].problem.as_deref()),
            (false, Some("an entry of the answer is cut off"))
        );
        assert_eq!(found[2].problem.as_deref(), Some(words));
    }
}

#[test]
fn gaps_harm_the_message_they_are_in() {
    // Ten bytes inside the first certificate: that entry is damaged, nothing else.
    let hole = ANSWERS.windows(ROOT.len()).position(|window| window == ROOT).unwrap() + 50;
    let found = searches(&[
        Event::Bytes(Client, REQUESTS),
        Event::Bytes(Server, &ANSWERS[..hole]),
        Event::Gap(Server, 10),
        Event::Bytes(Server, &ANSWERS[hole + 10..]),
    ]);
    let [phone, none, authorities] = &found[..] else { panic!("{found:?}") };
    assert_eq!(ders(authorities), [ISSUING, ROOT]);
    assert!(!authorities.complete && authorities.problem.is_some());
    assert!(phone.complete && none.complete);
    // From inside one message into another: the next complete one is found.
    let second = ANSWERS.windows(8).position(|window| window == b"CN=phone").unwrap() + 8;
    let found = searches(&[
        Event::Bytes(Client, REQUESTS),
        Event::Bytes(Server, &ANSWERS[..hole]),
        Event::Gap(Server, u64::try_from(second - hole).unwrap()),
        Event::Bytes(Server, &ANSWERS[second..]),
    ]);
    assert_eq!(found.iter().map(|search| ders(search).len()).collect::<Vec<_>>(), [0, 0, 2]);
    assert!(found.iter().all(|search| !search.complete), "any answer may have lost something");
}

#[test]
fn sealing_and_tls_end_the_reading() {
    let sealed = [0, 0, 1, 0, 5, 4, 7, 0xFF];
    let (ldap, found) =
        run(&[Event::Bytes(Server, BOUND), Event::Bytes(Client, &sealed), Event::Bytes(Server, ANSWERS)], 1);
    assert!(ldap.sealed() && !ldap.starts_tls() && found.is_empty());
    let request = include_bytes!("../../../tests/data/protocol/ldap-starttls-request.ber");
    let response = include_bytes!("../../../tests/data/protocol/ldap-starttls-response.ber");
    let (ldap, _) = run(&[Event::Bytes(Client, request)], 1);
    assert!(!ldap.starts_tls(), "not before the server agrees");
    let (ldap, _) = run(&[Event::Bytes(Client, request), Event::Bytes(Server, response)], 1);
    assert!(ldap.starts_tls() && !ldap.sealed());
    // resultCode 2, protocolError: the connection stays in clear.
    let mut refused = response.to_vec();
    refused[9] = 2;
    let events = [Event::Bytes(Client, request), Event::Bytes(Server, &refused)];
    assert_eq!((refused.len(), run(&events, 1).0.starts_tls()), (14, false));
}

#[test]
fn a_message_too_long_is_passed_over() {
    // 30 84 00 20 00 00: a message of 2 MiB, number 2, an entry.
    let head = [0x30, 0x84, 0, 0x20, 0, 0, 2, 1, 2, 0x64, 0x84, 0, 0x1F, 0xFF, 0xF7];
    let long = [&head[..], &vec![0; 0x20_0000 - 9]].concat();
    let all = [&long, ANSWERS].concat();
    let found = run(&[Event::Bytes(Client, REQUESTS), Event::Bytes(Server, &all)], 1460).1;
    assert_eq!(found.len(), 3);
    assert_eq!(ders(&found[2]).len(), 3);
    assert_eq!(found[2].problem.as_deref(), Some("a message of 2097158 bytes was not looked at"));
}

#[test]
fn nothing_that_is_sent_panics() {
    let mut state = 7u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below.max(1)
    };
    for _ in 0..2000 {
        let (mut ldap, mut out) = (Ldap::new(), Vec::new());
        for number in 1..8 {
            let (side, bytes) = if random(2) == 0 { (Client, REQUESTS) } else { (Server, ANSWERS) };
            let mut piece = bytes[random(bytes.len())..].to_vec();
            let (place, value) = (random(piece.len()), random(256));
            piece[place] = u8::try_from(value).unwrap();
            match random(5) {
                0 => ldap.gap(side, [1, 100, u64::MAX][random(3)], at(number), &mut out),
                1 => ldap.end(side, StreamEnd::Fin, at(number), &mut out),
                2 => ldap.push(side, bytes, at(number), &mut out),
                _ => ldap.push(side, &piece, at(number), &mut out),
            }
        }
        ldap.finish(at(9), &mut out);
    }
}
