//! Rows: what was measured, and the verdict.

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
    for (samples, bad, expect) in [(0, 0, Unknown), (9, 0, Unknown), (10, 0, Kept), (10, 1, Broken), (0, 1, Broken)] {
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
    for (microseconds, expect) in [(0.42, "0.4 µs"), (42.0, "42 µs"), (4_200.0, "4.2 ms"), (420_000.0, "0.42 s")] {
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
