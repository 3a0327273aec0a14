//! A run directory: which files belong to the record, and their texts.
//!
//! This is the crate's only input. It reads `*.txt` at the top and `*.fcl` at any depth, as the
//! genuine importer does; it never follows a symbolic link to a directory and never opens a pipe or
//! a device.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::RunNumber;
use crate::text;

/// How much a run directory may hold. A record has some dozens of files of some kilobytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The largest file, in bytes.
    pub file_bytes_max: u64,
    /// The largest sum of all files, in bytes.
    pub total_bytes_max: u64,
    /// The most files, those that are skipped included.
    pub files_max: usize,
    /// The deepest sub-directory.
    pub depth_max: usize,
}

impl Default for Limits {
    /// 64 MiB a file, 256 MiB and 10,000 files in all, 8 levels.
    fn default() -> Self {
        Self { file_bytes_max: 64 << 20, total_bytes_max: 256 << 20, files_max: 10_000, depth_max: 8 }
    }
}

/// The content of a run directory.
///
/// ```no_run
/// use run_record::directory::{Limits, RunDirectory};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let record = RunDirectory::read("run_records/1000".as_ref(), &Limits::default())?;
/// println!("run {} has {} files", record.run, record.files.len());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunDirectory {
    /// The run, from the directory's name.
    pub run: RunNumber,
    /// The record's files: path relative to the directory with `/` between its parts, and text.
    pub files: BTreeMap<String, String>,
    /// Relative paths of what is there and is no part of a record, sorted.
    pub skipped: Vec<String>,
}

/// Why a run directory cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The directory's name is not a run number.
    #[error("`{path}` is not named by a run number")]
    NotARun {
        /// The directory.
        path: PathBuf,
    },
    /// Something else stands in the place of the directory.
    #[error("`{path}` is not a directory")]
    NotADirectory {
        /// The path.
        path: PathBuf,
    },
    /// The directory holds no file that belongs to a record.
    #[error("`{path}` holds no `.txt` or `.fcl` file")]
    Empty {
        /// The directory.
        path: PathBuf,
    },
    /// A limit is exceeded.
    #[error("`{path}` is larger than a run record may be: {problem}")]
    TooLarge {
        /// The directory or file.
        path: PathBuf,
        /// Which limit.
        problem: String,
    },
    /// The operating system refuses.
    #[error("could not read `{path}`")]
    Io {
        /// The directory or file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// The runs below `records`: every entry that is named by a number, whatever it is, with its path.
///
/// A file that stands in the place of a directory is listed too, so that its run fails with a
/// reason instead of vanishing. If two names mean one number (`7` and `007`), the plain one counts.
///
/// # Errors
///
/// [`ReadError::Io`] if the directory cannot be listed.
pub fn list_runs(records: &Path) -> Result<BTreeMap<RunNumber, PathBuf>, ReadError> {
    let mut runs = BTreeMap::new();
    for entry in entries(records)? {
        let name = name_of(&entry);
        if let Ok(run) = name.parse::<RunNumber>()
            && (name == run.to_string() || !runs.contains_key(&run))
        {
            runs.insert(run, entry);
        }
    }
    Ok(runs)
}

impl RunDirectory {
    /// Reads the run directory at `path`.
    ///
    /// Bytes that are not UTF-8 are kept as [`text::decode`] keeps them.
    ///
    /// # Errors
    ///
    /// [`ReadError`]; nothing is returned of a directory that cannot be read in full.
    pub fn read(path: &Path, limits: &Limits) -> Result<Self, ReadError> {
        let run = name_of(path).parse().map_err(|_| ReadError::NotARun { path: path.to_owned() })?;
        let kind = fs::metadata(path).map_err(|source| failed(path, source))?;
        if !kind.is_dir() {
            return Err(ReadError::NotADirectory { path: path.to_owned() });
        }
        let mut reader =
            Reader { limits, bytes: 0, found: 0, record: Self { run, files: BTreeMap::new(), skipped: Vec::new() } };
        reader.directory(path, "", 0)?;
        let mut record = reader.record;
        if record.files.is_empty() {
            return Err(ReadError::Empty { path: path.to_owned() });
        }
        record.skipped.sort();
        Ok(record)
    }
}

fn failed(path: &Path, source: io::Error) -> ReadError {
    ReadError::Io { path: path.to_owned(), source }
}

fn name_of(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| text::decode(name.as_encoded_bytes()).into_owned())
}

/// The paths in a directory, sorted.
fn entries(path: &Path) -> Result<Vec<PathBuf>, ReadError> {
    let read = || -> io::Result<Vec<PathBuf>> { fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect() };
    let mut paths = read().map_err(|source| failed(path, source))?;
    paths.sort();
    Ok(paths)
}

struct Reader<'a> {
    limits: &'a Limits,
    bytes: u64,
    found: usize,
    record: RunDirectory,
}

impl Reader<'_> {
    fn directory(&mut self, path: &Path, prefix: &str, depth: usize) -> Result<(), ReadError> {
        for entry in entries(path)? {
            let relative = format!("{prefix}{}", name_of(&entry));
            self.found += 1;
            if self.found > self.limits.files_max {
                return Err(too_large(path, format!("more than {} files", self.limits.files_max)));
            }
            let kind = fs::symlink_metadata(&entry).map_err(|source| failed(&entry, source))?;
            if kind.is_dir() {
                if depth == self.limits.depth_max {
                    return Err(too_large(&entry, format!("nested deeper than {depth} levels")));
                }
                self.directory(&entry, &format!("{relative}/"), depth + 1)?;
            } else if is_record_file(&relative) && (kind.is_file() || kind.is_symlink() && leads_to_file(&entry)?) {
                let text = self.file(&entry)?;
                self.record.files.insert(relative, text);
            } else {
                self.record.skipped.push(relative);
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path) -> Result<String, ReadError> {
        let mut bytes = Vec::new();
        let file = fs::File::open(path).map_err(|source| failed(path, source))?;
        // One byte beyond the limit tells a file that is too large from one that just fits.
        let limit = self.limits.file_bytes_max;
        file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(|source| failed(path, source))?;
        let length = bytes.len() as u64;
        if length > limit {
            return Err(too_large(path, format!("more than {limit} bytes")));
        }
        self.bytes += length;
        if self.bytes > self.limits.total_bytes_max {
            return Err(too_large(path, format!("more than {} bytes in all files", self.limits.total_bytes_max)));
        }
        Ok(text::decode(&bytes).into_owned())
    }
}

fn too_large(path: &Path, problem: String) -> ReadError {
    ReadError::TooLarge { path: path.to_owned(), problem }
}

fn is_record_file(relative: &str) -> bool {
    // The genuine importer minds upper and lower case too.
    let has_extension = |extension| relative.strip_suffix(extension).is_some();
    has_extension(".fcl") || (has_extension(".txt") && !relative.contains('/'))
}

/// Whether a link leads to a file. One that leads nowhere is an error, not an absent file.
fn leads_to_file(link: &Path) -> Result<bool, ReadError> {
    fs::metadata(link).map(|target| target.is_file()).map_err(|source| failed(link, source))
}
