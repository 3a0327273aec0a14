//! Whether artdaqDB gives the whole record of a run.

use artdaq_db::Export;
use run_record::hashes::{HASHES_ENTITY, lost};
use run_state::RunNumber;

use crate::retry::Failure;

/// The record, if it was imported to the end and has lost nothing since: a listing looks at indexes alone, and where a
/// document was removed by hand, a repair of the indexes drops the last trace of it but for the run's `hashes`.
pub(crate) fn whole(run: RunNumber, export: Option<Export>) -> Result<Export, Failure> {
    let export = export.filter(|export| export.configuration.complete);
    let export = export.ok_or_else(|| Failure::of_record(format!("run {run} is not complete in artdaqDB")))?;
    let hashes = export.documents.iter().find(|document| document.entity == HASHES_ENTITY);
    let entities = export.documents.iter().map(|document| document.entity.as_str());
    match hashes.and_then(|hashes| lost(&hashes.text, entities)) {
        None => Ok(export),
        Some(entity) => {
            let text = format!("artdaqDB has lost `{entity}` of run {run}, which the hashes of the run name");
            Err(Failure::of_record(text))
        }
    }
}
