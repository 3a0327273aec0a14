//! The tools mode, over stand-ins for the tools and for ssh.

mod stand_in;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use artdaq_db::{
    Amended, ConfigError, ConfigStore, DatabaseUri, ErrorClass, Inserted, Refused, RunNumber, ToolError, ToolSettings,
    ToolsStore,
    conformance::{self, Abilities, plain_sample},
};
use run_record::prepare::PreparedRun;
use statefile::SystemClock;

use self::stand_in::Sandbox;
use crate::setup::open;

/// The host of the tests by ssh.
const HOST: &str = "daq@daq01.example.org";

fn settings(sandbox: &Sandbox, host: Option<&str>) -> ToolSettings {
    let uri = format!("filesystemdb://{}", sandbox.path("archive").display());
    let environment = [
        ("PATH", format!("{}:/usr/bin:/bin", sandbox.path("bin").display())),
        ("HOME", "/".to_owned()),
        ("SECRET_OF_SOMEBODY_ELSE", "s3cret".to_owned()),
    ];
    ToolSettings {
        uri: DatabaseUri::parse(&uri, |_| None).unwrap(),
        loader: None,
        downloader: None,
        remote_host: host.map(str::to_owned),
        environment: environment.map(|(name, value)| (name.to_owned(), value)).into(),
        temp_dir: sandbox.path("temp"),
        lock_dir: sandbox.path("temp"),
        time_max: Duration::from_mins(2),
    }
}

fn store_with(sandbox: &Sandbox, settings: &ToolSettings) -> ToolsStore {
    ToolsStore::new(settings, Arc::new(open(&sandbox.path("archive"))), Arc::new(SystemClock)).unwrap()
}

fn store(sandbox: &Sandbox) -> ToolsStore {
    store_with(sandbox, &settings(sandbox, None))
}

async fn insert(store: &ToolsStore, prepared: PreparedRun) -> Result<Result<Inserted, Refused>, ConfigError> {
    store.insert([prepared].into()).await.map(|mut outcomes| outcomes.remove(0))
}

/// That the run is there, whole, and complete.
async fn assert_whole(store: &ToolsStore, prepared: &PreparedRun) {
    let export = store.export(prepared.run).await.unwrap().unwrap();
    assert!(export.configuration.complete);
    let texts = |entity: &str| export.documents.iter().find(|found| found.entity == entity).map(|found| &found.text);
    let passes = [Some(&prepared.archive), prepared.update.as_ref()];
    for document in passes.into_iter().flatten().flat_map(|pass| &pass.documents) {
        assert_eq!(texts(&document.entity), Some(&document.document.to_text()), "{}", document.entity);
    }
}

async fn is_complete(store: &ToolsStore, run: u64) -> Option<bool> {
    store.runs().await.unwrap().get(&RunNumber::new(run)).map(artdaq_db::RunEntry::is_complete)
}

/// The suite, but for versions (the tools have one for all), bytes beyond ASCII and names with blanks (they refuse the
/// ones, and lose the others).
async fn conforms(host: Option<&str>) {
    let sandboxes = std::sync::Mutex::new(Vec::new());
    let fresh = async || {
        let sandbox = Sandbox::new();
        let store = store_with(&sandbox, &settings(&sandbox, host));
        sandboxes.lock().unwrap().push(sandbox);
        store
    };
    conformance::check_with(Abilities::TOOLS, fresh).await;
    sandboxes.lock().unwrap().iter().for_each(Sandbox::assert_tidy);
}

#[tokio::test]
async fn the_suite_on_this_host() {
    conforms(None).await;
}

#[tokio::test]
async fn the_suite_by_ssh() {
    conforms(Some(HOST)).await;
}

