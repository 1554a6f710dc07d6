//! In: a device's handshakes and what became of each. Out: which of them another one makes up for: a later one, or for a
//! connection that was opened to spare an earlier one too. Bounded: by the handshakes kept. Left to others: severity.

use super::assess::Assessment;
use super::cause::{Ruling, Stage};
use crate::capture::FrameRef;
use crate::evidence::{Device, Handshake, Outcome};
use crate::trust::{ChainStatus, Judgement, Path};
use crate::x509::Digest;

/// For each handshake the completed one, for the same server name or service, that makes up for it: it, or one like it,
/// began after the last of those like the failed one.
pub(super) fn recoveries(device: &Device, rulings: &[Ruling]) -> Vec<Option<FrameRef>> {
    let makes_up = |handshake: &Handshake, other: &Handshake| {
        handshake.repeated_from.is_before(&other.repeated_from) || (is_spare(handshake) && same_chain(handshake, other))
    };
    let judged = device.handshakes.iter().zip(rulings);
    judged
        .map(|(handshake, ruling)| {
            let failed = ruling.stage != Stage::Completed;
            let others =
                completed(device, rulings, handshake).filter(|(_, other)| failed && makes_up(handshake, other));
            others.map(|(_, other)| other.first).min_by_key(|at| at.place())
        })
        .collect()
}

/// A connection that the client closed unused, where it took the same certificates with the same means in another one,
/// was not closed for their sake.
pub(super) fn settle_spares(device: &Device, assessments: &[Assessment], rulings: &mut [Ruling]) {
    let chain = |index: usize| assessments.get(index).map(|assessment| &assessment.chain);
    let taken_elsewhere = |index: usize, handshake: &Handshake| {
        let same = |other: usize| chain(index).zip(chain(other)).is_some_and(|(one, other)| built(one) == built(other));
        completed(device, rulings, handshake).any(|(other, _)| same(other))
    };
    let handshakes = device.handshakes.iter().zip(rulings.iter()).enumerate();
    let spares: Vec<usize> = handshakes
        .filter(|(_, (handshake, ruling))| ruling.stage == Stage::ClientWithoutData && is_spare(handshake))
        .filter(|(index, (handshake, _))| !handshake.sent.is_empty() && taken_elsewhere(*index, handshake))
        .map(|(index, _)| index)
        .collect();
    for index in spares {
        if let Some(ruling) = rulings.get_mut(index) {
            ruling.certificates_were_taken();
        }
    }
}

/// Those that completed at the same service; behind an address that several share, those of the same TLS stack.
fn completed<'d>(
    device: &'d Device,
    rulings: &'d [Ruling],
    handshake: &'d Handshake,
) -> impl Iterator<Item = (usize, &'d Handshake)> {
    let judged = device.handshakes.iter().zip(rulings).enumerate();
    let others = judged.filter(|(_, (_, ruling))| ruling.stage == Stage::Completed);
    let is_its = move |other: &Handshake| !device.shared_address || same_stack(handshake, other);
    let others = others.map(|(index, (other, _))| (index, other));
    others.filter(move |(_, other)| serves_same(handshake, other) && is_its(other))
}

/// Whether the hellos of two handshakes are of one TLS stack, by what of them no version changes.
fn same_stack(a: &Handshake, b: &Handshake) -> bool {
    a.tls.client_hello.as_ref().zip(b.tls.client_hello.as_ref()).is_some_and(|(a, b)| a.stack == b.stack)
}

/// Both finished it, nobody refused anything that can be read, and it was closed before any data. Clients open such
/// connections ahead of need.
fn is_spare(handshake: &Handshake) -> bool {
    let closed = matches!(handshake.ending.outcome, Outcome::ClosedByClient | Outcome::ClosedByServer);
    closed && handshake.tls.both_finished() && !handshake.tls.hides_answer()
}

/// What a device could build, which shows what it had: the status, and the certificates up to where it ends.
fn built(chain: &Judgement) -> (ChainStatus, Vec<Digest>) {
    let certificates = chain.path.iter().flat_map(Path::certificates);
    (chain.status, certificates.map(|certificate| certificate.sha256()).collect())
}

/// Whether two handshakes went to one service: of the same name, or where neither says a name, at the same address.
fn serves_same(a: &Handshake, b: &Handshake) -> bool {
    match (a.service_name(), b.service_name()) {
        // What works on one port makes up for nothing on another, where the servers differ.
        (Some(one), Some(other)) => {
            one.eq_ignore_ascii_case(other) && (a.server.port() == b.server.port() || same_chain(a, b))
        }
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

/// Whether the server showed the same certificates, or took up a session in which it had.
fn same_chain(spare: &Handshake, other: &Handshake) -> bool {
    let digests =
        |handshake: &Handshake| handshake.sent.iter().map(|certificate| certificate.sha256()).collect::<Vec<_>>();
    spare.tls.resumed() || digests(spare) == digests(other)
}

impl Handshake {
    /// SNI, else the host to which a proxy was asked for a tunnel.
    fn service_name(&self) -> Option<&str> {
        self.server_name().or(self.tls.tunnel_to.as_deref())
    }
}
