//! The command line, as users and scripts meet it.
//!
//! In: the program, the sample captures, files made from them. Out: what is promised about exit codes, error lines,
//! the report's members, standard input, folders, expectations and cut captures holds. Left to others: verdicts on the
//! samples (their expectations say those), comparison with Wireshark (`tshark.rs`).

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

const ROOT: &str = "captures/pki/root.pem";
const PIN: &str = "captures/pin-sign-in.pcapng";
const USB: &str = "captures/usb-sign-in.pcapng";

/// Every object that a report may hold, with the members that it must have; `*` is each element or each value.
#[rustfmt::skip]
const MEMBERS: &[(&str, &str)] = &[
    ("", "schema tool options complete dropped captures totals faults devices groups certificates findings statistics"),
    ("tool", "name version"),
    ("dropped", "devices flows bytes why"),
    ("faults/*", "id code name severity proof server server_name summary certificates missing remedies stacks devices_total devices handshakes_total \
                  first_time last_time example filter timeline"),
    ("captures/*", "path format compression link_types packets bytes first_time last_time cut_packets problems notes"),
    ("devices/*", "id addresses mac identity_basis shared_address recognized_as recognized_by profile verdict clock sign_in \
                   events fetches handshakes_total handshakes_omitted handshakes"),
    ("devices/*/addresses/*", "address first last"),
    ("devices/*/recognized_by/*", "capture frame what"),
    ("devices/*/profile", "name basis"),
    ("devices/*/verdict", "status summary finding"),
    ("devices/*/clock", "offset_s basis frames"),
    ("devices/*/sign_in", "method strength basis"),
    ("devices/*/sign_in/basis/*", "capture frame signal"),
    ("devices/*/events/*", "capture frame time kind summary server elsewhere"),
    ("devices/*/events/*/elsewhere", "capture first_frame last_frame"),
    ("devices/*/fetches/*", "capture stream frame time via server method url status content_type certificates problem"),
    ("devices/*/handshakes/*", "id capture stream frame time also_seen client server server_name client_version version \
                                cipher_suite resumed history certificates client_certificates certificate_request alerts \
                                outcome end recovered_by chain client_chain"),
    ("devices/*/handshakes/*/also_seen/*", "capture stream frame time"),
    ("devices/*/handshakes/*/certificate_request", "authorities bytes"),
    ("devices/*/handshakes/*/alerts/*", "from level code name frame"),
    ("devices/*/handshakes/*/end", "by how frame"),
    ("devices/*/handshakes/*/recovered_by", "capture frame"),
    ("devices/*/handshakes/*/chain", "status proof judged_at path completed_path missing"),
    ("devices/*/handshakes/*/chain/path/*", "sha256 subject spki_sha256 from held source capture frame"),
    ("devices/*/handshakes/*/chain/completed_path/*", "sha256 subject spki_sha256 from held source capture frame"),
    ("devices/*/handshakes/*/chain/missing/*", "subject key_id aia candidates"),
    ("devices/*/handshakes/*/chain/missing/*/candidates/*", "sha256 found_in"),
    ("devices/*/handshakes/*/chain/missing/*/candidates/*/found_in/*", "capture frame how"),
    ("devices/*/handshakes/*/client_chain", "status proof judged_at path completed_path missing"),
    ("certificates/*", "subject issuer serial not_before not_after key signature_algorithm names ca key_id issuer_key_id \
                        ca_issuers der problems seen"),
    ("certificates/*/seen/*", "capture frame how"),
    ("findings/*", "id fault code name severity proof device capture stream server server_name occurrences first_time last_time \
                    summary evidence excluded caused_by recovered_by certificates missing remedies filter"),
    ("findings/*/evidence/*", "capture frame offset length what"),
    ("findings/*/excluded/*", "cause excluded why"),
    ("findings/*/missing/*", "subject key_id aia candidates"),
    ("statistics", "packets flows handshakes path_searches signature_checks"),
];

