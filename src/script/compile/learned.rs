//! A bundle's examples and the model trained from them.

use super::Compiler;
use crate::core::learned::Model;
use crate::core::script::Concept;
use crate::script::diagnostic::Severity;
use crate::script::train::{self, MODEL, model};

/// What to do about examples and a model that do not belong together.
const TRAIN: &str = "run `callgrade script train`";

impl Compiler<'_> {
    /// The model, if the bundle has one.
    pub(super) fn learned(&mut self, concepts: &[Concept]) -> Option<Model> {
        for (path, text) in self.bundle.files.iter().filter(|(path, _)| train::is_examples(path)) {
            for (span, reason) in train::parse(text).faults {
                self.error("bad-example", reason, path, span, None);
            }
        }
        let Some(text) = self.bundle.files.get(MODEL) else {
            if let Some(path) = self.bundle.files.keys().find(|path| train::is_examples(path)) {
                let message = "there are examples, but no model learned from them".to_owned();
                self.report(Severity::Warning, "no-model", message, path, 0..0, Some(TRAIN.to_owned()));
            }
            return None;
        };
        let file = match model::read(text) {
            Ok(file) => file,
            Err(line) => {
                let start = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
                let length = text.lines().nth(line - 1).map_or(0, str::len);
                let message = "this is no line of a model".to_owned();
                self.error("bad-model", message, MODEL, start..start + length, Some(TRAIN.to_owned()));
                return None;
            }
        };
        if file.examples != train::examples_hash(self.bundle) {
            let message = "the model was learned from other examples than these".to_owned();
            self.report(Severity::Warning, "stale-model", message, MODEL, 0..0, Some(TRAIN.to_owned()));
        }
        match model::model(file, text, self.bundle, concepts) {
            Ok(model) => Some(model),
            Err(unknown) => {
                for id in unknown {
                    let start = text.find(&format!("class {id} ")).map_or(0, |at| at + "class ".len());
                    let message = format!("there is no category or question `{id}`");
                    self.error("unknown-category", message, MODEL, start..start + id.len(), Some(TRAIN.to_owned()));
                }
                None
            }
        }
    }
}
