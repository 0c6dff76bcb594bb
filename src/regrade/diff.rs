//! What a new grading changes.
