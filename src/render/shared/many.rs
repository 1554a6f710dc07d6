//! What a report of many devices begins with: its faults, an example of each, and the other devices by their addresses.
//!
//! In: a report. Out: which faults and examples to show, in which order, and the others in a few ranges. Bounded:
//! [`RANGES`] ranges or networks for each row of devices. Left to others: how any of it looks.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::device::{counted_devices, counts, mark};
use super::scope::{Index, Scope};
use super::words::{clean, date_and_clock, seconds, shorten, width};
use crate::report::{Device, Fault, Finding, Report, Severity, Timeline, VerdictStatus, counted};

/// From this many devices on a report is told by its faults.
const MANY: u64 = 6;

/// The most ranges or networks named in a row of devices.
const RANGES: usize = 8;

/// Prefix lengths of the networks by which addresses are summed up, of IPv4 and of IPv6.
const PREFIXES: [(u8, u8); 3] = [(24, 64), (16, 48), (8, 32)];

/// Whether a report has so many devices that its faults come first.
pub(in crate::render) fn is_many(report: &Report) -> bool {
    report.totals.devices >= MANY
}

/// `33120 devices: 19872 fail, 13248 ok`.
pub(in crate::render) fn tally(report: &Report) -> String {
    let words: Vec<String> = counts(report).into_iter().map(|(_, n, word)| format!("{n} {word}")).collect();
    format!("{}: {}", counted_devices(report), words.join(", "))
}

/// The faults by server: the server whose fault affects most devices first, all faults of a server together.
pub(in crate::render) fn faults(report: &Report) -> Vec<&Fault> {
    let mut order: BTreeMap<&str, usize> = BTreeMap::new();
    for fault in &report.faults {
        let next = order.len();
        order.entry(server(fault).unwrap_or(&fault.id)).or_insert(next);
    }
    let mut faults: Vec<&Fault> = report.faults.iter().collect();
    let place = |fault: &Fault| order.get(server(fault).unwrap_or(&fault.id)).copied();
    // What affects no device stands among what is said of the captures.
    faults.retain(|fault| fault.devices_total > 0);
    faults.sort_by_key(|fault| (fault.severity != Severity::Error, place(fault)));
    faults
}

/// The server by the name that devices ask for, else by its endpoint.
pub(in crate::render) fn server(fault: &Fault) -> Option<&str> {
    fault.server_name.as_deref().or(fault.server.as_deref())
}

/// The server of a fault with its endpoint; a fault that is about no server goes by its name.
pub(in crate::render) fn subject_of(fault: &Fault) -> String {
    match (&fault.server_name, &fault.server) {
        (Some(name), Some(endpoint)) => format!("{} ({})", shorten(name, 80), shorten(endpoint, 60)),
        (Some(one), None) | (None, Some(one)) => shorten(one, 80),
        (None, None) => shorten(&fault.name.replace('-', " "), 60),
    }
}

/// What is wrong, without the words that all such sentences begin with, in at most `room` characters. Where it does not
/// fit, what is in quotes, which is the certificate's name, is kept and the rest is cut.
pub(in crate::render) fn headline(summary: &str, room: usize) -> String {
    let text = clean(summary);
    let begins = ["TLS handshake fails: ", "recovered: ", "works, but "];
    let text = begins.iter().fold(text.as_str(), |text, begin| text.strip_prefix(begin).unwrap_or(text));
    if width(text) <= room {
        return text.to_owned();
    }
    let cut = |text: &str| -> String {
        let kept: String = text.chars().take(room.saturating_sub(1)).collect();
        format!("{}…", kept.trim_end())
    };
    let name = text.match_indices('"').nth(1).map(|(end, _)| end + 1);
    let start = text.find('"').unwrap_or(0);
    let (Some(end), Some(from_name)) = (name, text.get(start..)) else { return cut(text) };
    let before = width(text.get(..end).unwrap_or_default());
    if before < room {
        return cut(text);
    }
    if width(from_name) <= room { from_name.to_owned() } else { cut(from_name) }
}

