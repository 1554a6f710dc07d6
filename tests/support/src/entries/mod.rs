//! The entry points for untrusted bytes, one function each.
//!
//! In: any bytes. Out: nothing, or a panic: each entry asserts, beside that nothing panics, what must hold whatever the
//! bytes are. Bounded: by the input. Left to others: which bytes; the fuzzers in `fuzz/` make them, `tests/library/regressions.rs`
//! runs those that once did harm, and the seeds.

mod files;
mod frames;
mod paths;
mod streams;

pub use frames::write_frames;
pub use streams::write_script;

/// A function that is given untrusted bytes.
pub type Entry = fn(&[u8]);

/// Every entry by the name of its fuzz target, which also names its folders.
pub const ENTRIES: &[(&str, Entry)] = &[
    ("capture", files::capture),
    ("pcapng", frames::pcapng),
    ("decode", frames::decode),
    ("reassembly", frames::reassembly),
    ("http", streams::http),
    ("ldap", streams::ldap),
    ("tls", streams::tls),
    ("body", streams::body),
    ("datagrams", streams::datagrams),
    ("certificate", files::certificate),
    ("paths", paths::paths),
    ("texts", files::texts),
    ("reports", files::reports),
];

/// Runs the entry of this name.
pub fn run(name: &str, data: &[u8]) {
    let (_, entry) = ENTRIES.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("no entry {name}"));
    entry(data);
}

/// Reads structured input piece by piece; what is not there is zero.
pub struct Input<'a>(pub(crate) &'a [u8]);

impl<'a> Input<'a> {
    pub fn byte(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or(0)
    }

    pub fn short(&mut self) -> u16 {
        u16::from(self.byte()) << 8 | u16::from(self.byte())
    }

    /// As many bytes as there are, and no more than `count`.
    pub fn take(&mut self, count: usize) -> &'a [u8] {
        let (now, later) = self.0.split_at(count.min(self.0.len()));
        self.0 = later;
        now
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
