//! Readings kept for the next time that the same is said.
//!
//! A robot says the same lines in call after call, and much of what callers answer is short and heard before. What is read from words
//! depends on the script and the words alone, so a reading made before is as good as a new one. Each thread keeps those of the words
//! that it meets a second time; what is said once costs a hash and a look.
//!
//! The words themselves are not kept, so nothing of a call stays when it is deleted: they are named by a hash of 128 bits with a key
//! that each thread draws for itself, under which nobody can find two texts of one name. No verdict depends on the key.

use std::cell::RefCell;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::hint::black_box;
use std::ops::Deref;
use std::sync::Arc;

use siphasher::sip128::{Hash128, Hasher128, SipHasher13};
use smallvec::SmallVec;

use super::lexicon::Scratch;
use super::reading::{CustomerReading, RobotReading, read_customer, read_robot};
use super::script::Script;
use super::tracker::Reading;

/// Readings that share a room: the last of them makes way for the next.
const WAYS: usize = 4;
/// Rooms to begin with, and at most: 65,536 readings of each side, some 20 MiB a thread.
const ROOMS: [usize; 2] = [64, 16_384];
/// A reading with more hits is not kept, so that no text takes more than its share.
const MOST_HITS: usize = 32;

thread_local! {
    static DESK: RefCell<Desk> = RefCell::default();
}

/// How words are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// As a customer's.
    Customer,
    /// As a robot's: see [`read_robot`].
    Robot { recognise: bool, timed: bool },
}

/// Reads words, or remembers what was read from the same.
pub(crate) fn read(script: &Script, way: Way, text: &str) -> Reading {
    DESK.with_borrow_mut(|desk| {
        let name = desk.namer.name(script, way, text);
        desk.read(script, way, text, name)
    })
}

/// Reads the words of many utterances at once: what is remembered of them is scattered over the memory, and is fetched for all
/// before the first is used.
pub(crate) fn read_each<'a>(script: &Script, words: impl Iterator<Item = (Way, &'a str, &'a mut Reading)>) {
    DESK.with_borrow_mut(|desk| {
        let named: SmallVec<[_; 16]> = words.map(|(way, text, reading)| (desk.namer.name(script, way, text), way, text, reading)).collect();
        named.iter().for_each(|(name, way, ..)| desk.fetch(*way, *name, Fetch::Room));
        named.iter().for_each(|(name, way, ..)| desk.fetch(*way, *name, Fetch::Reading));
        for (name, way, text, reading) in named {
            *reading = desk.read(script, way, text, name);
        }
    });
}

/// Has the calling thread know none of the words that it has read: for measuring what words cost that were never said before.
pub fn forget() {
    DESK.with_borrow_mut(|desk| desk.namer = Namer::default());
}

/// A reading, a call's own or one that other calls have too.
#[derive(Debug, Clone)]
pub(crate) enum Kept<T> {
    Own(Box<T>),
    Shared(Arc<Named<T>>),
}

impl<T> Kept<T> {
    /// Bytes that only this call has.
    pub(crate) fn own_bytes(&self, behind: impl FnOnce(&T) -> usize) -> usize {
        match self {
            Self::Own(reading) => size_of::<T>() + behind(reading),
            Self::Shared(_) => 0,
        }
    }
}

impl<T> Deref for Kept<T> {
    type Target = T;
    fn deref(&self) -> &T {
        match self {
            Self::Own(reading) => reading,
            Self::Shared(named) => &named.reading,
        }
    }
}

impl<T: PartialEq> PartialEq for Kept<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

/// What a thread reads with.
#[derive(Default)]
struct Desk {
    scratch: Scratch,
    namer: Namer,
    customers: Recall<CustomerReading>,
    robots: Recall<RobotReading>,
}

/// What to fetch of what is remembered.
#[derive(Debug, Clone, Copy)]
enum Fetch {
    Room,
    Reading,
}

impl Desk {
    fn read(&mut self, script: &Script, way: Way, text: &str, name: Name) -> Reading {
        let Self { scratch, customers, robots, .. } = self;
        match way {
            Way::Customer => {
                let few = |reading: &CustomerReading| reading.hits.len() <= MOST_HITS;
                Reading::Customer(customers.recall(name, few, || read_customer(script, text, scratch)))
            }
            Way::Robot { recognise, timed } => {
                Reading::Robot(robots.recall(name, |_| true, || read_robot(script, text, recognise, timed, scratch)))
            }
        }
    }

    /// Has the processor fetch what is remembered under a name, without waiting for it.
    fn fetch(&self, way: Way, name: Name, what: Fetch) {
        match way {
            Way::Customer => self.customers.fetch(name, what),
            Way::Robot { .. } => self.robots.fetch(name, what),
        }
    }
}

