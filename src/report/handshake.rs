//! In: a handshake and how its chain was judged. Out: the handshake as people and machines read it. Bounded: by both.

use std::sync::Arc;

use super::chain::Shown;
use super::model;
use super::places::Places;
use super::stack::ClientStack;
use crate::diagnosis::{DeviceDiagnosis, Judged};
use crate::evidence::{Device, Handshake, endpoint};
use crate::flow::Side;
use crate::protocol::tls;
use crate::x509::Certificate;

/// The `id` of a handshake of a device.
pub(super) fn handshake_id(judged: &DeviceDiagnosis<'_>, index: usize) -> Option<String> {
    judged.handshakes.get(index).map(|judged| id_of(judged.handshake))
}

fn id_of(handshake: &Handshake) -> String {
    format!("{}:{}:{}", handshake.first.capture + 1, handshake.stream, handshake.first.number)
}

/// One handshake of a device.
pub(super) fn handshake(
    places: Places<'_>,
    judged: &DeviceDiagnosis<'_>,
    device: &Device,
    index: usize,
) -> Option<model::Handshake> {
    let Judged { handshake, client_stack, assessment, recovered_by, .. } = judged.handshakes.get(index)?;
    let seen = Some((device, *handshake));
    let shown = Shown { places, profile: &judged.profile, anchors: &judged.anchors, seen };
    let hello = handshake.tls.client_hello.as_ref();
    let digests = |list: &[Arc<Certificate>]| list.iter().map(|c| c.sha256().to_string()).collect();
    let capture = handshake.first.capture;
    Some(model::Handshake {
        id: id_of(handshake),
        capture: places.path(capture),
        stream: places.stream(handshake.stream, capture),
        frame: handshake.first.number,
        time: handshake.first.time.to_string(),
        also_seen: handshake
            .also_seen
            .iter()
            .map(|(stream, at)| model::Sighting {
                capture: places.path(at.capture),
                stream: places.stream(*stream, at.capture),
                frame: at.number,
                time: at.time.to_string(),
            })
            .collect(),
        client: endpoint(handshake.client),
        server: endpoint(handshake.server),
        // Endpoints are written without brackets, also those with an IPv6 address.
        tunnel_to: handshake.tls.tunnel_to.as_ref().map(|endpoint| endpoint.replace(['[', ']'], "")),
        server_name: handshake.server_name().map(str::to_owned),
        client_version: hello.map(|hello| hello.version.to_string()),
        version: handshake.tls.version().map(|version| version.to_string()),
        cipher_suite: handshake.tls.server_hello.as_ref().and_then(|hello| hello.cipher_suite).map(tls::cipher_suite),
        client_hello: hello.map(client_hello),
        client_stack: client_stack.as_deref().map(ClientStack::of),
        server_hello: handshake.tls.server_hello.as_ref().map(server_hello),
        key_exchange: handshake.tls.server_key_exchange.as_ref().map(key_exchange),
        resumed: handshake.tls.resumed(),
        history: handshake.history.to_string(),
        certificates: digests(&handshake.sent),
        client_certificates: digests(&handshake.client_sent),
        certificate_request: handshake.tls.certificate_request.as_ref().map(|request| model::CertificateRequest {
            authorities: u64::try_from(request.authorities.len()).unwrap_or(u64::MAX),
            bytes: request.bytes,
        }),
        alerts: handshake.tls.alerts.iter().map(alert).collect(),
        clear_text: handshake.tls.other_protocol().map(|answer| answer.text.clone()).filter(|text| !text.is_empty()),
        outcome: handshake.ending.outcome,
        end: model::End {
            by: handshake.ending.by.map(party),
            how: handshake.ending.how,
            frame: handshake.ending.at.map(|at| at.number),
        },
        recovered_by: recovered_by.map(|at| places.place(at)),
        chain: shown.chain(&assessment.chain, Some(assessment.dates.judged_at.to_string())),
        client_chain: assessment.client_chain.as_ref().map(|chain| shown.chain(chain, None)),
        repeats: handshake.repeats,
    })
}

/// Most entries of a hello's list that are written; no client in use offers as many.
const LISTED: usize = 256;

fn client_hello(hello: &tls::ClientHello) -> model::ClientHello {
    let signatures = hello.signature_algorithms.as_deref();
    let versions: Vec<u16> = hello.versions.iter().map(|version| version.0).collect();
    let lists = [
        &hello.cipher_suites,
        &hello.groups,
        &hello.key_shares,
        signatures.unwrap_or_default(),
        &hello.extensions,
        &versions,
    ];
    model::ClientHello {
        versions: named(&versions, |version| tls::Version(version).to_string()),
        cipher_suites: named(&hello.cipher_suites, tls::cipher_suite),
        groups: named(&hello.groups, tls::group),
        key_shares: named(&hello.key_shares, tls::group),
        alpn: hello.alpn.iter().take(LISTED).cloned().collect(),
        signature_algorithms: signatures.map(|schemes| named(schemes, tls::signature_scheme)),
        extensions: extensions(&hello.extensions),
        // Specs of SSL 2.0 alone have no names here; extensions that cannot be read have no fingerprint.
        complete: !hello.sslv2
            && hello.besides.is_some()
            && lists.iter().all(|list| list.len() <= LISTED)
            && hello.alpn.len() <= LISTED,
    }
}

fn server_hello(hello: &tls::ServerHello) -> model::ServerHello {
    model::ServerHello {
        key_share: hello.key_share.map(tls::group),
        alpn: hello.alpn.clone(),
        extensions: extensions(&hello.extensions),
    }
}

/// The names of extensions by number, because browsers shuffle them.
fn extensions(types: &[u16]) -> Vec<String> {
    let mut types = types.to_vec();
    types.sort_unstable();
    named(&types, tls::extension)
}

/// The names of a list's first numbers.
fn named(list: &[u16], name: impl Fn(u16) -> String) -> Vec<String> {
    list.iter().copied().filter(|number| !tls::is_grease(*number)).take(LISTED).map(name).collect()
}

fn key_exchange(exchange: &tls::ServerKeyExchange) -> model::KeyExchange {
    let (prime_bits, curve) = match exchange.group {
        tls::Group::Prime(bits) => (Some(bits), None),
        tls::Group::Curve(curve) => (None, Some(tls::group(curve))),
        tls::Group::Explicit => (None, Some("explicit".to_owned())),
    };
    model::KeyExchange { prime_bits, curve, signature_scheme: exchange.signature.map(tls::signature_scheme) }
}

fn party(side: Side) -> model::Party {
    match side {
        Side::Client => model::Party::Client,
        Side::Server => model::Party::Server,
    }
}

fn alert(alert: &tls::Alert) -> model::Alert {
    model::Alert {
        from: party(alert.from),
        level: if alert.fatal { "fatal" } else { "warning" }.into(),
        code: alert.code.0,
        name: alert.code.to_string(),
        frame: alert.at.number,
    }
}
