//! In: numbers and names. Out: the words that several findings share.

use crate::evidence::{EndHow, Handshake};
use crate::flow::Side;
use crate::protocol::tls::{Alert, AlertCode};
use crate::trust::Missing;

/// `1 byte`, `4 bytes`.
pub(super) fn bytes(count: u64) -> String {
    if count == 1 { "1 byte".into() } else { format!("{count} bytes") }
}

/// `1 name`, `4 names`.
pub(super) fn count(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// `"Northwind Policy CA 1" and "Northwind Issuing CA 1"`.
pub(super) fn names(missing: &[Missing]) -> String {
    let names: Vec<_> = missing.iter().map(|link| format!("\"{}\"", link.subject.short())).collect();
    names.join(" and ")
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

/// What a server's alert means by itself (RFC 7301 section 3.2, RFC 7507 section 3, RFC 4279 section 2).
pub(super) fn meaning(handshake: &Handshake) -> Option<String> {
    match handshake.last_word().filter(|alert| alert.from == Side::Server)?.code {
        AlertCode::INAPPROPRIATE_FALLBACK => {
            Some("it can do a higher version than the one that the client fell back to".into())
        }
        AlertCode::UNKNOWN_PSK_IDENTITY => Some("it does not know the pre-shared key that the client offers".into()),
        AlertCode::NO_APPLICATION_PROTOCOL => {
            Some("it speaks none of the application protocols that the client offers (ALPN)".into())
        }
        _ => None,
    }
}

/// How a handshake ended, as the end of a sentence about it.
pub(crate) fn ending(handshake: &Handshake) -> String {
    let ending = &handshake.ending;
    let alert = handshake.last_word().map(alert).unwrap_or_default();
    ending_of(ending.by.map(side), ending.how, &alert, ending.at.map(|at| at.number))
}

/// How something ended: by which side, with which alert, in which frame.
pub(crate) fn ending_of(by: Option<&str>, how: EndHow, alert: &str, frame: Option<u64>) -> String {
    let frame = frame.map(|frame| format!(", frame {frame}")).unwrap_or_default();
    let who = by.unwrap_or("nobody");
    match how {
        EndHow::Alert if alert.is_empty() => format!("{who}: an encrypted alert{frame}"),
        EndHow::Alert => format!("{who}: {alert}{frame}"),
        EndHow::Fin => format!("{who} closed it (FIN){frame}"),
        EndHow::Rst => format!("{who} reset it (RST){frame}"),
        EndHow::Silence => "nothing more came".into(),
        EndHow::CaptureEnd => "the capture ends".into(),
    }
}
