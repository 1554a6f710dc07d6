//! PEM blocks in any text (RFC 7468).
//!
//! In: a text. Out: its blocks, each with what it holds, and whether a server that reads the file sees it. Bounded: each
//! byte is read a few times. Left to others: what the bytes in a block are.
//!
//! Stores are read leniently: CSV, JSON and quoted mail hold blocks too. A server is not lenient. It sees a block only
//! where a line is exactly its first line, and fails where such a block is broken, whatever is in it (OpenSSL's
//! `PEM_read_bio`, which nginx, Apache and most others use).

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use memchr::memmem;

/// Lenient, because text files may lack the padding or have bits set in it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";
const NO_LAST_LINE: &str = "its last line is missing";
/// Longest label of a block.
const LABEL: usize = 64;

/// One block of a text.
pub(super) struct Block {
    /// Offset of its first byte in the text.
    pub(super) at: usize,
    /// Its label, such as `CERTIFICATE`.
    pub(super) label: String,
    /// The bytes in it, or why there are none, read leniently.
    pub(super) body: Result<Vec<u8>, String>,
    /// Whether its first line stands alone, so that a server sees it.
    pub(super) begins_line: bool,
    /// Why a server that sees it, whatever its label, cannot read the file.
    pub(super) breach: Option<String>,
}

/// Whether the text has a block.
pub(super) fn is_in(text: &[u8]) -> bool {
    memmem::find(text, BEGIN).is_some()
}

/// The blocks of a text, in order.
pub(super) fn blocks(text: &[u8]) -> impl Iterator<Item = Block> {
    memmem::find_iter(text, BEGIN).map(|at| {
        let (before, rest) = text.split_at_checked(at).unwrap_or_default();
        block(at, before, rest.get(BEGIN.len()..).unwrap_or_default())
    })
}

/// The number of last lines of blocks.
pub(super) fn last_lines(text: &[u8]) -> usize {
    memmem::find_iter(text, END).count()
}

/// The block at this offset; `rest` begins with its label.
fn block(at: usize, before: &[u8], rest: &[u8]) -> Block {
    // The next block's first line bounds this one, so that a missing last line costs one block only.
    let bounded = rest.get(..memmem::find(rest, BEGIN).unwrap_or(rest.len())).unwrap_or_default();
    let Some(length) = memmem::find(bounded, DASHES).filter(|length| *length <= LABEL) else {
        let body = Err("its first line has no end".to_owned());
        return Block { at, label: String::new(), breach: body.clone().err(), body, begins_line: ends_line(before) };
    };
    let (label, after) = bounded.split_at_checked(length).unwrap_or_default();
    let after = after.get(DASHES.len()..).unwrap_or_default();
    let begins_line = ends_line(before) && is_blank_to_line_end(after);
    let (inside, breach, body) = match memmem::find(after, END) {
        Some(found) => {
            let inside = after.get(..found).unwrap_or_default();
            let end = rest.get(length + DASHES.len() + found + END.len()..).unwrap_or_default();
            (inside, breach_of_end(label, inside, end), unarmour(inside))
        }
        None => (after, Some(NO_LAST_LINE.to_owned()), Err(NO_LAST_LINE.to_owned())),
    };
    let label = String::from_utf8_lossy(label).trim().to_owned();
    // A private key may have headers (RFC 1421 section 4.4), which a certificate has not.
    let has_headers = label.ends_with("KEY") && inside.contains(&b':');
    let breach = breach.or_else(|| if has_headers { None } else { breach_of_body(inside).or(body.clone().err()) });
    Block { at, label, body, begins_line, breach }
}

/// What a server does not accept in a body that can be read leniently.
fn breach_of_body(inside: &[u8]) -> Option<String> {
    if inside.iter().all(u8::is_ascii_whitespace) {
        return Some("nothing is in it".to_owned());
    }
    let foreign = |byte: &&u8| !is_base64(**byte) && !byte.is_ascii_whitespace();
    if let Some(byte) = inside.iter().find(foreign) {
        return Some(format!("not base64: byte {byte:#04x}"));
    }
    // The rest of the first line, a line that may be blank, the others, and nothing before the last line.
    let lines: Vec<&[u8]> = inside.split(|byte| *byte == b'\n').collect();
    let others = lines.get(2..lines.len().saturating_sub(1)).unwrap_or_default();
    others.iter().any(|line| line.trim_ascii().is_empty()).then(|| "a blank line is in it".to_owned())
}

/// What a server does not accept of the last line; `end` is what follows `-----END `.
fn breach_of_end(label: &[u8], inside: &[u8], end: &[u8]) -> Option<String> {
    let closes = end.strip_prefix(label).and_then(|rest| rest.strip_prefix(DASHES)).is_some_and(is_blank_to_line_end);
    (!closes || !ends_line(inside)).then(|| "its last line is not one, or does not fit its first".to_owned())
}

/// Whether what follows these bytes begins a line. Only a line feed ends one.
fn ends_line(before: &[u8]) -> bool {
    before.last().is_none_or(|byte| *byte == b'\n')
}

fn is_blank_to_line_end(after: &[u8]) -> bool {
    after.iter().take_while(|byte| **byte != b'\n').all(u8::is_ascii_whitespace)
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

/// Decodes base64 text. White space, the quotes and backslash escapes of CSV and JSON, and the `>` of quoted mail are
/// skipped; any other character outside the alphabet is an error.
pub(super) fn unarmour(text: &[u8]) -> Result<Vec<u8>, String> {
    let mut letters = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            _ if is_base64(*byte) => letters.push(*byte),
            // A JSON string writes line ends as a backslash and a letter.
            b'\\' => drop(bytes.next()),
            b'"' | b'\'' | b',' | b'>' => {}
            _ if byte.is_ascii_whitespace() => {}
            _ => return Err(format!("not base64: byte {byte:#04x}")),
        }
    }
    BASE64.decode(letters).map_err(|error| format!("not base64: {error}"))
}
