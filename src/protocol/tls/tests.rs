//! Handshakes of RFC 8448, complete and in pieces, with and without their secrets, and variations: records of one byte,
//! lost records, secrets of other handshakes.

use super::*;
use crate::capture::{FrameRef, Timestamp};
use crate::flow::{Both, Piece, Side};

const RFC_8448: &str = include_str!("../../../tests/data/protocol/rfc8448.txt");

fn from_hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// The rest of the lines that start with a section and a word.
fn lines<'a>(section: &'a str, word: &'a str) -> impl Iterator<Item = &'a str> {
    let start = format!("{section} {word} ");
    RFC_8448.lines().filter_map(move |line| line.strip_prefix(&start))
}

fn secrets(section: &str) -> KeyLog {
    let mut keys = KeyLog::default();
    let text: Vec<_> = lines(section, "secret").collect();
    assert_eq!(keys.add(text.join("\n").as_bytes()), KeyLogLines { secrets: 4, unread: 0 });
    keys
}

/// The records of a section in their order.
fn records(section: &str) -> Vec<(Side, Vec<u8>)> {
    let sides = [("client", Side::Client), ("server", Side::Server)];
    let record = |line: &str| {
        let (of, rest) = line.split_once(' ')?;
        let (who, bytes) = rest.split_once(' ')?;
        let side = sides.iter().find(|(name, _)| *name == who)?.1;
        (of == section).then(|| (side, from_hex(bytes)))
    };
    RFC_8448.lines().filter_map(record).collect()
}

fn at(number: usize) -> FrameRef {
    let number = u64::try_from(number).unwrap();
    FrameRef { capture: 0, number, offset: 0, length: 0, time: Timestamp::default() }
}

/// Reads records, each one or more frames of at most `size` bytes; `None` stands for a missing record.
fn read(records: &[(Side, Option<Vec<u8>>, u64)], size: usize, keys: &KeyLog) -> Handshake {
    let mut tls = Tls::new(1 << 20);
    let mut frames = 1..;
    for (side, bytes, missing) in records {
        match bytes {
            None => tls.push(*side, Piece::Gap { missing: *missing, cut: None }, at(frames.next().unwrap()), keys),
            Some(bytes) => {
                bytes.chunks(size).for_each(|part| {
                    tls.push(*side, Piece::Bytes(part), at(frames.next().unwrap()), keys);
                });
            }
        }
    }
    std::mem::take(tls.finish(keys))
}

fn whole(records: Vec<(Side, Vec<u8>)>) -> Vec<(Side, Option<Vec<u8>>, u64)> {
    records.into_iter().map(|(side, bytes)| (side, Some(bytes), 0)).collect()
}

fn history(handshake: &Handshake) -> String {
    handshake.history.iter().map(|(letter, _)| *letter).collect::<History>().to_string()
}

/// A handshake record in clear, divided into records of at most `size` bytes of content.
fn in_small_records(record: &[u8], size: usize) -> Vec<u8> {
    let header = |length: usize| [&record[..3], &u16::try_from(length).unwrap().to_be_bytes()].concat();
    record[5..].chunks(size).flat_map(|part| [header(part.len()), part.to_vec()].concat()).collect()
}

#[test]
fn a_handshake_of_tls_1_3_reads_as_one_of_tls_1_2_with_its_secrets() {
    let certificate = from_hex(lines("3", "certificate").next().unwrap());
    for size in [usize::MAX >> 1, 100, 16, 1] {
        let handshake = read(&whole(records("3")), size, &secrets("3"));
        // RFC 8448 section 3: hellos; EncryptedExtensions, Certificate, CertificateVerify, Finished; Finished;
        // NewSessionTicket; data of each side; close_notify of each side.
        assert_eq!(history(&handshake), "CsxvfFtDdLl", "frames of {size} bytes");
        let list = handshake.certificates.server.as_ref().unwrap();
        assert_eq!((list.certificates.as_slice(), list.complete), (&[certificate.clone()][..], true));
        let alerts: Vec<_> = handshake.alerts.iter().map(|alert| (alert.from, alert.fatal, alert.code.0)).collect();
        assert_eq!(alerts, [(Side::Client, false, 0), (Side::Server, false, 0)]);
        assert_eq!((handshake.data.client.records, handshake.data.server.records), (1, 1));
        assert!(!handshake.hides_certificates() && !handshake.hides_answer() && handshake.undecrypted.is_none());
        assert_eq!(handshake.unread, Both::default());
    }
}

