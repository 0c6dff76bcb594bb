//! The metrics of one server, as Prometheus reads them.
//!
//! Each is declared once, in [`DECLARED`]. Handles of those that the streaming path counts are made when the server starts;
//! what happened to a batch of events is added up in a [`Tally`] first.

use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, Key, Label, Level, Metadata, Recorder};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use tonic::Code;

use crate::wire::code_name;

mod declared;

use declared::{
    ACKS, BUILD, COMMIT_FAILURES, COMMIT_ROWS, COMMIT_SECONDS, EVENTS, FINAL_VERDICTS, HELD_CALLS, LIVE_CALLS, PUSHES, QUEUE_DEPTH,
    RECOVERED_CALLS, RECOVERY_SECONDS, REGRADED_CALLS, REGRADES, REJECTIONS, REQUESTS, REVISED_VERDICTS, STREAMS,
};
pub use declared::{DECLARED, Declared, Kind};

/// A queue whose depth is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Queue {
    /// Events that wait for a commit.
    Journal,
    /// Verdicts that wait to be pushed.
    Push,
}

/// What became of a verdict that was pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PushOutcome {
    /// The receiver took it.
    Delivered,
    /// It did not, and is asked again.
    Retried,
    /// It is not asked any more.
    Dead,
}

/// What events led to, added up before it is counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    events: u64,
    acks: u64,
    rejections: [u64; CODES],
}

/// How many codes of `google.rpc.Code` there are.
const CODES: usize = 17;

impl Tally {
    /// Nothing but so many events.
    #[must_use]
    pub fn of(events: usize) -> Self {
        Self { events: events as u64, ..Self::default() }
    }

    /// One more acknowledgement.
    pub fn ack(&mut self) {
        self.acks += 1;
    }

    /// One more rejection.
    pub fn rejection(&mut self, code: Code) {
        if let Some(count) = self.rejections.get_mut(code as usize) {
            *count += 1;
        }
    }
}

/// The metrics of one server. Two servers of a process have nothing in common.
pub struct Metrics {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    events: Counter,
    acks: Counter,
    rejections: [OnceLock<Counter>; CODES],
    live_calls: Gauge,
    held_calls: Gauge,
    streams: Gauge,
    commit_seconds: Histogram,
    commit_rows: Histogram,
    commit_failures: Counter,
    queues: [Gauge; 2],
    pushes: [Counter; 3],
    recovery_seconds: Gauge,
    recovered_calls: Gauge,
    regraded_calls: Counter,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

/// A commit that takes so long keeps whoever waits for its acknowledgements waiting: it is logged.
const SLOW: Duration = Duration::from_secs(1);

const METADATA: Metadata<'static> = Metadata::new("callgrade", Level::INFO, Some("callgrade"));

fn key(metric: &Declared, values: &[&str]) -> Key {
    debug_assert_eq!(metric.labels.len(), values.len(), "{}", metric.name);
    let labels: Vec<Label> = metric.labels.iter().zip(values).map(|(name, value)| Label::new(*name, (*value).to_owned())).collect();
    Key::from_parts(metric.name, labels)
}

fn builder() -> PrometheusBuilder {
    DECLARED.iter().fold(PrometheusBuilder::new(), |builder, metric| match metric.kind {
        Kind::Histogram(bounds) => {
            // An error would mean that there are no bounds; then it is a summary.
            builder.set_buckets_for_metric(Matcher::Full(metric.name.to_owned()), bounds).unwrap_or_else(|_| PrometheusBuilder::new())
        }
        Kind::Counter | Kind::Gauge => builder,
    })
}

impl Metrics {
    /// All at nought.
    #[must_use]
    pub fn new() -> Self {
        let recorder = builder().build_recorder();
        for Declared { name, kind, unit, help, .. } in DECLARED.iter().copied() {
            match kind {
                Kind::Counter => recorder.describe_counter(name.into(), Some(unit), help.into()),
                Kind::Gauge => recorder.describe_gauge(name.into(), Some(unit), help.into()),
                Kind::Histogram(_) => recorder.describe_histogram(name.into(), Some(unit), help.into()),
            }
        }
        let counter = |metric: &Declared, values: &[&str]| recorder.register_counter(&key(metric, values), &METADATA);
        let gauge = |metric: &Declared, values: &[&str]| recorder.register_gauge(&key(metric, values), &METADATA);
        let histogram = |metric: &Declared| recorder.register_histogram(&key(metric, &[]), &METADATA);
        gauge(&BUILD, &[env!("CARGO_PKG_VERSION")]).set(1.0);
        let metrics = Self {
            handle: recorder.handle(),
            events: counter(&EVENTS, &[]),
            acks: counter(&ACKS, &[]),
            rejections: [const { OnceLock::new() }; CODES],
            live_calls: gauge(&LIVE_CALLS, &[]),
            held_calls: gauge(&HELD_CALLS, &[]),
            streams: gauge(&STREAMS, &[]),
            commit_seconds: histogram(&COMMIT_SECONDS),
            commit_rows: histogram(&COMMIT_ROWS),
            commit_failures: counter(&COMMIT_FAILURES, &[]),
            queues: ["journal", "push"].map(|queue| gauge(&QUEUE_DEPTH, &[queue])),
            pushes: ["delivered", "retried", "dead"].map(|outcome| counter(&PUSHES, &[outcome])),
            recovery_seconds: gauge(&RECOVERY_SECONDS, &[]),
            recovered_calls: gauge(&RECOVERED_CALLS, &[]),
            regraded_calls: counter(&REGRADED_CALLS, &[]),
            recorder,
        };
        // There from the start, so that the first one can be seen to be one more.
        for code in [Code::InvalidArgument, Code::ResourceExhausted, Code::NotFound, Code::FailedPrecondition] {
            metrics.rejected(code, 0);
        }
        metrics
    }

