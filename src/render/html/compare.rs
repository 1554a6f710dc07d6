//! A comparison as one page: what follows, both stories side by side with the step where they part, the steps as a table,
//! both chains, what to do.
//!
//! In: a comparison, and the report it was made of. Out: HTML by the same rules as the report's. Bounded: by the two
//! devices; [`STEPS`] steps. Left to others: every judgement.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::certificates::Shelf;
use super::page::page;
use super::parting::{Parting, of_side};
use super::parts::{capture_and_frame, copied, status_class};
use super::steps::Focus;
use super::{certificates, chain, closing, finding, ladder};
use crate::render::shared::step::{frames, lacking, times, told_alike};
use crate::render::shared::story::tag;
use crate::render::shared::words::{clean_lines, name_of, shorten};
use crate::render::shared::{Index, Scope, context, handshake_of, mark};
use crate::report::{
    CompareSide, CompareStep, Comparison, Device, Finding, Handshake, Outcome, Report, Severity, StepSide, Totals,
    WhichSide,
};

/// The most steps in the table; a phone takes a dozen.
const STEPS: usize = 200;

/// The most certificates named in one cell.
const NAMED: usize = 12;

/// The longest sentence shown in full, in characters.
const SENTENCE: usize = 1000;

/// A comparison as one HTML file, UTF-8, ending with a newline. The report is the one that was compared: it holds both
/// devices. What [`html`](super::report::html()) promises of its page holds for this one.
pub fn compare_html(report: &Report, comparison: &Comparison) -> String {
    let report = narrowed(report, comparison);
    let index = Index::of(&report);
    let view = View::of(&report, &index, comparison);
    let verdict = verdict(comparison, view.finding);
    let title = format!("{}: {} and {} – chaingap", verdict.word, view.good.name(), view.bad.name());
    clean_lines(&page(&title, &body(&view, &verdict)).into_string())
}

/// The two devices, what is found about them, and the certificates that either of them met.
fn narrowed(report: &Report, comparison: &Comparison) -> Report {
    let is_one = |device: &&Device| device.id == comparison.good.device || device.id == comparison.bad.device;
    let devices: Vec<Device> = report.devices.iter().filter(is_one).cloned().collect();
    let mut wanted: BTreeSet<&str> = comparison.certificates.keys().map(String::as_str).collect();
    for handshake in devices.iter().flat_map(|device| &device.handshakes) {
        let chain = &handshake.chain;
        let steps = chain.path.iter().chain(&chain.completed_path).filter_map(|step| step.sha256.as_deref());
        let candidates = chain.missing.iter().flat_map(|link| &link.candidates);
        wanted.extend(steps.chain(candidates.map(|candidate| candidate.sha256.as_str())));
    }
    let wanted = report.certificates.iter().filter(|(sha, _)| wanted.contains(sha.as_str()));
    let certificates = wanted.map(|(sha, certificate)| (sha.clone(), certificate.clone())).collect();
    Report {
        schema: report.schema.clone(),
        tool: comparison.tool.clone(),
        options: comparison.options.clone(),
        complete: report.complete,
        dropped: report.dropped.clone(),
        captures: report.captures.clone(),
        totals: Totals::default(),
        faults: Vec::new(),
        devices,
        groups: Vec::new(),
        certificates,
        findings: comparison.findings.clone(),
        statistics: report.statistics.clone(),
    }
}

/// One of the two devices.
struct Side<'a> {
    which: WhichSide,
    told: &'a CompareSide,
    device: Option<&'a Device>,
    scope: Scope<'a>,
    headline: Option<&'a Finding>,
    /// The handshake with the server at which the bad one fails.
    handshake: Option<&'a Handshake>,
    parting: Option<Parting<'a>>,
}

impl<'a> Side<'a> {
    fn of(report: &'a Report, index: &'a Index<'a>, comparison: &'a Comparison, which: WhichSide) -> Self {
        let told = match which {
            WhichSide::Good => &comparison.good,
            WhichSide::Bad => &comparison.bad,
        };
        let device = report.devices.iter().find(|device| device.id == told.device);
        let scope = Scope::of(report, index, device);
        let headline = device.and_then(|device| scope.headline(device));
        Self { which, told, device, scope, headline, handshake: None, parting: Parting::of(comparison, which) }
    }

