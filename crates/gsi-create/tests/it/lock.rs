//! Two starts in one state directory.

use test_kit::files_of;

use crate::support::*;

#[test]
fn the_second_start_is_told_who_holds_the_state_and_changes_no_byte() {
    let env = env();
    let mut first = env.start(timed("10m,10m,1s", &[]));
    first.wait_for_line("crew.by-date: being built");
    let before = files_of(&env.join("s"));
    let pid = format!("process {} of tester on ", first.pid());
    for more in [&[][..], &["--retry-failed"], &["--resume"], &["--no-wait", "--json"]] {
        // In memory, since the running one may change the database's files as it likes.
        let args = ["gsis.json", "--endpoint", "embedded", "--state-dir", "s"];
        let second = env.command(args.iter().chain(more)).assert();
        let since = " since 20";
        refused(second, 75, &["is held by", &pid, since, "hint: wait for it, or stop it with `kill -INT`"]);
        assert_eq!(files_of(&env.join("s")), before, "{more:?}");
    }
    let view = env.command(["--status", "--state-dir", "s"]).assert().success();
    assert!(stdout(&view).contains("In progress:    2"), "the view needs no lock: {}", stdout(&view));
    assert_eq!(files_of(&env.join("s")), before);
}

#[test]
fn two_jobs_with_states_of_their_own_share_a_service() {
    let env = env();
    run(&env, &["--table", "crew"]).success(); // the database is there
    let others =
        timed("100ms,300ms,20ms", &[]).into_iter().map(|arg| if arg == "s" { "other".to_owned() } else { arg });
    let other = env.start(others);
    env.command(timed("100ms,300ms,20ms", &[])).assert().success();
    assert_eq!(other.wait().status.code(), Some(0));
    each_once(&env, 3);
}

#[test]
fn the_lock_of_a_dead_process_holds_nobody_up() {
    let env = env();
    let mut first = env.start(timed("20ms,40ms,20ms", &[]));
    first.wait_for_line("asking for it");
    drop(first); // kill -9
    run(&env, &[]).success();
    each_once(&env, 3);
}
