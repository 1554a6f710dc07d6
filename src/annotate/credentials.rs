//! In: what was sent in each direction of some connections. Out: the frames whose bytes carry credentials in clear.
//! Bounded: by its input. Left to others: what is encrypted.
//!
//! It errs on the side of leaving out: from where a credential begins, the rest of that request is left out.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

/// Header fields that authenticate (RFC 9110 section 11, RFC 6265), web tickets and keys of common services among them.
const HEADERS: &[&str] =
    &["authorization", "proxy-authorization", "cookie", "x-ms-webticket", "x-auth-token", "x-api-key"];

/// Elements of SOAP requests that hold a user's name or secret (WS-Security UsernameToken, MS-OCAUTHWS).
const ELEMENTS: &[&str] =
    &["username", "usernametoken", "password", "pin", "phoneorext", "userid", "binarysecuritytoken"];

/// Parameters of queries and forms that hold a secret.
const PARAMETERS: &[&str] = &["password", "passwd", "pwd", "pin", "token", "access_token", "ticket"];

/// Methods that begin the next request of a connection.
const METHODS: &[&str] = &["GET ", "POST ", "HEAD ", "PUT ", "OPTIONS ", "DELETE ", "CONNECT ", "PATCH "];

/// What one segment carried.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) frame: u64,
    pub(super) sequence: u32,
    pub(super) bytes: Vec<u8>,
}

/// The frames that carry credentials.
pub(super) fn frames(directions: &BTreeMap<(SocketAddr, SocketAddr), Vec<Sent>>) -> BTreeSet<u64> {
    directions.values().flat_map(|sent| of_direction(sent)).collect()
}

/// Decided in D-ANNOTATE-02.
fn of_direction(sent: &[Sent]) -> BTreeSet<u64> {
    let stream = Stream::of(sent);
    let bytes = &stream.bytes;
    // TLS records: what they carry in clear is no credential.
    if matches!(bytes.as_slice(), [20..=23, 3, ..]) {
        return BTreeSet::new();
    }
    let mut secrets = if bytes.first() == Some(&0x30) { ldap_binds(bytes) } else { Vec::new() };
    // What follows a hole in a request may be the rest of a credential.
    let holes = stream.holes.iter().copied().filter(|_| begins_request(bytes));
    secrets.extend(starts(bytes).into_iter().chain(holes).map(|start| (start, end_of_request(bytes, start))));
    let carries = |start: usize, end: usize| secrets.iter().any(|(from, to)| *from < end && start < *to);
    stream.places.iter().filter(|(_, start, end)| carries(*start, *end)).map(|(frame, ..)| *frame).collect()
}

/// One direction of a connection in the order of its sequence numbers.
#[derive(Default)]
struct Stream {
    bytes: Vec<u8>,
    /// Frame, and where its bytes begin and end in the stream.
    places: Vec<(u64, usize, usize)>,
    /// Where bytes are absent.
    holes: Vec<usize>,
}

impl Stream {
    fn of(sent: &[Sent]) -> Self {
        let Some(first) = sent.iter().find(|sent| !sent.bytes.is_empty()) else { return Self::default() };
        // Sequence numbers wrap; within the few hundred segments looked at they are near the first one.
        let distance = |sent: &&Sent| i64::from(sent.sequence.wrapping_sub(first.sequence).cast_signed());
        let mut order: Vec<&Sent> = sent.iter().filter(|sent| !sent.bytes.is_empty()).collect();
        order.sort_by_key(|sent| (distance(sent), sent.frame));
        let mut stream = Self::default();
        let mut next = order.first().map(distance).unwrap_or_default();
        for sent in order {
            let at = distance(&sent);
            if at > next {
                stream.holes.push(stream.bytes.len());
                next = at;
            }
            // Retransmitted bytes keep their place; only new ones are appended.
            let known = usize::try_from(next - at).unwrap_or_default();
            let start = stream.bytes.len().saturating_sub(known);
            let fresh = sent.bytes.get(known..).unwrap_or_default();
            stream.bytes.extend(fresh);
            stream.places.push((sent.frame, start, start + sent.bytes.len()));
            next += i64::try_from(fresh.len()).unwrap_or_default();
        }
        stream
    }
}

/// Where credentials begin.
fn starts(bytes: &[u8]) -> Vec<usize> {
    let bytes = bytes.to_ascii_lowercase();
    let mut found: Vec<usize> = memchr::memmem::find_iter(&bytes, b"ntlmssp\0").collect();
    for (at, byte) in bytes.iter().enumerate() {
        let (before, after) = bytes.split_at(at + 1);
        match byte {
            b':' => {
                let line = before.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
                let name = line.strip_suffix(b":").unwrap_or_default().trim_ascii();
                found.extend(is_one_of(name, HEADERS).then(|| at + 1 - line.len()));
            }
            b'<' => {
                let end = after.iter().position(|byte| b" \t\r\n/>".contains(byte)).unwrap_or(after.len());
                let name = after.get(..end).unwrap_or_default();
                let local = name.rsplit(|byte| *byte == b':').next().unwrap_or_default();
                found.extend(is_one_of(local, ELEMENTS).then_some(at));
            }
            b'=' => {
                let word = before.get(..at).unwrap_or_default();
                let name = word.rsplit(|byte| b"?&; \r\n".contains(byte)).next().unwrap_or_default();
                found.extend(is_one_of(name, PARAMETERS).then(|| at - name.len()));
            }
            _ => {}
        }
    }
    found
}

