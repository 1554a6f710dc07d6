//! The report as JUnit XML, for the test page of a CI job.
//!
//! In: a report, or a regression run. Out: a suite for each device, with a case for each
//! server that it made handshakes with; a suite for the captures. A finding of severity error fails its case. Bounded: by the report. Left to others: the exit status.
//!
//! There is no standard; this is what the schema that Jenkins publishes (junit-10.xsd) and GitLab's and GitHub's readers
//! have in common.

use std::collections::BTreeMap;

use super::shared::nobody;
use super::shared::words::{clean, place};
use crate::report::{CheckOutcome, CheckReport, Checked, Device, Difference, Finding, Outcome, Report, Severity};

/// The report as JUnit XML, UTF-8.
pub fn junit(report: &Report) -> String {
    let mut findings: BTreeMap<Option<&str>, Vec<&Finding>> = BTreeMap::new();
    for finding in &report.findings {
        findings.entry(finding.device.as_deref()).or_default().push(finding);
    }
    let of = |device| findings.get(&device).map(Vec::as_slice).unwrap_or_default();
    let mut suites: Vec<Suite> =
        report.devices.iter().map(|device| of_device(device, of(Some(device.id.as_str())))).collect();
    suites.push(of_captures(report, of(None)));
    write("chaingap", &suites)
}

/// A group of cases.
struct Suite {
    name: String,
    /// RFC 3339, to the second.
    timestamp: Option<String>,
    cases: Vec<Case>,
}

/// One case. Texts may have several lines.
#[derive(Default)]
struct Case {
    class: String,
    name: String,
    failures: Vec<Failure>,
    /// Why it could not be run at all.
    error: Option<Failure>,
    /// Why it decides nothing (D-RENDER-05).
    skipped: Option<String>,
    /// Notes.
    notes: String,
}

/// What went wrong: a kind, a sentence, all of it.
struct Failure {
    kind: String,
    message: String,
    text: String,
}

/// A case for each server, in the order of the handshakes; what concerns none has a case of its own.
fn of_device(device: &Device, findings: &[&Finding]) -> Suite {
    let mut servers = Servers { class: &device.id, cases: Vec::new() };
    for handshake in &device.handshakes {
        let (case, judged) = servers.case(Some(&handshake.server), handshake.server_name.as_deref());
        *judged |= !matches!(handshake.outcome, Outcome::Undetermined | Outcome::Incomplete);
        let line = format!("frame {}: {} {}\n", handshake.frame, handshake.history, handshake.outcome.as_str());
        case.notes.push_str(&line);
    }
    let works = device.handshakes.iter().any(|handshake| handshake.outcome == Outcome::Completed);
    for finding in findings {
        let (case, judged) = servers.case(finding.server.as_deref(), finding.server_name.as_deref());
        // A note about a device that works leaves nothing open.
        *judged |= finding.severity > Severity::Info || (works && finding.server.is_none());
        case.add(finding);
    }
    let cases = servers.cases.into_iter().map(|(_, mut case, judged)| {
        if case.failures.is_empty() && !judged {
            case.skipped = Some("the capture does not show how it ended".to_owned());
        }
        case
    });
    let timestamp = device.addresses.first().and_then(|address| address.first.get(..19)).map(str::to_owned);
    Suite { name: device.id.clone(), timestamp, cases: cases.collect() }
}

/// The cases of a device, by server, and whether there was anything to judge in each.
struct Servers<'a> {
    class: &'a str,
    cases: Vec<(Option<&'a str>, Case, bool)>,
}

impl<'a> Servers<'a> {
    fn case(&mut self, server: Option<&'a str>, server_name: Option<&str>) -> (&mut Case, &mut bool) {
        let known = self.cases.iter().position(|(key, ..)| *key == server);
        let index = known.unwrap_or(self.cases.len());
        if known.is_none() {
            let name = match (server, server_name) {
                (Some(server), Some(name)) => format!("TLS {server} ({name})"),
                (Some(server), None) => format!("TLS {server}"),
                (None, _) => "device".to_owned(),
            };
            self.cases.push((server, Case { class: self.class.to_owned(), name, ..Case::default() }, false));
        }
        let (_, case, judged) = &mut self.cases[index];
        (case, judged)
    }
}

