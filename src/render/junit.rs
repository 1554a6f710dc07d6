//! The report as JUnit XML, for the test page of a CI job.
//!
//! In: a report, or a regression run. Out: a suite with a case for each fault; a suite for the captures. A fault of severity
//! error fails its case. Bounded: by the faults. Left to others: the exit status.
//!
//! There is no standard; this is what the schema that Jenkins publishes (junit-10.xsd) and GitLab's and GitHub's readers
//! have in common.

use super::shared::many::example;
use super::shared::words::{clean, place};
use super::shared::{dropped, nobody};
use crate::report::{CheckOutcome, CheckReport, Checked, Difference, Fault, Finding, Proof, Report, Severity};

/// The report as JUnit XML, UTF-8.
pub fn junit(report: &Report) -> String {
    let cases = report.faults.iter().filter(|fault| fault.devices_total > 0).map(|fault| of_fault(report, fault));
    let faults = Suite { name: "faults".to_owned(), timestamp: time_of(report), cases: cases.collect() };
    write("chaingap", &[faults, of_captures(report)])
}

/// The time of the first packet, to the second.
fn time_of(report: &Report) -> Option<String> {
    let first = report.captures.iter().filter_map(|capture| capture.first_time.as_deref()).min()?;
    first.get(..19).map(str::to_owned)
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

/// The case of a fault: an error fails it, and a warning is noted (D-RENDER-05).
fn of_fault(report: &Report, fault: &Fault) -> Case {
    let class = fault.server_name.as_ref().or(fault.server.as_ref()).map_or("devices", String::as_str).to_owned();
    let name = format!("{} {} ({})", fault.code, fault.name, fault.id);
    let mut case = Case { class, name, ..Case::default() };
    let affected = format!("{} of {} devices, ", fault.devices_total, report.totals.devices);
    let times = fault.first_time.as_deref().zip(fault.last_time.as_deref());
    let times = times.map(|(first, last)| format!(", {first} to {last}")).unwrap_or_default();
    let (severity, proof) = (fault.severity.as_str(), fault.proof.as_str());
    let headline = format!("{} {} ({severity}, {proof}): {}", fault.code, fault.name, fault.summary);
    let mut lines = vec![headline, format!("{affected}{} times{times}", fault.handshakes_total)];
    lines.extend(fault.example.iter().map(|example| format!("for example {}", example.device)));
    lines.push(String::new());
    lines.extend(example(report, fault).into_iter().flat_map(shown_by));
    lines.extend(fault.remedies.iter().map(|remedy| format!("do: {remedy}")));
    lines.extend(fault.filter.iter().map(|filter| format!("Wireshark: {filter}")));
    let text = lines.join("\n");
    match fault.severity {
        Severity::Error => case.failures.push(Failure {
            kind: format!("{} {}", fault.code, fault.name),
            message: fault.summary.clone(),
            text,
        }),
        _ if fault.proof == Proof::Undecidable => {
            case.skipped = Some("the capture does not show how it ended".to_owned());
            case.notes = text;
        }
        _ => case.notes = text,
    }
    case
}

/// A case for each capture: an error if nothing of it could be read. A finding that concerns no device fails it.
fn of_captures(report: &Report) -> Suite {
    let findings: Vec<&Finding> = report.findings.iter().filter(|finding| finding.device.is_none()).collect();
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
    if let (Some(case), Some(why)) = (cases.first_mut(), dropped(report)) {
        let line = if case.notes.is_empty() { "" } else { "\n" };
        case.notes.push_str(&format!("{line}{why}"));
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
    lines.extend(shown_by(finding));
    lines.extend(finding.remedies.iter().map(|remedy| format!("do: {remedy}")));
    lines.extend(finding.filter.iter().map(|filter| format!("Wireshark: {filter}")));
    lines.join("\n")
}

/// What shows a finding, and what is ruled out.
fn shown_by(finding: &Finding) -> Vec<String> {
    let evidence = finding.evidence.iter();
    let evidence = evidence.map(|it| format!("{}: {}", place(&it.capture, it.frame), it.what));
    let causes = finding.excluded.iter().map(|cause| {
        let word = if cause.excluded { "ruled out" } else { "not ruled out" };
        format!("{word}: {}: {}", cause.cause, cause.why)
    });
    evidence.chain(causes).collect()
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
    use crate::render::sample::{capture, counted, finding, many, sample};
    use crate::report::Capture;

    #[test]
    fn a_case_for_each_fault_fails_by_its_error() {
        let mut report = many(200, 100);
        let cause = report.findings[0].clone();
        let fetch = finding("CG004", "certificate-fetch-failed", Severity::Warning, "no certificates");
        report.findings.push(Finding { device: cause.device.clone(), ..fetch });
        let xml = junit(&counted(report));
        // Two faults and two captures.
        assert!(xml.contains("<testsuites name=\"chaingap\" tests=\"4\" failures=\"1\" errors=\"0\">"), "{xml}");
        let case = "<testcase classname=\"10.20.30.10:443\" name=\"CG001 missing-intermediate (CG001/10.20.30.10:443)\">\n      <failure type=\"CG001 \
                    missing-intermediate\" message=\"TLS handshake fails: intermediate certificate &quot;Northwind";
        assert!(xml.contains(case), "{xml}");
        assert!(xml.contains("\n200 of 300 devices, "), "{xml}");
        let noted = "<system-out>CG004 certificate-fetch-failed (warning, inferred): no certificates\n1 of 300 devices";
        assert!(xml.contains(noted), "{xml}");
    }

    #[test]
    fn what_cannot_be_read_or_judged_is_no_pass() {
        let mut report = sample();
        let open = finding("CG017", "capture-incomplete", Severity::Warning, "the capture ends first");
        report.findings = vec![Finding { proof: Proof::Undecidable, ..open }];
        let problems = vec!["offset 0: not a capture file".to_owned()];
        report.captures.push(Capture { format: None, problems, ..capture("notes.txt") });
        let xml = junit(&counted(report));
        assert!(xml.contains("<skipped message=\"the capture does not show how it ended\"></skipped>"), "{xml}");
        assert!(xml.contains("<error type=\"unreadable\" message=\"offset 0: not a capture file\">"), "{xml}");
        assert!(xml.contains("failures=\"0\" errors=\"1\">"), "{xml}");
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
