//! An error with its causes and a hint, the way both programs show it.

use std::{error::Error, fmt::Write};

use crate::{clean, style};

/// The text for stderr: the error, each cause on a line of its own, and what can be done about it.
///
/// ```
/// let error = std::io::Error::other("the disk is full");
/// let text = terminal::render_error(&error, Some("make room"));
/// assert_eq!(anstream::adapter::strip_str(&text).to_string(), "error: the disk is full\n\nhint: make room\n");
/// ```
pub fn render_error(error: &(dyn Error + 'static), hint: Option<&str>) -> String {
    let (bad, dim, head) = (style::BAD, style::DIM, style::HEAD);
    let mut text = format!("{bad}error{bad:#}: {}\n", lines(&error.to_string(), "       "));
    let mut last = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        // A transparent wrapper says the same again.
        if said != last {
            // Writing to a String does not fail.
            let _ = writeln!(text, "  {dim}caused by:{dim:#} {}", lines(&said, "             "));
        }
        last = said;
        cause = error.source();
    }
    if let Some(hint) = hint {
        let _ = write!(text, "\n{head}hint{head:#}: {}\n", lines(hint, "      "));
    }
    text
}

/// Cleans each line; the later ones are indented under the first.
fn lines(text: &str, indent: &str) -> String {
    text.lines().map(clean).collect::<Vec<_>>().join(&format!("\n{indent}"))
}
