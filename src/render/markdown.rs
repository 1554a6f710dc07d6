//! The report as GitHub-flavoured Markdown, for a ticket or a job summary.
//!
//! In: a report. Out: a table of the devices, then each device with an error in full, or of many devices a table of the
//! faults, then an example of each; then what the captures withheld; of a comparison a table of the steps. Bounded: [`ROWS`]
//! faults, devices or steps in a table, [`IN_FULL`] devices in full. Left to others: every judgement.
//!
//! Most of the words come from captures and so from strangers: [`inline`] and [`block`] leave nothing in them that
//! Markdown, or what GitHub adds to it, would obey.

use super::shared::step::{frames, lacking};
use super::shared::story::tag;
use super::shared::words::{clean, date_and_clock, place, short_name, shorten};
use super::shared::{Index, counted_devices, counts, dropped, many, nobody};
use crate::report::{
    Chain, CompareSide, Comparison, Device, Event, EventKind, Finding, Report, Severity, Step, StepFrom, StepSide,
    VerdictStatus,
};

/// The most devices or steps listed.
const ROWS: usize = 100;

/// The most devices shown in full.
const IN_FULL: usize = 10;

/// The most ranges of addresses in one cell.
const RANGES: usize = 20;

/// The most lines of a list of evidence, or of a story.
const LINES: usize = 40;

/// The report as GitHub-flavoured Markdown.
pub fn markdown(report: &Report) -> String {
    let mut out = format!("## chaingap: {}\n", title(report));
    let captures: Vec<String> = report.captures.iter().take(10).map(|c| inline(&shorten(&c.path, 100))).collect();
    let more = report.captures.len() - captures.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    out.push_str(&format!("\n{}{more}\n", captures.join(", ")));
    let index = Index::of(report);
    if many::is_many(report) {
        faults_first(&mut out, report, &index);
    } else {
        devices(&mut out, report, &index);
    }
    let known = |finding: &&Finding| report.devices.iter().any(|device| finding.device.as_ref() == Some(&device.id));
    let rest: Vec<&Finding> = report.findings.iter().filter(|finding| !known(finding)).collect();
    list(&mut out, &index, "About the captures", &rest);
    withheld(&mut out, report);
    out
}

/// A table of the devices, then each one with an error in full.
fn devices(out: &mut String, report: &Report, index: &Index<'_>) {
    if !report.devices.is_empty() {
        out.push_str("\n| | device | verdict | finding | proof |\n|---|---|---|---|---|\n");
    }
    for device in report.devices.iter().take(ROWS) {
        let headline = headline(report, device);
        let code = headline.map(|finding| inline(&finding.code)).unwrap_or_default();
        let proof = headline.map(|finding| finding.proof.as_str()).unwrap_or_default();
        let summary = sentence(&device.verdict.summary);
        out.push_str(&format!("| {} | {} | {summary} | {code} | {proof} |\n", mark(device), inline(&device.id)));
    }
    if report.devices.len() > ROWS {
        out.push_str(&format!("\n… {} more devices\n", report.devices.len() - ROWS));
    }
    let grave = |device: &&Device| {
        let own = |finding: &&Finding| finding.device.as_ref() == Some(&device.id);
        report.findings.iter().filter(own).any(|finding| finding.severity == Severity::Error)
    };
    report.devices.iter().filter(grave).take(IN_FULL).for_each(|device| in_full(out, report, index, device));
}

