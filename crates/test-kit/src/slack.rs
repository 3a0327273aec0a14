//! Slack, as far as a program posts to it: `chat.postMessage` with a token, and the ways in which that fails.
//!
//! Absent: every other call, TLS.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

use crate::ucondb::{lock, request::Request};

/// How posts are answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Temper {
    /// `{"ok": true}` where the token is right, else `{"ok": false, "error": "invalid_auth"}`, both with status 200.
    Good,
    /// A status and a body in which `TOKEN` is replaced by the token that came.
    Answer(u16, String),
    /// Never.
    Silent,
}

/// One post as the server saw it.
#[derive(Debug, Clone, PartialEq)]
pub struct Post {
    /// The path of the request.
    pub path: String,
    /// The header `Authorization`.
    pub authorization: Option<String>,
    /// The body.
    pub body: Value,
}

/// A running server; it stops when the value is dropped.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
/// use test_kit::slack::{FakeSlack, Temper};
/// let server = FakeSlack::start("xoxb-1").await?;
/// server.set(Temper::Silent);
/// assert!(server.url().ends_with("/api") && server.posts().is_empty());
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct FakeSlack {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    token: String,
    temper: Mutex<Temper>,
    posts: Mutex<Vec<Post>>,
}

impl FakeSlack {
    /// Starts a server that knows one token.
    ///
    /// # Errors
    ///
    /// When no port can be had.
    pub async fn start(token: &str) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let shared =
            Arc::new(Shared { token: token.to_owned(), temper: Mutex::new(Temper::Good), posts: Mutex::default() });
        let task = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, task })
    }

    /// What stands in the place of `https://slack.com/api`.
    pub fn url(&self) -> String {
        format!("http://{}/api", self.address)
    }

    /// Answers otherwise from now on.
    pub fn set(&self, temper: Temper) {
        *lock(&self.shared.temper) = temper;
    }

    /// All posts so far.
    pub fn posts(&self) -> Vec<Post> {
        lock(&self.shared.posts).clone()
    }
}

impl Drop for FakeSlack {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        // An error here is a client that went away.
        connections.spawn(async move { serve(stream, &shared).await });
    }
}

async fn serve(stream: TcpStream, shared: &Shared) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    while let Some(request) = Request::read(&mut stream).await? {
        let body = request.read_body(&mut stream, None).await?;
        let authorization = request.header("authorization").map(str::to_owned);
        let body = serde_json::from_slice(&body).unwrap_or_default();
        lock(&shared.posts).push(Post { path: request.path.clone(), authorization: authorization.clone(), body });
        let token = authorization.as_deref().and_then(|text| text.strip_prefix("Bearer ")).unwrap_or_default();
        let temper = lock(&shared.temper).clone();
        let (status, answer) = match temper {
            Temper::Good if token == shared.token => {
                (200, json!({ "ok": true, "ts": "1790000000.000100" }).to_string())
            }
            Temper::Good => (200, json!({ "ok": false, "error": "invalid_auth" }).to_string()),
            Temper::Answer(status, body) => (status, body.replace("TOKEN", token)),
            Temper::Silent => std::future::pending().await,
        };
        let length = answer.len();
        let head =
            format!("HTTP/1.1 {status} Because\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n");
        stream.write_all((head + &answer).as_bytes()).await?;
        stream.flush().await?;
    }
    Ok(())
}
