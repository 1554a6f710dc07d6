//! In: a judged handshake and a cause that is reported. Out: the other causes that its ending allows (docs/verdict.md,
//! step 6), each excluded or not, with the reason. Bounded: by the table of codes. Left to others: each cause's own reason (`rules`).

use super::cause::AT_CERTIFICATE;
use super::code::{Code, LENIENT};
use super::finding::Excluded;
use super::judged::Judged;
use super::rules::Rival;
use super::stage::Stage;

/// What is said of the causes beside `told`, in the order of the table.
pub(super) fn beside(told: Code, judged: &Judged<'_>) -> Vec<Excluded> {
    let Judged { handshake, assessment, ruling, .. } = judged;
    let weigh = |code: Code| {
        let rival = Rival { code, told, handshake, assessment, ruling };
        let (excluded, why) = (code.logic().cause.as_ref()?.exclusion)(&rival)?;
        Some(Excluded { cause: code.name().into(), excluded, why })
    };
    let mut out = Vec::new();
    if ruling.stage.is_at_certificate() {
        let others = AT_CERTIFICATE.iter().chain(LENIENT).copied().filter(|other| *other != told);
        out.extend(others.filter_map(|other| match ruling.survives(other) {
            true => Some(Excluded { cause: other.name().into(), excluded: false, why: "it fits as well".into() }),
            false => weigh(other),
        }));
    }
    if judged.may_refuse_parameters() && assessment.refusable.is_empty() {
        out.push(Excluded {
            cause: "handshake-parameters".into(),
            excluded: false,
            why: "a client may say handshake_failure for a short key exchange group or insecure renegotiation too"
                .into(),
        });
    }
    // What the server agreed on is excluded wherever the handshake ended.
    let agreed = handshake.tls.server_hello.is_some();
    let negotiated = [Code::ProtocolVersion, Code::NoSharedCipher];
    let open = negotiated.into_iter().filter(|other| match agreed && told != Code::ProtocolVersion {
        true => *other == Code::ProtocolVersion,
        false => ruling.stage == Stage::ServerBeforeHello,
    });
    out.extend(open.filter(|other| *other != told).filter_map(weigh));
    out
}
