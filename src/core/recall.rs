//! Readings kept for the next time that the same is said.
//!
//! A robot says the same lines in call after call, and much of what callers answer is short and heard before. What is read from words
//! depends on the script and the words alone, so a reading made before is as good as a new one. Those of words that are met a second
//! time are kept for all threads, and each thread has those that it met at hand, without a lock; what is said once costs a hash and two
//! looks.
//!
//! The words themselves are not kept: a text is named by a hash of 128 bits with a key that each process draws for itself, under which
//! nobody can find two texts of one name. No verdict depends on the key. What stays, until other readings drive it out, is which listed
//! phrases stand where in a text of that name, and which of the script's examples it resembles, by which n-grams of theirs.

use std::cell::RefCell;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::num::NonZeroU64;
use std::ops::Deref;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use siphasher::sip128::{Hash128, Hasher128, SipHasher13};
use smallvec::SmallVec;

use super::lexicon::Scratch;
use super::reading::{CustomerReading, RobotReading, read_customer, read_robot};
use super::script::Script;
pub(crate) use super::tracker::Reading;

mod rooms;

pub(crate) use rooms::Named;
use rooms::{FREE, Fetch, Met, Name, Recall};

/// Rooms to begin with, and at most: 65,536 readings of each side, some 20 MiB. A thread has as many at hand, of what is kept for all
/// nothing but where it is; what has made way there for others stays as long as a thread has it.
const ROOMS: [usize; 2] = [64, 16_384];
/// What is kept for all threads lies on as many shelves, each with its lock: a power of two well above the number of cores.
const SHELVES: usize = 64;
/// A reading with more hits is not kept, so that no text takes more than its share.
const MOST_HITS: usize = 32;
/// What all threads have in common.
static COMMON: LazyLock<Common> = LazyLock::new(Common::default);

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

/// Words to be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Words<'a> {
    /// By which script,
    pub(crate) script: &'a Script,
    /// how,
    pub(crate) way: Way,
    /// and the words themselves.
    pub(crate) text: &'a str,
}

/// Reads words, or remembers what was read from the same.
pub(crate) fn read(words: Words<'_>) -> Reading {
    DESK.with_borrow_mut(|desk| {
        let name = desk.namer.name(words);
        desk.read(words, name)
    })
}

/// Reads the words of many utterances at once: what is remembered of them is scattered over the memory, and is fetched for all
/// before the first is used.
pub(crate) fn read_each<'a>(words: impl Iterator<Item = (Words<'a>, &'a mut Reading)>) {
    DESK.with_borrow_mut(|desk| {
        let named: SmallVec<[_; 32]> = words.map(|(words, reading)| (desk.namer.name(words), words, reading)).collect();
        named.iter().for_each(|(name, words, _)| desk.fetch(words.way, *name, Fetch::Room));
        named.iter().for_each(|(name, words, _)| desk.fetch(words.way, *name, Fetch::Reading));
        for (name, words, reading) in named {
            *reading = desk.read(words, name);
        }
    });
}

/// Has the calling thread know none of the words that it has read: for measuring what words cost that were never said before.
#[doc(hidden)]
pub fn forget() {
    DESK.with_borrow_mut(|desk| desk.namer = Namer::chance());
}

/// A reading, a call's own or one that other calls have too.
#[derive(Debug)]
pub(crate) struct Kept<T>(Arc<Named<T>>);

impl<T> Kept<T> {
    /// One that no other call has.
    fn own(reading: T) -> Self {
        Self(Arc::new(Named { rest: None, reading }))
    }

    /// Whether no other call has it.
    fn is_own(&self) -> bool {
        self.0.rest.is_none()
    }

    /// Bytes that only this call has.
    pub(crate) fn own_bytes(&self, behind: impl FnOnce(&T) -> usize) -> usize {
        if self.is_own() { size_of::<Named<T>>() + behind(self) } else { 0 }
    }
}

impl<T> Clone for Kept<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Deref for Kept<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0.reading
    }
}

