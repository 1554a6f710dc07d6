//! What findings mean, in every place that explains it.
//!
//! In: the table of rules, README. Out: each explain text fits a terminal of 80 columns, and README's table of findings
//! is that of the program. Left to others: whether the texts are true.
//!
//! `CHAINGAP_UPDATE=1 cargo test --test library explain` rewrites README's table.

use std::fs;
use std::path::Path;

use chaingap::diagnosis::RULES;
use chaingap::render::{TextStyle, explain_list, explain_text};

const BEGIN: &str = "<!-- findings: written by tests/library/explain.rs -->\n";
const END: &str = "<!-- end of findings -->\n";

#[test]
fn every_text_fits_eighty_columns() {
    for rule in RULES {
        for width in [80, 200] {
            let text = explain_text(rule.explain, &TextStyle { color: false, width });
            assert!(text.starts_with(&format!("{} {}\n", rule.code, rule.name)));
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            let source: String =
                rule.explain.lines().map(|line| line.trim_start_matches('#').to_owned() + "\n").collect();
            assert_eq!(words(&text), words(&source), "{}: a word is lost", rule.code);
            for line in text.lines() {
                assert!(line.chars().count() <= 80, "{}: {line}", rule.code);
            }
            for code in rule.explain.lines().filter(|line| line.starts_with("    ")) {
                assert!(text.lines().any(|line| line == code), "{}: {code}", rule.code);
            }
        }
    }
    let rules: Vec<_> = RULES.iter().map(|rule| (rule.code, rule.name, rule.summary())).collect();
    let list = explain_list(&rules, &TextStyle { color: false, width: 200 });
    assert!(list.lines().all(|line| line.chars().count() <= 80), "{list}");
}

#[test]
fn readme_lists_the_findings_of_the_program() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let (before, rest) = readme.split_once(BEGIN).expect("README.md marks where the table begins");
    let (there, after) = rest.split_once(END).expect("README.md marks where the table ends");
    let row = |rule: &chaingap::diagnosis::Rule| format!("| {} | {} | {} |\n", rule.code, rule.name, rule.summary());
    let rows: String = RULES.iter().map(row).collect();
    let table = format!("\n| code | name | when |\n|---|---|---|\n{rows}\n");
    if std::env::var_os("CHAINGAP_UPDATE").is_some() {
        fs::write(&path, format!("{before}{BEGIN}{table}{END}{after}")).unwrap();
    } else {
        assert_eq!(there, table, "run: CHAINGAP_UPDATE=1 cargo test --test library explain");
    }
}