#[tokio::test]
async fn one_thread_a_lock_that_is_inherited_and_nothing_else_of_the_environment() {
    let sandbox = Sandbox::new();
    let store = store(&sandbox);
    insert(&store, plain_sample(100, "demo", Some("stop"))).await.unwrap().unwrap();
    let calls = sandbox.calls();
    let of = |tool: &str| calls.iter().filter(|call| call.starts_with(tool)).collect::<Vec<_>>();
    // The documents, `hashes`, the second pass; each is read back, and the archive was looked at first.
    assert_eq!((of("bulkloader ").len(), of("bulkdownloader ").len()), (3, 4), "{calls:?}");
    let lock = format!("<{}", sandbox.path("archive/.waymark.lock.loader").display());
    for call in of("bulkloader ") {
        assert!(call.contains(" -r 100 -c demo -t 1 ") && call.contains(&lock), "{call}");
        assert!(call.contains(&format!("-p {}/waymark-", sandbox.path("temp").display())), "{call}");
    }
    insert(&store, plain_sample(101, "demo", None)).await.unwrap().unwrap();
    assert_eq!(sandbox.calls().len(), 4, "what was confirmed once is not asked again");
    sandbox.assert_tidy();
}

#[tokio::test]
async fn by_ssh_only_plain_names_are_sent_and_nothing_is_asked_or_trusted() {
    let sandbox = Sandbox::new();
    let store = store_with(&sandbox, &settings(&sandbox, Some(HOST)));
    insert(&store, plain_sample(100, "demo", None)).await.unwrap().unwrap();
    let calls = sandbox.calls();
    let words: Vec<_> = calls.iter().filter_map(|call| call.strip_prefix("ssh: ")).collect();
    assert!(words.contains(&"BatchMode=yes") && !words.iter().any(|word| word.contains("StrictHostKeyChecking")));
    let commands: Vec<_> =
        words.windows(3).filter(|words| words[0] == "--").map(|words| (words[1], words[2])).collect();
    assert_eq!(commands.len(), 5, "{words:?}");
    for (host, command) in commands {
        assert_eq!(host, HOST);
        assert!(command.contains(" -r 100 -c demo -t 1 </dev/null") && !command.contains("filesystemdb"), "{command}");
    }
    sandbox.assert_tidy();
}

