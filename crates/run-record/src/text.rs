//! Bytes to text and back, losing nothing.
//!
//! artdaqDB and FHiCL want text, and a run record may hold bytes that are not UTF-8 (a Latin-1 `é` in
//! a log line). The genuine program drops such bytes or fails. Here each of them becomes one
//! character of a private-use block, byte `0xNN` becoming `U+EFNN`, and turns back into the byte on
//! [`encode`]. A text that already holds a character of that block has its bytes escaped in the same
//! way, so that the reverse is never ambiguous (the scheme is that of `MirBSD`'s OPTU-8, widened to
//! control characters, see [`escape_control`]).

use std::borrow::Cow;

/// The first character of the block; the byte is its low eight bits.
const BLOCK: u32 = 0xEF00;

/// The character that stands for a raw byte.
fn escaped(byte: u8) -> char {
    // The block U+EF00..=U+EFFF holds no surrogate, so the fallback is never taken.
    char::from_u32(BLOCK + u32::from(byte)).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// Whether this character stands for a raw byte.
pub fn is_escape(c: char) -> bool {
    u32::from(c) & !0xFF == BLOCK
}

/// The text of `bytes`: valid UTF-8 as it is, every other byte `0xNN` as the character `U+EFNN`.
///
/// ```
/// use run_record::text::{decode, encode};
///
/// assert_eq!(decode("café".as_bytes()), "café");
/// let latin1 = b"caf\xe9";
/// assert_eq!(decode(latin1), "caf\u{efe9}");
/// assert_eq!(encode(&decode(latin1)), latin1);
/// ```
pub fn decode(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes)
        && !text.contains(is_escape)
    {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(bytes.len() + 16);
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if is_escape(c) {
                let mut buffer = [0; 4];
                out.extend(c.encode_utf8(&mut buffer).bytes().map(escaped));
            } else {
                out.push(c);
            }
        }
        out.extend(chunk.invalid().iter().copied().map(escaped));
    }
    Cow::Owned(out)
}

/// The bytes that [`decode`] made `text` of.
pub fn encode(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut buffer = [0; 4];
    for c in text.chars() {
        if is_escape(c) {
            // Truncation is the point: the byte is the low eight bits.
            out.extend(u8::try_from(u32::from(c) & 0xFF));
        } else {
            out.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
        }
    }
    out
}

/// Control characters, which FHiCL forbids inside a string, as characters `U+EFNN`; tab and newline stay.
///
/// Used by the converters only; a FHiCL file that holds them is malformed.
pub fn escape_control(text: &str) -> Cow<'_, str> {
    let forbidden = |c: char| c.is_ascii_control() && c != '\t' && c != '\n';
    if !text.contains(forbidden) {
        return Cow::Borrowed(text);
    }
    let escape = |c: char| match u8::try_from(c) {
        Ok(byte) if forbidden(c) => escaped(byte),
        _ => c,
    };
    Cow::Owned(text.chars().map(escape).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escapes_are_as_documented() {
        let check = |bytes: &[u8], expect: &str| assert_eq!(decode(bytes), expect, "{bytes:?}");
        check(b"", "");
        check(b"plain", "plain");
        check("µ°".as_bytes(), "µ°");
        check(b"\xff\x80a", "\u{efff}\u{ef80}a");
        check("\u{ef80}".as_bytes(), "\u{efee}\u{efbe}\u{ef80}");
        assert_eq!(escape_control("a\tb\n\u{1b}[0m\0"), "a\tb\n\u{ef1b}[0m\u{ef00}");
    }

    proptest! {
        #[test]
        fn decoding_is_reversible(bytes: Vec<u8>) {
            prop_assert_eq!(encode(&decode(&bytes)), bytes);
        }

        #[test]
        fn bytes_of_the_block_are_reversible(picks in proptest::collection::vec(0xEFu32..0xF0, 0..8), low: u8) {
            let text: String = picks.iter().filter_map(|high| char::from_u32(high << 8 | u32::from(low))).collect();
            prop_assert_eq!(encode(&decode(text.as_bytes())), text.as_bytes());
        }
    }
}
