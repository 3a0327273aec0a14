//! References in values: `${VAR}`, `${VAR:-default}`, `${param}`, `${section.param}`.
//!
//! # Rules
//!
//! - A name in capitals is a variable of the environment. Its value is taken as it is: what looks like a
//!   reference in there is none, so that a password may hold any character.
//! - Any other name is a parameter: of the section of the value, else of the sections around it; with a dot,
//!   of the section that is named. Its own references are resolved, and its default counts where it is left out.
//! - `:-` gives a default, in which references may stand. It counts where the variable is not set or the
//!   parameter has no value.
//! - A value that is nothing but a variable that is not set counts as left out. Anywhere else such a variable
//!   is an error: `${BASE}/state` must not become `/state`.

use std::{cell::Cell, collections::BTreeMap};

use super::{
    keys::{Absent, absent, suggestion},
    tree::{Node, Value},
};

/// Variables by name.
pub type Environment = BTreeMap<String, String>;

/// The longest value, in bytes.
const LENGTH_MAX: usize = 64 << 10;
/// References that are followed for one value.
const STEPS_MAX: u32 = 10_000;
/// Defaults within defaults.
const NESTING_MAX: usize = 32;

/// Why a value cannot be told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ReferenceError {
    #[error("`${{` has no `}}`")]
    Unclosed,
    #[error("`${{{0}}}` is neither a variable in capitals nor a parameter")]
    BadName(String),
    #[error("the variable {0} is not set; set it, or write `${{{0}:-default}}`")]
    Unset(String),
    #[error("`${{{name}}}` refers to a parameter that does not exist{}", did_you_mean(*suggestion))]
    Unknown { name: String, suggestion: Option<&'static str> },
    #[error("`${{{0}}}` refers to a parameter that has no value")]
    NoValue(String),
    #[error("`${{{name}}}` refers to {kind}")]
    NotAText { name: String, kind: &'static str },
    #[error("the references go round in a circle: {}", .0.join(" → "))]
    Cycle(Vec<String>),
    #[error("the references make the value too long")]
    TooLong,
}

/// The rest of a sentence that offers a better name, or nothing.
pub(super) fn did_you_mean(suggestion: Option<&str>) -> String {
    suggestion.map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

/// Where references lead.
#[derive(Debug)]
pub(super) struct Scope<'a> {
    root: &'a Node,
    environment: &'a Environment,
    steps: Cell<u32>,
}

/// A value on its way: the parameters that led to it, its own last, and how deep it is in defaults.
struct Place<'p> {
    chain: &'p [String],
    nesting: usize,
}

impl<'a> Scope<'a> {
    pub(super) fn new(root: &'a Node, environment: &'a Environment) -> Self {
        Self { root, environment, steps: Cell::new(0) }
    }

    /// The value of `text`, which stands at `path`; `None` if it counts as left out.
    pub(super) fn expand(&self, path: &str, text: &str) -> Result<Option<String>, ReferenceError> {
        self.steps.set(0);
        self.expand_at(&Place { chain: &[path.to_owned()], nesting: 0 }, text)
    }