impl<T: PartialEq> PartialEq for Kept<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

/// What a thread reads with.
struct Desk {
    scratch: Scratch,
    namer: Namer,
    customers: Recall<CustomerReading>,
    robots: Recall<RobotReading>,
}

impl Default for Desk {
    fn default() -> Self {
        Self { scratch: Scratch::default(), namer: COMMON.namer, customers: Recall::new(ROOMS[1]), robots: Recall::new(ROOMS[1]) }
    }
}

/// What all threads have in common: the key of names, and the readings under them.
struct Common {
    namer: Namer,
    customers: Shelves<CustomerReading>,
    robots: Shelves<RobotReading>,
}

impl Default for Common {
    fn default() -> Self {
        Self { namer: Namer::chance(), customers: Shelves::default(), robots: Shelves::default() }
    }
}

/// Readings kept for all threads.
struct Shelves<T>([Mutex<Recall<T>>; SHELVES]);

impl<T> Default for Shelves<T> {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Mutex::new(Recall::new(ROOMS[1] / SHELVES))))
    }
}

impl<T> Shelves<T> {
    /// Does something with what is kept on a name's shelf. No words are read meanwhile: others wait for it.
    fn with<R>(&self, name: Name, act: impl FnOnce(&mut Recall<T>) -> R) -> Option<R> {
        let shelf = self.0.get(name.rest.get() as usize % SHELVES)?;
        Some(act(&mut shelf.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// The reading of that name: the thread's own, or the one kept for all; else a new one, which is kept if the name was met before and
/// `keep` says so.
fn recall<T>(own: &mut Recall<T>, common: &Shelves<T>, name: Name, keep: impl FnOnce(&T) -> bool, read: impl FnOnce() -> T) -> Kept<T> {
    if let Some(named) = own.known(name) {
        return Kept(named);
    }
    let named = match common.with(name, |shelf| shelf.meet(name)) {
        Some(Met::Known(named)) => named,
        Some(Met::Before) => {
            let reading = read();
            if !keep(&reading) {
                return Kept::own(reading);
            }
            let named = Arc::new(Named { rest: Some(name.rest), reading });
            common.with(name, |shelf| shelf.keep(name, Arc::clone(&named)));
            named
        }
        Some(Met::Never) | None => return Kept::own(read()),
    };
    own.keep(name, Arc::clone(&named));
    Kept(named)
}

impl Desk {
    fn read(&mut self, words: Words<'_>, name: Name) -> Reading {
        let Words { script, way, text } = words;
        let Self { scratch, customers, robots, .. } = self;
        match way {
            Way::Customer => {
                let may_stay = |reading: &CustomerReading| reading.hits.len() <= MOST_HITS;
                Reading::Customer(recall(customers, &COMMON.customers, name, may_stay, || read_customer(script, text, scratch)))
            }
            Way::Robot { recognise, timed } => {
                let read = || read_robot(script, text, recognise, timed, scratch);
                Reading::Robot(recall(robots, &COMMON.robots, name, |_| true, read))
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

/// Names texts.
#[derive(Clone, Copy)]
struct Namer(SipHasher13);

impl Namer {
    /// One whose key nobody knows.
    fn chance() -> Self {
        let chance = || RandomState::new().build_hasher().finish();
        Self(SipHasher13::new_with_keys(chance(), chance()))
    }

    /// The name of a text as it is read by a script in one of several ways.
    fn name(&self, Words { script, way, text }: Words<'_>) -> Name {
        let way = match way {
            Way::Customer => 0,
            Way::Robot { recognise, timed } => 4 | u64::from(recognise) << 1 | u64::from(timed),
        };
        let mut hasher = self.0;
        hasher.write_u64(script.serial.number() << 3 | way);
        hasher.write(text.as_bytes());
        let Hash128 { h1, h2 } = hasher.finish128();
        Name { tag: h1.max(FREE + 1), rest: NonZeroU64::new(h2).unwrap_or(NonZeroU64::MIN) }
    }
}

#[cfg(test)]
mod tests;
