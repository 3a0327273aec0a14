//! An answer, before it is put on the wire in the manner of one front or the other.

use std::fmt::Write as _;

use super::Front;

/// Status, headers, body.
#[derive(Debug, Clone)]
pub(crate) struct Response {
    pub(crate) status: u16,
    content_type: &'static str,
    headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    /// Blobs and listings, whose length the server does not announce.
    streamed: bool,
}

/// The bytes of an answer, and how they end.
#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) head: Vec<u8>,
    /// The body, framed.
    pub(crate) body: Vec<u8>,
    /// Whether the connection may be used again.
    pub(crate) keep: bool,
}

impl Response {
    pub(crate) fn text(status: u16, text: &str) -> Self {
        let body = text.as_bytes().to_vec();
        Self { status, content_type: "text/html; charset=UTF-8", headers: Vec::new(), body, streamed: false }
    }

    pub(crate) fn json(json: &str) -> Self {
        Self { content_type: "text/json; charset=UTF-8", ..Self::text(200, json) }
    }

    /// A listing, whose end is the end of the connection.
    pub(crate) fn stream(content_type: &'static str, body: Vec<u8>) -> Self {
        Self { status: 200, content_type, headers: Vec::new(), body, streamed: true }
    }

    /// The server's answer to whatever it did not expect.
    pub(crate) fn application_error(message: &str) -> Self {
        let page = format!(
            "<html><body><h2>Application error</h2>\n<h3>{message}</h3>\n<pre>Traceback (most recent call last):\n  \
             File \"/opt/ucondb/server.py\", line 100, in app\n</pre></body></html>"
        );
        Self::text(500, &page)
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Puts the answer into the form of a front.
    pub(crate) fn into_wire(self, front: Front, keep_wanted: bool) -> Wire {
        // Apache closes after every 500.
        let keep = front == Front::Apache && keep_wanted && self.status != 500;
        let mut head =
            format!("HTTP/1.1 {} {}\r\nContent-Type: {}\r\n", self.status, reason(self.status), self.content_type);
        for (name, value) in &self.headers {
            // Writing to a `String` cannot fail.
            let _ = write!(head, "{name}: {value}\r\n");
        }
        let body = match (self.streamed, front) {
            (false, _) => {
                let _ = write!(head, "Content-Length: {}\r\n", self.body.len());
                self.body
            }
            (true, Front::Webpie) => self.body,
            (true, Front::Apache) => {
                head.push_str("Transfer-Encoding: chunked\r\n");
                in_chunks(&self.body)
            }
        };
        head.push_str(if keep { "Connection: Keep-Alive\r\n" } else { "Connection: close\r\n" });
        head.push_str("X-WebPie-Request-Id: aMd.026\r\n\r\n");
        Wire { head: head.into_bytes(), body, keep }
    }
}

fn in_chunks(body: &[u8]) -> Vec<u8> {
    let mut framed = Vec::new();
    for chunk in body.chunks(8000) {
        framed.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        framed.extend_from_slice(chunk);
        framed.extend_from_slice(b"\r\n");
    }
    framed.extend_from_slice(b"0\r\n\r\n");
    framed
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        401 => "Unauthorized",
        404 => "Not Found",
        405 => "Method Not Allowed",
        411 => "Length Required",
        500 => "Application Error",
        503 => "Service unavailable",
        _ => "Status",
    }
}
