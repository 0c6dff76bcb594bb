//! Learned intents: turns that no keyword list finds, told by their resemblance to examples.
//!
//! A category may have examples beside its list. From them the product trains a linear model over character n-grams
//! ([`crate::script::train`]); here it is read and asked. It is asked only of an utterance in which the lists found nothing, for
//! keyword evidence outranks it, and answers with one category or none: the likeliest, if its calibrated probability reaches the
//! category's threshold. The answer explains itself: the n-grams that weighed most, and the nearest example.

use rustc_hash::FxHashMap;

use super::script::ConceptIndex;
use super::text::units::{Gap, Unit};

/// Longest utterance that is compared with examples, in characters: examples are short, and of a long turn a few words decide
/// nothing.
pub const MOST_CHARACTERS: usize = 40;
/// How alike an utterance and the nearest example must be: the share of their pairs of characters that both have.
pub const LIKENESS: f32 = 0.4;
/// N-grams named as evidence.
const NAMED: usize = 4;
/// The mark of a clause's end in an n-gram, and of the text's.
pub const EDGE: char = '_';

/// A run of one to three characters, edges included, packed into one number.
pub type Gram = u64;

/// What a category looks like.
#[derive(Debug, Clone, PartialEq)]
pub struct Class {
    /// The category.
    pub concept: ConceptIndex,
    /// What the margin is without any n-gram.
    pub bias: f32,
    /// Probability is the logistic function of `scale * margin + shift`.
    pub scale: f32,
    /// See `scale`.
    pub shift: f32,
    /// Least `scale * margin + shift` that counts; infinite: the category is switched off.
    pub least: f32,
}

/// What an n-gram weighs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Weights {
    /// How rare it is: its weight in the length of a text.
    pub rarity: f32,
    /// Class, by place, and what the n-gram adds to its margin.
    pub of: Vec<(u8, f32)>,
}

/// An utterance that a category was learned from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// The category.
    pub concept: ConceptIndex,
    /// The words.
    pub text: Box<str>,
    /// It looks like the category and is not.
    pub counter: bool,
    /// Its pairs of characters, sorted.
    pub pairs: Box<[Gram]>,
}

/// An n-gram's place in the weights.
#[derive(Debug, Clone, Copy)]
struct Row {
    rarity: f32,
    first: u32,
    past: u32,
}

/// A trained model.
#[derive(Debug, Clone)]
pub struct Model {
    /// Content hash of the model's file.
    pub hash: Box<str>,
    /// How rare an n-gram is that no example has.
    unseen: f32,
    classes: Box<[Class]>,
    rows: FxHashMap<Gram, Row>,
    weights: Box<[(u8, f32)]>,
    examples: Box<[Example]>,
}

/// What an utterance was taken for.
#[derive(Debug, Clone, PartialEq)]
pub struct Learned {
    /// The category.
    pub concept: ConceptIndex,
    /// Calibrated probability.
    pub score: f32,
    /// The n-grams that spoke most for it, weightiest first.
    pub grams: Box<[Gram]>,
    /// The example that resembles it most.
    pub example: u32,
}

/// Memory reused between texts.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    grams: Vec<Gram>,
    longer: [Vec<Gram>; 2],
}

impl Model {
    /// A model of these parts.
    #[must_use]
    pub fn new(
        hash: &str,
        unseen: f32,
        classes: Vec<Class>,
        grams: impl IntoIterator<Item = (Gram, Weights)>,
        examples: Vec<Example>,
    ) -> Self {
        let mut rows = FxHashMap::default();
        let mut weights = Vec::new();
        for (gram, Weights { rarity, of }) in grams {
            let first = weights.len() as u32;
            weights.extend(of.into_iter().filter(|(class, _)| usize::from(*class) < classes.len()));
            rows.insert(gram, Row { rarity, first, past: weights.len() as u32 });
        }
        Self {
            hash: hash.into(),
            unseen: unseen.max(1.0),
            classes: classes.into(),
            rows,
            weights: weights.into(),
            examples: examples.into(),
        }
    }

    /// The categories it knows.
    #[must_use]
    pub fn classes(&self) -> &[Class] {
        &self.classes
    }

    /// An example by number.
    #[must_use]
    pub fn example(&self, number: u32) -> Option<&Example> {
        self.examples.get(number as usize)
    }

