//! Gaps that somebody has acknowledged: runs that are missing, and that people live with.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::SerializeMap};
use serde_json::value::RawValue;
use statefile::{DecodeError, Document, UnknownFields, Version, require_object};

use crate::{RunNumber, RunSet};

/// One acknowledgement: which runs, why, who says so, since when, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledgement {
    /// The runs.
    pub runs: RunSet,
    /// Why they are missing, or why nobody minds.
    pub reason: String,
    /// Who says so.
    pub person: String,
    /// When that was, UTC.
    pub at: DateTime<Utc>,
    /// The last day (UTC) for which it holds; `None` for ever.
    pub until: Option<NaiveDate>,
    unknown: UnknownFields,
}

impl Acknowledgement {
    /// An acknowledgement.
    pub fn new(
        runs: RunSet,
        reason: impl Into<String>,
        person: impl Into<String>,
        at: DateTime<Utc>,
        until: Option<NaiveDate>,
    ) -> Self {
        Self { runs, reason: reason.into(), person: person.into(), at, until, unknown: UnknownFields::default() }
    }

    /// Whether it holds at `now`: it does on the day of `until`, and not on the day after.
    pub fn is_active(&self, now: DateTime<Utc>) -> bool {
        self.until.is_none_or(|until| now.date_naive() <= until)
    }
}

/// All acknowledgements: the document `acknowledged_gaps.json`.
///
/// The contiguous mark passes acknowledged runs, which are never counted as archived; a run that
/// arrives after all is archived like any other.
///
/// ```
/// use run_state::{Acknowledgement, Acknowledgements};
/// use statefile::Document;
/// let now = "2026-11-21T06:40:00Z".parse().unwrap();
/// let mut gaps = Acknowledgements::default();
/// let until = Some("2027-01-01".parse().unwrap());
/// gaps.add(Acknowledgement::new("103-104".parse().unwrap(), "detector off", "ada", now, until));
/// assert_eq!(gaps.active(now).to_string(), "103-104");
/// assert_eq!(gaps.active("2027-01-02T00:00:00Z".parse().unwrap()).to_string(), "none");
/// assert_eq!(gaps.withdraw(&"104".parse().unwrap()).to_string(), "104");
/// assert_eq!(gaps.active(now).to_string(), "103");
/// # assert_eq!(Acknowledgements::decode(&gaps.encode().unwrap()).unwrap(), gaps);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Acknowledgements {
    list: Vec<Acknowledgement>,
    unknown: UnknownFields,
}

impl Acknowledgements {
    /// All of them, the oldest first, those that have expired included.
    pub fn list(&self) -> &[Acknowledgement] {
        &self.list
    }

    /// The runs of those that hold at `now`.
    pub fn active(&self, now: DateTime<Utc>) -> RunSet {
        let active = self.list.iter().filter(|one| one.is_active(now));
        active.fold(RunSet::new(), |all, one| all.union(&one.runs))
    }

    /// The newest acknowledgement of a run that holds at `now`.
    pub fn of(&self, run: RunNumber, now: DateTime<Utc>) -> Option<&Acknowledgement> {
        self.list.iter().rev().find(|one| one.is_active(now) && one.runs.contains(run))
    }

    /// Adds one. Others of the same runs stay: the list is also a record of who said what.
    pub fn add(&mut self, acknowledgement: Acknowledgement) {
        self.list.push(acknowledgement);
    }

    /// Takes `runs` out of every acknowledgement, and says which were in one. An acknowledgement of
    /// which no run is left goes as a whole.
    pub fn withdraw(&mut self, runs: &RunSet) -> RunSet {
        let mut withdrawn = RunSet::new();
        for one in &mut self.list {
            withdrawn = withdrawn.union(&one.runs.intersection(runs));
            one.runs = one.runs.difference(runs);
        }
        self.list.retain(|one| !one.runs.is_empty());
        withdrawn
    }
}

const ENTRY_FIELDS: [&str; 5] = ["runs", "reason", "person", "at", "until"];

impl Serialize for Acknowledgement {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("runs", &self.runs.to_string())?;
        object.serialize_entry("reason", &self.reason)?;
        object.serialize_entry("person", &self.person)?;
        object.serialize_entry("at", &self.at)?;
        if let Some(until) = self.until {
            object.serialize_entry("until", &until)?;
        }
        self.unknown.serialize_into(&mut object)?;
        object.end()
    }
}

#[derive(Deserialize)]
struct DiskEntry {
    #[serde(deserialize_with = "run_set")]
    runs: RunSet,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    person: String,
    at: DateTime<Utc>,
    #[serde(default)]
    until: Option<NaiveDate>,
}

fn run_set<'de, D: Deserializer<'de>>(deserializer: D) -> Result<RunSet, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}

impl Acknowledgement {
    fn decode(text: &str) -> Result<Self, serde_json::Error> {
        let DiskEntry { runs, reason, person, at, until } = serde_json::from_str(text)?;
        let unknown = UnknownFields::of(text, &ENTRY_FIELDS)?;
        Ok(Self { runs, reason, person, at, until, unknown })
    }
}

/// 1.0: first.
const GAPS_VERSION: Version = Version::new(1, 0);

const FIELDS: [&str; 2] = ["version", "acknowledgements"];

impl Serialize for Acknowledgements {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry(FIELDS[0], &GAPS_VERSION)?;
        object.serialize_entry(FIELDS[1], &self.list)?;
        self.unknown.serialize_into(&mut object)?;
        object.end()
    }
}

#[derive(Deserialize)]
struct DiskGaps<'a> {
    #[serde(borrow)]
    acknowledgements: Vec<&'a RawValue>,
}

impl Document for Acknowledgements {
    const KIND: &'static str = "list of acknowledged gaps";
    const VERSION: Option<Version> = Some(GAPS_VERSION);

    fn decode(text: &str) -> Result<Self, DecodeError> {
        require_object(text)?;
        let DiskGaps { acknowledgements } = serde_json::from_str(text)?;
        let entry = |(position, text): (usize, &RawValue)| {
            let invalid = |error| DecodeError::invalid(format!("acknowledgement {position}: {error}"));
            Acknowledgement::decode(text.get()).map_err(invalid)
        };
        let list = (1..).zip(acknowledgements).map(entry).collect::<Result<_, _>>()?;
        Ok(Self { list, unknown: UnknownFields::of(text, &FIELDS)? })
    }

    fn encode(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self)
    }
}
