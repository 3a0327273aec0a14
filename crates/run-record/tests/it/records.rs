//! Run directories written here: what is read, what is refused, what is kept.

use std::path::Path;

use fs_err as fs;
use fs_err::os::unix::fs::symlink;
use run_record::convert::Fhiclize;
use run_record::directory::{Limits, ReadError, RunDirectory, list_runs};
use run_record::fhicl::Extension;
use run_record::prepare::{PrepareError, PreparedRun, prepare};
use run_record::schema::Schema;
use run_record::{RunNumber, hashes, text};

const SCHEMA: &str = r"
run_history: [{collection: RunHistory pattern: '(.*/)((?!schema|flags)[a-zA-Z0-9_]+)(\.fcl$)'}]
system_layout: [{collection: SystemLayout pattern: '(.*)(schema)(\.fcl$)'}, {collection: Flags pattern: '(.*)(flags)(\.fcl$)'}]
";

fn write(directory: &Path, files: &[(&str, &[u8])]) {
    for (name, bytes) in files {
        let path = directory.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

fn read(path: &Path) -> Result<RunDirectory, ReadError> {
    RunDirectory::read(path, &Limits::default())
}

fn prepared(files: &[(&str, &[u8])]) -> Result<PreparedRun, PrepareError> {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path().join("4711");
    write(&directory, files);
    let schema = Schema::parse("schema.fcl", SCHEMA).unwrap();
    prepare(&read(&directory).unwrap(), &schema, &Fhiclize::default())
}

fn places(run: &PreparedRun) -> Vec<(&str, &str)> {
    run.archive.documents.iter().map(|document| (document.collection.as_str(), document.entity.as_str())).collect()
}

#[test]
fn a_directory_is_read_in_full_or_refused() {
    let temporary = tempfile::tempdir().unwrap();
    let records = temporary.path();
    write(
        records,
        &[
            ("100/boot.txt", b"x"),
            ("100/notes.md", b""),
            ("100/sub/a.fcl", b"a: 1"),
            ("100/sub/b.txt", b""),
            ("101", b"file"),
        ],
    );
    write(records, &[("102/notes.md", b""), ("readme", b""), ("0100/boot.txt", b"y"), ("103/big.fcl", &[b' '; 4097])]);
    fs::create_dir(records.join("104")).unwrap();
    symlink("nowhere", records.join("100/link.md")).unwrap();

    let record = read(&records.join("100")).unwrap();
    assert_eq!(record.run, RunNumber::new(100));
    assert_eq!(record.files.keys().collect::<Vec<_>>(), ["boot.txt", "sub/a.fcl"]);
    assert_eq!(record.skipped, ["link.md", "notes.md", "sub/b.txt"]);

    let runs = list_runs(records).unwrap();
    assert_eq!(runs.keys().map(|run| run.get()).collect::<Vec<_>>(), [100, 101, 102, 103, 104]);
    assert_eq!(runs[&RunNumber::new(100)], records.join("100"));

    let refused = |name: &str| read(&records.join(name)).unwrap_err();
    assert!(matches!(refused("101"), ReadError::NotADirectory { .. }));
    assert!(matches!(refused("102"), ReadError::Empty { .. }));
    assert!(matches!(refused("104"), ReadError::Empty { .. }));
    assert!(matches!(refused("105"), ReadError::Io { .. }));
    assert!(matches!(refused("readme"), ReadError::NotARun { .. }));
    let limits = |limits: Limits| RunDirectory::read(&records.join("103"), &limits).map(|_| ());
    assert!(limits(Limits { file_bytes_max: 4097, ..Limits::default() }).is_ok());
    for small in [
        Limits { file_bytes_max: 4096, ..Limits::default() },
        Limits { total_bytes_max: 4096, ..Limits::default() },
        Limits { files_max: 0, ..Limits::default() },
    ] {
        assert!(matches!(limits(small), Err(ReadError::TooLarge { .. })));
    }
    let shallow = Limits { depth_max: 0, ..Limits::default() };
    assert!(matches!(RunDirectory::read(&records.join("100"), &shallow), Err(ReadError::TooLarge { .. })));

    symlink("nowhere", records.join("104/lost.fcl")).unwrap();
    assert!(matches!(refused("104"), ReadError::Io { .. }), "a link that leads nowhere is not an absent file");
}

#[test]
fn documents_follow_the_schema_and_none_vanishes() {
    let run = prepared(&[
        ("a.fcl", b"x: 1"),
        ("sub/a.fcl", b"x: 2"),
        ("flags.fcl", b"f: true"),
        ("my comp-1.0.fcl", b"x: 3"),
        ("settings.txt", b"timeout: 5"),
        ("settings.fcl", b"old: 1"),
        ("other.txt", b"?"),
        ("hashes.fcl", b"a:0"),
        ("schema.fcl", b"ignored: 1"),
    ])
    .unwrap();
    let expect = [
        ("RunHistory", "a"),
        ("Flags", "flags"),
        ("RunHistory", "my comp-1.0"),
        ("SystemLayout", "schema"),
        ("RunHistory", "settings"),
        ("RunHistory", "sub_a"),
        ("RunHistory", "hashes"),
    ];
    assert_eq!(places(&run), expect);
    assert_eq!(run.skipped, ["hashes.fcl", "other.txt", "schema.fcl"]);
    assert_eq!((run.full_name().as_str(), &run.update), ("4711/standard", &None));
    assert_eq!(run.archive.files["settings.fcl"], "timeout: 5\n");
    assert_eq!(run.archive.files["schema.fcl"], SCHEMA);
    let texts = run.archive.documents.iter().map(|document| (document.entity.as_str(), document.text.as_str()));
    let hashes = hashes::text(texts.filter(|(entity, _)| *entity != "hashes"));
    assert_eq!(run.archive.documents.last().unwrap().text, hashes);
    assert!(hashes.contains("\nmy_comp_1_0:") && !hashes.contains("schema:"), "{hashes}");
}

#[test]
fn a_run_with_times_has_a_second_pass() {
    let metadata = b"Config name: a/b\nComponent #0: c1\n\nDAQInterface start time: Wed Mar 13 03:20:00 UTC 2024\n";
    let run = prepared(&[("metadata.txt", metadata)]).unwrap();
    assert_eq!(run.full_name(), "4711/a_b");
    let update = run.update.unwrap();
    assert_eq!(update.files["RunHistory2.fcl"], "DAQInterface_start_time: \"Wed Mar 13 03:20:00 UTC 2024\"");
    assert_eq!(
        update.documents.iter().map(|document| document.entity.as_str()).collect::<Vec<_>>(),
        ["RunHistory2", "schema"]
    );
}

#[test]
fn a_malformed_file_fails_the_run_with_its_place() {
    let error = prepared(&[("a.fcl", b"x: 1\n"), ("b.fcl", b"x: 1\ny: /tmp\n")]).unwrap_err();
    let PrepareError::Malformed(place) = error else { panic!("{error}") };
    assert_eq!((place.file.as_str(), place.line, place.column), ("b.fcl", 2, 4));
}

#[test]
fn bytes_that_are_not_utf8_reach_the_archive_and_come_back() {
    let run = prepared(&[
        ("metadata.txt", b"Config name: caf\xe9\nTemperature: 5 \xc2\xb5K\n"),
        ("setup.txt", b"echo \xff \\"),
        ("c.fcl", b"# \xb0\na: '\xc3\xa9\xe9'\n"),
        ("empty.fcl", b""),
    ])
    .unwrap();
    assert_eq!(text::encode(&run.configuration), b"caf\xe9");
    let text_of = |entity: &str| {
        let document = run.archive.documents.iter().find(|document| document.entity == entity).unwrap();
        (text::encode(&document.document.to_text()), document.extensions.iter().copied().collect::<Vec<_>>())
    };
    assert_eq!(
        text_of("metadata"),
        (b"\nconfig_name: \"caf\xe9\" \n\nTemperature: \"5 \xc2\xb5K\" \n".to_vec(), vec![Extension::NonAscii])
    );
    assert_eq!(text_of("setup"), (b"\nsetup_script: \"echo \xff \\\\\\n\" \n".to_vec(), vec![Extension::NonAscii]));
    assert_eq!(text_of("c"), (b"# \xb0\na: '\xc3\xa9\xe9' \n".to_vec(), vec![Extension::NonAscii]));
    assert_eq!(text_of("empty"), (Vec::new(), vec![Extension::EmptyText]));
}
