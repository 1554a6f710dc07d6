//! In: how much. Out: captures made to exhaust memory or time, each by its name. Bounded: made while they are read.
//! Left to others: measuring.

pub mod damage;
mod packets;

use std::io::Read;

use self::packets::{ACK, FIN, Made, Packets, SERVER, SYN, SYN_ACK, WEB, client, pcap_header};
use crate::chains;

/// A hostile capture, which is made of a number of units.
pub struct Case {
    /// What the table calls it.
    pub name: &'static str,
    /// What a unit is, in the plural.
    pub unit: &'static str,
    /// Units in the full measurement.
    pub full: u64,
    /// Units in the tests.
    pub small: u64,
    /// Makes a capture of this many units.
    pub make: fn(u64) -> Box<dyn Read>,
}

macro_rules! cases {
    ($($name:literal, $unit:literal, $full:literal, $small:literal, $make:ident;)*) => {
        &[$(Case { name: $name, unit: $unit, full: $full, small: $small, make: |count| $make(count) },)*]
    };
}

/// Every hostile capture.
pub const CASES: &[Case] = cases! {
    "SYN flood", "connections", 5_000_000, 30_000, syn_flood;
    "SYN flood, each of one symmetric hash", "connections", 5_000_000, 30_000, one_hash;
    "half-open handshakes: a ClientHello, no answer", "connections", 1_000_000, 3_000, hellos;
    "half-open handshakes: cut records", "connections", 1_000_000, 10_000, cut_records;
    "one connection in 1-byte segments", "segments", 5_000_000, 50_000, one_byte;
    "1-byte segments behind a hole that never fills", "segments", 1_000_000, 30_000, one_byte_behind_a_hole;
    "every other byte of a connection", "segments", 1_000_000, 30_000, every_other_byte;
    "cut segments behind a hole", "segments", 2_000_000, 50_000, cut_behind_a_hole;
    "holes that never fill, 64 KiB behind each", "connections", 20_000, 200, holes;
    "Certificate messages of 16 MiB", "connections", 40, 1, long_messages;
    "Certificate messages of 1 MiB, none ends", "connections", 1_000, 4, unfinished_messages;
    "different certificates, 25 a handshake", "certificates", 100_000, 1_000, certificates;
    "one Certificate message of 3,000 certificates", "handshakes", 20, 1, long_lists;
    "Certificate messages of empty entries", "handshakes", 200, 2, empty_entries;
    "Certificate messages of 1 MiB on connections that stay open", "connections", 400, 2, open_lists;
    "segments with wrong checksums behind a hole", "connections", 2_000, 20, damaged;
    "fragments that are never completed", "fragments", 2_000_000, 30_000, fragments;
    "fragments of one packet, 8 bytes each, twice", "fragments", 1_000_000, 20_000, small_fragments;
    "pcapng blocks that claim 4 GiB", "blocks", 2_000_000, 20_000, long_blocks;
    "pcapng interfaces", "blocks", 2_000_000, 100_000, interfaces;
    "pcapng names", "blocks", 1_000_000, 20_000, names;
    "pcapng secrets", "blocks", 1_000_000, 20_000, secrets;
    "pcapng options of no bytes, a million each", "blocks", 300, 1, empty_options;
    "gzip of zeros", "MiB", 2_048, 16, gzip_bomb;
    "zstd of zeros", "MiB", 2_048, 16, zstd_bomb;
    "gzip in gzip in gzip", "MiB", 256, 4, nested;
    "HTTP body, gzip of zeros", "MiB", 2_048, 16, http_bomb;
    "HTTP body, nested PKCS#7", "answers", 500, 2, nested_pkcs7;
    "HTTP body, XML entities", "answers", 500, 2, xml_bomb;
    "HTTP body, XML elements one in another", "answers", 500, 2, deep_xml;
    "HTTP chunks of 1 byte", "chunks", 5_000_000, 20_000, small_chunks;
    "HTTP chunks of 2^64 - 1 bytes", "answers", 500_000, 5_000, huge_chunks;
    "HTTP heads without an end", "connections", 2_000, 20, long_heads;
    "HTTP requests without answers", "requests", 1_000_000, 10_000, requests;
    "HTTP requests of 60 KiB without answers", "requests", 10_000, 100, long_requests;
    "HTTP answers in 30,000 codings", "answers", 2_000, 10, codings;
    "DNS answers of long names, each told of 4,080 times", "datagrams", 2_000, 20, long_names;
    "DNS queries, each from another address", "datagrams", 2_000_000, 20_000, dns_flood;
    "cross-signed CAs in each handshake", "handshakes", 200, 2, mesh;
};

