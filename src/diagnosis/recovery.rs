//! In: a device's judged handshakes. Out: which connections were merely left unused, and which failures another handshake
//! recovered: a later one, or where nothing may have failed an earlier one too. Bounded: by the handshakes kept. Left to
//! others: severity.

use super::judged::{Judged, Unused};
use crate::capture::FrameRef;
use crate::evidence::{Device, EndHow, Handshake, Outcome};
use crate::flow::Side;
use crate::trust::{ChainStatus, Judgement, Path};
use crate::x509::Digest;

/// A connection without data that is closed after this long was idle: 30 seconds, in nanoseconds. Clients that refuse a
/// certificate after Finished do so at once.
const IDLE_NANOS: i64 = 30_000_000_000;
/// Records of a TLS 1.3 client that sends nothing after its Finished but, perhaps, close_notify.
const UNUSED_RECORDS: u64 = 2;

/// Tells connections that were left unused from those that failed, then notes for each failure the success that recovered
/// it.
pub(super) fn settle(device: &Device, judged: &mut [Judged<'_>]) {
    let unused: Vec<_> = judged.iter().map(|it| unused(device, judged, it)).collect();
    for (it, unused) in judged.iter_mut().zip(unused) {
        it.unused = unused;
        if unused.is_some() {
            it.ruling.exclude_all();
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
        handshake.repeated_from.is_before(&other.repeated_from)
            || (is_spare(handshake) && same_chain(handshake, other))
            || was_under_way(handshake)
    };
    let others = completed(device, judged, handshake).filter(|_| !failed.is_completed());
    let firsts = others.filter(|other| recovers(other.handshake)).map(|other| other.handshake.first);
    firsts.min_by_key(|at| at.place())
}

/// Why a connection was closed unused, where nobody is known to have refused anything.
fn unused(device: &Device, judged: &[Judged<'_>], it: &Judged<'_>) -> Option<Unused> {
    let handshake = it.handshake;
    let in_clear = is_spare(handshake) && handshake.last_word().is_none();
    if !in_clear && !is_hidden_spare(handshake) {
        return None;
    }
    if was_idle(handshake) {
        return Some(Unused::Idle);
    }
    // A server may look at the client's certificate after its Finished (D-DIAGNOSIS-13).
    let refuses_client = handshake.ending.by == Some(Side::Server) && handshake.asked_client();
    // In another connection the client accepted the same certificates with the same means.
    let own = built(&it.assessment.chain);
    let accepted = |other: &Judged<'_>| {
        !in_clear || handshake.tls.resumed() || (!handshake.sent.is_empty() && built(&other.assessment.chain) == own)
    };
    let works = completed(device, judged, handshake).any(accepted);
    (works && !refuses_client).then_some(Unused::Spare)
}

/// Whether nothing was sent for long before the connection was closed.
pub(super) fn was_idle(handshake: &Handshake) -> bool {
    idle_nanos(handshake).is_some_and(|nanos| nanos >= IDLE_NANOS)
}

/// How long nothing was sent between the handshake's end and the connection's.
fn idle_nanos(handshake: &Handshake) -> Option<i64> {
    let tls = &handshake.tls;
    let spoken = [tls.finished.client, tls.finished.server, tls.data.server.last].into_iter().flatten();
    let last = spoken.max_by_key(|at| at.place())?;
    // Each side may announce the end by an encrypted alert.
    let alerts = [tls.encrypted_alert.client, tls.encrypted_alert.server];
    let end = alerts.into_iter().flatten().chain(handshake.ending.at).min_by_key(|at| at.place())?;
    Some(end.time.since(last.time))
}

/// Whether a TLS 1.3 client whose records cannot be read sent nothing after its Finished but, perhaps, close_notify, and
/// the connection was closed. Without its Finished it may have refused something.
fn is_hidden_spare(handshake: &Handshake) -> bool {
    let tls = &handshake.tls;
    let closed = matches!(handshake.ending.how, EndHow::Fin | EndHow::Rst);
    handshake.ending.outcome == Outcome::Undetermined
        && closed
        && tls.hides_answer()
        && tls.finished.client.is_some()
        && tls.data.client.records == 0
        && tls.unread.client <= UNUSED_RECORDS
        && tls.holes.is_empty()
}

/// Whether the capture ends while the handshake is under way, and lacks nothing before that.
fn was_under_way(handshake: &Handshake) -> bool {
    let open = matches!(handshake.ending.outcome, Outcome::Incomplete | Outcome::Undetermined);
    let whole = handshake.tls.holes.is_empty() && handshake.two_sided && handshake.opened;
    open && whole && handshake.ending.how == EndHow::CaptureEnd && handshake.ending.stall.is_none()
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
