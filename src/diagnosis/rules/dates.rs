//! CG006, CG007: certificates outside their dates.
//!
//! In: a judged handshake. Out: whether a certificate is outside its dates, and the finding. Bounded: by the path. Left to
//! others: the instant that it is judged at, and which of several causes remain.

use super::logic::{Cause, Facts, Lacks, Logic, Rival};
use super::renewal::{await_start, replace_expired};
use super::skew::set_clock;
use crate::diagnosis::Dated;
use crate::diagnosis::clock::time_service;
use crate::diagnosis::code::Code;
use crate::diagnosis::finding::Finding;
use crate::diagnosis::judged::Judged;
use crate::diagnosis::session::Session;
use crate::trust::Proof;

pub(super) const CERTIFICATE_EXPIRED: Logic = Logic {
    degrades: false,
    lacks: Lacks::Nothing,
    cause: Some(Cause {
        holds: |facts| holds(facts, true),
        exclusion: |rival| exclusion(rival, true),
        describe: |session, judged, code| describe(session, judged, code, true),
    }),
    find: None,
};
pub(super) const CERTIFICATE_NOT_YET_VALID: Logic = Logic {
    degrades: false,
    lacks: Lacks::Nothing,
    cause: Some(Cause {
        holds: |facts| holds(facts, false),
        exclusion: |rival| exclusion(rival, false),
        describe: |session, judged, code| describe(session, judged, code, false),
    }),
    find: None,
};

fn holds(facts: &Facts<'_>, expired: bool) -> bool {
    facts.assessment.dates.outside(expired).next().is_some()
}

fn exclusion(rival: &Rival<'_>, expired: bool) -> Option<(bool, String)> {
    if let Some(told) = rival.where_nothing_is_known() {
        return Some(told);
    }
    let dates = &rival.assessment.dates;
    let by_alert = rival.is_ruled_out_by_alert();
    if dates.suspect_clock {
        return Some((by_alert, "the capture's clock cannot be right".into()));
    }
    let limit = match expired {
        true => dates.valid_until.map(|at| format!("until {}", at.date())),
        false => dates.valid_since.map(|at| format!("valid since {}", at.date())),
    };
    let limit = limit.unwrap_or_default();
    Some(match (dates.outside(expired).next(), by_alert, dates.clock_known) {
        (Some(_), true, _) => rival.not_its_alert(),
        (Some(_), false, _) => (false, "it fits as well".into()),
        (None, true, _) => (true, format!("no, {limit}")),
        (None, false, true) => (true, format!("no, {limit} by {}", dates.judged_by)),
        (None, false, false) => (false, format!("{limit}, but the device's own clock is not known")),
    })
}

fn describe(session: &Session<'_>, judged: &Judged<'_>, code: Code, expired: bool) -> Finding {
    let dates = &judged.assessment.dates;
    let mut finding = session.cause(code, proof(judged, code), judged, &in_words(session, judged, expired));
    finding.evidence.extend(judged.at_certificates("the server's certificates"));
    finding.evidence.extend(judged.ending());
    finding.evidence.extend(judged.clock());
    finding.evidence.extend(time_service(session.device));
    finding.excluded = judged.excluded_beside(code);
    finding.certificates = dates.outside(expired).filter_map(|fault| fault.certificate.clone()).collect();
    let by_clock = dates.only_by_clock(judged.handshake).is_some();
    finding.remedies = match (by_clock, expired) {
        (true, _) => set_clock(session),
        (false, true) => replace_expired(session, judged),
        (false, false) => await_start(session),
    };
    finding
}

fn proof(judged: &Judged<'_>, code: Code) -> Proof {
    let dates = &judged.assessment.dates;
    if judged.ruling.is_ambiguous() || judged.handshake.conflict.is_some() || dates.suspect_clock {
        return Proof::Undecidable;
    }
    // A certificate beside the path that was judged is a cause only where the device took another path.
    let alert = judged.handshake.last_word().is_some() && judged.ruling.survives(code);
    let sure = alert && !dates.beside_path && !dates.rest_on_anchor() && judged.others_are_excluded(code);
    if sure { Proof::Proven } else { Proof::Inferred }
}

/// Said of an anchor where it is not known whether the device looks at its dates.
pub(in crate::diagnosis) const PERHAPS: &str = "devices differ in whether they go on to accept such a root";

fn in_words(session: &Session<'_>, judged: &Judged<'_>, expired: bool) -> String {
    let dates = &judged.assessment.dates;
    let Some(fault) = dates.outside(expired).next() else {
        return "a certificate is outside its dates".into();
    };
    let what = if fault.of == Dated::Link { "certificate" } else { "root" };
    let (name, date, when) = (&fault.name, fault.limit.date(), dates.judged_at.date());
    let limit = if expired { "expired on" } else { "is valid only from" };
    if let Some(clock) = dates.only_by_clock(judged.handshake) {
        return format!(
            "by the {}'s clock, which is {} ({when}), the {what} \"{name}\" {limit} {date}; it was {} when captured",
            session.noun(),
            clock.in_words(),
            judged.handshake.first.time.date()
        );
    }
    let beside = if dates.beside_path { ", which the server sends beside the chain," } else { "" };
    let perhaps = if dates.rest_on_anchor() { format!("; {PERHAPS}") } else { String::new() };
    format!("the {what} \"{name}\"{beside} {limit} {date} (it was {when}){perhaps}")
}

pub(in crate::diagnosis) fn renew() -> Vec<String> {
    vec![
        "renew the certificate that is outside its dates, and restart the service".into(),
        "if the dates are right, set the device's clock, by NTP where it can (DHCP option 42 names a time server)"
            .into(),
    ]
}
