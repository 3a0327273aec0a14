//! `--selftest DIR`: the verdict on a mount as an exit code.

use std::{path::Path, time::Duration};

use terminal::Printer;
use waymark_selftest::{Screen, Verdict};

use crate::exit::{Exit, Failure};

/// Tries the mount of `dir` and shows what came of it.
pub(crate) fn selftest(dir: &Path, budget: Duration, is_json: bool, printer: Printer) -> Result<Exit, Failure> {
    let screen = Screen { dir, budget, is_json, printer, exit_code: |verdict| exit(verdict) as u8 };
    let verdict = screen.run().map_err(|error| match error.remedy() {
        Some(remedy) => Failure::known(error).hint(remedy),
        None => Failure::unexpected(error),
    })?;
    Ok(verdict.map_or(Exit::Interrupted, exit))
}

const fn exit(verdict: Verdict) -> Exit {
    match verdict {
        Verdict::Kept => Exit::Done,
        Verdict::Unknown => Exit::Work,
        Verdict::Broken => Exit::Failed,
    }
}
