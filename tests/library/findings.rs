//! Findings against captures: for every code recordings that fire it, and beside them some that nearly do and must not.
//!
//! In: the captures of `captures/`, their expectations, and the table below. Out: failed tests. Left to others:
//! all that an expectation says; `chaingap check` compares that.

use std::collections::BTreeMap;

use chaingap::diagnosis::RULES;
use chaingap::report::{Device, Finding, Report, Severity, VerdictStatus};

use support::expectations::{self, Expected, ExpectedFinding};

/// A code, expectations whose captures fire it, and those that nearly do, each with the reason why they do not.
type Row = (&'static str, &'static [&'static str], &'static [(&'static str, &'static str)]);

/// Codes of severity info. Another code with severity info (a long list that did no harm) does not count as fired.
const INFORMATION: [&str; 3] = ["CG016", "CG024", "CG030"];

const TABLE: &[Row] = &[
    (
        "CG001",
        &["usb-sign-in", "upper-intermediate-missing", "client-closes", "cross-signed.bundle", "two-phones"],
        &[
            ("usb-full-chain", "the server sends every intermediate"),
            ("pin-sign-in", "the same server, but the phone fetched the missing intermediates"),
            ("root-unknown", "the same alert, but the chain is complete up to its root"),
            ("one-tier-unknown-root", "a leaf alone, whose issuer is a root"),
        ],
    ),
    (
        "CG002",
        &["root-unknown", "root-unknown-root-sent", "cross-signed", "intercepted"],
        &[
            ("one-tier-trusted", "the same leaf, but the phone has the root"),
            ("two-tier-by-serial", "a leaf alone, whose authority key identifier names an intermediate"),
            ("cross-signed.bundle", "the issuing CA's other certificate leads to the phone's root"),
        ],
    ),
    (
        "CG003",
        &["pin-sign-in", "usb-ldap", "fetch-der", "address-change", "usb-after-pin"],
        &[
            ("usb-full-chain", "nothing is left out"),
            ("one-tier-trusted", "a leaf alone, with nothing between it and the root"),
            ("usb-sign-in", "an intermediate is left out, and the handshake fails"),
        ],
    ),
    (
        "CG004",
        &["fetch-404", "fetch-html", "fetch-cut-off", "fetch-only"],
        &[
            ("fetch-gzip-chunked", "the certificates are complete, compressed and in chunks"),
            ("fetch-other-ca", "certificates came, though not the right ones"),
        ],
    ),
    ("CG005", &["fetch-other-ca"], &[("fetch-p7b", "the right ones came"), ("fetch-html", "no certificate came")]),
    (
        "CG006",
        &["expired", "clock-skew-ahead"],
        &[
            ("not-yet-valid", "before its start"),
            ("clock-skew", "before its start by the phone's clock"),
            ("clock-skew-harmless", "the clock is wrong, but still within the dates"),
        ],
    ),
    (
        "CG007",
        &["not-yet-valid", "clock-skew"],
        &[
            ("expired", "after its end"),
            ("clock-skew-ahead", "after its end by the phone's clock"),
            ("clock-skew-harmless", "the clock is slow, but still within the dates"),
        ],
    ),
    (
        "CG008",
        &["name-mismatch", "name-mismatch-after-handshake"],
        &[
            ("wildcard-name", "the name is covered by a wildcard"),
            ("chain-invalid-name-constraints", "the certificate covers the name, which its CA may not certify"),
        ],
    ),
    (
        "CG009",
        &["tls10-refused", "version-fallback", "server-closes-at-hello"],
        &[
            ("no-shared-cipher", "refused as early, with the alert for cipher suites"),
            ("cipher-fallback", "works at the same version"),
        ],
    ),
    (
        "CG010",
        &["no-shared-cipher", "cipher-fallback", "server-closes-at-hello"],
        &[
            ("tls10-refused", "refused as early, with the alert for the version"),
            ("client-certificate-absent", "the same alert, after the client's flight"),
        ],
    ),
    (
        "CG011",
        &[
            "unsupported-algorithm",
            "unsupported-algorithm.profile-given",
            "unsupported-algorithm.profile-none",
            "old-firmware-sha256",
        ],
        &[
            ("unsupported-algorithm-works", "the same certificates, but the phone accepts them"),
            ("trusted-chain-refused", "signed with SHA-256 too, but the phone sends an alert"),
        ],
    ),
    (
        "CG012",
        &["issuer-list-truncated", "issuer-list-truncated-2003"],
        &[
            ("issuer-list-long", "as long, but the handshake works"),
            ("client-certificate-absent", "no client certificate either, but a short list"),
        ],
    ),
    (
        "CG013",
        &[
            "client-certificate-absent",
            "client-certificate-refused",
            "client-certificate-silent",
            "client-chain-incomplete",
            "client-for-servers",
            "client-issuer-not-listed",
            "client-expired",
        ],
        &[
            ("client-certificate-accepted", "the server accepts the certificate"),
            ("client-chain-complete", "the client sends the intermediate along"),
            ("client-for-any-use", "without extendedKeyUsage it is for clients too"),
            ("server-closes", "the server closes at the same point, but never asked"),
        ],
    ),
    (
        "CG014",
        &["clock-skew", "clock-skew-ahead", "clock-skew-harmless"],
        &[("clock-nearly-right", "200 seconds are not enough"), ("clock-random", "random bytes are not a clock")],
    ),
    (
        "CG015",
        &["server-stalls", "black-hole"],
        &[
            ("slow-server", "an answer after four seconds"),
            ("late-syn", "the first SYN is lost, but the next is answered"),
        ],
    ),
    (
        "CG016",
        &["tls13-works", "tls13-fails", "tls13-fails-gnutls"],
        &[
            ("resumed-ticket", "no certificates are sent at all"),
            ("profile-mismatch", "TLS 1.2, where certificates can be read"),
        ],
    ),
    ("CG017", &["cut-inside"], &[("cut-after", "nothing that matters is cut away")]),
    (
        "CG018",
        &["chain-order-mixed", "chain-order-unrelated", "chain-order-refused"],
        &[
            ("chain-order-root-sent", "in order, and the root behind it is mere information"),
            ("usb-full-chain", "in order, without the root"),
            ("wrong-intermediate", "another company's, where the chain is not known to its end"),
        ],
    ),
    (
        "CG019",
        &["same-name-other-key", "same-name-bad-signature", "same-name-bad-signature.bundle"],
        &[
            ("same-name-other-key-works", "the right one is sent, too"),
            ("cross-signed", "two certificates of one name, but also of one key"),
        ],
    ),
    (
        "CG020",
        &["refused", "unanswered"],
        &[("late-syn", "the second SYN is answered"), ("server-stalls", "it connects, and is silent only after that")],
    ),
    ("CG021", &["srv-outside-domain"], &[("srv-subdomain", "below the SIP domain")]),
    (
        "CG022",
        &["other-ca-refused", "other-ca-refused-gnutls", "other-ca-refused-java"],
        &[
            ("other-ca-accepted", "both servers are accepted"),
            ("trusted-chain-refused", "no other server is asked"),
            ("other-ca-refused.one-root", "the refused chain is not trusted"),
        ],
    ),
    (
        "CG023",
        &["no-data", "no-data-repeated", "trusted-chain-refused"],
        &[
            ("no-data-probe", "a probe that does this once"),
            ("name-mismatch-after-handshake", "it ends at the same point, but for a visible reason"),
        ],
    ),
    (
        "CG024",
        &["profile-mismatch", "unsupported-algorithm-works", "chain-invalid-accepted.strict"],
        &[
            ("profile-fits", "at the version that the profile names"),
            ("profile-mismatch.profile-none", "no profile to contradict"),
            ("other-maker", "the same version, but a phone of another maker"),
        ],
    ),
    (
        "CG025",
        &["one-tier-unknown-root", "one-tier-by-serial", "usb-sign-in.no-roots", "tls13-fails"],
        &[
            ("two-tier-by-serial.no-roots", "the authority key identifier says intermediate"),
            ("usb-sign-in", "the organization of the phone's root says intermediate"),
            ("tls13-works", "the certificates are hidden, but the handshake works"),
        ],
    ),
    (
        "CG026",
        &["chain-invalid-path-length", "chain-invalid-not-a-ca", "chain-invalid-extended-usage"],
        &[
            ("chain-invalid-accepted", "the phone does not check this"),
            ("same-name-other-key", "the certificate is not the issuer at all"),
        ],
    ),
    (
        "CG027",
        &["server-closes"],
        &[
            ("client-certificate-silent", "closed just as silently, but after asking for a client certificate"),
            ("client-closes", "the client closes"),
        ],
    ),
    ("CG028", &["revoked", "revoked-stapled"], &[("stapled-good", "an OCSP response that says good")]),
    (
        "CG029",
        &["nothing-here", "eap-tls", "eap-tls-radius", "quic"],
        &[
            ("refused", "no handshake, but for a visible reason"),
            ("resumed-session-id", "handshakes without certificates"),
        ],
    ),
    (
        "CG030",
        &["tls-fine-http-error", "tls-fine-sip-closed", "usb-full-chain"],
        &[("usb-sign-in", "the handshake fails"), ("no-data", "both finished, but there is no data")],
    ),
    (
        "CG031",
        &["server-name-default", "server-name-warned", "server-name-other"],
        &[
            ("name-mismatch", "the client says a name, and the certificate is for another one"),
            ("root-unknown", "no name is said, and the certificate is the server's only one"),
        ],
    ),
    (
        "CG032",
        &["prime-1024"],
        &[
            ("prime-2048", "a prime that is long enough"),
            ("trusted-chain-refused", "a trusted chain is refused, but the parameters are as they should be"),
        ],
    ),
    (
        "CG033",
        &["doubled-extension", "record-overlong"],
        &[("chain-invalid-not-a-ca", "the certificates break a rule of paths, not of encoding")],
    ),
    (
        "CG034",
        &["tls10-not-signed"],
        &[
            ("no-shared-cipher", "TLS 1.0 as well, with the alert for cipher suites"),
            ("server-closes", "the server ends it after its flight"),
        ],
    ),
];

#[test]
fn every_code_has_captures_that_fire_it_and_captures_that_nearly_do() {
    let codes: Vec<_> = TABLE.iter().map(|(code, ..)| *code).collect();
    let contract: Vec<_> = (1..=34).map(|number| format!("CG{number:03}")).collect();
    assert_eq!(codes, contract);
    let rules: Vec<_> = RULES.iter().map(|rule| rule.code).collect();
    assert_eq!(codes, rules);
    let samples = judged();
    let mut wrong = Vec::new();
    for (code, fires, nearly) in TABLE {
        assert!(!fires.is_empty() && !nearly.is_empty(), "{code}");
        let sample = |name: &str| samples.get(name).unwrap_or_else(|| panic!("{code}: no expectation {name}"));
        for name in *fires {
            let (expectation, report) = sample(name);
            if !has_fired(code, report) {
                wrong.push(format!("{code} does not fire on {name}"));
            }
            if !INFORMATION.contains(code) && !expects(code, expectation) {
                wrong.push(format!("{name} does not expect {code}"));
            }
        }
        for (name, why) in *nearly {
            let (expectation, report) = sample(name);
            if has_fired(code, report) || expects(code, expectation) && !INFORMATION.contains(code) {
                wrong.push(format!("{code} fires on {name}: {why}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_handshake_that_worked_has_an_error() {
    let mut wrong = Vec::new();
    let mut devices = 0;
    for (name, (expectation, report)) in &judged() {
        let works = |status| matches!(status, VerdictStatus::Ok | VerdictStatus::Degraded);
        for expected in expectation.devices.iter().filter(|expected| works(expected.verdict)) {
            devices += 1;
            let errors = report.findings.iter().filter(|finding| {
                let of_device = finding.device.as_ref().is_none_or(|device| *device == expected.device);
                finding.severity == Severity::Error && of_device
            });
            wrong.extend(errors.map(|error| format!("{name}, {}: {} {}", expected.device, error.code, error.summary)));
        }
    }
    assert!(devices >= 50, "only {devices} devices whose handshakes work");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The recorded fetch that was answered 404, with another host and then another path in the request.
#[test]
fn what_to_ask_the_server_has_its_port_and_no_path_of_a_strangers() {
    let recorded = std::fs::read("captures/fetch-404.pcapng").unwrap();
    let (service, pages) = ("/CertProv/CertProvisioningService.svc", "/certsrv/certnew.p7b?ReqID=CACert&R=1");
    let remedies = |replaced: &[(&str, &str)]| {
        let mut bytes = recorded.clone();
        for (from, to) in replaced {
            assert_eq!(from.len(), to.len());
            let at = bytes.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
            bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
        }
        let report = chaingap::Analyzer::builder().build().unwrap().analyze(&bytes[..], "fetch").unwrap();
        let failed = report.findings.into_iter().find(|finding| finding.code == "CG004").unwrap();
        failed.remedies.join("\n")
    };
    let host = ("Host: 10.20.30.10", "Host: pki.te:8080");
    for (replaced, command) in [
        (&[][..], "\n  curl -v http://10.20.30.10/CertProv/CertProvisioningService.svc/mex"),
        (&[host], "\n  curl -v http://pki.te:8080/CertProv/CertProvisioningService.svc/mex"),
        (&[host, (service, pages)], "\n  curl -v -o answer http://pki.te:8080/<path>"),
        (
            &[("Host: 10.20.30.10", "Host: $(id):8080;"), (service, pages)],
            "\n  curl -v -o answer http://10.20.30.10/<path>",
        ),
    ] {
        let told = remedies(replaced);
        assert!(told.ends_with(command), "{told}");
    }
}

/// Words about Lync phones, their sign-in and their servers. CG012 is about a limit that only Windows
/// has (KB 931125).
const OF_LYNC: [&str; 11] = [
    "Lync",
    "PIN",
    "USB",
    "tether",
    "phone",
    "certutil",
    "Schannel",
    "SCHANNEL",
    "Get-WinEvent",
    "CsWeb",
    "web service",
];

#[test]
fn remedies_fit_their_readers() {
    let (mut wrong, mut devices) = (Vec::new(), 0);
    for (name, (_, report)) in &judged() {
        let is_other = |device: &&Device| device.recognized_as.is_none() && !device.profile.name.contains("lync");
        for device in report.devices.iter().filter(is_other) {
            devices += 1;
            let of_device = |finding: &&Finding| finding.device.as_ref() == Some(&device.id) && finding.code != "CG012";
            for finding in report.findings.iter().filter(of_device) {
                let remedies = finding.remedies.join("\n");
                let found = OF_LYNC.iter().filter(|word| remedies.contains(**word));
                wrong.extend(found.map(|word| format!("{name}, {}: {word} in {remedies}", finding.code)));
            }
        }
    }
    assert!(devices >= 100, "only {devices} devices that are no Lync phones");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The suites are those that tshark reads in the hellos of the recording.
#[test]
fn what_was_offered_and_what_the_server_takes_is_told() {
    let recorded = std::fs::read("captures/cipher-fallback.pcapng").unwrap();
    let report = chaingap::Analyzer::builder().build().unwrap().analyze(&recorded[..], "fallback").unwrap();
    let refused = report.findings.into_iter().find(|finding| finding.code == "CG010").unwrap();
    let offered = "TLS_RSA_WITH_AES_128_CBC_SHA, TLS_RSA_WITH_AES_256_CBC_SHA";
    assert!(refused.remedies[0].contains(offered), "{}", refused.remedies[0]);
    assert!(refused.remedies[0].contains("this server chose TLS_RSA_WITH_CAMELLIA_256_CBC_SHA"));
    let shown = format!("offers 2 cipher suites: {offered}");
    assert!(refused.evidence.iter().any(|evidence| evidence.what == shown), "the signalling value is no suite");
}

/// Every expectation by name, with the report on its captures.
fn judged() -> BTreeMap<String, (Expected, Report)> {
    let judge = |expectation: Expected| {
        let report = expectations::report(&expectations::analyzer(&expectation.options), &expectation.captures);
        (expectation.name.clone(), (expectation, report))
    };
    expectations::all().into_iter().map(judge).collect()
}

fn has_fired(code: &str, report: &Report) -> bool {
    let counts = |severity| severity > Severity::Info || INFORMATION.contains(&code);
    report.findings.iter().any(|finding| finding.code == code && counts(finding.severity))
}

fn expects(code: &str, expectation: &Expected) -> bool {
    let name = RULES.iter().find(|rule| rule.code == code).map(|rule| rule.name);
    let of_devices = expectation.devices.iter().flat_map(|device| &device.findings);
    let counts = |finding: &ExpectedFinding| {
        Some(finding.name.as_str()) == name && (finding.severity > Severity::Info || INFORMATION.contains(&code))
    };
    of_devices.chain(&expectation.findings).any(counts)
}