/// How many devices, since when, how often: `19872 phones, since 2026-01-15 12:00:01 UTC, 19872 handshakes`.
pub(in crate::render) fn extent(scope: &Scope<'_>, fault: &Fault) -> Vec<String> {
    let mut words = vec![counted(fault.devices_total, scope.thing)];
    let whole = |time: &str| {
        let (day, _) = date_and_clock(time);
        shorten(&format!("{day} {} UTC", seconds(time)), 40)
    };
    let times = fault.first_time.as_deref().zip(fault.last_time.as_deref());
    words.extend(times.map(|(first, last)| format!("since {}, last at {}", whole(first), shorten(&seconds(last), 20))));
    let in_handshakes = fault.example.as_ref().is_some_and(|example| example.handshake.is_some());
    words.push(match (in_handshakes, fault.handshakes_total) {
        (true, count) => counted(count, "handshake"),
        (false, count) => counted(count, "time"),
    });
    words
}

/// When a fault began or ended, in words.
pub(in crate::render) fn turn(fault: &Fault, line: &Timeline) -> String {
    let clock = |time: &Option<String>| time.as_deref().map(|time| shorten(&seconds(time), 20)).unwrap_or_default();
    let (first, last) = (clock(&fault.first_time), clock(&fault.last_time));
    let (before, after) = (line.completed_before, line.completed_after);
    let works = |count| counted(count, "handshake");
    match (before > 0, after > 0) {
        (true, false) => format!(
            "from {first} on, after which every handshake with this server fails; {} before it worked",
            works(before)
        ),
        (false, true) => format!("until {last}, after which {} with this server worked; none before", works(after)),
        _ => format!(
            "from {first} to {last} every handshake with this server fails; {} before and {after} after worked",
            works(before)
        ),
    }
}

/// The devices that are shown as examples, each with the faults that it is the example of, in the order of the faults.
pub(in crate::render) fn examples<'a>(report: &'a Report, faults: &[&'a Fault]) -> Vec<(&'a Device, Vec<&'a Fault>)> {
    let devices: BTreeMap<&str, &Device> = report.devices.iter().map(|device| (device.id.as_str(), device)).collect();
    let mut examples: Vec<(&Device, Vec<&Fault>)> = Vec::new();
    for fault in faults {
        let id = fault.example.as_ref().map(|example| example.device.as_str());
        let Some(device) = id.and_then(|id| devices.get(id)) else { continue };
        match examples.iter_mut().find(|(known, _)| known.id == device.id) {
            Some((_, of)) => of.push(fault),
            None => examples.push((device, vec![fault])),
        }
    }
    examples
}

/// The finding about the example of a fault; of a fault of no device the first one.
pub(in crate::render) fn example<'a>(report: &'a Report, fault: &Fault) -> Option<&'a Finding> {
    let device = fault.example.as_ref().map(|example| &example.device);
    let mut cases = report.findings.iter().filter(|finding| finding.fault.as_ref() == Some(&fault.id));
    cases.find(|finding| finding.device.as_ref() == device && finding.proof == fault.proof)
}

/// Devices with the same verdict and the same fault first of all.
pub(in crate::render) struct Row<'a> {
    pub(in crate::render) verdict: VerdictStatus,
    /// The first of their faults; `None` for devices that work.
    pub(in crate::render) fault: Option<&'a Fault>,
    pub(in crate::render) devices: usize,
    /// Their addresses, in ranges or networks.
    pub(in crate::render) places: Vec<String>,
}

