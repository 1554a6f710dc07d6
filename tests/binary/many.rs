//! Captures of many devices: each fault once, all devices counted, and output that does not grow with the devices.
//!
//! In: captures in which a known number of devices does what a recording shows. Out: counts that follow from how the
//! captures were made. Left to others: the verdicts on the recordings themselves (`captures/*.expect.toml`).

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::{Value, json};
use support::fleet::{Part, address, fleet};
use tempfile::TempDir;

/// Devices of a working server, then, from one moment on, devices of a server that leaves out its intermediates.
const WORKING: Part = Part { recording: "usb-full-chain.pcapng", devices: 100, first: 0 };
const FAILING: Part = Part { recording: "usb-sign-in.pcapng", devices: 200, first: 100 };

struct Captured {
    _folder: TempDir,
    path: PathBuf,
}

fn captured(parts: &[Part]) -> Captured {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("many.pcap");
    fs::write(&path, fleet(parts).unwrap()).unwrap();
    Captured { _folder: folder, path }
}

impl Captured {
    fn run(&self, options: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chaingap"));
        command.arg("analyze").arg(&self.path).args(options).env("COLUMNS", "110").output().unwrap()
    }

    fn shown(&self, options: &[&str]) -> String {
        let out = self.run(options);
        assert_eq!(out.status.code(), Some(1), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    }

    fn json(&self, options: &[&str]) -> Value {
        serde_json::from_str(&self.shown(&[&["--format", "json"], options].concat())).unwrap()
    }

    fn sibling(&self, name: &str) -> PathBuf {
        self.path.with_file_name(name)
    }
}

#[test]
fn a_fault_is_told_once_and_counts_every_device() {
    let report = captured(&[WORKING, FAILING]).json(&[]);
    assert_eq!(report["totals"]["devices"], 300);
    assert_eq!(report["totals"]["verdicts"], json!({"fails": 200, "ok": 100}));
    let faults = report["faults"].as_array().unwrap();
    assert_eq!(faults.len(), 1);
    let fault = &faults[0];
    assert_eq!((&fault["code"], &fault["server"]), (&json!("CG001"), &json!("10.20.30.10:443")));
    assert_eq!((&fault["devices_total"], &fault["handshakes_total"]), (&json!(200), &json!(200)));
    let named: Vec<String> = (100..164).map(address).collect();
    assert_eq!(fault["devices"], json!(named), "the first 64");
    assert_eq!(fault["example"]["device"], json!(address(100)));
    // One device after the other every tenth of a second, from midnight on; the hello is the fourth frame.
    assert_eq!(fault["first_time"], "2026-01-01T00:00:10.003000Z");
    let line = &fault["timeline"];
    assert_eq!((&line["completed_before"], &line["completed_after"]), (&json!(100), &json!(0)));
    let sum = |counts: &Value| counts.as_array().unwrap().iter().map(|count| count.as_u64().unwrap()).sum::<u64>();
    assert_eq!((sum(&line["completed"]), sum(&line["failed"])), (100, 200));
    assert_eq!(report["complete"], true, "what is not shown was judged");
}

#[test]
fn up_to_three_of_a_kind_are_shown_and_the_others_are_addresses() {
    let all = captured(&[WORKING, FAILING]);
    let report = all.json(&[]);
    let shown: Vec<&str> = report["devices"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect();
    let expected = [0, 1, 2, 100, 101, 102].map(address);
    assert_eq!(shown, expected);
    let groups: Vec<(&Value, &Value, &Value)> =
        report["groups"].as_array().unwrap().iter().map(|g| (&g["like"], &g["devices_total"], &g["verdict"])).collect();
    let (like_100, like_0) = (json!(address(100)), json!(address(0)));
    assert_eq!(groups, [(&like_100, &json!(197), &json!("fails")), (&like_0, &json!(97), &json!("ok"))]);
    let hidden: BTreeSet<&str> = report["groups"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|group| group["addresses"].as_array().unwrap().iter().map(|address| address.as_str().unwrap()))
        .collect();
    let expected: Vec<String> = (3..100).chain(103..300).map(address).collect();
    assert_eq!(hidden, expected.iter().map(String::as_str).collect());
    let every = all.json(&["--all-devices"]);
    assert_eq!((every["devices"].as_array().unwrap().len(), &every["groups"]), (300, &json!([])));
    assert_eq!(every["faults"], report["faults"]);
    let one = all.json(&["--device", &address(250)]);
    assert_eq!((&one["devices"][0]["id"], &one["faults"][0]["devices_total"]), (&json!(address(250)), &json!(1)));
}

#[test]
fn up_to_64_devices_are_all_shown() {
    for (working, shown, groups) in [(63, 64, 0), (64, 4, 1)] {
        let parts = [Part { devices: working, ..WORKING }, Part { devices: 1, ..FAILING }];
        let report = captured(&parts).json(&[]);
        let count = |member: &str| report[member].as_array().unwrap().len();
        assert_eq!((count("devices"), count("groups")), (shown, groups));
    }
}

#[test]
fn the_text_begins_and_ends_with_the_sum_and_puts_the_fault_before_what_works() {
    let text = captured(&[WORKING, FAILING]).shown(&[]);
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines.len() <= 150, "{}", lines.len());
    let sum = "300 devices: 200 fail, 100 ok";
    assert_eq!((lines[0], lines[lines.len() - 1]), (sum, sum));
    assert!(lines[3].starts_with("✗ 10.20.30.10:443  intermediate certificates \"Northwind Issuing CA 1\""), "{text}");
    assert!(lines[4].starts_with("  200 devices, since 2026-01-01 00:00:10 UTC"), "{text}");
    assert!(lines[5].starts_with("  from 00:00:10 on, after which every handshake"), "{text}");
    let place = |words: &str| text.find(words).unwrap_or_else(|| panic!("no {words}: {text}"));
    let others = place("10.64.0.101–10.64.1.43 (199)");
    assert!(others < place("✓ 100  TLS works") && place("✓ 100  TLS works") < place("10.64.0.0–10.64.0.99 (100)"));
}

#[test]
fn no_format_grows_with_the_devices() {
    let few = captured(&[Part { devices: 100, ..WORKING }, Part { devices: 100, ..FAILING }]);
    let more = captured(&[Part { devices: 100, ..WORKING }, Part { devices: 700, ..FAILING }]);
    for format in ["text", "html", "markdown", "sarif", "junit"] {
        let size = |capture: &Captured| capture.shown(&["--format", format]).len();
        let (small, large) = (size(&few), size(&more));
        assert!(large < small + 200, "{format}: {small} bytes of 200 devices, {large} of 800");
    }
    // JSON has a line with the address of each device that is not shown.
    let size = |capture: &Captured| capture.shown(&["--format", "json"]).len();
    assert!(size(&more) < size(&few) + 600 * 40 + 1_000);
    let sarif: Value = serde_json::from_str(&more.shown(&["--format", "sarif"])).unwrap();
    assert_eq!(sarif["runs"][0]["results"].as_array().unwrap().len(), 1);
    let junit = more.shown(&["--format", "junit"]);
    assert!(junit.contains("<testsuite name=\"faults\" tests=\"1\" failures=\"1\""), "{junit}");
}

#[test]
fn the_table_of_devices_has_a_line_for_each_device_that_is_affected() {
    let all = captured(&[WORKING, FAILING]);
    let table = all.sibling("affected.csv");
    all.shown(&["--csv-devices", table.to_str().unwrap()]);
    let text = fs::read_to_string(table).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("address,mac,host_name,first,last,code,server,fault"));
    let affected: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    let addresses: Vec<&str> = affected.iter().map(|fields| fields[0]).collect();
    assert_eq!(addresses, (100..300).map(address).collect::<Vec<_>>());
    assert!(affected.iter().all(|fields| (fields[5], fields[6]) == ("CG001", "10.20.30.10:443")));
}

