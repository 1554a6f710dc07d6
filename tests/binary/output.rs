//! Where results go and in what form, as users and scripts meet it.
//!
//! In: the program and the sample captures. Out: formats, separate reports, quietness, colours and files hold what is
//! promised. Left to others: what is in a report (`cli.rs`), and that no name steers its reader (`formats.rs`).

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

const ROOT: &str = "captures/pki/root.pem";
const PIN: &str = "captures/pin-sign-in.pcapng";
const USB: &str = "captures/usb-sign-in.pcapng";

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chaingap"));
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null());
    for name in ["COLUMNS", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
        command.env_remove(name);
    }
    command
}

fn run(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn json_lines_hold_a_report_for_each_capture_in_their_order() {
    let run = |jobs: &str| run(&["analyze", "captures", "--roots", ROOT, "--format", "jsonl", "--jobs", jobs]);
    let (one, many) = (run("1"), run("4"));
    assert_eq!(one.status.code(), Some(1));
    assert!(one.stdout == many.stdout, "the output depends on the number of jobs");
    let text = stdout(&one);
    let times: Vec<String> = text
        .lines()
        .map(|line| {
            let report: Value = serde_json::from_str(line).unwrap();
            assert_eq!(report["captures"].as_array().unwrap().len(), 1);
            report["captures"][0]["first_time"].as_str().unwrap().to_owned()
        })
        .collect();
    // A folder's captures come in order of time, whatever their names.
    assert!(times.len() >= 30 && times.is_sorted_by_key(|time| time.trim_end_matches('Z')), "{times:?}");
    // What another capture of the same run shows proves nothing here.
    let usb = text.lines().find(|line| line.contains(USB)).unwrap();
    let usb: Value = serde_json::from_str(usb).unwrap();
    assert_eq!(usb["findings"][0]["missing"][0]["candidates"], Value::Array(Vec::new()));
}

#[test]
fn separate_reports_are_for_people_or_json_lines() {
    let text = stdout(&run(&["analyze", PIN, USB, "--roots", ROOT, "--separate"]));
    assert!(
        text.starts_with(&format!("{PIN}\n\n")) && text.contains(&format!("\n\n{USB}\n\n✗ 10.20.30.50  ")),
        "{text}"
    );
    let markdown = stdout(&run(&["analyze", PIN, USB, "--separate", "--format", "markdown"]));
    assert_eq!(markdown.matches("## chaingap: 1 device").count(), 2, "{markdown}");
    let refused = run(&["analyze", PIN, USB, "--separate", "--format", "json"]);
    assert_eq!((refused.status.code(), refused.stdout.len()), (Some(2), 0));
    assert!(stderr(&refused).contains("--format jsonl"), "{}", stderr(&refused));
}

#[test]
fn a_separate_capture_that_cannot_be_read_is_a_report_too() {
    let folder = TempDir::new().unwrap();
    let bad = folder.path().join("bad.pcap");
    fs::write(&bad, "this is no capture at all").unwrap();
    let out = run(&["analyze", bad.to_str().unwrap(), USB, "--format", "jsonl"]);
    assert_eq!(out.status.code(), Some(2));
    let lines: Vec<Value> = stdout(&out).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert!(lines[0]["captures"][0]["problems"][0].as_str().unwrap().contains("not a capture file"));
    assert_eq!(lines[0]["complete"], false);
    assert_eq!(lines[1]["findings"][0]["severity"], "error");
}

#[test]
fn a_command_says_which_formats_it_has() {
    let out = run(&["profiles", "--format", "sarif"]);
    assert_eq!((out.status.code(), out.stdout.len()), (Some(2), 0));
    assert_eq!(stderr(&out), "chaingap: --format sarif: this command has text, json\n");
}

#[test]
fn the_help_offers_the_formats_that_a_command_has() {
    for (command, formats) in [
        ("analyze", &["text", "json", "jsonl", "sarif", "junit", "markdown", "html"][..]),
        ("compare", &["text", "json", "markdown", "html"]),
        ("check", &["text", "json", "junit"]),
        ("certs", &["text", "json"]),
        ("merge", &["text", "json", "jsonl"]),
        ("profiles", &["text", "json"]),
        ("preflight", &["text", "json"]),
    ] {
        let help = stdout(&run(&[command, "-h"]));
        let (_, rest) = help.split_once("--format <FORMAT>").unwrap();
        let (_, rest) = rest.split_once("[possible values: ").unwrap();
        let words: Vec<&str> = rest.split_once(']').unwrap().0.split([',', ' ', '\n']).collect();
        let offered: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        assert_eq!(offered, formats, "{command}");
    }
}

#[test]
fn the_output_named_by_a_hyphen_is_standard_output() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join(name).to_str().unwrap().to_owned();
    let here = |arguments: &[&str]| command(arguments).current_dir(folder.path()).output().unwrap();
    let usb = path(USB);
    let shown = here(&["analyze", &usb]);
    for options in [&["analyze", &usb, "-o", "-"][..], &["analyze", &usb, "-o", "-", "--separate"]] {
        assert!(stdout(&here(options)).ends_with(&stdout(&shown)), "{options:?}");
    }
    // Repeatedly, because it is not a file that would be overwritten.
    for _ in 0..2 {
        let excerpt = here(&["annotate", &usb, "-o", "-"]);
        assert!(excerpt.status.success() && excerpt.stdout.starts_with(b"\x0a\x0d\x0d\x0a"), "{}", stderr(&excerpt));
    }
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn a_device_that_nobody_is_was_not_looked_at() {
    let nobody = ["--device", "10.9.9.9"];
    for format in ["text", "markdown", "html", "junit", "sarif"] {
        let out = run(&[&["analyze", USB, "--format", format][..], &nobody].concat());
        let words = "no device fits --device 10.9.9.9; there are: 10.20.30.50\n";
        assert_eq!((out.status.code(), stderr(&out)), (Some(2), format!("chaingap: {words}")), "{format}");
        let shown = stdout(&out).replace("\\-", "-");
        assert!(shown.contains("no device fits --device 10.9.9.9") && !shown.contains("no TLS client"), "{shown}");
    }
    let junit = stdout(&run(&[&["analyze", USB, "--format", "junit"][..], &nobody].concat()));
    assert!(junit.contains("errors=\"1\""), "{junit}");
    let folder = TempDir::new().unwrap();
    let excerpt = folder.path().join("excerpt.pcapng");
    let target = excerpt.to_str().unwrap();
    for command in [&["compare", PIN, USB][..], &["annotate", USB, "-o", target], &["certs", USB]] {
        let out = run(&[command, &nobody].concat());
        assert_eq!((out.status.code(), out.stdout.len()), (Some(2), 0), "{command:?}");
        assert!(stderr(&out).contains("no device fits --device 10.9.9.9; there are: 10.20.30.50"), "{}", stderr(&out));
    }
    assert!(!excerpt.exists());
    // Only one of the two traces contains it.
    let half = run(&["compare", PIN, USB, "--device", "10.20.30.51"]);
    assert!(stderr(&half).contains("none in it fits --device 10.20.30.51"), "{}", stderr(&half));
    // When captures are analyzed one by one, it is enough that one of them shows the device.
    let lines = |device: &str| run(&["analyze", PIN, USB, "--format", "jsonl", "--device", device]);
    assert_eq!(lines("10.20.30.50").status.code(), Some(1));
    assert_eq!(lines("10.20.30.51").status.code(), Some(0));
    let none = lines("10.9.9.9");
    assert_eq!((none.status.code(), stdout(&none).lines().count()), (Some(2), 2));
    assert!(stderr(&none).contains("there are: 10.20.30.50, 10.20.30.51"), "{}", stderr(&none));
}

#[test]
fn colour_follows_the_environment_and_the_option_before_it() {
    let colored = |set: &[(&str, &str)], options: &[&str]| {
        let arguments = [&["analyze", USB], options].concat();
        stdout(&command(&arguments).envs(set.iter().copied()).output().unwrap()).contains('\u{1b}')
    };
    assert!(!colored(&[], &[]), "no colour in a pipe");
    assert!(colored(&[("CLICOLOR_FORCE", "1")], &[]));
    assert!(!colored(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], &[]));
    assert!(!colored(&[("CLICOLOR_FORCE", "1")], &["--color", "never"]));
    assert!(colored(&[("NO_COLOR", "1")], &["--color", "always"]));
}

