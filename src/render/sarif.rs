//! The report as SARIF 2.1.0, for code scanning and CI.
//!
//! In: a report. Out: one run: a rule for each kind of fault there is, a result for each fault that points at the bytes of
//! the frames that show it in its example, a notification for whatever could not be read. Bounded: by the faults. Left to
//! others: the rules' texts.
//!
//! Source: OASIS, Static Analysis Results Interchange Format Version 2.1.0; the numbers are its sections.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::json::pretty;
use super::shared::many::example;
use super::shared::words::clean;
use super::shared::{dropped, nobody};
use crate::report::{Evidence, Fault, Report, Severity, rule_named};

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The report as SARIF 2.1.0, indented JSON with a newline at its end.
///
/// A result's `partialFingerprints` hold the fault's `id`, which is stable over runs, paths, frames and devices. Regions are
/// binary: byte offset and length of the record that holds the frame, in the capture as it was read.
pub fn sarif(report: &Report) -> String {
    let codes: BTreeSet<&str> = report.faults.iter().map(|fault| fault.code.as_str()).collect();
    let codes: Vec<&str> = codes.into_iter().collect();
    let captures: BTreeMap<&str, usize> =
        report.captures.iter().enumerate().map(|(index, capture)| (capture.path.as_str(), index)).collect();
    let artifacts = report.captures.iter().map(|capture| Artifact {
        location: ArtifactLocation { uri: uri(&capture.path), index: None },
        length: capture.bytes,
        roles: ["analysisTarget"],
    });
    pretty(&Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [Run {
            tool: Tool { driver: Driver::of(report, &codes) },
            invocations: [Invocation::of(report, &captures)],
            artifacts: artifacts.collect(),
            results: report.faults.iter().map(|fault| SarifResult::of(report, fault, &codes, &captures)).collect(),
        }],
    })
}