#[test]
fn reports_of_other_devices_add_up_to_the_same_faults() {
    let halves = [Part { devices: 90, ..FAILING }, Part { devices: 110, first: 190, ..FAILING }];
    let halves = halves.map(|part| captured(&[WORKING, part]));
    let folder = TempDir::new().unwrap();
    let mut merge = Command::new(env!("CARGO_BIN_EXE_chaingap"));
    merge.args(["merge", "--format", "json"]);
    let mut ids = BTreeSet::new();
    for (index, half) in halves.iter().enumerate() {
        let path = folder.path().join(index.to_string());
        fs::write(&path, half.shown(&["--format", "jsonl"])).unwrap();
        merge.arg(path);
        ids.insert(half.json(&[])["faults"][0]["id"].as_str().unwrap().to_owned());
    }
    let summary: Value = serde_json::from_slice(&merge.output().unwrap().stdout).unwrap();
    let faults = summary["faults"].as_object().unwrap();
    assert_eq!(faults.keys().cloned().collect::<BTreeSet<_>>(), ids);
    assert_eq!(ids.len(), 1);
    let fault = faults.values().next().unwrap();
    assert_eq!((&fault["devices"], &fault["handshakes"]), (&json!(200), &json!(200)));
    assert_eq!((&summary["devices"], &summary["verdicts"]["fails"]), (&json!(400), &json!(200)));
}

#[test]
fn a_device_that_is_not_shown_can_be_compared_and_annotated() {
    let all = captured(&[WORKING, FAILING]);
    let path = all.path.to_str().unwrap();
    let program = |arguments: &[&str]| Command::new(env!("CARGO_BIN_EXE_chaingap")).args(arguments).output().unwrap();
    let compared = program(&["compare", path, "--good", &address(50), "--bad", &address(250), "--format", "json"]);
    assert_eq!(compared.status.code(), Some(1), "{}", String::from_utf8_lossy(&compared.stderr));
    let compared: Value = serde_json::from_slice(&compared.stdout).unwrap();
    assert_eq!((&compared["good"]["device"], &compared["bad"]["device"]), (&json!(address(50)), &json!(address(250))));
    let annotated = program(&["annotate", path, "-o", "-", "--device", &address(250)]);
    assert!(annotated.status.success() && annotated.stdout.starts_with(b"\x0a\x0d\x0d\x0a"));
}
