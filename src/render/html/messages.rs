//! In: one handshake. Out: its messages as arrows, those of one side that follow each other joined. Bounded:
//! [`MOST`] arrows. Left to others: lanes and looks.

use super::arrow::{Arrow, CLOCK, Tone, Way};
use super::certificates::names;
use crate::render::shared::Scope;
use crate::render::shared::words::{date_and_clock, shorten};
use crate::report::{EndHow, Finding, Handshake, Outcome, Party, StepFrom};

/// The most arrows for one handshake.
const MOST: usize = 16;

/// The most letters of a history read: a handshake has some fifteen.
const LETTERS: usize = 200;

/// The longest words on one arrow.
const WORDS: usize = 400;

/// Messages that belong together: a run of one side's, or an exchange of both.
struct Group {
    by: Option<Party>,
    letters: String,
}

/// The arrows of a handshake whose server stands in this lane.
pub(super) fn arrows(scope: &Scope<'_>, handshake: &Handshake, lane: usize, headline: Option<&Finding>) -> Vec<Arrow> {
    let groups = groups(handshake);
    let mut alerts = handshake.alerts.iter();
    let mut ended = false;
    let mut arrows = Vec::new();
    for group in groups.iter().take(MOST) {
        let alert = if group.letters.contains(['L', 'l']) { alerts.find(|a| Some(a.from) == group.by) } else { None };
        let frame = match alert {
            Some(alert) => Some(alert.frame),
            None => frame_of(handshake, group),
        };
        let decides = !ended && decides(handshake, group, frame);
        ended |= decides;
        let first = arrows.is_empty();
        arrows.push(Arrow {
            time: first.then(|| shorten(&date_and_clock(&handshake.time).1, CLOCK)),
            frame: if decides { handshake.end.frame.or(frame) } else { frame },
            lane: Some(lane),
            way: match group.by {
                Some(Party::Client) => Way::Out,
                Some(Party::Server) => Way::In,
                None if group.letters == "?" => Way::Nowhere,
                None => Way::Both,
            },
            tone: if decides { Tone::Bad } else { Tone::Plain },
            tag: if first { "TLS".to_owned() } else { String::new() },
            text: match alert {
                Some(alert) => shorten(&format!("alert: {} {} ({})", alert.level, alert.name, alert.code), WORDS),
                None => shorten(&words(scope, handshake, &group.letters), WORDS),
            },
            note: said_of(handshake, headline, frame),
        });
    }
    if groups.len() > MOST {
        arrows.push(Arrow::remark(Tone::Plain, format!("… {} more messages", groups.len() - MOST)));
    }
    arrows.extend(ending(handshake, ended).map(|text| Arrow::remark(Tone::Warn, text)));
    arrows
}

/// What the finding says about a frame. The messages themselves tell where a handshake begins and how it ends.
fn said_of(handshake: &Handshake, headline: Option<&Finding>, frame: Option<u64>) -> Option<String> {
    let told = frame == Some(handshake.frame) || frame == handshake.end.frame || frame.is_none();
    let mut evidence =
        headline?.evidence.iter().filter(|e| !told && e.frame == frame && e.capture == handshake.capture);
    evidence.next().map(|evidence| shorten(&evidence.what, WORDS))
}

/// The letters of the history, grouped by sender. Alerts, closings and uncertainty stand alone; data and closings that
/// answer each other are one exchange.
fn groups(handshake: &Handshake) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for letter in handshake.history.chars().take(LETTERS) {
        let by = match letter {
            '?' => None,
            _ if letter.is_ascii_uppercase() => Some(Party::Client),
            _ => Some(Party::Server),
        };
        let Some(last) = groups.last_mut() else {
            groups.push(Group { by, letters: letter.into() });
            continue;
        };
        let answers = match (last.letters.as_str(), letter) {
            ("D", 'd') | ("d", 'D') => true,
            ("E", 'e') | ("e", 'E') => handshake.end.how != EndHow::Fin || handshake.outcome == Outcome::Completed,
            _ => false,
        };
        let alone = |letter: char| "LlEeZzDd?".contains(letter);
        if answers {
            last.by = None;
            last.letters.push(letter);
        } else if last.by == by && !alone(letter) && !last.letters.contains(alone) {
            last.letters.push(letter);
        } else {
            groups.push(Group { by, letters: letter.into() });
        }
    }
    groups
}

