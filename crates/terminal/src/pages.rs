//! Manual page and shell completions, made from the definition of the command line itself.
//!
//! A command line of its own, which the program's help does not show: whoever packages the program uses it
//! (`cargo xtask package`).

use std::{io, path::PathBuf};

use clap::{Command, Parser, ValueEnum as _};
use clap_complete::Shell;
use fs_err as fs;

/// Where pages are wanted.
#[derive(Debug, Parser)]
struct Pages {
    /// The directory of the manual page.
    #[arg(long)]
    generate_man: PathBuf,

    /// The directory of the completions, one file a shell.
    #[arg(long)]
    generate_completions: PathBuf,
}

/// Writes the pages of `command` if that is what the process was started for; `None` if it is not.
///
/// To be asked before the program looks at its own command line. The outcome is an error where a file cannot be written.
pub fn write_pages_if_asked(command: Command) -> Option<io::Result<()>> {
    // Whatever else stands on the command line is for the program.
    Pages::try_parse().ok().map(|pages| pages.write(command))
}

impl Pages {
    fn write(&self, mut command: Command) -> io::Result<()> {
        for dir in [&self.generate_man, &self.generate_completions] {
            fs::create_dir_all(dir)?;
        }
        let name = command.get_name().to_owned();
        for shell in Shell::value_variants() {
            clap_complete::generate_to(*shell, &mut command, &name, &self.generate_completions)?;
        }
        clap_mangen::generate_to(command, &self.generate_man)
    }
}
