//! A guard for what panics, be it a decoder of damaged input or ourselves: one row must not cost a run of millions.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Does something that may panic, without a word on standard error if it does.
///
/// # Errors
/// It panicked: what it said.
pub(crate) fn guarded<T>(doing: impl FnOnce() -> T) -> Result<T, String> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let others = take_hook();
        set_hook(Box::new(move |told| {
            if !GUARDED.get() {
                others(told);
            }
        }));
    });
    let before = GUARDED.replace(true);
    let outcome = catch_unwind(AssertUnwindSafe(doing));
    GUARDED.set(before);
    outcome.map_err(|panic| words(&*panic))
}

/// Decodes something that may be damaged such that the decoder panics.
///
/// # Errors
/// It cannot be decoded: why.
pub(crate) fn decoded<T, E: std::fmt::Display>(decoding: impl FnOnce() -> Result<T, E>) -> Result<T, String> {
    guarded(decoding).map_err(|panic| format!("damaged: {panic}"))?.map_err(|error| error.to_string())
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned()).or_else(|| panic.downcast_ref::<String>().cloned());
    // Of an assertion it has several lines.
    text.map_or_else(|| "no reason given".to_owned(), |text| text.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_and_what_follows_is_not_concerned() {
        assert_eq!(guarded(|| -> u32 { panic!("row {}\n  of {}", 7, 9) }), Err("row 7 of 9".to_owned()));
        assert_eq!(guarded(|| 5), Ok(5));
    }
}
