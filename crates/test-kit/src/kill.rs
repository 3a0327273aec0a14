//! The kill harness: a program is killed at random moments and started again, until it ends by itself.
//!
//! SIGKILL, so that the program gets no chance to tidy up; what it left is judged after each kill.
//! The moments come from a seed, but which instruction they hit does not: a failure names the seed
//! and the number of the kill, and a test that repeats enough meets it again.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot be set up fails")]

use std::{
    ops::RangeInclusive,
    os::unix::process::ExitStatusExt,
    process::{Command, ExitStatus, Stdio},
    thread,
    time::Duration,
};

/// Kills a program again and again.
///
/// ```
/// use std::{process::Command, time::Duration};
/// use test_kit::Killer;
/// let killer = Killer::new(7).delays(Duration::from_millis(1)..=Duration::from_millis(5)).kills_max(3);
/// let mut seen = 0;
/// let mut sleeper = || { let mut sleep = Command::new("/bin/sleep"); sleep.arg("0.2"); sleep };
/// let report = killer.run(&mut sleeper, |_| seen += 1);
/// assert_eq!((report.kills, seen, report.status.code()), (3, 3, Some(0)));
/// ```
#[derive(Debug, Clone)]
pub struct Killer {
    random: Random,
    delays: RangeInclusive<Duration>,
    kills_max: u32,
}

/// What became of it in the end.
#[derive(Debug, Clone, Copy)]
pub struct KillReport {
    /// How often it was killed.
    pub kills: u32,
    /// How it ended when it was not.
    pub status: ExitStatus,
}

impl Killer {
    /// A killer whose moments follow from `seed`: up to 20 kills, each at most 0.2 s after the start.
    pub fn new(seed: u64) -> Self {
        Self { random: Random(seed), delays: Duration::ZERO..=Duration::from_millis(200), kills_max: 20 }
    }

    /// How long after its start the program is killed.
    #[must_use]
    pub fn delays(mut self, delays: RangeInclusive<Duration>) -> Self {
        self.delays = delays;
        self
    }

    /// How often it is killed before it may run to its end.
    #[must_use]
    pub fn kills_max(mut self, kills_max: u32) -> Self {
        self.kills_max = kills_max;
        self
    }

    /// Starts what `command` gives until it ends by itself; calls `after_kill` with the number of each
    /// kill, from 1.
    ///
    /// # Panics
    ///
    /// If the program cannot be started.
    pub fn run(mut self, mut command: impl FnMut() -> Command, mut after_kill: impl FnMut(u32)) -> KillReport {
        for kills in 0..self.kills_max {
            if let Some(status) = self.strike(&mut command()) {
                return KillReport { kills, status };
            }
            after_kill(kills + 1);
        }
        let status = quiet(&mut command()).status().expect("the program starts");
        KillReport { kills: self.kills_max, status }
    }

    /// Starts a program and kills it after the next random delay; how it ended if that was too late.
    ///
    /// # Panics
    ///
    /// If the program cannot be started.
    #[expect(clippy::disallowed_methods, reason = "the random delay is the point")]
    pub fn strike(&mut self, command: &mut Command) -> Option<ExitStatus> {
        let (least, most) = (*self.delays.start(), *self.delays.end());
        let mut child = quiet(command).spawn().expect("the program starts");
        thread::sleep(least + most.saturating_sub(least).mul_f64(self.random.fraction()));
        // Fails if it has ended; the status tells.
        drop(child.kill());
        let status = child.wait().expect("it was started");
        (status.signal() != Some(SIGKILL)).then_some(status)
    }
}

const SIGKILL: i32 = 9;

fn quiet(command: &mut Command) -> &mut Command {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null())
}

/// A generator of numbers that look random: `SplitMix64`, by Steele, Lea and Flood (2014).
#[derive(Debug, Clone)]
pub struct Random(pub u64);

impl Random {
    /// The next number.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `limit`, or 0.
    pub fn below(&mut self, limit: usize) -> usize {
        // A remainder of a usize fits.
        usize::try_from(self.next_u64() % u64::try_from(limit.max(1)).unwrap_or(1)).unwrap_or_default()
    }

    /// The next number from 0 to 1.
    pub fn fraction(&mut self) -> f64 {
        f64::from(u32::try_from(self.next_u64() >> 32).unwrap_or(u32::MAX)) / f64::from(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_splitmix64() {
        let mut random = Random(1_234_567);
        let first: Vec<u64> = (0..3).map(|_| random.next_u64()).collect();
        assert_eq!(first, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn an_end_of_its_own_is_told_apart_from_a_kill() {
        let mut count = 0;
        let killer = Killer::new(1).delays(Duration::from_secs(1)..=Duration::from_secs(1));
        let report = killer.run(|| Command::new("/bin/false"), |_| count += 1);
        assert_eq!((report.kills, report.status.code(), count), (0, Some(1), 0));
    }
}
