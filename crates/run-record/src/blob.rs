//! The blob: all texts of a run in one, as UconDB keeps it.
//!
//! ```text
//! Start of Record
//! Run Number: 1000
//! Packed on Mar 13 03:31 UTC
//!
//! #####
//! boot.fcl:
//! #####
//! …text…
//! End of Record
//! Run Number: 1000
//! Packed on Mar 13 03:31 UTC
//! ```
//!
//! # The packing time
//!
//! The genuine program writes the minute of packing, so that a run packed twice differs. Here it is
//! taken from the record: see [`packing_time`]. The same run gives the same blob for ever.
//!
//! # Texts that look like separators
//!
//! A text may hold the three lines of a separator; the genuine format then loses it. Of such a
//! triple the first line gets a backslash appended (`#####\`), and so does every line that already
//! has this form; [`unpack`] takes one away. All other texts are written as the genuine program
//! writes them.

mod time;

use std::collections::BTreeMap;

use crate::RunNumber;

pub use time::packing_time;

/// The files that stand at the end, in this order.
const LAST: [&str; 9] = [
    "boot.fcl",
    "known_boardreaders_list.fcl",
    "setup.fcl",
    "environment.fcl",
    "metadata.fcl",
    "settings.fcl",
    "ranks.fcl",
    "RunHistory.fcl",
    "RunHistory2.fcl",
];

/// The first and third line of a separator.
const BAR: &str = "#####";

/// What a blob holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    /// The run.
    pub run: RunNumber,
    /// The packing time as it is written: `Mar 13 03:31 UTC`.
    pub packed_on: String,
    /// The files by name.
    pub files: BTreeMap<String, String>,
}

/// Why there is no blob, or none can be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlobError {
    /// There are no files to pack.
    #[error("run {0} has no files to pack")]
    Empty(RunNumber),
    /// A file's name cannot stand in a separator.
    #[error("`{0}` cannot be packed: a name is one line that is not empty")]
    Name(String),
    /// The text is no blob.
    #[error("not a packed run record: {0}")]
    Malformed(&'static str),
}

/// Packs the files of a run, with [`packing_time`] of them.
///
/// # Errors
///
/// [`BlobError::Empty`] without files, [`BlobError::Name`] if a name is empty or has a line end.
///
/// ```
/// use std::collections::BTreeMap;
/// use run_record::{RunNumber, blob};
///
/// # fn main() -> Result<(), blob::BlobError> {
/// let files = BTreeMap::from([("boot.fcl".to_owned(), "\na: 1 \n".to_owned())]);
/// let packed = blob::pack(RunNumber::new(7), &files)?;
/// assert_eq!(blob::unpack(&packed)?.files, files);
/// # Ok(())
/// # }
/// ```
pub fn pack(run: RunNumber, files: &BTreeMap<String, String>) -> Result<String, BlobError> {
    pack_at(run, &packing_time(files), files)
}

/// Packs the files of a run with a packing time of the caller's.
///
/// # Errors
///
/// As [`pack`]; a time with a line end is a [`BlobError::Name`] too.
pub fn pack_at(run: RunNumber, packed_on: &str, files: &BTreeMap<String, String>) -> Result<String, BlobError> {
    if files.is_empty() {
        return Err(BlobError::Empty(run));
    }
    let is_line = |text: &str| !text.is_empty() && !text.contains('\n');
    if let Some(bad) = files.keys().map(String::as_str).chain([packed_on]).find(|text| !is_line(text)) {
        return Err(BlobError::Name(bad.to_owned()));
    }
    let mut names: Vec<_> = files.keys().collect();
    names.sort_by_cached_key(|name| (place(name), name.to_lowercase()));
    let mut out = format!("Start of Record\nRun Number: {run}\nPacked on {packed_on}\n");
    for name in names {
        for part in ["\n#####\n", name, ":\n#####\n"] {
            out.push_str(part);
        }
        push_stuffed(&mut out, &files[name]);
    }
    out.push_str(&footer(run, packed_on));
    Ok(out)
}

/// The files that a blob holds; the reverse of [`pack`].
///
/// Reads the genuine program's blobs as well.
///
/// # Errors
///
/// [`BlobError::Malformed`] if the text has not the form of a blob.
pub fn unpack(blob: &str) -> Result<Blob, BlobError> {
    let malformed = BlobError::Malformed;
    let rest = blob.strip_prefix("Start of Record\nRun Number: ").ok_or(malformed("no header"))?;
    let (run, rest) = rest.split_once("\nPacked on ").ok_or(malformed("no packing time"))?;
    let run = run.parse().map_err(|_| malformed("no run number"))?;
    let (packed_on, rest) = rest.split_once('\n').ok_or(malformed("no files"))?;
    let body = rest.strip_suffix(&footer(run, packed_on)).ok_or(malformed("no matching footer; it is cut short"))?;

    let lines: Vec<_> = body.split('\n').collect();
    let starts = separators(&lines);
    if !lines[0].is_empty() || starts.first() != Some(&1) {
        return Err(malformed("no file follows the header"));
    }
    let mut files = BTreeMap::new();
    for (number, &start) in starts.iter().enumerate() {
        let end = starts.get(number + 1).copied().unwrap_or(lines.len());
        let name = lines[start + 1].strip_suffix(':').unwrap_or_default();
        let text = lines[start + 3..end].iter().map(|line| unstuffed(line)).collect::<Vec<_>>().join("\n");
        if files.insert(name.to_owned(), text).is_some() {
            return Err(malformed("two files of one name"));
        }
    }
    Ok(Blob { run, packed_on: packed_on.to_owned(), files })
}

