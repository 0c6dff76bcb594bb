//! Trains the model of a bundle's examples: seconds on a laptop, the same bytes every time.
//!
//! `examples/<category>.txt` holds utterances, one a line; `! utterance` is one that looks like the category and is not;
//! `examples/other.txt` holds those of no category. Each category becomes a linear classifier against all that is not it
//! (`svm`). How sure a margin is, is learned from five-fold cross-validation: every example is judged by a model that has not
//! seen it (`calibrate`). Only examples in which the keyword lists find nothing count there, for only such turns will be asked
//! about. The threshold is the least probability at which the wanted precision is reached.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use sha2::{Digest, Sha256};

use super::bundle::Bundle;
use super::compile::compile;
use super::diagnostic::LoadError;
use crate::core::learned::{Gram, LIKENESS, Weights, grams_of, likeness, pairs_of};
use crate::core::lexicon::{EntryKind, Scratch};
use crate::core::reading::read_customer;
use crate::core::script::{ConceptIndex, ConceptSet, CustomerList, Script};

mod calibrate;
pub mod model;
mod svm;

use calibrate::Calibration;

/// The model's file in a bundle.
pub const MODEL: &str = "model.txt";
/// Utterances of no category.
pub(super) const OTHER: &str = "examples/other.txt";
/// Precision aimed at where a file does not say.
const PRECISION: f64 = 0.85;
/// A category with fewer examples is not learned.
pub const FEWEST: usize = 20;
/// Parts of the cross-validation.
const FOLDS: u64 = 5;

/// Whether a file of this path holds examples; notes beside them teach nothing.
#[must_use]
pub fn is_examples(path: &str) -> bool {
    path.starts_with("examples/") && path.ends_with(".txt")
}

/// A file of examples, read.
#[derive(Debug, Clone, PartialEq)]
pub struct Examples {
    /// The utterances: their bytes in the file, their text, and whether they are counterexamples.
    pub lines: Vec<(Range<usize>, String, bool)>,
    /// `@precision`: the share of what is found that must be right.
    pub precision: f64,
    /// `@learned off`: the category is not looked for.
    pub off: bool,
    /// Lines that mean nothing: where, and why.
    pub faults: Vec<(Range<usize>, String)>,
}

/// Reads a file of examples.
#[must_use]
pub fn parse(text: &str) -> Examples {
    let mut examples = Examples { lines: Vec::new(), precision: PRECISION, off: false, faults: Vec::new() };
    let mut offset = 0;
    for raw in text.split_inclusive('\n') {
        let start = offset + (raw.len() - raw.trim_start().len());
        offset += raw.len();
        let line = raw.trim();
        let span = start..start + line.len();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(directive) = line.strip_prefix('@') {
            match directive.split_whitespace().collect::<Vec<_>>().as_slice() {
                ["learned", "off"] => examples.off = true,
                ["learned", "on"] => examples.off = false,
                ["precision", share] if share.parse().is_ok_and(|share: f64| (0.5..1.0).contains(&share)) => {
                    examples.precision = share.parse().unwrap_or(PRECISION);
                }
                ["precision", ..] => {
                    let reason = "`@precision` is a share from 0.5 to below 1, such as `@precision 0.95`".to_owned();
                    examples.faults.push((span, reason));
                }
                _ => {
                    let reason = format!("unknown directive `@{directive}`; there are `@learned off` and `@precision 0.95`");
                    examples.faults.push((span, reason));
                }
            }
            continue;
        }
        let (counter, utterance) = match line.strip_prefix(['!', '！']) {
            Some(rest) => (true, rest.trim()),
            None => (false, line),
        };
        if utterance.chars().any(char::is_alphanumeric) {
            examples.lines.push((span, utterance.to_owned(), counter));
        } else {
            examples.faults.push((span, "an example needs a letter, digit or Chinese character".to_owned()));
        }
    }
    examples
}

/// The content hash of a bundle's examples: a model trained from others is stale.
#[must_use]
pub fn examples_hash(bundle: &Bundle) -> String {
    bundle.hash_of(is_examples)
}

/// A trained model, as its file has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Trained {
    /// Hash of the examples.
    pub examples: String,
    /// How rare an n-gram is that no two examples share.
    pub unseen: f32,
    /// What was learned, category by category.
    pub classes: Vec<TrainedClass>,
    /// The n-grams, in order.
    pub grams: BTreeMap<Gram, Weights>,
}

/// A category's classifier and how good it is.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainedClass {
    /// The category's id.
    pub id: String,
    /// See [`crate::core::learned::Class`].
    pub bias: f32,
    /// See [`crate::core::learned::Class`].
    pub calibration: Calibration,
    /// Examples, counterexamples.
    pub examples: (usize, usize),
    /// Examples in which the lists find nothing, and how many of those the model finds, in cross-validation.
    pub missed: (usize, usize),
    /// Of what it finds there the share that is right.
    pub precision: f64,
}

