//! The status of the archive, for people and for machines.

mod advice;
mod contents;
mod json;
mod text;

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use run_pipeline::{
    Stage,
    status::{Analysis, GapRow, Store, Survey, Verification, Weight},
};
use run_state::RunSet;

pub(crate) use self::{
    advice::{Step, steps},
    json::json,
    text::{capital, text, why, wrapped},
};
use crate::{cli::Report, exit::Exit};

/// Everything that the report, the JSON document and the page are made of.
#[derive(Debug)]
pub(crate) struct Picture {
    pub(crate) config: PathBuf,
    pub(crate) taken_at: DateTime<Utc>,
    pub(crate) report: Report,
    /// Where the stores are, in the order of [`Store::ALL`].
    pub(crate) locations: [String; 3],
    /// The state files of import and migration.
    pub(crate) state_files: [PathBuf; 2],
    pub(crate) survey: Survey,
    pub(crate) analysis: Analysis,
    pub(crate) rows: Vec<GapRow>,
    pub(crate) verification: Option<Verification>,
}

impl Picture {
    pub(crate) fn location(&self, store: Store) -> &str {
        &self.locations[store as usize]
    }

    pub(crate) fn state_file(&self, stage: Stage) -> &Path {
        &self.state_files[usize::from(stage == Stage::Migrate)]
    }

    /// How grave it is, as far as it was asked for.
    pub(crate) fn weight(&self) -> Weight {
        let verified = self.verification.as_ref().map(|verification| contents::weight(self, verification));
        match verified {
            // Only contents were asked for.
            Some(verified) if !self.report.has_stores => verified,
            verified => self.analysis.weight.max(verified.unwrap_or(Weight::Fine)),
        }
    }

    pub(crate) fn exit(&self) -> Exit {
        match self.weight() {
            Weight::Fine => Exit::Done,
            Weight::Work => Exit::Work,
            Weight::Wrong => Exit::Failed,
        }
    }

    /// Why somebody lives with a gap that begins with this run.
    pub(crate) fn acknowledged_because(&self, row: &GapRow) -> Option<String> {
        let first = *row.runs.start();
        let entry = self.survey.acknowledgements.of(first, self.taken_at)?;
        Some(format!("{} ({})", entry.reason, entry.person))
    }
}

/// The verdict in words.
pub(crate) const fn verdict(weight: Weight) -> &'static str {
    match weight {
        Weight::Fine => "consistent",
        Weight::Work => "work to do",
        Weight::Wrong => "discrepancy",
    }
}

/// `1 run`, `1,234 runs`.
pub(crate) fn runs(count: u64) -> String {
    format!("{} {}", thousands(count), if count == 1 { "run" } else { "runs" })
}

/// A number with commas.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The ranges of a set, at most `ranges_max` of them.
pub(crate) fn brief(set: &RunSet, ranges_max: usize) -> String {
    let count = set.ranges().count();
    if count <= ranges_max {
        return set.to_string();
    }
    let shown: Vec<String> = set
        .ranges()
        .take(ranges_max)
        .map(|range| {
            let (start, end) = (range.start(), range.end());
            if start == end { start.to_string() } else { format!("{start}-{end}") }
        })
        .collect();
    format!("{}, … and {} more", shown.join(", "), count - ranges_max)
}
