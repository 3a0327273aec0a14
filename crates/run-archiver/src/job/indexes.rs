//! Makes the indexes of artdaqDB in a MongoDB server.

use super::Session;
use crate::exit::{Exit, Failure};

/// Makes the indexes, and says which.
#[cfg(feature = "mongodb")]
pub(super) async fn create(session: &Session<'_>) -> Result<Exit, Failure> {
    use artdaq_db::DatabaseUri;
    use serde_json::json;

    use run_config::Level;

    use crate::wire;

    let config = &session.config.artdaq_db;
    let DatabaseUri::Mongo(uri) = &config.database_uri else { return Err(no_server(session)) };
    let store = wire::mongo(uri, config, session.owner.user.clone())?;
    let created = store.create_indexes().await.map_err(Failure::known)?;
    let mut lines = Vec::new();
    for index in &created {
        let what = if index.is_new { "the index was made" } else { "the index was there" };
        let line = format!("{}: {what}", terminal::clean(&index.collection));
        session.log.line(Level::Info, &format!("indexes: {line}"));
        lines.push(line);
    }
    let answer = if session.cli.json {
        let collections: Vec<_> =
            created.iter().map(|index| json!({ "collection": index.collection, "is_new": index.is_new })).collect();
        format!("{:#}", json!({ "exit_code": Exit::Done as u8, "indexes": collections }))
    } else {
        lines.join("\n")
    };
    session.printer.answer(answer).map_err(Failure::unexpected)?;
    Ok(Exit::Done)
}

/// Says that there is nothing to do it with.
#[cfg(not(feature = "mongodb"))]
#[expect(clippy::unused_async, reason = "as in the other build")]
pub(super) async fn create(session: &Session<'_>) -> Result<Exit, Failure> {
    Err(no_server(session))
}

fn no_server(session: &Session<'_>) -> Failure {
    let uri = &session.config.artdaq_db.database_uri;
    Failure::known(anyhow::anyhow!("`{uri}` is no MongoDB server that this program can speak to"))
        .hint("an archive in a directory has its index files already; `--repair-artdaqdb` rebuilds them")
}
