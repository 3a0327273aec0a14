//! The encodings of mail, undone.

pub(super) fn decode_base64(text: &str) -> Vec<u8> {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let values: Vec<u8> = text
        .bytes()
        .filter_map(|letter| LETTERS.iter().position(|known| *known == letter))
        .filter_map(|value| u8::try_from(value).ok())
        .collect();
    let group = |values: &[u8]| {
        let bits = values.iter().fold(0_u32, |bits, value| bits << 6 | u32::from(*value)) << (6 * (4 - values.len()));
        bits.to_be_bytes()[1..values.len()].to_vec()
    };
    values.chunks(4).flat_map(group).collect()
}

pub(super) fn decode_quoted(text: &str) -> Vec<u8> {
    let text = text.replace("=\r\n", "");
    let mut parts = text.split('=');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let code = part.get(..2).and_then(|code| u8::from_str_radix(code, 16).ok());
        bytes.extend(code);
        bytes.extend(part.get(2..).unwrap_or_default().as_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_undone() {
        for (text, expect) in [("", ""), ("YQ==", "a"), ("YWI=", "ab"), ("YWJj", "abc"), ("AHVzZXIAcHc=", "\0user\0pw")]
        {
            assert_eq!(decode_base64(text), expect.as_bytes(), "{text}");
        }
        assert_eq!(decode_quoted("a=3Db =C3=A4 c=\r\nd"), "a=b ä cd".as_bytes());
    }
}
