//! What strangers put into names, error texts and directories; who may read what is written; where secrets are seen.

use std::{
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
};

use statefile::{Clock as _, SystemClock};
use test_kit::{
    TestEnv, files_of,
    hostile::{fifo, is_unsafe, without_colours},
};

use crate::support::*;

/// Clears the screen, turns text round, hides, begins a line, ends a cell, is markup.
const EVIL: &str = "evil\u{1b}[2J\u{9b}2J\u{202e}\u{200b}\u{2028}\r\u{85}| <script>alert(1)</script> ![x](http://evil/y) \u{1b}]0;title\u{7}";

/// Puts something that is no file at a path.
type Trick = fn(&Path);

/// Every file under `dir` with its permissions, and every directory but `dir`.
fn modes(dir: &Path) -> Vec<(PathBuf, bool, u32)> {
    let paths = files_of(dir).into_keys().filter(|path| !path.as_os_str().is_empty());
    let mode = |path: PathBuf| {
        let metadata = fs_err::metadata(dir.join(&path)).unwrap();
        (path, metadata.is_dir(), metadata.permissions().mode() & 0o777)
    };
    paths.map(mode).collect()
}

fn with_umask(env: &TestEnv, umask: &str, args: &[String]) -> i32 {
    let mut command = env.other_command("/bin/sh");
    command.arg("-c").arg(format!("umask {umask}; exec \"$0\" \"$@\"")).arg(env.program()).args(args);
    command.output().unwrap().status.code().unwrap()
}

#[test]
fn files_are_as_private_as_the_umask_says() {
    for (umask, file, dir) in [("077", 0o600, 0o700), ("027", 0o640, 0o750), ("000", 0o666, 0o777)] {
        let env = env();
        let fault = "UpdateTable[crew]#*=ValidationException(no)";
        assert_eq!(with_umask(&env, umask, &usual(&["--embedded-faults", fault])), 1);
        assert_eq!(with_umask(&env, umask, &usual(&["--mark", "crew.by-date", "pending"])), 0);
        assert_eq!(with_umask(&env, umask, &usual(&["--retry-failed"])), 0);
        let modes = modes(&env.join("s"));
        // The archived state, its backup by hand, the history, the lock, and the reports in their directory.
        assert!(modes.len() >= 8, "{modes:?}");
        for (path, is_dir, mode) in modes {
            assert_eq!(mode, if is_dir { dir } else { file }, "umask {umask}: {}: {mode:o}", path.display());
        }
    }
}

#[test]
fn a_private_state_stays_private() {
    let env = env();
    let fault = "UpdateTable[crew]#*=ValidationException(no)";
    run(&env, &["--embedded-faults", fault]).code(1);
    fs_err::set_permissions(env.join(STATE), PermissionsExt::from_mode(0o600)).unwrap();
    run(&env, &["--mark", "crew.by-date", "pending"]).success();
    run(&env, &[]).success();
    let states = modes(&env.join("s"));
    let states: Vec<_> = states
        .iter()
        .filter(|(path, ..)| path.to_string_lossy().starts_with(".gsi_creation_state_2"))
        .chain(states.iter().filter(|(path, ..)| path.to_string_lossy().contains("backup")))
        .collect();
    assert_eq!(states.len(), 2, "the archive, and the copy before the change by hand");
    assert!(states.iter().all(|(.., mode)| *mode == 0o600), "{states:?}");
}

#[test]
fn what_is_no_file_in_the_state_directory_is_refused_and_never_waited_for() {
    let tricks: [(&str, Trick); 5] = [
        ("a FIFO", fifo),
        ("a directory", |path| fs_err::create_dir(path).unwrap()),
        ("a device", |path| symlink("/dev/zero", path).unwrap()),
        ("a loop", |path| symlink(path.file_name().unwrap(), path).unwrap()),
        ("a link to nowhere that can be", |path| symlink("/proc/nowhere/x", path).unwrap()),
    ];
    let files = [".gsi_creation_state.json", ".gsi_creation_state.json.lock", "gsi_creation_history.jsonl"];
    for (trick, make) in tricks {
        let made = env();
        run(&made, &["--embedded-faults", "UpdateTable[crew]#*=ValidationException(no)"]).code(1);
        let names: Vec<_> = files_of(&made.join("s")).into_keys().map(|path| path.display().to_string()).collect();
        for file in files {
            // As they are named.
            let Some(file) = names.iter().find(|name| name.contains(file.trim_start_matches('.'))) else {
                panic!("no {file} among {names:?}");
            };
            let env = made.copy();
            let path = env.join("s").join(file);
            fs_err::remove_file(&path).unwrap();
            make(&path);
            let (status, job) = (run(&env, &["--status"]), run(&env, &["--retry-failed"]));
            for assert in [status, job] {
                let code = assert.get_output().status.code();
                let said = stderr(&assert);
                assert!(code.is_some_and(|code| code < 128), "{trick} as {file}: {code:?}: {said}");
                assert!(!said.contains("panicked"), "{said}");
            }
            // The copies have databases of their own, made of the same file.
            assert!(creations(&env).values().all(|times| *times == 1), "{trick} as {file}");
        }
    }
}

