//! What a finding says beneath the chain: what is ruled out, what to do, what else was found.
//!
//! In: findings. Out: labelled paragraphs. Bounded: other findings by [`OTHERS`]. Left to others: the verdict line.

use super::line::{Line, Role, wrap};
use super::page::{Page, View, room};
use super::sign::role;
use crate::render::shared::finding::{notes, tag, words};
use crate::render::shared::words::{place, shorten};
use crate::report::{Evidence, Excluded, Finding, Proof, Severity, rule_named};

/// Column at which the text behind a label begins.
const TEXT: usize = 17;

/// The most other findings of one device that are written out.
const OTHERS: usize = 8;

/// The most pieces of evidence that are written out.
const REASONS: usize = 6;

/// The longest sentence shown in full, in characters.
const SENTENCE: usize = 400;

/// What is ruled out and what is not, what to do, and the filter.
pub(super) fn advice(page: &mut Page, view: &View<'_>, finding: &Finding) {
    page.blank();
    let why = because(view, finding);
    if !why.is_empty() {
        paragraph(page, view.width, "why", Role::Plain, &why.join(" · "));
    }
    let (out, open): (Vec<&Excluded>, Vec<&Excluded>) = finding.excluded.iter().partition(|cause| cause.excluded);
    if !out.is_empty() {
        paragraph(page, view.width, "ruled out", Role::Plain, &causes(&out));
    }
    if !open.is_empty() {
        paragraph(page, view.width, "not ruled out", Role::Plain, &causes(&open));
    } else if !out.is_empty() && finding.proof != Proof::Undecidable {
        paragraph(page, view.width, "not ruled out", Role::Plain, "nothing");
    }
    remedies(page, view.width, &finding.remedies);
    if let Some(filter) = &finding.filter {
        // Unshortened and on one line: it is there to be copied.
        page.push(labelled("Wireshark").push(Role::Plain, filter));
    }
}

/// The evidence without what is shown already: the timeline shows the frames in which handshakes begin and end, and the
/// chain's table those in which absent certificates were found.
fn because(view: &View<'_>, finding: &Finding) -> Vec<String> {
    let handshakes = || view.scope.report.devices.iter().flat_map(|device| &device.handshakes);
    let is_told = |evidence: &&Evidence| {
        let frame = evidence.frame;
        let timeline = handshakes().any(|h| {
            h.capture == evidence.capture && (Some(h.frame) == frame || (h.end.frame == frame && frame.is_some()))
        });
        let found =
            || finding.missing.iter().flat_map(|missing| &missing.candidates).flat_map(|candidate| &candidate.found_in);
        timeline || found().any(|found| found.capture == evidence.capture && found.frame == frame && frame.is_some())
    };
    let evidence = finding.evidence.iter().filter(|evidence| !is_told(evidence)).take(REASONS);
    evidence
        .map(|evidence| {
            let place = match evidence.frame {
                Some(frame) if Some(&evidence.capture) == finding.capture.as_ref() => format!("frame {frame}: "),
                Some(_) => format!("{}: ", place(&view.capture(&evidence.capture), evidence.frame)),
                None => String::new(),
            };
            format!("{place}{}", shorten(&evidence.what, SENTENCE))
        })
        .collect()
}

pub(super) fn causes(causes: &[&Excluded]) -> String {
    let each = causes.iter().map(|cause| match cause.why.is_empty() {
        true => words(&cause.cause),
        false => format!("{}: {}", words(&cause.cause), shorten(&cause.why, 160)),
    });
    each.collect::<Vec<_>>().join(" · ")
}

/// Numbered remedies. The indented lines of a remedy are commands, which are not wrapped.
pub(super) fn remedies(page: &mut Page, width: usize, remedies: &[String]) {
    for (index, remedy) in remedies.iter().enumerate() {
        let number = format!("{:<3}", index + 1);
        let mut line = if index == 0 { labelled("do") } else { Line::default().column(TEXT) };
        line = line.push(Role::Strong, &number);
        let column = TEXT + number.len();
        for part in remedy.lines() {
            let room = room(width, column);
            let lines =
                if part.starts_with([' ', '\t']) { vec![part.replace('\t', "    ")] } else { wrap(part, room, room) };
            for text in lines {
                page.push(std::mem::take(&mut line).pad(column).push(Role::Plain, &text));
            }
        }
    }
}

/// Findings beside the headline: one each, but only the names of those that are good to know.
pub(super) fn others(page: &mut Page, view: &View<'_>, findings: &[&Finding]) {
    let (grave, notes): (Vec<&&Finding>, Vec<&&Finding>) = findings.iter().partition(|finding| wants_sentence(finding));
    let mut label = labelled("also");
    for finding in grave.iter().take(OTHERS) {
        let tag = tag(finding);
        let first = view.room(TEXT + tag.chars().count() + 2);
        let line = std::mem::take(&mut label).pad(TEXT).push(role(finding.severity), &tag).push(Role::Plain, "  ");
        let mut lines = wrap(&sentence(view, finding), first, view.room(TEXT + 2)).into_iter();
        page.push(line.push(Role::Plain, &lines.next().unwrap_or_default()));
        for text in lines {
            page.push(Line::at(TEXT + 2, Role::Plain, &text));
        }
    }
    if grave.len() > OTHERS {
        page.push(Line::at(TEXT, Role::Dim, &format!("… {} more", grave.len() - OTHERS)));
    }
    if !notes.is_empty() {
        let names: Vec<String> = notes.iter().take(OTHERS).map(|f| format!("{} {}", f.code, f.name)).collect();
        let more = if notes.len() > OTHERS { format!(" · … {} more", notes.len() - OTHERS) } else { String::new() };
        paragraph(page, view.width, "noted", Role::Dim, &format!("{}{more}", names.join(" · ")));
    }
}

