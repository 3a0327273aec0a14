//! What the embedded database answers, row by row, and where each row comes from.
//!
//! Letters and `Qnnn` in comments are the sources of the facts page, section 9: S = the AWS model's
//! documentation, D1–D5 = AWS's developer guide, Qnnn = the ACK team's lab (DDB-TABLE-nnn).
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod faults;
mod files;
mod kill;
mod lifecycle;
mod model;
mod refusals;
mod scans;
mod seeds;
mod support;
mod violations;
