//! Horizontal bars.

use maud::{Markup, html};

use super::super::table::{grouped, shown};
use super::percent;
use crate::eval::tally::Figure;

/// Where the bars begin; their names stand before it.
const NAME: f64 = 170.0;
/// As long as the longest bar.
const WIDTH: f64 = 420.0;
const HEIGHT_OF_AXIS: usize = 18;

/// A bar for each figure, its interval as a whisker.
pub(in crate::cli) fn intervals<'a>(title: &str, figures: impl Iterator<Item = (&'a str, &'a Figure)>) -> Markup {
    const ROW: usize = 20;
    let figures: Vec<(&str, &Figure)> = figures.filter(|(_, figure)| figure.of > 0).collect();
    let x = |share: f64| format!("{:.1}", NAME + share * WIDTH);
    let height = figures.len() * ROW + HEIGHT_OF_AXIS;
    html! {
        svg width="680" height=(height) viewBox=(format!("0 0 680 {height}")) role="img" {
            title { (title) }
            (axis(1.0, height))
            @for (place, (name, figure)) in figures.iter().enumerate() {
                @let y = place * ROW;
                text x=(NAME - 8.0) y=(y + 14) text-anchor="end" { (name) }
                rect x=(x(0.0)) y=(y + 3) width=(format!("{:.1}", figure.value * WIDTH)) height="14" fill="var(--bar)" opacity="0.75" {}
                line x1=(x(figure.low)) x2=(x(figure.high)) y1=(y + 10) y2=(y + 10) stroke="var(--ink)" stroke-width="1.5" {}
                @for end in [figure.low, figure.high] { line x1=(x(end)) x2=(x(end)) y1=(y + 6) y2=(y + 14) stroke="var(--ink)" stroke-width="1.5" {} }
                text x=(NAME + WIDTH + 10.0) y=(y + 14) { (percent(figure.value)) }
            }
        }
    }
}

/// Something counted before and after.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli) struct Pair<'a> {
    pub(in crate::cli) name: &'a str,
    pub(in crate::cli) before: u64,
    pub(in crate::cli) after: u64,
}

/// One of the two sides, of so many in all.
struct Side<'a> {
    name: &'a str,
    of: u64,
    colour: &'a str,
    count: fn(&Pair<'_>) -> u64,
}

impl Side<'_> {
    fn share(&self, pair: &Pair<'_>) -> f64 {
        (self.count)(pair) as f64 / self.of.max(1) as f64
    }
}

/// Two bars for each pair, as shares of all that was counted before and after.
pub(in crate::cli) fn pairs(title: &str, sides: [&str; 2], pairs: &[Pair<'_>], of: [u64; 2]) -> Markup {
    const BAR: usize = 14;
    const ROW: usize = 2 * BAR + 10;
    const LEGEND: usize = 22;
    let before = Side { name: sides[0], of: of[0], colour: "var(--was)", count: |pair| pair.before };
    let after = Side { name: sides[1], of: of[1], colour: "var(--bar)", count: |pair| pair.after };
    // A side that was not counted has no bars.
    let sides: Vec<Side<'_>> = [before, after].into_iter().filter(|side| side.of > 0).collect();
    let longest = pairs.iter().flat_map(|pair| sides.iter().map(|side| side.share(pair))).fold(0.0, f64::max);
    let scale = nice(longest);
    let width = |share: f64| share / scale * WIDTH;
    let height = LEGEND + pairs.len() * ROW + HEIGHT_OF_AXIS;
    html! {
        svg width="740" height=(height) viewBox=(format!("0 0 740 {height}")) role="img" {
            title { (title) }
            (axis(scale, height))
            @for (place, side) in sides.iter().enumerate() {
                @let x = NAME + 110.0 * place as f64;
                rect x=(x) y="2" width="12" height="12" fill=(side.colour) {}
                text x=(x + 18.0) y="13" { (side.name) }
            }
            @for (place, pair) in pairs.iter().enumerate() {
                @let top = LEGEND + place * ROW;
                text x=(NAME - 8.0) y=(top + BAR + 4) text-anchor="end" { (shown(pair.name)) }
                @for (place, side) in sides.iter().enumerate() {
                    @let y = top + place * BAR;
                    @let (count, part) = ((side.count)(pair), side.share(pair));
                    rect x=(NAME) y=(y) width=(format!("{:.1}", width(part))) height=(BAR - 2) fill=(side.colour) {
                        title { (shown(pair.name)) " · " (side.name) " · " (grouped(count)) }
                    }
                    text x=(format!("{:.1}", NAME + width(part) + 6.0)) y=(y + BAR - 3) { (grouped(count)) " · " (percent(part)) }
                }
            }
        }
    }
}

/// Lines at the quarters of a scale, and their shares.
fn axis(scale: f64, height: usize) -> Markup {
    let digits = if scale < 0.04 { 1 } else { 0 };
    html! {
        @for quarter in 0..=4u8 {
            @let part = f64::from(quarter) / 4.0;
            @let x = format!("{:.1}", NAME + part * WIDTH);
            line x1=(x) x2=(x) y1="0" y2=(height - HEIGHT_OF_AXIS) stroke="var(--line)" {}
            text x=(x) y=(height - 4) text-anchor="middle" { (format!("{:.digits$}%", part * scale * 100.0)) }
        }
    }
}

/// The end of a scale that holds a share and whose quarters are round.
fn nice(share: f64) -> f64 {
    [0.004, 0.01, 0.02, 0.04, 0.08, 0.2, 0.4, 0.6, 0.8].into_iter().find(|end| share <= *end).unwrap_or(1.0)
}

#[cfg(test)]
mod tests {
    use super::nice;

    #[test]
    fn scales_hold_the_longest_bar() {
        for (share, end) in [(0.0, 0.004), (0.01, 0.01), (0.3, 0.4), (0.81, 1.0), (1.0, 1.0)] {
            assert_eq!(nice(share).to_bits(), f64::to_bits(end), "{share}");
        }
    }
}
