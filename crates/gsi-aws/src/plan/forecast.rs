//! How long an index takes, what it writes, and what that costs: ranges, from what a description says.
//!
//! # The formula
//!
//! With `n` the table's items and `S` its bytes,
//!
//! * **write units** `W`: an index entry costs one unit for each begun KB. Whatever the sizes of the single
//!   items are, `max(n, ⌈S/1024⌉) ≤ Σ⌈sᵢ/1024⌉ ≤ n + ⌊S/1024⌋`. An index that does not project everything
//!   holds less than the items: its lower bound is `n`. Items without the index's keys are not written, so
//!   a sparse index costs less than the lower bound.
//! * **seconds**: `506 + W/r_high` to `1003 + W/r_low`.
//!   - 506 to 539 s or 990 to 1003 s is what an index of an *empty* table takes, whatever the billing mode
//!     (the AWS ACK team's lab, api-quirks DDB-TABLE-148); Terraform's acceptance tests saw 443 and 1092 s.
//!   - `r` is how many units a second the index takes. PROVISIONED: its own write capacity; AWS advises 1.5
//!     times the table's because the table's writes go to the new index, too (Developer Guide, "Managing
//!     Global Secondary Indexes"), so the lower rate is the capacity divided by 1.5. On demand: 4,000, which
//!     every index takes from the start (api-quirks DDB-TABLE-133: warm throughput 12000/4000), to 40,000,
//!     the default quota of a table; a warm throughput raises the first, a ceiling lowers both.
//! * **cost**: write units times the price, on demand. A PROVISIONED index writes from the capacity that is
//!   paid by the hour.
//!
//! The service counts items and bytes every six hours or so, and says nothing of hot partitions, which slow
//! a build down: hence a range, and no promise.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    compare::{Comparison, compare, refusal, throughput_for},
    describe::{Billing, IndexStatus, TableDescription},
    spec::{IndexSpec, Projection},
};

/// What an index of an empty table takes, in seconds.
const EMPTY_SECONDS: Span = Span { low: 506, high: 1003 };
/// Write units a second of an on-demand index: from the start, and by the default quota.
const ON_DEMAND_RATE: (f64, f64) = (4_000.0, 40_000.0);
/// By how much AWS advises to raise the write capacity of an index while it is built.
const LIVE_WRITES: f64 = 1.5;
/// No forecast is longer: ten years, in seconds.
const SECONDS_MAX: f64 = 10.0 * 365.0 * 86_400.0;

/// From `low` to `high`, both included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// At least.
    pub low: u64,
    /// At most.
    pub high: u64,
}

impl Span {
    /// Half-way between the two.
    pub(crate) const fn middle(self) -> Duration {
        Duration::from_secs(self.low.midpoint(self.high))
    }

    /// One after the other.
    pub(crate) const fn plus(self, other: Self) -> Self {
        Self { low: self.low.saturating_add(other.low), high: self.high.saturating_add(other.high) }
    }
}

/// What write units cost, in the currency of the price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// At least.
    pub low: f64,
    /// At most.
    pub high: f64,
}

/// What is to be expected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// How long it takes.
    pub seconds: Span,
    /// Write units that the index takes; absent where nothing is written, or nothing is known of the items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write_units: Option<Span>,
    /// What they cost; absent without a price, and where capacity is paid by the hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
}

impl Forecast {
    /// What building `spec` in a table like `table` is expected to take.
    pub fn of_build(spec: &IndexSpec, table: &TableDescription) -> Self {
        build(spec, table, None)
    }

    /// Only time.
    pub(super) const fn lasting(seconds: Span) -> Self {
        Self { seconds, write_units: None, cost: None }
    }

    /// What both write and cost, taking `seconds` together.
    pub(super) fn and(self, other: Self, seconds: Span) -> Self {
        let units = self.write_units.into_iter().chain(other.write_units).reduce(Span::plus);
        let costs = self.cost.into_iter().chain(other.cost);
        let cost = costs.reduce(|one, other| Cost { low: one.low + other.low, high: one.high + other.high });
        Self { seconds, write_units: units, cost }
    }
}

/// What building `spec` takes.
pub(super) fn build(spec: &IndexSpec, table: &TableDescription, price_per_million: Option<f64>) -> Forecast {
    let units = write_units(&spec.projection, table);
    let seconds = seconds(units.unwrap_or_default(), rate(spec, table));
    let price = price_per_million.filter(|_| table.billing == Billing::OnDemand);
    let cost = price.zip(units).map(|(price, units)| Cost {
        low: as_float(units.low) / 1e6 * price,
        high: as_float(units.high) / 1e6 * price,
    });
    Forecast { seconds, write_units: units, cost }
}

/// What is left of building an index that has begun nobody knows when.
pub(super) fn rest(spec: &IndexSpec, table: &TableDescription) -> Forecast {
    Forecast::lasting(Span { low: 0, high: build(spec, table, None).seconds.high })
}

/// How long what is left to do about `spec` takes in a table like `table`: `None` where it is ACTIVE, where there is
/// another one of its name, or where it would not be asked for.
pub(crate) fn time_ahead(spec: &IndexSpec, table: &TableDescription) -> Option<Span> {
    match compare(spec, table) {
        Comparison::Missing
        | Comparison::Same { status: IndexStatus::Deleting, .. }
        | Comparison::Different { status: IndexStatus::Deleting, .. } => {
            refusal(spec, table).is_none().then(|| build(spec, table, None).seconds)
        }
        Comparison::Same { status: IndexStatus::Active, .. } | Comparison::Different { .. } => None,
        Comparison::Same { .. } => Some(rest(spec, table).seconds),
    }
}

fn write_units(projection: &Projection, table: &TableDescription) -> Option<Span> {
    let known = |count: i64| u64::try_from(count).unwrap_or(0);
    let (items, bytes) = (known(table.item_count?), known(table.size_bytes?));
    if items == 0 {
        return Some(Span::default());
    }
    let low = if *projection == Projection::All { items.max(bytes.div_ceil(1024)) } else { items };
    Some(Span { low, high: items.saturating_add(bytes / 1024).max(low) })
}

/// Write units a second, at least and at most.
fn rate(spec: &IndexSpec, table: &TableDescription) -> (f64, f64) {
    let units = |units: i64| as_float(u64::try_from(units).unwrap_or(0)).max(1.0);
    if let Some((_, write_units)) = throughput_for(spec, table) {
        return (units(write_units) / LIVE_WRITES, units(write_units));
    }
    let (mut low, mut high) = ON_DEMAND_RATE;
    if let Some(warm) = spec.warm.and_then(|warm| warm.write_units_per_second) {
        low = low.max(units(warm));
        high = high.max(low);
    }
    match spec.on_demand.and_then(|ceiling| ceiling.max_write_units) {
        Some(ceiling) if ceiling > 0 => (low.min(units(ceiling)), high.min(units(ceiling))),
        _ => (low, high),
    }
}

fn seconds(units: Span, (slow, fast): (f64, f64)) -> Span {
    Span {
        low: EMPTY_SECONDS.low + whole(as_float(units.low) / fast),
        high: EMPTY_SECONDS.high + whole(as_float(units.high) / slow),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a forecast")]
const fn as_float(number: u64) -> f64 {
    number as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive, and at most SECONDS_MAX")]
fn whole(seconds: f64) -> u64 {
    seconds.min(SECONDS_MAX).round() as u64
}

#[cfg(test)]
mod tests;
