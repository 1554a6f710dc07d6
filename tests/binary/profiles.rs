//! Device profiles, as users meet them.
//!
//! In: the program, profile files made here. Out: what is promised about the list, a profile shown, the template, wrong
//! names and wrong files holds. Left to others: what each fact does to a verdict, and every mistake that a file can hold
//! (the tests beside the format).

use std::fs;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

const NAMES: [&str; 6] = [
    "lync-phone-edition",
    "lync-phone-edition-old-firmware",
    "generic-no-aia",
    "android-teams-phone",
    "windows-pc",
    "rfc5280",
];
const USB: &str = "captures/usb-sign-in.pcapng";

#[test]
fn the_list_has_a_line_for_each_profile() {
    let run = chaingap(&["profiles"]);
    assert_eq!((run.status, run.stderr.as_str()), (0, ""));
    let lines: Vec<_> = run.stdout.lines().collect();
    assert_eq!(lines.iter().map(|line| line.split(' ').next().unwrap()).collect::<Vec<_>>(), NAMES);
    let listed = json(&["profiles", "--format", "json"]);
    for (line, profile) in lines.iter().zip(list(&listed["profiles"])) {
        assert!(line.chars().count() <= 100 && line.ends_with(text(&profile["description"])), "{line}");
    }
}

#[test]
fn a_profile_shows_every_fact_with_its_provenance_and_source() {
    for name in NAMES {
        let shown = chaingap(&["profiles", name]);
        assert_eq!((shown.status, shown.stderr.as_str()), (0, ""), "{name}");
        let widest = shown.stdout.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(widest <= 100, "{name}: {widest} columns");
        let report = json(&["profiles", name, "--format", "json"]);
        assert_eq!(text(&report["schema"]), "chaingap.profiles/1");
        let [profile] = &report["profiles"].as_array().unwrap()[..] else { panic!("{name}: one profile") };
        assert_eq!(text(&profile["name"]), name);
        let words = shown.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        for fact in list(&profile["facts"]) {
            let (says, source) = (text(&fact["words"]), fact["source"].as_str());
            match fact["provenance"].as_str() {
                Some(how) => {
                    assert!(["doc", "measured", "inferred", "unverified"].contains(&how), "{fact}");
                    assert!(source.is_some_and(|source| source.len() > 10) && !fact["value"].is_null(), "{fact}");
                    assert!(words.contains(&format!("{how} {says} – {}", source.unwrap())), "{name}: {fact}");
                }
                // A fact without proof holds for any device, or is not known.
                None => {
                    assert!(text(&fact["key"]).starts_with("fetches.") || fact["value"].is_null(), "{fact}");
                    assert!(source.is_none() && words.contains(says), "{name}: {fact}");
                }
            }
        }
        for anchor in list(&profile["anchors"]) {
            let (label, date) = (text(&anchor["label"]), &text(&anchor["not_after"])[..10]);
            let row = format!("{label} {} {date} {} [", text(&anchor["key"]), text(&anchor["provenance"]));
            assert!(words.contains(&row) && words.contains(text(&anchor["source"])), "{name}: {row}");
        }
    }
}

#[test]
fn the_template_is_a_profile_to_start_from() {
    let template = chaingap(&["profiles", "--template"]);
    assert_eq!((template.status, template.stderr.as_str()), (0, ""));
    let folder = TempDir::new().unwrap();
    let file = write(&folder, "my-phone.toml", &template.stdout);
    let shown = chaingap(&["profiles", &file]);
    assert_eq!((shown.status, shown.stderr.as_str()), (0, ""));
    assert!(shown.stdout.starts_with("my-phone\n") && shown.stdout.contains("speaks TLS 1.0 to TLS 1.2"));
    let report = json(&["analyze", USB, "--profile", &file, "--format", "json"]);
    assert_eq!(report["devices"][0]["profile"], serde_json::json!({ "name": "my-phone", "basis": "given" }));
}

#[test]
fn the_template_goes_to_the_file_that_is_named() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("mine.toml");
    let run = chaingap(&["profiles", "--template", "-o", file.to_str().unwrap()]);
    assert_eq!((run.status, run.stdout.as_str()), (0, ""));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), chaingap(&["profiles", "--template"]).stdout);
}

