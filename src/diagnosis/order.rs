//! CG018: certificates out of order, unrelated, or the root sent too.
//!
//! In: the session. Out: one finding for each chain that a server sends in another form than RFC 5246 section 7.4.2 asks
//! for. Bounded: by the handshakes kept. Left to others: whether the device minded.

use std::sync::Arc;

use super::assess::Assessor;
use super::finding::{Finding, Severity};
use super::rules::Code;
use super::{Session, remedy};
use crate::trust::{Judgement, Path, PathEnd, PathFinder, Proof};
use crate::x509::Certificate;

pub(super) fn find(session: &Session<'_>, assessor: &mut Assessor<'_>, out: &mut Vec<Finding>) {
    for (index, handshake, assessment, _) in session.handshakes() {
        let complaints = complaints(&mut assessor.finder, &handshake.sent, &assessment.chain);
        if assessment.unreadable.is_some() || complaints.is_empty() {
            continue;
        }
        let summary = format!("the server's chain is not in order: {}", complaints.join("; "));
        let mut finding = session.finding(Code::ChainOrder, Severity::Warning, Proof::Proven, index, summary);
        if let Some(list) = &handshake.tls.certificates.server {
            finding.evidence.push((list.last, complaints.join("; ")));
        }
        finding.certificates = handshake.sent.clone();
        finding.remedies = remedy::chain_order();
        out.push(finding);
    }
}

/// What is wrong with the form of a list, in words.
pub(super) fn complaints(finder: &mut PathFinder, sent: &[Arc<Certificate>], chain: &Judgement) -> Vec<String> {
    let mut out = Vec::new();
    let Some(above) = sent.get(1..) else { return out };
    let path = chain.completed.as_ref().or(chain.path.as_ref());
    if let Some(root) = above.iter().find(|certificate| certificate.is_self_signed()) {
        out.push(format!("it sends the root \"{}\" too", root.subject().short()));
    }
    let twice =
        above.iter().enumerate().find(|(at, c)| sent.iter().take(at + 1).any(|known| known.sha256() == c.sha256()));
    if let Some((_, certificate)) = twice {
        out.push(format!("\"{}\" is in it twice", certificate.subject().short()));
    }
    let Some(path) = path else { return out };
    let order: Vec<usize> =
        path.certificates().filter_map(|c| sent.iter().position(|s| s.sha256() == c.sha256())).collect();
    if order.windows(2).any(|pair| matches!(pair, [a, b] if a > b)) {
        out.push("an issuer stands before what it issued".into());
    }
    for certificate in above {
        if is_unrelated(finder, certificate, path, sent) {
            out.push(format!("\"{}\" has nothing to do with it", certificate.subject().short()));
        }
    }
    out
}

/// Whether a certificate belongs to another chain. That can only be told where the chain is known to its end.
fn is_unrelated(
    finder: &mut PathFinder,
    certificate: &Arc<Certificate>,
    path: &Path,
    sent: &[Arc<Certificate>],
) -> bool {
    let on_path = path.certificates().any(|c| c.sha256() == certificate.sha256());
    let known_to_its_end = matches!(path.end, PathEnd::Anchor | PathEnd::SelfSigned);
    // Another certificate for a key of the path, cross-signed or re-issued, may serve other devices; so may what is
    // above such a one.
    let issued = |c: &Arc<Certificate>| c.issuer() == certificate.subject() && c.subject() != certificate.subject();
    let mut signed = |c| finder.signed_by_if_affordable(c, certificate.public_key()).is_none_or(|it| it.is_valid());
    let mut serves = || sent.iter().any(|c| issued(c) && signed(c));
    known_to_its_end && !on_path && !certificate.is_self_signed() && !serves()
}
