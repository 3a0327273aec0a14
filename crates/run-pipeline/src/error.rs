//! Why a stage did not run, or did not run to its end.

use std::path::PathBuf;

use artdaq_db::ConfigError;
use run_record::directory::ReadError;
use statefile::OpenError;
use ucon_db::BlobError;

use crate::{event::Stage, listing::Side, record::RecordError};

/// Why a stage did not run to its end. But for [`StageError::Record`] no state has changed.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// One of the two sides could not be listed.
    #[error("the {side} of the {stage} could not be listed")]
    Listing {
        /// Which stage.
        stage: Stage,
        /// Which side.
        side: Side,
        /// Why.
        #[source]
        source: ListingError,
    },
    /// A listing lost more runs than is plausible.
    #[error(
        "the {side} of the {stage} lists {found_runs} runs where there were {known_runs}; \
         if that is right, remove `{counts}`"
    )]
    Shrunk {
        /// Which stage.
        stage: Stage,
        /// Which side.
        side: Side,
        /// How many runs the last good listing had.
        known_runs: u64,
        /// How many this one has.
        found_runs: u64,
        /// Where the last known counts are kept.
        counts: PathBuf,
    },
    /// The state could not be saved; what was under way is settled by the next start.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The state could not be read: only for plans, which open it themselves.
    #[error(transparent)]
    Open(#[from] OpenError),
}

/// Why a side could not be listed.
#[derive(Debug, thiserror::Error)]
pub enum ListingError {
    /// The directory of the run records.
    #[error(transparent)]
    Records(#[from] ReadError),
    /// artdaqDB.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// UconDB.
    #[error(transparent)]
    Blob(#[from] BlobError),
}
