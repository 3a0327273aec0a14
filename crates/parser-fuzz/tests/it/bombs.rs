//! Small texts that cost a careless parser all memory, all stack or all day.

use std::time::{Duration, Instant};

use parser_fuzz::TARGETS;

use crate::seeds;

/// A test build on a busy machine; a parser whose time is not linear needs minutes.
const LIMIT: Duration = Duration::from_secs(20);

#[test]
fn a_bomb_costs_what_its_length_costs() {
    for target in TARGETS {
        for (name, bomb) in test_kit::bombs(&seeds(target.name)) {
            let start = Instant::now();
            (target.check)(&bomb);
            let took = start.elapsed();
            assert!(took < LIMIT, "`{}` takes {took:?} for {name}, {} bytes", target.name, bomb.len());
        }
    }
}
