//! `kill -9` at many moments: what a killed process did, it did wholly, and the ledger knows it.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
};

use dynamo_embedded::{Call, EmbeddedDynamo, IndexAction, Times};

use crate::support::*;

const FILE: &str = "DYNAMO_EMBEDDED_KILL_TEST_FILE";
const TABLES: [&str; 2] = ["one", "two"];
const INDEXES: [&str; 3] = ["aaa", "bbb", "ccc"];

/// Makes every index that is missing and deletes every one that is there, once around.
async fn turn(w: &World) {
    for table in TABLES {
        if w.describe(table).await.starts_with("ResourceNotFoundException") {
            w.table(table).await;
        }
        for index in INDEXES {
            assert_eq!(w.put(table, index, Some(s("x"))).await, "ok");
            let there = w.describe(table).await.contains(&format!(" {index}:"));
            let request = if there { w.delete(table, index) } else { w.create(table, index) };
            assert_eq!(outcome(request.send().await), "ok");
        }
    }
}

fn open(path: &Path) -> World {
    World::open(&Hands::new(), EmbeddedDynamo::builder().times(Times::INSTANT).file(path))
}

#[tokio::test]
#[ignore = "the process that kill_minus_nine_at_any_moment starts and kills"]
async fn victim() {
    #[expect(clippy::disallowed_methods, reason = "how the parent tells a test process its file")]
    let Some(path) = std::env::var_os(FILE) else {
        return; // somebody ran all ignored tests
    };
    let w = open(Path::new(&path));
    // Ends by itself should the parent die.
    for _ in 0..1000 {
        turn(&w).await;
    }
}

fn start_victim(path: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "kill::victim", "--ignored"]).env(FILE, path);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[tokio::test]
async fn kill_minus_nine_at_any_moment() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db.sqlite");
    for step in 0..30 {
        let watcher = open(&path);
        let before = watcher.dynamo.calls().unwrap().len();
        let mut victim = start_victim(&path);
        // The ledger is the clock: after some calls of the victim, and then at an odd moment.
        while watcher.dynamo.calls().unwrap().len() < before + 1 + step % 7 {
            assert_eq!(victim.try_wait().unwrap(), None, "the victim runs until it is killed");
            std::thread::yield_now();
        }
        for _ in 0..step * 97 % 61 * 1000 {
            std::hint::spin_loop();
        }
        victim.kill().unwrap(); // SIGKILL
        victim.wait().unwrap();
        check_ledger_against_tables(&open(&path)).await;
    }
    let w = open(&path);
    turn(&w).await;
    turn(&w).await;
    check_ledger_against_tables(&w).await;
}

/// The effects in the ledger alternate between creating and deleting, and end in what exists.
async fn check_ledger_against_tables(w: &World) {
    let calls = w.dynamo.calls().unwrap();
    for table in TABLES {
        let described = w.describe(table).await;
        for index in INDEXES {
            let exists = described.contains(&format!(" {index}:"));
            let effects = calls.iter().filter(|call| {
                let named = call.table.as_deref() == Some(table) && call.index.as_deref() == Some(index);
                named && call.action.is_some() && call.outcome.took_effect()
            });
            let creations = effects.map(|call: &Call| call.action == Some(IndexAction::Create));
            let there = creations.fold(false, |there, creates| {
                assert_ne!(there, creates, "{table}/{index} created or deleted twice");
                creates
            });
            assert_eq!(there, exists, "{table}/{index}: {described}");
        }
    }
}