fn pcap(next: impl FnMut(&mut Packets) -> bool + 'static) -> Box<dyn Read> {
    Box::new(Made::pcap(next))
}

/// A pcap file made in `count` steps, each with its number from 0.
fn steps(count: u64, mut step: impl FnMut(u64, &mut Packets) + 'static) -> Box<dyn Read> {
    let mut at = 0;
    pcap(move |out| {
        if at < count {
            step(at, out);
        }
        at += 1;
        at < count
    })
}

fn syn_flood(count: u64) -> Box<dyn Read> {
    steps(count, |at, out| out.tcp(client(at), SERVER, at as u32, SYN, &[]))
}

/// Addresses and ports whose 16-bit words always have the same exclusive or. A hash that is symmetric in the directions
/// of a connection because of it (Toeplitz with a key of equal words, as network cards and probes use) has one value
/// for all of them.
fn one_hash(count: u64) -> Box<dyn Read> {
    steps(count, |at, out| {
        let (high, low) = ((at >> 16) as u16, at as u16);
        let from = (u32::from(0x0a00 | high) << 16 | u32::from(low), high ^ low ^ 0x5555);
        out.tcp(from, SERVER, at as u32, SYN, &[]);
    })
}

fn hellos(count: u64) -> Box<dyn Read> {
    steps(count, |at, out| {
        out.tcp(client(at), SERVER, 0, SYN, &[]);
        out.tcp(SERVER, client(at), 0, SYN_ACK, &[]);
        out.tcp(client(at), SERVER, 1, ACK, &client_hello(at));
    })
}

/// A record header that claims 16 KiB, and a tenth of a kilobyte of its content.
fn cut_records(count: u64) -> Box<dyn Read> {
    steps(count, |at, out| {
        out.tcp(client(at), SERVER, 0, SYN, &[]);
        out.tcp(client(at), SERVER, 1, ACK, &[&[22, 3, 1, 0x40, 0, 1, 0, 0x3f, 0xfc, 3, 3][..], &[7; 100]].concat());
    })
}

fn one_byte(count: u64) -> Box<dyn Read> {
    let flight = server_flight(&[certificate(0), certificate(1)].concat());
    let mut data = [23, 3, 3, 0x40, 0].to_vec();
    data.resize(5 + 0x4000, 0);
    steps(count, move |at, out| {
        if at == 0 {
            out.tcp(client(1), SERVER, 0, SYN, &[]);
            out.tcp(client(1), SERVER, 1, ACK, &client_hello(1));
            out.tcp(SERVER, client(1), u32::MAX, SYN_ACK, &[]);
        }
        let place = at as usize;
        let byte = flight.get(place).unwrap_or_else(|| &data[(place - flight.len()) % data.len()]);
        out.tcp(SERVER, client(1), at as u32, ACK, &[*byte]);
    })
}

fn one_byte_behind_a_hole(count: u64) -> Box<dyn Read> {
    steps(count, |at, out| {
        if at == 0 {
            out.tcp(client(1), SERVER, 0, SYN, &[]);
        }
        out.tcp(client(1), SERVER, 2 + at as u32, ACK, &[1]);
    })
}

fn every_other_byte(count: u64) -> Box<dyn Read> {
    steps(count, |at, out| {
        if at == 0 {
            out.tcp(client(1), SERVER, 0, SYN, &[]);
        }
        out.tcp(client(1), SERVER, 2 + 2 * at as u32, ACK, &[1]);
    })
}

fn cut_behind_a_hole(count: u64) -> Box<dyn Read> {
    steps(count, |at, out| {
        if at == 0 {
            out.tcp(client(1), SERVER, 0, SYN, &[]);
        }
        out.cut(client(1), SERVER, 2 + 1400 * at as u32, 1400);
    })
}

fn holes(count: u64) -> Box<dyn Read> {
    steps(count, |at, out| {
        out.tcp(client(at), SERVER, 0, SYN, &[]);
        for part in 0..8 {
            out.tcp(client(at), SERVER, 100 + part * 8192, ACK, &[0x41; 8192]);
        }
    })
}

