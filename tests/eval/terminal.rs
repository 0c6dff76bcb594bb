//! Reports for the terminal, whole.

use super::{Desk, OF_CALLS, OF_UTTERANCES, desk};
use crate::script_load::demo;

/// A report without its first line, which names the script.
fn below(desk: &Desk, report: &str, word: &str) -> String {
    let head = format!("{word} demo@{}\n", demo().0.version());
    assert!(report.starts_with(&head), "{report}");
    assert!(!report.contains('\u{1b}'), "no colour into a pipe");
    assert!(!report.contains(&desk.path("")), "no path of this machine");
    report[head.len()..].to_owned()
}

#[test]
fn calls_on_the_terminal() {
    let desk = desk();
    let (code, output, errors) = desk.eval(&OF_CALLS);
    assert_eq!((code, errors.as_str()), (0, ""));
    assert_eq!(
        below(&desk, &output, "script"),
        r#"
━━ whole · 3 calls
labels right  0.667 [0.208–0.939]

gold \ found  A  D
A             1  ·
D             1  1

signal         agrees  share
ruleId         1/2     0.500 [0.095–0.905]
machine        1/1     1.000 [0.207–1.000]
refusals       1/2     0.500 [0.095–0.905]
refusalStreak  1/2     0.500 [0.095–0.905]
completion     1/2     0.500 [0.095–0.905]
invite         1/2     0.500 [0.095–0.905]
turns          2/3     0.667 [0.208–0.939]
nodes          1/2     0.500 [0.095–0.905]

turn by turn: categories
category   support  right  wrong  missed  precision            recall               F1
ask:price  1        1      1      0       0.500 [0.095–0.905]  1.000 [0.207–1.000]  0.667 [0.000–1.000]
refuse     2        1      0      1       1.000 [0.207–1.000]  0.500 [0.095–0.905]  0.667 [0.000–1.000]
micro      3        2      1      1       0.667 [0.208–0.939]  0.667 [0.208–0.939]  0.667 [0.000–1.000]

call by call: trigger questions
category  support  right  wrong  missed  precision            recall               F1
price     1        1      1      0       0.500 [0.095–0.905]  1.000 [0.207–1.000]  0.667 [0.000–1.000]
micro     1        1      1      0       0.500 [0.095–0.905]  1.000 [0.207–1.000]  0.667 [0.000–1.000]

call by call: how the invite was taken
category  support  right  wrong  missed  precision            recall               F1
accepted  0        0      1      0       0.000 [0.000–0.793]  —                    —
declined  1        0      0      1       —                    0.000 [0.000–0.793]  0.000 [0.000–0.000]
micro     1        0      1      1       0.000 [0.000–0.793]  0.000 [0.000–0.793]  0.000 [0.000–0.000]

where they differ
c2 ruleId  gold D1 → found D9
c2 refusals  gold 1 → found 0
c2 refusalStreak  gold 1 → found 0
c2 completion  gold 0.4 → found 0.25
c2 #1  gold refuse → found other  我没有兴趣的
    nearest phrase refuse「没兴趣」50%
c2 node  gold opening → found off-flow  您了解一下吧
c3 label  gold D → found A
    evidence refuse「不需要」exact，price「多少钱」exact
c3 invite  gold declined → found accepted
    evidence 「accepted」reported
c3 asked  gold — → found price
    evidence price「多少钱」exact
c3 turns  gold 2 → found 1
c3 #1  gold refuse → found ask:price refuse  不需要 多少钱
    evidence refuse「不需要」exact，price「多少钱」exact
note: "c9" is in the gold file, but not among the calls
note: calls that are not in the gold file, and so not measured: 1
"#
    );
}