/// Whether a finding is shown as a sentence: warnings and errors, and what failed after handshakes that work.
pub(super) fn wants_sentence(finding: &Finding) -> bool {
    let later_failures = || rule_named(&finding.code).is_some_and(|rule| rule.id.tells_of_later_failures());
    finding.severity > Severity::Info || (later_failures() && !finding.evidence.is_empty())
}

/// A finding's summary with what is noted about it.
fn sentence(view: &View<'_>, finding: &Finding) -> String {
    let summary = shorten(&finding.summary, SENTENCE);
    let notes = notes(&view.scope, finding);
    if notes.is_empty() { summary } else { format!("{summary} ({})", notes.join("; ")) }
}

pub(super) fn paragraph(page: &mut Page, width: usize, label: &str, role: Role, text: &str) {
    let mut line = labelled(label);
    let room = room(width, TEXT);
    for text in wrap(text, room, room) {
        page.push(std::mem::take(&mut line).pad(TEXT).push(role, &text));
    }
}

pub(super) fn labelled(label: &str) -> Line {
    Line::at(2, Role::Dim, label).pad(TEXT)
}

#[cfg(test)]
mod tests {
    use crate::render;
    use crate::render::sample::{finding, sample, sample_text};
    use crate::report::{Excluded, Finding, Proof, Report, Severity};

    #[test]
    fn says_what_is_ruled_out_and_what_is_not() {
        let text = sample_text(&sample());
        assert!(
            text.contains("  ruled out      untrusted root: Northwind Global Root G1 is on the phone · certificate")
        );
        assert!(text.contains("\n  not ruled out  nothing\n"), "{text}");

        let mut open = sample();
        open.findings[0].proof = Proof::Inferred;
        let why = "the phone's own clock is not known".to_owned();
        open.findings[0].excluded.push(Excluded { cause: "certificate-expired".into(), excluded: false, why });
        assert!(
            sample_text(&open).contains("not ruled out  certificate expired: the phone's own clock is not known\n")
        );
    }

    #[test]
    fn remedies_are_numbered_and_commands_stay_whole() {
        let text = sample_text(&sample());
        assert!(text.contains("\n  do             1  make the server send it"), "{text}");
        assert!(text.contains("\n                 2  or sign in once with a PIN, then tether\n"), "{text}");
        let command = "certutil -addstore CA \"Northwind Policy CA 1.cer\"";
        let line = text.lines().find(|line| line.contains(command)).unwrap();
        assert_eq!(line, format!("{}{command}", " ".repeat(24)));

        let mut long = sample();
        let command = format!("    openssl s_client -connect {}:443", "x".repeat(200));
        long.findings[0].remedies = vec![format!("look:\n{command}")];
        assert!(sample_text(&long).contains(&format!("{command}\n")), "a command is neither wrapped nor shortened");
    }

    #[test]
    fn the_filter_stays_on_one_line() {
        let filter = "ip.addr==10.20.30.50 && tcp.port==443 && frame.number>=9 && frame.number<=15";
        assert!(sample_text(&sample()).contains(&format!("\n  Wireshark      {filter}\n")));
    }

    #[test]
    fn findings_about_several_servers_say_which() {
        let mut report = sample();
        let fetch = finding("CG004", "certificate-fetch-failed", Severity::Warning, "the fetch was answered 404");
        report.findings.push(Finding { server: Some("10.20.30.10:80".into()), ..fetch });
        let formats: [fn(&Report) -> String; 3] = [sample_text, render::markdown, render::html];
        for format in formats {
            assert!(!format(&report).contains("with 10.20.30.10"), "there is but one: {}", format(&report));
        }
        // The same phone, the same fault, another server.
        let mut handshake = report.devices[0].handshakes[0].clone();
        handshake.server = "10.20.30.11:443".into();
        report.devices[0].handshakes.push(handshake);
        let (server, server_name) = (Some("10.20.30.11:443".into()), Some("mail.contoso.test".into()));
        report.findings.push(Finding { id: "other".into(), server, server_name, ..report.findings[0].clone() });
        for format in formats {
            let shown = format(&report).split_whitespace().collect::<Vec<_>>().join(" ");
            let places = ["with 10.20.30.10:443", "with mail.contoso.test"].map(|words| shown.matches(words).count());
            assert_eq!(places, [1, 1], "{shown}");
        }
    }

    #[test]
    fn other_findings_take_a_line_with_cause_and_count() {
        let mut report = sample();
        let mut other = finding("CG004", "certificate-fetch-failed", Severity::Warning, "the fetch was answered 404");
        other.occurrences = 3;
        other.first_time = Some("2026-01-15T12:00:01.500Z".into());
        other.last_time = Some("2026-01-15T12:00:09.200Z".into());
        other.caused_by = Some(report.findings[0].id.clone());
        report.findings.push(other);
        report.findings.push(finding("CG016", "certificate-hidden", Severity::Info, "TLS 1.3 hides it"));
        let text = sample_text(&report);
        let also =
            "  also           CG004 · warning · inferred  the fetch was answered 404 (3 times, 12:00:01 to 12:00:09;";
        assert!(text.contains(also), "{text}");
        assert!(text.split_whitespace().collect::<Vec<_>>().join(" ").contains("12:00:09; caused by CG001)"), "{text}");
        assert!(text.contains("  noted          CG016 certificate-hidden\n"), "{text}");
        assert!(!text.contains("TLS 1.3 hides it"));
    }
}
