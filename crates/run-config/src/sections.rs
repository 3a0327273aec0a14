//! The sections of the configuration, one function each.

use std::{path::PathBuf, time::Duration};

use artdaq_db::{DatabaseUri, ToolSettings};
use run_pipeline::{HoldPolicy, Rehearsal};
use run_record::convert::Fhiclize;
use secrecy::SecretString;
use ucon_db::{ServerUrl, Verify};

use super::{App, ArtdaqDb, CA_CERTIFICATE, CLIENT_CERTIFICATE, Environment, Level, UconDb, reader::Reader};

/// The host that has the tools, as the Python archiver takes it where the configuration names none.
const REMOTE_HOST: &str = "ARTDAQ_DATABASE_REMOTEHOST";

pub(super) fn app(reader: &mut Reader<'_>) -> Option<App> {
    let levels = [
        ("DEBUG", Level::Debug),
        ("INFO", Level::Info),
        ("WARNING", Level::Warning),
        ("ERROR", Level::Error),
        ("CRITICAL", Level::Error),
    ];
    if !reader.is_given("app.work_dir") {
        let needs_it = ["import_state_file", "import_failure_log", "migrate_state_file", "migrate_failure_log"];
        if needs_it.iter().any(|key| !reader.is_given(&format!("app.{key}"))) {
            reader.warn("app.work_dir", "not set; the state is kept below /tmp, which systems clean at times");
        }
    }
    Some(App {
        work_dir: reader.path("app.work_dir"),
        import_state_file: reader.path("app.import_state_file"),
        import_failure_log: reader.path("app.import_failure_log"),
        migrate_state_file: reader.path("app.migrate_state_file"),
        migrate_failure_log: reader.path("app.migrate_failure_log"),
        lock_file: reader.path("app.lock_file"),
        batch_size: reader.whole("app.batch_size", 1..=1_000_000),
        parallel_workers: reader.whole("app.parallel_workers", 1..=256),
        run_process_retries: reader.whole("app.run_process_retries", 0..=100),
        retry_delay: Duration::from_secs(reader.whole("app.retry_delay_seconds", 0..=86_400).into()),
        max_shrink_percent: u8::try_from(reader.whole("app.max_shrink_percent", 0..=100)).unwrap_or(100),
        log_file: reader.optional("app.log_file").map(PathBuf::from),
        log_level: reader.one_of("app.log_level", &levels)?,
    })
}

pub(super) fn hold(reader: &mut Reader<'_>) -> HoldPolicy {
    HoldPolicy {
        settle_seconds: reader.whole("source_files.settle_seconds", 0..=86_400).into(),
        is_stop_time_required: reader.switch("source_files.require_stop_time"),
        is_newest_excluded: reader.switch("app.exclude_most_recent_run"),
    }
}

pub(super) fn fhiclize(reader: &mut Reader<'_>) -> Option<Fhiclize> {
    let key = if reader.is_given("fhiclize_generate.files") { "fhiclize_generate.files" } else { "fhiclize_generate" };
    if !reader.is_given(key) {
        return Some(Fhiclize::default());
    }
    let names = reader.list(key)?;
    Fhiclize::from_names(names.iter().map(String::as_str)).map_err(|error| reader.error(key, error.to_string())).ok()
}

pub(super) fn artdaq_db(reader: &mut Reader<'_>, environment: &Environment) -> Option<ArtdaqDb> {
    let key = "artdaq_db.database_uri";
    let text = reader.text(key);
    let fcl_conf_dir = reader.path("artdaq_db.fcl_conf_dir");
    if text.is_empty() {
        return None; // said already
    }
    match DatabaseUri::parse(&text, |name| environment.get(name).cloned()) {
        Ok(database_uri) => {
            let file = |name| environment.get(name).filter(|path| !path.is_empty()).map(PathBuf::from);
            let (client_certificate, ca_certificate) = (file(CLIENT_CERTIFICATE), file(CA_CERTIFICATE));
            let tools = tools(reader, environment, &database_uri);
            Some(ArtdaqDb { database_uri, client_certificate, ca_certificate, tools, fcl_conf_dir })
        }
        Err(error) => {
            reader.error(key, without_credentials(&error.to_string()));
            None
        }
    }
}