/// The name of a text: in which room it is and which it is there, 0 nobody's; and what tells it from others of the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Name {
    tag: u64,
    rest: u64,
}

/// Names texts.
struct Namer(SipHasher13);

impl Default for Namer {
    fn default() -> Self {
        let chance = || RandomState::new().build_hasher().finish();
        Self(SipHasher13::new_with_keys(chance(), chance()))
    }
}

impl Namer {
    /// The name of a text as it is read by a script in one of several ways.
    fn name(&self, script: &Script, way: Way, text: &str) -> Name {
        let way = match way {
            Way::Customer => 0,
            Way::Robot { recognise, timed } => 4 | u64::from(recognise) << 1 | u64::from(timed),
        };
        let mut hasher = self.0;
        hasher.write_u64(script.serial.number() << 3 | way);
        hasher.write(text.as_bytes());
        let Hash128 { h1, h2 } = hasher.finish128();
        Name { tag: h1.max(1), rest: h2 }
    }
}

/// A few readings, those asked for lately first: a cache line. A tag without a reading was met once.
#[derive(Debug)]
#[repr(align(64))]
struct Room<T> {
    tags: [u64; WAYS],
    readings: [Option<Arc<Named<T>>>; WAYS],
}

/// A reading, and the rest of its text's name.
#[derive(Debug)]
pub(crate) struct Named<T> {
    rest: u64,
    reading: T,
}

impl<T> Default for Room<T> {
    fn default() -> Self {
        Self { tags: [0; WAYS], readings: [const { None }; WAYS] }
    }
}

impl<T> Room<T> {
    /// Puts something at a place, and what is there and behind it one place back; the last makes way.
    fn put(&mut self, at: usize, tag: u64, reading: Option<Arc<Named<T>>>) {
        if let (Some(tags), Some(readings)) = (self.tags.get_mut(at..), self.readings.get_mut(at..)) {
            tags.rotate_right(1);
            readings.rotate_right(1);
            if let ([first, ..], [named, ..]) = (tags, readings) {
                (*first, *named) = (tag, reading);
            }
        }
    }

    /// Puts what is at a place before all others.
    fn ask(&mut self, at: usize) -> &mut Option<Arc<Named<T>>> {
        if at > 0
            && let (Some(tags), Some(readings)) = (self.tags.get_mut(..=at), self.readings.get_mut(..=at))
        {
            tags.rotate_right(1);
            readings.rotate_right(1);
        }
        let [first, ..] = &mut self.readings;
        first
    }
}

/// Readings by their text's name.
#[derive(Debug)]
struct Recall<T> {
    /// A power of two of them, or none yet.
    rooms: Vec<Room<T>>,
    /// Tags in them.
    tags: usize,
}

impl<T> Default for Recall<T> {
    fn default() -> Self {
        Self { rooms: Vec::new(), tags: 0 }
    }
}

impl<T> Recall<T> {
    /// The reading of that name; else a new one, which is kept if the name was met before and `keep` says so.
    fn recall(&mut self, name: Name, keep: impl FnOnce(&T) -> bool, read: impl FnOnce() -> T) -> Kept<T> {
        self.grow();
        let place = name.tag as usize & (self.rooms.len() - 1);
        let Some(room) = self.rooms.get_mut(place) else { return Kept::Own(Box::new(read())) };
        let Some(at) = room.tags.iter().position(|known| *known == name.tag) else {
            // Behind what was asked for again, so that much that is said once does not drive that out.
            let free = room.tags.iter().position(|known| *known == 0);
            self.tags += usize::from(free.is_some());
            room.put(free.unwrap_or(WAYS / 2), name.tag, None);
            return Kept::Own(Box::new(read()));
        };
        let kept = room.ask(at);
        if let Some(named) = kept.as_ref().filter(|named| named.rest == name.rest) {
            return Kept::Shared(Arc::clone(named));
        }
        let reading = read();
        if !keep(&reading) {
            return Kept::Own(Box::new(reading));
        }
        let named = Arc::new(Named { rest: name.rest, reading });
        *kept = Some(Arc::clone(&named));
        Kept::Shared(named)
    }

    /// Loads what is known by a name, for the sake of the caches alone.
    fn fetch(&self, name: Name, what: Fetch) {
        let place = name.tag as usize & self.rooms.len().wrapping_sub(1);
        let Some(room) = self.rooms.get(place) else { return };
        match what {
            Fetch::Room => {
                let [first, ..] = room.tags;
                black_box(first);
            }
            Fetch::Reading => {
                let at = room.tags.iter().position(|known| *known == name.tag);
                let named = at.and_then(|at| room.readings.get(at)?.as_ref());
                black_box(named.map(|named| named.rest));
            }
        }
    }

