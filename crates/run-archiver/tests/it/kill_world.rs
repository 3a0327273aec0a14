//! What `run-archiver` is killed at: archiving, or rebuilding a lost state; with each kind of store.
//!
//! The oracle is what the same work leaves when nobody disturbs it: documents, blobs, marks and failure logs, byte for
//! byte, and the names of all files, up to what is random in them.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::{Command, ExitStatus},
    sync::OnceLock,
    time::{Duration, Instant},
};

use run_state::{RunNumber, RunSet};
use test_kit::{
    Tally, Wrong, files_of,
    story::{Subject, check_code, in_peace},
    ucondb::{FakeUconDb, Options},
};

use crate::support::{Archived, Imported, World};

/// The work that is to survive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// Import and migration, ten runs a start.
    Archiving,
    /// The state is lost; some runs failed to be imported, and some were never migrated.
    Recovery,
}

/// Where UconDB is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ucon {
    Embedded,
    Http,
    Https,
}

/// The files that the state of both stages consists of.
const STATE_FILES: [&str; 4] =
    ["importer_state.json", "import_failures.log", "migrator_state.json", "migrate_failures.log"];

/// The folder and the object in UconDB.
const OBJECT: (&str, &str) = ("public.test01", "configuration");

/// What the state files hold, by name.
type States = BTreeMap<&'static str, Vec<u8>>;

/// A piece of work, and what it leaves undisturbed.
pub(crate) struct Archive {
    work: Work,
    runs: RunSet,
    ucon: Ucon,
    is_in_mongodb: bool,
    /// What there is before the first start; not with MongoDB, which cannot be copied.
    template: Option<Place>,
    expect: Option<Seen>,
    /// How long an undisturbed start takes.
    pub(crate) one_start: Duration,
}

/// Where a story plays.
pub(crate) struct Place {
    world: World,
    server: Option<FakeUconDb>,
    /// How many of the commands are done.
    step: usize,
    /// What the state files held after each.
    states: Vec<States>,
}

/// What a story has left.
#[derive(Debug, PartialEq)]
struct Seen {
    archived: Archived,
    states: Vec<States>,
    /// How many files there are in the stores, by name, with `#` for what is random or a number.
    stores: BTreeMap<String, usize>,
    /// The names in the working directory.
    work: BTreeSet<String>,
}

impl Archive {
    pub(crate) fn new(work: Work, runs: &str, ucon: Ucon, is_in_mongodb: bool) -> Self {
        let runs = runs.parse().unwrap();
        let one_start = Duration::ZERO;
        let mut archive = Self { work, runs, ucon, is_in_mongodb, template: None, expect: None, one_start };
        if !is_in_mongodb {
            archive.template = Some(archive.prepared());
        }
        let began = Instant::now();
        let (starts, mut place) = in_peace(&archive);
        archive.one_start = began.elapsed() / starts;
        let seen = place.seen();
        assert_eq!((seen.archived.artdaq.len(), seen.archived.ucon.len()), (archive.count(), archive.count()));
        archive.expect = Some(seen);
        archive
    }

    /// What both stores hold in the end.
    #[cfg(feature = "mongodb")]
    pub(crate) fn archived(&self) -> &Archived {
        &self.expect.as_ref().unwrap().archived
    }

    fn count(&self) -> usize {
        self.runs.iter().count()
    }

