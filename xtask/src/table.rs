//! A table in plain text: columns as wide as their widest cell, two blanks between them.

/// How the cells of a column stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// Renders a header, a rule and rows. Lines have no trailing blanks and the last one no line feed.
///
/// A row may have fewer cells than there are columns.
pub(crate) fn render(columns: &[(&str, Align)], rows: &[Vec<String>]) -> String {
    let header: Vec<String> = columns.iter().map(|(name, _)| (*name).to_owned()).collect();
    let widths: Vec<usize> = (0..columns.len())
        .map(|column| {
            std::iter::once(&header)
                .chain(rows)
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    let rule = "─".repeat(widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1));
    let mut lines = vec![line(columns, &widths, &header), rule];
    lines.extend(rows.iter().map(|row| line(columns, &widths, row)));
    lines.join("\n")
}

fn line(columns: &[(&str, Align)], widths: &[usize], row: &[String]) -> String {
    let cells: Vec<String> = row
        .iter()
        .zip(columns)
        .zip(widths)
        .map(|((cell, (_, align)), &width)| match align {
            Align::Left => format!("{cell:<width$}"),
            Align::Right => format!("{cell:>width$}"),
        })
        .collect();
    cells.join("  ").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Align, render};

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [vec!["fmt".into(), "0.8".into()], vec!["clippy µ".into(), "120.5".into(), String::new()]];
        let expected = "\
step      seconds  note
───────────────────────
fmt           0.8
clippy µ    120.5";
        let columns = [("step", Align::Left), ("seconds", Align::Right), ("note", Align::Left)];
        assert_eq!(render(&columns, &rows), expected);
    }
}
