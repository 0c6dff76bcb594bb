//! A report as a page: complete in one file, plots drawn as SVG.

use maud::{Markup, html};

use super::super::page::bars::intervals;
use super::super::page::matrix::{Tone, matrix};
use super::super::page::{page, percent};
use super::super::table::shown;
use super::text::{group_name, interval, part_name, score_head};
use crate::config::Lang;
use crate::eval::tally::Figure;
use crate::eval::{Confusion, Difference, Group, Part, Report, Score};

pub(super) fn render(report: &Report, lang: Lang) -> String {
    let title = match report.of {
        "calls" => lang.pick("通话评级：与人工标注对照", "Calls against what people say of them"),
        _ => lang.pick("客户话语理解：与人工标注对照", "Utterances against what people say of them"),
    };
    let body = html! {
        p.faint {
            @for script in &report.scripts { (lang.pick("话术", "script")) " " (script.script_id) "@" (script.version) " " }
            (lang.pick("。方括号内为 95% 区间。", ". Brackets hold the 95 % interval."))
        }
        @for part in &report.parts { (self::part(part, report.of, lang)) }
        (errors(report, lang))
        @for notice in &report.notices { p.faint { (notice) } }
    };
    page(title, "", lang, &body)
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
        (confusion(&part.confusion))
        @if !part.agreement.is_empty() {
            @let title = lang.pick("信号一致的比例", "Signals that agree");
            h3 { (title) }
            (intervals(title, part.agreement.iter().map(|signal| (signal.signal.as_str(), &signal.share))))
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

/// The confusion matrix, right ones green, wrong ones red.
fn confusion(confusion: &Confusion) -> Markup {
    let names: Vec<&str> = confusion.names.iter().map(String::as_str).collect();
    let counts: Vec<Vec<u64>> = confusion.counts.iter().map(|row| row.iter().copied().map(u64::from).collect()).collect();
    matrix("", &names, &counts, |row, column| if row == column { Tone::Good } else { Tone::Bad })
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
        (intervals(&format!("{} · F1", group_name(group.name, lang)), group.scores.iter().chain(std::iter::once(&group.micro)).map(|score| (score.id.as_str(), &score.f1))))
        div.scroll { table {
            tr { @for name in score_head(lang) { th { (name) } } }
            @for score in group.scores.iter().chain(std::iter::once(&group.micro)) { (row(score)) }
        } }
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
            div.scroll { table.texts {
                tr { @for name in head { th { (name) } } }
                @for error in &report.errors { (row(error)) }
            } }
        }
        @if report.hidden_errors > 0 {
            p.faint { (lang.pick(format!("留出部分另有 {} 处不一致，不显示。", report.hidden_errors), format!("{} differences among the items set aside are not shown.", report.hidden_errors))) }
        }
    }
}
