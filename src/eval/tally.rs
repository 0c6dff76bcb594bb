//! From items to figures: precision, recall and F1 with the interval that chance leaves open.
//!
//! Shares have Wilson's interval (E. B. Wilson, 1927). F1 and its mean have none in closed form: theirs is the middle 95 % of
//! what the items give when drawn anew, with replacement, [`DRAWS`] times (B. Efron's percentile bootstrap, 1979). What is drawn
//! is the item, a whole call: its turns are not independent. The draws are the same on every run.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Agreement, Confusion, Group, Part, Score};

/// How often items are drawn anew.
pub const DRAWS: usize = 1000;
/// The normal distribution's 97.5 % quantile.
const Z: f64 = 1.959_964;

/// A figure between 0 and 1 and its 95 % interval.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Figure {
    /// The figure; 0 where nothing was counted.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Of how many: the items, or the count that the share is of.
    pub of: u32,
}

impl Figure {
    /// A share with Wilson's interval.
    #[must_use]
    pub fn share(right: u32, of: u32) -> Self {
        if of == 0 {
            return Self { value: 0.0, low: 0.0, high: 1.0, of };
        }
        let (n, p) = (f64::from(of), f64::from(right) / f64::from(of));
        let middle = p + Z * Z / (2.0 * n);
        let reach = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
        let scale = 1.0 + Z * Z / n;
        Self { value: p, low: ((middle - reach) / scale).max(0.0), high: ((middle + reach) / scale).min(1.0), of }
    }

    /// A figure and what it came to when drawn anew.
    fn drawn(value: f64, mut draws: Vec<f64>, of: u32) -> Self {
        draws.sort_by(f64::total_cmp);
        let at = |share: f64| draws.get(((draws.len() as f64 * share) as usize).min(draws.len().saturating_sub(1))).copied();
        Self { value, low: at(0.025).unwrap_or(value).min(value), high: at(0.975).unwrap_or(value).max(value), of }
    }
}

/// Which group of scores a mark belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A category, of a customer's turn.
    Turn,
    /// A trigger question, of a call.
    Question,
    /// How the invite was taken, of a call.
    Invite,
    /// The category of an utterance.
    Category,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Turn, Self::Question, Self::Invite, Self::Category];

    const fn name(self) -> &'static str {
        match self {
            Self::Turn => "turns",
            Self::Question => "questions",
            Self::Invite => "invite",
            Self::Category => "categories",
        }
    }
}

/// Something that people say, or the answer says, or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Its group.
    pub kind: Kind,
    /// The category.
    pub id: String,
    /// People say so.
    pub gold: bool,
    /// The answer says so.
    pub found: bool,
}

/// An item that was measured: a call or an utterance.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sample {
    /// It is kept from the eye.
    pub set_aside: bool,
    /// The label or category that people give; `None` where they say nothing of it, which is neither right nor wrong.
    pub gold: Option<String>,
    /// The one answered.
    pub found: String,
    /// What is scored by precision and recall.
    pub marks: Vec<Mark>,
    /// Signals that are right or wrong: name, right, of how many.
    pub agreement: Vec<(&'static str, u32, u32)>,
}

impl Sample {
    /// Marks what two sets share and where they differ.
    pub fn mark<'a>(&mut self, kind: Kind, gold: impl IntoIterator<Item = &'a str>, found: impl IntoIterator<Item = &'a str>) {
        let gold: Vec<&str> = gold.into_iter().collect();
        let found: Vec<&str> = found.into_iter().collect();
        for &id in &gold {
            self.marks.push(Mark { kind, id: id.to_owned(), gold: true, found: found.contains(&id) });
        }
        for id in found.into_iter().filter(|id| !gold.contains(id)) {
            self.marks.push(Mark { kind, id: id.to_owned(), gold: false, found: true });
        }
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    right: u32,
    wrong: u32,
    missed: u32,
}

impl Counts {
    fn count(&mut self, mark: (bool, bool)) {
        match mark {
            (true, true) => self.right += 1,
            (false, true) => self.wrong += 1,
            (true, false) => self.missed += 1,
            (false, false) => {}
        }
    }

    fn add(&mut self, other: Self) {
        self.right += other.right;
        self.wrong += other.wrong;
        self.missed += other.missed;
    }

    fn any(&self) -> bool {
        self.right + self.wrong + self.missed > 0
    }

