//! A report as a page: complete in one file, plots drawn as SVG.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::text::{group_name, interval, part_name, score_head, shown};
use crate::config::Lang;
use crate::eval::tally::Figure;
use crate::eval::{Confusion, Difference, Group, Part, Report, Score};

const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1d2733; --faint: #6b7785; --line: #d9dee5; --paper: #fff; --good: #1f7a4d; --bad: #b3372f; --bar: #3a6ea5; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --faint: #98a3b0; --line: #36404c; --paper: #151a20; --good: #5cc48d; --bad: #ef8079; --bar: #79a9dd; } }
body { font: 15px/1.55 system-ui, 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto; max-width: 76rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; border-bottom: 1px solid var(--line); margin-top: 2.5rem; } h3 { font-size: 1rem; margin: 1.5rem 0 .4rem; }
table { border-collapse: collapse; } td, th { padding: .2rem .6rem; text-align: right; font-variant-numeric: tabular-nums; } th { color: var(--faint); font-weight: 600; }
td:first-child, th:first-child { text-align: left; } tr + tr td { border-top: 1px solid var(--line); }
.matrix td { text-align: center; border: 1px solid var(--line); } .matrix td.none { color: var(--faint); }
.errors td, .errors th { text-align: left; vertical-align: top; } .scroll { overflow-x: auto; }
.big { font-size: 1.6rem; font-weight: 600; } .figures { display: flex; gap: 2.5rem; flex-wrap: wrap; } .faint { color: var(--faint); }
.good { color: var(--good); } .bad { color: var(--bad); } svg text { fill: var(--ink); font-size: 12px; }
";

pub(super) fn render(report: &Report, lang: Lang) -> String {
    let title = match report.of {
        "calls" => lang.pick("通话评级：与人工标注对照", "Calls against what people say of them"),
        _ => lang.pick("客户话语理解：与人工标注对照", "Utterances against what people say of them"),
    };
    let page = html! {
        (DOCTYPE)
        html lang=(lang.pick("zh", "en")) {
            head { meta charset="utf-8"; meta name="viewport" content="width=device-width, initial-scale=1"; title { (title) } style { (PreEscaped(STYLE)) } }
            body {
                h1 { (title) }
                p.faint {
                    @for script in &report.scripts { (lang.pick("话术", "script")) " " (script.script_id) "@" (script.version) " " }
                    (lang.pick("。方括号内为 95% 区间。", ". Brackets hold the 95 % interval."))
                }
                @for part in &report.parts { (self::part(part, report.of, lang)) }
                (errors(report, lang))
                @for notice in &report.notices { p.faint { (notice) } }
            }
        }
    };
    page.into_string()
}

fn part(part: &Part, of: &str, lang: Lang) -> Markup {
    let items = if of == "calls" { lang.pick("通", "calls") } else { lang.pick("句", "utterances") };
    html! {
        h2 { (part_name(part.name, lang)) " · " (part.items) " " (items) }
        div.figures {
            (big(if of == "calls" { lang.pick("等级正确", "labels right") } else { lang.pick("分类正确", "categories right") }, &part.accuracy))
            @if let Some(mean) = &part.macro_f1 { (big(lang.pick("宏平均 F1", "macro F1"), mean)) }
        }
        h3 { (lang.pick("混淆矩阵（行：人工；列：判定）", "Confusion matrix (rows: people; columns: answer)")) }
        (matrix(&part.confusion))
        @if !part.agreement.is_empty() {
            @let title = lang.pick("信号一致的比例", "Signals that agree");
            h3 { (title) }
            (bars(title, part.agreement.iter().map(|signal| (signal.signal.as_str(), &signal.share))))
        }
        @for group in &part.groups { (self::group(group, lang)) }
    }
}

fn big(name: &str, figure: &Figure) -> Markup {
    html! {
        div {
            div.faint { (name) }
            @if figure.of > 0 { div.big { (percent(figure.value)) } div.faint { (percent(figure.low)) " – " (percent(figure.high)) } }
            @else { div.big { "—" } }
        }
    }
}

fn percent(share: f64) -> String {
    format!("{:.1}%", share * 100.0)
}

