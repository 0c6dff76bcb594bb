//! A Sankey diagram of two sides: bands as thick as what they carry from the left to the right.

use maud::{Markup, html};

use super::super::table::{grouped, shown};
use super::matrix::Tone;

const LEFT: f64 = 60.0;
const RIGHT: f64 = 640.0;
const NODE: f64 = 14.0;
/// Between two nodes of a side.
const GAP: f64 = 10.0;
/// Of all bands of a side together.
const HEIGHT: f64 = 260.0;
/// The thinnest band that can be seen.
const THINNEST: f64 = 1.5;

/// What goes from one place of the left side to one of the right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) struct Band {
    pub(in crate::cli) from: usize,
    pub(in crate::cli) to: usize,
    pub(in crate::cli) count: u64,
}

/// A band as it is drawn: the tops of its two ends and its thickness.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Placed {
    band: Band,
    left: f64,
    right: f64,
    thick: f64,
}

/// Places the bands beneath one another on both sides, in the order of the names; then each side's nodes, top and height.
fn place(names: usize, bands: &[Band]) -> (Vec<Placed>, [Vec<(f64, f64)>; 2]) {
    let total = bands.iter().map(|band| band.count).sum::<u64>().max(1) as f64;
    let thick = |band: &Band| (band.count as f64 / total * HEIGHT).max(THINNEST);
    let side = |end: fn(&Band) -> usize| {
        let mut top = 0.0;
        let mut nodes = Vec::with_capacity(names);
        for name in 0..names {
            let height: f64 = bands.iter().filter(|band| end(band) == name).map(thick).sum();
            nodes.push((top, height));
            top += if height > 0.0 { height + GAP } else { 0.0 };
        }
        nodes
    };
    let nodes = [side(|band| band.from), side(|band| band.to)];
    let [mut left, mut right]: [Vec<f64>; 2] = [0, 1].map(|side: usize| nodes[side].iter().map(|(top, _)| *top).collect());
    let mut sorted = bands.to_vec();
    sorted.sort_by_key(|band| (band.from, band.to));
    let mut placed: Vec<Placed> = sorted
        .iter()
        .map(|&band| {
            let at = left[band.from];
            left[band.from] += thick(&band);
            Placed { band, left: at, right: 0.0, thick: thick(&band) }
        })
        .collect();
    placed.sort_by_key(|placed| (placed.band.to, placed.band.from));
    for placed in &mut placed {
        placed.right = right[placed.band.to];
        right[placed.band.to] += placed.thick;
    }
    (placed, nodes)
}

/// The diagram; bands that end where they began are faint.
pub(in crate::cli) fn sankey(title: &str, names: &[&str], bands: &[Band], tone: impl Fn(usize, usize) -> Tone) -> Markup {
    let (placed, nodes) = place(names.len(), bands);
    let bottom = nodes.iter().flatten().map(|(top, height)| top + height).fold(0.0, f64::max);
    let height = (bottom + 8.0).ceil();
    let total =
        |side: usize, name: usize| -> u64 { bands.iter().filter(|band| [band.from, band.to][side] == name).map(|band| band.count).sum() };
    html! {
        svg width="740" height=(height) viewBox=(format!("0 -4 740 {height}")) role="img" {
            title { (title) }
            @for Placed { band, left, right, thick } in &placed {
                @let (colour, opacity) = match tone(band.from, band.to) { Tone::Good => ("var(--good)", "0.45"), Tone::Bad => ("var(--bad)", "0.45"), Tone::Plain => ("var(--was)", "0.25") };
                path d=(path(*left, *right, *thick)) fill=(colour) opacity=(opacity) {
                    title { (shown(names[band.from])) " → " (shown(names[band.to])) " · " (grouped(band.count)) }
                }
            }
            @for (side, x, text_x, anchor) in [(0, LEFT - NODE, LEFT - NODE - 6.0, "end"), (1, RIGHT, RIGHT + NODE + 6.0, "start")] {
                @for (name, (top, height)) in nodes[side].iter().enumerate().filter(|(_, (_, height))| *height > 0.0) {
                    rect x=(x) y=(format!("{top:.1}")) width=(NODE) height=(format!("{height:.1}")) fill="var(--bar)" {}
                    text x=(text_x) y=(format!("{:.1}", top + height / 2.0 + 4.0)) text-anchor=(anchor) {
                        @if side == 0 { (shown(names[name])) } @else { (shown(names[name])) " · " (grouped(total(side, name))) }
                    }
                }
            }
        }
    }
}

/// The outline of a band.
fn path(left: f64, right: f64, thick: f64) -> String {
    let middle = f64::midpoint(LEFT, RIGHT);
    let (left_end, right_end) = (left + thick, right + thick);
    format!(
        "M{LEFT} {left:.1}C{middle} {left:.1} {middle} {right:.1} {RIGHT} {right:.1}V{right_end:.1}C{middle} {right_end:.1} {middle} {left_end:.1} {LEFT} {left_end:.1}Z"
    )
}

#[cfg(test)]
mod tests {
    use super::{Band, GAP, HEIGHT, place};

    #[test]
    fn bands_fill_their_nodes_without_overlap() {
        let bands = [(0, 0, 60), (0, 2, 20), (2, 0, 10), (2, 2, 10)].map(|(from, to, count)| Band { from, to, count });
        let (placed, nodes) = place(3, &bands);
        let unit = HEIGHT / 100.0;
        let close = |a: f64, b: f64| (a - b).abs() < 1e-9;
        assert!(close(nodes[0][0].1, 80.0 * unit) && close(nodes[0][2].0, 80.0 * unit + GAP), "{nodes:?}");
        assert!(close(nodes[1][0].1, 70.0 * unit) && close(nodes[1][2].0, 70.0 * unit + GAP), "{nodes:?}");
        let at = |from: usize, to: usize| placed.iter().find(|placed| (placed.band.from, placed.band.to) == (from, to)).expect("the band");
        assert!(close(at(0, 2).left, 60.0 * unit) && close(at(0, 2).right, 70.0 * unit + GAP), "{placed:?}");
        assert!(close(at(2, 0).left, 80.0 * unit + GAP) && close(at(2, 0).right, 60.0 * unit), "{placed:?}");
        assert!(close(at(2, 2).right, 90.0 * unit + GAP), "{placed:?}");
    }
}
