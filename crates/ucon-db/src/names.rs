//! Names of folders and objects, restricted to what every server takes unaltered.
//!
//! A folder and an object travel in the path of a URL. The HTTP server that UconDB brings along does not
//! decode a path, Apache does, and both refuse some characters, so that a name outside of these rules
//! would be stored under another name on one of them.

use std::{fmt, str::FromStr};

/// A folder: letters, digits, `_` and at most one `.`, which separates the namespace.
///
/// ```
/// use ucon_db::FolderName;
/// assert!("public.run_records".parse::<FolderName>().is_ok());
/// assert!("run-records".parse::<FolderName>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FolderName(String);

/// An object: the collection of versions within a folder, say `configuration`.
///
/// Letters, digits and `_ - . ~ : @ +`: what stands for itself in the path of a URL and passes the server's filters.
///
/// ```
/// use ucon_db::ObjectName;
/// assert!("run_records+v2".parse::<ObjectName>().is_ok());
/// assert!("run records".parse::<ObjectName>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ObjectName(String);

/// A name that would not reach the server as it was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is not a valid {kind} name: {rule}")]
pub struct NameError {
    /// The name as given.
    pub name: String,
    /// `folder` or `object`.
    pub kind: &'static str,
    /// What is allowed.
    pub rule: &'static str,
}

impl FolderName {
    /// The name as the server spells it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ObjectName {
    /// The name as the server spells it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for FolderName {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
        let dots = name.matches('.').count();
        if !name.is_empty() && name.chars().all(allowed) && dots <= 1 && !name.starts_with('.') && !name.ends_with('.')
        {
            return Ok(Self(name.to_owned()));
        }
        let rule = "letters, digits, `_`, and one `.` between namespace and folder";
        Err(NameError { name: name.to_owned(), kind: "folder", rule })
    }
}

impl FromStr for ObjectName {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_-.~:@+".contains(c);
        // A path element of dots alone is a step up or a step nowhere.
        if !name.is_empty() && name.chars().all(allowed) && !name.chars().all(|c| c == '.') {
            return Ok(Self(name.to_owned()));
        }
        let rule = "letters, digits and `_ - . ~ : @ +`";
        Err(NameError { name: name.to_owned(), kind: "object", rule })
    }
}

impl fmt::Display for FolderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_follow_the_servers_rule() {
        for (name, valid) in [
            ("test01", true),
            ("public.test01", true),
            ("UPPER_case", true),
            ("", false),
            (".a", false),
            ("a.", false),
            ("a.b.c", false),
            ("a/b", false),
            ("a-b", false),
            ("é", false),
        ] {
            assert_eq!(name.parse::<FolderName>().is_ok(), valid, "{name:?}");
        }
    }

    #[test]
    fn objects_are_what_a_path_carries_unaltered() {
        for (name, valid) in [
            ("configuration", true),
            ("run_records-v2.1~x:y@z+w", true),
            ("", false),
            (".", false),
            ("..", false),
            ("a b", false),
            ("a%20b", false),
            ("a/b", false),
            ("key=1", false),
            ("a,b", false),
            ("a;b", false),
            ("a'b", false),
            ("a?b", false),
            ("a#b", false),
            ("é", false),
        ] {
            assert_eq!(name.parse::<ObjectName>().is_ok(), valid, "{name:?}");
        }
    }
}