/// Objects for which the sample captures give no example: one tap, no client certificates, no clock of a device.
const NOT_IN_THE_SAMPLES: &[&str] = &[
    "devices/*/clock",
    "devices/*/handshakes/*/also_seen/*",
    "devices/*/handshakes/*/certificate_request",
    "devices/*/handshakes/*/client_chain",
];

#[test]
fn every_sample_matches_its_expectation() {
    let run = chaingap(&["check", "captures", "--require-all"]);
    assert_eq!(run.status, 0, "{}{}", run.stdout, run.stderr);
}

#[test]
fn the_first_command_ends_with_the_proven_verdict() {
    let run = chaingap(&["analyze", PIN, USB, "--roots", ROOT]);
    assert_eq!(run.status, 1);
    let headline = run.stdout.rsplit("\n\n").find(|block| block.starts_with('✗')).expect("a device that fails");
    let words = headline.split_whitespace().collect::<Vec<_>>().join(" ");
    let verdict = "✗ 10.20.30.50 TLS handshake fails: intermediate certificates \"Northwind Issuing CA 1\" and \
                   \"Northwind Policy CA 1\" are missing CG001 · error · proven";
    assert!(words.starts_with(verdict), "{words}");
    // The phone that works is listed above it; below it there is only the count of devices.
    assert!(run.stdout.rfind("10.20.30.51  ").unwrap() < run.stdout.find('✗').unwrap());
    assert_eq!(run.stdout.lines().last(), Some("2 devices: 1 fails, 1 degraded"));
}

#[test]
fn the_exit_status_follows_the_gravest_finding() {
    // An error, a warning at most, nothing at all.
    for (capture, error, warning) in [(USB, 1, 1), (PIN, 0, 1), ("captures/usb-full-chain.pcapng", 0, 0)] {
        let status = |options: &[&str]| chaingap(&[&["analyze", capture, "--roots", ROOT], options].concat()).status;
        assert_eq!(status(&[]), error, "{capture}");
        assert_eq!(status(&["--fail-on", "error"]), error, "{capture}");
        assert_eq!(status(&["--fail-on", "warning"]), warning, "{capture}");
        assert_eq!(status(&["--fail-on", "never"]), 0, "{capture}");
    }
}

#[test]
fn wrong_usage_exits_with_2_and_says_how_on_standard_error() {
    for arguments in [
        &["analyze"][..],
        &["analyze", USB, "--fail-on", "sometimes"],
        &["analyze", USB, "--no-such-option"],
        &["analyze", USB, "--at", "yesterday"],
        &["analyze", USB, "--device", "not-an-address"],
        &["analyze", USB, "--profile", "no-such-profile"],
        &["analyze", USB, "--roots", "no-such-file.pem"],
        &["profiles", "--format", "html"],
        &["no-such-command"],
    ] {
        let run = chaingap(arguments);
        assert_eq!(run.status, 2, "{arguments:?}");
        assert!(run.stdout.is_empty() && !run.stderr.is_empty(), "{arguments:?}: {}", run.stdout);
    }
    let help = chaingap(&["--help"]);
    assert!(help.status == 0 && help.stderr.is_empty() && help.stdout.contains("analyze"));
}

#[test]
fn what_cannot_be_read_is_one_line_that_names_it_and_the_cause() {
    let folder = TempDir::new().unwrap();
    let make = |name: &str, bytes: &[u8]| {
        fs::write(folder.path().join(name), bytes).unwrap();
        path_text(&folder.path().join(name))
    };
    fs::create_dir(folder.path().join("none-here")).unwrap();
    fs::write(folder.path().join("none-here/notes.txt"), "no capture").unwrap();
    let header = &fs::read(project("captures/expired.pcap")).unwrap()[..10];
    let mut cases = vec![
        (make("empty.pcap", b""), "offset 0: the file is empty"),
        (make("notes.txt", b"10:00 the phone fails again\n"), "offset 0: not a capture file"),
        (make("header.pcap", header), "offset 0: the file ends within its header, after 10 bytes"),
        (path_text(&folder.path().join("none-here")), "no capture in this folder"),
        (path_text(&folder.path().join("missing.pcap")), "No such file or directory"),
    ];
    cases.extend(unreadable(folder.path()).map(|path| (path, "Permission denied")));
    for (path, cause) in cases {
        let run = chaingap(&["analyze", &path]);
        assert_eq!((run.status, run.stdout.as_str()), (2, ""), "{path}");
        assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
        assert!(run.stderr.contains(&path) && run.stderr.contains(cause), "{}", run.stderr);
    }
}