/// A handshake message that claims 16 MiB, sent in full.
fn long_messages(count: u64) -> Box<dyn Read> {
    messages(count, 0x00ff_ffff, 1025)
}

/// A handshake message that claims 1 MiB, sent in full except for the last record.
fn unfinished_messages(count: u64) -> Box<dyn Read> {
    messages(count, 0x000f_ffff, 63)
}

fn messages(count: u64, claimed: u32, records: u32) -> Box<dyn Read> {
    let each = u64::from(records) + 1;
    steps(count * each, move |step, out| {
        let (at, part) = (step / each, (step % each) as u32);
        if part == 0 {
            out.tcp(client(at), SERVER, 0, SYN, &[]);
            out.tcp(client(at), SERVER, 1, ACK, &client_hello(at));
            out.tcp(SERVER, client(at), 0, SYN_ACK, &[]);
            out.tcp(SERVER, client(at), 1, ACK, &server_hello());
            return;
        }
        let start = server_hello().len() as u32 + 1 + (part - 1) * (5 + 0x4000);
        let mut record = [22, 3, 3, 0x40, 0].to_vec();
        if part == 1 {
            record.extend([11]);
            record.extend(&claimed.to_be_bytes()[1..]);
            record.extend(&(claimed - 3).to_be_bytes()[1..]);
            record.extend(&(claimed - 6).to_be_bytes()[1..]);
        }
        record.resize(5 + 0x4000, 0x30);
        out.tcp(SERVER, client(at), start, ACK, &record);
    })
}

fn certificates(count: u64) -> Box<dyn Read> {
    steps(count.div_ceil(25), |at, out| {
        let list: Vec<u8> = (0..25).flat_map(|number| certificate(1 + at * 25 + number)).collect();
        handshake(at, &list, out);
    })
}

fn long_lists(count: u64) -> Box<dyn Read> {
    steps(count, |at, out| {
        let list: Vec<u8> = (0..3_000).flat_map(|number| certificate(1 + at * 3_000 + number)).collect();
        handshake(at, &list, out);
    })
}

/// A handshake of client `at` in which the server sends this list, and the client refuses it.
fn handshake(at: u64, list: &[u8], out: &mut Packets) {
    let (after, sequence) = hellos_and(at, &server_flight(list), out);
    out.tcp(client(at), SERVER, after, ACK, &[21, 3, 1, 0, 2, 2, 48]);
    out.tcp(client(at), SERVER, after + 7, FIN, &[]);
    out.tcp(SERVER, client(at), sequence, FIN, &[]);
}

/// A connection up to the server's flight; returns the next sequence numbers of client and server.
fn hellos_and(at: u64, flight: &[u8], out: &mut Packets) -> (u32, u32) {
    out.tcp(client(at), SERVER, 0, SYN, &[]);
    out.tcp(SERVER, client(at), 0, SYN_ACK, &[]);
    let hello = client_hello(at);
    out.tcp(client(at), SERVER, 1, ACK, &hello);
    let mut sequence = 1;
    for part in flight.chunks(16_000) {
        out.tcp(SERVER, client(at), sequence, ACK, part);
        sequence += part.len() as u32;
    }
    (1 + hello.len() as u32, sequence)
}

fn record(kind: u8, body: &[u8]) -> Vec<u8> {
    let pieces = body.chunks(0x4000);
    pieces.flat_map(|piece| [&[kind, 3, 1][..], &(piece.len() as u16).to_be_bytes(), piece].concat()).collect()
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind][..], &(body.len() as u32).to_be_bytes()[1..], body].concat()
}

/// RFC 2246 section 7.4.1.2, with a random value of its own.
fn client_hello(number: u64) -> Vec<u8> {
    let random = number.to_be_bytes().repeat(4);
    record(22, &message(1, &[&[3, 1][..], &random, &[0, 0, 4, 0, 0x2f, 0, 0x35, 1, 0]].concat()))
}

fn server_hello() -> Vec<u8> {
    record(22, &message(2, &[&[3, 1][..], &[9; 32], &[0, 0, 0x2f, 0]].concat()))
}

/// ServerHello, Certificate, ServerHelloDone.
fn server_flight(list: &[u8]) -> Vec<u8> {
    let length = &(list.len() as u32).to_be_bytes()[1..];
    [server_hello(), record(22, &message(11, &[length, list].concat())), record(22, &message(14, &[]))].concat()
}

