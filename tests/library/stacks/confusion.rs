//! The confusion matrix: which defect the program calls the cause of each refusal that was recorded.
//!
//! In: the recordings, each with the defect that was refused. Out: failed tests where too often another one is called the
//! cause, with the stack known by its hello, and with its answers left out of the data. Left to others: how sure a
//! finding may be (`tests/library/findings.rs`).

use std::collections::{BTreeMap, BTreeSet};

use chaingap::report::{Proof, Report, Severity};
use chaingap::trust::Stacks;

use super::recordings::{Connection, Recording, recordings};

/// What became of one recorded answer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Said {
    /// The code of the defect that was refused; of a sound handshake, no error.
    Right(&'static str),
    /// Several causes or an unknown one, in so many words; whether the right one is among them.
    Open(bool),
    /// No error, although something was refused.
    Silent,
    /// That nothing in clear explains it.
    Unexplained,
    /// Another code.
    Wrong(&'static str),
}

/// The codes by the defects of the data.
fn codes() -> BTreeMap<String, String> {
    Stacks::default().defects().iter().map(|row| (row.id.clone(), row.code.clone())).collect()
}

/// What a report says of one connection, by the headline of its client.
fn said(report: &Report, connection: &Connection, codes: &BTreeMap<String, String>) -> Said {
    let own = |device: &&chaingap::report::Device| device.addresses.iter().any(|it| it.address == connection.client);
    let device = report.devices.iter().find(own).unwrap_or_else(|| panic!("{} is no device", connection.client));
    let errors =
        || report.findings.iter().filter(|it| it.device.as_ref() == Some(&device.id) && it.severity == Severity::Error);
    let head = errors().find(|it| Some(&it.id) == device.verdict.finding.as_ref());
    let code = connection.refused.as_ref().map(|defect| codes[defect].as_str());
    match (head, code) {
        (None, None) => Said::Right("nothing"),
        (None, Some(_)) => Said::Silent,
        (Some(head), Some(code)) if head.code == code => Said::Right(head.proof.as_str()),
        (Some(head), Some(_)) if head.code == "CG023" || head.code == "CG027" => Said::Unexplained,
        (Some(head), code) if head.proof == Proof::Undecidable => {
            Said::Open(errors().any(|it| Some(it.code.as_str()) == code))
        }
        (Some(head), _) => Said::Wrong(head.proof.as_str()),
    }
}

/// Every answer of some recordings with what is said of it.
fn matrix(recordings: &[Recording], data: impl Fn(&Recording) -> Stacks) -> Vec<(String, bool, Said)> {
    let codes = codes();
    let each = recordings.iter().flat_map(|recording| {
        let report = recording.report(recording.analyzer().stacks(data(recording)));
        let name = |it: &Connection| format!("{}: {} ({})", recording.file, it.defects.join("+"), it.answer);
        let connections = recording.connections().into_iter();
        let said = connections.map(|it| (name(&it), it.defects.len() > 1, said(&report, &it, &codes)));
        said.collect::<Vec<_>>()
    });
    each.collect()
}

fn of(matrix: &[(String, bool, Said)], is_so: impl Fn(&Said) -> bool) -> Vec<&str> {
    matrix.iter().filter(|(_, _, said)| is_so(said)).map(|(name, _, _)| name.as_str()).collect()
}

/// Recordings in which something else is wrong: the server that takes SSL 3.0 is made for one flight, and leaves.
const NO_REFUSAL: &[&str] = &["openssl-1.0.2: version-ssl3 (accepts)"];

/// Answers to what is not visible, because where records begin is not kept, or what no other stack refuses.
const NOT_VISIBLE: &[&str] = &["mbedtls: small-records (close)", "rustls: p521-in-chain (alert 51)"];

fn counts(matrix: &[(String, bool, Said)]) -> String {
    let mut counts: BTreeMap<&Said, usize> = BTreeMap::new();
    matrix.iter().for_each(|(_, _, said)| *counts.entry(said).or_default() += 1);
    counts.iter().map(|(said, count)| format!("{said:?} {count}")).collect::<Vec<_>>().join(", ")
}

/// Fails if more than so many of a hundred refusals are called what they are not.
fn hold(what: &str, matrix: &[(String, bool, Said)], percent: usize) {
    support::tell(&format!("{what}: {}", counts(matrix)));
    let known = |list: Vec<&str>, expected: &[&str]| {
        list.into_iter().filter(|name| !expected.contains(name)).map(str::to_owned).collect::<BTreeSet<_>>()
    };
    let refused = matrix.iter().filter(|(_, _, said)| *said != Said::Right("nothing")).count();
    let proven = known(of(matrix, |said| *said == Said::Wrong("proven")), NO_REFUSAL);
    assert!(proven.is_empty(), "{what}: wrong and proven: {proven:#?}");
    let wrong = known(of(matrix, |said| matches!(said, Said::Wrong(_))), NO_REFUSAL);
    assert!(
        wrong.len() * 100 < percent * refused,
        "{what}: wrong and inferred: {} of {refused}: {wrong:#?}",
        wrong.len()
    );
    support::tell(&format!("{what}: wrong and inferred: {} of {refused}: {wrong:?}", wrong.len()));
    let unexplained = known(of(matrix, |said| matches!(said, Said::Unexplained | Said::Silent)), NOT_VISIBLE);
    assert!(unexplained.is_empty(), "{what}: a visible defect was refused: {unexplained:#?}");
}

fn some() -> Vec<Recording> {
    support::share("the confusion matrix", recordings()).collect()
}

#[test]
fn what_a_known_stack_refuses_is_the_cause() {
    let matrix = matrix(&some(), |_| Stacks::default());
    hold("known by its hello", &matrix, 2);
    let pairs = matrix.iter().filter(|(_, pair, _)| *pair).count();
    assert!(!support::everything() || pairs >= 100, "{pairs} recordings have a second defect");
}

#[test]
fn what_an_unknown_stack_refuses_is_mostly_the_cause_and_never_proven_wrongly() {
    let matrix = matrix(&some(), |recording| Stacks::default().without(recording.stack()));
    hold("left out of the data", &matrix, 5);
}
