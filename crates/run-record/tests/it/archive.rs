//! Whole archives of the genuine program: what it stored, and what it exported.

use std::collections::BTreeMap;
use std::path::Path;

use run_record::fhicl::Document;
use run_record::json::Json;

use crate::golden::{self, SETS};

/// A genuine stored document: (run, entity, document).
fn stored(archive: &Path) -> Vec<(String, String, Json)> {
    let mut documents = Vec::new();
    for collection in ["RunHistory", "SystemLayout"] {
        for path in golden::list(&archive.join(collection)) {
            if golden::name(&path) == "index.json" {
                continue;
            }
            let document: Json = serde_json::from_str(&golden::read(&path)).unwrap();
            let named = |list: &str| match document.get(list) {
                Some(Json::Array(items)) => items[0].get("name").and_then(Json::as_str).unwrap().to_owned(),
                _ => panic!("no `{list}` in `{}`", path.display()),
            };
            documents.push((named("runs"), named("entities"), document));
        }
    }
    documents
}

fn part<'a>(document: &'a Json, name: &str) -> &'a Json {
    document.get("document").unwrap().get(name).unwrap()
}

#[test]
fn prepared_files_are_stored_as_the_genuine_program_stores_them() {
    let Some(artdaq) = golden::artdaq() else { return };
    let mut compared = 0;
    for (set, mode) in SETS {
        let base = artdaq.join(set).join(mode);
        for (run, entity, document) in stored(&base.join("db_archive")) {
            let passes = ["archive", "update"]
                .map(|pass| base.join("prepared").join(pass).join(&run).join(format!("{entity}.fcl")));
            let Some(path) = passes.iter().find(|path| path.exists()) else {
                assert_eq!(entity, "hashes", "{set} {mode} {run}");
                continue;
            };
            let parsed = Document::parse_reporting(&entity, &golden::read(path)).unwrap();
            assert!(parsed.extensions.is_empty(), "{set} {mode} {run} {entity}: {:?}", parsed.extensions);
            let ours = [parsed.document.to_data(), parsed.document.to_metadata(), parsed.document.to_comments()];
            let genuine = [part(&document, "data"), part(&document, "metadata"), document.get("comments").unwrap()];
            for (ours, genuine) in ours.iter().zip(genuine) {
                let what = format!("{set} {mode} {run} {entity}");
                let [ours, genuine] = [ours, genuine].map(|json| serde_json::to_string_pretty(json).unwrap());
                golden::assert_same(&what, &ours, &genuine);
            }
            compared += 1;
        }
    }
    assert!(compared > 200, "only {compared} documents");
}

#[test]
fn stored_documents_are_exported_as_the_genuine_program_exports_them() {
    let Some(artdaq) = golden::artdaq() else { return };
    let mut compared = 0;
    for (set, mode) in SETS {
        let base = artdaq.join(set).join(mode);
        let mut texts: BTreeMap<(String, String), String> = BTreeMap::new();
        for (run, entity, document) in stored(&base.join("db_archive")) {
            let document = Document::from_stored(
                part(&document, "data"),
                part(&document, "metadata"),
                document.get("comments").unwrap(),
            )
            .unwrap();
            texts.insert((run, entity), document.to_text());
        }
        for directory in golden::list(&base.join("export")) {
            let run = golden::name(&directory);
            for (file, genuine) in golden::files(&directory) {
                let entity = file.strip_suffix(".fcl").unwrap().to_owned();
                golden::assert_same(&format!("{set} {mode} {run} {file}"), &texts[&(run.clone(), entity)], &genuine);
                compared += 1;
            }
        }
    }
    assert!(compared > 200, "only {compared} texts");
}
