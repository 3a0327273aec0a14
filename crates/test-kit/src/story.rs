//! Stories of programs that are killed: after each change, again in the starts after that, or at random moments.
//!
//! A [`Subject`] knows a piece of work, the commands that do it, and how to judge what there is after a kill and in the
//! end. The three ways of killing are the same for all of them, and give a [`Tally`].

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot be set up fails")]

use std::{
    num::NonZero,
    ops::RangeInclusive,
    process::{Command, ExitStatus, Stdio},
    sync::{Mutex, PoisonError},
    thread,
    time::Duration,
};

use crate::{Killer, Random, Tally, Wrong, strace};

/// So many starts of one story are no progress.
const STARTS_MAX: u32 = 300;

/// After so many stories in which something was wrong, more say nothing new.
const SPOILED_MAX: u32 = 10;

/// A piece of work that is to survive being killed.
pub trait Subject: Sync {
    /// Where one story plays, and what it has seen.
    type World;

    /// A world before the first start.
    fn world(&self) -> Self::World;

    /// The next start; `None` when the work is done.
    fn next(&self, world: &Self::World) -> Option<Command>;

    /// A start has ended by itself.
    fn ended(&self, world: &mut Self::World, status: ExitStatus, tally: &mut Tally, context: &str);

    /// A start was killed: is what there is whole, and does nothing say what is not so?
    fn look(&self, world: &mut Self::World, tally: &mut Tally, context: &str);

    /// All is done: is it what an undisturbed story leaves?
    fn judge(&self, world: &mut Self::World, tally: &mut Tally, context: &str);
}

/// Plays one story. `start` runs a command and says how it ended, or `None` if it was killed.
fn play<S: Subject>(
    subject: &S,
    name: &str,
    mut start: impl FnMut(&mut Command, &mut String) -> Option<ExitStatus>,
) -> (Tally, S::World) {
    let mut tally = Tally::default();
    let mut world = subject.world();
    let mut was_killed = false;
    for number in 1.. {
        let Some(mut command) = subject.next(&world) else { break };
        assert!(number < STARTS_MAX, "{name}: no progress");
        let mut context = format!("{name}, start {number}");
        match start(&mut command, &mut context) {
            None => {
                tally.killed(was_killed);
                subject.look(&mut world, &mut tally, &context);
                was_killed = true;
            }
            Some(status) => {
                subject.ended(&mut world, status, &mut tally, &context);
                was_killed = false;
            }
        }
        // What is wrong already says most.
        if tally.is_spoiled() {
            return (tally, world);
        }
    }
    subject.judge(&mut world, &mut tally, name);
    tally.stories = 1;
    (tally, world)
}

/// Plays a story in which nobody is killed; how many changes its starts make together.
///
/// # Panics
///
/// If anything is wrong with it.
pub fn undisturbed<S: Subject>(subject: &S) -> (usize, S::World) {
    let mut changes = 0;
    let (tally, world) = play(subject, "undisturbed", |command, _| {
        let trace = strace::changes_of(command);
        changes += trace.changes.len();
        trace.status
    });
    assert!(!tally.is_spoiled(), "undisturbed: {tally:?}");
    (changes, world)
}

/// Plays a story in which nobody is killed, or even watched; how many starts it took.
///
/// # Panics
///
/// If anything is wrong with it.
pub fn in_peace<S: Subject>(subject: &S) -> (u32, S::World) {
    let mut starts = 0;
    let (tally, world) = play(subject, "in peace", |command, _| {
        starts += 1;
        Some(to_its_end(command))
    });
    assert!(!tally.is_spoiled(), "in peace: {tally:?}");
    (starts, world)
}

/// Kills after every `stride`-th change of an undisturbed story, each in a story of its own.
pub fn after_every_change<S: Subject>(subject: &S, stride: usize) -> Tally {
    let (changes, _) = undisturbed(subject);
    in_parallel((1..=changes).step_by(stride.max(1)), |n| after_changes(subject, &[n], &format!("killed after {n}")))
}

/// Plays `stories` stories that are killed three times: anywhere, and again in the starts after that.
pub fn three_deep<S: Subject>(subject: &S, stories: u32) -> Tally {
    let (changes, _) = undisturbed(subject);
    in_parallel(1..=u64::from(stories), |seed| {
        let mut random = Random(seed);
        let first = 1 + random.below(changes.saturating_sub(2));
        // A start after a kill begins with what recovers, and need not do again what was done.
        let second = 1 + random.below((changes - first).clamp(10, 60));
        let third = 1 + random.below((changes - first).clamp(10, 40));
        after_changes(subject, &[first, second, third], &format!("seed {seed}"))
    })
}

/// Plays a story with kills after so many changes, each counted from the kill before.
fn after_changes<S: Subject>(subject: &S, counts: &[usize], name: &str) -> Tally {
    let mut counts = counts.iter().copied();
    let mut left = counts.next();
    let (tally, _) = play(subject, name, |command, context| {
        let Some(n) = left else { return Some(to_its_end(command)) };
        let trace = strace::kill_after_change(command, n);
        if trace.status.is_none() {
            let last = trace.changes.last().map_or("", String::as_str);
            *context = format!("{context}, killed after change {n}, {last}");
            left = counts.next();
        } else {
            left = Some(n - trace.changes.len());
        }
        trace.status
    });
    tally
}

