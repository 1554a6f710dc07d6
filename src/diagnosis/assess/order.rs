//! In: the certificates that a server sent, and its judged chain. Out: what is wrong with the order and choice of them
//! (RFC 5246 section 7.4.2). Bounded: by the certificates sent. Left to others: whether the device minded.

use std::sync::Arc;

use crate::trust::{Judgement, Missing, Path, PathEnd, PathFinder};
use crate::x509::Certificate;

/// What is wrong with the list that the server sent, whether or not the device minded.
#[derive(Clone, Debug, Default)]
pub struct AsSent {
    /// Intermediates that the list leaves out, in a handshake that completed.
    pub left_out: Vec<Missing>,
    /// Its order and choice.
    pub form: Form,
}

/// What a list holds besides a chain in order.
#[derive(Clone, Debug, Default)]
pub struct Form {
    /// The short name of a root that is sent too.
    pub root: Option<String>,
    /// What is wrong, in words.
    pub faults: Vec<String>,
    /// Positions in the list of certificates that belong to another chain.
    pub unrelated: Vec<usize>,
}

/// Looks at the form of a list.
pub(in crate::diagnosis) fn form(finder: &mut PathFinder, sent: &[Arc<Certificate>], chain: &Judgement) -> Form {
    let above = sent.get(1..).unwrap_or_default();
    let root = above.iter().find(|certificate| certificate.is_self_signed()).map(|root| root.subject().short());
    let mut form = Form { root, ..Form::default() };
    find_faults(finder, sent, chain, &mut form);
    form
}

fn find_faults(finder: &mut PathFinder, sent: &[Arc<Certificate>], chain: &Judgement, form: &mut Form) {
    let Form { faults: out, unrelated, .. } = form;
    let Some(above) = sent.get(1..) else { return };
    let path = chain.longest_path();
    let twice =
        above.iter().enumerate().find(|(at, c)| sent.iter().take(at + 1).any(|known| known.sha256() == c.sha256()));
    if let Some((_, certificate)) = twice {
        out.push(format!("\"{}\" is in it twice", certificate.subject().short()));
    }
    let Some(path) = path else { return };
    let order: Vec<usize> =
        path.certificates().filter_map(|c| sent.iter().position(|s| s.sha256() == c.sha256())).collect();
    if order.windows(2).any(|pair| matches!(pair, [a, b] if a > b)) {
        out.push("an issuer stands before what it issued".into());
    }
    for (at, certificate) in sent.iter().enumerate().skip(1) {
        if is_unrelated(finder, certificate, path, sent) {
            unrelated.push(at);
            out.push(format!("\"{}\" has nothing to do with it", certificate.subject().short()));
        }
    }
}

/// Whether a certificate belongs to another chain. Only a chain that is known to its end can tell (D-DIAGNOSIS-20).
fn is_unrelated(
    finder: &mut PathFinder,
    certificate: &Arc<Certificate>,
    path: &Path,
    sent: &[Arc<Certificate>],
) -> bool {
    let on_path = path.certificates().any(|c| c.sha256() == certificate.sha256());
    let known_to_its_end = matches!(path.end, PathEnd::Anchor | PathEnd::SelfSigned);
    // Another certificate for a key of the path, cross-signed or re-issued, may serve other devices, and so may those
    // above it.
    let issued = |c: &Arc<Certificate>| c.issuer() == certificate.subject() && c.subject() != certificate.subject();
    let mut signed = |c| finder.signed_by_if_affordable(c, certificate.public_key()).is_none_or(|it| it.is_valid());
    let mut serves = || sent.iter().any(|c| issued(c) && signed(c));
    known_to_its_end && !on_path && !certificate.is_self_signed() && !serves()
}