#[test]
fn quiet_leaves_out_notes_and_keeps_failures() {
    let twice = ["analyze", USB, "--roots", ROOT, "--roots", ROOT];
    let loud = run(&twice);
    assert!(stderr(&loud).contains("already"), "{}", stderr(&loud));
    let quiet = run(&[&twice[..], &["-q"]].concat());
    assert_eq!((stderr(&quiet).as_str(), &quiet.stdout), ("", &loud.stdout));
    let missing = run(&["-q", "analyze", "no-such.pcap"]);
    assert!(stderr(&missing).contains("no-such.pcap"), "{}", stderr(&missing));
}

#[test]
fn check_gives_the_same_in_every_format_and_for_any_number_of_jobs() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("pki")).unwrap();
    for name in ["usb-sign-in.pcapng", "usb-sign-in.expect.toml", "pki/root.pem"] {
        fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("captures").join(name), at(name)).unwrap();
    }
    let good = fs::read_to_string(at("usb-sign-in.expect.toml")).unwrap();
    fs::write(at("a.expect.toml"), good.replace("verdict = \"fails\"", "verdict = \"ok\"")).unwrap();
    fs::write(at("b.expect.toml"), "no expectation").unwrap();
    let check = |options: &[&str]| run(&[&["check", folder.path().to_str().unwrap()], options].concat());
    let json = |jobs: &str| stdout(&check(&["--format", "json", "--jobs", jobs]));
    assert_eq!(json("1"), json("3"));
    let report: Value = serde_json::from_str(&json("2")).unwrap();
    assert_eq!((&report["schema"], &report["different"]), (&"chaingap.check/1".into(), &2.into()));
    let outcomes: Vec<_> = report["expectations"].as_array().unwrap().iter().map(|e| e["outcome"].clone()).collect();
    assert_eq!(outcomes, ["different", "failed", "same"]);
    let difference = &report["expectations"][0]["differences"][0];
    assert_eq!((&difference["expected"], &difference["got"]), (&"ok".into(), &"fails".into()));
    let target = at("junit.xml");
    let out = check(&["--format", "junit", "-o", target.to_str().unwrap()]);
    assert_eq!((out.status.code(), out.stdout.len()), (Some(2), 0), "an expectation could not be run");
    let xml = fs::read_to_string(&target).unwrap();
    assert!(xml.contains("tests=\"3\" failures=\"1\" errors=\"1\""), "{xml}");
    let text = stdout(&check(&[]));
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with(' ')).collect();
    assert!(lines.len() == 4 && lines[0].starts_with("DIFF  ") && lines[2].starts_with("ok    "), "{text}");
    assert_eq!(lines[3], "3 expectations, 2 with differences");
}

