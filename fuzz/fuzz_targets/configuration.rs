//! Lets libFuzzer look for bytes that break a promise of `configuration`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| parser_fuzz::check("configuration", bytes));
