//! From the configuration to the stores and the source of records.

use std::sync::Arc;

use artdaq_db::{FilesystemStore, RandomOids, Surroundings};
use fs_err as fs;
use run_pipeline::{RecordSource, StagePaths};
use run_record::{
    directory::Limits,
    schema::{SCHEMA_FILE, Schema},
};
use statefile::SystemClock;
use ucon_db::{BlobStore, EmbeddedStore, HttpConfig, HttpStore, ServerUrl, Timeouts, Tls};

use crate::{
    config::{App, ArtdaqDb, Config, UconDb},
    exit::Failure,
};

/// Everything that the stages work with. Nothing is connected, read or created before it is used, but for the schema.
pub(crate) struct Stores {
    pub(crate) source: Arc<RecordSource>,
    pub(crate) artdaq: FilesystemStore,
    pub(crate) ucon: Arc<dyn BlobStore>,
}

/// Makes the stores; `user` is written into what is created.
pub(crate) fn stores(config: &Config, user: String) -> Result<Stores, Failure> {
    Ok(Stores {
        source: Arc::new(source(config)?),
        artdaq: artdaq(&config.artdaq_db, user),
        ucon: ucon(&config.ucon_db)?,
    })
}

fn source(config: &Config) -> Result<RecordSource, Failure> {
    let path = config.artdaq_db.fcl_conf_dir.join(SCHEMA_FILE);
    let text = fs::read_to_string(&path).map_err(|error| {
        Failure::known(error).hint("`artdaq_db.fcl_conf_dir` must be the directory that holds `schema.fcl`")
    })?;
    let schema = Schema::parse(&path.display().to_string(), &text).map_err(Failure::known)?;
    Ok(RecordSource {
        records: config.run_records_dir.clone(),
        schema,
        fhiclize: config.fhiclize.clone(),
        limits: Limits::default(),
    })
}

/// artdaqDB alone, for its repair.
pub(crate) fn artdaq(config: &ArtdaqDb, user: String) -> FilesystemStore {
    let surroundings = Surroundings { clock: Arc::new(SystemClock), oids: Arc::new(RandomOids), user };
    FilesystemStore::new(&config.database_uri, surroundings)
}

fn ucon(config: &UconDb) -> Result<Arc<dyn BlobStore>, Failure> {
    let server = match &config.server {
        ServerUrl::Embedded(path) => {
            let clock = Arc::new(SystemClock);
            return Ok(Arc::new(EmbeddedStore::new(path, &config.folder, &config.object, clock)));
        }
        ServerUrl::Http(server) => server.clone(),
    };
    let authorities_pem = config.ca_file.as_ref().map(fs::read).transpose().map_err(Failure::known)?;
    let store = HttpStore::new(HttpConfig {
        server,
        folder: config.folder.clone(),
        object: config.object.clone(),
        user: config.user.clone(),
        password: config.password.clone(),
        timeouts: Timeouts { connect: config.timeout, read: config.timeout, ..Timeouts::default() },
        tls: Tls { verify: config.verify_tls, authorities_pem },
        response_bytes_max: HttpConfig::RESPONSE_BYTES_MAX,
    });
    Ok(Arc::new(store.map_err(Failure::known)?))
}

impl App {
    /// The state files of the import.
    pub(crate) fn import_paths(&self) -> StagePaths {
        StagePaths { state: self.import_state_file.clone(), failure_log: self.import_failure_log.clone() }
    }

    /// The state files of the migration.
    pub(crate) fn migrate_paths(&self) -> StagePaths {
        StagePaths { state: self.migrate_state_file.clone(), failure_log: self.migrate_failure_log.clone() }
    }
}
