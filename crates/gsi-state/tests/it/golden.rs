//! Files that the Python program wrote load, and lose nothing.

use std::path::PathBuf;

use gsi_state::{CreationState, GsiStateManager, GsiStatus, STATE_FILE_NAME};
use serde_json::Value;
use statefile::Document;

fn golden() -> Option<PathBuf> {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/golden/gsi");
    if !dir.is_dir() {
        eprintln!("SKIPPED: no golden state files; put the folder `shared` beside the checkout to enable");
        return None;
    }
    Some(dir)
}

/// Removes what a rewrite may change: the spelling of times.
fn without_times(text: &str) -> Value {
    fn blank(value: &mut Value) {
        if let Value::Object(object) = value {
            for (name, field) in object {
                if ["created_at", "updated_at", "creation_time"].contains(&name.as_str()) && field.is_string() {
                    *field = Value::from("time");
                }
                blank(field);
            }
        }
    }
    let mut value = serde_json::from_str(text).unwrap();
    blank(&mut value);
    value
}

#[test]
fn every_file_of_the_original_loads_and_keeps_its_content_and_layout() {
    let Some(dir) = golden() else { return };
    let mut seen = 0;
    for entry in fs_err::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let text = fs_err::read_to_string(&path).unwrap();
        let written = CreationState::decode(&text).unwrap().encode().unwrap();
        // As text, so that order and indentation count; only the times differ.
        let normal = |text: &str| serde_json::to_string_pretty(&without_times(text)).unwrap();
        assert_eq!(normal(&written), normal(&text), "{}", path.display());
        assert_eq!(written.lines().count(), text.lines().count(), "{}", path.display());
        let lines =
            written.lines().zip(text.lines()).filter(|(ours, _)| !ours.contains("T0") && !ours.contains("_at\""));
        for (ours, theirs) in lines.filter(|(ours, _)| !ours.contains("creation_time")) {
            assert_eq!(ours, theirs, "{}", path.display());
        }
        seen += 1;
    }
    assert!(seen >= 5, "only {seen} golden files");
}

#[test]
fn a_job_that_python_left_goes_on() {
    let Some(golden) = golden() else { return };
    let dir = tempfile::tempdir().unwrap();
    fs_err::copy(golden.join("interrupted.json"), dir.path().join(STATE_FILE_NAME)).unwrap();
    let mut manager = GsiStateManager::open("ours", dir.path()).unwrap();
    let resume = manager.resume_point().unwrap().key.clone();
    assert_eq!(manager.status_of(&resume).unwrap().status, GsiStatus::InProgress, "the interrupted one comes first");
    manager.update_status(&resume, GsiStatus::Active, None, None).unwrap();
    assert_eq!(manager.status_of(&resume).unwrap().last_error, None);
    assert_eq!(manager.state().script_name, "create_priority1_gsis.py");
}
