//! The sections of the configuration, one function each.

use std::{path::PathBuf, time::Duration};

use artdaq_db::DatabaseUri;
use run_record::convert::Fhiclize;
use secrecy::SecretString;
use ucon_db::{ServerUrl, Verify};

use super::{App, ArtdaqDb, Environment, UconDb, reader::Reader};
use crate::log::Level;

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
        Ok(database_uri) => Some(ArtdaqDb { database_uri, fcl_conf_dir }),
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

/// Sections of which this program does nothing yet: checked, and never ignored in silence.
pub(super) fn unsupported(reader: &mut Reader<'_>) {
    if reader.switch("artdaq_db.use_tools") {
        let text = "not supported yet; with `false` the same archive is written without the tools";
        reader.error("artdaq_db.use_tools", text);
    }
    if reader.optional("artdaq_db.remote_host").is_some() {
        reader.error("artdaq_db.remote_host", "not supported yet");
    }
    if reader.switch("app.exclude_most_recent_run") {
        let text = "not supported yet; start the program when no run is being taken, or leave the key out: \
                    a run that was still being taken is not completed later";
        reader.error("app.exclude_most_recent_run", text);
    }
    for name in ["skip", "error"] {
        let key = format!("app_fuzz.random_{name}_percent");
        if reader.whole(&key, 0..=100) > 0 {
            reader.error(&key, "rehearsals of failures are not supported yet");
        }
        reader.switch(&format!("app_fuzz.random_{name}_retry"));
    }
    let channels = [
        ("reporting.email", "no mail is sent", &["recipient_email", "sender_email", "smtp_host"][..]),
        ("reporting.slack", "nothing is posted to Slack", &["bot_token", "channel"]),
        ("carbon", "no metrics are sent", &["host", "metric_prefix"]),
    ];
    for (section, absence, required) in channels {
        let errors_before = reader.errors.len();
        let key = format!("{section}.enabled");
        let is_enabled = reader.switch(&key);
        for name in required {
            let key = format!("{section}.{name}");
            if reader.optional(&key).is_none() && is_enabled {
                reader.error(&key, "required where this section is enabled");
            }
        }
        other_values(reader, section);
        if is_enabled {
            reader.warn(&key, format!("not supported yet: {absence}"));
        } else {
            // What is switched off does not keep runs from being archived.
            let errors = reader.errors.split_off(errors_before);
            reader.warnings.extend(errors);
        }
    }
}

/// Checks what a channel of notification has besides its required values.
fn other_values(reader: &mut Reader<'_>, section: &str) {
    match section {
        "reporting.email" => {
            reader.whole("reporting.email.smtp_port", 1..=65_535);
            reader.switch("reporting.email.smtp_use_tls");
            reader.optional("reporting.email.smtp_user");
            reader.optional("reporting.email.smtp_password");
        }
        "reporting.slack" => drop(reader.optional("reporting.slack.mention_users")),
        _ => drop(reader.whole("carbon.port", 1..=65_535)),
    }
}
