//! The device's own clock.
//!
//! In: a device. Out: its clock where its hellos or Network Time tell it. Bounded: by the handshakes kept. Left to others:
//! whether it is wrong, and what a wrong clock does to dates.
//!
//! Stacks of the time of TLS 1.0 begin the random value of a ClientHello with the seconds of their clock (RFC 5246 section
//! 7.4.1.2); newer ones fill it with random bytes. It is believed only if it advances as time does, in hellos that differ:
//! proxies repeat a whole random value.

use std::collections::BTreeMap;

use crate::capture::{FrameRef, Timestamp};
use crate::evidence::{Device, Evidence, Handshake, Scratch};

/// Two hellos show the same clock if it advanced with the packets' time, to within this many seconds.
const CLOCK_TOLERANCE: i64 = 5;
/// A clock that is off by more than this many seconds is a finding.
pub(crate) const SKEW: i64 = 300;
/// Clocks that differ by no more than this many seconds are off alike: devices that take their time from one server differ
/// by less.
const ALIKE: i64 = 30;
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
    /// Whether it is the device's own; otherwise it is the clock that most devices of the recording share.
    pub own: bool,
}

impl DeviceClock {
    /// Whether it is off by more than [`SKEW`], so that it is a finding.
    pub(super) fn is_off(&self) -> bool {
        self.skew.abs() > SKEW
    }

    /// What decides how it is judged, other than the instant that it shows.
    pub(super) fn kind(&self) -> usize {
        1 + usize::from(self.own) + 2 * usize::from(self.is_off()) + 4 * usize::from(self.skew > 0)
    }

    /// What it shows at an instant of the capture's clock.
    pub(super) fn at(&self, seen: Timestamp) -> Timestamp {
        Timestamp::from_nanos(seen.nanos().saturating_add(self.offset.saturating_mul(NANOS)), 0)
    }

    /// `731 days behind`.
    pub(super) fn in_words(&self) -> String {
        format!("{} {}", span(self.skew), if self.skew > 0 { "ahead" } else { "behind" })
    }
}

/// The clock that most devices of a recording share, where it is off by more than [`SKEW`]: not the devices are wrong then,
/// but the computer that captured (D-DIAGNOSIS-50).
#[derive(Clone, Debug)]
pub(super) struct CommonClock {
    /// The devices' clock minus the capture's, in seconds.
    pub(super) offset: i64,
    /// The devices that show it, and those whose clock is known at all.
    pub(super) devices: (usize, usize),
    /// The first frame of each of them that shows it.
    pub(super) frames: Vec<FrameRef>,
}

impl CommonClock {
    /// By recording, for the recordings of which that is so.
    pub(super) fn of(evidence: &Evidence) -> BTreeMap<u32, Self> {
        let mut known: BTreeMap<u32, Vec<(bool, DeviceClock)>> = BTreeMap::new();
        let mut scratch = Scratch::default();
        // One hello shows no clock: it takes two to see it advance.
        let glances = evidence.devices.glances().filter(|glance| glance.handshakes > 1);
        for glance in glances.filter(|glance| !glance.shape.merged && !glance.shape.shared_address) {
            let first = evidence.devices.show(glance.index, &mut scratch, |device| {
                let clocks = Clocks::of(device, None);
                let first = clocks.told.iter().find_map(|told| clocks.by_hellos(told.offset));
                first.map(|clock| (is_belied(device, clock.offset), clock))
            });
            known.entry(glance.shape.recording).or_default().extend(first.flatten());
        }
        let common = |(recording, clocks): (u32, Vec<_>)| Some((recording, Self::among(&clocks)?));
        known.into_iter().filter_map(common).collect()
    }

    /// The clock of most of these; of each it is told whether certificates belie it.
    fn among(clocks: &[(bool, DeviceClock)]) -> Option<Self> {
        let mut offsets: Vec<i64> = clocks.iter().map(|(_, clock)| clock.offset).collect();
        offsets.sort_unstable();
        // More than half of all are off alike only if the one in the middle is among them.
        let offset = *offsets.get(offsets.len() / 2)?;
        let near = |clock: &DeviceClock| clock.offset.abs_diff(offset) <= ALIKE.unsigned_abs();
        let alike: Vec<_> = clocks.iter().filter(|(_, clock)| near(clock)).collect();
        let most = alike.len() >= 2 && alike.len() * 2 > clocks.len();
        let belied = alike.iter().any(|(belied, _)| *belied);
        (most && !belied && offset.abs() > SKEW).then(|| Self {
            offset,
            devices: (alike.len(), clocks.len()),
            frames: alike.iter().filter_map(|(_, clock)| clock.frames.first().copied()).collect(),
        })
    }
}

/// Whether a server showed the device a certificate that is valid at the packets' time and not by this clock. Devices that
/// lost their time together, as after a power cut, are off alike too.
fn is_belied(device: &Device, offset: i64) -> bool {
    let belies = |handshake: &Handshake| {
        let seen = handshake.first.time;
        let own = Timestamp::from_nanos(seen.nanos().saturating_add(offset.saturating_mul(NANOS)), 0);
        handshake.own_certificate().is_some_and(|leaf| leaf.is_valid_at(seen) && !leaf.is_valid_at(own))
    };
    device.handshakes.iter().any(belies)
}

/// Everything that shows a device's clock, which may be set in the course of the capture.
pub(super) struct Clocks<'d> {
    device: &'d Device,
    told: Vec<Told>,
    /// What most devices of the recording show, where the capture's clock is wrong.
    common: Option<i64>,
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
    /// `common` is the offset of the clock that most devices of the recording share, if the capture's is wrong.
    pub(super) fn of(device: &'d Device, common: Option<i64>) -> Self {
        Self { device, told: device.handshakes.iter().filter_map(told).collect(), common }
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
        let by_answer = || answers.rfind(|(at, _)| at.is_before(&deciding)).map(by_answer);
        by_hellos.or_else(by_answer).or_else(|| self.common.map(shared))
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
        let told = self.device.time_answers.last().map(|(_, nanos)| nanos.div_euclid(NANOS));
        let right = told.or(self.common).unwrap_or(0);
        let basis = "the time in its ClientHellos";
        (frames.len() >= 2 && advances).then_some(DeviceClock {
            offset,
            skew: offset - right,
            basis,
            frames,
            own: true,
        })
    }
}

fn by_answer((at, nanos): &(FrameRef, i64)) -> DeviceClock {
    let (offset, basis) = (nanos.div_euclid(NANOS), "the time a Network Time server told it");
    DeviceClock { offset, skew: 0, basis, frames: vec![*at], own: true }
}

fn shared(offset: i64) -> DeviceClock {
    let basis = "the clock that most devices of the capture share";
    DeviceClock { offset, skew: 0, basis, frames: Vec::new(), own: false }
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
