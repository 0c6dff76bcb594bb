//! How it went, for people and for programs.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use super::tally::{Tally, Times};
use crate::cli::table::{Table, pad};
use crate::config::Lang;

/// The shares of which it is told how long they took.
const SHARES: [(&str, f64); 4] = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999)];

/// How far things have come: a bar where standard error is a terminal, else a line now and then.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    lang: Lang,
}

impl Progress {
    pub(super) fn new(duration: Duration, lang: Lang) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let length = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
            let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{bar:20} {msg}") {
                bar.set_style(style);
            }
            bar
        });
        Self { bar, lang }
    }

    /// How often to show it.
    pub(super) fn every(&self, without_terminal: Duration) -> Duration {
        if self.bar.is_some() { Duration::from_millis(500) } else { without_terminal }
    }

    pub(super) fn show(&self, so_far: &Tally, passed: Duration) {
        let line = line(so_far, passed, self.lang);
        match &self.bar {
            Some(bar) => {
                bar.set_position(u64::try_from(passed.as_millis()).unwrap_or(u64::MAX));
                bar.set_message(line);
            }
            None => anstream::eprintln!("{line}"),
        }
    }

    pub(super) fn done(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn line(tally: &Tally, passed: Duration, lang: Lang) -> String {
    let seconds = passed.as_secs_f64();
    let Tally { ended, acknowledged, .. } = tally;
    let (live, rejected) = (tally.live(), tally.rejected());
    let rate = *acknowledged as f64 / seconds;
    let (p50, p99) = (ms(tally.acknowledgement.quantile_ms(0.5)), ms(tally.acknowledgement.quantile_ms(0.99)));
    match lang {
        Lang::Zh => format!(
            "{seconds:.0} 秒：进行中 {live} 通，已结束 {ended} 通；确认 {acknowledged} 个事件（每秒 {rate:.0}），p50 {p50} ms，p99 {p99} ms；拒收 {rejected}"
        ),
        Lang::En => format!(
            "{seconds:.0} s: {live} calls live, {ended} ended; {acknowledged} events acknowledged ({rate:.0}/s), p50 {p50} ms, p99 {p99} ms; {rejected} rejections"
        ),
    }
}

/// Milliseconds, to about three digits.
fn ms(ms: f64) -> String {
    match ms {
        ..10.0 => format!("{ms:.2}"),
        ..100.0 => format!("{ms:.1}"),
        _ => format!("{ms:.0}"),
    }
}

/// Counts with their names, the largest first; `none` where there are none.
fn counts<'a>(counts: impl Iterator<Item = (&'a str, u64)>, none: &str) -> String {
    let mut counts: Vec<(&str, u64)> = counts.collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    if counts.is_empty() {
        return none.to_owned();
    }
    counts.iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
}

