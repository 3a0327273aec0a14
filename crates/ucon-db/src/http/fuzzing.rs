//! What must hold of what a server answers, for any bytes. For the crate `parser-fuzz` only.

use super::{
    answer::message,
    digest::{Challenge, Subject},
    record::{Record, from_python_json},
};
use crate::{FolderName, ObjectName, ServerUrl, key::run_of};

/// The body of an answer, its error page, its challenge, and the names and addresses of a configuration.
///
/// # Panics
///
/// When an answer leads to a header with control characters, or to a message that commands a terminal.
pub fn answer(bytes: &[u8]) {
    let records = from_python_json::<Vec<Record>>(bytes).unwrap_or_default();
    let record = from_python_json::<Record>(bytes).ok();
    for record in records.into_iter().chain(record) {
        let _ = record.key.as_deref().and_then(run_of);
        let _ = record.into_version_info();
    }
    let text = String::from_utf8_lossy(bytes);
    let said = message(&text);
    assert!(!said.chars().any(char::is_control), "{said:?}");
    assert!(said.chars().count() <= 301, "{}", said.len());
    challenge(&text);
    names(&text);
}

fn challenge(text: &str) {
    // What is no header never gets here; a tab may stand in one.
    let header = text.replace(|c: char| c.is_control() && c != '\t', "");
    let subject = Subject { method: "POST", uri: "/app/data/f/o?key=1", uses: 1, client_nonce: "c" };
    if let Ok(Some(challenge)) = Challenge::choose([header.as_str()].into_iter()) {
        let respond = challenge.respond("user", "password", subject);
        assert!(!respond.chars().any(|c| c.is_control() && c != '\t'), "{respond:?}");
    }
}

fn names(text: &str) {
    if let Ok(name) = text.parse::<FolderName>() {
        assert!(!name.as_str().contains(['/', '\r', '\n', '\0', '?', '#']), "{name}");
    }
    if let Ok(name) = text.parse::<ObjectName>() {
        assert!(!name.as_str().contains(['/', '\r', '\n', '\0', '?', '#']), "{name}");
    }
    for line in text.lines() {
        if let Ok(ServerUrl::Http(server)) = line.parse() {
            let url = server.endpoint(&["data", "f", "o"], &[("key", line)]);
            assert!(!url.as_str().contains(char::is_control), "{url}");
        }
    }
}
