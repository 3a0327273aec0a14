//! Repairs the indexes of artdaqDB's file store.

use artdaq_db::{DatabaseUri, filesystem::IndexState};
use serde_json::json;

use super::Session;
use crate::{
    exit::{Exit, Failure},
    wire,
};
use run_config::Level;

/// Rebuilds the indexes, and says what was found.
pub(super) async fn repair(session: &Session<'_>) -> Result<Exit, Failure> {
    let DatabaseUri::Filesystem(uri) = &session.config.artdaq_db.database_uri else {
        let uri = &session.config.artdaq_db.database_uri;
        return Err(Failure::known(anyhow::anyhow!("`{uri}` is no directory: there are no index files to repair"))
            .hint("MongoDB keeps its own indexes; what was interrupted is completed by the next import"));
    };
    let store = wire::filesystem(uri, session.owner.user.clone());
    let found = store.repair().await.map_err(Failure::known)?;
    let exit = if found.unreadable.is_empty() { Exit::Done } else { Exit::Failed };
    let mut lines = Vec::new();
    let mut collections = Vec::new();
    for collection in &found.collections {
        let index = match collection.index {
            IndexState::Sound => "sound",
            IndexState::Missing => "missing",
            IndexState::Damaged => "damaged",
        };
        lines.push(format!(
            "{}: the index was {index}, lacked {} documents and named {} that are not there",
            terminal::clean(&collection.name),
            collection.unindexed,
            collection.dangling
        ));
        collections.push(json!({
            "collection": collection.name,
            "index": index,
            "unindexed": collection.unindexed,
            "dangling": collection.dangling,
        }));
    }
    let is_sound = found.is_sound();
    lines.push(if is_sound { "nothing to repair" } else { "the indexes were rebuilt from the documents" }.to_owned());
    for line in &lines {
        session.log.line(Level::Info, &format!("repair: {line}"));
    }
    for (path, reason) in &found.unreadable {
        let text = format!("`{}` cannot be read and was left as it is: {reason}", path.display());
        session.log.line(Level::Error, &format!("repair: {text}"));
        session.printer.error(&format!("{}\n", terminal::clean(&text)));
    }
    let answer = if session.cli.json {
        let unreadable: Vec<_> = found.unreadable.iter().map(|(path, _)| path).collect();
        format!("{:#}", json!({ "exit_code": exit as u8, "collections": collections, "unreadable": unreadable }))
    } else {
        lines.join("\n")
    };
    session.printer.answer(answer).map_err(Failure::unexpected)?;
    Ok(exit)
}
