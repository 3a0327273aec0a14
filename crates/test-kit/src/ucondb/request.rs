//! One HTTP request, read from a socket and taken apart.

use std::{collections::HashMap, io};

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _};

/// The most that the head of a request may have; beyond it the genuine server resets the connection.
const HEAD_BYTES_MAX: usize = 100_000;

/// The head of a request.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// As sent, without the prefix `/app` if it has it.
    pub(crate) path: String,
    pub(crate) query: String,
    headers: HashMap<String, String>,
}

impl Request {
    /// Reads a head; `None` when the client has closed the connection, or sends something else.
    pub(crate) async fn read(stream: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<Self>> {
        let mut lines = Vec::new();
        let mut head_bytes = 0;
        loop {
            let mut line = Vec::new();
            head_bytes += stream.read_until(b'\n', &mut line).await?;
            if line.is_empty() || head_bytes > HEAD_BYTES_MAX {
                return Ok(None);
            }
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            if line.is_empty() {
                return Ok(Self::parse(&lines));
            }
            lines.push(line);
        }
    }

    fn parse(lines: &[String]) -> Option<Self> {
        let (first, rest) = lines.split_first()?;
        let mut words = first.split(' ');
        let (method, target) = (words.next()?, words.next()?);
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let header = |line: &String| {
            line.split_once(':').map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        };
        Some(Self {
            method: method.to_owned(),
            path: path.strip_prefix("/app").unwrap_or(path).to_owned(),
            query: query.to_owned(),
            headers: rest.iter().filter_map(header).collect(),
        })
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    pub(crate) fn content_length(&self) -> Option<u64> {
        self.header("content-length")?.parse().ok()
    }

    /// Whether the body comes in chunks, which the server takes for an empty one.
    pub(crate) fn is_chunked(&self) -> bool {
        self.header("transfer-encoding").is_some()
    }

    /// Reads the body, or the first `bytes_max` of it.
    pub(crate) async fn read_body(
        &self,
        stream: &mut (impl AsyncRead + Unpin),
        bytes_max: Option<usize>,
    ) -> io::Result<Vec<u8>> {
        let length = self.content_length().unwrap_or(0);
        let wanted = bytes_max.map_or(length, |max| length.min(max as u64));
        let mut body = Vec::new();
        stream.take(wanted).read_to_end(&mut body).await?;
        Ok(body)
    }
}

/// The parameters of a request: from the query, and from the path as `name=value`.
#[derive(Debug, Default)]
pub(crate) struct Parameters {
    /// Path elements without `=`.
    pub(crate) names: Vec<String>,
    values: Vec<(String, String)>,
}

impl Parameters {
    /// Takes the path after the endpoint, and the query, apart.
    ///
    /// `Err` is the message of the server's complaint.
    pub(crate) fn parse(path: &str, query: &str, decode_path: bool) -> Result<Self, String> {
        let mut parameters = Self::default();
        for element in path.split('/').filter(|element| !element.is_empty()) {
            let element = if decode_path { decode(element, false) } else { element.to_owned() };
            match element.split_once('=') {
                Some((name, value)) => parameters.values.push((name.to_owned(), value.to_owned())),
                None => parameters.names.push(element),
            }
        }
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').ok_or("not enough values to unpack (expected 2, got 1)")?;
            parameters.values.push((decode(name, true), decode(value, true)));
        }
        for (at, (name, _)) in parameters.values.iter().enumerate() {
            if name != "tag" && parameters.values[..at].iter().any(|(other, _)| other == name) {
                return Err(format!("Value for {name} specified twice in the URL"));
            }
        }
        Ok(parameters)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.values.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// The values of a parameter that may be repeated.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.values.iter().filter(move |(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn contain(&self, forbidden: &[char]) -> Option<&str> {
        let texts = self.values.iter().map(|(name, value)| (name.as_str(), value));
        let mut all = texts.chain(self.names.iter().map(|name| ("path", name)));
        all.find(|(_, value)| value.contains(forbidden)).map(|(name, _)| name)
    }
}

/// Undoes percent-encoding, and `+` for a space in queries.
fn decode(text: &str, plus_is_space: bool) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let code = text.get(at + 1..at + 3).and_then(|code| u8::from_str_radix(code, 16).ok());
        match (bytes[at], code) {
            (b'%', Some(byte)) => {
                decoded.push(byte);
                at += 2;
            }
            (b'+', _) if plus_is_space => decoded.push(b' '),
            (byte, _) => decoded.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_decoded_and_paths_only_behind_apache() {
        assert_eq!(decode("a+b%2Bc%2c%C3%A9%zz%", true), "a b+c,é%zz%");
        for (decode_path, object) in [(false, "o%201"), (true, "o 1")] {
            let parameters = Parameters::parse("/f/o%201/key=7", "tag=1&tag=2", decode_path).unwrap_or_default();
            assert_eq!(parameters.names, ["f", object]);
            assert_eq!((parameters.get("key"), parameters.all("tag").count()), (Some("7"), 2));
        }
        let twice = Parameters::parse("/f/o/key=7", "key=8", false).err();
        assert_eq!(twice.as_deref(), Some("Value for key specified twice in the URL"));
    }
}
