//! A file is replaced as a whole, keeps its mode, and is found through links.

use std::{
    os::unix::fs::{PermissionsExt, symlink},
    sync::atomic::{AtomicBool, Ordering},
};

use statefile::{remove_leftovers, replace};

use super::names;

fn mode(path: &std::path::Path) -> u32 {
    fs_err::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn the_mode_of_an_existing_file_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    for wanted in [0o600, 0o640, 0o664, 0o400] {
        let path = dir.path().join(format!("{wanted:o}"));
        fs_err::write(&path, "old").unwrap();
        fs_err::set_permissions(&path, PermissionsExt::from_mode(wanted)).unwrap();
        replace(&path, b"new").unwrap();
        assert_eq!((mode(&path), fs_err::read(&path).unwrap()), (wanted, b"new".to_vec()));
    }
}

#[test]
fn a_new_file_has_the_mode_that_any_new_file_has() {
    let dir = tempfile::tempdir().unwrap();
    let (ours, plain) = (dir.path().join("ours"), dir.path().join("plain"));
    replace(&ours, b"x").unwrap();
    fs_err::write(&plain, "x").unwrap();
    assert_eq!(mode(&ours), mode(&plain));
}

#[test]
fn a_symbolic_link_is_followed() {
    let dir = tempfile::tempdir().unwrap();
    let elsewhere = dir.path().join("elsewhere");
    fs_err::create_dir(&elsewhere).unwrap();
    // A link to a link to a file that does not exist yet.
    symlink("elsewhere/target", dir.path().join("second")).unwrap();
    symlink("second", dir.path().join("first")).unwrap();
    for text in ["one", "two"] {
        replace(&dir.path().join("first"), text.as_bytes()).unwrap();
        assert_eq!(fs_err::read_to_string(elsewhere.join("target")).unwrap(), text);
    }
    assert!(fs_err::symlink_metadata(dir.path().join("first")).unwrap().is_symlink());
    assert_eq!(names(&elsewhere), ["target"]);

    symlink("loop", dir.path().join("loop")).unwrap();
    let error = replace(&dir.path().join("loop"), b"x").unwrap_err();
    assert!(error.to_string().contains("too many symbolic links"), "{error}");
}

#[test]
fn a_failure_names_the_path_and_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let error = replace(&dir.path().join("missing/state"), b"x").unwrap_err();
    assert!(error.to_string().contains("missing"), "{error}");
    // A directory in the place of the file: the rename fails, after the temporary file was written.
    let path = dir.path().join("state");
    fs_err::create_dir(&path).unwrap();
    let error = replace(&path, b"x").unwrap_err();
    assert!(error.to_string().contains("state"), "{error}");
    assert_eq!(names(dir.path()), ["state"]);
}

#[test]
fn only_leftovers_of_this_file_are_removed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    let keep = ["other.tmp-AbCdEf", "state", "state.bak", "state.lock", "state.tmp", "xstate.tmp-AbCdEf"];
    for name in keep.iter().chain(&["state.tmp-AbCdEf", "state.tmp-123456"]) {
        fs_err::write(dir.path().join(name), name).unwrap();
    }
    fs_err::create_dir(dir.path().join("state.tmp-folder")).unwrap();
    assert_eq!(remove_leftovers(&path).unwrap().len(), 2);
    let left: Vec<_> = names(dir.path()).into_iter().filter(|name| name != "state.tmp-folder").collect();
    assert_eq!(left, keep);
}

#[test]
fn a_reader_never_sees_a_mixture() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    replace(&path, &vec![b'0'; 100_000]).unwrap();
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut seen = 0_u32;
            while !is_done.load(Ordering::Relaxed) || seen == 0 {
                let bytes = fs_err::read(&path).unwrap();
                assert!(bytes.len() == 100_000 && bytes.iter().all(|byte| *byte == bytes[0]), "a torn file");
                seen += 1;
            }
        });
        for n in 0..200_u8 {
            replace(&path, &vec![b'0' + n % 10; 100_000]).unwrap();
        }
        is_done.store(true, Ordering::Relaxed);
        reader.join().unwrap();
    });
}
