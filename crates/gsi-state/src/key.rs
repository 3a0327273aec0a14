//! Which index an entry is about.

use std::fmt;

/// A global secondary index, named by its table and its own name.
///
/// Ordered by table, then index. Displayed as `table.index`, the key of the state file.
///
/// ```
/// use gsi_state::GsiKey;
/// let key = GsiKey::new("bookings", "flight-status-index");
/// assert_eq!(key.to_string(), "bookings.flight-status-index");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GsiKey {
    table: String,
    index: String,
}

impl GsiKey {
    /// The index `index` of the table `table`.
    pub fn new(table: impl Into<String>, index: impl Into<String>) -> Self {
        Self { table: table.into(), index: index.into() }
    }

    /// The name of the table.
    pub fn table(&self) -> &str {
        &self.table
    }

    /// The name of the index.
    pub fn index(&self) -> &str {
        &self.index
    }

    /// A text that no other key has, for the case that [`Display`](fmt::Display) is taken.
    ///
    /// DynamoDB names may hold dots, so `a.b` + `c` and `a` + `b.c` display alike. Here the dots of the
    /// names are `%2E`, and percent signs, which no DynamoDB name has, are `%25`.
    pub(crate) fn escaped(&self) -> String {
        let escape = |name: &str| name.replace('%', "%25").replace('.', "%2E");
        format!("{}.{}", escape(&self.table), escape(&self.index))
    }
}

impl fmt::Display for GsiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.table, self.index)
    }
}
