//! Wrong command lines and configurations.

use fs_err as fs;

use crate::support::World;

#[test]
fn a_wrong_command_line_is_64_and_help_is_0() {
    let world = World::new("100");
    for arguments in
        ["--nonsense", "--import-only --migrate-only", "--retry-failed-import --incremental", "a b", "-v -q"]
    {
        let (stdout, stderr) = world.run(arguments, 64);
        assert!(stdout.is_empty() && stderr.contains("Usage: run-archiver"), "{arguments}: {stderr}");
    }
    let (stdout, _) = world.run("--help", 0);
    for word in ["--incremental", "--dry-run", "Exit codes: 0 done"] {
        assert!(stdout.contains(word), "{word}");
    }
    assert!(!world.env.join("work").exists(), "nothing was made");
}

#[test]
fn a_configuration_is_refused_with_all_its_errors() {
    let world = World::new("100");
    let (stdout, stderr) = world.run("missing.yaml", 1);
    assert!(stdout.is_empty());
    assert!(stderr.contains("could not read the configuration `missing.yaml`"), "{stderr}");
    assert!(stderr.contains("hint: `examples/run-archiver/config.yaml` shows"), "{stderr}");

    world.configure("batch_size: 50", "batch_size: many, batch_sise: 5");
    world.configure("folder_name: test01, ", "");
    let (_, stderr) = world.run("", 1);
    for words in ["config.yaml:1: app.batch_size: expected a whole number", "ucon_db.folder_name: required"] {
        assert!(stderr.contains(words), "{stderr}");
    }
    let answer = world.json("", 1);
    assert!(answer["error"][0].as_str().unwrap().contains("app.batch_size"), "{answer:#}");
    assert!(!world.env.join("work").exists(), "nothing was made");
}

#[test]
fn an_unknown_key_is_a_warning_and_the_work_goes_on() {
    let world = World::new("100");
    world.configure("batch_size: 50", "batch_sise: 50");
    let (_, stderr) = world.run("", 0);
    let words = "warning: config.yaml:1: app.batch_sise: unknown key, ignored; did you mean `app.batch_size`?";
    assert!(stderr.contains(words), "{stderr}");
    assert!(world.log().contains("unknown key"), "{}", world.log());
    assert_eq!(world.state(), "100/100 none, 100/100 none");
}

#[test]
fn no_password_is_ever_shown() {
    let world = World::new("100");
    let http = "http://127.0.0.1:1/app', writer_user: me, writer_password: 'hush-hush-hush";
    world.configure("embedded://stores/ucondb.sqlite", http);
    for arguments in ["-v", "--dry-run", "--json", "--recover-migrate-state"] {
        let (stdout, stderr) = world.run(arguments, 1);
        assert!(!(stdout + &stderr).contains("hush"), "{arguments}");
    }
    world.env.write("archiver.env", "SECRET=hush-hush-hush\nbroken\n");
    let (stdout, stderr) = world.run("", 1);
    assert!(!(stdout + &stderr).contains("hush"));
    assert!(!world.log().contains("hush"), "{}", world.log());
}

#[test]
fn the_directory_of_the_schema_must_be_right() {
    let world = World::new("100");
    world.configure("fcl_conf_dir: conf", "fcl_conf_dir: elsewhere");
    let (_, stderr) = world.run("", 1);
    assert!(stderr.contains("elsewhere/schema.fcl"), "{stderr}");
    assert!(stderr.contains("hint: `artdaq_db.fcl_conf_dir` must be the directory"), "{stderr}");
}

#[test]
fn the_manual_page_and_the_completions_are_those_of_the_command_line() {
    let world = World::new("none");
    world.run("--generate-man pages/man --generate-completions pages/completions", 0);
    let read = |name: &str| fs::read_to_string(world.env.join("pages").join(name)).unwrap();
    for name in [
        "man/run-archiver.1",
        "completions/run-archiver.bash",
        "completions/_run-archiver",
        "completions/run-archiver.fish",
    ] {
        let text = read(name).replace("\\-", "-");
        assert!(text.contains("test-notifications") && !text.contains("generate-man"), "{name}: {text}");
    }
    assert!(read("man/run-archiver.1").starts_with(".ie"), "a manual page");
    let (help, _) = world.run("--help", 0);
    assert!(!help.contains("generate-man"), "{help}");
    world.run("--generate-man pages", 64);
}

#[test]
fn help_and_the_page_agree_on_the_exit_codes() {
    let page = include_str!("../../../../docs/exit-codes.md");
    let (_, page) = page.split_once("## run-archiver").unwrap();
    let code = |line: &str| line.strip_prefix("| ")?.split_once(' ')?.0.parse::<u8>().ok();
    let documented: Vec<u8> = page.lines().filter_map(code).collect();
    assert_eq!(documented, [0, 1, 2, 3, 64, 130]);
    let (help, _) = World::new("100").run("--help", 0);
    let (_, told) = help.split_once("Exit codes:").unwrap();
    let told = told.replace('\n', " ");
    for code in documented {
        assert!(told.contains(&format!(" {code} ")), "{code} is not in {told:?}");
    }
}

#[test]
fn whoever_reads_json_is_told_in_json() {
    let world = World::new("none");
    for arguments in ["--json --nonsense", "--runs 12a --json", "config.yaml --json --accept-empty"] {
        let (stdout, stderr) = world.run(arguments, 64);
        let answer: serde_json::Value = serde_json::from_str(&stdout).unwrap();
        assert_eq!(answer["exit_code"], 64, "{arguments}");
        assert!(stderr.contains(answer["error"][0].as_str().unwrap()), "{answer} {stderr}");
    }
    let (stdout, _) = world.run("--nonsense", 64);
    assert_eq!(stdout, "");
    let (stdout, _) = world.run("--help --json", 0);
    assert!(stdout.contains("Usage:"), "{stdout}");
}

/// A lock that is replaced as a state file is would keep nobody out.
#[test]
fn no_file_has_two_meanings() {
    for (keys, text) in [
        (
            "lock_file: work/importer_state.json",
            "app.lock_file: `work/importer_state.json` is also `app.import_state_file`",
        ),
        ("import_state_file: ./work//x, migrate_state_file: work/x", "app.migrate_state_file: `work/x` is also"),
        ("migrate_failure_log: work/import_failures.log", "is also `app.import_failure_log`"),
        ("lock_file: work/migrated.jsonl", "is also a file that the migration keeps"),
        ("import_failure_log: work/importer_state.json.in_flight", "is also a file that the import keeps"),
        ("lock_file: work/archiver.log", "app.log_file: `work/archiver.log` is also `app.lock_file`"),
        ("lock_file: work/acknowledged_gaps.json", "is also the list of acknowledged gaps"),
    ] {
        let world = World::new("100");
        world.configure("batch_size: 50", keys);
        let (_, stderr) = world.run("", 1);
        assert!(stderr.contains(text), "{keys}: {stderr}");
        assert!(!world.env.join("work").exists(), "{keys}: nothing was made");
    }
}
