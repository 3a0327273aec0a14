//! The command line.

use std::{path::PathBuf, process::ExitCode, str::FromStr, time::Duration};

use clap::Parser;
use dynamo_embedded::{FaultPlan, Times};

use crate::exit::Exit;

const EXAMPLES: &str = "\
Examples:
  gsi-create gsis.json --endpoint embedded        try it, without an account
  gsi-create gsis.json --endpoint embedded:db.sqlite --state-dir work
  gsi-create gsis.json --region eu-west-1         create, or go on after an interruption
  gsi-create gsis.json --table bookings --no-wait ask for what can be asked for now, and return
  gsi-create --status --state-dir work            look, while it runs or afterwards
  gsi-create gsis.json --retry-failed             once the cause is gone

Exit codes: 0 done, 1 some index failed, 2 unexpected error, 4 still building, 64 usage,
65 bad definitions, 66 state missing or refused, 75 another process has the state,
78 no region, credentials or endpoint, 130 interrupted.";

/// Creates DynamoDB global secondary indexes from a definitions file.
///
/// May be interrupted or killed at any moment: the same command goes on where it stopped. Indexes that
/// exist already are compared and adopted; nothing is ever deleted.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[derive(Debug, Parser)]
#[command(name = "gsi-create", version, after_help = EXAMPLES)]
pub(crate) struct Cli {
    /// The definitions file, JSON or YAML, in the spelling of the AWS API.
    #[arg(required_unless_present_any = WITHOUT_DEFINITIONS)]
    pub(crate) definitions: Option<PathBuf>,

    /// Where DynamoDB is: `embedded` (in this process, in memory), `embedded:FILE`, or a URL.
    /// Without it, the AWS configuration of the environment decides.
    #[arg(long, value_name = "WHERE")]
    pub(crate) endpoint: Option<Endpoint>,

    /// The AWS region.
    #[arg(long)]
    pub(crate) region: Option<String>,

    /// The AWS profile.
    #[arg(long)]
    pub(crate) profile: Option<String>,

    /// The directory of the state file; made where it is missing.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) state_dir: PathBuf,

    #[command(flatten)]
    modes: Modes,

    /// Only the indexes of this table; may be repeated.
    #[arg(long = "table", value_name = "NAME")]
    pub(crate) tables: Vec<String>,

    /// Retry the indexes that failed, and only those.
    #[arg(long, conflicts_with_all = ["Modes", "resume"])]
    pub(crate) retry_failed: bool,

    /// Insist on going on with an earlier run: an error where there is no state.
    #[arg(long, conflicts_with = "Modes")]
    pub(crate) resume: bool,

    /// Ask for what can be asked for now and return; what is being built goes on at the service.
    #[arg(long)]
    pub(crate) no_wait: bool,

    /// Requests for one index before it is given up.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) max_attempts: u32,

    /// Pauses after failed requests: the first, the second ... the last is repeated.
    #[arg(long, value_name = "LIST", default_value = "30s,60s,120s,240s,480s", value_delimiter = ',', value_parser = duration)]
    pub(crate) backoff: Vec<Duration>,

    /// Stop waiting for an index after this time, say 90m or 2h (it goes on at the service); 0: never.
    #[arg(long, value_name = "TIME", default_value = "0", value_parser = duration)]
    pub(crate) timeout_per_index: Duration,

    /// Tables worked on at once.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
    pub(crate) max_parallel: u16,

    /// Embedded only: how long allocation, backfill and deletion of an index take.
    #[arg(long, value_name = "ALLOC,BACKFILL,DELETE", default_value = "500ms,1500ms,500ms")]
    pub(crate) embedded_times: Times,

    /// Embedded only: errors to rehearse, as `UpdateTable#2=ThrottlingException; DescribeTable#1=lost`.
    #[arg(long, value_name = "PLAN")]
    pub(crate) embedded_faults: Option<FaultPlan>,

    /// Print the answer as JSON.
    #[arg(long)]
    pub(crate) json: bool,

    /// Say more: every look at every index.
    #[arg(short, long, conflicts_with = "quiet")]
    pub(crate) verbose: bool,

    /// Say only what went wrong, and the answer.
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// What is asked for, where it is not creation.
#[derive(Debug, clap::Args)]
#[group(id = "Modes", multiple = false)]
struct Modes {
    /// Show the state and end. Needs no lock, no network and no write permission.
    #[arg(long)]
    status: bool,
}

/// The modes that need no definitions file.
const WITHOUT_DEFINITIONS: [&str; 1] = ["status"];

/// What the program is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Job {
    /// Create indexes, or go on with it.
    Create,
    /// Show the state.
    Status,
}

impl Cli {
    /// What is asked for.
    pub(crate) fn job(&self) -> Job {
        match &self.modes {
            Modes { status: true } => Job::Status,
            Modes { .. } => Job::Create,
        }
    }
}

/// Where DynamoDB is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// In this process, in memory.
    Memory,
    /// In this process, in a file.
    File(PathBuf),
    /// At a URL.
    Url(String),
}

impl FromStr for Endpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            None if text == "embedded" => Ok(Self::Memory),
            Some(("embedded", "")) => Err("`embedded:` wants a file name after the colon".to_owned()),
            Some(("embedded", file)) => Ok(Self::File(PathBuf::from(file))),
            Some(("http" | "https", rest)) if rest.starts_with("//") && rest.len() > 2 => {
                Ok(Self::Url(text.to_owned()))
            }
            _ => Err("say `embedded`, `embedded:FILE`, or a URL that starts with http:// or https://".to_owned()),
        }
    }
}

/// Reads the command line; on failure, or for help, prints what there is to say.
pub(crate) fn parse() -> Result<Cli, ExitCode> {
    Cli::try_parse().map_err(|error| {
        // Nothing is left to do if the terminal is gone.
        drop(error.print());
        if error.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() }
    })
}

fn duration(text: &str) -> Result<Duration, String> {
    match text.trim() {
        "0" => Ok(Duration::ZERO),
        text => humantime::parse_duration(text).map_err(|error| format!("{error}; write it like 30s, 5m or 500ms")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn endpoints_are_read_or_refused() {
        let check = |text: &str, expect: Option<Endpoint>| assert_eq!(text.parse().ok(), expect, "{text}");
        check("embedded", Some(Endpoint::Memory));
        check("embedded:db.sqlite", Some(Endpoint::File("db.sqlite".into())));
        check("embedded:/a/b c:d", Some(Endpoint::File("/a/b c:d".into())));
        check("http://127.0.0.1:8000", Some(Endpoint::Url("http://127.0.0.1:8000".to_owned())));
        check("embedded:", None);
        check("Embedded", None);
        check("localhost:8000", None);
        check("http://", None);
    }
}
