//! What goes wrong with records, disks, servers and certificates, in one table that is run over each pair of archives:
//! the run is in the failure log with one clear reason, the others go on, the exit code is 1, and a later retry succeeds
//! when the cause is gone. In the end both archives hold what they hold when nothing goes wrong.

use std::{collections::BTreeSet, sync::OnceLock};

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
    /// What the reason, or the hint beside it, must contain; ` | ` stands between what may be said instead of each other.
    pub(crate) says: &'static [&'static str],
    pub(crate) ends: Ends,
    /// Whether the cause is gone after it was met once, and another attempt is made where one is allowed.
    pub(crate) passes: bool,
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
#[cfg_attr(not(feature = "mongodb"), expect(dead_code, reason = "some ends only artdaqDB in a server can bring about"))]
pub(crate) enum Ends {
    /// Run 102 fails in the import, and all others are archived.
    OneImport,
    /// Likewise in the migration.
    OneMigration,
    /// Run 102 fails in both, since artdaqDB does not give it back.
    OneInBoth,
    /// The import stops; what was under way, 102 to 105, is in the failure log. The migration finds nothing new, or cannot
    /// begin either, or (`None`) this depends.
    AllImports {
        can_migrate: Option<bool>,
    },
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
            Self::OneInBoth => "101/105 102, 101/105 102".to_owned(),
            Self::AllImports { .. } => "101/105 102-105, 101/101 none".to_owned(),
            Self::Migrations(failed) => {
                let last = failed.rsplit('-').next().unwrap();
                format!("105/105 none, 101/{last} {failed}")
            }
            Self::NoImport => "101/101 none, 101/101 none".to_owned(),
            Self::NoMigration => "105/105 none, 101/101 none".to_owned(),
        }
    }

    /// The commands with which all is archived when the cause is gone.
    fn retries(self) -> &'static [&'static str] {
        match self {
            Self::OneImport | Self::AllImports { .. } => &["--retry-failed-import", ""],
            Self::OneMigration => &["--retry-failed-migrate"],
            Self::OneInBoth => &["--retry-failed-import", "--retry-failed-migrate"],
            Self::Migrations(_) => &["--retry-failed-migrate", ""],
            Self::NoImport | Self::NoMigration => &[""],
        }
    }

    /// The runs that are in artdaqDB and in UconDB, as far as that is certain.
    fn archived(self) -> (&'static str, &'static str) {
        match self {
            Self::OneImport => ("101, 103-105", "101, 103-105"),
            Self::OneMigration | Self::OneInBoth => ("101-105", "101, 103-105"),
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
    let asked = place.ucon_requests();
    let (answer, said) = place.start("", 1);
    // Nothing is said to a server that is not trusted.
    assert!(row.on != On::Https || place.ucon_requests() == asked, "{context}: it was asked something");
    assert!(!said.contains("hunter2"), "{context}: {said}");
    check_answer(row, &answer, &context);
    assert_eq!(place.world.state(), row.ends.state(), "{context}: {said}");
    (row.mend)(&mut place);

    check_archived(&place.archived(), row.ends.archived(), &context);
    for arguments in row.ends.retries() {
        place.start(arguments, 0);
    }
    assert_eq!(place.world.state(), "105/105 none, 105/105 none", "{context}");
    assert!(place.archived() == *undisturbed(), "{context}: not what is archived when nothing goes wrong");
}

/// Where another attempt is allowed, what passes by itself fails no run, and stores nothing twice.
fn check_passing(row: &Row, artdaq: Artdaq, ucon: Ucon) {
    let context = format!("{}, {artdaq:?} and {ucon:?}, with another attempt", row.name);
    let mut place = Place::new(artdaq, ucon);
    place.world.configure("run_process_retries: 0", "run_process_retries: 1");
    (row.spoil)(&mut place);
    place.start("", 0);
    (row.mend)(&mut place);
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
        Ends::OneInBoth => distinct([failed(import), failed(migration)].concat()),
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
            let (import, migration) = (broke(import), broke(migration));
            assert!(
                import.first().unwrap().starts_with("the destination of the import could not be listed"),
                "{context}"
            );
            // What the migration reads from has the same trouble, and says the same of it.
            let cause =
                |told: BTreeSet<String>| told.iter().map(|told| told.split_once(": ").unwrap().1.to_owned()).collect();
            let (import, migration): (BTreeSet<String>, BTreeSet<String>) = (cause(import), cause(migration));
            import.union(&migration).cloned().collect()
        }
        Ends::NoMigration => broke(migration),
    };
    assert_eq!(reasons.len(), 1, "{context}: one reason: {reasons:#?}");
    let reason = reasons.first().unwrap();
    for says in row.says {
        let is_said = says.split(" | ").any(|says| reason.contains(says));
        assert!(is_said, "{context}: `{says}` is not in: {reason}");
    }
    let (reason, _) = reason.split_once('\n').unwrap_or((reason, ""));
    let is_clear =
        !reason.contains("Kind") && !reason.contains("{ ") && !reason.contains("Some(") && reason.len() < 500;
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
            // Whether UconDB is spoken to in the clear makes no difference to another attempt.
            if row.passes && ucon != Ucon::Http {
                check_passing(row, artdaq, ucon);
            }
            count += 1;
        }
    }
    eprintln!("faults with {artdaq:?} and {ucon:?}: {count} rows");
}

fn tables() -> impl Iterator<Item = &'static Row> {
    let rows = crate::faults_disk::RECORDS.iter().chain(crate::faults_disk::DISKS).chain(crate::faults_ucondb::ROWS);
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
