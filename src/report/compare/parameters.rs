//! What two clients offer and what their servers choose, against each other.
//!
//! In: two handshakes with the same service. Out: how their hellos and key exchanges differ, in words. Bounded: one
//! difference for each list, which names `MOST` entries and counts the rest. Left to others: the version and the suite
//! chosen, SNI, and whether any of it decides.

use super::names::listed;
use crate::report::model::{ClientHello, Handshake, KeyExchange};

/// Whether all that is compared here was read of a handshake: the ClientHello as a whole and, if the server answered, its
/// hello (D-REPORT-09).
pub(super) fn are_read(handshake: &Handshake) -> bool {
    let answered = handshake.server_hello.is_some() || !handshake.history.contains(['s', '?']);
    answered && handshake.client_hello.as_ref().is_some_and(|hello| hello.complete)
}

/// What differs, what the servers chose first. What was not seen of one of the two is not compared.
pub(super) fn differences(good: &Handshake, bad: &Handshake) -> Vec<String> {
    let mut out = Vec::new();
    if let (Some(one), Some(other)) = (&good.key_exchange, &bad.key_exchange) {
        out.extend(chosen(one, other));
    }
    if let (Some(one), Some(other)) = (&good.server_hello, &bad.server_hello) {
        let groups = (one.key_share.as_ref(), other.key_share.as_ref());
        out.extend(other_choice("group of the key share", groups));
        out.extend(other_choice("application protocol (ALPN)", (one.alpn.as_ref(), other.alpn.as_ref())));
        out.extend(only("is answered with", "extension", &one.extensions, &other.extensions));
    }
    if let (Some(one), Some(other)) = (&good.client_hello, &bad.client_hello) {
        // Where the highest versions differ, that is said already.
        if good.client_version == bad.client_version && !one.versions.is_empty() && !other.versions.is_empty() {
            out.extend(only("offers", "version", &one.versions, &other.versions));
        }
        out.extend(offered(one, other));
    }
    out
}

fn chosen(good: &KeyExchange, bad: &KeyExchange) -> Vec<String> {
    let bits = |exchange: &KeyExchange| exchange.prime_bits.map(|bits| format!("{bits} bits"));
    let facts = [
        ("length of the Diffie-Hellman prime", bits(good), bits(bad)),
        ("curve", good.curve.clone(), bad.curve.clone()),
        ("signature scheme", good.signature_scheme.clone(), bad.signature_scheme.clone()),
    ];
    facts.iter().filter_map(|(what, one, other)| other_choice(what, (one.as_ref(), other.as_ref()))).collect()
}

/// What both servers chose, where it is not the same.
fn other_choice(what: &str, chosen: (Option<&String>, Option<&String>)) -> Option<String> {
    let (one, other) = (chosen.0?, chosen.1?);
    (one != other).then(|| format!("other {what} chosen by the server: {one} and {other}"))
}

fn offered(good: &ClientHello, bad: &ClientHello) -> Vec<String> {
    let schemes = |hello: &ClientHello| hello.signature_algorithms.clone().unwrap_or_default();
    [
        only("offers", "cipher suite", &good.cipher_suites, &bad.cipher_suites),
        only("offers", "group", &good.groups, &bad.groups),
        only("sends", "key share", &good.key_shares, &bad.key_shares),
        only("offers", "application protocol", &good.alpn, &bad.alpn),
        only("offers", "signature scheme", &schemes(good), &schemes(bad)),
        only("sends", "extension", &good.extensions, &bad.extensions),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// How two lists differ, if they do.
fn only(does: &str, what: &str, good: &[String], bad: &[String]) -> Option<String> {
    let absent = |list: &[String], from: &[String]| -> Vec<String> {
        list.iter().filter(|name| !from.contains(name)).cloned().collect()
    };
    let named = |names: &[String]| format!("{what}{} {}", if names.len() == 1 { "" } else { "s" }, listed(names));
    let (only_good, only_bad) = (absent(good, bad), absent(bad, good));
    match (only_good.is_empty(), only_bad.is_empty()) {
        (false, true) => Some(format!("only the good one {does} the {}", named(&only_good))),
        (true, false) => Some(format!("only the bad one {does} the {}", named(&only_bad))),
        (false, false) => Some(format!(
            "only the good one {does} the {}, only the bad one the {}",
            named(&only_good),
            named(&only_bad)
        )),
        (true, true) => (good != bad).then(|| format!("the {what}s are the same in another order")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_differ_by_what_only_one_holds_else_by_their_order() {
        let list = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let groups = |good: &str, bad: &str| only("offers", "group", &list(good), &list(bad));
        assert_eq!(groups("x25519 secp256r1", "x25519 secp256r1"), None);
        let other = "the groups are the same in another order";
        assert_eq!(groups("x25519 secp256r1", "secp256r1 x25519").as_deref(), Some(other));
        let one = "only the bad one offers the group x448";
        assert_eq!(groups("x25519", "x448 x25519").as_deref(), Some(one));
        let both = "only the good one offers the groups a, b, c and 1 more, only the bad one the group z";
        assert_eq!(groups("a b c d x", "x z").as_deref(), Some(both));
    }
}
