//! Takes the lock of an archive.

use std::{path::Path, thread, time::Duration};

use statefile::{Lock, LockError, Owner};

/// How often, and how long each time, a lock is waited for that this very process has just let go.
const TRIES: u32 = 200;
const PAUSE: Duration = Duration::from_millis(2);

/// Locks `path`, as [`Lock::acquire`] does.
///
/// A child process that is just being started has copies of all our open files until it executes its program; a lock
/// that was let go meanwhile is held by the copy for that long. So a lock that this process itself is said to hold is
/// asked for again for a moment.
pub(crate) fn acquire(path: &Path, owner: &Owner) -> Result<Lock, LockError> {
    let mut tries = 0;
    loop {
        tries += 1;
        match Lock::acquire(path, owner) {
            Err(LockError::InUse { holder: Some(holder), .. })
                if tries < TRIES && holder.pid == owner.pid && holder.host == owner.host =>
            {
                thread::park_timeout(PAUSE);
            }
            outcome => return outcome,
        }
    }
}