    fn commands(&self) -> &'static [&'static str] {
        match self.work {
            Work::Archiving => &["--quiet"],
            Work::Recovery => &[
                "--quiet --recover-import-state",
                "--quiet --recover-migrate-state",
                "--quiet --retry-failed-import",
                "--quiet --retry-failed-migrate",
                "--quiet",
            ],
        }
    }

    /// A place before the first start.
    fn prepared(&self) -> Place {
        let mut world = World::new(&self.runs.to_string());
        if self.work == Work::Archiving {
            world.configure("batch_size: 50", "batch_size: 1");
        } else {
            world.configure("batch_size: 50", "batch_size: 60");
        }
        #[cfg(feature = "mongodb")]
        if self.is_in_mongodb {
            world.move_to_mongodb();
        }
        let server = self.serve(&mut world, "embedded://stores/ucondb.sqlite");
        if self.work == Work::Recovery {
            self.lose_the_state(&world);
        }
        Place { world, server, step: 0, states: Vec::new() }
    }

    /// Starts a server where one is wanted, and writes it into the configuration in the place of `before`.
    fn serve(&self, world: &mut World, before: &str) -> Option<FakeUconDb> {
        static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
        if self.ucon == Ucon::Embedded {
            return None;
        }
        let runtime = RUNTIME.get_or_init(|| {
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
        });
        let options = Options { tls: self.ucon == Ucon::Https, ..Options::default() };
        let server = runtime.block_on(FakeUconDb::start(options)).unwrap();
        let mut entry = server.url();
        if before.starts_with("embedded:") {
            entry += "', writer_user: writer, writer_password: 'secret";
            if server.authority_pem().is_some() {
                entry += "', ca_file: 'conf/ca.pem";
            }
        }
        world.configure(before, &entry);
        if let Some(pem) = server.authority_pem() {
            world.env.write("conf/ca.pem", pem);
        }
        Some(server)
    }

    /// Archives in part, with failures, and forgets all about it.
    fn lose_the_state(&self, world: &World) {
        let (is_spoiled, is_kept_back) = (|run: u64| run % 10 == 2, |run: u64| run % 4 == 1);
        let runs = || self.runs.iter().map(RunNumber::get);
        runs().filter(|run| is_spoiled(*run)).for_each(|run| world.spoil(run));
        world.run("--quiet --import-only", 1);
        let migrated: RunSet =
            runs().filter(|run| !is_spoiled(*run) && !is_kept_back(*run)).map(RunNumber::new).collect();
        world.run(&format!("--quiet --migrate-only --runs {}", migrated.to_string().replace(", ", ",")), 0);
        runs().filter(|run| is_spoiled(*run)).for_each(|run| world.mend(run));
        fs_err::remove_dir_all(world.env.join("work")).unwrap();
    }
}

impl Place {
    /// What both stores hold.
    fn archived(&self) -> Archived {
        let mut archived = self.world.archived();
        if let Some(server) = &self.server {
            let contents = server.contents(OBJECT.0, OBJECT.1);
            let count = server.version_count(OBJECT.0);
            // Versions without a key stand for the run that they were replaced for: any run will do.
            let versions = |at: usize| if at == 0 { 1 + count - contents.len() } else { 1 };
            let blobs = contents.iter().enumerate();
            let blobs = blobs.map(|(at, (run, blob))| {
                (run.parse().unwrap(), (versions(at), String::from_utf8(blob.clone()).unwrap()))
            });
            archived.ucon = blobs.collect();
        }
        archived
    }

    /// An empty failure log says what none says.
    fn state(&self) -> States {
        STATE_FILES.into_iter().map(|name| (name, fs_err::read(self.world.work(name)).unwrap_or_default())).collect()
    }

    fn seen(&mut self) -> Seen {
        let mut stores = BTreeMap::new();
        for name in names(&self.world, "stores") {
            *stores.entry(name).or_default() += 1;
        }
        // Copies of a state that was replaced, and of the state before the last change; logs that may be empty.
        let may_differ = [".before-", ".bak", "failures.log"];
        let work = names(&self.world, "work").filter(|name| !may_differ.iter().any(|part| name.contains(part)));
        let work = work.collect();
        Seen { archived: self.archived(), states: self.states.clone(), stores, work }
    }
}

/// The names of the files in a directory, `#` for what is random in them.
fn names(world: &World, dir: &str) -> impl Iterator<Item = String> {
    let dir = world.env.join(dir);
    let files = if dir.exists() { files_of(&dir) } else { BTreeMap::new() };
    files.into_keys().filter(|path| path.file_name().is_some()).map(|path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let is_oid = |stem: &str| stem.len() == 24 && stem.bytes().all(|byte| byte.is_ascii_hexdigit());
        match name.strip_suffix(".json").filter(|stem| is_oid(stem)) {
            Some(_) => path.with_file_name("#.json").display().to_string(),
            None => path.display().to_string(),
        }
    })
}

impl Subject for Archive {
    type World = Place;

    fn world(&self) -> Place {
        let Some(template) = &self.template else { return self.prepared() };
        let mut world = World {
            env: template.world.env.copy(),
            #[cfg(feature = "mongodb")]
            mongodb: None,
        };
        let server = template.server.as_ref().and_then(|original| {
            let server = self.serve(&mut world, &original.url())?;
            for (key, data) in original.contents(OBJECT.0, OBJECT.1) {
                server.seed(OBJECT.0, OBJECT.1, Some(&key), &[&key], 0.0, &data).unwrap();
            }
            Some(server)
        });
        Place { world, server, step: 0, states: Vec::new() }
    }

    fn next(&self, place: &Place) -> Option<Command> {
        let arguments = self.commands().get(place.step)?;
        Some(place.world.env.plain_command(arguments.split_whitespace()))
    }

