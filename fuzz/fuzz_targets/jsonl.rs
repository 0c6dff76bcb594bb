//! Any bytes as a line of a file: a call or a rejection, and a call is graded.
#![no_main]

use callgrade::core::call::CallState;
use callgrade::ingest::{Limits, jsonl};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|line: &[u8]| {
    if let Ok(record) = jsonl::call(line, &Limits::default()) {
        let script = callgrade::script::bundled("telemarketing").expect("a bundled script");
        let _ = CallState::replay(&script, record.events);
    }
});
