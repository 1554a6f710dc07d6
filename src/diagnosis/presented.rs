//! What a server would present of the file with its chain.
//!
//! In: the file as it was read, and the name that devices ask for. Out: the certificates with the server's own first, which
//! of them cannot be read, and what is wrong with their order. Bounded: by the file; each certificate is compared with
//! each other one. Left to others: whether the chain holds, and what that means for a device.

use std::net::IpAddr;
use std::sync::Arc;

use crate::trust::{ChainCertificate, ChainFile};
use crate::x509::{Certificate, HostRules};

/// How many certificates a sentence names.
const NAMED: usize = 3;

/// What a server would present of a file.
#[derive(Debug)]
pub struct Presented {
    /// The certificates whose bytes are there, in the order of the file; of a set, the server's own first.
    pub chain: Vec<Arc<Certificate>>,
    /// Those to judge: the server's own first, also where it stands elsewhere. Empty if it cannot be read, or is not there.
    pub(super) judged: Vec<Arc<Certificate>>,
    /// What cannot be read, a clause each.
    pub(super) unreadable: Vec<String>,
    /// Why it is not the server's own certificate that stands first.
    pub(super) misplaced: Option<String>,
    /// Whether the server sends the certificates in the order of the file.
    pub(super) ordered: bool,
    /// What of the file is not sent or was chosen, a line each.
    pub problems: Vec<String>,
}

impl Presented {
    /// What a server would present of this file. Where several certificates may be its own, it is the one for `host`.
    pub fn of(file: &ChainFile, host: Option<&str>) -> Self {
        let readable = |it: &&ChainCertificate| it.problem.is_none();
        let known: Vec<_> = file.certificates.iter().filter(readable).filter_map(|it| it.certificate.clone()).collect();
        let mut chain: Vec<_> = file.certificates.iter().filter_map(|it| it.certificate.clone()).collect();
        let mut out = Self {
            chain: Vec::new(),
            judged: Vec::new(),
            unreadable: unreadable(file),
            misplaced: None,
            ordered: file.ordered,
            problems: file.problems.clone(),
        };
        let first_is_unreadable = file.ordered && file.certificates.first().is_some_and(|it| it.problem.is_some());
        let candidates = candidates(&known);
        let fits = |c: &&Arc<Certificate>| host.is_none_or(|host| c.matches_host(host, LENIENT));
        let first = known.first().filter(|first| file.ordered && candidates.contains(first));
        let own = first.or_else(|| candidates.iter().copied().find(fits)).or(candidates.first().copied());
        match own {
            _ if first_is_unreadable => {}
            Some(own) => {
                let mut judged = known.clone();
                to_the_front(&mut judged, own);
                out.misplaced = known.first().filter(|first| file.ordered && *first != own).map(|first| {
                    let why = if first.is_ca() { "is a CA's" } else { "issued another one" };
                    let (first, own) = (first.subject().short(), own.subject().short());
                    format!("the first certificate, \"{first}\", {why}; the server's own, \"{own}\", must stand there")
                });
                if !file.ordered {
                    to_the_front(&mut chain, own);
                }
                let others = candidates.iter().any(|c| *c != own);
                if !file.ordered && others {
                    let own = own.subject().short();
                    out.problems.push(format!(
                        "several certificates of servers are in this file; \"{own}\" is judged (--host chooses)"
                    ));
                }
                out.judged = judged;
            }
            None if known.is_empty() && !out.unreadable.is_empty() => {}
            None => out.misplaced = Some(no_server(&known)),
        }
        out.chain = chain;
        out
    }
}

/// A name counts here however a device may match it: the question is only which certificate is meant.
const LENIENT: HostRules = HostRules { wildcards: true, common_name: true };

/// The certificates that may be the server's own: no CA's that issued no other one, or where there is none, a CA's with
/// the name of a server.
fn candidates(known: &[Arc<Certificate>]) -> Vec<&Arc<Certificate>> {
    let issued =
        |c: &Certificate, other: &Certificate| other != c && other.issuer() == c.subject() && !other.is_self_issued();
    let last = |c: &&Arc<Certificate>| !known.iter().any(|other| issued(c, other));
    let plain: Vec<_> = known.iter().filter(last).filter(|c| !c.is_ca()).collect();
    if !plain.is_empty() {
        return plain;
    }
    known.iter().filter(last).filter(|c| names_a_server(c)).collect()
}

/// Whether a CA's certificate is for a server too: tools that make a certificate which signs itself often call it a CA's.
fn names_a_server(certificate: &Certificate) -> bool {
    let is_host = |name: &str| name.parse::<IpAddr>().is_ok() || (name.contains('.') && !name.contains(' '));
    let named = !certificate.dns_names().is_empty() || !certificate.ip_addresses().is_empty();
    named || (certificate.is_self_signed() && certificate.common_name().is_some_and(is_host))
}

fn to_the_front(certificates: &mut Vec<Arc<Certificate>>, own: &Arc<Certificate>) {
    if let Some(at) = certificates.iter().position(|certificate| certificate == own) {
        let own = certificates.remove(at);
        certificates.insert(0, own);
    }
}

fn no_server(known: &[Arc<Certificate>]) -> String {
    let names: Vec<_> = known.iter().take(NAMED).map(|c| format!("\"{}\"", c.subject().short())).collect();
    match known.len() {
        0 => "no certificate is in this file".into(),
        1 => format!("{} is a CA's certificate, and the server's own is not in this file", names.concat()),
        count if count > NAMED => format!("none of the {count} certificates is a server's own"),
        _ => format!("{} are CAs' certificates, and the server's own is not in this file", names.join(" and ")),
    }
}

/// What cannot be read of a file; beyond the first few it is only counted.
fn unreadable(file: &ChainFile) -> Vec<String> {
    let each = file.certificates.iter().enumerate().filter_map(|(at, it)| Some((at, it, it.problem.as_ref()?)));
    let mut out: Vec<_> = each
        .map(|(at, it, why)| {
            let place = if it.place.is_empty() { String::new() } else { format!(" ({})", it.place) };
            let which = if at == 0 { "the first certificate".to_owned() } else { format!("certificate {}", at + 1) };
            format!("{which}{place} cannot be read: {why}")
        })
        .collect();
    out.extend(file.stops.iter().cloned());
    let more = out.len().saturating_sub(NAMED);
    if more > 0 {
        out.truncate(NAMED);
        out.push(format!("{more} more cannot be read"));
    }
    out
}