/// Kills at random moments, up to `kills_max` times a story, until there were `kills` in all.
///
/// # Panics
///
/// If the program ends before it can be killed.
pub fn at_random<S: Subject>(subject: &S, kills: u32, kills_max: u32, delays: RangeInclusive<Duration>) -> Tally {
    let so_far = Mutex::new(0);
    let seeds = (1..).take_while(|seed| {
        let so_far = *so_far.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(so_far >= kills || *seed < 30 + u64::from(kills), "the program ends before it can be killed");
        so_far < kills
    });
    in_parallel(seeds, |seed| {
        let mut killer = Killer::new(seed).delays(delays.clone());
        let mut left = kills_max;
        let (tally, _) = play(subject, &format!("seed {seed}"), |command, context| {
            if left == 0 {
                return Some(to_its_end(command));
            }
            let status = killer.strike(command);
            if status.is_none() {
                left -= 1;
                *context = format!("{context}, kill {}", kills_max - left);
            }
            status
        });
        *so_far.lock().unwrap_or_else(PoisonError::into_inner) += tally.kills;
        tally
    })
}

fn to_its_end(command: &mut Command) -> ExitStatus {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().expect("the program starts")
}

/// Plays stories side by side, one a processor.
fn in_parallel<T: Send>(stories: impl Iterator<Item = T> + Send, play: impl Fn(T) -> Tally + Sync) -> Tally {
    let (stories, tally) = (Mutex::new(stories), Mutex::new(Tally::default()));
    let workers = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let next = stories.lock().unwrap_or_else(PoisonError::into_inner).next();
                    let Some(story) = next else { return };
                    let figures = play(story);
                    let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
                    tally.add(figures);
                    if tally.spoiled_stories() >= SPOILED_MAX {
                        return;
                    }
                }
            });
        }
    });
    tally.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Enters what is wrong about an exit code.
pub fn check_code(status: ExitStatus, expect: i32, tally: &mut Tally, context: &str) {
    tally.check(status.code() == Some(expect), Wrong::Other, || format!("{context}: {status} where {expect} was due"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestEnv;

    /// A shell script that is to leave one line in `a`, whatever happens.
    struct Script(&'static str);

    impl Subject for Script {
        type World = (TestEnv, bool);

        fn world(&self) -> Self::World {
            (TestEnv::new("/bin/sh"), false)
        }

        fn next(&self, (env, is_done): &Self::World) -> Option<Command> {
            let mut command = env.plain_command(["-c", self.0]);
            command.env("PATH", "/usr/bin:/bin");
            (!is_done).then_some(command)
        }

        fn ended(&self, (_, is_done): &mut Self::World, status: ExitStatus, tally: &mut Tally, context: &str) {
            check_code(status, 0, tally, context);
            *is_done = true;
        }

        fn look(&self, (env, _): &mut Self::World, tally: &mut Tally, context: &str) {
            let is_half = fs_err::read(env.join("a")).is_ok_and(|bytes| bytes.is_empty());
            tally.check(!is_half, Wrong::Unreadable, || context.to_owned());
        }

        fn judge(&self, (env, _): &mut Self::World, tally: &mut Tally, context: &str) {
            let lines = fs_err::read_to_string(env.join("a")).unwrap_or_default().lines().count();
            tally.check(lines >= 1, Wrong::Lost, || context.to_owned());
            tally.check(lines <= 1, Wrong::Repeated, || context.to_owned());
        }
    }

    /// Kills, and what they found of each kind.
    fn found(tally: &Tally) -> (u32, [usize; 4]) {
        let kinds = [Wrong::Lost, Wrong::Repeated, Wrong::Unreadable, Wrong::Other];
        (tally.kills, kinds.map(|kind| tally.count(kind)))
    }

    #[test]
    #[expect(clippy::print_stderr, reason = "what is skipped is said")]
    fn careless_scripts_are_found_out_after_every_change() {
        if !strace::can_trace() {
            eprintln!("SKIPPED: needs strace and the right to trace; `apt-get install strace`");
            return;
        }
        for (script, expect) in [
            ("echo 1 > b; mv b a", (3, [0, 0, 0, 0])),
            // In place: empty for a moment.
            ("echo 1 > a; echo 2 > b", (4, [0, 0, 1, 0])),
            // The second start does again what was done: after the line, and in both moments of `b`.
            ("echo 1 > b; cat b >> a; rm b; true", (5, [0, 2, 1, 0])),
            // Takes what was begun for done.
            ("test -e b || { echo 1 > b; echo 1 > c; mv c a; }", (5, [4, 0, 0, 0])),
            ("test ! -e b || exit 3; echo 1 > b; mv b a", (3, [0, 0, 0, 2])),
        ] {
            assert_eq!(found(&after_every_change(&Script(script), 1)), expect, "{script}");
        }
    }

    #[test]
    #[expect(clippy::print_stderr, reason = "what is skipped is said")]
    fn what_only_a_second_kill_spoils_is_found_three_deep() {
        if !strace::can_trace() {
            eprintln!("SKIPPED: needs strace and the right to trace; `apt-get install strace`");
            return;
        }
        // A start that finds a journal believes it; one that finds the mark of a recovery believes that.
        let script = "if test -e recovering; then rm -f journal recovering; exit 0; fi; \
                      if test -e journal; then echo > recovering; echo 1 > b; mv b a; rm journal recovering; exit 0; fi; \
                      echo 1 > journal; echo 1 > b; mv b a; rm journal";
        assert_eq!(found(&after_every_change(&Script(script), 1)).1, [0; 4]);
        let tally = three_deep(&Script(script), 40);
        assert!(tally.count(Wrong::Lost) > 0 && tally.kills_in_recovery > 0, "{tally}");
    }

    #[test]
    fn random_moments_are_as_many_as_wanted() {
        let script = Script("sleep 0.01; echo 1 > b; sleep 0.01; mv b a; sleep 0.01");
        let tally = at_random(&script, 10, 3, Duration::ZERO..=Duration::from_millis(20));
        assert!(tally.kills >= 10 && !tally.is_spoiled(), "{tally}");
        assert_eq!(in_peace(&script).0, 1);
    }
}