#[tokio::test]
async fn what_the_tools_would_misread_is_refused_before_anything_runs() {
    let sandbox = Sandbox::new();
    for host in [None, Some(HOST)] {
        let store = store_with(&sandbox, &settings(&sandbox, host));
        for (name, says) in [("two words", "misread"), ("x$(touch pwned)", "misread"), ("-t", "misread"), (".x", "dot")]
        {
            let refused = insert(&store, plain_sample(100, name, None)).await.unwrap().unwrap_err();
            assert!(
                matches!(refused, Refused::Configuration { .. }) && refused.to_string().contains(says),
                "{refused}"
            );
        }
        let refused = insert(&store, conformance::sample(100, "demo", None)).await.unwrap().unwrap_err();
        assert!(refused.to_string().contains("EventBuilder1") && refused.to_string().contains("bytes beyond ASCII"));
        let mut schema_like = plain_sample(100, "demo", None);
        schema_like.archive.documents[1].entity = "oldschema".to_owned();
        let refused = insert(&store, schema_like).await.unwrap().unwrap_err();
        assert!(refused.to_string().contains("as the schema"), "{refused}");
        assert_eq!(sandbox.calls(), [] as [&str; 0]);
        assert!(store.runs().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_load_that_breaks_off_is_incomplete_and_is_completed() {
    for host in [None, Some(HOST)] {
        let sandbox = Sandbox::new();
        let store = store_with(&sandbox, &settings(&sandbox, host));
        let prepared = plain_sample(100, "demo", Some("stop"));
        sandbox.fault("bulkloader dies 3");
        let error = insert(&store, prepared.clone()).await.unwrap_err();
        assert!(matches!(&error, ConfigError::Tool(ToolError::Exit { code: 144, .. })), "{error:?}");
        assert!(error.to_string().ends_with("(an exception that it did not catch): SearchIndex is corrupt"), "{error}");
        assert_eq!(error.class(), ErrorClass::Transient);
        assert_eq!(is_complete(&store, 100).await, Some(false), "a part is there, and is not taken for the whole");
        let outcome = insert(&store, prepared.clone()).await.unwrap().unwrap();
        assert!(matches!(outcome, Inserted::Completed { kept: 3, .. }), "{outcome:?}");
        assert_whole(&store, &prepared).await;
        sandbox.assert_tidy();
    }
}

#[tokio::test]
async fn documents_that_are_lost_or_refused_are_missed_whatever_the_exit_code() {
    //                      fault                  the run is told
    for (fault, says) in [
        ("bulkloader loses 1", "`bulkloader` said that it stored `RunHistory`, which cannot be read back"),
        ("bulkloader refuses 1", "`bulkloader` did not store `RunHistory`, which cannot be read back: parse error in"),
    ] {
        let sandbox = Sandbox::new();
        let store = store(&sandbox);
        let prepared = plain_sample(100, "demo", None);
        sandbox.fault(fault);
        let batch = [prepared.clone(), plain_sample(101, "demo", None)];
        let outcomes = store.insert(batch.into()).await.unwrap();
        let told = outcomes[0].as_ref().unwrap_err().to_string();
        assert!(told.contains("document `RunHistory` of run 100") && told.contains(says), "{fault}: {told}");
        assert!(matches!(outcomes[1], Ok(Inserted::Stored { .. })), "the other run is stored: {outcomes:?}");
        assert_eq!(is_complete(&store, 100).await, Some(false));
        let again = insert(&store, prepared.clone()).await.unwrap().unwrap();
        assert!(matches!(again, Inserted::Completed { documents: 2, .. }), "the lost one and `hashes`: {again:?}");
        assert_whole(&store, &prepared).await;
    }
}

#[tokio::test]
async fn ends_of_the_tools_are_told_apart() {
    let sandbox = Sandbox::new();
    let store = store(&sandbox);
    sandbox.fault("bulkloader divides 0");
    let error = insert(&store, plain_sample(100, "demo", None)).await.unwrap_err();
    assert!(matches!(&error, ConfigError::Tool(ToolError::Exit { code: 136, .. })), "{error:?}");
    assert!(error.to_string().contains("no file to load, or no thread"));
    assert_eq!(error.class(), ErrorClass::Permanent);

    insert(&store, plain_sample(100, "demo", None)).await.unwrap().unwrap();
    sandbox.fault("bulkdownloader writes 0");
    let error = store.export(RunNumber::new(100)).await.unwrap_err();
    assert!(error.to_string().starts_with("`bulkdownloader` says that it wrote "), "{error}");
    assert!(store.export(RunNumber::new(100)).await.unwrap().is_some());

    let impatient = ToolSettings { time_max: Duration::from_millis(300), ..settings(&sandbox, None) };
    let store = store_with(&sandbox, &impatient);
    sandbox.fault("bulkdownloader hangs 0");
    let error = store.export(RunNumber::new(100)).await.unwrap_err();
    assert!(matches!(&error, ConfigError::Tool(ToolError::Timeout { .. })), "{error:?}");
    sandbox.assert_tidy();
}

#[tokio::test]
async fn a_remote_host_that_refuses_or_lacks_the_tools_is_told() {
    let sandbox = Sandbox::new();
    let store = store_with(&sandbox, &settings(&sandbox, Some(HOST)));
    sandbox.fault("ssh refuses 0");
    let error = insert(&store, plain_sample(100, "demo", None)).await.unwrap_err();
    let text =
        "`ssh` ended with exit code 255 (ssh could not reach the host or was refused): Host key verification failed.";
    assert_eq!((error.to_string().as_str(), error.class()), (text, ErrorClass::Transient));
    let elsewhere =
        ToolSettings { downloader: Some("/opt/none/bulkdownloader".to_owned()), ..settings(&sandbox, Some(HOST)) };
    let error = insert(&store_with(&sandbox, &elsewhere), plain_sample(100, "demo", None)).await.unwrap_err();
    assert!(error.to_string().contains("exit code 127 (there is no such program"), "{error}");
    sandbox.assert_tidy();
}

#[tokio::test]
async fn a_password_is_neither_among_the_arguments_nor_in_an_error() {
    let sandbox = Sandbox::new();
    let uri = DatabaseUri::parse("mongodb://daq:s3cret@db1/archive", |_| None).unwrap();
    let told = ToolSettings { uri, ..settings(&sandbox, Some(HOST)) };
    let store = store_with(&sandbox, &told);
    let error = insert(&store, plain_sample(100, "demo", None)).await.unwrap_err();
    assert!(
        matches!(&error, ConfigError::Tool(ToolError::Exit { code: 144, .. })),
        "the stand-in knows no server: {error}"
    );
    let said = format!("{error} {error:?} {store:?} {told:?} {:?}", sandbox.calls());
    assert!(said.contains("bulkdownloader -p") && !said.contains("s3cret"), "{said}");
}

#[tokio::test]
async fn a_later_version_of_a_document_is_refused_and_the_first_stays() {
    let sandbox = Sandbox::new();
    let store = store(&sandbox);
    let first = plain_sample(100, "demo", Some("stop"));
    insert(&store, first.clone()).await.unwrap().unwrap();
    let again = store.amend([first.clone()].into()).await.unwrap().remove(0);
    assert_eq!(again, Ok(Amended::AlreadyThere));
    let refused = store.amend([plain_sample(100, "demo", Some("later"))].into()).await.unwrap().remove(0).unwrap_err();
    assert!(
        refused.to_string().contains("`RunHistory2`") && refused.to_string().contains("no later version"),
        "{refused}"
    );
    assert_whole(&store, &first).await;
}

#[tokio::test]
async fn a_listing_of_another_archive_is_found_out_with_the_first_run() {
    let sandbox = Sandbox::new();
    let listing = Arc::new(open(&sandbox.path("elsewhere")));
    let store = ToolsStore::new(&settings(&sandbox, None), listing, Arc::new(SystemClock)).unwrap();
    for round in ["stored", "there already"] {
        let error = insert(&store, plain_sample(100, "demo", None)).await.unwrap_err();
        assert!(matches!(&error, ConfigError::Tool(ToolError::ListingDiffers { .. })), "{round}: {error:?}");
        assert_eq!(error.class(), ErrorClass::Permanent);
    }
    let loads = sandbox.calls().iter().filter(|call| call.starts_with("bulkloader ")).count();
    assert_eq!(loads, 2, "nothing is loaded twice");
}

#[tokio::test]
async fn a_loader_that_outlived_its_archiver_keeps_others_out() {
    let sandbox = Sandbox::new();
    let store = store(&sandbox);
    insert(&store, plain_sample(100, "demo", None)).await.unwrap().unwrap();
    let lock = fs_err::File::open(sandbox.path("archive/.waymark.lock.loader")).unwrap();
    lock.try_lock().unwrap();
    let error = insert(&store, plain_sample(101, "demo", None)).await.unwrap_err();
    assert!(matches!(&error, ConfigError::Tool(ToolError::LoaderRunning { .. })), "{error:?}");
    assert_eq!(error.class(), ErrorClass::Transient);
    drop(lock);
    insert(&store, plain_sample(101, "demo", None)).await.unwrap().unwrap();
}

#[test]
fn a_missing_tool_is_told_with_the_places_searched() {
    let sandbox = Sandbox::new();
    let environment = BTreeMap::from([("PATH".to_owned(), "/nowhere:relative".to_owned())]);
    let lost = ToolSettings { environment, ..settings(&sandbox, None) };
    let listing = Arc::new(open(&sandbox.path("archive")));
    let error = ToolsStore::new(&lost, listing, Arc::new(SystemClock)).unwrap_err();
    assert_eq!(error.to_string(), "`bulkloader` is in no directory of PATH (`/nowhere:relative`)");
}
