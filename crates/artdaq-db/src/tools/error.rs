//! What can go wrong with the tools, what their exit codes mean, and what that means for another try.

use std::{io, path::PathBuf, time::Duration};

use super::process::Ended;
use crate::ErrorClass;

/// Why the genuine tools did not do what they were asked, or could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// A program is in no directory of the search path.
    #[error("`{program}` is in no directory of PATH (`{path}`)")]
    Missing {
        /// Its name.
        program: String,
        /// Where it was looked for.
        path: String,
    },
    /// The path that was given for a program is none of one.
    #[error("`{path}` cannot be executed as `{program}`")]
    NotExecutable {
        /// The name of the program.
        program: &'static str,
        /// The path.
        path: PathBuf,
        /// Why, where the system says it.
        #[source]
        source: io::Error,
    },
    /// Something that the tools are to be given would be misread by them, or by a shell on the way.
    #[error("{what} `{value}` cannot be used: {problem}")]
    Setting {
        /// What.
        what: &'static str,
        /// As it is given; never a secret.
        value: String,
        /// Why.
        problem: &'static str,
    },
    /// The name of a configuration would be misread.
    #[error("configuration `{configuration}` cannot be given to the genuine tools: {problem}")]
    Configuration {
        /// Its full name.
        configuration: String,
        /// Why.
        problem: &'static str,
    },
    /// The system did not start a program, or broke its pipes.
    #[error("could not run `{program}`")]
    Run {
        /// The program.
        program: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A program took too long, and was killed.
    #[error("`{program}` was killed after {} s", after.as_secs())]
    Timeout {
        /// The program.
        program: PathBuf,
        /// So long it was waited for.
        after: Duration,
    },
    /// A program ended otherwise than it should.
    #[error("`{program}` ended with exit code {code} ({}){words}", meaning(*code))]
    Exit {
        /// What was run: a tool, or the remote tool by ssh.
        program: String,
        /// The code; 128 and the number of the signal if one killed it.
        code: i32,
        /// Its own words with a colon before them, shortened and cleared of passwords; or nothing.
        words: String,
    },
    /// A program said one thing and did another.
    #[error("`{program}` {problem}")]
    Answer {
        /// The program.
        program: &'static str,
        /// What.
        problem: String,
    },
    /// A directory or file for the exchange with the tools could not be used.
    #[error("could not use the exchange directory below `{path}`")]
    Exchange {
        /// Where.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A loader of an earlier, killed execution still works on the archive.
    #[error("a `bulkloader` of an execution that was killed still works on the archive: it holds `{lock}`")]
    LoaderRunning {
        /// The lock that it inherited.
        lock: PathBuf,
    },
    /// The tools hold a configuration that the listing does not show, or the reverse.
    #[error(
        "the tools and the listing of `{uri}` do not agree about configuration `{configuration}`: {problem}; does the \
         address lead to the same archive on this host and on that of the tools?"
    )]
    ListingDiffers {
        /// The address without a password.
        uri: String,
        /// The full name.
        configuration: String,
        /// Which has what.
        problem: &'static str,
    },
    /// A document read by the tools is not the one that the archive holds.
    #[error("`bulkdownloader` gives another `{entity}` of configuration `{configuration}` than the archive's newest")]
    ReadersDisagree {
        /// The full name.
        configuration: String,
        /// The entity.
        entity: String,
    },
}

impl ToolError {
    /// What the error means for another try.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Timeout { .. } | Self::Run { .. } | Self::Exchange { .. } | Self::LoaderRunning { .. } => {
                ErrorClass::Transient
            }
            // An uncaught exception may be a server that is away; ssh's own failure a network that is.
            Self::Exit { code: 1 | 144 | 255, .. } | Self::Answer { .. } => ErrorClass::Transient,
            Self::Exit { .. }
            | Self::Missing { .. }
            | Self::NotExecutable { .. }
            | Self::Setting { .. }
            | Self::Configuration { .. }
            | Self::ListingDiffers { .. }
            | Self::ReadersDisagree { .. } => ErrorClass::Permanent,
        }
    }
}

