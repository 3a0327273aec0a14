//! Random jobs, and the model of the service on which a thousand of them run (`src/schedule/tests.rs`).
#![expect(dead_code, reason = "the thousand jobs use all of it")]

mod conformance;
mod model;
mod scenario;