impl Row<'_> {
    /// `✗`, `✓`.
    pub(in crate::render) fn mark(&self) -> &'static str {
        mark(self.verdict)
    }

    /// What they have in common, in at most `room` characters.
    pub(in crate::render) fn in_words(&self, room: usize) -> String {
        match self.fault {
            Some(fault) => {
                let at = server(fault).map(|server| format!("{}: ", shorten(server, 40))).unwrap_or_default();
                format!("{at}{}", headline(&fault.summary, room.saturating_sub(width(&at)).max(20)))
            }
            None => match self.verdict {
                VerdictStatus::Ok => "TLS works".into(),
                VerdictStatus::NothingSeen => "no TLS handshake seen".into(),
                other => other.as_str().into(),
            },
        }
    }
}

/// The devices beside the examples, gravest first, those of one fault in one row.
pub(in crate::render) fn others<'a>(
    report: &'a Report,
    index: &Index<'a>,
    examples: &[(&Device, Vec<&Fault>)],
    most: usize,
) -> Vec<Row<'a>> {
    let by_id: BTreeMap<&str, (usize, &Fault)> =
        report.faults.iter().enumerate().map(|(place, fault)| (fault.id.as_str(), (place, fault))).collect();
    let rank = |status| VerdictStatus::ALL.iter().position(|known| *known == status).unwrap_or(0);
    let key = |status, fault: Option<&str>| {
        let known = fault.and_then(|id| by_id.get(id));
        (gravity(status), rank(status), known.map_or(usize::MAX, |(place, _)| *place))
    };
    let mut rows: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    let is_example: BTreeSet<&str> = examples.iter().map(|(device, _)| device.id.as_str()).collect();
    for device in report.devices.iter().filter(|device| !is_example.contains(device.id.as_str())) {
        let fault = index.findings_of(device).iter().find_map(|finding| finding.fault.as_deref());
        let address = device.addresses.first().map_or(device.id.as_str(), |known| known.address.as_str());
        rows.entry(key(device.verdict.status, fault)).or_default().push(address);
    }
    for group in &report.groups {
        let fault = group.faults.first().map(String::as_str);
        rows.entry(key(group.verdict, fault)).or_default().extend(group.addresses.iter());
    }
    let (keys, lists): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
    let places = ranges(&lists, most);
    let rows = keys.into_iter().zip(&lists).zip(places).filter_map(|(((_, status, fault), addresses), places)| {
        let verdict = VerdictStatus::ALL.get(status).copied()?;
        Some(Row { verdict, fault: report.faults.get(fault), devices: addresses.len(), places })
    });
    rows.collect()
}

fn gravity(status: VerdictStatus) -> u8 {
    match status {
        VerdictStatus::Fails => 0,
        VerdictStatus::Undecided => 1,
        VerdictStatus::Degraded => 2,
        VerdictStatus::NothingSeen => 3,
        VerdictStatus::Ok => 4,
    }
}

/// For each list of addresses its ranges, within which no other address of these lists is; where there are more than
/// `most`, the networks that they are in, with how many are in each.
fn ranges(lists: &[Vec<&str>], most: usize) -> Vec<Vec<String>> {
    let most = most.max(RANGES);
    // An address takes 24 bytes here, with a list that is named by four of them.
    let mut all: Vec<(IpAddr, u32)> = Vec::with_capacity(lists.iter().map(Vec::len).sum());
    let mut others: Vec<Vec<String>> = vec![Vec::new(); lists.len()];
    for (list, (addresses, named)) in (0..).zip(lists.iter().zip(&mut others)) {
        for address in addresses {
            match address.parse() {
                Ok(address) => all.push((address, list)),
                Err(_) => named.push(shorten(address, 45)),
            }
        }
    }
    all.sort_unstable();
    let mut runs: Vec<Vec<(IpAddr, IpAddr, u64)>> = vec![Vec::new(); lists.len()];
    let mut before = None;
    for (address, list) in &all {
        let Some(runs) = usize::try_from(*list).ok().and_then(|list| runs.get_mut(list)) else { continue };
        match runs.last_mut().filter(|(_, last, _)| before == Some(*list) && last.is_ipv4() == address.is_ipv4()) {
            Some((_, last, count)) => (*last, *count) = (*address, *count + 1),
            None => runs.push((*address, *address, 1)),
        }
        before = Some(*list);
    }
    let sums = (0..).zip(runs).map(|(list, runs)| {
        if runs.len() <= most {
            return runs.iter().map(in_words).collect();
        }
        let own: Vec<IpAddr> = all.iter().filter(|(_, of)| *of == list).map(|(address, _)| *address).collect();
        networks(&own, most)
    });
    let mut sums: Vec<Vec<String>> = sums.collect();
    for (sum, named) in sums.iter_mut().zip(others) {
        sum.extend(named);
        if let Some(more) = sum.len().checked_sub(most).filter(|more| *more > 0) {
            sum.truncate(most);
            sum.push(format!("… {more} more"));
        }
    }
    sums
}