    fn f1(self) -> f64 {
        let all = 2 * self.right + self.wrong + self.missed;
        if all == 0 { 0.0 } else { 2.0 * f64::from(self.right) / f64::from(all) }
    }
}

/// The figures of some items. `labels` orders the matrix, `macro_over` names the categories of the mean.
#[must_use]
pub fn part(name: &'static str, samples: &[&Sample], labels: &[String], macro_over: Option<&[String]>) -> Part {
    let keys: BTreeMap<(Kind, &str), usize> = {
        let mut keys: BTreeMap<(Kind, &str), usize> =
            samples.iter().flat_map(|sample| &sample.marks).map(|mark| ((mark.kind, mark.id.as_str()), 0)).collect();
        keys.values_mut().enumerate().for_each(|(place, value)| *value = place);
        keys
    };
    // Marks by number, so that drawing anew costs no look-up.
    let numbered: Vec<Vec<(usize, bool, bool)>> = samples
        .iter()
        .map(|sample| {
            let mark = |mark: &super::tally::Mark| keys.get(&(mark.kind, mark.id.as_str())).map(|&key| (key, mark.gold, mark.found));
            sample.marks.iter().filter_map(mark).collect()
        })
        .collect();
    let count = |picked: &mut dyn Iterator<Item = usize>| {
        let mut counts = vec![Counts::default(); keys.len()];
        for sample in picked {
            for &(key, gold, found) in numbered.get(sample).into_iter().flatten() {
                if let Some(counts) = counts.get_mut(key) {
                    counts.count((gold, found));
                }
            }
        }
        counts
    };
    let of_kind = |counts: &[Counts], kind: Kind| {
        let mut all = Counts::default();
        keys.iter().filter(|((of, _), _)| *of == kind).filter_map(|(_, &key)| counts.get(key)).for_each(|counts| all.add(*counts));
        all
    };
    let mean = |counts: &[Counts]| {
        let wanted = macro_over.unwrap_or_default();
        let f1 = |id: &String| keys.get(&(Kind::Category, id.as_str())).and_then(|&key| counts.get(key)).map_or(0.0, |counts| counts.f1());
        wanted.iter().map(f1).sum::<f64>() / wanted.len().max(1) as f64
    };
    let observed = count(&mut (0..samples.len()));
    let mut chance = Draws(0x9E37_79B9_7F4A_7C15);
    let drawn: Vec<Vec<Counts>> =
        (0..DRAWS).map(|_| count(&mut (0..samples.len()).map(|_| chance.below(samples.len())).collect::<Vec<_>>().into_iter())).collect();
    let score = |id: &str, of: &dyn Fn(&[Counts]) -> Counts| {
        let counts = of(&observed);
        let support = counts.right + counts.missed;
        Score {
            id: id.to_owned(),
            support,
            right: counts.right,
            wrong: counts.wrong,
            missed: counts.missed,
            precision: Figure::share(counts.right, counts.right + counts.wrong),
            recall: Figure::share(counts.right, support),
            // A draw without any of the category says nothing of it.
            f1: Figure::drawn(counts.f1(), drawn.iter().map(|draw| of(draw)).filter(Counts::any).map(Counts::f1).collect(), support),
        }
    };
    let groups = Kind::ALL
        .into_iter()
        .filter(|kind| keys.keys().any(|(of, _)| of == kind))
        .map(|kind| Group {
            name: kind.name(),
            scores: keys
                .iter()
                .filter(|((of, _), _)| *of == kind)
                .map(|((_, id), &key)| score(id, &|counts| counts.get(key).copied().unwrap_or_default()))
                .collect(),
            micro: score("micro", &|counts| of_kind(counts, kind)),
        })
        .collect();
    let told = samples.iter().filter_map(|sample| Some((sample.gold.as_deref()?, sample.found.as_str())));
    let told: Vec<(&str, &str)> = told.collect();
    let right = told.iter().filter(|(gold, found)| gold == found).count() as u32;
    Part {
        name,
        items: samples.len(),
        accuracy: Figure::share(right, told.len() as u32),
        macro_f1: macro_over
            .map(|wanted| Figure::drawn(mean(&observed), drawn.iter().map(|draw| mean(draw)).collect(), wanted.len() as u32)),
        confusion: confusion(&told, labels),
        agreement: agreement(samples),
        groups,
    }
}

