//! Events that were refused with the word to send them again, of calls that are not in memory: what their calls wait for once they are.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::{Duration, Instant};

use super::live::Key;

/// Most calls that are remembered. Whoever is refused more at one time is past waiting for; of these the oldest are forgotten.
const CALLS: usize = 100_000;

/// What was sent back.
#[derive(Debug, Default)]
pub(super) struct SentBack {
    calls: HashMap<Key, (Instant, BTreeSet<u32>)>,
    /// The calls as they were first noted; some have been taken since.
    noted: VecDeque<(Instant, Key)>,
}

impl SentBack {
    /// Notes events of a call. What was noted longer than `patience` ago is forgotten: a live call without events has ended by then.
    pub(super) fn note(&mut self, key: Key, seqs: impl IntoIterator<Item = u32>, now: Instant, patience: Duration) {
        let noted = &mut self.noted;
        let (_, known) = self.calls.entry(key).or_insert_with_key(|key| {
            noted.push_back((now, key.clone()));
            (now, BTreeSet::new())
        });
        known.extend(seqs);
        while let Some((at, _)) = self.noted.front()
            && (*at + patience <= now || self.noted.len() > CALLS)
        {
            let Some((at, key)) = self.noted.pop_front() else { return };
            // It may have been taken and noted anew.
            if self.calls.get(&key).is_some_and(|(noted, _)| *noted == at) {
                self.calls.remove(&key);
            }
        }
    }

    /// The events of a call that comes into memory.
    pub(super) fn take(&mut self, key: &Key) -> BTreeSet<u32> {
        self.calls.remove(key).map(|(_, seqs)| seqs).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(call: usize) -> Key {
        Key::from_slice(&call.to_le_bytes())
    }

    #[test]
    fn what_was_sent_back_is_known_once_and_not_for_ever() {
        let (mut back, begun, patience) = (SentBack::default(), Instant::now(), Duration::from_secs(10));
        back.note(key(1), [3, 2], begun, patience);
        back.note(key(1), [4], begun, patience);
        assert_eq!(Vec::from_iter(back.take(&key(1))), [2, 3, 4]);
        assert!(back.take(&key(1)).is_empty());
        // Noted anew, it is as old as that.
        let later = begun + Duration::from_secs(6);
        back.note(key(1), [5], later, patience);
        back.note(key(2), [1], later + Duration::from_secs(5), patience);
        assert_eq!(Vec::from_iter(back.take(&key(1))), [5]);
        back.note(key(1), [6], later, patience);
        back.note(key(3), [1], later + patience, patience);
        assert!(back.take(&key(1)).is_empty());
        assert_eq!(Vec::from_iter(back.take(&key(3))), [1]);
    }

    #[test]
    fn no_more_is_known_than_has_room() {
        let (mut back, now) = (SentBack::default(), Instant::now());
        (0..CALLS + 5).for_each(|call| back.note(key(call), [1], now, Duration::from_secs(10)));
        assert_eq!((back.calls.len(), back.noted.len()), (CALLS, CALLS));
        assert!(back.take(&key(4)).is_empty());
        assert_eq!(Vec::from_iter(back.take(&key(5))), [1]);
    }
}
