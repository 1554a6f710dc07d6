//! In: TLS key logs. Out: the lines of the handshakes that go along. Bounded: by the key logs.

use std::collections::BTreeSet;

/// The random of a ClientHello at the start of a record (RFC 5246, 7.4.1.2), lower-case hexadecimal.
pub(super) fn client_random(payload: &[u8]) -> Option<String> {
    let (is_hello, random) = (matches!(payload, [22, 3, _, _, _, 1, ..]), payload.get(11..43)?);
    is_hello.then(|| random.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The lines of a key log whose second word is one of these randoms (D-ANNOTATE-03).
pub(super) fn own_lines(key_log: &[u8], randoms: &BTreeSet<String>) -> Vec<u8> {
    let mut out = Vec::new();
    for line in String::from_utf8_lossy(key_log).lines() {
        let random = line.split_whitespace().nth(1).map(str::to_ascii_lowercase);
        if random.is_some_and(|random| randoms.contains(&random)) {
            out.extend(line.bytes());
            out.push(b'\n');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_secrets_of_handshakes_that_go_along() {
        let mut hello = vec![22, 3, 1, 0, 50, 1, 0, 0, 46, 3, 3];
        hello.extend([0xab; 32]);
        let randoms = BTreeSet::from([client_random(&hello).unwrap()]);
        let own = format!("CLIENT_RANDOM {} 0011\n", "AB".repeat(32));
        let other = format!("CLIENT_RANDOM {} 2233\n", "cd".repeat(32));
        assert_eq!(own_lines(format!("# log\n{other}{own}").as_bytes(), &randoms), own.as_bytes());
        assert_eq!(client_random(&hello[1..]), None);
    }
}
