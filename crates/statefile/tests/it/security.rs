//! What others may put in the place of a file, and who may read what is written.

use std::{
    os::unix::fs::{FileTypeExt, PermissionsExt, symlink},
    path::Path,
    sync::mpsc::channel,
    time::Duration,
};

use statefile::{
    Journal, Lock, LockError, OpenError, Owner, Record, Snapshot, StateFile, Version, copy_aside, create, read,
    read_journal,
};

use super::{Note, clock, lock, names, open};

/// How long anything may take that is to be refused.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs `act`, which must come to an end.
fn ends<T: Send + 'static>(act: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = channel();
    std::thread::spawn(move || drop(sender.send(act())));
    receiver.recv_timeout(PATIENCE).expect("it comes to an end")
}

fn fifo(path: &Path) {
    let made = std::process::Command::new("mkfifo").arg(path).status().unwrap();
    assert!(made.success() && fs_err::metadata(path).unwrap().file_type().is_fifo());
}

fn mode(path: &Path) -> u32 {
    fs_err::metadata(path).unwrap().permissions().mode() & 0o777
}

#[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct Step {
    run: u64,
}

impl Record for Step {
    const KIND: &'static str = "list of steps";
    const VERSION: Version = Version::new(1, 0);
}

fn names_of_trick(dir: &Path) -> std::path::PathBuf {
    dir.join("state")
}

/// Puts something that is no file at a path.
type Trick = fn(&Path);

const TRICKS: [(&str, Trick); 5] = [
    ("a FIFO", fifo),
    ("a link to a FIFO", |path| {
        fifo(&path.with_extension("fifo"));
        symlink(path.with_extension("fifo"), path).unwrap();
    }),
    ("a directory", |path| fs_err::create_dir(path).unwrap()),
    ("a device without end", |path| symlink("/dev/zero", path).unwrap()),
    ("a loop", |path| symlink(path.file_name().unwrap(), path).unwrap()),
];

#[test]
fn what_is_no_file_is_refused_and_never_waited_for() {
    for (name, trick) in TRICKS {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        // Before the trick: the lock of a loop has no place.
        let lock = lock(&dir.path().join("other"));
        trick(&path);
        let before = names(dir.path());
        let journal = path.clone();
        let (state, snapshot, journal, records) = ends(move || {
            let lock = std::sync::Arc::new(lock);
            (
                StateFile::open(&path, lock.clone(), Note::fresh).map(drop),
                Snapshot::<Note>::read(&path).map(drop),
                Journal::<Step>::open(&journal, lock).map(drop),
                read_journal::<Step>(&journal).map(drop),
            )
        });
        let plain = names_of_trick(dir.path());
        ends(move || read(&plain, 10)).expect_err(name);
        for refused in [state, snapshot, journal, records] {
            let error = refused.expect_err(name);
            let is_clear = matches!(error, OpenError::NotAFile { .. }) || name == "a loop";
            assert!(is_clear && error.to_string().contains("/state`"), "{name}: {error}");
        }
        assert_eq!(names(dir.path()), before, "{name}");
    }
}

#[test]
fn a_backup_that_is_no_file_is_not_waited_for() {
    for (name, trick) in TRICKS {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        fs_err::write(&path, "{ damaged").unwrap();
        trick(&dir.path().join("state.bak"));
        let error = ends(move || Snapshot::<Note>::read(&path).map(drop)).expect_err(name);
        assert!(matches!(error, OpenError::Damaged { last_good: None, .. }), "{name}: {error}");
    }
}

#[test]
fn a_backup_that_is_a_link_is_replaced_and_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    let (path, victim) = (dir.path().join("state"), dir.path().join("victim"));
    fs_err::write(&victim, "precious").unwrap();
    symlink("victim", dir.path().join("state.bak")).unwrap();
    let mut file = open(&path);
    file.update(|note| note.count = 1).unwrap();
    file.update(|note| note.count = 2).unwrap();
    assert_eq!(fs_err::read_to_string(&victim).unwrap(), "precious");
    assert!(!fs_err::symlink_metadata(dir.path().join("state.bak")).unwrap().is_symlink());
}

