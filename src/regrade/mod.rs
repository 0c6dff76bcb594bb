//! Recorded calls graded anew, and what that changes: the same on a laptop, in the service and on a cluster.
//!
//! [`grading`] grades a call with one script version and sets the verdict beside what it was; [`diff`] adds up what changed. [`run`]
//! does so over files of any size: a [`source`] cuts them into pieces, threads grade these, a [`sink`] writes the verdicts, and
//! [`state`] lets a run that was stopped go on.

pub mod diff;
pub mod grading;
pub mod run;
pub mod sink;
pub mod source;
pub mod state;
