//! What is to be deleted, as its table shows it, and the person who agrees to that.

use std::{
    io::{self, BufRead, IsTerminal},
    sync::Arc,
    time::Duration,
};

use gsi_aws::{
    Metrics,
    describe::{IndexDescription, IndexStatus},
    drift::describe_tables,
    sdk::SdkIndexApi,
};
use gsi_state::{GsiKey, GsiState};
use terminal::{Printer, clean};

use crate::{
    cli::Cli,
    exit::{Exit, Failure},
    present,
};

/// Describes at once.
const PARALLEL_MAX: usize = 10;

/// An index that is to be deleted, with what its table says of it.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(crate) gsi: GsiState,
    /// What the table says; `None` where it has no such index.
    pub(crate) index: Option<IndexDescription>,
    /// Why the table could not be looked at.
    pub(crate) error: Option<String>,
    /// How much it is read.
    pub(crate) reads: Reads,
}

/// The read traffic of an index.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Reads {
    /// Nobody was asked: CloudWatch is not built in, or does not know the table.
    NotAsked,
    /// Read units of the last [`READS_OVER`]; `None`: none were recorded.
    Units(Option<f64>),
    /// CloudWatch did not say.
    Unknown(String),
}

/// How far back read traffic is looked at.
pub(crate) const READS_OVER: Duration = Duration::from_hours(24);

/// A courtesy is not waited for for long.
const READS_PATIENCE: Duration = Duration::from_secs(5);

impl Candidate {
    /// Whether somebody may read it: then a person must say yes.
    pub(crate) fn may_be_read(&self) -> bool {
        let is_there =
            |index: &IndexDescription| !matches!(index.status, IndexStatus::Creating | IndexStatus::Deleting);
        self.error.is_some() || self.index.as_ref().is_some_and(is_there)
    }
}

/// What the tables say of the chosen indexes.
pub(super) async fn candidates(api: Arc<SdkIndexApi>, chosen: Vec<GsiState>) -> Vec<Candidate> {
    let names: indexmap::IndexSet<String> = chosen.iter().map(|gsi| gsi.key.table().to_owned()).collect();
    let tables = describe_tables(api, names, PARALLEL_MAX, Duration::from_secs(1)).await;
    let candidate = |gsi: GsiState| {
        let look = tables.get(gsi.key.table());
        let index = look.and_then(|look| look.as_ref().ok()?.index(gsi.key.index()).cloned());
        let error = look.and_then(|look| look.as_ref().err().map(ToString::to_string));
        Candidate { gsi, index, error, reads: Reads::NotAsked }
    };
    chosen.into_iter().map(candidate).collect()
}

/// Asks how much each index is read that may be read.
pub(super) async fn add_reads(candidates: &mut [Candidate], metrics: &dyn Metrics) {
    for candidate in candidates.iter_mut().filter(|candidate| candidate.may_be_read()) {
        let key = &candidate.gsi.key;
        let asked = metrics.consumed_read_units(key.table(), key.index(), READS_OVER);
        candidate.reads = match tokio::time::timeout(READS_PATIENCE, asked).await {
            Ok(Ok(units)) => Reads::Units(units),
            Ok(Err(error)) => Reads::Unknown(error.to_string()),
            Err(_) => Reads::Unknown("CloudWatch does not answer".to_owned()),
        };
    }
}

/// Has a person agree to the deletion of each index that may be read: gives those to delete, and those to keep.
pub(super) fn confirmed(
    cli: &Cli,
    candidates: Vec<Candidate>,
    printer: Printer,
) -> Result<(Vec<Candidate>, Vec<GsiKey>), Failure> {
    let readable: Vec<&Candidate> = candidates.iter().filter(|candidate| candidate.may_be_read()).collect();
    if cli.yes || readable.is_empty() {
        return Ok((candidates, Vec::new()));
    }
    if !(io::stdin().is_terminal() && Printer::is_watched()) {
        let names: Vec<_> =
            readable.iter().map(|candidate| format!("`{}`", clean(&candidate.gsi.key.to_string()))).collect();
        let error = anyhow::anyhow!("nobody is there to confirm the deletion of {}", names.join(", "));
        return Err(Failure::new(Exit::Usage, error).hint("nothing was changed; add `--yes`, or run it on a terminal"));
    }
    ask(candidates, &mut io::stdin().lock(), |text| printer.error(text))
        .map_err(|error| Failure::new(Exit::Unexpected, error))
}

/// Asks for the name of each index that may be read; whatever else is typed keeps it, and so does the end of input.
fn ask(
    candidates: Vec<Candidate>,
    input: &mut impl BufRead,
    mut say: impl FnMut(&str),
) -> io::Result<(Vec<Candidate>, Vec<GsiKey>)> {
    let (mut delete, mut keep) = (Vec::new(), Vec::new());
    for candidate in candidates {
        if !candidate.may_be_read() {
            delete.push(candidate);
            continue;
        }
        say(&present::asking(&candidate));
        let mut typed = String::new();
        input.read_line(&mut typed)?;
        if typed.trim() == candidate.gsi.key.index() {
            delete.push(candidate);
        } else {
            keep.push(candidate.gsi.key);
        }
    }
    Ok((delete, keep))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

    use gsi_aws::spec::{KeySchema, Projection};
    use gsi_state::CreationState;

    use super::*;

    fn candidate(index: &str, status: Option<IndexStatus>) -> Candidate {
        let mut state = CreationState::new("test", chrono::DateTime::UNIX_EPOCH);
        let key = GsiKey::new("t", index);
        state.add(key.clone());
        let index = status.map(|status| IndexDescription {
            name: index.to_owned(),
            status,
            backfilling: None,
            key_schema: KeySchema::new(["a"], []),
            projection: Projection::All,
            item_count: None,
            size_bytes: None,
            provisioned: None,
        });
        Candidate { gsi: state.get(&key).unwrap().clone(), index, error: None, reads: Reads::NotAsked }
    }

    #[test]
    fn only_the_name_of_an_index_deletes_it() {
        let check = |typed: &str, expect: &[&str]| {
            let candidates = vec![
                candidate("one", Some(IndexStatus::Active)),
                candidate("building", Some(IndexStatus::Creating)),
                candidate("two", Some(IndexStatus::Updating)),
                candidate("gone", None),
            ];
            let mut said = 0;
            let (delete, keep) = ask(candidates, &mut typed.as_bytes(), |_| said += 1).unwrap();
            let names: Vec<_> = delete.iter().map(|candidate| candidate.gsi.key.index()).collect();
            assert_eq!(names, expect, "{typed:?}");
            assert_eq!((said, delete.len() + keep.len()), (2, 4), "{typed:?}");
        };
        check("one\ntwo\n", &["one", "building", "two", "gone"]);
        check("one\n", &["one", "building", "gone"]);
        check(" two \ntwo\n", &["building", "two", "gone"]);
        check("y\nyes\n", &["building", "gone"]);
        check("t.one\nTWO\n", &["building", "gone"]);
        check("", &["building", "gone"]);
    }
}