    fn ended(&self, place: &mut Place, status: ExitStatus, tally: &mut Tally, context: &str) {
        check_code(status, 0, tally, context);
        let snapshot = tally.read(context, || place.world.snapshot("migrator_state.json", "migrate_failures.log"));
        let last = self.runs.iter().last();
        // Archiving takes several starts of the same command.
        let is_more_to_do = self.work == Work::Archiving
            && snapshot.is_some_and(|snapshot| Some(snapshot.marks.incremental_start()) != last);
        if !is_more_to_do {
            place.states.push(place.state());
            place.step += 1;
        }
    }

    /// Whatever moment it was: what is listed is whole and there once, and no run is lost below the marks.
    fn look(&self, place: &mut Place, tally: &mut Tally, context: &str) {
        let Some(archived) = tally.read(context, || place.archived()) else { return };
        self.compare(&archived, tally, context);
        // Promise 6. Of the migration it can be said only at its own listing, which the import may have outrun.
        let read = || place.world.snapshot("importer_state.json", "import_failures.log");
        let Some(snapshot) = tally.read(context, read) else { return };
        let there: RunSet = archived.artdaq.into_keys().map(RunNumber::new).collect();
        let below = self.runs.up_to(snapshot.marks.incremental_start());
        let lost = below.difference(&there).difference(&snapshot.failed);
        let marks = snapshot.marks;
        tally.check(lost.is_empty(), Wrong::Lost, || format!("{context}: the import lost {lost} below {marks}"));
        let read = || place.world.snapshot("migrator_state.json", "migrate_failures.log");
        tally.read(context, read);
    }

    fn judge(&self, place: &mut Place, tally: &mut Tally, context: &str) {
        let Some(seen) = tally.read(context, || place.seen()) else { return };
        self.compare(&seen.archived, tally, context);
        let Some(expect) = &self.expect else { return };
        for (at, (states, expect)) in seen.states.iter().zip(&expect.states).enumerate() {
            let command = self.commands()[at];
            let as_text = |states: &States| {
                let files = states.iter().map(|(name, bytes)| (*name, String::from_utf8_lossy(bytes).into_owned()));
                format!("{:?}", files.collect::<Vec<_>>())
            };
            tally.check(states == expect, Wrong::Lost, || {
                format!("{context}: after `{command}`: {} where there should be {}", as_text(states), as_text(expect))
            });
        }
        for (run, imported) in &expect.archived.artdaq {
            let is_there = seen.archived.artdaq.get(run) == Some(imported);
            tally.check(is_there, Wrong::Lost, || format!("{context}: run {run} in artdaqDB is not as undisturbed"));
        }
        for (run, blob) in &expect.archived.ucon {
            let is_there = seen.archived.ucon.get(run) == Some(blob);
            tally.check(is_there, Wrong::Lost, || format!("{context}: run {run} in UconDB is not as undisturbed"));
        }
        tally.check(seen.stores == expect.stores, Wrong::Other, || {
            format!("{context}: files in the stores: {:?} where there should be {:?}", seen.stores, expect.stores)
        });
        tally.check(seen.work == expect.work, Wrong::Other, || {
            let differ: Vec<_> = seen.work.symmetric_difference(&expect.work).collect();
            format!("{context}: files in the working directory differ by {differ:?}")
        });
    }
}

impl Archive {
    /// What there is of each run is what an undisturbed story leaves of it, and there once.
    fn compare(&self, archived: &Archived, tally: &mut Tally, context: &str) {
        let expect = self.expect.as_ref().map(|seen| &seen.archived);
        for (run, imported) in &archived.artdaq {
            tally.check(imported.is_complete, Wrong::Unreadable, || format!("{context}: run {run} is half visible"));
            let expect = expect.and_then(|expect| expect.artdaq.get(run));
            let Some(Imported { documents, texts, .. }) = expect else { continue };
            let more = imported.documents;
            tally.check(more <= *documents, Wrong::Repeated, || format!("{context}: run {run}: {more} documents"));
            tally.check(imported.texts == *texts, Wrong::Unreadable, || format!("{context}: run {run}: other texts"));
        }
        for (run, (versions, blob)) in &archived.ucon {
            tally.check(*versions == 1, Wrong::Repeated, || format!("{context}: run {run}: {versions} versions"));
            let is_whole = expect.is_none_or(|expect| expect.ucon.get(run).is_some_and(|(_, whole)| whole == blob));
            tally.check(is_whole, Wrong::Unreadable, || format!("{context}: run {run}: another blob"));
        }
    }
}
