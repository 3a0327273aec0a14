//! The two checksums of the archive: Adler-32 (UconDB's own) and MD5 (the archiver's promise).

use std::{fmt, str::FromStr};

use md5::{Digest, Md5};

/// The Adler-32 checksum (RFC 1950) of `bytes`, as UconDB computes it.
///
/// ```
/// assert_eq!(ucon_db::adler32(b""), 1);
/// assert_eq!(ucon_db::adler32(b"Wikipedia"), 0x11E6_0398);
/// ```
pub fn adler32(bytes: &[u8]) -> u32 {
    adler2::adler32_slice(bytes)
}

/// The MD5 digest of a blob: it tells records apart, it does not protect them against an attacker.
///
/// ```
/// let digest = ucon_db::Md5Digest::of(b"abc");
/// assert_eq!(digest.to_string(), "900150983cd24fb0d6963f7d28e17f72");
/// assert_eq!("900150983CD24fb0d6963f7d28e17f72".parse(), Ok(digest));
/// assert!("900150983cd24fb0".parse::<ucon_db::Md5Digest>().is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Md5Digest([u8; 16]);

impl Md5Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Md5::digest(bytes).into())
    }
}

impl fmt::Display for Md5Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

/// A text that is not an MD5 digest: 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an MD5 digest has 32 hexadecimal digits")]
pub struct NotAnMd5Digest;

impl FromStr for Md5Digest {
    type Err = NotAnMd5Digest;

    fn from_str(text: &str) -> Result<Self, NotAnMd5Digest> {
        let mut digest = [0; 16];
        // Else `from_str_radix` would take a sign, too.
        if text.len() != 2 * digest.len() || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(NotAnMd5Digest);
        }
        for (byte, at) in digest.iter_mut().zip((0..).step_by(2)) {
            *byte = u8::from_str_radix(&text[at..at + 2], 16).map_err(|_| NotAnMd5Digest)?;
        }
        Ok(Self(digest))
    }
}

impl fmt::Debug for Md5Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

/// Writes `bytes` as lower-case hexadecimal digits.
pub(crate) fn write_hex(out: &mut impl fmt::Write, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
}