#[test]
fn what_it_holds_is_shown_in_the_frames_it_came_in() {
    let handshake = read(&whole(records("3")), 100, &secrets("3"));
    // The hellos take frames 1 and 2, and 3. Of the server's flight the first frame holds EncryptedExtensions (40 bytes)
    // and the start of the Certificate (445 bytes), which ends after 5 + 40 + 445 bytes.
    let list = handshake.certificates.server.as_ref().unwrap();
    assert_eq!((list.first.number, list.last.number), (5, 4 + 5));
}

#[test]
fn without_secrets_it_hides_what_it_hides() {
    for keys in [KeyLog::default(), secrets("4")] {
        let handshake = read(&whole(records("3")), 1000, &keys);
        assert_eq!(history(&handshake), "CsfFdD");
        assert!(handshake.hides_certificates() && handshake.hides_answer());
        assert!(handshake.certificates.server.is_none() && handshake.alerts.is_empty());
        let why = handshake.undecrypted.map(|(why, at)| (why, at.number));
        assert_eq!(why, (!keys.is_empty()).then_some((Undecrypted::NoSecret, 3)));
    }
}

/// The handshake of RFC 8448 section 3 (TLS_AES_128_GCM_SHA256), with these lengths for the client's encrypted records.
fn with_client_records(lengths: &[usize]) -> Handshake {
    let mut kept = records("3");
    let (hello, flight) = (kept.remove(0), kept.drain(..2).collect::<Vec<_>>());
    let record = |length: &usize| {
        let [high, low] = u16::try_from(*length).unwrap().to_be_bytes();
        (Side::Client, [&[23, 3, 3, high, low][..], &vec![0; *length]].concat())
    };
    let client = lengths.iter().map(record);
    read(&whole([hello].into_iter().chain(flight).chain(client).collect()), 1000, &KeyLog::default())
}

/// RFC 8446: a Finished of SHA-256 is a header of 4 bytes and 32 of the hash, an empty Certificate 8 bytes; a protected
/// record adds a content type and a tag of 16 bytes.
#[test]
fn a_first_record_too_short_for_a_finished_is_an_alert() {
    for (lengths, expected) in [
        (&[19][..], "CsfL"),
        (&[35], "CsfL"),
        (&[52], "CsfL"),
        (&[53], "CsfF"),
        (&[24], "CsfL"),
        // An empty Certificate, and what comes after it.
        (&[25], "CsfX"),
        (&[25, 19], "CsfXL"),
        (&[25, 25], "CsfXL"),
        (&[25, 53, 40], "CsfXFD"),
    ] {
        let handshake = with_client_records(lengths);
        assert_eq!(history(&handshake), expected, "{lengths:?}");
        assert_eq!(handshake.encrypted_alert.client.is_some(), expected.contains('L'), "{lengths:?}");
        assert_eq!(handshake.hides_answer(), !expected.contains('L'), "{lengths:?}");
    }
}

#[test]
fn the_secret_of_another_handshake_opens_nothing() {
    let random = "cb34ecb1e78163ba1c38c6dacb196a6dffa21a8d9912ec18a2ef6283024dece7";
    let wrong: Vec<_> = lines("4", "secret").map(|line| line.split(' ').collect::<Vec<_>>()).collect();
    let wrong: Vec<_> = wrong.iter().map(|words| format!("{} {random} {}", words[0], words[2])).collect();
    let mut keys = KeyLog::default();
    keys.add(wrong.join("\n").as_bytes());
    let handshake = read(&whole(records("3")), 1000, &keys);
    assert_eq!(history(&handshake), "CsfFdD");
    assert_eq!(handshake.undecrypted.map(|(why, at)| (why, at.number)), Some((Undecrypted::WrongSecret, 3)));
    assert!(handshake.hides_certificates() && handshake.hides_answer());
}

