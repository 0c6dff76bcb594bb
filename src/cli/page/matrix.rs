//! Counts in rows and columns, darker where there are more.

use maud::{Markup, html};

use super::super::table::{grouped, shown};

/// What a cell says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Tone {
    /// Right, or better.
    Good,
    /// Wrong, or worse.
    Bad,
    /// Neither.
    Plain,
}

/// A table of counts; the corner tells what rows and columns are.
pub(in crate::cli) fn matrix(corner: &str, names: &[&str], counts: &[Vec<u64>], tone: impl Fn(usize, usize) -> Tone) -> Markup {
    let most = counts.iter().map(|row| row.iter().sum::<u64>()).max().unwrap_or(1).max(1) as f64;
    let shade = |row: usize, column: usize, count: u64, of: u64| {
        let share = count as f64 / of.max(1) as f64 * 0.7 + count as f64 / most * 0.1;
        let (colour, share) = match tone(row, column) {
            Tone::Good => ("31,122,77", share + 0.1),
            Tone::Bad => ("179,55,47", share + 0.1),
            Tone::Plain => ("107,119,133", share * 0.5),
        };
        format!("background: rgba({colour},{share:.2})")
    };
    html! {
        div.scroll { table.matrix {
            tr { th { (corner) } @for name in names { th scope="col" { (shown(name)) } } }
            @for (place, (name, row)) in names.iter().zip(counts).enumerate() {
                @let of = row.iter().sum::<u64>();
                tr {
                    th scope="row" { (shown(name)) }
                    @for (column, count) in row.iter().enumerate() {
                        @if *count == 0 { td.none { "·" } } @else { td style=(shade(place, column, *count, of)) { (grouped(*count)) } }
                    }
                }
            }
        } }
    }
}
