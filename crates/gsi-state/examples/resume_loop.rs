//! A script that creates indexes, can be killed anywhere, and goes on when it is started again.
//!
//! ```sh
//! cargo run -p gsi-state --example resume_loop -- STATE_DIR        # fails at the third index
//! cargo run -p gsi-state --example resume_loop -- STATE_DIR --heal # goes on, finishes, archives
//! ```
//!
//! `create` stands for your call of UpdateTable and the wait for ACTIVE. Mind what a resumed script
//! must do that a fresh one need not: an index that is `in_progress` was asked for, so look it up at
//! the service before you ask again.

#![expect(clippy::print_stdout, reason = "an example program")]

use std::error::Error;

use gsi_state::{GsiKey, GsiStateManager, GsiStatus};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let state_dir = args.next().ok_or("usage: resume_loop STATE_DIR [--heal]")?;
    let is_healed = args.next().as_deref() == Some("--heal");

    let wanted = [
        GsiKey::new("bookings", "passenger-flight-index"),
        GsiKey::new("bookings", "flight-status-index"),
        GsiKey::new("flights", "aircraft-rotation-index"),
    ];
    let mut manager = GsiStateManager::open("resume_loop", state_dir)?;
    manager.initialize(wanted.clone())?;
    if let Some(gsi) = manager.resume_point() {
        println!("going on at {} ({})", gsi.key, gsi.status);
    }

    for key in &wanted {
        if manager.should_skip(key) {
            println!("{key}: active already");
            continue;
        }
        let attempt = manager.status_of(key).map_or(0, |gsi| gsi.retry_count) + 1;
        // Before the effect, so that whoever comes after a crash knows that it may have happened.
        manager.update_status(key, GsiStatus::InProgress, Some(attempt), None)?;
        match create(key, is_healed) {
            Ok(()) => manager.update_status(key, GsiStatus::Active, None, None)?,
            Err(reason) => manager.update_status(key, GsiStatus::Failed, None, Some(&reason))?,
        }
        println!("{key}: {}", manager.status_of(key).map_or("unknown", |gsi| gsi.status.as_str()));
    }

    for gsi in manager.failed() {
        println!(
            "failed: {} after {} attempts: {}",
            gsi.key,
            gsi.retry_count,
            gsi.last_error.as_deref().unwrap_or("-")
        );
    }
    if manager.is_complete() {
        println!("archived as {}", manager.cleanup()?.display());
    }
    Ok(())
}

fn create(key: &GsiKey, is_healed: bool) -> Result<(), String> {
    if key.table() == "flights" && !is_healed {
        return Err("AccessDeniedException: not authorized to perform dynamodb:UpdateTable".to_owned());
    }
    Ok(())
}
