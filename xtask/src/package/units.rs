//! The units, read as systemd reads them; and by systemd itself, where it is.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::process::Command;

use fs_err as fs;

use crate::{say, workspace};

/// `Section.Key` with its values in their order.
type Unit = BTreeMap<String, Vec<String>>;

fn text(path: &str) -> String {
    fs::read_to_string(workspace::root().join("packaging").join(path)).unwrap()
}

fn parse(text: &str) -> Unit {
    let mut unit = Unit::new();
    let mut section = "";
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = name;
        } else {
            let (key, value) = line.split_once('=').unwrap_or_else(|| panic!("neither section nor key: {line}"));
            assert!(!section.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphabetic()), "{line}");
            unit.entry(format!("{section}.{key}")).or_default().push(value.to_owned());
        }
    }
    unit
}

#[test]
fn the_service_may_do_what_it_must_and_little_else() {
    let unit = parse(&text("systemd/run-archiver.service"));
    for (key, value) in [
        ("Service.Type", "oneshot"),
        ("Service.User", "archiver"),
        ("Service.ExecStart", "/usr/bin/run-archiver /etc/waymark/run-archiver.yaml --incremental"),
        ("Service.StateDirectory", "run_record_archiver"),
        ("Service.KillSignal", "SIGTERM"),
        ("Service.SuccessExitStatus", "130"),
        ("Service.ProtectSystem", "strict"),
        ("Service.NoNewPrivileges", "yes"),
        ("Service.PrivateTmp", "yes"),
        ("Service.CapabilityBoundingSet", ""),
        ("Service.SystemCallFilter", "@system-service"),
        ("Service.MemoryMax", "1G"),
        ("Service.TimeoutStopSec", "5min"),
    ] {
        assert_eq!(unit.get(key).and_then(|values| values.first()).map(String::as_str), Some(value), "{key}");
    }
    // The account that is made is the one that works.
    assert!(text("sysusers.d/waymark.conf").lines().any(|line| line.starts_with("u archiver ")));
    let timer = parse(&text("systemd/run-archiver.timer"));
    assert!(timer.contains_key("Timer.OnCalendar") && !timer.contains_key("Timer.Unit"), "it starts its namesake");
    assert_eq!(timer["Install.WantedBy"], ["timers.target"]);
}

#[test]
fn the_examples_and_the_units_name_the_same_places() {
    let (service, cron, config) =
        (text("systemd/run-archiver.service"), text("examples/run-archiver.cron"), text("examples/run-archiver.yaml"));
    for (name, text) in [("service", &service), ("cron", &cron), ("configuration", &config)] {
        for place in ["/etc/waymark/run-archiver.yaml", "/var/lib/run_record_archiver"] {
            assert!(text.contains(place), "{name} does not name {place}");
        }
    }
    // Five times, an account, a command.
    let line = cron.lines().find(|line| line.starts_with('*')).unwrap();
    assert_eq!(line.split_whitespace().nth(5), Some("archiver"));
}

#[test]
fn systemd_takes_the_units() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["run-archiver.service", "run-archiver.timer"] {
        // The program need not be installed to have its unit looked at.
        let text = text(&format!("systemd/{name}")).replace("/usr/bin/run-archiver ", "/bin/true ");
        fs::write(dir.path().join(name), text).unwrap();
    }
    let output = Command::new("systemd-analyze")
        .args(["verify", "--man=no", "--recursive-errors=no", "run-archiver.service", "run-archiver.timer"])
        .current_dir(dir.path())
        .output();
    match output {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success() && !said.contains("run-archiver."), "{said}");
        }
        Err(error) => say::line(format_args!("SKIPPED: systemd-analyze is not to be had ({error}); install systemd")),
    }
}
