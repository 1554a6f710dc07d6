//! What `chaingap check` refuses, and what `--update` may write.
//!
//! In: expectations made for the test over a recorded USB sign-in that fails. Out: those that would check nothing are
//! reported, and no file is damaged. Left to others: what the samples' expectations say (`cli.rs`), formats
//! (`output.rs`).

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

/// What every expectation must say, and its capture.
const HEAD: &str = "schema = \"chaingap.expect/1\"\ndescription = \"a phone over USB\"\nstand_in = \"none\"\n";
const CAPTURES: &str = "captures = [\"usb-sign-in.pcapng\"]\n";

/// The recorded phone, which the expectation says works.
const WORKS: &str = "device = \"10.20.30.50\"\nverdict = \"ok\"\nsign_in = \"usb-tethered\"\n";

/// A folder with the recording and an expectation of this text.
fn folder(text: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    let captures = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    fs::copy(captures.join("usb-sign-in.pcapng"), folder.path().join("usb-sign-in.pcapng")).unwrap();
    fs::copy(captures.join("pki/root.pem"), folder.path().join("root.pem")).unwrap();
    fs::write(folder.path().join("phone.expect.toml"), text).unwrap();
    folder
}

fn written(folder: &TempDir) -> String {
    fs::read_to_string(folder.path().join("phone.expect.toml")).unwrap()
}

fn check(folder: &TempDir, options: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chaingap"));
    let Output { status, stdout, .. } = command.arg("check").arg(folder.path()).args(options).output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap())
}

#[test]
fn an_expectation_that_would_check_nothing_is_no_success() {
    for (text, says) in [
        (format!("{HEAD}captures = []\n"), "captures names no capture"),
        (format!("{HEAD}since = \"latest\"\n{CAPTURES}"), "since: \"latest\" is no version"),
        (format!("{HEAD}since = \"\"\n{CAPTURES}"), "since: \"\" is no version"),
        (
            format!("{HEAD}{CAPTURES}[options]\ndevice = \"10.20.30.5\"\n"),
            "no device fits options.device = \"10.20.30.5\"; there are: 10.20.30.50",
        ),
    ] {
        let folder = folder(&text);
        for options in [&[][..], &["--update"]] {
            let (status, said) = check(&folder, options);
            assert_eq!(status, Some(1), "{said}");
            assert!(said.contains(says), "{said}");
            assert_eq!(written(&folder), text);
        }
    }
}

#[test]
fn the_head_of_an_expectation_is_enough_to_begin_with() {
    // As the documentation gives it.
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/ci/README.md");
    let guide = fs::read_to_string(guide).unwrap();
    let head = guide.split_once("```toml\n").unwrap().1.split_once("```").unwrap().0;
    let head = head.replace("phone.pcapng", "usb-sign-in.pcapng");
    let folder = folder(&head);
    assert_eq!(check(&folder, &[]).0, Some(1));
    assert_eq!(check(&folder, &["--update"]).0, Some(0));
    assert_eq!(check(&folder, &["--require-all"]).0, Some(0));
    // In the recording the client sent unknown_ca, and the server had sent only its own certificate.
    let text = written(&folder);
    assert!(text.starts_with(&head), "{text}");
    for line in ["[[device]]", "device = \"10.20.30.50\"", "verdict = \"fails\"", "name = \"missing-intermediate\""] {
        assert_eq!(text.lines().filter(|own| *own == line).count(), 1, "{line}: {text}");
    }
}

/// Editors and Git on Windows end lines with CR LF, and whoever wrote the file there separates folders by `\`.
#[test]
fn an_expectation_from_windows_is_read_and_stays_one() {
    let text = format!("{HEAD}captures = ['.\\sub\\usb-sign-in.pcapng']\n\n[[device]]\n{WORKS}").replace('\n', "\r\n");
    let folder = folder(&text);
    fs::create_dir(folder.path().join("sub")).unwrap();
    fs::rename(folder.path().join("usb-sign-in.pcapng"), folder.path().join("sub/usb-sign-in.pcapng")).unwrap();
    assert_eq!(check(&folder, &["--require-all"]).0, Some(1), "the phone does not work");
    assert_eq!(check(&folder, &["--update"]).0, Some(0));
    let lines = written(&folder);
    assert!(lines.contains("[[device]]\r\n") && lines.lines().count() == lines.matches("\r\n").count(), "{lines:?}");
    assert!(lines.starts_with(text.split("[[device]]").next().unwrap()), "{lines:?}");
    assert_eq!(check(&folder, &["--require-all"]).0, Some(0));
    for path in ["..\\usb.pcapng", "sub\\..\\..\\usb.pcapng", "\\usb.pcapng"] {
        fs::write(folder.path().join("phone.expect.toml"), format!("{HEAD}captures = ['{path}']\n")).unwrap();
        let (status, said) = check(&folder, &[]);
        assert!(status == Some(1) && said.contains("leads out"), "{said}");
    }
}

#[test]
fn an_update_keeps_what_is_not_its_own_or_leaves_the_file() {
    // A comment after the table's header.
    let commented = folder(&format!("{HEAD}{CAPTURES}[[device]] # the phone in the lab\n{WORKS}"));
    assert_eq!(check(&commented, &["--update"]).0, Some(0));
    let text = written(&commented);
    assert_eq!((text.matches("[[device]]").count(), text.matches("10.20.30.50").count()), (1, 1), "{text}");
    assert_eq!(check(&commented, &[]).0, Some(0));
    // Options after the results, results in another notation, a description that looks like results.
    let inline = WORKS.trim_end().replace('\n', ", ");
    for text in [
        format!("{HEAD}{CAPTURES}[[device]]\n{WORKS}\n[options]\nroots = [\"root.pem\"]\n"),
        format!("{HEAD}{CAPTURES}device = [ {{ {inline} }} ]\n"),
        format!("{HEAD}{CAPTURES}[[device]]\n{WORKS}")
            .replace("\"a phone over USB\"", "\"\"\"\nwith\n[[device]]\nabove\"\"\""),
    ] {
        let folder = folder(&text);
        let (status, said) = check(&folder, &["--update"]);
        assert_eq!((status, written(&folder)), (Some(1), text), "{said}");
        assert!(said.contains("rewrite it by hand"), "{said}");
    }
}
