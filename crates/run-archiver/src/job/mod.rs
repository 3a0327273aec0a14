//! What is done under the lock: the stages, the recovery of their state, the repair of artdaqDB.

mod recover;
mod repair;

use std::sync::Arc;

use run_pipeline::{MigrateOptions, Mode, Observer, Stage, StageFiles, StagePaths, import, migrate};
use statefile::Lock;
use terminal::Printer;
use tokio_util::sync::CancellationToken;

use crate::{
    cli::{Cli, Job},
    config::Config,
    exit::{Exit, Failure},
    log::{Level, Log},
    present::{Answer, Follower, StageEnd},
    run::{stage_options, stages},
    wire::{self, Stores},
};

/// One execution, from the moment that the lock is held.
pub(crate) struct Session<'a> {
    pub(crate) cli: &'a Cli,
    pub(crate) config: &'a Config,
    pub(crate) printer: Printer,
    pub(crate) log: Arc<Log>,
    pub(crate) lock: Arc<Lock>,
    /// Who works.
    pub(crate) user: String,
}

impl Session<'_> {
    /// Does what the command line asks for.
    pub(crate) async fn run(&self) -> Result<Exit, Failure> {
        match self.cli.job() {
            Job::RecoverImport => recover::recover(self, Stage::Import).await,
            Job::RecoverMigrate => recover::recover(self, Stage::Migrate).await,
            Job::Repair => repair::repair(self).await,
            Job::Both | Job::Import | Job::Migrate | Job::RetryImport | Job::RetryMigrate => self.archive().await,
        }
    }

    /// Runs the stages.
    async fn archive(&self) -> Result<Exit, Failure> {
        let (stages, mode) = stages(self.cli);
        // Whatever keeps a stage from starting is told before the first one works.
        let stores = wire::stores(self.config, self.user.clone())?;
        let files = stages.iter().map(|stage| Ok((*stage, self.open(*stage)?))).collect::<Result<Vec<_>, Failure>>()?;
        let cancel = self.stop_on_signals()?;
        let follower = Arc::new(Follower::new(self.printer, self.cli.json, Arc::clone(&self.log)));
        let mut ends = Vec::new();
        for (stage, files) in files {
            if cancel.is_cancelled() && !ends.is_empty() {
                break;
            }
            let end = self.stage(stage, files, &stores, mode, Arc::clone(&follower) as _, cancel.clone()).await;
            follower.finish();
            if let StageEnd::Broke(failure) = &end {
                self.tell(failure);
            }
            ends.push((stage, end));
        }
        let answer = Answer::new(ends);
        for line in answer.lines() {
            self.log.line(Level::Info, &line);
        }
        answer.print(self.cli.json, self.printer).map_err(Failure::unexpected)?;
        Ok(answer.exit)
    }

    /// The files of a stage's state.
    fn paths(&self, stage: Stage) -> StagePaths {
        match stage {
            Stage::Import => self.config.app.import_paths(),
            Stage::Migrate => self.config.app.migrate_paths(),
        }
    }

    fn open(&self, stage: Stage) -> Result<StageFiles, Failure> {
        StageFiles::open(&self.paths(stage), Arc::clone(&self.lock))
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
        mode: Mode,
        observer: Arc<dyn Observer>,
        cancel: CancellationToken,
    ) -> StageEnd {
        let options = stage_options(&self.config.app, mode);
        let artdaq = Arc::new(stores.artdaq.clone());
        let (_, outcome) = match stage {
            Stage::Import => {
                let source = Arc::clone(&stores.source);
                import(files, source, artdaq, options, observer, cancel).await
            }
            Stage::Migrate => {
                let extra = MigrateOptions { verify: self.config.ucon_db.verify, is_validating: self.cli.validate };
                migrate(files, artdaq, Arc::clone(&stores.ucon), extra, options, observer, cancel).await
            }
        };
        match outcome {
            Ok(report) => StageEnd::Ran(Box::new(report)),
            Err(error) => StageEnd::Broke(Failure::stage(stage, &self.cli.config, error)),
        }
    }

    /// Shows and logs why a stage broke; the other stage goes on.
    fn tell(&self, failure: &Failure) {
        self.printer.error(&terminal::render_error(failure.chain(), failure.hint.as_deref()));
        let chain: Vec<String> = failure.error.chain().map(ToString::to_string).collect();
        self.log.line(Level::Error, &chain.join(": "));
    }
}