    fn name(&self) -> String {
        shorten(&self.told.address, 45)
    }

    fn id(&self) -> &'static str {
        self.which.as_str()
    }

    /// The handshake of a step.
    fn handshake_in(&self, step: &CompareStep) -> Option<&'a Handshake> {
        let side = of_side(step, self.which)?;
        let same = |h: &&Handshake| Some(h.frame) == side.frame && h.capture == side.capture;
        self.device?.handshakes.iter().find(same)
    }
}

/// All that the page is made of.
struct View<'a> {
    comparison: &'a Comparison,
    /// The finding that the conclusion explains.
    finding: Option<&'a Finding>,
    shelf: Shelf<'a>,
    good: Side<'a>,
    bad: Side<'a>,
}

impl<'a> View<'a> {
    fn of(report: &'a Report, index: &'a Index<'a>, comparison: &'a Comparison) -> Self {
        let mut good = Side::of(report, index, comparison, WhichSide::Good);
        let mut bad = Side::of(report, index, comparison, WhichSide::Bad);
        let explained = |finding: &&Finding| comparison.finding.as_ref() == Some(&finding.id);
        let finding = report.findings.iter().find(explained);
        let about = finding.or(bad.headline);
        let failing = bad.device.and_then(|device| about.and_then(|finding| handshake_of(device, finding)));
        let tls = || comparison.steps.iter().filter(|step| step.kind == "handshake");
        let step = tls()
            .find(|step| failing.is_some_and(|failing| bad.handshake_in(step).is_some_and(|h| h.id == failing.id)))
            .or_else(|| tls().find(|step| step.parts))
            .or_else(|| tls().find(|step| step.good.is_some() && step.bad.is_some()));
        good.handshake = step.and_then(|step| good.handshake_in(step));
        bad.handshake = failing.or_else(|| step.and_then(|step| bad.handshake_in(step)));
        Self { comparison, finding, shelf: Shelf::of(report), good, bad }
    }

    fn sides(&self) -> [&Side<'a>; 2] {
        [&self.good, &self.bad]
    }
}

/// The conclusion's sign, colour and short word.
struct Verdict {
    mark: &'static str,
    class: &'static str,
    word: &'static str,
}

fn verdict(comparison: &Comparison, finding: Option<&Finding>) -> Verdict {
    let (mark, class, word) = match (comparison.comparable, comparison.agree, finding) {
        (false, ..) => ("?", "warn", "cannot be compared"),
        (_, true, None) => ("✓", "good", "agree"),
        (_, agree, Some(finding)) if finding.severity == Severity::Error => {
            ("✗", "bad", if agree { "fail alike" } else { "part" })
        }
        (_, true, _) => ("!", "warn", "agree"),
        _ => ("!", "warn", "part"),
    };
    Verdict { mark, class, word }
}

fn body(view: &View<'_>, verdict: &Verdict) -> Markup {
    let tool = &view.comparison.tool;
    html! {
        header.compare {
            h1 { "A trace that works beside one that does not" }
            (closing::captures(&view.bad.scope))
        }
        main.compare id="content" tabindex="-1" {
            (conclusion(view, verdict))
            div.pair { @for side in view.sides() { (story(side)) } }
            (steps(view))
            (chains(view))
            (advice(view))
            @for side in [&view.bad, &view.good] { (also(view, side)) }
            (closing::withheld(&view.bad.scope))
            (certificates::all(&view.bad.scope))
            (closing::options(&view.bad.scope))
            (closing::legend())
        }
        footer.compare { p { "Written by " (tool.name) " " (tool.version) ". This file loads and sends nothing." } }
    }
}

