//! Any bytes as a FreeSWITCH CDR, in any of the forms in which it is posted.
#![no_main]

use callgrade::ingest::{Limits, freeswitch};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = freeswitch::call(bytes, &Limits::default());
});
