//! In: a report. Out: its text: the devices, then what concerns no device, then what the captures withheld. Bounded: of
//! many devices examples are shown (`faults`). Left to others: the parts of a device's block.

use super::device::{Title, whole};
use super::line::{Line, Role};
use super::page::{Page, TextStyle, View, print};
use super::sign::role;
use super::{closing, faults, finding};
use crate::render::shared::finding::tag;
use crate::render::shared::{Index, many, nobody};
use crate::report::{Finding, Report, Severity};

/// The report as text, each line ended by a newline, made of whole blocks: one for each device in the report's order, or of
/// many devices the faults, an example of each and the others as ranges of addresses; then the findings that concern no
/// device, what the captures withheld, and a count of the verdicts.
///
/// Control characters, escape sequences, bidirectional and invisible characters from captures appear as `\u{..}`.
pub fn text(report: &Report, style: &TextStyle) -> String {
    let index = Index::of(report);
    let many = many::is_many(report);
    let mut blocks = Vec::new();
    if many {
        blocks.extend(faults::blocks(&View::of(report, &index, style, None), style));
    }
    for device in report.devices.iter().filter(|_| !many) {
        let view = View::of(report, &index, style, Some(device));
        blocks.push(whole(&view, device, view.scope.findings(device)));
    }
    let view = View::of(report, &index, style, None);
    blocks.extend(index.elsewhere.iter().map(|finding| about_a_file(&view, finding)));
    blocks.push(closing::withheld(&view));
    blocks.push(closing::count(&view));
    let unfitting = report.devices.is_empty() && report.options.device.is_some();
    if unfitting || blocks.iter().all(|block| block.lines.is_empty()) {
        blocks.push(Page::one(Line::at(0, Role::Dim, &format!("– {}", nobody(report)))));
    }
    print(&blocks, style.color)
}

