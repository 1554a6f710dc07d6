//! What a file of certificates holds, whatever its kind.
//!
//! In: the bytes of a file. Out: each certificate or what should be one, with its place and whether a server that reads
//! the file as its chain sees it; what of the file is none. Bounded: by the file. Left to others: what the file is for.

use std::collections::BTreeMap;

use super::pem::{self, Block};
use super::serialized;
use crate::files::{self, Kind};
use crate::protocol::pkcs7;
use crate::x509::{Certificate, TrustSettings};

/// What a file holds, before it is known what it is for.
#[derive(Default)]
pub(super) struct Contents {
    pub(super) form: Form,
    pub(super) items: Vec<Item>,
    /// What of the file is no certificate.
    pub(super) notes: Vec<String>,
    /// Why a server cannot read the file, whatever its certificates are.
    pub(super) stops: Vec<String>,
}

/// How a file holds its certificates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Form {
    /// One after the other.
    List,
    /// As a set, or in a form that no server reads as its chain.
    #[default]
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
    /// OpenSSL's trust settings behind it.
    pub(super) settings: Option<TrustSettings>,
    /// Whether a server that reads the file as its chain sees it.
    pub(super) is_sent: bool,
    /// Why a server that sees it cannot read it, though it can be read leniently.
    pub(super) breach: Option<String>,
}

impl Item {
    /// What should be a certificate, and is none.
    fn unread(place: &str, why: String) -> Self {
        Self { place: place.into(), certificate: Err(why), settings: None, is_sent: false, breach: None }
    }
}

/// Reads a file of any kind.
pub(super) fn contents(bytes: &[u8]) -> Contents {
    let text = files::utf8(bytes);
    if let Some(store) = serialized::read(bytes) {
        let items = items_of(store.certificates.into_iter().map(Certificate::from_der), "");
        let cut = (!store.whole).then(|| "the store is cut: its end is missing".to_owned());
        return Contents { items, notes: cut.into_iter().collect(), ..Contents::default() };
    }
    if pem::is_in(&text) {
        return of_pem(&text);
    }
    let decoded = || pem::unarmour(&text).ok().filter(|decoded| !decoded.is_empty());
    let of_der = Der::read(bytes).or_else(|| Der::read(&decoded()?)).map(|der| {
        let mut notes: Vec<_> = der.is_empty_message().then(|| EMPTY_MESSAGE.to_owned()).into_iter().collect();
        notes.extend(der.rest_in_words());
        let mut items = items_of(der.certificates.into_iter(), "");
        items.extend(der.is_cut.then(|| Item::unread("", CUT_MESSAGE.into())));
        Contents { items, notes, ..Contents::default() }
    });
    of_der.unwrap_or_else(|| {
        let kind = Kind::of_file(bytes).or_else(|| Kind::of_file(&decoded()?));
        let words = kind.map_or("neither PEM, DER nor PKCS#7".to_owned(), |kind| format!("it is {}", kind.in_words()));
        let (items, notes) = match kind {
            Some(Kind::CUT) => (vec![Item::unread("", words)], Vec::new()),
            _ => (Vec::new(), vec![format!("no certificate found: {words}")]),
        };
        Contents { items, notes, ..Contents::default() }
    })
}

const EMPTY_MESSAGE: &str = "PKCS#7 message without certificates";
const CUT_MESSAGE: &str = "the PKCS#7 message is cut: its end is missing";

fn items_of(certificates: impl Iterator<Item = Certificate>, place: &str) -> Vec<Item> {
    let item = |certificate| Item {
        place: place.into(),
        certificate: Ok(certificate),
        settings: None,
        is_sent: false,
        breach: None,
    };
    certificates.map(item).collect()
}

