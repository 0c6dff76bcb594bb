//! A diff for the terminal.

use std::fmt::Write as _;

use super::super::paint::{Role, paint};
use super::super::table::{Table, grouped, shown};
use super::words::{self, Side};
use crate::config::Lang;
use crate::wire::v1;

/// Most rows of the tables of rules and keywords.
const MOST_ROWS: usize = 20;
/// Most signals and pieces of evidence of a call.
const MOST_PIECES: usize = 8;

/// What changed; of each pair of labels at most so many changed calls are shown.
pub(super) fn render(diff: &v1::RegradeDiff, most_examples: usize, lang: Lang) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{}", paint(Role::Head, &words::totals(diff, lang)));
    // Of one script the whole is its own.
    if diff.scripts.len() > 1 && diff.compared > 0 {
        matrix(&mut out, &diff.labels, &diff.transitions, lang);
    }
    for script in &diff.scripts {
        self::script(&mut out, script, most_examples, lang);
    }
    out
}

fn heading(out: &mut String, text: &str) {
    let _ = writeln!(out, "\n{}", paint(Role::Head, text));
}

fn lines(out: &mut String, table: &Table) {
    for (number, line) in table.lines().into_iter().enumerate() {
        let _ = writeln!(out, "{}", if number == 0 { paint(Role::Faint, &line) } else { line });
    }
}

fn script(out: &mut String, script: &v1::ScriptDiff, most_examples: usize, lang: Lang) {
    heading(out, &format!("━━ {} {} · {}", script.script_id, script.title, words::calls(script.calls, lang)));
    let compares = script.compared > 0;
    if compares {
        let _ = writeln!(out, "{} {}", lang.pick("旧", "before"), words::versions(&script.before, lang));
    }
    let _ = writeln!(out, "{} {}", lang.pick("新", "after "), words::versions(&script.after, lang));
    if compares && script.changed + script.rule_changed == 0 {
        let _ = writeln!(out, "{}", lang.pick("没有通话改变等级或规则", "no call has another label or rule"));
    } else if compares {
        matrix(out, &script.labels, &script.transitions, lang);
    }
    labels(out, script, lang);
    flow(out, script, lang);
    if !compares {
        return;
    }
    rules(out, script, lang);
    keywords(out, script, lang);
    examples(out, script, most_examples, lang);
}

fn matrix(out: &mut String, labels: &[v1::LabelDiff], transitions: &[v1::LabelTransition], lang: Lang) {
    let (names, counts) = words::matrix(labels, transitions);
    let mut head = vec![lang.pick("旧 ＼ 新", "before \\ after")];
    head.extend(names.iter().map(|name| shown(name)));
    let mut table = Table::new(&head);
    for (name, row) in names.iter().zip(&counts) {
        let cells = row.iter().map(|count| if *count == 0 { "·".to_owned() } else { grouped(*count) });
        table.row(std::iter::once(shown(name).to_owned()).chain(cells).collect());
    }
    let _ = writeln!(out);
    lines(out, &table);
}

fn labels(out: &mut String, script: &v1::ScriptDiff, lang: Lang) {
    let _ = writeln!(out);
    let compares = script.compared > 0;
    let mut table = Table::new(if compares {
        lang.pick(&["等级", "旧", "新", "变化", "含义"], &["label", "before", "after", "change", "meaning"])
    } else {
        lang.pick(&["等级", "通话", "含义"], &["label", "calls", "meaning"])
    });
    for label in script.labels.iter().filter(|label| label.declared || label.before + label.after > 0) {
        let mut row = vec![shown(&label.label).to_owned()];
        if compares {
            row.push(words::share(label.before, script.compared));
        }
        row.push(words::share(label.after, script.calls));
        if compares {
            // With calls of which nothing was known before the two do not count the same calls.
            row.push(if script.calls == script.compared { words::change(label.before, label.after) } else { String::new() });
        }
        row.push(label.title.clone());
        table.row(row);
    }
    lines(out, &table);
}

fn flow(out: &mut String, script: &v1::ScriptDiff, lang: Lang) {
    let (before, after) = (script.flow_before.unwrap_or_default(), script.flow_after.unwrap_or_default());
    if after.calls == 0 || script.nodes.is_empty() {
        return;
    }
    let head = [lang.pick("节点", "node"), lang.pick("旧", "before"), lang.pick("新", "after")];
    // Where nothing but labels is known of before there is no flow either.
    let known = |cells: [String; 3]| if before.calls > 0 { cells.to_vec() } else { vec![cells[0].clone(), cells[2].clone()] };
    heading(out, lang.pick("主流程：接通真人的通话走到哪里", "Main flow: how far connected calls with people got"));
    let head = known(head.map(str::to_owned));
    let mut table = Table::new(&head.iter().map(String::as_str).collect::<Vec<_>>());
    for node in &script.nodes {
        let name = format!("{} {}", node.node_id, node.title);
        table.row(known([name, words::share(node.before, before.calls), words::share(node.after, after.calls)]));
    }
    let mean = |flow: v1::Flow| format!("{:.1}%", flow.mean_completion * 100.0);
    table.row(known([lang.pick("平均完成度", "mean completion").to_owned(), mean(before), mean(after)]));
    lines(out, &table);
}

