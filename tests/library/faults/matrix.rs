//! The confusion matrix: over thousands of generated sessions, the causes that the program reports against the true
//! ones.
//!
//! In: every sample. Each is disturbed, mixed with other traffic and put beside other phones many times over, as a seed
//! says. Out: a table, true causes down, headlines across (`cargo test --test library matrix -- --nocapture`). What is
//! true of a session comes from the expectation's file, never from the program. New captures are included without any
//! change here. Left to others: which recordings go together (`company`), faults (`mix`), other addresses
//! (`readdress`).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use chaingap::report::{Finding, Proof, Report, Severity, VerdictStatus};

use super::company::{self, Part};
use super::file::Format;
use super::loss;
use super::mix::{self, Random, Spared};
use super::samples::{SAMPLES, Sample};
use support::expectations::{self, ExpectedDevice};
use support::{share, share_of};

/// The seed of every choice. Another one, from `MATRIX_SEED`, makes other sessions of the same recordings.
const SEED: u64 = 20_120_711;
/// The least number of sessions, in all and of each cause, with `CHAINGAP_TESTS=all`.
const SESSIONS: usize = 2_000;
const SESSIONS_OF_A_CAUSE: usize = 40;
/// The least number of cases made of each sample.
const CASES: usize = 8;

/// What accompanies a recording in its capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Alone,
    /// Other companies' traffic, about which nothing is expected.
    WithOtherTraffic,
    /// Phones at the same server, with certificates of the same companies.
    WithPhonesOfThisServer,
    /// Phones, servers and certificates of other companies.
    WithOtherPhones,
}

/// A capture to make.
struct Case {
    number: usize,
    seed: u64,
    kind: Kind,
    sample: &'static Sample,
}

/// The result for one device.
struct Session {
    kind: Kind,
    truth: String,
    headline: String,
    /// How sure the program is of a cause; a verdict without a cause counts as proven.
    proof: Proof,
    /// How sure the expectation allows it to be.
    expected: Option<Proof>,
    discriminator: &'static str,
    /// What was done, in words.
    story: String,
}

/// The cause that an expectation names: that of its first error, where there is but one.
fn truth(expected: &ExpectedDevice) -> (String, Option<Proof>) {
    let error = expected.findings.iter().find(|finding| finding.severity == Severity::Error);
    match (expected.verdict, error) {
        (VerdictStatus::Fails, Some(error)) => (error.name.clone(), Some(error.proof)),
        (VerdictStatus::Fails, None) => panic!("{} fails without an error", expected.device),
        (other, _) => (without_cause(other).to_owned(), None),
    }
}

fn without_cause(status: VerdictStatus) -> &'static str {
    match status {
        VerdictStatus::Ok | VerdictStatus::Degraded => "works",
        other => other.as_str(),
    }
}

/// Faults that would change what is true of a sample. With two taps, the nearer one is told by how long each sees the
/// client wait.
fn spared(sample: &Sample) -> Spared {
    Spared { loss: !loss::may_lose(&sample.before), delay: sample.captures.len() > 1 }
}

/// The headline about a device, and its finding.
fn headline<'r>(report: &'r Report, device: &str) -> (String, Option<&'r Finding>) {
    let Some(device) = report.devices.iter().find(|known| known.id == device) else { return ("gone".into(), None) };
    let status = device.verdict.status;
    let named = report.findings.iter().find(|finding| Some(&finding.id) == device.verdict.finding.as_ref());
    match named.filter(|_| status == VerdictStatus::Fails) {
        Some(finding) => (finding.name.clone(), Some(finding)),
        None => (without_cause(status).to_owned(), None),
    }
}

/// What distinguished an intermediate from a root when the issuer was not at hand: the strongest evidence, which comes
/// first.
fn discriminator(finding: &Finding) -> &'static str {
    let told = finding.evidence.iter().find(|evidence| evidence.what.contains("which speaks for"));
    match told.map(|evidence| evidence.what.as_str()) {
        None => "no discriminator",
        Some(what) if what.contains("authority key identifier") => "authority key identifier",
        Some(what) if what.contains("same organization") => "organization of an anchor",
        Some(what) if what.contains("calls itself a root") => "name of a root",
        Some(_) => "servers send all but the root",
    }
}

