//! From what was measured to a verdict: pure functions, a row of a table each.

use super::{FileSystem, Mount, Verdict};

/// A verdict and its reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Judgement {
    pub(super) verdict: Verdict,
    pub(super) detail: String,
    pub(super) advice: Option<String>,
}

impl Judgement {
    pub(super) fn kept(detail: impl Into<String>) -> Self {
        Self { verdict: Verdict::Kept, detail: detail.into(), advice: None }
    }

    pub(super) fn unknown(detail: impl Into<String>) -> Self {
        Self { verdict: Verdict::Unknown, detail: detail.into(), advice: None }
    }

    pub(super) fn broken(detail: impl Into<String>) -> Self {
        Self { verdict: Verdict::Broken, detail: detail.into(), advice: None }
    }

    fn advice(self, advice: impl Into<String>) -> Self {
        Self { advice: Some(advice.into()), ..self }
    }
}

/// What was seen that must not be: all counted, the first one told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Flaws {
    pub(super) count: usize,
    pub(super) first: Option<String>,
}

impl Flaws {
    pub(super) fn add(&mut self, what: impl Into<String>) {
        self.count += 1;
        self.first.get_or_insert_with(|| what.into());
    }

    pub(super) fn and(mut self, other: Self) -> Self {
        self.count += other.count;
        self.first = self.first.or(other.first);
        self
    }
}

/// A flaw in words, with how many there were.
fn told(flaws: &Flaws) -> Option<String> {
    let first = flaws.first.as_deref()?;
    Some(match flaws.count {
        1 => first.to_owned(),
        count => format!("{first} (and {} more)", count - 1),
    })
}

const NO_STATE_HERE: &str = "keep state on a local file system (ext4, xfs), or on another mount that passes";

/// Readers polled while a writer replaced.
pub(super) fn replacement(updates: u64, reads: u64, flaws: &Flaws) -> Judgement {
    if let Some(told) = told(flaws) {
        return Judgement::broken(format!("{told}, in {updates} updates and {reads} reads")).advice(NO_STATE_HERE);
    }
    let detail = format!("{updates} updates, {reads} reads meanwhile: each a whole document, none absent, none older");
    if updates < SAMPLES_MIN || reads < SAMPLES_MIN {
        return Judgement::unknown(format!("too little in the time to say: {detail}")).advice(MORE_TIME);
    }
    Judgement::kept(detail)
}

const SAMPLES_MIN: u64 = 10;
const MORE_TIME: &str = "give it more time with `--selftest-seconds`";

/// A writer was killed at random moments, `in_the_middle` of a write so often; `what` it wrote.
pub(super) fn kill(what: &str, kills: u64, in_the_middle: u64, flaws: &Flaws) -> Judgement {
    if let Some(told) = told(flaws) {
        return Judgement::broken(format!("{told}, in {kills} kills")).advice(NO_STATE_HERE);
    }
    let detail = format!(
        "{kills} kills at random moments, {in_the_middle} seen to be in the middle of a write: each time the last \
         acknowledged {what} or the next"
    );
    if kills < SAMPLES_MIN {
        return Judgement::unknown(format!("too little in the time to say: {detail}")).advice(MORE_TIME);
    }
    Judgement::kept(detail)
}

/// Processes of this host met at a lock.
pub(super) fn lock(rounds: u64, flaws: &Flaws, mount: &Mount) -> Judgement {
    match told(flaws) {
        Some(told) => Judgement::broken(told).advice(match mount.kind.as_str() {
            "lustre" => "mount it with `-o flock`",
            "nfs" | "nfs4" => "mount it without `nolock`, and see that the lock service runs (NFS 4 has its own)",
            _ => NO_STATE_HERE,
        }),
        None => Judgement::kept(format!(
            "{rounds} rounds of two processes: the second refused, the holder named, its lock free after kill -9"
        )),
    }
}

/// Whether a lock excludes processes of other hosts.
pub(super) fn lock_across_hosts(mount: &Mount) -> Judgement {
    let kind = &mount.kind;
    let two_hosts = "run the same command with one state directory on two hosts at once: the second must end with \
                     `is held by`; until then start it on one host only";
    let local = ["nolock", "local_lock=all", "local_lock=flock", "localflock"].into_iter().find(|name| mount.has(name));
    match (mount.file_system, local) {
        (FileSystem::Disk | FileSystem::Memory | FileSystem::Layer, _) => {
            Judgement::kept(format!("{kind} here is of this host alone, so there is nobody else to exclude"))
        }
        (_, Some(option)) => {
            Judgement::broken(format!("mounted with `{option}`: two hosts may hold one lock at the same time"))
                .advice("mount it without that option, or start the program on one host only")
        }
        (FileSystem::Network, None) => {
            Judgement::unknown(format!("one host cannot try it; on {kind} it depends on the mount and its server"))
                .advice(two_hosts)
        }
        (FileSystem::Program | FileSystem::Other, None) => {
            Judgement::unknown(format!("one host cannot try it, and little is known of {kind}")).advice(two_hosts)
        }
    }
}

