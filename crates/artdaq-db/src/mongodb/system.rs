//! The record `SystemMetadata`, which describes the archive: written once, before its first document.

use mongodb::bson::RawDocumentBuf;
use run_record::json::Json;

use super::{bson::encode, connect::Connection, query::duplicates_allowed};
use crate::{
    ConfigError, Oid, ServerError,
    document::{object, timestamp},
    error::ErrorClass,
    filesystem::{SYSTEM_METADATA, Surroundings},
};

/// The record's id: always the same, so that of several first users one writes it.
const ID: [u8; 12] = *b"SystemMetada";

/// Writes the record unless there is one.
pub(super) async fn describe(connection: &Connection, surroundings: &Surroundings) -> Result<(), ConfigError> {
    let records = connection.database().await?.collection::<RawDocumentBuf>(SYSTEM_METADATA);
    let found = connection.ask("read", records.find_one(mongodb::bson::doc! {})).await?;
    if found.is_some() {
        return Ok(());
    }
    let bson = encode(&record(connection, surroundings)).map_err(|problem| ConfigError::Server {
        operation: "describe",
        place: connection.uri().to_string(),
        source: ServerError::new(problem, ErrorClass::Permanent),
    })?;
    let outcome = connection.ask_raw("write", records.insert_many([bson])).await?;
    duplicates_allowed(connection, outcome.map(drop)).map(drop)
}

/// The record, the address without user and password.
fn record(connection: &Connection, surroundings: &Surroundings) -> Json {
    let system = rustix::system::uname();
    let field = |text: &std::ffi::CStr| Json::String(text.to_string_lossy().into_owned());
    let uname = object([
        ("sysname", field(system.sysname())),
        ("nodename", field(system.nodename())),
        ("release", field(system.release())),
        ("version", field(system.version())),
        ("machine", field(system.machine())),
    ]);
    let document = object([
        ("name", Json::from("artdaq")),
        ("uri", Json::String(connection.uri().to_string())),
        ("locale", Json::from("en_US.UTF-8")),
        ("create_time", Json::String(timestamp(surroundings.clock.now()))),
        ("create_user", Json::from(surroundings.user.as_str())),
        ("uname", uname),
        ("database_format", Json::Integer(3)),
    ]);
    let id = object([("$oid", Json::from(Oid::from_random(ID).as_str()))]);
    object([("_id", id), ("document", document)])
}
