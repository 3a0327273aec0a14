//! Misuse, wrong definitions, missing configuration: a code for each, and a text that helps.

use std::path::Path;

use test_kit::TestEnv;

use crate::support::*;

#[test]
fn a_wrong_command_line_is_64() {
    let check = |args: &[&str], text: &str| refused(env().command(args).assert(), 64, &[text]);
    check(&[], "DEFINITIONS");
    check(&["gsis.json", "--nonsense"], "--nonsense");
    check(&["gsis.json", "--endpoint", "localhost:8000"], "say `embedded`, `embedded:FILE`, or a URL");
    check(&["gsis.json", "--backoff", "soon"], "write it like 30s, 5m or 500ms");
    check(&["gsis.json", "--max-attempts", "0"], "--max-attempts");
    check(&["gsis.json", "--max-parallel", "0"], "--max-parallel");
    check(&["gsis.json", "--embedded-faults", "UpdateTabel#1=lost"], "unknown operation `UpdateTabel`");
    check(&["gsis.json", "--embedded-times", "1s"], "expected three durations");
    check(&["gsis.json", "--resume", "--retry-failed"], "cannot be used with");
    check(&["gsis.json", "--endpoint", "embedded", "--table", "booking"], "no table `booking` in the definitions");
    check(&["gsis.json", "--endpoint", "embedded", "--table", "booking"], "did you mean `bookings`?");
}

#[test]
fn wrong_definitions_are_65_with_their_place() {
    let check = |definitions: &[u8], text: &str| {
        let env = env();
        env.write("gsis.json", definitions);
        refused(run(&env, &[]), 65, &[text]);
        assert!(!env.join("s").exists(), "nothing is begun");
    };
    check(
        b"{\n  \"crew\": [\n    {\"IndexName\": \"by-date\"}\n  ]\n}",
        "gsis.json:3:5: crew[0]: `KeySchema` is missing",
    );
    check(b"{\n  \"crew\": [,]\n}", "gsis.json:2:");
    check(b"", "gsis.json:1:1: the file is empty");
    check(b"\xff\xfe", "gsis.json");
    let twice = definitions(&[("crew", "by-date"), ("crew", "by-date")]);
    check(twice.as_bytes(), "index `by-date` is defined already");

    let env = env();
    let missing = env.command(["nowhere.json", "--endpoint", "embedded"]).assert();
    refused(missing, 65, &["nowhere.json", "No such file"]);
}

#[test]
fn a_misspelt_field_is_a_warning() {
    let env =
        env_with(&definitions(&[("crew", "by-date")]).replace("\"IndexName\"", "\"Desciption\":\"x\",\"IndexName\""));
    let said = stderr(&run(&env, &[]).success());
    assert!(said.contains("warning: gsis.json:1:"), "{said}");
    assert!(said.contains("unknown field `Desciption`; did you mean `Description`?"), "{said}");
}

#[test]
fn without_region_or_credentials_it_names_the_way_to_try_it() {
    let try_it = "add `--endpoint embedded`";
    refused(env().command(["gsis.json"]).assert(), 78, &["no AWS region is configured", "--region", try_it]);
    let without_credentials = env().command(["gsis.json", "--region", "eu-west-1"]).assert();
    refused(without_credentials, 78, &["no usable AWS credentials were found", try_it]);
    let with_url = env().command(["gsis.json", "--endpoint", "http://127.0.0.1:9"]).assert();
    refused(with_url, 78, &["no AWS region is configured", try_it]);
}

#[test]
fn a_database_that_is_none_is_78() {
    let env = env();
    env.write("db.sqlite", "this is not a database, though it has a name like one, and enough bytes to be read");
    refused(run(&env, &[]), 78, &["the embedded DynamoDB", "db.sqlite"]);
}

#[test]
fn escape_sequences_do_not_reach_the_screen() {
    let evil = "\\u001b[2J\\u202eevil";
    let texts = [
        definitions(&[("crew", "by-date")]).replace("by-date", evil),
        definitions(&[("crew", "by-date")]).replace("crew", evil),
        definitions(&[("crew", "by-date")]).replace("\"IndexName\"", &format!("\"{evil}\":1,\"IndexName\"")),
        definitions(&[("crew", "by-date")]).replace("\"by-date\",\"KeyType\"", &format!("\"{evil}\",\"KeyType\"")),
        definitions(&[("crew", "by-date")]).replace("\"ALL\"", &format!("\"{evil}\"")),
    ];
    for text in texts {
        plain(&env_with(&text), &usual(&[]));
    }
    // From the state file, and from names on the command line.
    let env = env();
    let state = crate::damage::python_state(&[("crew", "by-date", "failed", 1)]);
    env.write(STATE, state.replace("Too many", evil).replace("create_gsis.py", evil));
    plain(&env, &["--status", "--state-dir", "s"]);
    let raw = "\u{1b}[2J\u{202e}evil";
    plain(&env, &["gsis.json", "--endpoint", "embedded", "--embedded-times", "0s,0s,0s", "--state-dir", raw]);
    plain(&env, &["gsis.json", "--endpoint", "embedded", "--table", raw]);
    plain(&env, &["--status", "--state-dir", raw]);
    plain(&env, &[raw, "--endpoint", "embedded"]);
}

