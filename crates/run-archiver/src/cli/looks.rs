//! The part of the command line that looks, and that says which gaps somebody lives with.

use std::path::PathBuf;

use chrono::NaiveDate;
use run_pipeline::status::Depth;
use run_state::{RunNumber, RunSet};

#[derive(Debug, clap::Args)]
#[group(multiple = true, conflicts_with_all = ["Modes", "incremental", "runs", "dry_run", "validate"])]
pub(super) struct Looks {
    /// Report what each store holds, what is missing and why, and what is to be done: no lock, no change.
    #[arg(long)]
    report_status: bool,

    /// Compare marks and failure logs with what the stores hold; implies --report-status.
    #[arg(long)]
    compare_state: bool,

    /// Write the report as one page for a browser; implies --report-status and --compare-state.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    /// Compare what UconDB holds with what was archived: sizes and checksums of one listing (`receipt`), or every
    /// byte (`full`).
    #[arg(long, value_name = "DEPTH", num_args = 0..=1, require_equals = true, default_missing_value = "receipt")]
    #[arg(value_enum)]
    verify_archive: Option<VerifyDepth>,

    /// Tell the story of one run: where it is, and everything that the journals know of it.
    #[arg(long, value_name = "RUN", conflicts_with_all = STATUS)]
    explain: Option<RunNumber>,

    /// Say that these runs are missing, and that somebody lives with it: the contiguous mark passes them.
    #[arg(long, value_name = "RUNS", requires = "reason", conflicts_with_all = STATUS, conflicts_with = "explain")]
    acknowledge: Option<RunSet>,

    /// Why, with --acknowledge.
    #[arg(long, value_name = "TEXT", requires = "acknowledge")]
    reason: Option<String>,

    /// The last day for which the acknowledgement holds, YYYY-MM-DD (UTC); without it, for ever.
    #[arg(long, value_name = "DATE", requires = "acknowledge")]
    until: Option<NaiveDate>,

    /// List the acknowledged gaps: no lock, no change.
    #[arg(long, conflicts_with_all = STATUS, conflicts_with_all = ["explain", "acknowledge"])]
    acknowledgements: bool,

    /// Take the acknowledgement of these runs back.
    #[arg(long, value_name = "RUNS", conflicts_with_all = STATUS)]
    #[arg(conflicts_with_all = ["explain", "acknowledge", "acknowledgements"])]
    withdraw: Option<RunSet>,
}

const STATUS: [&str; 4] = ["report_status", "compare_state", "html", "verify_archive"];

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum VerifyDepth {
    Receipt,
    Full,
}

/// A report of the archive, and what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Report {
    /// With the stores.
    pub(crate) has_stores: bool,
    /// With marks and failure logs.
    pub(crate) has_states: bool,
    /// Also as a page.
    pub(crate) html: Option<PathBuf>,
    /// Contents, too.
    pub(crate) verify: Option<Depth>,
}

/// A look that takes no lock and changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Look {
    Status(Report),
    Explain(RunNumber),
    Acknowledgements,
}

/// A word about gaps, which changes the document of acknowledged gaps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Word {
    Acknowledge { runs: RunSet, reason: String, until: Option<NaiveDate> },
    Withdraw(RunSet),
}

impl Looks {
    /// Which look is asked for, if any.
    pub(super) fn look(&self) -> Option<Look> {
        if let Some(run) = self.explain {
            return Some(Look::Explain(run));
        }
        if self.acknowledgements {
            return Some(Look::Acknowledgements);
        }
        let has_states = self.compare_state || self.html.is_some();
        let has_stores = self.report_status || has_states;
        (has_stores || self.verify_archive.is_some()).then(|| {
            let verify = self.verify_archive.map(|depth| match depth {
                VerifyDepth::Receipt => Depth::Receipt,
                VerifyDepth::Full => Depth::Full,
            });
            Look::Status(Report { has_stores, has_states, html: self.html.clone(), verify })
        })
    }

    /// What is said about gaps, if anything.
    pub(super) fn word(&self) -> Option<Word> {
        if let (Some(runs), Some(reason)) = (&self.acknowledge, &self.reason) {
            return Some(Word::Acknowledge { runs: runs.clone(), reason: reason.clone(), until: self.until });
        }
        self.withdraw.clone().map(Word::Withdraw)
    }
}
