//! `--validate`: whether a migrated run says what it is.
//!
//! The file `metadata.fcl` of a blob must have each of three parameters exactly once.

use std::fmt;

/// The file that is checked.
pub const CHECKED_FILE: &str = "metadata.fcl";

/// The parameters: their name in reports, and their key in the file.
pub const PARAMETERS: [(&str, &str); 3] =
    [("components", "components"), ("configuration", "config_name"), ("projectversion", "sbndaq_commit_or_version")];

/// What was found of one parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The parameter's name in reports.
    pub parameter: &'static str,
    /// Its key in the file.
    pub key: &'static str,
    /// Its value, without double quotes, or why there is none.
    pub value: Result<String, Problem>,
}

/// What can be wrong with a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// The blob has no `metadata.fcl`.
    NoFile,
    /// The file does not have the key.
    Missing,
    /// The file has the key more than once.
    Repeated,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::NoFile => write!(f, "the record has no `{CHECKED_FILE}`"),
            Problem::Missing => f.write_str("no such parameter"),
            Problem::Repeated => f.write_str("given more than once"),
        }
    }
}

/// Checks the files (name, text) of a blob; the run is valid if every value is `Ok`.
///
/// ```
/// use run_record::validate::validate;
///
/// let metadata = "\nconfig_name: \"demo\" \n\ncomponents: [\"c1\"] \n\nsbndaq_commit_or_version: \"v1\" \n";
/// assert!(validate([("metadata.fcl", metadata)]).iter().all(|check| check.value.is_ok()));
/// ```
pub fn validate<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> [Check; 3] {
    let metadata = files.into_iter().find(|(name, _)| *name == CHECKED_FILE).map(|(_, text)| text);
    PARAMETERS.map(|(parameter, key)| Check {
        parameter,
        key,
        value: metadata.ok_or(Problem::NoFile).and_then(|text| value_of(key, text)),
    })
}

/// The rest of the line after `key:` and blanks, without double quotes.
fn value_of(key: &str, text: &str) -> Result<String, Problem> {
    let mut found = text.match_indices(key).filter_map(|(at, _)| {
        // A longer key that ends like this one is another key.
        if text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            return None;
        }
        let rest = text[at + key.len()..].strip_prefix(':')?;
        let value = rest.trim_start();
        (value.len() < rest.len()).then(|| value.lines().next()).flatten()
    });
    let value = found.next().ok_or(Problem::Missing)?;
    if found.next().is_some() {
        return Err(Problem::Repeated);
    }
    Ok(value.replace('"', "").trim().to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn each_parameter_once() {
        let check = |text: &str, expect: Result<&str, Problem>| {
            assert_eq!(value_of("config_name", text), expect.map(str::to_owned), "{text:?}");
        };
        check("config_name: \"demo\" # c\n", Ok("demo # c"));
        check("a: 1\nconfig_name:\n x\n", Ok("x"));
        check("my_config_name: x", Err(Problem::Missing));
        check("config_name:x", Err(Problem::Missing));
        check("config_name: ", Err(Problem::Missing));
        check("config_name: a\nconfig_name: b", Err(Problem::Repeated));
    }

    #[test]
    fn the_file_must_be_there() {
        let checks = validate([("boot.fcl", "config_name: x")]);
        assert!(checks.iter().all(|check| check.value == Err(Problem::NoFile)));
        assert_eq!(checks[2].key, "sbndaq_commit_or_version");
    }
}
