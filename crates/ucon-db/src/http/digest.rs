//! Digest access authentication, RFC 7616: MD5 and SHA-256 with `qop=auth`.
//!
//! Pure functions of the server's challenge. Absent: `auth-int`, the `-sess` algorithms, `userhash`, and the form of
//! RFC 2069 without `qop`; such a challenge is refused with its reason.
//!
//! Why not the `diqwest` crate? It sends the body of the first put twice, forgets the algorithm of a cached
//! challenge, and keeps the password in a plain `String`.

use std::fmt::Write as _;

use md5::Md5;
use sha2::{Digest, Sha256};

use crate::checksum::write_hex;

/// What a server asks a client to prove that it knows the password with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Challenge {
    realm: String,
    /// Echoed as it came, even where it looks like `b'MTc5'`.
    pub(crate) nonce: String,
    opaque: Option<String>,
    algorithm: Algorithm,
    /// The password may have been right; the nonce has expired.
    pub(crate) stale: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    Md5,
    Sha256,
}

/// The request that an answer to a challenge is for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) method: &'a str,
    /// Path and query as in the request line.
    pub(crate) uri: &'a str,
    /// How often the nonce has been used, this time included.
    pub(crate) uses: u32,
    /// A text that the client has made up.
    pub(crate) client_nonce: &'a str,
}

impl Challenge {
    /// The first supported challenge in the values of `WWW-Authenticate`; `Ok(None)` when there is none at all.
    ///
    /// # Errors
    ///
    /// Why the last challenge is not supported, if none is.
    pub(crate) fn choose<'a>(values: impl Iterator<Item = &'a str>) -> Result<Option<Self>, String> {
        let mut refused = None;
        for (scheme, parameters) in values.flat_map(split_challenges) {
            if !scheme.eq_ignore_ascii_case("digest") {
                refused = Some(format!("`{scheme}` instead of `Digest`"));
                continue;
            }
            match Self::from_parameters(&parameters) {
                Ok(challenge) => return Ok(Some(challenge)),
                Err(reason) => refused = Some(reason),
            }
        }
        refused.map_or(Ok(None), Err)
    }

    fn from_parameters(parameters: &[(String, String)]) -> Result<Self, String> {
        let get = |name: &str| {
            parameters.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
        };
        let required = |name: &str| get(name).map(str::to_owned).ok_or_else(|| format!("a challenge without `{name}`"));
        let algorithm = match get("algorithm") {
            None => Algorithm::Md5,
            Some(name) if name.eq_ignore_ascii_case("MD5") => Algorithm::Md5,
            Some(name) if name.eq_ignore_ascii_case("SHA-256") => Algorithm::Sha256,
            Some(name) => return Err(format!("algorithm `{name}`")),
        };
        let qop = required("qop")?;
        if !qop.split(',').any(|offer| offer.trim().eq_ignore_ascii_case("auth")) {
            return Err(format!("qop `{qop}`"));
        }
        Ok(Self {
            realm: required("realm")?,
            nonce: required("nonce")?,
            opaque: get("opaque").map(str::to_owned),
            algorithm,
            stale: get("stale").is_some_and(|value| value.eq_ignore_ascii_case("true")),
        })
    }

    /// The value of the `Authorization` header for one request.
    pub(crate) fn respond(&self, user: &str, password: &str, subject: Subject<'_>) -> String {
        let Subject { method, uri, uses, client_nonce } = subject;
        let (realm, nonce) = (&self.realm, &self.nonce);
        let hash = |text: String| self.algorithm.hash(&text);
        let secret = hash(format!("{user}:{realm}:{password}"));
        let request = hash(format!("{method}:{uri}"));
        let response = hash(format!("{secret}:{nonce}:{uses:08x}:{client_nonce}:auth:{request}"));
        let mut header = format!(
            "Digest username={}, realm={}, nonce={}, uri={}, algorithm={}, response=\"{response}\"",
            quoted(user),
            quoted(realm),
            quoted(nonce),
            quoted(uri),
            self.algorithm.name(),
        );
        if let Some(opaque) = &self.opaque {
            // Writing to a `String` cannot fail.
            let _ = write!(header, ", opaque={}", quoted(opaque));
        }
        let _ = write!(header, ", qop=auth, nc={uses:08x}, cnonce={}", quoted(client_nonce));
        header
    }
}

impl Algorithm {
    fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
        }
    }

    fn hash(self, text: &str) -> String {
        let mut hex = String::new();
        // Writing to a `String` cannot fail.
        let _ = match self {
            Self::Md5 => write_hex(&mut hex, &Md5::digest(text)),
            Self::Sha256 => write_hex(&mut hex, &Sha256::digest(text)),
        };
        hex
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Splits one header value into its challenges: a scheme and its parameters each.
///
/// Takes what it understands and drops the rest: a challenge that lost something essential is refused later.
fn split_challenges(value: &str) -> Vec<(String, Vec<(String, String)>)> {
    let mut challenges: Vec<(String, Vec<(String, String)>)> = Vec::new();
    let mut rest = value;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let end = rest.find([' ', '\t', ',', '=']).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if word.is_empty() {
            // A stray `=` or the end.
            match after.strip_prefix('=') {
                Some(more) => rest = more,
                None => return challenges,
            }
            continue;
        }
        let Some(after_equals) = after.trim_start_matches([' ', '\t']).strip_prefix('=') else {
            challenges.push((word.to_owned(), Vec::new()));
            rest = after;
            continue;
        };
        let (text, more) = split_value(after_equals.trim_start_matches([' ', '\t']));
        if let Some((_, parameters)) = challenges.last_mut() {
            parameters.push((word.to_owned(), text));
        }
        rest = more;
    }
}