/// What follows, how sure it is, and the frames that it rests on.
fn conclusion(view: &View<'_>, verdict: &Verdict) -> Markup {
    let comparison = view.comparison;
    html! {
        section.conclusion.(verdict.class) aria-labelledby="conclusion" {
            h2 id="conclusion" {
                span.mark aria-hidden="true" { (verdict.mark) } " "
                span.verdict { (shorten(&comparison.conclusion, SENTENCE)) }
            }
            @if let Some(finding) = view.finding.filter(|_| comparison.comparable) { (finding::tag(finding)) }
            @if !comparison.because.is_empty() {
                table.evidence {
                    thead { tr { th scope="col" { "because" } th scope="col" { "what it shows" } } }
                    tbody { @for piece in &comparison.because { tr {
                        td { b { (piece.side.as_str()) } " "
                            (capture_and_frame(&view.bad.scope, &piece.capture, piece.frame)) }
                        td { (shorten(&piece.what, SENTENCE)) }
                    } } }
                }
            }
            @if !comparison.caveats.is_empty() {
                h3 { "What the captures do not show" }
                ul { @for caveat in &comparison.caveats { li { (shorten(caveat, SENTENCE)) } } }
            }
        }
    }
}

/// One side's device and verdict, and its ladder.
fn story(side: &Side<'_>) -> Markup {
    let verdict = &side.told.verdict;
    let focus = Focus { headline: side.headline, handshake: side.handshake, parting: side.parting.as_ref() };
    html! {
        section.(status_class(verdict.status)) aria-labelledby=(side.id()) {
            div {
                h2 id=(side.id()) { (side.id()) ": " span.subject { (side.name()) } }
                p {
                    span.(status_class(verdict.status)) aria-hidden="true" { (mark(verdict.status)) } " "
                    (shorten(&verdict.summary, SENTENCE))
                }
                @if let Some(device) = side.device { p.context { (context(&side.scope, device, side.headline)) } }
            }
            @if let Some(device) = side.device { (ladder::ladder(&side.scope, device, focus, side.id())) }
        }
    }
}

/// The steps of both, beside each other.
fn steps(view: &View<'_>) -> Markup {
    let steps = &view.comparison.steps;
    html! {
        @if !steps.is_empty() {
            section aria-labelledby="steps" {
                h2 id="steps" { "Step by step" }
                p.hint { "In the order of the good one. Numbers are frames." }
                table.steps {
                    thead { tr {
                        th scope="col" { "step" }
                        @for side in view.sides() { th scope="col" { (side.id()) ": " (side.name()) } }
                        th scope="col" { "what differs" }
                    } }
                    tbody { @for (index, step) in steps.iter().take(STEPS).enumerate() {
                        (row(view, step, view.comparison.parting == Some(index)))
                    } }
                }
                @if steps.len() > STEPS { p.hint { "… " (steps.len() - STEPS) " more, which the JSON comparison holds" } }
            }
        }
    }
}

fn row(view: &View<'_>, step: &CompareStep, is_parting: bool) -> Markup {
    let (class, word) = match (is_parting, step.parts, step.differs) {
        (true, ..) => ("bad", "here they part"),
        (_, true, _) => ("warn", "differs"),
        (_, _, true) => ("dim", "differs, but cannot decide a sign-in"),
        _ => ("", ""),
    };
    let same = !step.differs && matches!((&step.good, &step.bad), (Some(good), Some(bad)) if told_alike(good, bad));
    html! {
        tr.parting[is_parting] {
            th scope="row" { (tag(&step.kind)) }
            td { (cell(view, step, step.good.as_ref(), WhichSide::Good, false)) }
            td { (cell(view, step, step.bad.as_ref(), WhichSide::Bad, same)) }
            td {
                @if !word.is_empty() { p { span.(class) { (word) } } }
                @for words in &step.differences { p { (shorten(words, SENTENCE)) } }
            }
        }
    }
}

/// One side of a step; `same` if the other side reads the same.
fn cell(view: &View<'_>, step: &CompareStep, side: Option<&StepSide>, which: WhichSide, same: bool) -> Markup {
    let label = html! { span.which { (which.as_str()) " " } };
    let Some(side) = side else { return html! { p { (label) span.warn { (lacking(&step.kind)) } } } };
    let frames = frames(side);
    let verb = if step.kind == "handshake" { "server sends " } else { "gets " };
    let ended = if side.outcome == Some(Outcome::Completed) { "good" } else { "bad" };
    html! {
        p {
            (label)
            @if !frames.is_empty() { span.frame { (frames) } " " }
            @if same { span.dim { "the same" } } @else { (shorten(&side.summary, SENTENCE)) }
        }
        @if !same {
            @if let Some(history) = &side.history { p { code { (shorten(history, 200)) } } }
            @if !side.certificates.is_empty() { p { (verb) (sent(view, &side.certificates)) } }
            @if let Some(ending) = &side.ending { p { span.(ended) { (shorten(ending, SENTENCE)) } } }
            @if side.count > 1 { p.dim { (times(&step.kind, side)) } }
        }
    }
}

