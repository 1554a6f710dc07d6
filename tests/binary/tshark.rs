//! The report held against Wireshark, sample by sample and stream by stream.
//!
//! In: the sample captures, with and without their key logs, `tshark` where it is installed. Out: certificates of both
//! sides, alerts, version, cipher suite and stream numbers are the same; without `tshark` a line that says that nothing was compared. Left to
//! others: what is concluded from them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use support::{share, tell};

/// What both programs say of one TCP stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Stream {
    client: String,
    server: String,
    server_certificates: Vec<String>,
    client_certificates: Vec<String>,
    /// Level, code, name, frame and whether the client sent it.
    alerts: Vec<(String, u64, String, u64, bool)>,
    /// The version in the ServerHello.
    version: Option<String>,
    cipher_suite: Option<String>,
}

type Streams = BTreeMap<u64, Stream>;

#[test]
fn every_sample_is_read_as_wireshark_reads_it() {
    let Some(names) = Names::of_tshark() else {
        return tell("SKIPPED: tshark is not installed, so NOTHING WAS COMPARED WITH WIRESHARK");
    };
    let samples: Vec<_> = share("tshark", samples()).collect();
    let half = samples.len().div_ceil(2);
    let compared: Vec<_> = thread::scope(|scope| {
        let compare = |(sample, keys): &Sample| {
            let keys = keys.as_deref();
            (wireshark(sample, keys, &names), report(sample, keys))
        };
        let halves: Vec<_> = samples
            .chunks(half)
            .map(|part| scope.spawn(move || part.iter().map(compare).collect::<Vec<_>>()))
            .collect();
        halves.into_iter().flat_map(|half| half.join().unwrap()).collect()
    });
    let mut total = Stream::default();
    let mut wrong = Vec::new();
    for ((sample, keys), (mut theirs, ours)) in samples.iter().zip(compared) {
        if keys.is_some() {
            shows_otherwise(sample, &mut theirs);
        }
        for stream in theirs.values() {
            total.server_certificates.extend(stream.server_certificates.iter().cloned());
            total.alerts.extend(stream.alerts.iter().cloned());
        }
        if theirs != ours {
            let keys = if keys.is_some() { " with its key log" } else { "" };
            wrong.push(format!("{}{keys}\n  Wireshark: {theirs:#?}\n  chaingap: {ours:#?}", sample.display()));
        }
    }
    // Two empty sides would agree as well.
    assert!(total.server_certificates.len() >= samples.len() && total.alerts.len() >= samples.len() / 3, "{total:?}");
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), samples.len(), wrong.join("\n"));
    tell(&format!(
        "compared with Wireshark: {} captures, {} certificates, {} alerts",
        samples.len(),
        total.server_certificates.len(),
        total.alerts.len()
    ));
}

/// Adjusts `theirs` where Wireshark 4.0 shows the same in another way.
fn shows_otherwise(sample: &Path, theirs: &mut Streams) {
    let mut streams = theirs.values_mut();
    match sample.file_stem().and_then(|stem| stem.to_str()) {
        // Wireshark shows both handshakes of the connection; the report's stream is the first.
        Some("keys-renegotiation") => streams.for_each(|stream| {
            let (first, second) = stream.server_certificates.split_at(2);
            assert_eq!(first, second);
            stream.server_certificates.truncate(2);
        }),
        // Wireshark names the message but does not decompress it: the certificate is the one that the server was
        // started with.
        Some("keys-compressed") => {
            let pem = fs::read_to_string(folder().join("pki/wingtip-server.pem")).unwrap();
            let text: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
            let der = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, text).unwrap();
            let stream = streams.next().unwrap();
            assert!(stream.server_certificates.is_empty());
            stream.server_certificates.push(in_hex(&Sha256::digest(der)));
        }
        _ => {}
    }
}

fn report(path: &Path, keys: Option<&Path>) -> Streams {
    let run = Command::new(env!("CARGO_BIN_EXE_chaingap"))
        .args(["analyze", "--all-handshakes", "--profile", "none", "--fail-on", "never", "--format", "json"])
        .args(keys.iter().flat_map(|keys| [Path::new("--keylog"), keys]))
        .arg(path)
        .output()
        .unwrap();
    assert!(run.status.success(), "{}: {}", path.display(), String::from_utf8_lossy(&run.stderr));
    let report: Value = serde_json::from_slice(&run.stdout).unwrap();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let texts = |value: &Value| list(value).filter_map(text).collect::<Vec<_>>();
    let mut streams = Streams::new();
    for handshake in list(&report["devices"]).flat_map(|device| list(&device["handshakes"])) {
        let number = handshake["stream"].as_u64().unwrap_or_else(|| panic!("{}: no stream", path.display()));
        let stream = streams.entry(number).or_default();
        stream.client = text(&handshake["client"]).unwrap();
        stream.server = text(&handshake["server"]).unwrap();
        stream.server_certificates.extend(texts(&handshake["certificates"]));
        stream.client_certificates.extend(texts(&handshake["client_certificates"]));
        stream.version = text(&handshake["version"]);
        stream.cipher_suite = text(&handshake["cipher_suite"]);
        stream.alerts.extend(list(&handshake["alerts"]).map(|alert| {
            let number = |member: &str| alert[member].as_u64().unwrap();
            let (level, name) = (text(&alert["level"]).unwrap(), text(&alert["name"]).unwrap());
            (level, number("code"), name, number("frame"), alert["from"] == "client")
        }));
    }
    streams
}