    /// What the text of these units is taken for.
    pub(crate) fn read(&self, units: &[Unit], work: &mut Workspace) -> Option<Learned> {
        if units.is_empty() || units.len() > MOST_CHARACTERS {
            return None;
        }
        let Workspace { grams, longer } = work;
        grams_of(units, grams, longer);
        let mut margins = [0.0; 1 << u8::BITS];
        let mut length = 0.0;
        for gram in grams.iter() {
            let Some(row) = self.rows.get(gram) else {
                // What no example has is as rare as can be: a text of such n-grams resembles nothing.
                length += self.unseen * self.unseen;
                continue;
            };
            length += row.rarity * row.rarity;
            for &(class, weight) in self.weights.get(row.first as usize..row.past as usize).unwrap_or_default() {
                if let Some(margin) = margins.get_mut(usize::from(class)) {
                    *margin += weight;
                }
            }
        }
        let norm = 1.0 / f32::sqrt(length);
        let scored = self.classes.iter().zip(margins.iter()).enumerate().map(|(place, (class, margin))| {
            let argument = class.scale * (margin * norm + class.bias) + class.shift;
            (place, class, argument)
        });
        let (place, class, argument) = scored.max_by(|a, b| a.2.total_cmp(&b.2))?;
        if argument < class.least {
            return None;
        }
        let score = (logistic(argument) * 1e4).round() / 1e4;
        let example = self.nearest(grams, class.concept)?;
        Some(Learned { concept: class.concept, score, grams: self.deciding(grams, place), example })
    }

    /// The n-grams that add most to a class's margin.
    fn deciding(&self, grams: &[Gram], class: usize) -> Box<[Gram]> {
        let weight = |gram: Gram| {
            let row = self.rows.get(&gram)?;
            let own = self.weights.get(row.first as usize..row.past as usize)?;
            own.iter().find(|(of, weight)| usize::from(*of) == class && *weight > 0.0).map(|(_, weight)| *weight)
        };
        let mut weighed: Vec<(Gram, f32)> = grams.iter().filter_map(|&gram| Some((gram, weight(gram)?))).collect();
        weighed.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        weighed.into_iter().take(NAMED).map(|(gram, _)| gram).collect()
    }

    /// The category's example that is most alike, if one is alike enough, and no counterexample more so.
    fn nearest(&self, grams: &[Gram], concept: ConceptIndex) -> Option<u32> {
        let own = pairs_of(grams);
        let (mut nearest, mut least) = (None, LIKENESS);
        for (number, example) in (0u32..).zip(self.examples.iter()).filter(|(_, example)| example.concept == concept) {
            let likeness = likeness(&own, &example.pairs);
            if likeness > least || likeness >= least && (nearest.is_none() || example.counter) {
                (nearest, least) = ((!example.counter).then_some(number), likeness);
            }
        }
        nearest
    }
}

/// The logistic function, of the same bits on every machine: the system's exponential is not.
#[must_use]
pub fn logistic(x: f32) -> f32 {
    1.0 / (1.0 + libm::expf(-x))
}

/// The distinct n-grams of a text, sorted; `longer` is memory to use.
pub(crate) fn grams_of(units: &[Unit], grams: &mut Vec<Gram>, longer: &mut [Vec<Gram>; 2]) {
    // Each length by itself, for every longer n-gram is a greater number: three small sorts are quicker than one.
    let [twos, threes] = longer;
    for grams in [&mut *grams, twos, threes] {
        grams.clear();
    }
    let edge = EDGE as u64;
    let mut window = (0, edge);
    let mut push = |window: &mut (u64, u64), ch: u64| {
        let (older, old) = *window;
        if ch != edge {
            grams.push(ch);
        }
        twos.push(old << 16 | ch);
        if older != 0 {
            threes.push(older << 32 | old << 16 | ch);
        }
        *window = (old, ch);
    };
    for (place, unit) in units.iter().enumerate() {
        if place > 0 && unit.gap() >= Gap::Clause {
            push(&mut window, edge);
        }
        push(&mut window, u64::from(unit.ch()));
    }
    push(&mut window, edge);
    for grams in [&mut *grams, twos, threes] {
        grams.sort_unstable();
    }
    grams.append(twos);
    grams.append(threes);
    grams.dedup();
}

/// How alike two texts are by their pairs of characters: twice those that both have, of all (L. R. Dice, 1945).
pub(crate) fn likeness(one: &[Gram], other: &[Gram]) -> f32 {
    let shared = one.iter().filter(|&pair| other.contains(pair)).count();
    2.0 * shared as f32 / (one.len() + other.len()).max(1) as f32
}

/// Two characters, neither an edge.
fn is_pair(gram: Gram) -> bool {
    let edge = EDGE as u64;
    gram >> 16 != 0 && gram >> 32 == 0 && gram >> 16 != edge && gram & 0xFFFF != edge
}

/// The pairs among sorted n-grams.
pub(crate) fn pairs_of(grams: &[Gram]) -> Box<[Gram]> {
    grams.iter().copied().filter(|&gram| is_pair(gram)).collect()
}

/// An n-gram in characters.
#[must_use]
pub fn gram_text(gram: Gram) -> String {
    [gram >> 32, gram >> 16, gram].into_iter().filter_map(|part| char::from_u32((part & 0xFFFF) as u32)).filter(|c| *c != '\0').collect()
}

/// An n-gram from its characters; `None` if there are not one to three of the Basic Multilingual Plane.
#[must_use]
pub fn gram_from(text: &str) -> Option<Gram> {
    let mut gram = 0;
    let mut length = 0;
    for c in text.chars() {
        gram = gram << 16 | u64::from(u16::try_from(u32::from(c)).ok()?);
        length += 1;
    }
    (1..=3).contains(&length).then_some(gram)
}
