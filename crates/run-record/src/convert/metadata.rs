//! `metadata.txt`: what the run was. Comments stay; components and log files become arrays.

use super::write::{array_binding, binding, join, quote, value_binding};
use crate::fhicl::is_well_formed;
use crate::python::{is_space, lines, runs_to_underscore, strip, words};

/// The sections that list log files, one a line, until a blank line.
const SECTIONS: [(&str, &str); 6] = [
    ("process manager logfiles", "process_manager_logfiles"),
    ("boardreader logfiles", "boardreader_logfiles"),
    ("eventbuilder logfiles", "eventbuilder_logfiles"),
    ("routingmanager logfiles", "routingmanager_logfiles"),
    ("datalogger logfiles", "datalogger_logfiles"),
    ("dispatcher logfiles", "dispatcher_logfiles"),
];

/// Keys that start so are written in lower case.
const LOWERED: [&str; 4] = ["Config name", "DAQInterface start time", "DAQInterface stop time", "Total events"];

pub(super) fn convert(content: &str) -> String {
    let mut state = State::default();
    for line in lines(content) {
        state.line(line);
    }
    // As in the genuine converter only the last section may end with the file.
    if state.section == Some(SECTIONS.len() - 1) {
        state.end_section();
    }
    join(&state.lines)
}

#[derive(Default)]
struct State {
    lines: Vec<String>,
    components: Vec<String>,
    components_open: bool,
    section: Option<usize>,
    logfiles: [Vec<String>; SECTIONS.len()],
}

impl State {
    fn line(&mut self, original: &str) {
        let line = strip(original);
        if line.starts_with('#') {
            self.lines.push(comment(original));
        } else if line.is_empty() {
            if self.section.is_some() {
                self.end_section();
            } else {
                self.end_components();
            }
        } else if let Some(section) = self.section {
            self.logfiles[section].extend(words(line).next().map(str::to_owned));
        } else {
            if !is_component(line) {
                self.end_components();
            }
            if let Some((key, value)) = line.split_once(':') {
                self.binding(strip(key), strip(value));
            }
        }
    }

    fn binding(&mut self, key: &str, value: &str) {
        let line = if LOWERED.iter().any(|prefix| key.starts_with(prefix)) {
            value_binding(&key.to_lowercase().replace(' ', "_"), value)
        } else if is_component(key) {
            self.components.push(value.to_owned());
            self.components_open = true;
            return;
        } else if key.contains("commit/version") {
            let key = normal_key(key).replace("commit/version", "commit_or_version");
            let value = value.replace('"', " ");
            binding(&key, &format!("\"{value}\""), || quote(&value))
        } else if key == "pmt logfile" {
            value_binding("pmt_logfiles_wildcard", value)
        } else if let Some(section) = SECTIONS.iter().position(|(name, _)| *name == key) {
            self.section = Some(section);
            return;
        } else {
            value_binding(&normal_key(key), value)
        };
        self.lines.push(line);
    }

    fn end_components(&mut self) {
        if self.components_open {
            self.lines.push(array_binding("components", &self.components));
            self.components_open = false;
        }
    }

    fn end_section(&mut self) {
        if let Some(section) = self.section.take() {
            self.lines.push(format!("\n{}", array_binding(SECTIONS[section].1, &self.logfiles[section])));
        }
    }
}

/// `Component #3…`
pub(super) fn is_component(text: &str) -> bool {
    text.strip_prefix("Component #").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

fn normal_key(key: &str) -> String {
    runs_to_underscore(key, |c| is_space(c) || c == '-')
}

/// A comment stays as it is, unless FHiCL would take it for a malformed include.
fn comment(line: &str) -> String {
    if is_well_formed(line) { line.to_owned() } else { line.replacen('#', "# ", 1) }
}
