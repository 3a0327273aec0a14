//! The status of the archive: looked at, compared, verified, shown.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use run_pipeline::status::{Depth, Facts, Store, Survey, Verification, analyse, missing, verify_full, verify_receipts};
use run_state::{RunNumber, RunSet};
use statefile::{Clock as _, SystemClock};
use terminal::{LiveLines, Printer, Verbosity};

use super::{Stores, locations};
use crate::{
    cli::{Cli, Report},
    exit::{Exit, Failure},
    present::{self, Picture, html},
};
use run_config::Config;

/// Says how the archive is.
pub(super) async fn status(
    report: &Report,
    stores: &Stores,
    cli: &Cli,
    config: &Config,
    printer: Printer,
) -> Result<Exit, Failure> {
    let survey = stores.survey(config, report.verify.is_some()).await;
    let verification = match report.verify {
        None => None,
        Some(Depth::Receipt) => Some(verify_receipts(&survey.blobs, &survey.digests)),
        Some(Depth::Full) => Some(Verification {
            missing: missing(&survey.blobs, &survey.digests),
            ..verify(stores, &survey, config, printer).await
        }),
    };
    let verification = verification.map(|verification| believed(verification, &survey.facts));
    let analysis = analyse(&survey.facts, verification.as_ref());
    let picture = Picture {
        config: cli.config.clone(),
        taken_at: SystemClock.now(),
        report: report.clone(),
        locations: locations(config),
        state_files: [config.app.import_state_file.clone(), config.app.migrate_state_file.clone()],
        rows: analysis.gap_rows(&survey.facts),
        survey,
        analysis,
        verification,
    };
    if let Some(path) = &report.html {
        let page = html::page(&picture).map_err(Failure::unexpected)?;
        statefile::replace(path, page.as_bytes()).map_err(|error| {
            Failure::known(anyhow::Error::new(error).context(format!("could not write `{}`", path.display())))
        })?;
        printer.comment(format_args!("written: {}", path.display()));
    }
    let answer =
        if cli.json { format!("{:#}", present::status_json(&picture)) } else { present::status_text(&picture) };
    printer.answer(answer).map_err(Failure::unexpected)?;
    Ok(picture.exit())
}

/// Nothing is missing for a listing that could not be read, or is not believed; nor of what somebody lives without.
fn believed(verification: Verification, facts: &Facts) -> Verification {
    let is_believed = facts.ucon.is_ok() && facts.shrunk(Store::Ucon).is_none();
    let missing = if is_believed { verification.missing.clone() } else { RunSet::new() };
    let lived_without = facts.acknowledged.clone().unwrap_or_default();
    Verification { missing: missing.difference(&lived_without), ..verification }
}

/// Downloads everything that UconDB lists, and compares it.
async fn verify(stores: &Stores, survey: &Survey, config: &Config, printer: Printer) -> Verification {
    let (Ok(artdaq), Ok(ucon)) = (&stores.artdaq, &stores.ucon) else {
        // What could not be asked is told elsewhere.
        return Verification { depth: Depth::Full, ..Verification::default() };
    };
    let runs = survey.blobs.keys().copied().collect();
    let total = survey.blobs.len();
    let live = Arc::new(LiveLines::new());
    let (shown, done) = (Arc::clone(&live), AtomicUsize::new(0));
    let seen = move |_: RunNumber| {
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        if Printer::is_watched() && printer.verbosity() >= Verbosity::Normal {
            shown.set("verifying", format!("{done} of {total} runs"));
        }
    };
    printer.detail(format_args!("downloading {total} runs"));
    let workers = usize::try_from(config.app.parallel_workers).unwrap_or(1);
    let (ucon, artdaq) = (Arc::clone(ucon), Arc::clone(artdaq));
    let verification = verify_full(ucon, artdaq, &runs, &survey.digests, workers, Arc::new(seen)).await;
    live.clear();
    verification
}
