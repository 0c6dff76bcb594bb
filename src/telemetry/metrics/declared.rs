//! Every metric there is.

use metrics::Unit;

/// How a metric behaves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
    /// It counts what was observed by size: these are the upper bounds.
    Histogram(&'static [f64]),
}

/// A metric, and all that is to be known of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Declared {
    /// Its name.
    pub name: &'static str,
    /// How it behaves.
    pub kind: Kind,
    /// What is counted.
    pub unit: Unit,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// What it tells.
    pub help: &'static str,
}

const fn declared(name: &'static str, kind: Kind, unit: Unit, labels: &'static [&'static str], help: &'static str) -> Declared {
    Declared { name, kind, unit, labels, help }
}

/// From a disk that forgets to one that hangs.
const SECONDS: &[f64] = &[0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0];
/// From one call's event to all that fits in a group.
const ROWS: &[f64] = &[1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0, 2_000.0, 5_000.0, 10_000.0];

pub(super) const EVENTS: Declared =
    declared("callgrade_events_total", Kind::Counter, Unit::Count, &[], "Events received, those rejected and those sent again included");
pub(super) const ACKS: Declared =
    declared("callgrade_acks_total", Kind::Counter, Unit::Count, &[], "Acknowledgements sent; one may stand for several events");
pub(super) const REJECTIONS: Declared = declared(
    "callgrade_rejections_total",
    Kind::Counter,
    Unit::Count,
    &["reason"],
    "Events rejected, by the google.rpc code of the rejection",
);
pub(super) const FINAL_VERDICTS: Declared = declared(
    "callgrade_final_verdicts_total",
    Kind::Counter,
    Unit::Count,
    &["script", "label", "rule"],
    "Calls that ended, live or graded whole, by script, label and the rule that gave it",
);
pub(super) const REVISED_VERDICTS: Declared =
    declared("callgrade_revised_verdicts_total", Kind::Counter, Unit::Count, &["script"], "Final verdicts that a late event changed");
pub(super) const LIVE_CALLS: Declared =
    declared("callgrade_live_calls", Kind::Gauge, Unit::Count, &[], "Calls being followed that have not ended");
pub(super) const HELD_CALLS: Declared =
    declared("callgrade_held_calls", Kind::Gauge, Unit::Count, &[], "Calls in memory: live ones, and ended ones still open to late events");
pub(super) const STREAMS: Declared = declared("callgrade_streams_open", Kind::Gauge, Unit::Count, &[], "Streams of calls that are open");
pub(super) const REQUESTS: Declared = declared(
    "callgrade_requests_total",
    Kind::Counter,
    Unit::Count,
    &["method", "code"],
    "Requests and streams answered, by method and by gRPC code or HTTP status; method `other` for what there is not",
);
pub(super) const COMMIT_SECONDS: Declared =
    declared("callgrade_commit_seconds", Kind::Histogram(SECONDS), Unit::Seconds, &[], "How long commits to the store took");
pub(super) const COMMIT_ROWS: Declared =
    declared("callgrade_commit_rows", Kind::Histogram(ROWS), Unit::Count, &[], "Rows written by one commit");
pub(super) const COMMIT_FAILURES: Declared =
    declared("callgrade_commit_failures_total", Kind::Counter, Unit::Count, &[], "Commits that failed; their events were not acknowledged");
pub(super) const QUEUE_DEPTH: Declared = declared(
    "callgrade_queue_depth",
    Kind::Gauge,
    Unit::Count,
    &["queue"],
    "What waits: `journal` for a commit, `push` to be pushed (counted every second, a long outbox more seldom)",
);
pub(super) const PUSHES: Declared = declared(
    "callgrade_pushes_total",
    Kind::Counter,
    Unit::Count,
    &["outcome"],
    "Verdicts pushed: `delivered`, `retried` (failed and to be tried again), `dead` (given up)",
);
pub(super) const RECOVERY_SECONDS: Declared =
    declared("callgrade_recovery_seconds", Kind::Gauge, Unit::Seconds, &[], "How long it took to bring live calls back at the start");
pub(super) const RECOVERED_CALLS: Declared =
    declared("callgrade_recovered_calls", Kind::Gauge, Unit::Count, &[], "Live calls brought back at the start");
pub(super) const REGRADES: Declared = declared(
    "callgrade_regrades",
    Kind::Gauge,
    Unit::Count,
    &["state"],
    "Jobs that grade kept calls anew: `queued`, `running`, `done`, `cancelled`, `failed`; those that were deleted are not counted",
);
pub(super) const REGRADED_CALLS: Declared =
    declared("callgrade_regraded_calls_total", Kind::Counter, Unit::Count, &[], "Kept calls graded anew by jobs, those rejected included");
pub(super) const BUILD: Declared = declared("callgrade_build_info", Kind::Gauge, Unit::Count, &["version"], "1, and the program's version");

/// Every metric there is.
pub const DECLARED: &[Declared] = &[
    EVENTS,
    ACKS,
    REJECTIONS,
    FINAL_VERDICTS,
    REVISED_VERDICTS,
    LIVE_CALLS,
    HELD_CALLS,
    STREAMS,
    REQUESTS,
    COMMIT_SECONDS,
    COMMIT_ROWS,
    COMMIT_FAILURES,
    QUEUE_DEPTH,
    PUSHES,
    RECOVERY_SECONDS,
    RECOVERED_CALLS,
    REGRADES,
    REGRADED_CALLS,
    BUILD,
];
