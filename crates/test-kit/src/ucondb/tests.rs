//! The fake against the captured behaviour of the genuine server.
#![allow(clippy::unwrap_used, reason = "tests")]

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{FakeUconDb, Fault, Front, Options};

/// Sends bytes and returns all that comes back until the server closes.
async fn talk(server: &FakeUconDb, request: &str) -> String {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// One request with a body of known length; the status and the body of the answer.
async fn ask(server: &FakeUconDb, line: &str, body: &str) -> (u16, String) {
    let length = body.len();
    let answer =
        talk(server, &format!("{line} HTTP/1.1\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}")).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), body.to_owned())
}

/// A server that wants no password, with one version.
async fn seeded() -> FakeUconDb {
    let server = FakeUconDb::start(Options { writers: None, ..Options::default() }).await.unwrap();
    server.seed("public.test01", "configuration", Some("100"), &["100"], 0.0, b"first").unwrap();
    server
}

#[tokio::test]
async fn statuses_and_texts_are_the_genuine_ones() {
    let server = seeded().await;
    for (line, body, status, text) in [
        ("GET /app/version", "", 200, "3.9.7"),
        ("GET /app/folders", "", 200, "[\"test01\"]"),
        ("GET /app/objects?folder=test01", "", 200, "[\"configuration\"]"),
        ("GET /app/objects?folder=none", "", 500, "<h3>"),
        ("GET /app/tags?folder=test01", "", 200, "[\"100\"]"),
        ("GET /app/versions?folder=none&object=x", "", 404, "Folder none not found"),
        ("GET /app/versions?folder=test01&object=x", "", 404, "Object x not found"),
        (
            "GET /app/versions?folder=test01&object=configuration",
            "",
            200,
            "\"data_size\": 5, \"data_key\": \"1\", \"id\": 1",
        ),
        ("GET /app/data/test01/configuration/key=100", "", 200, "first"),
        ("GET /app/data/test01/configuration?tag=100", "", 200, "first"),
        ("GET /app/data/test01/configuration?data_key=1", "", 200, "first"),
        ("GET /app/data/test01/configuration?data_key=9", "", 404, "Data not found"),
        ("GET /app/data/test01/configuration?data_key=x", "", 500, "<h3>"),
        ("GET /app/data/test01/configuration?key=101", "", 404, "Version not found"),
        ("GET /app/data/test01/configuration?id=9", "", 500, "<h3>"),
        ("GET /app/data/test01/configuration?id=9&meta_only=yes", "", 200, "{}"),
        ("GET /app/data/test01/x?key=100", "", 500, "'NoneType' object has no attribute 'getVersion'"),
        ("GET /app/data/none/x?key=100", "", 500, "'NoneType' object has no attribute 'getObject'"),
        ("GET /app/data/test01", "", 400, ""),
        ("GET /app/get_blob?folder=test01&data_key=1", "", 200, "first"),
        ("GET /app/get_blob?folder=test01", "", 400, "One and only one of data_key, version_id must be specified"),
        (
            "POST /app/lookup_versions?folder=test01&object=configuration",
            "{\"keys\": [\"100\"]}",
            200,
            "\x1e{\"object\"",
        ),
        ("POST /app/lookup_versions?folder=test01&object=configuration", "{\"keys\": [\"7\"]}", 200, ""),
        (
            "POST /app/lookup_versions?folder=test01&object=configuration",
            "{}",
            500,
            "'NoneType' object is not iterable",
        ),
        ("POST /app/lookup_versions?folder=test01", "{\"keys\": [\"1\"]}", 500, "Object name must be specified"),
        ("POST /app/data/none/x?key=1", "x", 404, "Folder not found"),
        ("POST /app/data/a-b/x?key=1", "x", 500, "not all arguments converted during string formatting"),
        ("POST /app/data/test01/x?key=a%27b", "x", 400, "Invalid value for key"),
        ("POST /app/data/test01/x?key=a;b", "x", 500, "Invalid argument value"),
        ("POST /app/data/test01/x?tv=now", "x", 500, "could not convert string to float"),
        ("POST /app/data/test01/x?key", "x", 500, "<h3>"),
        ("POST /app/data/test01/x/key=1?key=2", "x", 500, "Value for key specified twice in the URL"),
        (
            "POST /app/data/test01/configuration?key=100",
            "second",
            500,
            "Version of object configuration with key 100 already exists",
        ),
        ("POST /app/data/test01/configuration?key=101", "second", 200, "2"),
        ("POST /app/data/test01/configuration?key=101&override=yes", "third", 200, "3"),
        ("GET /app/tag?folder=test01&object=configuration&key=101&tag=good", "", 200, "OK"),
        ("GET /app/create_folder?folder=", "", 400, "Empty folder name"),
        ("GET /app/create_folder?folder=Other", "", 200, "OK"),
        ("GET /app/folders", "", 200, "[\"other\", \"test01\"]"),
        ("GET /app/get_bulk", "", 404, ""),
    ] {
        let (seen, answer) = ask(&server, line, body).await;
        assert_eq!(seen, status, "{line}: {answer}");
        assert!(answer.contains(text), "{line}: {answer}");
    }
}

