//! In: what a certificate is to say. Out: certificates made on the spot with Ed25519 keys, and the stored chains of
//! `tests/data/paths`. Bounded: nothing is kept but what is asked for. Left to others: what the certificates are to
//! show. The DER written here is the little that RFC 5280 asks for.

use std::collections::BTreeMap;
use std::sync::Arc;

use chaingap::trust::{Anchor, Pool, StepFrom, read_certificates};
use chaingap::x509::Certificate;
use ed25519_dalek::{Signer as _, SigningKey};
use sha2::{Digest as _, Sha256};

/// A key pair.
pub struct Key(SigningKey);

impl Key {
    /// The key of this number.
    pub fn new(number: u64) -> Self {
        let seed: [u8; 32] = Sha256::digest(number.to_be_bytes()).into();
        Self(SigningKey::from_bytes(&seed))
    }

    /// The key's subjectKeyIdentifier.
    pub fn id(&self) -> Vec<u8> {
        Sha256::digest(self.0.verifying_key().as_bytes())[..20].to_vec()
    }
}

/// How a certificate points at its issuer's (RFC 5280 section 4.2.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aki<'a> {
    Absent,
    KeyId,
    /// The issuer's issuer, in the form of [`name`], and any serial number.
    Issuer(&'a str),
}

/// A certificate to be made.
#[derive(Clone, Copy)]
pub struct Draft<'a> {
    pub subject: &'a str,
    pub key: &'a Key,
    pub issuer: &'a str,
    pub signer: &'a Key,
    pub ca: bool,
    pub path_length: Option<u8>,
    /// Dotted OIDs; none leaves the extension out.
    pub purposes: &'a [&'a str],
    /// Its certificate policies, as dotted OIDs.
    pub policies: &'a [&'a str],
    pub aki: Aki<'a>,
    /// DNS names; `server.example.com` where there are none.
    pub hosts: &'a [String],
    /// DNS names that a CA may not vouch for.
    pub excluded: &'a [String],
    pub serial: u32,
    /// Years in which validity begins and ends, at their first second.
    pub years: (u16, u16),
}

impl<'a> Draft<'a> {
    /// A root: it signs itself.
    pub fn root(subject: &'a str, key: &'a Key) -> Self {
        Self::ca(subject, key, subject, key)
    }

    /// A CA certificate.
    pub fn ca(subject: &'a str, key: &'a Key, issuer: &'a str, signer: &'a Key) -> Self {
        let (path_length, aki, serial, ca) = (None, Aki::KeyId, 1, true);
        let (purposes, policies, hosts, excluded) = (&[][..], &[][..], &[][..], &[][..]);
        let years = (2020, 2100);
        Self { subject, key, issuer, signer, ca, path_length, purposes, policies, aki, hosts, excluded, serial, years }
    }

    /// A server's certificate, for `server.example.com`.
    pub fn leaf(key: &'a Key, issuer: &'a str, signer: &'a Key) -> Self {
        Self { ca: false, ..Self::ca("CN=server.example.com", key, issuer, signer) }
    }

    /// Signs it.
    pub fn make(&self) -> Arc<Certificate> {
        let algorithm = sequence(&[oid("1.3.101.112")]);
        let spki = sequence(&[algorithm.clone(), bits(self.key.0.verifying_key().as_bytes())]);
        // GeneralizedTime from 2050 on, UTCTime before (RFC 5280 section 4.1.2.5).
        let first_second = |year: u16| match year {
            ..2050 => tlv(0x17, format!("{:02}0101000000Z", year % 100).as_bytes()),
            _ => tlv(0x18, format!("{year}0101000000Z").as_bytes()),
        };
        let validity = sequence(&[first_second(self.years.0), first_second(self.years.1)]);
        let tbs = sequence(&[
            tlv(0xa0, &tlv(2, &[2])),
            tlv(2, &[&[0][..], &self.serial.to_be_bytes()[..]].concat()),
            algorithm.clone(),
            name(self.issuer),
            validity,
            name(self.subject),
            spki,
            tlv(0xa3, &sequence(&self.extensions())),
        ]);
        let signature = bits(&self.signer.0.sign(&tbs).to_bytes());
        let certificate = Certificate::from_der(&sequence(&[tbs, algorithm, signature]));
        assert!(certificate.problems().is_empty(), "{:?}", certificate.problems());
        Arc::new(certificate)
    }

    fn extensions(&self) -> Vec<Vec<u8>> {
        let mut out = vec![extension("2.5.29.14", false, &tlv(4, &self.key.id()))];
        match self.aki {
            Aki::Absent => {}
            Aki::KeyId => out.push(extension("2.5.29.35", false, &sequence(&[tlv(0x80, &self.signer.id())]))),
            Aki::Issuer(issuer) => {
                let parts = [tlv(0xa1, &tlv(0xa4, &name(issuer))), tlv(0x82, &[1])];
                out.push(extension("2.5.29.35", false, &sequence(&parts)));
            }
        }
        if self.ca {
            let mut constraints = vec![tlv(1, &[0xff])];
            constraints.extend(self.path_length.map(|length| tlv(2, &[length])));
            out.push(extension("2.5.29.19", true, &sequence(&constraints)));
            // keyCertSign, cRLSign.
            out.push(extension("2.5.29.15", true, &tlv(3, &[1, 0x06])));
        } else {
            let host = |host: &String| tlv(0x82, host.as_bytes());
            let mut hosts: Vec<_> = self.hosts.iter().map(host).collect();
            if hosts.is_empty() {
                hosts.push(tlv(0x82, b"server.example.com"));
            }
            out.push(extension("2.5.29.17", false, &sequence(&hosts)));
        }
        if !self.excluded.is_empty() {
            let subtrees: Vec<_> = self.excluded.iter().map(|it| sequence(&[tlv(0x82, it.as_bytes())])).collect();
            out.push(extension("2.5.29.30", true, &sequence(&[tlv(0xa1, &subtrees.concat())])));
        }
        if !self.policies.is_empty() {
            let policies: Vec<_> = self.policies.iter().map(|policy| sequence(&[oid(policy)])).collect();
            out.push(extension("2.5.29.32", false, &sequence(&policies)));
        }
        if !self.purposes.is_empty() {
            let purposes: Vec<_> = self.purposes.iter().map(|purpose| oid(purpose)).collect();
            out.push(extension("2.5.29.37", false, &sequence(&purposes)));
        }
        out
    }
}

