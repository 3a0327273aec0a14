//! The commands of the workspace: `cargo xtask demo`, `test-all`, `servers`, `tidy`, `bench`.
//!
//! One file (or folder) per command. Nothing here is shipped; nothing here needs more than the Rust
//! toolchain and a C compiler, but for `servers`, which needs Python's pip.

mod bench;
mod cli;
mod debian;
mod demo;
mod evidence;
mod fuzz;
mod mutants;
mod package;
mod planted;
mod say;
mod servers;
mod table;
mod test_all;
mod tidy;
mod workspace;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
