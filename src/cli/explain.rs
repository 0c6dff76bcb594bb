//! `callgrade explain`: one call as a person reads it.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::Args;

use super::classify::follow_up_words;
use super::input::{self, Given, ReadOptions};
use super::paint::{Role, label_role, paint};
use super::table::pad;
use super::{KeptVersions, Outcome, REJECTED, ScriptOptions};
use crate::config::Lang;
use crate::core::call::{CallState, LineView};
use crate::core::event::{Event, EventKind, Speaker};
use crate::core::explain::{self, Outcome as Came};
use crate::core::rule::Facts;
use crate::core::script::Script;
use crate::core::verdict::{EndedBy, Verdict};
use crate::ingest::CallRecord;
use crate::wire::v1;

mod marks;

#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    #[command(flatten)]
    scripts: ScriptOptions,
    #[command(flatten)]
    kept: KeptVersions,
    #[command(flatten)]
    input: ReadOptions,
    /// The file the call is in; - is standard input
    file: PathBuf,
    /// Which call
    call_id: String,
}

pub(super) fn run(args: &ExplainArgs, lang: Lang) -> Outcome {
    let scripts = args.kept.choice(&args.scripts)?;
    let reading = args.input.reading(false);
    let name = args.file.display().to_string();
    let source = input::open(&args.file).map_err(|error| anyhow::anyhow!("{name}: {error}"))?;
    let mut found: Option<CallRecord> = None;
    let mut seen = 0usize;
    let mut refused = None;
    input::read(
        source,
        &reading,
        |_| {},
        |given| {
            match given {
                Given::Call(item) if item.record.call_id == args.call_id => found = Some(item.record),
                Given::Fault(fault) if fault.rejection.call_id == args.call_id => refused = Some(fault.rejection),
                _ => seen += 1,
            }
            Ok(found.is_none() && refused.is_none())
        },
    )
    .with_context(|| name.clone())?;
    let Some(record) = found else {
        match refused {
            Some(rejection) => eprintln!("callgrade: {name}: {rejection}"),
            None => {
                let en = format!("callgrade: {name}: no call {:?} among its {seen} calls", args.call_id);
                let zh = format!("callgrade: {name}：{seen} 通里没有通话 {:?}", args.call_id);
                eprintln!("{}", lang.pick(zh, en));
            }
        }
        return Ok(ExitCode::from(REJECTED));
    };
    let script = scripts.of(&record.script_id)?;
    std::io::Write::write_all(&mut anstream::stdout().lock(), page(&script, &record, lang).as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// The whole page.
fn page(script: &Arc<Script>, record: &CallRecord, lang: Lang) -> String {
    let mut call = CallState::new(Arc::clone(script));
    call.set_clock(record.clock());
    for (seq, event) in (1..).zip(&record.events) {
        call.push(seq, event.clone());
    }
    call.close(EndedBy::EndOfRecord);
    let verdict = call.verdict();
    let page = Page { script, call: &call, verdict: &verdict, lang };
    let mut out = String::new();
    page.head(&mut out, record);
    page.transcript(&mut out);
    page.flow(&mut out);
    page.why(&mut out);
    page.why_not(&mut out);
    page.rest(&mut out, record);
    out
}

struct Page<'a> {
    script: &'a Script,
    call: &'a CallState,
    verdict: &'a Verdict,
    lang: Lang,
}

impl Page<'_> {
    fn heading(&self, out: &mut String, zh: &str, en: &str) {
        let _ = writeln!(out, "\n{}", paint(Role::Head, self.lang.pick(zh, en)));
    }

    fn facts(&self) -> Facts<'_> {
        Facts { script: self.script, signals: &self.verdict.signals, label: "" }
    }

    fn head(&self, out: &mut String, record: &CallRecord) {
        let Self { script, verdict, lang, .. } = self;
        let label = verdict.label.and_then(|place| Some((place, script.labels.get(place)?)));
        let shown = match label {
            Some((place, label)) => {
                let role = label_role(place, script.labels.len());
                format!("{} {}", paint(role, &label.id), label.title)
            }
            None => lang.pick("尚无等级", "no label").to_owned(),
        };
        let _ = writeln!(
            out,
            "{} {}    {} {}@{}",
            lang.pick("通话", "call"),
            paint(Role::Head, &record.call_id),
            script.title,
            script.id,
            script.version
        );
        let _ = writeln!(out, "{} {shown}", lang.pick("等级", "label"));
    }

    fn transcript(&self, out: &mut String) {
        self.heading(out, "对话", "Transcript");
        let lines = self.call.lines();
        let mut last_turn = None;
        for (index, event) in (0u32..).zip(self.call.events()) {
            let time = format!("{:>6.1}s", f64::from(event.at_ms) / 1000.0);
            let line = lines.iter().find(|line| line.event == index);
            let turn = self.call.turn_of(index);
            let new_turn = turn.is_some() && turn != last_turn;
            last_turn = turn.or(last_turn);
            let text = self.event(index, event, line, if new_turn { turn } else { None });
            let _ = writeln!(out, "{} {text}", paint(Role::Faint, &time));
        }
    }

    fn event(&self, index: u32, event: &Event, line: Option<&LineView>, turn: Option<usize>) -> String {
        let lang = self.lang;
        match &event.kind {
            EventKind::Utterance(utterance) => {
                let who = match utterance.speaker {
                    Speaker::Robot => lang.pick("机器人", "robot"),
                    Speaker::Customer => lang.pick("客户", "customer"),
                    Speaker::Agent => lang.pick("坐席", "agent"),
                };
                let mut text = format!("{} ", pad(who, 9));
                if let Some(node) = line.and_then(|line| line.node).and_then(|node| self.script.node(node)) {
                    let _ = write!(text, "{} ", paint(Role::Faint, &format!("[{}]", node.id)));
                }
                text.push_str(&if utterance.speaker == Speaker::Customer {
                    self.highlight(index, &utterance.text)
                } else {
                    utterance.text.to_string()
                });
                if let Some(played) = utterance.played {
                    let _ = write!(text, " {}", paint(Role::Faint, &format!("({} {:.0}%)", lang.pick("播放", "played"), played * 100.0)));
                }
                if line.is_some_and(|line| line.off_script) {
                    let _ = write!(text, " {}", paint(Role::Mark, lang.pick("← 偏离话术分支", "← left the script's branches")));
                }
                if let Some(turn) = turn {
                    let _ = write!(text, "  {}", self.tags(turn));
                }
                text
            }
            kind => paint(Role::Faint, &format!("{} {}", pad("·", 9), happening(kind, lang))),
        }
    }

    /// What a turn hits, by name.
    fn tags(&self, turn: usize) -> String {
        let Some(view) = self.call.turns().get(turn).copied() else { return String::new() };
        if !view.content {
            return paint(Role::Faint, &format!("〈{}〉", self.lang.pick("寒暄", "filler")));
        }
        let names: Vec<String> = view
            .concepts
            .iter()
            .filter_map(|index| Some((index, self.script.concept(index)?)))
            .map(|(index, concept)| paint(self.role(index), self.lang.pick(&concept.title, &concept.id)))
            .collect();
        if names.is_empty() { String::new() } else { format!("〈{}〉", names.join("，")) }
    }

    fn role(&self, concept: u8) -> Role {
        let known = &self.script.known;
        match Some(concept) {
            _ if self.script.is_question(concept) => Role::Question,
            c if c == known.refuse || c == known.do_not_call || c == known.deny => Role::Bad,
            c if c == known.affirm || c == known.contact => Role::Good,
            _ => Role::Mark,
        }
    }

    fn flow(&self, out: &mut String) {
        self.heading(out, "主流程", "Main flow");
        let lang = self.lang;
        for progress in &self.verdict.nodes {
            let Some(node) = self.script.node(progress.node) else { continue };
            let filled = (progress.progress * 20.0).round() as usize;
            let bar = format!("{}{}", "█".repeat(filled), "·".repeat(20 - filled.min(20)));
            let told = if progress.recognised && progress.similarity > 0.0 {
                format!("  {} {:.0}%", lang.pick("按文字识别", "recognised by words"), progress.similarity * 100.0)
            } else {
                String::new()
            };
            let _ = writeln!(
                out,
                "  {} {bar} {:>4.0}%{}",
                pad(&format!("{} {}", node.id, node.title), 24),
                progress.progress * 100.0,
                paint(Role::Faint, &told)
            );
        }
        let _ = writeln!(out, "  {} {:.1}%", lang.pick("完成度", "completion"), self.verdict.signals.completion * 100.0);
    }

    fn why(&self, out: &mut String) {
        self.heading(out, "为什么是这个等级", "Why this label");
        let Some(rule) = self.verdict.rule.and_then(|rule| self.script.rules.get(rule)) else {
            let _ = writeln!(out, "  {}", self.lang.pick("没有规则成立", "no rule holds"));
            return;
        };
        let _ = writeln!(out, "  {}  {}", paint(Role::Head, &rule.id), rule.words);
        let _ = writeln!(out, "  {}", paint(Role::Faint, &rule.condition.source));
        if rule.catch_all {
            let _ = writeln!(out, "  {}", self.lang.pick("（兜底规则：别的规则都不成立）", "(a catch-all: no other rule holds)"));
        }
        self.outcome(out, &explain::explain(&rule.condition.expr, self.facts()), TOP);
        if !self.verdict.also_matched.is_empty() {
            let also: Vec<String> = self
                .verdict
                .also_matched
                .iter()
                .filter_map(|&rule| self.script.rules.get(rule))
                .map(|rule| format!("{} {}", rule.id, rule.words))
                .collect();
            let _ = writeln!(out, "  {} {}", self.lang.pick("也成立：", "also holds:"), also.join("；"));
        }
    }

    fn why_not(&self, out: &mut String) {
        let best = self.verdict.label.unwrap_or(self.script.labels.len());
        for (place, label) in self.script.labels.iter().enumerate().take(best) {
            self.heading(out, &format!("为什么不是 {}", label.id), &format!("Why not {}", label.id));
            for rule in self.script.rules.iter().filter(|rule| rule.label == place) {
                let _ = writeln!(out, "  {}  {}", paint(Role::Head, &rule.id), rule.words);
                let came = explain::explain(&rule.condition.expr, self.facts());
                if rule.catch_all && came.holds() {
                    let _ = writeln!(
                        out,
                        "    {}",
                        self.lang.pick("兜底规则，轮不到：已有规则成立", "a catch-all, not tried: another rule holds")
                    );
                } else {
                    self.outcome(out, &came, TOP);
                }
            }
        }
    }

    fn outcome(&self, out: &mut String, came: &Came, depth: usize) {
        let indent = "  ".repeat(depth);
        match came {
            Came::All(_, parts) if depth == TOP => parts.iter().for_each(|part| self.outcome(out, part, depth)),
            Came::All(holds, parts) => {
                let _ = writeln!(out, "{indent}{} {}", tick(*holds), self.lang.pick("同时：", "all of:"));
                parts.iter().for_each(|part| self.outcome(out, part, depth + 1));
            }
            Came::Any(holds, parts) => {
                let _ = writeln!(out, "{indent}{} {}", tick(*holds), self.lang.pick("其中之一：", "one of:"));
                parts.iter().for_each(|part| self.outcome(out, part, depth + 1));
            }
            Came::Test(holds, test, values) => {
                let values: Vec<String> =
                    values.iter().filter(|(name, _)| name != test).map(|(name, value)| format!("{name} = {value}")).collect();
                let values = if values.is_empty() { String::new() } else { format!("   {}", values.join("，")) };
                let _ = writeln!(out, "{indent}{} {test}{}", tick(*holds), paint(Role::Faint, &values));
            }
        }
    }

    fn rest(&self, out: &mut String, record: &CallRecord) {
        let lang = self.lang;
        if let Some(callback) = &self.verdict.callback {
            self.heading(out, "回电时间", "Callback");
            let at = callback.at.as_ref().map_or_else(
                || lang.pick("没有确切时间", "no moment").to_owned(),
                |at| format!("{} {}", at.strftime("%Y-%m-%d %H:%M"), at.time_zone().iana_name().unwrap_or_default()),
            );
            let said = self.call.events().nth(callback.event as usize).map_or(0.0, |event| f64::from(event.at_ms) / 1000.0);
            let _ = writeln!(out, "  {at}  {}{}  {said:.1}s", lang.pick("客户说：", "the customer said: "), callback.words);
        }
        if let Some(step) = self.verdict.next_step(self.script) {
            self.heading(out, "跟进", "Follow-up");
            let words = v1::FollowUp { action: step.action.to_owned(), within_hours: step.within_hours, note: String::new() };
            let _ = writeln!(out, "  {}  {}", follow_up_words(&words, lang), step.note);
        }
        if self.verdict.do_not_call {
            let _ = writeln!(out, "  {}", paint(Role::Bad, lang.pick("客户要求不再致电", "the customer asked not to be called again")));
        }
        let rejected = record.rejections.iter().map(|rejection| format!("event {} rejected: {}", rejection.seq, rejection.reason));
        let notices: Vec<String> = record.notices.iter().chain(&self.verdict.notices).cloned().chain(rejected).collect();
        if !notices.is_empty() {
            self.heading(out, "提示", "Notices");
            notices.iter().for_each(|notice| {
                let _ = writeln!(out, "  {notice}");
            });
        }
    }
}

