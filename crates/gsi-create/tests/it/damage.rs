//! State files that cannot be used: refused with file, reason and remedy, and kept.

use test_kit::files_of;

use crate::support::*;

fn sound() -> String {
    python_state(&[("bookings", "by-flight", "active", 1), ("crew", "by-date", "pending", 0)])
}

/// A state file like those of the Python program, with times without a zone.
pub(crate) fn python_state(entries: &[(&str, &str, &str, u32)]) -> String {
    let entries: Vec<String> = entries
        .iter()
        .map(|(table, index, status, attempts)| {
            let time = if *status == "pending" { "null" } else { r#""2026-02-01T00:09:17.418396""# };
            let error =
                if *status == "failed" { r#""LimitExceededException: Too many \u2014 \"quoted\"""# } else { "null" };
            format!(
                r#"    "{table}.{index}": {{
      "table_name": "{table}",
      "index_name": "{index}",
      "status": "{status}",
      "creation_time": {time},
      "retry_count": {attempts},
      "last_error": {error}
    }}"#
            )
        })
        .collect();
    format!(
        r#"{{
  "version": "1.0",
  "created_at": "2026-02-01T00:03:52.215262",
  "updated_at": "2026-02-01T00:09:24.685570",
  "script_name": "create_gsis.py",
  "gsis": {{
{}
  }},
  "summary": {{}}
}}"#,
        entries.join(",\n")
    )
}

#[test]
fn a_damaged_state_is_refused_and_kept() {
    let check = |bytes: &[u8], reason: &str| {
        for more in [&[][..], &["--resume"], &["--retry-failed"], &["--status"], &["--json"]] {
            let env = env();
            env.write(STATE, bytes);
            let assert = run(&env, more);
            refused(assert, 66, &["error: `s/.gsi_creation_state.json`", reason, "hint: "]);
            assert_eq!(fs_err::read(env.join(STATE)).unwrap(), bytes, "{reason}");
            assert!(!env.join("db.sqlite").exists(), "{reason}: nothing is begun");
        }
    };
    let sound = sound();
    check(b"", "is not a valid index-creation state");
    check(&sound.as_bytes()[..sound.len() / 2], "is not a valid index-creation state");
    check(&vec![0; sound.len()], "is not a valid index-creation state");
    check(b"\xff\xfe{\0}\0", "is not a valid index-creation state");
    check(sound.replace("1.0", "2.0").as_bytes(), "has format version 2.0, newer than 1.1");
    check(sound.replace("\"active\"", "\"done\"").as_bytes(), "is not a valid index-creation state");
}

#[test]
fn the_last_good_generation_is_offered() {
    let env = env();
    let sound = sound();
    env.write(STATE, &sound[..100]);
    env.write(format!("{STATE}.bak"), &sound);
    let assert = run(&env, &[]);
    refused(assert, 66, &["The generation before its last update is good", "cp 's/.gsi_creation_state.json.bak'"]);
    assert_eq!(fs_err::read_to_string(env.join(format!("{STATE}.bak"))).unwrap(), sound);
}

#[test]
fn a_directory_in_place_of_the_file_is_refused_and_kept() {
    let env = env();
    env.write(format!("{STATE}/keep"), "me");
    for more in [&[][..], &["--status"]] {
        let before = files_of(&env.join(STATE));
        refused(
            run(&env, more),
            66,
            &["`s/.gsi_creation_state.json` is not a regular file", "hint: it is kept as it is"],
        );
        assert_eq!(files_of(&env.join(STATE)), before);
    }
}

#[test]
fn a_remedy_that_is_offered_works() {
    let env = env();
    env.write(STATE, "garbage");
    let said = stderr(&run(&env, &[]).code(66));
    let remedy = said.lines().find(|line| line.trim_start().starts_with("mv -n ")).expect("a remedy").to_owned();
    let mut shell = env.other_command("/bin/sh");
    shell.env("PATH", "/usr/bin:/bin").args(["-c", &remedy]);
    assert!(shell.status().unwrap().success(), "{remedy}");
    run(&env, &[]).success();
    assert_eq!(fs_err::read_to_string(env.join("s/.gsi_creation_state.json.damaged")).unwrap(), "garbage");
}
