//! Readings kept for the next time that the same is said.
//!
//! A robot says the same lines in call after call, and much of what callers answer is short and heard before. What is read from words
//! depends on the script and the words alone, so a reading made before is as good as a new one. Each thread keeps those of the words
//! that it meets a second time; what is said once costs a hash and a look.
//!
//! The words themselves are not kept, nor readings that quote them ([`Learned`](super::learned::Learned)): a text is named by a hash of
//! 128 bits with a key that each thread draws for itself, under which nobody can find two texts of one name. No verdict depends on the
//! key. What stays, until other readings drive it out, is which listed phrases stand where in a text of that name.

use std::cell::RefCell;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::hint::black_box;
use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use siphasher::sip128::{Hash128, Hasher128, SipHasher13};
use smallvec::SmallVec;

use super::lexicon::Scratch;
use super::reading::{CustomerReading, RobotReading, read_customer, read_robot};
use super::script::Script;
use super::tracker::Reading;

/// Readings that share a room: the last of them makes way for the next.
const WAYS: usize = 4;
/// Rooms to begin with, and at most: 65,536 readings of each side, some 20 MiB a thread and never more than 50.
const ROOMS: [usize; 2] = [64, 16_384];
/// A reading with more hits is not kept, so that no text takes more than its share.
const MOST_HITS: usize = 32;
/// Threads of which all can have as many rooms as that, beside two for each core: a server has hundreds that grade now and then.
const THREADS: usize = 8;

/// Rooms of all threads.
static TAKEN: AtomicUsize = AtomicUsize::new(0);
/// Most of them.
static MOST: LazyLock<usize> = LazyLock::new(|| {
    let threads = THREADS + 2 * std::thread::available_parallelism().map_or(1, usize::from);
    2 * threads * ROOMS[1]
});

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
#[doc(hidden)]
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
                let may_stay = |reading: &CustomerReading| reading.hits.len() <= MOST_HITS && reading.learned.is_none();
                Reading::Customer(customers.recall(name, may_stay, || read_customer(script, text, scratch)))
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

/// The name of a text: in which room it is and which it is there, never [`FREE`]; and what tells it from others of the same.
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
        Name { tag: h1.max(FREE + 1), rest: h2 }
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
        Self { tags: [FREE; WAYS], readings: [const { None }; WAYS] }
    }
}

/// The tag of a place that is free.
const FREE: u64 = 0;

impl<T> Room<T> {
    /// Where a tag is, or, of [`FREE`], the first free place.
    fn find(&self, tag: u64) -> Option<usize> {
        self.tags.iter().position(|known| *known == tag)
    }

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

impl<T> Drop for Recall<T> {
    fn drop(&mut self) {
        TAKEN.fetch_sub(self.rooms.len(), Ordering::Relaxed);
    }
}

impl<T> Recall<T> {
    /// The reading of that name; else a new one, which is kept if the name was met before and `keep` says so.
    fn recall(&mut self, name: Name, keep: impl FnOnce(&T) -> bool, read: impl FnOnce() -> T) -> Kept<T> {
        self.grow();
        let place = name.tag as usize & (self.rooms.len() - 1);
        let Some(room) = self.rooms.get_mut(place) else { return Kept::Own(Box::new(read())) };
        let Some(at) = room.find(name.tag) else {
            // Behind what was asked for again, so that much that is said once does not drive that out.
            let free = room.find(FREE);
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
                let named = room.find(name.tag).and_then(|at| room.readings.get(at)?.as_ref());
                black_box(named.map(|named| named.rest));
            }
        }
    }

    /// Makes more rooms while there are few for what is kept.
    fn grow(&mut self) {
        let [first, most] = ROOMS;
        let rooms = match self.rooms.len() {
            0 => first,
            rooms if rooms < most && self.tags > rooms * (WAYS / 2) && TAKEN.load(Ordering::Relaxed) < *MOST => rooms * 4,
            _ => return,
        };
        TAKEN.fetch_add(rooms - self.rooms.len(), Ordering::Relaxed);
        let old = std::mem::take(&mut self.rooms);
        self.rooms.resize_with(rooms, Room::default);
        self.tags = 0;
        for room in old {
            for (tag, reading) in room.tags.into_iter().zip(room.readings).filter(|(tag, _)| *tag != FREE) {
                let Some(room) = self.rooms.get_mut(tag as usize & (rooms - 1)) else { continue };
                if let Some(free) = room.find(FREE) {
                    room.put(free, tag, reading);
                    self.tags += 1;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
