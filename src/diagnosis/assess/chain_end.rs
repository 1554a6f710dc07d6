//! In: a judged chain, and the device's anchors. Out: what is known of the root at which it ends. Bounded: by both. Left
//! to others: the judgement itself, and whether that was the cause.

use crate::capture::FrameRef;
use crate::diagnosis::anchors::{Absence, DeviceAnchors};
use crate::trust::{Anchor, ChainStatus, Judgement};
use crate::x509::Digest;

/// What is known of the root at which a chain ends.
#[derive(Clone, Debug)]
pub struct ChainEnd {
    /// Whether the anchor at which the chain ends is surely on the device, and why it counts as one, in words.
    pub anchored: (bool, String),
    /// How well it is known that the device lacks a root that is not among its anchors.
    pub absence: Absence,
    /// An anchor that has the name of an issuer on the path, with another key.
    pub namesake: Option<String>,
    /// SHA-256 of the key of the anchor at which a trusted chain ends.
    pub root_key: Option<Digest>,
    /// The chain of another root that the same device accepted: the frame in which it did, and the root's name.
    pub other_ca: Option<(FrameRef, String)>,
}

impl ChainEnd {
    pub(super) fn of(chain: &Judgement, anchors: &DeviceAnchors<'_>) -> Self {
        Self {
            anchored: chain.anchor().map(|index| anchors.presence_in_words(index)).unwrap_or_default(),
            absence: anchors.absence(),
            namesake: namesake(chain, &anchors.list),
            root_key: root_key(chain, &anchors.list),
            other_ca: None,
        }
    }
}

/// The key of the anchor at which a trusted chain ends.
fn root_key(chain: &Judgement, anchors: &[Anchor]) -> Option<Digest> {
    let step = chain.path.as_ref().filter(|_| chain.status == ChainStatus::Trusted)?.last_step()?;
    let bare = || anchors.get(step.anchor?).map(|anchor| anchor.key.spki_sha256());
    step.certificate.as_ref().map(|certificate| certificate.public_key().spki_sha256()).or_else(bare)
}

/// An anchor that a device may take for an issuer on the path, but that has another key: the names are the same.
fn namesake(chain: &Judgement, anchors: &[Anchor]) -> Option<String> {
    let path: Vec<_> = chain.longest_path()?.certificates().collect();
    path.iter().enumerate().find_map(|(at, child)| {
        let issuer = path.get(at + 1).or_else(|| path.get(at).filter(|top| top.is_self_issued()))?;
        let other = |anchor: &&Anchor| anchor.subject == *child.issuer() && anchor.key != *issuer.public_key();
        anchors.iter().find(other).map(|anchor| anchor.subject.short())
    })
}
