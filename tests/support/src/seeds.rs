//! Seeds for the entries: what the repository's captures and test data give.
//!
//! In: `captures/`, `tests/data/`. Out: sound inputs for each entry. Bounded: by those files; large ones are left out.
//! Left to others: running them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use chaingap::Analyzer;
use chaingap::capture::{CaptureReader, LinkType};
use chaingap::decode::{Decoder, Packet};
use chaingap::flow::{FlowTable, Piece, Side};
use chaingap::limits::Limits;
use chaingap::render;

use crate::{entries, project};

/// Bytes of one side, or how many are missing.
type Said = (Side, Result<Vec<u8>, u64>);

/// Inputs by the name of their entry.
pub type Seeds = BTreeMap<&'static str, BTreeSet<Vec<u8>>>;

/// Writes seeds into a folder for each entry, as the fuzzers read them.
pub fn write(folder: &Path, seeds: &Seeds) {
    for (name, seeds) in seeds {
        let folder = folder.join(name);
        fs::create_dir_all(&folder).unwrap();
        for seed in seeds {
            let file = chaingap::x509::Digest::of(seed).to_string();
            fs::write(folder.join(&file[..16]), seed).unwrap();
        }
        println!("{name}: {} seeds, {} bytes", seeds.len(), seeds.iter().map(Vec::len).sum::<usize>());
    }
}

/// Every seed of the repository, by the name of its entry.
pub fn all() -> Seeds {
    let mut seeds = Seeds::new();
    let folders = [project("captures"), project("tests/data")];
    // The recordings of stacks are much alike: one of them stands for all.
    let wanted = |file: &String| !file.contains("/tests/stacks/") || file.contains("/openssl-3.");
    for file in folders.iter().flat_map(|folder| files(folder)).filter(wanted) {
        let Ok(bytes) = fs::read(&file) else { continue };
        let mut add = |name, prefix: &[u8], bytes: &[u8]| {
            if bytes.len() < 100_000 {
                seeds.entry(name).or_default().insert([prefix, bytes].concat());
            }
        };
        match file.rsplit_once('.').map_or("", |(_, kind)| kind) {
            "toml" => add("texts", &[1], &bytes),
            "keylog" | "keys" => add("texts", &[2], &bytes),
            "pem" | "der" | "p7b" | "cms" | "ber" => {
                add("certificate", &[], &bytes);
                add("body", &[0], &bytes);
            }
            "xml" | "mime" => add("body", &[3], &bytes),
            "bin" if file.contains("dhcp") => add("datagrams", &[0], &bytes),
            "bin" if file.contains("dns") => add("datagrams", &[1], &bytes),
            _ => capture_seeds(&mut seeds, &bytes),
        }
    }
    for name in chaingap::trust::Profile::names() {
        let text = chaingap::trust::Profile::builtin_text(name).unwrap();
        seeds.entry("texts").or_default().insert([&[0], text.as_bytes()].concat());
    }
    let lists: [&[u8]; 2] =
        [b"\0\x01\x01\x02\x02\x02\x01\x02\x02.", b"\0\x01\x01\x03\x03\x03\x01\x02\x82\x02\x03\x03\x02\x01\x01."];
    seeds.entry("paths").or_default().extend(lists.map(<[u8]>::to_vec));
    let segments = b"\xff\xff\xff\x00\x00\x00\x00\x40\x00\x00\x80\x40\x03\x00\x40\x40\x10\x00\x20\xff\x20\x17\x50\x20";
    seeds.entry("reassembly").or_default().insert(segments.to_vec());
    seeds
}