#[derive(Serialize)]
struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Serialize)]
struct Run {
    tool: Tool,
    invocations: [Invocation; 1],
    artifacts: Vec<Artifact>,
    results: Vec<SarifResult>,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
struct Driver {
    name: String,
    version: String,
    rules: Vec<Rule>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    short_description: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<Help>,
}

#[derive(Serialize)]
struct Help {
    text: &'static str,
    markdown: &'static str,
}

#[derive(Serialize)]
struct Text {
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
    tool_execution_notifications: Vec<Notification>,
}

#[derive(Serialize)]
struct Notification {
    level: &'static str,
    message: Text,
    locations: Vec<Location>,
}

#[derive(Serialize)]
struct Artifact {
    location: ArtifactLocation,
    length: u64,
    roles: [&'static str; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifResult {
    rule_id: String,
    rule_index: usize,
    level: &'static str,
    message: Text,
    locations: Vec<Location>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Location>,
    partial_fingerprints: BTreeMap<&'static str, String>,
    occurrence_count: u64,
    properties: Properties,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    proof: &'static str,
    devices: u64,
    example: Option<String>,
    server: Option<String>,
    server_name: Option<String>,
    recovered: bool,
    filter: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: PhysicalLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Text>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
}

#[derive(Serialize)]
struct ArtifactLocation {
    uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    // Decided in D-RENDER-04.
    byte_offset: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    byte_length: Option<u64>,
}

impl Driver {
    fn of(report: &Report, codes: &[&str]) -> Self {
        let names: BTreeMap<&str, &str> =
            report.faults.iter().map(|fault| (fault.code.as_str(), fault.name.as_str())).collect();
        let rules = codes.iter().map(|code| {
            let known = rule_named(code);
            Rule {
                id: clean(code),
                name: clean(names.get(code).copied().unwrap_or_default()),
                short_description: known.map(|rule| Text { text: rule.summary() }),
                help: known.map(|rule| Help { text: rule.explain, markdown: rule.explain }),
            }
        });
        Self { name: report.tool.name.clone(), version: report.tool.version.clone(), rules: rules.collect() }
    }
}

impl Invocation {
    /// What the captures withheld. The run counts as unsuccessful if nothing could be read of a capture, or if no
    /// device fits the one asked for.
    fn of(report: &Report, captures: &BTreeMap<&str, usize>) -> Self {
        let mut notifications = Vec::new();
        for capture in &report.captures {
            let level = if capture.format.is_none() { "error" } else { "warning" };
            notifications.extend(capture.problems.iter().map(|problem| Notification {
                level,
                message: message(problem),
                locations: vec![Location::of(&capture.path, None, captures)],
            }));
        }
        notifications.extend(dropped(report).iter().map(|why| Notification {
            level: "warning",
            message: message(why),
            locations: Vec::new(),
        }));
        let unfitting = report.devices.is_empty() && report.options.device.is_some();
        notifications.extend(unfitting.then(|| Notification {
            level: "error",
            message: message(&nobody(report)),
            locations: Vec::new(),
        }));
        Self {
            execution_successful: !unfitting && report.captures.iter().all(|capture| capture.format.is_some()),
            tool_execution_notifications: notifications,
        }
    }
}

impl SarifResult {
    fn of(report: &Report, fault: &Fault, codes: &[&str], captures: &BTreeMap<&str, usize>) -> Self {
        let shown = |text: &Option<String>| text.as_deref().map(clean);
        let example = example(report, fault);
        let mut places = example.iter().flat_map(|it| &it.evidence).map(|it| Location::of_evidence(it, captures));
        // Several locations would say that the problem must be mended at each of them (3.27.12).
        let first = places.next().or_else(|| Some(Location::of(example?.capture.as_ref()?, None, captures)));
        let affected = match fault.devices_total {
            0 | 1 => String::new(),
            devices => format!(" It affects {devices} devices."),
        };
        Self {
            rule_id: clean(&fault.code),
            rule_index: codes.iter().position(|code| *code == fault.code).unwrap_or_default(),
            level: match fault.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Info => "note",
            },
            message: message(&format!("{}.{affected}", fault.summary.trim_end_matches('.'))),
            locations: first.into_iter().collect(),
            related_locations: places.collect(),
            partial_fingerprints: BTreeMap::from([("chaingapFaultId/v1", clean(&fault.id))]),
            occurrence_count: fault.handshakes_total.max(1),
            properties: Properties {
                proof: fault.proof.as_str(),
                devices: fault.devices_total,
                example: fault.example.as_ref().map(|example| clean(&example.device)),
                server: shown(&fault.server),
                server_name: shown(&fault.server_name),
                recovered: example.is_some_and(|finding| finding.recovered_by.is_some()),
                filter: shown(&fault.filter),
            },
        }
    }
}

impl Location {
    fn of(path: &str, region: Option<Region>, captures: &BTreeMap<&str, usize>) -> Self {
        let artifact_location = ArtifactLocation { uri: uri(path), index: captures.get(path).copied() };
        Self { physical_location: PhysicalLocation { artifact_location, region }, message: None }
    }

