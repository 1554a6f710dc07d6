//! `chaingap compare`, as users and scripts meet it.
//!
//! In: the program, the sample captures, captures made from them. Out: it concludes what is true of them by how they
//! were recorded (`captures/README.md`); frame numbers are Wireshark's. Left to others: how stories align in cases that
//! no sample shows (`compare_alignment.rs`).

use std::fs;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

const ROOTS: [&str; 2] = ["--roots", "captures/pki/root.pem"];
const PIN: &str = "captures/pin-sign-in.pcapng";
const USB: &str = "captures/usb-sign-in.pcapng";
const TWO: &str = "captures/two-phones.pcapng";
const FULL_CHAIN: &str = "captures/usb-full-chain.pcapng";

/// The result of one run.
struct Run {
    status: i32,
    stdout: String,
    stderr: String,
}

fn run(arguments: &[&str], columns: &str) -> Run {
    let program = Command::new(env!("CARGO_BIN_EXE_chaingap"))
        .arg("compare")
        .args(arguments)
        .env("COLUMNS", columns)
        .output()
        .expect("the program runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Run { status: program.status.code().unwrap_or(-1), stdout: text(program.stdout), stderr: text(program.stderr) }
}

/// Exit status and the comparison.
fn compare(arguments: &[&str]) -> (i32, Value) {
    let run = run(&[arguments, &ROOTS, &["--format", "json"]].concat(), "110");
    let value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{arguments:?}: {}", run.stderr));
    (run.status, value)
}

/// Exit status and the conclusion.
fn conclusion(arguments: &[&str]) -> (i32, String) {
    let (status, value) = compare(arguments);
    (status, value["conclusion"].as_str().expect("a conclusion").to_owned())
}

fn assert_says(arguments: &[&str], status: i32, words: &[&str]) {
    let (got, said) = conclusion(arguments);
    assert_eq!(got, status, "{arguments:?}: {said}");
    for word in words {
        assert!(said.contains(word), "{arguments:?}: {word:?} is not in: {said}");
    }
}

/// The steps of one kind.
fn steps<'v>(value: &'v Value, kind: &str) -> Vec<&'v Value> {
    value["steps"].as_array().unwrap().iter().filter(|step| step["kind"] == kind).collect()
}

fn finding_of<'v>(value: &'v Value, side: &str) -> &'v Value {
    let id = &value[side]["verdict"]["finding"];
    value["findings"].as_array().unwrap().iter().find(|finding| finding["id"] == *id).expect("a headline")
}

#[test]
fn the_pin_trace_shows_what_the_usb_one_lacks() {
    let (status, value) = compare(&[PIN, USB]);
    assert_eq!(status, 1);
    assert_eq!(value["schema"], "chaingap.compare/1");
    assert_eq!((&value["comparable"], &value["agree"]), (&true.into(), &false.into()));
    assert_eq!(
        value["conclusion"],
        "the good trace downloads CN=Northwind Issuing CA 1 and CN=Northwind Policy CA 1 on port 80 in frames 18–24 \
         before its first handshake; the bad one never asks, and its server sends the leaf alone"
    );
    // Proven for the bad trace, because the certificate that the good one downloaded verifies in its chain.
    let finding = finding_of(&value, "bad");
    assert_eq!((&finding["code"], &finding["proof"]), (&"CG001".into(), &"proven".into()));
    assert_eq!(value["finding"], finding["id"]);
    for missing in finding["missing"].as_array().unwrap() {
        let found = &missing["candidates"][0]["found_in"][0];
        assert_eq!((&found["capture"], &found["frame"]), (&PIN.into(), &24.into()));
    }
    let parting = &value["steps"][usize::try_from(value["parting"].as_u64().unwrap()).unwrap()];
    assert_eq!((&parting["kind"], &parting["bad"]), (&"fetch".into(), &Value::Null));
    assert_eq!((&parting["good"]["frame"], &parting["good"]["last_frame"]), (&18.into(), &24.into()));
    // The phones' own addresses do not count as a difference; names and servers are the same.
    for step in steps(&value, "dhcp").into_iter().chain(steps(&value, "dns")) {
        assert_eq!(step["differs"], false, "{step}");
    }
    let tls = steps(&value, "handshake");
    assert_eq!(tls.len(), 1);
    let (good, bad) = (&tls[0]["good"], &tls[0]["bad"]);
    assert_eq!((&good["frame"], &good["outcome"]), (&34.into(), &"completed".into()));
    assert_eq!((&bad["frame"], &bad["outcome"]), (&18.into(), &"rejected-by-client".into()));
    assert_eq!(bad["ending"], "client: fatal unknown_ca, frame 22");
    // Capital letters are the client's: hello; hello, certificate, done; then key exchange or alert.
    assert!(good["history"].as_str().unwrap().starts_with("CsxnKIFif"), "{good}");
    assert!(bad["history"].as_str().unwrap().starts_with("CsxnL"), "{bad}");
    // Every certificate that a step names can be looked up.
    for sha in good["certificates"].as_array().unwrap() {
        assert!(value["certificates"][sha.as_str().unwrap()]["subject"].is_string());
    }
    let cited: Vec<_> = value["because"].as_array().unwrap().iter().map(|b| (&b["side"], &b["frame"])).collect();
    assert!(cited.contains(&(&"good".into(), &18.into())) && cited.contains(&(&"bad".into(), &18.into())), "{cited:?}");
}