/// Names in a folder.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[cfg(unix)]
#[test]
fn an_interruption_leaves_no_half_written_file() {
    for (signal, force) in [("INT", false), ("TERM", true)] {
        let folder = TempDir::new().unwrap();
        let target = folder.path().join("out.jsonl");
        if force {
            fs::write(&target, "precious").unwrap();
        }
        // The first report is written at once; the second capture never ends.
        let arguments = ["analyze", USB, "-", "--format", "jsonl", "--jobs", "1", "-o", target.to_str().unwrap()];
        let mut command = with_default_signals(&[&arguments[..], if force { &["--force"] } else { &[] }].concat());
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(&fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(PIN)).unwrap()).unwrap();
        let begun = || names(folder.path()).iter().any(|name| name.ends_with(".part"));
        let patience = Instant::now();
        while !begun() {
            assert!(patience.elapsed() < Duration::from_secs(60), "{:?}", names(folder.path()));
            std::thread::sleep(Duration::from_millis(5));
        }
        let kill = Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status().unwrap();
        assert!(kill.success());
        assert_eq!(child.wait().unwrap().code(), Some(130), "{signal}");
        assert_eq!(names(folder.path()), if force { vec!["out.jsonl"] } else { vec![] }, "{signal}");
        assert!(!force || fs::read_to_string(&target).unwrap() == "precious");
        drop(stdin);
    }
}

/// The program with the default signal handling of a terminal: whoever runs the tests may have some signals ignored, as
/// `nohup` does, and the program respects that.
fn with_default_signals(arguments: &[&str]) -> Command {
    if !cfg!(target_os = "linux") {
        return command(arguments);
    }
    let mut env = Command::new("env");
    env.arg("--default-signal=INT,TERM,HUP").arg(env!("CARGO_BIN_EXE_chaingap")).args(arguments);
    env.current_dir(env!("CARGO_MANIFEST_DIR"));
    env
}

#[test]
fn every_shell_has_completions_for_every_command() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let out = run(&["completions", shell]);
        let script = stdout(&out);
        assert_eq!(out.status.code(), Some(0), "{shell}");
        for word in ["analyze", "annotate", "certs", "check", "preflight", "explain", "--fail-on"] {
            let word = if shell == "fish" { word.trim_start_matches('-') } else { word };
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    assert_eq!(run(&["completions", "cmd"]).status.code(), Some(2));
}

