//! The address of an archive in a directory.

use std::path::{Path, PathBuf};

use super::{UriError, without_credentials};

/// The scheme of an archive in a directory.
pub(super) const FILESYSTEM: &str = "filesystemdb://";

/// Characters on which the word expansion of the genuine programs splits, expands or crashes.
const SHELL: &[char] = &[' ', '\t', '\n', '&', ';', '(', ')', '<', '>', '|', '\'', '"', '`', '\\', '{', '}', '~'];

/// The address of an archive in a directory: `filesystemdb:///daq/archive`.
///
/// | URI | meaning |
/// |---|---|
/// | `filesystemdb:///abs/dir` | the directory `/abs/dir`, taken as it is: no suffix is added |
/// | `filesystemdb://rel/dir` | relative to the current directory of the process |
/// | `filesystemdb://$VAR/x`, `${VAR}` | variables of the environment, which must be set |
/// | one or more `/` at the end | ignored |
/// | blanks, quotes, `&;()<>\|` backslash, `~` | refused: the genuine programs read another path, or crash |
/// | anything else | refused |
///
/// ```
/// use artdaq_db::FilesystemUri;
///
/// let uri = FilesystemUri::parse("filesystemdb://${DATA}/run_archive/", |name| (name == "DATA").then(|| "/daq".into()))?;
/// assert_eq!(uri.path().to_str(), Some("/daq/run_archive"));
/// assert_eq!(uri.to_string(), "filesystemdb:///daq/run_archive");
/// # Ok::<(), artdaq_db::UriError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilesystemUri {
    path: String,
}

impl FilesystemUri {
    /// Reads an address; `variable` gives the environment's variables.
    ///
    /// # Errors
    ///
    /// [`UriError`], always with the text and what is wrong with it.
    pub fn parse(uri: &str, variable: impl Fn(&str) -> Option<String>) -> Result<Self, UriError> {
        let whole = || uri.to_owned();
        if uri.trim().is_empty() {
            return Err(UriError::Empty);
        }
        let Some(rest) = uri.strip_prefix(FILESYSTEM) else {
            return Err(UriError::Scheme { uri: without_credentials(uri) });
        };
        let expanded = expand(uri, rest, variable)?;
        let path = expanded.trim_end_matches('/');
        if path.is_empty() {
            return Err(UriError::NoPath { uri: whole() });
        }
        if let Some(character) = path.chars().find(|c| SHELL.contains(c) || c.is_control()) {
            return Err(UriError::Character { uri: format!("{FILESYSTEM}{path}"), character });
        }
        Ok(Self { path: path.to_owned() })
    }

    /// The directory of the archive; relative if the URI was.
    pub fn path(&self) -> &Path {
        Path::new(&self.path)
    }

    /// The directory of the archive.
    pub fn to_path_buf(&self) -> PathBuf {
        PathBuf::from(&self.path)
    }
}

impl std::fmt::Display for FilesystemUri {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{FILESYSTEM}{}", self.path)
    }
}

/// Puts the values of variables in their places.
fn expand(uri: &str, text: &str, variable: impl Fn(&str) -> Option<String>) -> Result<String, UriError> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let (name, following) = match after.strip_prefix('{') {
            Some(braced) => braced.split_once('}').ok_or_else(|| UriError::Dollar { uri: uri.to_owned() })?,
            None => after.split_at(after.find(|c: char| !is_name(c)).unwrap_or(after.len())),
        };
        if name.is_empty() || !name.chars().all(is_name) || name.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(UriError::Dollar { uri: uri.to_owned() });
        }
        let value = variable(name).filter(|value| !value.is_empty());
        out.push_str(&value.ok_or_else(|| UriError::Unset { uri: uri.to_owned(), variable: name.to_owned() })?);
        rest = following;
    }
    out.push_str(rest);
    Ok(out)
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(name: &str) -> Option<String> {
        match name {
            "DATA" => Some("/daq".to_owned()),
            "EMPTY" => Some(String::new()),
            "BLANK" => Some("/a b".to_owned()),
            _ => None,
        }
    }

    #[test]
    fn addresses_are_read_as_documented() {
        let check = |uri: &str, expect: &str| {
            let parsed = FilesystemUri::parse(uri, environment).map(|uri| uri.path);
            assert_eq!(parsed.as_deref(), Ok(expect), "{uri}");
        };
        check("filesystemdb:///abs/dir_archive", "/abs/dir_archive");
        check("filesystemdb:///abs/dir_archive//", "/abs/dir_archive");
        check("filesystemdb://rel/dir", "rel/dir");
        check("filesystemdb://$DATA/x", "/daq/x");
        check("filesystemdb://${DATA}x/y/", "/daqx/y");
        check("filesystemdb:///übung/a*b?c=d#e%20", "/übung/a*b?c=d#e%20");
    }

    #[test]
    fn what_the_genuine_programs_misread_is_refused() {
        let check = |uri: &str, expect: fn(&UriError) -> bool, says: &str| match FilesystemUri::parse(uri, environment)
        {
            Err(error) => assert!(expect(&error) && error.to_string().contains(says), "{uri}: {error:?} {error}"),
            Ok(parsed) => panic!("{uri} was read as {parsed}"),
        };
        check("", |e| matches!(e, UriError::Empty), "filesystemdb:///path");
        check("  ", |e| matches!(e, UriError::Empty), "empty");
        for uri in ["/abs/dir", "file:///abs", "FILESYSTEMDB:///abs", "filesystemdb:/abs", "mongodb://h/db", "mongo"] {
            check(uri, |e| matches!(e, UriError::Scheme { .. }), uri);
        }
        check("filesystemdb://", |e| matches!(e, UriError::NoPath { .. }), "no path");
        check("filesystemdb:////", |e| matches!(e, UriError::NoPath { .. }), "no path");
        check("filesystemdb://$NONE/x", |e| matches!(e, UriError::Unset { .. }), "`NONE`");
        check("filesystemdb://$EMPTY/x", |e| matches!(e, UriError::Unset { .. }), "`EMPTY`");
        for uri in ["filesystemdb://$/x", "filesystemdb://${DATA", "filesystemdb://${}", "filesystemdb://$(pwd)"] {
            check(uri, |e| matches!(e, UriError::Dollar { .. }), uri);
        }
        for uri in ["filesystemdb:///a b", "filesystemdb://$BLANK", "filesystemdb://~/x", "filesystemdb:///a;b"] {
            check(uri, |e| matches!(e, UriError::Character { .. }), "contains");
        }
    }
}
