//! The files of the exchange: documents as the tools take and give them.

use std::{
    collections::BTreeMap,
    io::{self, Read as _, Write as _},
    path::Path,
};

use fs_err::os::unix::fs::OpenOptionsExt as _;

/// What a run's documents may have together; the largest run of the originals has 1 MB.
pub(super) const DOWNLOAD_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Documents as the downloader writes them, by entity.
#[derive(Debug, Default)]
pub(super) struct Documents {
    /// Those of the collection of the schema.
    layout: BTreeMap<String, String>,
    others: BTreeMap<String, String>,
}

impl Documents {
    /// The text of a document.
    pub(super) fn get(&self, entity: &str, is_layout: bool) -> Option<&str> {
        let (first, second) = if is_layout { (&self.layout, &self.others) } else { (&self.others, &self.layout) };
        // For a configuration whose name has digits only, the downloader writes everything into one directory.
        first.get(entity).or_else(|| second.get(entity)).map(String::as_str)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.layout.len() + self.others.len()
    }

    /// The documents in files that the downloader wrote.
    pub(super) fn from_files(files: BTreeMap<String, Vec<u8>>) -> Result<Self, String> {
        let mut documents = Self::default();
        for (path, bytes) in files {
            let (directory, name) =
                path.rsplit_once('/').map_or(("", path.as_str()), |(directory, name)| (directory, name));
            let Some(entity) = name.strip_suffix(".fcl") else {
                return Err(format!("wrote a file `{}`, which is no document", path.escape_debug()));
            };
            let text = String::from_utf8(bytes).map_err(|_| format!("wrote `{entity}`, which is not UTF-8"))?;
            let list = if directory.is_empty() { &mut documents.layout } else { &mut documents.others };
            list.insert(entity.to_owned(), text);
        }
        Ok(documents)
    }
}

/// Writes files that only we can read.
pub(super) fn write_all(directory: &Path, files: &BTreeMap<String, &str>) -> io::Result<()> {
    for (name, text) in files {
        let mut file =
            fs_err::OpenOptions::new().write(true).create_new(true).mode(0o600).open(directory.join(name))?;
        file.write_all(text.as_bytes())?;
    }
    Ok(())
}

/// The files of a directory and of those in it, by their relative paths.
pub(super) fn read_all(directory: &Path) -> io::Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    let mut open = vec![(directory.to_owned(), String::new())];
    let mut room = DOWNLOAD_BYTES_MAX;
    while let Some((place, prefix)) = open.pop() {
        for entry in fs_err::read_dir(&place)? {
            let entry = entry?;
            let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if entry.file_type()?.is_dir() {
                open.push((entry.path(), format!("{path}/")));
                continue;
            }
            let mut bytes = Vec::new();
            // One more than fits.
            fs_err::File::open(entry.path())?.take(room as u64 + 1).read_to_end(&mut bytes)?;
            room = room.checked_sub(bytes.len()).ok_or_else(|| io::Error::other("too many bytes were downloaded"))?;
            files.insert(path, bytes);
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn documents_are_told_by_their_places() {
        let files = [("demo/boot.fcl", "a: 1\n"), ("schema.fcl", "b: 2\n"), ("demo/schema.fcl", "c: 3\n")];
        let files = files.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec())).into();
        let documents = Documents::from_files(files).unwrap();
        assert_eq!(documents.get("boot", false), Some("a: 1\n"));
        assert_eq!(documents.get("boot", true), Some("a: 1\n"), "a name of digits only");
        assert_eq!((documents.get("schema", true), documents.get("schema", false)), (Some("b: 2\n"), Some("c: 3\n")));
        assert_eq!((documents.len(), documents.get("x", true)), (3, None));
        let check =
            |path: &str, bytes: &[u8]| Documents::from_files(BTreeMap::from([(path.to_owned(), bytes.to_vec())]));
        assert!(check("demo/boot.txt", b"").is_err());
        assert!(check("demo/boot.fcl", b"\xff").is_err());
    }
}
