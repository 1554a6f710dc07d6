//! Which two devices are compared.
//!
//! In: a report, and what the user said. Out: the devices, or why they could not be chosen. Left to others: the
//! comparison.

use std::fmt;
use std::net::IpAddr;

use crate::report::model::{Device, Outcome, Report, VerdictStatus};

/// A device in a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pick<'a> {
    /// The capture's path, as in the report.
    pub capture: &'a str,
    /// Its address, MAC address or `id`; without it the only candidate is taken.
    pub device: Option<&'a str>,
}

/// Why no device could be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PickError(String);

impl fmt::Display for PickError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PickError {}

/// What a device is wanted for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Good,
    Bad,
}

/// Chooses both devices. Within one capture they are two different ones, unless it shows only one or the user named the
/// same one for both.
pub(super) fn both<'r>(
    report: &'r Report,
    good: &Pick<'_>,
    bad: &Pick<'_>,
) -> Result<(&'r Device, &'r Device), PickError> {
    // A device that was named is not a candidate for the other side.
    let named_bad = bad.device.map(|_| choose(report, bad, Role::Bad, None)).transpose()?;
    let good = choose(report, good, Role::Good, named_bad)?;
    let bad = match named_bad {
        Some(bad) => bad,
        None => choose(report, bad, Role::Bad, Some(good))?,
    };
    Ok((good, bad))
}

fn choose<'r>(
    report: &'r Report,
    pick: &Pick<'_>,
    role: Role,
    taken: Option<&Device>,
) -> Result<&'r Device, PickError> {
    let shown: Vec<&Device> = report.devices.iter().filter(|device| is_in(device, pick.capture)).collect();
    if let Some(name) = pick.device {
        let named = shown.iter().find(|device| is_called(device, name));
        return named.copied().ok_or_else(|| {
            let there = if shown.is_empty() { "none".into() } else { listed(&shown) };
            PickError(format!("{}: there is no device {name}; there are: {there}", pick.capture))
        });
    }
    if shown.is_empty() {
        let why = match &report.options.device {
            Some(filter) => format!("none in it fits --device {filter}"),
            None => "it shows no TLS client".into(),
        };
        return Err(PickError(format!("{}: no device to compare: {why}", pick.capture)));
    }
    let others: Vec<&Device> =
        shown.iter().copied().filter(|device| taken.is_none_or(|taken| taken.id != device.id)).collect();
    let free = if others.is_empty() { &shown } else { &others };
    // Wider and wider groups of candidates: the first that is not empty must hold exactly one.
    let groups: [fn(&Device, Role) -> bool; 3] = [fits, |device, _| !device.handshakes.is_empty(), |_, _| true];
    for group in groups {
        let candidates: Vec<&Device> = free.iter().copied().filter(|device| group(device, role)).collect();
        match candidates[..] {
            [] => {}
            [only] => return Ok(only),
            _ => {
                let option = if role == Role::Good { "--good" } else { "--bad" };
                let list = listed(&candidates);
                return Err(PickError(format!("{}: choose a device by {option}: {list}", pick.capture)));
            }
        }
    }
    Err(PickError(format!("{}: no device to compare", pick.capture)))
}

/// Whether the device shows what a trace of this role is recorded for.
fn fits(device: &Device, role: Role) -> bool {
    let completed = device.handshakes.iter().any(|handshake| handshake.outcome == Outcome::Completed);
    match role {
        Role::Good => completed && matches!(device.verdict.status, VerdictStatus::Ok | VerdictStatus::Degraded),
        Role::Bad => matches!(device.verdict.status, VerdictStatus::Fails | VerdictStatus::Undecided),
    }
}

/// Whether a capture shows the device.
pub(super) fn is_in(device: &Device, capture: &str) -> bool {
    device.events.iter().any(|event| event.capture == capture)
        || device.fetches.iter().any(|fetch| fetch.capture == capture)
        || device
            .handshakes
            .iter()
            .any(|handshake| handshake.capture == capture || handshake.also_seen.iter().any(|at| at.capture == capture))
}

fn is_called(device: &Device, name: &str) -> bool {
    let address: Option<IpAddr> = name.parse().ok();
    let mac = name.to_ascii_lowercase().replace('-', ":");
    device.id == name
        || device.mac.as_ref() == Some(&mac)
        || device.addresses.iter().any(|known| address.is_some() && known.address.parse().ok() == address)
}

/// `10.20.30.50 (fails), 10.20.30.51 (degraded)`, at most twenty of them.
fn listed(devices: &[&Device]) -> String {
    const MOST: usize = 20;
    let named = devices.iter().take(MOST).map(|device| {
        let address = device.addresses.first().map_or(&device.id, |known| &known.address);
        format!("{address} ({})", device.verdict.status.as_str())
    });
    let mut words: Vec<String> = named.collect();
    if devices.len() > MOST {
        words.push(format!("{} more", devices.len() - MOST));
    }
    words.join(", ")
}
