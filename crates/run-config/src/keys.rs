//! Every key of the configuration with its default: the one table that the reader, the references
//! (`${app.work_dir}` works where the key is left out), the "did you mean" and the documentation share.

/// What counts when a key is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Absent {
    /// An error.
    Required,
    /// The key has no value.
    Nothing,
    /// This text, in which references are resolved.
    Default(&'static str),
}

use Absent::{Default, Nothing, Required};

/// Every key by its path.
pub(super) const KEYS: &[(&str, Absent)] = &[
    ("app.work_dir", Default("/tmp/run_record_archiver")),
    ("app.import_state_file", Default("${work_dir}/importer_state.json")),
    ("app.import_failure_log", Default("${work_dir}/import_failures.log")),
    ("app.migrate_state_file", Default("${work_dir}/migrator_state.json")),
    ("app.migrate_failure_log", Default("${work_dir}/migrate_failures.log")),
    ("app.lock_file", Default("${work_dir}/.archiver.lock")),
    ("app.batch_size", Default("5")),
    ("app.parallel_workers", Default("2")),
    ("app.run_process_retries", Default("2")),
    ("app.retry_delay_seconds", Default("3")),
    ("app.max_shrink_percent", Default("10")),
    ("app.exclude_most_recent_run", Default("false")),
    ("app.log_level", Default("INFO")),
    ("app.log_file", Nothing),
    ("fhiclize_generate", Nothing),
    ("fhiclize_generate.files", Nothing),
    ("app_fuzz.random_skip_percent", Default("0")),
    ("app_fuzz.random_skip_retry", Default("false")),
    ("app_fuzz.random_error_percent", Default("0")),
    ("app_fuzz.random_error_retry", Default("false")),
    ("app_fuzz.random_seed", Default("1")),
    ("source_files.run_records_dir", Required),
    ("source_files.settle_seconds", Default("60")),
    ("source_files.require_stop_time", Default("false")),
    ("artdaq_db.database_uri", Required),
    ("artdaq_db.fcl_conf_dir", Required),
    ("artdaq_db.use_tools", Default("false")),
    ("artdaq_db.remote_host", Nothing),
    ("artdaq_db.bulkloader", Nothing),
    ("artdaq_db.bulkdownloader", Nothing),
    ("artdaq_db.tools_timeout_seconds", Default("300")),
    ("ucon_db.server_url", Required),
    ("ucon_db.folder_name", Required),
    ("ucon_db.object_name", Required),
    ("ucon_db.writer_user", Required),
    ("ucon_db.writer_password", Required),
    ("ucon_db.timeout_seconds", Default("10")),
    ("ucon_db.ca_file", Nothing),
    ("ucon_db.verify_tls", Default("true")),
    ("ucon_db.verify", Default("readback")),
    ("reporting.email.enabled", Default("false")),
    ("reporting.email.recipient_email", Nothing),
    ("reporting.email.sender_email", Nothing),
    ("reporting.email.smtp_host", Nothing),
    ("reporting.email.smtp_port", Default("25")),
    ("reporting.email.smtp_use_tls", Default("false")),
    ("reporting.email.smtp_tls", Nothing),
    ("reporting.email.ca_file", Nothing),
    ("reporting.email.on", Default("failure")),
    ("reporting.email.smtp_user", Nothing),
    ("reporting.email.smtp_password", Nothing),
    ("reporting.slack.enabled", Default("false")),
    ("reporting.slack.bot_token", Nothing),
    ("reporting.slack.channel", Nothing),
    ("reporting.slack.mention_users", Nothing),
    ("reporting.slack.on", Default("failure")),
    ("reporting.slack.api_url", Default("https://slack.com/api")),
    ("reporting.min_interval_minutes", Default("60")),
    ("reporting.timeout_seconds", Default("10")),
    ("carbon.enabled", Default("false")),
    ("carbon.host", Nothing),
    ("carbon.port", Default("2003")),
    ("carbon.metric_prefix", Nothing),
    ("metrics.textfile", Nothing),
];

/// What counts when the key at `path` is left out; `None` for a path that is no key.
pub(super) fn absent(path: &str) -> Option<Absent> {
    KEYS.iter().find(|(known, _)| *known == path).map(|(_, absent)| *absent)
}

/// The path among all keys that somebody who wrote `path` probably meant.
pub(super) fn suggestion(path: &str) -> Option<&'static str> {
    let last = |path: &str| path.rsplit('.').next().unwrap_or_default().to_owned();
    let distance = |known: &str| {
        let whole = strsim::damerau_levenshtein(known, path);
        // The right key in the wrong section.
        if last(known) == last(path) { whole.min(1) } else { whole }
    };
    let (known, distance) =
        KEYS.iter().map(|(known, _)| (*known, distance(known))).min_by_key(|(_, distance)| *distance)?;
    (distance <= 2.max(last(path).len() / 3)).then_some(known)
}
