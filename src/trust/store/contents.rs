//! What a file of certificates holds, whatever its kind.
//!
//! In: the bytes of a file. Out: each certificate or what should be one, with its place and whether a server that reads
//! the file as its chain sees it; what of the file is none. Bounded: by the file. Left to others: what the file is for.

use std::collections::BTreeMap;

use super::{pem, serialized};
use crate::files::{self, Kind};
use crate::protocol::pkcs7;
use crate::x509::Certificate;

/// What a file holds, before it is known what it is for.
pub(super) struct Contents {
    pub(super) form: Form,
    pub(super) items: Vec<Item>,
    /// What of the file is no certificate.
    pub(super) notes: Vec<String>,
}

/// How a file holds its certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// One after the other.
    List,
    /// As a set, or in a form that no server reads as its chain.
    Set,
}

impl Form {
    pub(super) fn is_ordered(self) -> bool {
        self == Self::List
    }
}

/// A certificate of the file, or what should be one.
pub(super) struct Item {
    /// Where it is in the file; empty where the whole file is one thing.
    pub(super) place: String,
    pub(super) certificate: Result<Certificate, String>,
    /// Whether a server that reads the file as its chain sees it.
    pub(super) is_sent: bool,
    /// Why a server that sees it cannot read it, though it can be read leniently.
    pub(super) breach: Option<String>,
}

/// Reads a file of any kind.
pub(super) fn contents(bytes: &[u8]) -> Contents {
    let text = files::utf8(bytes);
    if let Some(store) = serialized::read(bytes) {
        let items = items_of(store.certificates.into_iter().map(Certificate::from_der), "");
        let cut = (!store.whole).then(|| "the store is cut: its end is missing".to_owned());
        return Contents { form: Form::Set, items, notes: cut.into_iter().collect() };
    }
    if pem::is_in(&text) {
        return of_pem(&text);
    }
    let decoded = || pem::unarmour(&text).ok().filter(|decoded| !decoded.is_empty());
    let of_der = Der::read(bytes).or_else(|| Der::read(&decoded()?)).map(|der| {
        let mut notes: Vec<_> = der.is_empty_message().then(|| EMPTY_MESSAGE.to_owned()).into_iter().collect();
        notes.extend(der.rest_in_words());
        Contents { form: Form::Set, items: items_of(der.certificates.into_iter(), ""), notes }
    });
    of_der.unwrap_or_else(|| {
        let kind = Kind::of_file(bytes).or_else(|| Kind::of_file(&decoded()?));
        let kind = kind.map_or("neither PEM, DER nor PKCS#7".to_owned(), |kind| format!("it is {}", kind.in_words()));
        Contents { form: Form::Set, items: Vec::new(), notes: vec![format!("no certificate found: {kind}")] }
    })
}

const EMPTY_MESSAGE: &str = "PKCS#7 message without certificates";

fn items_of(certificates: impl Iterator<Item = Certificate>, place: &str) -> Vec<Item> {
    let item = |certificate| Item { place: place.into(), certificate: Ok(certificate), is_sent: false, breach: None };
    certificates.map(item).collect()
}

