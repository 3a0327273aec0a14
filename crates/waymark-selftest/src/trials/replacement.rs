//! Readers poll while another process replaces the document.

use std::{
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use super::{Bench, Obstacle, Promise, Tried, Word, figure, one, spoken};
use crate::{
    Kind,
    child::{chain, read_document},
    judge::{self, Flaws},
};

const READERS: usize = 2;
/// For each second of the budget.
const UPDATES_WANTED: u64 = 15;
const BUDGET_PERCENT: u32 = 20;

/// A reader sees the old document or the new one: never a mixture, never nothing, never an older one.
pub(super) fn replacement(bench: &Bench<'_>) -> Tried {
    let dir = bench.directory("replacement")?;
    let is_over = AtomicBool::new(false);
    let (updates, reads, flaws) = thread::scope(|scope| {
        let readers: Vec<_> = (0..READERS).map(|_| scope.spawn(|| poll(&dir, &is_over))).collect();
        let mut flaws = Flaws::default();
        let updates = write(bench, &dir, &mut flaws);
        is_over.store(true, Ordering::Relaxed);
        let mut reads = 0;
        for reader in readers {
            match reader.join() {
                Ok((more, found)) => {
                    reads += more;
                    flaws = flaws.and(found);
                }
                Err(_) => flaws.add("a reader panicked"),
            }
        }
        updates.map(|updates| (updates, reads, flaws))
    })?;
    let measured = [("updates", figure(updates)), ("reads", figure(reads))];
    Ok(one(Promise::Replacement, judge::replacement(updates, reads, &flaws), measured))
}

/// Lets another process update; says how often it did.
fn write(bench: &Bench<'_>, dir: &Path, flaws: &mut Flaws) -> Result<u64, Obstacle> {
    let writer = bench.begin(Kind::Update, dir)?;
    let deadline = bench.deadline(BUDGET_PERCENT);
    let mut updates = 0;
    let wanted = bench.wanted(UPDATES_WANTED);
    while updates < wanted && bench.now() < deadline {
        match bench.hear(&writer)? {
            Some(Word::Document(_)) => updates += 1,
            word => {
                flaws.add(format!("the writer stopped: {}", spoken(word.as_ref())));
                break;
            }
        }
        if updates.is_multiple_of(50) {
            bench.progress(Promise::Replacement, &format!("{updates} updates"));
        }
    }
    Ok(updates)
}

/// Reads until it is over; says how often, and what was seen that must not be.
fn poll(dir: &Path, is_over: &AtomicBool) -> (u64, Flaws) {
    let (mut reads, mut last, mut flaws) = (0, 0, Flaws::default());
    while !is_over.load(Ordering::Relaxed) {
        match read_document(dir) {
            Ok(Some(count)) if count < last => flaws.add(format!("document {count} was read after document {last}")),
            Ok(Some(count)) => last = count,
            // Before the first update there is none.
            Ok(None) if last == 0 => {
                thread::yield_now();
                continue;
            }
            Ok(None) => flaws.add(format!("there was no document, after document {last} was read")),
            Err(error) => flaws.add(chain(&error)),
        }
        reads += 1;
    }
    (reads, flaws)
}