/// Cuts out what may be a password: everything between a scheme and the last `@`.
fn without_credentials(text: &str) -> String {
    match (text.find("://"), text.rfind('@')) {
        (Some(scheme), Some(at)) if at > scheme => format!("{}://…{}", &text[..scheme], &text[at..]),
        _ => text.to_owned(),
    }
}

pub(super) fn ucon_db(reader: &mut Reader<'_>) -> Option<UconDb> {
    let server = reader.parsed("ucon_db.server_url");
    let has_accounts = !matches!(server, Some(ServerUrl::Embedded(_)));
    let (user, password) = if has_accounts {
        (reader.text("ucon_db.writer_user"), reader.secret("ucon_db.writer_password"))
    } else {
        (String::new(), SecretString::default())
    };
    let folder = reader.parsed("ucon_db.folder_name");
    let object = reader.parsed("ucon_db.object_name");
    let timeout = Duration::from_secs(reader.whole("ucon_db.timeout_seconds", 1..=86_400).into());
    let ca_file = reader.optional("ucon_db.ca_file").map(PathBuf::from);
    let verify_tls = reader.switch("ucon_db.verify_tls");
    if !verify_tls && has_accounts && reader.is_given("ucon_db.verify_tls") {
        let text = "certificates are not checked: anybody on the way can read and alter the records";
        reader.warn("ucon_db.verify_tls", text);
    }
    if let Some(ServerUrl::Http(url)) = &server
        && !url.is_encrypted()
    {
        reader.warn("ucon_db.server_url", "the connection is not encrypted");
    }
    let words = [("readback", Verify::ReadBack), ("receipt", Verify::Receipt)];
    let verify = reader.one_of("ucon_db.verify", &words);
    Some(UconDb {
        server: server?,
        folder: folder?,
        object: object?,
        user,
        password,
        timeout,
        ca_file,
        verify_tls,
        verify: verify?,
    })
}

/// What is to go wrong on purpose; loud, so that nobody forgets it in a configuration.
pub(super) fn rehearsal(reader: &mut Reader<'_>) -> Option<Rehearsal> {
    let mut percent = |name: &str| u8::try_from(reader.whole(&format!("app_fuzz.random_{name}_percent"), 0..=100));
    let (skip_percent, error_percent) = (percent("skip").unwrap_or(0), percent("error").unwrap_or(0));
    let rehearsal = Rehearsal {
        seed: reader.whole("app_fuzz.random_seed", 0..=u32::MAX).into(),
        skip_percent,
        is_skip_final: reader.switch("app_fuzz.random_skip_retry"),
        error_percent,
        is_error_final: reader.switch("app_fuzz.random_error_retry"),
    };
    if !rehearsal.is_on() {
        return None;
    }
    let text = format!("failures are rehearsed: {rehearsal}; runs will fail on purpose until this section is removed");
    reader.warn("app_fuzz", text);
    Some(rehearsal)
}

/// The genuine tools, if they are to do the work.
fn tools(reader: &mut Reader<'_>, environment: &Environment, uri: &DatabaseUri) -> Option<ToolSettings> {
    let variable = |name| environment.get(name).filter(|value| !value.is_empty()).cloned();
    let remote_host = reader.optional("artdaq_db.remote_host");
    let (loader, downloader) = (reader.optional("artdaq_db.bulkloader"), reader.optional("artdaq_db.bulkdownloader"));
    let time_max = Duration::from_secs(reader.whole("artdaq_db.tools_timeout_seconds", 1..=86_400).into());
    if !reader.switch("artdaq_db.use_tools") {
        for name in ["remote_host", "bulkloader", "bulkdownloader"] {
            let key = format!("artdaq_db.{name}");
            if reader.is_given(&key) {
                reader.warn(&key, "not used, since `use_tools` is false");
            }
        }
        return None;
    }
    Some(ToolSettings {
        uri: uri.clone(),
        loader,
        downloader,
        remote_host: remote_host.or_else(|| variable(REMOTE_HOST)),
        environment: environment.clone(),
        temp_dir: variable("TMPDIR").map_or_else(|| PathBuf::from("/tmp"), PathBuf::from),
        lock_dir: reader.path("app.work_dir"),
        time_max,
    })
}
