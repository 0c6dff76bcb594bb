//! Tables for terminals, columns true under wide characters.

use unicode_width::UnicodeWidthStr;

/// Rows of text under a head; columns as wide as their widest cell, the last one unbounded.
#[derive(Debug, Default)]
pub(super) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new(head: &[&str]) -> Self {
        Self { rows: vec![head.iter().map(|cell| (*cell).to_owned()).collect()] }
    }

    /// A row; what could move a terminal's cursor, or begin a line that is none of ours, is written out.
    pub(super) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells.into_iter().map(plain).collect());
    }

    /// The rows as lines, without the head if it was printed before.
    pub(super) fn lines(&self) -> Vec<String> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let width = |column: usize| self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max().unwrap_or_default();
        let widths: Vec<usize> = (0..columns).map(width).collect();
        self.rows
            .iter()
            .map(|row| {
                let mut line = String::new();
                for (cell, width) in row.iter().zip(&widths) {
                    if !line.is_empty() {
                        line.push_str("  ");
                    }
                    line.push_str(&pad(cell, *width));
                }
                line.trim_end().to_owned()
            })
            .collect()
    }
}

/// A text of somebody else's with its control characters written out.
fn plain(text: String) -> String {
    if !text.contains(char::is_control) {
        return text;
    }
    text.chars().map(|c| if c.is_control() { c.escape_default().to_string() } else { c.to_string() }).collect()
}

/// Pads a cell to a width in terminal columns.
pub(super) fn pad(cell: &str, width: usize) -> String {
    format!("{cell}{}", " ".repeat(width.saturating_sub(cell.width())))
}

/// A label or category; no label is none of them.
pub(super) fn shown(name: &str) -> &str {
    if name.is_empty() { "—" } else { name }
}

/// A count with its thousands apart.
pub(super) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The text cut to a width in terminal columns, with an ellipsis where something was cut.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut out = String::new();
    for c in text.chars() {
        if out.width() + unicode_width::UnicodeWidthChar::width(c).unwrap_or_default() + 1 > width {
            break;
        }
        out.push(c);
    }
    out.push('…');
    out
}

#[cfg(test)]
mod tests {
    use super::{Table, grouped};

    #[test]
    fn nobody_writes_a_line_of_a_table_but_us() {
        let mut table = Table::new(&["call", "label"]);
        table.row(vec!["x\n2026  admin\u{1b}[31m".to_owned(), "A".to_owned()]);
        assert_eq!(table.lines(), ["call                      label", r"x\n2026  admin\u{1b}[31m  A"]);
    }

    #[test]
    fn thousands_stand_apart() {
        for (count, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (12_345, "12,345"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(count), text);
        }
    }
}