#[test]
fn both_devices_may_be_in_one_capture() {
    let words = ["downloads CN=Northwind Issuing CA 1", "the bad one never asks", "sends the leaf alone"];
    assert_says(&[TWO, "--good", "10.20.30.51", "--bad", "10.20.30.50"], 1, &words);
    // One of them works and one fails, so there is no choice to make. A device named for one side is not taken for the
    // other.
    assert_says(&[TWO], 1, &words);
    assert_says(&[TWO, "--bad", "02:15:5d:20:30:50"], 1, &words);
    assert_says(&[TWO, TWO], 1, &words);
    assert_says(&[TWO, "--good", "10.20.30.50", "--bad", "10.20.30.51"], 1, &["the other way round"]);
}

#[test]
fn traces_that_do_not_differ_agree() {
    assert_says(&[PIN, PIN], 0, &["they agree: both are the same sign-in of one device, 10.20.30.51"]);
    let folder = TempDir::new().unwrap();
    // Another recording of the same sign-in, and the same handshake recorded twice.
    let again = made(&folder, "again.pcapng", PIN, |_, _| true);
    assert_says(&[PIN, &again], 0, &["they agree: both work, and none of their"]);
    let copy = folder.path().join("copy.pcapng");
    fs::copy(PIN, &copy).unwrap();
    assert_says(&[PIN, copy.to_str().unwrap()], 0, &["they agree: both are the same sign-in"]);
    let taps = ["captures/taps-phone-side.pcapng", "captures/taps-server-side.pcapng"];
    assert_says(&taps, 0, &["they agree: both are the same sign-in"]);
    assert_says(&[PIN, TWO, "--bad", "10.20.30.51"], 0, &["they agree: both work"]);
    // The encoding of the same answer does not matter.
    for other in ["captures/fetch-gzip.pcapng", "captures/fetch-gzip-chunked.pcapng"] {
        assert_says(&["captures/fetch-chunked.pcap", other], 0, &["they agree: both work"]);
    }
    assert_says(&[USB, "captures/usb-vlan.pcapng"], 0, &["they agree: both fail in the same way"]);
    let (_, value) = compare(&[PIN, PIN]);
    assert_eq!((&value["agree"], &value["parting"], &value["finding"]), (&true.into(), &Value::Null, &Value::Null));
}

#[test]
fn a_lookup_more_is_told_and_is_no_parting() {
    let folder = TempDir::new().unwrap();
    // Frames 13 and 14 of the sample are the query for the firmware server and its answer.
    let file = made(&folder, "no-lookup.pcapng", PIN, |number, _| !matches!(number, 13 | 14));
    assert_says(&[PIN, &file], 0, &["only what does not matter differs", "ucupdates-r2.contoso.test"]);
}

