//! A ten-line script in a workspace of its own depends on this crate by path, builds and runs.

use std::{path::Path, process::Command};

const SCRIPT: &str = r#"
use gsi_state::{GsiKey, GsiStateManager, GsiStatus};
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut manager = GsiStateManager::open("script", std::env::args().nth(1).ok_or("usage: script DIR")?)?;
    manager.initialize([GsiKey::new("bookings", "flight-status-index")])?;
    while let Some(key) = manager.resume_point().map(|gsi| gsi.key.clone()) {
        manager.update_status(&key, GsiStatus::InProgress, Some(1), None)?;
        manager.update_status(&key, GsiStatus::Active, None, None)?;
    }
    println!("{}", manager.cleanup()?.display());
    Ok(())
}
"#;

#[test]
fn a_script_elsewhere_uses_the_library() {
    let dir = tempfile::tempdir().unwrap();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = format!(
        "[package]\nname = \"script\"\nedition = \"2024\"\n[workspace]\n[dependencies]\ngsi-state = {{ path = {here:?} }}\n"
    );
    fs_err::create_dir(dir.path().join("src")).unwrap();
    fs_err::write(dir.path().join("Cargo.toml"), manifest).unwrap();
    fs_err::write(dir.path().join("src/main.rs"), SCRIPT).unwrap();
    // The same versions as ours, which are on this machine already: no network is needed.
    fs_err::copy(here.join("../../Cargo.lock"), dir.path().join("Cargo.lock")).unwrap();
    let state_dir = dir.path().join("state");
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--offline", "--", state_dir.to_str().unwrap()])
        .current_dir(dir.path())
        .env("CARGO_TARGET_DIR", env!("CARGO_TARGET_TMPDIR"))
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{err}");
    let archive = fs_err::read_to_string(out.trim()).unwrap();
    assert!(archive.contains("\"active\": 1"), "{archive}");
}
