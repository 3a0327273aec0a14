//! `setup.txt`: a shell script, whole, as one string.

use super::write::{binding, escape};
use crate::text::escape_control;

pub(super) fn convert(content: &str) -> String {
    let genuine = format!("\"{}\"", escape(content));
    binding("setup_script", &genuine, || {
        // FHiCL has no string that ends in a backslash; the script gets the newline that its last line lacks.
        let end = if content.ends_with('\\') { "\\n" } else { "" };
        format!("\"{}{end}\"", escape(&escape_control(content)))
    })
}
