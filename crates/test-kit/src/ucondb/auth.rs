//! Digest authentication as the genuine server does it, or as a strict one would.

use std::collections::HashMap;

use md5::{Digest as _, Md5};

use super::{Nonces, response::Response};

/// Who may write.
#[derive(Debug)]
pub(crate) struct Gate {
    writers: Option<HashMap<String, String>>,
    nonces: Nonces,
    /// Counts the nonces given out.
    generation: u32,
    uses: u32,
}

impl Gate {
    pub(crate) fn new(writers: Option<Vec<(String, String)>>, nonces: Nonces) -> Self {
        Self { writers: writers.map(HashMap::from_iter), nonces, generation: 1, uses: 0 }
    }

    /// Lets a request in, or says why not.
    pub(crate) fn check(&mut self, authorization: Option<&str>, method: &str, realm: &str) -> Result<(), Response> {
        let Some(writers) = &self.writers else { return Ok(()) };
        let digest = authorization.and_then(|value| {
            let (scheme, fields) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("digest").then_some(fields)
        });
        let Some(fields) = digest else { return Err(self.challenge(realm, false)) };
        let fields = parse(fields);
        let field =
            |name: &str| fields.get(name).cloned().ok_or_else(|| Response::application_error(&format!("'{name}'")));
        let (user, uri, nonce) = (field("username")?, field("uri")?, fields.get("nonce").cloned().unwrap_or_default());
        let (count, client_nonce, qop, response) = (field("nc")?, field("cnonce")?, field("qop")?, field("response")?);
        let right = writers.get(&user).is_some_and(|password| {
            let secret = md5(&format!("{user}:{realm}:{password}"));
            let subject = md5(&format!("{method}:{uri}"));
            md5(&format!("{secret}:{nonce}:{count}:{client_nonce}:{qop}:{subject}")) == response
        });
        match self.nonces {
            Nonces::Any if right => Ok(()),
            // A wrong password gets no challenge.
            Nonces::Any => Err(refusal()),
            Nonces::Uses(_) if !right => Err(refusal()),
            Nonces::UsesUnsaid(_) if !right => Err(self.challenge(realm, false)),
            Nonces::Uses(limit) | Nonces::UsesUnsaid(limit) => {
                if nonce == self.nonce() {
                    if self.uses < limit {
                        self.uses += 1;
                        return Ok(());
                    }
                    self.generation += 1;
                    self.uses = 0;
                }
                Err(self.challenge(realm, matches!(self.nonces, Nonces::Uses(_))))
            }
        }
    }

    /// In the form of the original: a Python `bytes` literal.
    fn nonce(&self) -> String {
        format!("b'MTc5NTIxOTY3OQ{}=='", self.generation)
    }

    fn challenge(&self, realm: &str, stale: bool) -> Response {
        let stale = if stale { ", stale=true" } else { "" };
        let value = format!(r#"Digest realm="{realm}", nonce="{}", algorithm=MD5, qop="auth"{stale}"#, self.nonce());
        refusal().with_header("WWW-Authenticate", value)
    }
}

fn refusal() -> Response {
    Response::text(401, "Authorization required")
}

/// Splits at every comma, quoted or not: a comma in a value is the end of it, as in the original.
fn parse(fields: &str) -> HashMap<String, String> {
    let pair = |field: &str| {
        let (name, value) = field.trim().split_once('=')?;
        Some((name.to_owned(), value.trim_matches('"').to_owned()))
    };
    fields.split(',').filter_map(pair).collect()
}

fn md5(text: &str) -> String {
    format!("{:032x}", u128::from_be_bytes(Md5::digest(text).into()))
}
