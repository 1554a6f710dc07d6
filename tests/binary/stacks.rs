//! `chaingap stacks`, `chaingap explain ALERT` and what `preflight` says of stacks, held to what tshark read off the
//! recordings (`tests/stacks/NAME.toml`).

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn chaingap(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_chaingap")).args(arguments).output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn json(arguments: &[&str]) -> Value {
    let output = chaingap(arguments);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
}

/// What a recording shows of each defect that a server has alone.
fn recorded(stack: &str) -> Vec<(String, String)> {
    let truth: toml::Table =
        std::fs::read_to_string(Path::new("tests/stacks").join(format!("{stack}.toml"))).unwrap().parse().unwrap();
    let connections = truth["connection"].as_array().unwrap().iter();
    let alone = connections.filter_map(|connection| match connection["defects"].as_array()?.as_slice() {
        [defect] => Some((defect.as_str()?.to_owned(), connection["answer"].as_str()?.to_owned())),
        _ => None,
    });
    alone.filter(|(defect, _)| defect != "nothing").collect()
}

#[test]
fn stacks_tell_what_was_recorded() {
    let report = json(&["stacks", "--format", "json"]);
    assert_eq!(report["schema"], "chaingap.stacks/1");
    let measured: Vec<&Value> =
        report["stacks"].as_array().unwrap().iter().filter(|it| it["provenance"] == "measured").collect();
    assert_eq!(measured.len(), 18);
    for stack in measured {
        let id = stack["id"].as_str().unwrap();
        let told = stack["answers"].as_array().unwrap();
        let recorded = recorded(id);
        assert!(recorded.len() > 70, "{id}: {}", recorded.len());
        for (defect, answer) in recorded {
            let told = told.iter().find(|it| it["defect"] == *defect).unwrap_or_else(|| panic!("{id}: no {defect}"));
            assert_eq!(told["answer"] == "accepts", answer == "accepts", "{id}: {defect}");
            assert_eq!(told["after"], answer.ends_with(" after"), "{id}: {defect}");
            assert_eq!(told["how"] == "alert", answer.starts_with("alert"), "{id}: {defect}: {answer}");
        }
    }
}

#[test]
fn a_stack_is_shown_with_what_it_refuses_and_another_word_is_refused() {
    let shown = text(&chaingap(&["stacks", "openssl-1.0.2"]));
    assert!(
        shown.contains("certificate_expired a valid path beside one through a cross-certificate to an expired anchor")
    );
    let unknown = chaingap(&["stacks", "no-such-stack"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("none of the stacks: openssl-3"));
}

/// GnuTLS says bad_certificate (42) where OpenSSL says unknown_ca (48): the recordings have both.
#[test]
fn an_alert_is_explained_by_its_number_and_by_its_name() {
    let answer = |stack: &str| recorded(stack).into_iter().find(|(defect, _)| defect == "leaf-alone").unwrap().1;
    assert_eq!((answer("openssl-3").as_str(), answer("gnutls").as_str()), ("alert 48", "alert 42"));
    let unknown_ca = text(&chaingap(&["explain", "48"]));
    assert_eq!(unknown_ca, text(&chaingap(&["explain", "unknown_ca"])));
    let leaf_alone = |explained: &str| {
        let rest = explained.split_once("both intermediates are missing: ").unwrap().1;
        rest.split_once(" - CG").unwrap().0.to_owned()
    };
    let meaning = leaf_alone(&unknown_ca);
    assert!(meaning.contains("OpenSSL 3.0") && !meaning.contains("GnuTLS"), "{meaning}");
    assert!(leaf_alone(&text(&chaingap(&["explain", "bad_certificate"]))).contains("GnuTLS"));
    assert_eq!(chaingap(&["explain", "no_such_alert"]).status.code(), Some(2));
}

/// The recordings show that mbed TLS refuses a reversed order with unknown_ca, and that OpenSSL takes it.
#[test]
fn preflight_says_who_would_refuse_the_chain() {
    let folder = tempfile::tempdir().unwrap();
    let chain = folder.path().join("reversed.pem");
    let pem = |name: &str| std::fs::read_to_string(format!("captures/pki/{name}.pem")).unwrap();
    std::fs::write(&chain, ["server", "policy", "issuing"].map(pem).concat()).unwrap();
    let arguments = [
        "preflight",
        chain.to_str().unwrap(),
        "--roots",
        "captures/pki/root.pem",
        "--profile",
        "generic-no-aia",
        "--at",
        "2026-06-01T00:00:00Z",
    ];
    let report = json(&[&arguments[..], &["--format", "json"]].concat());
    for stack in report["stacks"].as_array().unwrap() {
        let expected = match stack["name"].as_str().unwrap() {
            "mbed TLS" | "wolfSSL" => ("refuses", Value::from("unknown_ca")),
            "BearSSL" => ("refuses", Value::Null),
            _ => ("accepts", Value::Null),
        };
        assert_eq!((stack["answer"].as_str().unwrap(), stack["alert"].clone()), expected, "{stack}");
    }
    assert!(
        text(&chaingap(&arguments)).contains("mbed TLS 2.28.3, wolfSSL 5.5.4 would refuse it (unknown_ca, measured)")
    );
}

/// RFC 8446 section 6: unknown_ca is 48. The explain texts are those of the repository.
#[test]
fn explanations_are_data_too() {
    let all = json(&["explain", "--format", "json"]);
    assert_eq!(all["schema"], "chaingap.explain/1");
    let entries = all["entries"].as_array().unwrap();
    for entry in entries {
        let (code, name) = (entry["code"].as_str().unwrap(), entry["name"].as_str().unwrap());
        let text = std::fs::read_to_string(format!("src/diagnosis/explain/{code}-{name}.md"));
        assert_eq!(entry["text"], text.unwrap());
    }
    let texts = std::fs::read_dir("src/diagnosis/explain").unwrap().count();
    assert_eq!(entries.len(), texts);
    let one = json(&["explain", "untrusted-root", "--format", "json"]);
    assert_eq!((&one["entries"][0]["code"], one["entries"].as_array().unwrap().len()), (&"CG002".into(), 1));
    let alert = json(&["explain", "48", "--format", "json"]);
    assert_eq!((&alert["entries"][0]["name"], &alert["entries"][0]["alert"]), (&"unknown_ca".into(), &48.into()));
    assert!(alert["entries"][0]["text"].as_str().unwrap().contains("OpenSSL"));
}
