//! A funnel: how many are left at each step, before on the left of the middle and after on its right.

use maud::{Markup, html};

use super::super::table::grouped;
use super::bars::Pair;
use super::percent;

/// Half the width of the widest step.
const HALF: f64 = 230.0;
const MIDDLE: f64 = 460.0;
const ROW: usize = 34;
const HEAD: usize = 24;

/// The steps in their order, as shares of all that began.
pub(in crate::cli) fn funnel(title: &str, sides: [&str; 2], steps: &[Pair<'_>], of: [u64; 2]) -> Markup {
    let height = HEAD + steps.len() * ROW;
    let width = |count: u64, of: u64| count as f64 / of.max(1) as f64 * HALF;
    html! {
        svg width="740" height=(height) viewBox=(format!("0 0 740 {height}")) role="img" {
            title { (title) }
            text.faint x=(MIDDLE - 8.0) y="14" text-anchor="end" { (sides[0]) }
            text.faint x=(MIDDLE + 8.0) y="14" { (sides[1]) }
            @for (place, step) in steps.iter().enumerate() {
                @let y = HEAD + place * ROW;
                text x="0" y=(y + 18) { (step.name) }
                @let was = width(step.before, of[0]);
                @let is = width(step.after, of[1]);
                rect x=(format!("{:.1}", MIDDLE - was)) y=(y) width=(format!("{was:.1}")) height=(ROW - 6) fill="var(--was)" opacity="0.6" {}
                rect x=(MIDDLE) y=(y) width=(format!("{is:.1}")) height=(ROW - 6) fill="var(--bar)" opacity="0.6" {}
                @if of[0] > 0 { text x=(MIDDLE - 8.0) y=(y + 18) text-anchor="end" { (counted(step.before, of[0])) } }
                @if of[1] > 0 { text x=(MIDDLE + 8.0) y=(y + 18) { (counted(step.after, of[1])) } }
            }
            line x1=(MIDDLE) x2=(MIDDLE) y1=(HEAD - 4) y2=(height) stroke="var(--ink)" {}
        }
    }
}

/// A count and its share.
fn counted(count: u64, of: u64) -> String {
    format!("{} · {}", grouped(count), percent(count as f64 / of.max(1) as f64))
}
