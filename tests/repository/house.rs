//! The rules of the house, held by reading the source.
//!
//! In: the files of the repository. Out: which stage may name which, where the crates that the design stands on are
//! named, how files open and how long they are, what no file may hold. Left to others: everything the program does.

use std::fs;
use std::path::{Path, PathBuf};

/// The stages in the order of the data, and for each the earlier ones that it may name. Certificates (`x509`) come
/// before the evidence that interns them and know nothing of protocols; renderers see the report alone.
const STAGES: &[(&str, &str)] = &[
    ("words", ""),
    ("limits", ""),
    ("files", ""),
    ("capture", "limits files"),
    ("decode", "limits capture"),
    ("flow", "limits capture decode"),
    ("protocol", "limits files capture decode flow"),
    ("x509", "limits capture"),
    ("evidence", "limits capture decode flow protocol x509"),
    ("trust", "limits files capture decode flow protocol x509 evidence"),
    ("diagnosis", "limits capture decode flow protocol x509 evidence trust"),
    ("report", "limits capture decode flow protocol x509 evidence trust diagnosis"),
    ("render", "report"),
    // The wiring stands beside the stages: the hot loop ends with the evidence, the front door with the report.
    ("pipeline", "limits capture decode flow protocol x509 evidence"),
    ("analyzer", "limits files capture decode flow protocol x509 evidence trust diagnosis report pipeline"),
    ("expectations", "capture evidence trust diagnosis report analyzer"),
    ("annotate", "limits capture decode protocol report render analyzer"),
    // The command line is another crate: it has the library's public names and no way past them.
    ("cli", ""),
    ("main", "cli"),
];

/// What any stage may name beside those: a macro that defines enums by their words.
const ANYWHERE: &str = "words";

/// The crates that the design stands on, each in one folder.
const CARD_CRATES: &[(&str, &str)] = &[
    ("pcap_parser", "src/capture/"),
    ("etherparse", "src/decode/"),
    ("tls_parser", "src/protocol/tls/"),
    ("x509_parser", "src/x509/"),
    ("clap", "src/cli/"),
];

/// Lines that a file may have.
const MOST_LINES: usize = 700;

/// Folders of a machine, and registries that stand in for the public one. Split in two, so that this file has none.
const LOCAL: &[(&str, &str)] = &[
    ("/wo", "rk/"),
    ("/fa", "rm/"),
    ("/ho", "me/"),
    ("/ro", "ot/"),
    ("/Us", "ers/"),
    ("/tmp/ba", "sh_jobs"),
    (".lib", "rary"),
    ("replace", "-with"),
    ("sparse", "+http"),
    ("arti", "factory"),
    ("://local", "host"),
];

