//! In: names, addresses, certificates. Out: what the remedies of several families share: safe words for commands, and
//! whole commands to copy. Bounded: nothing is kept. Left to others: which remedy a finding has. A line of a remedy that
//! starts with a space is a command.
//!
//! Only host names of `[A-Za-z0-9.-]` that do not start with `-`, addresses and hexadecimal digits from a capture are
//! ever put into a command; anything else is a placeholder, because people paste these lines into a shell.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::diagnosis::session::Session;
use crate::evidence::Handshake;
use crate::x509::Certificate;

/// A host name that is safe to use in a command.
pub(super) fn host(name: Option<&str>, placeholder: &str) -> String {
    let safe = |name: &&str| {
        !name.is_empty()
            && !name.starts_with('-')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || ".-".contains(c))
    };
    name.filter(safe).unwrap_or(placeholder).to_owned()
}

pub(super) fn server_of(session: &Session<'_>, handshake: &Handshake) -> String {
    let address = handshake.server.ip();
    let mut asked = session.device.names.iter().filter(|(_, naming)| naming.addresses.contains(&address));
    let covered = |name: &str| {
        handshake.own_certificate().is_some_and(|leaf| leaf.matches_host(name, session.profile.host_rules()))
    };
    let asked = asked.clone().find(|(name, _)| covered(name)).or_else(|| asked.next());
    let name = handshake.server_name().or(asked.map(|(name, _)| name.as_str()));
    format!("{}:{}", host(name, &bracketed(handshake.server)), handshake.server.port())
}

/// The command that shows what a server sends.
pub(super) fn check(session: &Session<'_>, handshake: &Handshake) -> String {
    let name = handshake.server_name().map(|name| host(Some(name), "")).filter(|name| !name.is_empty());
    let name = name.map(|name| format!(" -servername {name}")).unwrap_or_default();
    format!("  openssl s_client -connect {}{name} -showcerts", server_of(session, handshake))
}

pub(super) fn bracketed(server: SocketAddr) -> String {
    if server.is_ipv6() { format!("[{}]", server.ip()) } else { server.ip().to_string() }
}

/// How a remedy begins that only helps Lync phones; `None` where the device is held to be something else.
pub(super) fn if_lync(session: &Session<'_>) -> Option<&'static str> {
    let lead = if session.is_phone { "or " } else { "if it is a Lync phone: " };
    session.may_be_phone().then_some(lead)
}

/// The commands that let the web service hand a certificate out, with a placeholder if it was not seen.
pub(in crate::diagnosis) fn web_service(certificate: Option<&Arc<Certificate>>, store: &str) -> String {
    let thumbprint = certificate.map_or("<thumbprint>", |certificate| certificate.sha1_hex());
    format!(
        "  $x = New-CsWebTrustedCACertificate -Thumbprint \"{thumbprint}\" -CAStore {store}\n  Set-CsWebServiceConfiguration -Identity site:<Site> -TrustedCACerts @{{Add=$x}}"
    )
}

/// Each remedy once, in the order of the faults that ask for them.
pub(super) fn each_once<'r>(remedies: impl Iterator<Item = &'r str>) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for remedy in remedies {
        if !out.iter().any(|known| known == remedy) {
            out.push(remedy.to_owned());
        }
    }
    out
}

/// How to record so that nothing is missing.
pub(super) fn capture_better() -> Vec<String> {
    vec!["capture whole packets, both directions, from before the device starts until after it fails\n  dumpcap -i <interface> -s 0 -f \"host <device>\" -w sign-in.pcapng".into()]
}

/// What to do where a signature cannot be checked here: more certificates would not settle it.
pub(in crate::diagnosis) fn check_elsewhere() -> Vec<String> {
    vec!["check the chain with a program that knows this algorithm\n  openssl verify -x509_strict -CAfile root.pem -untrusted intermediates.pem server.pem".into()]
}
