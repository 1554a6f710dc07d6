//! In: a device's handshakes and what became of each. Out: which of them another one makes up for. Bounded: by the
//! handshakes kept. Left to others: severity.

use super::cause::{Ruling, Stage};
use crate::capture::FrameRef;
use crate::evidence::{Device, Handshake};

/// For each handshake the completed one, for the same server name or service, that makes up for it.
pub(super) fn recoveries(device: &Device, rulings: &[Ruling]) -> Vec<Option<FrameRef>> {
    let judged = device.handshakes.iter().zip(rulings);
    judged
        .map(|(handshake, ruling)| {
            let failed = ruling.stage != Stage::Completed;
            let others =
                completed(device, rulings, handshake).filter(|(_, other)| failed && makes_up(handshake, other));
            later.map(|(_, other)| other.first).min_by_key(|at| at.place())
        })
        .collect()
}

/// Those that completed at the same service. Behind an address that several share nobody knows whose they are.
fn completed<'d>(
    device: &'d Device,
    rulings: &'d [Ruling],
    handshake: &'d Handshake,
) -> impl Iterator<Item = (usize, &'d Handshake)> {
    let judged = device.handshakes.iter().zip(rulings).enumerate();
    let others = judged.filter(|(_, (_, ruling))| ruling.stage == Stage::Completed && !device.shared_address);
    others.map(|(index, (other, _))| (index, other)).filter(move |(_, other)| serves_same(handshake, other))
}

/// Whether two handshakes went to one service: of the same name, or where neither says a name, at the same address.
fn serves_same(a: &Handshake, b: &Handshake) -> bool {
    match (a.service_name(), b.service_name()) {
        (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
        (None, None) => a.server == b.server,
        // One address may stand for many names, and what it is without a name the certificate tells. SSL 3.0, to which
        // a refused client falls back, has no names.
        _ => a.server == b.server && (same_own_certificate(a, b) || falls_back(a, b)),
    }
}

fn same_own_certificate(a: &Handshake, b: &Handshake) -> bool {
    a.own_certificate().zip(b.own_certificate()).is_some_and(|(a, b)| a.sha256() == b.sha256())
}

fn falls_back(from: &Handshake, to: &Handshake) -> bool {
    let version = |handshake: &Handshake| handshake.tls.client_hello.as_ref().map(|hello| hello.version.0);
    !from.server_answered() && version(from).zip(version(to)).is_some_and(|(from, to)| to < from)
}

impl Handshake {
    /// SNI, else the host to which a proxy was asked for a tunnel.
    fn service_name(&self) -> Option<&str> {
        self.server_name().or(self.tls.tunnel_to.as_deref())
    }

    /// The frame by which the last handshake like this one had begun.
    fn last_start(&self) -> FrameRef {
        if self.repeats == 0 { self.first } else { self.repeated_until }
    }
}
