//! Rebuilds the state of a stage from what the archives hold.
//!
//! The six steps of the state management guide: list the source, list the destination, the marks from the
//! destination, the missing runs up to the attempted mark, and both files written. What differs from the Python
//! archiver:
//!
//! - A side that lists nothing is refused: a store that is not mounted would empty the failure log, and an archive
//!   that is really empty needs no recovery but the removal of the state.
//! - A file that cannot be read is set aside as `<name>.damaged`, never overwritten.
//! - A run that is in the destination only in part counts as missing.

use std::path::{Path, PathBuf};

use artdaq_db::ConfigStore as _;
use fs_err as fs;
use run_pipeline::{Stage, StagePaths};
use run_record::directory::list_runs;
use run_state::{FailureLog, Marks, RunNumber, RunSet};
use serde_json::json;
use statefile::{Document, OpenError, StateFile};
use terminal::style;

use super::Session;
use crate::{
    exit::{Exit, Failure, recovery_flag},
    log::Level,
    present, wire,
};

/// What the two sides hold, and what follows from it.
#[derive(Debug, PartialEq)]
struct Recovered {
    source: RunSet,
    destination: RunSet,
    marks: Marks,
    missing: RunSet,
}

/// The state that `source` and `destination` imply; fields of `marks` that we do not know are kept.
fn rebuild(marks: &Marks, source: RunSet, destination: RunSet) -> Recovered {
    let marks = marks.recovered(&destination);
    let missing = source.up_to(marks.last_attempted_run).difference(&destination);
    Recovered { source, destination, marks, missing }
}

/// Rebuilds the state of `stage`.
pub(super) async fn recover(session: &Session<'_>, stage: Stage) -> Result<Exit, Failure> {
    let (source, destination) = list(session, stage).await?;
    let (source_name, destination_name) = match stage {
        Stage::Import => ("the directory of run records", "artdaqDB"),
        Stage::Migrate => ("artdaqDB", "UconDB"),
    };
    for (name, runs) in [(source_name, &source), (destination_name, &destination)] {
        if runs.is_empty() {
            let error = anyhow::anyhow!("{name} lists no complete run, so there is nothing to rebuild the state from");
            return Err(Failure::known(error).hint(
                "no file was changed. See that the configuration names the right place and that it is mounted; \
                 to start afresh on an empty archive, move the files of the state away",
            ));
        }
    }
    let paths = session.paths(stage);
    let mut aside = Vec::new();
    let mut marks = open::<Marks>(session, stage, &paths.state, &mut aside)?;
    let mut log = open::<FailureLog>(session, stage, &paths.failure_log, &mut aside)?;
    // Its runs are looked at by the next start; of a list that cannot be read, the marks know enough.
    set_aside_if_damaged(&paths.in_flight(), &mut aside)?;
    let recovered = rebuild(marks.document(), source, destination);
    // In this order a kill in between leaves every run below the mark archived or in the log.
    log.update(|log| log.runs.clone_from(&recovered.missing)).map_err(Failure::unexpected)?;
    marks.update(|marks| marks.clone_from(&recovered.marks)).map_err(Failure::unexpected)?;
    forget_counts(&paths)?;
    say(session, stage, &recovered, &aside, &paths)?;
    Ok(Exit::Done)
}

async fn list(session: &Session<'_>, stage: Stage) -> Result<(RunSet, RunSet), Failure> {
    let stores = wire::stores(session.config, session.user.clone())?;
    let artdaq = stores.artdaq.runs().await.map_err(Failure::known)?;
    let complete = artdaq.iter().filter(|(_, entry)| entry.is_complete()).map(|(run, _)| number(*run)).collect();
    match stage {
        Stage::Import => {
            let records = list_runs(&session.config.run_records_dir).map_err(Failure::known)?;
            Ok((records.into_keys().map(number).collect(), complete))
        }
        Stage::Migrate => {
            let blobs = stores.ucon.runs().await.map_err(Failure::known)?;
            Ok((complete, blobs.into_keys().collect()))
        }
    }
}

fn number(run: run_record::RunNumber) -> RunNumber {
    run.get().into()
}

