//! In: name constraints and the names of a certificate below them. Out: whether the names are allowed (RFC 5280 section
//! 4.2.1.10). Bounded: subtrees times names, both of one certificate each. Left to others: which certificates of a path
//! the constraints apply to.

use super::certificate::Certificate;
use super::constraints::NameConstraints;

impl NameConstraints {
    /// The first name of `certificate` that is not allowed, in words; `None` if all are. Subtrees that cannot be judged
    /// ([`Subtrees::unsupported`](super::Subtrees::unsupported)) are passed over.
    pub fn violation(&self, certificate: &Certificate) -> Option<String> {
        let subject = certificate.subject();
        let directory = (!subject.is_empty()).then_some(subject).into_iter().chain(certificate.directory_names());
        check("name", directory, &self.permitted.directory, &self.excluded.directory, |name, base| name.is_within(base))
            .or_else(|| self.dns_violation(certificate))
            .or_else(|| {
                let addresses = certificate.ip_addresses().iter();
                check("address", addresses, &self.permitted.ip, &self.excluded.ip, |ip, subnet| subnet.contains(*ip))
            })
            .or_else(|| {
                // Addresses in the subject count if the subjectAltName has none (RFC 5280 section 4.2.1.10).
                let mut addresses = certificate.email_addresses().to_vec();
                if addresses.is_empty() {
                    addresses = subject.email_addresses();
                }
                check("e-mail", addresses.iter(), &self.permitted.email, &self.excluded.email, |a, b| in_email(a, b))
            })
            .or_else(|| {
                check("URI", certificate.uris().iter(), &self.permitted.uri, &self.excluded.uri, |a, b| in_uri(a, b))
            })
    }

    fn dns_violation(&self, certificate: &Certificate) -> Option<String> {
        check("DNS name", certificate.dns_names().iter(), &self.permitted.dns, &self.excluded.dns, |a, b| {
            in_domain(a, b)
        })
    }
}

/// The first name that lies in an excluded subtree, or in none of the permitted ones if there are any.
fn check<'a, T: std::fmt::Display + 'a, B: 'a>(
    kind: &str,
    names: impl IntoIterator<Item = &'a T>,
    permitted: &[B],
    excluded: &[B],
    inside: impl Fn(&T, &B) -> bool,
) -> Option<String> {
    for name in names {
        if excluded.iter().any(|base| inside(name, base)) {
            return Some(format!("{kind} {name} is excluded"));
        }
        if !permitted.is_empty() && !permitted.iter().any(|base| inside(name, base)) {
            return Some(format!("{kind} {name} is not permitted"));
        }
    }
    None
}

/// Whether a DNS name lies in a subtree: a domain includes itself and all names below it, an empty one every name. RFC
/// 5280 does not say what a leading dot means; as with other verifiers, the domain itself is then left out.
fn in_domain(name: &str, base: &str) -> bool {
    match base.strip_prefix('.') {
        Some(domain) => is_below(name, domain),
        None => base.is_empty() || same(name, base) || is_below(name, base),
    }
}

/// Whether an e-mail address lies in a subtree: a mailbox, a host, or `.domain` for all hosts below it.
fn in_email(address: &str, base: &str) -> bool {
    let Some((user, host)) = address.rsplit_once('@') else { return false };
    match base.rsplit_once('@') {
        Some((base_user, base_host)) => user == base_user && same(host, base_host),
        None => in_host(host, base),
    }
}

/// Whether the host of a URI lies in a subtree. A URI without an authority lies in none.
fn in_uri(uri: &str, base: &str) -> bool {
    let Some((_, rest)) = uri.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host_port = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    in_host(host_port.split(':').next().unwrap_or_default(), base)
}

fn in_host(host: &str, base: &str) -> bool {
    match base.strip_prefix('.') {
        Some(domain) => is_below(host, domain),
        None => base.is_empty() || same(host, base),
    }
}

fn is_below(name: &str, domain: &str) -> bool {
    let cut = name.len().checked_sub(domain.len()).and_then(|at| name.split_at_checked(at));
    cut.is_some_and(|(front, end)| front.ends_with('.') && same(end, domain))
}

fn same(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_rfc_5280() {
        // Section 4.2.1.10.
        assert!(in_domain("www.host.example.com", "host.example.com"));
        assert!(in_domain("HOST.example.com", "host.example.com"));
        assert!(!in_domain("host1.example.com", "host.example.com"));
        assert!(!in_domain("myhost.example.com", "host.example.com"));
        assert!(in_email("root@example.com", "root@example.com") && in_email("root@example.com", "example.com"));
        assert!(in_email("x@a.example.com", ".example.com") && !in_email("x@example.com", ".example.com"));
        assert!(in_uri("https://u@my.host.example.com:8443/x", ".example.com"));
        assert!(!in_uri("https://example.com/", ".example.com") && !in_uri("urn:x", "example.com"));
    }
}
