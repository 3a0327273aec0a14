//! Rebuilds the state of a stage from what the archives hold, or rehearses that.

use run_pipeline::{
    RecoverError, Recovery, RecoveryOptions, Stage, StageError, StagePaths, import_sides, migrate_sides, plan_recovery,
};
use statefile::SystemClock;
use terminal::Printer;

use std::sync::Arc;

use super::Session;
use crate::{
    cli::Cli,
    exit::{Exit, Failure, recovery_flag},
    present::{Written, recovery_json, recovery_text},
    wire,
};
use run_config::Config;
use run_config::Level;

/// Rebuilds the state of `stage`.
pub(super) async fn recover(session: &Session<'_>, stage: Stage) -> Result<Exit, Failure> {
    let Session { cli, config, printer, .. } = *session;
    let paths = session.paths(stage);
    let recovery = decide(cli, config, stage, &paths, session.owner.user.clone()).await?;
    let kept = run_pipeline::recover(&paths, Arc::clone(&session.lock), Arc::new(SystemClock), &recovery);
    let kept = kept.map_err(|error| refused(stage, error))?;
    let Recovery { marks, missing, .. } = &recovery;
    session.log.line(Level::Warning, &format!("{}: marks {marks}, missing runs: {missing}", recovery_flag(stage)));
    say(cli, printer, &recovery, &paths, Written::State(&kept))
}

/// Says what that would do. Reads only, and takes no lock.
pub(crate) async fn rehearse(cli: &Cli, config: &Config, stage: Stage, printer: Printer) -> Result<Exit, Failure> {
    let paths = match stage {
        Stage::Import => config.app.import_paths(),
        Stage::Migrate => config.app.migrate_paths(),
    };
    let recovery = decide(cli, config, stage, &paths, String::new()).await?;
    say(cli, printer, &recovery, &paths, Written::Nothing)
}

async fn decide(
    cli: &Cli,
    config: &Config,
    stage: Stage,
    paths: &StagePaths,
    user: String,
) -> Result<Recovery, Failure> {
    let artdaq = wire::artdaq(&config.artdaq_db, user)?;
    let sides = match stage {
        Stage::Import => import_sides(&config.run_records_dir, &*artdaq).await,
        Stage::Migrate => migrate_sides(&*artdaq, &*wire::ucon(&config.ucon_db)?).await,
    };
    let sides = sides.map_err(|error| Failure::stage(stage, &cli.config, error))?;
    let options = RecoveryOptions {
        is_empty_accepted: cli.accept_empty,
        max_shrink_percent: config.app.max_shrink_percent,
        acknowledged: wire::acknowledged(&config.app)?,
    };
    plan_recovery(paths, sides, &options).map_err(|error| refused(stage, error))
}

fn refused(stage: Stage, error: RecoverError) -> Failure {
    match error {
        error if error.is_about_amount() => {
            // What the stages advise about counts does not fit here.
            let error = match error {
                RecoverError::Stage(StageError::Shrunk { side, known_runs, found_runs, .. }) => {
                    anyhow::anyhow!("the {side} of the {stage} lists {found_runs} runs where there were {known_runs}")
                }
                error => error.into(),
            };
            Failure::known(error).hint(format!(
                "no file was changed. See that the configuration names the right place and that it is mounted; \
                 if the answer is right, repeat the command with --accept-empty (`{} --dry-run --accept-empty` shows \
                 what it would do)",
                recovery_flag(stage)
            ))
        }
        error @ (RecoverError::Commit(_) | RecoverError::Keep { .. }) => Failure::unexpected(error),
        error => Failure::known(error),
    }
}

fn say(
    cli: &Cli,
    printer: Printer,
    recovery: &Recovery,
    paths: &StagePaths,
    written: Written<'_>,
) -> Result<Exit, Failure> {
    let answer = if cli.json {
        format!("{:#}", recovery_json(recovery, written))
    } else {
        recovery_text(recovery, paths, written)
    };
    printer.answer(answer).map_err(Failure::unexpected)?;
    Ok(Exit::Done)
}
