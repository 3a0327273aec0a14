//! What the tools can be given without their misreading it.
//!
//! They hand directories, in which the configuration's name is, to a shell without quoting it; they find the place of
//! a document in the name of its file; and they refuse or destroy what [`Extension`](run_record::fhicl::Extension)
//! lists. All of it is refused here, before anything is written or sent.

use run_record::prepare::{PreparedDocument, PreparedRun};

use super::ToolError;
use crate::{Refused, entry::schema_entity};

/// What the longest name of a file is on Linux, less `.fcl`.
const ENTITY_BYTES_MAX: usize = 251;

/// Whether a shell, and a parser of options, takes `text` as it is.
pub(super) fn is_plain(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_.,:+=@%/-".contains(c);
    !text.is_empty() && !text.starts_with('-') && text.chars().all(is_plain)
}

/// What is wrong with the name of a configuration, the run left out; `None` if nothing is.
pub(super) fn problem_of_configuration(name: &str) -> Option<&'static str> {
    if name.contains('/') {
        Some("it has a `/`")
    } else if !is_plain(name) {
        Some("a shell, through which the tools make their directories, would misread it")
    } else if name.starts_with('.') {
        Some("it begins with a dot")
    } else {
        None
    }
}

/// The configuration's name without its run, if the tools can be given it.
pub(super) fn configuration(full_name: &str) -> Result<&str, ToolError> {
    let name = full_name.split_once('/').map_or(full_name, |(_, name)| name);
    match problem_of_configuration(name) {
        None => Ok(name),
        Some(problem) => Err(ToolError::Configuration { configuration: full_name.to_owned(), problem }),
    }
}

/// Refuses a run that the tools cannot store, or would store as something else.
pub(super) fn check(prepared: &PreparedRun) -> Result<(), Refused> {
    if let Some(problem) = problem_of_configuration(&prepared.configuration) {
        return Err(Refused::Configuration { configuration: prepared.full_name(), problem });
    }
    let passes = [Some(&prepared.archive), prepared.update.as_ref()];
    for document in passes.into_iter().flatten().flat_map(|pass| &pass.documents) {
        if let Some(problem) = problem_of(document) {
            return Err(Refused::Unstorable { run: prepared.run, entity: document.entity.clone(), problem });
        }
    }
    Ok(())
}

fn problem_of(document: &PreparedDocument) -> Option<String> {
    let entity = document.entity.as_str();
    if !is_plain(entity) || entity.contains('/') || entity.starts_with('.') || entity.len() > ENTITY_BYTES_MAX {
        return Some("the genuine tools cannot be given a file of that name".to_owned());
    }
    // They take every file whose name contains `schema.fcl` for the schema.
    if entity != schema_entity() && format!("{entity}.fcl").contains("schema.fcl") {
        return Some("the genuine tools would store it as the schema".to_owned());
    }
    let extensions: Vec<_> = document.extensions.iter().map(ToString::to_string).collect();
    (!extensions.is_empty()).then(|| {
        format!("the genuine tools refuse or destroy it ({}); `use_tools: false` keeps it", extensions.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_a_shell_would_misread_are_refused() {
        for name in ["demo", "demo00003", "standard", "SBND_v1.2", "a,b", "12345", "x=y", "demo-1"] {
            assert_eq!(problem_of_configuration(name), None, "{name}");
        }
        for name in [
            "",
            "two words",
            "x$(touch pwned)",
            "x`id`",
            "a;b",
            "a&b",
            "a|b",
            "a>b",
            "a'b",
            "a\"b",
            "a\\b",
            "a\nb",
            "*",
            "a?b",
            "~root",
            "-t",
            "--help",
            "..",
            ".hidden",
            "a/b",
            "µ",
            "a!b",
            "#a",
            "{a}",
            "[a]",
        ] {
            assert!(problem_of_configuration(name).is_some(), "{name:?}");
        }
    }

    #[test]
    fn the_error_names_the_configuration_and_the_reason() {
        let error = configuration("1000/two words").map_err(|error| error.to_string());
        let text = "configuration `1000/two words` cannot be given to the genuine tools: a shell, through which the \
                    tools make their directories, would misread it";
        assert_eq!(error, Err(text.to_owned()));
        assert_eq!(configuration("1000/demo").ok(), Some("demo"));
    }
}
