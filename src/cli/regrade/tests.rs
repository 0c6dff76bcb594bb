//! What people read of a diff.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{page, text};
use crate::config::Lang;
use crate::core::event::{Event, EventKind, Hangup, Party, Speaker, Utterance};
use crate::core::script::Script;
use crate::ingest::{CallRecord, StoredLabel};
use crate::regrade::diff::Diff;
use crate::regrade::grading::{Against, Grading};
use crate::script::{Bundle, Library, ScriptChoice, compile};
use crate::wire::v1;

const SCRIPT: &str = r#"id: demo
title: 示例
labels:
  - {id: A, title: 有意向}
  - {id: D, title: 无意向}
flow:
  start: opening
  nodes:
    - {id: opening, title: 开场白, main: true, prompt: 您好，给您介绍一下可以吗？, branches: {any: product}}
    - {id: product, title: 产品介绍, main: true, prompt: 我们的机器人一天能打一千个电话。, branches: {any: opening}}
lexicon:
  categories: {affirm: 肯定, refuse: 拒绝}
  questions: {price: 价格}
rules:
  - {id: A1, label: A, when: questions >= 1, words: 问了问题}
  - {id: D1, label: D, when: refusals >= 1, words: 拒绝}
  - {id: D9, label: D, catch_all: true, when: connected && ended, words: 其余}
follow_up:
  - {when: 'label == "A"', action: call}
"#;

fn script(price: &str, refuse: &str, change: impl Fn(&str) -> String) -> Arc<Script> {
    let files = [
        ("script.yaml", change(SCRIPT)),
        ("keywords/affirm.txt", "好的\n".to_owned()),
        ("keywords/refuse.txt", refuse.to_owned()),
        ("keywords/price.txt", price.to_owned()),
    ];
    let files: BTreeMap<String, String> = files.into_iter().map(|(path, text)| (path.to_owned(), text)).collect();
    compile(&Bundle { name: "demo".to_owned(), files }).unwrap_or_else(|error| panic!("{error}"))
}

fn before() -> Arc<Script> {
    script("多少钱\n", "不需要\n", str::to_owned)
}

/// A price is asked otherwise, two refusals are wanted.
fn after() -> Arc<Script> {
    script("怎么收费\n", "不需要\n算了\n", |script| script.replace("refusals >= 1", "refusals >= 2"))
}

fn choice(script: Arc<Script>) -> ScriptChoice {
    ScriptChoice::new(Library::default().with(script), Some("demo".to_owned())).expect("a choice")
}

fn records(words: &[&str]) -> Vec<CallRecord> {
    let line = |at_ms, speaker, node: &str, text: &str| {
        let text = text.into();
        let utterance =
            Utterance { speaker, text, duration_ms: 900, node_id: node.into(), played: None, utterance_id: "".into(), interim: false };
        Event { at_ms, kind: EventKind::Utterance(utterance) }
    };
    let call = |(number, words): (usize, &&str)| {
        let events = vec![
            Event { at_ms: 0, kind: EventKind::Answered },
            line(0, Speaker::Robot, "opening", "您好，给您介绍一下可以吗？"),
            line(1_000, Speaker::Customer, "", words),
            Event { at_ms: 3_000, kind: EventKind::Hangup(Box::new(Hangup { by: Some(Party::Customer), ..Hangup::default() })) },
        ];
        CallRecord { call_id: format!("<c{}>", number + 1), events, ..CallRecord::default() }
    };
    words.iter().enumerate().map(call).collect()
}

fn diff(against: Against, words: &[&str], stored: &[Option<StoredLabel>]) -> v1::RegradeDiff {
    let grading = Grading { scripts: choice(after()), against };
    let mut diff = Diff::new();
    for (place, mut record) in records(words).into_iter().enumerate() {
        record.stored = stored.get(place).cloned().flatten().map(Box::new);
        diff.add(&grading.grade(record).expect("a grading"));
    }
    diff.message()
}

fn of_versions() -> v1::RegradeDiff {
    diff(Against::Version(choice(before())), &["多少钱", "怎么收费", "不需要", "好的", "算了多少钱"], &[])
}

