//! What one process can try by itself: flushes, renames, links, names, permissions, listings.

use std::{
    ffi::OsStr,
    io::{self, Read, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use fs_err as fs;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use statefile::{move_aside, replace};

use super::{Bench, Promise, Tried, figure, one, step};
use crate::judge::{self, Flaws, Flushes};

const FLUSHES_WANTED: usize = 60;
const FLUSH_BUDGET_PERCENT: u32 = 10;
/// About the size of a state file.
const FLUSHED_BYTES: usize = 4_096;

/// Flushes files and directories as an update does, and measures.
pub(super) fn durability(bench: &Bench<'_>) -> Tried {
    let dir = bench.directory("flush")?;
    let deadline = bench.deadline(FLUSH_BUDGET_PERCENT);
    let (mut file_us, mut directory_us, mut flaws) = (Vec::new(), Vec::new(), Flaws::default());
    for round in 0..FLUSHES_WANTED {
        bench.go_on()?;
        let measure = |flush: &dyn Fn() -> io::Result<()>| {
            let start = bench.now();
            flush().map(|()| bench.since(start).as_secs_f64() * 1e6)
        };
        let once = || -> io::Result<(f64, f64)> {
            let (path, target) = (dir.join(format!("new-{round}")), dir.join("file"));
            let mut file = fs::File::create(&path)?;
            file.write_all(&[b'x'; FLUSHED_BYTES])?;
            let of_file = measure(&|| file.sync_all())?;
            fs::rename(&path, &target)?;
            Ok((of_file, measure(&|| fs::File::open(&dir)?.sync_all())?))
        };
        match once() {
            Ok((of_file, of_directory)) => {
                file_us.push(of_file);
                directory_us.push(of_directory);
            }
            Err(error) => {
                flaws.add(format!("a flush failed: {error}"));
                break;
            }
        }
        if bench.now() > deadline && round >= 4 {
            break;
        }
    }
    let count = figure(file_us.len() as u64);
    let (file, directory) = (Flushes::of(file_us), Flushes::of(directory_us));
    let measured = [
        ("flushes", count),
        ("file_p50_us", rounded(file.p50)),
        ("file_p99_us", rounded(file.p99)),
        ("directory_p50_us", rounded(directory.p50)),
        ("directory_p99_us", rounded(directory.p99)),
    ];
    Ok(one(Promise::Durability, judge::durability(bench.mount, file, directory, &flaws), measured))
}

fn rounded(microseconds: f64) -> f64 {
    (microseconds * 10.0).round() / 10.0
}

/// Renames over a file that is being read, renames to a free name only, hard and symbolic links.
pub(super) fn rename(bench: &Bench<'_>) -> Tried {
    let dir = bench.directory("rename")?;
    let mut flaws = Flaws::default();
    let is = |path: &Path, content: &str| fs::read(path).map(|found| found == content.as_bytes());

    let (old, new) = (dir.join("old"), dir.join("new"));
    let over = || -> io::Result<bool> {
        fs::write(&old, "old")?;
        fs::write(&new, "new")?;
        let mut reader = fs::File::open(&old)?;
        fs::rename(&new, &old)?;
        let mut seen = String::new();
        reader.read_to_string(&mut seen)?;
        Ok(seen == "old" && is(&old, "new")? && !new.try_exists()?)
    };
    step(&mut flaws, "a rename over a file that is being read does not leave old and new whole", over());

    let free = || -> io::Result<bool> {
        fs::write(&new, "third")?;
        let refused = !move_aside(&new, &old)?;
        Ok(refused && is(&old, "new")? && move_aside(&new, &dir.join("free"))? && !new.try_exists()?)
    };
    step(&mut flaws, "a rename to a free name does not work, or overwrites", free());
    let is_native = renameat_with(CWD, &old, CWD, &new, RenameFlags::NOREPLACE).is_ok();
    if is_native {
        step(&mut flaws, "a rename back does not work", fs::rename(&new, &old).map(|()| true));
    }

    // Where there are no hard links, the generation before is copied.
    let link = dir.join("link");
    let has_links = fs::hard_link(&old, &link).is_ok();
    if has_links {
        let kept = || replace(&old, b"fourth").and_then(|()| Ok(is(&link, "new")? && is(&old, "fourth")?));
        step(&mut flaws, "a replaced file changes its second name, too", kept());
    }

    // Where there are no symbolic links, there is none to follow.
    let symbolic = dir.join("symbolic");
    let has_symlinks = std::os::unix::fs::symlink("old", &symbolic).is_ok();
    if has_symlinks {
        let followed = || {
            replace(&symbolic, b"fifth")?;
            Ok(fs::symlink_metadata(&symbolic)?.is_symlink() && is(&old, "fifth")?)
        };
        step(&mut flaws, "a symbolic link is not followed, or replaced", followed());
    }
    let how = |has: bool, yes: &'static str, no: &'static str| if has { yes } else { no };
    let kept = format!(
        "old and new whole for a reader in the middle; nothing overwritten ({}); {}; {}",
        how(is_native, "by the system's own call", "by a link, since the system's own call is missing"),
        how(has_links, "hard links", "no hard links: the generation before is copied"),
        how(has_symlinks, "symbolic links followed", "no symbolic links"),
    );
    Ok(one(Promise::Rename, judge::steps(&flaws, kept), []))
}

/// Names as programs make them; a long one of 200 bytes comes on top.
const NAMES: [&str; 5] = [".state.json", "state.json.tmp-aB3dE9", "two words.jsonl", "µ-größe.log", "a=b,c%2E.json"];
const LISTINGS: usize = 50;

/// Names come back as they were given, permissions stay, and a listing is true at once.
pub(super) fn names(bench: &Bench<'_>) -> Tried {
    let dir = bench.directory("names")?;
    let mut flaws = Flaws::default();
    let long = "n".repeat(200);
    for name in NAMES.into_iter().chain([long.as_str()]) {
        let there = fs::write(dir.join(name), name).and_then(|()| listed(&dir, name));
        step(&mut flaws, &format!("a file named `{name}` is not listed under that name"), there);
    }

    let mut has_modes = true;
    let mut permissions = || -> io::Result<bool> {
        let path = dir.join("secret");
        let mode_of = |path: &Path| fs::metadata(path).map(|found| found.permissions().mode() & 0o777);
        for mode in [0o600, 0o640, 0o664] {
            fs::write(&path, "old")?;
            fs::set_permissions(&path, std::fs::Permissions::from_mode(mode))?;
            let before = mode_of(&path)?;
            // Some mounts have one mode for all files.
            has_modes &= before == mode;
            replace(&path, b"new")?;
            if mode_of(&path)? != before {
                return Ok(false);
            }
        }
        Ok(true)
    };
    step(&mut flaws, "permissions are not kept, so others may read or nobody may write", permissions());

    for round in 0..LISTINGS {
        bench.go_on()?;
        let name = format!("listed-{round}");
        let seen = || -> io::Result<bool> {
            fs::write(dir.join(&name), "")?;
            let is_seen = listed(&dir, &name)?;
            fs::remove_file(dir.join(&name))?;
            Ok(is_seen && !listed(&dir, &name)?)
        };
        if !step(&mut flaws, "a new file is not listed at once, or a removed one still is", seen()) {
            break;
        }
    }
    let kept = format!("{} unusual names, three modes, {LISTINGS} new files listed at once", NAMES.len() + 1);
    Ok(one(Promise::Names, judge::names(&flaws, has_modes, kept), [("listings", figure(LISTINGS as u64))]))
}

fn listed(dir: &Path, name: &str) -> io::Result<bool> {
    for entry in fs::read_dir(dir)? {
        if entry?.file_name() == OsStr::new(name) {
            return Ok(true);
        }
    }
    Ok(false)
}
