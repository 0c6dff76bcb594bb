//! A report for the terminal.

use std::fmt::Write as _;

use super::super::paint::{Role, paint};
use super::super::table::{Table, cut, shown};
use crate::config::Lang;
use crate::eval::tally::Figure;
use crate::eval::{Difference, Part, Report};

/// Widest text of an error, in terminal columns.
const TEXT_WIDTH: usize = 76;

pub(super) fn render(report: &Report, most_errors: usize, lang: Lang) -> String {
    let mut out = String::new();
    for script in &report.scripts {
        let _ = writeln!(out, "{} {}@{}", lang.pick("话术", "script"), script.script_id, script.version);
    }
    for part in &report.parts {
        self::part(&mut out, report, part, lang);
    }
    if most_errors > 0 && !report.errors.is_empty() {
        heading(&mut out, lang.pick("不一致之处", "where they differ"));
        for error in report.errors.iter().take(most_errors) {
            self::error(&mut out, error, lang);
        }
        if let Some(more) = report.errors.len().checked_sub(most_errors).filter(|more| *more > 0) {
            let _ = writeln!(out, "{}", lang.pick(format!("还有 {more} 处（--errors）"), format!("{more} more (--errors)")));
        }
    }
    if report.hidden_errors > 0 {
        let hidden = report.hidden_errors;
        let _ = writeln!(
            out,
            "{}",
            lang.pick(
                format!("留出部分另有 {hidden} 处不一致，不显示（--show-set-aside）"),
                format!("{hidden} differences among the items set aside are not shown (--show-set-aside)")
            )
        );
    }
    for notice in &report.notices {
        let _ = writeln!(out, "{}{notice}", lang.pick("注意：", "note: "));
    }
    out
}

fn heading(out: &mut String, text: &str) {
    let _ = writeln!(out, "\n{}", paint(Role::Head, text));
}

/// What a part is called.
pub(super) fn part_name(name: &str, lang: Lang) -> &'static str {
    match name {
        "tuned" => lang.pick("未留出部分", "not set aside"),
        "setAside" => lang.pick("留出部分", "set aside"),
        _ => lang.pick("全部", "whole"),
    }
}

/// What a group is called.
pub(super) fn group_name(name: &str, lang: Lang) -> &'static str {
    match name {
        "turns" => lang.pick("逐轮：分类", "turn by turn: categories"),
        "questions" => lang.pick("逐通：意向问题", "call by call: trigger questions"),
        "invite" => lang.pick("逐通：邀约结果", "call by call: how the invite was taken"),
        _ => lang.pick("分类", "categories"),
    }
}

/// The head of a table of scores.
pub(super) fn score_head(lang: Lang) -> [&'static str; 8] {
    lang.pick(
        ["分类", "实有", "对", "误报", "漏报", "准确率", "召回率", "F1"],
        ["category", "support", "right", "wrong", "missed", "precision", "recall", "F1"],
    )
}

fn part(out: &mut String, report: &Report, part: &Part, lang: Lang) {
    let items = match report.of {
        "calls" => lang.pick(format!("{} 通", part.items), format!("{} calls", part.items)),
        _ => lang.pick(format!("{} 句", part.items), format!("{} utterances", part.items)),
    };
    heading(out, &format!("━━ {} · {items}", part_name(part.name, lang)));
    let what = if report.of == "calls" { lang.pick("等级正确", "labels right") } else { lang.pick("分类正确", "categories right") };
    let _ = writeln!(out, "{what}  {}", interval(&part.accuracy));
    if let Some(mean) = &part.macro_f1 {
        let _ = writeln!(out, "{}  {}", lang.pick("宏平均 F1", "macro F1"), interval(mean));
    }
    confusion(out, part, lang);
    if !part.agreement.is_empty() {
        let mut table = Table::new(&lang.pick(["信号", "一致", "比例"], ["signal", "agrees", "share"]));
        for signal in &part.agreement {
            let of = signal.share.of;
            let right = (signal.share.value * f64::from(of)).round();
            table.row(vec![signal.signal.clone(), format!("{right}/{of}"), interval(&signal.share)]);
        }
        let _ = writeln!(out);
        lines(out, &table);
    }
    for group in &part.groups {
        let _ = writeln!(out, "\n{}", group_name(group.name, lang));
        let mut table = Table::new(&score_head(lang));
        for score in group.scores.iter().chain(std::iter::once(&group.micro)) {
            table.row(vec![
                score.id.clone(),
                score.support.to_string(),
                score.right.to_string(),
                score.wrong.to_string(),
                score.missed.to_string(),
                interval(&score.precision),
                interval(&score.recall),
                interval(&score.f1),
            ]);
        }
        lines(out, &table);
    }
}

fn confusion(out: &mut String, part: &Part, lang: Lang) {
    let names = &part.confusion.names;
    let mut head = vec![lang.pick("实际 ＼ 判为", "gold \\ found")];
    head.extend(names.iter().map(|name| shown(name)));
    let mut table = Table::new(&head);
    for (name, row) in names.iter().zip(&part.confusion.counts) {
        let cells = row.iter().map(|count| if *count == 0 { "·".to_owned() } else { count.to_string() });
        table.row(std::iter::once(shown(name).to_owned()).chain(cells).collect());
    }
    let _ = writeln!(out);
    lines(out, &table);
}

fn lines(out: &mut String, table: &Table) {
    for (number, line) in table.lines().into_iter().enumerate() {
        let _ = writeln!(out, "{}", if number == 0 { paint(Role::Faint, &line) } else { line });
    }
}

/// A figure with its interval.
pub(super) fn interval(figure: &Figure) -> String {
    if figure.of == 0 {
        return "—".to_owned();
    }
    format!("{:.3} [{:.3}–{:.3}]", figure.value, figure.low, figure.high)
}

fn error(out: &mut String, error: &Difference, lang: Lang) {
    let Difference { item, what, turn, text, gold, found, evidence, nearest } = error;
    let place = if *turn > 0 && what == "turn" { format!("{item} #{turn}") } else { item.clone() };
    let what = if matches!(what.as_str(), "turn" | "category") { String::new() } else { format!(" {what}") };
    let text = if text.is_empty() { String::new() } else { format!("  {}", cut(text, TEXT_WIDTH)) };
    let _ = writeln!(
        out,
        "{}{what}  {} {} → {} {}{text}",
        paint(Role::Mark, &place),
        lang.pick("应为", "gold"),
        paint(Role::Good, shown(gold)),
        lang.pick("判为", "found"),
        paint(Role::Bad, shown(found))
    );
    if !evidence.is_empty() {
        let told: Vec<String> = evidence.iter().map(|reason| format!("{}「{}」{}", reason.category, reason.phrase, reason.how)).collect();
        let _ = writeln!(out, "    {} {}", lang.pick("依据", "evidence"), told.join("，"));
    }
    for near in nearest {
        let _ = writeln!(
            out,
            "    {} {}「{}」{:.0}%",
            lang.pick("最近的词", "nearest phrase"),
            near.category,
            near.phrase,
            near.similarity * 100.0
        );
    }
}