fn of_labels() -> v1::RegradeDiff {
    let stored =
        |label: &str, rule_id: &str| Some(StoredLabel { label: label.to_owned(), rule_id: rule_id.to_owned(), ..StoredLabel::default() });
    diff(Against::Stored, &["怎么收费", "不需要", "好的"], &[stored("<B>", "B1"), stored("D", "D1"), None])
}

/// As text, without colours and with the versions' hashes by name.
fn told(diff: &v1::RegradeDiff, most_examples: usize, lang: Lang) -> String {
    let plain = anstream::adapter::strip_str(&text::render(diff, most_examples, lang)).to_string();
    plain.replace(&*before().version, "BEFORE").replace(&*after().version, "AFTER")
}

#[test]
fn versions_in_english() {
    let expected = r#"5 calls graded, 5 compared: 3 (60.0%) with another label, 1 with the same label by another rule

━━ demo 示例 · 5 calls
before demo@BEFORE
after  demo@AFTER

before \ after  A  D
A               ·  2
D               1  2

label  before     after      change  meaning
A      2 (40.0%)  1 (20.0%)  −1      有意向
D      3 (60.0%)  4 (80.0%)  +1      无意向

Main flow: how far connected calls with people got
node              before      after
opening 开场白    5 (100.0%)  5 (100.0%)
product 产品介绍  0 (0.0%)    0 (0.0%)
mean completion   50.0%       50.0%

Rules
rule before  rule after  calls  because of
A1           D9          2      words 2
D1           D9          1      rules 1
D9           A1          1      words 1

Keywords that changed labels
change  category  keyword            calls  labels
lost    price     「多少钱」exact    2      A → D 2
gained  price     「怎么收费」exact  1      D → A 1

Changed calls (examples)
<c1>  A → D  because of: words
    before  A1 问了问题 — A1 does not hold now: questions >= 1 (questions = 0)
    after   D9 其余 — D9 held before too, but A1 came first
    signals questions 1 → 0, asked [price] → []
    lost price「多少钱」exact event 2:0–3
<c5>  A → D  because of: words
    before  A1 问了问题 — A1 does not hold now: questions >= 1 (questions = 0)
    after   D9 其余 — D9 held before too, but A1 came first
    signals questions 1 → 0, asked [price] → [], refusals 0 → 1, refusal_streak 0 → 1, last_refused false → true, hits["refuse"] 0 → 1
    gained refuse「算了」exact event 2:0–2
    lost price「多少钱」exact event 2:2–5
<c2>  D → A  because of: words
    before  D9 其余 — D9 holds now too, but A1 comes first
    after   A1 问了问题 — A1 did not hold before: questions >= 1 (questions = 0)
    signals questions 0 → 1, asked [] → [price]
    gained price「怎么收费」exact event 2:0–4
<c3>  D → D  because of: rules
    before  D1 拒绝 — D1 does not hold now: refusals >= 2 (refusals = 1)
    after   D9 其余 — D9 held before too, but D1 came first
"#;
    assert_eq!(told(&of_versions(), 10, Lang::En), expected);
}

#[test]
fn versions_in_chinese() {
    let expected = r#"5 通已重新评级，其中 5 通有旧等级可比：等级改变 3 (60.0%)，等级不变而规则不同 1

━━ demo 示例 · 5 通
旧 demo@BEFORE
新 demo@AFTER

旧 ＼ 新  A  D
A         ·  2
D         1  2

等级  旧         新         变化  含义
A     2 (40.0%)  1 (20.0%)  −1    有意向
D     3 (60.0%)  4 (80.0%)  +1    无意向

主流程：接通真人的通话走到哪里
节点              旧          新
opening 开场白    5 (100.0%)  5 (100.0%)
product 产品介绍  0 (0.0%)    0 (0.0%)
平均完成度        50.0%       50.0%

规则
原规则  新规则  通话  因为
A1      D9      2     读法 2
D1      D9      1     规则 1
D9      A1      1     读法 1

改变等级的关键词
变化      分类   关键词            通话  等级变化
不再命中  price  「多少钱」原词    2     A → D 2
新命中    price  「怎么收费」原词  1     D → A 1

改变的通话（例）
<c1>  A → D  因为：读法
    旧  A1 问了问题 — A1 现在不成立：questions >= 1（questions = 0）
    新  D9 其余 — D9 以前也成立，但先轮到 A1
    信号 questions 1 → 0，asked [price] → []
    失去依据 price「多少钱」原词 事件 2:0–3
<c2>  D → A  因为：读法
    旧  D9 其余 — D9 现在也成立，但先轮到 A1
    新  A1 问了问题 — A1 以前不成立：questions >= 1（questions = 0）
    信号 questions 0 → 1，asked [] → [price]
    新依据 price「怎么收费」原词 事件 2:0–4
<c3>  D → D  因为：规则
    旧  D1 拒绝 — D1 现在不成立：refusals >= 2（refusals = 1）
    新  D9 其余 — D9 以前也成立，但先轮到 D1
"#;
    assert_eq!(told(&of_versions(), 1, Lang::Zh), expected);
}

