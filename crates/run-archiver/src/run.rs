//! One run of the program, from the parsed command line to the exit code.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use fs_err as fs;
use run_pipeline::{Mode, RetryPolicy, Stage, StageOptions, plan_import, plan_migrate};
use run_state::RunSet;
use statefile::{Lock, Owner, SystemClock};
use terminal::{Printer, Verbosity};

use crate::{
    cli::{Cli, Job},
    exit::{Exit, Failure},
    job::{Session, recover},
    log::Log,
    look, notify, present, selftest, wire,
};
use run_config::Level;
use run_config::{App, Config, Environment};

/// Does what the command line asks for.
pub(crate) fn run(cli: &Cli) -> Exit {
    let verbosity = match (cli.quiet, cli.verbose) {
        (true, _) => Verbosity::Quiet,
        (_, true) => Verbosity::Verbose,
        _ => Verbosity::Normal,
    };
    let printer = Printer::new(verbosity);
    execute(cli, printer).unwrap_or_else(|failure| {
        printer.error(&terminal::render_error(failure.chain(), failure.hint.as_deref()));
        if cli.json {
            present::failure(&failure, printer);
        }
        failure.exit
    })
}

fn execute(cli: &Cli, printer: Printer) -> Result<Exit, Failure> {
    if let Some((dir, budget)) = cli.selftest() {
        return selftest::selftest(dir, budget, cli.json, printer);
    }
    let config = run_config::load(&cli.config, environment(), program_dir().as_deref())?;
    for warning in &config.warnings {
        printer.warn(terminal::clean(&warning.to_string()));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::unexpected)?;
    if cli.job() == Job::TestNotifications {
        return runtime.block_on(notify::trial(&config, &cli.config, &SystemClock, cli.json, printer));
    }
    if let Some(look) = cli.look() {
        return runtime.block_on(look::look(&look, cli, &config, printer));
    }
    if cli.dry_run {
        return runtime.block_on(async {
            match cli.job() {
                Job::RecoverImport => recover::rehearse(cli, &config, Stage::Import, printer).await,
                Job::RecoverMigrate => recover::rehearse(cli, &config, Stage::Migrate, printer).await,
                _ => plan(cli, &config, printer).await,
            }
        });
    }
    // The lock comes before everything that could change a file.
    make_directories(&config.app)?;
    let owner = Owner::current(&SystemClock);
    let lock = Arc::new(Lock::acquire(&config.app.lock_file, &owner)?);
    let log = Arc::new(open_log(cli, &config)?);
    log.line(Level::Info, &format!("run-archiver {} started by {owner}: {}", env!("CARGO_PKG_VERSION"), owner.command));
    for warning in &config.warnings {
        log.line(Level::Warning, &warning.to_string());
    }
    let session = Session { cli, config: &config, printer, log: Arc::clone(&log), lock, owner };
    let outcome = runtime.block_on(session.run());
    match &outcome {
        Ok(exit) => log.line(Level::Info, &format!("ended with exit code {}", *exit as u8)),
        Err(failure) => {
            let chain: Vec<String> = failure.error.chain().map(ToString::to_string).collect();
            log.line(Level::Error, &format!("{}; ended with exit code {}", chain.join(": "), failure.exit as u8));
        }
    }
    outcome
}

/// The variables of the process; those that are not UTF-8 can stand in no configuration.
fn environment() -> Environment {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

fn program_dir() -> Option<PathBuf> {
    std::env::current_exe().ok()?.parent().map(Path::to_owned)
}

fn open_log(cli: &Cli, config: &Config) -> Result<Log, Failure> {
    let level = if cli.verbose { Level::Debug } else { config.app.log_level };
    let log = match &config.app.log_file {
        Some(path) => Log::open(path, level, &SystemClock)?,
        None => Log::none(&SystemClock),
    };
    Ok(if config.rehearsal.is_some() { log.marked("[REHEARSAL] ") } else { log })
}

/// Makes the directories of the program's own files.
fn make_directories(app: &App) -> Result<(), Failure> {
    let files = [
        &app.lock_file,
        &app.import_state_file,
        &app.import_failure_log,
        &app.migrate_state_file,
        &app.migrate_failure_log,
    ];
    let parents = files.into_iter().filter_map(|file| file.parent()).filter(|dir| !dir.as_os_str().is_empty());
    for dir in std::iter::once(app.work_dir.as_path()).chain(parents) {
        fs::create_dir_all(dir).map_err(Failure::known)?;
    }
    Ok(())
}

/// The options of a stage.
pub(crate) fn stage_options(cli: &Cli, config: &Config, mode: Mode) -> Result<StageOptions, Failure> {
    let app = &config.app;
    Ok(StageOptions {
        mode,
        batch_size: app.batch_size.into(),
        parallel_workers: usize::try_from(app.parallel_workers).unwrap_or(1),
        retry: RetryPolicy { retries: app.run_process_retries, delay: app.retry_delay, ..RetryPolicy::default() },
        max_shrink_percent: app.max_shrink_percent,
        only: cli.only().cloned(),
        hold: config.hold,
        acknowledged: wire::acknowledged(app)?,
    })
}

/// The stages that the command line asks for, and which of their runs.
pub(crate) fn stages(cli: &Cli) -> (&'static [Stage], Mode) {
    let mode = if cli.incremental { Mode::Incremental } else { Mode::Full };
    match cli.job() {
        Job::Both => (&[Stage::Import, Stage::Migrate], mode),
        Job::Import => (&[Stage::Import], mode),
        Job::Migrate => (&[Stage::Migrate], mode),
        Job::RetryImport => (&[Stage::Import], Mode::RetryFailed),
        Job::RetryMigrate => (&[Stage::Migrate], Mode::RetryFailed),
        Job::Refresh => (&[Stage::Import, Stage::Migrate], Mode::Refresh),
        Job::RecoverImport | Job::RecoverMigrate | Job::Repair | Job::CreateIndexes | Job::TestNotifications => {
            (&[], mode)
        }
    }
}

/// Whether runs were named, and every stage that looked knows none of them: then nothing was done that was asked for.
pub(crate) fn is_nobody_known<'a>(options: &StageOptions, mut not_found: impl Iterator<Item = &'a RunSet>) -> bool {
    let named = options.only.as_ref().filter(|named| options.mode != Mode::Refresh && !named.is_empty());
    named.is_some_and(|named| not_found.all(|runs| runs == named))
}

/// Says what would be done. Reads only.
async fn plan(cli: &Cli, config: &Config, printer: Printer) -> Result<Exit, Failure> {
    let stores = wire::stores(config, String::new())?;
    let (stages, mode) = stages(cli);
    let options = stage_options(cli, config, mode)?;
    let mut plans = Vec::new();
    for &stage in stages {
        let plan = match stage {
            Stage::Import => {
                let (paths, source) = (config.app.import_paths(), Arc::clone(&stores.source));
                plan_import(&paths, source, &*stores.artdaq, &options, &SystemClock).await
            }
            Stage::Migrate => {
                let (paths, import) = (config.app.migrate_paths(), config.app.import_paths());
                plan_migrate(&paths, Some(&import), &*stores.artdaq, &*stores.ucon, &options).await
            }
        };
        plans.push(plan.map_err(|error| Failure::stage(stage, &cli.config, error))?);
    }
    let exit = if is_nobody_known(&options, plans.iter().map(|plan| &plan.selection.not_found)) {
        Exit::Failed
    } else {
        Exit::Done
    };
    present::plans(&plans, exit, cli.json, printer).map_err(Failure::unexpected)?;
    Ok(exit)
}
