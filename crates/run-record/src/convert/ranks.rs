//! `ranks.txt`: a header line, and a line for each process whose fifth column is its rank.

use super::write::{array, nested_binding, sound_array};
use crate::python::{lines, strip, words};

pub(super) fn convert(content: &str) -> String {
    let rows = lines(content).map(strip).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut rows = rows.map(|line| words(line).collect::<Vec<_>>());
    let Some(header) = rows.next() else { return String::new() };
    let mut out = String::from("ranks: {\n");
    let mut write = |key: &str, row: &[&str]| {
        out.push_str("  ");
        out.push_str(&nested_binding(key, &array(row), || sound_array(row)));
        out.push('\n');
    };
    write("header", &header);
    for row in rows {
        if let Some(rank) = row.get(4) {
            write(&format!("rank{rank}"), &row);
        }
    }
    out.push_str("}\n");
    out
}
