//! The document `hashes`: the MD5 of every document's text, and of the list itself.

use std::{collections::BTreeSet, fmt::Write as _};

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

/// The first document that the stored text of `hashes` names and that is not among `entities`: the record lost it
/// after it was stored.
///
/// ```
/// use run_record::hashes::lost;
/// let hashes = "boot: e0ccdaf42c593022e15b18cc0e96d201\nmy_board: \"1\"\nconfiguration: 044e2d6e673cd6730083e6831009fd74\n";
/// assert_eq!(lost(hashes, ["boot", "my-board", "schema"]), None);
/// assert_eq!(lost(hashes, ["boot", "schema"]), Some("my_board"));
/// ```
pub fn lost<'a>(hashes: &'a str, entities: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let there: BTreeSet<String> = entities.into_iter().map(sound_key).collect();
    let named = hashes.lines().filter_map(|line| Some(line.split_once(':')?.0.trim()));
    named.filter(|entity| *entity != "configuration").find(|entity| !there.contains(*entity))
}

fn md5_hex(text: &str) -> String {
    Md5::digest(text.as_bytes()).iter().fold(String::with_capacity(32), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