#[test]
fn a_lock_that_is_a_link_costs_its_target_nothing() {
    let env = env();
    env.write("precious", "precious");
    fs_err::create_dir(env.join("s")).unwrap();
    symlink("../precious", env.join(format!("{STATE}.lock"))).unwrap();
    let assert = run(&env, &[]);
    let said = stderr(&assert.failure());
    assert!(said.contains("is a symbolic link, which a lock file must not be"), "{said}");
    assert_eq!(fs_err::read_to_string(env.join("precious")).unwrap(), "precious");
}

#[test]
fn a_link_among_the_reports_is_not_followed_and_a_fifo_not_waited_for() {
    let env = env();
    let reports = env.join("s/gsi_creation_reports");
    fs_err::create_dir_all(&reports).unwrap();
    fifo(&reports.join("summary_20260101_000000.json"));
    symlink("/dev/zero", reports.join("summary_20260101_000001.json")).unwrap();
    // For every second in which the report may be written.
    let now = SystemClock.now();
    for second in 0..120 {
        let at = (now + chrono::TimeDelta::seconds(second)).format("%Y%m%d_%H%M%S");
        for form in ["json", "md"] {
            symlink(env.join("elsewhere"), reports.join(format!("summary_{at}.{form}"))).unwrap();
        }
    }
    run(&env, &[]).success();
    assert!(!env.join("elsewhere").exists(), "nothing is written through a link");
    let second = |path: &PathBuf| path.to_string_lossy().ends_with("_2.md");
    let written: Vec<_> =
        fs_err::read_dir(&reports).unwrap().map(|entry| entry.unwrap().path()).filter(second).collect();
    assert_eq!(written.len(), 1, "the report has another name");
    let list = stdout(&run(&env, &["--history"]).success());
    assert!(list.contains("_2.md") && list.contains("summary_20260101_000000.json"), "{list}");
}

#[test]
fn a_folder_of_reports_may_be_a_link() {
    let env = env();
    fs_err::create_dir_all(env.join("elsewhere")).unwrap();
    fs_err::create_dir_all(env.join("s")).unwrap();
    symlink("../elsewhere", env.join("s/gsi_creation_reports")).unwrap();
    run(&env, &[]).success();
    assert_eq!(fs_err::read_dir(env.join("elsewhere")).unwrap().count(), 2);
}

#[test]
fn error_texts_are_harmless_wherever_they_are_shown() {
    let env = env();
    let evil = EVIL.replace(['(', ')', ';'], "");
    let fault = format!("UpdateTable[crew]#*=ValidationException({evil})");
    let screens = |args: &[&str]| {
        let mut command = env.command(usual(args));
        let assert = command.env_remove("NO_COLOR").env("CLICOLOR_FORCE", "1").assert();
        [stdout(&assert), stderr(&assert)]
    };
    let mut seen: Vec<(String, String)> = Vec::new();
    for args in [
        &["--embedded-faults", &*fault][..],
        &["--status"],
        &["--status", "-v"],
        &["--status", "--json"],
        &["--history"],
        &["--history", "--json"],
        &["--explain", "crew.by-date"],
        &["--explain", "crew.by-date", "--json"],
        &["--check-status"],
        &["--plan"],
        &["--retry-failed", "--json", "--embedded-faults", &*fault],
        &["--retry-failed", "-v", "--embedded-faults", &*fault],
    ] {
        seen.extend(screens(args).map(|text| (args.join(" "), text)));
    }
    let names = files_of(&env.join("s")).into_iter().filter_map(|(path, record)| Some((path, record.bytes?)));
    seen.extend(names.map(|(path, bytes)| (path.display().to_string(), String::from_utf8(bytes).unwrap())));
    let with_evil = seen.iter().filter(|(_, text)| text.contains("evil")).count();
    assert!(with_evil >= 12, "only {with_evil} of {} show the text", seen.len());
    for (place, text) in &seen {
        let shown = without_colours(text);
        assert!(!shown.chars().any(is_unsafe), "{place}: {}", shown.escape_debug());
        let is_markup = text.contains("<script>") || text.contains("![x");
        assert!(!is_markup || Path::new(place).extension().is_none_or(|form| form != "md"), "{place}: {text}");
    }
}

