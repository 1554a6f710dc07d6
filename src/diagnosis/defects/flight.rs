//! In: a handshake's messages in clear. Out: what shows that one of them breaks a rule of encoding or size, or chooses what
//! some stacks refuse; and what is wrong with the client's certificate. Bounded: by the handshake. Left to others: who
//! refuses that.

use std::ops::{Range, RangeInclusive};

use super::sight::{InClear, Sight};
use crate::diagnosis::assess::{Malformed, Refusable};
use crate::flow::Side;
use crate::protocol::tls::{AlertCode, ClientHello, ServerHello, Version, extension};
use crate::trust::ChainStatus;
use crate::x509::{Certificate, Defect};

fn malformed(sight: &Sight<'_>, is_so: impl Fn(&Malformed) -> bool) -> Option<String> {
    sight.malformed.iter().find(|fault| is_so(fault)).map(ToString::to_string)
}

fn encoding(sight: &Sight<'_>, is_so: impl Fn(&Defect) -> bool) -> Option<String> {
    malformed(sight, |fault| matches!(fault, Malformed::Certificate(_, _, defect) if is_so(defect)))
}

pub(super) fn extension_doubled(sight: &Sight<'_>) -> Option<String> {
    encoding(sight, |defect| matches!(defect, Defect::DoubledExtension(_)))
}

pub(super) fn trailing_bytes(sight: &Sight<'_>) -> Option<String> {
    encoding(sight, |defect| matches!(defect, Defect::TrailingBytes(_)))
}

fn has_offset(text: &str) -> bool {
    text.contains(['+', '-'])
}

fn has_fraction(text: &str) -> bool {
    text.contains(['.', ','])
}

fn time(sight: &Sight<'_>, is_so: impl Fn(&str) -> bool) -> Option<String> {
    encoding(sight, |defect| matches!(defect, Defect::Time { text, .. } if is_so(text)))
}

pub(super) fn time_with_offset(sight: &Sight<'_>) -> Option<String> {
    time(sight, has_offset)
}

pub(super) fn time_without_seconds(sight: &Sight<'_>) -> Option<String> {
    time(sight, |text| !has_offset(text) && !has_fraction(text))
}

pub(super) fn time_with_fraction(sight: &Sight<'_>) -> Option<String> {
    time(sight, |text| !has_offset(text) && has_fraction(text))
}

pub(super) fn explicit_curve(sight: &Sight<'_>) -> Option<String> {
    encoding(sight, |defect| matches!(defect, Defect::ExplicitCurve))
}

pub(super) fn algorithms_differ(sight: &Sight<'_>) -> Option<String> {
    encoding(sight, |defect| matches!(defect, Defect::AlgorithmsDiffer { .. }))
}

pub(super) fn serial_negative(sight: &Sight<'_>) -> Option<String> {
    encoding(sight, |defect| matches!(defect, Defect::NegativeSerial(_)))
}

/// A serial number of more octets than RFC 5280 section 4.1.2.2 allows.
pub(super) fn serial_long(sight: &Sight<'_>) -> Option<String> {
    let digits = |certificate: &Certificate| certificate.serial_hex().chars().filter(char::is_ascii_hexdigit).count();
    let long = sight.line.iter().find(|certificate| digits(certificate) > 40)?;
    Some(format!("the serial number of \"{}\" has more than 20 octets", long.subject().short()))
}

pub(super) fn list_empty(sight: &Sight<'_>) -> Option<String> {
    malformed(sight, |fault| matches!(fault, Malformed::EmptyList))
}

pub(super) fn entry_empty(sight: &Sight<'_>) -> Option<String> {
    malformed(sight, |fault| matches!(fault, Malformed::EmptyEntry))
}

pub(super) fn record_too_long(sight: &Sight<'_>) -> Option<String> {
    malformed(sight, |fault| matches!(fault, Malformed::Overlong(_)))
}

pub(super) fn list_of(sight: &Sight<'_>, range: Range<u64>) -> Option<String> {
    malformed(sight, |fault| matches!(fault, Malformed::LargeList { bytes, .. } if range.contains(bytes)))
}

pub(super) fn usage_lacks(sight: &Sight<'_>, bit: &str) -> Option<String> {
    malformed(sight, |fault| matches!(fault, Malformed::KeyUsage(_, _, needed) if *needed == bit))
}

pub(super) fn issuer_identifier(sight: &Sight<'_>) -> Option<String> {
    malformed(sight, |fault| matches!(fault, Malformed::IssuerIdentifier(..)))
}

fn refusable(sight: &Sight<'_>, is_so: impl Fn(&Refusable) -> bool) -> Option<String> {
    let refusable = sight.in_clear.as_ref()?.refusable.iter().find(|it| is_so(it))?;
    Some(refusable.to_string())
}

pub(super) fn prime_of(sight: &Sight<'_>, range: RangeInclusive<u32>) -> Option<String> {
    refusable(sight, |it| matches!(it, Refusable::ShortPrime(bits) if range.contains(bits)))
}

