//! What goes wrong with records, disks, servers and certificates, in one table that is run over each pair of archives:
//! the run is in the failure log with one clear reason, the others go on, the exit code is 1, and a later retry succeeds
//! when the cause is gone. In the end both archives hold what they hold when nothing goes wrong.

use std::{collections::BTreeSet, os::unix::fs::PermissionsExt as _, sync::OnceLock};

use fs_err as fs;
use serde_json::Value;

use crate::{
    faults_place::{Artdaq, Place, RUNS},
    kill_world::Ucon,
    support::{Archived, World},
};

/// One thing that goes wrong, after run 101 was archived.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) on: On,
    pub(crate) spoil: fn(&mut Place),
    pub(crate) mend: fn(&mut Place),
    /// What the reason, or the hint beside it, must contain.
    pub(crate) says: &'static [&'static str],
    pub(crate) ends: Ends,
}

/// The archives with which a row makes sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum On {
    All,
    Directory,
    #[cfg(feature = "mongodb")]
    Mongod,
    Sqlite,
    /// UconDB over HTTP and over HTTPS.
    Server,
    Https,
}

/// How far an execution comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ends {
    /// Run 102 fails in the import, and all others are archived.
    OneImport,
    /// Likewise in the migration.
    OneMigration,
    /// The import stops; what was under way, 102 to 105, is in the failure log. The migration finds nothing new, or cannot
    /// begin either, or (`None`) this depends.
    AllImports { can_migrate: Option<bool> },
    /// The migration stops; the first of these are in the failure log, and the others were not attempted.
    Migrations(&'static str),
    /// A stage does not begin, and nothing has changed: no import and no migration; or no migration, after the import.
    NoImport,
    NoMigration,
}

impl On {
    fn holds(self, artdaq: Artdaq, ucon: Ucon) -> bool {
        match self {
            Self::All => true,
            Self::Directory => artdaq == Artdaq::Directory,
            #[cfg(feature = "mongodb")]
            Self::Mongod => artdaq == Artdaq::Mongod,
            Self::Sqlite => ucon == Ucon::Embedded,
            Self::Server => ucon != Ucon::Embedded,
            Self::Https => ucon == Ucon::Https,
        }
    }
}

impl Ends {
    /// Whether all runs are imported before anything goes wrong.
    fn is_after_import(self) -> bool {
        matches!(self, Self::OneMigration | Self::Migrations(_) | Self::NoMigration)
    }

    /// The state in the end: marks and failure log of both stages.
    fn state(self) -> String {
        match self {
            Self::OneImport => "101/105 102, 101/105 none".to_owned(),
            Self::OneMigration => "105/105 none, 101/105 102".to_owned(),
            Self::AllImports { .. } => "101/105 102-105, 101/101 none".to_owned(),
            Self::Migrations(failed) => {
                let last = failed.rsplit('-').next().unwrap();
                format!("105/105 none, 101/{last} {failed}")
            }
            Self::NoImport => "101/101 none, 101/101 none".to_owned(),
            Self::NoMigration => "105/105 none, 101/101 none".to_owned(),
        }
    }

    /// The runs that are in artdaqDB and in UconDB, as far as that is certain.
    fn archived(self) -> (&'static str, &'static str) {
        match self {
            Self::OneImport => ("101, 103-105", "101, 103-105"),
            Self::OneMigration => ("101-105", "101, 103-105"),
            Self::AllImports { .. } | Self::NoImport => ("", "101"),
            Self::Migrations(_) | Self::NoMigration => ("101-105", "101"),
        }
    }
}

/// What the archives hold when nothing goes wrong, wherever they are.
fn undisturbed() -> &'static Archived {
    static ARCHIVED: OnceLock<Archived> = OnceLock::new();
    ARCHIVED.get_or_init(|| {
        let world = World::new(RUNS);
        world.run("", 0);
        world.archived()
    })
}

/// One row with one pair of archives.
fn check(row: &Row, artdaq: Artdaq, ucon: Ucon) {
    let context = format!("{}, {artdaq:?} and {ucon:?}", row.name);
    let mut place = Place::new(artdaq, ucon);
    place.start("--runs 101", 0);
    if row.ends.is_after_import() {
        place.start("--import-only", 0);
    }
    (row.spoil)(&mut place);
    let (answer, said) = place.start("", 1);
    assert!(!said.contains("hunter2"), "{context}: {said}");
    check_answer(row, &answer, &context);
    assert_eq!(place.world.state(), row.ends.state(), "{context}: {said}");
    (row.mend)(&mut place);

    check_archived(&place.archived(), row.ends.archived(), &context);
    for arguments in ["--retry-failed-import", "--retry-failed-migrate", ""] {
        place.start(arguments, 0);
    }
    assert_eq!(place.world.state(), "105/105 none, 105/105 none", "{context}");
    assert!(place.archived() == *undisturbed(), "{context}: not what is archived when nothing goes wrong");
}

