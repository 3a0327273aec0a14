//! The command line.

mod embedded;
mod modes;
mod plan;
mod preflight;
mod rehearse;
mod retry;
mod rollback;

use std::{path::PathBuf, process::ExitCode, str::FromStr, time::Duration};

use clap::{CommandFactory as _, Parser};

use self::modes::{ModeArgs, Modes, WITHOUT_DEFINITIONS};
pub(crate) use self::{
    embedded::{ClockKind, EmbeddedArgs},
    modes::{Job, status},
    preflight::{PreflightArgs, PreflightExtent},
    rollback::RollbackArgs,
};
use crate::exit::Exit;

const EXAMPLES: &str = "\
Examples:
  gsi-create gsis.json --endpoint embedded        try it, without an account
  gsi-create gsis.json --endpoint embedded:db.sqlite --state-dir work
  gsi-create gsis.json --region eu-west-1 --plan  what would be done, and how long it would take
  gsi-create gsis.json --region eu-west-1         create, or go on after an interruption
  gsi-create gsis.json --table bookings --no-wait ask for what can be asked for now, and return
  gsi-create --status --state-dir work            look, while it runs or afterwards
  gsi-create gsis.json --retry-failed             once the cause is gone
  gsi-create --selftest work                      can that file system hold state?

Exit codes: 0 done, 1 some index failed, 2 unexpected error, 3 something to do,
4 still building, 64 usage, 65 bad definitions, 66 state missing or refused, 75 another process has the state,
78 no region, credentials or endpoint, 130 interrupted.";

/// Creates DynamoDB global secondary indexes from a definitions file.
///
/// May be interrupted or killed at any moment: the same command goes on where it stopped. Indexes that
/// exist already are compared and adopted; only --rollback and --cancel delete, and only what was created here.
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

    #[command(flatten)]
    pub(crate) mode_args: ModeArgs,

    /// The directory of the reports; `gsi_creation_reports` in the state directory unless said otherwise.
    #[arg(long, value_name = "DIR")]
    report_dir: Option<PathBuf>,

    /// Answer every question with yes.
    #[arg(long)]
    pub(crate) yes: bool,

    /// Only the indexes of this table; may be repeated.
    #[arg(long = "table", value_name = "NAME")]
    pub(crate) tables: Vec<String>,

    /// Retry the indexes that failed, and only those.
    #[arg(long, conflicts_with_all = ["Modes", "resume"])]
    pub(crate) retry_failed: bool,

    /// Insist on going on with an earlier run: an error where there is no state.
    #[arg(long, conflicts_with = "Modes")]
    pub(crate) resume: bool,

    /// Print the answer as JSON.
    #[arg(long)]
    pub(crate) json: bool,

    /// Say more: every look at every index.
    #[arg(short, long, conflicts_with = "quiet")]
    pub(crate) verbose: bool,

    /// Say only what went wrong, and the answer.
    #[arg(short, long)]
    pub(crate) quiet: bool,

    /// Do not query new indexes to see whether they answer.
    #[arg(long)]
    pub(crate) no_validate: bool,

    #[command(flatten)]
    pub(crate) retry: retry::RetryArgs,

    #[command(flatten)]
    pub(crate) rollback: RollbackArgs,

    #[command(flatten)]
    pub(crate) preflight: PreflightArgs,

    #[command(flatten)]
    pub(crate) rehearsal: rehearse::RehearseArgs,

    #[command(flatten)]
    pub(crate) plan: plan::PlanArgs,

    #[command(flatten)]
    pub(crate) embedded: EmbeddedArgs,
}

impl Cli {
    /// The directory of the reports.
    pub(crate) fn report_dir(&self) -> PathBuf {
        self.report_dir.clone().unwrap_or_else(|| self.state_dir.join(crate::reports::DIRECTORY))
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
    if let Some(outcome) = terminal::write_pages_if_asked(Cli::command()) {
        return Err(outcome.map_or(Exit::Unexpected, |()| Exit::Done).into());
    }
    if let Some(outcome) = waymark_selftest::work_if_asked() {
        return Err(outcome.map_or(Exit::Unexpected, |()| Exit::Done).into());
    }
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
