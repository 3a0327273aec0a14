//! Connections: requests in, answers out, and the orders to misbehave carried out.

use std::{io, sync::Arc};

use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader},
    net::TcpListener,
    task::JoinSet,
};

use super::{Fault, Front, Seen, Shared, lock, request::Request, response::Response, routes};

/// Serves connections until the task is aborted.
pub(crate) async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    // Aborts the connections when it is dropped with this task.
    let mut connections = JoinSet::new();
    for number in 0.. {
        let Ok((stream, _)) = listener.accept().await else { return };
        // Without it, each answer on a kept connection waits 40 ms for the client's acknowledgement of its first half.
        if stream.set_nodelay(true).is_err() {
            continue;
        }
        let (shared, tls) = (Arc::clone(&shared), lock(&shared.tls).clone());
        // An error here is a client that went away, which is its own affair.
        connections.spawn(async move {
            match tls {
                None => serve(stream, &shared, number).await,
                Some(tls) => match tls.accept(stream).await {
                    Ok(stream) => serve(stream, &shared, number).await,
                    Err(error) => Err(error),
                },
            }
        });
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, shared: &Shared, connection: usize) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    while let Some(request) = Request::read(&mut stream).await? {
        let fault = lock(&shared.script).take(&request.method, &request.path);
        let bytes_max = if let Some(Fault::CutRequestAfter(bytes)) = fault { Some(bytes) } else { None };
        let body = request.read_body(&mut stream, bytes_max).await?;
        let entry = record(shared, &request, connection, body.len());
        if bytes_max.is_some() || request.content_length().is_some_and(|length| length > body.len() as u64) {
            return Ok(());
        }
        let Some(answer) = answer(shared, &request, &body, fault.as_ref()) else {
            if fault == Some(Fault::Stall) {
                std::future::pending::<()>().await;
            }
            if fault == Some(Fault::Unavailable) {
                lock(&shared.ledger)[entry].status = Some(503);
                stream.write_all(b"HTTP/1.1 503 Service unavailable\n\n").await?;
                stream.shutdown().await?;
            }
            return Ok(());
        };
        lock(&shared.ledger)[entry].status = Some(answer.status);
        let keep_wanted = request.header("connection").is_none_or(|value| !value.eq_ignore_ascii_case("close"));
        let mut wire = answer.into_wire(shared.front, keep_wanted);
        let cut = match fault {
            Some(Fault::CutAnswerAfter(bytes) | Fault::StallAfter(bytes)) => bytes < wire.body.len(),
            _ => false,
        };
        if let Some(Fault::CutAnswerAfter(bytes) | Fault::StallAfter(bytes)) = fault {
            wire.body.truncate(bytes);
        }
        stream.write_all(&wire.head).await?;
        stream.write_all(&wire.body).await?;
        stream.flush().await?;
        if cut && matches!(fault, Some(Fault::StallAfter(_))) {
            std::future::pending::<()>().await;
        }
        if cut || !wire.keep {
            stream.shutdown().await?;
            return Ok(());
        }
    }
    Ok(())
}

/// What is to be sent; `None` for nothing, or for something that is not HTTP.
fn answer(shared: &Shared, request: &Request, body: &[u8], fault: Option<&Fault>) -> Option<Response> {
    match fault {
        Some(Fault::Unavailable | Fault::Stall) => None,
        Some(Fault::Status(status, text)) => Some(Response::text(*status, text)),
        Some(Fault::Redirect(to)) => Some(Response::text(302, "").with_header("Location", to.clone())),
        Some(Fault::LoseAnswer) => {
            routes::answer(shared, request, body);
            None
        }
        Some(Fault::LoseBody) => Some(routes::answer(shared, request, b"")),
        Some(Fault::FlipByte) => {
            let mut answer = routes::answer(shared, request, body);
            let middle = answer.body.len() / 2;
            if let Some(byte) = answer.body.get_mut(middle) {
                *byte ^= 1;
            }
            Some(answer)
        }
        _ if request.is_chunked() && shared.front == Front::Apache => Some(Response::text(411, "Length Required")),
        // Webpie takes an upload in chunks for an empty one: `Request::read_body` has read nothing.
        _ => Some(routes::answer(shared, request, body)),
    }
}

/// Enters a request into the ledger and returns its place there.
fn record(shared: &Shared, request: &Request, connection: usize, body_bytes: usize) -> usize {
    let mut ledger = lock(&shared.ledger);
    ledger.push(Seen {
        connection,
        method: request.method.clone(),
        path: request.path.clone(),
        query: request.query.clone(),
        authorized: request.header("authorization").is_some(),
        content_type: request.header("content-type").map(str::to_owned),
        content_length: request.content_length(),
        body_bytes,
        status: None,
    });
    ledger.len() - 1
}
