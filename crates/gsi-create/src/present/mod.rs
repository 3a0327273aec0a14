//! What people and machines see.

mod check;
mod end;
mod explain;
mod follow;
mod history;
mod plan;
mod preflight;
mod rehearsal;
mod rollback;
mod status;
mod validation;

use std::{fmt::Display, path::Path};

pub(crate) use self::{
    check::{Check, check},
    end::{End, end},
    explain::{Story, explain},
    follow::{Follower, observer},
    history::{Past, history},
    plan::plan,
    preflight::{preflight, preflight_steps},
    rehearsal::{Rehearsal, rehearsal},
    rollback::{Undone, asking, undone},
    status::status,
    validation::validation,
};

/// How times are shown.
const TIME: &str = "%Y-%m-%d %H:%M:%S UTC";

/// A remark about a place in a file, with the file's name in front, as editors like it.
pub(crate) fn located(path: &Path, remark: impl Display) -> String {
    format!("{}:{}", terminal::clean(&path.display().to_string()), terminal::clean(&remark.to_string()))
}
