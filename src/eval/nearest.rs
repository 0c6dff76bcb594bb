//! The listed phrase that comes nearest to a text: what a list lacks when a turn was missed.

use super::Nearest;
use crate::core::lexicon::EntryKind;
use crate::core::script::{ConceptIndex, CustomerList, Script};

/// The phrase of a category that shares most with the text; of equals the longer one.
pub(super) fn nearest(script: &Script, concept: ConceptIndex, text: &str) -> Option<Nearest> {
    let spoken = pairs(text);
    let list = script.customer_lists.iter().position(|list| *list == CustomerList::Concept(concept))?;
    let phrases = script
        .customer
        .entries()
        .iter()
        .filter(|entry| usize::from(entry.list) == list && entry.kind == EntryKind::Phrase && !entry.exception);
    let (similarity, _, phrase) = phrases
        .map(|entry| {
            let own = pairs(&entry.text);
            let shared = own.iter().filter(|pair| spoken.contains(pair)).count();
            (shared as f64 / own.len().max(1) as f64, shared, &*entry.text)
        })
        .max_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)))?;
    let category = script.concept(concept).map_or_else(String::new, |concept| concept.id.to_string());
    (similarity > 0.0).then(|| Nearest { category, phrase: phrase.to_owned(), similarity: (similarity * 1000.0).round() / 1000.0 })
}

/// Neighbouring characters; of a single one itself.
fn pairs(text: &str) -> Vec<(char, char)> {
    let chars: Vec<char> = text.chars().filter(|c| c.is_alphanumeric()).collect();
    match chars.as_slice() {
        [only] => vec![(*only, *only)],
        _ => chars.windows(2).filter_map(|pair| Some((*pair.first()?, *pair.last()?))).collect(),
    }
}