fn in_words((first, last, count): &(IpAddr, IpAddr, u64)) -> String {
    match count {
        1 => first.to_string(),
        count => format!("{first}–{last} ({count})"),
    }
}

/// The smallest networks of one size in which so many addresses are that no more than `most` have to be named.
fn networks(addresses: &[IpAddr], most: usize) -> Vec<String> {
    let mut sums: Vec<(String, u64)> = Vec::new();
    for (v4, v6) in PREFIXES {
        let mut counts: BTreeMap<(IpAddr, u8), u64> = BTreeMap::new();
        for address in addresses {
            *counts.entry(network(*address, v4, v6)).or_default() += 1;
        }
        sums = counts.iter().map(|((network, prefix), count)| (format!("{network}/{prefix}"), *count)).collect();
        if sums.len() <= most {
            break;
        }
    }
    sums.into_iter().map(|(network, count)| format!("{network} ({count})")).collect()
}

fn network(address: IpAddr, v4: u8, v6: u8) -> (IpAddr, u8) {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(v4)).unwrap_or(0);
            (IpAddr::V4(Ipv4Addr::from_bits(address.to_bits() & mask)), v4)
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(v6)).unwrap_or(0);
            (IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask)), v6)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_headline_that_is_too_long_keeps_the_name_of_the_certificate() {
        let summary = "TLS handshake fails: intermediate certificate \"Northwind Policy CA 1\" is missing";
        assert_eq!(headline(summary, 80), "intermediate certificate \"Northwind Policy CA 1\" is missing");
        assert_eq!(headline(summary, 52), "intermediate certificate \"Northwind Policy CA 1\" is…");
        assert_eq!(headline(summary, 40), "\"Northwind Policy CA 1\" is missing");
        assert_eq!(headline("no connection: 10.20.30.10:443 does not answer", 20), "no connection: 10.2…");
    }

    #[test]
    fn addresses_become_ranges_between_which_no_other_device_is() {
        let lists = [vec!["10.0.0.1", "10.0.0.2", "10.0.0.9", "2001:db8::1"], vec!["10.0.0.5", "odd"]];
        let expected = [vec!["10.0.0.1–10.0.0.2 (2)", "10.0.0.9", "2001:db8::1"], vec!["10.0.0.5", "odd"]];
        assert_eq!(ranges(&lists, 8), expected);
    }

    #[test]
    fn many_ranges_become_networks() {
        let text = |second: u8, fourth: u8| format!("10.{second}.0.{fourth}");
        let [even, odd] =
            [0, 1].map(|rest| (0..40).filter(|n| n % 2 == rest).map(|n| text(64 + n / 20, n)).collect::<Vec<_>>());
        let lists = [&even, &odd].map(|list| list.iter().map(String::as_str).collect());
        let expected = vec!["10.64.0.0/24 (10)".to_owned(), "10.65.0.0/24 (10)".to_owned()];
        assert_eq!(ranges(&lists, 8), [expected.clone(), expected]);
    }
}
