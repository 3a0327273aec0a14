//! The configuration of run-archiver: a YAML file of the Python archiver, read strictly.
//!
//! # Promises
//!
//! 1. Every key of the Python archiver is known, with its default (`keys`); references are resolved
//!    (`interpolate`).
//! 2. All errors are told at once, each with file, line and key; an unknown key is a warning with the key
//!    that was probably meant.
//! 3. What is switched on and not supported is an error where runs would be archived otherwise than asked for,
//!    and a warning where only somebody would not be told.
//! 4. No message and no `Debug` form shows a password.
//!
//! ```
//! let text = "\
//! app: {work_dir: /var/lib/archiver}
//! source_files: {run_records_dir: /data/run_records}
//! artdaq_db: {database_uri: 'filesystemdb:///data/artdaqdb', fcl_conf_dir: /etc/archiver}
//! ucon_db: {server_url: 'embedded:///data/ucondb.sqlite', folder_name: daq, object_name: runs, batch: 5}
//! ";
//! let config = run_config::parse("config.yaml".as_ref(), text, &run_config::Environment::new())?;
//! assert_eq!(config.app.batch_size, 5);
//! assert!(config.warnings[0].to_string().starts_with("config.yaml:4: ucon_db.batch: "));
//! # Ok::<(), run_config::ConfigError>(())
//! ```
//!
//! Absent: looking at what the configuration names. Whether a directory exists is found out when it is used.

mod env_file;
mod finding;
pub mod fuzzing;
mod interpolate;
mod keys;
mod level;
mod places;
mod reader;
mod reporting;
mod secrets;
mod sections;
mod tree;
mod yaml;

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use artdaq_db::{DatabaseUri, ToolSettings};
use fs_err as fs;
use run_pipeline::{HoldPolicy, Rehearsal, Stage, StagePaths};
use run_record::convert::Fhiclize;
use secrecy::SecretString;
use ucon_db::{FolderName, ObjectName, ServerUrl, Verify};

pub use self::{
    finding::{ConfigError, Finding},
    interpolate::Environment,
    level::Level,
    reporting::{Carbon, Email, Reporting, SendOn, Slack, SmtpTls},
};
use self::{reader::Reader, tree::Value};

/// The variable that names the client's certificate and key for MongoDB, as in the genuine programs.
pub const CLIENT_CERTIFICATE: &str = "ARTDAQ_DATABASE_CLIENT_CERT";

/// The variable that names the authorities that MongoDB's certificate may be signed by, as in the genuine programs.
pub const CA_CERTIFICATE: &str = "ARTDAQ_DATABASE_CA_CERT";

/// A variable that leads to the directory of the configuration file, unless the environment sets it.
const CONFIG_DIR: &str = "ARCHIVER_CONFIG_DIR";

/// The file with variables, beside the configuration or beside the program.
const ENV_FILE: &str = "archiver.env";

/// A configuration without errors.
#[derive(Debug)]
pub struct Config {
    /// Files, limits and habits of the program.
    pub app: App,
    /// Which documents are made of the text files of a run.
    pub fhiclize: Fhiclize,
    /// The directory whose sub-directories are the runs.
    pub run_records_dir: PathBuf,
    /// When a run counts as still being taken.
    pub hold: HoldPolicy,
    /// Where artdaqDB is.
    pub artdaq_db: ArtdaqDb,
    /// Where UconDB is, and how it is spoken to.
    pub ucon_db: UconDb,
    /// Who is told what came of it.
    pub reporting: Arc<Reporting>,
    /// What is to go wrong, while failures are rehearsed.
    pub rehearsal: Option<Rehearsal>,
    /// Remarks; none keeps the program from working.
    pub warnings: Vec<Finding>,
}

/// Files, limits and habits of the program.
#[derive(Debug)]
pub struct App {
    /// The directory of everything that has no place of its own.
    pub work_dir: PathBuf,
    /// The marks of the import.
    pub import_state_file: PathBuf,
    /// The runs whose import failed.
    pub import_failure_log: PathBuf,
    /// The marks of the migration.
    pub migrate_state_file: PathBuf,
    /// The runs whose migration failed.
    pub migrate_failure_log: PathBuf,
    /// Who holds it works; everybody else is refused.
    pub lock_file: PathBuf,
    /// How many runs are taken together.
    pub batch_size: u32,
    /// How many runs are worked on side by side.
    pub parallel_workers: u32,
    /// How often a run is tried again in one execution.
    pub run_process_retries: u32,
    /// The pause before that.
    pub retry_delay: Duration,
    /// By how much a listing may be shorter than what is known.
    pub max_shrink_percent: u8,
    /// What the log file tells.
    pub log_level: Level,
    /// The log file, if one is wanted.
    pub log_file: Option<PathBuf>,
}

