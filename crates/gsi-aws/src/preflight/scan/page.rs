//! How much is asked for at once.

use crate::preflight::model::{PreflightOptions, ScannedTable};

/// Bytes that one read unit reads, eventually consistent.
const UNIT_BYTES: f64 = 8192.0;
/// Bytes of a page, at most: the service's own limit.
const PAGE_BYTES_MAX: f64 = 1_048_576.0;

/// How large pages are, and what they are expected to cost.
#[derive(Clone, Copy, Debug)]
pub(super) struct PageSize {
    pub(super) limit: Option<u32>,
    pub(super) units: f64,
}

impl PageSize {
    /// Pages of a second's worth of read units, so that a small budget is not spent in bursts.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an estimate"
    )]
    pub(super) fn of(table: &ScannedTable, options: &PreflightOptions) -> Self {
        let whole = Self { limit: None, units: PAGE_BYTES_MAX / UNIT_BYTES };
        let Some(rate) = options.read_units_per_second else { return whole };
        let (items, bytes) = (table.item_count.unwrap_or(0), table.size_bytes.unwrap_or(0));
        if items == 0 || rate >= whole.units {
            return whole;
        }
        let item_bytes = (bytes as f64 / items as f64).max(1.0);
        let limit = (rate * UNIT_BYTES / item_bytes).clamp(1.0, 100_000.0);
        Self { limit: Some(limit as u32), units: rate.max(0.5) }
    }
}