#[test]
fn no_secret_of_the_surroundings_is_seen() {
    const SECRETS: [&str; 3] = ["SecretKeyForTests", "SessionTokenForTests", "endpoint-password-for-tests"];
    let env = env();
    let endpoint = format!("http://user:{}@127.0.0.1:9", SECRETS[2]);
    let mut seen = String::new();
    for mode in
        [&[][..], &["--json", "-v"], &["--check-status"], &["--plan", "--json"], &["--status", "-v"], &["--history"]]
    {
        let args =
            ["gsis.json", "--endpoint", &endpoint, "--region", "eu-west-1", "--state-dir", "s", "--backoff", "1ms"];
        let mut command = env.command(args.iter().chain(["--max-attempts", "1"].iter()).chain(mode));
        command.env("AWS_ACCESS_KEY_ID", "AKIDFORTESTS").env("AWS_SECRET_ACCESS_KEY", SECRETS[0]);
        let assert = command.env("AWS_SESSION_TOKEN", SECRETS[1]).env("RUST_LOG", "trace").assert();
        seen += &(stdout(&assert) + &stderr(&assert));
    }
    for (path, record) in files_of(&env.join("s")) {
        seen.extend([&*path.to_string_lossy(), ": ", &String::from_utf8_lossy(&record.bytes.unwrap_or_default())]);
    }
    assert!(seen.len() > 1000, "{seen}");
    for secret in SECRETS {
        assert!(!seen.contains(secret), "{secret}: {seen}");
    }
}

#[test]
fn a_bomb_in_a_file_is_refused() {
    let deep = |open: &str, close: &str| format!("{}1{}", open.repeat(50_000), close.repeat(50_000));
    let state = crate::damage::python_state(&[("crew", "by-date", "failed", 1)]);
    let in_state = |from: &str, to: String| (STATE, state.replace(from, &to));
    for (file, text) in [
        ("gsis.json", deep("[", "]")),
        ("gsis.json", format!("{{\"crew\": {}}}", deep("{\"a\":", "}"))),
        ("gsis.json", format!("crew: {}\n", deep("[", "]"))),
        ("gsis.json", format!("a: &a {}\ncrew: [{}]\n", "x".repeat(100_000), "*a, ".repeat(10_000))),
        ("gsis.json", "{\"crew\": [], \"crew\": [{\"IndexName\": \"a\"}]}".to_owned()),
        in_state("\"table_name\": \"crew\"", format!("\"table_name\": {}", deep("[", "]"))),
        in_state("\"gsis\": {", format!("\"gsis\": {{\"a.b\": {}, ", deep("{\"a\":", "}"))),
        in_state("\"retry_count\": 1", format!("\"retry_count\": {}", "9".repeat(100_000))),
        in_state("\"retry_count\": 1", "\"retry_count\": 1e999".to_owned()),
        in_state("\"version\": \"1.0\"", "\"version\": \"1.0\", \"version\": \"1.0\"".to_owned()),
    ] {
        let env = env();
        env.write(file, &text);
        for mode in [&[][..], &["--status"]] {
            // Killed, and the test fails, after a minute.
            let assert = run(&env, mode);
            let (code, said) = (assert.get_output().status.code(), stderr(&assert));
            let head: String = text.chars().take(60).collect();
            assert!(code.is_some_and(|code| code < 128), "{file}: {head}: {code:?}: {said}");
            let is_refused = code == Some(65) || code == Some(66) || mode == ["--status"] && file == "gsis.json";
            assert!(is_refused, "{file}: {head}: {code:?}: {said}");
            assert!(!said.contains("panicked") && said.len() < 20_000, "{file}: {head}: {said}");
        }
        assert_eq!(fs_err::read_to_string(env.join(file)).unwrap(), text, "{file}: kept");
    }
    // What we do not read can be as deep as it likes.
    for (from, to) in [("\"summary\": {}", "\"summary\": "), ("\"summary\": {}", "\"summary\": {}, \"unknown\": ")] {
        let env = env();
        env.write(STATE, state.replace(from, &format!("{to}{}", deep("[", "]"))));
        run(&env, &["--status"]).success();
        run(&env, &["--retry-failed", "--json"]).success();
        each_once(&env, 1);
    }
}
