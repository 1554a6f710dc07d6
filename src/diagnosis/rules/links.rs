//! What to do about links that a device lacks (CG001, CG002, CG003), and about a chain that cannot be judged (CG025).
//!
//! In: the missing links, the handshake, and who the reader is. Out: remedies, with commands to copy. Bounded: by the
//! links. Left to others: whether a link is missing. What only helps Lync phones is told about such a device alone;
//! other readers are told what their server needs, by what is seen of it (D-DIAGNOSIS-42).

use std::fmt::Write;

use super::coverage::show_certificates;
use super::remedy::{self, host};
use crate::diagnosis::anchors::Absence;
use crate::diagnosis::judged::Judged;
use crate::diagnosis::session::Session;
use crate::evidence::{Handshake, SignInMethod};
use crate::trust::{ChainStatus, Judgement, Missing};
use crate::x509::Certificate;

/// Remedies on the server come first, because they help every device; then those for Lync phones.
pub(super) fn add_intermediates(session: &Session<'_>, handshake: &Handshake, missing: &[Missing]) -> Vec<String> {
    let it = if missing.len() == 1 { "it" } else { "them" };
    let check = remedy::check(session, handshake);
    let Some(lync) = remedy::if_lync(session) else {
        let mut remedies = vec![format!(
            "make the server send {it}: the file that it serves must hold its own certificate and behind that every intermediate (fullchain.pem)\n{}{}\n{check}",
            export(session, missing),
            join_chain(session, missing)
        )];
        remedies.push(set_up(session, handshake, missing));
        return remedies;
    };
    let mut remedies = vec![format!(
        "make the server send {it}: on Windows import into LocalMachine\\Intermediate and restart the service, then check\n{}{}\n{check}",
        export(session, missing),
        for_each(session, missing, |file| format!("  certutil -addstore CA {file}"))
    )];
    if session.sign_in != SignInMethod::Pin {
        remedies.push(format!("{lync}{PIN_FIRST}: the phone stores the chain that the PIN sign-in downloads"));
    }
    remedies.push(format!(
        "{lync}publish {it} in Active Directory, where USB sign-in looks\n{}",
        for_each(session, missing, |file| format!("  certutil -f -dspublish {file} SubCA"))
    ));
    let web_service = missing.iter().map(|link| remedy::web_service(link.candidates.first(), "IntermediateCA"));
    remedies.push(format!(
        "{lync}add {it} to what the web service hands out\n{}",
        web_service.collect::<Vec<_>>().join("\n")
    ));
    remedies
}

const PIN_FIRST: &str = "sign in once with a PIN, then tether";

