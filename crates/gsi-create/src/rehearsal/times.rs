//! How long the service takes for an index, drawn from what has been measured. Pure.
//!
//! Measured on empty tables (the ACK team's lab, facts \[Q148\], \[Q149\], \[Q458\]): allocation 24 to 56 s; in
//! all 506 to 539 s or 990 to 1003 s, about equally often; deletion 2.6 to 5.1 s. What the items of a table
//! add is drawn from the range of the forecast (`gsi_aws::plan`).

use std::time::Duration;

use dynamo_embedded::Times;
use gsi_aws::{
    describe::TableDescription,
    plan::{PlanOptions, Span, judge},
    spec::IndexSpec,
};

/// The forecast for a table without items.
const EMPTY: Span = Span { low: 506, high: 1003 };

/// Nobody rehearses more than a year.
const COPYING_SECONDS_MAX: u64 = 365 * 86_400;

/// The times of the index `spec` of `table`; the same for the same `seed`.
pub(crate) fn draw(seed: u64, table: &TableDescription, spec: &IndexSpec) -> Times {
    let mut dice = Dice::new(seed, &table.name, &spec.name);
    let allocation = dice.between(24.0, 56.0);
    let total = if dice.between(0.0, 1.0) < 0.5 { dice.between(506.0, 539.0) } else { dice.between(990.0, 1003.0) };
    let delete = dice.between(2.6, 5.1);
    let copying = copying(table, spec);
    let copying = dice.between(as_seconds(copying.low), as_seconds(copying.high));
    let seconds = Duration::from_secs_f64;
    Times { allocation: seconds(allocation), backfill: seconds(total - allocation + copying), delete: seconds(delete) }
}

/// How long the items of a table take to be written to an index of it. Nothing for an index that is refused.
fn copying(table: &TableDescription, spec: &IndexSpec) -> Span {
    // An index that is there already has no forecast, but may have to be made again.
    let bare = TableDescription { indexes: Vec::new(), ..table.clone() };
    let tables = [(table.name.clone(), Ok(bare))].into_iter().collect();
    let plan = judge(std::slice::from_ref(spec), &tables, &PlanOptions::default());
    let forecast = plan.indexes().next().and_then(|(_, index)| index.forecast.as_ref());
    let seconds = forecast.map_or(EMPTY, |forecast| forecast.seconds);
    let beyond = |seconds: u64, empty: u64| seconds.saturating_sub(empty).min(COPYING_SECONDS_MAX);
    Span { low: beyond(seconds.low, EMPTY.low), high: beyond(seconds.high, EMPTY.high) }
}

#[expect(clippy::cast_precision_loss, reason = "at most a year")]
const fn as_seconds(seconds: u64) -> f64 {
    seconds as f64
}

/// Numbers that follow from a seed and two names (FNV-1a, then `SplitMix64`), so that they depend neither
/// on the order in which indexes are drawn nor on the other indexes.
struct Dice(u64);

impl Dice {
    fn new(seed: u64, table: &str, index: &str) -> Self {
        let bytes = table.bytes().chain([0xff]).chain(index.bytes());
        let hash =
            bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        Self(hash ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    #[expect(clippy::cast_precision_loss, reason = "53 bits of randomness fit a double")]
    fn between(&mut self, from: f64, to: f64) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        from + (to - from) * ((bits >> 11) as f64 / (1_u64 << 53) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rehearsal::sources;
    use gsi_aws::{
        describe::Billing,
        spec::{AttributeType, KeySchema, Projection},
    };

    fn table(items: i64, bytes: i64, billing: Billing) -> TableDescription {
        TableDescription { item_count: Some(items), size_bytes: Some(bytes), billing, ..sources::assumed("t", None) }
    }

    fn index(name: &str) -> IndexSpec {
        IndexSpec {
            table: "t".to_owned(),
            name: name.to_owned(),
            key_schema: KeySchema::new(["by"], []),
            attributes: [("by".to_owned(), AttributeType::String)].into_iter().collect(),
            projection: Projection::All,
            provisioned: None,
            on_demand: None,
            warm: None,
            description: None,
            estimated_impact: None,
            required_by: None,
        }
    }

    #[test]
    fn an_empty_table_takes_what_was_measured_and_both_modes_occur() {
        let table = table(0, 0, Billing::OnDemand);
        let mut slow = 0;
        for n in 0..300 {
            let times = draw(7, &table, &index(&format!("index-{n}")));
            let total = (times.allocation + times.backfill).as_secs_f64();
            assert!((24.0..=56.0).contains(&times.allocation.as_secs_f64()), "{times}");
            assert!((506.0..=539.0).contains(&total) || (990.0..=1003.0).contains(&total), "{total}");
            assert!((2.6..=5.1).contains(&times.delete.as_secs_f64()), "{times}");
            slow += u32::from(total > 900.0);
        }
        assert!((110..190).contains(&slow), "{slow}");
    }

    #[test]
    fn the_same_seed_draws_the_same_and_another_another() {
        let table = table(5, 5, Billing::OnDemand);
        let draw = |seed, name| draw(seed, &table, &index(name));
        assert_eq!(draw(1, "abc"), draw(1, "abc"));
        assert_ne!(draw(1, "abc"), draw(2, "abc"));
        assert_ne!(draw(1, "abc"), draw(1, "abd"));
    }

    #[test]
    fn items_take_as_long_as_the_forecast_says() {
        let check = |items, bytes, billing, low: u64, high: u64| {
            let span = copying(&table(items, bytes, billing), &index("abc"));
            assert_eq!((span.low, span.high), (low, high), "{items} {bytes} {billing:?}");
        };
        let provisioned = |write_units| Billing::Provisioned { read_units: 1, write_units };
        check(0, 0, provisioned(5), 0, 0);
        check(4_000_000, 4_000_000, Billing::OnDemand, 100, 1001); // 40,000 units a second, or 4,000
        check(1000, 0, provisioned(10), 100, 150); // all of the capacity, or two thirds of it
        check(i64::MAX, i64::MAX, provisioned(1), COPYING_SECONDS_MAX, COPYING_SECONDS_MAX);
        let unknown = TableDescription { item_count: None, ..table(0, 0, Billing::OnDemand) };
        assert_eq!(copying(&unknown, &index("abc")), Span::default());
    }
}
