//! What a document must say about itself to live in a state file.

use serde::Deserialize;

use crate::Version;

/// A value that is kept in a state file, as JSON or as plain text.
///
/// The disk form is the implementor's business: a domain type may differ from what is written.
pub trait Document: Sized {
    /// What people call such a document, for messages: "index-creation state".
    const KIND: &'static str;

    /// The newest version of the disk form that this program knows, written in the field `version`
    /// of the document; `None` for the rare format that carries no version.
    ///
    /// With a version, [`StateFile`](crate::StateFile) and [`Snapshot`](crate::Snapshot) check it
    /// before they call [`decode`](Self::decode).
    const VERSION: Option<Version>;

    /// Reads the disk form.
    ///
    /// # Errors
    ///
    /// When the text is not a document of this kind.
    fn decode(text: &str) -> Result<Self, DecodeError>;

    /// Writes the disk form.
    ///
    /// # Errors
    ///
    /// When a value has no JSON form; for plain data this does not happen.
    fn encode(&self) -> Result<String, serde_json::Error>;
}

/// Why bytes are not a document.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The file has no bytes: typical of a write that was cut off by a program without atomic replacement.
    #[error("the file is empty")]
    Empty,
    /// The file holds NUL bytes: typical of a file system after a power failure.
    #[error("the file holds NUL bytes from byte {offset} on")]
    NulBytes {
        /// Where the first one stands.
        offset: usize,
    },
    /// The bytes are not text.
    #[error("the file is not UTF-8 text from byte {offset} on")]
    NotUtf8 {
        /// Where the first bad byte stands.
        offset: usize,
    },
    /// The text is not JSON of the wanted shape.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// The JSON breaks a rule of the format.
    #[error("{reason}")]
    Invalid {
        /// Which rule, as a sentence fragment.
        reason: String,
    },
}

impl DecodeError {
    /// The JSON breaks a rule of the format.
    pub fn invalid(reason: impl Into<String>) -> Self {
        Self::Invalid { reason: reason.into() }
    }
}

/// What the bytes of a state file turned out to be.
#[derive(Debug)]
pub(crate) enum Decoded<D> {
    Document { document: D, version: Option<Version> },
    TooNew { found: Version, supported: Version },
}

/// The version decides how the rest is read, so it is read by itself, first.
#[derive(Deserialize)]
struct Header {
    version: Version,
}

/// Reads bytes as a document, version first.
pub(crate) fn decode<D: Document>(bytes: &[u8]) -> Result<Decoded<D>, DecodeError> {
    let text = text_of(bytes)?;
    let Some(supported) = D::VERSION else {
        return Ok(Decoded::Document { document: D::decode(text)?, version: None });
    };
    require_object(text)?;
    let Header { version: found } = serde_json::from_str(text)?;
    if found < Version::new(supported.major, 0) {
        return Err(DecodeError::invalid(format!("its version {found} is older than any that exists")));
    }
    if !found.is_readable_by(supported) {
        return Ok(Decoded::TooNew { found, supported });
    }
    Ok(Decoded::Document { document: D::decode(text)?, version: Some(found) })
}

/// Makes sure that `text` is something, and a JSON object at that.
///
/// Done for every document with a version; one without, which may be no JSON at all, does it itself.
///
/// # Errors
///
/// [`DecodeError::Empty`], or that it is not an object.
pub fn require_object(text: &str) -> Result<(), DecodeError> {
    match text.trim_ascii_start().chars().next() {
        None => Err(DecodeError::Empty),
        Some('{') => Ok(()),
        // `serde` would read an array as a struct, field by field.
        Some(_) => Err(DecodeError::invalid("it is not a JSON object")),
    }
}

fn text_of(bytes: &[u8]) -> Result<&str, DecodeError> {
    // JSON text never holds a raw NUL, so one is a better explanation than "expected value".
    if let Some(offset) = bytes.iter().position(|byte| *byte == 0) {
        return Err(DecodeError::NulBytes { offset });
    }
    let text = std::str::from_utf8(bytes).map_err(|error| DecodeError::NotUtf8 { offset: error.valid_up_to() })?;
    // Some editors put a byte-order mark in front.
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}
