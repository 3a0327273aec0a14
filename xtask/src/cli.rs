//! The command line, and how an error reaches the screen.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::{bench, demo, evidence, fuzz, mutants, package, planted, say, servers, test_all, tidy};

/// Exit code for a command line that cannot be understood, as in the programs of this workspace.
const USAGE: u8 = 64;

const EXAMPLES: &str = "\
Examples:
  cargo xtask demo                          a guided tour: create six indexes, interrupt, resume
  cargo xtask test-all                      everything that CI checks, with a table at the end
  cargo xtask test-all --runner cargo       the same with `cargo test`, though nextest is installed
  cargo xtask servers mongod -- cargo test -p artdaq-db --features mongodb
                                            tests with a real MongoDB server, fetched on its first use
  cargo xtask tidy                          only the architecture checks
  cargo xtask tidy --list                   what they are
  cargo xtask fuzz --seconds 600 fhicl      libFuzzer on one parser for ten minutes
  cargo xtask evidence --list               what docs/evidence.md claims, and how each claim is measured
  cargo xtask bench state --rounds 200      what a durable state update costs on this disk";

/// Commands of the Waymark workspace.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Shows gsi-create at work on an embedded DynamoDB, interrupted once and resumed
    Demo(demo::Options),
    /// Runs every check that CI runs, to the end, and prints a table
    TestAll(test_all::Options),
    /// Starts a server for tests on 127.0.0.1
    #[command(subcommand)]
    Servers(servers::Server),
    /// Checks the architecture: arrows between crates, manifests, file sizes, documents
    Tidy(tidy::Options),
    /// Builds a `.deb` of both programs and looks into it
    Package(package::Options),
    /// Plants known bugs one at a time and sees whether the named tests find them
    Planted(planted::Options),
    /// Lets libFuzzer look for bytes that break a parser, and prints what it found
    Fuzz(fuzz::Options),
    /// Changes the code of the state libraries in every small way, and counts the changes that no test notices
    Mutants(mutants::Options),
    /// Measures what docs/evidence.md claims (hours), or lists it
    Evidence(evidence::Options),
    /// Measures, in a release build
    #[command(subcommand)]
    Bench(bench::Subject),
}

/// Parses the command line, runs the command, prints its error.
pub(crate) fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Where nobody reads, nothing is left to do.
            drop(error.print());
            return if error.use_stderr() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS };
        }
    };
    let outcome = match cli.command {
        Command::Demo(options) => demo::run(&options),
        Command::TestAll(options) => test_all::run(&options),
        Command::Servers(server) => servers::run(&server),
        Command::Tidy(options) => tidy::run(&options),
        Command::Bench(subject) => bench::run(&subject),
        Command::Planted(options) => planted::run(&options),
        Command::Mutants(options) => mutants::run(&options),
        Command::Evidence(options) => evidence::run(&options),
        Command::Fuzz(options) => fuzz::run(&options),
        Command::Package(options) => package::run(&options),
    };
    outcome.unwrap_or_else(|error| {
        say::error(format_args!("error: {error}"));
        for cause in error.chain().skip(1) {
            say::error(format_args!("  caused by: {cause}"));
        }
        ExitCode::FAILURE
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Cli;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
