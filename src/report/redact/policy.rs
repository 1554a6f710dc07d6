//! Which members of a report stay as they are, and which are known to hold names.
//!
//! In: nothing. Out: members and words by which the others decide. Left to others: replacing.

/// Members that hold words of this program, of a standard, or a time (D-REPORT-05).
pub(super) const OWN: &[&str] = &[
    "schema",
    "tool",
    "code",
    "name",
    "kind",
    "question",
    "message",
    "key",
    "signature_algorithm",
    "format",
    "compression",
    "link_types",
    "history",
    "version",
    "client_version",
    "cipher_suite",
    "versions",
    "cipher_suites",
    "groups",
    "key_shares",
    "key_share",
    "signature_algorithms",
    "extensions",
    "curve",
    "signature_scheme",
    "severity",
    "proof",
    "status",
    "verdict",
    "outcome",
    "by",
    "side",
    "basis",
    "method",
    "strength",
    "via",
    "answer",
    "alert",
    "time",
    "first",
    "last",
    "first_time",
    "last_time",
    "not_before",
    "not_after",
    "judged_at",
    "at",
    "level",
    "recognized_as",
    "sign_in",
    "cause",
    "from",
    "content_type",
];

/// Application protocols that stay: names which many programs share (IANA's registry of ALPN protocol ids). Others may be
/// an organization's own.
pub(super) const PROTOCOLS: &[&str] = &[
    "http/0.9",
    "http/1.0",
    "http/1.1",
    "h2",
    "h2c",
    "h3",
    "spdy/1",
    "spdy/2",
    "spdy/3",
    "stun.turn",
    "webrtc",
    "c-webrtc",
    "ftp",
    "imap",
    "pop3",
    "managesieve",
    "coap",
    "xmpp-client",
    "xmpp-server",
    "acme-tls/1",
    "mqtt",
    "dot",
    "doq",
    "ntske/1",
    "smb",
    "irc",
    "nntp",
    "sip/2",
    "tds/8.0",
    "postgresql",
    "radius/1.0",
    "radius/1.1",
];

/// Members that hold paths of files.
pub(super) const FILES: &[&str] = &["path", "capture", "roots", "installed", "bundle", "keylog"];

/// Members that hold distinguished names (RFC 4514).
pub(super) const DISTINGUISHED: &[&str] = &["subject", "issuer"];

/// Containers of every Active Directory, which identify nobody.
pub(super) const CONTAINERS: &[&str] =
    &["Configuration", "Services", "Public Key Services", "AIA", "Certification Authorities", "Enrollment Services"];

/// Words that identify nobody and occur in sentences for other reasons.
pub(super) const COMMON: &[&str] =
    &["ca", "ssl", "tls", "pki", "dns", "http", "ldap", "root", "server", "client", "phone", "device", "certificate"];

/// Paths that belong to the product, not to a site.
pub(super) const PATHS: &[&str] = &["/certprov/", "/webticket/", "/requesthandler/"];

/// The name under which the lists above hold a member: `name` and `how` mean different things in different objects.
pub(super) fn own_name<'a>(of: &str, name: &'a str) -> &'a str {
    match (of, name) {
        ("profile", "name") => "profile",
        ("end", "how") => "by",
        ("dns", "name") => "names",
        _ => name,
    }
}
