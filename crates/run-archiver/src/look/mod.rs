//! Looks at the archive: no lock, no change; and what somebody says about gaps.

mod explain;
mod gaps;
mod status;

pub(crate) use self::gaps::say;

use std::sync::Arc;

use artdaq_db::ConfigStore;
use run_pipeline::status::{Places, Sources, Survey, survey};
use statefile::{Clock, SystemClock};
use terminal::Printer;
use ucon_db::{BlobStore, ServerUrl};

use crate::{
    cli::{Cli, Look},
    exit::{Exit, Failure},
    present, wire,
};
use run_config::Config;

/// Does what is asked for.
pub(crate) async fn look(look: &Look, cli: &Cli, config: &Config, printer: Printer) -> Result<Exit, Failure> {
    let stores = Stores::of(config);
    match look {
        Look::Status(report) => status::status(report, &stores, cli, config, printer).await,
        Look::Explain(run) => explain::explain(*run, &stores, cli, config, printer).await,
        Look::Acknowledgements => gaps::list(cli, config, printer),
    }
}

/// The stores, or why they cannot even be asked.
struct Stores {
    artdaq: Result<Arc<dyn ConfigStore>, String>,
    ucon: Result<Arc<dyn BlobStore>, String>,
}

impl Stores {
    fn of(config: &Config) -> Self {
        let said = |failure: Failure| present::chain(&failure).join(": ");
        Self {
            artdaq: wire::artdaq(&config.artdaq_db, String::new()).map_err(said),
            ucon: wire::ucon(&config.ucon_db).map_err(said),
        }
    }

    /// Looks at everything; `wants_digests` where contents are to be compared.
    async fn survey(&self, config: &Config, wants_digests: bool) -> Survey {
        let places = places(config);
        survey(Sources {
            places: &places,
            artdaq: self.artdaq.as_deref().map_err(String::as_str),
            ucon: self.ucon.as_deref().map_err(String::as_str),
            max_shrink_percent: config.app.max_shrink_percent,
            wants_digests,
            now: SystemClock.now(),
        })
        .await
    }
}

fn places(config: &Config) -> Places {
    Places {
        records: config.run_records_dir.clone(),
        import: config.app.import_paths(),
        migrate: config.app.migrate_paths(),
        acknowledged: config.app.acknowledged_gaps(),
    }
}

/// Where the stores are, without accounts.
fn locations(config: &Config) -> [String; 3] {
    let ucon = &config.ucon_db;
    let server = match &ucon.server {
        ServerUrl::Embedded(path) => format!("embedded://{}", path.display()),
        ServerUrl::Http(url) => url.to_string(),
    };
    [
        config.run_records_dir.display().to_string(),
        config.artdaq_db.database_uri.to_string(),
        format!("{server}, folder {}, object {}", ucon.folder, ucon.object),
    ]
}
