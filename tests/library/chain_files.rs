//! In: chain files put together at random from certificates, sound and broken blocks, keys and any text. Out: failed tests
//! where `preflight` says that a chain works which does not hold for what a server would send of the file. Bounded: some
//! hundred files. Left to others: what is said where a chain does not hold.
//!
//! What a server sends is read here line by line, as OpenSSL's `PEM_read_bio` does, and judged by rustls-webpki.

use std::sync::{Arc, LazyLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chaingap::Analyzer;
use chaingap::capture::Timestamp;
use chaingap::report::Prospect;
use chaingap::trust::{Profile, read_chain};
use chaingap::x509::Certificate;
use proptest::prelude::*;
use support::chains::{Draft, Key};

use super::properties::ask_webpki;

/// Within the dates of the certificates made here.
const DATE: i64 = 1_700_000_000;
const HOST: &str = "server.example.com";

/// The certificates of a sound chain, and strangers.
struct Material {
    root: Arc<Certificate>,
    all: Vec<Arc<Certificate>>,
    /// Those that are for the host asked for.
    for_host: Vec<Arc<Certificate>>,
}

static MATERIAL: LazyLock<Material> = LazyLock::new(|| {
    let keys: Vec<Key> = (1..8).map(Key::new).collect();
    let (root_name, ca_name, other_name) = ("O=Example/CN=Root", "O=Example/CN=CA", "O=Other/CN=Root");
    let root = Draft::root(root_name, &keys[0]).make();
    let ca = Draft::ca(ca_name, &keys[1], root_name, &keys[0]).make();
    let leaf = Draft::leaf(&keys[2], ca_name, &keys[1]).make();
    // Issued by the root itself, for this host and for another one.
    let direct = Draft { serial: 2, ..Draft::leaf(&keys[3], root_name, &keys[0]) }.make();
    let hosts = ["other.example.com".to_owned()];
    let elsewhere = Draft {
        subject: "CN=other.example.com",
        hosts: &hosts,
        serial: 3,
        ..Draft::leaf(&keys[3], root_name, &keys[0])
    };
    let other_root = Draft::root(other_name, &keys[4]).make();
    let untrusted = Draft::leaf(&keys[5], other_name, &keys[4]).make();
    // A namesake of the intermediate with another key, and one that is no CA.
    let namesake = Draft::ca(ca_name, &keys[6], root_name, &keys[0]).make();
    let not_a_ca = Draft { ca: false, ..Draft::ca("O=Example/CN=No CA", &keys[6], root_name, &keys[0]) }.make();
    let below = Draft::leaf(&keys[5], "O=Example/CN=No CA", &keys[6]).make();
    let for_host = [&leaf, &direct, &untrusted, &not_a_ca, &below].map(Arc::clone).to_vec();
    let all =
        vec![leaf, ca, direct, Arc::clone(&root), elsewhere.make(), other_root, untrusted, namesake, not_a_ca, below];
    Material { root, all, for_host }
});

/// A certificate's block, as programs write it.
fn block(certificate: &Certificate) -> String {
    let letters = STANDARD.encode(certificate.der());
    let lines: Vec<_> = letters.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

/// One of the ways in which blocks are broken, or are not seen.
fn broken(block: &str, how: usize) -> String {
    match how {
        0 => block.trim_end().to_owned(),
        1 => format!("x{block}"),
        2 => block.replacen("-----\n", "-----x\n", 1),
        3 => block.replace("-----END CERTIFICATE-----", "-----END X509 CERTIFICATE-----"),
        4 => block.replace("-----END CERTIFICATE-----\n", ""),
        5 => block.replacen("-----BEGIN", "----BEGIN", 1),
        6 => block.replacen('M', "!", 1),
        7 => block.replacen("\nM", "\nMM", 1),
        8 => block.replace('\n', "\r\n"),
        9 => block.replace('\n', "\r"),
        10 => block.replace("CERTIFICATE", "TRUSTED CERTIFICATE"),
        11 => block.replace("CERTIFICATE", "X509 CERTIFICATE"),
        12 => block.replace("CERTIFICATE", "PKCS7"),
        13 => block.chars().take(block.len() / 2).collect::<String>() + "\n",
        14 => block.replacen("\n", "\n\n", 3),
        15 => block.replace("-----END", " -----END"),
        16 => block.replace('\n', "\n> "),
        17 => block.replacen("\n", " \t\n", 1),
        _ => serde_json::to_string(block).unwrap() + "\n",
    }
}

/// What stands between certificates.
const TEXTS: &[&str] = &[
    "",
    "\n",
    "# a comment\n",
    "x",
    "subject=CN = server.example.com\nissuer=CN = CA\n",
    "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    "-----BEGIN X-----\n",
    "-----END CERTIFICATE-----\n",
    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
    "-----BEGIN X-----\n-----END X-----\n",
    "-----BEGIN DH PARAMETERS-----\nAA!A\n-----END DH PARAMETERS-----\n",
];

fn piece() -> impl Strategy<Value = String> {
    let certificate = (0..MATERIAL.all.len()).prop_map(|at| block(&MATERIAL.all[at]));
    let spoilt = (0..MATERIAL.all.len(), 0..19_usize).prop_map(|(at, how)| broken(&block(&MATERIAL.all[at]), how));
    let text = prop::sample::select(TEXTS).prop_map(str::to_owned);
    // A sound chain comes up often: it is what the other pieces are put around.
    let sound = Just(block(&MATERIAL.all[0]) + &block(&MATERIAL.all[1]));
    prop_oneof![4 => certificate, 3 => spoilt, 3 => text, 3 => sound, 1 => "[ -~\n]{0,20}"]
}

/// The certificates that a server sends of a file; `None` if it cannot read the file.
fn sent(text: &str) -> Option<Vec<Vec<u8>>> {
    let mut out = Vec::new();
    let mut lines = text.split('\n').map(str::trim_ascii_end);
    while let Some(line) = lines.next() {
        let label = line.strip_prefix("-----BEGIN ").and_then(|rest| rest.strip_suffix("-----"));
        let Some(label) = label.filter(|label| !label.is_empty() && !label.contains("-----")) else { continue };
        let (mut body, mut closed) = (String::new(), false);
        for (at, line) in lines.by_ref().enumerate() {
            if let Some(end) = line.strip_prefix("-----END ") {
                closed = end.strip_suffix("-----") == Some(label);
                break;
            }
            if line.is_empty() && at > 0 {
                return None;
            }
            body += line.trim_ascii();
        }
        let der = STANDARD.decode(&body).ok().filter(|der| closed && !der.is_empty())?;
        match label {
            "CERTIFICATE" | "X509 CERTIFICATE" => out.push(der),
            "TRUSTED CERTIFICATE" if out.is_empty() => out.push(der),
            _ => {}
        }
    }
    Some(out)
}

/// Whether a client takes what a server sends of a file.
fn holds(text: &str) -> bool {
    let Some(sent) = sent(text) else { return false };
    let certificates: Vec<_> = sent.iter().map(|der| Arc::new(Certificate::from_der(der))).collect();
    let Some((own, others)) = certificates.split_first() else { return false };
    let known = certificates.iter().all(|certificate| MATERIAL.all.contains(certificate));
    known && MATERIAL.for_host.contains(own) && ask_webpki(own, &MATERIAL.root, others, DATE).is_ok()
}

fn works(text: &str) -> bool {
    let analyzer = Analyzer::builder().root("root.pem", block(&MATERIAL.root).as_bytes()).build().unwrap();
    let profile = Profile::builtin("generic-no-aia").unwrap();
    let file = read_chain(text.as_bytes());
    let report = analyzer.preflight("chain.pem", &file, Some(HOST), &[profile], Timestamp::from_seconds(DATE));
    report.profiles[0].usb == Prospect::Works
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_does_not_hold_for_what_a_server_sends_never_works(pieces in prop::collection::vec(piece(), 1..7)) {
        let text = pieces.concat();
        prop_assert!(holds(&text) || !works(&text), "{}", text);
    }
}

#[test]
fn a_sound_chain_works_whatever_harmless_text_is_around_it() {
    let (leaf, ca, direct) = (block(&MATERIAL.all[0]), block(&MATERIAL.all[1]), block(&MATERIAL.all[2]));
    for text in ["", "\n", "# a comment\n", TEXTS[4], TEXTS[5]] {
        for chain in [vec![&leaf, &ca], vec![&direct]] {
            let file: String = chain.iter().map(|block| format!("{text}{block}")).collect::<String>() + text;
            assert!(holds(&file) && works(&file), "{file}");
        }
    }
    // An independent witness: the file of a leaf alone does not hold, and neither does one whose order is reversed.
    for file in [leaf.clone(), format!("{ca}{leaf}")] {
        assert!(!holds(&file) && !works(&file), "{file}");
    }
}
