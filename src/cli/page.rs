//! Pages that are complete in one file: their frame and style, and what is drawn in them.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::config::Lang;

pub(super) mod bars;
pub(super) mod funnel;
pub(super) mod matrix;
pub(super) mod sankey;

const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1d2733; --faint: #6b7785; --line: #d9dee5; --paper: #fff; --good: #1f7a4d; --bad: #b3372f; --bar: #3a6ea5; --was: #8fa0b3; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --faint: #98a3b0; --line: #36404c; --paper: #151a20; --good: #5cc48d; --bad: #ef8079; --bar: #79a9dd; --was: #67788b; } }
body { font: 15px/1.55 system-ui, 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto; max-width: 76rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; border-bottom: 1px solid var(--line); margin-top: 2.5rem; } h3 { font-size: 1rem; margin: 1.5rem 0 .4rem; }
table { border-collapse: collapse; } td, th { padding: .2rem .6rem; text-align: right; font-variant-numeric: tabular-nums; } th { color: var(--faint); font-weight: 600; }
caption { text-align: left; color: var(--faint); padding: .2rem 0; }
td:first-child, th:first-child { text-align: left; } tr + tr td { border-top: 1px solid var(--line); }
.matrix td { text-align: center; border: 1px solid var(--line); } .matrix td.none { color: var(--faint); }
.texts td, .texts th { text-align: left; vertical-align: top; } .scroll { overflow-x: auto; }
.big { font-size: 1.6rem; font-weight: 600; } .figures { display: flex; gap: 2.5rem; flex-wrap: wrap; } .faint { color: var(--faint); }
.good { color: var(--good); } .bad { color: var(--bad); } svg { max-width: 100%; height: auto; } svg text { fill: var(--ink); font-size: 12px; }
svg text.faint { fill: var(--faint); }
@media print { body { margin: 0; max-width: none; font-size: 11px; } h2, h3 { break-after: avoid; } tr, svg, .keep { break-inside: avoid; } .scroll { overflow: visible; } * { print-color-adjust: exact; } }
";

/// A whole page; `style` is what it has beyond the style of all.
pub(super) fn page(title: &str, style: &str, lang: Lang, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang=(lang.pick("zh", "en")) {
            head { meta charset="utf-8"; meta name="viewport" content="width=device-width, initial-scale=1"; title { (title) } style { (PreEscaped(STYLE)) (PreEscaped(style)) } }
            body { h1 { (title) } (body) }
        }
    };
    page.into_string()
}

/// A share of 1 with a digit behind the point.
pub(super) fn percent(share: f64) -> String {
    format!("{:.1}%", share * 100.0)
}