/// `O=Example/CN=CA 1` as a Name, the most general part first; the kinds are C, O, CN and DC.
fn name(text: &str) -> Vec<u8> {
    let parts = text.split('/').map(|part| {
        let (kind, value) = part.split_once('=').unwrap();
        let (kind, tag) = match kind {
            "C" => ("2.5.4.6", 0x13),
            "O" => ("2.5.4.10", 0x0c),
            "CN" => ("2.5.4.3", 0x0c),
            "DC" => ("0.9.2342.19200300.100.1.25", 0x16),
            other => panic!("unknown kind {other}"),
        };
        tlv(0x31, &sequence(&[oid(kind), tlv(tag, value.as_bytes())]))
    });
    sequence(&parts.collect::<Vec<_>>())
}

fn extension(id: &str, critical: bool, value: &[u8]) -> Vec<u8> {
    let flag = if critical { tlv(1, &[0xff]) } else { Vec::new() };
    sequence(&[oid(id), flag, tlv(4, value)])
}

pub fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

pub fn bits(bytes: &[u8]) -> Vec<u8> {
    tlv(3, &[&[0], bytes].concat())
}

fn oid(dotted: &str) -> Vec<u8> {
    let arcs: Vec<u32> = dotted.split('.').map(|arc| arc.parse().unwrap()).collect();
    let mut content = Vec::new();
    for arc in [&[arcs[0] * 40 + arcs[1]], &arcs[2..]].concat() {
        let groups = (0..5).rev().map(|group| u8::try_from(arc >> (7 * group) & 0x7f).unwrap());
        let groups: Vec<u8> = groups.skip_while(|group| *group == 0).collect();
        let (last, first) = groups.split_last().unwrap_or((&0, &[]));
        content.extend(first.iter().map(|group| group | 0x80));
        content.push(*last);
    }
    tlv(6, &content)
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let length = match u8::try_from(length) {
        Ok(short @ 0..=127) => vec![short],
        Ok(short) => vec![0x81, short],
        Err(_) => {
            let bytes = u32::try_from(length).unwrap().to_be_bytes();
            let bytes: Vec<u8> = bytes.into_iter().skip_while(|byte| *byte == 0).collect();
            [&[0x80 | u8::try_from(bytes.len()).unwrap()][..], &bytes].concat()
        }
    };
    [&[tag][..], &length, content].concat()
}

/// A pool of certificates that were seen, but not by the device.
pub fn known<'a>(certificates: impl IntoIterator<Item = &'a Arc<Certificate>>) -> Pool {
    let mut pool = Pool::default();
    certificates.into_iter().for_each(|certificate| pool.add(certificate, StepFrom::Bundle));
    pool
}

/// The anchor that a root becomes.
pub fn anchor(root: &Arc<Certificate>) -> Anchor {
    Anchor::from_certificate(Arc::clone(root))
}

/// The certificates of `tests/data/paths` by their labels.
pub fn stored() -> BTreeMap<&'static str, Arc<Certificate>> {
    stored_by_label(include_str!("../../data/paths/certificates.pem"))
}

/// Certificates stored as PEM with a line "# LABEL" before each, by their labels.
pub fn stored_by_label(text: &'static str) -> BTreeMap<&'static str, Arc<Certificate>> {
    let blocks = text.split("# ").skip(1);
    blocks
        .map(|block| {
            let (label, pem) = block.split_once('\n').unwrap();
            let mut contents = read_certificates(pem.as_bytes());
            assert_eq!(contents.certificates.len(), 1, "{label}: {:?}", contents.problems);
            (label, Arc::new(contents.certificates.remove(0)))
        })
        .collect()
}

/// One of the stored chains that OpenSSL takes: its certificates with the leaf first and the root last.
pub struct Chain {
    pub name: &'static str,
    pub certificates: Vec<Arc<Certificate>>,
}

/// The stored chains without a fault, of two certificates and more, whose bundle is in order.
pub fn sound_chains() -> Vec<Chain> {
    let stored = stored();
    let lines = include_str!("../../data/paths/cases.txt").lines();
    lines
        .filter_map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            let (name, leaf, root, bundle) = (fields[0], fields[3], fields[4], fields[5]);
            // Such as "p256/4": a set, and the length of the chain.
            let plain = name.split_once('/').unwrap().1.parse::<usize>().is_ok_and(|length| length > 1);
            let between = bundle.split(',').filter(|label| *label != "-");
            let labels = [leaf].into_iter().chain(between).chain([root]);
            plain.then(|| Chain { name, certificates: labels.map(|label| Arc::clone(&stored[label])).collect() })
        })
        .collect()
}
