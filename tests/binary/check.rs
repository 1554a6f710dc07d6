//! What `chaingap check` refuses, and what `--update` may write.
//!
//! In: expectations made for the test over a recorded USB sign-in that fails. Out: those that would check nothing are
//! reported, and no file is damaged. Left to others: what the samples' expectations say (`cli.rs`), formats
//! (`output.rs`).

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

/// The head of an expectation, and its capture.
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
            assert_eq!(status, Some(2), "{said}");
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
        assert!(status == Some(2) && said.contains("leads out"), "{said}");
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

/// What the phone trusts.
const ROOTS: &str = "[options]\nroots = [\"root.pem\"]\n";

/// What the recording shows, as far as a user would write it: the client sent unknown_ca, and the server had sent only
/// its own certificate.
const FAILS: &str = "[[device]]\ndevice = \"10.20.30.50\"\nverdict = \"fails\"\n";

#[test]
fn what_an_expectation_leaves_out_is_not_compared() {
    let head = format!("schema = \"chaingap.expect/1\"\ndescription = \"a phone\"\n{CAPTURES}{ROOTS}{FAILS}");
    for name in ["CG001", "missing-intermediate"] {
        for (rest, status) in [("", 0), ("severity = \"error\"\n", 0), ("severity = \"warning\"\n", 1)] {
            let folder = folder(&format!("{head}[[device.finding]]\nname = \"{name}\"\n{rest}"));
            let (got, said) = check(&folder, &[]);
            assert_eq!(got, Some(status), "{name} {rest}: {said}");
        }
    }
    // Another finding, other certificates and another way to sign in are differences.
    for rest in [
        "[[device.finding]]\nname = \"untrusted-root\"\n",
        "[[device.finding]]\nname = \"CG001\"\nmissing = [\"CN=Another\"]\n",
        "sign_in = \"pin\"\n[[device.finding]]\nname = \"CG001\"\n",
    ] {
        let (status, said) = check(&folder(&format!("{head}{rest}")), &[]);
        assert_eq!(status, Some(1), "{rest}: {said}");
    }
}

#[test]
fn everything_that_is_wrong_is_told_at_once_with_its_line_in_every_format() {
    let text = "schema = \"chaingap.expect/1\"\ncaptures = [\"usb-sign-in.pcapng\"]\nstand_in = 1\nverdcit = 2\n\
                [options]\nprofile = \"lync\"\nsign_in = \"tethered\"\nat = \"tomorrow\"\ndevice = \"phone\"\n\
                [[device]]\nverdict = \"fail\"\nsign_in = \"usb\"\n\
                [[device.finding]]\nname = \"missing-intermediat\"\nseverity = \"high\"\ncode = \"CG001\"\n\
                [[finding]]\nproof = \"sure\"\n";
    let folder = folder(text);
    let (status, said) = check(&folder, &[]);
    assert_eq!(status, Some(2), "{said}");
    for says in [
        "line 1: description is missing",
        "line 3: stand_in: a string is needed here",
        "line 4: verdcit: unknown key",
        "line 6: options.profile: \"lync\" is neither",
        "line 7: options.sign_in: \"tethered\" is none of auto, pin, usb",
        "line 8: options.at: \"tomorrow\" is no RFC 3339 time",
        "line 9: options.device: ",
        "line 10: device.device is missing",
        "line 11: device.verdict: \"fail\" is none of ",
        "line 12: device.sign_in: \"usb\" is none of ",
        "line 14: device.finding.name: \"missing-intermediat\" is no name or code",
        "line 15: device.finding.severity: \"high\" is none of ",
        "line 16: device.finding.code: unknown key",
        "line 17: finding.name is missing",
        "line 18: finding.proof: \"sure\" is none of ",
    ] {
        assert!(said.lines().any(|line| line.trim_start().starts_with(says)), "{says}: {said}");
    }
    assert_eq!(said.matches("line ").count(), 15, "{said}");
    for format in ["json", "junit"] {
        let (status, said) = check(&folder, &["--format", format]);
        assert_eq!(status, Some(2), "{said}");
        assert!(said.contains("line 12: device.sign_in"), "{format}: {said}");
    }
    // What is no TOML at all: each place is told.
    fs::write(folder.path().join("phone.expect.toml"), "schema = \n[[device]\n").unwrap();
    let (status, said) = check(&folder, &[]);
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains("line 1: ") && said.contains("line 2: "), "{said}");
}

