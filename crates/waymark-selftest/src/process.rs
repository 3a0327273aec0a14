//! A process of a trial: started, listened to, killed.
//!
//! It says one line for each thing it has done. It is killed when this value goes, so that no trial leaves one behind.

use std::{
    fmt,
    io::{self, BufRead, BufReader},
    os::unix::process::{CommandExt, ExitStatusExt},
    process::{Child, Command, Stdio},
    str::FromStr,
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::Duration,
};

/// What a process of a trial says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Word {
    /// It runs, and is about to begin.
    Begun,
    /// The document with this count was acknowledged.
    Document(u64),
    /// The record with this count was acknowledged.
    Record(u64),
    /// It holds the lock.
    Held,
    /// The lock is held by the process of this number, 0 where that is not known.
    Refused(u32),
    /// Something went wrong.
    Error(String),
}

/// Begins each line that is a word: whatever else a program prints is passed over.
const MARK: &str = "@selftest ";

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Begun => write!(f, "{MARK}begun"),
            Self::Document(count) => write!(f, "{MARK}document {count}"),
            Self::Record(count) => write!(f, "{MARK}record {count}"),
            Self::Held => write!(f, "{MARK}held"),
            Self::Refused(pid) => write!(f, "{MARK}refused {pid}"),
            Self::Error(text) => write!(f, "{MARK}error {}", text.replace('\n', " ")),
        }
    }
}

impl FromStr for Word {
    type Err = ();

    fn from_str(line: &str) -> Result<Self, ()> {
        let said = line.strip_prefix(MARK).ok_or(())?;
        let (word, rest) = said.split_once(' ').unwrap_or((said, ""));
        Ok(match word {
            "begun" => Self::Begun,
            "document" => Self::Document(rest.parse().map_err(drop)?),
            "record" => Self::Record(rest.parse().map_err(drop)?),
            "held" => Self::Held,
            "refused" => Self::Refused(rest.parse().map_err(drop)?),
            "error" => Self::Error(rest.to_owned()),
            _ => return Err(()),
        })
    }
}

/// What came within the time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Heard {
    /// A word.
    Said(Word),
    /// Nothing.
    Silence,
    /// The process said its last word before.
    End,
}

/// A process of a trial.
#[derive(Debug)]
pub(super) struct Running {
    child: Child,
    words: Receiver<Word>,
}

impl Running {
    /// Starts a process.
    pub(super) fn start(mut command: Command) -> io::Result<Self> {
        // A group of its own: what a user types at the terminal is for the program that answers it.
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn()?;
        let (sender, words) = channel();
        if let Some(stdout) = child.stdout.take() {
            thread::spawn(move || {
                for line in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
                    let word = String::from_utf8_lossy(&line).trim_end().parse();
                    if word.is_ok_and(|word| sender.send(word).is_err()) {
                        return;
                    }
                }
            });
        }
        Ok(Self { child, words })
    }

    /// The number of the process.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the next word.
    pub(super) fn hear(&self, at_most: Duration) -> Heard {
        match self.words.recv_timeout(at_most) {
            Ok(word) => Heard::Said(word),
            Err(RecvTimeoutError::Timeout) => Heard::Silence,
            Err(RecvTimeoutError::Disconnected) => Heard::End,
        }
    }

    /// Kills it as `kill -9` does; says what it had still said, and the signal that it really ended by, if any.
    pub(super) fn kill(mut self) -> (Vec<Word>, Option<i32>) {
        // One that has ended already cannot be killed, and need not be.
        drop(self.child.kill());
        let signal = self.child.wait().ok().and_then(|status| status.signal());
        // Its end of the pipe is closed now, so this ends.
        (self.words.iter().collect(), signal)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn words_are_read_as_they_were_said() {
        for word in [
            Word::Begun,
            Word::Document(7),
            Word::Record(0),
            Word::Held,
            Word::Refused(123),
            Word::Error("two words".to_owned()),
        ] {
            assert_eq!(word.to_string().parse(), Ok(word));
        }
        for noise in ["", "running 1 test", "@selftest", "@selftest document", "@selftest document x", "@selftest sing"]
        {
            assert_eq!(noise.parse::<Word>(), Err(()), "{noise}");
        }
    }

    #[test]
    fn a_process_is_heard_and_killed() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo noise; echo '@selftest begun'; echo '@selftest document 3'; read forever"]);
        let process = Running::start(command).unwrap();
        assert_eq!(process.hear(Duration::from_secs(10)), Heard::Said(Word::Begun));
        assert_eq!(process.hear(Duration::from_secs(10)), Heard::Said(Word::Document(3)));
        assert_eq!(process.hear(Duration::from_millis(1)), Heard::Silence);
        assert_eq!(process.kill(), (Vec::new(), Some(9)));
    }
}
