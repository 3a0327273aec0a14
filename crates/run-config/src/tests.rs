//! Rows: a configuration, and what is read from it or said about it.

#![allow(clippy::unwrap_used, reason = "tests")]

mod reporting;

use secrecy::ExposeSecret as _;

use super::*;

const MINIMAL: &str = "\
app: {work_dir: /w}
source_files: {run_records_dir: /r}
artdaq_db: {database_uri: 'filesystemdb:///a', fcl_conf_dir: /c}
ucon_db: {server_url: 'https://u.example.org/app', folder_name: f, object_name: o, writer_user: u, writer_password: s3cret}
";

fn load_text(text: &str) -> Result<Config, ConfigError> {
    let environment = [("SET", "value"), ("NUMBER", "9")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    parse(Path::new("c.yaml"), text, &environment.into())
}

/// What is said: `error` or `warning`, and the remark without the file.
fn remarks(text: &str) -> Vec<String> {
    let (kind, findings) = match load_text(text) {
        Ok(config) => ("warning", config.warnings),
        Err(ConfigError::Invalid { findings, .. }) => ("error", findings),
        Err(error) => return vec![format!("error {error}")],
    };
    findings
        .iter()
        .map(|finding| format!("{kind} {}", finding.to_string().replace("c.yaml:", "").trim_start()))
        .collect()
}

/// `MINIMAL`, with lines after it; they start at line 5.
fn with(lines: &str) -> String {
    format!("{MINIMAL}{lines}\n")
}

/// `MINIMAL` with another `app` in line 1.
fn app(entries: &str) -> String {
    MINIMAL.replace("{work_dir: /w}", &format!("{{work_dir: /w, {entries}}}"))
}

#[test]
fn the_smallest_configuration_has_the_original_defaults() {
    let config = load_text(MINIMAL).unwrap();
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    let by_default = HoldPolicy { settle_seconds: 60, ..HoldPolicy::default() };
    assert_eq!(config.hold, by_default);
    let newest = load_text(&app("exclude_most_recent_run: true")).unwrap().hold;
    assert_eq!(newest, HoldPolicy { is_newest_excluded: true, ..by_default });
    let all = MINIMAL.replace("/r}", "/r, settle_seconds: 0, require_stop_time: true}");
    let stop_time = load_text(&all).unwrap().hold;
    assert_eq!(stop_time, HoldPolicy { settle_seconds: 0, is_stop_time_required: true, is_newest_excluded: false });
    let app = &config.app;
    let paths = [
        (&app.import_state_file, "/w/importer_state.json"),
        (&app.import_failure_log, "/w/import_failures.log"),
        (&app.migrate_state_file, "/w/migrator_state.json"),
        (&app.migrate_failure_log, "/w/migrate_failures.log"),
        (&app.lock_file, "/w/.archiver.lock"),
    ];
    for (path, expect) in paths {
        assert_eq!(path, Path::new(expect));
    }
    assert_eq!((app.batch_size, app.parallel_workers, app.run_process_retries), (5, 2, 2));
    assert_eq!((app.retry_delay.as_secs(), app.max_shrink_percent), (3, 10));
    assert_eq!((app.log_level, &app.log_file), (Level::Info, &None));
    assert_eq!(config.fhiclize, Fhiclize::default());
    let ucon = &config.ucon_db;
    assert_eq!((ucon.timeout.as_secs(), ucon.verify_tls, ucon.verify), (10, true, Verify::ReadBack));
    assert_eq!(ucon.password.expose_secret(), "s3cret");
    assert!(!format!("{config:?}").contains("s3cret"));
}

/// The one error of `text` starts with `expect`.
fn check_refused<const N: usize>(rows: [(String, &str); N]) {
    for (text, expect) in rows {
        let seen = remarks(&text);
        assert_eq!(seen.len(), 1, "{text}\n{seen:#?}");
        assert!(seen[0].starts_with(expect), "{text}\n{}\n{expect}", seen[0]);
    }
}

#[test]
fn values_are_refused_with_their_place() {
    check_refused([
        (app("batch_size: many"), "error 1: app.batch_size: expected a whole number from 1 to 1000000, found `many`"),
        (app("batch_size: 0"), "error 1: app.batch_size: expected a whole number from 1 to 1000000, found `0`"),
        (app("batch_size: 2.5"), "error 1: app.batch_size: expected a whole number from 1 to 1000000, found `2.5`"),
        (app("batch_size: [5]"), "error 1: app.batch_size: expected one value, found a list"),
        (app("batch_size: {a: 5}"), "error 1: app.batch_size: expected one value, found a section"),
        (
            app("max_shrink_percent: 101"),
            "error 1: app.max_shrink_percent: expected a whole number from 0 to 100, found `101`",
        ),
        (
            app("log_level: LOUD"),
            "error 1: app.log_level: expected one of DEBUG, INFO, WARNING, ERROR, CRITICAL, found `LOUD`",
        ),
        (app("lock_file: ''"), "error 1: app.lock_file: must not be empty"),
        (
            app("lock_file: '${work_dirr}/l'"),
            "error 1: app.lock_file: `${work_dirr}` refers to a parameter that does not exist; did you mean `app.work_dir`?",
        ),
        (
            app("lock_file: '${lock_file}'"),
            "error 1: app.lock_file: the references go round in a circle: app.lock_file → app.lock_file",
        ),
        (
            app("lock_file: '${NOT_SET}/l'"),
            "error 1: app.lock_file: the variable NOT_SET is not set; set it, or write `${NOT_SET:-default}`",
        ),
    ]);
}

#[test]
fn sections_are_refused_with_their_place() {
    check_refused([
        (
            MINIMAL.replace("/r", "'${NOT_SET}'"),
            "error 2: source_files.run_records_dir: required, and `${NOT_SET}` is not set",
        ),
        (MINIMAL.replace(", object_name: o", ""), "error ucon_db.object_name: required"),
        (
            MINIMAL.replace("f, ", "a/b, "),
            "error 4: ucon_db.folder_name: `a/b` is not a valid folder name: letters, digits, `_`, and one `.` between namespace and folder",
        ),
        (
            MINIMAL.replace("https://u.example.org", "https://me:hush@u"),
            "error 4: ucon_db.server_url: `https://…@u/app` is not the address of an archive: credentials do not belong in it",
        ),
        (
            MINIMAL.replace("filesystemdb:///a", "mongodb://me:hush@h"),
            "error 3: artdaq_db.database_uri: database URI `mongodb://h` has no valid name of a database; it should read `mongodb://SERVER/DATABASE`",
        ),
        (
            MINIMAL.replace("filesystemdb:///a", "file:///a"),
            "error 3: artdaq_db.database_uri: database URI `file:///a` does not start with `filesystemdb://` or `mongodb://`",
        ),
        (
            with("fhiclize_generate: [boot, boots]"),
            "error 5: fhiclize_generate: `boots` is neither a converter nor a generator",
        ),
        (with("fhiclize_generate: {files: boot}"), "error 5: fhiclize_generate.files: expected a list, found a text"),
        (with("fhiclize_generate: boot"), "error 5: fhiclize_generate: expected a list, found a text"),
        (with("carbon: 5"), "error 5: carbon: expected a section with keys of its own"),
        (with("carbon: {enabled: maybe, host: h}"), "warning 5: carbon.enabled: expected true or false, found `maybe`"),
        (
            MINIMAL.replace("fcl_conf_dir", "use_tools: true, tools_timeout_seconds: 0, fcl_conf_dir"),
            "error 3: artdaq_db.tools_timeout_seconds: expected a whole number from 1 to 86400, found `0`",
        ),
        (
            MINIMAL.replace("fcl_conf_dir", "remote_host: h, fcl_conf_dir"),
            "warning 3: artdaq_db.remote_host: not used, since `use_tools` is false",
        ),
        (
            with("app_fuzz: {random_error_percent: 5}"),
            "warning 5: app_fuzz: failures are rehearsed: 0 % of the attempts are skipped, 5 % fail; seed 1; \
             runs will fail on purpose until this section is removed",
        ),
        (
            with("app_fuzz: {random_skip_percent: 101}"),
            "error 5: app_fuzz.random_skip_percent: expected a whole number from 0 to 100, found `101`",
        ),
        (
            with("reporting: {email: {enabled: true, recipient_email: r@x.org, sender_email: s@x.org}}"),
            "error reporting.email.smtp_host: required where this section is enabled",
        ),
        ("app: {".to_owned(), "error c.yaml:1: "),
        ("- a\n".to_owned(), "error `c.yaml` holds no sections"),
        (String::new(), "error `c.yaml` holds no sections"),
    ]);
}

#[test]
fn what_is_odd_is_warned_about() {
    for (text, expect) in [
        (app("batch_sise: 5"), "warning 1: app.batch_sise: unknown key, ignored; did you mean `app.batch_size`?"),
        (app("frobnicate: 5"), "warning 1: app.frobnicate: unknown key, ignored"),
        (
            app("run_records_dir: /r"),
            "warning 1: app.run_records_dir: unknown key, ignored; did you mean `source_files.run_records_dir`?",
        ),
        (with("ucondb: {folder: f, object: o}"), "warning 5: ucondb: unknown key, ignored; did you mean `ucon_db`?"),
        (with("zzz: {folder: f, object: o}"), "warning 5: zzz: unknown key, ignored"),
        (
            MINIMAL.replace("{work_dir: /w}", "{}"),
            "warning app.work_dir: not set; the state is kept below /tmp, which systems clean at times",
        ),
        (
            MINIMAL.replace("writer_user", "verify_tls: no, writer_user"),
            "warning 4: ucon_db.verify_tls: certificates are not checked: anybody on the way can read and alter the records",
        ),
        (MINIMAL.replace("https", "http"), "warning 4: ucon_db.server_url: the connection is not encrypted"),
    ] {
        assert_eq!(remarks(&text), [expect], "{text}");
    }
}

#[test]
fn values_are_read_in_any_spelling() {
    for (entry, expect) in [
        ("batch_size: 7", 7),
        ("batch_size: '7'", 7),
        ("batch_size: 07", 7),
        ("batch_size: '${NUMBER}'", 9),
        ("batch_size: '${NOT_SET:-8}'", 8),
        ("batch_size: '${parallel_workers}'", 2),
        ("batch_size: '${NOT_SET}'", 5),
        ("batch_size: ", 5),
    ] {
        assert_eq!(load_text(&app(entry)).unwrap().app.batch_size, expect, "{entry}");
    }
    let text = MINIMAL.replace("s3cret", "00123");
    assert_eq!(load_text(&text).unwrap().ucon_db.password.expose_secret(), "00123");
    let names = load_text(&with("fhiclize_generate: {files: [boot.txt, RunHistory2]}")).unwrap().fhiclize;
    assert_eq!((names.converters.len(), names.run_history, names.run_history2), (1, false, true));
    let embedded = MINIMAL.replace("https://u.example.org/app", "embedded://${app.work_dir}/u.sqlite");
    let embedded = embedded.replace(", writer_user: u, writer_password: s3cret", "");
    assert_eq!(load_text(&embedded).unwrap().ucon_db.server, ServerUrl::Embedded("/w/u.sqlite".into()));
}

#[test]
fn all_errors_come_at_once() {
    let seen =
        remarks("app: {batch_size: x, retry_delay_seconds: -1}\nucon_db: {server_url: ftp://x, folder_name: f}\n");
    let keys: Vec<&str> = seen.iter().filter_map(|remark| remark.split(": ").find(|part| part.contains('.'))).collect();
    let keys: Vec<&str> = keys.iter().map(|key| key.trim_start_matches("error ")).collect();
    let expect = [
        "app.batch_size",
        "app.retry_delay_seconds",
        "source_files.run_records_dir",
        "artdaq_db.database_uri",
        "artdaq_db.fcl_conf_dir",
        "ucon_db.server_url",
        "ucon_db.writer_user",
        "ucon_db.writer_password",
        "ucon_db.object_name",
    ];
    assert_eq!(keys, expect);
}

#[test]
fn the_variables_file_is_found_and_overrides() {
    let dir = tempfile::tempdir().unwrap();
    let (config_dir, program_dir) = (dir.path().join("config"), dir.path().join("bin"));
    fs::create_dir_all(&config_dir).unwrap();
    fs::create_dir_all(&program_dir).unwrap();
    let path = config_dir.join("c.yaml");
    fs::write(&path, MINIMAL.replace("/w", "'${WORK:-none}'").replace("/r", "'${ARCHIVER_CONFIG_DIR}/records'"))
        .unwrap();
    let work_dir = || {
        let environment = [("WORK".to_owned(), "process".to_owned())].into();
        load(&path, environment, Some(&program_dir)).map(|config| config.app.work_dir.display().to_string())
    };
    assert_eq!(work_dir().unwrap(), "process");
    fs::write(program_dir.join("archiver.env"), "WORK=program\n").unwrap();
    assert_eq!(work_dir().unwrap(), "program");
    fs::write(config_dir.join("archiver.env"), "export WORK=\"config of $WORK\"\n").unwrap();
    assert_eq!(work_dir().unwrap(), "config of process", "only one file is read");
    fs::write(config_dir.join("archiver.env"), "WORK=$(rm x)\n").unwrap();
    let error = work_dir().unwrap_err().to_string();
    assert!(
        error.ends_with(
            "archiver.env` is not a list of variables: line 1: commands are not run; write the value itself"
        ),
        "{error}"
    );
    let config = load(&path, Environment::new(), None);
    assert!(config.is_err(), "still the broken file");
    fs::remove_file(config_dir.join("archiver.env")).unwrap();
    let config = load(&path, Environment::new(), None).unwrap();
    assert_eq!(config.run_records_dir, config_dir.join("records"));
}

#[test]
fn the_tools_are_given_what_the_configuration_and_the_environment_say() {
    let tools = |text: &str, environment: &[(&str, &str)]| {
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        parse(Path::new("c.yaml"), text, &environment).unwrap().artdaq_db.tools
    };
    assert!(tools(MINIMAL, &[("ARTDAQ_DATABASE_REMOTEHOST", "h")]).is_none());
    let on = |more: &str| MINIMAL.replace("fcl_conf_dir", &format!("use_tools: true, {more}fcl_conf_dir"));
    let found = tools(&on(""), &[("ARTDAQ_DATABASE_REMOTEHOST", "h"), ("TMPDIR", "/scratch")]).unwrap();
    assert_eq!((found.remote_host.as_deref(), found.temp_dir.as_path()), (Some("h"), Path::new("/scratch")));
    assert_eq!((found.time_max, found.lock_dir.as_path()), (Duration::from_mins(5), Path::new("/w")));
    let more = "remote_host: daq@g, bulkloader: /opt/bulkloader, tools_timeout_seconds: 7, ";
    let found = tools(&on(more), &[("ARTDAQ_DATABASE_REMOTEHOST", "h"), ("SECRET", "s3cret")]).unwrap();
    assert_eq!((found.remote_host.as_deref(), found.loader.as_deref()), (Some("daq@g"), Some("/opt/bulkloader")));
    assert_eq!((found.downloader.as_deref(), found.temp_dir.as_path()), (None, Path::new("/tmp")));
    assert_eq!(found.time_max, Duration::from_secs(7));
    assert!(!format!("{found:?}").contains("s3cret"));
}

#[test]
fn a_rehearsal_is_read_with_its_seed() {
    let rehearsal = |lines: &str| load_text(&with(lines)).unwrap().rehearsal;
    assert_eq!(rehearsal("app_fuzz: {random_skip_retry: true, random_seed: 7}"), None, "nothing is to go wrong");
    let expect = Rehearsal { seed: 7, skip_percent: 10, is_skip_final: true, error_percent: 20, is_error_final: false };
    let text = "app_fuzz: {random_skip_percent: 10, random_error_percent: 20, random_skip_retry: true, random_seed: 7}";
    assert_eq!(rehearsal(text), Some(expect));
}

#[test]
fn the_documentation_has_every_key() {
    let page = include_str!("../../../docs/run-archiver.md");
    for (key, absent) in keys::KEYS {
        let (section, name) = key.rsplit_once('.').unwrap_or((key, key));
        let default = match absent {
            keys::Absent::Required => "required".to_owned(),
            keys::Absent::Nothing => "none".to_owned(),
            keys::Absent::Default(text) => format!("`{text}`"),
        };
        let row = page.lines().find(|line| line.starts_with(&format!("| `{key}` |")));
        let row = row.unwrap_or_else(|| panic!("no row for `{name}` of `{section}`"));
        assert!(row.contains(&format!("| {default} |")), "{row} does not say {default}");
    }
}
