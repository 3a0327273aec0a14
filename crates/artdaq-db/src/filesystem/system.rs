//! The record `SystemMetadata`, which describes the archive: written once, before its first document.

use chrono::{DateTime, Utc};

use super::{
    archive::{Archive, SYSTEM_METADATA},
    dialect::write_string,
    disk::io_error,
};
use crate::{ConfigError, Oid, document::timestamp};

/// What the record is called until it has its place.
const TEMPORARY: &str = ".waymark-description.tmp";

/// Writes the record unless there is one.
pub(super) fn describe(archive: &Archive) -> Result<(), ConfigError> {
    let directory = archive.root.join(SYSTEM_METADATA);
    if fs_err::exists(&directory).map_err(io_error("read", &directory))?
        && !archive.documents_of(SYSTEM_METADATA)?.is_empty()
    {
        return Ok(());
    }
    let oid = archive.surroundings.oids.next().map_err(ConfigError::Oid)?;
    let text = record(&archive.uri, &archive.surroundings.user, archive.surroundings.clock.now(), oid);
    // In the root first, where the genuine programs ignore plain files.
    let temporary = archive.root.join(TEMPORARY);
    remove_leftovers(archive)?;
    archive.disk.replace(&temporary, text.as_bytes())?;
    archive.disk.create_directory(&directory)?;
    archive.disk.rename(&temporary, &super::document_path(&archive.root, SYSTEM_METADATA, &oid))?;
    archive.disk.sync_directory(&directory)?;
    archive.disk.sync_directory(&archive.root)
}

/// Removes what a dead writer has left of a record.
pub(super) fn remove_leftovers(archive: &Archive) -> Result<(), ConfigError> {
    let temporary = archive.root.join(TEMPORARY);
    archive.disk.remove_leftovers(&temporary)?;
    archive.disk.remove_file(&temporary)
}

/// The record's text: one line, not in the writer's usual form.
fn record(uri: &str, user: &str, time: DateTime<Utc>, oid: Oid) -> String {
    let quoted = |text: &str| {
        let mut out = String::new();
        write_string(&mut out, text);
        out
    };
    let system = rustix::system::uname();
    let field = |text: &std::ffi::CStr| quoted(&text.to_string_lossy());
    format!(
        "{{\"document\":{{\"name\":\"artdaq\",\"uri\":{},\"locale\":\"en_US.UTF-8\",\"create_time\":\"{}\",\
         \"create_user\":{},\"uname\":{{\"sysname\":{},\"nodename\":{},\"release\":{},\"version\":{},\"machine\":{}}},\
         \"database_format\":3}},\"_id\": {{ \"$oid\":\"{oid}\"}}}}",
        quoted(uri),
        timestamp(time),
        quoted(user),
        field(system.sysname()),
        field(system.nodename()),
        field(system.release()),
        field(system.version()),
        field(system.machine()),
    )
}