#[test]
fn handshake_secrets_alone_leave_the_ending_open() {
    let mut keys = KeyLog::default();
    let text: Vec<_> = lines("3", "secret").filter(|line| line.contains("HANDSHAKE")).collect();
    keys.add(text.join("\n").as_bytes());
    let handshake = read(&whole(records("3")), 1000, &keys);
    assert_eq!(history(&handshake), "CsxvfFdD");
    assert!(!handshake.hides_certificates() && handshake.hides_answer());
    assert_eq!(handshake.undecrypted.map(|(why, _)| why), Some(Undecrypted::NoSecret));
}

#[test]
fn early_data_comes_before_the_handshake_it_belongs_to() {
    for size in [usize::MAX >> 1, 1] {
        let handshake = read(&whole(records("4")), size, &secrets("4"));
        // RFC 8448 section 4: no certificate, since a session is resumed; data, close_notify.
        assert_eq!(history(&handshake), "CsfFDdLl");
        assert!(handshake.resumed() && !handshake.hides_answer());
        assert_eq!(handshake.data.client.records, 1, "early data is not counted");
    }
    // The early data may also come after the ServerHello.
    let mut late = records("4");
    late.swap(1, 2);
    assert_eq!(history(&read(&whole(late), 1000, &secrets("4"))), "CsfFDdLl");
    // Without secrets nothing tells it from the rest.
    let hidden = read(&whole(records("4")), 1000, &KeyLog::default());
    assert!(hidden.hides_answer() && hidden.data.client.records == 0);
}

#[test]
fn a_server_recorded_late_changes_nothing() {
    let mut late = records("3");
    // ServerHello and flight come after the client's Finished and its data.
    let client = late.remove(3);
    let data = late.remove(4);
    late.insert(1, client);
    late.insert(2, data);
    let handshake = read(&whole(late), 100, &secrets("3"));
    assert_eq!(history(&handshake), "CsFDxvftdLl");
    assert!(!handshake.hides_answer() && handshake.certificates.server.is_some());
    // If the server's side is missing altogether, nothing is lost either.
    let alone = records("3").into_iter().filter(|(side, _)| *side == Side::Client).collect();
    let with = read(&whole(alone), 100, &secrets("3"));
    assert_eq!((history(&with), with.data.client.records), ("CD".into(), 3));
}

#[test]
fn records_of_one_byte_and_warnings_in_between() {
    let mut records = records("3");
    records[0].1 = in_small_records(&records[0].1, 1);
    // RFC 5246 section 7.2: an alert of level warning, unrecognized_name.
    let warning = (Side::Server, from_hex("15030300020170"));
    records[1].1 = in_small_records(&records[1].1, 1);
    records.insert(1, warning);
    for size in [usize::MAX >> 1, 7, 1] {
        let handshake = read(&whole(records.clone()), size, &secrets("3"));
        assert_eq!(history(&handshake), "ClsxvfFtDdLl", "frames of {size} bytes");
        assert_eq!(handshake.client_hello.as_ref().and_then(|hello| hello.server_name.as_deref()), Some("server"));
    }
}

#[test]
fn a_record_lost_is_a_hole_and_the_next_ones_are_found_again() {
    let all = records("3");
    let lose = |index: usize| {
        let missing = u64::try_from(all[index].1.len()).unwrap();
        let mut records = whole(all.clone());
        records[index] = (all[index].0, None, missing);
        read(&records, usize::MAX >> 1, &secrets("3"))
    };
    // The server's data: its close_notify is the record after it.
    let handshake = lose(6);
    assert_eq!(history(&handshake), "CsxvfFtD?Ll");
    assert!(handshake.holes.iter().all(|hole| hole.missing == 72));
    // The whole flight of the server: its ticket is opened with the keys that come after it.
    let handshake = lose(2);
    assert_eq!(history(&handshake), "Cs?FtDdLl");
    assert!(handshake.certificates.server.is_none() && handshake.holes[0].in_clear);
}