/// An entry of a certificate list: a certificate of the repository with a signature of its own, which is invalid.
fn certificate(number: u64) -> Vec<u8> {
    static DER: std::sync::LazyLock<Vec<u8>> = std::sync::LazyLock::new(|| {
        std::fs::read("tests/data/protocol/issuing.der").expect("run from the repository's root")
    });
    let mut der = DER.clone();
    // Its last field is the signature (RFC 5280 section 4.1).
    let end = der.len() - 8;
    der[end..].copy_from_slice(&number.to_be_bytes());
    [&(der.len() as u32).to_be_bytes()[1..], &der].concat()
}

fn empty_entries(count: u64) -> Box<dyn Read> {
    steps(count, |at, out| handshake(at, &[0; 3 * 300_000], out))
}

fn open_lists(count: u64) -> Box<dyn Read> {
    let flight = server_flight(&(0..1_000).flat_map(certificate).collect::<Vec<u8>>());
    steps(count, move |at, out| {
        hellos_and(at, &flight, out);
    })
}

fn damaged(count: u64) -> Box<dyn Read> {
    steps(count, |at, out| {
        out.tcp(client(at), SERVER, 0, SYN, &[]);
        for part in 0..16 {
            out.damaged(client(at), SERVER, 100 + part * 60_000, ACK, &[0x41; 60_000]);
        }
    })
}

fn fragments(count: u64) -> Box<dyn Read> {
    steps(count, |at, out| out.fragment(client(at >> 16), SERVER, at as u16, 0, true, &[0; 64]))
}

fn small_fragments(count: u64) -> Box<dyn Read> {
    steps(count, |at, out| {
        let (id, place) = ((at / 8_000) as u16, (at % 8_000 / 2 * 2) as u16);
        out.fragment(client(1), SERVER, id, place, true, &[at as u8; 8]);
    })
}

/// A section header and an interface of raw IP packets, then blocks.
fn pcapng(count: u64, block: impl Fn(u64, &mut Vec<u8>) + 'static) -> Box<dyn Read> {
    let section =
        [&[0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0][..], &[0xff; 8], &[28, 0, 0, 0]];
    let interface = [1, 0, 0, 0, 20, 0, 0, 0, 101, 0, 0, 0, 0, 0, 4, 0, 20, 0, 0, 0];
    let mut at = 0;
    Box::new(Made::bytes(&[&section.concat()[..], &interface].concat(), move |out| {
        if at < count {
            block(at, out);
        }
        at += 1;
        at < count
    }))
}

fn put(kind: u32, body: &[u8], out: &mut Vec<u8>) {
    let total = (12 + body.len().next_multiple_of(4)) as u32;
    out.extend(kind.to_le_bytes());
    out.extend(total.to_le_bytes());
    out.extend_from_slice(body);
    out.resize(out.len().next_multiple_of(4), 0);
    out.extend(total.to_le_bytes());
}

fn long_blocks(count: u64) -> Box<dyn Read> {
    pcapng(count, |_, out| out.extend([6, 0, 0, 0, 0xf0, 0xff, 0xff, 0xff, 0, 0, 0, 0]))
}

fn interfaces(count: u64) -> Box<dyn Read> {
    let name = [&[101, 0, 0, 0, 0, 0, 4, 0, 2, 0, 200, 0][..], &[b'n'; 200], &[0, 0, 0, 0]].concat();
    pcapng(count, move |_, out| put(1, &name, out))
}

fn names(count: u64) -> Box<dyn Read> {
    pcapng(count, |at, out| {
        let name = format!("host-{at:016}.example.com\0");
        let length = (4 + name.len()) as u16;
        let mut body = [1, 0].to_vec();
        body.extend(length.to_le_bytes());
        body.extend((at as u32).to_be_bytes());
        body.extend(name.as_bytes());
        body.resize(body.len().next_multiple_of(4), 0);
        body.extend([0; 4]);
        put(4, &body, out);
    })
}

fn empty_options(count: u64) -> Box<dyn Read> {
    let list = [&[101, 0, 0, 0, 0, 0, 4, 0][..], &[0, 0x70, 0, 0].repeat(1_000_000)].concat();
    pcapng(count, move |at, out| put(if at % 2 == 0 { 1 } else { 4 }, &list, out))
}

