//! What the directory knows of indexes: the state at hand, and the archives of completed jobs.

use std::path::Path;

use gsi_aws::{
    rollback::{RollbackFilter, RollbackSelection, known_indexes, select},
    spec::Definitions,
};
use gsi_state::{CreationState, GsiState, GsiStateManager, StatusView, archives};
use terminal::clean;

use crate::{
    cli::Cli,
    exit::{Exit, Failure},
};

/// The archived states. One that cannot be read could say of an index that it is deleted already, and that what
/// bears its name now is somebody else's: so it stops everything.
pub(super) fn read_archives(dir: &Path) -> Result<Vec<CreationState>, Failure> {
    let paths = archives(dir).map_err(|error| Failure::new(Exit::Unexpected, error))?;
    let mut states = Vec::new();
    for path in paths {
        match StatusView::read_file(&path) {
            Ok(view) => states.extend(view.map(|view| view.state)),
            Err(error) => {
                return Err(Failure::new(Exit::BadState, error).hint(
                    "a rollback must know what every earlier job did. Repair the archive, or move it away: \
                     then the indexes that only it knows are left alone",
                ));
            }
        }
    }
    Ok(states)
}

pub(super) fn selected(
    cli: &Cli,
    manager: &GsiStateManager,
    defined: Option<&Definitions>,
    only_unfinished: bool,
) -> Result<RollbackSelection, Failure> {
    let archived = read_archives(&cli.state_dir)?;
    let current = manager.is_on_disk().then(|| manager.state());
    let known = known_indexes(current, &archived);
    for table in &cli.tables {
        named("table", table, known.iter().map(|gsi| gsi.key.table()))?;
    }
    for index in &cli.rollback.indexes {
        named("index", index, known.iter().map(|gsi| gsi.key.index()))?;
    }
    let is_defined = |gsi: &GsiState| defined.is_none_or(|all| all.index(gsi.key.table(), gsi.key.index()).is_some());
    let filter = RollbackFilter {
        tables: cli.tables.clone(),
        indexes: cli.rollback.indexes.clone(),
        includes_adopted: cli.rollback.include_adopted,
        only_unfinished,
    };
    Ok(select(known.into_iter().filter(is_defined), &filter))
}

/// Insists that a name on the command line is one that the state knows.
fn named<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> Result<(), Failure> {
    let known: Vec<&str> = known.collect();
    if known.contains(&name) {
        return Ok(());
    }
    let likeness = |known: &str| strsim::jaro_winkler(name, known);
    let nearest = known.iter().max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
    let failure = Failure::new(
        Exit::Usage,
        anyhow::anyhow!("neither the state nor an archive of it knows the {what} `{}`", clean(name)),
    );
    Err(match nearest.filter(|nearest| likeness(nearest) > 0.8) {
        Some(nearest) => failure.hint(format!("did you mean `{}`?", clean(nearest))),
        None => {
            failure.hint("only what is in the state can be rolled back; `gsi-create --status` and `--history` show it")
        }
    })
}