#[test]
fn bytes_lost_within_the_flight_spoil_it_alone() {
    let all = records("3");
    let mut records = whole(all.clone());
    let flight = &all[2].1;
    let parts = [(Some(flight[..300].to_vec()), 0), (None, 100), (Some(flight[400..].to_vec()), 0)];
    records.splice(2..3, parts.into_iter().map(|(bytes, missing)| (Side::Server, bytes, missing)));
    let handshake = read(&records, usize::MAX >> 1, &secrets("3"));
    assert_eq!(history(&handshake), "Cs?FtDdLl");
    assert!(handshake.holes[0].in_clear, "with its secrets the flight would have been readable");
}

/// A version of TLS, the kind of a record and its content.
fn record(version: u8, kind: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    [&[kind, 3, version][..], &length, content].concat()
}

#[test]
fn a_server_of_ssl_2_shows_its_certificate() {
    // draft-hickman-netscape-ssl-00 section 2.5: CLIENT-HELLO with one cipher spec and a challenge of 16 bytes;
    // SERVER-HELLO with a certificate of 4 bytes, one cipher spec and a connection id; CLIENT-MASTER-KEY, and records
    // of which nothing can be said.
    let v2 = |message: &[u8]| [&(0x8000 | u16::try_from(message.len()).unwrap()).to_be_bytes()[..], message].concat();
    let hello = [&[1, 0, 2, 0, 3, 0, 0, 0, 16, 1, 0, 0x80][..], &[7; 16]].concat();
    let server = [&[4, 0, 1, 0, 2, 0, 4, 0, 3, 0, 16][..], &[0x30, 2, 5, 0], &[1, 0, 0x80], &[9; 16]].concat();
    let records = whole(vec![
        (Side::Client, v2(&hello)),
        (Side::Server, v2(&server)),
        (Side::Client, v2(&[2, 1, 0, 0x80, 0, 0])),
        (Side::Server, v2(&[0xaa; 33])),
        (Side::Client, v2(&[0xbb; 33])),
        (Side::Server, v2(&[0xcc; 33])),
        (Side::Client, v2(&[0xdd; 40])),
    ]);
    for size in [usize::MAX >> 1, 3, 1] {
        let handshake = read(&records, size, &KeyLog::default());
        assert_eq!(history(&handshake), "CsxKiFfD", "frames of {size} bytes");
        assert_eq!(handshake.version().map(|version| version.to_string()).as_deref(), Some("SSL 2.0"));
        assert_eq!(handshake.certificates.server.unwrap().certificates, [[0x30, 2, 5, 0]]);
    }
}

#[test]
fn handshake_records_after_data_are_another_handshake() {
    let client = |kind, content: &[u8]| (Side::Client, record(3, kind, content));
    let server = |kind, content: &[u8]| (Side::Server, record(3, kind, content));
    let mut records = vec![client(20, &[1]), client(22, &[1; 40]), server(20, &[1]), server(22, &[2; 40])];
    let before = read(&whole(records.clone()), 100, &KeyLog::default());
    assert!(before.renegotiation.is_none());
    records.extend([client(23, &[3; 60]), server(22, &[4; 40]), client(22, &[5; 40])]);
    let after = read(&whole(records), 100, &KeyLog::default());
    assert_eq!(history(&after), "IFifDf");
    assert_eq!(after.renegotiation.map(|at| at.number), Some(6));
}

#[test]
fn nothing_that_is_sent_panics() {
    let all = records("3");
    let keys = secrets("3");
    for (index, (_, bytes)) in all.iter().enumerate() {
        for place in (0..bytes.len()).step_by(41) {
            let mut changed = all.clone();
            changed[index].1[place] ^= 0x55;
            read(&whole(changed.clone()), 1000, &keys);
            changed[index].1.truncate(place);
            read(&whole(changed), 50, &keys);
        }
    }
}

