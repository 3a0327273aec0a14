//! The runs of the archive, none of them in part, though others write while we read.
//!
//! The server gives no picture of several collections at one moment. So what is read holds if no insertion was begun or
//! finished meanwhile. Otherwise the runs that may have been in between are read again, until each is the same before
//! and after a look at the intents: an insertion that was open then is hidden, one that was finished is seen as a whole,
//! and one that came later has changed the second reading.

use std::collections::{BTreeMap, BTreeSet};

use run_record::RunNumber;

use super::{connect::Connection, intents::Pending, query};
use crate::{ConfigError, RunEntry};

/// How often a run is read again. Each time takes as long as an insertion, of which a run has few.
const ATTEMPTS: u32 = 20;

type Runs = BTreeMap<RunNumber, RunEntry>;

/// The configurations of all runs, or of one.
pub(super) async fn runs(connection: &Connection, only: Option<RunNumber>) -> Result<Runs, ConfigError> {
    let only = only.as_ref().map(std::slice::from_ref);
    let mut before = Pending::read(connection).await?;
    let mut found = query::runs(connection, only, &before.hidden(connection).await?).await?;
    let mut after = Pending::read(connection).await?;
    let mut open = if after == before { BTreeSet::new() } else { unsettled(&found, only, &[&before, &after]) };
    for _ in 0..ATTEMPTS {
        if open.is_empty() {
            break;
        }
        let numbers: Vec<_> = open.iter().copied().collect();
        before = after;
        let mut again = query::runs(connection, Some(&numbers), &before.hidden(connection).await?).await?;
        for run in numbers {
            let entry = again.remove(&run);
            if entry.as_ref() == found.get(&run) {
                open.remove(&run);
            } else if let Some(entry) = entry {
                found.insert(run, entry);
            } else {
                found.remove(&run);
            }
        }
        after = Pending::read(connection).await?;
    }
    Ok(found)
}

/// The runs that were perhaps seen in part: those that are incomplete, and those of which an insertion was open.
fn unsettled(found: &Runs, only: Option<&[RunNumber]>, pending: &[&Pending]) -> BTreeSet<RunNumber> {
    let is_whole = |entry: &RunEntry| entry.configurations.iter().all(|configuration| configuration.complete);
    let incomplete = found.iter().filter(|(_, entry)| !is_whole(entry)).map(|(&run, _)| run);
    let intents = pending.iter().flat_map(|pending| &pending.intents);
    let open = intents.filter_map(|intent| crate::entry::run_of(&intent.configuration));
    incomplete.chain(open).filter(|run| only.is_none_or(|only| only.contains(run))).collect()
}