/// Opens a state file; one that is damaged is set aside first.
fn open<D: Document + Clone + Default>(
    session: &Session<'_>,
    stage: Stage,
    path: &Path,
    aside: &mut Vec<PathBuf>,
) -> Result<StateFile<D>, Failure> {
    let open = || StateFile::open(path, session.lock.clone(), D::default);
    let refused = |error| Failure::state(stage, &session.cli.config, error);
    match open() {
        Err(OpenError::Damaged { .. }) => {
            aside.push(set_aside(path)?);
            open().map_err(refused)
        }
        outcome => outcome.map_err(refused),
    }
}

fn set_aside_if_damaged(path: &Path, aside: &mut Vec<PathBuf>) -> Result<(), Failure> {
    // A list of runs, as the failure log.
    if let Err(OpenError::Damaged { .. }) = statefile::Snapshot::<FailureLog>::read(path) {
        aside.push(set_aside(path)?);
    }
    Ok(())
}

/// Moves a file to the first free of `<name>.damaged`, `<name>.damaged.1`, …
fn set_aside(path: &Path) -> Result<PathBuf, Failure> {
    let name = |suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    let names = std::iter::once(name(".damaged")).chain((1_u32..).map(|number| name(&format!(".damaged.{number}"))));
    for aside in names {
        if fs::symlink_metadata(&aside).is_err() {
            fs::rename(path, &aside).map_err(Failure::unexpected)?;
            return Ok(aside);
        }
    }
    Err(Failure::unexpected(anyhow::anyhow!("too many damaged files beside `{}`", path.display())))
}

/// Removes the last known counts: whoever recovers says that the listings are right.
fn forget_counts(paths: &StagePaths) -> Result<(), Failure> {
    match fs::remove_file(paths.counts()) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Failure::unexpected(error)),
        _ => Ok(()),
    }
}

fn say(
    session: &Session<'_>,
    stage: Stage,
    recovered: &Recovered,
    aside: &[PathBuf],
    paths: &StagePaths,
) -> Result<(), Failure> {
    let Recovered { source, destination, marks, missing } = recovered;
    let text = format!("{}: marks {marks}, missing runs: {missing}", recovery_flag(stage));
    session.log.line(Level::Warning, &text);
    let answer = if session.cli.json {
        let answer = json!({
            "exit_code": 0,
            "stage": present::name(stage),
            "source_runs": source.to_string(),
            "destination_runs": destination.to_string(),
            "marks": marks,
            "failure_log": missing.to_string(),
            "set_aside": aside,
        });
        format!("{answer:#}")
    } else {
        let head = style::HEAD;
        let mut lines = vec![
            format!("{head}state of the {stage} rebuilt{head:#}"),
            format!("  source:          {}", present::runs(source.len())),
            format!("  destination:     {}", present::runs(destination.len())),
            format!("  last contiguous: {}", marks.last_contiguous_run),
            format!("  last attempted:  {}", marks.last_attempted_run),
            format!("  missing:         {}: {missing}", present::runs(missing.len())),
            format!("  written:         {}, {}", paths.state.display(), paths.failure_log.display()),
        ];
        lines.extend(aside.iter().map(|path| format!("  set aside:       {}", path.display())));
        lines.join("\n")
    };
    session.printer.answer(answer).map_err(Failure::unexpected)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn the_state_follows_from_the_two_sides() {
        //            source          destination               marks      missing
        let rows = [
            ("100-105", "100-105", "105/105", "none"),
            ("100-107", "100-102, 105-107", "102/107", "103-104"),
            ("100-110", "100-102, 105-107", "102/107", "103-104"), // later runs are not missing yet
            ("104-107", "100-102, 105-107", "102/107", "104"),
            ("90, 100", "100", "100/100", "90"),
            ("5", "100", "100/100", "5"),
        ];
        for (source, destination, marks, missing) in rows {
            let recovered =
                rebuild(&Marks::new(999.into(), 999.into()), source.parse().unwrap(), destination.parse().unwrap());
            assert_eq!(recovered.marks.to_string(), marks, "{source} / {destination}");
            assert_eq!(recovered.missing.to_string(), missing, "{source} / {destination}");
        }
    }
}
