#![forbid(unsafe_code)]
#![deny(missing_docs)]
//! callgrade grades robot-dialer calls: events in, an intent label A–F out, with the evidence for it, while the call is live and
//! again when it ends.
//!
//! ```text
//!   files: JSONL, Parquet, vCon,        gRPC, gRPC-web, HTTP/JSON,
//!   Aliyun, FreeSWITCH; Arrow           pushed reports and CDRs
//!            │                                   │
//!          cli ──────────────┐              transport          one direction: each room
//!            │               │        who may what, TLS        knows only those below it
//!            │               └────────────┐      │
//!            │                          service ─┘        told: ack, verdict ──► streams, webhooks
//!          ingest ◄──────────────────────┤  sessions of live calls: order, gaps, revisions
//!            │  masked CallRecord,       │  journal: group commit, then what is told
//!            │  Rejection                ├────────────────────────────────► store
//!            ▼                           ▼    calls, versions, keys, outbox, jobs, audit: SQLite, PostgreSQL
//!          script ───────────────────► core ◄─────────────── eval, regrade
//!   bundle → checked, compiled    Event → CallState (fold: tracker)    verdicts against what people
//!   examples → train → model.txt    → Signals + Evidence               say: figures, errors
//!                                   → Rules → Verdict
//! ```
//!
//! - [`core`]: the whole of grading, synchronous and pure. [`core::call::CallState`] is where to start reading; [`core::recall`]
//!   remembers what was read from words that come again.
//! - [`script`]: talk scripts as data, read, checked, linted and compiled. [`script::train`]: what examples teach, as `model.txt`.
//! - [`eval`]: how well calls and utterances are read, against what people say of them; knows only the core, and [`cli`] asks it.
//! - [`regrade`]: recorded calls graded anew, from files of any size or a store, and what that changes; knows [`ingest`], [`store`],
//!   [`script`] and the core, and [`cli`] and [`service`] ask it.
//! - [`ingest`]: one file per input format, all giving the same record; personal numbers masked in it ([`ingest::mask`]).
//! - [`wire`]: the contract's messages, and the way from a verdict to them.
//! - [`store`]: what is kept, in SQL over one small trait; what a write has answered is on disk.
//! - [`service`]: what the server does whichever transport asks. An event goes through [`service::intake`] to its call and into the
//!   [`service::journal`]; what came of it is told once its group is durable. [`service::live`]: the calls in memory, a cache of the
//!   store. [`service::records`]: calls read back; [`service::versions`]: which script version grades; [`service::push`]: verdicts
//!   from the outbox to webhooks; [`service::retention`]: calls kept no longer than they may be;
//!   [`service::regrading`]: kept calls graded anew, as jobs behind live calls. [`service::tenant`]: whose calls
//!   and by which settings; [`service::access`]: who asks; [`service::quota`]: how much they may.
//! - [`transport`]: the doors, thin. [`transport::auth`]: who may call what, one table for all of them; [`transport::tls`]:
//!   certificates, read again when they change.
//! - [`telemetry`]: what an operator sees, logs, metrics, traces; told by all, asks nobody.
//! - [`cli`]: one file per subcommand. [`config`]: the one reader of the environment and of files of settings.
//!
//! An event is stored before it is acknowledged, and a verdict's push in the transaction of the verdict, so a server that is killed
//! loses nothing that it has told, and tells nothing twice but what nobody has confirmed.
//!
//! A verdict is a function of script version and events, so replay is the whole of batch grading and live cannot drift from it.

pub mod cli;
pub mod config;
pub mod core;
pub mod eval;
pub mod ingest;
pub mod regrade;
pub mod script;
pub mod service;
pub mod store;
pub mod telemetry;
pub mod transport;
pub mod wire;
