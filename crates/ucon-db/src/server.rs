//! The `server_url` of a configuration: which archive it stands for.

use std::{fmt, path::PathBuf, str::FromStr};

use reqwest::Url;

/// Where an archive is.
///
/// ```
/// use ucon_db::ServerUrl;
/// let embedded: ServerUrl = "embedded:///var/archive/ucondb.sqlite".parse().unwrap();
/// assert_eq!(embedded, ServerUrl::Embedded("/var/archive/ucondb.sqlite".into()));
/// assert!(matches!("https://ucondb.example.org:9443/sbnd/app".parse(), Ok(ServerUrl::Http(_))));
/// assert!("ucondb.example.org/app".parse::<ServerUrl>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerUrl {
    /// A UconDB server.
    Http(BaseUrl),
    /// A file of our own: `embedded://` and then its path as it is, relative or absolute.
    Embedded(PathBuf),
}

/// The address of a UconDB server: `http` or `https`, ends in `/app`, holds no credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl(Url);

/// Why a text is not the address of an archive. Never shows credentials.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{url}` is not the address of an archive: {reason}")]
pub struct ServerUrlError {
    /// The text, without what may be a password.
    pub url: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl FromStr for ServerUrl {
    type Err = ServerUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |reason| ServerUrlError { url: without_credentials(text), reason };
        match text.split_once("://") {
            Some(("embedded", "")) => Err(wrong("the path of the file is missing")),
            Some(("embedded", path)) => Ok(Self::Embedded(PathBuf::from(path))),
            Some(("http" | "https", _)) => parse_http(text).map(Self::Http).map_err(wrong),
            _ => Err(wrong("it must start with `http://`, `https://` or `embedded://`")),
        }
    }
}

fn parse_http(text: &str) -> Result<BaseUrl, &'static str> {
    let mut url = Url::parse(text).map_err(|_| "it is not a valid URL")?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("credentials do not belong in it");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("it must end in `/app`, without query or fragment");
    }
    let path = url.path().trim_end_matches('/').to_owned();
    if !path.ends_with("/app") {
        return Err("it must end in `/app`");
    }
    url.set_path(&path);
    Ok(BaseUrl(url))
}

/// Cuts out everything between the scheme and the last `@`.
fn without_credentials(text: &str) -> String {
    let start = text.find("://").map_or(0, |at| at + 3);
    match text.rfind('@') {
        Some(at) if at >= start => format!("{}…{}", &text[..start], &text[at..]),
        _ => text.to_owned(),
    }
}

impl BaseUrl {
    /// Whether the server is spoken to over TLS.
    pub fn is_encrypted(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// The address of an endpoint: `elements` are appended to the path, `query` is percent-encoded.
    pub(crate) fn endpoint(&self, elements: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = self.0.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.extend(elements);
        }
        url.query_pairs_mut().extend_pairs(query);
        url
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn addresses_are_recognised_or_refused_with_a_reason() {
        for (text, expect) in [
            ("http://host/app", "http://host/app"),
            ("https://host:9443/sbnd/app/", "https://host:9443/sbnd/app"),
            ("embedded:///a/b c.sqlite", "file /a/b c.sqlite"),
            ("embedded://work/u.sqlite", "file work/u.sqlite"),
            ("embedded://", "`embedded://` is not the address of an archive: the path of the file is missing"),
            ("http://host/", "`http://host/` is not the address of an archive: it must end in `/app`"),
            ("http://host/xapp", "`http://host/xapp` is not the address of an archive: it must end in `/app`"),
            (
                "http://host/app?x=1",
                "`http://host/app?x=1` is not the address of an archive: it must end in `/app`, without query or fragment",
            ),
            ("http://", "`http://` is not the address of an archive: it is not a valid URL"),
            (
                "HTTP://host/app",
                "`HTTP://host/app` is not the address of an archive: it must start with `http://`, `https://` or `embedded://`",
            ),
            (
                "http://writer:secret@host/app",
                "`http://…@host/app` is not the address of an archive: credentials do not belong in it",
            ),
            (
                "ftp://writer:se@cret@host/app",
                "`ftp://…@host/app` is not the address of an archive: it must start with `http://`, `https://` or `embedded://`",
            ),
        ] {
            let seen = match text.parse() {
                Ok(ServerUrl::Http(url)) => url.to_string(),
                Ok(ServerUrl::Embedded(path)) => format!("file {}", path.display()),
                Err(error) => ServerUrlError::to_string(&error),
            };
            assert_eq!(seen, expect);
        }
    }

    #[test]
    fn awkward_values_are_percent_encoded() {
        let base = parse_http("http://host/app").unwrap();
        let url = base.endpoint(&["data", "public.f", "o+v2:a@b"], &[("key", "1,2 &+#%é'"), ("tag", "")]);
        assert_eq!(url.as_str(), "http://host/app/data/public.f/o+v2:a@b?key=1%2C2+%26%2B%23%25%C3%A9%27&tag=");
    }
}
