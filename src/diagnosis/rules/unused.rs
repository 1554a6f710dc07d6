//! CG029, CG030 as mere information: connections in which nothing failed and nothing was done.
//!
//! In: the session. Out: one finding for each kind, with a count: spare connections, idle ones, and ports of TLS on which
//! another protocol is spoken. Bounded: `SHOWN` pieces of evidence each. Left to others: everything that failed.

use std::net::SocketAddr;

use crate::capture::FrameRef;
use crate::diagnosis::code::Code;
use crate::diagnosis::finding::{Finding, Severity};
use crate::diagnosis::judged::{Judged, Unused};
use crate::diagnosis::session::Session;
use crate::evidence::{Without, WithoutTls, endpoint};
use crate::trust::Proof;

/// Connections of one kind that the evidence names.
const SHOWN: usize = 4;

/// Connections that a finding counts: the server, how many, and their frames.
type Counted = (SocketAddr, u64, (FrameRef, FrameRef));

/// CG030 for connections that were closed unused, at servers with which TLS works (D-DIAGNOSIS-46, D-DIAGNOSIS-47).
pub(super) fn left_unused(session: &Session<'_>) -> Vec<Finding> {
    let works =
        |server: SocketAddr| session.handshakes.iter().any(|it| it.is_completed() && it.handshake.server == server);
    let mut spare = of_handshakes(session, Unused::Spare);
    let opened = of_connections(session, Without::Unused).filter(|known| works(known.server));
    spare.extend(opened.map(counted));
    let idle = of_handshakes(session, Unused::Idle);
    let found = [
        finding(session, Code::TlsIsFine, &spare, "left unused at servers with which TLS works"),
        finding(session, Code::TlsIsFine, &idle, "closed without data after 30 seconds of silence or more"),
    ];
    found.into_iter().flatten().collect()
}

/// CG029 for another protocol on a port of TLS.
pub(super) fn other_protocols(session: &Session<'_>) -> Vec<Finding> {
    let other: Vec<Counted> = of_connections(session, Without::OtherProtocol).map(counted).collect();
    finding(session, Code::NoHandshakeSeen, &other, "another protocol in clear on a port of TLS").into_iter().collect()
}

fn of_handshakes(session: &Session<'_>, why: Unused) -> Vec<Counted> {
    let unused = session.handshakes.iter().filter(|it| it.unused == Some(why));
    let counted = |it: &Judged<'_>| {
        let handshake = it.handshake;
        (handshake.server, 1 + handshake.repeats, (handshake.first, handshake.repeated_until))
    };
    unused.map(counted).collect()
}

fn of_connections<'s>(session: &'s Session<'_>, what: Without) -> impl Iterator<Item = &'s WithoutTls> {
    session.device.without_tls.iter().filter(move |known| known.what == what)
}

fn counted(known: &WithoutTls) -> Counted {
    (known.server, known.count, known.frames)
}

/// A finding about these connections, if there are any; `what` says what became of them.
fn finding(session: &Session<'_>, code: Code, counted: &[Counted], what: &str) -> Option<Finding> {
    let (server, _, (first, _)) = counted.iter().min_by_key(|(.., (first, _))| first.place())?;
    let last = counted.iter().map(|(.., (_, last))| last).max_by_key(|last| last.place())?;
    let count: u64 = counted.iter().map(|(_, count, _)| count).sum();
    let connections = if count == 1 { "1 connection".into() } else { format!("{count} connections") };
    let summary = format!("{what}: {connections}");
    let mut finding = session.finding_of_device(code, Severity::Info, Proof::Proven, summary);
    finding.capture = Some(first.capture);
    finding.server = Some(*server);
    finding.occurrences = count;
    finding.frames = Some((*first, *last));
    let shown = counted.iter().take(SHOWN);
    finding.evidence = shown.map(|(server, _, (first, _))| (*first, format!("to {}", endpoint(*server)))).collect();
    Some(finding)
}