/// How far the parts of a condition are indented.
const TOP: usize = 2;

fn tick(holds: bool) -> String {
    if holds { paint(Role::Good, "✓") } else { paint(Role::Bad, "✗") }
}

/// What happened, where nothing was said.
fn happening(kind: &EventKind, lang: Lang) -> String {
    match kind {
        EventKind::Answered => lang.pick("接通", "answered").to_owned(),
        EventKind::NotConnected(report) => {
            let decision = crate::core::dial::dial_result(report);
            format!(
                "{} {}（{}） {}",
                lang.pick("未接通", "not connected:"),
                decision.result.as_str(),
                decision.by.as_str(),
                report.announcement
            )
        }
        EventKind::AnsweredBy(by) => format!("{} {}", lang.pick("接听方", "answered by"), by.map_or("unknown", |by| by.as_str())),
        EventKind::NodeEntered(node) => format!("{} {node}", lang.pick("进入节点", "node")),
        EventKind::Silence(ms) => format!("{} {:.1}s", lang.pick("客户没有出声", "no input for"), f64::from(*ms) / 1000.0),
        EventKind::KeywordTriggered(keyword) => {
            format!("{} {} {}", lang.pick("拨号端报告关键词", "the dialer reports keyword"), keyword.category, keyword.keyword)
        }
        EventKind::Refused(_) => lang.pick("拨号端报告拒绝", "the dialer reports a refusal").to_owned(),
        EventKind::InviteOutcome(outcome) => {
            format!("{} {}", lang.pick("拨号端报告邀约", "the dialer reports the invite"), outcome.as_str())
        }
        EventKind::Hangup(hangup) => format!("{} {}", lang.pick("挂机", "hung up by"), hangup.by.map_or("", |by| by.as_str())),
        EventKind::Dtmf(digits) => format!("{} {digits}", lang.pick("按键", "keys")),
        EventKind::Transferred(to) => format!("{} {to}", lang.pick("转人工", "transferred to")),
        EventKind::Unknown => lang.pick("未知事件", "an event of unknown kind").to_owned(),
        EventKind::Utterance(_) => String::new(),
    }
}