/// The command that writes the missing certificates that a capture shows, with its line end.
fn export(session: &Session<'_>, missing: &[Missing]) -> &'static str {
    let any = missing.iter().any(|link| seen(session, link).is_some());
    if any { "  chaingap certs CAPTURE --missing -o missing\n" } else { "" }
}

/// A missing certificate that a capture shows.
fn seen<'m>(session: &Session<'_>, missing: &'m Missing) -> Option<&'m Certificate> {
    let is_seen = |c: &&Certificate| !session.evidence.certificates.sightings(c.sha256()).is_empty();
    missing.candidates.first().map(AsRef::as_ref).filter(is_seen)
}

/// The files of the missing certificates: those that `chaingap certs` writes, by the digits of the hash in their names,
/// and placeholders for what no capture shows. A name from a certificate never stands in a command.
fn files(session: &Session<'_>, missing: &[Missing]) -> Vec<String> {
    let file = |(at, link): (usize, &Missing)| match seen(session, link) {
        Some(certificate) => {
            let digits: String = certificate.sha256().to_string().chars().take(12).collect();
            format!("missing/*-{digits}.pem")
        }
        None if missing.len() == 1 => "intermediate.cer".to_owned(),
        None => format!("intermediate-{}.cer", at + 1),
    };
    missing.iter().enumerate().map(file).collect()
}

/// A command of Windows for each missing certificate. Only the shell can find a file by a part of its name.
fn for_each(session: &Session<'_>, missing: &[Missing], command: impl Fn(&str) -> String) -> String {
    let files = files(session, missing).into_iter();
    let lines = files.map(|file| match file.contains('*') {
        true => command(&format!("(Resolve-Path {file})")),
        false => command(&file),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The command that makes the file of a whole chain, the server's own certificate first.
fn join_chain(session: &Session<'_>, missing: &[Missing]) -> String {
    let mut command = "  cat server.pem".to_owned();
    for file in files(session, missing) {
        let _ = write!(command, " {}", file.replace(".cer", ".pem"));
    }
    command + " > fullchain.pem"
}

/// How the server is told of its chain, by what is seen of the server.
fn set_up(session: &Session<'_>, handshake: &Handshake, missing: &[Missing]) -> String {
    // Certificate authorities of Active Directory give an address in the directory.
    let of_directory = |leaf: &Certificate| leaf.ca_issuers().iter().any(|uri| uri.starts_with("ldap:"));
    match handshake.server.port() {
        _ if handshake.own_certificate().is_some_and(|leaf| of_directory(leaf)) => format!(
            "on Windows (IIS), import what is missing into LocalMachine\\Intermediate instead, and restart the service\n{}",
            for_each(session, missing, |file| format!("  certutil -addstore CA {file}"))
        ),
        5060 | 5061 => "in Asterisk name that file as cert_file of the TLS transport (pjsip.conf), in Kamailio as certificate (tls.cfg); then restart it".into(),
        8443 | 9443 => "in a Java keystore put the whole chain behind the key\n  openssl pkcs12 -export -in fullchain.pem -inkey server.key -out server.p12\n  keytool -importkeystore -srckeystore server.p12 -srcstoretype PKCS12 -destkeystore server.jks".into(),
        _ => "in nginx name that file with ssl_certificate, in Apache with SSLCertificateFile (from 2.4.8 on; before, the intermediates with SSLCertificateChainFile); on IIS import the intermediates into LocalMachine\\Intermediate".into(),
    }
}

pub(super) fn add_root(session: &Session<'_>, chain: &Judgement) -> Vec<String> {
    let root = chain.longest_path().and_then(|path| path.root());
    let mut remedies = Vec::new();
    if !session.is_phone {
        remedies.push(
            "install the root on the device, or give the server a certificate of a CA that the device trusts".into(),
        );
    }
    if let Some(lync) = remedy::if_lync(session) {
        remedies.push(format!(
            "{lync}publish the root in Active Directory, where USB sign-in looks\n  certutil -f -dspublish root.cer RootCA"
        ));
        remedies.push(format!(
            "{lync}add it to what the web service hands out at PIN sign-in\n{}",
            remedy::web_service(root, "TrustedRootCA")
        ));
    }
    remedies.push(format!(
        "if the {} should know this root, update its firmware: older releases ship fewer roots",
        session.noun()
    ));
    if session.anchors.absence() == Absence::Unknown {
        remedies.push(
            "name all roots that the device has, to see whether this is the cause\n  chaingap analyze CAPTURE --profile generic-no-aia --roots roots.pem".into(),
        );
    }
    // The first remedy is not an alternative to another one.
    if let Some(first) = remedies.first_mut().filter(|first| first.starts_with("or ")) {
        first.drain(.."or ".len());
    }
    remedies
}

/// What to do where it is not known what is wrong with a chain: what helps whichever it is, and last what settles it.
pub(super) fn settle(session: &Session<'_>, judged: &Judged<'_>) -> Vec<String> {
    let (handshake, assessment) = (judged.handshake, &judged.assessment);
    if assessment.chain.status == ChainStatus::Hidden {
        return show_certificates(Some(&remedy::server_of(session, handshake)));
    }
    if assessment.unreadable.is_some() {
        return remedy::capture_better();
    }
    if assessment.chain.is_unchecked() {
        return remedy::check_elsewhere();
    }
    let mut remedies = Vec::new();
    let lync = remedy::if_lync(session).filter(|_| session.sign_in != SignInMethod::Pin);
    if let Some(lync) = lync.map(|lync| lync.trim_start_matches("or ")) {
        remedies.push(format!(
            "{lync}{PIN_FIRST}: the PIN sign-in downloads the intermediates and the root, so that it helps whichever is missing"
        ));
    }
    if handshake.sent.len() == 1 && remedy::if_lync(session).is_none() {
        remedies.push(format!(
            "if the CA has an intermediate, make the server send it too: it sent its own certificate alone (fullchain.pem has both)\n{}",
            remedy::check(session, handshake)
        ));
    }
    remedies.push("capture a sign-in that works beside it, and analyze both".into());
    if let Some(below) = assessment.chain.missing.first().map(|link| &link.below) {
        remedies.push(format!(
            "get the issuer's certificate and run again, which settles it: one that is signed by itself is a root\n{}",
            fetch_issuer(below)
        ));
    }
    remedies
}

/// The commands that get the issuer's certificate and use it. Of the address in the certificate, only the host may stand
/// in a command.
fn fetch_issuer(below: &Certificate) -> String {
    let over_http = below.ca_issuers().iter().find_map(|uri| {
        let (name, path) = uri.strip_prefix("http://")?.split_once('/').unwrap_or((uri.strip_prefix("http://")?, ""));
        let host = host(Some(name), "");
        (!host.is_empty()).then(|| format!("http://{host}/{}", if path.is_empty() { "" } else { "<path>" }))
    });
    let get = match over_http {
        Some(address) => format!("  curl -o issuer.cer {address}"),
        // An Active Directory CA, which any PC of the domain may ask.
        None if below.ca_issuers().iter().any(|uri| uri.starts_with("ldap:")) => {
            "  certutil -ca.cert issuer.cer".into()
        }
        None => "  openssl x509 -in server.pem -noout -issuer -ext authorityInfoAccess".into(),
    };
    format!("{get}\n  chaingap analyze CAPTURE --bundle issuer.cer --roots root.pem")
}