fn wireshark(path: &Path, keys: Option<&Path>, names: &Names) -> Streams {
    const FIELDS: [&str; 15] = [
        "tcp.stream",
        "frame.number",
        "ip.src",
        "ipv6.src",
        "tcp.srcport",
        "ip.dst",
        "ipv6.dst",
        "tcp.dstport",
        "tls.handshake.type",
        "tls.handshake.certificate",
        "tls.alert_message.level",
        "tls.alert_message.desc",
        "tls.handshake.ciphersuite",
        "tls.handshake.version",
        "tls.handshake.extensions.supported_version",
    ];
    let mut command = Command::new("tshark");
    command.args(["-n", "-o", "tcp.reassemble_out_of_order:TRUE", "-o", "tcp.try_heuristic_first:TRUE"]);
    if let Some(keys) = keys {
        command.arg("-o").arg(format!("tls.keylog_file:{}", keys.display()));
    }
    command.args(["-Y", "tls && tcp", "-T", "fields", "-E", "separator=|", "-E", "aggregator=,", "-r"]).arg(path);
    FIELDS.iter().for_each(|field| {
        command.args(["-e", field]);
    });
    let run = command.output().unwrap();
    assert!(run.status.success(), "{}: {}", path.display(), String::from_utf8_lossy(&run.stderr));
    let mut streams = Streams::new();
    for line in String::from_utf8(run.stdout).unwrap().lines() {
        let columns: Vec<_> = line.split('|').collect();
        let [
            stream,
            frame,
            from4,
            from6,
            from_port,
            to4,
            to6,
            to_port,
            types,
            certificates,
            levels,
            codes,
            suites,
            version,
            supported,
        ] = columns[..]
        else {
            panic!("{line}");
        };
        let (from, to) = (format!("{from4}{from6}:{from_port}"), format!("{to4}{to6}:{to_port}"));
        let types: Vec<_> = values(types).collect();
        let stream = streams.entry(stream.parse().unwrap()).or_default();
        if types.contains(&"1") {
            (stream.client, stream.server) = (from.clone(), to);
        }
        let by_client = from == stream.client;
        let list = if by_client { &mut stream.client_certificates } else { &mut stream.server_certificates };
        list.extend(values(certificates).map(fingerprint));
        stream.alerts.extend(values(levels).zip(values(codes)).map(|(level, code)| {
            let level = names.name("tls.alert_message.level", level).to_lowercase();
            let name = names.name("tls.alert_message.desc", code).to_lowercase().replace(' ', "_");
            (level, code.parse().unwrap(), name, frame.parse().unwrap(), by_client)
        }));
        if types.contains(&"2") {
            // In TLS 1.3 the version agreed on is in an extension (RFC 8446, section 4.2.1).
            let version = values(supported).chain(values(version)).next().unwrap();
            stream.version = Some(names.name("tls.record.version", version));
            stream.cipher_suite = values(suites).next().map(|suite| names.name("tls.handshake.ciphersuite", suite));
        }
    }
    streams
}

/// The names that Wireshark has for numbers.
struct Names(BTreeMap<(String, u64), String>);

impl Names {
    /// `None` where there is no `tshark`.
    fn of_tshark() -> Option<Self> {
        let run = Command::new("tshark").args(["-G", "values"]).output().ok()?;
        let text = String::from_utf8_lossy(&run.stdout);
        let mut names = BTreeMap::new();
        for line in text.lines() {
            if let ["V", field, value, name] = line.split('\t').collect::<Vec<_>>()[..]
                && field.starts_with("tls.")
            {
                names.insert((field.to_owned(), number(value)), name.to_owned());
            }
        }
        Some(Self(names))
    }

    fn name(&self, field: &str, value: &str) -> String {
        self.0.get(&(field.to_owned(), number(value))).unwrap_or_else(|| panic!("{field} {value}")).clone()
    }
}

fn number(text: &str) -> u64 {
    let parsed = text.strip_prefix("0x").map_or_else(|| text.parse(), |digits| u64::from_str_radix(digits, 16));
    parsed.unwrap_or(u64::MAX)
}

fn values(column: &str) -> impl Iterator<Item = &str> {
    column.split(',').filter(|value| !value.is_empty())
}

/// SHA-256 of bytes, both in hexadecimal.
fn fingerprint(hex: &str) -> String {
    let digits: Vec<_> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    let der: Vec<u8> = digits.chunks(2).map(byte).collect();
    in_hex(&Sha256::digest(der))
}

fn in_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// A capture, and the key log to read it with.
type Sample = (PathBuf, Option<PathBuf>);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("captures")
}

/// Every sample, and again with its key log if it has one.
fn samples() -> Vec<Sample> {
    let entries = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let is_capture = |path: &PathBuf| path.extension().is_some_and(|end| end == "pcap" || end == "pcapng");
    // Wireshark shows nothing of a handshake whose packets were cut.
    let is_cut = |path: &PathBuf| path.ends_with("cut-inside.pcapng");
    let mut paths: Vec<_> = entries.filter(is_capture).filter(|path| !is_cut(path)).collect();
    paths.sort();
    let keyed = paths.iter().map(|path| (path.clone(), path.with_extension("keys"))).filter(|(_, keys)| keys.exists());
    let keyed: Vec<Sample> = keyed.map(|(path, keys)| (path, Some(keys))).collect();
    paths.into_iter().map(|path| (path, None)).chain(keyed).collect()
}
