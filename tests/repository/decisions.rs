//! The decisions of `docs/decisions/`: each has an id of its own, names what shows it and is cited in the source, and every
//! id that is cited is one of theirs.
//!
//! In: `docs/decisions/`, and the sources and documents that cite ids. Out: failed tests. Left to others: whether a test
//! shows what a decision says.

use std::collections::{BTreeMap, BTreeSet};

use super::house::{collect, project, read};

/// What shows a decision, in one line.
type ShownBy = String;

/// The decisions by their ids, as far as they are well formed.
fn decisions() -> BTreeMap<String, ShownBy> {
    let mut decisions = BTreeMap::new();
    for file in files("docs/decisions", ".md").into_iter().filter(|file| !file.ends_with("/README.md")) {
        let stage = file.trim_start_matches("docs/decisions/").trim_end_matches(".md").to_uppercase();
        for (number, entry) in (1..).zip(read(&file).split("\n### ").skip(1)) {
            // An id is never reused, and no decision is removed: the numbers of a stage have no gap.
            let id = format!("D-{stage}-{number:02}");
            let (title, entry) = entry.split_once('\n').unwrap_or((entry, ""));
            assert!(title.starts_with(&format!("{id} ")), "{file}: expected {id}, not {title:?}");
            let entry = entry.split("\n## ").next().unwrap_or_default();
            let shown_by = entry.split_once("\n- Why: ").and_then(|(_, why)| why.split_once("\n- Shown by:"));
            let (_, shown_by) = shown_by.unwrap_or_else(|| panic!("{file}: {id} lacks its reason, or what shows it"));
            decisions.insert(id, shown_by.split_whitespace().collect::<Vec<_>>().join(" "));
        }
    }
    assert!(decisions.len() > 100, "{}", decisions.len());
    decisions
}

#[test]
fn every_decision_names_what_shows_it() {
    for (id, shown_by) in decisions() {
        let named: Vec<&str> = shown_by.split('`').skip(1).step_by(2).collect();
        assert!(shown_by.contains("RFC ") || !named.is_empty(), "{id}: shown by {shown_by:?}");
        for name in named {
            let (file, function) = name.split_once(": ").unwrap_or((name, ""));
            assert!(project().join(file).exists(), "{id}: there is no {file}");
            let is_there = function.is_empty() || read(file).contains(&format!("fn {function}("));
            assert!(is_there, "{id}: there is no {function} in {file}");
        }
    }
}

#[test]
fn every_id_that_is_cited_is_a_decision() {
    let decisions = decisions();
    let sources = ["src", "tests", "benches"].into_iter().flat_map(|folder| files(folder, ".rs"));
    let documents = files("docs", ".md").into_iter().chain(["ARCHITECTURE.md".to_owned()]);
    // README.md shows the form of a decision with one that does not exist.
    for file in sources.chain(documents).filter(|file| file != "docs/decisions/README.md") {
        for id in ids(&read(&file)) {
            assert!(decisions.contains_key(&id), "{file} cites {id}, which is not a decision");
        }
    }
}

#[test]
fn every_decision_is_cited_where_it_is_carried_out() {
    let sources = ["src", "benches"].into_iter().flat_map(|folder| files(folder, ""));
    let cited: BTreeSet<String> = sources.flat_map(|file| ids(&text(&file))).collect();
    let uncited: Vec<String> = decisions().into_keys().filter(|id| !cited.contains(id)).collect();
    assert_eq!(uncited, [""; 0]);
}

/// The text of a file; of a binary file, whatever can be read as text.
fn text(file: &str) -> String {
    String::from_utf8_lossy(&std::fs::read(project().join(file)).unwrap()).into_owned()
}

/// The ids of decisions in a text: `D-`, a stage, and a number of two digits.
fn ids(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-'));
    let is_id = |word: &&str| match word.split('-').collect::<Vec<_>>()[..] {
        ["D", stage, number] => !stage.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit()),
        _ => false,
    };
    words.filter(is_id).map(str::to_owned).collect()
}

/// The files below a folder whose names end like this.
fn files(folder: &str, end: &str) -> Vec<String> {
    let mut files = Vec::new();
    collect(&project().join(folder), &mut files);
    files.retain(|file| file.ends_with(end));
    files.sort();
    files
}
