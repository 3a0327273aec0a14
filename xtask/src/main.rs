//! The commands of the workspace: `cargo xtask demo`, `test-all`, `tidy`, `bench`.
//!
//! One file (or folder) per command. Nothing here is shipped; nothing here needs more than the Rust
//! toolchain and a C compiler.

mod bench;
mod cli;
mod demo;
mod say;
mod table;
mod test_all;
mod tidy;
mod workspace;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
