//! A writer that gets no more room, by a limit on the size of its files: a mount that others use is not filled.

use std::{path::Path, process::Command};

use rustix::process::Signal;

use super::{Bench, Obstacle, Promise, Tried, Word, figure, one};
use crate::{
    Kind,
    child::{LIMIT_BYTES, chain, open, read_document},
    judge::{self, Flaws},
    process::Running,
};

/// Once the limit kills the writer, once it makes its write fail.
pub(super) fn room(bench: &Bench<'_>) -> Tried {
    let (mut flaws, mut ways) = (Flaws::default(), Vec::new());
    let dies = bench.directory("room-dies")?;
    if grown(bench, bench.start(Kind::Grow, &dies)?, &dies, &mut flaws)?.1 == Some(Signal::XFSZ.as_raw()) {
        ways.push("a writer that its limit killed");
    }
    let told = bench.directory("room-told")?;
    // What the shell ignores stays ignored in what it becomes. Without a shell there is one way only.
    if let Ok(writer) = Running::start(ignoring_the_signal(&(bench.setup.command)(Kind::Grow, &told))) {
        let (error, _) = grown(bench, writer, &told, &mut flaws)?;
        if error.is_some() {
            ways.push("a writer whose write failed at its limit");
        }
    }
    let measured = [("limit_bytes", figure(LIMIT_BYTES)), ("free_bytes", figure(bench.mount.free_bytes))];
    Ok(one(Promise::Room, judge::room(&ways, &flaws), measured))
}

/// The error that a writer reported, and the signal that it died of.
type End = (Option<String>, Option<i32>);

/// Lets a writer go to its end, and looks at what it has left.
fn grown(bench: &Bench<'_>, writer: Running, dir: &Path, flaws: &mut Flaws) -> Result<End, Obstacle> {
    let (mut acknowledged, mut error) = (0, None);
    while let Some(word) = bench.hear(&writer)? {
        match word {
            Word::Document(count) => acknowledged = count,
            Word::Error(text) => error = Some(text),
            _ => {}
        }
        // The limit is passed after a handful; where it is none this would go on for ever.
        if acknowledged > UPDATES_MAX {
            break;
        }
    }
    let (_, signal) = writer.kill();
    match read_document(dir) {
        Ok(count) if (acknowledged..=acknowledged + 1).contains(&count.unwrap_or_default()) => {}
        Ok(count) => flaws.add(format!("without room, {count:?} was found where {acknowledged} was acknowledged")),
        Err(error) => flaws.add(format!("without room: {}", chain(&error))),
    }
    // With room again, the next start goes on.
    let next = open(dir, bench.setup.clock)
        .and_then(|mut file| file.update(|sample| *sample = sample.next(100)).map_err(Into::into));
    if let Err(error) = next {
        flaws.add(format!("after a writer without room: {}", chain(error.as_ref())));
    }
    // Without any update it was not the limit that stopped it.
    Ok((error.filter(|_| acknowledged > 0), signal))
}

const UPDATES_MAX: u64 = 12;

fn ignoring_the_signal(command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    if let Some(dir) = command.get_current_dir() {
        shell.current_dir(dir);
    }
    shell
}
