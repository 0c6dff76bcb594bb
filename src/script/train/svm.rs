//! A linear support vector machine with squared hinge loss, solved by dual coordinate descent
//! (C.-J. Hsieh et al., "A Dual Coordinate Descent Method for Large-scale Linear SVM", ICML 2008).
//!
//! Both sides weigh the same, however many examples each has; what looks alike weighs double.

/// What an utterance is to a category.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Label {
    /// An example.
    Is,
    /// An example of something else.
    IsNot,
    /// A counterexample.
    LooksLike,
    /// Neither: it teaches nothing.
    Untold,
}

/// A trained classifier: a weight for each feature, the bias last.
#[derive(Debug, Clone)]
pub(super) struct Classifier(Vec<f64>);

/// How much a misjudged example costs against the weights' size.
const COST: f64 = 0.5;
/// Passes over the examples: the weights have settled to three digits by then.
const PASSES: usize = 25;
/// What the constant feature counts.
const BIAS: f64 = 1.0;

impl Classifier {
    pub(super) fn weight(&self, feature: u32) -> f64 {
        self.0.get(feature as usize).copied().unwrap_or_default()
    }

    /// With each weight as `keep` of feature and weight leaves it.
    pub(super) fn kept(mut self, keep: impl Fn(usize, f64) -> f64) -> Self {
        if let Some((_, weights)) = self.0.split_last_mut() {
            weights.iter_mut().enumerate().for_each(|(feature, weight)| *weight = keep(feature, *weight));
        }
        self
    }

    pub(super) fn bias(&self) -> f64 {
        self.0.last().copied().unwrap_or_default() * BIAS
    }

    pub(super) fn margin(&self, vector: &[(u32, f64)]) -> f64 {
        vector.iter().map(|&(feature, value)| self.weight(feature) * value).sum::<f64>() + self.bias()
    }
}

/// Trains on the items that `takes_part` names.
pub(super) fn train(vectors: &[Vec<(u32, f64)>], labels: &[Label], features: usize, takes_part: impl Fn(usize) -> bool) -> Classifier {
    let mut part: Vec<usize> =
        (0..vectors.len()).filter(|&item| takes_part(item) && labels.get(item).is_some_and(|label| *label != Label::Untold)).collect();
    let positive = part.iter().filter(|&&item| labels.get(item) == Some(&Label::Is)).count().max(1) as f64;
    let all = part.len() as f64;
    let cost = |label: Label| match label {
        Label::Is => COST * all / (2.0 * positive),
        Label::LooksLike => COST * all / (all - positive).max(1.0),
        Label::IsNot | Label::Untold => COST * all / (2.0 * (all - positive).max(1.0)),
    };
    let mut weights = vec![0.0; features + 1];
    let mut multipliers = vec![0.0; vectors.len()];
    let mut order = 0x2545_F491_4F6C_DD1D_u64;
    for _ in 0..PASSES {
        // The same shuffle on every run.
        for place in (1..part.len()).rev() {
            order ^= order << 13;
            order ^= order >> 7;
            order ^= order << 17;
            part.swap(place, (order % (place as u64 + 1)) as usize);
        }
        for &item in &part {
            let (Some(vector), Some(&label), Some(multiplier)) = (vectors.get(item), labels.get(item), multipliers.get_mut(item)) else {
                continue;
            };
            let side = if label == Label::Is { 1.0 } else { -1.0 };
            let slack = 0.5 / cost(label);
            let margin = vector.iter().map(|&(feature, value)| weights.get(feature as usize).copied().unwrap_or(0.0) * value).sum::<f64>()
                + weights.last().copied().unwrap_or(0.0) * BIAS;
            let gradient = side * margin - 1.0 + slack * *multiplier;
            let curvature = vector.iter().map(|(_, value)| value * value).sum::<f64>() + BIAS * BIAS + slack;
            let next = f64::max(*multiplier - gradient / curvature, 0.0);
            let step = (next - *multiplier) * side;
            *multiplier = next;
            if step != 0.0 {
                for &(feature, value) in vector {
                    if let Some(weight) = weights.get_mut(feature as usize) {
                        *weight += step * value;
                    }
                }
                if let Some(bias) = weights.last_mut() {
                    *bias += step * BIAS;
                }
            }
        }
    }
    Classifier(weights)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separates_what_can_be_separated() {
        let vectors = vec![vec![(0, 1.0)], vec![(0, 0.8), (2, 0.6)], vec![(1, 1.0)], vec![(1, 0.8), (2, 0.6)], vec![(2, 1.0)]];
        let labels = [Label::Is, Label::Is, Label::IsNot, Label::LooksLike, Label::Untold];
        let classifier = train(&vectors, &labels, 3, |_| true);
        let sides: Vec<bool> = vectors.iter().take(4).map(|vector| classifier.margin(vector) > 0.0).collect();
        assert_eq!(sides, [true, true, false, false]);
        assert!(classifier.weight(0) > 0.0 && classifier.weight(1) < 0.0);
    }
}