#[test]
fn every_command_has_a_page_of_the_manual() {
    let folder = TempDir::new().unwrap();
    let target = folder.path().to_str().unwrap();
    assert_eq!(run(&["man", "-o", target]).status.code(), Some(0));
    let pages = names(folder.path());
    let help = stdout(&run(&["--help"]));
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    for command in
        commands.filter_map(|line| line.strip_prefix("  ")?.split(' ').next()).filter(|name| !name.is_empty())
    {
        if command == "help" {
            continue;
        }
        let page = fs::read_to_string(folder.path().join(format!("chaingap-{command}.1"))).expect(command);
        assert!(page.contains(&format!("chaingap {command}").replace('-', "\\-")), "{command}: {page}");
        assert_eq!(stdout(&run(&["man", command])), page);
    }
    assert!(pages.contains(&"chaingap.1".to_owned()) && pages.len() >= 10, "{pages:?}");
    assert_eq!(run(&["man", "-o", target]).status.code(), Some(2), "nothing is overwritten");
}

#[test]
fn the_workflows_to_copy_run() {
    let folder = TempDir::new().unwrap();
    let captures = folder.path().join("captures");
    fs::create_dir_all(captures.join("pki")).unwrap();
    for name in ["usb-sign-in.pcapng", "usb-sign-in.expect.toml", "pki/root.pem"] {
        fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("captures").join(name), captures.join(name)).unwrap();
    }
    let mut count = 0;
    for file in ["github-actions.yml", "gitlab-ci.yml"] {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/ci").join(file)).unwrap();
        let lines = text.lines().map(|line| line.trim().trim_start_matches("- ").trim_start_matches("run: "));
        for line in lines.filter(|line| line.starts_with("chaingap ")) {
            let arguments: Vec<&str> = line.split_whitespace().skip(1).take_while(|word| *word != ">>").collect();
            let mut command = command(&arguments);
            let out = command.arg("--force").current_dir(folder.path()).output().unwrap();
            assert_eq!(out.status.code(), Some(0), "{file}: {line}: {}", stderr(&out));
            count += 1;
        }
    }
    assert_eq!(count, 7, "{:?}", names(folder.path()));
    for made in ["chaingap-check.xml", "chaingap.sarif", "chaingap.html", "chaingap.md"] {
        assert!(fs::read_to_string(folder.path().join(made)).unwrap().contains("chaingap"), "{made}");
    }
}

/// A full disk is reported in one line and with status 2, by every command and in every form; no half-written file
/// remains.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_in_words() {
    let full = || Stdio::from(fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    for arguments in [
        &["analyze", USB][..],
        &["analyze", USB, "--format", "html"],
        &["analyze", "captures", "--format", "jsonl"],
        &["compare", PIN, USB],
        &["certs", USB],
        &["preflight", "captures/pki/root.pem"],
        &["explain"],
        &["profiles"],
        &["man"],
        &["completions", "bash"],
    ] {
        let output =
            command(arguments).stdout(full()).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains("No space left on device") && said.lines().count() <= 2, "{arguments:?}: {said}");
    }
    for arguments in [&["analyze", USB][..], &["annotate", USB]] {
        let output = run(&[arguments, &["-o", "/dev/full", "--force"]].concat());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).contains("/dev/full: No space left on device"), "{arguments:?}: {}", stderr(&output));
    }
}

#[test]
fn an_output_is_looked_at_before_anything_is_read() {
    let folder = TempDir::new().unwrap();
    let there = folder.path().join("there.txt");
    fs::write(&there, "precious").unwrap();
    // The capture does not exist: the output is what is complained about.
    let out = run(&["analyze", "no-such.pcap", "-o", there.to_str().unwrap()]);
    assert_eq!(out.status.code(), Some(2));
    assert!(stderr(&out).contains("the file exists") && !stderr(&out).contains("no-such.pcap"), "{}", stderr(&out));
    let out = run(&["analyze", "no-such.pcap", "-o", folder.path().join("none/x.txt").to_str().unwrap()]);
    assert!(!stderr(&out).contains("no-such.pcap"), "{}", stderr(&out));
    assert_eq!(names(folder.path()), ["there.txt"]);
}

#[test]
fn no_input_is_overwritten_by_whatever_path() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (capture, root) = (path("usb.pcapng"), path("root.pem"));
    fs::copy(USB, &capture).unwrap();
    fs::copy("captures/pki/root.pem", &root).unwrap();
    fs::hard_link(&capture, path("other-name")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(&capture, path("link")).unwrap();
    let before = fs::read(&capture).unwrap();
    let inside = folder.path().join(".").join("usb.pcapng");
    let targets = [capture.clone(), inside, path("other-name"), root.clone()];
    let targets = targets.into_iter().chain(cfg!(unix).then(|| path("link")));
    for target in targets {
        for option in ["-o", "--csv-devices"] {
            let arguments = [
                "analyze".as_ref(),
                capture.as_os_str(),
                "--roots".as_ref(),
                root.as_os_str(),
                "--force".as_ref(),
                option.as_ref(),
                target.as_os_str(),
            ];
            let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_chaingap"));
            let out = command.args(arguments).output().unwrap();
            assert_eq!(out.status.code(), Some(2), "{option} {}", target.display());
            assert!(stderr(&out).contains("it would be lost"), "{}", stderr(&out));
        }
    }
    assert_eq!(fs::read(&capture).unwrap(), before);
}