/// How long flushes took, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Flushes {
    pub(super) p50: f64,
    pub(super) p99: f64,
}

impl Flushes {
    /// The quantiles of what was measured.
    pub(super) fn of(mut microseconds: Vec<f64>) -> Self {
        microseconds.sort_by(f64::total_cmp);
        let at = |percent: usize| {
            let last = microseconds.len().saturating_sub(1);
            microseconds.get((last * percent).div_ceil(100)).copied().unwrap_or_default()
        };
        Self { p50: at(50), p99: at(99) }
    }
}

/// Files and directories were flushed.
pub(super) fn durability(mount: &Mount, file: Flushes, directory: Flushes, flaws: &Flaws) -> Judgement {
    if let Some(told) = told(flaws) {
        return Judgement::broken(told).advice(NO_STATE_HERE);
    }
    let kind = &mount.kind;
    let detail = format!(
        "flush of a file {} (p99 {}), of a directory {} (p99 {})",
        time(file.p50),
        time(file.p99),
        time(directory.p50),
        time(directory.p99)
    );
    match mount.file_system {
        FileSystem::Memory => {
            return Judgement::broken(format!("{kind} is memory: nothing outlives a reboot"))
                .advice("fine for rehearsals; keep state on a disk");
        }
        // The kernel's own spelling in the table of mounts, and that of whoever mounts.
        FileSystem::Layer if mount.has("volatile") || mount.has("fsync=volatile") => {
            return Judgement::broken("mounted with `volatile`: flushes are left out")
                .advice("mount a volume for the state, or leave the option out");
        }
        _ => {}
    }
    if file.p50.min(directory.p50) < FLUSH_MICROSECONDS_MIN {
        return Judgement::unknown(format!("{detail}: faster than any disk, so it probably does not reach one"))
            .advice(
                "see whether something leaves flushes out: a library such as eatmydata, a virtual disk with \
             `cache=unsafe`, a container's layer",
            );
    }
    if let Some(option) = ["nobarrier", "barrier=0"].into_iter().find(|option| mount.has(option)) {
        return Judgement::unknown(format!("{detail}; mounted with `{option}`: the disk's own cache is not flushed"))
            .advice("mount it without that option, unless the cache has a battery");
    }
    match mount.file_system {
        FileSystem::Network => {
            Judgement::unknown(format!("{detail}, says the server; whether it asks its disk is not to be seen"))
                .advice("see that the server does not acknowledge early (NFS: `sync`, not `async`, in its exports)")
        }
        FileSystem::Program | FileSystem::Other => {
            Judgement::unknown(format!("{detail}; what {kind} does with it is not to be seen"))
                .advice("ask whoever runs the file system whether fsync reaches a disk; else keep state elsewhere")
        }
        FileSystem::Disk | FileSystem::Layer | FileSystem::Memory => Judgement::kept(detail),
    }
}

/// No disk answers within that, not even one with a battery behind its cache.
const FLUSH_MICROSECONDS_MIN: f64 = 5.0;

fn time(microseconds: f64) -> String {
    match microseconds {
        less if less < 10.0 => format!("{less:.1} µs"),
        less if less < 1_000.0 => format!("{less:.0} µs"),
        less if less < 100_000.0 => format!("{:.1} ms", less / 1_000.0),
        more => format!("{:.2} s", more / 1_000_000.0),
    }
}

/// A handful of steps, each of which did what it should or did not; `kept` says what they were.
pub(super) fn steps(flaws: &Flaws, kept: String) -> Judgement {
    match told(flaws) {
        Some(told) => Judgement::broken(told).advice(NO_STATE_HERE),
        None => Judgement::kept(kept),
    }
}

/// Names and permissions came back; `has_modes` says whether permissions can be set at all.
pub(super) fn names(flaws: &Flaws, has_modes: bool, kept: String) -> Judgement {
    let judgement = steps(flaws, kept);
    if has_modes || judgement.verdict == Verdict::Broken {
        return judgement;
    }
    Judgement::unknown(format!("{}; who may read a file is decided by the mount, not by the file", judgement.detail))
        .advice("see that its options let nobody read who must not")
}

/// Writers got no more room; `ways` says how.
pub(super) fn room(ways: &[&str], flaws: &Flaws) -> Judgement {
    if let Some(told) = told(flaws) {
        return Judgement::broken(told).advice(NO_STATE_HERE);
    }
    if ways.is_empty() {
        return Judgement::unknown("no limit of a file's size had an effect, and the disk itself was not filled")
            .advice("see that somebody is told before this file system is full");
    }
    Judgement::kept(format!(
        "{}: nothing lost, and the next start goes on (the disk itself was not filled, since others use it)",
        ways.join("; ")
    ))
}

#[cfg(test)]
mod tests;