/// The PEM blocks of a text.
fn of_pem(text: &[u8]) -> Contents {
    let mut out = Contents { form: Form::List, ..Contents::default() };
    let (mut blocks, mut keys, mut others, mut message) = (0, 0, BTreeMap::<String, usize>::new(), false);
    for block in pem::blocks(text) {
        blocks += 1;
        match block.label.as_str() {
            "CERTIFICATE"
            | "X509 CERTIFICATE"
            | "TRUSTED CERTIFICATE"
            | "PKCS7"
            | "CMS"
            | "PKCS #7 SIGNED DATA"
            | "" => {
                message |= out.add(block);
                continue;
            }
            label if label.ends_with("PRIVATE KEY") => keys += 1,
            label => *others.entry(label.escape_debug().to_string()).or_default() += 1,
        }
        let label = block.label.escape_debug();
        let breach = block.breach.filter(|_| block.begins_line);
        out.stops.extend(breach.map(|why| format!("the {label} (PEM block at byte {}) is broken: {why}", block.at)));
    }
    if message && !out.items.iter().any(|item| item.is_sent) {
        out.form = Form::Set;
    }
    if out.items.is_empty() && keys > 0 && others.is_empty() {
        out.notes = vec![format!("no certificate found: it is {}", Kind::PRIVATE_KEY.in_words())];
        return out;
    }
    if pem::last_lines(text) > blocks {
        out.notes.push("a last line of PEM has no first line: a certificate that it ends is passed over".into());
    }
    if keys > 0 {
        let (is, it) = if keys == 1 { ("a private key is", "it") } else { ("private keys are", "them") };
        out.notes.push(format!("{is} in this file too, and not read; keep {it} out of files that you pass on"));
    }
    for (kind, count) in others {
        out.notes.push(format!("{count} {} of type {kind} skipped", plural(count, "block")));
    }
    out
}

impl Contents {
    /// Adds what should be one or more certificates; says whether it is a PKCS#7 message.
    fn add(&mut self, block: Block) -> bool {
        let place = format!("PEM block at byte {}", block.at);
        // Of certificates with trust settings, OpenSSL reads one in the first place only.
        let may_be_sent = match block.label.as_str() {
            "TRUSTED CERTIFICATE" => !self.items.iter().any(|item| item.is_sent),
            label => label.ends_with("CERTIFICATE") || label.is_empty(),
        };
        let is_sent = block.begins_line && may_be_sent;
        let read = block.body.and_then(|bytes| {
            let der = Der::read(&bytes).ok_or_else(|| format!("no certificate in its {} bytes", bytes.len()))?;
            let behind = bytes.get(bytes.len() - der.rest..).filter(|behind| !behind.is_empty());
            let settings = behind.filter(|_| block.label == "TRUSTED CERTIFICATE").map(TrustSettings::from_der);
            match settings {
                Some(None) => Err("its trust settings cannot be read".to_owned()),
                settings => Ok((der, settings.flatten())),
            }
        });
        let (der, settings) = match read {
            Ok(read) => read,
            Err(why) => {
                self.items.push(Item { is_sent, ..Item::unread(&place, why) });
                return false;
            }
        };
        if der.is_empty_message() {
            self.notes.push(format!("{place}: {EMPTY_MESSAGE}"));
        }
        // A server takes one certificate of a block, and none of a message.
        let is_sent = |at| is_sent && at == 0 && !der.is_message;
        let items = items_of(der.certificates.into_iter(), &place).into_iter().enumerate();
        let item = |(at, item)| Item {
            is_sent: is_sent(at),
            breach: block.breach.clone().filter(|_| is_sent(at)),
            settings: settings.clone(),
            ..item
        };
        self.items.extend(items.map(item));
        self.items.extend(der.is_cut.then(|| Item::unread(&place, CUT_MESSAGE.into())));
        der.is_message
    }
}

/// Certificates in DER.
struct Der {
    certificates: Vec<Certificate>,
    /// Whether they are those of a PKCS#7 message.
    is_message: bool,
    /// Whether the end of that message is missing.
    is_cut: bool,
    /// Bytes of the whole, and of what follows the last certificate.
    bytes: usize,
    rest: usize,
}

impl Der {
    /// A PKCS#7 message, or certificates one after the other; `None` if it is neither.
    fn read(bytes: &[u8]) -> Option<Self> {
        if let Some(certificates) = pkcs7::certificates(bytes) {
            let certificates = certificates.iter().map(|der| Certificate::from_der(der)).collect();
            let is_cut = Kind::of_file(bytes) == Some(Kind::CUT);
            return Some(Self { certificates, is_message: true, is_cut, bytes: bytes.len(), rest: 0 });
        }
        let (mut rest, mut certificates) = (bytes, Vec::new());
        while let Some(length) = pkcs7::looks_like_certificate(rest) {
            let (der, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
            certificates.push(Certificate::from_der(der));
            rest = after;
        }
        let rest = if rest.iter().all(u8::is_ascii_whitespace) { 0 } else { rest.len() };
        (!certificates.is_empty()).then_some(Self {
            certificates,
            is_message: false,
            is_cut: false,
            bytes: bytes.len(),
            rest,
        })
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
