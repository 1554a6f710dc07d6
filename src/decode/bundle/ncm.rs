//! In: the data of a bulk transfer. Out: the Ethernet frames of the CDC-NCM block in it. Bounded: [`MOST`] datagrams
//! and the length of the block, since tables may list the same bytes repeatedly. Left to others: checksums.
//!
//! USB CDC Subclass Specification for Network Control Model Devices 1.0, section 3. Blocks of 16 and of 32 bits.

use super::super::bytes::{array, at_most, le16, le32};

/// Most datagrams of one block: 64 KiB hold about this many of the shortest frames.
const MOST: u16 = 1024;

/// A block and the position in its tables.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Ncm<'a> {
    block: &'a [u8],
    wide: bool,
    /// Offset of the next table.
    table: usize,
    /// Offset of the next entry, and of the end of its table.
    entry: usize,
    end: usize,
    left: u16,
    /// Bytes that further datagrams may have. Together they cannot exceed the block unless entries repeat the same
    /// bytes.
    room: usize,
}

impl<'a> Ncm<'a> {
    /// Recognizes the header's signature (tables 3-1 and 3-2).
    pub(in super::super) fn of(block: &'a [u8]) -> Option<Self> {
        let (wide, table) = match &array(block, 0)? {
            b"NCMH" => (false, le16(block, 10)?.into()),
            b"ncmh" => (true, le32(block, 12)?),
            _ => return None,
        };
        Some(Self { block, wide, table, entry: 0, end: 0, left: MOST, room: block.len() })
    }

    pub(in super::super) fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            self.left = self.left.checked_sub(1)?;
            if self.entry < self.end {
                let size = if self.wide { 8 } else { 4 };
                let (place, length) = (self.number(self.entry)?, self.number(self.entry + size / 2)?);
                self.entry += size;
                if place != 0 && length != 0 {
                    let datagram = at_most(self.block.get(place..)?, length);
                    self.room = self.room.checked_sub(datagram.len())?;
                    return Some(datagram);
                }
                // An entry of zeros ends the table.
                self.entry = self.end;
            } else {
                self.open_table()?;
            }
        }
    }

    /// Reads the header of the next table: signature, length, offset of the table after it; entries follow (tables 3-3
    /// and 3-4).
    fn open_table(&mut self) -> Option<()> {
        let table = std::mem::take(&mut self.table);
        // Offset 0, where the block header is, means that there is no further table.
        if table == 0 {
            return None;
        }
        let header = self.block.get(table..)?;
        let (known, next, entries) = match self.wide {
            false => (matches!(&array(header, 0)?, b"NCM0" | b"NCM1"), le16(header, 6)?.into(), 8),
            true => (matches!(&array(header, 0)?, b"ncm0" | b"ncm1"), le32(header, 8)?, 16),
        };
        if !known {
            return None;
        }
        (self.table, self.entry, self.end) = (next, table + entries, table + usize::from(le16(header, 4)?));
        Some(())
    }

    fn number(&self, at: usize) -> Option<usize> {
        if self.wide { le32(self.block, at) } else { le16(self.block, at).map(usize::from) }
    }
}