/// A case for each capture: an error if nothing of it could be read. A finding that concerns no device fails it.
fn of_captures(report: &Report, findings: &[&Finding]) -> Suite {
    let mut cases: Vec<Case> = Vec::new();
    for capture in &report.captures {
        let mut case = Case { class: "captures".to_owned(), name: capture.path.clone(), ..Case::default() };
        let problems = capture.problems.join("\n");
        if capture.format.is_none() {
            let message = capture.problems.first().cloned().unwrap_or_default();
            case.error = Some(Failure { kind: "unreadable".to_owned(), message, text: problems });
        } else {
            case.notes = problems;
        }
        let own = findings.iter().filter(|finding| finding.capture.as_ref() == Some(&capture.path));
        own.for_each(|finding| case.add(finding));
        cases.push(case);
    }
    if report.devices.is_empty() && report.options.device.is_some() {
        let message = nobody(report);
        let error = Some(Failure { kind: "not run".to_owned(), text: message.clone(), message });
        cases.push(Case { class: "captures".to_owned(), name: "devices".to_owned(), error, ..Case::default() });
    }
    if let (Some(case), Some(why)) = (cases.first_mut(), &report.dropped.why) {
        let line = if case.notes.is_empty() { "" } else { "\n" };
        case.notes.push_str(&format!("{line}not all was kept: {why}"));
    }
    let named = |finding: &&&Finding| report.captures.iter().any(|c| finding.capture.as_ref() == Some(&c.path));
    let rest: Vec<_> = findings.iter().filter(|finding| !named(finding)).collect();
    if !rest.is_empty() {
        let mut case = Case { class: "captures".to_owned(), name: "all captures".to_owned(), ..Case::default() };
        rest.into_iter().for_each(|finding| case.add(finding));
        cases.push(case);
    }
    Suite { name: "captures".to_owned(), timestamp: None, cases }
}

impl Case {
    /// An error fails the case; a lesser finding is noted.
    fn add(&mut self, finding: &Finding) {
        let headline = format!(
            "{} {} ({}, {}): {}",
            finding.code,
            finding.name,
            finding.severity.as_str(),
            finding.proof.as_str(),
            finding.summary
        );
        if finding.severity < Severity::Error {
            self.notes.push_str(&format!("{headline}\n"));
            return;
        }
        self.failures.push(Failure {
            kind: format!("{} {}", finding.code, finding.name),
            message: finding.summary.clone(),
            text: in_full(finding, &headline),
        });
    }
}

fn in_full(finding: &Finding, headline: &str) -> String {
    let mut lines = vec![headline.to_owned(), String::new()];
    for evidence in &finding.evidence {
        lines.push(format!("{}: {}", place(&evidence.capture, evidence.frame), evidence.what));
    }
    for cause in &finding.excluded {
        let word = if cause.excluded { "ruled out" } else { "not ruled out" };
        lines.push(format!("{word}: {}: {}", cause.cause, cause.why));
    }
    lines.extend(finding.remedies.iter().map(|remedy| format!("do: {remedy}")));
    lines.extend(finding.filter.iter().map(|filter| format!("Wireshark: {filter}")));
    lines.join("\n")
}

/// JUnit XML: a case for each expectation.
pub fn check_junit(report: &CheckReport) -> String {
    let case = |checked: &Checked| {
        let mut case = Case { class: report.folder.clone(), name: checked.path.clone(), ..Case::default() };
        let differences: Vec<String> = checked.differences.iter().map(in_words).collect();
        match checked.outcome {
            CheckOutcome::Same => {}
            CheckOutcome::Updated => case.notes = format!("rewritten\n{}", differences.join("\n")),
            CheckOutcome::Different => case.failures.push(Failure {
                kind: "difference".to_owned(),
                message: differences.first().cloned().unwrap_or_default(),
                text: differences.join("\n"),
            }),
            CheckOutcome::Failed => {
                let why = checked.problem.clone().unwrap_or_default();
                let message = why.lines().next().unwrap_or_default().to_owned();
                case.error = Some(Failure { kind: "not run".to_owned(), message, text: why });
            }
        }
        case
    };
    let mut cases: Vec<Case> = report.expectations.iter().map(case).collect();
    cases.extend(report.unnamed.iter().map(|path| {
        let why = "no expectation names this capture".to_owned();
        let failures = vec![Failure { kind: "unnamed".to_owned(), message: why.clone(), text: why }];
        Case { class: report.folder.clone(), name: path.clone(), failures, ..Case::default() }
    }));
    write("chaingap check", &[Suite { name: report.folder.clone(), timestamp: None, cases }])
}

fn in_words(difference: &Difference) -> String {
    let word = |text: &Option<String>| text.clone().unwrap_or_else(|| "nothing".to_owned());
    format!("{}: expected {}, got {}", difference.about, word(&difference.expected), word(&difference.got))
}

/// The suites as one document.
fn write(name: &str, suites: &[Suite]) -> String {
    let count = |of: fn(&Case) -> bool| suites.iter().flat_map(|suite| &suite.cases).filter(|case| of(case)).count();
    let mut xml = Xml { out: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned() };
    let counts = [
        ("name", name.to_owned()),
        ("tests", count(|_| true).to_string()),
        ("failures", count(|case| !case.failures.is_empty()).to_string()),
        ("errors", count(|case| case.error.is_some()).to_string()),
    ];
    xml.open(0, "testsuites", &counts);
    for suite in suites {
        let count = |of: fn(&Case) -> bool| suite.cases.iter().filter(|case| of(case)).count().to_string();
        let mut attributes = vec![
            ("name", suite.name.clone()),
            ("tests", count(|_| true)),
            ("failures", count(|case| !case.failures.is_empty())),
            ("errors", count(|case| case.error.is_some())),
            ("skipped", count(|case| case.skipped.is_some())),
        ];
        attributes.extend(suite.timestamp.clone().map(|time| ("timestamp", time)));
        xml.open(1, "testsuite", &attributes);
        suite.cases.iter().for_each(|case| xml.case(case));
        xml.close(1, "testsuite");
    }
    xml.close(0, "testsuites");
    xml.out
}