/// An utterance to learn from.
struct Item {
    grams: Vec<Gram>,
    is: ConceptSet,
    is_not: ConceptSet,
    /// The lists find nothing in it.
    missed: bool,
    fold: u64,
}

/// Trains the model of a bundle.
///
/// # Errors
/// What is wrong with the bundle otherwise.
pub fn train(bundle: &Bundle) -> Result<Trained, LoadError> {
    let mut bare = bundle.clone();
    bare.files.remove(MODEL);
    let script = compile(&bare)?;
    let files: Vec<(ConceptIndex, Examples)> = (0u8..)
        .zip(&script.concepts)
        .filter_map(|(index, concept)| Some((index, parse(bundle.files.get(&format!("examples/{}.txt", concept.id))?))))
        .filter(|(_, examples)| !examples.off && examples.lines.iter().filter(|(.., counter)| !counter).count() >= FEWEST)
        .collect();
    let other = bundle.files.get(OTHER).map(|text| parse(text));
    let items = items(&script, &files, other.as_ref());
    let features = Features::of(&items);
    let vectors: Vec<Vec<(u32, f64)>> = items.iter().map(|item| features.vector(&item.grams)).collect();
    let problems: Vec<Vec<svm::Label>> = files.iter().map(|(concept, _)| labels(&script, &items, *concept)).collect();
    let learned = parallel(&problems, |labels| {
        let folds = (0..FOLDS)
            .map(|fold| svm::train(&vectors, labels, features.count, |item| items.get(item).is_some_and(|item| item.fold != fold)));
        // As the file will keep them: what is calibrated are the margins that the engine will see.
        let folds: Vec<svm::Classifier> = folds.map(|fold| fold.kept(|feature, weight| features.kept(feature, weight))).collect();
        let margins: Vec<f64> = items
            .iter()
            .zip(&vectors)
            .map(|(item, vector)| folds.get(item.fold as usize).map_or(0.0, |classifier| classifier.margin(vector)))
            .collect();
        (svm::train(&vectors, labels, features.count, |_| true), margins)
    });
    let wanted: Vec<f64> = files.iter().map(|(_, examples)| examples.precision).collect();
    let margins: Vec<&[f64]> = learned.iter().map(|(_, margins)| margins.as_slice()).collect();
    let missed: Vec<bool> = items.iter().map(|item| item.missed).collect();
    let pairs: Vec<Box<[Gram]>> = items.iter().map(|item| pairs_of(&item.grams)).collect();
    // As alike to one of the other folds' examples as the engine asks for, and to no counterexample more so.
    let alike = |class: usize, item: usize| {
        let (Some(labels), Some(own), Some(fold)) = (problems.get(class), pairs.get(item), items.get(item).map(|item| item.fold)) else {
            return false;
        };
        let others = items.iter().zip(labels).zip(&pairs).filter(|((other, _), _)| other.fold != fold);
        let most = |wanted: svm::Label| {
            let of = others.clone().filter(|((_, label), _)| **label == wanted);
            of.map(|(_, pairs)| likeness(own, pairs)).fold(0.0, f32::max)
        };
        let nearest = most(svm::Label::Is);
        nearest >= LIKENESS && nearest > most(svm::Label::LooksLike)
    };
    let judged = calibrate::calibrate(&margins, &problems, &missed, &wanted, alike);
    let mut grams: BTreeMap<Gram, Weights> = BTreeMap::new();
    for (&gram, &(feature, rarity)) in &features.index {
        let reached = learned.iter().zip(0u8..).zip(&judged).filter(|(_, judged)| judged.calibration.least.is_finite());
        let weights = reached
            .filter_map(|(((classifier, _), class), _)| model::kept(classifier.weight(feature) * rarity).map(|weight| (class, weight)));
        let weights = Weights { rarity: model::rounded(rarity), of: weights.collect() };
        grams.insert(gram, weights);
    }
    let classes = files
        .iter()
        .zip(&learned)
        .zip(judged)
        .map(|(((concept, examples), (classifier, _)), judged)| {
            let counters = examples.lines.iter().filter(|(.., counter)| *counter).count();
            TrainedClass {
                id: script.concept(*concept).map_or_else(String::new, |concept| concept.id.to_string()),
                bias: model::rounded(classifier.bias()),
                calibration: judged.calibration,
                examples: (examples.lines.len() - counters, counters),
                missed: judged.missed,
                precision: judged.precision,
            }
        })
        .collect();
    Ok(Trained { examples: examples_hash(bundle), unseen: model::rounded(features.unseen), classes, grams })
}

