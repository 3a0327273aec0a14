//! Both stages, end to end, and what they cost.

use artdaq_db::RunNumber;
use fs_err as fs;
use run_pipeline::{Mode, Outcome, StageOptions};
use run_record::blob;

use super::lab::{Lab, write_run};

fn options(mode: Mode) -> StageOptions {
    StageOptions { mode, ..StageOptions::default() }
}

#[tokio::test]
async fn runs_arrive_whole() {
    let lab = Lab::new();
    for run in [100, 101, 102, 104] {
        write_run(&lab.records(), run);
    }
    fs::create_dir(lab.records().join("103")).unwrap();
    let report = lab.import(options(Mode::Incremental)).await.unwrap();
    assert_eq!(lab.text("importer"), "102/104 103", "{report:?}");
    let report = lab.migrate(options(Mode::Incremental)).await.unwrap();
    assert_eq!(lab.text("migrator"), "102/104 none", "{report:?}");
    assert!(report.invalid.is_empty() && !report.has_failures(), "{report:?}");

    write_run(&lab.records(), 103);
    lab.import(options(Mode::RetryFailed)).await.unwrap();
    // For the migration it is a run that appears late.
    lab.migrate(options(Mode::Incremental)).await.unwrap();
    lab.migrate(options(Mode::RetryFailed)).await.unwrap();
    assert_eq!((lab.text("importer"), lab.text("migrator")), ("104/104 none".into(), "104/104 none".into()));
    let packed = lab.blobs.get(RunNumber::new(103)).await.unwrap().unwrap();
    let unpacked = blob::unpack(std::str::from_utf8(&packed).unwrap()).unwrap();
    assert_eq!(unpacked.files.len(), 19, "{:?}", unpacked.files.keys());
    assert!(unpacked.files["RunHistory2.fcl"].contains("01:00:43"));
}

#[tokio::test]
async fn a_state_that_was_lost_does_no_harm() {
    let lab = Lab::new();
    (100..104).for_each(|run| write_run(&lab.records(), run));
    lab.import(options(Mode::Full)).await.unwrap();
    lab.migrate(options(Mode::Full)).await.unwrap();
    let before = lab.blobs.runs().await.unwrap();
    for entry in fs::read_dir(lab.dir.path()).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if name.starts_with("importer_") || name.starts_with("migrator_") {
            fs::remove_file(entry.path()).unwrap();
        }
    }
    // As if nothing was confirmed: everything is looked at again, and found.
    fs::write(lab.dir.path().join("importer_failures.log"), "100\n101\n102\n103\n").unwrap();
    fs::write(lab.dir.path().join("migrator_failures.log"), "100\n101\n102\n103\n").unwrap();
    for report in
        [lab.import(options(Mode::RetryFailed)).await.unwrap(), lab.migrate(options(Mode::RetryFailed)).await.unwrap()]
    {
        assert_eq!(report.count(|outcome| *outcome == Outcome::Archived { was_there: true }), 4, "{report:?}");
    }
    assert_eq!((lab.text("importer"), lab.text("migrator")), ("103/103 none".into(), "103/103 none".into()));
    assert_eq!(lab.blobs.runs().await.unwrap(), before);
}