/// The frame of a group, if the report tells it.
fn frame_of(handshake: &Handshake, group: &Group) -> Option<u64> {
    if group.letters.starts_with('C') {
        return Some(handshake.frame);
    }
    let sent = || {
        let steps = handshake.chain.path.iter().chain(&handshake.chain.completed_path);
        let mut own =
            steps.filter(|step| step.from == StepFrom::Sent && step.capture.as_ref() == Some(&handshake.capture));
        own.find_map(|step| step.frame)
    };
    group.letters.contains('x').then(sent).flatten()
}

/// Whether this is what made the handshake fail.
fn decides(handshake: &Handshake, group: &Group, frame: Option<u64>) -> bool {
    let failed = !matches!(handshake.outcome, Outcome::Completed | Outcome::Incomplete | Outcome::Undetermined);
    let how = match handshake.end.how {
        EndHow::Alert => ['L', 'l'],
        EndHow::Fin => ['E', 'e'],
        EndHow::Rst => ['Z', 'z'],
        EndHow::Silence | EndHow::CaptureEnd => return false,
    };
    let known = |frame: u64| handshake.end.how != EndHow::Alert || handshake.end.frame == Some(frame);
    failed && group.letters.contains(how) && group.by == handshake.end.by && frame.is_none_or(known)
}

/// How the handshake ended, if no message tells.
fn ending(handshake: &Handshake, told: bool) -> Option<String> {
    if told || handshake.outcome == Outcome::Completed {
        return None;
    }
    let by = handshake.end.by.map(|by| format!(" by the {}", by.as_str())).unwrap_or_default();
    Some(match (handshake.end.how, handshake.outcome) {
        (EndHow::Silence, _) => "silence: nothing more came for ten seconds or longer".to_owned(),
        (EndHow::CaptureEnd, _) => "the capture ends here".to_owned(),
        (_, Outcome::Undetermined) => "encryption hides how it ended".to_owned(),
        (EndHow::Alert, _) => format!("ended{by} with an alert"),
        (EndHow::Fin, _) => format!("closed{by} (FIN)"),
        (EndHow::Rst, _) => format!("reset{by} (RST)"),
    })
}

fn words(scope: &Scope<'_>, handshake: &Handshake, letters: &str) -> String {
    match letters {
        "Dd" | "dD" => return "application data, both ways".to_owned(),
        "Ee" | "eE" => return "both close the connection (FIN)".to_owned(),
        _ => {}
    }
    letters.chars().map(|letter| word(scope, handshake, letter)).collect::<Vec<_>>().join(", ")
}

/// A message's name, RFC 5246 section 7.4, with what the report knows of it.
fn word(scope: &Scope<'_>, handshake: &Handshake, letter: char) -> String {
    let bracketed = |name: &str, parts: Vec<String>| match parts.join(", ") {
        words if words.is_empty() => name.to_owned(),
        words => format!("{name} ({words})"),
    };
    match letter {
        'C' => {
            let mut parts: Vec<String> = handshake.client_version.iter().map(|v| format!("up to {v}")).collect();
            parts.push(match &handshake.server_name {
                Some(name) => format!("for {}", shorten(name, 60)),
                None => "no server name".to_owned(),
            });
            bracketed("ClientHello", parts)
        }
        's' => bracketed("ServerHello", handshake.version.iter().chain(&handshake.cipher_suite).cloned().collect()),
        'x' => bracketed("Certificate", vec![names(scope, &handshake.certificates)]),
        'X' => bracketed("Certificate", vec![names(scope, &handshake.client_certificates)]),
        'k' => "ServerKeyExchange".into(),
        'K' => "ClientKeyExchange".into(),
        'r' => "CertificateRequest".into(),
        'n' => "ServerHelloDone".into(),
        'i' | 'I' => "ChangeCipherSpec".into(),
        'f' | 'F' => "Finished".into(),
        'l' | 'L' => "alert, encrypted".into(),
        't' => "NewSessionTicket".into(),
        'v' | 'V' => "CertificateVerify".into(),
        'd' | 'D' => "application data".into(),
        'e' | 'E' => "closes the connection (FIN)".into(),
        'z' | 'Z' => "resets the connection (RST)".into(),
        '?' => "from here on it is uncertain what was said".into(),
        other => other.into(),
    }
}
