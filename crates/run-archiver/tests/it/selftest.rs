//! `--selftest DIR`: what every program's must do.

test_kit::selftest_suite!(env!("CARGO_BIN_EXE_run-archiver"), "--import-only");
