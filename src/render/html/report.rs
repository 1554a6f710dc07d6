//! In: a report. Out: its page: which devices there are, each in full, or of many the faults and an example of each; the
//! certificates, how it was judged. Bounded: by the report, of many devices by its faults; [`UNFOLDED`] examples are
//! unfolded. Left to others: the parts of the page.

use maud::{Markup, html};

use super::certificates::Shelf;
use super::page::page;
use super::{certificates, closing, device, faults, finding, index};
use crate::render::shared::words::clean_lines;
use crate::render::shared::{Index, Scope, many, nobody, subject};
use crate::report::Report;

/// The most examples of faults that are unfolded.
const UNFOLDED: usize = 3;

/// The report as one HTML file, UTF-8, ending with a newline.
///
/// It runs no script and loads no style but its own, sends and fetches nothing, and links only to itself. Control
/// characters, bidirectional and invisible characters from captures appear as `\u{..}`.
pub fn html(report: &Report) -> String {
    let page = if many::is_many(report) {
        let examples = faults::of_examples(report);
        whole(&examples, &faults::beside(report))
    } else {
        whole(report, &html! {})
    };
    clean_lines(&page.into_string())
}

/// The page of a report; of many devices it holds the examples, and `beside` speaks of the others.
fn whole(report: &Report, beside: &Markup) -> Markup {
    let index = Index::of(report);
    let scope = Scope::of(report, &index, None);
    page(&title(report), &body(&scope, beside))
}

fn title(report: &Report) -> String {
    let what = match report.devices.as_slice() {
        _ if report.totals.devices > 1 => many::tally(report),
        [] => nobody(report),
        [only, ..] => format!("{} {}", subject(only), only.verdict.status.as_str()),
    };
    format!("{what} – chaingap")
}

/// `3 devices: 1 fails, 2 ok`.
fn tally(report: &Report) -> String {
    if report.totals.devices == 0 { nobody(report) } else { many::tally(report) }
}

