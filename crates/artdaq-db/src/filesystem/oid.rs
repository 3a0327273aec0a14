//! Object ids: what a stored document is called.

use std::{fmt, io, str::FromStr};

/// The id of a document: 24 lower-case hexadecimal digits.
///
/// The genuine programs take the first 24 digits of a random UUID, so that ids are in no order of time. Ids compare as
/// their texts.
///
/// ```
/// use artdaq_db::Oid;
///
/// let oid: Oid = "0fd0971e92af4b60b2b56f30".parse()?;
/// assert_eq!(oid.to_string(), "0fd0971e92af4b60b2b56f30");
/// assert!("0FD0971E92AF4B60B2B56F30".parse::<Oid>().is_err());
/// # Ok::<(), artdaq_db::filesystem::NotAnOid>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Oid([u8; 24]);

/// A text that is not an object id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an object id of 24 lower-case hexadecimal digits")]
pub struct NotAnOid(String);

impl Oid {
    /// The id of a random version-4 UUID whose first twelve bytes are `bytes`; its version and variant are set here.
    pub fn from_random(mut bytes: [u8; 12]) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        bytes[6] = bytes[6] & 0x0F | 0x40;
        bytes[8] = bytes[8] & 0x3F | 0x80;
        let mut digits = [0; 24];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 0x0F)];
        }
        Self(digits)
    }

    /// The digits.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The id as text.
    #[expect(clippy::expect_used, clippy::missing_panics_doc, reason = "the bytes are ASCII digits by construction")]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("an Oid is 24 hexadecimal digits")
    }
}

impl FromStr for Oid {
    type Err = NotAnOid;

    fn from_str(text: &str) -> Result<Self, NotAnOid> {
        match <[u8; 24]>::try_from(text.as_bytes()) {
            Ok(digits) if digits.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')) => Ok(Self(digits)),
            _ => Err(NotAnOid(text.to_owned())),
        }
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Oid({self})")
    }
}

/// Gives new object ids.
pub trait OidSource: Send + Sync {
    /// An id that, as far as the source knows, no document has.
    ///
    /// # Errors
    ///
    /// The system's, if it gives no random numbers.
    fn next(&self) -> io::Result<Oid>;
}

/// Ids from the random numbers of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct RandomOids;

impl OidSource for RandomOids {
    fn next(&self) -> io::Result<Oid> {
        let mut bytes = [0; 12];
        // Fewer than 256 bytes are given at once or not at all.
        let filled = rustix::rand::getrandom(&mut bytes[..], rustix::rand::GetRandomFlags::empty())?;
        if filled < bytes.len() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(Oid::from_random(bytes))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

    use super::*;

    #[test]
    fn random_ids_are_those_of_version_4_uuids() {
        for _ in 0..200 {
            let oid = RandomOids.next().unwrap();
            let text = oid.to_string();
            assert_eq!(text.parse(), Ok(oid));
            assert_eq!(&text[12..13], "4");
            assert!("89ab".contains(&text[16..17]), "{text}");
        }
        assert_ne!(RandomOids.next().unwrap(), RandomOids.next().unwrap());
    }

    #[test]
    fn other_texts_are_no_ids() {
        for text in ["", "0fd0971e92af4b60b2b56f3", "0fd0971e92af4b60b2b56f300", "0fd0971e92af4b60b2b56f3g", "index"] {
            assert!(text.parse::<Oid>().is_err(), "{text}");
        }
    }
}
