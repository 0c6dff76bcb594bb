//! Any text as a script.yaml (before the first NUL) and as a keyword list (after it): loaded and linted, or told why not.
#![no_main]

use callgrade::script::{Bundle, compile, lint, list};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (yaml, keywords) = text.split_once('\0').unwrap_or((text, "不需要\n!不用客气\n"));
    let _ = list::parse(keywords);
    let files = [("script.yaml", yaml), ("keywords/refuse.txt", keywords)];
    let files = files.into_iter().map(|(path, text)| (path.to_owned(), text.to_owned())).collect();
    let bundle = Bundle { name: "fuzzed".to_owned(), files };
    if let Err(error) = compile(&bundle) {
        let _ = error.to_string();
    }
    for diagnostic in lint::lint(&bundle) {
        let _ = diagnostic.render(false);
    }
});
