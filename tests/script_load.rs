//! Bundles that cannot be used: the exact text of what is wrong, where, and what to do.

use std::collections::BTreeMap;

use callgrade::script::{Bundle, BundleError, compile};

mod conditions;
mod examples;
mod lists;
mod names;
mod syntax;
mod yaml;

const SCRIPT: &str = r#"id: demo
title: 示例
labels:
  - {id: A, title: 有意向}
  - {id: D, title: 无意向}
settings: {instant_hangup_s: 5}
variables: {company: 云拨智能}
flow:
  start: opening
  nodes:
    - id: opening
      title: 开场白
      main: true
      prompt: 您好，这里是{company}，给您介绍一下可以吗？
      cues: [给您介绍一下]
      branches:
        refuse: closing
        question: answer
        silence: self
        any: product
    - id: product
      title: 产品介绍
      main: true
      prompt: 我们的电话机器人一天能打一千个电话。
      branches: {refuse: closing, any: closing}
    - id: closing
      title: 结束语
      prompt: 那就不打扰您了，祝您生活愉快，再见。
lexicon:
  categories: {affirm: 肯定, refuse: 拒绝}
  questions: {price: 价格}
  opposite: [[affirm, refuse]]
rules:
  - id: A1
    label: A
    when: questions >= 1
    words: 问了问题
  - id: D1
    label: D
    when: refusals >= 1
    words: 拒绝
  - id: D9
    label: D
    catch_all: true
    when: connected && ended
    words: 其余
follow_up:
  - {when: 'label == "A"', action: call, within_hours: 24, note: 跟进}
aliases:
  nodes: {开场: opening}
  categories: {拒绝: refuse}
"#;

const CASES: &str = r#"- name: 问价格
  events: [answered, customer: 多少钱, hangup: customer]
  expect: {label: A, rule: A1}
- name: 拒绝
  events: [answered, customer: 不需要, hangup: customer]
  expect: {label: D, rule: D1}
- name: 其余
  events: [answered, customer: 你好, hangup: customer]
  expect: {label: D, rule: D9}
"#;

/// A small script with nothing wrong and nothing odd.
pub(crate) struct Demo(pub(crate) Bundle);

pub(crate) fn demo() -> Demo {
    let files = [
        ("script.yaml", SCRIPT),
        ("keywords/affirm.txt", "可以介绍\n^好的$\n"),
        ("keywords/refuse.txt", "不需要\n没兴趣\n!不需要吗\n"),
        ("keywords/price.txt", "多少钱\n/怎么.{0,2}收费/\n"),
        ("keywords/robot/offer.txt", "可以吗\n"),
        ("cases/rules.yaml", CASES),
    ];
    let files: BTreeMap<String, String> = files.into_iter().map(|(path, text)| (path.to_owned(), text.to_owned())).collect();
    Demo(Bundle { name: "demo".to_owned(), files })
}

impl Demo {
    /// With one part of a file replaced, or a file added where `from` is empty.
    pub(crate) fn with(mut self, path: &str, from: &str, to: &str) -> Self {
        let text = self.0.files.get(path).cloned().unwrap_or_default();
        assert!(text.contains(from), "{path} does not hold {from:?}");
        self.0.files.insert(path.to_owned(), text.replacen(from, to, 1));
        self
    }

    /// With a file replaced.
    pub(crate) fn with_file(mut self, path: &str, text: &str) -> Self {
        self.0.files.insert(path.to_owned(), text.to_owned());
        self
    }

    /// Without a file.
    pub(crate) fn without(mut self, path: &str) -> Self {
        assert!(self.0.files.remove(path).is_some(), "there is no {path}");
        self
    }
}

/// Compares what is told of a bundle that does not load.
fn fails(demo: &Demo, expected: &str) {
    let told = match compile(&demo.0) {
        Ok(_) => "it loads".to_owned(),
        Err(error) => error.to_string(),
    };
    assert_eq!(told, expected.trim_start_matches('\n'));
}

fn rule(condition: &str) -> Demo {
    demo().with("script.yaml", "when: questions >= 1", &format!("when: {condition}"))
}

#[test]
fn the_demo_loads() {
    assert!(compile(&demo().0).is_ok());
}

#[test]
fn conditions_of_every_form_load() {
    for condition in [
        "asked.exists(q, q == 'price')",
        "asked.all(q, q.startsWith('pr') || q in reached)",
        "asked.exists_one(q, q != 'price')",
        "size(asked) > 1 ? completion > 0.5 : !connected",
        "talk_s / 2.0 > 3.5 && -questions < 0",
        "hits['refuse'] + hits[\"affirm\"] >= 2 && talk_s < settings.instant_hangup_s",
        "dial_result in ['busy', 'failed'] && invite != 'declined'",
    ] {
        fails(&rule(&format!("{condition:?}")), "it loads");
    }
}

#[test]
fn a_bundle_that_is_not_utf_8() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("script.yaml"), b"id: demo\ntitle: \xc4\xe3\n").unwrap();
    let error = Bundle::read(folder.path()).unwrap_err();
    let path = folder.path().join("script.yaml");
    assert_eq!(error.to_string(), format!("{}: not UTF-8 text (at byte 16); save the file as UTF-8", path.display()));
}

#[test]
fn a_folder_without_a_script() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    let error = Bundle::read_all(folder.path()).unwrap_err();
    assert!(matches!(error, BundleError::Empty(_)));
    let expected = format!("{}: no script here; a script is a folder with a script.yaml", folder.path().display());
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_bundle_without_script_yaml() {
    let folder = tempfile::tempdir().unwrap();
    let demo = Demo(Bundle { name: "demo".to_owned(), ..Bundle::read(folder.path()).unwrap() });
    fails(
        &demo,
        "
error[missing-file]: a script needs a script.yaml
 --> demo/script.yaml:1:1
  |
1 |
  | ^",
    );
}

#[test]
fn a_folder_that_is_not_there() {
    let error = Bundle::read_all("no/such/folder".as_ref()).unwrap_err();
    assert_eq!(error.to_string(), "no/such/folder: No such file or directory (os error 2)");
}