/// The reasons: one, on one line, and clear.
fn check_answer(row: &Row, answer: &Value, context: &str) {
    let stages: Vec<&Value> = answer["stages"].as_array().unwrap().iter().collect();
    // A program that does not even begin has one error, and no stages.
    let (import, migration) = if let [import, migration] = stages[..] { (import, migration) } else { (answer, answer) };
    let failed = |stage: &Value| -> Vec<(u64, String)> {
        let runs = stage["runs"].as_array().unwrap().iter().filter(|run| run["outcome"] == "failed");
        runs.map(|run| (run["run"].as_u64().unwrap(), run["reason"].as_str().unwrap().to_owned())).collect()
    };
    let broke = |stage: &Value| -> BTreeSet<String> {
        let causes = stage["error"].as_array().unwrap_or_else(|| panic!("{context}: it began: {answer:#}"));
        let causes: Vec<_> = causes.iter().map(|cause| cause.as_str().unwrap()).collect();
        [format!("{}\n{}", causes.join(": "), stage["hint"].as_str().unwrap())].into()
    };
    let distinct = |failed: Vec<(u64, String)>| failed.into_iter().map(|(_, reason)| reason).collect();
    let reasons: BTreeSet<String> = match row.ends {
        Ends::OneImport => distinct(failed(import)),
        Ends::OneMigration => distinct(failed(migration)),
        Ends::AllImports { can_migrate } => {
            assert!(import["stopped"].is_string(), "{context}: {answer:#}");
            assert!(can_migrate.is_none_or(|can| migration["error"].is_null() == can), "{context}: {answer:#}");
            distinct(failed(import))
        }
        Ends::Migrations(_) => {
            let stopped = migration["stopped"].as_str().unwrap_or_else(|| panic!("{context}: it went on: {answer:#}"));
            let failed = failed(migration);
            assert_eq!(failed.last().unwrap().1, stopped, "{context}");
            // Each names its own run.
            [stopped.to_owned()].into()
        }
        Ends::NoImport => {
            broke(migration);
            broke(import)
        }
        Ends::NoMigration => broke(migration),
    };
    assert_eq!(reasons.len(), 1, "{context}: one reason: {reasons:#?}");
    let reason = reasons.first().unwrap();
    for says in row.says {
        assert!(reason.contains(says), "{context}: `{says}` is not in: {reason}");
    }
    let (reason, _) = reason.split_once('\n').unwrap_or((reason, ""));
    let is_clear = !reason.contains("Kind") && !reason.contains("{ ") && !reason.contains("Some(") && reason.len() < 400;
    assert!(is_clear, "{context}: {reason}");
}

/// Each run that is there is there as a whole.
fn check_archived(archived: &Archived, expect: (&str, &str), context: &str) {
    let whole = undisturbed();
    let runs = |runs: Vec<u64>| runs.into_iter().map(run_state::RunNumber::new).collect::<run_state::RunSet>();
    let artdaq: Vec<_> = archived.artdaq.iter().filter(|(_, imported)| imported.is_complete).collect();
    for (run, imported) in &artdaq {
        assert!(whole.artdaq.get(run) == Some(imported), "{context}: run {run} in artdaqDB");
    }
    for (run, blob) in &archived.ucon {
        assert!(whole.ucon.get(run) == Some(blob), "{context}: run {run} in UconDB");
    }
    if !expect.0.is_empty() {
        let artdaq = runs(artdaq.into_iter().map(|(run, _)| *run).collect());
        assert_eq!(artdaq.to_string(), expect.0, "{context}: artdaqDB");
    }
    let ucon = runs(archived.ucon.keys().copied().collect());
    let (low, _) = expect.1.split_once(',').unwrap_or((expect.1, ""));
    assert!(ucon.to_string().starts_with(low), "{context}: UconDB has {ucon}");
}

/// All rows that make sense with these archives.
fn check_all(artdaq: Artdaq, ucon: Ucon) {
    #[cfg(feature = "mongodb")]
    if artdaq == Artdaq::Mongod && crate::mongodb::server().is_none() {
        return;
    }
    let mut count = 0;
    for row in tables().filter(|row| row.on.holds(artdaq, ucon)) {
        if !row.name.contains("full disk") || Place::has_full_disks() {
            check(row, artdaq, ucon);
            count += 1;
        }
    }
    eprintln!("faults with {artdaq:?} and {ucon:?}: {count} rows");
}

