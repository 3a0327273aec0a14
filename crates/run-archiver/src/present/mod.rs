//! What people and machines see, and what the log keeps.

mod end;
mod follow;
pub(crate) mod html;
mod plan;
mod recovery;
mod retry;
mod status;

use std::time::Duration;

use run_pipeline::Stage;

pub(crate) use self::{
    end::{Answer, StageEnd, chain, failure, usage_failure},
    follow::Follower,
    plan::plans,
    recovery::{Written, recovery_json, recovery_text},
    retry::troubles,
    status::{Picture, json as status_json, text as status_text, wrapped},
};

/// The stage in answers and in the log.
pub(crate) const fn name(stage: Stage) -> &'static str {
    match stage {
        Stage::Import => "import",
        Stage::Migrate => "migrate",
    }
}

/// `1 run`, `5 runs`.
pub(crate) fn runs(count: impl Into<u64>) -> String {
    match count.into() {
        1 => "1 run".to_owned(),
        count => format!("{count} runs"),
    }
}

/// `usize` as the counts of run sets are.
fn count(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// A time for people: seconds with one decimal below a minute, whole seconds above.
pub(crate) fn seconds(time: Duration) -> String {
    if time < Duration::from_mins(1) {
        format!("{:.1} s", time.as_secs_f64())
    } else {
        humantime::format_duration(Duration::from_secs(time.as_secs())).to_string()
    }
}