/// All distinct utterances, with what the files and the lists say of them.
fn items(script: &Arc<Script>, files: &[(ConceptIndex, Examples)], other: Option<&Examples>) -> Vec<Item> {
    let mut told: BTreeMap<&str, (ConceptSet, ConceptSet)> = BTreeMap::new();
    for (concept, examples) in files {
        for (_, text, counter) in &examples.lines {
            let (is, is_not) = told.entry(text).or_default();
            if *counter { is_not.insert(*concept) } else { is.insert(*concept) }
        }
    }
    // The lists' own phrases say what a category's words are; they are found anyway, so they are not counted below.
    for entry in script.customer.entries().iter().filter(|entry| entry.kind == EntryKind::Phrase && !entry.exception) {
        if let Some(CustomerList::Concept(concept)) = script.customer_list(entry.list)
            && files.iter().any(|(known, _)| *known == concept)
        {
            told.entry(&entry.text).or_default().0.insert(concept);
        }
    }
    for (_, text, _) in other.into_iter().flat_map(|other| &other.lines) {
        told.entry(text).or_default();
    }
    let mut scratch = Scratch::default();
    told.into_iter()
        .map(|(text, (is, is_not))| {
            let reading = read_customer(script, text, &mut scratch);
            let (mut grams, mut longer) = (Vec::new(), Default::default());
            grams_of(&scratch.units.list, &mut grams, &mut longer);
            let digest = Sha256::digest(text.as_bytes());
            Item {
                // What the lists find in an utterance it is too, unless its author says no.
                is: is.union(reading.concepts.without(is_not)),
                is_not,
                missed: reading.concepts.is_empty() && !reading.filler_only && reading.machine.is_none(),
                fold: u64::from(*digest.first().unwrap_or(&0)) % FOLDS,
                grams,
            }
        })
        .collect()
}

/// What each item is to one category.
fn labels(script: &Script, items: &[Item], concept: ConceptIndex) -> Vec<svm::Label> {
    let refuses = Some(concept) == script.known.refuse;
    items
        .iter()
        .map(|item| {
            if item.is.contains(concept) {
                svm::Label::Is
            } else if item.is_not.contains(concept) {
                svm::Label::LooksLike
            } else if refuses && script.known.do_not_call.is_some_and(|asked| item.is.contains(asked)) {
                // Who asks never to be called again refuses too.
                svm::Label::Untold
            } else {
                svm::Label::IsNot
            }
        })
        .collect()
}

/// The n-grams that more than one utterance has.
struct Features {
    index: FxHashMap<Gram, (u32, f64)>,
    count: usize,
    /// How rare each is.
    rarity: Vec<f64>,
    /// How rare an n-gram of only one utterance is.
    unseen: f64,
}

impl Features {
    fn of(items: &[Item]) -> Self {
        let mut frequency: FxHashMap<Gram, u32> = FxHashMap::default();
        for gram in items.iter().flat_map(|item| &item.grams) {
            *frequency.entry(*gram).or_default() += 1;
        }
        let mut shared: Vec<(Gram, u32)> = frequency.into_iter().filter(|(_, count)| *count > 1).collect();
        shared.sort_unstable();
        let rarity = |count: u32| libm::log((1.0 + items.len() as f64) / (1.0 + f64::from(count))) + 1.0;
        let count = shared.len();
        let unseen = rarity(1);
        Self {
            unseen,
            rarity: shared.iter().map(|(_, count)| rarity(*count)).collect(),
            index: shared.into_iter().zip(0u32..).map(|((gram, count), feature)| (gram, (feature, rarity(count)))).collect(),
            count,
        }
    }

    /// What the model's file keeps of a weight.
    fn kept(&self, feature: usize, weight: f64) -> f64 {
        let Some(rarity) = self.rarity.get(feature) else { return 0.0 };
        model::kept(weight * rarity).map_or(0.0, |kept| f64::from(kept) / rarity)
    }

    /// A text as a vector; its length would be 1 if all its n-grams were features.
    fn vector(&self, grams: &[Gram]) -> Vec<(u32, f64)> {
        let mut vector: Vec<(u32, f64)> = grams.iter().filter_map(|gram| self.index.get(gram).copied()).collect();
        vector.sort_unstable_by_key(|(feature, _)| *feature);
        let unseen = grams.len().saturating_sub(vector.len()) as f64 * self.unseen * self.unseen;
        let length = (vector.iter().map(|(_, value)| value * value).sum::<f64>() + unseen).sqrt().max(f64::MIN_POSITIVE);
        vector.iter_mut().for_each(|(_, value)| *value /= length);
        vector
    }
}

/// Runs `work` on every problem, on as many threads as there are cores; the order of answers is that of problems.
fn parallel<T: Sync, R: Send>(problems: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut answers: Vec<(usize, R)> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads)
            .map(|thread| {
                let work = &work;
                scope.spawn(move || {
                    let own = problems.iter().enumerate().skip(thread).step_by(threads);
                    own.map(|(place, problem)| (place, work(problem))).collect::<Vec<_>>()
                })
            })
            .collect();
        handles.into_iter().flat_map(|handle| handle.join().unwrap_or_default()).collect()
    });
    answers.sort_by_key(|(place, _)| *place);
    answers.into_iter().map(|(_, answer)| answer).collect()
}
