//! What is done under the lock: the stages, the recovery of their state, the repair of artdaqDB.

mod indexes;
pub(crate) mod recover;
mod repair;

use std::sync::Arc;

use run_pipeline::{
    MigrateOptions, Mode, Observer, Stage, StageFiles, StageOptions, StagePaths, import, migrate, read_troubles,
};
use statefile::{Lock, Owner, SystemClock};
use terminal::Printer;
use tokio_util::sync::CancellationToken;

use crate::{
    cli::{Cli, Job},
    exit::{Exit, Failure},
    log::Log,
    look,
    notify::{Notifier, Setup, Stopwatch},
    present::{Answer, Follower, StageEnd, troubles},
    run::{is_nobody_known, stage_options, stages},
    wire::{self, Stores},
};
use run_config::Config;
use run_config::Level;

/// One execution, from the moment that the lock is held.
pub(crate) struct Session<'a> {
    pub(crate) cli: &'a Cli,
    pub(crate) config: &'a Config,
    pub(crate) printer: Printer,
    pub(crate) log: Arc<Log>,
    pub(crate) lock: Arc<Lock>,
    /// Who works.
    pub(crate) owner: Owner,
}

/// The stores, and the state of each stage.
type Prepared = (Stores, Vec<(Stage, StageFiles)>);