    fn of_evidence(evidence: &Evidence, captures: &BTreeMap<&str, usize>) -> Self {
        let region = evidence.offset.map(|byte_offset| Region { byte_offset, byte_length: evidence.length });
        let frame = evidence.frame.map(|frame| format!("frame {frame}: ")).unwrap_or_default();
        let message = Some(message(&format!("{frame}{}", evidence.what)));
        Self { message, ..Self::of(&evidence.capture, region, captures) }
    }
}

/// A plain text message: nothing in it is a placeholder (3.11.5) or a link (3.11.6).
fn message(text: &str) -> Text {
    let mut out = String::new();
    for c in clean(text).chars() {
        match c {
            '{' | '}' => out.extend([c, c]),
            '[' | ']' | '\\' => out.extend(['\\', c]),
            _ => out.push(c),
        }
    }
    Text { text: out }
}

/// A path as URI reference (3.4.3): absolute ones with their scheme (RFC 8089, for shares of Windows appendix E.3.1),
/// relative ones as they are.
fn uri(path: &str) -> String {
    let (path, is_share) = match path.strip_prefix(r"\\?\") {
        Some(path) => path.strip_prefix("UNC").map_or((path, false), |share| (share, true)),
        None => {
            path.strip_prefix('\\').filter(|rest| rest.starts_with('\\')).map_or((path, false), |share| (share, true))
        }
    };
    let path = path.replace('\\', "/");
    let drive = path.get(1..3) == Some(":/");
    let mut out = String::from(match path.starts_with('/') {
        true if is_share => "file:/",
        true => "file://",
        false if drive => "file:///",
        false => "",
    });
    for (at, byte) in path.bytes().enumerate() {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            b':' if drive && at == 1 => out.push(':'),
            _ if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample::{capture, counted, finding, many, sample};
    use serde_json::{Value, json};

    #[test]
    fn a_result_points_at_the_bytes_of_its_frames() {
        let mut report = sample();
        let at = |frame, offset, what: &str| Evidence {
            capture: "captures/usb.pcapng".into(),
            frame: Some(frame),
            offset: Some(offset),
            length: Some(80),
            what: what.into(),
        };
        report.findings[0].evidence = vec![at(11, 4_000, "the chain"), at(15, 9_000, "the alert")];
        report.findings.push(finding("CG003", "incomplete-chain-tolerated", Severity::Warning, "tolerated"));
        let value: Value = serde_json::from_str(&sarif(&counted(report))).unwrap();
        let result = &value["runs"][0]["results"][0];
        assert_eq!(result["level"], "error");
        assert_eq!(result["ruleIndex"], 0);
        assert_eq!(result["partialFingerprints"]["chaingapFaultId/v1"], "CG001/10.20.30.10:443");
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"], json!({"uri": "captures/usb.pcapng", "index": 1}));
        assert_eq!(place["region"], json!({"byteOffset": 4_000, "byteLength": 80}));
        assert_eq!(result["relatedLocations"][0]["message"]["text"], "frame 15: the alert");
        let second = &value["runs"][0]["results"][1];
        assert_eq!((&second["level"], &second["ruleIndex"]), (&json!("warning"), &json!(1)));
        let rules = value["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
        assert_eq!(rules.len(), 2);
        assert!(rules[0]["help"]["markdown"].as_str().unwrap().starts_with("# CG001 missing-intermediate"));
    }

    #[test]
    fn a_fault_of_many_devices_is_one_result() {
        let value: Value = serde_json::from_str(&sarif(&many(200, 100))).unwrap();
        let results = value["runs"][0]["results"].as_array().unwrap();
        assert_eq!(results.len(), 1);
        assert_eq!((&results[0]["occurrenceCount"], &results[0]["properties"]["devices"]), (&json!(200), &json!(200)));
        assert!(results[0]["message"]["text"].as_str().unwrap().ends_with("It affects 200 devices."));
    }

    #[test]
    fn an_unreadable_capture_makes_the_run_unsuccessful() {
        let mut report = sample();
        assert!(sarif(&report).contains("\"executionSuccessful\": true"));
        let problems = vec!["offset 0: not a capture file".to_owned()];
        report.captures.push(crate::report::Capture { format: None, problems, ..capture("b c.pcap") });
        let value: Value = serde_json::from_str(&sarif(&report)).unwrap();
        let invocation = &value["runs"][0]["invocations"][0];
        assert_eq!(invocation["executionSuccessful"], false);
        let notification = &invocation["toolExecutionNotifications"][0];
        assert_eq!(notification["level"], "error");
        assert_eq!(notification["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "b%20c.pcap");
    }

    #[test]
    fn paths_become_uri_references() {
        assert_eq!(uri("traces/usb 1.pcapng"), "traces/usb%201.pcapng");
        assert_eq!(uri("/srv/a#b.pcap"), "file:///srv/a%23b.pcap");
        assert_eq!(uri("C:\\traces\\ü.pcap"), "file:///C:/traces/%C3%BC.pcap");
        assert_eq!(uri(r"\\nas\traces\usb.pcap"), "file://nas/traces/usb.pcap");
        assert_eq!(uri(r"\\?\UNC\nas\traces\usb.pcap"), "file://nas/traces/usb.pcap");
        assert_eq!(uri(r"\\?\C:\usb.pcap"), "file:///C:/usb.pcap");
        assert_eq!(uri("javascript:alert(1)"), "javascript%3Aalert%281%29");
        assert_eq!(uri("-"), "-");
    }

    #[test]
    fn a_message_holds_no_link_and_no_placeholder() {
        assert_eq!(message("[x](1) {0} \u{1b}").text, "\\[x\\](1) {{0}} \\\\u{{1b}}");
    }
}