#[test]
fn a_profile_based_on_another_differs_where_it_says_so() {
    let folder = TempDir::new().unwrap();
    let text = "name = \"mine\"\ndescription = \"d\"\nbased_on = \"lync-phone-edition\"\n\
                without_anchors = [\"Thawte Server CA\"]\n\
                sni = { value = true, provenance = \"measured\", source = \"seen in its hellos\" }\n";
    let mine = json(&["profiles", &write(&folder, "mine.toml", text), "--format", "json"]);
    let base = json(&["profiles", "lync-phone-edition", "--format", "json"]);
    let (mine, base) = (&mine["profiles"][0], &base["profiles"][0]);
    assert_eq!((&mine["based_on"], &base["based_on"]), (&"lync-phone-edition".into(), &Value::Null));
    let others = |profile: &Value, of: &str, key: &str, without: &str| -> Vec<Value> {
        list(&profile[of]).filter(|entry| entry[key] != without).cloned().collect()
    };
    assert_eq!(others(mine, "facts", "key", "sni"), others(base, "facts", "key", "sni"));
    assert_eq!(list(&mine["facts"]).find(|fact| fact["key"] == "sni").unwrap()["value"], true);
    assert_eq!(others(mine, "anchors", "label", ""), others(base, "anchors", "label", "Thawte Server CA"));
}

/// The phone refuses a complete chain with unknown_ca; that it has the root is known only from its profile.
#[test]
fn a_root_without_a_source_does_not_rule_out_that_the_device_lacks_it() {
    let folder = TempDir::new().unwrap();
    let root = std::fs::read_to_string("captures/pki/tailspin-root.pem").unwrap();
    let pem = &root[root.find("-----BEGIN").unwrap()..];
    for (provenance, excluded) in [("unverified", false), ("doc", true)] {
        let profile = format!(
            "name = \"third-floor\"\ndescription = \"x\"\n[[anchors]]\nlabel = \"Root\"\nprovenance = \"{provenance}\"\n\
             source = \"y\"\ncertificate = \"\"\"\n{pem}\"\"\"\n"
        );
        let profile = write(&folder, "third-floor.toml", profile);
        let capture = "captures/trusted-chain-refused.pcapng";
        let report = json(&["analyze", capture, "--profile", &profile, "--format", "json", "--fail-on", "never"]);
        let finding = &report["findings"][0];
        assert_eq!(finding["code"], "CG023", "{finding}");
        let mut listed = list(&finding["excluded"]).filter(|cause| cause["cause"] == "untrusted-root");
        assert_eq!(listed.next().unwrap()["excluded"], excluded, "{finding}");
    }
}

/// What each recording's client is, by captures/README.md: OpenSSL at TLS 1.0 without a server name stands in for the phone.
#[test]
fn only_what_may_be_a_lync_phone_is_assumed_to_be_one() {
    for (capture, expected) in [
        ("captures/usb-sign-in.pcapng", ("lync-phone-edition", "recognized")),
        ("captures/expired.pcap", ("lync-phone-edition", "assumed")),
        // TLS 1.2, and a server name.
        ("captures/java-missing-intermediate.pcapng", ("generic-no-aia", "assumed")),
        // A client that falls back from TLS 1.2 to TLS 1.0.
        ("captures/version-fallback.pcapng", ("generic-no-aia", "assumed")),
        // An AudioCodes phone, which uses the same DHCP options and web service.
        ("captures/other-maker.pcapng", ("generic-no-aia", "assumed")),
    ] {
        let device = &json(&["analyze", capture, "--format", "json", "--fail-on", "never"])["devices"][0];
        let profile = &device["profile"];
        assert_eq!((text(&profile["name"]), text(&profile["basis"])), expected, "{capture}");
    }
}

#[test]
fn a_phone_that_the_user_names_is_a_phone() {
    let folder = TempDir::new().unwrap();
    let text_of = |base: &str| format!("name = \"ours\"\ndescription = \"d\"\nbased_on = \"{base}\"\n");
    let ours = write(&folder, "ours.toml", text_of("lync-phone-edition-old-firmware"));
    // Nothing in expired.pcap shows what the client is, and it begins with the handshake's connection.
    for (capture, profile, method) in [
        ("captures/expired.pcap", "auto", "unknown"),
        ("captures/expired.pcap", "lync-phone-edition", "usb-tethered"),
        ("captures/expired.pcap", &ours, "usb-tethered"),
        ("captures/expired.pcap", "generic-no-aia", "unknown"),
        // It fetches its chain from a CA's web pages before the first hello.
        ("captures/fetch-p7b.pcapng", "lync-phone-edition", "unknown"),
    ] {
        let arguments = ["analyze", capture, "--profile", profile, "--format", "json", "--fail-on", "never"];
        let sign_in = &json(&arguments)["devices"][0]["sign_in"];
        assert_eq!(text(&sign_in["method"]), method, "{capture} {profile}");
        assert_eq!(text(&sign_in["strength"]), "consistent-with", "{capture} {profile}");
        let begins = list(&sign_in["basis"]).any(|it| text(&it["signal"]).contains("the capture begins with"));
        assert_eq!(begins, method == "usb-tethered", "{sign_in}");
    }
}

