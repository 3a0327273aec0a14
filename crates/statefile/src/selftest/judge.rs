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
mod tests {
    use super::*;
    use Verdict::{Broken, Kept, Unknown};

    fn mount(kind: &str, file_system: FileSystem, options: &str) -> Mount {
        Mount {
            kind: kind.to_owned(),
            file_system,
            mount_point: None,
            source: None,
            options: options.split(',').map(str::to_owned).collect(),
            free_bytes: 1,
            free_files: None,
        }
    }

    fn flaws(count: usize) -> Flaws {
        Flaws { count, first: (count > 0).then(|| "a torn read".to_owned()) }
    }

    #[test]
    fn reads_and_kills() {
        for (samples, bad, expect) in [(0, 0, Unknown), (9, 0, Unknown), (10, 0, Kept), (10, 1, Broken), (0, 1, Broken)]
        {
            assert_eq!(replacement(samples, 1_000, &flaws(bad)).verdict, expect, "{samples} updates");
            assert_eq!(replacement(1_000, samples, &flaws(bad)).verdict, expect, "{samples} reads");
            assert_eq!(kill("document", samples, 0, &flaws(bad)).verdict, expect, "{samples} kills");
        }
        assert!(replacement(1, 1, &flaws(3)).detail.starts_with("a torn read (and 2 more)"));
    }

    #[test]
    fn locks_of_other_hosts() {
        for (kind, file_system, options, expect) in [
            ("ext4", FileSystem::Disk, "rw", Kept),
            ("tmpfs", FileSystem::Memory, "rw", Kept),
            ("overlay", FileSystem::Layer, "rw", Kept),
            ("nfs4", FileSystem::Network, "rw,local_lock=none", Unknown),
            ("nfs", FileSystem::Network, "rw,nolock", Broken),
            ("nfs", FileSystem::Network, "rw,local_lock=flock", Broken),
            ("nfs", FileSystem::Network, "rw,local_lock=posix", Unknown),
            ("lustre", FileSystem::Network, "rw,flock", Unknown),
            ("lustre", FileSystem::Network, "rw,localflock", Broken),
            ("fuse.x", FileSystem::Program, "rw", Unknown),
            ("0x1", FileSystem::Other, "rw", Unknown),
        ] {
            let judgement = lock_across_hosts(&mount(kind, file_system, options));
            assert_eq!(judgement.verdict, expect, "{kind} {options}");
            assert_eq!(judgement.advice.is_none(), expect == Kept, "{kind} {options}");
        }
    }

    #[test]
    fn a_lock_that_does_not_work() {
        for (kind, expect) in [("lustre", "-o flock"), ("nfs", "nolock"), ("ext4", "local file system")] {
            let judgement = lock(3, &flaws(1), &mount(kind, FileSystem::Other, ""));
            assert_eq!(judgement.verdict, Broken);
            assert!(judgement.advice.is_some_and(|advice| advice.contains(expect)), "{kind}");
        }
        assert_eq!(lock(3, &flaws(0), &mount("ext4", FileSystem::Disk, "")).verdict, Kept);
    }

    #[test]
    fn what_a_flush_is_worth() {
        for (kind, file_system, options, file, directory, bad, expect) in [
            ("ext4", FileSystem::Disk, "rw", 800.0, 900.0, 0, Kept),
            ("ext4", FileSystem::Disk, "rw", 0.4, 900.0, 0, Unknown), // does not reach the disk
            ("ext4", FileSystem::Disk, "rw", 800.0, 4.9, 0, Unknown),
            ("ext4", FileSystem::Disk, "rw", 5.0, 5.0, 0, Kept),
            ("ext4", FileSystem::Disk, "rw,nobarrier", 800.0, 900.0, 0, Unknown),
            ("ext4", FileSystem::Disk, "rw", 800.0, 900.0, 1, Broken), // a flush failed
            ("tmpfs", FileSystem::Memory, "rw", 0.4, 0.4, 0, Broken),
            ("tmpfs", FileSystem::Memory, "rw", 800.0, 900.0, 0, Broken), // however slow
            ("overlay", FileSystem::Layer, "rw", 800.0, 900.0, 0, Kept),
            ("overlay", FileSystem::Layer, "rw,volatile", 800.0, 900.0, 0, Broken),
            ("overlay", FileSystem::Layer, "rw,uuid=on,fsync=volatile", 0.4, 0.4, 0, Broken),
            ("overlay", FileSystem::Layer, "rw", 1.0, 1.0, 0, Unknown),
            ("nfs4", FileSystem::Network, "rw", 800.0, 900.0, 0, Unknown),
            ("fuse", FileSystem::Program, "rw", 800.0, 900.0, 0, Unknown),
            ("0x1", FileSystem::Other, "rw", 800.0, 900.0, 0, Unknown),
        ] {
            let of = |p50| Flushes { p50, p99: p50 };
            let judgement = durability(&mount(kind, file_system, options), of(file), of(directory), &flaws(bad));
            assert_eq!(judgement.verdict, expect, "{kind} {options} {file} {directory}: {judgement:?}");
            assert_eq!(judgement.advice.is_none(), expect == Kept, "{kind}");
        }
    }

    #[test]
    fn quantiles() {
        for (measured, expect) in [
            (vec![], (0.0, 0.0)),
            (vec![3.0], (3.0, 3.0)),
            (vec![3.0, 1.0, 2.0], (2.0, 3.0)),
            ((0..=100).rev().map(f64::from).collect(), (50.0, 99.0)),
        ] {
            let Flushes { p50, p99 } = Flushes::of(measured);
            assert_eq!((p50, p99), expect);
        }
        for (microseconds, expect) in [(0.42, "0.4 µs"), (42.0, "42 µs"), (4_200.0, "4.2 ms"), (420_000.0, "0.42 s")]
        {
            assert_eq!(time(microseconds), expect);
        }
    }

    #[test]
    fn permissions_of_the_mount() {
        for (bad, has_modes, expect) in [(0, true, Kept), (0, false, Unknown), (1, true, Broken), (1, false, Broken)] {
            assert_eq!(names(&flaws(bad), has_modes, "six names".to_owned()).verdict, expect, "{bad} {has_modes}");
        }
    }

    #[test]
    fn no_more_room() {
        for (ways, bad, expect) in [(&["told"][..], 0, Kept), (&[], 0, Unknown), (&["told"], 1, Broken)] {
            assert_eq!(room(ways, &flaws(bad)).verdict, expect);
        }
    }

    #[test]
    fn flaws_are_counted_and_the_first_is_told() {
        let mut one = Flaws::default();
        one.add("first");
        one.add("second");
        let both = Flaws::default().and(one.clone()).and(one);
        assert_eq!(both, Flaws { count: 4, first: Some("first".to_owned()) });
    }
}
