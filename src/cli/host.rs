//! In: what people give for the name of a server. Out: the name or address that devices ask for. Bounded: by the
//! argument. Left to others: whether a certificate has it.

use std::net::IpAddr;

/// The name or address in `text`, which may be a URL, a SIP URI, have a port, or end in a dot. A name with letters beyond
/// ASCII becomes its A-labels, the form that certificates have (RFC 6125 section 6.4.2, RFC 5890 section 2.3.2.1).
pub(super) fn asked_for(text: &str) -> Result<String, String> {
    let refused = |why: &str| Err(format!("{text:?} {why}"));
    let rest = text.trim();
    let rest = rest.split_once("://").map_or(rest, |(_, rest)| rest);
    let rest = ["sip:", "sips:"].iter().find_map(|scheme| strip_prefix(rest, scheme)).unwrap_or(rest);
    let authority = rest.split(['/', '?', '#', ';']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = without_port(host);
    let address = host.split('%').next().unwrap_or_default();
    if let Ok(address) = address.parse::<IpAddr>() {
        return Ok(address.to_string());
    }
    if host.contains('*') {
        return refused("is a pattern; give one of the names that devices ask for");
    }
    let Ok(name) = idna::domain_to_ascii(host) else { return refused("is neither a host name nor an address") };
    let name = name.strip_suffix('.').unwrap_or(&name);
    if name.is_empty() || name.split('.').any(str::is_empty) || name.contains(|c: char| !is_of_host_name(c)) {
        return refused("is neither a host name nor an address");
    }
    Ok(name.parse::<IpAddr>().map_or_else(|_| name.to_owned(), |address| address.to_string()))
}

/// Host names have letters, digits, hyphens and dots; some private ones have underscores.
fn is_of_host_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_')
}

fn strip_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// An address in brackets has no port but behind them, and one of IP version 6 without brackets has none at all.
fn without_port(host: &str) -> &str {
    if let Some((address, _)) = host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return address;
    }
    match host.split_once(':') {
        Some((name, port)) if port.chars().all(|c| c.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::asked_for;

    #[test]
    fn what_people_paste() {
        for (text, name) in [
            ("pool.contoso.test", "pool.contoso.test"),
            (" Pool.Contoso.Test. ", "pool.contoso.test"),
            ("https://pool.contoso.test:443/meet?x=1#y", "pool.contoso.test"),
            ("HTTPS://user:secret@pool.contoso.test", "pool.contoso.test"),
            ("pool.contoso.test:5061", "pool.contoso.test"),
            ("pool.contoso.test/path", "pool.contoso.test"),
            ("sip:anna@contoso.test", "contoso.test"),
            ("sips:pool.contoso.test:5061;transport=tls", "pool.contoso.test"),
            ("_sip.contoso.test", "_sip.contoso.test"),
            ("10.77.1.10", "10.77.1.10"),
            ("10.77.1.10:443", "10.77.1.10"),
            ("10.77.1.10.", "10.77.1.10"),
            ("[2001:DB8::1]:443", "2001:db8::1"),
            ("https://[2001:db8::1]/", "2001:db8::1"),
            ("2001:db8:0::1", "2001:db8::1"),
            ("fe80::1%eth0", "fe80::1"),
        ] {
            assert_eq!(asked_for(text).as_deref(), Ok(name), "{text}");
        }
    }

    /// The A-labels are those of RFC 3492 section 7.1 and of well-known registrations.
    #[test]
    fn letters_beyond_ascii_become_a_labels() {
        for (text, name) in [
            ("b\u{fc}cher.contoso.test", "xn--bcher-kva.contoso.test"),
            ("https://B\u{dc}CHER.contoso.test:443/", "xn--bcher-kva.contoso.test"),
            // The same letter as u with a combining diaeresis, and dots of East Asian input methods.
            ("bu\u{308}cher\u{3002}contoso\u{ff0e}test", "xn--bcher-kva.contoso.test"),
            (
                "\u{4ed6}\u{4eec}\u{4e3a}\u{4ec0}\u{4e48}\u{4e0d}\u{8bf4}\u{4e2d}\u{6587}",
                "xn--ihqwcrb4cv8a8dqg056pqjye",
            ),
            ("xn--bcher-kva.contoso.test", "xn--bcher-kva.contoso.test"),
        ] {
            assert_eq!(asked_for(text).as_deref(), Ok(name), "{text}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for text in [
            "",
            " ",
            "https://",
            ":443",
            "*.contoso.test",
            "a b",
            "pool..contoso.test",
            "xn--a",
            "a$(b)",
            "2001:db8::x",
        ] {
            assert!(asked_for(text).is_err(), "{text:?}: {:?}", asked_for(text));
        }
    }
}
