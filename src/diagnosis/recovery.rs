//! In: a device's judged handshakes. Out: which failures another handshake recovered: a later one, or for a spare connection
//! an earlier one too. Bounded: by the handshakes kept. Left to others: severity.

use super::judged::Judged;
use super::stage::Stage;
use crate::capture::FrameRef;
use crate::evidence::{Device, Handshake, Outcome};
use crate::trust::{ChainStatus, Judgement, Path};
use crate::x509::Digest;

/// Strikes out causes that a success in another handshake excludes, then notes for each failure the success that
/// recovered it.
pub(super) fn settle(device: &Device, judged: &mut [Judged<'_>]) {
    for index in unused_spares(device, judged) {
        if let Some(spare) = judged.get_mut(index) {
            spare.ruling.exclude_certificates();
        }
    }
    let recoveries: Vec<_> = judged.iter().map(|it| recovery(device, judged, it)).collect();
    for (it, recovered_by) in judged.iter_mut().zip(recoveries) {
        it.recovered_by = recovered_by;
    }
}

/// The completed handshake, for the same server name or service, that recovered a failed one: it, or one like it, began
/// after the last of those like the failed one.
fn recovery(device: &Device, judged: &[Judged<'_>], failed: &Judged<'_>) -> Option<FrameRef> {
    let handshake = failed.handshake;
    let recovers = |other: &Handshake| {
        handshake.repeated_from.is_before(&other.repeated_from) || (is_spare(handshake) && same_chain(handshake, other))
    };
    let others = completed(device, judged, handshake).filter(|_| !failed.is_completed());
    let firsts = others.filter(|other| recovers(other.handshake)).map(|other| other.handshake.first);
    firsts.min_by_key(|at| at.place())
}

/// Connections that the client closed unused, and not for the sake of the certificates: in another connection it accepted
/// the same ones with the same means (D-DIAGNOSIS-32).
fn unused_spares(device: &Device, judged: &[Judged<'_>]) -> Vec<usize> {
    let accepted = |spare: &Judged<'_>| {
        let own = built(&spare.assessment.chain);
        completed(device, judged, spare.handshake).any(|other| built(&other.assessment.chain) == own)
    };
    let unused = judged.iter().filter(|it| it.ruling.stage == Stage::ClientWithoutData && is_spare(it.handshake));
    let spares = unused.filter(|it| !it.handshake.sent.is_empty() && accepted(it));
    spares.map(|it| it.index).collect()
}

/// The handshakes that completed at the same service; behind an address that several devices share, those of the same TLS
/// stack (D-DIAGNOSIS-31).
fn completed<'j, 'e>(
    device: &'j Device,
    judged: &'j [Judged<'e>],
    handshake: &'j Handshake,
) -> impl Iterator<Item = &'j Judged<'e>> {
    let of_its_client = move |other: &Handshake| !device.shared_address || same_stack(handshake, other);
    let others = judged.iter().filter(|other| other.is_completed());
    others.filter(move |other| serves_same(handshake, other.handshake) && of_its_client(other.handshake))
}

/// Whether the hellos of two handshakes come from one TLS stack, judged by the parts that no version changes.
fn same_stack(a: &Handshake, b: &Handshake) -> bool {
    a.tls.client_hello.as_ref().zip(b.tls.client_hello.as_ref()).is_some_and(|(a, b)| a.stack == b.stack)
}

/// Whether both finished the handshake, neither refused anything in clear, and it was closed before any data. Clients open
/// such connections ahead of need.
fn is_spare(handshake: &Handshake) -> bool {
    let closed = matches!(handshake.ending.outcome, Outcome::ClosedByClient | Outcome::ClosedByServer);
    closed && handshake.tls.both_finished() && !handshake.tls.hides_answer()
}

/// What the device could build, and so what it had: the status, and the certificates of the path.
fn built(chain: &Judgement) -> (ChainStatus, Vec<Digest>) {
    let certificates = chain.path.iter().flat_map(Path::certificates);
    (chain.status, certificates.map(|certificate| certificate.sha256()).collect())
}

/// Whether two handshakes went to the same service: by name, or by address if neither has a name (D-DIAGNOSIS-30).
fn serves_same(a: &Handshake, b: &Handshake) -> bool {
    match (a.service_name(), b.service_name()) {
        // A success on one port recovers nothing on another port if the servers differ.
        (Some(one), Some(other)) => {
            one.eq_ignore_ascii_case(other) && (a.server.port() == b.server.port() || same_chain(a, b))
        }
        (None, None) => a.server == b.server,
        // One address may serve many names; without a name the certificate tells which service it is. SSL 3.0, to which a
        // refused client falls back, has no server names.
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

/// Whether the server showed the same certificates, or resumed a session.
fn same_chain(spare: &Handshake, other: &Handshake) -> bool {
    let digests =
        |handshake: &Handshake| handshake.sent.iter().map(|certificate| certificate.sha256()).collect::<Vec<_>>();
    spare.tls.resumed() || digests(spare) == digests(other)
}

impl Handshake {
    /// SNI, else the host that a proxy was asked to connect to.
    fn service_name(&self) -> Option<&str> {
        self.server_name().or(self.tls.tunnel_host())
    }
}
