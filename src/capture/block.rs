//! In: the fields of a pcapng block. Out: its bytes, in the byte order of its section. Left to others: which blocks to
//! write.
//!
//! Format: draft-ietf-opsawg-pcapng, sections 3.1 and 3.5.

/// The byte order of a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Little,
    Big,
}

impl Order {
    /// The byte order of a section, read from the first twelve bytes of its header.
    pub(super) fn of_magic(start: [u8; 12]) -> Option<Self> {
        match start {
            [.., 0x4d, 0x3c, 0x2b, 0x1a] => Some(Self::Little),
            [.., 0x1a, 0x2b, 0x3c, 0x4d] => Some(Self::Big),
            _ => None,
        }
    }

    /// The number at an offset; 0 if the bytes end before.
    pub(super) fn u32_at(self, bytes: &[u8], at: usize) -> u32 {
        let bytes = at.checked_add(4).and_then(|end| bytes.get(at..end)).and_then(|bytes| bytes.try_into().ok());
        let bytes = bytes.unwrap_or_default();
        match self {
            Self::Little => u32::from_le_bytes(bytes),
            Self::Big => u32::from_be_bytes(bytes),
        }
    }

    fn u16_at(self, bytes: &[u8], at: usize) -> Option<u16> {
        let bytes = bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(match self {
            Self::Little => u16::from_le_bytes(bytes),
            Self::Big => u16::from_be_bytes(bytes),
        })
    }
}

/// A block under construction.
pub(super) struct Block {
    order: Order,
    kind: u32,
    body: Vec<u8>,
    has_options: bool,
}

impl Block {
    pub(super) fn new(order: Order, kind: u32) -> Self {
        Self { order, kind, body: Vec::new(), has_options: false }
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.body.extend(bytes);
    }

    pub(super) fn u16(&mut self, number: u16) {
        self.bytes(&match self.order {
            Order::Little => number.to_le_bytes(),
            Order::Big => number.to_be_bytes(),
        });
    }

    pub(super) fn u32(&mut self, number: u32) {
        self.bytes(&match self.order {
            Order::Little => number.to_le_bytes(),
            Order::Big => number.to_be_bytes(),
        });
    }

    /// Appends bytes, padded to a multiple of four.
    pub(super) fn padded(&mut self, bytes: &[u8]) {
        self.bytes(bytes);
        self.body.resize(self.body.len().next_multiple_of(4), 0);
    }

    /// Appends an option, or a record of the same form; a value too long for its 16-bit length is truncated.
    pub(super) fn option(&mut self, code: u16, value: &[u8]) {
        let value = value.get(..value.len().min(usize::from(u16::MAX))).unwrap_or_default();
        self.u16(code);
        self.u16(u16::try_from(value.len()).unwrap_or(u16::MAX));
        self.padded(value);
        self.has_options = true;
    }

    /// Copies the options of another block of the same byte order, which start at `at` in it.
    pub(super) fn options_of(&mut self, block: &[u8], at: usize) {
        let end = block.len().saturating_sub(4);
        let mut options = block.get(at..end).unwrap_or_default();
        while let (Some(code), Some(length)) = (self.order.u16_at(options, 0), self.order.u16_at(options, 2)) {
            let length = usize::from(length);
            let (Some(value), false) = (options.get(4..4 + length), code == 0) else { return };
            self.option(code, value);
            options = options.get(4 + length.next_multiple_of(4)..).unwrap_or_default();
        }
    }

    /// The finished block, with an end-of-options marker.
    pub(super) fn finish(mut self) -> Vec<u8> {
        if self.has_options {
            self.u16(0);
            self.u16(0);
        }
        self.finish_without_options()
    }

    /// The finished block without options.
    pub(super) fn finish_without_options(self) -> Vec<u8> {
        let Self { order, kind, body, .. } = self;
        let length = u32::try_from(body.len() + 12).unwrap_or(u32::MAX);
        let mut out = Self::new(order, kind);
        [kind, length].into_iter().for_each(|word| out.u32(word));
        out.bytes(&body);
        out.u32(length);
        out.body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_have_their_length_at_both_ends_and_options_their_padding() {
        // The draft, section 3.1: type, total length, body, total length; 3.5: code, length, value, padding.
        let mut block = Block::new(Order::Big, 6);
        block.option(1, b"hello");
        assert_eq!(block.finish(), *b"\0\0\0\x06\0\0\0\x1c\0\x01\0\x05hello\0\0\0\0\0\0\0\0\0\0\x1c");
        let mut little = Block::new(Order::Little, 1);
        little.u16(0x0102);
        little.u16(3);
        assert_eq!(little.finish(), *b"\x01\0\0\0\x10\0\0\0\x02\x01\x03\0\x10\0\0\0");
    }

    #[test]
    fn options_are_taken_over_up_to_their_end() {
        let mut from = Block::new(Order::Little, 6);
        from.option(1, b"kept");
        from.option(2, b"too");
        let from = from.finish();
        let mut to = Block::new(Order::Little, 6);
        to.options_of(&from, 8);
        assert_eq!(to.finish(), from);
        let mut cut = Block::new(Order::Little, 6);
        cut.options_of(&[1, 0, 200, 0, 9, 9, 9, 9], 0);
        assert_eq!(cut.finish().len(), 12, "an option that claims more than there is");
    }
}
