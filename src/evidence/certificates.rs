//! In: DER seen anywhere. Out: each certificate once, with every place it was seen. Bounded: `MAX_PLACES` places each,
//! `Limits::certificates` in all. Left to others: chains.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;

use super::endpoint::endpoint;
use crate::capture::FrameRef;
use crate::x509::{Certificate, Digest};

/// Sightings kept of one certificate: enough to prove that it exists and to find it.
const MAX_PLACES: usize = 8;
/// At most one in this many stored certificates may be a non-CA certificate.
const OTHERS: usize = 4;
/// Bytes that the stored certificates may take on average; an ordinary one takes less.
const MEAN_BYTES: usize = 12 * 1024;
/// At most one in this many stored certificates may be unreadable.
const BROKEN: usize = 64;
/// Recently seen certificates that are compared before hashing: the chains of a few servers.
const RECENT: usize = 16;

/// Where a certificate was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// The frame in which it was complete.
    pub at: FrameRef,
    /// How it came.
    pub how: How,
}

/// How a certificate came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum How {
    /// In a server's Certificate message.
    SentByServer(SocketAddr),
    /// In a client's Certificate message.
    SentByClient(SocketAddr),
    /// In an answer to a fetch; the words tell of the form, `PKCS#7 in SOAP`.
    Http(&'static str),
    /// In an answer to an LDAP search.
    Ldap,
}

impl std::fmt::Display for How {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::SentByServer(server) => write!(f, "sent by the server {}", endpoint(*server)),
            Self::SentByClient(client) => write!(f, "sent by the client {}", endpoint(*client)),
            Self::Http(form) => write!(f, "HTTP, {form}"),
            Self::Ldap => f.write_str("LDAP"),
        }
    }
}

/// Every certificate of an investigation.
#[derive(Debug, Default)]
pub struct Certificates {
    known: BTreeMap<Digest, (Arc<Certificate>, Vec<Sighting>)>,
    /// Recently seen certificates: most handshakes repeat a chain, and comparing bytes is cheaper than hashing them.
    recent: VecDeque<Arc<Certificate>>,
    /// How many may be stored.
    most: usize,
    /// Stored non-CA certificates.
    others: usize,
    /// Stored certificates that cannot be read.
    broken: usize,
    /// Certificates that are not stored but belong to a handshake or fetch that is kept.
    held: usize,
    /// Bytes of the stored certificates.
    bytes: usize,
    held_bytes: usize,
    dropped: u64,
}

impl Certificates {
    /// An empty store for at most `most` certificates.
    pub fn new(most: usize) -> Self {
        Self { most, ..Self::default() }
    }

    /// Records a sighting and returns the shared copy of the certificate.
    pub fn see(&mut self, der: &[u8], sighting: Sighting) -> Arc<Certificate> {
        let recent = self.recent.iter().find(|certificate| certificate.der() == der);
        let digest = recent.map_or_else(|| Digest::of(der), |certificate| certificate.sha256());
        let is_recent = recent.is_some();
        if let Some((certificate, places)) = self.known.get_mut(&digest) {
            let known = places.iter().any(|place| place.how == sighting.how && place.at.capture == sighting.at.capture);
            if !known && places.len() < MAX_PLACES {
                places.push(sighting);
            }
            let certificate = Arc::clone(certificate);
            if !is_recent {
                self.note_recent(&certificate);
            }
            return certificate;
        }
        let certificate = Arc::new(Certificate::from_der(der));
        self.note_recent(&certificate);
        let broken = !certificate.is_readable();
        let other = !broken && !certificate.is_ca();
        let room = match () {
            () if broken => self.broken <= self.most / BROKEN,
            () if other => self.others < self.most / OTHERS,
            () => true,
        };
        let bytes = self.bytes + certificate.weight();
        if self.known.len() < self.most && room && bytes <= self.most * MEAN_BYTES {
            self.bytes = bytes;
            self.others += usize::from(other);
            self.broken += usize::from(broken);
            self.known.insert(digest, (Arc::clone(&certificate), vec![sighting]));
        } else {
            self.dropped += 1;
        }
        certificate
    }

    /// Whether there is room to keep a handshake or fetch together with these certificates. Those that are not stored
    /// have a bound of their own, half that of the store.
    pub fn hold<'c>(&mut self, certificates: impl IntoIterator<Item = &'c Arc<Certificate>>) -> bool {
        if self.dropped == 0 {
            return true;
        }
        let beyond = |certificate: &&Arc<Certificate>| !self.known.contains_key(&certificate.sha256());
        let beyond: BTreeMap<_, _> =
            certificates.into_iter().filter(beyond).map(|one| (one.sha256(), one.weight())).collect();
        let (held, bytes) = (self.held + beyond.len(), self.held_bytes + beyond.values().sum::<usize>());
        let room = beyond.is_empty() || (held <= self.most / 2 && bytes <= self.most * MEAN_BYTES / 2);
        if room {
            (self.held, self.held_bytes) = (held, bytes);
        }
        room
    }

    fn note_recent(&mut self, certificate: &Arc<Certificate>) {
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(Arc::clone(certificate));
    }

    /// All of them, by digest, each with its sightings in capture order.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<Certificate>, &[Sighting])> {
        self.known.values().map(|(certificate, places)| (certificate, places.as_slice()))
    }

    /// The sightings of one.
    pub fn sightings(&self, digest: Digest) -> &[Sighting] {
        self.known.get(&digest).map_or(&[], |(_, places)| places.as_slice())
    }

    /// How many certificates were not stored because there were too many.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }
}
