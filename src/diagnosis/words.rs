//! In: numbers and names. Out: the words that several findings share.

use crate::evidence::Handshake;
use crate::flow::Side;
use crate::protocol::tls::Alert;

/// `1 byte`, `4 bytes`.
pub(super) fn bytes(count: u64) -> String {
    if count == 1 { "1 byte".into() } else { format!("{count} bytes") }
}

/// `client` or `server`.
pub(super) fn side(side: Side) -> &'static str {
    match side {
        Side::Client => "client",
        Side::Server => "server",
    }
}

/// `fatal unknown_ca`.
pub(super) fn alert(alert: &Alert) -> String {
    format!("{} {}", if alert.fatal { "fatal" } else { "warning" }, alert.code)
}

/// How a handshake ended, as the end of a sentence about it.
pub(crate) fn ending(handshake: &Handshake) -> String {
    use crate::evidence::EndHow;
    let frame = handshake.ending.at.map(|at| format!(", frame {}", at.number)).unwrap_or_default();
    let who = handshake.ending.by.map_or("nobody", side);
    match handshake.ending.how {
        EndHow::Alert => {
            let alert = handshake.last_word().map(alert).unwrap_or_default();
            format!("{who}: {alert}{frame}")
        }
        EndHow::Fin => format!("{who} closed it (FIN){frame}"),
        EndHow::Rst => format!("{who} reset it (RST){frame}"),
        EndHow::Silence => "nothing more came".into(),
        EndHow::CaptureEnd => "the capture ends".into(),
    }
}
