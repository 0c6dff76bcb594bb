//! What one utterance holds, by itself: computed once from its words and kept beside it.

use smallvec::SmallVec;

use super::callback::{LineAsks, Times, may_name_time};
use super::dial;
use super::event::{Answerer, DialResult};
use super::learned::Learned;
use super::lexicon::{Hit, Hits, Scratch};
use super::scope;
use super::script::{Ask, ConceptSet, CustomerList, NodeIndex, RobotList, Script};
use super::text::units::{Gap, Units, count_words, has_words, last_clause};

/// What a customer's utterance holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CustomerReading {
    /// Phrases found that are really said, in the order of the text.
    pub hits: Box<[Hit]>,
    /// Categories (but `filler`) and questions hit.
    pub concepts: ConceptSet,
    /// It has a letter, digit or Han character.
    pub words: bool,
    /// All its words are filler.
    pub filler_only: bool,
    /// It holds words that mean yes as an answer, and nothing but small talk beside.
    pub yes: bool,
    /// It holds thanks or a goodbye, and nothing but small talk beside.
    pub goodbye: bool,
    /// It opens with words of assent.
    pub assent: bool,
    /// It opens with words that say no.
    pub dissent: bool,
    /// What it resembles, where the lists find nothing.
    pub learned: Option<Box<Learned>>,
    /// It corrects what the customer said before.
    pub corrects: bool,
    /// It names a time, by the script's list.
    pub time: bool,
    /// It may hold words of time: it is looked through for a callback.
    pub may_name_time: bool,
    /// These words, found when they are first asked for.
    pub(crate) times: Times,
    /// Words that show a machine.
    pub machine: Option<Answerer>,
    /// A carrier's recording.
    pub carrier: Option<DialResult>,
}

/// A node that a robot's line may belong to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// The node.
    pub node: NodeIndex,
    /// How much of the line its cues cover, 0 to 1.
    pub similarity: f32,
}

/// What a robot's line holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RobotReading {
    /// What its words ask.
    pub ask: Option<Ask>,
    /// It proposes a text message, WeChat or material.
    pub contact: bool,
    /// It takes leave.
    pub farewell: bool,
    /// It has a letter, digit or Han character.
    pub words: bool,
    /// Letters, digits and Han characters, for the time it takes to say; 0 where that is known.
    pub length: u32,
    /// Its node was looked for.
    pub recognised: bool,
    /// What it asks as far as callback times are concerned, found when somebody first wants to know.
    pub(crate) line_asks: LineAsks,
    /// Nodes it may belong to, best first.
    pub candidates: SmallVec<[Candidate; 2]>,
}

/// The question's place in a line: how many characters may follow it.
const QUESTION_TAIL: u32 = 10;
/// The characters of cues that make a line certain.
const CERTAIN: f32 = 10.0;

/// Similarity of a line that ends in a cue which must stand at the end (`再见$`): what a line comes to counts, however long it is.
const CLOSING: f32 = 0.5;

/// Reads a customer's utterance.
#[must_use]
pub fn read_customer(script: &Script, text: &str, scratch: &mut Scratch) -> CustomerReading {
    scratch.units.cut(text);
    let mut hits = script.customer.read_units(scratch);
    let found = hits.len();
    let corrects = scope::settle(script, &mut hits, scratch, |_| {});
    // What a cue has taken back, or a list excepts, still resembles examples of it.
    let ruled_out = hits.len() < found || scratch.excepted;
    let mut reading = CustomerReading { words: scratch.units.words > 0, corrects, ..CustomerReading::default() };
    let mut machine: Option<(u32, Answerer)> = None;
    for hit in &hits {
        match script.customer_list(hit.list) {
            Some(CustomerList::Concept(concept)) if Some(concept) != script.known.filler => reading.concepts.insert(concept),
            Some(CustomerList::Concept(_) | CustomerList::Yes | CustomerList::Goodbye | CustomerList::Scope(_)) | None => {}
            Some(CustomerList::Time) => reading.time = true,
            Some(CustomerList::Assent) => reading.assent = true,
            Some(CustomerList::Dissent) => reading.dissent = true,
            Some(CustomerList::Machine(answerer)) => {
                let length = hit.end - hit.start;
                if machine.is_none_or(|(longest, _)| length > longest) {
                    machine = Some((length, answerer));
                }
            }
        }
    }
    reading.machine = machine.map(|(_, answerer)| answerer);
    reading.may_name_time = reading.time || may_name_time(&scratch.units);
    if reading.words && reading.concepts.is_empty() && reading.machine.is_none() && script.customer.may_be_aside(&scratch.units) {
        hits.extend(script.customer.read_asides(scratch));
        hits.sort_by_key(|hit| (hit.start, hit.end, hit.list));
        let says = |list: CustomerList| move |hit: &&Hit| script.customer_list(hit.list) == Some(list);
        reading.yes = hits.iter().filter(says(CustomerList::Yes)).any(|hit| !inside_filler(script, &hits, hit));
        reading.goodbye = hits.iter().any(|hit| says(CustomerList::Goodbye)(&hit));
        reading.filler_only = covered(script, &hits, &scratch.units);
    }
    if let Some(model) = &script.learned
        && reading.words
        && reading.concepts.is_empty()
        && !reading.filler_only
        && !ruled_out
        && !reading.assent
        && !reading.dissent
        && reading.machine.is_none()
    {
        reading.learned = model.read(&scratch.units.list, &mut scratch.learned).map(Box::new);
        reading.concepts.extend(reading.learned.iter().map(|learned| learned.concept));
    }
    let units = &scratch.units;
    if reading.machine.is_none() && units.words >= 6 && units.recording() {
        reading.carrier = dial::carrier_announcement(text);
    }
    reading.hits = hits.as_slice().into();
    reading
}