/// A document under construction. Whatever is put in is made safe first.
struct Xml {
    out: String,
}

impl Xml {
    fn case(&mut self, case: &Case) {
        self.open(2, "testcase", &[("classname", case.class.clone()), ("name", case.name.clone())]);
        if let Some(why) = &case.skipped {
            self.element("skipped", &[("message", why.clone())], "");
        }
        let mut failure = |element: &str, failure: &Failure| {
            let attributes = [("type", failure.kind.clone()), ("message", failure.message.clone())];
            self.element(element, &attributes, &failure.text);
        };
        case.error.iter().for_each(|error| failure("error", error));
        case.failures.iter().for_each(|fault| failure("failure", fault));
        if !case.notes.is_empty() {
            self.element("system-out", &[], &case.notes);
        }
        self.close(2, "testcase");
    }

    fn start(&mut self, depth: usize, name: &str, attributes: &[(&str, String)]) {
        self.out.push_str(&"  ".repeat(depth));
        self.out.push_str(&format!("<{name}"));
        for (key, value) in attributes {
            self.out.push_str(&format!(" {key}=\"{}\"", escape(&clean(value))));
        }
        self.out.push('>');
    }

    fn open(&mut self, depth: usize, name: &str, attributes: &[(&str, String)]) {
        self.start(depth, name, attributes);
        self.out.push('\n');
    }

    fn close(&mut self, depth: usize, name: &str) {
        self.out.push_str(&format!("{}</{name}>\n", "  ".repeat(depth)));
    }

    fn element(&mut self, name: &str, attributes: &[(&str, String)], text: &str) {
        self.start(3, name, attributes);
        let lines: Vec<String> = text.lines().map(|line| escape(&clean(line))).collect();
        self.out.push_str(&lines.join("\n"));
        self.out.push_str(&format!("</{name}>\n"));
    }
}

/// Text without markup, and without the two characters that XML 1.0 forbids beside control characters.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => out.extend(c.escape_unicode()),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample::{capture, finding, ok, sample};
    use crate::report::Capture;

    #[test]
    fn a_case_for_each_server_fails_by_its_error() {
        let mut report = sample();
        report.devices.push(ok("10.20.30.51"));
        report.findings.push(finding("CG004", "certificate-fetch-failed", Severity::Warning, "no certificates"));
        let xml = junit(&report);
        assert!(xml.contains("<testsuites name=\"chaingap\" tests=\"4\" failures=\"1\" errors=\"0\">"), "{xml}");
        let case = "<testcase classname=\"device 10.20.30.50\" name=\"TLS 10.20.30.10:443\">\n      <failure type=\"CG001 \
                    missing-intermediate\" message=\"TLS handshake fails: intermediate certificate &quot;Northwind";
        assert!(xml.contains(case), "{xml}");
        let noted = "<system-out>frame 9: CsxnL rejected-by-client\nCG004 certificate-fetch-failed (warning, inferred)";
        assert!(xml.contains(noted), "{xml}");
    }

    #[test]
    fn what_cannot_be_read_or_judged_is_no_pass() {
        let mut report = sample();
        report.findings.clear();
        report.devices[0].handshakes[0].outcome = Outcome::Undetermined;
        let problems = vec!["offset 0: not a capture file".to_owned()];
        report.captures.push(Capture { format: None, problems, ..capture("notes.txt") });
        let xml = junit(&report);
        assert!(xml.contains("<skipped message=\"the capture does not show how it ended\"></skipped>"), "{xml}");
        assert!(xml.contains("<error type=\"unreadable\" message=\"offset 0: not a capture file\">"), "{xml}");
        assert!(xml.contains("failures=\"0\" errors=\"1\">"), "{xml}");
    }

    #[test]
    fn what_is_good_to_know_of_a_device_that_works_is_a_pass() {
        let mut report = sample();
        report.devices.truncate(1);
        let id = report.devices[0].id.clone();
        report.devices[0].handshakes[0].outcome = Outcome::Completed;
        let fine = finding("CG030", "tls-is-fine", Severity::Info, "the TLS handshake works");
        report.findings = vec![Finding { device: Some(id), server: None, server_name: None, ..fine }];
        let xml = junit(&report);
        assert!(xml.contains("CG030 tls-is-fine") && !xml.contains("<skipped"), "{xml}");
    }

    #[test]
    fn a_regression_run_has_a_case_for_each_expectation() {
        let xml = check_junit(&crate::render::text::check::tests::sample());
        assert!(xml.contains("<testsuites name=\"chaingap check\" tests=\"4\" failures=\"2\" errors=\"1\">"), "{xml}");
        assert!(xml.contains("expected nothing, got &lt;b&gt;\\u{1b}[m</failure>"), "{xml}");
    }

    #[test]
    fn nothing_becomes_markup() {
        assert_eq!(escape("</a>\"&'\u{ffff}]]>"), "&lt;/a&gt;&quot;&amp;'\\u{ffff}]]&gt;");
    }
}