/// A finding that concerns no device.
fn about_a_file(view: &View<'_>, finding: &Finding) -> Page {
    let mut page = Page::default();
    let mark = match finding.severity {
        Severity::Error => "✗",
        Severity::Warning => "!",
        Severity::Info => "–",
    };
    let subject = finding.capture.as_ref().map_or_else(|| finding.name.clone(), |capture| view.capture(capture));
    let (role, tag) = (role(finding.severity), Some(tag(finding)));
    Title { mark, role, subject, summary: &finding.summary, tag }.print(&mut page, view, None);
    finding::advice(&mut page, view, finding);
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample::{HOSTILE, WIDTH, everywhere, finding, many, ok, sample, sample_text};
    use crate::render::shared::words::width;
    use crate::report::Dropped;

    #[test]
    fn the_verdict_comes_first() {
        let text = sample_text(&sample());
        let lines: Vec<&str> = text.lines().collect();
        let verdict =
            "✗ 10.20.30.50  TLS handshake fails: intermediate certificate \"Northwind Policy CA 1\" is missing";
        assert_eq!(lines[0], verdict);
        assert!(
            lines[1].starts_with("  usb.pcapng, 2026-01-15 UTC, consistent with USB-tethered sign-in, profile lync-")
        );
        assert!(lines[0..3].iter().any(|line| line.ends_with("CG001 · error · proven")), "{text}");
    }

    #[test]
    fn the_tag_stands_at_the_right_edge_where_it_fits() {
        let wide = super::text(&sample(), &TextStyle { color: false, width: 130 });
        let first = wide.lines().next().unwrap();
        assert!(first.ends_with("  CG001 · error · proven") && width(first) == 130, "{first}");
    }

    #[test]
    fn one_phone_fits_one_screen() {
        let text = sample_text(&sample());
        assert!(text.lines().count() <= 32, "{text}");
        for line in text.lines() {
            assert!(width(line) <= WIDTH && line.trim_end() == line, "{line:?}");
        }
    }

    #[test]
    fn a_device_that_works_takes_one_line() {
        let mut report = sample();
        report.devices = vec![ok("10.20.30.51")];
        report.findings.clear();
        report.captures.truncate(1);
        assert_eq!(sample_text(&report), "✓ 10.20.30.51  TLS works: 1 handshake completed\n");
        report.devices[0].verdict.summary = "long ".repeat(200);
        assert_eq!(sample_text(&report).lines().count(), 1);
    }

    #[test]
    fn a_warning_is_shown_even_when_all_is_well() {
        let mut report = sample();
        report.devices = vec![ok("10.20.30.50")];
        report.findings = vec![finding("CG017", "capture-incomplete", Severity::Warning, "packets are cut")];
        let text = sample_text(&report);
        assert!(text.starts_with("✓ 10.20.30.50  TLS works"), "{text}");
        assert!(text.contains("also           CG017 · warning · inferred  packets are cut\n"), "{text}");
    }

    #[test]
    fn of_many_devices_the_fault_comes_first_then_an_example_then_the_others() {
        let text = sample_text(&many(15, 15));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!((lines[0], *lines.last().unwrap()), ("30 devices: 15 fail, 15 ok", "30 devices: 15 fail, 15 ok"));
        assert!(
            lines[3].starts_with("✗ 10.20.30.10:443  intermediate certificate \"Northwind Policy CA 1\" is missing")
        );
        assert!(lines[4].starts_with("  15 phones, "), "{text}");
        assert_eq!(text.matches("sent by the server").count(), 1, "{text}");
        let failing = text.find("\n✗ 14  10.20.30.10:443: ").expect("the others that fail");
        let working = text.find("\n✓ 15  TLS works\n    10.0.0.15–10.0.0.29 (15)\n").expect("those that work");
        assert!(failing < working, "{text}");
        assert!(text.contains("\n    10.0.0.1–10.0.0.14 (14)\n"), "{text}");
    }

    #[test]
    fn five_devices_are_shown_one_by_one_and_six_by_their_faults() {
        assert!(sample_text(&many(2, 3)).starts_with("✗ 10.0.0.0"));
        assert!(sample_text(&many(3, 3)).starts_with("6 devices: 3 fail, 3 ok\n"));
    }

    #[test]
    fn words_from_a_capture_cannot_steer_the_terminal() {
        let mut report = sample();
        let hostile = "evil\u{1b}]0;x\u{7}\u{202e}gnp\n✓ all is well\u{200b}";
        let phone = &mut report.devices[0];
        phone.verdict.summary = hostile.into();
        phone.addresses[0].address = hostile.into();
        phone.profile.name = hostile.into();
        phone.events[0].summary = hostile.into();
        phone.events[0].time = Some(hostile.into());
        phone.handshakes[0].chain.completed_path[1].subject = format!("CN={hostile}");
        phone.handshakes[0].chain.missing[0].candidates[0].found_in[0].how = hostile.into();
        report.captures[0].problems = vec![hostile.into()];
        report.captures[1].path = hostile.into();
        let finding = &mut report.findings[0];
        finding.filter = Some(hostile.into());
        finding.excluded[0].why = hostile.into();
        finding.excluded[0].cause = hostile.into();
        finding.remedies.push(hostile.into());
        let text = sample_text(&report);
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
        assert!(!text.contains(['\u{202e}', '\u{200b}']) && text.contains("evil\\u{1b}]0;x\\u{7}\\u{202e}gnp"));
        assert!(!text.lines().any(|line| line.starts_with("✓")), "no line can be forged: {text}");
    }

    #[test]
    fn no_text_of_a_report_can_steer_the_terminal_or_flood_it() {
        let text = sample_text(&everywhere(HOSTILE));
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()) && text.contains("\\u{202e}gnp"), "{text:?}");
        assert!(!text.contains(['\u{202e}', '\u{2066}', '\u{200b}', '\u{feff}']), "{text:?}");
        assert!(!text.lines().any(|line| line.starts_with('✓')), "no line can be forged: {text}");
        let text = sample_text(&everywhere(&"n".repeat(10_000)));
        assert!(text.len() < 40_000, "{}", text.len());
    }

    #[test]
    fn very_long_names_do_not_flood_the_screen() {
        let mut report = sample();
        let long = "n".repeat(100_000);
        report.devices[0].verdict.summary = format!("intermediate \"{long}\" is missing");
        report.devices[0].handshakes[0].chain.missing[0].subject = format!("CN={long}");
        report.devices[0].handshakes[0].chain.completed_path[1].subject = format!("CN={long}");
        report.devices[0].events[0].summary = "w ".repeat(50_000);
        let text = sample_text(&report);
        assert!(text.lines().count() <= 40 && text.len() < 8000, "{}", text.len());
        assert!(text.contains('…'));
    }

    #[test]
    fn what_concerns_no_device_stands_at_the_end() {
        let mut report = sample();
        let mut finding =
            finding("CG029", "no-handshake-seen", Severity::Warning, "the capture holds no TLS handshake");
        finding.device = None;
        finding.remedies = vec!["capture at the phone's switch port".into()];
        report.findings.push(finding);
        report.captures[0].problems = vec!["cut inside a block at offset 4096: 20 bytes lost".into()];
        report.captures[0].cut_packets = 7;
        report.dropped = Dropped { flows: 2, bytes: 900, devices: 0, why: Some("too many open connections".into()) };
        let text = sample_text(&report);
        let tail = text.split_once("! usb.pcapng  the capture holds no TLS handshake").expect("a block of its own").1;
        assert!(tail.contains("CG029 · warning · inferred"), "{text}");
        assert!(tail.contains("do             1  capture at the phone's switch port\n"), "{text}");
        assert!(tail.contains("! captures/pin.pcapng: cut inside a block at offset 4096: 20 bytes lost\n"), "{text}");
        assert!(tail.contains("of 7 of 300 packets the capture kept less than was on the wire\n"), "{text}");
        assert!(tail.ends_with("2 connections and 900 bytes were dropped: too many open connections\n"), "{text}");
    }

    #[test]
    fn captures_of_the_same_name_are_told_apart_by_path() {
        let mut report = sample();
        report.captures[0].path = "other/usb.pcapng".into();
        assert!(sample_text(&report).contains("\n  captures/usb.pcapng, 2026-01-15"));
    }

    #[test]
    fn an_empty_report_says_so_and_colour_changes_nothing_else() {
        let mut empty = sample();
        (empty.devices, empty.findings) = (Vec::new(), Vec::new());
        assert_eq!(sample_text(&empty), "– no TLS client seen\n");
        let colored = super::text(&sample(), &TextStyle { color: true, width: WIDTH });
        let mut plain = String::new();
        for (index, part) in colored.split('\u{1b}').enumerate() {
            plain.push_str(if index == 0 { part } else { part.split_once('m').map_or("", |(_, rest)| rest) });
        }
        assert_eq!(plain, sample_text(&sample()));
    }

    #[test]
    fn narrow_terminals_are_no_trouble() {
        for columns in [0, 1, 39, 60, 80, 1000] {
            let text = super::text(&sample(), &TextStyle { color: true, width: columns });
            assert!(text.contains("Northwind Policy CA 1"), "{columns}");
        }
    }
}