    /// All of them, in the text format of Prometheus.
    #[must_use]
    pub fn render(&self) -> String {
        self.handle.render()
    }

    /// Makes room for more observations; to be called every few seconds, since nobody may ever ask for the metrics.
    pub fn upkeep(&self) {
        self.handle.run_upkeep();
    }

    /// Counts what events led to.
    pub fn count(&self, tally: &Tally) {
        self.events.increment(tally.events);
        self.acks.increment(tally.acks);
        for (place, count) in tally.rejections.iter().enumerate().filter(|(_, count)| **count > 0) {
            self.rejected(Code::from(place as i32), *count);
        }
    }

    fn rejected(&self, code: Code, count: u64) {
        if let Some(counter) = self.rejections.get(code as usize) {
            let register = || self.recorder.register_counter(&key(&REJECTIONS, &[code_name(code)]), &METADATA);
            counter.get_or_init(register).increment(count);
        }
    }

    /// A call ended. The rule is empty where none gave the label.
    pub fn final_verdict(&self, script: &str, label: &str, rule: &str) {
        self.recorder.register_counter(&key(&FINAL_VERDICTS, &[script, label, rule]), &METADATA).increment(1);
    }

    /// A late event changed the verdict of a call that had ended.
    pub fn revised_verdict(&self, script: &str) {
        self.recorder.register_counter(&key(&REVISED_VERDICTS, &[script]), &METADATA).increment(1);
    }

    /// How many calls are live, and how many are in memory.
    pub fn calls(&self, live: usize, held: usize) {
        self.live_calls.set(live as f64);
        self.held_calls.set(held as f64);
    }

    /// A stream is open for as long as what this gives is kept.
    #[must_use]
    pub fn stream(&self) -> OpenStream {
        self.streams.increment(1.0);
        OpenStream(self.streams.clone())
    }

    /// A request was answered. There must be no more methods than there are.
    pub fn request(&self, method: &str, code: &str) {
        self.recorder.register_counter(&key(&REQUESTS, &[method, code]), &METADATA).increment(1);
    }

    /// A commit succeeded.
    pub fn commit(&self, took: Duration, rows: usize) {
        self.commit_seconds.record(took.as_secs_f64());
        self.commit_rows.record(rows as f64);
        if took >= SLOW {
            tracing::warn!(took_ms = took.as_millis() as u64, rows, "slow commit");
        }
    }

    /// A commit failed.
    pub fn commit_failed(&self, rows: usize, reason: &dyn fmt::Display) {
        self.commit_failures.increment(1);
        tracing::error!(rows, %reason, "a commit failed; its events are not acknowledged");
    }

    /// So much waits.
    pub fn queue(&self, queue: Queue, depth: usize) {
        self.queues[queue as usize].set(depth as f64);
    }

