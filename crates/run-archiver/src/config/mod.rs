//! The configuration: a YAML file of the Python archiver, read strictly.
//!
//! # Promises
//!
//! 1. Every key of the Python archiver is known, with its default ([`keys`]); references are resolved
//!    ([`interpolate`]).
//! 2. All errors are told at once, each with file, line and key; an unknown key is a warning with the key
//!    that was probably meant.
//! 3. What is switched on and not supported is an error where runs would be archived otherwise than asked for,
//!    and a warning where only somebody would not be told.
//! 4. No message and no `Debug` form shows a password.
//!
//! Absent: looking at what the configuration names. Whether a directory exists is found out when it is used.

mod env_file;
mod finding;
mod interpolate;
mod keys;
mod places;
mod reader;
mod reporting;
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
use run_pipeline::{HoldPolicy, Rehearsal};
use run_record::convert::Fhiclize;
use secrecy::SecretString;
use ucon_db::{FolderName, ObjectName, ServerUrl, Verify};

pub(crate) use self::{
    finding::{ConfigError, Finding},
    interpolate::Environment,
    reporting::{Carbon, Email, Reporting, SendOn, Slack, SmtpTls},
};
use self::{reader::Reader, tree::Value};
use crate::log::Level;

/// The variable that names the client's certificate and key for MongoDB, as in the genuine programs.
pub(crate) const CLIENT_CERTIFICATE: &str = "ARTDAQ_DATABASE_CLIENT_CERT";

/// The variable that names the authorities that MongoDB's certificate may be signed by, as in the genuine programs.
pub(crate) const CA_CERTIFICATE: &str = "ARTDAQ_DATABASE_CA_CERT";

/// A variable that leads to the directory of the configuration file, unless the environment sets it.
const CONFIG_DIR: &str = "ARCHIVER_CONFIG_DIR";

/// The file with variables, beside the configuration or beside the program.
const ENV_FILE: &str = "archiver.env";

/// A configuration without errors.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) app: App,
    /// Which documents are made of the text files of a run.
    pub(crate) fhiclize: Fhiclize,
    /// The directory whose sub-directories are the runs.
    pub(crate) run_records_dir: PathBuf,
    /// When a run counts as still being taken.
    pub(crate) hold: HoldPolicy,
    pub(crate) artdaq_db: ArtdaqDb,
    pub(crate) ucon_db: UconDb,
    /// Who is told what came of it.
    pub(crate) reporting: Arc<Reporting>,
    /// What is to go wrong, while failures are rehearsed.
    pub(crate) rehearsal: Option<Rehearsal>,
    /// Remarks; none keeps the program from working.
    pub(crate) warnings: Vec<Finding>,
}

/// Files, limits and habits of the program.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) work_dir: PathBuf,
    pub(crate) import_state_file: PathBuf,
    pub(crate) import_failure_log: PathBuf,
    pub(crate) migrate_state_file: PathBuf,
    pub(crate) migrate_failure_log: PathBuf,
    pub(crate) lock_file: PathBuf,
    pub(crate) batch_size: u32,
    pub(crate) parallel_workers: u32,
    pub(crate) run_process_retries: u32,
    pub(crate) retry_delay: Duration,
    pub(crate) max_shrink_percent: u8,
    pub(crate) log_level: Level,
    pub(crate) log_file: Option<PathBuf>,
}

/// Where artdaqDB is.
#[derive(Debug)]
pub(crate) struct ArtdaqDb {
    pub(crate) database_uri: DatabaseUri,
    /// The file of [`CLIENT_CERTIFICATE`], for MongoDB.
    #[cfg_attr(not(feature = "mongodb"), expect(dead_code, reason = "checked in every build"))]
    pub(crate) client_certificate: Option<PathBuf>,
    /// The file of [`CA_CERTIFICATE`], for MongoDB.
    #[cfg_attr(not(feature = "mongodb"), expect(dead_code, reason = "checked in every build"))]
    pub(crate) ca_certificate: Option<PathBuf>,
    /// The genuine tools, where they are to do the work.
    pub(crate) tools: Option<ToolSettings>,
    /// The directory of `schema.fcl`.
    pub(crate) fcl_conf_dir: PathBuf,
}

/// Where UconDB is, and how it is spoken to.
#[derive(Debug)]
pub(crate) struct UconDb {
    pub(crate) server: ServerUrl,
    pub(crate) folder: FolderName,
    pub(crate) object: ObjectName,
    /// Empty for an embedded archive, which has no accounts.
    pub(crate) user: String,
    pub(crate) password: SecretString,
    pub(crate) timeout: Duration,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) verify_tls: bool,
    pub(crate) verify: Verify,
}

/// Reads the configuration `path`. `environment` is that of the process, `program_dir` where the program lies.
pub(crate) fn load(
    path: &Path,
    mut environment: Environment,
    program_dir: Option<&Path>,
) -> Result<Config, ConfigError> {
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
fn parse(path: &Path, text: &str, environment: &Environment) -> Result<Config, ConfigError> {
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