#[test]
fn calls_on_the_terminal_in_chinese() {
    let desk = desk();
    let (code, output, _) = desk.eval(&[&OF_CALLS[..], &["--lang", "zh", "--errors", "3"]].concat());
    assert_eq!(code, 0);
    assert_eq!(
        below(&desk, &output, "话术"),
        r#"
━━ 全部 · 3 通
等级正确  0.667 [0.208–0.939]

实际 ＼ 判为  A  D
A             1  ·
D             1  1

信号           一致  比例
ruleId         1/2   0.500 [0.095–0.905]
machine        1/1   1.000 [0.207–1.000]
refusals       1/2   0.500 [0.095–0.905]
refusalStreak  1/2   0.500 [0.095–0.905]
completion     1/2   0.500 [0.095–0.905]
invite         1/2   0.500 [0.095–0.905]
turns          2/3   0.667 [0.208–0.939]
nodes          1/2   0.500 [0.095–0.905]

逐轮：分类
分类       实有  对  误报  漏报  准确率               召回率               F1
ask:price  1     1   1     0     0.500 [0.095–0.905]  1.000 [0.207–1.000]  0.667 [0.000–1.000]
refuse     2     1   0     1     1.000 [0.207–1.000]  0.500 [0.095–0.905]  0.667 [0.000–1.000]
micro      3     2   1     1     0.667 [0.208–0.939]  0.667 [0.208–0.939]  0.667 [0.000–1.000]

逐通：意向问题
分类   实有  对  误报  漏报  准确率               召回率               F1
price  1     1   1     0     0.500 [0.095–0.905]  1.000 [0.207–1.000]  0.667 [0.000–1.000]
micro  1     1   1     0     0.500 [0.095–0.905]  1.000 [0.207–1.000]  0.667 [0.000–1.000]

逐通：邀约结果
分类      实有  对  误报  漏报  准确率               召回率               F1
accepted  0     0   1     0     0.000 [0.000–0.793]  —                    —
declined  1     0   0     1     —                    0.000 [0.000–0.793]  0.000 [0.000–0.000]
micro     1     0   1     1     0.000 [0.000–0.793]  0.000 [0.000–0.793]  0.000 [0.000–0.000]

不一致之处
c2 ruleId  应为 D1 → 判为 D9
c2 refusals  应为 1 → 判为 0
c2 refusalStreak  应为 1 → 判为 0
还有 8 处（--errors）
注意："c9" is in the gold file, but not among the calls
注意：calls that are not in the gold file, and so not measured: 1
"#
    );
    let (_, output, _) = desk.eval(&[&OF_CALLS[..], &["--errors", "0"]].concat());
    assert!(!output.contains("where they differ"), "{output}");
}

#[test]
fn utterances_on_the_terminal() {
    let desk = desk();
    let (code, output, errors) = desk.eval(&OF_UTTERANCES);
    assert_eq!((code, errors.as_str()), (0, ""));
    assert_eq!(
        below(&desk, &output, "script"),
        r#"
━━ whole · 9 utterances
categories right  0.667 [0.354–0.879]
macro F1  0.767 [0.190–0.952]

gold \ found  affirm  refuse  price  other
affirm        1       ·       ·      ·
refuse        ·       1       ·      1
price         ·       ·       2      1
other         ·       1       ·      2

categories
category  support  right  wrong  missed  precision            recall               F1
affirm    1        1      0      0       1.000 [0.207–1.000]  1.000 [0.207–1.000]  1.000 [1.000–1.000]
price     3        2      0      1       1.000 [0.342–1.000]  0.667 [0.208–0.939]  0.800 [0.000–1.000]
refuse    2        1      1      1       0.500 [0.095–0.905]  0.500 [0.095–0.905]  0.500 [0.000–1.000]
micro     6        4      1      2       0.800 [0.376–0.964]  0.667 [0.300–0.903]  0.727 [0.286–0.941]

where they differ
3  gold price → found other  一年要交多少
    nearest phrase price「多少钱」50%
5  gold refuse → found other  没有兴趣
    nearest phrase refuse「没兴趣」50%
9  gold other → found refuse  不需要 <script>alert(1)</script>
    evidence refuse「不需要」exact
note: utterances left out, because the script has no category or question "busy": 1
"#
    );
}