fn secrets(count: u64) -> Box<dyn Read> {
    pcapng(count, |at, out| {
        let log = format!("CLIENT_RANDOM {at:064x} {at:096x}\n");
        let mut body = 0x544c_534b_u32.to_le_bytes().to_vec();
        body.extend((log.len() as u32).to_le_bytes());
        body.extend(log.as_bytes());
        put(10, &body, out);
    })
}

/// The header of a pcap file, followed by zeros: packets of no bytes.
fn zeros(mebibytes: u64) -> impl Read {
    std::io::Cursor::new(pcap_header()).chain(std::io::repeat(0).take(mebibytes << 20))
}

fn gzip_bomb(mebibytes: u64) -> Box<dyn Read> {
    Box::new(flate2::read::GzEncoder::new(zeros(mebibytes), flate2::Compression::best()))
}

/// Blocks of RFC 8878 section 3.1.1.2 that repeat one byte 128 Ki times, four bytes each.
fn zstd_bomb(mebibytes: u64) -> Box<dyn Read> {
    let header = pcap_header();
    // Magic number, a frame without content size, a window of 128 KiB, a raw block.
    let mut start = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38].to_vec();
    start.extend(&((header.len() as u32) << 3).to_le_bytes()[..3]);
    start.extend(header);
    let (mut at, count) = (0, mebibytes * 8);
    Box::new(Made::bytes(&start, move |out| {
        at += 1;
        let last = at == count;
        if at <= count {
            out.extend(&(0x2_0000_u32 << 3 | 2 | u32::from(last)).to_le_bytes()[..3]);
            out.push(0);
        }
        at < count
    }))
}

fn nested(mebibytes: u64) -> Box<dyn Read> {
    let gzip = |read| flate2::read::GzEncoder::new(read, flate2::Compression::best());
    Box::new(gzip(Box::new(gzip(gzip_bomb(mebibytes))) as Box<dyn Read>))
}

/// Clients that each ask for certificates and are answered by this body in segments.
fn answers(count: u64, head: &'static str, body: Vec<u8>) -> Box<dyn Read> {
    steps(count, move |at, out| {
        let request = b"GET /CertProv/CertProvisioningService.svc HTTP/1.1\r\nHost: a\r\n\r\n";
        out.tcp(client(at), WEB, 0, SYN, &[]);
        out.tcp(WEB, client(at), 0, SYN_ACK, &[]);
        out.tcp(client(at), WEB, 1, ACK, request);
        let answer = [head.as_bytes(), &body].concat();
        let mut sequence = 1;
        for part in answer.chunks(16_000) {
            out.tcp(WEB, client(at), sequence, ACK, part);
            sequence += part.len() as u32;
        }
        out.tcp(WEB, client(at), sequence, FIN, &[]);
        out.tcp(client(at), WEB, 1 + request.len() as u32, FIN, &[]);
    })
}

fn http_bomb(mebibytes: u64) -> Box<dyn Read> {
    let mut body = Vec::new();
    let zeros = std::io::Cursor::new(*b"<?xml version=\"1.0\"?><a>").chain(std::io::repeat(b' ').take(mebibytes << 20));
    flate2::read::GzEncoder::new(zeros, flate2::Compression::best()).read_to_end(&mut body).expect("zeros");
    answers(4, "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Encoding: gzip\r\n\r\n", body)
}

fn nested_pkcs7(count: u64) -> Box<dyn Read> {
    let oid = [0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2, 0xa0, 0x80];
    let body = [&[0x30, 0x80][..], &oid].concat().repeat(30_000);
    answers(count, "HTTP/1.1 200 OK\r\nContent-Type: application/x-pkcs7-certificates\r\n\r\n", body)
}

fn xml_bomb(count: u64) -> Box<dyn Read> {
    let mut body = String::from("<?xml version=\"1.0\"?><!DOCTYPE l [<!ENTITY a \"MIIBMIIBMIIB\">");
    for (at, name) in ('b'..='k').enumerate() {
        let before = char::from(b'a' + at as u8);
        body += &format!("<!ENTITY {name} \"{}\">", format!("&{before};").repeat(10));
    }
    body += &format!("]><l>{}</l>", "&k;".repeat(50_000));
    answers(count, "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n", body.into_bytes())
}

fn deep_xml(count: u64) -> Box<dyn Read> {
    let body = format!("<?xml version=\"1.0\"?>{}", "<a><![CDATA[<?xml?>MIIB]]>&lt;a>".repeat(12_000));
    answers(count, "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n", body.into_bytes())
}

