//! The encoding of text files: UTF-8, with or without a byte order mark, and UTF-16, which Windows tools write.
//!
//! In: the bytes of a file. Out: its text as UTF-8, without the mark. Bounded: one pass. Left to others: what the text
//! says, and whether it is text at all.

use std::borrow::Cow;

/// Code units that have to look like ASCII where no byte order mark says that a text is UTF-16.
const TELLING: usize = 4;

/// The text of a file as UTF-8, without a byte order mark. UTF-16 is recognized by its mark, or where it has none by the
/// zero bytes between its first letters; what is no character in it becomes U+FFFD. Any other file is returned as it is.
pub fn utf8(bytes: &[u8]) -> Cow<'_, [u8]> {
    let decode = match (bytes, wide(bytes)) {
        ([0xef, 0xbb, 0xbf, rest @ ..], _) => return Cow::Borrowed(rest),
        (_, Some(decode)) => decode,
        (_, None) => return Cow::Borrowed(bytes),
    };
    let (pairs, _) = bytes.as_chunks::<2>();
    let units = pairs.iter().map(|pair| decode(*pair)).skip_while(|unit| *unit == 0xfeff);
    let text: String = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    Cow::Owned(text.into_bytes())
}

/// Whether a file that begins with these bytes is text in UTF-16.
pub fn is_utf16(start: &[u8]) -> bool {
    wide(start).is_some()
}

/// How the code units of UTF-16 are read; `None` for anything else.
fn wide(bytes: &[u8]) -> Option<fn([u8; 2]) -> u16> {
    match bytes {
        [0xff, 0xfe, ..] => return Some(u16::from_le_bytes),
        [0xfe, 0xff, ..] => return Some(u16::from_be_bytes),
        _ => {}
    }
    let (pairs, _) = bytes.as_chunks::<2>();
    let is_letter = |byte: u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
    let begins = |fits: fn(&[u8; 2]) -> (u8, u8)| {
        pairs.len() >= TELLING && pairs.iter().take(TELLING).map(fits).all(|(low, high)| high == 0 && is_letter(low))
    };
    if begins(|&[low, high]| (low, high)) {
        return Some(u16::from_le_bytes);
    }
    begins(|&[high, low]| (low, high)).then_some(u16::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "name = \"Zürich\"\r\n";

    #[test]
    fn every_encoding_gives_the_same_text() {
        let little: Vec<u8> = TEXT.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = TEXT.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let marked = |mark: &[u8], text: &[u8]| [mark, text].concat();
        let files = [
            TEXT.as_bytes().to_vec(),
            marked(&[0xef, 0xbb, 0xbf], TEXT.as_bytes()),
            marked(&[0xff, 0xfe], &little),
            marked(&[0xfe, 0xff], &big),
            little.clone(),
            big,
            // A byte too many, as a cut file has.
            marked(&little, b"\n"),
        ];
        for file in files {
            assert_eq!(utf8(&file), TEXT.as_bytes(), "{file:02x?}");
        }
    }

    #[test]
    fn what_is_no_utf_16_stays_as_it_is() {
        for bytes in
            [&b""[..], b"a", b"a\0", b"\0\0\0\0CERT\0\0", &[0x30, 0x82, 0x01, 0x00, 0x30, 0x00], b"a\0b\0c\0\x01\0"]
        {
            assert_eq!(utf8(bytes), bytes, "{bytes:02x?}");
            assert!(!is_utf16(bytes));
        }
        // Half of a surrogate pair.
        assert_eq!(utf8(&[0xff, 0xfe, 0x00, 0xd8, b'a', 0]), "\u{fffd}a".as_bytes());
    }
}
