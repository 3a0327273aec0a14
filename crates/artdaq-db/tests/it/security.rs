//! What others may leave in the directory of an archive.

use std::{path::Path, time::Duration};

use artdaq_db::{ConfigError, ConfigStore};

use crate::setup::{open, tree};

/// How long a look may take that is to be refused.
const PATIENCE: Duration = Duration::from_secs(20);

const OID: &str = "000000000000400080000001";

#[tokio::test]
async fn an_intent_leads_nowhere_else() {
    for collection in ["../victim", "../../victim", "/victim", "", ".", "..", "a/../../victim", "a/b", "a\0b"] {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("store/artdaqdb");
        fs_err::create_dir_all(root.join("RunHistory")).unwrap();
        fs_err::create_dir_all(root.join("a")).unwrap();
        for place in ["victim", "store/victim", "store", "store/artdaqdb"] {
            fs_err::create_dir_all(dir.path().join(place)).unwrap();
            fs_err::write(dir.path().join(place).join(format!("{OID}.json")), "precious").unwrap();
        }
        let text = serde_json::json!({"version": 1, "documents": [
            {"run": 7, "collection": collection, "oid": OID},
            // Is missing, so that the run is to be removed.
            {"run": 7, "collection": "RunHistory", "oid": OID},
        ]});
        fs_err::write(root.join(".waymark-intent.json"), text.to_string()).unwrap();
        let before = tree(dir.path());
        let store = open(&root);
        let error = store.repair().await.unwrap_err();
        assert!(matches!(error, ConfigError::IntentDamaged { .. }), "{collection:?}: {error}");
        let error = store.runs().await.unwrap_err();
        assert!(matches!(error, ConfigError::IntentDamaged { .. }), "{collection:?}: {error}");
        let after: Vec<_> = tree(dir.path()).into_iter().filter(|(path, _)| !path.ends_with("lock")).collect();
        let before: Vec<_> = before.into_iter().filter(|(path, _)| !path.ends_with("lock")).collect();
        assert_eq!(after, before, "{collection:?}");
    }
}

fn fifo(path: &Path) {
    assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[tokio::test]
async fn a_fifo_is_not_waited_for() {
    for place in ["RunHistory/index.json", ".waymark-intent.json"] {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("artdaqdb");
        fs_err::create_dir_all(root.join("RunHistory")).unwrap();
        fifo(&root.join(place));
        let store = open(&root);
        let looked = tokio::time::timeout(PATIENCE, store.runs()).await.expect("it comes to an end");
        let error = looked.unwrap_err();
        assert!(error.to_string().contains(place.rsplit('/').next().unwrap()), "{error}");
    }
}
