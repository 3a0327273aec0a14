//! A connection for jobs that only look: whatever the endpoint, nothing there changes.
//!
//! Opening an embedded DynamoDB writes to its file: a ledger of calls, the tables that it lacks. So a job that
//! only looks is given a copy of the file, in a temporary directory, in which the tables are made that a run
//! would make. The copy may be taken while another process writes: it is taken again until the file did not
//! change meanwhile.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use anyhow::Context as _;
use gsi_aws::{sdk::SdkIndexApi, spec::Definitions};
use tempfile::TempDir;
use terminal::Printer;
use tokio_util::sync::CancellationToken;

use super::{RunClock, connect, embedded};
use crate::{
    cli::{Cli, Endpoint},
    exit::{Exit, Failure},
};

/// A connection, and what has to be kept as long.
#[derive(Debug)]
pub(crate) struct Looking {
    pub(crate) api: Arc<SdkIndexApi>,
    #[expect(dead_code, reason = "held for as long as the copy is needed")]
    copy: Option<TempDir>,
}

/// Looks, until a signal asks for the end: a copy is removed then, too.
pub(crate) async fn until_a_signal<T>(look: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let cancel = CancellationToken::new();
    terminal::stop_on_signals(cancel.clone(), || {}).map_err(|error| Failure::new(Exit::Unexpected, error))?;
    cancel
        .run_until_cancelled(look)
        .await
        .unwrap_or_else(|| Err(Failure::new(Exit::Interrupted, anyhow::anyhow!("interrupted; nothing was changed"))))
}

/// Connects like [`connect`], to look and nothing else.
pub(crate) async fn connect_to_look(
    cli: &Cli,
    definitions: &Definitions,
    clock: &RunClock,
    printer: Printer,
) -> Result<Looking, Failure> {
    let Some(Endpoint::File(path)) = &cli.endpoint else {
        return Ok(Looking { api: connect(cli, definitions, clock, printer).await?, copy: None });
    };
    let about = || format!("could not take a copy of `{}`, to leave it as it is", path.display());
    let copied = copy(path).await.with_context(about);
    let (dir, file) = copied.map_err(|error| Failure::new(Exit::Configuration, error))?;
    let would_make = |table: &str| printer.comment(format_args!("embedded: a run would make the table `{table}`"));
    let opened = embedded::open(cli, Some(&file), definitions, clock, &would_make).await;
    let config = opened.map_err(|failure| Failure {
        error: failure.error.context(format!("`{}` is looked at through a copy", path.display())),
        ..failure
    })?;
    Ok(Looking { api: Arc::new(SdkIndexApi::new(config)), copy: Some(dir) })
}

/// Copies a database and what is not yet merged into it; of one that does not exist, the copy does not either.
async fn copy(path: &Path) -> anyhow::Result<(TempDir, PathBuf)> {
    const TRIES: u32 = 50;
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let log = PathBuf::from(log);
    for _ in 0..TRIES {
        let dir = tempfile::tempdir()?;
        let file = dir.path().join("copy.sqlite");
        let before = (stamp(path)?, stamp(&log)?);
        if copy_file(path, &file)? {
            copy_file(&log, &dir.path().join("copy.sqlite-wal"))?;
        }
        if before == (stamp(path)?, stamp(&log)?) {
            return Ok((dir, file));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    anyhow::bail!("another process changes it all the time")
}

/// Copies a file; `false` where it does not exist.
fn copy_file(from: &Path, to: &Path) -> anyhow::Result<bool> {
    match fs_err::copy(from, to) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// What changes when a file is written to; `None` where there is none.
fn stamp(path: &Path) -> anyhow::Result<Option<(u64, SystemTime)>> {
    match fs_err::metadata(path) {
        Ok(metadata) => Ok(Some((metadata.len(), metadata.modified()?))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}
