//! A directory for the files of the targets that read files: one a thread, removed at its end.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use statefile::{Lock, Owner, SystemClock};
use tempfile::TempDir;

/// A file that a target may overwrite, and a lock that guards it.
pub(crate) struct Scratch {
    _dir: TempDir,
    path: PathBuf,
    lock: Arc<Lock>,
}

thread_local! {
    static SCRATCH: Scratch = Scratch::new();
}

impl Scratch {
    #[expect(clippy::expect_used, reason = "a target has no other way to say that there is no temporary directory")]
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory for temporary files");
        let owner = Owner::current(&SystemClock);
        let lock = Lock::acquire(dir.path().join("lock"), &owner).expect("nobody else knows the directory");
        Self { path: dir.path().join("file"), lock: Arc::new(lock), _dir: dir }
    }
}

/// Hands `work` a path at which `bytes` lie, and the lock of it.
#[expect(clippy::expect_used, reason = "a target has no other way to say that the disk is full")]
pub(crate) fn with_file<R>(bytes: &[u8], work: impl FnOnce(&Path, &Arc<Lock>) -> R) -> R {
    SCRATCH.with(|scratch| {
        fs_err::write(&scratch.path, bytes).expect("a temporary file");
        work(&scratch.path, &scratch.lock)
    })
}
