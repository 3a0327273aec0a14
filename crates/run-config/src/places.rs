//! No two of the program's own files may be one: each is replaced as a whole, and the lock must stay what it is.

use std::path::{Path, PathBuf};

use super::{App, reader::Reader};

/// Refuses a configuration that gives one file two meanings.
pub(super) fn check(reader: &mut Reader<'_>, app: &App) {
    let mut taken: Vec<(PathBuf, String)> = Vec::new();
    let named = [
        ("app.import_state_file", Some(&app.import_state_file)),
        ("app.import_failure_log", Some(&app.import_failure_log)),
        ("app.migrate_state_file", Some(&app.migrate_state_file)),
        ("app.migrate_failure_log", Some(&app.migrate_failure_log)),
        ("app.lock_file", Some(&app.lock_file)),
        ("app.log_file", app.log_file.as_ref()),
    ];
    for paths in [app.import_paths(), app.migrate_paths()] {
        let lists = [paths.in_flight(), paths.held(), paths.unfinished(), paths.amended()];
        let own = [paths.journal(), paths.counts()].into_iter().chain(lists);
        taken.extend(own.map(|path| (plain(&path), format!("a file that the {} keeps", paths.stage))));
    }
    taken.push((plain(&app.acknowledged_gaps()), "the list of acknowledged gaps".to_owned()));
    for (key, path) in named {
        let Some(path) = path.filter(|path| !path.as_os_str().is_empty()).map(|path| plain(path)) else { continue };
        if let Some((_, other)) = taken.iter().find(|(known, _)| *known == path) {
            reader.error(key, format!("`{}` is also {other}", path.display()));
        }
        taken.push((path, format!("`{key}`")));
    }
}

/// Without `.` and double slashes.
fn plain(path: &Path) -> PathBuf {
    path.components().filter(|part| !matches!(part, std::path::Component::CurDir)).collect()
}