fn confusion(told: &[(&str, &str)], labels: &[String]) -> Confusion {
    let mut names: Vec<String> = labels.to_vec();
    for &(gold, found) in told {
        for name in [gold, found] {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
    }
    names.retain(|name| told.iter().any(|(gold, found)| gold == name || found == name));
    let mut counts = vec![vec![0; names.len()]; names.len()];
    let place = |name: &str| names.iter().position(|known| known == name);
    for (gold, found) in told {
        if let (Some(gold), Some(found)) = (place(gold), place(found))
            && let Some(cell) = counts.get_mut(gold).and_then(|row| row.get_mut(found))
        {
            *cell += 1;
        }
    }
    Confusion { names, counts }
}

fn agreement(samples: &[&Sample]) -> Vec<Agreement> {
    let mut signals: Vec<(&str, u32, u32)> = Vec::new();
    for &(signal, right, of) in samples.iter().flat_map(|sample| &sample.agreement) {
        match signals.iter_mut().find(|(known, ..)| *known == signal) {
            Some(known) => {
                known.1 += right;
                known.2 += of;
            }
            None => signals.push((signal, right, of)),
        }
    }
    signals.into_iter().map(|(signal, right, of)| Agreement { signal: signal.to_owned(), share: Figure::share(right, of) }).collect()
}

/// Numbers that are the same on every run (S. Vigna's splitmix64).
struct Draws(u64);

impl Draws {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((u128::from(z ^ z >> 31) * bound as u128) >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(gold: &[&str], found: &[&str]) -> Sample {
        let mut sample = Sample {
            gold: Some(gold.first().copied().unwrap_or("other").into()),
            found: found.first().copied().unwrap_or("other").into(),
            ..Sample::default()
        };
        sample.mark(Kind::Category, gold.iter().copied(), found.iter().copied());
        sample
    }

    #[test]
    fn shares_have_wilsons_interval() {
        // R's binom.confint(97, 104, methods = "wilson"): 0.8675 to 0.9670.
        let figure = Figure::share(97, 104);
        assert!((figure.value - 0.932_692).abs() < 1e-6);
        assert!((figure.low - 0.867_5).abs() < 5e-4 && (figure.high - 0.967_0).abs() < 5e-4, "{figure:?}");
        assert_eq!(Figure::share(0, 0), Figure { value: 0.0, low: 0.0, high: 1.0, of: 0 });
        assert!(Figure::share(10, 10).high > 0.999 && Figure::share(10, 10).low < 0.75);
    }

    #[test]
    fn scores_and_their_mean() {
        let samples = [sample(&["a"], &["a"]), sample(&["a"], &["b"]), sample(&["b"], &["b"]), sample(&[], &["a"]), sample(&[], &[])];
        let refs: Vec<&Sample> = samples.iter().collect();
        let wanted = ["a".to_owned(), "b".to_owned()];
        let part = part("whole", &refs, &[], Some(&wanted));
        let of = |id: &str| part.groups[0].scores.iter().find(|score| score.id == id).unwrap().clone();
        assert_eq!((of("a").right, of("a").wrong, of("a").missed), (1, 1, 1));
        assert_eq!((of("b").right, of("b").wrong, of("b").missed), (1, 1, 0));
        assert!((of("a").f1.value - 0.5).abs() < 1e-9 && (of("b").f1.value - 2.0 / 3.0).abs() < 1e-9);
        let mean = part.macro_f1.unwrap();
        assert!((mean.value - (0.5 + 2.0 / 3.0) / 2.0).abs() < 1e-9);
        assert!(mean.low < mean.value && mean.value < mean.high);
        assert_eq!(part.accuracy.value, 0.6);
        assert_eq!(part.confusion.names, ["a", "b", "other"]);
        assert_eq!(part.confusion.counts, [[1, 1, 0], [0, 1, 0], [1, 0, 1]]);
    }

    #[test]
    fn what_nobody_says_is_neither_right_nor_wrong() {
        let untold = Sample { found: "a".into(), ..Sample::default() };
        let part = part("whole", &[&untold, &sample(&["a"], &["a"])], &[], None);
        assert_eq!((part.items, part.accuracy), (2, Figure::share(1, 1)));
        assert_eq!(part.confusion.names, ["a"]);
        assert_eq!(part.confusion.counts, [[1]]);
    }
}