/// Names of certificates, each linked to the certificate.
fn sent(view: &View<'_>, list: &[String]) -> Markup {
    let name = |sha: &String| name_of(&view.good.scope.report.certificates, sha);
    html! {
        @for (index, sha) in list.iter().take(NAMED).enumerate() {
            @if index > 0 { ", " }
            (view.shelf.link(Some(sha), &name(sha)))
        }
        @if list.len() > NAMED { ", " (list.len() - NAMED) " more" }
    }
}

/// Both chains of the server at which the bad one fails.
fn chains(view: &View<'_>) -> Markup {
    let drawn = view.sides().map(|side| match (side.device, side.handshake) {
        (Some(device), Some(handshake)) => {
            let picture = chain::chain(&side.scope, &view.shelf, device, handshake, side.id());
            (side, Some((handshake, picture)))
        }
        _ => (side, None),
    });
    if drawn.iter().all(|(_, drawn)| drawn.as_ref().is_none_or(|(_, picture)| picture.0.is_empty())) {
        return html! {};
    }
    html! {
        section aria-labelledby="chains" {
            h2 id="chains" { "The chains" }
            div.pair { @for (side, drawn) in drawn { div {
                p {
                    b { (side.id()) } " "
                    @match &drawn {
                        Some((handshake, _)) => { (shorten(&handshake.server, 60)) ", "
                            (capture_and_frame(&side.scope, &handshake.capture, Some(handshake.frame))) },
                        None => { "no handshake with this server" },
                    }
                }
                @if let Some((_, picture)) = drawn {
                    @if picture.0.is_empty() { p.hint { "no certificate in clear" } } @else { (picture) }
                }
            } } }
        }
    }
}

/// What shows the finding, what is ruled out, what to do; a filter for each of the two.
fn advice(view: &View<'_>) -> Markup {
    let good = view.good.headline.and_then(|finding| Some((finding.capture.as_deref()?, finding.filter.as_deref()?)));
    html! {
        @if let Some(finding) = view.finding {
            section aria-labelledby="advice" {
                h2 id="advice" { "What is wrong with the bad one, and what to do" }
                p { (shorten(&finding.summary, SENTENCE)) }
                (finding::body(&view.bad.scope, finding))
                @if let Some((capture, filter)) = good {
                    p.hint { "And of the good one, in " (view.good.scope.capture(capture)) ":" }
                    (copied(&shorten(filter, SENTENCE)))
                }
            }
        }
    }
}