fn tables() -> impl Iterator<Item = &'static Row> {
    let rows = RECORDS.iter().chain(DISKS).chain(crate::faults_ucondb::ROWS);
    #[cfg(feature = "mongodb")]
    let rows = rows.chain(crate::faults_mongod::ROWS);
    rows
}

#[test]
fn in_a_directory_and_sqlite() {
    check_all(Artdaq::Directory, Ucon::Embedded);
}

#[test]
fn in_a_directory_and_over_http() {
    check_all(Artdaq::Directory, Ucon::Http);
}

#[test]
fn in_a_directory_and_over_https() {
    check_all(Artdaq::Directory, Ucon::Https);
}

#[cfg(feature = "mongodb")]
#[test]
fn in_mongod_and_sqlite() {
    check_all(Artdaq::Mongod, Ucon::Embedded);
}

#[cfg(feature = "mongodb")]
#[test]
fn in_mongod_and_over_http() {
    check_all(Artdaq::Mongod, Ucon::Http);
}

#[cfg(feature = "mongodb")]
#[test]
fn in_mongod_and_over_https() {
    check_all(Artdaq::Mongod, Ucon::Https);
}

/// Run 102 as it should be, whatever stands in its place.
fn mend_record(place: &mut Place) {
    let path = place.world.env.join("records/102");
    if path.is_file() {
        fs::remove_file(&path).unwrap();
    } else {
        fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        fs::remove_dir_all(&path).unwrap();
    }
    place.world.mend(102);
}

const RECORDS: &[Row] = &[
    Row {
        name: "malformed FHiCL",
        on: On::All,
        spoil: |place| place.world.spoil(102),
        mend: mend_record,
        says: &["a FHiCL file is malformed: `board1.fcl` line "],
        ends: Ends::OneImport,
    },
    Row {
        name: "an empty directory",
        on: On::All,
        spoil: |place| {
            fs::remove_dir_all(place.world.env.join("records/102")).unwrap();
            fs::create_dir(place.world.env.join("records/102")).unwrap();
        },
        mend: mend_record,
        says: &["records/102` holds no `.txt` or `.fcl` file"],
        ends: Ends::OneImport,
    },
    Row {
        name: "a file in place of a directory",
        on: On::All,
        spoil: |place| {
            fs::remove_dir_all(place.world.env.join("records/102")).unwrap();
            place.world.env.write("records/102", "x");
        },
        mend: mend_record,
        says: &["records/102` is not a directory"],
        ends: Ends::OneImport,
    },
    Row {
        name: "an unreadable directory",
        on: On::All,
        spoil: |place| {
            fs::set_permissions(place.world.env.join("records/102"), std::fs::Permissions::from_mode(0o000)).unwrap();
            // Root may read everything but a link that leads nowhere.
            let text = place.world.env.join("records/102/metadata.txt");
            if fs::read(&text).is_ok() {
                fs::remove_file(&text).unwrap();
                fs::os::unix::fs::symlink("metadata.txt", &text).unwrap();
            }
        },
        mend: mend_record,
        says: &["could not read"],
        ends: Ends::OneImport,
    },
];

const DISKS: &[Row] = &[
    Row {
        name: "a full disk under artdaqDB",
        on: On::Directory,
        spoil: |place| place.fill_disk_but_for("0"),
        mend: Place::move_to_greater_disk,
        says: &["artdaqdb", "No space left on device"],
        ends: Ends::AllImports { can_migrate: None },
    },
    Row {
        name: "a full disk under artdaqDB, in the middle",
        on: On::Directory,
        spoil: |place| place.fill_disk_but_for("48K"),
        mend: Place::move_to_greater_disk,
        says: &["artdaqdb", "No space left on device"],
        ends: Ends::AllImports { can_migrate: None },
    },
    Row {
        name: "a full disk under UconDB",
        on: On::Sqlite,
        spoil: |place| place.fill_disk_but_for("0"),
        mend: Place::move_to_greater_disk,
        says: &["ucondb.sqlite`", "is the disk full?"],
        ends: Ends::NoMigration,
    },
    Row {
        name: "a full disk under UconDB, in the middle",
        on: On::Sqlite,
        spoil: |place| place.fill_disk_but_for("36K"),
        mend: Place::move_to_greater_disk,
        says: &["ucondb.sqlite`", "disk is full"],
        ends: Ends::Migrations("102-104"),
    },
];
