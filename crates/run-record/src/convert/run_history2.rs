//! `RunHistory2.fcl`: start and stop time, stored once the run has them.

use super::write::{binding, quote};
use crate::python::{is_space, lines};

const TIMES: [(&str, &str); 2] =
    [("DAQInterface stop time:", "DAQInterface_stop_time"), ("DAQInterface start time:", "DAQInterface_start_time")];

pub(super) fn generate(metadata: &str) -> Option<String> {
    let bindings = lines(metadata).filter_map(|line| {
        let (value, key) = TIMES.iter().find_map(|(prefix, key)| Some((line.strip_prefix(prefix)?, key)))?;
        let value = value.strip_prefix(is_space)?.trim_start_matches(is_space);
        Some(binding(key, &format!("\"{value}\""), || quote(value)))
    });
    let bindings: Vec<_> = bindings.collect();
    (!bindings.is_empty()).then(|| bindings.join("\n"))
}