impl App {
    /// The document of acknowledged gaps.
    #[must_use]
    pub fn acknowledged_gaps(&self) -> PathBuf {
        self.work_dir.join("acknowledged_gaps.json")
    }

    /// The state files of the import.
    #[must_use]
    pub fn import_paths(&self) -> StagePaths {
        let (state, failure_log) = (self.import_state_file.clone(), self.import_failure_log.clone());
        StagePaths { stage: Stage::Import, state, failure_log }
    }

    /// The state files of the migration.
    #[must_use]
    pub fn migrate_paths(&self) -> StagePaths {
        let (state, failure_log) = (self.migrate_state_file.clone(), self.migrate_failure_log.clone());
        StagePaths { stage: Stage::Migrate, state, failure_log }
    }
}

/// Where artdaqDB is.
#[derive(Debug)]
pub struct ArtdaqDb {
    /// Its address.
    pub database_uri: DatabaseUri,
    /// The file of [`CLIENT_CERTIFICATE`], for MongoDB.
    pub client_certificate: Option<PathBuf>,
    /// The file of [`CA_CERTIFICATE`], for MongoDB.
    pub ca_certificate: Option<PathBuf>,
    /// The genuine tools, where they are to do the work.
    pub tools: Option<ToolSettings>,
    /// The directory of `schema.fcl`.
    pub fcl_conf_dir: PathBuf,
}

/// Where UconDB is, and how it is spoken to.
#[derive(Debug)]
pub struct UconDb {
    /// The address of the server, or of the file that stands in for it.
    pub server: ServerUrl,
    /// The folder of the archive.
    pub folder: FolderName,
    /// The object of the archive in it.
    pub object: ObjectName,
    /// Empty for an embedded archive, which has no accounts.
    pub user: String,
    /// The password of that user.
    pub password: SecretString,
    /// What one request may take.
    pub timeout: Duration,
    /// The authorities that are trusted, if not those of the system.
    pub ca_file: Option<PathBuf>,
    /// Whether the certificate of the server is checked.
    pub verify_tls: bool,
    /// How it is made sure that a run has arrived.
    pub verify: Verify,
}

/// Reads the configuration `path`. `environment` is that of the process, `program_dir` where the program lies.
///
/// # Errors
///
/// When a file cannot be read, or anything in it is wrong: then with all that is.
pub fn load(path: &Path, mut environment: Environment, program_dir: Option<&Path>) -> Result<Config, ConfigError> {
    let text = fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
    let config_dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    load_variables(&[Some(config_dir), program_dir], &mut environment)?;
    environment.entry(CONFIG_DIR.to_owned()).or_insert_with(|| config_dir.display().to_string());
    parse(path, &text, &environment)
}

/// Adds the variables of the first `archiver.env` in `dirs`.
fn load_variables(dirs: &[Option<&Path>], environment: &mut Environment) -> Result<(), ConfigError> {
    for dir in dirs.iter().flatten() {
        let path = dir.join(ENV_FILE);
        match fs::read_to_string(&path) {
            Ok(text) => {
                return env_file::load(&text, environment).map_err(|error| ConfigError::variables(&path, &error));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(ConfigError::ReadVariables { path, source }),
        }
    }
    Ok(())
}

/// Reads the text of a configuration; `path` is its name for messages.
///
/// # Errors
///
/// When anything in it is wrong, with all that is.
pub fn parse(path: &Path, text: &str, environment: &Environment) -> Result<Config, ConfigError> {
    let root = yaml::read(text).map_err(|error| ConfigError::syntax(path, error))?;
    if !matches!(root.value, Value::Map(_)) {
        return Err(ConfigError::NoSections { path: path.to_owned() });
    }
    let mut reader = Reader::new(path, &root, environment);
    reader.check_names();
    let app = sections::app(&mut reader);
    if let Some(app) = &app {
        places::check(&mut reader, app);
    }
    let fhiclize = sections::fhiclize(&mut reader);
    let run_records_dir = reader.path("source_files.run_records_dir");
    let hold = sections::hold(&mut reader);
    let artdaq_db = sections::artdaq_db(&mut reader, environment);
    let ucon_db = sections::ucon_db(&mut reader);
    let reporting = Arc::new(reporting::reporting(&mut reader));
    let rehearsal = sections::rehearsal(&mut reader);
    let Reader { errors, warnings, .. } = reader;
    match (app, fhiclize, artdaq_db, ucon_db) {
        (Some(app), Some(fhiclize), Some(artdaq_db), Some(ucon_db)) if errors.is_empty() => {
            Ok(Config { app, fhiclize, run_records_dir, hold, artdaq_db, ucon_db, reporting, rehearsal, warnings })
        }
        _ => Err(ConfigError::Invalid { path: path.to_owned(), findings: errors }),
    }
}

#[cfg(test)]
mod tests;
