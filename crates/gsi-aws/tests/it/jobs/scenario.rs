//! Random jobs: tables, indexes, build times, faults. The same seed is always the same job.

use std::{collections::HashMap, time::Duration};

use gsi_aws::spec::{AttributeType, IndexSpec, KeySchema, Projection};
use gsi_state::GsiKey;

/// How long each index takes.
pub(crate) type Builds = HashMap<GsiKey, Duration>;

/// What a fault does to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Refused with a code and a text.
    Refuse(&'static str, &'static str),
    /// Takes effect; the answer is lost.
    Lost,
    /// Does not arrive.
    Unreachable,
}

/// A table and what goes wrong there.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) indexes: Vec<String>,
    /// By the number of the `UpdateTable`, from 1.
    pub(crate) update_faults: HashMap<u32, Effect>,
    /// By the number of the `DescribeTable`, from 1.
    pub(crate) look_faults: HashMap<u32, Effect>,
}

/// A job.
#[derive(Debug, Clone)]
pub(crate) struct Scenario {
    pub(crate) tables: Vec<Table>,
    pub(crate) builds: Builds,
    pub(crate) request_interval: Option<Duration>,
    /// What the job is told of the build times.
    pub(crate) expected: Builds,
}

const UPDATE_EFFECTS: [Effect; 10] = [
    Effect::Refuse("ThrottlingException", "Rate exceeded"),
    Effect::Refuse("LimitExceededException", "Only 1 online index can be created or deleted simultaneously per table"),
    Effect::Refuse("LimitExceededException", "Too many operations for a given subscriber"),
    Effect::Refuse("ResourceInUseException", "Attempt to change a resource which is still in use"),
    Effect::Refuse("InternalServerError", "Internal server error"),
    Effect::Refuse("ServiceUnavailable", "Service is temporarily unavailable"),
    Effect::Refuse("ValidationException", "Unknown KeyType"),
    Effect::Lost,
    Effect::Lost,
    Effect::Unreachable,
];

const LOOK_EFFECTS: [Effect; 3] = [
    Effect::Refuse("ThrottlingException", "Rate exceeded"),
    Effect::Refuse("InternalServerError", "Internal server error"),
    Effect::Unreachable,
];

impl Scenario {
    /// A random job: 1 to 60 tables of 1 to 20 indexes. Small jobs come far more often than large ones, or a
    /// thousand would take minutes; what is special about them is found in small ones, too.
    pub(crate) fn random(seed: u64) -> Self {
        let mut dice = Dice(seed);
        // The extremes are there for certain.
        let (tables, indexes_max) = match seed {
            0 => (60, 20),
            1 => (1, 20),
            2 => (60, 1),
            _ => (dice.skewed(60, 8), dice.skewed(20, 4)),
        };
        let is_paced = seed != 0 && dice.below(2) == 0;
        // At a real service, which is where requests are paced, no build takes less than minutes.
        let (shortest, longest): (f64, f64) = match seed {
            0 => (10.0, 100.0),
            _ if is_paced => (300.0, 7200.0),
            _ => (10.0, 7200.0),
        };
        let mut job = Self {
            tables: Vec::new(),
            builds: HashMap::new(),
            request_interval: is_paced.then_some(Duration::from_secs(1)),
            expected: HashMap::new(),
        };
        for number in 0..tables {
            let count = if seed == 0 { 20 } else { 1 + dice.below(indexes_max) };
            let name = format!("table-{number}");
            let indexes: Vec<String> = (0..count).map(|index| format!("index-{index}")).collect();
            for index in &indexes {
                let seconds = shortest * (longest / shortest).powf(dice.fraction());
                let key = GsiKey::new(&name, index);
                // A forecast is right to a fifth.
                let forecast = seconds * (0.8 + 0.4 * dice.fraction());
                job.expected.insert(key.clone(), Duration::from_secs_f64(forecast));
                job.builds.insert(key, Duration::from_secs_f64(seconds));
            }
            let update_faults = dice.faults(count + 3, &UPDATE_EFFECTS);
            let look_faults = dice.faults(300, &LOOK_EFFECTS);
            job.tables.push(Table { name, indexes, update_faults, look_faults });
        }
        job
    }

    pub(crate) fn specs(&self) -> Vec<IndexSpec> {
        let of_table = |table: &Table| {
            let spec = |index: &String| spec(&table.name, index);
            table.indexes.iter().map(spec).collect::<Vec<_>>()
        };
        self.tables.iter().flat_map(of_table).collect()
    }

    /// Whether something permanent may happen to an index: then it may fail, and must not be retried.
    pub(crate) fn may_fail(&self, key: &GsiKey) -> bool {
        let table = self.tables.iter().find(|table| table.name == key.table());
        table.is_some_and(|table| {
            let is_permanent = |effect: &Effect| matches!(effect, Effect::Refuse("ValidationException", _));
            table.update_faults.values().any(is_permanent)
        })
    }
}

/// An index keyed by the text attribute `by`.
pub(crate) fn spec(table: &str, name: &str) -> IndexSpec {
    IndexSpec {
        table: table.to_owned(),
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

/// `SplitMix64`: small, and the same everywhere.
#[derive(Debug)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// From 0 up to, and without, `end`.
    pub(crate) fn below(&mut self, end: u32) -> u32 {
        u32::try_from(self.next() % u64::from(end)).unwrap()
    }

    /// From 0 to 1.
    fn fraction(&mut self) -> f64 {
        f64::from(self.below(1 << 30)) / f64::from(1 << 30)
    }

    /// From 1 to `most`, small numbers more often.
    fn skewed(&mut self, most: u32, skew: i32) -> u32 {
        let part = self.fraction().powi(skew);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 60")]
        let number = (part * f64::from(most)) as u32;
        1 + number.min(most - 1)
    }

    /// For three tables out of ten, up to three faults in the first calls, some of them in a row.
    fn faults(&mut self, calls: u32, effects: &[Effect]) -> HashMap<u32, Effect> {
        let mut faults = HashMap::new();
        if self.below(10) < 3 {
            for _ in 0..=self.below(3) {
                let first = 1 + self.below(calls);
                let effect = effects[usize::try_from(self.below(u32::try_from(effects.len()).unwrap())).unwrap()];
                // Never as many as there are attempts: that a job gives up is tested elsewhere.
                for call in first..=first + self.below(2) {
                    faults.insert(call, effect);
                }
            }
            // Faults of one kind that meet by chance must not use up the attempts either.
            if faults.len() > 4 {
                faults.retain(|call, _| call % 2 == 0);
            }
        }
        faults
    }
}
