//! What a server, or somebody in its place, may try: send us elsewhere, without encryption, with our credentials.

use test_kit::ucondb::{FakeUconDb, Fault, Front, Options};
use ucon_db::{BlobStore, ServerUrl};

use crate::setup::{PASSWORD, config, http, run, server, told};

#[tokio::test]
async fn no_redirection_leads_to_another_server_or_out_of_encryption() {
    let encrypted = FakeUconDb::start(Options { tls: true, ..Options::default() }).await.unwrap();
    let plain = server(Front::Webpie).await;
    let mut config = config(&encrypted.url());
    config.tls.authorities_pem = Some(encrypted.authority_pem().unwrap().as_bytes().to_vec());
    let store = http(config);
    store.put(run(1), b"warm-up").await.unwrap();
    for code in [301, 302, 303, 307, 308] {
        for method in ["POST", "GET"] {
            let fault = if code == 302 {
                Fault::Redirect(format!("{}/data/public.test01/configuration", plain.url()))
            } else {
                Fault::Status(code, "go elsewhere".to_owned())
            };
            encrypted.fail_next(method, "/", fault);
        }
        let number = run(100 + u64::from(code));
        for error in [store.put(number, b"record").await.unwrap_err(), store.get(run(1)).await.unwrap_err()] {
            assert!(told(&error).contains(&format!("the server answers {code}")), "{}", told(&error));
            assert!(!told(&error).contains(PASSWORD));
        }
    }
    assert!(plain.ledger().is_empty(), "the other server was asked: {:?}", plain.ledger());
    assert_eq!(encrypted.version_count("public.test01"), 1);
}

#[tokio::test]
async fn the_password_is_never_sent_even_when_basic_is_asked_for() {
    // A server in the place of ours that wants the password itself.
    for challenge in ["Basic realm=\"x\"", "Bearer", "Digest realm=\"x\", nonce=\"n\", algorithm=crc32, qop=\"auth\""] {
        let (address, asked) = trap(challenge).await;
        let store = http(config(&format!("http://{address}/app")));
        let error = store.put(run(100), b"record").await.unwrap_err();
        assert!(!told(&error).contains(PASSWORD), "{}", told(&error));
        let asked = asked.lock().unwrap().clone();
        assert!(!asked.is_empty() && !asked.contains(PASSWORD), "{challenge}: {asked}");
        // The password in base64, with any user before it, contains one of these.
        assert!(!asked.to_lowercase().contains("authorization: basic"), "{challenge}: {asked}");
    }
}

/// A server that answers every request with 401 and this challenge, and keeps what it was sent.
async fn trap(challenge: &str) -> (std::net::SocketAddr, std::sync::Arc<std::sync::Mutex<String>>) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
    let (kept, challenge) = (std::sync::Arc::clone(&asked), challenge.to_owned());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = [0; 4096];
            let length = stream.read(&mut buffer).await.unwrap_or(0);
            kept.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..length]));
            let head = format!("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: {challenge}\r\n");
            drop(stream.write_all(format!("{head}Content-Length: 2\r\nConnection: close\r\n\r\nno").as_bytes()).await);
        }
    });
    (address, asked)
}

#[test]
fn no_address_smuggles_anything_into_requests() {
    for address in [
        "https://host/app\r\nX: y",
        "https://user:hush@host/app",
        "https://host@evil/app",
        "https://host/app?x=y",
        "https://host/app#x",
        "https://host/\u{0}",
        "file:///etc/passwd",
        "ftp://host/app",
    ] {
        let error = address.parse::<ServerUrl>().expect_err(address);
        assert!(!error.to_string().contains("hush"), "{error}");
    }
}