#[test]
fn different_servers_cannot_be_compared() {
    let other = "captures/trusted-chain-refused.pcapng";
    let (status, value) = compare(&[FULL_CHAIN, other]);
    assert_eq!(status, 2);
    assert_eq!((&value["comparable"], &value["agree"]), (&false.into(), &false.into()));
    let said = value["conclusion"].as_str().unwrap();
    for word in ["cannot be compared", "different servers", "10.20.30.10:443", "10.20.30.11:443", "mail.contoso.test"] {
        assert!(said.contains(word), "{word:?} is not in: {said}");
    }
    // The same host and its name, where one client spoke SMTP and the other one SIP.
    assert_says(
        &["captures/starttls-smtp.pcapng", USB],
        2,
        &["10.20.30.10:25", "10.20.30.10:443", "what they share is the name and the address, and not the port"],
    );
    let nothing = "captures/nothing-here.pcapng";
    assert_says(&[nothing, USB], 2, &["cannot be compared", "the good trace holds no TLS handshake"]);
    assert_says(&[nothing, nothing], 2, &["neither trace holds a TLS handshake"]);
    // The same lookups, and then no handshake at all: that is where they diverge.
    assert_says(&[PIN, nothing], 1, &["begins TLS with 10.20.30.10:443", "the bad one begins none"]);
}