fn body(scope: &Scope<'_>, beside: &Markup) -> Markup {
    let report = scope.report;
    let shelf = Shelf::of(report);
    let many = many::is_many(report);
    html! {
        header {
            h1 { "TLS handshakes explained" }
            p { (tally(report)) }
            (closing::captures(scope))
        }
        main id="content" tabindex="-1" {
            @if many { (faults::faults_first(scope)) } @else { (index::index(scope)) }
            @for (index, device) in report.devices.iter().enumerate() {
                @let scope = Scope::of(report, scope.index, Some(device));
                (device::device(&scope, &shelf, device, index + 1, !many || index < UNFOLDED))
            }
            (beside)
            @if !scope.index.elsewhere.is_empty() {
                section aria-labelledby="elsewhere" {
                    h2 id="elsewhere" { "About the captures" }
                    @for finding in &scope.index.elsewhere { (finding::folded(scope, finding)) }
                }
            }
            (closing::withheld(scope))
            (certificates::all(scope))
            (closing::options(scope))
            (closing::legend())
        }
        footer { p { "Written by " (report.tool.name) " " (report.tool.version) ". This file loads and sends nothing." } }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use sha2::{Digest as _, Sha256};

    use super::*;
    use crate::render::html::compare::compare_html;
    use crate::render::html::page::{SCRIPT, STYLE};
    use crate::render::sample::{HOSTILE, counted, everywhere, finding, many, pair, pair_of, sample};
    use crate::report::{Comparison, Severity};

    fn compared((report, comparison): &(Report, Comparison)) -> String {
        compare_html(report, comparison)
    }

    /// The text between the two marks, for each time that they occur.
    fn between<'a>(page: &'a str, before: &str, after: &str) -> Vec<&'a str> {
        page.split(before).skip(1).filter_map(|rest| Some(rest.split_once(after)?.0)).collect()
    }

    /// The page's tags, without style sheet and script, by a reader that knows nothing of this renderer: a tag goes from
    /// `<` to the first `>` outside quotes.
    fn tags(page: &str) -> Vec<String> {
        let page = page.replace(STYLE, "").replace(SCRIPT, "");
        let mut tags: Vec<String> = Vec::new();
        let (mut inside, mut quoted) = (false, false);
        for c in page.chars() {
            match c {
                '<' if !inside => {
                    (inside, quoted) = (true, false);
                    tags.push(String::new());
                }
                '"' if inside => quoted = !quoted,
                '>' if inside && !quoted => inside = false,
                _ => {}
            }
            if inside && let Some(tag) = tags.last_mut() {
                tag.push(c);
            }
        }
        tags
    }

    /// The shapes of tags: without what is in quotes.
    fn shapes(page: &str) -> Vec<String> {
        tags(page).iter().map(|tag| tag.split('"').step_by(2).collect()).collect()
    }

    #[test]
    fn the_verdict_comes_first_and_the_way_out_last() {
        let page = html(&sample());
        let places: Vec<usize> = [
            "TLS handshake fails: intermediate certificate &quot;Northwind Policy CA 1&quot; is missing",
            "CG001 missing-intermediate",
            "no certificate fetch on port 80 (the phone in pin.pcapng made one, frames 14–22)",
            "sent by the server",
            "Northwind Global Root G1 is on the phone",
            "certutil -addstore CA &quot;Northwind Policy CA 1.cer&quot;",
            "ip.addr==10.20.30.50 &amp;&amp; tcp.port==443",
            "-----BEGIN CERTIFICATE-----",
        ]
        .iter()
        .map(|words| page.find(words).unwrap_or_else(|| panic!("no {words} in {page}")))
        .collect();
        assert!(places.is_sorted(), "{places:?}");
    }

    #[test]
    fn the_policy_names_the_two_blocks_that_the_page_holds_and_nothing_else() {
        for page in [html(&sample()), compared(&pair())] {
            let hash = |start, end| {
                let blocks = between(&page, start, end);
                assert_eq!(blocks.len(), 1, "{start}");
                STANDARD.encode(Sha256::digest(blocks[0]))
            };
            let (style, script) = (hash("<style>", "</style>"), hash("<script>", "</script>"));
            let expected = format!(
                "default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; base-uri 'none'; form-action 'none'"
            );
            assert_eq!(between(&page, "Content-Security-Policy\" content=\"", "\""), [expected]);
        }
        assert!(!STYLE.contains("url(") && !STYLE.contains("@import"));
    }

    #[test]
    fn nothing_leads_out_of_the_page() {
        let reports = [sample(), everywhere(HOSTILE), many(3, 3)].map(|report| html(&report));
        let comparisons = [pair(), pair_of(HOSTILE)].map(|pair| compared(&pair));
        for page in reports.into_iter().chain(comparisons) {
            for tag in tags(&page) {
                for wrong in [" src=", " action=", " style=", " on", "<link", "<img", "<iframe", "<base", "<object"] {
                    let outside: String = tag.split('"').step_by(2).collect();
                    assert!(!outside.contains(wrong), "{tag}");
                }
            }
            for target in between(&page, "href=\"", "\"") {
                let id = target.strip_prefix('#').unwrap_or_else(|| panic!("{target} leads out"));
                assert_eq!(page.matches(&format!("id=\"{id}\"")).count(), 1, "{target}");
            }
        }
    }

    #[test]
    fn words_of_strangers_stay_words() {
        // The same page with harmless words has the same kinds of tags, for no word makes one.
        let kinds = |page: &str| shapes(page).into_iter().collect::<BTreeSet<_>>();
        let many = |words: &str| {
            let mut report = everywhere(words);
            report.totals.devices = 6;
            html(&report)
        };
        let pages = |words: &str| [html(&everywhere(words)), many(words), compared(&pair_of(words))];
        for (hostile, harmless) in pages(HOSTILE).into_iter().zip(pages("harmless")) {
            assert_eq!(kinds(&hostile), kinds(&harmless));
            assert_eq!(hostile.matches("<script").count(), 1);
            assert!(hostile.contains("&lt;img src=x onerror=alert(1)&gt;"));
            assert!(!hostile.contains("alert(1)</script>") && !hostile.contains("href=\"javascript"));
            for c in hostile.chars() {
                let hidden = matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
                    || c == '\u{feff}';
                assert!(!hidden && (c == '\n' || !c.is_control()), "{c:?}");
            }
            assert!(hostile.contains("\\u{202e}gnp\\u{2066}\\u{200b}\\u{feff}") && hostile.contains("\\u{1b}[31m"));
        }
    }

    #[test]
    fn very_long_names_are_cut_but_for_the_certificate_itself() {
        let page = html(&everywhere(&"n".repeat(10_000)));
        let long = page.split(|c| c != 'n').filter(|run| run.len() > 2000).count();
        let certificates = 3 * 13;
        assert!(long <= certificates + 10, "{long} very long words");
        assert!(page.len() < 1_000_000, "{}", page.len());
        let page = compared(&pair_of(&"n".repeat(10_000)));
        assert!(page.len() < 1_000_000, "{}", page.len());
    }

    #[test]
    fn many_devices_are_told_by_their_faults() {
        let page = html(&many(15, 185));
        assert_eq!(page.matches("<article class=\"fault bad\"").count(), 1);
        assert_eq!(page.matches("<details class=\"device bad\" open").count(), 1, "an example");
        assert!(page.contains("<b>15 phones</b>") && page.contains("<p>200 devices: 15 fail, 185 ok</p>"));
        assert!(page.contains("<a href=\"#d1\">Example: 10.0.0.0</a>"));
        let others = page.split_once("<section class=\"others\"").and_then(|(_, rest)| rest.split_once("</section>"));
        let rows = others.map_or(0, |(others, _)| others.matches("<span class=\"nowrap\">").count());
        assert_eq!(rows, 2, "fourteen like the example, and those that work");
        assert!(!html(&sample()).contains("<nav") && !html(&sample()).contains("<article"), "one device needs no list");
    }

    #[test]
    fn an_empty_report_says_so_and_what_concerns_no_device_is_there() {
        let mut report = sample();
        report.devices.clear();
        let mut about = finding("CG029", "no-handshake-seen", Severity::Warning, "the capture holds no TLS handshake");
        about.device = None;
        report.findings = vec![about];
        report.captures[0].problems = vec!["cut inside a block at offset 4096".into()];
        let page = html(&counted(report));
        assert!(page.contains("no TLS client seen"));
        assert!(page.contains("the capture holds no TLS handshake"));
        assert!(page.contains("captures/pin.pcapng: cut inside a block at offset 4096"));
    }

    #[test]
    fn the_same_report_gives_the_same_page() {
        assert_eq!(html(&sample()), html(&sample()));
    }

    /// Pages for the test in a browser, which needs words that no recorded capture has.
    #[test]
    fn pages_for_the_browser() {
        let Some(folder) = std::env::var_os("CHAINGAP_PAGES") else { return };
        let folder = std::path::Path::new(&folder);
        std::fs::write(folder.join("hostile.html"), html(&everywhere(HOSTILE))).unwrap();
        let mut hostile = everywhere(HOSTILE);
        hostile.totals.devices = 6;
        std::fs::write(folder.join("hostile-many.html"), html(&hostile)).unwrap();
        std::fs::write(folder.join("hostile-compared.html"), compared(&pair_of(HOSTILE))).unwrap();
        std::fs::write(folder.join("long-compared.html"), compared(&pair_of(&"n".repeat(10_000)))).unwrap();
        std::fs::write(folder.join("long.html"), html(&everywhere(&"n".repeat(10_000)))).unwrap();
        let mut empty = sample();
        (empty.devices, empty.findings) = (Vec::new(), Vec::new());
        empty = counted(empty);
        std::fs::write(folder.join("empty.html"), html(&empty)).unwrap();
    }
}
