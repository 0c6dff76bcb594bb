//! A diff as a page: complete in one file, readable without its script, which only sorts and filters.

use maud::{Markup, PreEscaped, html};

use super::super::page::bars::{Pair, pairs};
use super::super::page::funnel::funnel;
use super::super::page::matrix::{Tone, matrix};
use super::super::page::sankey::{Band, sankey};
use super::super::page::{page, percent};
use super::super::table::{cut, grouped, shown};
use super::words;
use crate::config::Lang;
use crate::wire::v1;

mod changed;

/// Most keywords of the page's table.
const MOST_KEYWORDS: usize = 200;
/// Widest name of a label beside its bars, in columns.
const NAME_WIDTH: usize = 24;
/// Least share of changed calls that can be told apart in a diagram of all.
const TOLD_APART: f64 = 0.2;

const STYLE: &str = "
ins, del { text-decoration: none; display: block; } ins { color: var(--good); } del { color: var(--bad); } ins::before { content: '+ '; } del::before { content: '− '; }
code { font-size: .85em; overflow-wrap: anywhere; } .texts td { max-width: 26rem; } .changed td { font-size: .9em; min-width: 4rem; }
.tools { display: flex; gap: 1rem; margin: .5rem 0; } .tools input, .tools select { font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--line); padding: .2rem .5rem; }
th button { font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer; } th[aria-sort=ascending] button::after { content: ' ▲'; } th[aria-sort=descending] button::after { content: ' ▼'; }
@media print { .tools { display: none; } .texts td { max-width: none; } }
";

/// Sorts tables by their heads and filters their rows; without it they are read as they stand.
const SCRIPT: &str = include_str!("page/tables.js");

pub(super) fn render(diff: &v1::RegradeDiff, lang: Lang) -> String {
    let title = lang.pick("重新评级：改变了什么", "Re-grading: what it changes");
    let body = html! {
        p { (words::totals(diff, lang)) }
        (figures(diff, lang))
        @if diff.scripts.len() > 1 {
            h2 { (lang.pick("全部话术", "All scripts")) }
            (labels(&diff.labels, [diff.compared, diff.calls], lang))
            @if diff.compared > 0 { (transitions(&diff.labels, &diff.transitions, lang)) }
        }
        @for script in &diff.scripts { (self::script(script, lang)) }
        script { (PreEscaped(SCRIPT)) }
    };
    page(title, STYLE, lang, &body)
}

fn figures(diff: &v1::RegradeDiff, lang: Lang) -> Markup {
    let share = |count: u64| percent(count as f64 / diff.compared.max(1) as f64);
    let figure =
        |name: &str, figure: String, more: String| html! { div { div.faint { (name) } div.big { (figure) } div.faint { (more) } } };
    html! {
        div.figures {
            (figure(lang.pick("已重新评级", "graded"), grouped(diff.calls), lang.pick("通话", "calls").to_owned()))
            @if diff.compared > 0 {
                (figure(lang.pick("等级改变", "another label"), share(diff.changed), grouped(diff.changed)))
                (figure(lang.pick("等级不变而规则不同", "same label, another rule"), share(diff.rule_changed), grouped(diff.rule_changed)))
            }
        }
    }
}

fn script(script: &v1::ScriptDiff, lang: Lang) -> Markup {
    let compares = script.compared > 0;
    html! {
        section {
            h2 { (script.script_id) " " (script.title) " · " (words::calls(script.calls, lang)) }
            p.faint {
                @if compares { (lang.pick("旧：", "before: ")) (words::versions(&script.before, lang)) br; }
                (lang.pick("新：", "after: ")) (words::versions(&script.after, lang))
            }
            (labels(&script.labels, [script.compared, script.calls], lang))
            @if compares { (transitions(&script.labels, &script.transitions, lang)) }
            (flow(script, lang))
            @if compares {
                (rules(script, lang))
                (keywords(script, lang))
                (changed::calls(script, lang))
            }
        }
    }
}

fn sides(lang: Lang) -> [&'static str; 2] {
    lang.pick(["旧", "新"], ["before", "after"])
}