/// The PEM blocks of a text.
fn of_pem(text: &[u8]) -> Contents {
    let mut out = Contents { form: Form::List, items: Vec::new(), notes: Vec::new() };
    let (mut others, mut keys, mut message) = (BTreeMap::<String, usize>::new(), 0, false);
    let mut blocks = 0;
    for block in pem::blocks(text) {
        blocks += 1;
        let place = format!("PEM block at byte {}", block.at);
        // OpenSSL reads a certificate with trust settings only in the first place.
        let may_be_sent = match block.label.as_str() {
            "CERTIFICATE" | "X509 CERTIFICATE" => true,
            "TRUSTED CERTIFICATE" => !out.items.iter().any(|item| item.is_sent),
            "PKCS7" | "CMS" | "PKCS #7 SIGNED DATA" | "" => false,
            label if label.ends_with("PRIVATE KEY") => {
                keys += 1;
                continue;
            }
            label => {
                *others.entry(label.escape_debug().to_string()).or_default() += 1;
                continue;
            }
        };
        let is_sent = block.begins_line && may_be_sent;
        let read = block
            .body
            .and_then(|bytes| Der::read(&bytes).ok_or_else(|| format!("no certificate in its {} bytes", bytes.len())));
        match read {
            Err(why) => {
                let is_sent = block.begins_line && (may_be_sent || block.label.is_empty());
                out.items.push(Item { place, certificate: Err(why), is_sent, breach: None });
            }
            Ok(der) => {
                if der.is_empty_message() {
                    out.notes.push(format!("{place}: {EMPTY_MESSAGE}"));
                }
                message |= der.is_message;
                let is_sent = is_sent && !der.is_message;
                let breach = block.breach.filter(|_| is_sent);
                let items = items_of(der.certificates.into_iter(), &place).into_iter().enumerate();
                // A server takes one certificate of a block.
                out.items.extend(items.map(|(at, item)| Item {
                    is_sent: is_sent && at == 0,
                    breach: breach.clone(),
                    ..item
                }));
            }
        }
    }
    if message && !out.items.iter().any(|item| item.is_sent) {
        out.form = Form::Set;
    }
    let orphans = pem::last_lines(text).saturating_sub(blocks);
    if orphans > 0 {
        let (count, what) = if orphans == 1 { ("a".to_owned(), "line") } else { (orphans.to_string(), "lines") };
        out.notes.push(format!("{count} last {what} of PEM without a first line: a certificate there is passed over"));
    }
    if keys > 0 {
        let (is, it) = if keys == 1 { ("a private key is", "it") } else { ("private keys are", "them") };
        out.notes.push(format!("{is} in this file too, and not read; keep {it} out of files that you pass on"));
    }
    for (kind, count) in others {
        out.notes.push(format!("{count} {} of type {kind} skipped", plural(count, "block")));
    }
    if out.items.is_empty() && keys > 0 && out.notes.len() == 1 {
        out.notes = vec![format!("no certificate found: it is {}", Kind::PRIVATE_KEY.in_words())];
    }
    out
}

/// Certificates in DER.
struct Der {
    certificates: Vec<Certificate>,
    /// Whether they are those of a PKCS#7 message.
    is_message: bool,
    /// Bytes of the whole, and of what follows the last certificate.
    bytes: usize,
    rest: usize,
}

impl Der {
    /// A PKCS#7 message, or certificates one after the other; `None` if it is neither.
    fn read(bytes: &[u8]) -> Option<Self> {
        if let Some(certificates) = pkcs7::certificates(bytes) {
            let certificates = certificates.iter().map(|der| Certificate::from_der(der)).collect();
            return Some(Self { certificates, is_message: true, bytes: bytes.len(), rest: 0 });
        }
        let (mut rest, mut certificates) = (bytes, Vec::new());
        while let Some(length) = pkcs7::looks_like_certificate(rest) {
            let (der, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
            certificates.push(Certificate::from_der(der));
            rest = after;
        }
        let rest = if rest.iter().all(u8::is_ascii_whitespace) { 0 } else { rest.len() };
        (!certificates.is_empty()).then_some(Self { certificates, is_message: false, bytes: bytes.len(), rest })
    }

    fn is_empty_message(&self) -> bool {
        self.is_message && self.certificates.is_empty()
    }

    /// What follows the last certificate. In a PEM block, OpenSSL's trust settings may; in a file of DER, nothing should.
    fn rest_in_words(&self) -> Option<String> {
        let at = self.bytes - self.rest;
        (self.rest > 0).then(|| format!("{} bytes after the last certificate, at byte {at}", self.rest))
    }
}

pub(super) fn plural(count: usize, word: &str) -> String {
    if count == 1 { word.to_owned() } else { format!("{word}s") }
}
