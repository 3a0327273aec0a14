//! How far a job is: the counts of its indexes.

use serde::Serialize;

/// How many indexes have which status. Derived from the entries, never read from a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Summary {
    /// All of them.
    pub total: usize,
    /// Not yet attempted.
    pub pending: usize,
    /// Asked for and not yet settled.
    pub in_progress: usize,
    /// Done.
    pub active: usize,
    /// Given up.
    pub failed: usize,
    /// Being rolled back. Not written where there is none, as the Python program knows no such count.
    #[serde(skip_serializing_if = "is_zero")]
    pub deleting: usize,
    /// Rolled back. Not written where there is none.
    #[serde(skip_serializing_if = "is_zero")]
    pub deleted: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde wants")]
const fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl Summary {
    /// Nothing is left to do: there are indexes, and each is active, or was rolled back.
    pub const fn is_complete(&self) -> bool {
        self.total > 0 && self.active + self.deleted == self.total
    }

    /// Nothing is pending, in progress or being rolled back; something may have failed.
    pub const fn is_settled(&self) -> bool {
        self.pending == 0 && self.in_progress == 0 && self.deleting == 0
    }
}
