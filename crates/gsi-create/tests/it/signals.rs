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