/// A table of the faults, then an example of each in full, then a table of the other devices.
fn faults_first(out: &mut String, report: &Report, index: &Index<'_>) {
    let faults = many::faults(report);
    if !faults.is_empty() {
        out.push_str("\n| | server | fault | devices | since | finding | proof |\n|---|---|---|--:|---|---|---|\n");
    }
    for fault in faults.iter().take(ROWS) {
        let mark = if fault.severity == Severity::Error { "❌" } else { "⚠️" };
        let (subject, what) = (inline(&many::subject_of(fault)), sentence(&many::headline(&fault.summary, 200)));
        let since = fault.first_time.as_deref().map(date_and_clock).map(|(day, clock)| format!("{day} {clock}"));
        let (since, code) = (inline(&since.unwrap_or_default()), inline(&fault.code));
        let (devices, proof) = (fault.devices_total, fault.proof.as_str());
        out.push_str(&format!("| {mark} | {subject} | {what} | {devices} | {since} | {code} | {proof} |\n"));
    }
    more(out, faults.len(), ROWS, "faults");
    for (fault, line) in faults.iter().take(ROWS).filter_map(|fault| Some((fault, fault.timeline.as_ref()?))) {
        let subject = inline(&many::subject_of(fault));
        out.push_str(&format!("\n{subject}, {}: {}\n", inline(&fault.code), sentence(&many::turn(fault, line))));
    }
    let mut examples = many::examples(report, &faults);
    examples.truncate(IN_FULL);
    examples.iter().for_each(|(device, _)| in_full(out, report, index, device));
    let rows = many::others(report, index, &examples, RANGES);
    if !rows.is_empty() {
        let whose = if examples.is_empty() { "devices" } else { "other devices" };
        out.push_str(&format!("\n| | {whose} | verdict | addresses |\n|---|--:|---|---|\n"));
    }
    for row in rows.iter().take(ROWS) {
        let (what, places) = (sentence(&row.in_words(200)), inline(&row.places.join(", ")));
        out.push_str(&format!("| {} | {} | {what} | {places} |\n", sign(row.verdict), row.devices));
    }
    more(out, rows.len(), ROWS, "kinds of devices");
}

fn more(out: &mut String, all: usize, shown: usize, what: &str) {
    if let Some(more) = all.checked_sub(shown).filter(|more| *more > 0) {
        out.push_str(&format!("\n… {more} more {what}\n"));
    }
}

/// A comparison as GitHub-flavoured Markdown: the conclusion, the steps of both, what to do.
pub fn compare_markdown(comparison: &Comparison) -> String {
    let mut out = format!("## chaingap: {}\n", sentence(&comparison.conclusion));
    let explained = |finding: &&Finding| comparison.finding.as_ref() == Some(&finding.id);
    let finding = comparison.findings.iter().find(explained).filter(|_| comparison.comparable);
    if let Some(finding) = finding {
        let names = (inline(&finding.code), inline(&finding.name));
        let how = (finding.severity.as_str(), finding.proof.as_str());
        out.push_str(&format!("\n**{} {}**, {}, {}\n", names.0, names.1, how.0, how.1));
    }
    let head = |side: &CompareSide| {
        let (address, capture) = (inline(&shorten(&side.address, 45)), inline(&shorten(&side.capture, 100)));
        format!("{address} in {capture}")
    };
    let (good, bad) = (head(&comparison.good), head(&comparison.bad));
    out.push_str(&format!("\n| | step | good: {good} | bad: {bad} | what differs |\n|---|---|---|---|---|\n"));
    for (index, step) in comparison.steps.iter().take(ROWS).enumerate() {
        let mark = match (comparison.parting == Some(index), step.parts) {
            (true, _) => "**here they part**",
            (_, true) => "differs",
            _ => "",
        };
        let (good, bad) = (taken(&step.kind, step.good.as_ref()), taken(&step.kind, step.bad.as_ref()));
        let differences = sentence(&step.differences.join("; "));
        out.push_str(&format!("| {mark} | {} | {good} | {bad} | {differences} |\n", inline(&tag(&step.kind))));
    }
    if let Some(more) = comparison.steps.len().checked_sub(ROWS).filter(|more| *more > 0) {
        out.push_str(&format!("\n… {more} more steps\n"));
    }
    if let Some(finding) = finding {
        remedies(&mut out, finding);
        if let Some(filter) = &finding.filter {
            out.push_str(&format!("\nWireshark:\n\n{}", block("", &[clean(filter)])));
        }
    }
    for caveat in &comparison.caveats {
        out.push_str(&format!("\nNot shown: {}\n", sentence(caveat)));
    }
    out
}

/// One side of a step, as a cell: frames, what happened, a handshake's messages and its end.
fn taken(kind: &str, side: Option<&StepSide>) -> String {
    let Some(side) = side else { return lacking(kind).into() };
    let frames = Some(frames(side)).filter(|frames| !frames.is_empty()).map(|frames| format!("frame {frames}"));
    let words = [Some(&side.summary), side.history.as_ref(), side.ending.as_ref()].into_iter().flatten();
    frames.into_iter().chain(words.map(|words| sentence(words))).collect::<Vec<_>>().join(", ")
}

fn title(report: &Report) -> String {
    let told = counts(report).into_iter().filter(|(status, ..)| *status != VerdictStatus::NothingSeen);
    let words: Vec<String> = told.map(|(_, n, word)| format!("{n} {word}")).collect();
    match (report.totals.devices, words.is_empty()) {
        (0, _) => inline(&nobody(report)),
        (_, true) => counted_devices(report),
        (_, false) => format!("{}: {}", counted_devices(report), words.join(", ")),
    }
}

