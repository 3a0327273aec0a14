//! Typed values out of the tree. Everything that is wrong is noted, and told at once.

use std::{
    fmt::Display,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    str::FromStr,
};

use secrecy::SecretString;

use super::{
    finding::Finding,
    interpolate::{Environment, Scope, did_you_mean},
    keys::{Absent, KEYS, absent, suggestion},
    secrets::hide_password,
    tree::{Node, Value},
};

/// Reads values and notes what is wrong with them; after an error a placeholder comes back.
pub(super) struct Reader<'a> {
    file: &'a Path,
    root: &'a Node,
    scope: Scope<'a>,
    /// What makes the configuration unusable.
    pub(super) errors: Vec<Finding>,
    /// What does not.
    pub(super) warnings: Vec<Finding>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(file: &'a Path, root: &'a Node, environment: &'a Environment) -> Self {
        Self { file, root, scope: Scope::new(root, environment), errors: Vec::new(), warnings: Vec::new() }
    }

    pub(super) fn error(&mut self, key: &str, text: impl Into<String>) {
        let finding = self.finding(key, text.into());
        self.errors.push(finding);
    }

    pub(super) fn warn(&mut self, key: &str, text: impl Into<String>) {
        let finding = self.finding(key, text.into());
        self.warnings.push(finding);
    }

    fn finding(&self, key: &str, text: String) -> Finding {
        let line = self.root.get(key).map_or(0, |node| node.line);
        Finding { file: self.file.to_owned(), line, key: key.to_owned(), text: hide_password(text) }
    }

    /// Whether the file gives the key a value, be it one that counts as left out.
    pub(super) fn is_given(&self, key: &str) -> bool {
        self.root.get(key).is_some()
    }

    /// The value of a key as text, or its default.
    fn find(&mut self, key: &str) -> Option<String> {
        let text = match self.root.get(key).map(|node| &node.value) {
            None => return self.default(key, None),
            Some(Value::Text(text)) => text,
            Some(Value::Number(text)) => return Some(text.clone()),
            Some(Value::Bool(switch)) => return Some(switch.to_string()),
            Some(value) => {
                let text = format!("expected one value, found {}", value.kind());
                self.error(key, text);
                return None;
            }
        };
        match self.scope.expand(key, text) {
            Ok(Some(value)) => Some(value),
            Ok(None) => self.default(key, Some(text)),
            Err(error) => {
                self.error(key, error.to_string());
                None
            }
        }
    }

    /// What counts where `key` is left out, or where `given` is nothing but a variable that is not set.
    fn default(&mut self, key: &str, given: Option<&str>) -> Option<String> {
        match absent(key) {
            Some(Absent::Default(default)) => match self.scope.expand(key, default) {
                Ok(value) => Some(value.unwrap_or_default()),
                Err(error) => {
                    self.error(key, format!("its default is `{default}`, but {error}"));
                    None
                }
            },
            Some(Absent::Required) => {
                let reason = given.map_or_else(String::new, |text| format!(", and `{text}` is not set"));
                self.error(key, format!("required{reason}"));
                None
            }
            Some(Absent::Nothing) | None => None,
        }
    }

    /// A text; an empty one is an error.
    pub(super) fn text(&mut self, key: &str) -> String {
        match self.find(key) {
            Some(text) if text.trim().is_empty() => {
                self.error(key, "must not be empty");
                String::new()
            }
            found => found.unwrap_or_default(),
        }
    }

    /// A text that may be left out; an empty one counts as left out.
    pub(super) fn optional(&mut self, key: &str) -> Option<String> {
        self.find(key).filter(|text| !text.trim().is_empty())
    }

    pub(super) fn path(&mut self, key: &str) -> PathBuf {
        self.text(key).into()
    }

    /// A text that is never shown.
    pub(super) fn secret(&mut self, key: &str) -> SecretString {
        self.text(key).into()
    }

    /// A whole number within `range`.
    pub(super) fn whole(&mut self, key: &str, range: RangeInclusive<u32>) -> u32 {
        let Some(text) = self.find(key) else { return 0 };
        match text.trim().parse() {
            Ok(number) if range.contains(&number) => number,
            _ => {
                let (first, last) = (range.start(), range.end());
                self.error(key, format!("expected a whole number from {first} to {last}, found `{}`", short(&text)));
                0
            }
        }
    }

    /// A switch, in any spelling that YAML ever had.
    pub(super) fn switch(&mut self, key: &str) -> bool {
        let Some(text) = self.find(key) else { return false };
        match text.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" => true,
            "false" | "no" | "off" => false,
            _ => {
                self.error(key, format!("expected true or false, found `{}`", short(&text)));
                false
            }
        }
    }

    /// A text that `T` understands; its own error tells what is wrong otherwise.
    pub(super) fn parsed<T: FromStr<Err: Display>>(&mut self, key: &str) -> Option<T> {
        let text = Some(self.text(key)).filter(|text| !text.is_empty())?;
        text.parse().map_err(|error: T::Err| self.error(key, error.to_string())).ok()
    }

    /// One of a few words, in capitals or not.
    pub(super) fn one_of<T: Copy>(&mut self, key: &str, words: &[(&str, T)]) -> Option<T> {
        let text = Some(self.text(key)).filter(|text| !text.is_empty())?;
        let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text.trim()));
        if found.is_none() {
            let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            self.error(key, format!("expected one of {}, found `{}`", all.join(", "), short(&text)));
        }
        found.map(|(_, value)| *value)
    }

    /// A list of texts; `None` where the key is left out.
    pub(super) fn list(&mut self, key: &str) -> Option<Vec<String>> {
        let node = self.root.get(key)?;
        let Value::List(items) = &node.value else {
            let text = format!("expected a list, found {}", node.value.kind());
            self.error(key, text);
            return None;
        };
        let mut texts = Vec::new();
        for item in items {
            match &item.value {
                Value::Text(text) => match self.scope.expand(key, text) {
                    Ok(text) => texts.extend(text),
                    Err(error) => self.error(key, error.to_string()),
                },
                other => self.error(key, format!("expected a list of texts, found {} in it", other.kind())),
            }
        }
        Some(texts)
    }

    /// Warns about keys that do not exist, and refuses values where a section belongs.
    pub(super) fn check_names(&mut self) {
        let is_section =
            |path: &str| KEYS.iter().any(|(key, _)| key.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')));
        let mut told: Vec<String> = Vec::new();
        for (leaf, line) in self.root.leaves() {
            if absent(&leaf).is_some() {
                continue;
            }
            // The outermost name that is wrong: an unknown section is one remark.
            let ends = leaf.match_indices('.').map(|(at, _)| at).chain([leaf.len()]);
            let path = ends.map(|end| &leaf[..end]).find(|path| !is_section(path)).unwrap_or(&leaf);
            if is_section(path) {
                if self.root.get(path).is_some_and(|node| !matches!(node.value, Value::Map(_))) {
                    self.error(path, "expected a section with keys of its own");
                }
            } else if !told.iter().any(|known| known == path) {
                told.push(path.to_owned());
                let text = format!("unknown key, ignored{}", did_you_mean(nearest(path).as_deref()));
                self.warnings.push(Finding { file: self.file.to_owned(), line, key: path.to_owned(), text });
            }
        }
    }
}

/// The key, or the section, that `path` probably means.
fn nearest(path: &str) -> Option<String> {
    if path.contains('.') {
        return suggestion(path).map(str::to_owned);
    }
    let sections = KEYS.iter().filter_map(|(key, _)| key.split('.').next());
    let distance = |section: &str| strsim::damerau_levenshtein(section, path);
    let section =
        sections.min_by_key(|section| distance(section)).filter(|section| distance(section) <= 1.max(path.len() / 3));
    section.map(str::to_owned).or_else(|| suggestion(path).map(str::to_owned))
}

/// A value in a message, cut where it is long.
fn short(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
