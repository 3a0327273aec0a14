//! test-kit

pub mod ucondb;
