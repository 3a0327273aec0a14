//! The address of a database in a MongoDB server.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};

use super::UriError;

/// The only scheme that the genuine programs honour.
pub(super) const SCHEME: &str = "mongodb://";

/// Servers that are to be found by DNS. The genuine programs connect to this machine instead, silently.
pub(super) const SEED_LIST: &str = "mongodb+srv://";

/// What MongoDB allows for the name of a database.
const DATABASE_BYTES_MAX: usize = 63;

/// The address of a database in a MongoDB server: `mongodb://USER:PASSWORD@HOST:PORT,…/DATABASE?OPTIONS`.
///
/// User, password and options are optional; their meaning is MongoDB's. Of this address only the servers and the name
/// of the database are ever shown.
///
/// ```
/// use artdaq_db::MongoUri;
///
/// let uri = MongoUri::parse("mongodb://daq:p%40ss@db1:27017,db2/sbnd_archive?replicaSet=rs0")?;
/// assert_eq!(uri.database(), "sbnd_archive");
/// assert_eq!(format!("{uri} {uri:?}").matches("p%40ss").count(), 0);
/// # Ok::<(), artdaq_db::UriError>(())
/// ```
#[derive(Clone)]
pub struct MongoUri {
    whole: SecretString,
    servers: String,
    database: String,
    password: Option<SecretString>,
}

impl MongoUri {
    /// Reads an address.
    ///
    /// # Errors
    ///
    /// [`UriError`]; none shows a user or a password.
    pub fn parse(uri: &str) -> Result<Self, UriError> {
        if uri.starts_with(SEED_LIST) {
            return Err(UriError::SeedList);
        }
        let Some(rest) = uri.strip_prefix(SCHEME) else {
            return Err(UriError::Scheme { uri: super::without_credentials(uri) });
        };
        // Whatever is not certainly a server may be a part of a password with a character in the wrong place.
        let (credentials, place) = match rest.split_once('@') {
            Some((credentials, _)) if credentials.contains(['/', '?', '#', '[', ']']) => {
                return Err(UriError::Credentials);
            }
            Some((_, place)) if place.contains('@') => return Err(UriError::Credentials),
            Some((credentials, place)) => (Some(credentials), place),
            None => (None, rest),
        };
        let password = credentials.and_then(|credentials| credentials.split_once(':')).map(|(_, password)| password);
        if password.is_some_and(|password| password.contains(':')) {
            return Err(UriError::Credentials);
        }
        let (address, _) = place.split_once('?').unwrap_or((place, ""));
        let (servers, database) = address.split_once('/').unwrap_or((address, ""));
        let shown = || format!("{SCHEME}{address}");
        if servers.split(',').any(str::is_empty) {
            return Err(UriError::NoServer { uri: shown() });
        }
        let is_name = !database.contains(['/', '\\', '.', ' ', '"', '$', '%', '*', '<', '>', ':', '|', '\0']);
        if database.is_empty() || database.len() > DATABASE_BYTES_MAX || !is_name {
            return Err(UriError::Database { uri: shown() });
        }
        Ok(Self {
            whole: uri.into(),
            servers: servers.to_owned(),
            database: database.to_owned(),
            password: password.map(Into::into),
        })
    }

    /// The name of the database.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// The whole address, the password included; to be handed to nobody but a client.
    pub fn expose(&self) -> &str {
        self.whole.expose_secret()
    }

    /// A text without the password, in whatever of its two spellings it holds it.
    pub fn redact(&self, text: &str) -> String {
        let Some(password) = self.password.as_ref().map(SecretString::expose_secret) else {
            return text.to_owned();
        };
        let decoded = percent_decoded(password);
        let spellings = [password, decoded.as_str()].into_iter().filter(|spelling| !spelling.is_empty());
        spellings.fold(text.to_owned(), |text, spelling| text.replace(spelling, "…"))
    }
}

/// Servers and database.
impl fmt::Display for MongoUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}/{}", self.servers, self.database)
    }
}