fn labels(labels: &[v1::LabelDiff], of: [u64; 2], lang: Lang) -> Markup {
    let title =
        if of[0] > 0 { lang.pick("等级分布：旧与新", "Labels before and after") } else { lang.pick("等级分布", "Labels") };
    let name = |label: &v1::LabelDiff| cut(&format!("{} {}", shown(&label.label), label.title), NAME_WIDTH).trim_end().to_owned();
    let names: Vec<String> = labels.iter().map(name).collect();
    let bars: Vec<Pair<'_>> = labels
        .iter()
        .zip(&names)
        .filter(|(label, _)| label.declared || label.before + label.after > 0)
        .map(|(label, name)| Pair { name, before: label.before, after: label.after })
        .collect();
    html! { div.keep { h3 { (title) } (pairs(title, sides(lang), &bars, of)) } }
}

fn transitions(labels: &[v1::LabelDiff], transitions: &[v1::LabelTransition], lang: Lang) -> Markup {
    let (names, counts) = words::matrix(labels, transitions);
    // A script's labels stand best first; what it does not declare is neither better nor worse.
    let declared = |place: usize| labels.iter().any(|label| label.declared && Some(&label.label.as_str()) == names.get(place));
    let tone = |before: usize, after: usize| match after.cmp(&before) {
        std::cmp::Ordering::Less if declared(before) && declared(after) => Tone::Good,
        std::cmp::Ordering::Greater if declared(before) && declared(after) => Tone::Bad,
        _ => Tone::Plain,
    };
    let total: u64 = transitions.iter().map(|of| of.calls).sum();
    let changed: u64 = transitions.iter().filter(|of| of.before != of.after).map(|of| of.calls).sum();
    let cells = counts.iter().enumerate().flat_map(|(from, row)| row.iter().enumerate().map(move |(to, &count)| Band { from, to, count }));
    let bands: Vec<Band> = cells.filter(|band| band.count > 0).collect();
    let changes: Vec<Band> = bands.iter().filter(|band| band.from != band.to).copied().collect();
    let of_all = lang.pick("从哪级到哪级：全部通话", "From label to label: all calls");
    let of_changed = lang.pick("从哪级到哪级：等级改变的通话", "From label to label: calls whose label changed");
    // Of few changes among many calls one sees only that they are few.
    let apart = changes.len() > 1 && (changed as f64) < total as f64 * TOLD_APART;
    html! {
        div.keep {
            h3 { (lang.pick("等级转移（行：旧；列：新）", "Transitions (rows: before; columns: after)")) }
            p.faint { (lang.pick("绿：变好；红：变差；灰：不变或无从比较。", "Green: better; red: worse; grey: the same, or not to be compared.")) }
            (matrix(lang.pick("旧 ＼ 新", "before \\ after"), &names, &counts, tone))
        }
        @if changed > 0 { div.keep { h3 { (of_all) } (sankey(of_all, &names, &bands, tone)) } }
        @if apart { div.keep { h3 { (of_changed) } (sankey(of_changed, &names, &changes, tone)) } }
    }
}

fn flow(script: &v1::ScriptDiff, lang: Lang) -> Markup {
    let (before, after) = (script.flow_before.unwrap_or_default(), script.flow_after.unwrap_or_default());
    let title = lang.pick("主流程：接通真人的通话走到哪里", "Main flow: how far connected calls with people got");
    let names: Vec<String> = script.nodes.iter().map(|node| format!("{} {}", node.node_id, node.title)).collect();
    let connected = lang.pick("接通真人", "connected, a person");
    let first = Pair { name: connected, before: before.calls, after: after.calls };
    let nodes = script.nodes.iter().zip(&names).map(|(node, name)| Pair { name, before: node.before, after: node.after });
    let steps: Vec<Pair<'_>> = std::iter::once(first).chain(nodes).collect();
    html! {
        @if after.calls > 0 && !script.nodes.is_empty() {
            div.keep {
                h3 { (title) }
                (funnel(title, sides(lang), &steps, [before.calls, after.calls]))
                p.faint {
                    (lang.pick("平均完成度 ", "mean completion "))
                    @if before.calls > 0 { (percent(before.mean_completion)) " → " }
                    (percent(after.mean_completion))
                }
            }
        }
    }
}