#[test]
fn one_unreadable_capture_does_not_keep_the_others_from_being_analyzed() {
    let folder = TempDir::new().unwrap();
    let (text, missing) = (folder.path().join("text.pcap"), path_text(&folder.path().join("missing.pcap")));
    fs::write(&text, "this is no capture at all").unwrap();
    let run = chaingap(&["analyze", &path_text(&text), USB, &missing, "--roots", ROOT, "--format", "json"]);
    assert_eq!(run.status, 2);
    assert_eq!(run.stderr.lines().count(), 2, "{}", run.stderr);
    let report = run.json();
    let problems = |index: usize| texts(&report["captures"][index]["problems"]);
    assert!(problems(0)[0].starts_with("offset 0: not a capture file"), "{:?}", problems(0));
    assert_eq!(problems(1), [""; 0]);
    assert!(problems(2)[0].contains("No such file"), "{:?}", problems(2));
    assert_eq!(report["complete"], json!(false));
    let alone = chaingap(&["analyze", USB, "--roots", ROOT, "--format", "json"]).json();
    let names =
        |report: &Value| -> Vec<Value> { list(&report["findings"]).map(|finding| finding["name"].clone()).collect() };
    assert_eq!(names(&report), names(&alone));
    assert_eq!(report["devices"][0]["verdict"], alone["devices"][0]["verdict"]);
}

#[test]
fn a_capture_cut_inside_a_record_is_analyzed_up_to_there() {
    for path in support::share("cuts", samples()) {
        let bytes = fs::read(&path).unwrap();
        let records = record_offsets(&bytes);
        let count = records.len() - 1;
        for chosen in [count / 3, count * 2 / 3, count - 1] {
            let (start, end) = (records[chosen], records[chosen + 1]);
            let before = report_of(&bytes[..start]);
            for cut in [start + 1, (start + end) / 2, end - 1] {
                let at = format!("{} cut at {cut}", path.display());
                let mut report = report_of(&bytes[..cut]);
                let mut problems = texts(&report["captures"][0]["problems"]);
                // Packets cut when captured are reported as well.
                problems.retain(|problem| problem.starts_with("offset "));
                assert_eq!(problems.len(), 1, "{at}: {problems:?}");
                assert!(problems[0].starts_with(&format!("offset {start}: ")), "{at}: {problems:?}");
                assert_eq!(report["complete"], json!(false), "{at}");
                // Everything else is as if the file ended before the record that is cut.
                for member in ["bytes", "problems"] {
                    report["captures"][0][member] = before["captures"][0][member].clone();
                }
                for member in ["captures", "devices", "certificates", "statistics"] {
                    assert_eq!(report[member], before[member], "{at}: {member}");
                }
                assert_eq!(headlines(&report), headlines(&before), "{at}");
            }
        }
    }
}

#[test]
fn the_exit_status_of_a_cut_capture_is_decided_by_its_findings() {
    let folder = TempDir::new().unwrap();
    for path in support::share("cut captures", samples()) {
        let bytes = fs::read(&path).unwrap();
        let records = record_offsets(&bytes);
        for chosen in [records.len() / 2, records.len() - 2] {
            let cut = folder.path().join(path.file_name().unwrap());
            fs::write(&cut, &bytes[..records[chosen] + 7]).unwrap();
            let run = chaingap(&["analyze", &path_text(&cut), "--roots", ROOT, "--format", "json"]);
            let errors = list(&run.json()["findings"]).filter(|finding| finding["severity"] == "error").count();
            assert_eq!(run.status, i32::from(errors > 0), "{}: {}", cut.display(), run.stderr);
        }
    }
}

