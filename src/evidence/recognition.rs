//! In: what a device says about itself. Out: whether it is a Lync phone or another maker's device, each with the frames
//! that show it. Bounded: `MAX_SIGNALS`. Left to others: what follows from it.

use crate::capture::FrameRef;

/// Makers whose phones use the same DHCP options and web service, and that are not Lync Phone Edition.
const OTHER_MAKERS: [&str; 7] = ["audiocodes", "polycom vvx", "polycomvvx", "yealink", "sip-t", "snom", "420hd"];
/// Organizationally unique identifiers of such makers, from the IEEE's registry; those of makers of Lync phones as well
/// (Polycom, HP, Aastra) tell nothing.
const OTHER_CARDS: [([u8; 3], &str); 5] = [
    ([0x00, 0x90, 0x8F], "AudioCodes"),
    ([0x00, 0x15, 0x65], "Yealink"),
    ([0x80, 0x5E, 0xC0], "Yealink"),
    ([0x24, 0x9A, 0xD8], "Yealink"),
    ([0x00, 0x04, 0x13], "snom"),
];
/// Signals kept of one device.
const MAX_SIGNALS: usize = 8;

/// What tells what kind of device it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Recognition {
    /// Frames that show a Lync phone.
    pub lync: Vec<(FrameRef, String)>,
    /// A frame that names another maker.
    pub other: Option<(FrameRef, String)>,
}

impl Recognition {
    /// Whether it is a Lync Phone Edition phone.
    pub fn is_lync_phone(&self) -> bool {
        !self.lync.is_empty() && self.other.is_none()
    }

    pub(super) fn lync(&mut self, at: FrameRef, what: &str) {
        if self.lync.len() < MAX_SIGNALS && !self.lync.iter().any(|(_, known)| known == what) {
            self.lync.push((at, what.to_owned()));
        }
    }

    pub(super) fn user_agent(&mut self, agent: Option<&str>, at: FrameRef) {
        self.maker("User-Agent", agent, at);
    }

    /// Looks for another maker's name in something the device says of itself.
    pub(super) fn maker(&mut self, field: &str, text: Option<&str>, at: FrameRef) {
        let Some(text) = text else { return };
        let lower = text.to_ascii_lowercase();
        if self.other.is_none() && OTHER_MAKERS.iter().any(|maker| lower.contains(maker)) {
            self.other = Some((at, format!("{field} {text:?}")));
        }
    }

    /// Looks at who made the network card.
    pub(super) fn card(&mut self, [a, b, c, ..]: [u8; 6], at: FrameRef) {
        let maker = OTHER_CARDS.iter().find(|(prefix, _)| *prefix == [a, b, c]);
        if let Some((_, maker)) = maker.filter(|_| self.other.is_none()) {
            self.other = Some((at, format!("network card of {maker}")));
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (at, what) in &other.lync {
            self.lync(*at, what);
        }
        self.other = self.other.take().or_else(|| other.other.clone());
    }
}
