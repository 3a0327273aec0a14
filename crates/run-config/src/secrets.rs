//! What nobody may see: the passwords and tokens of a configuration, those inside addresses included.

use secrecy::SecretString;

use super::reader::Reader;

/// Every value that nobody may see.
pub(super) fn secrets(reader: &mut Reader<'_>) -> Vec<SecretString> {
    // Whatever is wrong with these keys is told where they are used.
    let (errors, warnings) = (reader.errors.len(), reader.warnings.len());
    let plain = ["ucon_db.writer_password", "reporting.email.smtp_password", "reporting.slack.bot_token"];
    let mut found: Vec<String> = plain.iter().filter_map(|key| reader.optional(key)).collect();
    for key in ["artdaq_db.database_uri", "ucon_db.server_url", "reporting.slack.api_url"] {
        found.extend(reader.optional(key).as_deref().and_then(password_of).map(str::to_owned));
    }
    reader.errors.truncate(errors);
    reader.warnings.truncate(warnings);
    found.into_iter().map(SecretString::from).collect()
}

/// The password in `scheme://user:password@host`, also where a slash in it makes the address malformed.
fn password_of(uri: &str) -> Option<&str> {
    let (_, rest) = uri.split_once("://")?;
    if rest.starts_with('/') {
        return None;
    }
    let authority = rest.split(['/', '?', '#']).next()?;
    let (login, _) = authority.rsplit_once('@').or_else(|| rest.rsplit_once('@'))?;
    login.split_once(':').map(|(_, password)| password).filter(|password| !password.is_empty())
}

/// A remark without the password of an address that it quotes.
pub(super) fn hide_password(text: String) -> String {
    match password_of(&text) {
        Some(password) => text.replace(password, "***"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_of_addresses_are_found() {
        for (uri, expect) in [
            ("mongodb://user:pw@host/db", Some("pw")),
            ("mongodb://user:p@w:x@host,other/db?a=b", Some("p@w:x")),
            ("mongodb://user@host/db", None),
            ("mongodb://host:27017/db", None),
            ("filesystemdb:///a/b@c:d", None),
            ("https://u:@h", None),
            ("plain", None),
            ("`mongodb://u:p@h`: not supported", Some("p")),
            ("mongodb://u:p/w@host/db", Some("p/w")),
        ] {
            assert_eq!(password_of(uri), expect, "{uri}");
        }
    }
}