impl fmt::Debug for MongoUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MongoUri({self})")
    }
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let decoded = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(|_| byte == b'%');
        bytes.push(decoded.unwrap_or(byte));
        rest = if decoded.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::super::DatabaseUri;
    use super::*;

    fn parse(uri: &str) -> Result<DatabaseUri, UriError> {
        DatabaseUri::parse(uri, |_| None)
    }

    #[test]
    fn addresses_are_read_as_documented() {
        let check = |uri: &str, shown: &str, database: &str| match parse(uri) {
            Ok(DatabaseUri::Mongo(parsed)) => {
                assert_eq!((parsed.to_string().as_str(), parsed.database()), (shown, database), "{uri}");
                assert_eq!(parsed.expose(), uri);
            }
            other => panic!("{uri}: {other:?}"),
        };
        check("mongodb://h/db", "mongodb://h/db", "db");
        check("mongodb://h:27017,[::1]:27018/db_2?", "mongodb://h:27017,[::1]:27018/db_2", "db_2");
        check("mongodb://u:p@h/db-x?authSource=admin", "mongodb://h/db-x", "db-x");
        check("mongodb://CN%3Ddaq@h/db?tls=true&authMechanism=MONGODB-X509", "mongodb://h/db", "db");
        check("mongodb://u:p%40%2F@h/db", "mongodb://h/db", "db");
    }

    #[test]
    fn what_is_no_address_is_refused_with_the_reason() {
        let check = |uri: &str, says: &str| match parse(uri) {
            Err(error) => assert!(error.to_string().contains(says), "{uri}: {error}"),
            Ok(parsed) => panic!("{uri} was read as {parsed}"),
        };
        check("mongodb+srv://cluster.example.org/db", "`mongodb+srv://` is not supported");
        check("mongodb+srv://cluster.example.org/db", "name the servers");
        check("mongodb://", "names no server");
        check("mongodb:///db", "names no server");
        check("mongodb://h,,i/db", "names no server");
        check("mongodb://h", "no valid name of a database");
        check("mongodb://h/", "no valid name of a database");
        check("mongodb://h/?tls=true", "no valid name of a database");
        check("mongodb://h/a.b", "no valid name of a database");
        check(&format!("mongodb://h/{}", "x".repeat(64)), "no valid name of a database");
        check("mongo://h/db", "does not start with");
        check("MONGODB://h/db", "does not start with");
    }

    #[test]
    fn nothing_shows_a_password() {
        let secrets = ["hunter2", "hunt/er2", "hunt?er2", "hunt@er2", "hunt:er2", "hunt#er2", "hunt%40er2", "hunt[er2"];
        let schemes = ["mongodb://", "mongodb+srv://", "MONGODB://", "filesystemdb://", "http://", ""];
        let ends = ["@h/db", "@h", "@/db", "@h/db?appName=a@b", "@h/db?x=y/z", "@h,,/db", "@h/a b", "@h/$NONE"];
        let check = |secret: &str, scheme: &str, end: &str| {
            let uri = format!("{scheme}daq:{secret}{end}");
            let shown = match parse(&uri) {
                Ok(parsed) if scheme.starts_with("mongodb") => format!("{parsed} {parsed:?}"),
                // A path may hold an `@`, and is shown.
                Ok(_) => return,
                Err(UriError::Unset { .. } | UriError::Dollar { .. } | UriError::Character { .. })
                    if scheme == "filesystemdb://" =>
                {
                    return;
                }
                Err(error) => format!("{error} {error:?}"),
            };
            assert!(!shown.contains("hunt") && !shown.contains("er2"), "{uri}: {shown}");
        };
        for secret in secrets {
            for scheme in schemes {
                for end in ends {
                    check(secret, scheme, end);
                }
            }
        }
    }

    #[test]
    fn a_text_is_cleared_of_the_password() {
        let check = |uri: &str, text: &str, expect: &str| {
            assert_eq!(MongoUri::parse(uri).map(|uri| uri.redact(text)), Ok(expect.to_owned()), "{uri}");
        };
        check("mongodb://u:p%40ss@h/db", "no p%40ss and no p@ss", "no … and no …");
        check("mongodb://u@h/db", "u", "u");
        check("mongodb://u:@h/db", "u", "u");
        check("mongodb://u:%zz%4@h/db", "%zz%4", "…");
    }
}
