//! The document `hashes`: the MD5 of every document's text, and of the list itself.

use std::fmt::Write as _;

use md5::{Digest as _, Md5};

use crate::convert::sound_key;

/// The entity of the document.
pub const HASHES_ENTITY: &str = "hashes";

/// The text for the documents (entity, text): lines `entity:md5` sorted by entity, without `schema`, then
/// `configuration:md5` of those lines joined by commas; no newline at the end.
///
/// An entity that is no FHiCL key is written with `_` for the offending characters; the genuine
/// program stores a text that it then refuses, and with it the run.
///
/// ```
/// let text = run_record::hashes::text([("boot", "a: 1\n"), ("schema", "")]);
/// assert_eq!(text, "boot:e0ccdaf42c593022e15b18cc0e96d201\nconfiguration:044e2d6e673cd6730083e6831009fd74");
/// ```
pub fn text<'a>(documents: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut documents: Vec<_> = documents.into_iter().filter(|(entity, _)| *entity != "schema").collect();
    documents.sort_by_key(|(entity, _)| *entity);
    let mut lines: Vec<_> =
        documents.iter().map(|(entity, text)| format!("{}:{}", sound_key(entity), md5_hex(text))).collect();
    lines.push(format!("configuration:{}", md5_hex(&lines.join(","))));
    lines.join("\n")
}

fn md5_hex(text: &str) -> String {
    Md5::digest(text.as_bytes()).iter().fold(String::with_capacity(32), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