pub(super) fn no_renegotiation_info(sight: &Sight<'_>) -> Option<String> {
    refusable(sight, |it| matches!(it, Refusable::NoSecureRenegotiation))
}

pub(super) fn suite_not_offered(sight: &Sight<'_>) -> Option<String> {
    refusable(sight, |it| matches!(it, Refusable::Suite(_)))
}

pub(super) fn curve_not_offered(sight: &Sight<'_>) -> Option<String> {
    refusable(sight, |it| matches!(it, Refusable::Curve(_)))
}

fn hellos<'a>(sight: &'a Sight<'_>) -> Option<(&'a ClientHello, &'a ServerHello)> {
    let tls = &sight.in_clear.as_ref()?.handshake.tls;
    tls.client_hello.as_ref().zip(tls.server_hello.as_ref())
}

/// A version that the server takes although the client's hello names a later one.
fn version(sight: &Sight<'_>, chosen: Version) -> Option<String> {
    let (offered, answered) = hellos(sight)?;
    let below = answered.version == chosen && offered.version >= Version::TLS_1_2;
    below.then(|| format!("the server takes {chosen}, where the client's hello names {}", offered.version))
}

pub(super) fn ssl_3(sight: &Sight<'_>) -> Option<String> {
    version(sight, Version::SSL_3_0)
}

pub(super) fn tls_1_0(sight: &Sight<'_>) -> Option<String> {
    version(sight, Version::TLS_1_0)
}

/// rsa_pkcs1_sha1 (RFC 8446 section 4.2.3).
const RSA_SHA1: u16 = 0x0201;

pub(super) fn signed_with_sha1(sight: &Sight<'_>) -> Option<String> {
    let exchange = sight.in_clear.as_ref()?.handshake.tls.server_key_exchange.as_ref()?;
    (exchange.signature == Some(RSA_SHA1)).then(|| "the server signs its key exchange with RSA and SHA-1".to_owned())
}

/// renegotiation_info, which a suite of the client asks for too (RFC 5746 section 3.3).
const RENEGOTIATION_INFO: u16 = 0xff01;

pub(super) fn extension_not_offered(sight: &Sight<'_>) -> Option<String> {
    let (offered, answered) = hellos(sight).filter(|(offered, _)| offered.besides.is_some() && !offered.sslv2)?;
    let asked =
        |kind: u16| offered.extensions.contains(&kind) || (kind == RENEGOTIATION_INFO && offered.renegotiation_info);
    let kind = answered.extensions.iter().find(|kind| !asked(**kind))?;
    Some(format!("the server answers with the extension {}, which the client did not offer", extension(*kind)))
}

pub(super) fn compression_not_offered(sight: &Sight<'_>) -> Option<String> {
    let (offered, answered) = hellos(sight).filter(|(offered, _)| !offered.compressions.is_empty())?;
    let method = answered.compression;
    (!offered.compressions.contains(&method))
        .then(|| format!("the server takes the compression method {method}, which the client did not offer"))
}

pub(super) fn name_warning(sight: &Sight<'_>) -> Option<String> {
    let mut alerts = sight.in_clear.as_ref()?.handshake.tls.alerts.iter();
    let warning = alerts.find(|it| it.from == Side::Server && it.code == AlertCode::UNRECOGNIZED_NAME && !it.fatal)?;
    Some(format!("the server warns that it does not know the name ({})", warning.code))
}

pub(super) fn revoked(sight: &Sight<'_>) -> Option<String> {
    sight.in_clear.as_ref()?.handshake.tls.revoked_by_ocsp()?;
    Some("the stapled OCSP response says that the server's certificate is revoked".to_owned())
}

/// The client's certificates, where the server asked for them and the client answered.
fn client<'a>(sight: &'a Sight<'_>) -> Option<&'a InClear<'a>> {
    sight.in_clear.as_ref().filter(|it| it.handshake.tls.certificates.client.as_ref().is_some_and(|list| list.complete))
}

pub(super) fn client_sent_none(sight: &Sight<'_>) -> Option<String> {
    let none = client(sight)?.handshake.client_sent.is_empty();
    none.then(|| "the client has no certificate".to_owned())
}

pub(super) fn client_sent_leaf_alone(sight: &Sight<'_>) -> Option<String> {
    let [own] = client(sight)?.handshake.client_sent.as_slice() else { return None };
    (!own.is_self_issued() && sight.client_status == Some(ChainStatus::MissingIntermediate))
        .then(|| "the client sends its certificate without the intermediates".to_owned())
}

pub(super) fn client_purpose(sight: &Sight<'_>) -> Option<String> {
    let own = client(sight)?.handshake.client_sent.first()?;
    (!own.permits_client_auth()).then(|| "the client's certificate is for other uses".to_owned())
}

pub(super) fn client_dates(sight: &Sight<'_>, expired: bool) -> Option<String> {
    let handshake = client(sight)?.handshake;
    let (own, at) = (handshake.client_sent.first()?, handshake.first.time);
    let outside = if expired { at > own.not_after() } else { at < own.not_before() };
    let words = if expired { "has expired" } else { "is not yet valid" };
    outside.then(|| format!("the client's certificate {words}"))
}