#[test]
fn labels_that_came_with_the_calls() {
    let expected = r#"3 calls graded, 2 compared: 1 (50.0%) with another label, 1 with the same label by another rule

━━ demo 示例 · 3 calls
before labels that came with the calls
after  demo@AFTER

before \ after  A  D  <B>
A               ·  ·  ·
D               ·  1  ·
<B>             1  ·  ·

label  before     after      change  meaning
A      0 (0.0%)   1 (33.3%)          有意向
D      1 (50.0%)  2 (66.7%)          无意向
<B>    1 (50.0%)  0 (0.0%)

Main flow: how far connected calls with people got
node              after
opening 开场白    3 (100.0%)
product 产品介绍  0 (0.0%)
mean completion   50.0%

Rules
rule before  rule after  calls  because of
D1           D9          1      unknown 1
B1 (<B>)     A1          1      unknown 1

Changed calls (examples)
<c2>  D → D
    before  D1 — D1 does not hold now: refusals >= 2 (refusals = 1)
    after   D9 其余
    evidence connected「answered」reported event 0, refuse「不需要」exact event 2:0–3, hung_up_by「customer」reported event 3
<c1>  <B> → A
    before  B1 — there is no rule B1 now
    after   A1 问了问题
    evidence connected「answered」reported event 0, price「怎么收费」exact event 2:0–4, hung_up_by「customer」reported event 3
"#;
    assert_eq!(told(&of_labels(), 10, Lang::En), expected);
}

#[test]
fn nothing_to_compare_with() {
    let expected = r#"1 通已重新评级；没有可比的旧等级

━━ demo 示例 · 1 通
新 demo@AFTER

等级  通话        含义
A     0 (0.0%)    有意向
D     1 (100.0%)  无意向

主流程：接通真人的通话走到哪里
节点              新
opening 开场白    1 (100.0%)
product 产品介绍  0 (0.0%)
平均完成度        50.0%
"#;
    assert_eq!(told(&diff(Against::Nothing, &["好的"], &[]), 10, Lang::Zh), expected);
}

#[test]
fn several_scripts_and_nothing_to_compare_with() {
    let mut diff = diff(Against::Nothing, &["好的"], &[]);
    diff.scripts.push(v1::ScriptDiff { script_id: "other".to_owned(), ..diff.scripts[0].clone() });
    let text = told(&diff, 10, Lang::En);
    assert!(text.starts_with("1 call graded; there are no labels before to compare with\n\n━━ demo"), "{text}");
}

#[test]
fn nothing_changes() {
    let text = told(&diff(Against::Version(choice(after())), &["怎么收费"], &[]), 10, Lang::En);
    let head = "1 call graded, 1 compared: 0 (0.0%) with another label, 0 with the same label by another rule

━━ demo 示例 · 1 call
before demo@AFTER
after  demo@AFTER
no call has another label or rule

label  before      after       change  meaning
A      1 (100.0%)  1 (100.0%)  0       有意向
";
    assert!(text.starts_with(head), "{text}");
}

#[test]
fn several_scripts_have_a_matrix_of_all() {
    let mut diff = of_versions();
    let text = told(&diff, 0, Lang::En);
    assert!(!text.contains("Changed calls"), "{text}");
    diff.scripts.push(v1::ScriptDiff { script_id: "other".to_owned(), ..diff.scripts[0].clone() });
    let text = told(&diff, 0, Lang::En);
    assert_eq!(text.matches("before \\ after  A  D\n").count(), 3, "{text}");
}