#[test]
fn of_several_candidates_the_user_chooses() {
    let folder = TempDir::new().unwrap();
    // Two pcapng sections in a row make one capture: phone .50, which fails, and then .52, which is the phone that
    // fails in the capture of two phones, at another address and with another card.
    let other = fs::read(TWO).unwrap();
    let other = replaced(&other, &[10, 20, 30, 50], &[10, 20, 30, 52]);
    let other = replaced(&other, &[0x02, 0x15, 0x5d, 0x20, 0x30, 0x50], &[0x02, 0x15, 0x5d, 0x20, 0x30, 0x52]);
    let path = folder.path().join("both.pcapng");
    fs::write(&path, [fs::read(USB).unwrap(), other].concat()).unwrap();
    let path = path.to_str().unwrap();
    let failed = run(&[&[PIN, path], &ROOTS[..]].concat(), "110");
    assert_eq!((failed.status, failed.stdout.as_str()), (2, ""));
    assert!(failed.stderr.contains("choose a device by --bad: "), "{}", failed.stderr);
    assert!(failed.stderr.contains("10.20.30.50 (fails), 10.20.30.52 (fails)"), "{}", failed.stderr);
    let words = ["the bad one never asks"];
    for name in ["10.20.30.50", "10.20.30.52", "02-15-5D-20-30-52"] {
        assert_says(&[PIN, path, "--bad", name], 1, &words);
    }
    // Any notation of the address will do.
    assert_says(&[PIN, "captures/usb-ipv6.pcapng", "--bad", "fd00:10:20:30:0:0:0:50"], 1, &words);

    for (arguments, why) in [
        (vec![PIN, TWO, "--bad", "10.20.30.99"], "there is no device 10.20.30.99"),
        (vec![PIN], "name two devices, or give a second capture"),
        (vec![PIN, "no-such-file.pcapng"], "no-such-file.pcapng"),
        (vec![], "GOOD"),
    ] {
        let run = run(&arguments, "110");
        assert_eq!((run.status, run.stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(run.stderr.contains(why), "{arguments:?}: {}", run.stderr);
    }
}

#[test]
fn what_the_bad_one_asked_for_in_vain_is_said() {
    let downloads = "the good trace downloads CN=Northwind Issuing CA 1";
    assert_says(
        &[PIN, "captures/fetch-404.pcapng"],
        1,
        &[downloads, "asks in frame 6 in vain (HTTP status 404 Not Found)", "sends the leaf alone"],
    );
    assert_says(
        &[PIN, "captures/fetch-other-ca.pcapng"],
        1,
        &[downloads, "asks in frame 6 and gets CN=Fabrikam Root CA and CN=Fabrikam Issuing CA 2 instead"],
    );
    assert_says(&["captures/usb-ldap.pcapng", USB], 1, &["finds CN=Northwind Issuing CA 1", "by LDAP in frames 22–26"]);
    assert_says(&["captures/usb-then-pin.pcapng", USB], 1, &["in frames 29–35 before the handshake that works"]);
}

#[test]
fn certificates_that_only_the_good_server_sends_are_named() {
    let words = [
        "the good one's server sends CN=Northwind Issuing CA 1 and CN=Northwind Policy CA 1 along",
        "the bad one's sends the leaf alone",
    ];
    assert_says(&[FULL_CHAIN, USB], 1, &words);
    let (_, value) = compare(&[FULL_CHAIN, USB]);
    assert_eq!(finding_of(&value, "bad")["proof"], "proven");
    // Over IPv6 the server is the same by its name and certificate, though the address is another.
    assert_says(&[FULL_CHAIN, "captures/usb-ipv6.pcapng"], 1, &words);
}

#[test]
fn what_does_not_verify_in_the_bad_ones_chain_proves_nothing() {
    // This phone downloads a certificate of another CA key, which plays no part in the other's chain.
    let (status, value) = compare(&["captures/cross-signed-fetch.pcapng", USB]);
    assert_eq!(status, 1);
    let finding = finding_of(&value, "bad");
    assert_eq!((&finding["name"], &finding["proof"]), (&"missing-intermediate".into(), &"inferred".into()));
    assert!(!value["conclusion"].as_str().unwrap().contains("downloads"), "{}", value["conclusion"]);
}

#[test]
fn two_that_work_in_different_ways_part() {
    let both = "both work, but in different ways: the good one downloads CN=Northwind Issuing CA 1";
    assert_says(&[PIN, FULL_CHAIN], 1, &[both, "the bad one is sent CN=Northwind Issuing CA 1"]);
    assert_says(
        &[PIN, "captures/usb-ldap.pcapng"],
        1,
        &[both, "the bad one finds CN=Northwind Issuing CA 1", "by LDAP"],
    );
    assert_says(
        &["captures/profile-fits.pcapng", "captures/profile-mismatch.pcapng"],
        1,
        &["both work", "other version: TLS 1.0 and TLS 1.2"],
    );
    assert_says(&[PIN, "captures/usb-then-pin.pcapng"], 1, &["the bad one asks only after its first handshake"]);
}

#[test]
fn a_chain_without_a_source_is_not_explained_by_one() {
    let folder = TempDir::new().unwrap();
    // Without the connection to port 80, frames 15 to 30, nothing shows where the phone got the chain from.
    let file = made(&folder, "no-fetch.pcapng", PIN, |number, _| !(15..=30).contains(&number));
    let said = "the bad one shows no source of CN=Northwind Issuing CA 1 and CN=Northwind Policy CA 1: it had that from \
                before the trace, or does not check it";
    assert_says(&[PIN, &file], 1, &["both work, but in different ways", said]);
    assert_says(
        &[&file, USB],
        1,
        &["nothing in its trace supplies CN=Northwind Issuing CA 1", "which the bad one lacks"],
    );
    let (_, value) = compare(&[&file, USB]);
    assert!(!value["conclusion"].as_str().unwrap().contains("downloads"));
    assert!(value["caveats"][0].as_str().unwrap().contains("before its trace began"), "{}", value["caveats"]);
    assert_eq!(finding_of(&value, "bad")["proof"], "inferred");
}

#[test]
fn two_that_fail_are_not_explained() {
    let needed = "a trace of a device that works is needed";
    let expired = "captures/expired.pcap";
    assert_says(&[USB, expired], 1, &["both fail, not in the same way", "expired on 2025-01-01", needed]);
    assert_says(&[USB, "captures/client-closes.pcapng"], 1, &["both fail, with the same finding", needed]);
    assert_says(&[USB, PIN], 1, &["the trace given as good fails", "the other way round"]);
}

#[test]
fn other_causes_are_told_by_where_the_two_part() {
    let refused = "the bad one's connection comes to nothing: 10.20.30.10:443 refuses the connection";
    assert_says(&[PIN, "captures/refused.pcapng"], 1, &[refused]);
    assert_says(
        &[FULL_CHAIN, "captures/expired.pcap"],
        1,
        &["(client: fatal certificate_expired, frame 14)", "(until 2044-01-01)", "(until 2025-01-01)"],
    );
    assert_says(&[FULL_CHAIN, "captures/tls10-refused.pcapng"], 1, &["(server: fatal protocol_version, frame 20)"]);
    assert_says(
        &["captures/tls13-works.pcapng", "captures/tls13-fails.pcapng"],
        1,
        &["nothing else that can be seen differs; the certificates are hidden, and may"],
    );
    let (_, value) = compare(&["captures/tls13-works.pcapng", "captures/tls13-fails.pcapng"]);
    assert!(value["caveats"].to_string().contains("hides them"), "{}", value["caveats"]);
}

#[test]
fn what_only_one_offers_and_other_parameters_are_said() {
    // Names and numbers are tshark's, for the frames of the hellos and of the ServerKeyExchange.
    for (good, bad, differs) in [
        (
            "captures/ecdsa-offered.pcapng",
            "captures/ecdsa-not-offered.pcapng",
            "only the good one offers the cipher suites TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, ",
        ),
        (
            "captures/prime-2048.pcapng",
            "captures/prime-1024.pcapng",
            "what else differs: other length of the Diffie-Hellman prime chosen by the server: 2048 bits and 1024 bits",
        ),
    ] {
        for redact in [&[][..], &["--redact"]] {
            let arguments = [&[good, bad, "--roots", "captures/pki/proseware-root.pem"], redact].concat();
            assert_says(&arguments, 1, &[differs]);
            let (_, said) = conclusion(&arguments);
            assert!(!said.contains("nothing else"), "{said}");
        }
    }
}

#[test]
fn other_key_shares_and_application_protocols_are_said() {
    // Groups and protocols are tshark's: 29 and 24 of the key shares; h2 and http/1.1, in this order.
    let (_, said) = conclusion(&["captures/twin-works-13.pcapng", "captures/keys-hello-retry.pcapng"]);
    assert!(!said.contains("nothing else"), "{said}");
    let (_, value) = compare(&["captures/twin-works-13.pcapng", "captures/keys-hello-retry.pcapng"]);
    for differs in [
        "other group of the key share chosen by the server: x25519 and secp384r1",
        "only the good one sends the key share x25519, only the bad one the key share secp384r1",
    ] {
        assert!(value.to_string().contains(differs), "{differs}: {value:#}");
    }
    let folder = TempDir::new().unwrap();
    let offers = "captures/chain-invalid-accepted.pcapng";
    for (name, protocols, differs) in [
        ("order.pcapng", &b"\x08http/1.1\x02h2"[..], "the application protocols are the same in another order"),
        (
            "other.pcapng",
            &b"\x02h3\x08http/1.1"[..],
            "only the good one offers the application protocol h2, only the bad one the application protocol h3",
        ),
    ] {
        let path = made(&folder, name, offers, |_, _| true);
        fs::write(&path, replaced(&fs::read(&path).unwrap(), b"\x02h2\x08http/1.1", protocols)).unwrap();
        for redact in [&[][..], &["--redact"]] {
            let (_, value) = compare(&[&[offers, path.as_str()], redact].concat());
            assert!(value.to_string().contains(differs), "{differs}: {value:#}");
        }
    }
}

#[test]
fn of_a_hello_that_was_not_seen_nothing_is_said() {
    let folder = TempDir::new().unwrap();
    let good = "captures/ecdsa-offered.pcapng";
    // Frame 6 is the ClientHello.
    let good = made(&folder, "no-hello.pcapng", good, |number, _| number != 6);
    let roots = ["--roots", "captures/pki/proseware-root.pem"];
    let arguments = [&[good.as_str(), "captures/ecdsa-not-offered.pcapng"], &roots[..]].concat();
    assert_says(&arguments, 1, &["nothing else that can be seen differs; the hellos were not all read and may"]);
}

#[test]
fn clocks_that_are_apart_are_told_with_the_dates_that_they_miss() {
    // The phone's clock stood at 2006 and the certificates start in 2024; in the good trace it is 200 s behind.
    assert_says(
        &[
            "captures/clock-nearly-right.pcapng",
            "captures/clock-skew.pcapng",
            "--roots",
            "captures/pki/woodgrove-root.pem",
        ],
        1,
        &[
            "the good one's clock is 200 s behind, the bad one's 7481 days behind",
            "valid in the good trace, not yet valid in the bad one: CN=lyncpool.contoso.test (until 2044-01-01), ",
        ],
    );
}

#[test]
fn one_name_with_two_issuers_is_consistent_with_an_inspecting_proxy() {
    let words = [
        "consistent with an inspecting proxy",
        "CN=Northwind Issuing CA 1,O=Northwind",
        "CN=Adatum Issuing CA 1,O=Adatum",
    ];
    // One works and one fails; both work.
    for other in ["captures/revoked.pcapng", "captures/issuer-list-long.pcapng"] {
        assert_says(&["captures/java-server.pcapng", other], 1, &words);
    }
}

#[test]
fn a_recorded_proxy_is_told_of_in_one_capture() {
    let words = ["CN=Woodgrove Issuing CA 1,O=Woodgrove", "CN=Litware Inspection CA,O=Litware", "inspecting proxy"];
    assert_says(&["captures/intercepted.pcapng", "--roots", "captures/pki/woodgrove-root.pem"], 1, &words);
}

#[test]
fn a_service_behind_a_proxy_is_the_one_that_connect_asks_for() {
    const PROSEWARE: [&str; 2] = ["--roots", "captures/pki/proseware-root.pem"];
    let (without, with) = ("captures/inspection-without.pcapng", "captures/inspection-with.pcapng");
    let words = [
        "issued by CN=Proseware Issuing CA 1,O=Proseware",
        "the bad one (through the proxy 10.20.30.10:3128) another, issued by CN=Proseware Web Filter CA,O=Proseware",
        "consistent with inspection by the proxy",
    ];
    let arguments = [&[without, with][..], &PROSEWARE].concat();
    assert_says(&arguments, 1, &words);
    let (_, value) = compare(&arguments);
    let [step] = steps(&value, "handshake")[..] else { panic!("one service: {value}") };
    let told = step["differences"].to_string();
    assert!(told.contains("only the bad one goes through a proxy (10.20.30.10:3128)"), "{told}");
    // A proxy that passes on what it is sent leaves everything as it is.
    assert_says(&[&[without, without][..], &PROSEWARE].concat(), 0, &["they agree"]);
}

#[test]
fn other_answers_of_dhcp_and_dns_are_said() {
    let folder = TempDir::new().unwrap();
    // The server at another address: the same name and certificate.
    let file = made(&folder, "moved.pcapng", PIN, |_, _| true);
    let moved = replaced(&fs::read(&file).unwrap(), &[10, 20, 30, 10], &[10, 20, 30, 77]);
    fs::write(&file, moved).unwrap();
    let (status, value) = compare(&[PIN, &file]);
    assert_eq!(status, 1);
    let words = "A lyncpool.contoso.test: the good one is told 10.20.30.10; the bad one 10.20.30.77";
    assert!(value["conclusion"].as_str().unwrap().contains(words), "{}", value["conclusion"]);
    assert_eq!(steps(&value, "handshake").len(), 1, "the server is the same by its name");
    // Frames 5 and 6 are the phone's DHCPINFORM and its answer, with the web service.
    let file = made(&folder, "no-inform.pcapng", USB, |number, _| !matches!(number, 5 | 6));
    let (_, value) = compare(&[PIN, &file]);
    let parting = &value["steps"][usize::try_from(value["parting"].as_u64().unwrap()).unwrap()];
    assert_eq!(
        (&parting["kind"], &parting["good"]["frame"], &parting["bad"]),
        (&"dhcp".into(), &6.into(), &Value::Null)
    );
}

#[test]
fn a_date_that_both_chains_share_may_lie_between_them() {
    let folder = TempDir::new().unwrap();
    // The certificates of the sample end in 2044: thirty years later the same chain has expired.
    let years = 30 * 365 * 86_400 * 1_000_000_000;
    let file = made(&folder, "later.pcapng", FULL_CHAIN, |_, nanoseconds| {
        *nanoseconds += years;
        true
    });
    let words = "valid in the good trace, expired in the bad one: CN=lyncpool.contoso.test (until 2044-01-01), ";
    let (status, value) = compare(&[FULL_CHAIN, &file]);
    assert_eq!(status, 1);
    let told = steps(&value, "handshake")[0]["differences"].to_string();
    assert!(told.contains(words), "{told}");
}

#[test]
fn the_text_says_what_follows_first_and_stands_side_by_side() {
    for columns in [60, 80, 110, 160] {
        let run = run(&[&[PIN, USB], &ROOTS[..]].concat(), &columns.to_string());
        assert_eq!(run.status, 1);
        let text = run.stdout;
        assert!(text.starts_with("✗ the good trace downloads CN=Northwind Issuing CA 1"), "{text}");
        let parting: Vec<_> = text.lines().filter(|line| line.starts_with('▶')).collect();
        assert_eq!(parting.len(), 1, "{text}");
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("CG001 · error · proven"), "{text}");
        assert!(words.contains("server sends lyncpool.contoso.test alone"), "{text}");
        if columns >= 80 {
            assert!(text.lines().any(|line| line.contains("good  10.20.30.51") && line.contains("bad  10.20.30.50")));
            assert!(parting[0].contains("18–24") && parting[0].contains("····"), "{text}");
        }
        // Commands and the filter are meant to be copied, and so are never wrapped.
        let (table, advice) = text.split_once("\n  do ").expect("what to do");
        assert!(table.lines().all(|line| line.chars().count() <= columns), "{columns}: {table}");
        assert!(advice.contains("certutil") && advice.contains("Wireshark"), "{text}");
    }
}

/// A capture made from another one: `keep` decides by packet number, and may change the time in nanoseconds. The
/// handshakes get other random values, because the same ones twice would be one handshake recorded at two taps.
fn made(folder: &TempDir, name: &str, from: &str, mut keep: impl FnMut(u64, &mut u64) -> bool) -> String {
    let bytes = fs::read(from).unwrap();
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let (mut out, mut at, mut number) = (Vec::new(), 0, 0);
    while at < bytes.len() {
        let end = at + usize::try_from(word(at + 4)).unwrap();
        let mut block = bytes[at..end].to_vec();
        // Enhanced packet block: the samples' interfaces count nanoseconds.
        if word(at) == 6 {
            number += 1;
            let mut time = u64::from(word(at + 12)) << 32 | u64::from(word(at + 16));
            if !keep(number, &mut time) {
                at = end;
                continue;
            }
            other_random(&mut block);
            block[12..16].copy_from_slice(&u32::try_from(time >> 32).unwrap().to_le_bytes());
            block[16..20].copy_from_slice(&u32::try_from(time & 0xffff_ffff).unwrap().to_le_bytes());
        }
        out.extend(block);
        at = end;
    }
    let path = folder.path().join(name);
    fs::write(&path, out).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Changes the last bytes of a hello's random value: a handshake record, then a hello of TLS 1.0 or 1.2 (RFC 2246 and RFC
/// 5246, section 7.4.1).
fn other_random(block: &mut [u8]) {
    let of_version = |bytes: &[u8]| matches!(bytes, [3, 1 | 3]);
    let is_hello = |bytes: &[u8]| {
        bytes[0] == 22 && of_version(&bytes[1..3]) && matches!(bytes[5..7], [1 | 2, 0]) && of_version(&bytes[9..11])
    };
    if let Some(at) = block.windows(43).position(is_hello) {
        block[at + 35..at + 43].iter_mut().for_each(|byte| *byte ^= 0x55);
    }
}

/// The bytes with every occurrence of `from` replaced by `to`, which has the same length.
fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at + from.len() <= out.len() {
        if out[at..].starts_with(from) {
            out[at..at + to.len()].copy_from_slice(to);
        }
        at += 1;
    }
    out
}

/// The rungs of each ladder of a page.
fn ladders(page: &str) -> Vec<&str> {
    page.split("<div class=\"rungs\">").skip(1).filter_map(|rest| Some(rest.split_once("</ol>")?.0)).collect()
}

#[test]
fn the_page_marks_the_fetch_that_parts_the_two_in_both_ladders() {
    let page = run(&[&[PIN, USB][..], &ROOTS, &["--format", "html"]].concat(), "110");
    assert_eq!(page.status, 1, "{}", page.stderr);
    assert!(page.stdout.contains(&conclusion(&[PIN, USB]).1));
    let [good, bad] = ladders(&page.stdout)[..] else { panic!("two ladders") };
    for ladder in [good, bad] {
        assert_eq!(ladder.matches("here they part: the bad one never asks for it").count(), 1, "{ladder}");
    }
    let marked = |ladder: &str| {
        let line = ladder.split("<li class=\"").find(|line| line.contains("here they part")).expect("a mark");
        line.to_owned()
    };
    // Frame 18 of the PIN trace is the POST; the USB trace has no packet to port 80.
    assert!(marked(good).contains("frame 18") && marked(good).contains("CertProvisioningService.svc"));
    assert!(marked(bad).starts_with("absent parting\"") && !marked(bad).contains("<span class=\"frame\""));
}