#[test]
fn standard_input_gives_the_same_report_as_the_file() {
    for path in [USB, "captures/fetch-gzip.pcapng", "captures/expired.pcap"] {
        for format in ["json", "text"] {
            let arguments = |input| ["analyze", input, "--roots", ROOT, "--format", format];
            let (file, piped) =
                (chaingap(&arguments(path)), chaingap_fed(&arguments("-"), &fs::read(project(path)).unwrap()));
            assert_eq!(file.status, piped.status, "{path}");
            if format == "json" {
                assert_eq!(file.stdout.replace(&format!("\"{path}\""), "\"-\""), piped.stdout, "{path}");
            } else {
                assert_eq!(file.stdout.lines().next(), piped.stdout.lines().next(), "{path}");
            }
        }
    }
}

#[test]
fn a_folder_is_searched_recursively_by_magic_number() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir_all(at("b/deeper")).unwrap();
    fs::copy(project(USB), at("b/deeper/recording")).unwrap();
    fs::copy(project("captures/expired.pcap"), at("a.txt")).unwrap();
    fs::write(at("b/not-one.pcapng"), "only named like a capture").unwrap();
    let elsewhere = TempDir::new().unwrap();
    fs::copy(project(PIN), elsewhere.path().join("pin.pcapng")).unwrap();
    link(elsewhere.path(), &at("linked"));
    link(folder.path(), &at("b/loop"));
    let report = chaingap(&["analyze", &path_text(folder.path()), "--format", "json"]).json();
    let paths: Vec<_> = list(&report["captures"]).map(|capture| capture["path"].as_str().unwrap().to_owned()).collect();
    // In the order of their first packets.
    assert_eq!(paths, [path_text(&at("b/deeper/recording")), path_text(&at("a.txt"))]);
}

#[test]
fn an_output_file_is_overwritten_only_by_force() {
    let folder = TempDir::new().unwrap();
    let file = path_text(&folder.path().join("report.json"));
    let arguments = ["analyze", USB, "--format", "json", "-o", &file];
    let shown = chaingap(&arguments[..4]).stdout;
    let first = chaingap(&arguments);
    assert_eq!((first.status, first.stdout.as_str()), (1, ""));
    assert_eq!(fs::read_to_string(&file).unwrap(), shown);
    fs::write(&file, "precious").unwrap();
    let second = chaingap(&arguments);
    assert_eq!(second.status, 2);
    assert!(second.stderr.contains(&file) && second.stderr.contains("--force"), "{}", second.stderr);
    assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
    assert_eq!(chaingap(&[&arguments[..], &["--force"]].concat()).status, 1);
    assert_eq!(fs::read_to_string(&file).unwrap(), shown);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left behind");
}

#[test]
fn reports_have_every_promised_member() {
    let mut seen = BTreeSet::new();
    let each = chaingap(&["analyze", "captures", "--roots", ROOT, "--format", "jsonl"]).stdout;
    let together = chaingap(&["analyze", PIN, USB, "--roots", ROOT, "--format", "json"]).stdout;
    assert!(each.lines().count() >= samples().len());
    for report in each.lines().chain([together.as_str()]) {
        let report: Value = serde_json::from_str(report).unwrap();
        assert_eq!(report["schema"], json!("chaingap.report/2"));
        for (path, members) in MEMBERS {
            for object in at_path(&report, path) {
                seen.insert(*path);
                for member in members.split_whitespace() {
                    assert!(object.get(member).is_some(), "{path} has no {member}: {object}");
                }
            }
        }
    }
    let unseen: Vec<_> = MEMBERS.iter().map(|(path, _)| *path).filter(|path| !seen.contains(path)).collect();
    assert!(unseen.iter().all(|path| NOT_IN_THE_SAMPLES.contains(path)), "no sample has {unseen:?}");
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    for format in ["json", "text", "html"] {
        let run = || chaingap(&["analyze", "captures", "--roots", ROOT, "--format", format, "--all-handshakes"]).stdout;
        let first = run();
        assert!(!first.is_empty());
        assert!(first == run(), "two runs differ in {format}");
    }
}