const CHUNKED: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/pkix-cert\r\nTransfer-Encoding: chunked\r\n\r\n";

fn small_chunks(count: u64) -> Box<dyn Read> {
    answers(count.div_ceil(100_000), CHUNKED, b"1;a=b\r\n0\r\n".repeat(count.min(100_000) as usize))
}

fn huge_chunks(count: u64) -> Box<dyn Read> {
    answers(count, CHUNKED, b"ffffffffffffffff\r\n0\r\nffffffffffffffffffff\r\n0".to_vec())
}

fn long_heads(count: u64) -> Box<dyn Read> {
    answers(count, "HTTP/1.1 200 OK\r\n", b"X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n".repeat(6_000))
}

fn requests(count: u64) -> Box<dyn Read> {
    let request = b"GET /CertProv/CertProvisioningService.svc HTTP/1.1\r\nHost: a\r\n\r\n";
    steps(count, move |at, out| {
        if at == 0 {
            out.tcp(client(1), WEB, 0, SYN, &[]);
        }
        out.tcp(client(1), WEB, 1 + at as u32 * request.len() as u32, ACK, request);
    })
}

fn long_requests(count: u64) -> Box<dyn Read> {
    let request = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(60_000));
    steps(count, move |at, out| {
        let (client, place) = (client(at / 250), (at % 250) as u32);
        if place == 0 {
            out.tcp(client, WEB, 0, SYN, &[]);
        }
        out.tcp(client, WEB, 1 + place * request.len() as u32, ACK, request.as_bytes());
    })
}

fn codings(count: u64) -> Box<dyn Read> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: 9\r\nContent-Encoding: {}\r\n\r\nx", "a,".repeat(30_000));
    answers(count, "", head.into_bytes())
}

/// Sixteen questions and 255 answers, all about one name of 250 octets that are written as four characters each.
fn long_names(count: u64) -> Box<dyn Read> {
    let label = |length: u8| [&[length][..], &vec![0xff; length.into()]].concat();
    let name = [label(63), label(63), label(63), label(58), vec![0]].concat();
    let again = (2..=16).flat_map(|kind| [0xc0, 12, 0, kind, 0, 1]).collect::<Vec<u8>>();
    let answer = [0xc0, 12, 0, 33, 0, 1, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 1, 0xc0, 12];
    let message =
        [&[0, 1, 0x81, 0x80, 0, 16, 0, 255, 0, 0, 0, 0][..], &name, &[0, 1, 0, 1], &again, &answer.repeat(255)]
            .concat();
    steps(count, move |at, out| out.udp((SERVER.0, 53), client(at), &message))
}

/// RFC 1035 section 4.1.
fn dns_flood(count: u64) -> Box<dyn Read> {
    let query = b"\0\x01\x01\0\0\x01\0\0\0\0\0\0\x0esipinternaltls\x07example\x03com\0\0\x21\0\x01";
    steps(count, move |at, out| out.udp(client(at), (SERVER.0, 53), query))
}

/// Handshakes whose CAs all vouch for one another, each in another order.
fn mesh(count: u64) -> Box<dyn Read> {
    let list = mesh_list();
    steps(count, move |at, out| {
        let mut list = list.clone();
        let length = list.len() - 1;
        list[1..].rotate_left(at as usize % length);
        let entries = list.iter().flat_map(|der| [&(der.len() as u32).to_be_bytes()[1..], der].concat());
        handshake(at, &entries.collect::<Vec<u8>>(), out);
    })
}

/// Certificates of CAs that all vouch for one another, below a leaf.
fn mesh_list() -> Vec<Vec<u8>> {
    const CAS: u64 = 12;
    let keys: Vec<_> = (0..=CAS).map(chains::Key::new).collect();
    let name = |at: usize| format!("O=Mesh/CN=CA {at}");
    let mut list = vec![chains::Draft::leaf(&keys[12], &name(0), &keys[0]).make().der().to_vec()];
    for subject in 0..12 {
        for issuer in (0..12).filter(|issuer| *issuer != subject) {
            let (subject_name, issuer_name) = (name(subject), name(issuer));
            let ca = chains::Draft::ca(&subject_name, &keys[subject], &issuer_name, &keys[issuer]);
            list.push(ca.make().der().to_vec());
        }
    }
    list
}
