//! What people and machines see.

mod end;
mod follow;
mod status;

use std::{fmt::Display, path::Path};

pub(crate) use self::{
    end::{End, end},
    follow::observer,
    status::status,
};

/// A remark about a place in a file, with the file's name in front, as editors like it.
pub(crate) fn located(path: &Path, remark: impl Display) -> String {
    format!("{}:{}", terminal::clean(&path.display().to_string()), terminal::clean(&remark.to_string()))
}
