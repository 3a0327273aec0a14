//! An answer of the server, read whole but never beyond a limit.

use reqwest::{
    Response, StatusCode,
    header::{LOCATION, WWW_AUTHENTICATE},
};
use serde::Deserialize;

use super::{
    digest::Challenge,
    error::{HttpProblem, transport_problem},
    record::from_python_json,
};
use crate::adler32;

/// Pages with tracebacks are long; what they say stands at their beginning.
const ERROR_PAGE_BYTES_MAX: u64 = 64 << 10;
/// The most that an error repeats of the server's words.
const SAID_CHARACTERS_MAX: usize = 300;

/// Status, headers and the whole body.
#[derive(Debug)]
pub(crate) struct Answer {
    status: StatusCode,
    headers: reqwest::header::HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    /// Reads the answer; an error page only as far as it may be of interest.
    pub(crate) async fn read(mut response: Response, bytes_max: u64) -> Result<Self, HttpProblem> {
        let status = response.status();
        let headers = std::mem::take(response.headers_mut());
        if !status.is_success() {
            let body = match read_body(&mut response, ERROR_PAGE_BYTES_MAX.min(bytes_max)).await {
                // The status is the message; a page that is long or broken off does not hide it.
                Ok(body) | Err((body, _)) => body,
            };
            return Ok(Self { status, headers, body });
        }
        let body = read_body(&mut response, bytes_max).await.map_err(|(_, problem)| problem)?;
        Ok(Self { status, headers, body })
    }

    /// The HTTP status.
    pub(crate) fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// Whether the server has done what it was asked.
    pub(crate) fn is_success(&self) -> bool {
        self.status.is_success()
    }

    /// Whether the body contains `text`.
    pub(crate) fn says(&self, text: &str) -> bool {
        String::from_utf8_lossy(&self.body).contains(text)
    }

    /// Whether the body is `text` and nothing else.
    pub(crate) fn says_only(&self, text: &str) -> bool {
        self.body.trim_ascii() == text.as_bytes()
    }

    /// The challenge in a 401, if there is one that we can answer.
    pub(crate) fn challenge(&self) -> Result<Option<Challenge>, HttpProblem> {
        let values = self.headers.get_all(WWW_AUTHENTICATE).iter();
        let texts: Vec<_> = values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        Challenge::choose(texts.iter().map(AsRef::as_ref))
            .map_err(|reason| HttpProblem::UnsupportedChallenge { reason })
    }

    /// The answer as an error.
    pub(crate) fn refusal(&self) -> HttpProblem {
        let location = self.headers.get(LOCATION).filter(|_| self.status.is_redirection());
        let said = match location {
            Some(location) => message(&format!("it redirects to `{}`", String::from_utf8_lossy(location.as_bytes()))),
            None => message(&String::from_utf8_lossy(&self.body)),
        };
        match self.status() {
            401 => HttpProblem::Unauthorized { said },
            status => HttpProblem::Refused { status, said },
        }
    }

    /// The body as JSON.
    pub(crate) fn json<T: for<'a> Deserialize<'a>>(&self) -> Result<T, HttpProblem> {
        from_python_json(&self.body).map_err(HttpProblem::NotARecord)
    }

    /// The body as a blob, checked against the size and checksum in the headers.
    pub(crate) fn into_blob(self) -> Result<Vec<u8>, HttpProblem> {
        let expected_bytes: u64 = self.number("x-ucondb-data-size")?;
        let announced: i64 = self.number("x-ucondb-adler32")?;
        let received_bytes = self.body.len() as u64;
        if received_bytes != expected_bytes {
            return Err(HttpProblem::Truncated { expected_bytes, received_bytes });
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "old rows are negative")]
        let announced = announced as u32;
        let computed = adler32(&self.body);
        if computed != announced {
            return Err(HttpProblem::Damaged { announced, computed });
        }
        Ok(self.body)
    }

    fn number<T: std::str::FromStr>(&self, header: &'static str) -> Result<T, HttpProblem> {
        let text = self.headers.get(header).and_then(|value| value.to_str().ok());
        text.and_then(|text| text.trim().parse().ok()).ok_or(HttpProblem::HeaderMissing { header })
    }
}

/// The body, or what of it had come before the problem.
async fn read_body(response: &mut Response, bytes_max: u64) -> Result<Vec<u8>, (Vec<u8>, HttpProblem)> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(None) => return Ok(body),
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Err(error) => return Err((body, transport_problem(error))),
        }
        if body.len() as u64 > bytes_max {
            return Err((body, HttpProblem::TooLong { limit_bytes: bytes_max }));
        }
    }
}

/// What an error page says: the text of its `<h3>` in the server's own form, else the page; one line, shortened.
pub(super) fn message(page: &str) -> String {
    let heading = page.split_once("<h3>").and_then(|(_, rest)| rest.split_once("</h3>")).map(|(heading, _)| heading);
    let words: Vec<&str> = heading
        .unwrap_or(page)
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    let mut said = words.join(" ");
    if let Some((end, _)) = said.char_indices().nth(SAID_CHARACTERS_MAX) {
        said.truncate(end);
        said.push('…');
    }
    if said.is_empty() { "without a message".to_owned() } else { said }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_reduced_to_their_message() {
        for (page, expect) in [
            ("", "without a message"),
            ("  Folder not found\n", "Folder not found"),
            (
                "<html><body><h2>Application error</h2>\n<h3>duplicate key\nDETAIL:  Key\x1b[2J</h3><pre>Traceback</pre>",
                "duplicate key DETAIL: Key [2J",
            ),
            ("<h3>never closed", "<h3>never closed"),
        ] {
            assert_eq!(message(page), expect);
        }
        let long = message(&"é ".repeat(10_000));
        assert_eq!(long.chars().count(), SAID_CHARACTERS_MAX + 1);
    }
}