fn mark(device: &Device) -> &'static str {
    sign(device.verdict.status)
}

fn sign(status: VerdictStatus) -> &'static str {
    match status {
        VerdictStatus::Fails => "❌",
        VerdictStatus::Degraded => "⚠️",
        VerdictStatus::Ok => "✅",
        VerdictStatus::Undecided => "❔",
        VerdictStatus::NothingSeen => "–",
    }
}

fn headline<'a>(report: &'a Report, device: &Device) -> Option<&'a Finding> {
    report.findings.iter().find(|finding| device.verdict.finding.as_ref() == Some(&finding.id))
}

/// One device: its verdict, story, chain, reasons, remedies, other findings.
fn in_full(out: &mut String, report: &Report, index: &Index<'_>, device: &Device) {
    out.push_str(&format!("\n### {} {}\n\n{}\n", mark(device), inline(&device.id), sentence(&device.verdict.summary)));
    story(out, device);
    let own = report.findings.iter().filter(|finding| finding.device.as_ref() == Some(&device.id));
    let (mut others, mut told): (Vec<&Finding>, _) = (own.collect(), None);
    if let Some(finding) = headline(report, device) {
        others.retain(|other| other.id != finding.id);
        told = Some(finding);
    }
    if let Some(finding) = told {
        let names = (inline(&finding.code), inline(&finding.name));
        let how = (finding.severity.as_str(), finding.proof.as_str());
        let with = with(index, finding);
        out.push_str(&format!("\n**{} {}**, {}, {}{with}\n", names.0, names.1, how.0, how.1));
        chain_of(out, device, finding);
        reasons(out, finding);
        remedies(out, finding);
        if let Some(filter) = &finding.filter {
            out.push_str(&format!("\nWireshark:\n\n{}", block("", &[clean(filter)])));
        }
    }
    list(out, index, "Also", &others);
}

/// The server that a finding is about, if its device has findings about several.
fn with(index: &Index<'_>, finding: &Finding) -> String {
    index.server(finding).map(|server| format!(", with {}", inline(&server))).unwrap_or_default()
}

fn story(out: &mut String, device: &Device) {
    let lines: Vec<String> = device.events.iter().take(LINES).map(told).collect();
    if lines.is_empty() {
        return;
    }
    out.push('\n');
    out.push_str(&block("", &lines));
    if device.events.len() > LINES {
        out.push_str(&format!("\n… {} more\n", device.events.len() - LINES));
    }
}

fn told(event: &Event) -> String {
    let time = event.time.as_deref().map(|time| date_and_clock(time).1).unwrap_or_default();
    let frame = event.frame.map(|frame| format!("frame {frame}")).unwrap_or_default();
    let kind = if event.kind == EventKind::Absent { "····" } else { event.kind.as_str() };
    let mut text = shorten(&event.summary, 200);
    if let Some(elsewhere) = &event.elsewhere {
        let capture = shorten(&elsewhere.capture, 60);
        text.push_str(&format!(" ({capture} has one, frames {}–{})", elsewhere.first_frame, elsewhere.last_frame));
    }
    format!("{time:<12}  {frame:<10}  {kind:<9}  {text}", time = clean(&time), kind = clean(kind))
}

/// The chain of the handshake that a finding is about: which certificate was where.
fn chain_of(out: &mut String, device: &Device, finding: &Finding) {
    let about = |server: &String| finding.server.as_ref() == Some(server);
    let Some(handshake) = device.handshakes.iter().find(|handshake| about(&handshake.server)) else { return };
    let chain = &handshake.chain;
    let completed = chain.completed_path.len() > chain.path.len();
    let path = if completed { &chain.completed_path } else { &chain.path };
    let unknown = |link: &&crate::report::Missing| !path.iter().any(|step| step.subject == link.subject);
    let unknown: Vec<_> = chain.missing.iter().filter(unknown).collect();
    if path.len() + unknown.len() < 2 {
        return;
    }
    out.push_str("\n| certificate | sent | the device had it | where it is |\n|---|---|---|---|\n");
    for step in path {
        let sent = step.sha256.as_ref().is_some_and(|sha| handshake.certificates.contains(sha));
        let (sent, held) = (if sent { "yes" } else { "no" }, if step.held { "yes" } else { "**no**" });
        let subject = inline(&short_name(&step.subject));
        out.push_str(&format!("| {subject} | {sent} | {held} | {} |\n", origin(chain, step)));
    }
    for link in unknown {
        out.push_str(&format!("| {} | no | **no** | in no capture |\n", inline(&short_name(&link.subject))));
    }
}