#[tokio::test]
async fn an_upload_in_chunks_is_stored_as_nothing() {
    let server = seeded().await;
    let chunks = "POST /app/data/test01/o?key=1 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    // The server closes with the chunks unread, so that its answer may be lost: what counts is what it stored.
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(chunks.as_bytes()).await.unwrap();
    let _ = stream.read_to_end(&mut Vec::new()).await;
    assert_eq!(server.contents("public.test01", "o"), [("1".to_owned(), Vec::new())]);

    let apache =
        FakeUconDb::start(Options { front: Front::Apache, writers: None, ..Options::default() }).await.unwrap();
    let mut stream = TcpStream::connect(apache.address).await.unwrap();
    stream.write_all(chunks.replace("HTTP/1.1\r\n", "HTTP/1.1\r\nConnection: close\r\n").as_bytes()).await.unwrap();
    let _ = stream.read_to_end(&mut Vec::new()).await;
    assert_eq!(apache.ledger()[0].status, Some(411));
}

#[tokio::test]
async fn a_challenge_looks_as_captured_and_a_wrong_password_gets_none() {
    let server = FakeUconDb::start(Options::default()).await.unwrap();
    let put = |auth: &str| format!("POST /app/data/test01/o?key=1 HTTP/1.1\r\nContent-Length: 1\r\n{auth}\r\nx");
    let asked = talk(&server, &put("")).await;
    assert!(asked.starts_with("HTTP/1.1 401 Unauthorized\r\n"), "{asked}");
    let challenge = "WWW-Authenticate: Digest realm=\"public.test01\", nonce=\"b'";
    assert!(asked.contains(challenge) && asked.contains("algorithm=MD5, qop=\"auth\"\r\n"), "{asked}");
    assert!(asked.ends_with("Authorization required"), "{asked}");

    let wrong = "Authorization: Digest username=\"writer\", uri=\"/\", nonce=\"n\", nc=1, cnonce=\"c\", qop=auth, response=\"r\"\r\n";
    let refused = talk(&server, &put(wrong)).await;
    assert!(refused.contains(" 401 ") && !refused.contains("WWW-Authenticate"), "{refused}");
    let incomplete = talk(&server, &put("Authorization: Digest username=\"writer\"\r\n")).await;
    assert!(incomplete.contains(" 500 ") && incomplete.contains("<h3>'uri'</h3>"), "{incomplete}");
}

#[tokio::test]
async fn a_busy_server_says_so_with_bare_line_feeds() {
    let server = seeded().await;
    server.fail_next("GET", "/version", Fault::Unavailable);
    assert_eq!(talk(&server, "GET /app/version HTTP/1.1\r\n\r\n").await, "HTTP/1.1 503 Service unavailable\n\n");
}
