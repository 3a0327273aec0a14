//! Gives files to the loader and takes files from the downloader, on this host or by ssh on another.
//!
//! On a remote host the same happens in a directory that `mktemp` makes and a trap removes. The files go and come as
//! tar streams by the standard input and output of ssh; before them, one line each, the values of the environment, so
//! that no address with a password stands among the arguments of a process. Its command holds nothing but names that
//! were found plain.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use run_record::RunNumber;
use tempfile::TempDir;

use super::{
    ToolError,
    error::words,
    files::{DOWNLOAD_BYTES_MAX, Documents, read_all, write_all},
    names::is_plain,
    process::{Call, Ended, Input, WORDS_BYTES_MAX},
    tar,
};
use crate::DatabaseUri;

/// Where the tools are.
pub(super) enum Place {
    /// On this host.
    Here { loader: PathBuf, downloader: PathBuf },
    /// On another.
    There {
        ssh: PathBuf,
        /// Up to the host.
        arguments: Vec<String>,
        loader: String,
        downloader: String,
        /// The environment of the tools.
        values: Vec<(String, String)>,
    },
}

/// The tools, with everything that they are told.
pub(super) struct Tools {
    pub(super) place: Place,
    pub(super) uri: DatabaseUri,
    /// Of the programs on this host.
    pub(super) environment: BTreeMap<String, String>,
    pub(super) temp_dir: PathBuf,
    pub(super) time_max: Duration,
}

/// What the loader said.
pub(super) struct Loaded {
    /// Whether it says that it has stored all.
    pub(super) is_whole: bool,
    /// Its words, with a colon before them.
    pub(super) words: String,
}

impl Tools {
    /// Has these files loaded, one thread, as documents of a configuration. `lock` is held until the loader ends, even
    /// if this process dies.
    pub(super) async fn load(
        &self,
        run: RunNumber,
        configuration: &str,
        files: BTreeMap<String, &str>,
        lock: fs_err::File,
    ) -> Result<Loaded, ToolError> {
        let ended = match &self.place {
            Place::Here { loader, .. } => {
                let directory = self.directory()?;
                write_all(directory.path(), &files).map_err(|source| self.exchange(source))?;
                self.run_here(loader, directory.path(), run, configuration, Input::Held(lock)).await?
            }
            Place::There { loader, .. } => {
                let tool = tool(loader, run, configuration);
                let script = format!("tar xf - -C $d; r=0; {tool} || r=$?; exit $r");
                self.run_there(&script, &tar::write(&files), WORDS_BYTES_MAX).await?
            }
        };
        let words = self.words(&ended);
        if !matches!(ended.code, 0 | 1) {
            return Err(self.exit("bulkloader", &ended));
        }
        if let Some(count) = count(&ended, "Loaded ").filter(|&count| count != files.len()) {
            let problem = format!("says that it was given {count} files, and was given {}", files.len());
            return Err(ToolError::Answer { program: "bulkloader", problem });
        }
        Ok(Loaded { is_whole: ended.code == 0, words })
    }

    /// The documents of a configuration; `None` if the downloader does not know it.
    pub(super) async fn download(&self, run: RunNumber, configuration: &str) -> Result<Option<Documents>, ToolError> {
        let (ended, files) = match &self.place {
            Place::Here { downloader, .. } => {
                let directory = self.directory()?;
                let ended = self.run_here(downloader, directory.path(), run, configuration, Input::Nothing).await?;
                let files = read_all(directory.path()).map_err(|source| self.exchange(source))?;
                (ended, files)
            }
            Place::There { downloader, .. } => {
                let tool = tool(downloader, run, configuration);
                let script = format!("r=0; {tool} || r=$?; if [ $r -eq 0 ]; then tar cf - -C $d .; fi; exit $r");
                let mut ended = self.run_there(&script, &[], DOWNLOAD_BYTES_MAX).await?;
                let stream = std::mem::take(&mut ended.stdout);
                let files = if ended.code == 0 { unpack(&stream, ended.is_cut)? } else { BTreeMap::new() };
                (ended, files)
            }
        };
        let answer = |problem| ToolError::Answer { program: "bulkdownloader", problem };
        match ended.code {
            0 => {}
            1 => return Ok(None),
            _ => return Err(self.exit("bulkdownloader", &ended)),
        }
        // It says so even of files that it could not write, and ends with 0.
        if let Some(count) = count(&ended, "Downloaded ").filter(|&count| count != files.len()) {
            return Err(answer(format!(
                "says that it wrote {count} files, and wrote {}{}",
                files.len(),
                self.words(&ended)
            )));
        }
        Documents::from_files(files).map(Some).map_err(answer)
    }