/// Counts, darker where there are more; right ones green, wrong ones red.
fn matrix(confusion: &Confusion) -> Markup {
    let most = confusion.counts.iter().map(|row| row.iter().sum::<u32>()).max().unwrap_or(1).max(1);
    let shade = |right: bool, count: u32, of: u32| {
        let share = f64::from(count) / f64::from(of.max(1)) * 0.7 + f64::from(count) / f64::from(most) * 0.1;
        let colour = if right { "31,122,77" } else { "179,55,47" };
        format!("background: rgba({colour},{share:.2})")
    };
    html! {
        div.scroll { table.matrix {
            tr { th {} @for name in &confusion.names { th { (shown(name)) } } }
            @for (place, (name, row)) in confusion.names.iter().zip(&confusion.counts).enumerate() {
                @let of = row.iter().sum::<u32>();
                tr {
                    th { (shown(name)) }
                    @for (column, count) in row.iter().enumerate() {
                        @if *count == 0 { td.none { "·" } } @else { td style=(shade(place == column, *count, of)) { (count) } }
                    }
                }
            }
        } }
    }
}

fn group(group: &Group, lang: Lang) -> Markup {
    let row = |score: &Score| {
        html! {
            tr {
                td { (score.id) } td { (score.support) } td { (score.right) } td { (score.wrong) } td { (score.missed) }
                td { (interval(&score.precision)) } td { (interval(&score.recall)) } td { (interval(&score.f1)) }
            }
        }
    };
    html! {
        h3 { (group_name(group.name, lang)) }
        (bars(&format!("{} · F1", group_name(group.name, lang)), group.scores.iter().chain(std::iter::once(&group.micro)).map(|score| (score.id.as_str(), &score.f1))))
        div.scroll { table {
            tr { @for name in score_head(lang) { th { (name) } } }
            @for score in group.scores.iter().chain(std::iter::once(&group.micro)) { (row(score)) }
        } }
    }
}

/// A bar for each figure, its interval as a whisker.
fn bars<'a>(title: &str, figures: impl Iterator<Item = (&'a str, &'a Figure)>) -> Markup {
    const ROW: usize = 20;
    const NAME: f64 = 170.0;
    const WIDTH: f64 = 420.0;
    let figures: Vec<(&str, &Figure)> = figures.filter(|(_, figure)| figure.of > 0).collect();
    let x = |share: f64| format!("{:.1}", NAME + share * WIDTH);
    let height = figures.len() * ROW + 18;
    html! {
        svg width="680" height=(height) role="img" {
            title { (title) }
            @for tick in [0.0, 0.25, 0.5, 0.75, 1.0] {
                line x1=(x(tick)) x2=(x(tick)) y1="0" y2=(height - 18) stroke="var(--line)" {}
                text x=(x(tick)) y=(height - 4) text-anchor="middle" { (format!("{:.0}%", tick * 100.0)) }
            }
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

fn errors(report: &Report, lang: Lang) -> Markup {
    let head = lang.pick(
        ["条目", "什么", "原文", "人工", "判定", "依据", "最近的词"],
        ["item", "what", "words", "people", "answer", "evidence", "nearest phrase"],
    );
    let row = |error: &Difference| {
        html! {
            tr {
                td { (error.item) @if error.turn > 0 && error.what == "turn" { " #" (error.turn) } }
                td { (error.what) } td { (error.text) } td.good { (shown(&error.gold)) } td.bad { (shown(&error.found)) }
                td { @for reason in &error.evidence { div { (reason.category) "「" (reason.phrase) "」" (reason.how) } } }
                td { @for near in &error.nearest { div { (near.category) "「" (near.phrase) "」" (percent(near.similarity)) } } }
            }
        }
    };
    html! {
        @if !report.errors.is_empty() {
            h2 { (lang.pick("不一致之处", "Where they differ")) " · " (report.errors.len()) }
            div.scroll { table.errors {
                tr { @for name in head { th { (name) } } }
                @for error in &report.errors { (row(error)) }
            } }
        }
        @if report.hidden_errors > 0 {
            p.faint { (lang.pick(format!("留出部分另有 {} 处不一致，不显示。", report.hidden_errors), format!("{} differences among the items set aside are not shown.", report.hidden_errors))) }
        }
    }
}
