//! Lets libFuzzer look for bytes that break a promise of `gsi_state`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| parser_fuzz::check("gsi_state", bytes));
