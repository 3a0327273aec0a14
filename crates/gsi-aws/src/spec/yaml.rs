//! YAML text to a tree with positions. The only file that knows serde-saphyr.
//!
//! Values are read as YAML 1.2 types them: only `true` and `false` are booleans, so that
//! `AttributeType: N` is the text "N" and not "no". A value with a tag of its own, as in CloudFormation's
//! short form `!Ref Name`, becomes the long form `{"Ref": "Name"}`. Anchors, aliases and merge keys work; what
//! they and the nesting may grow to is bounded, so that a small file cannot become a big tree.
//!
//! Absent: all duplicates at once. serde-saphyr stops at the first duplicate name; it is
//! reported, and the rest is then read with the first of each name.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{
    Error, Location, Options, Spanned, Tagged,
    budget::BudgetBreach,
    options::{DuplicateKeyPolicy, NonFiniteFloatPolicy},
};

use super::tree::{Entry, Node, SyntaxError, Value, offset_of};

/// Values that aliases may add to the tree, all together.
const ALIASED_EVENTS_MAX: usize = 100_000;
/// Values of the text itself: enough for 2,500 tables of 20 indexes.
const NODES_MAX: usize = 4_000_000;
/// Levels of nesting. A definition needs six, the other resources of a template more; each costs a good
/// deal of stack.
const DEPTH_MAX: usize = 24;

/// What a YAML text holds.
#[derive(Debug)]
pub(super) struct Yaml {
    pub(super) root: Node,
    /// The first duplicate name, if there is one, and where it stands.
    pub(super) duplicate: Option<(usize, String)>,
}

/// Enough for [`DEPTH_MAX`] levels in a build without optimisation.
const STACK_BYTES: usize = 8 * 1024 * 1024;

/// Reads `text` as one YAML document. On a thread of its own, since a level of nesting takes tens of KB of
/// stack, and nobody knows how much of it our caller has left.
pub(super) fn read(text: &str) -> Result<Yaml, SyntaxError> {
    std::thread::scope(|scope| {
        let reader = std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, || read_here(text));
        match reader.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(yaml)) => yaml,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            Err(error) => Err(SyntaxError { offset: 0, message: format!("it cannot be read: {error}") }),
        }
    })
}

fn read_here(text: &str) -> Result<Yaml, SyntaxError> {
    match parse(text, DuplicateKeyPolicy::Error) {
        Ok(root) => Ok(Yaml { root, duplicate: None }),
        Err(Error::DuplicateMappingKey { key, location }) => {
            let root = parse(text, DuplicateKeyPolicy::FirstWins).map_err(|error| syntax_error(text, &error))?;
            let duplicate = Some((offset(text, location), key.unwrap_or_default()));
            Ok(Yaml { root, duplicate })
        }
        Err(error) => Err(syntax_error(text, &error)),
    }
}

fn parse(text: &str, duplicate_keys: DuplicateKeyPolicy) -> Result<Node, Error> {
    let tree: Branch = serde_saphyr::from_str_with_options(text, options(duplicate_keys))?;
    Ok(into_node(text, tree))
}

fn options(duplicate_keys: DuplicateKeyPolicy) -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_documents: 2, // the second is an error of its own, with a better message
            max_depth: DEPTH_MAX,
            max_events: NODES_MAX * 2,
            max_nodes: NODES_MAX,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: ALIASED_EVENTS_MAX,
            max_replay_stack_depth: 16,
        },
        duplicate_keys: duplicate_keys,
        strict_booleans: true,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        emit_comments: false,
        with_snippet: false,
    }
}

fn into_node(text: &str, branch: Branch) -> Node {
    let Spanned { value: Tagged(tree, tag), defined, .. } = branch;
    let value = match tree {
        Tree::Null => Value::Null,
        Tree::Bool => Value::Bool,
        Tree::Integer(number) => Value::Integer(number),
        Tree::Float => Value::Float,
        Tree::String(string) => Value::String(string),
        Tree::List(items) => Value::List(items.into_iter().map(|item| into_node(text, item)).collect()),
        Tree::Object(fields) => Value::Object(
            fields
                .into_iter()
                .map(|(name, branch)| Entry {
                    offset: offset(text, name.defined),
                    name: name.value,
                    node: into_node(text, branch),
                })
                .collect(),
        ),
    };
    let offset = offset(text, defined);
    let node = Node { offset, value };
    match tag.as_deref().and_then(function) {
        Some(name) => Node { offset, value: Value::Object(vec![Entry { name, offset, node }]) },
        None => node,
    }
}

/// The CloudFormation function that a tag is short for. YAML's own tags say nothing that the value does not.
fn function(tag: &str) -> Option<String> {
    let name = tag.strip_prefix('!').filter(|name| !name.is_empty() && !name.starts_with('!'))?;
    Some(if matches!(name, "Ref" | "Condition") { name.to_owned() } else { format!("Fn::{name}") })
}

fn offset(text: &str, location: Location) -> usize {
    let bytes = location.span().byte_offset().and_then(|bytes| usize::try_from(bytes).ok());
    bytes.unwrap_or_else(|| {
        let number = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
        offset_of(text, number(location.line()), number(location.column()))
    })
}

fn syntax_error(text: &str, error: &Error) -> SyntaxError {
    let location = error.location().unwrap_or(Location::UNKNOWN);
    SyntaxError { offset: offset(text, location), message: message(error) }
}

/// serde-saphyr's words, where they make sense to someone who does not program with it.
fn message(error: &Error) -> String {
    match error {
        Error::MultipleDocuments { .. } => "a second YAML document starts here; one is read".to_owned(),
        Error::NullIntoString { .. } => "null cannot be a name".to_owned(),
        Error::RecursiveReferencesRequireWeakTypes { .. } => "an alias stands within its own anchor".to_owned(),
        Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => "aliases make the document too large".to_owned(),
        Error::Budget { breach: BudgetBreach::Depth { .. }, .. } => {
            format!("nested deeper than {DEPTH_MAX} levels")
        }
        Error::Budget { .. } => "the document is too large".to_owned(),
        other => {
            // The position is appended to the words; it is reported apart.
            let full = other.to_string();
            let words = full.split(" at line ").next().unwrap_or(&full);
            if words.starts_with("budget breached") || words.starts_with("alias replay limit") {
                // A limit that was reached inside an alias comes as text.
                return "aliases make the document too deep or too large".to_owned();
            }
            words.trim().to_owned()
        }
    }
}

/// A YAML value with its place and its tag.
type Branch = Spanned<Tagged<Tree>>;

/// A YAML value as serde-saphyr types it.
enum Tree {
    Null,
    Bool,
    Integer(i128),
    Float,
    String(String),
    List(Vec<Branch>),
    Object(Vec<(Spanned<String>, Branch)>),
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

    fn visit_bool<E>(self, _: bool) -> Result<Tree, E> {
        Ok(Tree::Bool)
    }

    fn visit_i64<E>(self, number: i64) -> Result<Tree, E> {
        Ok(Tree::Integer(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Tree, E> {
        Ok(Tree::Integer(number.into()))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Tree, E> {
        Ok(Tree::Float)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Tree, E> {
        Ok(Tree::String(text.to_owned()))
    }

    fn visit_string<E: serde::de::Error>(self, text: String) -> Result<Tree, E> {
        Ok(Tree::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Tree::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Tree::Object(fields))
    }
}
