//! Reports add up to the same summary in any order and any grouping, and `chaingap merge` adds them from files.
//!
//! In: the reports of the sample captures. Out: what the sums must be, counted here from the reports themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use chaingap::Analyzer;
use chaingap::report::{FaultCount, Report, Summary};

fn reports() -> Vec<Report> {
    let mut paths: Vec<_> = fs::read_dir("captures").unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "pcap" || extension == "pcapng"));
    paths.sort();
    let root = fs::read("captures/pki/root.pem").unwrap();
    let analyzer = Analyzer::builder().root("root.pem", &root).build().unwrap();
    let analyze = |path: &std::path::PathBuf| analyzer.analyze(fs::File::open(path).unwrap(), &path.to_string_lossy());
    paths.iter().take(60).map(|path| analyze(path).unwrap()).collect()
}

fn sum<'a>(reports: impl IntoIterator<Item = &'a Report>) -> Summary {
    reports.into_iter().fold(Summary::default(), |total, report| total + Summary::of(report))
}

#[test]
fn any_order_and_any_grouping_give_the_same_sum() {
    let reports = reports();
    let whole = sum(&reports);
    assert_eq!(whole, sum(reports.iter().rev()));
    for parts in [1, 2, 7, 59] {
        let grouped = reports.chunks(parts).map(sum).fold(Summary::default(), |a, b| b + a);
        assert_eq!(whole, grouped, "groups of {parts}");
    }
    assert_eq!(whole.clone() + Summary::default(), whole);
}

#[test]
fn a_sum_counts_what_the_reports_say() {
    let reports = reports();
    let whole = sum(&reports);
    assert_eq!(whole.reports, 60);
    assert_eq!(whole.packets, reports.iter().map(|report| report.statistics.packets).sum::<u64>());
    let times = |count: &FaultCount| (count.devices, count.handshakes);
    let faults = || reports.iter().flat_map(|report| &report.faults);
    for (id, count) in &whole.faults {
        let same = || faults().filter(|fault| fault.id == *id);
        let (devices, handshakes) = (same().map(|f| f.devices_total).sum(), same().map(|f| f.handshakes_total).sum());
        assert_eq!(times(count), (devices, handshakes), "{id}");
    }
    assert_eq!(whole.faults.len(), faults().map(|fault| &fault.id).collect::<BTreeSet<_>>().len());
    assert_eq!(whole.devices, reports.iter().map(|report| u64::try_from(report.devices.len()).unwrap()).sum::<u64>());
    let mut codes: BTreeMap<&str, u64> = BTreeMap::new();
    for finding in reports.iter().flat_map(|report| &report.findings) {
        *codes.entry(&finding.code).or_default() += 1;
    }
    let summed: BTreeMap<&str, u64> =
        whole.findings.iter().map(|(code, count)| (code.as_str(), count.findings)).collect();
    assert_eq!(summed, codes);
    let missing = "CN=Northwind Issuing CA 1,O=Northwind";
    assert!(whole.missing.values().any(|count| count.subject == missing && count.candidates.len() == 1));
}

#[test]
fn merge_adds_files_of_reports_and_of_summaries_and_tells_of_lines_that_are_neither() {
    let folder = tempfile::tempdir().unwrap();
    let lines: Vec<String> = reports().iter().map(|report| serde_json::to_string(report).unwrap()).collect();
    let file = |name: &str, text: String| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let (first, second) = (file("1.jsonl", lines[..30].join("\n")), file("2.jsonl", lines[30..].join("\n") + "\n"));
    let merge = |paths: &[&Path]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chaingap"));
        command.arg("merge").args(paths).args(["--format", "json"]).output().unwrap()
    };
    let whole = merge(&[&first, &second]);
    assert_eq!(whole.status.code(), Some(0), "{}", String::from_utf8_lossy(&whole.stderr));
    let summaries = [
        file("a", String::from_utf8(merge(&[&first]).stdout).unwrap()),
        file("b", String::from_utf8(merge(&[&second]).stdout).unwrap()),
    ];
    assert_eq!(merge(&[&summaries[1], &summaries[0]]).stdout, whole.stdout, "sums of sums");

    let broken = file("3.jsonl", format!("{}\nno report\n{{\"schema\": \"other/1\"}}\n", lines[0]));
    let told = merge(&[&broken]);
    assert_eq!(told.status.code(), Some(2));
    let errors = String::from_utf8(told.stderr).unwrap();
    assert!(errors.contains("3.jsonl: line 2: no report") && errors.contains("3.jsonl: line 3: neither"), "{errors}");
    let summary: Summary = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!((summary.reports, summary.failed), (1, 2));

    // Text of an untrusted report is printed without the control characters that a terminal would obey.
    let status = "\"status\":\"";
    let hostile = lines[0].replacen(status, &format!("{status}\\u001b]0;title\\u0007\\nchaingap: all is well"), 1);
    let told = merge(&[&file("4.jsonl", hostile + "\n")]);
    let errors = String::from_utf8(told.stderr).unwrap();
    assert!(errors.contains("4.jsonl: line 1: unknown variant") && errors.contains("]0;title"), "{errors}");
    assert!(errors.lines().count() == 1 && !errors.trim_end().contains(char::is_control), "{errors:?}");
}

#[test]
fn a_report_over_many_lines_is_read_and_nothing_is_no_sum() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let analyze = |format: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chaingap"));
        command.args(["analyze", "captures/usb-sign-in.pcapng", "--format", format]).output().unwrap().stdout
    };
    fs::write(path("pretty.json"), analyze("json")).unwrap();
    fs::write(path("lines.jsonl"), analyze("jsonl")).unwrap();
    fs::write(path("empty.jsonl"), "").unwrap();
    let merge = |names: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chaingap"));
        let out = command.arg("merge").args(names.iter().map(|name| path(name))).args(["--format", "json"]).output();
        let out = out.unwrap();
        let summary: Summary = serde_json::from_slice(&out.stdout).unwrap();
        (out.status.code(), summary, String::from_utf8(out.stderr).unwrap())
    };
    let (status, lines, _) = merge(&["lines.jsonl"]);
    assert_eq!((status, lines.reports), (Some(0), 1));
    assert_eq!(merge(&["pretty.json"]), (Some(0), lines.clone(), String::new()));
    // One of several parts may be empty; if all are, something went wrong before.
    let (status, both, said) = merge(&["lines.jsonl", "empty.jsonl"]);
    assert_eq!((status, both), (Some(0), lines));
    assert!(said.contains("empty.jsonl: no report in it"), "{said}");
    let (status, none, said) = merge(&["empty.jsonl"]);
    assert_eq!((status, none.reports), (Some(2), 0));
    assert!(said.contains("empty.jsonl: no report in it"), "{said}");
}
