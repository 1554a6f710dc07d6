//! CG006, CG007, CG008: dates and names.
//!
//! In: the session. Out: a finding for each handshake with a certificate outside its dates, or for another name.
//! Left to others: whether that was the cause.

use super::assess::{Assessment, DateFault, NameCheck};
use super::cause::{self, Ruling};
use super::finding::{Finding, Severity};
use super::rules::Code;
use super::{DeviceClock, Session, remedy};
use crate::evidence::Handshake;
use crate::trust::Proof;

pub(super) fn find(session: &Session<'_>, out: &mut Vec<Finding>) {
    for (index, handshake, assessment, ruling) in session.handshakes() {
        for code in [Code::CertificateExpired, Code::CertificateNotYetValid, Code::NameMismatch] {
            let Some(severity) = ruling.severity_of(code) else { continue };
            out.push(describe(session, index, handshake, assessment, ruling, code, severity));
        }
    }
}

fn describe(
    session: &Session<'_>,
    index: usize,
    handshake: &Handshake,
    assessment: &Assessment,
    ruling: &Ruling,
    code: Code,
    severity: Severity,
) -> Finding {
    let summary = match code {
        Code::NameMismatch => name_summary(assessment),
        _ => date_summary(session, handshake, assessment, code == Code::CertificateExpired),
    };
    let mut finding = session.finding(
        code,
        severity,
        proof(handshake, assessment, ruling, code),
        index,
        format!("{}{summary}", ruling.lead(code)),
    );
    if let Some(list) = &handshake.tls.certificates.server {
        finding.evidence.push((list.last, "the server's certificates".into()));
    }
    finding.evidence.extend(cause::ending_evidence(handshake));
    if let Some(clock) = &assessment.clock {
        finding.evidence.extend(clock.frames.iter().map(|at| (*at, format!("the device's clock, by {}", clock.basis))));
    }
    if code != Code::NameMismatch {
        finding.evidence.extend(super::clock::time_service(session.device));
    }
    finding.excluded = cause::excluded(code, handshake, assessment, ruling);
    finding.certificates = match code {
        Code::NameMismatch => handshake.own_certificate().cloned().into_iter().collect(),
        _ => {
            let faults = assessment.dates.iter().filter(|fault| fault.expired == (code == Code::CertificateExpired));
            faults.filter_map(|fault| fault.certificate.clone()).collect()
        }
    };
    finding.remedies = match code {
        Code::NameMismatch => remedy::name_mismatch(),
        _ if by_clock(handshake, assessment).is_some() => remedy::clock(),
        _ => remedy::dates(),
    };
    finding
}

fn proof(handshake: &Handshake, assessment: &Assessment, ruling: &Ruling, code: Code) -> Proof {
    if ruling.survivors.len() > 1 || handshake.conflict.is_some() {
        return Proof::Undecidable;
    }
    let by_names_of_dns = matches!(assessment.name, NameCheck::NotCovered { from_sni: false, .. });
    if code == Code::NameMismatch && by_names_of_dns {
        return Proof::Inferred;
    }
    if code != Code::NameMismatch && assessment.suspect_clock {
        return Proof::Undecidable;
    }
    // What stands beside the path that was judged is a cause only where the device took another path.
    let on_path = code == Code::NameMismatch || !assessment.dates_beside;
    let alert = handshake.last_word().is_some() && ruling.survivors.contains(&code);
    if alert && on_path && cause::others_are_excluded(code, handshake, assessment, ruling) {
        Proof::Proven
    } else {
        Proof::Inferred
    }
}

/// The device's clock, where the certificate is outside its dates by that alone: at the packets' time all is well.
fn by_clock<'a>(handshake: &Handshake, assessment: &'a Assessment) -> Option<&'a DeviceClock> {
    let seen = handshake.first.time;
    let holds = |fault: &DateFault| match &fault.certificate {
        Some(certificate) => certificate.is_valid_at(seen),
        None => seen <= fault.limit,
    };
    assessment.clock.as_ref().filter(|clock| clock.is_off() && assessment.dates.iter().all(holds))
}

fn date_summary(session: &Session<'_>, handshake: &Handshake, assessment: &Assessment, expired: bool) -> String {
    let Some(fault) = assessment.dates.iter().find(|fault| fault.expired == expired) else {
        return "a certificate is outside its dates".into();
    };
    let (what, name, date) =
        (if fault.certificate.is_some() { "certificate" } else { "root" }, &fault.name, fault.limit.date());
    let when = assessment.judged_at.date();
    if let Some(clock) = by_clock(handshake, assessment) {
        let limit = if expired { "expired on" } else { "is valid only from" };
        let noun = session.noun();
        return format!(
            "by the {noun}'s clock, which is {} ({when}), the {what} \"{name}\" {limit} {date}; it was {} when captured",
            clock.in_words(),
            handshake.first.time.date()
        );
    }
    let beside = if assessment.dates_beside { ", which the server sends beside the chain," } else { "" };
    if expired {
        format!("the {what} \"{name}\"{beside} expired on {date} (it was {when})")
    } else {
        format!("the {what} \"{name}\"{beside} is valid only from {date} (it was {when})")
    }
}

fn name_summary(assessment: &Assessment) -> String {
    match &assessment.name {
        NameCheck::NotCovered { names, from_sni: true } => {
            format!("the server's certificate is not for {}", names.join(", "))
        }
        NameCheck::NotCovered { names, .. } => {
            format!("the server's certificate is for none of the names that led there: {}", names.join(", "))
        }
        NameCheck::Covered(_) | NameCheck::Perhaps(_) | NameCheck::Unknown => {
            "the server's certificate is for another name".into()
        }
    }
}
