//! Ctrl-C and SIGTERM.

use gsi_state::GsiStatus;
use test_kit::Running;

use crate::support::*;

/// Long enough that the signal comes while the first index is being built.
const SLOW: &str = "50ms,2s,20ms";

#[test]
fn stopped_once_it_saves_and_the_next_start_goes_on() {
    let signals: [fn(&Running); 2] = [Running::interrupt, Running::terminate];
    for signal in signals {
        let env = env();
        let mut running = env.start(timed(SLOW, &["--table", "bookings", "--json"]));
        running.wait_for_line("bookings.by-flight: being built");
        signal(&running);
        let ended = running.wait();
        assert_eq!(ended.status.code(), Some(130), "{ended:?}");
        assert!(ended.stderr.contains("stopping: nothing new is asked for"), "{ended:?}");
        let answer: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
        assert_eq!((&answer["exit_code"], &answer["is_interrupted"]), (&130.into(), &true.into()));
        assert_eq!(answer["indexes"][0]["outcome"], "still_building");
        assert_eq!(answer["indexes"][1]["outcome"], "not_started");
        let statuses = statuses(&env);
        assert_eq!(statuses["bookings.by-flight"], GsiStatus::InProgress);
        assert_eq!(statuses["bookings.by-status"], GsiStatus::Pending);

        run(&env, &["--table", "bookings"]).success();
        each_once(&env, 2);
    }
}

#[test]
fn a_look_at_a_file_leaves_no_copy_behind() {
    let env = env();
    run(&env, &["--table", "crew"]).success();
    fs_err::create_dir(env.join("tmp")).unwrap();
    let modes: [&[&str]; 3] = [&["--plan"], &["--check-status"], &["--validate"]];
    for (mode, signal) in modes.iter().flat_map(|mode| [(mode, "interrupt"), (mode, "terminate")]) {
        // Every look is refused, and taken again after a second.
        let args = [mode, &["--embedded-faults", "DescribeTable#*=ThrottlingException"][..]].concat();
        let mut command = env.plain_command(timed(SLOW, &args));
        command.env("TMPDIR", env.join("tmp"));
        let running = Running::start(command);
        let copies = || fs_err::read_dir(env.join("tmp")).unwrap().count();
        while copies() == 0 {
            std::thread::yield_now();
        }
        if signal == "interrupt" {
            running.interrupt();
        } else {
            running.terminate();
        }
        let ended = running.wait();
        assert_eq!((ended.status.code(), copies()), (Some(130), 0), "{mode:?}, {signal}: {ended:?}");
    }
}
