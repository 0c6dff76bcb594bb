//! Readings by their text's name.

use std::hint::black_box;
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use super::ROOMS;

/// Readings that share a room: the last of them makes way for the next.
const WAYS: usize = 4;
/// Threads of which all can have as many rooms as that, beside two for each core: a server has hundreds that grade now and then.
const THREADS: usize = 8;

/// Rooms of all threads.
static TAKEN: AtomicUsize = AtomicUsize::new(0);
/// Most of them.
static MOST: LazyLock<usize> = LazyLock::new(|| {
    let threads = THREADS + 2 * std::thread::available_parallelism().map_or(1, usize::from);
    2 * threads * ROOMS[1]
});

/// The name of a text: in which room it is and which it is there, never [`FREE`]; and what tells it from others of the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) tag: u64,
    pub(super) rest: NonZeroU64,
}

/// What to fetch of what is remembered.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fetch {
    Room,
    Reading,
}

/// A few readings, those asked for lately first: a cache line. A tag without a reading was met once.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Room<T> {
    pub(super) tags: [u64; WAYS],
    pub(super) readings: [Option<Arc<Named<T>>>; WAYS],
}

/// A reading, and the rest of its text's name; of one that is not kept for others, none.
#[derive(Debug)]
pub(crate) struct Named<T> {
    pub(super) rest: Option<NonZeroU64>,
    pub(super) reading: T,
}

impl<T> Default for Room<T> {
    fn default() -> Self {
        Self { tags: [FREE; WAYS], readings: [const { None }; WAYS] }
    }
}

/// The tag of a place that is free.
pub(super) const FREE: u64 = 0;

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

/// What is known of a name.
#[derive(Debug)]
pub(super) enum Met<T> {
    Never,
    /// It was met, and nothing is kept under it.
    Before,
    Known(Arc<Named<T>>),
}

/// Readings by their text's name.
#[derive(Debug)]
pub(super) struct Recall<T> {
    /// A power of two of them, or none yet.
    pub(super) rooms: Vec<Room<T>>,
    /// Most of them.
    most: usize,
    /// Tags in them.
    pub(super) tags: usize,
}

impl<T> Drop for Recall<T> {
    fn drop(&mut self) {
        TAKEN.fetch_sub(self.rooms.len(), Ordering::Relaxed);
    }
}

impl<T> Recall<T> {
    pub(super) fn new(most: usize) -> Self {
        Self { rooms: Vec::new(), most, tags: 0 }
    }

    /// The reading kept under a name.
    pub(super) fn known(&mut self, name: Name) -> Option<Arc<Named<T>>> {
        let place = name.tag as usize & self.rooms.len().wrapping_sub(1);
        let room = self.rooms.get_mut(place)?;
        let at = room.find(name.tag)?;
        room.ask(at).as_ref().filter(|named| named.rest == Some(name.rest)).map(Arc::clone)
    }

    /// What is known of a name that has been met just now.
    pub(super) fn meet(&mut self, name: Name) -> Met<T> {
        if let Some(named) = self.known(name) {
            return Met::Known(named);
        }
        self.put(name, None)
    }

    /// Keeps a reading.
    pub(super) fn keep(&mut self, name: Name, named: Arc<Named<T>>) {
        self.put(name, Some(named));
    }

    /// Puts a reading, or none yet, under a name; whether the name was met before.
    fn put(&mut self, name: Name, named: Option<Arc<Named<T>>>) -> Met<T> {
        self.grow();
        let place = name.tag as usize & (self.rooms.len() - 1);
        let Some(room) = self.rooms.get_mut(place) else { return Met::Never };
        match room.find(name.tag) {
            Some(at) => {
                let kept = room.ask(at);
                *kept = named.or_else(|| kept.take());
                Met::Before
            }
            None => {
                // Behind what was asked for again, so that much that is said once does not drive that out.
                let free = room.find(FREE);
                self.tags += usize::from(free.is_some());
                room.put(free.unwrap_or(WAYS / 2), name.tag, named);
                Met::Never
            }
        }
    }

    /// Loads what is known by a name, for the sake of the caches alone.
    pub(super) fn fetch(&self, name: Name, what: Fetch) {
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
        let (first, most) = (ROOMS[0].min(self.most), self.most);
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