/// Whether two blobs are the same but for the packing time, which genuine blobs carry by the clock.
pub fn same_content(one: &str, other: &str) -> bool {
    content(one) == content(other)
}

/// The blob without its two packing times.
fn content(blob: &str) -> Option<(&str, &str)> {
    let (head, rest) = blob.split_once("\nPacked on ")?;
    let (_, body) = rest.split_once('\n')?;
    let (body, last) = body.rsplit_once("\nPacked on ")?;
    (last.find('\n') == Some(last.len() - 1)).then_some((head, body))
}

fn footer(run: RunNumber, packed_on: &str) -> String {
    format!("\nEnd of Record\nRun Number: {run}\nPacked on {packed_on}\n")
}

/// Zero for most files, the place among the last for the others; upper and lower case are the same.
fn place(name: &str) -> usize {
    LAST.iter().position(|last| last.eq_ignore_ascii_case(name)).map_or(0, |place| place + 1)
}

fn is_name_line(line: &str) -> bool {
    line.len() > 1 && line.ends_with(':')
}

/// Where separators start, read from the top; a line belongs to one of them only.
fn separators(lines: &[&str]) -> Vec<usize> {
    let mut starts = Vec::new();
    let mut at = 0;
    while at + 2 < lines.len() {
        if lines[at] == BAR && is_name_line(lines[at + 1]) && lines[at + 2] == BAR {
            starts.push(at);
            at += 3;
        } else {
            at += 1;
        }
    }
    starts
}

fn is_stuffed(line: &str) -> bool {
    line.strip_prefix(BAR).is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte == b'\\'))
}

fn push_stuffed(out: &mut String, text: &str) {
    let mut lines = text.split('\n').peekable();
    let mut rest = lines.clone();
    while let Some(line) = lines.next() {
        rest.next();
        out.push_str(line);
        let mut following = rest.clone();
        // What follows the text is a separator, or the footer; assume the worse.
        let starts_separator = line == BAR
            && following.next().is_some_and(is_name_line)
            && following.next().is_none_or(|third| third == BAR);
        if starts_separator || is_stuffed(line) {
            out.push('\\');
        }
        if lines.peek().is_some() {
            out.push('\n');
        }
    }
}

fn unstuffed(line: &str) -> &str {
    if is_stuffed(line) { &line[..line.len() - 1] } else { line }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

    use proptest::prelude::*;

    use super::*;

    fn files(files: &[(&str, &str)]) -> BTreeMap<String, String> {
        files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn a_blob_looks_like_this() {
        let files =
            files(&[("RunHistory.fcl", "r\n"), ("zeta.fcl", ""), ("Alpha.fcl", "\na: 1 \n"), ("boot.fcl", "b")]);
        let expect = "Start of Record\nRun Number: 7\nPacked on Jan 02 03:04 UTC\n\
            \n#####\nAlpha.fcl:\n#####\n\na: 1 \n\
            \n#####\nzeta.fcl:\n#####\n\
            \n#####\nboot.fcl:\n#####\nb\
            \n#####\nRunHistory.fcl:\n#####\nr\n\
            \nEnd of Record\nRun Number: 7\nPacked on Jan 02 03:04 UTC\n";
        let packed = pack_at(RunNumber::new(7), "Jan 02 03:04 UTC", &files).unwrap();
        assert_eq!(packed, expect);
        assert_eq!(
            unpack(&packed).unwrap(),
            Blob { run: RunNumber::new(7), packed_on: "Jan 02 03:04 UTC".into(), files: files.clone() }
        );

        let later = pack_at(RunNumber::new(7), "Jan 02 03:05 UTC", &files).unwrap();
        assert!(same_content(&packed, &later) && packed != later);
        assert!(!same_content(&packed, &packed.replace("a: 1", "a: 2")));
        assert!(!same_content(&packed, &packed[..packed.len() - 1]));
        assert!(!same_content(&packed, &packed.replace("Run Number: 7", "Run Number: 8")));
    }

    #[test]
    fn what_cannot_be_packed_or_unpacked_is_refused() {
        assert_eq!(pack(RunNumber::new(1), &BTreeMap::new()), Err(BlobError::Empty(RunNumber::new(1))));
        assert!(matches!(pack(RunNumber::new(1), &files(&[("a\nb", "")])), Err(BlobError::Name(_))));
        let packed = pack(RunNumber::new(1), &files(&[("a", "text")])).unwrap();
        for cut in 0..packed.len() {
            assert!(unpack(&packed[..cut]).is_err(), "{cut}");
        }
    }

    #[test]
    fn a_comment_bar_is_not_touched() {
        let text = "#####\na: 1\n#####\nb: 2\n#####";
        assert!(pack(RunNumber::new(1), &files(&[("a", text)])).unwrap().contains(text));
    }

    proptest! {
        #[test]
        fn unpacking_undoes_packing(
            files in proptest::collection::btree_map("[a-zA-Z:# ]{1,4}|boot.fcl|BOOT.fcl", r"(#####\\{0,2}|a:|:|\n|\nEnd of Record\n|Packed on |x|é){0,20}", 1..5)
        ) {
            let packed = pack(RunNumber::new(3), &files).unwrap();
            prop_assert_eq!(&unpack(&packed).unwrap().files, &files, "{}", packed);
            prop_assert!(same_content(&packed, &pack_at(RunNumber::new(3), "Feb 29 00:00 UTC", &files).unwrap()));
        }

        #[test]
        fn unpacking_never_panics(text: String) {
            let _ = unpack(&text);
            let _ = unpack(&format!("Start of Record\nRun Number: 1\nPacked on x\n{text}\nEnd of Record\nRun Number: 1\nPacked on x\n"));
        }
    }
}
