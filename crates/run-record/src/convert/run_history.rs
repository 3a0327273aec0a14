//! `RunHistory.fcl`: run number, configuration and components; and the configuration's name.

use super::write::{array_binding, binding, quote};
use crate::RunNumber;
use crate::python::{is_space, lines, strip};

/// The configuration's name where `metadata.txt` gives none.
pub const DEFAULT_CONFIGURATION: &str = "standard";

pub(super) fn generate(run: RunNumber, metadata: &str) -> String {
    let mut name = None;
    let mut components = Vec::new();
    for line in lines(metadata).map(strip).filter(|line| !line.starts_with('#')) {
        if let Some(value) = line.strip_prefix("Config name:").filter(|value| !value.is_empty()) {
            name = Some(strip(value));
        } else if let Some(component) = component(line) {
            components.push(component);
        }
    }
    let mut out = format!("run_number: {run}\n\n");
    let mut write = |line: String| {
        out.push_str(&line);
        out.push_str("\n\n");
    };
    if let Some(name) = name {
        write(binding("config_name", &format!("\"{name}\""), || quote(name)));
    }
    if !components.is_empty() {
        write(array_binding("components", &components));
    }
    out
}

/// The component in `Component #3: name`.
fn component(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("Component #")?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let name = rest[digits..].strip_prefix(':').filter(|name| digits > 0 && !name.is_empty())?;
    Some(strip(name))
}

/// The first `Config name` that is not empty, with `_` for `/`.
pub(super) fn configuration_name(metadata: &str) -> Option<String> {
    let values = lines(metadata).filter_map(|line| line.strip_prefix("Config name:")?.strip_prefix(is_space));
    let mut names = values.map(strip).filter(|name| !name.is_empty());
    names.next().map(|name| name.replace('/', "_"))
}
