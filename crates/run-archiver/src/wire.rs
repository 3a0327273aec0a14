//! From the configuration to the stores and the source of records.

use std::sync::Arc;

#[cfg(feature = "mongodb")]
use artdaq_db::{Certificates, MongoStore, MongoUri};
use artdaq_db::{
    ConfigStore, DatabaseUri, FilesystemStore, FilesystemUri, RandomOids, Surroundings, ToolError, ToolsStore,
};
use fs_err as fs;
use run_pipeline::{FuzzyBlobStore, FuzzyConfigStore, RecordSource};
use run_record::{
    directory::Limits,
    schema::{SCHEMA_FILE, Schema},
};
use run_state::{Acknowledgements, RunSet};
use statefile::{Clock as _, Snapshot, SystemClock};
use ucon_db::{BlobStore, EmbeddedStore, HttpConfig, HttpStore, ServerUrl, Timeouts, Tls};

use crate::exit::Failure;
use run_config::{App, ArtdaqDb, Config, UconDb};
#[cfg(feature = "mongodb")]
use run_config::{CA_CERTIFICATE, CLIENT_CERTIFICATE};

/// Everything that the stages work with. Nothing is connected, read or created before it is used, but for the schema.
pub(crate) struct Stores {
    pub(crate) source: Arc<RecordSource>,
    pub(crate) artdaq: Arc<dyn ConfigStore>,
    pub(crate) ucon: Arc<dyn BlobStore>,
}

/// Makes the stores; `user` is written into what is created.
pub(crate) fn stores(config: &Config, user: String) -> Result<Stores, Failure> {
    let mut artdaq = artdaq(&config.artdaq_db, user)?;
    let mut ucon = ucon(&config.ucon_db)?;
    if let Some(rehearsal) = &config.rehearsal {
        artdaq = Arc::new(FuzzyConfigStore::new(artdaq, rehearsal.clone()));
        ucon = Arc::new(FuzzyBlobStore::new(ucon, rehearsal.clone()));
    }
    Ok(Stores { source: Arc::new(source(config)?), artdaq, ucon })
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

fn surroundings(user: String) -> Surroundings {
    Surroundings { clock: Arc::new(SystemClock), oids: Arc::new(RandomOids), user }
}

/// artdaqDB, wherever it is.
pub(crate) fn artdaq(config: &ArtdaqDb, user: String) -> Result<Arc<dyn ConfigStore>, Failure> {
    let native: Arc<dyn ConfigStore> = match &config.database_uri {
        DatabaseUri::Filesystem(uri) => Arc::new(filesystem(uri, user)),
        DatabaseUri::Mongo(uri) => Arc::new(mongo(uri, config, user)?),
    };
    let Some(settings) = &config.tools else { return Ok(native) };
    let tools = ToolsStore::new(settings, native, Arc::new(SystemClock)).map_err(|error| {
        let remedy = match &error {
            ToolError::Missing { program, .. } if program == "ssh" => "install an ssh client, or leave `artdaq_db.remote_host` out",
            ToolError::Missing { .. } | ToolError::NotExecutable { .. } => {
                "set up the environment of artdaq_database before the start, name the tools by `artdaq_db.bulkloader` and \
                 `artdaq_db.bulkdownloader`, or write `use_tools: false`: the same archive is written without them"
            }
            _ => "correct it, or write `use_tools: false`: the same archive is written without the tools",
        };
        Failure::known(error).hint(remedy)
    })?;
    Ok(Arc::new(tools))
}

/// artdaqDB in a MongoDB server.
#[cfg(feature = "mongodb")]
pub(crate) fn mongo(uri: &MongoUri, config: &ArtdaqDb, user: String) -> Result<MongoStore, Failure> {
    let certificates =
        Certificates { client: config.client_certificate.clone(), authorities: config.ca_certificate.clone() };
    let files = [(&certificates.client, CLIENT_CERTIFICATE), (&certificates.authorities, CA_CERTIFICATE)];
    for (path, variable) in files.into_iter().filter_map(|(path, variable)| Some((path.as_ref()?, variable))) {
        // The genuine programs go on without it.
        fs::metadata(path).map_err(|error| Failure::known(error).hint(format!("`{variable}` names this file")))?;
    }
    Ok(MongoStore::new(uri.clone(), certificates, surroundings(user)))
}

#[cfg(not(feature = "mongodb"))]
fn mongo(uri: &artdaq_db::MongoUri, _: &ArtdaqDb, _: String) -> Result<artdaq_db::MemoryStore, Failure> {
    Err(Failure::known(anyhow::anyhow!("`{uri}` needs a run-archiver that was built with the feature `mongodb`")))
}

/// artdaqDB in a directory.
pub(crate) fn filesystem(uri: &FilesystemUri, user: String) -> FilesystemStore {
    FilesystemStore::new(uri, surroundings(user))
}

/// UconDB, wherever it is.
pub(crate) fn ucon(config: &UconDb) -> Result<Arc<dyn BlobStore>, Failure> {
    let server = match &config.server {
        ServerUrl::Embedded(path) => {
            let clock = Arc::new(SystemClock);
            return Ok(Arc::new(EmbeddedStore::new(path, &config.folder, &config.object, clock)));
        }
        ServerUrl::Http(server) => server.clone(),
    };
    let authorities_pem = config.ca_file.as_ref().map(fs::read).transpose();
    let authorities_pem =
        authorities_pem.map_err(|error| Failure::known(error).hint("`ucon_db.ca_file` names this file"))?;
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
    let store = store.map_err(|error| match &config.ca_file {
        Some(path) => Failure::known(error).hint(format!("`ucon_db.ca_file` names `{}`", path.display())),
        None => Failure::known(error),
    });
    Ok(Arc::new(store?))
}

/// The runs that somebody has acknowledged as missing, as of now.
pub(crate) fn acknowledged(app: &App) -> Result<RunSet, Failure> {
    let gaps = Snapshot::<Acknowledgements>::read(&app.acknowledged_gaps()).map_err(|error| {
        Failure::known(error).hint("nothing was changed. Mend the file, or move it away: no gap is acknowledged then")
    })?;
    Ok(gaps.map(|gaps| gaps.document.active(SystemClock.now())).unwrap_or_default())
}
