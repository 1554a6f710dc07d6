//! In: nothing. Out: an arrow of a ladder: its words, which way it points, what it means. Left to others: which arrows
//! there are, and how they are drawn.

/// The longest time of day: to the millisecond, and some.
pub(super) const CLOCK: usize = 15;

/// What one side said to the other, or did not say.
pub(super) struct Arrow {
    pub(super) time: Option<String>,
    pub(super) frame: Option<u64>,
    /// The lane opposite the device's own.
    pub(super) lane: Option<usize>,
    pub(super) way: Way,
    pub(super) tone: Tone,
    /// `DHCP`, `TLS`, …
    pub(super) tag: String,
    pub(super) text: String,
    /// What the finding says about this frame.
    pub(super) note: Option<String>,
}

impl Arrow {
    /// Words without an arrow.
    pub(super) fn remark(tone: Tone, text: String) -> Self {
        Self { time: None, frame: None, lane: None, way: Way::Nowhere, tone, tag: String::new(), text, note: None }
    }
}

/// Which way an arrow points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// From the device.
    Out,
    /// To the device.
    In,
    /// Question and answer.
    Both,
    /// It should have gone out, and did not.
    Absent,
    /// It went out and failed.
    Lost,
    /// A remark.
    Nowhere,
}

/// What an arrow means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    Warn,
    Bad,
}
