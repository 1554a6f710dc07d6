//! A regression run as text.
//!
//! In: how captures compare with expectations. Out: one line an expectation, and under it what differs. Bounded: by the
//! run. Left to others: the comparison.

use super::line::{Line, Role};
use super::page::TextStyle;
use crate::report::{CheckOutcome, CheckReport, Checked, Difference};

/// One line an expectation; of those that differ, what was expected and what was found.
pub fn check_text(report: &CheckReport, style: &TextStyle) -> String {
    let mut lines: Vec<Line> = report.expectations.iter().flat_map(lines_of).collect();
    for path in &report.unnamed {
        lines.push(Line::at(0, Role::Bad, "DIFF ").push(Role::Plain, &format!(" {path}")));
        lines.push(Line::at(8, Role::Plain, "no expectation names this capture"));
    }
    let count = report.expectations.len();
    let role = if report.different == 0 { Role::Good } else { Role::Bad };
    let expectations = if count == 1 { "expectation" } else { "expectations" };
    lines.push(Line::at(0, role, &format!("{count} {expectations}, {} with differences", report.different)));
    lines.iter().map(|line| line.print(style.color) + "\n").collect()
}

fn lines_of(checked: &Checked) -> Vec<Line> {
    let (word, role) = match checked.outcome {
        CheckOutcome::Same => ("ok   ", Role::Good),
        CheckOutcome::Different | CheckOutcome::Failed => ("DIFF ", Role::Bad),
        CheckOutcome::Updated => ("wrote", Role::Warning),
    };
    let mut lines = vec![Line::at(0, role, word).push(Role::Plain, &format!(" {}", checked.path))];
    lines.extend(checked.problem.iter().flat_map(|why| why.lines()).map(|why| Line::at(8, Role::Plain, why)));
    for Difference { about, expected, got } in &checked.differences {
        lines.push(Line::at(8, Role::Plain, about));
        let mut say = |word: &str, text: &Option<String>| {
            let (role, text) = (if text.is_some() { Role::Strong } else { Role::Dim }, text.as_deref());
            lines.push(Line::at(10, Role::Plain, word).push(role, text.unwrap_or("nothing")));
        };
        say("expected  ", expected);
        say("got       ", got);
    }
    lines
}

#[cfg(test)]
pub(in crate::render) mod tests {
    use super::*;

    pub(in crate::render) fn sample() -> CheckReport {
        let checked = |path: &str, outcome, differences: Vec<Difference>, problem: Option<&str>| Checked {
            path: path.into(),
            description: None,
            outcome,
            differences,
            problem: problem.map(str::to_owned),
        };
        let verdict =
            Difference { about: "10.0.0.1 verdict".into(), expected: Some("ok".into()), got: Some("fails".into()) };
        let more = Difference { about: "10.0.0.1 finding".into(), expected: None, got: Some("<b>\u{1b}[m".into()) };
        let expectations = vec![
            checked("a.expect.toml", CheckOutcome::Same, vec![], None),
            checked("b.expect.toml", CheckOutcome::Different, vec![verdict, more], None),
            checked("c.expect.toml", CheckOutcome::Failed, vec![], Some("no such file")),
        ];
        CheckReport::new("captures".into(), expectations, vec!["d.pcap".into()])
    }

    #[test]
    fn one_line_an_expectation_and_what_differs_beneath() {
        let text = check_text(&sample(), &TextStyle { color: false, width: 80 });
        let expected = "ok    a.expect.toml\nDIFF  b.expect.toml\n        10.0.0.1 verdict\n          expected  ok\n          \
                        got       fails\n        10.0.0.1 finding\n          expected  nothing\n          \
                        got       <b>\\u{1b}[m\nDIFF  c.expect.toml\n        no such file\nDIFF  d.pcap\n        \
                        no expectation names this capture\n3 expectations, 3 with differences\n";
        assert_eq!(text, expected);
    }
}
