//! From `TABLE.INDEX` on the command line to an index that is known.

use gsi_state::GsiKey;

use crate::exit::{Exit, Failure};

/// Finds the index that `text` names among those that are `known`. Names may hold dots, so that two can
/// read alike; then `TABLE/INDEX`, which reads one way only, tells them apart.
pub(super) fn resolve(text: &str, known: impl IntoIterator<Item = GsiKey>) -> Result<GsiKey, Failure> {
    let known: indexmap::IndexSet<GsiKey> = known.into_iter().collect();
    let is_named = |key: &&GsiKey| key.to_string() == text || format!("{}/{}", key.table(), key.index()) == text;
    let found: Vec<&GsiKey> = known.iter().filter(is_named).collect();
    match found[..] {
        [key] => Ok(key.clone()),
        [] => Err(unknown(text, &known)),
        _ => {
            let choices: Vec<_> = found.iter().map(|key| format!("`{}/{}`", key.table(), key.index())).collect();
            let error = anyhow::anyhow!("`{text}` may be {}", choices.join(" or "));
            Err(Failure::new(Exit::Usage, error).hint("write TABLE/INDEX"))
        }
    }
}

fn unknown(text: &str, known: &indexmap::IndexSet<GsiKey>) -> Failure {
    let nearest = known
        .iter()
        .map(ToString::to_string)
        .map(|name| (strsim::jaro_winkler(text, &name), name))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|(one, _), (other, _)| one.total_cmp(other));
    let error = anyhow::anyhow!("nothing is known of an index `{text}`");
    let failure = Failure::new(Exit::Usage, error);
    match nearest {
        Some((_, name)) => failure.hint(format!("did you mean `{name}`?")),
        None => failure
            .hint("write TABLE.INDEX as `gsi-create --status` shows it, and say the directory with `--state-dir`"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn names_are_found_or_explained() {
        let known = [GsiKey::new("bookings", "by-flight"), GsiKey::new("a.b", "c"), GsiKey::new("a", "b.c")];
        let check = |text: &str, expect: Result<(&str, &str), &str>| {
            let found =
                resolve(text, known.clone()).map_err(|failure| format!("{}; {:?}", failure.error, failure.hint));
            match expect {
                Ok((table, index)) => assert_eq!(found.unwrap(), GsiKey::new(table, index)),
                Err(part) => assert!(found.as_ref().unwrap_err().contains(part), "{found:?}"),
            }
        };
        check("bookings.by-flight", Ok(("bookings", "by-flight")));
        check("bookings/by-flight", Ok(("bookings", "by-flight")));
        check("a.b.c", Err("`a.b/c` or `a/b.c`"));
        check("a/b.c", Ok(("a", "b.c")));
        check("booking.by-flight", Err("did you mean `bookings.by-flight`?"));
        check("nonsense", Err("--state-dir"));
    }
}