#[test]
fn byte_order_and_resolution_of_a_capture_change_nothing_but_digits_of_times() {
    for path in [USB, "captures/usb-vlan.pcapng", "captures/expired.pcap", "captures/not-yet-valid.pcap"] {
        let recording = Recording::parse(&fs::read(project(path)).unwrap());
        let wanted = findings_and_handshakes(&report_of(&fs::read(project(path)).unwrap()));
        for big_endian in [false, true] {
            for nanoseconds in [false, true] {
                for bytes in [recording.pcap(big_endian, nanoseconds), recording.pcapng(big_endian, nanoseconds)] {
                    let report = report_of(&bytes);
                    let form = format!("{path}: big endian {big_endian}, {} digits", if nanoseconds { 9 } else { 6 });
                    assert_eq!(findings_and_handshakes(&report), wanted, "{form}");
                    assert_eq!(texts(&report["captures"][0]["problems"]), [""; 0], "{form}");
                    let time = report["captures"][0]["first_time"].as_str().unwrap();
                    assert_eq!(time, recording.first_time(time, nanoseconds), "{form}");
                }
            }
        }
    }
}

#[test]
fn explain_knows_every_finding_by_code_and_by_name() {
    let all = chaingap(&["explain"]);
    assert_eq!(all.status, 0);
    // Below each code is when it fires.
    let heads = all.stdout.lines().filter(|line| !line.starts_with(' '));
    let listed: Vec<_> = heads.filter_map(|line| line.split_once(char::is_whitespace)).collect();
    assert_eq!((listed[0].0, listed[0].1.split_whitespace().next()), ("CG001", Some("missing-intermediate")));
    assert!(listed.len() >= 20, "{}", all.stdout);
    for (code, rest) in listed {
        let name = rest.split_whitespace().next().unwrap();
        let (by_code, by_name) = (chaingap(&["explain", code]), chaingap(&["explain", name]));
        assert_eq!((by_code.status, &by_code.stdout), (0, &by_name.stdout), "{code}");
        assert!(by_code.stdout.contains(code) && by_code.stdout.contains(name), "{code}");
        let widest = by_code.stdout.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(80), "{code}: {widest:?} columns");
    }
    let unknown = chaingap(&["explain", "CG999"]);
    assert_eq!((unknown.status, unknown.stdout.as_str(), unknown.stderr.lines().count()), (2, "", 1));
}

#[test]
fn check_update_rewrites_what_was_found_and_keeps_what_people_wrote() {
    let folder = TempDir::new().unwrap();
    let file = sample_folder(folder.path());
    let good = fs::read_to_string(&file).unwrap();
    let check = |options: &[&str]| chaingap(&[&["check", &path_text(folder.path())], options].concat());
    assert_eq!(check(&[]).status, 0);
    // Another verdict, and the last finding (with what is missing) removed.
    let broken = good.replace("verdict = \"fails\"", "verdict = \"ok\"");
    let broken = &broken[..broken.rfind("[[device.finding]]").unwrap()];
    fs::write(&file, broken).unwrap();
    let differs = check(&[]);
    assert_eq!(differs.status, 1);
    let words = differs.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("10.20.30.50 verdict expected ok got fails"), "{words}");
    assert!(words.contains("10.20.30.50 finding expected nothing got missing-intermediate error"), "{words}");
    assert_eq!(fs::read_to_string(&file).unwrap(), broken, "check without --update writes nothing");
    assert_eq!(check(&["--update"]).status, 0);
    assert_eq!(check(&[]).status, 0);
    let written = fs::read_to_string(&file).unwrap();
    let own = |text: &str| text[..text.find("[[device]]").unwrap()].trim_end().to_owned();
    assert_eq!(own(&written), own(&good));
    assert_eq!(written.parse::<toml::Table>().unwrap(), good.parse::<toml::Table>().unwrap());
}

