//! A writer is killed at random moments, and started again.

use std::{path::Path, time::Duration};

use statefile::{OpenError, read_journal};

use super::{Bench, Heard, Obstacle, Promise, Tried, Word, figure, spoken};
use crate::{
    Kind,
    child::{Entry, chain, journal_in, read_document},
    judge::{self, Flaws},
};

/// For each second of the budget.
const KILLS_WANTED: u64 = 6;
const BUDGET_PERCENT: u32 = 70;
/// A life of a writer ends within so many of its steps.
const STEPS_MAX: u32 = 4;
const LIFE_MAX: Duration = Duration::from_millis(400);

/// After every kill: the last acknowledged document or the next, and the same of the journal.
pub(super) fn kill(bench: &Bench<'_>) -> Tried {
    let dir = bench.directory("kill")?;
    let deadline = bench.deadline(BUDGET_PERCENT);
    let mut random = Random(bench.setup.seed);
    let (mut document, mut journal) = (Followed::default(), Followed::default());
    let (mut kills, mut in_the_middle, mut life) = (0, 0, Duration::from_millis(20));
    let wanted = bench.wanted(KILLS_WANTED);
    while kills < wanted && bench.now() < deadline && !document.is_hopeless() && !journal.is_hopeless() {
        let moment = life.mul_f64(random.fraction());
        let steps = live(bench, &dir, moment, &mut document, &mut journal)?;
        // Aim at a few steps: too long a life kills seldom, too short a one only at the start.
        life = if steps > STEPS_MAX {
            life / 2
        } else if steps == 0 {
            life * 5 / 4
        } else {
            life
        }
        .min(LIFE_MAX);
        in_the_middle += u64::from(has_leftovers(&dir));
        document.settle(read_document(&dir));
        journal.settle(read_entries(&dir));
        kills += 1;
        if kills % 10 == 0 {
            bench.progress(Promise::Kill, &format!("{kills} kills"));
        }
    }
    let of = |followed: &Followed| {
        [("kills", figure(kills)), ("in_the_middle", figure(in_the_middle)), ("last", figure(followed.acknowledged))]
            .into()
    };
    Ok(vec![
        (Promise::Kill, judge::kill("document", kills, in_the_middle, &document.flaws), of(&document)),
        (Promise::Journal, judge::kill("record", kills, in_the_middle, &journal.flaws), of(&journal)),
    ])
}

/// Whether the writer died with a temporary file in its hands; deaths during an append leave none.
fn has_leftovers(dir: &Path) -> bool {
    let names = fs_err::read_dir(dir).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.file_name());
    names.into_iter().any(|name| name.to_string_lossy().contains(".tmp-"))
}

/// One life of the writer; says how many steps of it were acknowledged.
fn live(
    bench: &Bench<'_>,
    dir: &Path,
    moment: Duration,
    document: &mut Followed,
    journal: &mut Followed,
) -> Result<u32, Obstacle> {
    let writer = bench.begin(Kind::Write, dir)?;
    let (end, mut words, mut has_ended) = (bench.now() + moment, Vec::new(), false);
    loop {
        bench.go_on()?;
        match writer.hear(end.saturating_sub(bench.now())) {
            Heard::Said(word) => words.push(word),
            Heard::End => {
                has_ended = true;
                break;
            }
            Heard::Silence => break,
        }
        // Words may come faster than they are heard.
        if bench.now() >= end {
            break;
        }
    }
    words.extend(writer.kill().0);
    let mut steps = 0;
    for word in &words {
        match word {
            Word::Document(count) => document.acknowledge(*count),
            Word::Record(count) => {
                journal.acknowledge(*count);
                steps += 1;
            }
            Word::Error(text) => {
                document.flaws.add(format!("the writer failed: {text}"));
                has_ended = false;
            }
            _ => {}
        }
    }
    if has_ended {
        document.flaws.add(format!("the writer ended by itself, and said {}", spoken(words.last())));
    }
    Ok(steps)
}

/// The count of the last record in the journal, `None` where there is no journal; an error names a gap.
fn read_entries(dir: &Path) -> Result<Option<u64>, OpenError> {
    let entries = read_journal::<Entry>(&journal_in(dir))?;
    let gap = entries.windows(2).find(|pair| pair[1].count != pair[0].count + 1);
    match gap {
        Some(pair) => Ok(Some(pair[0].count)),
        None => Ok(entries.last().map(|entry| entry.count)),
    }
}

/// What was acknowledged, and what was wrong afterwards.
#[derive(Debug, Default)]
struct Followed {
    acknowledged: u64,
    flaws: Flaws,
}

impl Followed {
    fn acknowledge(&mut self, count: u64) {
        self.acknowledged = self.acknowledged.max(count);
    }

    /// Compares with what is there; the next writer goes on from that.
    fn settle(&mut self, found: Result<Option<u64>, OpenError>) {
        let acknowledged = self.acknowledged;
        match found.map(Option::unwrap_or_default) {
            Ok(count) => {
                if count != acknowledged && count != acknowledged + 1 {
                    self.flaws.add(format!("{count} was found where {acknowledged} was acknowledged"));
                }
                self.acknowledged = count;
            }
            Err(error) => self.flaws.add(chain(&error)),
        }
    }

    /// Whether more trials would find the same again.
    fn is_hopeless(&self) -> bool {
        self.flaws.count >= 3
    }
}

/// Numbers that look random (`SplitMix64`): moments of death need no more.
struct Random(u64);

impl Random {
    /// From 0 up to, but not including, 1.
    fn fraction(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        figure((mixed ^ (mixed >> 31)) >> 11) / figure(1 << 53)
    }
}