/// What else was found about one of the two.
fn also(view: &View<'_>, side: &Side<'_>) -> Markup {
    let told = |finding: &Finding| view.finding.is_some_and(|told| told.id == finding.id);
    let all = side.device.map(|device| side.scope.findings(device)).unwrap_or_default();
    let rest: Vec<&Finding> = all.iter().copied().filter(|finding| !told(finding)).collect();
    let id = format!("{}-findings", side.id());
    html! {
        @if !rest.is_empty() {
            section aria-labelledby=(id) {
                h2 id=(id) { @if view.finding.is_some() { "Also found" } @else { "Found" } ": " (side.id()) " " (side.name()) }
                (finding::list(&side.scope, &rest))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample::{event, pair};
    use crate::report::{Pick, compare};

    /// The text of an element's content.
    fn text(html: &str) -> String {
        let pieces: Vec<&str> = html.split('<').map(|piece| piece.split_once('>').map_or(piece, |(_, t)| t)).collect();
        pieces.concat().split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Of each ladder the lines at which the stories part, with their classes.
    fn partings(page: &str) -> Vec<Vec<String>> {
        let ladders = page.split("<div class=\"rungs\">").skip(1).map(|rest| rest.split_once("</ol>").unwrap().0);
        let marked = |ladder: &str| {
            let lines = ladder.split("<li class=\"").filter(|line| line.contains("class=\"part\""));
            lines
                .map(|line| format!("{}: {}", line.split_once('"').unwrap().0, text(&line[line.find('>').unwrap()..])))
                .collect()
        };
        ladders.map(marked).collect()
    }

    fn again(report: &Report) -> Comparison {
        let pick = |capture| Pick { capture, device: None };
        compare(report, &pick("captures/pin.pcapng"), &pick("captures/usb.pcapng")).unwrap()
    }

    #[test]
    fn the_conclusion_comes_first_and_the_certificates_last() {
        let (report, comparison) = pair();
        let page = compare_html(&report, &comparison);
        let conclusion = comparison.conclusion.replace('"', "&quot;");
        let places: Vec<usize> = [
            conclusion.as_str(),
            "CG001 missing-intermediate",
            "good: <span class=\"subject\">10.20.30.51",
            "bad: <span class=\"subject\">10.20.30.50",
            "Step by step",
            "<code>CsxnKIFifDdEe</code>",
            "<code>CsxnL</code>",
            "sent by the server",
            "certutil -addstore CA &quot;Northwind Policy CA 1.cer&quot;",
            "ip.addr==10.20.30.50 &amp;&amp; tcp.port==443",
            "-----BEGIN CERTIFICATE-----",
        ]
        .iter()
        .map(|words| page.find(words).unwrap_or_else(|| panic!("no {words} in {page}")))
        .collect();
        assert!(places.is_sorted(), "{places:?}");
        assert_eq!(page.matches("class=\"chain\"").count(), 2);
    }

    #[test]
    fn both_ladders_show_once_where_they_part() {
        let (report, comparison) = pair();
        let page = compare_html(&report, &comparison);
        let words = "here they part: the bad one never asks for it";
        let [good, bad] = &partings(&page)[..] else { panic!("two ladders in {page}") };
        assert_eq!((good.len(), bad.len()), (1, 1), "{good:?} {bad:?}");
        assert!(good[0].starts_with("plain parting: "), "{good:?}");
        assert!(good[0].contains(words) && good[0].contains("POST http://lyncpool.contoso.test/CertProv/"), "{good:?}");
        assert!(bad[0].starts_with("absent parting: ") && bad[0].contains(words), "{bad:?}");
        assert!(bad[0].contains("no certificate fetch on port 80"), "{bad:?}");
    }

    #[test]
    fn a_step_that_no_event_shows_leaves_a_gap_in_its_place() {
        let (mut report, _) = pair();
        report.devices[0].events.remove(1);
        let page = compare_html(&report, &again(&report));
        let bad = page.split("<div class=\"rungs\">").nth(2).unwrap();
        let [dhcp, gap, hello] = ["vendor class", "not there: POST", "ClientHello"].map(|w| bad.find(w).unwrap());
        assert!(dhcp < gap && gap < hello);
        assert_eq!(partings(&page).iter().map(Vec::len).collect::<Vec<_>>(), [1, 1]);
    }

    #[test]
    fn the_parting_step_is_never_folded() {
        let (mut report, _) = pair();
        for device in &mut report.devices {
            let capture = device.events[0].capture.clone();
            let fetch = device.events.remove(1);
            let more = (0..300).map(|n| event("fetch", 100 + n, "12:00:03.200", &format!("GET http://x/{n}")));
            device.events.extend(more.map(|event| crate::report::Event { capture: capture.clone(), ..event }));
            device.events.extend((fetch.kind == crate::report::EventKind::Fetch).then_some(fetch));
        }
        let page = compare_html(&report, &again(&report));
        assert_eq!(partings(&page).iter().map(Vec::len).collect::<Vec<_>>(), [1, 1]);
    }

    #[test]
    fn traces_that_agree_are_marked_nowhere() {
        let (mut report, _) = pair();
        report.devices[0] = Device { id: "other".into(), ..report.devices[1].clone() };
        let at = |capture| Pick { capture, device: None };
        let other = Pick { capture: "captures/pin.pcapng", device: Some("other") };
        let comparison = compare(&report, &at("captures/pin.pcapng"), &other);
        let comparison = comparison.unwrap_or_else(|error| panic!("{error}"));
        assert!(comparison.agree);
        let page = compare_html(&report, &comparison);
        assert!(!page.contains("here they part") && page.contains("<title>agree: "), "{page}");
    }
}
