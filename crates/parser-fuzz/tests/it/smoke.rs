//! Seeds, and mutations of them.

use std::panic::{AssertUnwindSafe, catch_unwind};

use parser_fuzz::TARGETS;
use test_kit::Mutator;

use crate::seeds;

/// Hands a target its seeds and `count` mutations. An input that breaks a promise is printed as a text that can be
/// pasted into a test.
fn smoke(target: &str, count: usize) {
    let check = TARGETS.iter().find(|found| found.name == target).unwrap().check;
    let seeds = seeds(target);
    for input in seeds.iter().cloned().chain(Mutator::new(0x5eed, &seeds).take(count)) {
        let kept = catch_unwind(AssertUnwindSafe(|| check(&input)));
        assert!(kept.is_ok(), "`{target}` breaks a promise, see above, for b\"{}\"", input.escape_ascii());
    }
}

macro_rules! smoke {
    ($($target:ident: $count:expr),* $(,)?) => {
        $(#[test] fn $target() { smoke(stringify!($target), $count); })*

        #[test]
        fn every_target_is_here() {
            let here = [$(stringify!($target)),*];
            assert_eq!(here.to_vec(), TARGETS.map(|target| target.name).to_vec());
        }
    };
}

smoke! {
    gsi_state: 20_000,
    // Every input costs several flushes of a real file.
    journal: 1_000,
    run_state: 20_000,
    definitions: 10_000,
    configuration: 5_000,
    fhicl: 20_000,
    stored_fhicl: 20_000,
    blob: 20_000,
    artdaq_index: 20_000,
    artdaq_document: 20_000,
    ucon_answer: 20_000,
}
