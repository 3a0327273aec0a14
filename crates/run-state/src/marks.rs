//! How far a stage of the archive has come: the two marks of its state file.

use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap};
use statefile::{DecodeError, Document, UnknownFields, Version, require_object};

use crate::{RunNumber, RunSet};

/// The marks of one stage. Run 0 stands for "none yet".
///
/// ```
/// use run_state::Marks;
/// let mut marks = Marks::default();
/// marks.advance(&"101-102, 104-105".parse().unwrap(), 105.into());
/// assert_eq!(marks.to_string(), "102/105");
/// assert_eq!(marks.incremental_start(), 105.into());
/// marks.advance(&"101-105".parse().unwrap(), 103.into()); // 103 was retried
/// assert_eq!(marks.to_string(), "105/105");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marks {
    /// The highest run of the unbroken sequence that starts at the lowest archived run.
    pub last_contiguous_run: RunNumber,
    /// The highest run that was ever attempted, whatever came of it.
    pub last_attempted_run: RunNumber,
    unknown: UnknownFields,
}

impl Marks {
    /// Marks at the given runs.
    pub fn new(last_contiguous_run: RunNumber, last_attempted_run: RunNumber) -> Self {
        Self { last_contiguous_run, last_attempted_run, unknown: UnknownFields::default() }
    }

    /// Takes in that `archived` is all that is archived now, and that `attempted` was attempted.
    ///
    /// `archived` is everything, not only the last batch: else a filled gap would not release the
    /// runs behind it. A mark never moves backwards.
    pub fn advance(&mut self, archived: &RunSet, attempted: RunNumber) {
        self.advance_over(archived, &RunSet::new(), attempted);
    }

    /// As [`advance`](Self::advance), where the contiguous mark passes the runs that are `acknowledged`.
    pub fn advance_over(&mut self, archived: &RunSet, acknowledged: &RunSet, attempted: RunNumber) {
        let reached = archived.contiguous_end_over(acknowledged).unwrap_or_default();
        self.last_contiguous_run = self.last_contiguous_run.max(reached);
        self.last_attempted_run = self.last_attempted_run.max(attempted);
    }

    /// What the marks should be if `archived` is all that is archived: for recovery, which alone may
    /// move them backwards. The contiguous mark passes the runs that are `acknowledged`.
    #[must_use]
    pub fn recovered(&self, archived: &RunSet, acknowledged: &RunSet) -> Self {
        Self {
            last_contiguous_run: archived.contiguous_end_over(acknowledged).unwrap_or_default(),
            last_attempted_run: archived.last().unwrap_or_default(),
            unknown: self.unknown.clone(),
        }
    }

    /// Incremental mode processes the runs above this one.
    pub fn incremental_start(&self) -> RunNumber {
        self.last_contiguous_run.max(self.last_attempted_run)
    }
}

impl std::fmt::Display for Marks {
    /// `contiguous/attempted`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.last_contiguous_run, self.last_attempted_run)
    }
}

#[derive(Deserialize)]
struct DiskMarks {
    #[serde(default)]
    last_contiguous_run: RunNumber,
    #[serde(default)]
    last_attempted_run: RunNumber,
}

const FIELDS: [&str; 2] = ["last_contiguous_run", "last_attempted_run"];

impl Serialize for Marks {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry(FIELDS[0], &self.last_contiguous_run)?;
        object.serialize_entry(FIELDS[1], &self.last_attempted_run)?;
        self.unknown.serialize_into(&mut object)?;
        object.end()
    }
}

impl Document for Marks {
    const KIND: &'static str = "archiver state";
    /// The format is the Python archiver's and has none.
    const VERSION: Option<Version> = None;

    fn decode(text: &str) -> Result<Self, DecodeError> {
        require_object(text)?;
        let known: DiskMarks = serde_json::from_str(text)?;
        let unknown = UnknownFields::of(text, &FIELDS)?;
        Ok(Self { unknown, ..Self::new(known.last_contiguous_run, known.last_attempted_run) })
    }

    fn encode(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self)
    }
}