fn origin(chain: &Chain, step: &Step) -> String {
    let found = chain.missing.iter().flat_map(|link| &link.candidates);
    let mut found = found.filter(|candidate| Some(&candidate.sha256) == step.sha256.as_ref());
    let capture = step.capture.as_deref().map(|capture| inline(&shorten(capture, 60)));
    let source = step.source.as_deref().map(|source| inline(&shorten(source, 60)));
    match (found.next().and_then(|candidate| candidate.found_in.first()), capture, step.frame) {
        (Some(found), ..) => {
            let place = place(&inline(&shorten(&found.capture, 60)), found.frame);
            format!("{place}, {}", inline(&shorten(&found.how, 60)))
        }
        (None, Some(capture), Some(_)) => place(&capture, step.frame),
        _ if step.from == StepFrom::Sent => String::new(),
        _ => source.unwrap_or_default(),
    }
}

fn reasons(out: &mut String, finding: &Finding) {
    let mut lines = Vec::new();
    for evidence in &finding.evidence {
        let place = place(&inline(&shorten(&evidence.capture, 60)), evidence.frame);
        lines.push(format!("- {place}: {}\n", sentence(&evidence.what)));
    }
    for cause in &finding.excluded {
        let word = if cause.excluded { "ruled out" } else { "**not ruled out**" };
        lines.push(format!("- {word}: {}: {}\n", inline(&cause.cause.replace('-', " ")), sentence(&cause.why)));
    }
    if !lines.is_empty() {
        out.push('\n');
        let more = lines.len().saturating_sub(LINES);
        lines.truncate(LINES);
        out.push_str(&lines.concat());
        if more > 0 {
            out.push_str(&format!("- … {more} more\n"));
        }
    }
}

/// A numbered list; the commands of a remedy, which are its indented lines, to be copied.
fn remedies(out: &mut String, finding: &Finding) {
    for (index, remedy) in finding.remedies.iter().enumerate() {
        let mut lines = remedy.lines();
        let prose = lines.next().unwrap_or_default();
        let commands: Vec<String> = lines.map(|line| clean(line.trim())).collect();
        out.push_str(&format!("{}{}. {}\n", if index == 0 { "\n" } else { "" }, index + 1, sentence(prose)));
        if !commands.is_empty() {
            out.push_str(&format!("\n{}", block("   ", &commands)));
        }
    }
}

fn list(out: &mut String, index: &Index<'_>, title: &str, findings: &[&Finding]) {
    if findings.is_empty() {
        return;
    }
    out.push_str(&format!("\n{title}:\n\n"));
    for finding in findings.iter().take(LINES) {
        let how = format!("{}, {}{}", finding.severity.as_str(), finding.proof.as_str(), with(index, finding));
        out.push_str(&format!("- **{}** ({how}): {}\n", inline(&finding.code), sentence(&finding.summary)));
    }
    if findings.len() > LINES {
        out.push_str(&format!("- … {} more\n", findings.len() - LINES));
    }
}

fn withheld(out: &mut String, report: &Report) {
    let captures = report.captures.iter();
    let problems = captures.flat_map(|capture| capture.problems.iter().map(|problem| (&capture.path, problem)));
    let mut lines: Vec<String> =
        problems.map(|(path, problem)| format!("- {}: {}\n", inline(&shorten(path, 100)), sentence(problem))).collect();
    lines.extend(dropped(report).iter().map(|why| format!("- {}\n", sentence(why))));
    if !lines.is_empty() {
        let more = lines.len().saturating_sub(LINES);
        lines.truncate(LINES);
        out.push_str(&format!("\nNot read, or forgotten:\n\n{}", lines.concat()));
        if more > 0 {
            out.push_str(&format!("- … {more} more\n"));
        }
    }
}

/// A sentence of a report, of any length.
fn sentence(text: &str) -> String {
    inline(&shorten(text, 500))
}

/// Text that means itself within a line or a table's cell: no emphasis, code, link, image, HTML, cell, mention, issue
/// reference, formula, emoji or address to click.
fn inline(text: &str) -> String {
    let text = clean(text);
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // An empty comment keeps a name from being notified: it ends the text that is searched for names.
            '@' => out.push_str("@<!-- -->"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '$' | '!' => out.extend(['\\', c]),
            ':' if rest.peek().is_some_and(|next| !next.is_whitespace() && !next.is_ascii_digit()) => {
                out.push_str("\\:");
            }
            '.' if out.ends_with("www") => out.push_str("\\."),
            _ => out.push(c),
        }
    }
    out
}

