//! Any text masked: as many characters as before, and nothing left to mask.
#![no_main]

use callgrade::ingest::mask::mask;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Some(masked) = mask(text, &mut |_| {}) {
        assert_eq!(masked.chars().count(), text.chars().count());
        assert_eq!(mask(&masked, &mut |_| {}), None, "{text} {masked}");
    }
});