#[test]
fn a_lock_is_never_taken_through_a_link() {
    for target in ["victim", "nowhere"] {
        let dir = tempfile::tempdir().unwrap();
        fs_err::write(dir.path().join("victim"), "precious").unwrap();
        let path = dir.path().join("lock");
        symlink(target, &path).unwrap();
        let error = Lock::acquire(&path, &Owner::current(&clock())).unwrap_err();
        let LockError::Io { source, .. } = &error else { panic!("{error}") };
        assert!(source.to_string().contains("is a symbolic link"), "{source}");
        assert_eq!(fs_err::read_to_string(dir.path().join("victim")).unwrap(), "precious");
        assert_eq!(names(dir.path()), ["lock", "victim"], "nothing was made");
    }
}

#[test]
fn a_lock_that_is_no_file_is_refused_and_never_waited_for() {
    for (name, trick) in TRICKS {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        trick(&path);
        let error = ends(move || Lock::acquire(&path, &Owner::current(&clock())).map(drop)).expect_err(name);
        assert!(matches!(error, LockError::Io { .. }), "{name}: {error}");
    }
}

#[test]
fn a_private_state_stays_private_in_its_backup_copy_and_archive() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    let mut file = open(&path);
    file.update(|note| note.count = 1).unwrap();
    fs_err::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    file.update(|note| note.count = 2).unwrap();
    let copy = dir.path().join("copy");
    assert!(copy_aside(&path, &copy).unwrap());
    assert_eq!(fs_err::read(&copy).unwrap(), fs_err::read(&path).unwrap());
    assert_eq!((mode(&path), mode(&dir.path().join("state.bak")), mode(&copy)), (0o600, 0o600, 0o600));
    let archive = file.archive("done", ".json").unwrap();
    assert_eq!(mode(&archive), 0o600);
}

#[test]
fn a_new_file_follows_no_link_and_overwrites_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("report");
    for target in ["victim", "nowhere"] {
        fs_err::write(dir.path().join("victim"), "precious").unwrap();
        symlink(target, &path).unwrap();
        assert!(!create(&path, b"x").unwrap());
        assert!(!copy_aside(&dir.path().join("victim"), &path).unwrap());
        assert_eq!(fs_err::read_to_string(dir.path().join("victim")).unwrap(), "precious");
        assert_eq!(names(dir.path()), ["report", "victim"]);
        fs_err::remove_file(&path).unwrap();
    }
    assert!(create(&path, b"x").unwrap() && !create(&path, b"y").unwrap());
    assert_eq!(fs_err::read(&path).unwrap(), b"x");
}

#[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct Named {
    name: String,
}

impl Record for Named {
    const KIND: &'static str = "list of names";
    const VERSION: Version = Version::new(1, 0);
}

#[test]
fn a_journal_shows_nothing_that_a_terminal_obeys() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    let names = ["\u{1b}[2J\u{9b}2J", "\u{202e}\u{200b}\u{2028}\u{7f}", "a\nb\r\t\"\\", "é 漢字 🚀", "\0", ""];
    let records = || names.map(|name| Named { name: name.to_owned() });
    let mut journal = Journal::open(&path, lock(&path)).unwrap();
    journal.append(&records()).unwrap();
    let appended = fs_err::read(&path).unwrap();
    journal.compact(&records()).unwrap();
    for text in [appended, fs_err::read(&path).unwrap()] {
        assert!(text.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\n')), "{}", text.escape_ascii());
        assert_eq!(text.split(|byte| *byte == b'\n').count(), 3, "the header, and one line");
    }
    assert_eq!(read_journal::<Named>(&path).unwrap(), records());
}

#[test]
fn a_lock_file_shows_nothing_that_a_terminal_obeys() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lock");
    let owner = Owner { command: "\u{1b}[2J\u{9b}\u{202e}\u{7f}é\n".to_owned(), ..Owner::current(&clock()) };
    let _lock = Lock::acquire(&path, &owner).unwrap();
    let text = fs_err::read(&path).unwrap();
    assert!(text.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\n')), "{}", text.escape_ascii());
    assert_eq!(serde_json::from_slice::<Owner>(&text).unwrap(), owner);
}

#[test]
fn a_file_is_read_up_to_the_limit() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    fs_err::write(&path, "12345").unwrap();
    assert_eq!(read(&path, 5).unwrap(), b"12345");
    assert_eq!(read(&path, 4).unwrap_err().kind(), std::io::ErrorKind::FileTooLarge);
    assert_eq!(read(&path, u64::MAX).unwrap(), b"12345");
}