#[test]
fn check_refuses_what_it_cannot_hold_to() {
    let folder = TempDir::new().unwrap();
    let file = sample_folder(folder.path());
    let good = fs::read_to_string(&file).unwrap();
    let absolute = format!("captures = [{:?}]", project(USB));
    for (line, says) in [
        ("captures = [\"../usb-sign-in.pcapng\"]", "leads out"),
        ("captures = [\"pki/../../usb-sign-in.pcapng\"]", "leads out"),
        (absolute.as_str(), "leads out"),
        ("captures = [\"missing.pcapng\"]", "missing.pcapng"),
        ("captures = [\"usb-sign-in.pcapng\"]\nno_such_member = 1", "no_such_member"),
    ] {
        fs::write(&file, good.replace("captures = [\"usb-sign-in.pcapng\"]", line)).unwrap();
        let run = chaingap(&["check", &path_text(folder.path())]);
        assert_eq!(run.status, 2, "{line}");
        assert!(run.stdout.contains(says), "{line}: {}", run.stdout);
    }
    fs::write(&file, &good).unwrap();
    fs::copy(project(PIN), folder.path().join("unnamed.pcapng")).unwrap();
    let check = |options: &[&str]| chaingap(&[&["check", &path_text(folder.path())], options].concat());
    assert_eq!(check(&[]).status, 0);
    let all = check(&["--require-all"]);
    assert!(all.status == 1 && all.stdout.contains("unnamed.pcapng"), "{}", all.stdout);
    fs::remove_file(&file).unwrap();
    let none = check(&[]);
    assert_eq!((none.status, none.stdout.as_str(), none.stderr.lines().count()), (2, "", 1));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    // More than a pipe holds, so that the program is still writing when the reader is gone.
    let arguments = ["analyze", "captures", "--roots", ROOT, "--format", "json", "--all-handshakes"];
    assert!(chaingap(&arguments).stdout.len() > 1 << 17);
    let mut child = command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert_eq!(first, "{\n");
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(1), "the status is that of the findings");
}

/// The result of one run of the program.
struct Run {
    status: i32,
    stdout: String,
    stderr: String,
}

impl Run {
    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}{}", self.stdout, self.stderr))
    }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chaingap"));
    command.args(arguments).current_dir(project("")).env_remove("COLUMNS").stdin(Stdio::null());
    command
}

fn chaingap(arguments: &[&str]) -> Run {
    run(command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()), &[])
}

fn chaingap_fed(arguments: &[&str], input: &[u8]) -> Run {
    run(command(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()), input)
}

fn run(command: &mut Command, input: &[u8]) -> Run {
    let mut child = command.spawn().unwrap();
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input).unwrap();
    }
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let status = output.status.code().expect("the program was ended by a signal");
    Run { status, stdout: text(output.stdout), stderr: text(output.stderr) }
}

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn path_text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// Paths of the sample captures.
fn samples() -> Vec<PathBuf> {
    let entries = fs::read_dir(project("captures")).unwrap().map(|entry| entry.unwrap().path());
    let is_capture = |path: &PathBuf| path.extension().is_some_and(|end| end == "pcap" || end == "pcapng");
    let mut paths: Vec<_> = entries.filter(is_capture).collect();
    paths.sort();
    assert!(paths.len() >= 30, "{paths:?}");
    paths
}

/// A folder with one capture, its certificates and its expectation, whose path is returned.
fn sample_folder(folder: &Path) -> PathBuf {
    fs::create_dir(folder.join("pki")).unwrap();
    for name in ["usb-sign-in.pcapng", "usb-sign-in.expect.toml", "pki/root.pem"] {
        fs::copy(project("captures").join(name), folder.join(name)).unwrap();
    }
    folder.join("usb-sign-in.expect.toml")
}

/// A capture that this user may not read; none where the user may read everything.
fn unreadable(folder: &Path) -> Option<String> {
    let path = folder.join("locked.pcapng");
    fs::copy(project(USB), &path).unwrap();
    #[cfg(unix)]
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o000)).unwrap();
    fs::File::open(&path).is_err().then(|| path_text(&path))
}