/// The value at the start of `text`, a quoted string or a word, and what follows it.
fn split_value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([' ', '\t', ',']).unwrap_or(text.len());
        return (text[..end].to_owned(), &text[end..]);
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            _ => value.push(character),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn challenge(header: &str) -> Challenge {
        Challenge::choose([header].into_iter()).unwrap().unwrap()
    }

    /// The example of RFC 7616, section 3.9.1.
    fn rfc_7616(algorithm: &str) -> String {
        let header = format!(
            r#"Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={algorithm}, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS""#
        );
        let subject = Subject {
            method: "GET",
            uri: "/dir/index.html",
            uses: 1,
            client_nonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
        };
        challenge(&header).respond("Mufasa", "Circle of Life", subject)
    }

    #[test]
    fn answers_are_those_of_rfc_7616() {
        for (algorithm, response) in [
            ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
            ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ] {
            let header = rfc_7616(algorithm);
            assert!(header.contains(&format!("response=\"{response}\"")), "{header}");
        }
        assert_eq!(
            rfc_7616("MD5"),
            r#"Digest username="Mufasa", realm="http-auth@example.org", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", uri="/dir/index.html", algorithm=MD5, response="8ca523f5e9506fed4657c9700eebdbec", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS", qop=auth, nc=00000001, cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ""#
        );
    }

    #[test]
    fn the_answer_of_rfc_2617_and_a_later_use() {
        let challenge = challenge(
            r#"Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093""#,
        );
        let mut subject = Subject { method: "GET", uri: "/dir/index.html", uses: 1, client_nonce: "0a4f113b" };
        let first = challenge.respond("Mufasa", "Circle Of Life", subject);
        assert!(first.contains(r#"response="6629fae49393a05397450978507c4ef1""#), "{first}");
        subject.uses = 255;
        let later = challenge.respond("Mufasa", "Circle Of Life", subject);
        assert!(later.contains("nc=000000ff") && !later.contains("6629fae4"), "{later}");
    }

    #[test]
    fn the_genuine_servers_nonce_is_echoed_unchanged() {
        let header = r#"Digest realm="public.test01", nonce="b'MTc5NTIxOTY3OQ=='", algorithm=MD5, qop="auth""#;
        let subject = Subject { method: "POST", uri: "/app/data/f/o?key=1", uses: 1, client_nonce: "c" };
        let answer = challenge(header).respond("w\"r\\", "p", subject);
        assert!(answer.contains(r#"nonce="b'MTc5NTIxOTY3OQ=='""#), "{answer}");
        assert!(answer.contains(r#"username="w\"r\\""#), "{answer}");
    }

    #[test]
    fn challenges_are_chosen_or_refused_with_a_reason() {
        let digest = r#"Digest realm="r", nonce="n", qop="auth""#;
        for (values, expect) in [
            (vec![], "none"),
            (vec![""], "none"),
            (vec![digest], "r n stale=false"),
            (vec!["digest REALM=r,nonce=n ,qop=auth, Stale=TRUE"], "r n stale=true"),
            (vec![r#"Basic realm="x""#, digest], "r n stale=false"),
            (vec![r#"Basic realm="x, y", Digest realm="r\"q", nonce="n", qop="auth-int,auth""#], "r\"q n stale=false"),
            (
                vec![
                    r#"Digest realm="r", nonce="1", qop="auth", algorithm=SHA-512-256, Digest realm="r", nonce="2", qop="auth""#,
                ],
                "r 2 stale=false",
            ),
            (vec![r#"Basic realm="x""#], "refused: `Basic` instead of `Digest`"),
            (vec![r#"Digest realm="r", nonce="n", qop="auth-int""#], "refused: qop `auth-int`"),
            (vec![r#"Digest realm="r", nonce="n""#], "refused: a challenge without `qop`"),
            (vec![r#"Digest nonce="n", qop="auth""#], "refused: a challenge without `realm`"),
            (vec!["Digest algorithm=MD5-sess"], "refused: algorithm `MD5-sess`"),
            (vec![r#"Digest realm="never closed"#], "refused: a challenge without `qop`"),
            (vec!["= = ,"], "none"),
        ] {
            let seen = match Challenge::choose(values.iter().copied()) {
                Ok(None) => "none".to_owned(),
                Ok(Some(c)) => format!("{} {} stale={}", c.realm, c.nonce, c.stale),
                Err(reason) => format!("refused: {reason}"),
            };
            assert_eq!(seen, expect, "{values:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn parsing_ends_whatever_a_server_sends(value in ".{0,80}|[Digest=\", \\\\]{0,40}") {
            let _ = Challenge::choose([value.as_str()].into_iter());
        }

        #[test]
        fn quoting_is_undone_by_parsing(text in "[ -~]{0,30}") {
            let quoted = quoted(&text);
            proptest::prop_assert_eq!(split_value(&quoted), (text, ""));
        }
    }
}
