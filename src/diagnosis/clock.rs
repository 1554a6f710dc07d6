//! The device's own clock.
//!
//! In: a device. Out: its clock where its hellos or Network Time tell it. Bounded: by the handshakes kept. Left to others:
//! whether it is wrong, and what a wrong clock does to dates.
//!
//! Stacks of the time of TLS 1.0 begin the random value of a ClientHello with the seconds of their clock (RFC 5246 section
//! 7.4.1.2); newer ones fill it with random bytes. It is believed only if it advances as time does, in hellos that differ:
//! proxies repeat a whole random value.

use crate::capture::FrameRef;
use crate::evidence::{Device, Handshake};

/// Two hellos show the same clock if it advanced with the packets' time, to within this many seconds.
const CLOCK_TOLERANCE: i64 = 5;
/// A clock that is off by more than this many seconds is a finding.
pub(crate) const SKEW: i64 = 300;
/// 2000-01-01T00:00:00Z.
pub(super) const YEAR_2000: i64 = 946_684_800;
/// Thirty years in seconds.
const THIRTY_YEARS: i64 = 30 * 365 * 86_400;
/// A second in nanoseconds.
const NANOS: i64 = 1_000_000_000;

/// A device's own clock.
#[derive(Clone, Debug)]
pub struct DeviceClock {
    /// The device's clock minus the capture's, in seconds.
    pub offset: i64,
    /// The device's clock minus the right time, in seconds: that of a Network Time server where one answered, else the
    /// capture's.
    pub skew: i64,
    /// What shows it.
    pub basis: &'static str,
    /// The frames that show it.
    pub frames: Vec<FrameRef>,
}

impl DeviceClock {
    /// Whether it is off by more than [`SKEW`], so that it is a finding.
    pub(super) fn is_off(&self) -> bool {
        self.skew.abs() > SKEW
    }

    /// `731 days behind`.
    pub(super) fn in_words(&self) -> String {
        format!("{} {}", span(self.skew), if self.skew > 0 { "ahead" } else { "behind" })
    }
}

/// Everything that shows a device's clock, which may be set in the course of the capture.
pub(super) struct Clocks<'d> {
    device: &'d Device,
    told: Vec<Told>,
}

/// The time that a hello tells.
struct Told {
    at: FrameRef,
    /// Seconds since 1970.
    time: i64,
    /// That time minus the capture's, in seconds.
    offset: i64,
    random: [u8; 32],
}

impl<'d> Clocks<'d> {
    pub(super) fn of(device: &'d Device) -> Self {
        Self { device, told: device.handshakes.iter().filter_map(told).collect() }
    }

    /// The first clock that is known.
    pub(super) fn first(&self) -> Option<DeviceClock> {
        let by_hellos = self.told.iter().find_map(|told| self.by_hellos(told.offset));
        by_hellos.or_else(|| self.device.time_answers.first().map(by_answer))
    }

    /// The clock at a handshake: by its own hello, else by the last NTP answer before the deciding frame. Behind a shared
    /// address it is unknown which device asked for the time.
    pub(super) fn at(&self, handshake: &Handshake) -> Option<DeviceClock> {
        let by_hellos = told(handshake).and_then(|told| self.by_hellos(told.offset));
        let deciding = handshake.deciding();
        let mut answers = self.device.time_answers.iter().filter(|_| !self.device.shared_address);
        by_hellos.or_else(|| answers.rfind(|(at, _)| at.is_before(&deciding)).map(by_answer))
    }

    /// The clock with this offset, if a second hello shows it too, so that it advanced as time does.
    fn by_hellos(&self, offset: i64) -> Option<DeviceClock> {
        let mut alike: Vec<&Told> = Vec::new();
        for told in self.told.iter().filter(|told| (told.offset - offset).abs() <= CLOCK_TOLERANCE) {
            if alike.iter().all(|known| known.random != told.random) {
                alike.push(told);
            }
        }
        // A clock that was never set starts at 1970 or at the time of the firmware. Of such a time one must see it advance:
        // bytes that never change are no clock.
        let advances = alike
            .iter()
            .any(|told| told.time >= YEAR_2000 || alike.first().is_some_and(|first| first.time != told.time));
        let frames: Vec<_> = alike.iter().map(|told| told.at).take(4).collect();
        let right = self.device.time_answers.last().map_or(0, |(_, nanos)| nanos.div_euclid(NANOS));
        let basis = "the time in its ClientHellos";
        (frames.len() >= 2 && advances).then_some(DeviceClock { offset, skew: offset - right, basis, frames })
    }
}

fn by_answer((at, nanos): &(FrameRef, i64)) -> DeviceClock {
    let (offset, basis) = (nanos.div_euclid(NANOS), "the time a Network Time server told it");
    DeviceClock { offset, skew: 0, basis, frames: vec![*at] }
}

/// The time that a handshake's hello tells, unless it lies more than thirty years ahead.
fn told(handshake: &Handshake) -> Option<Told> {
    let hello = handshake.tls.client_hello.as_ref()?;
    let (time, seen) = (i64::from(hello.gmt_unix_time()), hello.at.time.seconds());
    let told = Told { at: hello.at, time, offset: time - seen, random: hello.random };
    (time < seen.saturating_add(THIRTY_YEARS)).then_some(told)
}

/// What the capture shows of the device's time service.
pub(super) fn time_service(device: &Device) -> Option<(FrameRef, String)> {
    match (device.time_answers.last(), device.time_asked) {
        (Some((at, _)), _) => Some((*at, "a Network Time server answered".into())),
        (None, Some((at, 1))) => Some((at, "it asked for the time, and no answer came".into())),
        (None, Some((at, count))) => Some((at, format!("it asked for the time {count} times, and no answer came"))),
        (None, None) => {
            let looked_up = device.names.iter().find(|(name, _)| name.starts_with("_ntp._udp"));
            let at = looked_up.and_then(|(_, naming)| naming.at)?;
            Some((at, "it looked for a time server and is not seen to have asked one".into()))
        }
    }
}

/// A length of time as people say it, from seconds of either sign: `42 s`, `2.5 h`, `731 days`.
pub(super) fn span(seconds: i64) -> String {
    let seconds = seconds.unsigned_abs();
    match seconds {
        0..=599 => format!("{seconds} s"),
        600..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{}.{} h", seconds / 3_600, seconds % 3_600 / 360),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::span;

    #[test]
    fn lengths_of_time_are_told_as_people_say_them() {
        assert_eq!([span(-42), span(3_600), span(9_000), span(63_158_400)], ["42 s", "60 min", "2.5 h", "731 days"]);
    }
}
