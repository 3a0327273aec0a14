//! What must hold of a configuration, for any bytes. For the crate `parser-fuzz` only.

use std::path::Path;

use super::{ConfigError, Environment, env_file, parse};

/// The password of the seeds.
const SECRET: &str = "s3cret";

/// A file of variables, and a configuration: used or refused, with words that tell no secret.
///
/// # Panics
///
/// When a message or a `Debug` form shows the password.
pub fn configuration(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut environment: Environment =
        [("SET", "value"), ("NUMBER", "9")].map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let outcome = parse(Path::new("config.yaml"), &text, &environment);
    // Whatever is wrong with it is not ours to judge.
    let _ = env_file::load(&text, &mut environment);
    // Wherever else the secret came to stand it is none.
    if text.matches(SECRET).count() != 1 || !text.contains(&format!("writer_password: {SECRET}}}")) {
        return;
    }
    let said = match &outcome {
        Ok(config) => format!("{config:?} {:?}", config.warnings),
        Err(error @ ConfigError::Invalid { findings, .. }) => format!("{error} {error:?} {findings:?}"),
        Err(error) => format!("{error} {error:?}"),
    };
    assert!(!said.contains(SECRET), "{said}\nis said of\n{text}");
}
