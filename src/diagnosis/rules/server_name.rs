//! CG031: the server needs a name that the hello lacks, or does not know the name.
//!
//! In: a judged handshake. Out: whether the server's choice of certificate, or its alert, shows that, and the finding.
//! Bounded: by the list of known defaults. Left to others: what the server sent to other clients (`offers`).

use super::logic::{Cause, Facts, Lacks, Logic, never_a_rival};
use super::remedy;
use crate::diagnosis::assess::NameCheck;
use crate::diagnosis::code::Code;
use crate::diagnosis::finding::Finding;
use crate::diagnosis::judged::Judged;
use crate::diagnosis::session::Session;
use crate::diagnosis::words;
use crate::evidence::Handshake;
use crate::flow::Side;
use crate::protocol::tls::{Alert, AlertCode};
use crate::trust::Proof;

pub(super) const SERVER_NAME: Logic = Logic {
    degrades: false,
    lacks: Lacks::Nothing,
    cause: Some(Cause { holds, exclusion: never_a_rival, describe }),
    find: None,
};

/// Certificates by which a server says that it has none for the client: the common name, and whose they are. Each is in its
/// maker's source (`internal/net/ssl/ssl.go` of ingress-nginx, `DefaultDomain` of `pkg/tls/generate/generate.go` of Traefik)
/// or, of Google's, in reports of others (sylpheed issue 74, fdm pull request 50: "No SNI provided; please fix your client").
const DEFAULTS: &[(&str, &str)] = &[
    ("Kubernetes Ingress Controller Fake Certificate", "ingress-nginx"),
    ("TRAEFIK DEFAULT CERT", "Traefik"),
    ("invalid2.invalid", "Google's servers"),
];

fn holds(facts: &Facts<'_>) -> bool {
    let without_name = facts.handshake.tls.client_hello.as_ref().is_some_and(|hello| hello.server_name.is_none());
    let not_covered = matches!(facts.assessment.name, NameCheck::NotCovered { .. });
    warned(facts.handshake).is_some()
        || default_of(facts.handshake).is_some()
        || (without_name && not_covered && facts.elsewhere.by_name.is_some())
}

/// The server's alert that it does not know the name, fatal or a warning (RFC 6066 section 3).
fn warned(handshake: &Handshake) -> Option<&Alert> {
    let alerts = handshake.tls.alerts.iter();
    alerts.rev().find(|alert| alert.from == Side::Server && alert.code == AlertCode::UNRECOGNIZED_NAME)
}

/// Whether nothing but a warning of the server speaks of its name, which clients may pass over.
pub(in crate::diagnosis) fn only_warned(handshake: &Handshake) -> bool {
    warned(handshake).is_some_and(|alert| !alert.fatal) && default_of(handshake).is_none()
}

/// Whose default certificate the server sent.
fn default_of(handshake: &Handshake) -> Option<&'static str> {
    let name = handshake.own_certificate()?.common_name()?;
    DEFAULTS.iter().find(|(known, _)| *known == name).map(|(_, whose)| *whose)
}

fn describe(session: &Session<'_>, judged: &Judged<'_>, code: Code) -> Finding {
    let handshake = judged.handshake;
    let alert = warned(handshake);
    let proof = match alert {
        _ if judged.ruling.is_ambiguous() => Proof::Undecidable,
        Some(alert) if alert.fatal => Proof::Proven,
        _ => Proof::Inferred,
    };
    let mut finding = session.cause(code, proof, judged, &in_words(session, judged));
    finding.evidence.extend(handshake.tls.client_hello.as_ref().map(|hello| {
        let name = hello.server_name.as_ref();
        (
            hello.at,
            name.map_or("ClientHello without a server name (SNI)".into(), |name| format!("ClientHello for {name}")),
        )
    }));
    finding.evidence.extend(alert.map(|alert| (alert.at, format!("server: {}", words::alert(alert)))));
    if alert.is_none() {
        let own = handshake.own_certificate().map(|leaf| leaf.subject().short()).unwrap_or_default();
        finding.evidence.extend(judged.at_certificates(format!("the server sent \"{own}\"")));
        let other = judged.ruling.elsewhere.by_name.as_ref();
        finding.evidence.extend(other.map(|named| {
            (named.at, format!("a client that asked for {} was sent \"{}\"", named.name, named.leaf.subject().short()))
        }));
    }
    finding.evidence.extend(judged.ending());
    finding.excluded = judged.excluded_beside(code);
    finding.certificates = handshake.own_certificate().cloned().into_iter().collect();
    finding.remedies = remedies(handshake);
    finding
}

fn in_words(session: &Session<'_>, judged: &Judged<'_>) -> String {
    let (handshake, noun) = (judged.handshake, session.noun());
    match (warned(handshake), handshake.server_name()) {
        (Some(alert), Some(name)) => {
            format!("the server does not know the name {name} ({})", words::alert(alert))
        }
        (Some(alert), None) => {
            format!("the server wants to be told a server name, and the {noun} told none ({})", words::alert(alert))
        }
        (None, name) => {
            let whose = default_of(handshake).map(|whose| format!(" (that of {whose})")).unwrap_or_default();
            match name {
                Some(name) => {
                    format!("the server sent its default certificate{whose}: it does not know the name {name}")
                }
                None if handshake.tls.client_hello.is_none() => format!(
                    "the server sent its default certificate{whose}: it was told no server name (SNI), or one that it does not know"
                ),
                None => {
                    format!("the {noun} told no server name (SNI), and the server sent its default certificate{whose}")
                }
            }
        }
    }
}

fn remedies(handshake: &Handshake) -> Vec<String> {
    let address = remedy::bracketed(handshake.server);
    let port = handshake.server.port();
    let server = format!("{address}:{port}");
    match handshake.server_name() {
        Some(name) => vec![
            format!(
                "add the name to the server's configuration (server_name, ServerName, host of the ingress), and see what it answers\n  openssl s_client -connect {server} -servername {}",
                remedy::host(Some(name), "<name>")
            ),
            "or set the device to a name that the server knows".into(),
        ],
        None => vec![
            format!(
                "make the certificate that this client needs the server's default: the one for clients without a server name\n  openssl s_client -connect {server} -noservername\n  openssl s_client -connect {server} -servername <name>"
            ),
            "or give clients without SNI an address of their own".into(),
        ],
    }
}