/// Runs as on a terminal, where escape sequences are not taken out on the way.
fn plain<S: AsRef<str>>(env: &TestEnv, args: &[S]) {
    let mut command = env.command(args.iter().map(AsRef::as_ref));
    let assert = command.env_remove("NO_COLOR").env("CLICOLOR_FORCE", "1").assert();
    let screen = stdout(&assert) + &stderr(&assert);
    assert!(screen.contains("evil"), "{}", screen.escape_debug());
    let is_harmful = screen.contains("\u{1b}[2J") || screen.contains('\u{202e}');
    assert!(!is_harmful, "{}", screen.escape_debug());
}

#[test]
fn help_and_the_page_agree_on_the_exit_codes() {
    let help = stdout(&env().command(["--help"]).assert().success());
    let codes_of = |text: &str, is_code: &dyn Fn(&str) -> Option<u8>| -> Vec<u8> {
        let mut codes: Vec<u8> = text.lines().filter_map(is_code).collect();
        codes.sort_unstable();
        codes
    };
    let (_, said) = help.split_once("Exit codes: ").expect("help lists them");
    let said = said.replace(['\n', '.'], " ").replace(',', "\n");
    let said = codes_of(&said, &|part| part.split_whitespace().next()?.parse().ok());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/exit-codes.md");
    let page = fs_err::read_to_string(path).unwrap();
    let (page, _) = page.split_once("## run-archiver").expect("the other program's codes come after ours");
    let listed =
        codes_of(page, &|line| line.strip_prefix('|')?.split('|').next()?.trim().trim_matches('`').parse().ok());
    assert_eq!(said, listed);
}

#[test]
fn help_puts_every_option_under_its_own_heading_and_promises_what_is_true() {
    let help = stdout(&env().command(["--help"]).assert().success());
    assert!(!help.contains("nothing is ever deleted"), "{help}");
    assert!(help.contains("only --rollback and --cancel delete"), "{help}");
    let mut heading = "";
    let mut found = std::collections::BTreeMap::new();
    for line in help.lines() {
        if let Some(title) = line.strip_suffix(':').filter(|line| !line.starts_with(' ')) {
            heading = title;
        }
        let option = line.split_whitespace().find(|word| word.starts_with("--"));
        // Descriptions are indented more.
        let indent = line.len() - line.trim_start().len();
        if let Some(option) = option.filter(|_| indent < 8 && line.trim_start().starts_with('-')) {
            found.insert(option.trim_end_matches(','), heading);
        }
    }
    let check = |expect: &str, options: &[&str]| {
        for option in options {
            assert_eq!(found.get(option), Some(&expect), "{option}");
        }
    };
    check(
        "Options",
        &["--endpoint", "--state-dir", "--table", "--json", "--verbose", "--quiet", "--yes", "--report-dir"],
    );
    check("Options", &["--retry-failed", "--resume", "--no-validate", "--help", "--version"]);
    check(
        "Other jobs",
        &["--status", "--plan", "--rollback", "--mark", "--unlock", "--selftest", "--selftest-seconds"],
    );
    check("Trying and waiting", &["--no-wait", "--wait", "--timeout", "--max-parallel", "--backoff"]);
    check("Rollback", &["--index", "--include-adopted", "--delete-attempts", "--delete-pause"]);
    check("Pre-flight", &["--preflight", "--allow-violations"]);
    check("Rehearsal", &["--from", "--fault", "--speed", "--seed"]);
    check("Plan and definitions", &["--price-per-million-writes", "--table-name"]);
    check("Embedded DynamoDB", &["--embedded-times", "--embedded-faults", "--embedded-clock"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_without_an_end_is_refused_and_not_read_for_ever() {
    let endless = |args: &[&str], code| {
        refused(
            env().command(args).timeout(std::time::Duration::from_secs(20)).assert(),
            code,
            &["`/dev/zero` is longer than"],
        );
    };
    endless(&["/dev/zero", "--endpoint", "embedded"], 65);
    endless(&["gsis.json", "--rehearse", "--from", "/dev/zero"], 65);
}
