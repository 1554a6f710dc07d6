//! Every format, over one set of reports, with hostile names in them.
//!
//! In: the reports on the sample captures, and the same with hostile text wherever a capture's words stand. Out: no
//! character of them is obeyed by a terminal, a browser, an XML parser or Markdown, and no format loses a finding. Left
//! to others: the formats' official schemas (`.ci/formats.sh`).

use std::fs;
use std::path::{Path, PathBuf};

use chaingap::render::{self, FORMATS, TextStyle};
use chaingap::report::{CertsReport, Report};
use serde_json::Value;

/// Members whose text is one of a few words of this program. All others are treated as untrusted.
const OWN_WORDS: &[&str] = &[
    "answer", "schema", "status", "proof", "severity", "basis", "method", "strength", "outcome", "how", "by", "from",
    "format", "kind", "via",
];

/// A format's name, and how it is made.
type Format = (&'static str, fn(&Report, &TextStyle) -> String);

const STYLE: TextStyle = TextStyle { color: false, width: 100 };

/// A format's name, and how it is made, where that is more than a function.
type Made = (&'static str, Box<dyn Fn(&Report, &TextStyle) -> String>);

/// Every format of a report, and the text in colour.
fn formats() -> impl Iterator<Item = Made> {
    let colour: Format = ("colour", |report, style| render::text(report, &TextStyle { color: true, ..*style }));
    let shown =
        FORMATS.iter().map(|format| -> Made { (format.name, Box::new(|report, style| format.show(report, style))) });
    shown.chain([boxed(colour)])
}

fn boxed((name, make): Format) -> Made {
    (name, Box::new(make))
}

/// What else is made of a report.
const OTHERS: &[Format] = &[
    ("certs", |report, style| render::certs_text(&CertsReport::of(report, false), style)),
    ("json", |report, _| render::certs_json(&CertsReport::of(report, false))),
];

#[test]
fn every_format_tells_every_grave_finding() {
    for report in reports() {
        for (format, make) in formats() {
            let text = make(&report, &STYLE);
            for finding in report.findings.iter().filter(|finding| finding.severity.as_str() == "error") {
                assert!(text.contains(&finding.code), "{format} of {}: no {}", report.captures[0].path, finding.code);
            }
            assert!(text.ends_with('\n') && text == make(&report, &STYLE), "{format}");
        }
    }
}

#[test]
fn no_format_lets_a_name_steer_its_reader() {
    let hostile = [
        "\u{1b}[31m\u{9b}2J\u{7}\u{0}\u{8}",
        "\u{202e}evil\u{2066}\u{200f}\u{200b}",
        "<script>alert(1)</script><img src=x onerror=alert(1)>",
        "]]></failure></testcase>\"'&amp;&#10;",
        "a\n## heading\n\n| x | y |\n|---|---|\n",
        "`code` ```\n``` ![i](http://evil.example/i.png) [l](javascript:alert(1)) <http://evil.example>",
    ];
    let all = hostile.concat();
    let long = format!("{all}{}", "x".repeat(10_000));
    for (index, report) in support::share("hostile names", reports().iter().enumerate()) {
        // One after another, and with ten thousand characters, on some reports; all at once on every one.
        let more = hostile.into_iter().chain([long.as_str()]).filter(|_| index % 16 == 0);
        for text in more.chain([all.as_str()]) {
            let report = with_hostile_names(report, text);
            for (format, make) in formats().chain(OTHERS.iter().copied().map(boxed)) {
                check(format, &make(&report, &STYLE));
            }
            if index % 16 == 0 {
                keep(index, &report);
            }
        }
    }
}

/// Leaves the outputs in the folder that `CHAINGAP_OUTPUTS` names, for independent validators.
fn keep(index: usize, report: &Report) {
    let Some(folder) = std::env::var_os("CHAINGAP_OUTPUTS") else { return };
    for (format, make) in formats().filter(|(format, _)| *format != "text" && *format != "colour") {
        fs::write(Path::new(&folder).join(format!("hostile-{index}.{format}")), make(report, &STYLE)).unwrap();
    }
}

/// What must hold of any output, whatever its report says.
fn check(format: &str, text: &str) {
    let steers = |c: &char| {
        (c.is_control() && *c != '\n')
            || matches!(*c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}'..='\u{200f}' | '\u{fffe}' | '\u{ffff}')
    };
    let found = match format {
        // Colours are the only escape sequences.
        "colour" => strip_colours(text).chars().find(steers),
        _ => text.chars().find(steers),
    };
    assert_eq!(found, None, "{format}: {}", around(text, found));
    match format {
        "json" | "jsonl" | "sarif" => drop(serde_json::from_str::<Value>(text).expect(format)),
        "junit" => well_formed(text),
        "markdown" => markdown(text),
        _ => {}
    }
}

fn around(text: &str, c: Option<char>) -> String {
    let at = c.and_then(|c| text.find(c)).unwrap_or(0);
    text[..at].chars().rev().take(60).collect::<Vec<_>>().into_iter().rev().collect()
}

fn strip_colours(text: &str) -> String {
    let mut out = String::new();
    for (index, part) in text.split("\u{1b}[").enumerate() {
        let rest = if index == 0 { part } else { part.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';') };
        out.push_str(if index == 0 { rest } else { rest.strip_prefix('m').expect("a colour, and nothing else") });
    }
    out
}

/// Only the elements of JUnit, properly nested; read by an independent parser.
fn well_formed(xml: &str) {
    let mut reader = quick_xml::Reader::from_str(xml);
    let mut open = Vec::new();
    loop {
        match reader.read_event().expect("well-formed") {
            quick_xml::events::Event::Start(element) => open.push(element.name().as_ref().to_owned()),
            quick_xml::events::Event::End(element) => {
                assert_eq!(open.pop().as_deref(), Some(element.name().as_ref()));
            }
            quick_xml::events::Event::Eof => break,
            _ => {}
        }
        let known = ["testsuites", "testsuite", "testcase", "failure", "error", "skipped", "system-out"];
        assert!(open.iter().all(|name| known.iter().any(|known| known == name)), "{open:?}");
    }
    assert!(open.is_empty(), "{open:?}");
}

/// No HTML but empty comments outside code, no link and no image, every row of a table as wide as its head.
fn markdown(text: &str) {
    let mut fence: Option<String> = None;
    let mut cells = None;
    for line in text.lines() {
        let body = line.trim_start();
        let ticks: String = body.chars().take_while(|c| *c == '`').collect();
        match &fence {
            Some(open) if ticks.len() >= open.len() && body == ticks => fence = None,
            Some(_) => continue,
            None if ticks.len() >= 3 => fence = Some(ticks),
            None => {}
        }
        let bare = body.replace("@<!-- -->", "");
        assert!(!bare.contains('<'), "HTML: {line}");
        assert!(!bare.contains("](") || bare.contains("\\]("), "link: {line}");
        assert!(!bare.contains("http://") && !bare.contains("javascript:"), "address: {line}");
        if body.starts_with("| ") || body.starts_with("|-") {
            let count = bare.replace("\\\\", "").replace("\\|", "").matches('|').count();
            assert_eq!(count, *cells.get_or_insert(count), "cells: {line}");
        } else {
            cells = None;
            let own = ["## chaingap: ", "### ❌ ", "### ❔ ", "### ⚠️ ", "### ✅ "];
            assert!(!body.starts_with('#') || own.iter().any(|own| body.starts_with(own)), "heading: {line}");
        }
    }
    assert_eq!(fence, None, "a fence is left open");
}

/// The report with `text` in everything taken from captures, and in the sentences about it.
fn with_hostile_names(report: &Report, text: &str) -> Report {
    let mut value = serde_json::to_value(report).unwrap();
    infect(&mut value, text);
    serde_json::from_value(value).unwrap()
}

fn infect(value: &mut Value, text: &str) {
    match value {
        Value::Array(values) => {
            for value in values {
                if let Value::String(word) = value {
                    word.push_str(text);
                } else {
                    infect(value, text);
                }
            }
        }
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(_) if OWN_WORDS.contains(&name.as_str()) => {}
                    Value::String(word) => word.push_str(text),
                    other => infect(other, text),
                }
            }
        }
        _ => {}
    }
}

/// The reports on the samples: each by itself, and README's two captures together.
fn reports() -> Vec<Report> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    let root = fs::read(folder.join("pki/root.pem")).unwrap();
    let analyzer = chaingap::Analyzer::builder().root("root.pem", &root).build().unwrap();
    let mut paths: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "pcap" || end == "pcapng"));
    paths.sort();
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    let mut reports: Vec<Report> =
        paths.iter().map(|path| analyzer.analyze(fs::File::open(path).unwrap(), &name(path)).unwrap()).collect();
    let mut both = analyzer.investigate();
    for file in ["pin-sign-in.pcapng", "usb-sign-in.pcapng"] {
        both.read(fs::File::open(folder.join(file)).unwrap(), file).unwrap();
    }
    reports.push(both.report());
    reports
}