#[test]
fn options_name_files_anywhere_below_the_folder_that_is_checked() {
    let folder = folder("");
    let own = folder.path().join("phones/usb");
    fs::create_dir_all(&own).unwrap();
    fs::remove_file(folder.path().join("phone.expect.toml")).unwrap();
    fs::rename(folder.path().join("usb-sign-in.pcapng"), own.join("usb-sign-in.pcapng")).unwrap();
    let text = |roots: &str| {
        let options = format!("[options]\nroots = [\"{roots}\"]\n");
        let finding = "[[device.finding]]\nname = \"CG001\"\nproof = \"inferred\"\n";
        format!("{HEAD}{CAPTURES}{options}{FAILS}{finding}")
    };
    let run = |folder: &Path, path: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chaingap"));
        let output = command.current_dir(folder).args(["check", path]).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    fs::write(own.join("phone.expect.toml"), text("../../root.pem")).unwrap();
    for path in [".", "phones/../.", "phones/usb/phone.expect.toml"] {
        let (status, said) = run(folder.path(), path);
        assert_eq!(status, Some(0), "{path}: {said}");
    }
    // From the folder below, the same file is outside.
    let (status, said) = run(&folder.path().join("phones"), ".");
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains("../../root.pem leads out of the folder that is checked"), "{said}");
    for outside in ["../../../root.pem", "../../../../../../etc/passwd", "/etc/passwd"] {
        fs::write(own.join("phone.expect.toml"), text(outside)).unwrap();
        let (status, said) = run(folder.path(), ".");
        assert_eq!(status, Some(2), "{outside}: {said}");
        assert!(said.contains("leads out of"), "{outside}: {said}");
    }
}

#[test]
fn a_first_expectation_is_written_to_be_read_and_kept() {
    let folder = folder("");
    fs::remove_file(folder.path().join("phone.expect.toml")).unwrap();
    let capture = folder.path().join("usb-sign-in.pcapng");
    let run = |options: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chaingap"));
        command.arg("check").args(options).output().unwrap()
    };
    let init = run(&["--init", capture.to_str().unwrap()]);
    assert_eq!(init.status.code(), Some(0), "{init:?}");
    assert!(init.stdout.is_empty(), "{init:?}");
    let file = folder.path().join("usb-sign-in.expect.toml");
    let text = fs::read_to_string(&file).unwrap();
    for line in ["captures = [\"usb-sign-in.pcapng\"]", "[[device]]", "device = \"10.20.30.50\""] {
        assert_eq!(text.lines().filter(|own| *own == line).count(), 1, "{line}: {text}");
    }
    // One file, or its folder: as it was found.
    assert_eq!(run(&[file.to_str().unwrap()]).status.code(), Some(0));
    assert_eq!(check(&folder, &["--require-all"]).0, Some(0));
    // With the roots that the phone had, and the results read again.
    fs::write(&file, text.replace("# roots =", "roots =")).unwrap();
    assert_eq!(run(&["--update", file.to_str().unwrap()]).status.code(), Some(0));
    assert_eq!(check(&folder, &[]).0, Some(0));
    let text = fs::read_to_string(&file).unwrap();
    for line in ["verdict = \"fails\"", "name = \"missing-intermediate\""] {
        assert_eq!(text.lines().filter(|own| *own == line).count(), 1, "{line}: {text}");
    }
    // It is never overwritten unasked, and what is no capture gets none.
    let again = run(&["--init", capture.to_str().unwrap()]);
    assert_eq!(again.status.code(), Some(2));
    assert!(String::from_utf8(again.stderr).unwrap().contains("--force overwrites it"));
    let none = run(&["--init", folder.path().join("root.pem").to_str().unwrap()]);
    assert_eq!(none.status.code(), Some(2));
    assert!(!folder.path().join("root.expect.toml").exists());
}
