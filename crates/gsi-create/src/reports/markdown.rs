//! Pieces of Markdown. Names and error texts come from elsewhere and are made harmless.

use std::time::Duration;

/// Text in a paragraph or a cell: no line breaks, no markup, no cell borders.
pub(super) fn text(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in terminal::clean(text).chars() {
        if matches!(c, '|' | '\\' | '`' | '*' | '_' | '<' | '>' | '[' | ']' | '#' | '&' | '~' | '!') {
            safe.push('\\');
        }
        safe.push(c);
    }
    safe
}

/// A table: a head, and rows of cells that are Markdown already. Nothing for no rows.
pub(super) fn table(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut rows = rows.into_iter().peekable();
    if rows.peek().is_none() {
        return String::new();
    }
    let mut lines = vec![format!("| {} |", head.join(" | ")), format!("|{}", "---|".repeat(head.len()))];
    lines.extend(rows.map(|row| format!("| {} |", row.join(" | "))));
    lines.push(String::new());
    lines.join("\n")
}

/// A section, or nothing where its body is empty.
pub(super) fn section(title: &str, body: &str) -> String {
    if body.is_empty() { String::new() } else { format!("\n## {title}\n\n{body}") }
}

/// A time in seconds for people: `4.2 s`, `17m 30s`.
pub(super) fn seconds(seconds: f64) -> String {
    if seconds < 60.0 {
        return format!("{seconds:.1} s");
    }
    whole_seconds(Duration::try_from_secs_f64(seconds.round()).unwrap_or_default().as_secs())
}

/// A time in whole seconds for people: `17m 30s`.
pub(super) fn whole_seconds(seconds: u64) -> String {
    humantime::format_duration(Duration::from_secs(seconds)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_cannot_become_markup() {
        assert_eq!(text("a|b\n<script>"), "a\\|b\u{fffd}\\<script\\>");
        assert_eq!(text("`*_#"), "\\`\\*\\_\\#");
        assert_eq!(text("![x](y) &lt; ~~z~~"), "\\!\\[x\\](y) \\&lt; \\~\\~z\\~\\~");
        assert_eq!(table(&["a"], []), "");
        assert_eq!(seconds(1050.4), "17m 30s");
    }
}