/// What one capture gives: itself, its frames, its conversations, its certificates and its report.
fn capture_seeds(seeds: &mut Seeds, bytes: &[u8]) {
    let Ok(report) = Analyzer::builder().build().unwrap().analyze(bytes, "capture") else { return };
    let mut add = |name, seed: Vec<u8>| {
        seeds.entry(name).or_default().insert(seed);
    };
    if bytes.len() < 40_000 {
        add("capture", bytes.to_vec());
        add("pcapng", blocks(bytes));
        add("reports", render::json_line(&report).into_bytes());
    }
    let limits = Limits::default();
    let (mut reader, mut decoder) = (CaptureReader::new(0), Decoder::new(&limits));
    let mut flows: FlowTable<Vec<Said>> = FlowTable::new(|_| Vec::new());
    let mut frames: BTreeMap<LinkType, Vec<Vec<u8>>> = BTreeMap::new();
    let mut rest = bytes;
    loop {
        while let Ok(Some(frame)) = reader.next_frame() {
            let kept = frames.entry(frame.link_type).or_default();
            if kept.len() < 8 {
                kept.push(frame.data.to_vec());
            }
            decoder.decode(&frame, &mut |packet| match packet {
                Packet::Tcp(segment) => {
                    let mut take = |said: &mut Vec<_>, side, piece: Piece<'_>, _| said.push(part(side, piece));
                    flows.segment(&segment, &limits, &mut take, |_| false);
                }
                Packet::Udp(datagram) => {
                    let of = |port| [datagram.source.port(), datagram.destination.port()].contains(&port);
                    let kinds: &[(u8, u16)] = &[(0, 67), (1, 53), (2, 123)];
                    for (kind, _) in kinds.iter().filter(|(_, port)| of(*port)) {
                        add("datagrams", [&[*kind], datagram.payload].concat());
                    }
                }
                Packet::Binding(_) => {}
                Packet::Link(frame) => {
                    add("datagrams", [&[3 + (frame.ether_type == 0x888e) as u8], frame.payload].concat())
                }
            });
        }
        if rest.is_empty() {
            break;
        }
        let space = reader.space();
        let count = space.len().min(rest.len());
        space[..count].copy_from_slice(&rest[..count]);
        rest = &rest[count..];
        reader.commit(count);
        if rest.is_empty() {
            reader.end();
        }
    }
    for (link_type, frames) in frames {
        add("decode", entries::write_frames(link_type, &frames));
    }
    for flow in flows.finish() {
        let script = entries::write_script(&flow.conversation);
        let first = flow.conversation.iter().find_map(|(_, part)| part.as_ref().ok()).cloned().unwrap_or_default();
        if script.len() > 40_000 || first.is_empty() {
            continue;
        }
        match first[0] {
            0x30 => add("ldap", script),
            0x16 | 0x15 => add("tls", [&[0][..], &script].concat()),
            _ => add("http", script),
        }
    }
}

fn part(side: Side, piece: Piece<'_>) -> Said {
    (
        side,
        match piece {
            Piece::Bytes(bytes) => Ok(bytes.to_vec()),
            Piece::Gap { missing, .. } => Err(missing),
        },
    )
}

/// The blocks of a pcapng file in the form of the entry; of another file nothing but the byte order.
fn blocks(file: &[u8]) -> Vec<u8> {
    const KINDS: [u32; 13] = [1, 2, 3, 4, 5, 6, 9, 10, 0x0bad, 0x4000_0bad, 0x0a0d_0d0a, 0x8000_0001, 0];
    let (mut out, mut rest) = (vec![0], file);
    while let Some((head, after)) = rest.split_first_chunk::<8>() {
        let word = |at: usize| u32::from_le_bytes(head[at..at + 4].try_into().unwrap());
        let (kind, total) = (word(0), word(4) as usize);
        let (Some(at), Some(body)) = (KINDS.iter().position(|k| *k == kind), after.get(..total.wrapping_sub(12)))
        else {
            break;
        };
        if let Ok(length) = u16::try_from(body.len()).map(u16::to_be_bytes)
            && kind != 0x0a0d_0d0a
        {
            out.extend([0x40 | u8::try_from(at).unwrap(), length[0], length[1]]);
            out.extend_from_slice(body);
        }
        rest = &rest[total..];
    }
    out
}

/// Files below a folder, in order.
fn files(folder: &Path) -> Vec<String> {
    let mut out = Vec::new();
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        match path.is_dir() {
            true => out.extend(files(&path)),
            false => out.push(path.to_str().unwrap().to_owned()),
        }
    }
    out.sort();
    out
}
