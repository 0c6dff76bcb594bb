//! The table of changed calls.

use maud::{Markup, html};

use super::super::super::table::{grouped, shown};
use super::super::words::{self, Side};
use crate::config::Lang;
use crate::wire::v1;

pub(super) fn calls(script: &v1::ScriptDiff, lang: Lang) -> Markup {
    let calls: Vec<&v1::ChangedCall> = script.examples.iter().flat_map(|cell| &cell.calls).collect();
    let (many, all) = (calls.len() as u64, script.changed + script.rule_changed);
    let caption = if many < all {
        lang.pick(
            format!("{} 通中的 {}：每种等级变化的前几通。", grouped(all), grouped(many)),
            format!("{} of {}: of each transition the first few.", grouped(many), grouped(all)),
        )
    } else {
        lang.pick(format!("全部 {} 通。", grouped(all)), format!("All of them: {}.", words::calls(all, lang)))
    };
    let head = lang.pick(
        ["通话", "等级", "因为", "旧", "新", "信号", "依据"],
        ["call", "label", "because of", "before", "after", "signals", "evidence"],
    );
    html! {
        @if many > 0 {
            h3 { (lang.pick("改变的通话", "Changed calls")) }
            div.scroll { table.sorted.filtered.texts.changed data-filter=(lang.pick("筛选", "filter")) {
                caption { (caption) }
                thead { tr { @for name in head { th scope="col" { (name) } } } }
                tbody { @for call in calls { (row(call, lang)) } }
            } }
        }
    }
}

fn row(call: &v1::ChangedCall, lang: Lang) -> Markup {
    let (before, after) = (call.before.clone().unwrap_or_default(), call.after.clone().unwrap_or_default());
    html! {
        tr {
            td { (call.call_id) }
            td { (shown(&before.label)) " → " (shown(&after.label)) }
            td { (words::cause(call.cause(), lang)) }
            td { (side(&before, call.rule_before.as_ref(), Side::After, lang)) }
            td { (side(&after, call.rule_after.as_ref(), Side::Before, lang)) }
            td { @for signal in &call.signals { div { (words::signal(signal)) } } }
            td {
                @for evidence in words::evidence(&call.gained, lang) { ins { (evidence) } }
                @for evidence in words::evidence(&call.lost, lang) { del { (evidence) } }
                @for evidence in words::evidence(&call.evidence, lang) { div { (evidence) } }
            }
        }
    }
}

/// What decided on one side, and what became of that on the other.
fn side(graded: &v1::GradedAs, fate: Option<&v1::RuleFate>, there: Side, lang: Lang) -> Markup {
    html! {
        @if graded.rule_id.is_empty() && graded.label.is_empty() { (lang.pick("没有规则成立", "no rule held")) }
        @if !graded.rule_id.is_empty() { strong { (graded.rule_id) } " " (graded.reason) }
        @if let Some(fate) = fate { div.faint { (words::fate(fate, there, lang)) } }
    }
}