/// Whether a hit is only part of longer filler: the 好 of 你好 says no yes.
fn inside_filler(script: &Script, hits: &[Hit], hit: &Hit) -> bool {
    let filler = |list| matches!(script.customer_list(list), Some(CustomerList::Concept(concept)) if Some(concept) == script.known.filler);
    hits.iter().any(|other| {
        other.start <= hit.start && hit.end <= other.end && other.end - other.start > hit.end - hit.start && filler(other.list)
    })
}

/// Whether filler covers every word of the text.
fn covered(script: &Script, hits: &[Hit], units: &Units) -> bool {
    let mut reach = 0u32;
    let mut filler = hits.iter().filter(|hit| {
        matches!(script.customer_list(hit.list), Some(CustomerList::Yes | CustomerList::Goodbye))
            || matches!(script.customer_list(hit.list), Some(CustomerList::Concept(concept)) if Some(concept) == script.known.filler)
    });
    let mut next = filler.next();
    for (index, _) in units.list.iter().enumerate().filter(|(_, unit)| unit.word()) {
        let at = units.at(index);
        while let Some(hit) = next.filter(|hit| hit.start <= at) {
            reach = reach.max(hit.end);
            next = filler.next();
        }
        if at >= reach {
            return false;
        }
    }
    true
}

/// Reads a robot's line; `recognise` where its node is to be told from its words, `timed` where its length in characters is of no
/// interest, for it is known how long it takes to say.
#[must_use]
pub fn read_robot(script: &Script, text: &str, recognise: bool, timed: bool, scratch: &mut Scratch) -> RobotReading {
    let mut reading = RobotReading { recognised: recognise, ..RobotReading::default() };
    // The question stands in the last clause; a line that asks yes or no is read whole, for what it proposes.
    let tail = if recognise { text } else { text.get(last_clause(text)..).unwrap_or(text) };
    scratch.units.cut(tail);
    reading.words = scratch.units.words > 0 || !recognise && has_words(text);
    if !reading.words {
        return reading;
    }
    reading.length = match (recognise, timed) {
        (true, _) => scratch.units.words,
        (false, false) => count_words(text),
        (false, true) => 0,
    };
    let (hits, cues) = if recognise { script.robot.read_both(scratch) } else { (script.robot.read_units(scratch), Hits::new()) };
    let units = &scratch.units;
    let last_clause = units.list.iter().rposition(|unit| unit.gap() >= Gap::Clause).unwrap_or_default();
    let (clause_at, text_end) = (units.at(last_clause), units.end());
    let mut latest = 0;
    for hit in &hits {
        if let Some(RobotList::Asks(ask)) = script.robot_list(hit.list)
            && hit.start >= clause_at
            && hit.end + QUESTION_TAIL >= text_end
            && (hit.end > latest || hit.end == latest && ask == Ask::Offer)
        {
            latest = hit.end;
            reading.ask = Some(ask);
        }
    }
    reading.farewell = hits.iter().any(|hit| script.robot_list(hit.list) == Some(RobotList::Farewell));
    let proposes = |hits: &[Hit]| hits.iter().any(|hit| script.robot_list(hit.list) == Some(RobotList::Contact));
    if matches!(reading.ask, Some(Ask::Offer | Ask::Fact)) {
        reading.contact = if tail.len() == text.len() {
            proposes(&hits)
        } else {
            scratch.units.cut(text);
            proposes(&script.robot.read_units(scratch))
        };
    }
    if recognise {
        reading.candidates = candidates(script, &cues, reading.length, text_end);
    }
    reading
}

/// Scores nodes by how many of the line's characters their cues cover.
fn candidates(script: &Script, hits: &[Hit], length: u32, text_end: u32) -> SmallVec<[Candidate; 2]> {
    let mut scores: SmallVec<[(NodeIndex, u32, u32); 8]> = SmallVec::new();
    for hit in hits {
        let Some(RobotList::Cue(node)) = script.robot_list(hit.list) else { continue };
        match scores.iter_mut().find(|(known, ..)| *known == node) {
            Some((_, covered, reach)) => {
                *covered += hit.end.saturating_sub(hit.start.max(*reach));
                *reach = (*reach).max(hit.end);
            }
            None => scores.push((node, hit.end - hit.start, hit.end)),
        }
    }
    let whole = (length as f32).clamp(1.0, CERTAIN);
    let closes = |node: NodeIndex| {
        let mut own = hits.iter().filter(|hit| script.robot_list(hit.list) == Some(RobotList::Cue(node)) && hit.end >= text_end);
        own.any(|hit| script.robot.entry(hit.entry).is_some_and(|entry| entry.at_end))
    };
    let mut candidates: SmallVec<[Candidate; 2]> = scores
        .iter()
        .map(|&(node, covered, _)| {
            let least = if closes(node) { CLOSING } else { 0.0 };
            Candidate { node, similarity: (covered as f32 / whole).clamp(least, 1.0) }
        })
        .collect();
    candidates.sort_by(|a, b| b.similarity.total_cmp(&a.similarity).then(a.node.cmp(&b.node)));
    candidates.truncate(3);
    candidates.shrink_to_fit();
    candidates
}