#[test]
fn a_wrong_name_is_one_line_that_gives_the_names() {
    for arguments in [&["profiles", "lync-phone"][..], &["analyze", USB, "--profile", "lync-phone"]] {
        let run = chaingap(arguments);
        assert_eq!((run.status, run.stdout.as_str(), run.stderr.lines().count()), (2, "", 1), "{}", run.stderr);
        assert!(run.stderr.contains("\"lync-phone\""), "{}", run.stderr);
        assert!(NAMES.iter().all(|name| run.stderr.contains(name)), "{}", run.stderr);
    }
    assert_eq!(chaingap(&["profiles", "windows-pc", "--template"]).status, 2);
}

#[test]
fn a_wrong_file_is_one_line_with_its_line_key_and_reason() {
    let folder = TempDir::new().unwrap();
    let template = chaingap(&["profiles", "--template"]).stdout;
    let line_of = |start: &str| 1 + template.lines().position(|line| line.starts_with(start)).unwrap();
    let mistakes = [
        ("max = \"TLS 1.2\"", "max = \"TLS 2\"", line_of("tls_versions"), "tls_versions.value.max", "no such version"),
        ("sni = { value = true", "sni = { value = \"yes\"", line_of("sni"), "sni.value", "invalid type"),
        ("http = ", "https = ", line_of("http"), "fetches.https", "unknown variant"),
        ("[\"basic-constraints\"]", "[\"luck\"]", line_of("checks"), "checks.value", "unknown variant `luck`"),
        ("algorithm = \"ed25519\"\n", "", line_of("[[unsupported]]"), "unsupported.algorithm", "missing field"),
        ("wildcard_san", "wildcards", line_of("wildcard_san"), "wildcards", "unknown field"),
        ("# without_anchors", "without_anchors", line_of("# without_anchors"), "without_anchors", "based_on"),
        ("anchors_complete = false", "anchors_complete = ", line_of("anchors_complete"), "", ""),
    ];
    for (right, wrong, line, key, reason) in mistakes {
        assert!(template.contains(right), "{right}");
        let file = write(&folder, "wrong.toml", template.replace(right, wrong));
        for arguments in [&["profiles", file.as_str()][..], &["analyze", USB, "--profile", &file]] {
            let run = chaingap(arguments);
            assert_eq!((run.status, run.stdout.as_str(), run.stderr.lines().count()), (2, "", 1), "{}", run.stderr);
            let start = format!("chaingap: {file}: line {line}: {key}");
            assert!(run.stderr.starts_with(&start) && run.stderr.contains(reason), "{start}\n{}", run.stderr);
        }
    }
    for (path, reason) in [
        (write(&folder, "binary.toml", [0xff, 0, 0xfe]), "not a text file"),
        (folder.path().to_str().unwrap().to_owned(), "directory"),
    ] {
        let run = chaingap(&["profiles", &path]);
        assert_eq!((run.status, run.stderr.lines().count()), (2, 1), "{}", run.stderr);
        assert!(run.stderr.contains(&path) && run.stderr.contains(reason), "{}", run.stderr);
    }
}

#[test]
fn nothing_in_a_file_steers_the_terminal() {
    let folder = TempDir::new().unwrap();
    let escape = "\\u001b[2J\\u202e";
    let text = format!(
        "name = \"n{escape}\"\ndescription = \"d{escape}\\nsecond\"\n\
         sni = {{ value = true, provenance = \"doc\", source = \"s{escape}\" }}\n"
    );
    let run = chaingap(&["profiles", &write(&folder, "hostile.toml", &text)]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(!run.stdout.contains(['\u{1b}', '\u{202e}']) && run.stdout.contains("\\u{1b}[2J"), "{}", run.stdout);
    let wrong = chaingap(&["profiles", &write(&folder, "wrong.toml", text.replace("\"doc\"", "\"\\u001b[2J\""))]);
    assert_eq!((wrong.status, wrong.stderr.lines().count()), (2, 1));
    assert!(!wrong.stderr.contains('\u{1b}'), "{:?}", wrong.stderr);
}

struct Run {
    status: i32,
    stdout: String,
    stderr: String,
}

fn chaingap(arguments: &[&str]) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chaingap"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).env_remove("COLUMNS").args(arguments);
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Run { status: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&chaingap(arguments).stdout).unwrap()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().unwrap().iter()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn write(folder: &TempDir, name: &str, contents: impl AsRef<[u8]>) -> String {
    let path = folder.path().join(name);
    fs::write(&path, contents).unwrap();
    path.to_str().unwrap().to_owned()
}
