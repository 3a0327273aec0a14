//! Run directories on disk: listed, read and prepared for artdaqDB.

use std::{
    collections::BTreeMap,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use run_record::{
    convert::Fhiclize,
    directory::{Limits, ReadError, RunDirectory, list_runs},
    prepare::{PreparedRun, prepare},
    schema::Schema,
};
use run_state::RunNumber;

use crate::retry::{Failure, FailureClass};

/// Where run directories lie, and how they become documents.
#[derive(Debug, Clone)]
pub struct RecordSource {
    /// The directory whose sub-directories are named by run number.
    pub records: PathBuf,
    /// Which collection and entity a file becomes.
    pub schema: Schema,
    /// Which files are converted and generated.
    pub fhiclize: Fhiclize,
    /// How much a run directory may hold.
    pub limits: Limits,
}

impl RecordSource {
    /// Every run, with the place of its directory. Blocks.
    ///
    /// # Errors
    ///
    /// When the directory cannot be listed.
    pub(crate) fn list(&self) -> Result<BTreeMap<RunNumber, PathBuf>, ReadError> {
        list_runs(&self.records)
    }

    /// Reads and prepares the run at `path`. Blocks.
    pub(crate) fn prepare(&self, path: &Path) -> Result<PreparedRun, Failure> {
        let record = RunDirectory::read(path, &self.limits).map_err(|error| Failure::new(class_of(&error), &error))?;
        prepare(&record, &self.schema, &self.fhiclize).map_err(|error| Failure::new(FailureClass::Record, &error))
    }
}

fn class_of(error: &ReadError) -> FailureClass {
    match error {
        ReadError::NotARun { .. }
        | ReadError::NotADirectory { .. }
        | ReadError::Empty { .. }
        | ReadError::TooLarge { .. } => FailureClass::Record,
        ReadError::Io { source, .. } => match source.kind() {
            ErrorKind::NotFound | ErrorKind::PermissionDenied | ErrorKind::NotADirectory => FailureClass::Record,
            _ => FailureClass::Source,
        },
    }
}
