//! Words that may come from a capture, and so from anybody, made fit to be shown.
//!
//! In: texts of a report. Out: texts without a character that steers or misleads, shortened where they are too long,
//! and the short forms of names and times. Bounded: by their input. Left to others: where they are used.

use std::collections::BTreeMap;

use crate::report::Certificate;

/// The longest name shown in full, in characters; longer ones lose their middle.
pub(in crate::render) const NAME: usize = 80;

/// Characters of a text.
pub(in crate::render) fn width(text: &str) -> usize {
    text.chars().count()
}

/// The text with every character that a terminal or an editor would obey, or would not show, as `\u{..}`: controls
/// (C0, C1, DEL), bidirectional marks, embeddings and isolates, zero-width and filler characters, line separators, tags.
pub(in crate::render) fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if obeyed_or_hidden(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// As [`clean`], for a whole document: its line ends stay.
pub(in crate::render) fn clean_lines(text: &str) -> String {
    text.split('\n').map(clean).collect::<Vec<_>>().join("\n")
}

/// Whether a terminal or an editor would obey the character, or not show it.
pub(in crate::render) fn obeyed_or_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// The text, cleaned, in at most `max` characters: a longer one loses its middle to `…`.
pub(in crate::render) fn shorten(text: &str, max: usize) -> String {
    let text = clean(text);
    let length = width(&text);
    if length <= max {
        return text;
    }
    let keep = max.saturating_sub(1);
    let tail = keep / 2;
    let head: String = text.chars().take(keep - tail).collect();
    let end: String = text.chars().skip(length - tail).collect();
    format!("{head}…{end}")
}

/// The short name of an RFC 4514 subject: its first CN, else OU, else O, else all of it.
pub(in crate::render) fn short_name(subject: &str) -> String {
    let parts = attributes(subject);
    let wanted = ["CN", "OU", "O"];
    let found = wanted.iter().find_map(|kind| parts.iter().find(|(name, _)| name.eq_ignore_ascii_case(kind)));
    shorten(found.map_or(subject, |(_, value)| value), NAME)
}

/// The short name of the certificate with this SHA-256, or the beginning of its digits if the report does not hold it.
pub(in crate::render) fn name_of(certificates: &BTreeMap<String, Certificate>, sha256: &str) -> String {
    certificates.get(sha256).map_or_else(|| shorten(sha256, 16), |certificate| short_name(&certificate.subject))
}

/// `usb.pcapng frame 22`, or the capture alone.
pub(in crate::render) fn place(capture: &str, frame: Option<u64>) -> String {
    frame.map_or_else(|| capture.to_owned(), |frame| format!("{capture} frame {frame}"))
}

/// Types and unescaped values of the attributes of an RFC 4514 name, in order.
fn attributes(subject: &str) -> Vec<(String, String)> {
    let mut parts = Vec::new();
    let mut bytes = Vec::new();
    let mut kind = None;
    let mut rest = subject.bytes().peekable();
    while let Some(byte) = rest.next() {
        match byte {
            b'\\' => {
                let first = rest.next().unwrap_or(byte);
                // Two hexadecimal digits stand for one byte, anything else for itself (RFC 4514 section 3).
                let high = char::from(first).to_digit(16);
                let low = rest.peek().and_then(|&next| char::from(next).to_digit(16));
                match (high, low) {
                    (Some(high), Some(low)) => {
                        rest.next();
                        bytes.push(u8::try_from(high * 16 + low).unwrap_or(first));
                    }
                    _ => bytes.push(first),
                }
            }
            b'=' if kind.is_none() => kind = Some(take(&mut bytes)),
            b',' | b'+' => parts.extend(kind.take().map(|kind| (kind, take(&mut bytes)))),
            _ => bytes.push(byte),
        }
    }
    parts.extend(kind.map(|kind| (kind, take(&mut bytes))));
    parts
}

fn take(bytes: &mut Vec<u8>) -> String {
    let text = String::from_utf8_lossy(bytes).trim().to_owned();
    bytes.clear();
    text
}

/// Date and time of day, to the millisecond, of an RFC 3339 instant in UTC.
pub(in crate::render) fn date_and_clock(time: &str) -> (String, String) {
    let (date, clock) = time.split_once('T').unwrap_or(("", time));
    let clock = clock.trim_end_matches('Z');
    let (seconds, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let millis: String = fraction.chars().take(3).collect();
    let dot = if millis.is_empty() { "" } else { "." };
    (date.to_owned(), format!("{seconds}{dot}{millis}"))
}

/// Time of day to the second.
pub(in crate::render) fn seconds(time: &str) -> String {
    let (_, clock) = date_and_clock(time);
    clock.split('.').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_a_terminal_obeys_survives() {
        let hostile =
            "a\u{1b}[31m\u{9b}2J\r\n\t\u{7}\u{7f}b\u{202e}c\u{2066}\u{200f}\u{200b}\u{feff}\u{2028}\u{e0041}d";
        let safe = clean(hostile);
        assert_eq!(
            safe,
            "a\\u{1b}[31m\\u{9b}2J\\u{d}\\u{a}\\u{9}\\u{7}\\u{7f}b\\u{202e}c\\u{2066}\\u{200f}\\u{200b}\\u{feff}\\u{2028}\\u{e0041}d"
        );
        assert_eq!(clean(&safe), safe, "cleaning twice changes nothing");
        assert_eq!(clean("Größe 証明書 “x”"), "Größe 証明書 “x”", "letters stay");
    }

    #[test]
    fn long_text_loses_its_middle() {
        assert_eq!(shorten("abcdefghij", 10), "abcdefghij");
        assert_eq!(shorten("abcdefghijk", 10), "abcde…hijk");
        assert_eq!(shorten("abc", 0), "…");
        assert_eq!(shorten("ééééé", 3), "é…é");
    }

    #[test]
    fn the_short_name_is_the_common_name() {
        assert_eq!(short_name("CN=Northwind Policy CA 1,O=Northwind,C=US"), "Northwind Policy CA 1");
        assert_eq!(short_name("C=US,O=Acme\\, Inc.,cn=Root"), "Root");
        assert_eq!(short_name("OU=Class 3 Public Primary,O=VeriSign\\2c Inc."), "Class 3 Public Primary");
        assert_eq!(short_name("O=VeriSign\\2c Inc.,C=US"), "VeriSign, Inc.");
        assert_eq!(short_name("OU=x+CN=Pi=3 \\C3\\A9"), "Pi=3 é");
        assert_eq!(short_name("no name"), "no name");
        assert_eq!(short_name(""), "");
        assert_eq!(short_name("CN=a\\"), "a\\");
        assert_eq!(width(&short_name(&format!("CN={}", "n".repeat(300)))), NAME);
    }

    #[test]
    fn times_show_the_millisecond() {
        let of = |time| date_and_clock(time).1;
        assert_eq!(of("2026-01-15T12:00:01.113456Z"), "12:00:01.113");
        assert_eq!(of("2026-01-15T12:00:01Z"), "12:00:01");
        assert_eq!(date_and_clock("2026-01-15T12:00:01Z").0, "2026-01-15");
        assert_eq!(of("garbage"), "garbage");
        assert_eq!(seconds("2026-01-15T12:00:01.113Z"), "12:00:01");
    }
}
