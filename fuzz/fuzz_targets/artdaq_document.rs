//! Lets libFuzzer look for bytes that break a promise of `artdaq_document`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| parser_fuzz::check("artdaq_document", bytes));
