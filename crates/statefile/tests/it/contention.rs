//! Many processes and one state: nobody overlaps, nobody reads a torn document, and trouble with the mount is
//! told and loses nothing.
//!
//! `WAYMARK_CONTENTION=64x10000` sets how many processes take the lock how often; the size here is for every day.

use std::{
    io::{self, BufRead, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use statefile::{CommitError, Lock, LockError, Owner, Snapshot, StateFile};

use super::{Note, clock, names, open};

/// Starts the ignored test `name` of this binary as a process of its own, working in `dir`.
fn process(name: &str, dir: &Path, argument: usize) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", &format!("contention::{name}")]).current_dir(dir);
    command.env("ARGUMENT", argument.to_string()).stdout(Stdio::null()).stderr(Stdio::inherit()).spawn().unwrap()
}

/// What a process of a test is told. Should the test fail, or be killed, the process ends with the thread that started
/// it: one that polls for ever would keep a core busy for ever.
#[expect(clippy::disallowed_methods, reason = "how a test tells its process what to do")]
fn argument() -> usize {
    end_with_the_test();
    std::env::var("ARGUMENT").unwrap().parse().unwrap()
}

fn end_with_the_test() {
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL)).unwrap();
}

/// Processes, and acquisitions of each.
#[expect(clippy::disallowed_methods, reason = "the long run is on demand")]
fn size() -> (usize, usize) {
    let text = std::env::var("WAYMARK_CONTENTION").unwrap_or_else(|_| "8x50".to_owned());
    let (processes, times) = text.split_once('x').expect("PROCESSESxTIMES");
    (processes.parse().unwrap(), times.parse().unwrap())
}

/// Takes the lock; gives way while another has it.
fn acquire(path: &Path) -> Lock {
    loop {
        match Lock::acquire(path, &Owner::current(&clock())) {
            Ok(lock) => return lock,
            Err(LockError::InUse { .. }) => std::thread::yield_now(),
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn holders_never_overlap() {
    let (processes, times) = size();
    let dir = tempfile::tempdir().unwrap();
    let mut children: Vec<_> = (0..processes).map(|_| process("a_holder", dir.path(), times)).collect();
    assert!(children.iter_mut().all(|child| child.wait().unwrap().success()), "two held the lock at once");
    // Each counted every time it held the lock, and no one's count was overwritten.
    let count = counted(&dir.path().join("count"));
    eprintln!("evidence: {processes} processes, {count} of {} acquisitions, 0 overlaps", processes * times);
    assert_eq!(count, processes * times);
}

/// The number in a file; 0 where there is none.
fn counted(path: &Path) -> usize {
    fs_err::read_to_string(path).map_or(0, |text| text.parse().unwrap())
}

#[test]
#[ignore = "a process that holders_never_overlap starts"]
fn a_holder() {
    for _ in 0..argument() {
        let lock = acquire(Path::new("state.lock"));
        // Only one can be the one who makes it.
        fs_err::OpenOptions::new().write(true).create_new(true).open("held").unwrap();
        // Read, then write: a lost update shows in the sum.
        let count = counted(Path::new("count"));
        fs_err::write("count", (count + 1).to_string()).unwrap();
        fs_err::remove_file("held").unwrap();
        drop(lock);
    }
}

/// Two programs update in turns, eight poll: every reader sees whole documents whose counter never goes back.
#[test]
fn readers_never_see_a_torn_document() {
    const UPDATES: usize = 150;
    let dir = tempfile::tempdir().unwrap();
    let mut readers: Vec<_> = (0..8).map(|_| process("a_reader", dir.path(), 2 * UPDATES)).collect();
    let mut writers: Vec<_> = (0..2).map(|_| process("a_writer", dir.path(), UPDATES)).collect();
    assert!(writers.iter_mut().all(|child| child.wait().unwrap().success()), "a writer failed");
    assert!(readers.iter_mut().all(|child| child.wait().unwrap().success()), "a reader saw what never was");
    assert_eq!(open(&dir.path().join("state.json")).document().count, 2 * UPDATES as u64);
}

#[test]
#[ignore = "a process that readers_never_see_a_torn_document starts"]
fn a_writer() {
    for _ in 0..argument() {
        let lock = acquire(&StateFile::<Note>::lock_path(Path::new("state.json")));
        let mut file = StateFile::open("state.json", lock, Note::fresh).unwrap();
        file.update(|note| {
            note.count += 1;
            note.text = format!("{}", note.count).repeat(2_000);
        })
        .unwrap();
    }
}

#[test]
#[ignore = "a process that readers_never_see_a_torn_document starts"]
fn a_reader() {
    let (last, mut seen) = (argument() as u64, 0);
    while seen < last {
        let Some(snapshot) = Snapshot::<Note>::read(Path::new("state.json")).unwrap() else { continue };
        let note = snapshot.document;
        assert_eq!(note.text, format!("{}", note.count).repeat(2_000));
        assert!(note.count >= seen);
        seen = note.count;
    }
}

/// A holder that is stopped, not dead, still holds.
#[test]
fn a_stopped_holder_still_holds() {
    let dir = tempfile::tempdir().unwrap();
    let lock = dir.path().join("state.lock");
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "--nocapture", "contention::one_who_never_ends"]).current_dir(dir.path());
    let mut holder = command.stdout(Stdio::piped()).spawn().unwrap();
    let said = io::BufReader::new(holder.stdout.take().unwrap());
    assert!(said.lines().any(|line| line.unwrap().contains("HOLDING")));
    let signal = |name| rustix::process::kill_process(rustix::process::Pid::from_child(&holder), name).unwrap();
    signal(rustix::process::Signal::STOP);
    let refusal = Lock::acquire(&lock, &Owner::current(&clock())).unwrap_err();
    let LockError::InUse { holder: Some(owner), .. } = refusal else { panic!("{refusal}") };
    assert_eq!((owner.pid, owner.is_dead()), (holder.id(), false));
    signal(rustix::process::Signal::KILL);
    holder.wait().unwrap();
    Lock::acquire(&lock, &Owner::current(&clock())).expect("the kernel freed it");
}

#[test]
#[ignore = "a process that a_stopped_holder_still_holds starts and kills"]
fn one_who_never_ends() {
    end_with_the_test();
    let _lock = acquire(Path::new("state.lock"));
    writeln!(io::stdout(), "HOLDING").unwrap();
    loop {
        std::thread::park();
    }
}

/// What the lock file says matters only while the kernel says that it is held: the number of a dead holder may
/// be that of a living process by now, and its host may be gone.
#[test]
fn a_record_of_a_holder_that_is_gone_stops_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.lock");
    let check = |owner: Owner| {
        fs_err::write(&path, serde_json::to_vec(&owner).unwrap()).unwrap();
        Lock::acquire(&path, &Owner::current(&clock())).unwrap_or_else(|error| panic!("{owner}: {error}"));
    };
    let me = Owner::current(&clock());
    check(Owner { pid: std::os::unix::process::parent_id(), ..me.clone() });
    check(Owner { host: "a-host-that-burnt-down".to_owned(), ..me.clone() });
    check(Owner { pid: u32::MAX, ..me });
    fs_err::write(&path, b"\0\0not a record").unwrap();
    Lock::acquire(&path, &Owner::current(&clock())).unwrap();
}