/// All cases: the same kinds in turn for each sample, and more of those whose cause has few recordings.
fn cases(seed: u64) -> Vec<Case> {
    let mut recorded: BTreeMap<String, usize> = BTreeMap::new();
    for expected in SAMPLES.iter().flat_map(|sample| &sample.devices) {
        *recorded.entry(truth(expected).0).or_default() += 1;
    }
    let mut cases = Vec::new();
    for sample in SAMPLES.iter().filter(|sample| company::has_truth(sample)) {
        let few = sample.devices.iter().map(|expected| recorded[&truth(expected).0]).min().unwrap_or(1);
        let kinds: &[Kind] = match (sample.captures.len(), company::may_share_a_server(sample)) {
            // Two captures of one investigation stay apart.
            (2.., _) => &[Kind::Alone],
            (_, true) => &[Kind::Alone, Kind::WithOtherTraffic, Kind::WithPhonesOfThisServer, Kind::WithOtherPhones],
            (_, false) => &[Kind::Alone, Kind::WithOtherTraffic, Kind::WithOtherPhones],
        };
        for round in 0..CASES.max(SESSIONS_OF_A_CAUSE.div_ceil(few)) {
            cases.push(Case { number: cases.len(), seed, kind: kinds[round % kinds.len()], sample });
        }
    }
    cases
}

impl Case {
    fn run(&self) -> Vec<Session> {
        let mut random =
            Random::new(self.seed.wrapping_mul(0x1_0000).wrapping_add(u64::try_from(self.number).unwrap()));
        let parts = match self.kind {
            Kind::Alone => vec![Part::of(self.sample)],
            Kind::WithOtherTraffic => company::other_traffic(self.sample, &mut random),
            Kind::WithPhonesOfThisServer => company::phones_of_this_server(self.sample, &mut random),
            Kind::WithOtherPhones => company::other_phones(self.sample, &mut random),
        };
        // What the devices of other traffic trust is not recorded, so nothing is known to be true of them.
        let judged = if self.kind == Kind::WithOtherTraffic { &parts[..1] } else { &parts[..] };
        let mut story = format!("case {}, {:?}", self.number, self.kind);
        let mut disturbed = Vec::new();
        for part in &parts {
            let (frames, what) = mix::disturbed(&part.frames(), spared(part.sample), &mut random);
            write!(story, "; {} ({what})", part.sample.name).unwrap();
            disturbed.push(frames);
        }
        let mut files = vec![(self.sample.captures[0].name.clone(), mix::together(disturbed, &mut random))];
        for other in &self.sample.captures[1..] {
            let (frames, what) = mix::disturbed(&other.frames, spared(self.sample), &mut random);
            write!(story, "; {} ({what})", other.name).unwrap();
            files.push((other.name.clone(), frames));
        }
        let files: Vec<_> = files.into_iter().map(|(name, frames)| (name, Format::PLAIN.write(&frames))).collect();
        let report = expectations::report(&expectations::analyzer(&company::options(judged)), &files);
        judged.iter().flat_map(|part| self.sessions(part, &report, &story)).collect()
    }

    fn sessions(&self, part: &Part, report: &Report, story: &str) -> Vec<Session> {
        let session = |expected: &ExpectedDevice| {
            let device = part.device(&expected.device);
            let ((truth, may), (headline, finding)) = (truth(expected), headline(report, &device));
            Session {
                kind: self.kind,
                proof: finding.map_or(Proof::Proven, |finding| finding.proof),
                expected: may,
                discriminator: finding.map_or("no discriminator", discriminator),
                story: format!("{}, {device}: {truth} taken for {headline}; {story}", part.sample.name),
                truth,
                headline,
            }
        };
        part.sample.devices.iter().map(session).collect()
    }
}

/// Runs all cases, on as many threads as there are processors, and keeps their order.
fn sessions(cases: &[Case]) -> Vec<Session> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            done.push((case.number, case.run()));
        }
        done
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let mut done: Vec<_> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().flat_map(|(_, sessions)| sessions).collect()
}