fn rules(script: &v1::ScriptDiff, lang: Lang) -> Markup {
    let changes = words::rule_changes(script);
    let same_calls = script.calls == script.compared;
    let told = |rule: &&v1::RuleDiff| rule.before != rule.after || same_calls && rule.calls_before != rule.calls_after;
    // Where nothing but labels is known of before there are no rules to hold today's against.
    let known = script.rules.iter().any(|rule| rule.before.is_some());
    let rules: Vec<&v1::RuleDiff> = script.rules.iter().filter(told).filter(|_| known).collect();
    html! {
        @if !changes.is_empty() {
            h3 { (lang.pick("哪些规则让位给哪些规则", "Which rules gave way to which")) }
            div.scroll { table.sorted {
                caption { (lang.pick("因为：规则＝规则本身改了；读法＝同样的话理解得不同。", "Because of rules: what the rules say; of words: the same words are read otherwise.")) }
                thead { tr { @for name in words::rule_head(lang) { th scope="col" { (name) } } } }
                tbody { @for change in &changes { tr {
                    td { (words::rule_name(&change.label_before, &change.rule_before)) }
                    td { (words::rule_name(&change.label_after, &change.rule_after)) }
                    td data-value=(change.calls) { (grouped(change.calls)) }
                    td { (words::causes(change.causes.unwrap_or_default(), lang)) }
                } } }
            } }
        }
        @if !rules.is_empty() {
            h3 { (lang.pick("规则本身", "The rules themselves")) }
            div.scroll { table.texts {
                caption { (lang.pick("改写过的，或定级通话数不同的。", "Those that say something else, or decide more or fewer calls.")) }
                thead { tr { @for name in lang.pick(["规则", "说明", "条件", "旧", "新", "变化"], ["rule", "words", "condition", "before", "after", "change"]) { th scope="col" { (name) } } } }
                tbody { @for rule in &rules { (self::rule(rule, same_calls)) } }
            } }
        }
    }
}

fn rule(rule: &v1::RuleDiff, same_calls: bool) -> Markup {
    let v1::RuleDiff { before, after, .. } = rule;
    let both = |text: fn(&v1::RuleText) -> &str| {
        let (was, is) = (before.as_ref().map(text), after.as_ref().map(text));
        html! {
            @if was == is { (is.unwrap_or_default()) }
            @else { @if let Some(was) = was { del { (was) } } @if let Some(is) = is { ins { (is) } } }
        }
    };
    let labels = before.as_ref().map(|text| &text.label) != after.as_ref().map(|text| &text.label);
    html! {
        tr {
            td { (rule.rule_id) @if labels { " " (both(|text| &text.label)) } }
            td { (both(|text| &text.words)) }
            td { code { (both(|text| &text.when)) } }
            td { (grouped(rule.calls_before)) } td { (grouped(rule.calls_after)) }
            td { @if same_calls { (words::change(rule.calls_before, rule.calls_after)) } }
        }
    }
}

fn keywords(script: &v1::ScriptDiff, lang: Lang) -> Markup {
    let shown = script.keywords.iter().take(MOST_KEYWORDS);
    let left_out = script.keywords.len().saturating_sub(MOST_KEYWORDS);
    html! {
        @if !script.keywords.is_empty() {
            h3 { (lang.pick("改变等级的关键词", "Keywords that changed labels")) }
            div.scroll { table.sorted.texts {
                caption { (lang.pick("等级改变的通话里，新命中或不再命中的词。", "What was found, or found no more, in calls whose label changed.")) }
                thead { tr { @for name in words::keyword_head(lang) { th scope="col" { (name) } } } }
                tbody { @for keyword in shown { tr {
                    td.(if keyword.gained { "good" } else { "bad" }) { (words::gained(keyword.gained, lang)) }
                    td { (keyword.category) }
                    td { "「" (keyword.phrase) "」" (words::how(keyword.r#match(), lang)) }
                    td data-value=(keyword.calls) { (grouped(keyword.calls)) }
                    td { (words::commonest(&keyword.transitions, lang)) }
                } } }
            } }
            @if left_out > 0 { p.faint { (lang.pick(format!("还有 {left_out} 个词，见 JSON。"), format!("{left_out} more are in the JSON."))) } }
        }
    }
}