#[test]
fn long_lists_say_what_they_leave_out() {
    let mut diff = of_versions();
    let script = &mut diff.scripts[0];
    script.keywords = vec![script.keywords[0].clone(); 25];
    script.examples[0].calls[0].lost = (0..10).map(|event| v1::Evidence { event, ..script.examples[0].calls[0].lost[0].clone() }).collect();
    let text = told(&diff, 1, Lang::En);
    assert!(text.contains("\n5 more\n") && text.contains("exact event 7:0–3 … 2 more\n"), "{text}");
    let page = page::render(&diff, Lang::En);
    assert_eq!(page.matches("「多少钱」exact</td>").count(), 25, "{page}");
}

#[test]
fn a_page_complete_in_one_file() {
    for (diff, svgs) in [(of_versions(), 3), (of_labels(), 3), (diff(Against::Nothing, &["好的"], &[]), 2)] {
        let page = page::render(&diff, Lang::En);
        assert!(page.starts_with("<!DOCTYPE html><html lang=\"en\">") && page.ends_with("</html>"), "{page}");
        for outside in ["http:", "https:", "src=", "href=", "url(", "@import", "<link"] {
            assert!(!page.contains(outside), "{outside} in {page}");
        }
        assert_eq!((page.matches("<svg").count(), page.matches(" role=\"img\"><title>").count()), (svgs, svgs), "{page}");
        assert!(!page.contains("<c1>") && !page.contains("<B>"), "{page}");
    }
}

#[test]
fn a_page_of_versions() {
    let page = page::render(&of_versions(), Lang::En);
    for part in [
        "<title>Re-grading: what it changes</title>",
        "<p>5 calls graded, 5 compared: 3 (60.0%) with another label, 1 with the same label by another rule</p>",
        "<title>Labels before and after</title>",
        "<title>A 有意向 · before · 2</title>",
        "<th scope=\"row\">A</th><td class=\"none\">·</td><td style=\"background: rgba(179,55,47,0.87)\">2</td>",
        "<title>From label to label: all calls</title>",
        "<title>A → D · 2</title>",
        "<title>Main flow: how far connected calls with people got</title>",
        "mean completion 50.0% → 50.0%",
        "<td>A1</td><td>D9</td><td data-value=\"2\">2</td><td>words 2</td>",
        "<code><del>refusals &gt;= 1</del><ins>refusals &gt;= 2</ins></code></td><td>1</td><td>0</td><td>−1</td>",
        "<td class=\"bad\">lost</td><td>price</td><td>「多少钱」exact</td><td data-value=\"2\">2</td><td>A → D 2</td>",
        "<caption>All of them: 4 calls.</caption>",
        "<td>&lt;c1&gt;</td><td>A → D</td><td>words</td>",
        "<td><strong>A1</strong> 问了问题<div class=\"faint\">A1 does not hold now: questions &gt;= 1 (questions = 0)</div></td>",
        "<div class=\"faint\">D9 held before too, but A1 came first</div>",
        "<div>hits[&quot;refuse&quot;] 0 → 1</div>",
        "<ins>refuse「算了」exact event 2:0–2</ins><del>price「多少钱」exact event 2:2–5</del>",
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    let page = page::render(&of_versions(), Lang::Zh);
    for part in [
        "<html lang=\"zh\">",
        "<title>重新评级：改变了什么</title>",
        "<title>等级分布：旧与新</title>",
        "<caption>全部 4 通。</caption>",
        "<td>读法 2</td>",
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
}

#[test]
fn a_page_of_labels_that_came_with_the_calls() {
    let page = page::render(&of_labels(), Lang::En);
    for part in [
        "before: labels that came with the calls<br>",
        "<th scope=\"row\">&lt;B&gt;</th>",
        "<td>B1 (&lt;B&gt;)</td><td>A1</td><td data-value=\"1\">1</td><td>unknown 1</td>",
        "<strong>B1</strong> <div class=\"faint\">there is no rule B1 now</div>",
        "<div>price「怎么收费」exact event 2:0–4</div>",
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    // There are no rules to hold today's against, and nothing was read before.
    for absent in ["The rules themselves", "Keywords that changed labels", "<ins>"] {
        assert!(!page.contains(absent), "{absent} in {page}");
    }
}