fn link(to: &Path, from: &Path) {
    #[cfg(unix)]
    std::os::unix::fs::symlink(to, from).unwrap();
    #[cfg(not(unix))]
    let _ = (to, from);
}

/// The report on a capture's bytes, made by the library.
fn report_of(bytes: &[u8]) -> Value {
    let root = fs::read(project(ROOT)).unwrap();
    let analyzer = chaingap::Analyzer::builder().root(ROOT, &root).build().unwrap();
    serde_json::to_value(analyzer.analyze(bytes, "capture").unwrap()).unwrap()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn texts(value: &Value) -> Vec<String> {
    list(value).map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// The objects at a path of [`MEMBERS`]; null and empty values give none.
fn at_path<'a>(value: &'a Value, path: &str) -> Vec<&'a Value> {
    let mut found = vec![value];
    for part in path.split('/').filter(|part| !part.is_empty()) {
        found = match part {
            "*" => found
                .into_iter()
                .flat_map(|value| match value {
                    Value::Array(values) => values.iter().collect(),
                    Value::Object(members) => members.values().collect::<Vec<_>>(),
                    _ => vec![],
                })
                .collect(),
            name => found.into_iter().filter_map(|value| value.get(name)).collect(),
        };
    }
    found.into_iter().filter(|value| !value.is_null()).collect()
}

/// Code, severity and summary of the findings above severity info.
fn headlines(report: &Value) -> Vec<[Value; 3]> {
    let counts = list(&report["findings"]).filter(|finding| finding["severity"] != "info");
    counts.map(|finding| ["code", "severity", "summary"].map(|member| finding[member].clone())).collect()
}

/// Findings and handshakes without what depends on the capture format: offsets and times.
fn findings_and_handshakes(report: &Value) -> Value {
    let mut parts = json!({
        "findings": report["findings"],
        "handshakes": list(&report["devices"]).map(|device| &device["handshakes"]).collect::<Vec<_>>(),
        "verdicts": list(&report["devices"]).map(|device| &device["verdict"]).collect::<Vec<_>>(),
    });
    strip(&mut parts);
    parts
}