#[test]
fn a_stage_names_only_earlier_stages() {
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        let stage = stage_of(&file);
        if stage == "lib" {
            continue;
        }
        let (_, allowed) = STAGES.iter().find(|(name, _)| *name == stage).unwrap_or_else(|| panic!("{file}: no stage"));
        for (number, line) in code_lines(&text) {
            for named in line.split("crate::").skip(1).map(first_word) {
                if named != stage && named != ANYWHERE && !allowed.split(' ').any(|name| name == named) {
                    wrong.push(format!("{file}:{number}: {stage} names {named:?}: {}", line.trim()));
                }
            }
            if leads_to_the_root(&file, line) {
                wrong.push(format!("{file}:{number}: super leads out of {stage}: {}", line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_stage_of_the_table_is_there() {
    for (stage, _) in STAGES {
        assert!(sources().iter().any(|(file, _)| stage_of(file) == *stage), "there is no stage {stage}");
    }
}

#[test]
fn the_crates_of_the_design_are_named_only_in_their_folders() {
    for (name, folder) in CARD_CRATES {
        let mut at_home = 0;
        for (file, text) in sources() {
            for (number, line) in code_lines(&text).filter(|(_, line)| words(line).any(|word| word == *name)) {
                assert!(file.starts_with(folder), "{file}:{number}: {name} belongs in {folder}: {}", line.trim());
                at_home += 1;
            }
        }
        assert!(at_home > 0, "{folder} does not use {name}");
    }
}

#[test]
fn nothing_is_unsafe() {
    for (file, text) in sources() {
        for (number, line) in code_lines(&text) {
            assert!(words(line).all(|word| word != "unsafe"), "{file}:{number}: {}", line.trim());
        }
    }
    assert!(read("Cargo.toml").contains("unsafe_code = \"forbid\""));
}

/// The library is given bytes and times. Only `capture::ahead` starts a thread, for callers that ask for one.
#[test]
fn the_library_opens_no_file_and_reads_no_clock_or_environment() {
    let outside = ["std::fs", "std::env", "std::process", "std::net::Tcp", "SystemTime", "Instant::now", "std::thread"];
    let in_library = |file: &str| !["cli", "main"].contains(&stage_of(file)) && !file.ends_with("/schema.rs");
    for (file, text) in sources().into_iter().filter(|(file, _)| in_library(file)) {
        let text = text.split("#[cfg(test)]\nmod ").next().unwrap();
        for (number, line) in code_lines(text) {
            let found = outside.iter().find(|name| line.contains(**name));
            let allowed = file == "src/capture/ahead.rs" && found == Some(&"std::thread");
            assert!(found.is_none() || allowed, "{file}:{number}: {}", line.trim());
        }
    }
}

/// What a program that embeds the library may rely on, as ARCHITECTURE.md lists it; the command line does with that alone.
#[test]
fn the_library_shows_the_modules_that_are_promised() {
    let promised = read("ARCHITECTURE.md");
    let (_, promised) = promised.split_once("\n## What the library shows\n").unwrap();
    let promised = promised.split("\n## ").next().unwrap();
    let lib = read("src/lib.rs");
    let mut hidden = Vec::new();
    for (before, line) in lib.lines().zip(lib.lines().skip(1)) {
        let Some(module) = line.strip_prefix("pub mod ").and_then(|rest| rest.strip_suffix(';')) else { continue };
        let is_promised = promised.contains(&format!("`{module}`"));
        assert_ne!(before == "#[doc(hidden)]", is_promised, "{module}: hidden or promised?");
        if !is_promised {
            hidden.push(module.to_owned());
        }
    }
    assert_eq!(hidden.len(), 5, "{hidden:?}");
    for (file, text) in sources().into_iter().filter(|(file, _)| ["cli", "main"].contains(&stage_of(file))) {
        for (number, line) in code_lines(&text) {
            let named =
                line.split("chaingap::").skip(1).map(first_word).find(|name| hidden.contains(&name.to_string()));
            assert!(named.is_none(), "{file}:{number}: {}", line.trim());
        }
    }
}

#[test]
fn a_match_on_codes_names_every_code() {
    // With every code spelled out, a new one does not compile until every rule has an answer for it.
    for (file, text) in sources() {
        let lines: Vec<&str> = text.lines().collect();
        for (index, line) in lines.iter().enumerate().filter(|(_, line)| line.trim_start().starts_with("_ =>")) {
            let indent = |line: &str| line.len() - line.trim_start().len();
            let arms = lines[..index].iter().rev().take_while(|arm| arm.is_empty() || indent(arm) >= indent(line));
            let mut patterns =
                arms.filter(|arm| indent(arm) == indent(line)).map(|arm| arm.split(" =>").next().unwrap_or(arm));
            // What a guard tests is not a pattern.
            let code = patterns.find(|arm| words(arm).take_while(|word| *word != "if").any(|word| word == "Code"));
            assert!(code.is_none(), "{file}:{}: `_ =>` beside {code:?}", index + 1);
        }
    }
}

#[test]
fn every_file_opens_with_what_it_is_and_is_one_room() {
    for (file, text) in sources().into_iter().chain(tests()) {
        assert!(text.starts_with("//! "), "{file} does not open with a head that says what comes in and goes out");
        let lines = text.lines().count();
        assert!(lines <= MOST_LINES, "{file} has {lines} lines, more than {MOST_LINES}");
    }
}

#[test]
fn no_file_names_the_machine_it_was_made_on() {
    let mut files = Vec::new();
    collect(&project(), &mut files);
    assert!(files.len() > 100, "{files:?}");
    for file in files {
        // Binary files (captures) are skipped, and so is the list of crates, which names the public registry.
        let Ok(text) = fs::read_to_string(project().join(&file)) else { continue };
        if file == "Cargo.lock" {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            for (head, tail) in LOCAL {
                let fragment = format!("{head}{tail}");
                let whole = |at: usize| !line[..at].ends_with(|before: char| before.is_alphanumeric() || before == '.');
                let found = line.match_indices(&fragment).any(|(at, _)| !fragment.starts_with('/') || whole(at));
                assert!(!found, "{file}:{}: {fragment}: {line}", number + 1);
            }
        }
    }
}

#[test]
fn every_dependency_comes_from_the_public_registry() {
    let lock = read("Cargo.lock");
    let mut origins = lock.lines().filter(|line| line.starts_with("source = "));
    let public = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
    assert!(origins.clone().count() > 50);
    assert_eq!(origins.find(|origin| *origin != public), None);
}

pub(crate) fn project() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn read(file: &str) -> String {
    fs::read_to_string(project().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Path and text of every source file of the library and the program.
pub(crate) fn sources() -> Vec<(String, String)> {
    rust_files("src")
}

fn tests() -> Vec<(String, String)> {
    rust_files("tests")
}

fn rust_files(folder: &str) -> Vec<(String, String)> {
    let mut files = Vec::new();
    collect(&project().join(folder), &mut files);
    files.retain(|file| file.ends_with(".rs"));
    assert!(!files.is_empty(), "{folder}");
    files.into_iter().map(|file| (file.clone(), read(&file))).collect()
}

/// The files below a folder, relative to the project, without build output and git's own files.
pub(crate) fn collect(folder: &Path, files: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name();
        let kind = entry.file_type().unwrap();
        if name == "target" || name == ".git" {
            continue;
        } else if kind.is_dir() {
            collect(&entry.path(), files);
        } else if kind.is_file() {
            files.push(entry.path().strip_prefix(project()).unwrap().to_str().unwrap().replace('\\', "/"));
        }
    }
}

/// `src/flow/stream.rs` and `src/flow.rs` are of the stage `flow`.
fn stage_of(file: &str) -> &str {
    let inside = file.strip_prefix("src/").unwrap();
    inside.split('/').next().unwrap().trim_end_matches(".rs")
}

/// Numbered lines that are not comments.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(index, line)| (index + 1, line)).filter(|(_, line)| !line.trim().starts_with("//"))
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

/// The name that a path goes on with; empty for a list in braces, which would hide what it names.
fn first_word(path: &str) -> &str {
    let end = path.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(path.len());
    &path[..end]
}

/// Whether a chain of `super` goes up to the crate's root, and so around the table.
fn leads_to_the_root(file: &str, line: &str) -> bool {
    let modules = file.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod").split('/').count();
    // An indented line may be in a module within the file.
    let depth = modules + usize::from(line.starts_with(' '));
    let longest = (1..).take_while(|&count| line.contains(&"super::".repeat(count))).last().unwrap_or(0);
    longest >= depth && !file.starts_with("src/main.rs")
}