fn rules(out: &mut String, script: &v1::ScriptDiff, lang: Lang) {
    let changes = words::rule_changes(script);
    if changes.is_empty() {
        return;
    }
    heading(out, lang.pick("规则", "Rules"));
    let mut table = Table::new(&words::rule_head(lang));
    for change in changes.iter().take(MOST_ROWS) {
        table.row(vec![
            words::rule_name(&change.label_before, &change.rule_before),
            words::rule_name(&change.label_after, &change.rule_after),
            grouped(change.calls),
            words::causes(change.causes.unwrap_or_default(), lang),
        ]);
    }
    lines(out, &table);
    more(out, changes.len(), lang);
}

fn keywords(out: &mut String, script: &v1::ScriptDiff, lang: Lang) {
    if script.keywords.is_empty() {
        return;
    }
    heading(out, lang.pick("改变等级的关键词", "Keywords that changed labels"));
    let mut table = Table::new(&words::keyword_head(lang));
    for keyword in script.keywords.iter().take(MOST_ROWS) {
        table.row(vec![
            words::gained(keyword.gained, lang).to_owned(),
            keyword.category.clone(),
            format!("「{}」{}", keyword.phrase, words::how(keyword.r#match(), lang)),
            grouped(keyword.calls),
            words::commonest(&keyword.transitions, lang),
        ]);
    }
    lines(out, &table);
    more(out, script.keywords.len(), lang);
}

/// Tells of rows that were left out.
fn more(out: &mut String, rows: usize, lang: Lang) {
    if let Some(more) = rows.checked_sub(MOST_ROWS).filter(|more| *more > 0) {
        let _ = writeln!(out, "{}", paint(Role::Faint, &lang.pick(format!("还有 {more} 行"), format!("{more} more"))));
    }
}

/// The first changed calls of each pair of labels.
fn examples(out: &mut String, script: &v1::ScriptDiff, most: usize, lang: Lang) {
    let mut calls = script.examples.iter().flat_map(|cell| cell.calls.iter().take(most)).peekable();
    if calls.peek().is_none() {
        return;
    }
    heading(out, lang.pick("改变的通话（例）", "Changed calls (examples)"));
    calls.for_each(|call| changed(out, call, lang));
}

fn changed(out: &mut String, call: &v1::ChangedCall, lang: Lang) {
    let (before, after) = (call.before.clone().unwrap_or_default(), call.after.clone().unwrap_or_default());
    let because = match call.cause() {
        v1::ChangeCause::Unspecified => String::new(),
        cause => format!("  {}{}", lang.pick("因为：", "because of: "), words::cause(cause, lang)),
    };
    let _ = writeln!(
        out,
        "{}  {} → {}{}",
        paint(Role::Mark, &call.call_id),
        paint(Role::Faint, shown(&before.label)),
        paint(Role::Head, shown(&after.label)),
        paint(Role::Faint, &because)
    );
    let sides = [
        (lang.pick("旧", "before"), &before, call.rule_before.as_ref(), Side::After),
        (lang.pick("新", "after "), &after, call.rule_after.as_ref(), Side::Before),
    ];
    for (name, graded, fate, there) in sides {
        let reason = [graded.rule_id.as_str(), graded.reason.as_str()].iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>();
        let reason = if reason.is_empty() && graded.label.is_empty() {
            lang.pick("没有规则成立", "no rule held").to_owned()
        } else {
            reason.join(" ")
        };
        let fate = fate.map(|fate| paint(Role::Faint, &words::fate(fate, there, lang)));
        let told: Vec<String> = std::iter::once(reason).chain(fate).filter(|part| !part.is_empty()).collect();
        if !told.is_empty() {
            let _ = writeln!(out, "    {name}  {}", told.join(" — "));
        }
    }
    let mut listed = |name: &str, role: Role, pieces: Vec<String>| {
        if pieces.is_empty() {
            return;
        }
        let left_out = pieces.len().saturating_sub(MOST_PIECES);
        let mut told = pieces.into_iter().take(MOST_PIECES).collect::<Vec<_>>().join(lang.pick("，", ", "));
        if left_out > 0 {
            let _ = write!(told, " … {}", lang.pick(format!("还有 {left_out} 条"), format!("{left_out} more")));
        }
        let _ = writeln!(out, "    {} {told}", paint(role, name));
    };
    let evidence = |pieces: &[v1::Evidence]| words::evidence(pieces, lang);
    listed(lang.pick("信号", "signals"), Role::Faint, call.signals.iter().map(words::signal).collect());
    listed(lang.pick("新依据", "gained"), Role::Good, evidence(&call.gained));
    listed(lang.pick("失去依据", "lost"), Role::Bad, evidence(&call.lost));
    listed(lang.pick("依据", "evidence"), Role::Faint, evidence(&call.evidence));
}