/// Rows: the true cause. Columns: what the program says, by number, since names are long.
fn table(sessions: &[Session]) -> String {
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for session in sessions {
        *counts.entry((&session.truth, &session.headline)).or_default() += 1;
    }
    let names: BTreeSet<&str> = counts.keys().flat_map(|(truth, headline)| [*truth, *headline]).collect();
    let names: Vec<_> = names.into_iter().collect();
    let heads: String = (1..=names.len()).map(|number| format!("{number:>5}")).collect();
    let mut out = format!("{:32}{heads}\n", "true cause");
    for (number, truth) in (1..).zip(&names) {
        let cell = |headline: &&str| match counts.get(&(*truth, *headline)) {
            Some(count) => format!("{count:>5}"),
            None => format!("{:>5}", "."),
        };
        let cells: String = names.iter().map(cell).collect();
        writeln!(out, "{number:>3} {truth:28}{cells}").unwrap();
    }
    out
}

/// Inferred causes by what distinguished them, right and wrong.
fn by_discriminator(sessions: &[Session]) -> String {
    let mut counts: BTreeMap<(&str, &str), [usize; 2]> = BTreeMap::new();
    for session in sessions.iter().filter(|session| session.proof == Proof::Inferred) {
        let count = counts.entry((session.discriminator, &session.headline)).or_default();
        count[usize::from(!session.is_right())] += 1;
    }
    let line = |((what, headline), [right, wrong]): (&(&str, &str), &[usize; 2])| {
        format!("{what:32}{headline:32}{right:>6}{wrong:>6}\n")
    };
    format!("{:32}{:32}{:>6}{:>6}\n", "inferred by", "headline", "right", "wrong")
        + &counts.iter().map(line).collect::<String>()
}

impl Session {
    fn is_right(&self) -> bool {
        self.truth == self.headline
    }

    /// Whether the program is as sure as the expectation says; it may be surer if phones at the same server show more.
    fn is_as_sure(&self) -> bool {
        match self.expected {
            Some(expected) if self.kind == Kind::WithPhonesOfThisServer => self.proof >= expected,
            Some(expected) => self.proof == expected,
            None => true,
        }
    }
}

/// Answers that differ from the expectation of the sample alone, by how their story begins. A server that signs for another
/// client shows that it lacks a signature, not a cipher suite.
const KNOWN: [(&str, &str); 1] = [("ecdsa-not-offered, ", "no-shared-cipher taken for no-shared-signature")];

fn is_known(story: &str) -> bool {
    KNOWN.iter().any(|(sample, answer)| story.starts_with(sample) && story.contains(answer))
}

#[test]
fn no_cause_is_taken_for_another() {
    let seed = std::env::var("MATRIX_SEED").map_or(SEED, |seed| seed.parse().unwrap());
    let cases: Vec<_> = share("matrix", cases(seed)).collect();
    let sessions = sessions(&cases);
    println!("seed {seed}: {} sessions in {} captures\n", sessions.len(), cases.len());
    println!("{}\n{}", table(&sessions), by_discriminator(&sessions));
    let stories = |which: &dyn Fn(&&Session) -> bool| -> Vec<String> {
        sessions.iter().filter(which).map(|session| session.story.clone()).collect()
    };
    let undecided = stories(&|session| !session.is_right() && session.headline == "undecided");
    let wrong = |proof| {
        let wrong = move |session: &&Session| !session.is_right() && session.headline != "undecided";
        stories(&move |session| wrong(session) && session.proof == proof)
    };
    let mut failures = Vec::new();
    for (what, stories) in [
        ("wrong and proven", wrong(Proof::Proven)),
        ("wrong and inferred", wrong(Proof::Inferred)),
        ("undecided although it can be decided", undecided),
        ("right with another proof", stories(&|session| session.is_right() && !session.is_as_sure())),
    ] {
        let others = stories.into_iter().filter(|story| !is_known(story));
        failures.extend(others.map(|story| format!("{what}: {story}")));
    }
    assert!(failures.is_empty(), "{} sessions of seed {seed}:\n{}", failures.len(), failures.join("\n"));
    assert!(sessions.len() >= share_of(SESSIONS), "only {} sessions", sessions.len());
    let mut of_cause: BTreeMap<&str, usize> = BTreeMap::new();
    sessions.iter().for_each(|session| *of_cause.entry(&session.truth).or_default() += 1);
    let few: Vec<_> = of_cause.iter().filter(|(_, count)| **count < share_of(SESSIONS_OF_A_CAUSE)).collect();
    assert!(few.is_empty(), "too few sessions: {few:?}");
}