/// A ClientHello message with its extensions in the opposite order.
fn turned(body: &[u8]) -> Vec<u8> {
    let mut at = 34;
    at += 1 + usize::from(body[at]);
    at += 2 + usize::from(u16::from_be_bytes([body[at], body[at + 1]]));
    at += 1 + usize::from(body[at]);
    let (head, mut rest) = body.split_at(at + 2);
    let mut extensions = Vec::new();
    while !rest.is_empty() {
        let (extension, after) = rest.split_at(4 + usize::from(u16::from_be_bytes([rest[2], rest[3]])));
        extensions.push(extension);
        rest = after;
    }
    assert!(extensions.len() > 3);
    extensions.reverse();
    [head, &extensions.concat()].concat()
}

#[test]
fn the_order_of_extensions_tells_no_stack() {
    // Browsers shuffle them.
    let (_, record) = &records("3")[0];
    let body = &record[9..];
    let (one, other) =
        (message::client_hello(body, at(1)).unwrap(), message::client_hello(&turned(body), at(1)).unwrap());
    assert_eq!((&one.stack, one.besides), (&other.stack, other.besides));
    assert_eq!(one.server_name, other.server_name);
}

/// A handshake message: kind, length of three bytes, body (RFC 5246 section 7.4).
fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let [_, length @ ..] = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[kind][..], &length, body].concat()
}

/// A ServerHello of TLS 1.2 with these extensions (RFC 5246 section 7.4.1.3).
fn server_hello(extensions: &[u8]) -> Vec<u8> {
    let length = u16::try_from(extensions.len()).unwrap().to_be_bytes();
    message(2, &[&[3, 3][..], &[7; 32], &[0, 0, 0x2f, 0], &length, extensions].concat())
}

/// A list of entries, each behind its length of three bytes, as a Certificate message (RFC 5246 section 7.4.2).
fn certificates(entries: &[&[u8]]) -> Vec<u8> {
    let vector = |bytes: &[u8]| message(0, bytes)[1..].to_vec();
    let list: Vec<u8> = entries.iter().flat_map(|entry| vector(entry)).collect();
    message(11, &vector(&list))
}

#[test]
fn an_alert_may_be_split_over_two_records() {
    // RFC 5246 section 6.2.1 allows it: fatal unknown_ca.
    let records = vec![(Side::Client, [record(3, 21, &[2]), record(3, 21, &[48])].concat())];
    for size in [usize::MAX >> 1, 1] {
        let handshake = read(&whole(records.clone()), size, &KeyLog::default());
        let alerts: Vec<_> = handshake.alerts.iter().map(|alert| (alert.fatal, alert.code)).collect();
        assert_eq!(alerts, [(true, AlertCode::UNKNOWN_CA)], "frames of {size} bytes");
        assert_eq!(history(&handshake), "L");
    }
}

#[test]
fn a_record_over_2_to_the_14_keeps_what_it_holds() {
    let entry = [0x30; 20_000];
    let flight = [server_hello(&[]), certificates(&[&entry]), message(14, &[])].concat();
    let long = record(3, 22, &flight);
    for size in [usize::MAX >> 1, 1460] {
        let handshake = read(&whole(vec![(Side::Server, long.clone())]), size, &KeyLog::default());
        assert_eq!(history(&handshake), "sxn", "frames of {size} bytes");
        assert_eq!(handshake.certificates.server.unwrap().certificates, [entry]);
        assert_eq!(handshake.overlong.map(|record| (record.from, record.length)), Some((Side::Server, flight.len())));
        assert!(handshake.holes.is_empty());
    }
}