impl Session<'_> {
    /// Does what the command line asks for.
    pub(crate) async fn run(&self) -> Result<Exit, Failure> {
        if let Some(word) = self.cli.word() {
            return look::say(&word, self);
        }
        match self.cli.job() {
            Job::RecoverImport => recover::recover(self, Stage::Import).await,
            Job::RecoverMigrate => recover::recover(self, Stage::Migrate).await,
            Job::Repair => repair::repair(self).await,
            Job::CreateIndexes => indexes::create(self).await,
            // Done before the lock was taken.
            Job::TestNotifications => Ok(Exit::Done),
            Job::Both | Job::Import | Job::Migrate | Job::RetryImport | Job::RetryMigrate | Job::Refresh => {
                let setup = Setup {
                    config: self.config,
                    path: &self.cli.config,
                    owner: &self.owner,
                    lock: Arc::clone(&self.lock),
                    log: Arc::clone(&self.log),
                    clock: &SystemClock,
                };
                let notifier = Notifier::start(setup);
                let outcome = self.archive(&notifier).await;
                notifier.finish(self.printer).await;
                outcome
            }
        }
    }

    /// Runs the stages.
    async fn archive(&self, notifier: &Notifier) -> Result<Exit, Failure> {
        let (stages, mode) = stages(self.cli);
        let (stores, files) = self.prepare(stages).map_err(|(stage, failure)| {
            notifier.stage_not_begun(stage, &failure);
            failure
        })?;
        let options = stage_options(self.cli, self.config, mode)?;
        if mode == Mode::RetryFailed {
            self.tell_troubles(&files)?;
        }
        let cancel = self.stop_on_signals()?;
        let follower = Arc::new(Follower::new(self.printer, self.cli.json, Arc::clone(&self.log)));
        let stopwatch = Arc::new(Stopwatch::new(Arc::clone(&follower) as _, &SystemClock));
        let mut ends = Vec::new();
        for (stage, files) in files {
            if cancel.is_cancelled() && !ends.is_empty() {
                break;
            }
            let end =
                self.stage(stage, files, &stores, options.clone(), Arc::clone(&stopwatch) as _, cancel.clone()).await;
            follower.finish();
            notifier.stage_ended(stage, &end, stopwatch.take());
            if let StageEnd::Broke(failure) = &end {
                self.tell(failure);
            }
            ends.push((stage, end));
        }
        let reports = || ends.iter().filter_map(|(_, end)| end.report());
        let is_nobody_known = is_nobody_known(&options, reports().map(|report| &report.not_found));
        let mut answer = Answer::new(ends).rehearsed(self.config.rehearsal.as_ref());
        if is_nobody_known {
            answer.exit = answer.exit.and(Exit::Failed);
        }
        for line in answer.lines() {
            self.log.line(Level::Info, &line);
        }
        answer.print(self.cli.json, self.printer).map_err(Failure::unexpected)?;
        if let Some(rehearsal) = &self.config.rehearsal {
            self.printer.warn(format_args!("this was a rehearsal of failures: {rehearsal}"));
        }
        Ok(answer.exit)
    }

    /// Whatever keeps a stage from starting is told before the first one works.
    fn prepare(&self, stages: &[Stage]) -> Result<Prepared, (Stage, Failure)> {
        let first = stages.first().copied().unwrap_or(Stage::Import);
        let stores = wire::stores(self.config, self.owner.user.clone()).map_err(|failure| (first, failure))?;
        let open = |&stage| Ok((stage, self.open(stage).map_err(|failure| (stage, failure))?));
        Ok((stores, stages.iter().map(open).collect::<Result<_, _>>()?))
    }

    /// The files of a stage's state.
    fn paths(&self, stage: Stage) -> StagePaths {
        match stage {
            Stage::Import => self.config.app.import_paths(),
            Stage::Migrate => self.config.app.migrate_paths(),
        }
    }

    fn open(&self, stage: Stage) -> Result<StageFiles, Failure> {
        StageFiles::open(&self.paths(stage), Arc::clone(&self.lock), Arc::new(SystemClock))
            .map_err(|error| Failure::state(stage, &self.cli.config, error))
    }

    fn stop_on_signals(&self) -> Result<CancellationToken, Failure> {
        let cancel = CancellationToken::new();
        let (printer, log) = (self.printer, Arc::clone(&self.log));
        let announce = move || {
            let text = "stopping: the runs under way are finished, no other is started";
            log.line(Level::Warning, text);
            printer.comment(format_args!("{text} (again twice: stop at once)"));
        };
        terminal::stop_on_signals(cancel.clone(), announce).map_err(Failure::unexpected)?;
        Ok(cancel)
    }

    async fn stage(
        &self,
        stage: Stage,
        files: StageFiles,
        stores: &Stores,
        options: StageOptions,
        observer: Arc<dyn Observer>,
        cancel: CancellationToken,
    ) -> StageEnd {
        let artdaq = Arc::clone(&stores.artdaq);
        let (_, outcome) = match stage {
            Stage::Import => {
                let source = Arc::clone(&stores.source);
                import(files, source, artdaq, options, observer, cancel).await
            }
            Stage::Migrate => {
                let extra = MigrateOptions {
                    verify: self.config.ucon_db.verify,
                    is_validating: self.cli.validate,
                    import: Some(self.config.app.import_paths()),
                };
                migrate(files, artdaq, Arc::clone(&stores.ucon), extra, options, observer, cancel).await
            }
        };
        match outcome {
            Ok(report) => StageEnd::Ran(Box::new(report)),
            Err(error) => StageEnd::Broke(Failure::stage(stage, &self.cli.config, error)),
        }
    }

    /// Before a retry: why, and how often, each of the runs has failed.
    fn tell_troubles(&self, files: &[(Stage, StageFiles)]) -> Result<(), Failure> {
        for (stage, files) in files {
            let failed = files.snapshot().failed;
            let found = read_troubles(&files.paths().journal(), &failed);
            let found = found.map_err(|error| Failure::state(*stage, &self.cli.config, error))?;
            for line in troubles(*stage, &failed, &found) {
                self.log.line(Level::Info, &line);
                self.printer.comment(line);
            }
        }
        Ok(())
    }

    /// Shows and logs why a stage broke; the other stage goes on.
    fn tell(&self, failure: &Failure) {
        self.printer.error(&terminal::render_error(failure.chain(), failure.hint.as_deref()));
        let chain: Vec<String> = failure.error.chain().map(ToString::to_string).collect();
        self.log.line(Level::Error, &chain.join(": "));
    }
}
