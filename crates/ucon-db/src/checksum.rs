//! The two checksums of the archive: Adler-32 (UconDB's own) and MD5 (the archiver's promise).

use std::fmt;

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

impl fmt::Debug for Md5Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

/// Writes `bytes` as lower-case hexadecimal digits.
pub(crate) fn write_hex(out: &mut impl fmt::Write, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
}
