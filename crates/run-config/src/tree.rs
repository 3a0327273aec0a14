//! The configuration as a tree in which every value knows its line.

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    /// From 1.
    pub(super) line: u64,
    pub(super) value: Value,
}

/// What a value is. Numbers stay as they were written: a password may look like one.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// One entry of a map.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) line: u64,
    pub(super) node: Node,
}

impl Value {
    /// The kind, with its article, for "expected a text, found a list". Never the value, which may be secret.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "a section",
        }
    }
}

impl Node {
    /// The node at `path`, whose steps are separated by dots. Null counts as absent.
    pub(super) fn get(&self, path: &str) -> Option<&Self> {
        let found = path.split('.').try_fold(self, |node, step| match &node.value {
            Value::Map(entries) => entries.iter().find(|entry| entry.name == step).map(|entry| &entry.node),
            _ => None,
        });
        found.filter(|node| node.value != Value::Null)
    }

    /// The paths of everything below this node that is no map, with the line of its name.
    pub(super) fn leaves(&self) -> Vec<(String, u64)> {
        let mut leaves = Vec::new();
        self.collect_leaves("", &mut leaves);
        leaves
    }

    fn collect_leaves(&self, prefix: &str, leaves: &mut Vec<(String, u64)>) {
        let Value::Map(entries) = &self.value else { return };
        for entry in entries {
            let path = format!("{prefix}{}", entry.name);
            match &entry.node.value {
                Value::Map(inner) if !inner.is_empty() => entry.node.collect_leaves(&format!("{path}."), leaves),
                _ => leaves.push((path, entry.line)),
            }
        }
    }
}