#[test]
fn a_raw_public_key_is_no_list_of_certificates() {
    // RFC 7250 section 3: server_certificate_type 20, RawPublicKey 2; the message is the key behind its length.
    let flight = [server_hello(&[0, 20, 0, 1, 2]), certificates(&[])].concat();
    let handshake = read(&whole(vec![(Side::Server, record(3, 22, &flight))]), 1000, &KeyLog::default());
    let list = handshake.certificates.server.unwrap();
    assert!(list.raw_public_key && list.certificates.is_empty() && list.complete);
    let x509 = [server_hello(&[0, 20, 0, 1, 0]), certificates(&[&[0x30, 0]])].concat();
    let handshake = read(&whole(vec![(Side::Server, record(3, 22, &x509))]), 1000, &KeyLog::default());
    assert!(!handshake.certificates.server.unwrap().raw_public_key);
}

#[test]
fn an_empty_entry_is_no_certificate() {
    let flight = certificates(&[&[], &[0x30, 0]]);
    let handshake = read(&whole(vec![(Side::Server, record(3, 22, &flight))]), 1000, &KeyLog::default());
    let list = handshake.certificates.server.unwrap();
    assert_eq!((list.certificates, list.empty_entries, list.own, list.complete), (vec![vec![0x30, 0]], 1, false, true));
}

#[test]
fn tlcp_has_the_messages_of_tls() {
    // GB/T 38636-2020: version 0x0101 in records and hellos.
    let with_version = |bytes: Vec<u8>, at: usize| [&bytes[..at], &[1, 1], &bytes[at + 2..]].concat();
    let flight = [with_version(server_hello(&[]), 4), certificates(&[&[0x30, 0]])].concat();
    let record = with_version(record(3, 22, &flight), 1);
    assert_eq!(starts_like_tls(&record), Some(true));
    let handshake = read(&whole(vec![(Side::Server, record)]), 1000, &KeyLog::default());
    assert_eq!(handshake.version(), Some(Version::TLCP));
    assert_eq!(handshake.certificates.server.unwrap().certificates, [[0x30, 0]]);
}

#[test]
fn a_client_refuses_under_the_key_of_early_data() {
    use aes_gcm::aead::{AeadInPlace, KeyInit};
    // RFC 8448 section 4: client_early_traffic_secret, of the client random in the lines of secrets.
    let secret = "3fbbe6a60deb66c30a32795aba0eff7eaa10105586e7be5c09678d63b6caab62";
    let lines: Vec<&str> = lines("4", "secret").filter(|line| line.starts_with("SERVER_HANDSHAKE")).collect();
    let random = lines[0].split(' ').nth(1).unwrap();
    let mut keys = KeyLog::default();
    keys.add(format!("{}\nCLIENT_EARLY_TRAFFIC_SECRET {random} {secret}", lines[0]).as_bytes());
    // A fatal unknown_ca as the record after the early data, number 1 (RFC 8446 sections 5.2 and 5.3).
    let secret = from_hex(secret);
    let expand = |label, length| schedule::expand_label(schedule::PrfHash::Sha256, &secret, label, length).unwrap();
    let (key, mut nonce, header) = (expand(b"key", 16), expand(b"iv", 12), [23, 3, 3, 0, 19]);
    nonce[11] ^= 1;
    let mut alert = vec![2, 48, 21];
    let cipher = aes_gcm::Aes128Gcm::new_from_slice(&key).unwrap();
    let tag = cipher.encrypt_in_place_detached(nonce.as_slice().into(), &header, &mut alert).unwrap();
    alert.extend_from_slice(&tag);
    let mut refused = records("4");
    refused.truncate(4);
    refused.push((Side::Client, [&header[..], &alert].concat()));
    let handshake = read(&whole(refused.clone()), 1000, &keys);
    let alerts: Vec<_> = handshake.alerts.iter().map(|alert| (alert.from, alert.code)).collect();
    assert_eq!(alerts, [(Side::Client, AlertCode::UNKNOWN_CA)], "{}", history(&handshake));
    assert!(handshake.finished.client.is_none() && handshake.undecrypted.is_none());
    // Without secrets its length tells that it is an alert.
    let hidden = read(&whole(refused), 1000, &KeyLog::default());
    assert!(hidden.encrypted_alert.client.is_some() && hidden.finished.client.is_none());
}