    /// A verdict was pushed, or was not.
    pub fn pushed(&self, outcome: PushOutcome) {
        self.pushes[outcome as usize].increment(1);
    }

    /// Live calls were brought back.
    pub fn recovered(&self, took: Duration, calls: usize) {
        self.recovery_seconds.set(took.as_secs_f64());
        self.recovered_calls.set(calls as f64);
    }

    /// There are so many jobs of a state that grade kept calls anew.
    pub fn regrades(&self, state: &str, jobs: u64) {
        self.recorder.register_gauge(&key(&REGRADES, &[state]), &METADATA).set(jobs as f64);
    }

    /// A job has graded calls.
    pub fn regraded(&self, calls: u64) {
        self.regraded_calls.increment(calls);
    }
}

/// An open stream; dropped when it closes.
#[derive(Debug)]
pub struct OpenStream(Gauge);

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// A server's metrics with each told something.
    fn told() -> Metrics {
        let metrics = Metrics::new();
        let mut tally = Tally::of(3);
        tally.ack();
        tally.rejection(Code::InvalidArgument);
        tally.rejection(Code::Unavailable);
        metrics.count(&tally);
        metrics.final_verdict("broadband", "A", "A1");
        metrics.revised_verdict("broadband");
        metrics.request("callgrade.v1.Grading/GradeCall", "OK");
        metrics.commit(Duration::from_millis(3), 40);
        metrics.commit_failed(3, &"the disk is full");
        metrics.queue(Queue::Push, 2);
        metrics.pushed(PushOutcome::Dead);
        metrics.recovered(Duration::from_secs(1), 7);
        metrics.calls(1, 2);
        metrics.regrades("queued", 4);
        metrics.regraded(200);
        metrics
    }

    #[test]
    fn all_that_is_declared_is_rendered_and_nothing_else() {
        let text = told().render();
        let of_type = |metric: &Declared| match metric.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram(_) => "histogram",
        };
        let rendered: BTreeSet<&str> = text.lines().filter(|line| line.starts_with('#')).collect();
        let help = DECLARED.iter().map(|metric| format!("# HELP {} {}", metric.name, metric.help));
        let types = DECLARED.iter().map(|metric| format!("# TYPE {} {}", metric.name, of_type(metric)));
        let declared: BTreeSet<String> = help.chain(types).collect();
        assert_eq!(rendered, declared.iter().map(String::as_str).collect());
    }

    #[test]
    fn what_is_told_is_what_is_counted() {
        let metrics = told();
        let stream = metrics.stream();
        let text = metrics.render();
        for line in [
            "callgrade_events_total 3",
            "callgrade_acks_total 1",
            "callgrade_rejections_total{reason=\"INVALID_ARGUMENT\"} 1",
            "callgrade_rejections_total{reason=\"UNAVAILABLE\"} 1",
            "callgrade_rejections_total{reason=\"NOT_FOUND\"} 0",
            "callgrade_final_verdicts_total{script=\"broadband\",label=\"A\",rule=\"A1\"} 1",
            "callgrade_commit_seconds_bucket{le=\"0.002\"} 0",
            "callgrade_commit_seconds_bucket{le=\"0.005\"} 1",
            "callgrade_commit_rows_bucket{le=\"50\"} 1",
            "callgrade_commit_rows_sum 40",
            "callgrade_queue_depth{queue=\"journal\"} 0",
            "callgrade_queue_depth{queue=\"push\"} 2",
            "callgrade_pushes_total{outcome=\"dead\"} 1",
            "callgrade_recovered_calls 7",
            "callgrade_regrades{state=\"queued\"} 4",
            "callgrade_regraded_calls_total 200",
            "callgrade_live_calls 1",
            "callgrade_held_calls 2",
            "callgrade_streams_open 1",
        ] {
            assert!(text.lines().any(|it| it == line), "{line} is not in\n{text}");
        }
        drop(stream);
        assert!(metrics.render().lines().any(|line| line == "callgrade_streams_open 0"));
    }

    #[test]
    fn two_servers_have_nothing_in_common() {
        let (one, other) = (Metrics::new(), Metrics::new());
        one.count(&Tally::of(5));
        assert!(one.render().contains("callgrade_events_total 5\n"));
        assert!(other.render().contains("callgrade_events_total 0\n"));
    }
}
