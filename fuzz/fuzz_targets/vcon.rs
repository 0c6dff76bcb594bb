//! Any bytes as a vCon.
#![no_main]

use callgrade::ingest::vcon::{self, VconOptions};
use callgrade::ingest::Limits;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = vcon::call(bytes, &VconOptions::default(), &Limits::default());
});
