//! Keeps passwords and tokens out of what leaves the program.
//!
//! No message is made with a secret in it. This is the second wall: a server may repeat what it was sent, and a
//! driver may quote an address with its password.

use std::{error::Error, fmt};

use secrecy::{ExposeSecret as _, SecretString};

/// Shorter ones would black out ordinary words.
const LETTERS_MIN: usize = 4;

/// What stands where a secret was.
const HIDDEN: &str = "***";

/// Every secret of the configuration.
#[derive(Clone, Default)]
pub(crate) struct Secrets(Vec<SecretString>);

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({})", self.0.len())
    }
}

impl Secrets {
    /// These secrets; the longest is looked for first, since one may hold another.
    pub(crate) fn new(secrets: &[SecretString]) -> Self {
        let mut secrets: Vec<_> =
            secrets.iter().filter(|secret| secret.expose_secret().len() >= LETTERS_MIN).cloned().collect();
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.expose_secret().len()));
        Self(secrets)
    }

    /// `text` with `***` in the place of each secret.
    pub(crate) fn hide(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| text.replace(secret.expose_secret(), HIDDEN))
    }

    /// An error and its causes in one line. A cause that is told already is not told again.
    pub(crate) fn line(&self, error: &(dyn Error + 'static)) -> String {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            let said = error.to_string();
            if !text.contains(&said) {
                text = format!("{text}: {said}");
            }
            cause = error.source();
        }
        terminal::clean(&self.hide(&text)).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden_wherever_they_stand() {
        let secrets = Secrets::new(&["hush".into(), "hush-hush".into(), "abc".into(), "".into()]);
        for (text, expect) in [
            ("535 no user me with hush-hush", "535 no user me with ***"),
            ("hushhush hush-hush", "****** ***"),
            ("abc", "abc"), // too short to be looked for
            ("", ""),
        ] {
            assert_eq!(secrets.hide(text), expect, "{text}");
        }
        assert!(!format!("{secrets:?}").contains("hush"));
    }

    #[test]
    fn causes_are_told_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("{text}")]
        struct Layer {
            text: &'static str,
            #[source]
            source: std::io::Error,
        }
        for (text, expect) in
            [("no mail: refused by hush-hush", "no mail: refused by ***"), ("no mail", "no mail: refused by ***")]
        {
            let error = Layer { text, source: std::io::Error::other("refused by hush-hush") };
            assert_eq!(Secrets::new(&["hush-hush".into()]).line(&error), expect);
        }
    }
}