#[test]
fn the_report_and_the_table_of_devices_are_two_files() {
    let folder = TempDir::new().unwrap();
    let (one, same) = (folder.path().join("out"), folder.path().join(".").join("out"));
    let arguments = ["analyze", USB, "-o", one.to_str().unwrap(), "--csv-devices", same.to_str().unwrap()];
    let out = run(&arguments);
    assert_eq!(out.status.code(), Some(2));
    assert!(stderr(&out).contains("cannot be both the report and the table of devices"), "{}", stderr(&out));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[cfg(unix)]
#[test]
fn a_device_is_no_file_that_exists() {
    let out = run(&["analyze", USB, "-o", "/dev/null"]);
    assert_eq!((out.status.code(), stderr(&out)), (Some(1), String::new()));
}

#[test]
fn the_format_follows_the_name_of_the_output_unless_it_is_given() {
    let folder = TempDir::new().unwrap();
    let written = |name: &str, options: &[&str]| {
        let path = folder.path().join(name);
        let out = run(&[&["analyze", USB, "-o", path.to_str().unwrap()], options].concat());
        assert_eq!(out.status.code(), Some(1), "{}", stderr(&out));
        fs::read_to_string(path).unwrap()
    };
    for (name, begins) in [
        ("report.html", "<!DOCTYPE html>"),
        ("report.JSON", "{\n  \"schema\": \"chaingap.report/2\""),
        ("report.jsonl", "{\"schema\":\"chaingap.report/2\""),
        ("report.sarif.json", "{\n  \"$schema\": \"https://docs.oasis-open.org/sarif/"),
        ("report.sarif", "{\n  \"$schema\": \"https://docs.oasis-open.org/sarif/"),
        ("report.xml", "<?xml"),
        ("report.md", "## chaingap: "),
        ("report.txt", "? 10.20.30.50  TLS"),
        ("report", "? 10.20.30.50  TLS"),
    ] {
        assert!(written(name, &[]).starts_with(begins), "{name}");
    }
    assert!(written("text.html", &["--format", "text"]).starts_with("? 10.20.30.50  TLS"));
}

#[test]
fn one_run_writes_several_formats_and_each_is_that_of_a_run_of_its_own() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let several = ["a.html", "a.json", "a.xml", "a.sarif", "a.md", "a.txt"].map(path);
    let outputs: Vec<&str> = several.iter().flat_map(|name| ["-o", name]).chain(["-o", "-"]).collect();
    let out = run(&[&["analyze", USB][..], &outputs].concat());
    assert_eq!(out.status.code(), Some(1), "{}", stderr(&out));
    assert_eq!(out.stdout, run(&["analyze", USB]).stdout);
    for name in &several {
        let alone = path("alone") + &name[name.rfind('.').unwrap()..];
        run(&["analyze", USB, "-o", &alone]);
        assert_eq!(fs::read(name).unwrap(), fs::read(alone).unwrap(), "{name}");
    }
    let pair = ["c.html", "c.json"].map(path);
    let out = run(&["compare", PIN, USB, "-o", &pair[0], "-o", &pair[1]]);
    assert_eq!((out.status.code(), &out.stdout[..]), (Some(1), &b""[..]), "{}", stderr(&out));
    assert!(pair.iter().all(|name| Path::new(name).is_file()));
    // Each of these would lose something: a file named twice, reports of which one file can hold only one.
    let twice = run(&["analyze", USB, "-o", &pair[0], "-o", &pair[0], "--force"]);
    assert!(stderr(&twice).contains("c.html: -o names it twice"), "{}", stderr(&twice));
    let both = [path("d.txt"), path("d.jsonl")];
    let lines = run(&["analyze", USB, "-o", &both[0], "-o", &both[1]]);
    assert_eq!((twice.status.code(), lines.status.code()), (Some(2), Some(2)));
    assert!(stderr(&lines).contains("they write one file"), "{}", stderr(&lines));
    assert!(!Path::new(&both[0]).exists());
}