/// What an exit code of the tools means, as observed on `artdaq_database` 1.10; those of a shell and of ssh, too.
pub(super) const fn meaning(code: i32) -> &'static str {
    match code {
        0 => "success",
        1 => "it could not do everything",
        126 => "the program cannot be executed there",
        127 => "there is no such program; is the environment of artdaq_database set up there?",
        128 => "wrong or missing arguments",
        129 => "wrong or missing path",
        130 => "wrong or missing configuration",
        131 => "wrong or missing run",
        134 => "it gave up by itself",
        136 => "a division by zero: no file to load, or no thread",
        137 => "it was killed",
        139 => "a wrong address: the genuine programs crash so on a database URI that they cannot read",
        143 => "it was told to end",
        144 => "an exception that it did not catch",
        255 => "ssh could not reach the host or was refused",
        _ => "unknown",
    }
}

/// So much of a tool's words goes into an error.
const WORDS_CHARS_MAX: usize = 400;

/// What a tool said that may matter: what follows `std::exception::what:`, or else its last lines.
pub(super) fn words(ended: &Ended, redact: &dyn Fn(&str) -> String) -> String {
    let text = [&ended.stdout, &ended.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    let lines: Vec<&str> = text.iter().flat_map(|text| text.lines()).map(str::trim).collect();
    let is_word = |line: &&str| !line.is_empty();
    let what = "std::exception::what:";
    let told = lines.iter().position(|line| line.contains(what)).and_then(|at| {
        let after = lines[at].split_once(what).map_or("", |(_, after)| after.trim());
        if after.is_empty() { lines[at + 1..].iter().copied().find(is_word) } else { Some(after) }
    });
    let told = told.map_or_else(
        || {
            let mut last: Vec<_> = lines.iter().rev().copied().filter(is_word).take(3).collect();
            last.reverse();
            last.join(" | ")
        },
        str::to_owned,
    );
    let told = redact(&told).replace(char::is_control, " ");
    let told = told.trim();
    let mut short: String = told.chars().take(WORDS_CHARS_MAX).collect();
    if told.chars().count() > WORDS_CHARS_MAX {
        short.push('…');
    }
    if short.is_empty() { short } else { format!(": {short}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_that_matter_and_no_password_is_among_them() {
        let check = |stdout: &str, stderr: &str, expect: &str| {
            let ended = Ended { code: 1, stdout: stdout.into(), stderr: stderr.into(), is_cut: false };
            assert_eq!(words(&ended, &|text| text.replace("s3cret", "…")), expect);
        };
        check("", "", "");
        check("Loaded 3 files\n", "", ": Loaded 3 files");
        check("a\nb\n\nc\nd\n", "", ": b | c | d");
        check("trace\n std::exception::what:\n\n  SearchIndex is corrupt\nmore\n", "", ": SearchIndex is corrupt");
        check("", "std::exception::what: no s3cret\n", ": no …");
        check(&"x".repeat(500), "", &format!(": {}…", "x".repeat(400)));
        check("bell \u{7}\n", "", ": bell");
    }

    #[test]
    fn codes_decide_about_another_try() {
        for (code, class) in [
            (1, ErrorClass::Transient),
            (144, ErrorClass::Transient),
            (255, ErrorClass::Transient),
            (126, ErrorClass::Permanent),
            (127, ErrorClass::Permanent),
            (129, ErrorClass::Permanent),
            (136, ErrorClass::Permanent),
            (139, ErrorClass::Permanent),
        ] {
            let error = ToolError::Exit { program: "bulkloader".to_owned(), code, words: String::new() };
            assert_eq!(error.class(), class, "{error}");
            assert_ne!(meaning(code), "unknown");
        }
    }
}
