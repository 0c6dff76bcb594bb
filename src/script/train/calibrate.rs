//! From margins to probabilities, and from a wanted precision to a threshold.
//!
//! The probability is a logistic function of the margin (J. Platt, 1999), fitted by Newton's method as in H.-T. Lin et al.,
//! "A Note on Platt's Probabilistic Outputs for Support Vector Machines" (2007). What is counted are decisions as they will be
//! made: an utterance goes to its likeliest category. Counterexamples teach but are not counted: a file holds many more of them
//! than calls do, and one that is nearer than any example rules a finding out anyway.

use super::svm::Label;
use crate::core::learned::logistic;

/// How a margin becomes a probability, and the least that counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Calibration {
    /// Factor of the margin.
    pub scale: f32,
    /// Added to it.
    pub shift: f32,
    /// Least `scale * margin + shift` that counts; infinite where the wanted precision is out of reach.
    pub least: f32,
}

/// What came out for a category.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Judged {
    pub(super) calibration: Calibration,
    /// Examples in which the lists find nothing, and how many of them are found.
    pub(super) missed: (usize, usize),
    pub(super) precision: f64,
}

/// Fewest findings from which a precision is read.
const FEWEST_FOUND: usize = 8;

/// Calibrates every category from the margins of cross-validation; `counts` says which items count, `alike`
/// whether an item is alike enough to a class to be found at all.
pub(super) fn calibrate(
    margins: &[&[f64]],
    labels: &[Vec<Label>],
    counts: &[bool],
    wanted: &[f64],
    alike: impl Fn(usize, usize) -> bool,
) -> Vec<Judged> {
    let fitted: Vec<(f64, f64)> = margins
        .iter()
        .zip(labels)
        .map(|(margins, labels)| {
            let of = margins.iter().zip(labels).zip(counts);
            let points: Vec<(f64, bool)> = of
                .filter(|((_, label), counts)| **counts && **label != Label::Untold)
                .map(|((margin, label), _)| (*margin, *label == Label::Is))
                .collect();
            platt(&points)
        })
        .collect();
    // To what the model's file keeps of them.
    let fitted: Vec<(f64, f64)> = fitted.iter().map(|(scale, shift)| (thousandths(*scale), thousandths(*shift))).collect();
    let argument = |class: usize, item: usize| {
        let (scale, shift) = fitted.get(class).copied().unwrap_or_default();
        margins.get(class).and_then(|margins| margins.get(item)).map_or(f64::NEG_INFINITY, |margin| scale * margin + shift)
    };
    let mut found: Vec<Vec<(f64, bool)>> = vec![Vec::new(); margins.len()];
    for item in (0..counts.len()).filter(|item| counts.get(*item) == Some(&true)) {
        let Some(best) = (0..margins.len()).max_by(|a, b| argument(*a, item).total_cmp(&argument(*b, item))) else { continue };
        let is = labels.get(best).and_then(|labels| labels.get(item));
        if let (Some(found), Some(label)) = (found.get_mut(best), is)
            && matches!(label, Label::Is | Label::IsNot)
            && alike(best, item)
        {
            found.push((argument(best, item), *label == Label::Is));
        }
    }
    let judge = |class: usize| {
        let total = labels
            .get(class)
            .map_or(0, |labels| labels.iter().zip(counts).filter(|(label, counts)| **label == Label::Is && **counts).count());
        let mut found = found.get(class).cloned().unwrap_or_default();
        found.sort_by(|a, b| b.0.total_cmp(&a.0));
        let wanted = wanted.get(class).copied().unwrap_or(1.0);
        let (scale, shift) = fitted.get(class).copied().unwrap_or_default();
        let mut judged = Judged {
            calibration: Calibration { scale: scale as f32, shift: shift as f32, least: f32::INFINITY },
            missed: (total, 0),
            precision: 0.0,
        };
        let mut right = 0;
        for (place, (argument, is)) in found.iter().enumerate() {
            right += usize::from(*is);
            let precision = right as f64 / (place + 1) as f64;
            if place + 1 >= FEWEST_FOUND && precision >= wanted && *is {
                judged.calibration.least = thousandths(*argument - 0.0005) as f32;
                judged.missed.1 = right;
                judged.precision = precision;
            }
        }
        judged
    };
    (0..margins.len()).map(judge).collect()
}

fn thousandths(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// The logistic curve that fits best: scale and shift.
fn platt(points: &[(f64, bool)]) -> (f64, f64) {
    let positive = points.iter().filter(|(_, is)| *is).count() as f64;
    let negative = points.len() as f64 - positive;
    let (high, low) = ((positive + 1.0) / (positive + 2.0), 1.0 / (negative + 2.0));
    let target = |is: bool| if is { high } else { low };
    let (mut scale, mut shift) = (1.0_f64, libm::log((positive + 1.0) / (negative + 1.0)));
    for _ in 0..100 {
        let (mut g0, mut g1, mut h00, mut h01, mut h11) = (0.0, 0.0, 1e-9, 0.0, 1e-9);
        for &(margin, is) in points {
            let p = f64::from(logistic((scale * margin + shift) as f32)).clamp(1e-9, 1.0 - 1e-9);
            let (error, variance) = (p - target(is), p * (1.0 - p));
            g0 += error * margin;
            g1 += error;
            h00 += variance * margin * margin;
            h01 += variance * margin;
            h11 += variance;
        }
        let determinant = h00 * h11 - h01 * h01;
        if determinant.abs() < 1e-12 {
            break;
        }
        let (step0, step1) = ((h11 * g0 - h01 * g1) / determinant, (h00 * g1 - h01 * g0) / determinant);
        // A step too long overshoots where the curve is flat.
        let damp = 1.0 / f64::max(1.0, step0.abs().max(step1.abs()));
        scale -= damp * step0;
        shift -= damp * step1;
        if step0.abs() < 1e-6 && step1.abs() < 1e-6 {
            break;
        }
    }
    (scale, shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_are_what_they_say() {
        // Of points at 1 three in four are positive, at -1 one in four.
        let points: Vec<(f64, bool)> = (0..400)
            .map(|n| (if n % 2 == 0 { 1.0 } else { -1.0 }, (n / 2) % 4 != 0 && n % 2 == 0 || n % 2 == 1 && (n / 2) % 4 == 0))
            .collect();
        let (scale, shift) = platt(&points);
        let p = |margin: f64| f64::from(logistic((scale * margin + shift) as f32));
        assert!((p(1.0) - 0.75).abs() < 0.01 && (p(-1.0) - 0.25).abs() < 0.01, "{} {}", p(1.0), p(-1.0));
    }

    #[test]
    fn a_threshold_is_the_least_that_keeps_the_precision() {
        let margins: Vec<f64> = (0..40).map(|n| 2.0 - f64::from(n) * 0.1).collect();
        // The first twenty are right, then every second one.
        let labels: Vec<Label> = (0..40).map(|n| if n < 20 || n % 2 == 0 { Label::Is } else { Label::IsNot }).collect();
        let judged = calibrate(&[&margins], &[labels], &[true; 40], &[0.95], |_, _| true);
        let judged = judged.first().unwrap();
        assert!(judged.precision >= 0.95);
        // 22 of the first 23.
        assert_eq!(judged.missed, (30, 22));
        let none = calibrate(&[&margins], &[vec![Label::IsNot; 40]], &[true; 40], &[0.95], |_, _| true);
        assert!(none.first().unwrap().calibration.least.is_infinite());
    }
}
