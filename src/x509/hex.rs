//! In: bytes. Out: hexadecimal text. Bounded: two digits for each byte. Left to others: what the bytes are.

/// Lower-case hexadecimal, two digits a byte.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| nibble + if nibble < 10 { b'0' } else { b'a' - 10 };
    let digits: Vec<u8> = bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect();
    String::from_utf8(digits).unwrap_or_default()
}

/// Lower-case hex of an INTEGER's content as OpenSSL prints it: whole bytes, no sign byte, `-` before a negative one.
pub(super) fn serial_text(content: &[u8]) -> String {
    let negative = content.first().is_some_and(|byte| *byte >= 0x80);
    let mut magnitude = content.to_vec();
    if negative {
        // Two's complement: invert and add one, from the last byte.
        let mut carry = true;
        for byte in magnitude.iter_mut().rev() {
            let (value, overflow) = (!*byte).overflowing_add(u8::from(carry));
            *byte = value;
            carry = overflow;
        }
    }
    let zeros = magnitude.iter().take_while(|byte| **byte == 0).count().min(magnitude.len().saturating_sub(1));
    format!("{}{}", if negative { "-" } else { "" }, hex(magnitude.get(zeros..).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serials_are_written_as_openssl_does() {
        // openssl asn1parse of the same contents, in lower case.
        assert_eq!(serial_text(&[0x00, 0x80]), "80");
        assert_eq!(serial_text(&[0x01, 0x00]), "0100");
        assert_eq!(serial_text(&[0x00]), "00");
        assert_eq!(serial_text(&[0x80]), "-80");
        assert_eq!(serial_text(&[0xff, 0x00]), "-0100");
        assert_eq!(serial_text(&[0xff]), "-01");
        assert_eq!(serial_text(&[]), "");
    }
}