/// The result as tables.
pub(super) fn table(tally: &Tally, prefix: &str, seconds: f64, lang: Lang) -> std::io::Result<()> {
    let Tally { begun, ended, cut, late, refused, lost, sent, acknowledged, lost_events, .. } = tally;
    let unlabelled = lang.pick("无等级", "no label");
    let labels = tally.labels.iter().map(|(label, count)| (if label.is_empty() { unlabelled } else { label }, *count));
    let none = lang.pick("无", "none");
    let rates = (*begun as f64 / seconds, *acknowledged as f64 / seconds);
    let rows = [
        (lang.pick("通话编号", "call ids"), format!("{prefix}-…")),
        (
            lang.pick("通话", "calls"),
            match lang {
                Lang::Zh => format!("开始 {begun}，结束 {ended}（其中到时挂断 {cut}），晚开始 {late}，被拒 {refused}，丢失 {lost}"),
                Lang::En => {
                    format!("{begun} begun, {ended} ended ({cut} hung up as time was over), {late} late, {refused} refused, {lost} lost")
                }
            },
        ),
        (
            lang.pick("事件", "events"),
            match lang {
                Lang::Zh => format!("发出 {sent}，确认 {acknowledged}，丢失 {lost_events}"),
                Lang::En => format!("{sent} sent, {acknowledged} acknowledged, {lost_events} lost"),
            },
        ),
        (
            lang.pick("每秒", "a second"),
            match lang {
                Lang::Zh => format!("{:.1} 通，{:.0} 个事件，共 {seconds:.1} 秒", rates.0, rates.1),
                Lang::En => format!("{:.1} calls, {:.0} events, over {seconds:.1} s", rates.0, rates.1),
            },
        ),
        (lang.pick("拒收", "rejections"), counts(tally.rejections.iter().map(|(code, count)| (*code, *count)), none)),
        (lang.pick("终态等级", "final labels"), counts(labels, none)),
        (lang.pick("临时结果", "provisional"), tally.provisional.to_string()),
    ];
    let mut out = anstream::stdout().lock();
    for (name, value) in rows {
        writeln!(out, "{}{value}", pad(name, 14))?;
    }
    let mut table = Table::new(&[lang.pick("毫秒", "ms"), "p50", "p90", "p99", "p99.9", lang.pick("最长", "max")]);
    let names = lang.pick(["事件到确认", "挂机到终态结果"], ["event to acknowledgement", "hangup to final verdict"]);
    for (name, times) in names.iter().zip([&tally.acknowledgement, &tally.verdict]) {
        let mut cells = vec![(*name).to_owned()];
        cells.extend(SHARES.iter().map(|(_, share)| ms(times.quantile_ms(*share))));
        cells.push(ms(times.longest_ms()));
        table.row(cells);
    }
    writeln!(out)?;
    table.lines().iter().try_for_each(|line| writeln!(out, "{line}"))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    prefix: &'a str,
    seconds: f64,
    calls: Calls,
    events: Events,
    calls_per_second: f64,
    events_per_second: f64,
    rejections: &'a BTreeMap<&'static str, u64>,
    labels: &'a BTreeMap<String, u64>,
    provisional_verdicts: u64,
    broken_streams: u64,
    acknowledgement_ms: Quantiles,
    final_verdict_ms: Quantiles,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Calls {
    begun: u64,
    ended: u64,
    hung_up: u64,
    late: u64,
    refused: u64,
    lost: u64,
}

#[derive(Serialize)]
struct Events {
    sent: u64,
    acknowledged: u64,
    lost: u64,
}

#[derive(Serialize)]
struct Quantiles {
    count: u64,
    p50: f64,
    p90: f64,
    p99: f64,
    p999: f64,
    max: f64,
}

impl From<&Times> for Quantiles {
    fn from(times: &Times) -> Self {
        let [p50, p90, p99, p999] = SHARES.map(|(_, share)| times.quantile_ms(share));
        Self { count: times.count(), p50, p90, p99, p999, max: times.longest_ms() }
    }
}

/// The result as one JSON object.
pub(super) fn json(tally: &Tally, prefix: &str, seconds: f64) -> anyhow::Result<()> {
    let report = Report {
        prefix,
        seconds,
        calls: Calls {
            begun: tally.begun,
            ended: tally.ended,
            hung_up: tally.cut,
            late: tally.late,
            refused: tally.refused,
            lost: tally.lost,
        },
        events: Events { sent: tally.sent, acknowledged: tally.acknowledged, lost: tally.lost_events },
        calls_per_second: tally.begun as f64 / seconds,
        events_per_second: tally.acknowledged as f64 / seconds,
        rejections: &tally.rejections,
        labels: &tally.labels,
        provisional_verdicts: tally.provisional,
        broken_streams: tally.broken,
        acknowledgement_ms: (&tally.acknowledgement).into(),
        final_verdict_ms: (&tally.verdict).into(),
    };
    let mut out = std::io::stdout().lock();
    serde_json::to_writer(&mut out, &report).map_err(std::io::Error::from)?;
    writeln!(out)?;
    Ok(())
}
