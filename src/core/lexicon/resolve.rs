//! Which of all that was found stands: exceptions, competing lists, sounds beside words.

use smallvec::SmallVec;

use super::{Hit, List, Match};

/// Hits of one text; most have few.
pub type Hits = SmallVec<[Hit; 4]>;

/// Something found, before it is known whether it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct RawHit {
    pub(super) hit: Hit,
    pub(super) exception: bool,
    /// Its place in the order of finding.
    pub(super) number: u32,
}

impl RawHit {
    pub(super) fn is_exception(&self) -> bool {
        self.exception
    }
}

impl Hit {
    fn inside(&self, other: &Self) -> bool {
        other.start <= self.start && self.end <= other.end
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    fn len(&self) -> u32 {
        self.end - self.start
    }

    /// Whether words that stand there as listed, `other`, show that what was found by sound was said as it was written.
    fn is_no_slip(&self, other: &Self) -> bool {
        let part = other.inside(self) && other.len() < self.len();
        other.list != self.list && other.len() >= 2 && other.overlaps(self) && !part
    }
}

/// Takes out what was found by sound where `words` stand as listed.
pub(super) fn give_way(hits: &mut Hits, words: &[RawHit]) {
    hits.retain(|hit| hit.how != Match::Pinyin || !words.iter().any(|word| hit.is_no_slip(&word.hit)));
}

/// Takes out what lies inside an exception or a longer competitor, and sounds where words were exact: of `raw`, the first
/// `exact` were found as words.
pub(super) fn resolve(lists: &[List], raw: &mut [RawHit], exact: usize) -> Hits {
    let mut hits = Hits::new();
    if let [only] = raw {
        hits.extend((!only.exception).then_some(only.hit));
    }
    if raw.len() < 2 {
        return hits;
    }
    for (number, candidate) in (0u32..).zip(raw.iter_mut()) {
        candidate.number = number;
    }
    // In the order of the text, what can hold or overlap a hit begins at most the longest hit's length before it.
    raw.sort_unstable_by_key(|candidate| (candidate.hit.start, candidate.number));
    let longest = raw.iter().map(|candidate| candidate.hit.len()).max().unwrap_or_default();
    let mut first = 0;
    for candidate in raw.iter() {
        let hit = &candidate.hit;
        while raw.get(first).is_some_and(|early| early.hit.start + longest < hit.start) {
            first += 1;
        }
        if candidate.exception {
            continue;
        }
        let near = raw.get(first..).unwrap_or_default().iter().take_while(|rival| rival.hit.start < hit.end);
        let beaten = near.clone().any(|rival| beats(lists, rival, candidate))
            || hit.how == Match::Pinyin && {
                // Words that stand there as listed are no slip of the recogniser, unless they are part of what was heard.
                let word = |rival: &RawHit| !lists.get(usize::from(rival.hit.list)).is_some_and(|list| list.cue);
                near.filter(|rival| (rival.number as usize) < exact && word(rival)).any(|rival| hit.is_no_slip(&rival.hit))
            };
        if !beaten {
            hits.push(*hit);
        }
    }
    hits.sort_by_key(|hit| (hit.start, hit.end, hit.list));
    hits
}

/// Whether a hit gives way to another: inside an exception of its list, or a longer hit of its group. Of equal spans
/// the surer match stands, then the first.
fn beats(lists: &[List], rival: &RawHit, candidate: &RawHit) -> bool {
    let (other, hit) = (&rival.hit, &candidate.hit);
    if !hit.inside(other) {
        return false;
    }
    if rival.exception {
        return other.list == hit.list;
    }
    let group = |hit: &Hit| lists.get(usize::from(hit.list)).map(|list| list.group);
    let stronger = other.len() > hit.len() || (other.how, rival.number) < (hit.how, candidate.number);
    stronger && rival.number != candidate.number && (other.list == hit.list || group(other) == group(hit))
}