/// A small file system of its own, in a namespace of its own: `None` where that is not permitted.
fn in_small_file_system(name: &str, dir: &Path) -> Option<bool> {
    let test = std::env::current_exe().unwrap();
    let script = "mount -t tmpfs -o size=128k tmpfs \"$1\" || exit 77; cd \"$1\"; shift; exec \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", script, "sh"]).arg(dir).arg(test);
    command.args(["--ignored", "--exact", &format!("contention::{name}")]).stdout(Stdio::null());
    let status = command.status().ok()?;
    // 1 is unshare's own, without the right to make a namespace.
    (status.code() != Some(77)).then_some(status.success())
}

#[test]
fn a_full_or_read_only_file_system_is_told_and_loses_nothing() {
    for name in ["a_writer_on_a_full_disk", "a_writer_on_a_read_only_disk"] {
        let dir = tempfile::tempdir().unwrap();
        match in_small_file_system(name, dir.path()) {
            Some(is_good) => assert!(is_good, "{name}"),
            None => {
                writeln!(io::stdout(), "SKIPPED {name}: needs the right to mount; run the tests as root").unwrap();
            }
        }
    }
}

fn updated(file: &mut StateFile<Note>, text: &str) -> Result<(), CommitError> {
    file.update(|note| {
        note.count += 1;
        text.clone_into(&mut note.text);
    })
}

/// Whether the cause of a failed update is the error `kind`.
fn is_caused_by(error: &CommitError, kind: io::ErrorKind) -> bool {
    matches!(error, CommitError::Write { source, .. } if source.kind() == kind)
}

#[test]
#[ignore = "a process that a_full_or_read_only_file_system_is_told_and_loses_nothing starts"]
fn a_writer_on_a_full_disk() {
    let path = PathBuf::from("state.json");
    updated(&mut open(&path), "good").unwrap();
    // Fill the disk to the last block, then go on in the room that is left.
    let mut filler = fs_err::File::create("filler").unwrap();
    while filler.write_all(&[0; 512]).is_ok() {}
    let error = updated(&mut open(&path), &"much".repeat(10_000)).unwrap_err();
    assert!(is_caused_by(&error, io::ErrorKind::StorageFull), "{error:?}");
    let seen = Snapshot::<Note>::read(&path).unwrap().unwrap().document;
    assert_eq!((seen.count, seen.text.as_str()), (1, "good"));
    drop(filler);
    fs_err::remove_file("filler").unwrap();
    updated(&mut open(&path), "better").unwrap();
    assert_eq!(names(Path::new(".")), ["state.json", "state.json.bak", "state.json.lock"]);
}

#[test]
#[ignore = "a process that a_full_or_read_only_file_system_is_told_and_loses_nothing starts"]
fn a_writer_on_a_read_only_disk() {
    let path = PathBuf::from("state.json");
    let mut file = open(&path);
    updated(&mut file, "good").unwrap();
    drop(file);
    let here = std::env::current_dir().unwrap();
    assert!(Command::new("mount").args(["-o", "remount,ro"]).arg(here).status().unwrap().success());
    // Readers need no write access; a writer is told at once.
    assert_eq!(Snapshot::<Note>::read(&path).unwrap().unwrap().document.text, "good");
    let error = Lock::acquire(StateFile::<Note>::lock_path(&path), &Owner::current(&clock())).unwrap_err();
    assert!(
        matches!(&error, LockError::Io { source, .. } if source.kind() == io::ErrorKind::ReadOnlyFilesystem),
        "{error:?}"
    );
}
