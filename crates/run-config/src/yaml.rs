//! YAML text to a tree. The only file that knows serde-saphyr.
//!
//! Values are typed as YAML 1.2 types them (`no` is a text; the reader of a switch takes it all the same).
//! Anchors, aliases and merge keys work; their growth is bounded.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Error, Location, Options, Spanned, options::DuplicateKeyPolicy};

use super::tree::{Entry, Node, Value};

/// Values of a configuration, aliases included. The longest real one has about 60.
const NODES_MAX: usize = 10_000;

/// Why a text is no YAML: the parser's words and the line where it stopped.
#[derive(Debug, PartialEq)]
pub(super) struct SyntaxError {
    /// From 1; 0 where the parser does not say.
    pub(super) line: u64,
    pub(super) message: String,
}

/// Reads `text` as one YAML document.
pub(super) fn read(text: &str) -> Result<Node, SyntaxError> {
    let tree: Spanned<Tree> = serde_saphyr::from_str_with_options(text, options()).map_err(|error| SyntaxError {
        line: error.location().map_or(0, |location| location.line()),
        message: message(&error),
    })?;
    Ok(node(text, tree))
}

fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_documents: 2, // the second is an error of its own, with a better message
            max_depth: 16,
            max_events: NODES_MAX * 2,
            max_nodes: NODES_MAX,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: NODES_MAX,
            max_replay_stack_depth: 16,
        },
        duplicate_keys: DuplicateKeyPolicy::Error,
        strict_booleans: true,
        emit_comments: false,
        with_snippet: false, // it could show a password
    }
}

fn message(error: &Error) -> String {
    match error {
        Error::DuplicateMappingKey { key, .. } => {
            format!("`{}` stands twice in this section", key.as_deref().unwrap_or("?"))
        }
        Error::MultipleDocuments { .. } => "a second YAML document starts here; one is read".to_owned(),
        Error::Budget { .. } => "the document is too large".to_owned(),
        other => {
            // The position is appended to the words; it is reported apart.
            let full = other.to_string();
            full.split(" at line ").next().unwrap_or(&full).trim().to_owned()
        }
    }
}

fn node(text: &str, tree: Spanned<Tree>) -> Node {
    let value = match tree.value {
        Tree::Null => Value::Null,
        Tree::Bool(switch) => Value::Bool(switch),
        Tree::Number(number) => Value::Number(written(text, tree.defined).map_or(number, str::to_owned)),
        Tree::Text(text) => Value::Text(text),
        Tree::List(items) => Value::List(items.into_iter().map(|item| node(text, item)).collect()),
        Tree::Map(entries) => Value::Map(
            entries
                .into_iter()
                .map(|(name, tree)| Entry { line: name.defined.line(), name: name.value, node: node(text, tree) })
                .collect(),
        ),
    };
    Node { line: tree.defined.line(), value }
}

/// The characters of a number as they stand in the file, if they can be told.
fn written(text: &str, location: Location) -> Option<&str> {
    let start = usize::try_from(location.span().byte_offset()?).ok()?;
    let length = usize::try_from(location.span().byte_len()?).ok()?;
    let written = text.get(start..start.checked_add(length)?)?.trim();
    let is_number =
        !written.is_empty() && written.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-._".contains(&byte));
    is_number.then_some(written)
}

/// A YAML value as serde-saphyr types it.
enum Tree {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Spanned<Tree>>),
    Map(Vec<(Spanned<String>, Spanned<Tree>)>),
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E>(self, switch: bool) -> Result<Tree, E> {
        Ok(Tree::Bool(switch))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Tree, E> {
        Ok(Tree::Number(number.to_string()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Tree, E> {
        Ok(Tree::Number(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Tree, E> {
        Ok(Tree::Number(number.to_string()))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Tree, E> {
        Ok(Tree::Text(text.to_owned()))
    }

    fn visit_string<E: serde::de::Error>(self, text: String) -> Result<Tree, E> {
        Ok(Tree::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Tree::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Tree::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn values_keep_their_kind_their_line_and_a_number_its_spelling() {
        let text = "a:\n  n: 007\n  p: 1e5\n  q: '12'\n  yes: no\n  t: true\n  z:\nb: [1, x]\n";
        let root = read(text).unwrap();
        for (path, line, value) in [
            ("a.n", 2, Value::Number("007".to_owned())),
            ("a.p", 3, Value::Number("1e5".to_owned())),
            ("a.q", 4, Value::Text("12".to_owned())),
            ("a.yes", 5, Value::Text("no".to_owned())),
            ("a.t", 6, Value::Bool(true)),
        ] {
            assert_eq!(root.get(path), Some(&Node { line, value }), "{path}");
        }
        assert_eq!(root.get("a.z"), None, "null is absent");
        assert_eq!(root.get("b").map(|node| node.value.kind()), Some("a list"));
        let leaves: Vec<String> = root.leaves().into_iter().map(|(path, _)| path).collect();
        assert_eq!(leaves, ["a.n", "a.p", "a.q", "a.yes", "a.t", "a.z", "b"]);
    }

    #[test]
    fn what_is_no_yaml_is_refused_with_its_line() {
        for (text, line, words) in [
            ("a: 1\na: 2\n", 2, "`a` stands twice"),
            ("a: 1\n---\nb: 2\n", 2, "a second YAML document"),
            ("a: [1, 2\nb: 3\n", 2, ""),
            ("a:\n  b: *unknown\n", 2, ""),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.line >= line, "{text:?}: {error:?}");
            assert!(error.message.contains(words), "{text:?}: {error:?}");
        }
        let laughs = format!(
            "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [{0}]\nc: &c [{1}]\nd: &d [{2}]\ne: [{3}]\n",
            "*a,".repeat(9),
            "*b,".repeat(9),
            "*c,".repeat(9),
            "*d,".repeat(9)
        );
        assert!(read(&laughs).is_err(), "an alias bomb is refused");
    }
}
