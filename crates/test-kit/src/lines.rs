//! A TCP server that takes lines and says nothing, as Graphite does.
//!
//! Absent: pickled metrics, UDP.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::AsyncReadExt as _,
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

use crate::ucondb::lock;

/// A running server; it stops when the value is dropped.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
/// use tokio::io::AsyncWriteExt as _;
/// let server = test_kit::lines::LineServer::start().await?;
/// let mut client = tokio::net::TcpStream::connect(server.address()).await?;
/// client.write_all(b"a.b 1 1790000000\n").await?;
/// drop(client);
/// while server.lines().is_empty() {
///     tokio::task::yield_now().await;
/// }
/// assert_eq!(server.lines(), ["a.b 1 1790000000"]);
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct LineServer {
    address: SocketAddr,
    received: Arc<Mutex<Vec<u8>>>,
    task: JoinHandle<()>,
}

impl LineServer {
    /// Starts a server.
    ///
    /// # Errors
    ///
    /// When no port can be had.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let received = Arc::<Mutex<Vec<u8>>>::default();
        let task = tokio::spawn(accept(listener, Arc::clone(&received)));
        Ok(Self { address, received, task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The lines so far, of connections that were closed.
    pub fn lines(&self) -> Vec<String> {
        String::from_utf8_lossy(&lock(&self.received)).lines().map(str::to_owned).collect()
    }
}

impl Drop for LineServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, received: Arc<Mutex<Vec<u8>>>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(take(stream, Arc::clone(&received)));
    }
}

async fn take(mut stream: TcpStream, received: Arc<Mutex<Vec<u8>>>) {
    let mut bytes = Vec::new();
    // A client that broke off leaves what it has sent.
    drop(stream.read_to_end(&mut bytes).await);
    lock(&received).extend(bytes);
}
