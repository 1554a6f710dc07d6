//! CG014: a device's clock that is off.
//!
//! In: the session. Out: a finding where the device's own clock is off by more than `SKEW`. Bounded: one for a device.
//! Left to others: what a wrong clock does to dates.

use super::logic::{Lacks, Logic};
use crate::diagnosis::clock::{span, time_service};
use crate::diagnosis::code::Code;
use crate::diagnosis::finding::{Finding, Severity};
use crate::diagnosis::session::Session;
use crate::trust::Proof;

pub(super) const CLOCK_SKEW: Logic = Logic { degrades: true, lacks: Lacks::Nothing, cause: None, find: Some(find) };

fn find(session: &Session<'_>) -> Vec<Finding> {
    let Some(clock) = session.clock.filter(|clock| clock.is_off()) else { return Vec::new() };
    let summary = format!("the {}'s clock is {}, by {}", session.noun(), clock.in_words(), clock.basis);
    // Stacks of that age put their clock into the hello, but no source says so of this one (D-DIAGNOSIS-23).
    let mut finding = session.finding_of_device(Code::ClockSkew, Severity::Warning, Proof::Inferred, summary);
    finding.frames = clock.frames.first().copied().zip(clock.frames.last().copied());
    finding.evidence =
        clock.frames.iter().map(|at| (*at, format!("ClientHello whose time is {} off", span(clock.offset)))).collect();
    finding.evidence.extend(time_service(session.device));
    finding.remedies = set_clock(session);
    vec![finding]
}

/// How the device gets the right time.
pub(super) fn set_clock(session: &Session<'_>) -> Vec<String> {
    let ask = match session.may_be_phone() {
        true => {
            "give the device the time by NTP: phones ask a server named by DHCP option 42, the SRV record _ntp._udp of their domain, else time.windows.com\n  nslookup -type=srv _ntp._udp.<domain>\n  w32tm /stripchart /samples:3 /computer:<time server>"
        }
        false => {
            "give the device the time by NTP: name a time server in its settings, or by DHCP option 42\n  ntpdate -q <time server>"
        }
    };
    vec![ask.into(), "and let UDP port 123 through from the device's network".into()]
}