/// Lines to be shown as they are, within a fence that none of them can close.
fn block(indent: &str, lines: &[String]) -> String {
    let longest = lines.iter().flat_map(|line| line.split(|c| c != '`').map(str::len)).max().unwrap_or(0);
    let fence = "`".repeat(3.max(longest + 1));
    let lines: String = lines.iter().map(|line| format!("{indent}{line}\n")).collect();
    format!("{indent}{fence}text\n{lines}{indent}{fence}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample::{HOSTILE, counted, many, ok, pair, pair_of, sample};

    #[test]
    fn tells_the_verdict_the_chain_and_what_to_do() {
        let mut report = sample();
        report.devices.push(ok("10.20.30.51"));
        let text = markdown(&counted(report));
        assert!(text.starts_with("## chaingap: 2 devices: 1 fails, 1 ok\n\ncaptures/pin.pcapng, captures/usb.pcapng\n\n| | device | verdict |"), "{text}");
        assert!(
            text.contains("\n| Northwind Policy CA 1 | no | **no** | captures/pin.pcapng frame 18, HTTP |\n"),
            "{text}"
        );
        assert!(text.contains("\n- ruled out: certificate expired: no, until 2027-01-30\n"), "{text}");
        let command = "   ```text\n   certutil -addstore CA \"Northwind Policy CA 1.cer\"\n   ```\n2. or sign in once";
        assert!(text.contains(command), "{text}");
        assert!(text.contains("\n```text\nip.addr==10.20.30.50 && tcp.port==443"), "{text}");
    }

    #[test]
    fn many_devices_are_a_table_of_faults_an_example_and_a_table_of_the_others() {
        let text = markdown(&many(200, 100));
        let fault = "\n| ❌ | 10.20.30.10:443 | intermediate certificate \"Northwind Policy CA 1\" is missing | 200 |";
        assert!(text.starts_with("## chaingap: 300 devices: 200 fail, 100 ok\n") && text.contains(fault), "{text}");
        assert_eq!(text.matches("\n### ").count(), 1);
        assert!(text.contains("\n| ✅ | 100 | TLS works | 10.0.0.200–10.0.1.49 (100) |\n"), "{text}");
    }

    #[test]
    fn nothing_in_a_name_is_obeyed() {
        let hostile = "<b>|*x*|[y](http://z) ![i](j) @all #1 `c` www.z $1$ :+1:\n# h";
        let safe = "&lt;b&gt;\\|\\*x\\*\\|\\[y\\](http\\://z) \\!\\[i\\](j) @<!-- -->all \\#1 \\`c\\` www\\.z \\$1\\$ \\:+1\\:\\\\u{a}\\# h";
        assert_eq!(inline(hostile), safe);
        assert_eq!(inline("10.20.30.10:443: no"), "10.20.30.10:443: no");
    }

    #[test]
    fn a_comparison_is_a_table_of_the_steps() {
        let text = compare_markdown(&pair().1);
        let parting: Vec<&str> = text.lines().filter(|line| line.starts_with("| **here they part** |")).collect();
        let fetch = "| **here they part** | FETCH | frame 4–6, POST http\\://lyncpool.contoso.test/CertProv/CertProvisioningService.svc | not there | the bad one never asks for it |";
        assert_eq!(parting, [fetch]);
        assert!(
            text.contains("| differs | TLS | frame 9–15, 10.20.30.10:443  TLS 1.0, CsxnKIFifDdEe, completed |"),
            "{text}"
        );
        assert!(text.contains("\n```text\nip.addr==10.20.30.50 && tcp.port==443"), "{text}");
        let hostile = compare_markdown(&pair_of(HOSTILE).1);
        let outside: String = hostile.split("```").step_by(2).collect();
        assert!(!outside.contains("<script") && !outside.contains("](javascript:"), "{hostile}");
        let columns = |row: &str| row.replace("\\|", "").matches('|').count();
        assert!(hostile.lines().filter(|line| line.starts_with('|')).all(|row| columns(row) == 6), "{hostile}");
    }

    #[test]
    fn a_fence_is_longer_than_any_within_it() {
        assert_eq!(block("", &["a ```` b".into()]), "`````text\na ```` b\n`````\n");
    }
}
