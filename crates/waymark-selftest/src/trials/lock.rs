//! Two processes of this host and one lock.

use statefile::{Lock, LockError, Owner};

use super::{Bench, Obstacle, Promise, Tried, Word, figure, one, spoken};
use crate::{
    Kind,
    child::{chain, lock_in},
    judge::{self, Flaws},
};

const ROUNDS: u64 = 3;

/// The second is refused and told who holds the lock, whichever of them it is; a dead holder's lock is free.
pub(super) fn lock(bench: &Bench<'_>) -> Tried {
    let dir = bench.directory("lock")?;
    let mut flaws = Flaws::default();
    let mut slowest = 0.0_f64;
    for _ in 0..ROUNDS {
        bench.go_on()?;
        slowest = slowest.max(round(bench, &dir, &mut flaws)?);
        if flaws.count > 0 {
            break;
        }
    }
    let measured = [("rounds", figure(ROUNDS)), ("free_after_kill_ms", slowest)];
    Ok(one(Promise::Lock, judge::lock(ROUNDS, &flaws, bench.mount), measured))
}

/// One round; says how long the lock of the dead holder was not free, in milliseconds.
fn round(bench: &Bench<'_>, dir: &std::path::Path, flaws: &mut Flaws) -> Result<f64, Obstacle> {
    let path = lock_in(dir);
    let holder = bench.start(Kind::Hold, dir)?;
    match bench.first(&holder)? {
        Some(Word::Held) => {}
        word => flaws.add(format!("no lock was to be had: {}", spoken(word.as_ref()))),
    }
    let me = Owner::current(bench.setup.clock);
    match Lock::acquire(&path, &me) {
        Ok(_) => flaws.add("two processes held the lock at the same time"),
        Err(LockError::InUse { holder: Some(owner), .. }) if owner.pid == holder.id() => {}
        Err(LockError::InUse { holder: owner, .. }) => {
            let named = owner.map_or_else(|| "nobody".to_owned(), |owner| format!("process {}", owner.pid));
            flaws.add(format!("the lock was refused, but {named} was named as its holder"));
        }
        Err(error) => flaws.add(chain(&error)),
    }
    holder.kill();
    let (dead_at, mut mine) = (bench.now(), Lock::acquire(&path, &me));
    // Some servers take a moment to notice.
    while matches!(mine, Err(LockError::InUse { .. })) && bench.now() < dead_at + super::PATIENCE {
        bench.go_on()?;
        mine = Lock::acquire(&path, &me);
    }
    let freed_ms = bench.since(dead_at).as_secs_f64() * 1e3;
    if let Err(error) = &mine {
        flaws.add(format!("the lock of a dead holder was not free: {}", chain(error)));
    }
    // The other way round: this process holds, and a younger one asks.
    let asker = bench.start(Kind::Ask, dir)?;
    match bench.first(&asker)? {
        Some(Word::Refused(pid)) if pid == me.pid || mine.is_err() => {}
        Some(Word::Held) if mine.is_ok() => flaws.add("two processes held the lock at the same time"),
        word => flaws.add(format!("a process that asked for the lock said {}", spoken(word.as_ref()))),
    }
    Ok(freed_ms)
}
