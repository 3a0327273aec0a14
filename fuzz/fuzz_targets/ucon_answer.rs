//! Lets libFuzzer look for bytes that break a promise of `ucon_answer`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| parser_fuzz::check("ucon_answer", bytes));