fn is_one_of(name: &[u8], names: &[&str]) -> bool {
    names.iter().any(|known| known.as_bytes() == name)
}

fn begins_request(bytes: &[u8]) -> bool {
    METHODS.iter().any(|method| bytes.starts_with(method.as_bytes()))
}

/// Where the next request begins, or the stream ends.
fn end_of_request(bytes: &[u8], start: usize) -> usize {
    let rest = bytes.get(start..).unwrap_or_default();
    let lines = memchr::memchr_iter(b'\n', rest).map(|at| at + 1);
    let next = lines.into_iter().find(|at| begins_request(rest.get(*at..).unwrap_or_default()));
    next.map_or(bytes.len(), |at| start + at)
}

/// Bind requests of LDAP, which hold a name and a password or a token (RFC 4511 section 4.2).
fn ldap_binds(bytes: &[u8]) -> Vec<(usize, usize)> {
    const BIND_REQUEST: u8 = 0x60;
    let mut found = Vec::new();
    let mut at = 0;
    while let Some((header, length)) = element(bytes.get(at..).unwrap_or_default()) {
        let end = at + header + length;
        let content = bytes.get(at + header..).unwrap_or_default();
        if let Some((id_header, id)) = element(content)
            && content.get(id_header + id) == Some(&BIND_REQUEST)
        {
            found.push((at, end));
        }
        at = end;
    }
    found
}

/// Length of the header and of the content of the BER element at the start (X.690 section 8.1).
fn element(bytes: &[u8]) -> Option<(usize, usize)> {
    let first = *bytes.get(1)?;
    if first < 0x80 {
        return Some((2, usize::from(first)));
    }
    let count = usize::from(first & 0x7f);
    if count == 0 || count > 4 {
        return None;
    }
    let length = bytes.get(2..2 + count)?.iter().fold(0_usize, |sum, byte| (sum << 8) | usize::from(*byte));
    Some((2 + count, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn withheld(parts: &[(u32, &[u8])]) -> Vec<u64> {
        let sent: Vec<Sent> = parts
            .iter()
            .zip(1..)
            .map(|((sequence, bytes), frame)| Sent { frame, sequence: *sequence, bytes: bytes.to_vec() })
            .collect();
        of_direction(&sent).into_iter().collect()
    }

    fn one(text: &str) -> bool {
        !withheld(&[(1, text.as_bytes())]).is_empty()
    }

    #[test]
    fn knows_what_authenticates() {
        assert!(one("GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Basic eDp5\r\n\r\n"));
        assert!(one("GET / HTTP/1.1\r\nproxy-authorization : NTLM TlRMTVNTUAAB\r\n\r\n"));
        assert!(one("GET / HTTP/1.1\r\nCOOKIE: a=b\r\n\r\n"));
        assert!(one("<s:Body><wsse:UsernameToken><wsse:Username>x</wsse:Username>"));
        assert!(one("<GetChain><Pin>1234</Pin></GetChain>"));
        assert!(one("POST /form HTTP/1.1\r\n\r\nuser=x&password=y"));
        assert!(one("GET /a?x=1&token=2 HTTP/1.1\r\n\r\n"));
        // RFC 4511 section 4.2, a simple bind: message 1, version 3, name "cn=x", password "y".
        assert!(!withheld(&[(1, b"0\x0f\x02\x01\x01`\x0a\x02\x01\x03\x04\x04cn=x\x80\x01y")]).is_empty());
    }

    #[test]
    fn leaves_in_what_does_not() {
        assert!(!one("GET /CertProv/CertProvisioningService.svc HTTP/1.1\r\nHost: a\r\nUser-Agent: OCPhone\r\n\r\n"));
        assert!(!one("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Negotiate\r\n\r\n"));
        assert!(!one("<Spin>1</Spin><pinned/>"));
        // A search: message 2, tag 0x63.
        assert!(withheld(&[(1, b"0\x05\x02\x01\x02c\0")]).is_empty());
        assert!(withheld(&[(1, b"\x16\x03\x01\0\x20cookie: password=")]).is_empty(), "a TLS record");
    }

    #[test]
    fn a_credential_over_several_segments_goes_whole_and_the_next_request_stays() {
        let parts: [(u32, &[u8]); 5] = [
            (100, b"GET /a HTTP/1.1\r\nAuthor"),
            (123, b"ization: Negotiate AAAA"),
            (146, b"BBBB\r\n\r\n"),
            (154, b"GET /b HTTP/1.1\r\n\r\n"),
            (123, b"ization: Negotiate AAAA"),
        ];
        assert_eq!(withheld(&parts), [1, 2, 3, 5]);
        let [a, b, c, d, e] = parts;
        // The same out of order, over the wrap of the numbers.
        let wrapped = [c, d, a, b, e].map(|(sequence, bytes)| (sequence.wrapping_sub(130), bytes));
        assert_eq!(withheld(&wrapped), [1, 3, 4, 5]);
    }

    #[test]
    fn what_follows_a_hole_in_a_request_goes_too() {
        let parts: [(u32, &[u8]); 2] = [(100, b"POST /a HTTP/1.1\r\n"), (500, b"AAAABBBB")];
        assert_eq!(withheld(&parts), [2]);
    }
}
