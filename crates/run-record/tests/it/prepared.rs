//! Whole records through every step, against what the genuine importer and migrator made of them.

use std::collections::{BTreeMap, BTreeSet};

use run_record::blob;
use run_record::convert::Fhiclize;
use run_record::directory::{Limits, RunDirectory, list_runs};
use run_record::json::Json;
use run_record::prepare::{PreparedRun, prepare};
use run_record::schema::Schema;
use run_record::validate::{Problem, validate};

use crate::golden::{self, SETS};

/// Every golden record, prepared: (where its golden results lie, run).
fn all() -> Vec<(std::path::PathBuf, &'static str, PreparedRun)> {
    let Some(artdaq) = golden::artdaq() else { return Vec::new() };
    let mut prepared = Vec::new();
    for (set, mode) in SETS {
        let base = artdaq.join(set);
        let schema = artdaq.join("one").join("schema.fcl");
        for (run, path) in list_runs(&base.join("records")).unwrap() {
            // Each run has its copy of the schema in its prepared files; they are all the same.
            let copy = base.join(mode).join("prepared/archive").join(run.to_string()).join("schema.fcl");
            assert_eq!(golden::read(&schema), golden::read(&copy));
            let schema = Schema::parse("schema.fcl", &golden::read(&schema)).unwrap();
            let record = RunDirectory::read(&path, &Limits::default()).unwrap();
            prepared.push((base.join(mode), mode, prepare(&record, &schema, &Fhiclize::default()).unwrap()));
        }
    }
    assert_eq!(prepared.len(), 12);
    prepared
}

#[test]
fn files_are_prepared_as_by_the_genuine_importer() {
    for (base, _, run) in all() {
        let check = |pass: &str, ours: &BTreeMap<String, String>| {
            let genuine = golden::files(&base.join("prepared").join(pass).join(run.run.to_string()));
            assert_eq!(ours.keys().collect::<Vec<_>>(), genuine.iter().map(|(name, _)| name).collect::<Vec<_>>());
            for (name, text) in genuine {
                golden::assert_same(&format!("{} {pass} {} {name}", base.display(), run.run), &ours[&name], &text);
            }
        };
        check("archive", &run.archive.files);
        check("update", &run.update.as_ref().unwrap().files);
        assert!(run.skipped.is_empty(), "{:?}", run.skipped);
        let result = golden::read(&base.join("prepared").join(format!("archive_{}.result", run.run)));
        assert_eq!(format!("'{}'", run.configuration), result.trim());
    }
}

#[test]
fn documents_have_the_collections_and_entities_of_the_library_mode() {
    for (base, mode, run) in all() {
        if mode != "conftoolp" {
            continue; // the tools mode does not read the schema's rules and stores no hashes
        }
        let passes = [Some(&run.archive), run.update.as_ref()].into_iter().flatten();
        let ours: BTreeSet<_> = passes
            .flat_map(|pass| &pass.documents)
            .map(|document| (document.collection.clone(), document.entity.clone()))
            .collect();
        let mut genuine = BTreeSet::new();
        for collection in ["RunHistory", "SystemLayout"] {
            for path in golden::list(&base.join("db_archive").join(collection)) {
                let document: Json = serde_json::from_str(&golden::read(&path)).unwrap();
                let name = |list: &str| match document.get(list) {
                    Some(Json::Array(items)) => items[0].get("name").unwrap().as_str().unwrap().to_owned(),
                    _ => String::new(),
                };
                if name("runs") == run.run.to_string() {
                    assert_eq!(name("configurations"), run.full_name());
                    genuine.insert((collection.to_owned(), name("entities")));
                }
            }
        }
        assert_eq!(ours, genuine, "{}", base.display());
    }
}

/// The exported texts of a run, as our own store would export them.
fn exported(run: &PreparedRun) -> BTreeMap<String, String> {
    let passes = [Some(&run.archive), run.update.as_ref()].into_iter().flatten();
    let documents = passes.flat_map(|pass| &pass.documents);
    documents.map(|document| (format!("{}.fcl", document.entity), document.document.to_text())).collect()
}

#[test]
fn exports_and_hashes_are_the_genuine_ones() {
    for (base, mode, run) in all() {
        let mut ours = exported(&run);
        if mode == "tools" {
            ours.remove("hashes.fcl");
        }
        let genuine: BTreeMap<_, _> =
            golden::files(&base.join("export").join(run.run.to_string())).into_iter().collect();
        assert_eq!(ours.keys().collect::<Vec<_>>(), genuine.keys().collect::<Vec<_>>());
        for (name, text) in &genuine {
            golden::assert_same(&format!("{} {} {name}", base.display(), run.run), &ours[name], text);
        }
    }
}

#[test]
fn blobs_are_the_genuine_ones_but_for_the_packing_time() {
    for (base, _, run) in all() {
        let genuine = golden::read(&base.join("blob").join(format!("{}.txt", run.run)));
        let unpacked = blob::unpack(&genuine).unwrap();
        let files: BTreeMap<_, _> = golden::files(&base.join("export").join(run.run.to_string())).into_iter().collect();
        assert_eq!((unpacked.run, &unpacked.files), (run.run, &files));
        let what = format!("{} {}", base.display(), run.run);
        golden::assert_same(&what, &blob::pack_at(run.run, &unpacked.packed_on, &files).unwrap(), &genuine);

        let ours = blob::pack(run.run, &files).unwrap();
        assert!(blob::same_content(&ours, &genuine) && ours != genuine, "{what}");
        assert_eq!(ours, blob::pack(run.run, &files).unwrap());

        let checks = validate(files.iter().map(|(name, text)| (name.as_str(), text.as_str())));
        assert_eq!(checks[1].value.as_deref(), Ok(run.configuration.as_str()));
        assert_eq!(checks[2].value, Err(Problem::Missing), "these records are of artdaq_demo");
    }
}

#[test]
fn the_packing_time_is_the_minute_of_the_stop() {
    for (_, _, run) in all() {
        let packed = blob::pack(run.run, &exported(&run)).unwrap();
        let stop = &run.update.as_ref().unwrap().files["RunHistory2.fcl"];
        let minute = &blob::unpack(&packed).unwrap().packed_on["Mar 13 ".len().."Mar 13 03:31".len()];
        assert!(stop.contains(&format!("{minute}:")), "{minute} is not in {stop}");
    }
}
