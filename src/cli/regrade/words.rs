//! What terminal and page say alike of a diff.

use super::super::table::{grouped, shown};
use crate::config::Lang;
use crate::wire::v1::{self, rule_fate::State};

/// The side of a diff that something is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Before,
    After,
}

/// A count and its share of all.
pub(super) fn share(count: u64, of: u64) -> String {
    if of == 0 { grouped(count) } else { format!("{} ({:.1}%)", grouped(count), count as f64 / of as f64 * 100.0) }
}

/// So many calls.
pub(super) fn calls(count: u64, lang: Lang) -> String {
    let number = grouped(count);
    lang.pick(format!("{number} 通"), if count == 1 { format!("{number} call") } else { format!("{number} calls") })
}

/// A difference with its sign.
pub(super) fn change(before: u64, after: u64) -> String {
    match after.checked_sub(before) {
        Some(0) => "0".to_owned(),
        Some(more) => format!("+{}", grouped(more)),
        None => format!("−{}", grouped(before - after)),
    }
}

/// The versions that graded, the most used first.
pub(super) fn versions(versions: &[v1::GradedBy], lang: Lang) -> String {
    let mut sorted: Vec<&v1::GradedBy> = versions.iter().collect();
    sorted.sort_by_key(|graded| std::cmp::Reverse(graded.calls));
    let name = |graded: &&v1::GradedBy| match (graded.script_id.as_str(), graded.version.as_str()) {
        ("", "") => lang.pick("随通话带来的等级", "labels that came with the calls").to_owned(),
        ("", version) => format!("{} @{version}", lang.pick("随通话带来的等级", "labels that came with the calls")),
        (id, version) => format!("{id}@{version}"),
    };
    let names: Vec<String> = sorted.iter().map(name).collect();
    if names.is_empty() { lang.pick("未知", "not known").to_owned() } else { names.join(lang.pick("，", ", ")) }
}

/// The totals in one sentence.
pub(super) fn totals(diff: &v1::RegradeDiff, lang: Lang) -> String {
    let v1::RegradeDiff { calls, compared, changed, rule_changed, .. } = diff;
    if *compared == 0 {
        let calls = self::calls(*calls, lang);
        return lang
            .pick(format!("{calls}已重新评级；没有可比的旧等级"), format!("{calls} graded; there are no labels before to compare with"));
    }
    let (graded, compared, changed, rule) =
        (self::calls(*calls, lang), grouped(*compared), share(*changed, *compared), grouped(*rule_changed));
    lang.pick(
        format!("{graded}已重新评级，其中 {compared} 通有旧等级可比：等级改变 {changed}，等级不变而规则不同 {rule}"),
        format!("{graded} graded, {compared} compared: {changed} with another label, {rule} with the same label by another rule"),
    )
}

/// What a change is due to.
pub(super) fn cause(cause: v1::ChangeCause, lang: Lang) -> &'static str {
    match cause {
        v1::ChangeCause::Rules => lang.pick("规则", "rules"),
        v1::ChangeCause::Signals => lang.pick("读法", "words"),
        v1::ChangeCause::Both => lang.pick("两者", "both"),
        v1::ChangeCause::Unspecified => lang.pick("未知", "unknown"),
    }
}

/// How many changes are due to what.
pub(super) fn causes(causes: v1::Causes, lang: Lang) -> String {
    use v1::ChangeCause::{Both, Rules, Signals, Unspecified};
    let told = [(Rules, causes.rules), (Signals, causes.signals), (Both, causes.both), (Unspecified, causes.unknown)];
    let told: Vec<String> =
        told.into_iter().filter(|(_, calls)| *calls > 0).map(|(of, calls)| format!("{} {}", cause(of, lang), grouped(calls))).collect();
    told.join(lang.pick("，", ", "))
}

/// A rule of a transition: its id, or the label where the rule is not known.
pub(super) fn rule_name<'a>(label: &'a str, rule: &'a str) -> String {
    match (label, rule) {
        (label, "") => shown(label).to_owned(),
        (label, rule) if rule.starts_with(label) => rule.to_owned(),
        (label, rule) => format!("{rule} ({})", shown(label)),
    }
}

/// The commonest of some transitions.
pub(super) fn commonest(transitions: &[v1::LabelTransition], lang: Lang) -> String {
    const MOST: usize = 3;
    let one = |of: &v1::LabelTransition| format!("{} → {} {}", shown(&of.before), shown(&of.after), grouped(of.calls));
    let mut told: Vec<String> = transitions.iter().take(MOST).map(one).collect();
    if transitions.len() > MOST {
        told.push("…".to_owned());
    }
    told.join(lang.pick("，", ", "))
}

/// How something was found.
pub(super) fn how(found: v1::Match, lang: Lang) -> &'static str {
    match found {
        v1::Match::Unspecified => "",
        v1::Match::Exact => lang.pick("原词", "exact"),
        v1::Match::Normalised => lang.pick("异写", "normalised"),
        v1::Match::Pinyin => lang.pick("音同", "pinyin"),
        v1::Match::Pattern => lang.pick("正则", "pattern"),
        v1::Match::Learned => lang.pick("像例句", "learned"),
        v1::Match::Context => lang.pick("按上文", "context"),
        v1::Match::Reported => lang.pick("上报", "reported"),
    }
}

