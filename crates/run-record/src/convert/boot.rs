//! `boot.txt`: `name: value` lines; subsystems and processes are blocks that a blank line ends.

use super::write::{binding, is_numeric, join, nested_binding, quote, quote_value};
use crate::python::{is_space, lines, runs_to_underscore, strip};

const PROCESS_NAMES: [&str; 5] = ["BoardReader", "EventBuilder", "DataLogger", "Dispatcher", "RoutingManager"];
/// The parts of a process block, apart from its name; the order decides which one a key means.
const PROCESS_PARTS: [&str; 4] = ["host", "port", "label", "subsystem"];
const SUBSYSTEM_PARTS: [&str; 3] = ["id", "source", "destination"];
/// What the genuine converter writes for a part that the block does not give.
const NOT_SET: &str = "not set";

pub(super) fn convert(content: &str) -> String {
    let mut boot = Boot::default();
    for line in lines(content).map(strip) {
        if line.is_empty() {
            boot.end_block();
        } else if !line.starts_with('#')
            && let Some((key, value)) = line.split_once(':')
        {
            boot.set(&runs_to_underscore(strip(key), is_space), strip(value));
        }
    }
    boot.end_block();
    boot.write()
}

#[derive(Default)]
struct Boot {
    general: Vec<String>,
    process: Process,
    subsystem: [Option<String>; 3],
    processes: Vec<Process>,
    subsystems: Vec<[Option<String>; 3]>,
}

#[derive(Default)]
struct Process {
    name: &'static str,
    parts: [Option<String>; 4],
}

impl Boot {
    fn set(&mut self, key: &str, value: &str) {
        let mentions = |owner: &str, part: &str| key.contains(&format!("{owner}_{part}"));
        if let Some(part) = SUBSYSTEM_PARTS.iter().position(|part| mentions("Subsystem", part)) {
            self.subsystem[part] = Some(value.to_owned());
            return;
        }
        for name in PROCESS_NAMES {
            if let Some(part) = PROCESS_PARTS.iter().position(|part| mentions(name, part)) {
                self.process.name = name;
                self.process.parts[part] = Some(value.to_owned());
                return;
            }
        }
        let genuine = if is_numeric(value) { value.to_owned() } else { quote_value(value) };
        self.general.push(binding(key, &genuine, || quote(value)));
    }

    /// A block without label or id goes on after the blank line.
    fn end_block(&mut self) {
        let [_, _, label, _] = &self.process.parts;
        if is_set(label.as_ref()) {
            let process = std::mem::take(&mut self.process);
            let place = self.processes.iter().position(|other| other.parts[2] == process.parts[2]);
            replace_or_push(&mut self.processes, process, place);
        }
        let [id, ..] = &self.subsystem;
        if is_set(id.as_ref()) {
            let subsystem = std::mem::take(&mut self.subsystem);
            let place = self.subsystems.iter().position(|other| other[0] == subsystem[0]);
            replace_or_push(&mut self.subsystems, subsystem, place);
        }
    }

    fn write(mut self) -> String {
        let mut lines = std::mem::take(&mut self.general);
        if !self.subsystems.is_empty() {
            let tables = self.subsystems.iter().map(|parts| {
                let set = parts.iter().zip(SUBSYSTEM_PARTS).filter(|(value, _)| is_set(value.as_ref()));
                set.map(|(value, key)| text_line(key, value.as_deref().unwrap_or(NOT_SET))).collect()
            });
            write_tables(&mut lines, "subsystem_settings", tables.collect());
        }
        let tables = self.processes.iter().map(Process::lines).collect();
        write_tables(&mut lines, "artdaq_process_settings", tables);
        join(&lines)
    }
}

impl Process {
    fn lines(&self) -> Vec<String> {
        let [host, port, label, subsystem] = &self.parts;
        let text = |part: &Option<String>| part.clone().unwrap_or_else(|| NOT_SET.to_owned());
        let mut lines =
            vec![text_line("name", self.name), text_line("label", &text(label)), text_line("host", &text(host))];
        if let Some(port) = port.as_deref().filter(|port| *port != NOT_SET) {
            lines.push(nested_binding("port", port, || quote(port)));
        }
        if is_set(subsystem.as_ref()) {
            lines.push(text_line("subsystem", &text(subsystem)));
        }
        lines
    }
}

/// A value that happens to be the genuine placeholder counts as not given.
fn is_set(part: Option<&String>) -> bool {
    part.is_some_and(|part| part != NOT_SET)
}

/// A later block of the same label takes the place of the earlier one.
fn replace_or_push<T>(items: &mut Vec<T>, item: T, place: Option<usize>) {
    match place {
        Some(place) => items[place] = item,
        None => items.push(item),
    }
}

fn text_line(key: &str, value: &str) -> String {
    nested_binding(key, &format!("\"{value}\""), || quote(value))
}

fn write_tables(lines: &mut Vec<String>, key: &str, tables: Vec<Vec<String>>) {
    lines.push(format!("\n{key}: ["));
    let last = tables.len();
    for (number, table) in tables.into_iter().enumerate() {
        lines.push("{".to_owned());
        lines.extend(table);
        lines.push(if number + 1 < last { "}," } else { "}" }.to_owned());
    }
    lines.push("]".to_owned());
}
