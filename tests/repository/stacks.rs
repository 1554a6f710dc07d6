//! The data of TLS stacks say what their recordings say.
//!
//! In: `src/trust/stacks.toml`, and the truth beside each recording in `tests/stacks/`: what is wrong by construction,
//! and the answer that tshark read. Out: failed tests. Left to others: what the program makes of the data.

use std::collections::BTreeMap;

use super::house::{collect, project, read};

/// Answers by defect; a pair of defects is joined by `+`.
type Answers = BTreeMap<String, String>;

fn table(path: &str) -> toml::Table {
    read(path).parse().unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn answers(truth: &toml::Table) -> Answers {
    let answer = |connection: &toml::Value| {
        let defects: Vec<_> = connection["defects"].as_array()?.iter().filter_map(|each| each.as_str()).collect();
        Some((defects.join("+"), connection.get("answer")?.as_str()?.to_owned()))
    };
    truth["connection"].as_array().unwrap().iter().map(|each| answer(each).expect("an answer")).collect()
}

/// The truth of every recording of a stack, by its file.
fn truths() -> BTreeMap<String, toml::Table> {
    let mut files = Vec::new();
    collect(&project().join("tests/stacks"), &mut files);
    let files = files.into_iter().filter(|file| file.ends_with(".toml") && !file.ends_with(".expect.toml"));
    files.map(|file| (file.clone(), table(&file))).collect()
}

#[test]
fn the_answers_of_stacks_are_those_of_their_recordings() {
    let data = table("src/trust/stacks.toml");
    let measured: Vec<_> = data["stack"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|each| each["provenance"].as_str() == Some("measured"))
        .collect();
    assert!(measured.len() >= 12, "{}", measured.len());
    for stack in measured {
        let name = stack["id"].as_str().unwrap();
        let captures = stack["captures"].as_array().unwrap().iter().map(|each| each.as_str().unwrap());
        let mut recorded = Answers::new();
        for capture in captures {
            let truth = table(&capture.replace(".pcapng", ".toml"));
            assert_eq!(truth["version"], stack["versions"], "{capture}");
            recorded.extend(answers(&truth));
        }
        assert_eq!(recorded.remove("nothing").as_deref(), Some("accepts"), "{name} takes a sound server");
        assert!(
            recorded.remove("client-nothing").is_none_or(|answer| answer == "accepts"),
            "{name} takes a sound client"
        );
        let said = stack["answers"].as_table().unwrap().iter();
        let said: Answers =
            said.map(|(defect, answer)| (defect.clone(), answer.as_str().unwrap().to_owned())).collect();
        assert_eq!(said, recorded, "{name}");
        assert!(said.len() >= 80, "{name}: {}", said.len());
        assert_eq!(stack["hello"], table(&format!("tests/stacks/{name}.toml"))["hello"], "{name}");
    }
}

#[test]
fn a_defect_beside_one_that_the_stack_accepts_is_refused_all_the_same() {
    let truths = truths();
    let mut pairs = 0;
    for (file, truth) in truths.iter().filter(|(file, _)| file.ends_with("-pairs.toml")) {
        let alone = answers(&truths[&file.replace("-pairs.toml", ".toml")]);
        for (both, answer) in answers(truth) {
            let Some((refused, accepted)) = both.split_once('+') else { continue };
            assert_eq!(alone[accepted], "accepts", "{file}: {both}");
            assert_ne!(alone[refused], "accepts", "{file}: {both}");
            // Its alert can be another than alone: Java builds another path where a certificate comes twice.
            assert_ne!(answer, "accepts", "{file}: {both}");
            pairs += 1;
        }
    }
    assert!(pairs >= 100, "{pairs}");
}