    fn expand_at(&self, place: &Place<'_>, text: &str) -> Result<Option<String>, ReferenceError> {
        let pieces = pieces(text)?;
        if let [Piece::Reference { name, default }] = pieces[..] {
            return self.reference(place, name, default);
        }
        let mut value = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(text) => value.push_str(text),
                Piece::Reference { name, default } => {
                    let found = self.reference(place, name, default)?;
                    value.push_str(&found.ok_or_else(|| ReferenceError::Unset(name.to_owned()))?);
                }
            }
            if value.len() > LENGTH_MAX {
                return Err(ReferenceError::TooLong);
            }
        }
        Ok(Some(value))
    }

    /// What a reference stands for; `None` for a variable that is not set and has no default.
    fn reference(
        &self,
        place: &Place<'_>,
        name: &str,
        default: Option<&str>,
    ) -> Result<Option<String>, ReferenceError> {
        self.steps.set(self.steps.get() + 1);
        if self.steps.get() > STEPS_MAX || place.nesting > NESTING_MAX {
            return Err(ReferenceError::TooLong);
        }
        let found = if is_variable(name) {
            Ok(self.environment.get(name).cloned())
        } else if is_parameter(name) {
            self.parameter(place, name).map(Some)
        } else {
            return Err(ReferenceError::BadName(name.to_owned()));
        };
        match (found, default) {
            (Ok(None) | Err(ReferenceError::NoValue(_) | ReferenceError::Unknown { .. }), Some(default)) => {
                self.expand_at(&Place { chain: place.chain, nesting: place.nesting + 1 }, default)
            }
            (found, _) => found,
        }
    }

    /// The value of the parameter `name`, seen from the last parameter of the chain.
    fn parameter(&self, place: &Place<'_>, name: &str) -> Result<String, ReferenceError> {
        let here = place.chain.last().map_or("", String::as_str);
        let Some(path) = self.path_of(here, name) else {
            let suggestion = suggestion(&qualified(here, name));
            return Err(ReferenceError::Unknown { name: name.to_owned(), suggestion });
        };
        let mut chain = place.chain.to_vec();
        let is_cycle = chain.contains(&path);
        chain.push(path.clone());
        if is_cycle {
            return Err(ReferenceError::Cycle(chain));
        }
        let place = Place { chain: &chain, nesting: place.nesting };
        let found = match self.root.get(&path).map(|node| &node.value) {
            Some(Value::Text(text)) => self.expand_at(&place, text)?,
            Some(Value::Number(text)) => Some(text.clone()),
            Some(Value::Bool(switch)) => Some(switch.to_string()),
            Some(other) => return Err(ReferenceError::NotAText { name: name.to_owned(), kind: other.kind() }),
            None => None,
        };
        match (found, absent(&path)) {
            (Some(value), _) => Ok(value),
            (None, Some(Absent::Default(default))) => Ok(self.expand_at(&place, default)?.unwrap_or_default()),
            (None, _) => Err(ReferenceError::NoValue(name.to_owned())),
        }
    }

    /// The path that `name` means for a value at `here`.
    fn path_of(&self, here: &str, name: &str) -> Option<String> {
        let exists = |path: &String| self.root.get(path).is_some() || absent(path).is_some();
        if name.contains('.') {
            return Some(name.to_owned()).filter(exists);
        }
        let mut section = here;
        while let Some((outer, _)) = section.rsplit_once('.') {
            section = outer;
            let path = format!("{section}.{name}");
            if exists(&path) {
                return Some(path);
            }
        }
        None
    }
}

/// `name` with the section of `here`, unless it has one.
fn qualified(here: &str, name: &str) -> String {
    match here.rsplit_once('.') {
        Some((section, _)) if !name.contains('.') => format!("{section}.{name}"),
        _ => name.to_owned(),
    }
}

fn is_variable(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase() || c == '_')
        && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

fn is_parameter(name: &str) -> bool {
    name.split('.').all(|step| {
        step.starts_with(|c: char| c.is_ascii_lowercase())
            && step.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    })
}

/// A part of a value.
#[derive(Debug, PartialEq, Eq)]
enum Piece<'t> {
    Text(&'t str),
    Reference { name: &'t str, default: Option<&'t str> },
}

fn pieces(text: &str) -> Result<Vec<Piece<'_>>, ReferenceError> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let inner = &rest[start + 2..];
        let end = closing_brace(inner).ok_or(ReferenceError::Unclosed)?;
        if start > 0 {
            pieces.push(Piece::Text(&rest[..start]));
        }
        let content = &inner[..end];
        pieces.push(match content.split_once(":-") {
            Some((name, default)) => Piece::Reference { name, default: Some(default) },
            None => Piece::Reference { name: content, default: None },
        });
        rest = &inner[end + 1..];
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    Ok(pieces)
}

/// Where the `}` stands that ends the reference; those of references within are skipped.
fn closing_brace(text: &str) -> Option<usize> {
    let mut open = 1_usize;
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at..].starts_with(b"${") {
            open += 1;
            at += 1;
        } else if bytes[at] == b'}' {
            open -= 1;
            if open == 0 {
                return Some(at);
            }
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests;