    /// A directory that only we can read, removed when it is dropped.
    fn directory(&self) -> Result<TempDir, ToolError> {
        let mode = std::fs::Permissions::from_mode(0o700);
        let directory = tempfile::Builder::new().prefix("waymark-").permissions(mode).tempdir_in(&self.temp_dir);
        directory.map_err(|source| self.exchange(source))
    }

    fn exchange(&self, source: io::Error) -> ToolError {
        ToolError::Exchange { path: self.temp_dir.clone(), source }
    }

    async fn run_here(
        &self,
        program: &Path,
        directory: &Path,
        run: RunNumber,
        configuration: &str,
        input: Input,
    ) -> Result<Ended, ToolError> {
        let path = directory.display().to_string();
        let arguments = ["-p", &path, "-r", &run.to_string(), "-c", configuration, "-t", "1"].map(str::to_owned);
        let (environment, time_max) = (&self.environment, self.time_max);
        let arguments = arguments.to_vec();
        let stdout_bytes_max = WORDS_BYTES_MAX;
        Call { program, arguments, environment, directory, input, stdout_bytes_max, time_max }.run().await
    }

    /// Runs a script in a directory `$d` of its own on the remote host.
    async fn run_there(&self, script: &str, stream: &[u8], stdout_bytes_max: usize) -> Result<Ended, ToolError> {
        let Place::There { ssh, arguments, values, .. } = &self.place else {
            let problem = "was to be run on a remote host, and there is none".to_owned();
            return Err(ToolError::Answer { program: "ssh", problem });
        };
        let (mut lines, mut input) = (String::new(), String::new());
        for (name, value) in values {
            // Writing to a `String` cannot fail.
            let _ = write!(lines, "IFS= read -r {name}; export {name}; ");
            let _ = writeln!(input, "{value}");
        }
        let command = format!(
            "sh -c 'set -e; umask 077; {lines}d=$(mktemp -d /tmp/run-archiver.XXXXXXXXXX); trap \"rm -rf $d\" EXIT; \
             trap \"exit 143\" HUP INT TERM; {script}'"
        );
        let mut arguments = arguments.clone();
        arguments.push(command);
        let mut input = input.into_bytes();
        input.extend_from_slice(stream);
        let (environment, time_max, input) = (&self.environment, self.time_max, Input::Bytes(input));
        let directory = Path::new("/");
        Call { program: ssh, arguments, environment, directory, input, stdout_bytes_max, time_max }.run().await
    }

    fn exit(&self, program: &str, ended: &Ended) -> ToolError {
        let program = match (&self.place, ended.code) {
            (Place::There { .. }, 255) => "ssh".to_owned(),
            (Place::There { .. }, _) => format!("{program}` on the remote host by `ssh"),
            (Place::Here { .. }, _) => program.to_owned(),
        };
        ToolError::Exit { program, code: ended.code, words: self.words(ended) }
    }

    fn words(&self, ended: &Ended) -> String {
        words(ended, &|text| match &self.uri {
            DatabaseUri::Mongo(uri) => uri.redact(text),
            DatabaseUri::Filesystem(_) => text.to_owned(),
        })
    }
}

/// The files of a stream from the remote host.
fn unpack(stream: &[u8], is_cut: bool) -> Result<BTreeMap<String, Vec<u8>>, ToolError> {
    let files = if is_cut { Err("too much".to_owned()) } else { tar::read(stream) };
    files.map_err(|problem| ToolError::Answer {
        program: "bulkdownloader",
        problem: format!("answered wrongly: {problem}"),
    })
}

/// The command of a tool that works in `$d`; what it says goes beside the stream of files.
fn tool(program: &str, run: RunNumber, configuration: &str) -> String {
    debug_assert!(is_plain(program) && is_plain(configuration), "the names were checked");
    format!("{program} -p $d -r {run} -c {configuration} -t 1 </dev/null >&2")
}

/// The number behind `word` in what a tool said.
fn count(ended: &Ended, word: &str) -> Option<usize> {
    [&ended.stdout, &ended.stderr].into_iter().find_map(|bytes| {
        let text = String::from_utf8_lossy(bytes);
        text.lines().find_map(|line| {
            let (number, rest) = line.trim_start().strip_prefix(word)?.split_once(' ')?;
            rest.starts_with("file").then(|| number.parse().ok())?
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(stdout: &str) -> Ended {
        Ended { code: 0, stdout: stdout.into(), stderr: Vec::new(), is_cut: false }
    }

    #[test]
    fn counts_are_read_out_of_the_words() {
        assert_eq!(count(&ended("x\nLoaded 15 files with 1 threads in 7 msecs.\n"), "Loaded "), Some(15));
        assert_eq!(count(&ended("Downloaded 0 files with"), "Downloaded "), Some(0));
        assert_eq!(count(&ended("Loaded many files"), "Loaded "), None);
        assert_eq!(count(&ended(""), "Loaded "), None);
    }
}