fn strip(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(strip),
        Value::Object(members) => {
            members.retain(|name, _| {
                !matches!(name.as_str(), "offset" | "length" | "time" | "first_time" | "last_time" | "judged_at")
            });
            members.values_mut().for_each(strip);
        }
        _ => {}
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn size_at(bytes: &[u8], at: usize) -> usize {
    usize::try_from(u32_at(bytes, at)).unwrap()
}

/// Offset of every record of a little-endian capture that holds or describes packets, and the end of the file.
fn record_offsets(bytes: &[u8]) -> Vec<usize> {
    let is_pcapng = bytes.starts_with(b"\n\r\r\n");
    // The header record stays whole: a file that ends within it is no capture.
    let mut at = if is_pcapng { size_at(bytes, 4) } else { 24 };
    let mut offsets = Vec::new();
    while at < bytes.len() {
        offsets.push(at);
        at += if is_pcapng { size_at(bytes, at + 4) } else { 16 + size_at(bytes, at + 8) };
    }
    assert_eq!(at, bytes.len(), "the sample ends with a whole record");
    offsets.push(at);
    offsets
}

/// The packets of a little-endian Ethernet capture with one interface.
struct Recording {
    packets: Vec<Packet>,
}

struct Packet {
    nanoseconds: u64,
    wire_length: u32,
    data: Vec<u8>,
}

impl Recording {
    fn parse(bytes: &[u8]) -> Self {
        let is_pcapng = bytes.starts_with(b"\n\r\r\n");
        let subsecond = if bytes.starts_with(&[0xd4, 0xc3, 0xb2, 0xa1]) { 1_000 } else { 1 };
        let packet = |nanoseconds, lengths: usize, data: usize| {
            let length = size_at(bytes, lengths);
            Packet { nanoseconds, wire_length: u32_at(bytes, lengths + 4), data: bytes[data..data + length].to_vec() }
        };
        let mut packets = Vec::new();
        for at in record_offsets(bytes).into_iter().filter(|&at| at < bytes.len()) {
            let (high, low) =
                (|offset| u64::from(u32_at(bytes, at + offset)), |offset| u64::from(u32_at(bytes, at + offset)));
            if !is_pcapng {
                packets.push(packet(high(0) * 1_000_000_000 + low(4) * subsecond, at + 8, at + 16));
            } else if u32_at(bytes, at) == 6 {
                // Enhanced packet block; the samples' interfaces count nanoseconds.
                packets.push(packet(high(12) << 32 | low(16), at + 20, at + 28));
            }
        }
        Self { packets }
    }

    fn pcap(&self, big_endian: bool, nanoseconds: bool) -> Vec<u8> {
        let unit = if nanoseconds { 1 } else { 1_000 };
        let mut out = Writer { big_endian, bytes: Vec::new() };
        out.u32(if nanoseconds { 0xa1b2_3c4d_u32 } else { 0xa1b2_c3d4 });
        out.u16s(&[2, 4]);
        [0_u32, 0, 262_144, 1].into_iter().for_each(|field| out.u32(field));
        for packet in &self.packets {
            out.u32(packet.nanoseconds / 1_000_000_000);
            out.u32(packet.nanoseconds % 1_000_000_000 / unit);
            out.u32(packet.data.len());
            out.u32(packet.wire_length);
            out.bytes.extend(&packet.data);
        }
        out.bytes
    }

    fn pcapng(&self, big_endian: bool, nanoseconds: bool) -> Vec<u8> {
        let (unit, digits) = if nanoseconds { (1, 9) } else { (1_000, 6) };
        let mut out = Writer { big_endian, bytes: Vec::new() };
        out.block(0x0a0d_0d0a, |body| {
            body.u32(0x1a2b_3c4d_u32);
            body.u16s(&[1, 0]);
            body.bytes.extend([0xff; 8]);
        });
        out.block(1, |body| {
            body.u16s(&[1, 0]);
            body.u32(0);
            body.u16s(&[9, 1]);
            body.bytes.extend([digits, 0, 0, 0]);
            body.u16s(&[0, 0]);
        });
        for packet in &self.packets {
            out.block(6, |body| {
                let time = packet.nanoseconds / unit;
                body.u32(0);
                body.u32(time >> 32);
                body.u32(time & 0xffff_ffff);
                body.u32(packet.data.len());
                body.u32(packet.wire_length);
                body.bytes.extend(&packet.data);
            });
        }
        out.bytes
    }

    /// The first packet's time with its exact fraction of a second; the seconds are as in `shown`, whose date is not
    /// checked.
    fn first_time(&self, shown: &str, nanoseconds: bool) -> String {
        let fraction = self.packets[0].nanoseconds % 1_000_000_000;
        let (seconds, _) = shown.split_once('.').expect("a fraction of a second");
        if nanoseconds { format!("{seconds}.{fraction:09}Z") } else { format!("{seconds}.{:06}Z", fraction / 1_000) }
    }
}

/// Writes numbers in one byte order.
struct Writer {
    big_endian: bool,
    bytes: Vec<u8>,
}

impl Writer {
    fn u32<T: TryInto<u32, Error: std::fmt::Debug>>(&mut self, number: T) {
        let number = number.try_into().unwrap();
        self.bytes.extend(if self.big_endian { number.to_be_bytes() } else { number.to_le_bytes() });
    }

    fn u16s(&mut self, numbers: &[u16]) {
        for number in numbers {
            self.bytes.extend(if self.big_endian { number.to_be_bytes() } else { number.to_le_bytes() });
        }
    }

    fn block(&mut self, kind: u32, fill: impl FnOnce(&mut Self)) {
        let mut body = Self { big_endian: self.big_endian, bytes: Vec::new() };
        fill(&mut body);
        body.bytes.resize(body.bytes.len().next_multiple_of(4), 0);
        let length = body.bytes.len() + 12;
        self.u32(kind);
        self.u32(length);
        self.bytes.append(&mut body.bytes);
        self.u32(length);
    }
}