    /// Makes more rooms while there are few for what is kept.
    fn grow(&mut self) {
        let [first, most] = ROOMS;
        let rooms = match self.rooms.len() {
            0 => first,
            rooms if rooms < most && self.tags > rooms * (WAYS / 2) => rooms * 4,
            _ => return,
        };
        let old = std::mem::take(&mut self.rooms);
        self.rooms.resize_with(rooms, Room::default);
        self.tags = 0;
        for room in old {
            for (tag, reading) in room.tags.into_iter().zip(room.readings).filter(|(tag, _)| *tag != 0) {
                let Some(room) = self.rooms.get_mut(tag as usize & (rooms - 1)) else { continue };
                if let Some(free) = room.tags.iter().position(|known| *known == 0) {
                    room.put(free, tag, reading);
                    self.tags += 1;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script() -> Arc<Script> {
        crate::script::bundled("telemarketing").unwrap()
    }

    const SAID: [&str; 8] = ["多少钱", "不需要", "嗯", "我在开会，晚点再打", "加我微信吧", "", "今天天气不错", "要是不需要早挂了"];

    #[test]
    fn what_is_remembered_is_what_would_be_read() {
        let script = script();
        let mut scratch = Scratch::default();
        let ways = [false, true].into_iter().flat_map(|recognise| [false, true].map(|timed| Way::Robot { recognise, timed }));
        let asked: Vec<(Way, &str)> = ways.chain([Way::Customer]).flat_map(|way| SAID.into_iter().map(move |text| (way, text))).collect();
        let mut fresh = |way: Way, text: &str| match way {
            Way::Customer => Reading::Customer(Kept::Own(Box::new(read_customer(&script, text, &mut scratch)))),
            Way::Robot { recognise, timed } => {
                Reading::Robot(Kept::Own(Box::new(read_robot(&script, text, recognise, timed, &mut scratch))))
            }
        };
        let expected: Vec<Reading> = asked.iter().map(|(way, text)| fresh(*way, text)).collect();
        for _ in 0..4 {
            for ((way, text), expected) in asked.iter().zip(&expected) {
                assert_eq!(read(&script, *way, text), *expected, "{text}, {way:?}");
            }
            let mut readings = vec![Reading::None; asked.len()];
            read_each(&script, asked.iter().zip(&mut readings).map(|((way, text), reading)| (*way, *text, reading)));
            assert_eq!(readings, expected);
        }
    }

    #[test]
    fn what_is_said_a_third_time_is_not_read() {
        let mut recall = Recall::default();
        let mut read = 0;
        for time in 0..5 {
            let kept = recall.recall(
                Name { tag: 7, rest: 0 },
                |_| true,
                || {
                    read += 1;
                    time
                },
            );
            assert_eq!((matches!(kept, Kept::Own(_)), *kept), ([true, false, false, false, false][time], [0, 1, 1, 1, 1][time]));
        }
        assert_eq!(read, 2, "the first time nothing is kept");
        assert_eq!(*recall.recall(Name { tag: 7, rest: 1 }, |_| true, || 9), 9, "another text with the same tag");
        assert!((0..3).all(|_| matches!(recall.recall(Name { tag: 8, rest: 0 }, |_| false, || 0), Kept::Own(_))), "nor what is too large");
    }

    #[test]
    fn scripts_and_ways_of_reading_are_told_apart() {
        let (one, other) = (script(), crate::script::bundled("broadband").unwrap());
        let namer = Namer::default();
        const ROBOT: Way = Way::Robot { recognise: false, timed: false };
        let names = [
            namer.name(&one, Way::Customer, "嗯"),
            namer.name(&other, Way::Customer, "嗯"),
            namer.name(&one, ROBOT, "嗯"),
            namer.name(&one, Way::Customer, "啊"),
        ];
        assert!((1..4).all(|later| !names[..later].contains(&names[later])), "{names:?}");
        assert_eq!(namer.name(&one, Way::Customer, "嗯"), names[0]);
    }

    #[test]
    fn it_grows_with_what_is_said_and_no_further() {
        let mut recall = Recall::default();
        let mut chance = 1u64;
        let names: Vec<Name> = (0..200_000)
            .map(|_| {
                chance = chance.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(1);
                Name { tag: chance ^ chance >> 32, rest: chance }
            })
            .collect();
        for name in names.iter().take(20_000).chain(&names[..20_000]).chain(&names) {
            assert_eq!(*recall.recall(*name, |_| true, || name.rest), name.rest);
        }
        assert_eq!(recall.rooms.len(), ROOMS[1]);
        assert_eq!(recall.tags, recall.rooms.iter().flat_map(|room| room.tags).filter(|tag| *tag != 0).count());
        let kept = recall.rooms.iter().flat_map(|room| &room.readings).filter(|named| named.is_some()).count();
        assert!(kept > 12_000, "what was asked for again is not driven out by ten times as much that was not: {kept}");
    }
}
