//! The model's file: plain text, so that a change of it can be read, and small.
//!
//! ```text
//! callgrade model 1
//! examples 0011223344556677
//! unseen 9.03
//! class refuse bias=-0.84 scale=2.113 shift=-1.2 least=0.9 examples=605 counterexamples=120 missed=404 found=210 precision=0.952
//! 不要<tab>4.1<tab>0:3.5<tab>3:-1.2
//! ```

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::{Calibration, Trained, TrainedClass};
use crate::core::learned::{Class, Example, Gram, Model, Weights, gram_from, gram_text, grams_of, pairs_of};
use crate::core::lexicon::Scratch;
use crate::core::script::Concept;
use crate::script::bundle::{Bundle, short};

const HEAD: &str = "callgrade model 1";
/// A smaller weight decides nothing: it is divided by the length of the text's vector, about 70.
const LEAST_WEIGHT: f32 = 1.0;

/// To what the file keeps of a number.
pub(super) fn rounded(value: f64) -> f32 {
    ((value * 100.0).round() / 100.0) as f32
}

/// What the file keeps of a weight: tenths, and nothing of one that decides nothing.
pub(super) fn kept(weight: f64) -> Option<f32> {
    let weight = ((weight * 10.0).round() / 10.0) as f32;
    (weight.abs() >= LEAST_WEIGHT).then_some(weight)
}

/// The file of a trained model.
#[must_use]
pub fn write(trained: &Trained) -> String {
    let mut out = format!("{HEAD}\nexamples {}\nunseen {}\n", trained.examples, trained.unseen);
    for class in &trained.classes {
        let TrainedClass { id, bias, calibration: Calibration { scale, shift, least }, examples, missed, precision } = class;
        let _ = writeln!(
            out,
            "class {id} bias={bias} scale={scale} shift={shift} least={least} examples={} counterexamples={} missed={} found={} precision={:.3}",
            examples.0, examples.1, missed.0, missed.1, precision
        );
    }
    for (gram, Weights { rarity, of }) in &trained.grams {
        let _ = write!(out, "{}\t{rarity}", gram_text(*gram));
        for (class, weight) in of {
            let _ = write!(out, "\t{class}:{weight}");
        }
        out.push('\n');
    }
    out
}

/// A model's file, read.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelFile {
    /// Hash of the examples that it was trained from.
    pub examples: String,
    /// How rare an n-gram is that no two examples share.
    pub unseen: f32,
    /// Category id, bias, calibration.
    pub classes: Vec<(String, f32, Calibration)>,
    /// The n-grams.
    pub grams: Vec<(Gram, Weights)>,
}

/// Reads a model's file.
///
/// # Errors
/// The line, from 1, that is not as [`write()`] writes it.
pub fn read(text: &str) -> Result<ModelFile, usize> {
    let mut lines = (1usize..).zip(text.lines());
    let examples = match (lines.next(), lines.next()) {
        (Some((_, HEAD)), Some((_, second))) => second.strip_prefix("examples ").ok_or(2usize)?.to_owned(),
        _ => return Err(1),
    };
    let unseen = lines.next().and_then(|(_, line)| line.strip_prefix("unseen ")?.parse().ok()).ok_or(3usize)?;
    let mut file = ModelFile { examples, unseen, classes: Vec::new(), grams: Vec::new() };
    for (number, line) in lines {
        let read = match line.strip_prefix("class ") {
            Some(class) => class_line(class).map(|class| file.classes.push(class)),
            None => gram_line(line, file.classes.len()).map(|gram| file.grams.push(gram)),
        };
        read.ok_or(number)?;
    }
    Ok(file)
}

fn class_line(line: &str) -> Option<(String, f32, Calibration)> {
    let mut parts = line.split(' ');
    let id = parts.next()?.to_owned();
    let mut number = |name: &str| -> Option<f32> {
        let value: f32 = parts.next()?.strip_prefix(name)?.strip_prefix('=')?.parse().ok()?;
        (!value.is_nan()).then_some(value)
    };
    Some((id, number("bias")?, Calibration { scale: number("scale")?, shift: number("shift")?, least: number("least")? }))
}

fn gram_line(line: &str, classes: usize) -> Option<(Gram, Weights)> {
    let mut parts = line.split('\t');
    let gram = gram_from(parts.next()?)?;
    let number = |text: &str| text.parse::<f32>().ok().filter(|value| value.is_finite());
    let rarity = number(parts.next()?)?;
    let mut of = Vec::new();
    for part in parts {
        let (class, weight) = part.split_once(':')?;
        of.push((class.parse().ok().filter(|class: &u8| usize::from(*class) < classes)?, number(weight)?));
    }
    Some((gram, Weights { rarity, of }))
}

/// Makes a model of its file and the bundle's examples; categories that the script does not declare are answered by name.
///
/// # Errors
/// The categories that the script does not declare.
pub fn model(file: ModelFile, text: &str, bundle: &Bundle, concepts: &[Concept]) -> Result<Model, Vec<String>> {
    let index = |id: &str| concepts.iter().position(|concept| *concept.id == *id).and_then(|index| u8::try_from(index).ok());
    let unknown: Vec<String> = file.classes.iter().map(|(id, ..)| id.clone()).filter(|id| index(id).is_none()).collect();
    if !unknown.is_empty() {
        return Err(unknown);
    }
    let mut scratch = Scratch::default();
    let (mut grams, mut longer) = (Vec::new(), Default::default());
    let mut examples = Vec::new();
    let mut classes = Vec::new();
    for (id, bias, Calibration { scale, shift, least }) in &file.classes {
        let Some(concept) = index(id) else { continue };
        let source = bundle.files.get(&format!("examples/{id}.txt")).map(|text| super::parse(text));
        let off = source.as_ref().is_none_or(|source| source.off);
        classes.push(Class { concept, bias: *bias, scale: *scale, shift: *shift, least: if off { f32::INFINITY } else { *least } });
        for (_, text, counter) in source.into_iter().flat_map(|source| source.lines) {
            scratch.units.cut(&text);
            grams_of(&scratch.units.list, &mut grams, &mut longer);
            examples.push(Example { concept, text: text.into(), counter, pairs: pairs_of(&grams) });
        }
    }
    Ok(Model::new(&short(&Sha256::digest(text.as_bytes())), file.unseen, classes, file.grams, examples))
}
