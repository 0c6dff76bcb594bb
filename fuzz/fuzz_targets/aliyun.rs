//! Any bytes as Aliyun's robot call report.
#![no_main]

use callgrade::ingest::{Limits, aliyun};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = aliyun::calls(bytes, &Limits::default());
});
