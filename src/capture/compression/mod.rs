//! In: the bytes of a compressed file, in pieces of any size. Out: the decompressed bytes, and in words where
//! decompression failed. Bounded: two nested compressions; for each a buffer and the window of its format (32 KiB for
//! gzip; at most 128 MiB for zstd, or 8 MiB inside another zstd). Decompressed bytes go straight into the reader's
//! buffer, so that a decompression bomb only takes time. Left to others: what the bytes mean.

mod gzip;
mod input;
mod zstd;

use super::buffer::Buffer;
use gzip::Gzip;
use input::{Fault, Input, Progress};
use zstd::{LEAST_WINDOW, MAX_WINDOW, Zstd};

/// How a capture file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// gzip (RFC 1952), one or more members.
    Gzip,
    /// Zstandard (RFC 8878), one or more frames.
    Zstd,
}

impl Compression {
    /// The name used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    /// Recognizes a compressed file by its first four bytes.
    pub fn of_magic(magic: [u8; 4]) -> Option<Self> {
        match magic {
            [0x1f, 0x8b, 8, _] => Some(Self::Gzip),
            // A Zstandard frame or a skippable frame (RFC 8878, sections 3.1.1 and 3.1.2).
            [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18] => Some(Self::Zstd),
            _ => None,
        }
    }
}

#[derive(Debug)]
enum Decoder {
    Gzip(Box<Gzip>),
    Zstd(Box<Zstd>),
}

/// One compression around the file.
#[derive(Debug)]
struct Layer {
    kind: Compression,
    input: Buffer,
    decoder: Decoder,
    wanted: usize,
    at_end: bool,
    /// Why nothing more comes.
    broken: Option<Fault>,
    problems: Vec<String>,
}

/// The compressions around a file, the outermost first.
#[derive(Debug, Default)]
pub(super) struct Layers {
    layers: Vec<Layer>,
}

impl Layers {
    const MOST: usize = 2;

    /// Whether the file is not compressed.
    pub(super) fn is_empty(&self) -> bool {
        self.layers.is_empty()
    }

    /// Adds an innermost layer, with the bytes read of it so far; false if there are too many.
    pub(super) fn add(&mut self, kind: Compression, input: Buffer, at_end: bool) -> bool {
        if self.layers.len() == Self::MOST {
            return false;
        }
        let decoder = match kind {
            Compression::Gzip => Decoder::Gzip(Box::default()),
            // The large window is granted only once: two of them would dominate memory use.
            Compression::Zstd => {
                let another = self.layers.iter().any(|layer| layer.kind == Compression::Zstd);
                Decoder::Zstd(Box::new(Zstd::new(if another { LEAST_WINDOW } else { MAX_WINDOW })))
            }
        };
        // Only the outermost layer is told of the end of the file; each passes its own end on to the next.
        let at_end = at_end && self.layers.is_empty();
        self.layers.push(Layer { kind, input, decoder, wanted: 1, at_end, broken: None, problems: Vec::new() });
        true
    }

    /// The name used in reports: `gzip`, `zstd`, or `gzip in zstd` if nested.
    pub(super) fn in_words(&self) -> Option<String> {
        let names: Vec<_> = self.layers.iter().rev().map(|layer| layer.kind.as_str()).collect();
        (!names.is_empty()).then(|| names.join(" in "))
    }

    /// Room for the next bytes of the file.
    pub(super) fn space(&mut self) -> &mut [u8] {
        self.layers.first_mut().map(|layer| layer.input.space(layer.wanted)).unwrap_or_default()
    }

    /// Marks `count` bytes of [`space`](Self::space) as written.
    pub(super) fn commit(&mut self, count: usize) {
        if let Some(layer) = self.layers.first_mut() {
            layer.input.commit(count);
        }
    }

    /// No more bytes will come.
    pub(super) fn end(&mut self) {
        if let Some(layer) = self.layers.first_mut() {
            layer.at_end = true;
        }
    }

    /// Decompresses into `target`, which needs room for a record of `wanted` bytes; false if more input is needed
    /// first.
    pub(super) fn fill(&mut self, target: &mut Buffer, wanted: usize) -> bool {
        fill(&mut self.layers, target, wanted)
    }

    /// The problems in words; complete after the last byte.
    pub(super) fn problems(&self) -> Vec<String> {
        self.layers.iter().flat_map(Layer::in_words).collect()
    }
}

/// Fills `target` from the innermost layer, and each layer from the one around it.
fn fill(layers: &mut [Layer], target: &mut Buffer, wanted: usize) -> bool {
    let Some((layer, around)) = layers.split_last_mut() else { return false };
    loop {
        let count = layer.decode(target.space(wanted));
        if count > 0 {
            target.commit(count);
            return true;
        }
        if fill(around, &mut layer.input, layer.wanted) {
            continue;
        }
        let over = !around.is_empty() && around.iter().all(|layer| layer.at_end || layer.broken.is_some());
        if layer.at_end || !over {
            return false;
        }
        layer.at_end = true;
    }
}

impl Layer {
    /// Decompresses the input at hand; 0 if more is needed or nothing more comes.
    fn decode(&mut self, out: &mut [u8]) -> usize {
        if self.broken.is_none() {
            let mut input = Input { buffer: &mut self.input, at_end: self.at_end, problems: &mut self.problems };
            let result = match &mut self.decoder {
                Decoder::Gzip(gzip) => gzip.decode(&mut input, out),
                Decoder::Zstd(zstd) => zstd.decode(&mut input, out),
            };
            match result {
                Ok(Progress::Wrote(count)) => return count,
                Ok(Progress::Needs(bytes)) => self.wanted = bytes,
                Err(fault) => self.broken = Some(fault),
            }
        }
        if self.broken.is_some() {
            self.wanted = 1;
            self.input.consume(usize::MAX);
        }
        0
    }

    fn in_words(&self) -> Vec<String> {
        let kind = self.kind.as_str();
        let mut said: Vec<_> = self.problems.iter().map(|problem| format!("{kind}: {problem}")).collect();
        if let Some(Fault { at, why }) = &self.broken {
            let lost = self.input.offset().saturating_sub(*at);
            let lost = if lost > 0 { format!("; {lost} compressed bytes could not be read") } else { String::new() };
            // Decided in D-CAPTURE-01.
            said.push(format!("{kind}: compressed offset {at}: {why}{lost}"));
        }
        said
    }
}