/// Pieces of evidence and where they are, each once: one place often speaks for several signals.
pub(super) fn evidence(pieces: &[v1::Evidence], lang: Lang) -> Vec<String> {
    let mut told: Vec<String> = Vec::new();
    for piece in pieces {
        let of = if piece.category.is_empty() { &piece.signal } else { &piece.category };
        let place = match (piece.start, piece.end) {
            (_, 0) => piece.event.to_string(),
            (start, end) => format!("{}:{start}–{end}", piece.event),
        };
        let place = lang.pick(format!("事件 {place}"), format!("event {place}"));
        let piece = format!("{of}「{}」{} {place}", piece.phrase, how(piece.r#match(), lang));
        if !told.contains(&piece) {
            told.push(piece);
        }
    }
    told
}

/// What became of the rule that gave the label before (of which the other side is now), or what that of now was before.
pub(super) fn fate(fate: &v1::RuleFate, there: Side, lang: Lang) -> String {
    let v1::RuleFate { rule_id: rule, decided_by: other, .. } = fate;
    let pick = |zh_after: String, zh_before: String, en_after: String, en_before: String| match there {
        Side::After => lang.pick(zh_after, en_after),
        Side::Before => lang.pick(zh_before, en_before),
    };
    match fate.state() {
        State::Unspecified => String::new(),
        State::Fails => {
            let tests: Vec<String> = fate.failed.iter().map(|test| failed(test, lang)).collect();
            let tests = tests.join(lang.pick("；", "; "));
            pick(
                format!("{rule} 现在不成立：{tests}"),
                format!("{rule} 以前不成立：{tests}"),
                format!("{rule} does not hold now: {tests}"),
                format!("{rule} did not hold before: {tests}"),
            )
        }
        State::Outranked => pick(
            format!("{rule} 现在也成立，但先轮到 {other}"),
            format!("{rule} 以前也成立，但先轮到 {other}"),
            format!("{rule} holds now too, but {other} comes first"),
            format!("{rule} held before too, but {other} came first"),
        ),
        State::Decides => pick(
            format!("{rule} 现在也定级，但给的等级不同"),
            format!("{rule} 以前也定级，但给的等级不同"),
            format!("{rule} decides now too, and gives another label"),
            format!("{rule} decided before too, and gave another label"),
        ),
        State::Missing => pick(
            format!("现在没有规则 {rule}"),
            format!("以前没有规则 {rule}"),
            format!("there is no rule {rule} now"),
            format!("there was no rule {rule} before"),
        ),
    }
}

fn failed(test: &v1::FailedTest, lang: Lang) -> String {
    let values: Vec<String> =
        test.values.iter().filter(|of| of.name != test.test).map(|of| format!("{} = {}", of.name, of.value)).collect();
    if values.is_empty() {
        return test.test.clone();
    }
    let values = values.join(lang.pick("，", ", "));
    lang.pick(format!("{}（{values}）", test.test), format!("{} ({values})", test.test))
}

/// A signal that differs.
pub(super) fn signal(change: &v1::SignalChange) -> String {
    format!("{} {} → {}", change.name, shown(&change.before), shown(&change.after))
}

/// The heads of the table of rules that gave way to others.
pub(super) fn rule_head(lang: Lang) -> [&'static str; 4] {
    lang.pick(["原规则", "新规则", "通话", "因为"], ["rule before", "rule after", "calls", "because of"])
}

/// The heads of the table of keywords.
pub(super) fn keyword_head(lang: Lang) -> [&'static str; 5] {
    lang.pick(["变化", "分类", "关键词", "通话", "等级变化"], ["change", "category", "keyword", "calls", "labels"])
}

/// Whether a keyword came or went.
pub(super) fn gained(gained: bool, lang: Lang) -> &'static str {
    if gained { lang.pick("新命中", "gained") } else { lang.pick("不再命中", "lost") }
}

/// The rule transitions that are changes, most calls first.
pub(super) fn rule_changes(script: &v1::ScriptDiff) -> Vec<&v1::RuleTransition> {
    let mut changes: Vec<&v1::RuleTransition> = script
        .rule_transitions
        .iter()
        .filter(|of| of.label_before != of.label_after || of.rule_before != of.rule_after && !of.rule_before.is_empty())
        .collect();
    changes.sort_by_key(|of| std::cmp::Reverse(of.calls));
    changes
}

/// A matrix of calls over the labels that are met; their names, and a row for each.
pub(super) fn matrix<'a>(labels: &'a [v1::LabelDiff], transitions: &[v1::LabelTransition]) -> (Vec<&'a str>, Vec<Vec<u64>>) {
    let met = |label: &&v1::LabelDiff| label.declared || label.before > 0 || label.after > 0;
    let names: Vec<&str> = labels.iter().filter(met).map(|label| label.label.as_str()).collect();
    let place = |label: &str| names.iter().position(|name| *name == label);
    let mut counts = vec![vec![0; names.len()]; names.len()];
    for of in transitions {
        if let (Some(before), Some(after)) = (place(&of.before), place(&of.after)) {
            counts[before][after] += of.calls;
        }
    }
    (names, counts)
}
