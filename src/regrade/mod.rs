//! Recorded calls graded anew, and what that changes: the same on a laptop, in the service and on a cluster.
//!
//! [`grading`] grades a call with one script version and sets the verdict beside what it was; [`diff`] adds up what changed.

pub mod diff;
pub mod grading;
