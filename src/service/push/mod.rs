//! Verdicts pushed to the tenants' own servers: [CloudEvents](https://cloudevents.io) 1.0 by HTTP, signed as
//! [Standard Webhooks](https://www.standardwebhooks.com) prescribe, from an outbox in the store.
//!
//! ```text
//!   verdict ─ PushSettings::row ─► Group::pushes ─ one transaction with the verdict ─► outbox (store::pushes)
//!                                                                                         │ Pusher: a lane for each tenant
//!                                          receiver ◄─ signed POST, at most one of a call ┘
//! ```
//!
//! What is in the outbox is sent until the receiver has answered 2xx, or until the [`Schedule`] is used up and it becomes a dead
//! letter. So every verdict comes at least once, those of a call in order, and a receiver tells repetitions by `webhook-id`.
//! Grading only writes rows; whatever a receiver does or leaves undone happens to its own lane.

mod event;
mod lane;
mod post;
mod pusher;
mod rounds;
mod schedule;
mod settings;
mod sign;

pub use event::News;
pub use pusher::{Outcome, PushOptions, Pusher, Watch};
pub use schedule::{Schedule, ScheduleError};
pub use settings::{PushSettings, SettingsError};
pub use sign::signature;
