//! Which of a call's times is the callback.

use std::ops::Range;

use jiff::Zoned;

use super::context::{self, Asks, Ground, Line, asks};
use super::letters::Letters;
use super::meaning::{Meaning, Moment};
use super::read::{Expression, Times};
use super::resolve::{Resolved, resolve};
use super::{CallClock, Callback};

/// An utterance of the customer in which a time may be named.
#[derive(Debug)]
pub(crate) struct Heard<'a> {
    /// The event that carries its words.
    pub(crate) event: u32,
    /// When it began, in milliseconds since dialing began.
    pub(crate) at_ms: u32,
    /// Its turn.
    pub(crate) turn: u32,
    /// Its words.
    pub(crate) text: &'a str,
    /// The words of time in them.
    pub(crate) times: &'a Times,
    /// The robot's line before it.
    pub(crate) line: Line<'a>,
    /// The turn accepts an open invite.
    pub(crate) accepts: bool,
    /// The customer is busy, or the one wanted is not there.
    pub(crate) busy: bool,
    /// The turn says yes, or asks for contact.
    pub(crate) yes: bool,
    /// Whether and where the turn refuses.
    pub(crate) refuses: Refuses,
}

/// Whether and where a turn refuses.
#[derive(Debug)]
pub(crate) enum Refuses {
    /// It does not.
    No,
    /// Before this utterance, or nobody knows by which words.
    Before,
    /// In this utterance, by these spans of its text, in Unicode scalar values.
    Here(Box<[(u32, u32)]>),
    /// After this utterance.
    After,
}

/// A time that an utterance proposes.
#[derive(Debug, Clone)]
struct Named {
    meaning: Meaning,
    /// Its place in the text, in Unicode scalar values.
    span: Range<u32>,
}

/// The callback: the last time proposed. `heard` gives the utterances from the last to the first.
pub(crate) fn choose<'a>(heard: impl Iterator<Item = Heard<'a>>, clock: &CallClock) -> Option<Callback> {
    let mut chosen: Option<Chosen<'_>> = None;
    for heard in heard {
        if chosen.as_ref().is_some_and(|chosen| chosen.meaning.names() && !chosen.may_follow(&heard)) {
            break;
        }
        let found = heard.times.of(heard.text);
        if found.is_empty() {
            continue;
        }
        let said = clock.at(heard.at_ms);
        let Some(named) = named(&heard, &found, said.as_ref()) else { continue };
        let words = slice(heard.text, &named.span);
        chosen = Some(match chosen {
            // Some time later is no time, before or after one that is.
            Some(chosen) if !named.meaning.names() => chosen,
            Some(chosen) if chosen.meaning.names() => chosen.joined(&named, words, &heard),
            _ => Chosen {
                meaning: named.meaning,
                words: words.to_owned(),
                event: heard.event,
                said,
                turn: heard.turn,
                line: heard.line,
                open: matches!(named.meaning, Meaning::Moment(moment) if moment.is_partial()),
            },
        });
        if chosen.as_ref().is_some_and(|chosen| chosen.meaning.names() && !chosen.open) {
            break;
        }
    }
    chosen.map(Chosen::callback)
}

/// The time chosen so far, going back through the call.
struct Chosen<'a> {
    meaning: Meaning,
    words: String,
    event: u32,
    /// When it was said.
    said: Option<Zoned>,
    turn: u32,
    /// The robot's line before it, which may have asked when: read only where something is left open.
    line: Line<'a>,
    /// An earlier time may fill in what it leaves open.
    open: bool,
}

impl<'a> Chosen<'a> {
    /// Whether an earlier utterance may fill in what this one leaves open.
    fn may_follow(&self, earlier: &Heard<'_>) -> bool {
        self.turn.saturating_sub(earlier.turn) <= 1 || asks(self.line) == Asks::When
    }

    fn joined(self, earlier: &Named, words: &str, heard: &Heard<'a>) -> Self {
        let joined = match (self.meaning, earlier.meaning) {
            (Meaning::Moment(moment), Meaning::Moment(earlier)) => moment.after(earlier),
            _ => None,
        };
        match joined {
            Some(moment) => {
                let words = format!("{words}{}", self.words);
                Self { meaning: Meaning::Moment(moment), words, turn: heard.turn, line: heard.line, open: moment.is_partial(), ..self }
            }
            None => Self { open: false, ..self },
        }
    }

    fn callback(self) -> Callback {
        let at = match self.said.as_ref().map(|said| resolve(&self.meaning, said)) {
            Some(Resolved::At(at)) => Some(at),
            Some(Resolved::Open | Resolved::Past) | None => None,
        };
        let ms = at.as_ref().zip(self.said).map_or(0, |(at, said)| at.duration_since(&said).as_millis().max(0));
        let within_hours = u32::try_from(ms.div_euclid(MS_PER_HOUR) + i128::from(ms % MS_PER_HOUR != 0)).unwrap_or(u32::MAX);
        Callback { at, words: self.words.into(), event: self.event, within_hours, named: self.meaning.names() }
    }
}

const MS_PER_HOUR: i128 = 3_600_000;

/// The time that an utterance proposes by the words of time `found` in it: the last, joined to the ones before it where they make one
/// moment.
fn named(heard: &Heard<'_>, found: &[Expression], said: Option<&Zoned>) -> Option<Named> {
    let ground = Ground { asks: asks(heard.line), accepts: heard.accepts, busy: heard.busy, yes: heard.yes, refused: None };
    if matches!(heard.refuses, Refuses::No) && heard.times.are_idle_on(ground) {
        return None;
    }
    let letters = Letters::new(heard.text);
    let refused = match &heard.refuses {
        Refuses::No => None,
        Refuses::Before => Some(0),
        Refuses::After => return None,
        Refuses::Here(spans) => {
            // 明天不行，后天吧 turns down a day, not the call.
            let of_time = |start: u32, end: u32| {
                // 明天三点 不对 后天三点: a plain no may come after a pause.
                let start = if end - start <= 2 { start.saturating_sub(2) } else { start };
                found
                    .iter()
                    .map(|found| letters.span(found.letters.start, found.letters.end))
                    .any(|time| start <= time.end && time.start < end)
            };
            spans.iter().filter(|(start, end)| !of_time(*start, *end)).map(|(_, end)| *end).max()
        }
    };
    let ground = Ground { refused, ..ground };
    let mut idle = true;
    let mut named: Option<Named> = None;
    // The day of a time that was turned down: 明天下午没空，上午可以 is tomorrow.
    let mut day = None;
    for (expression, proposed) in context::weighed(&letters, found, ground) {
        if !proposed {
            day = match expression.meaning {
                Meaning::Moment(moment) if moment.part.is_some() || moment.time.is_some() => moment.day,
                _ => None,
            };
            continue;
        }
        idle = false;
        let meaning = match expression.meaning {
            Meaning::Moment(moment) if moment.day.is_none() && named.is_none() => Meaning::Moment(Moment { day, ..moment }),
            meaning => meaning,
        };
        let span = letters.span(expression.letters.start, expression.letters.end);
        let next = match (&named, meaning) {
            (Some(before), Meaning::Later) if before.meaning.names() => continue,
            // 明天或者后天: the first stands.
            (Some(before), _) if before.meaning.names() && letters.ends_in(expression.letters.start, &["或者", "或", "要么", "要不"]) =>
            {
                continue;
            }
            (Some(Named { meaning: Meaning::Moment(before), span: begun }), Meaning::Moment(moment)) => match moment.after(*before) {
                Some(moment) => Named { meaning: Meaning::Moment(moment), span: begun.start..span.end },
                None => Named { meaning, span },
            },
            _ => Named { meaning, span },
        };
        let past = said.is_some_and(|said| resolve(&next.meaning, said) == Resolved::Past);
        if !past {
            named = Some(next);
        }
    }
    if idle {
        heard.times.note_idle_on(ground);
    }
    named
}

fn slice<'a>(text: &'a str, span: &Range<u32>) -> &'a str {
    let place = |at: u32| text.char_indices().nth(at as usize).map_or(text.len(), |(place, _)| place);
    text.get(place(span.start)..place(span.end)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::LineAsks;
    use super::*;

    /// On one ground words propose a time, on another they do not: what is known of the one says nothing of the other.
    #[test]
    fn what_is_known_of_words_changes_no_callback() {
        let said =
            ["一天打多少个", "明天下午三点吧", "半小时吧", "你们几点上班", "下个月", "三点", "我昨天三点就打过了", "五月三号", "晚点"];
        let lines = ["请问您什么时候方便", "您家住在哪个小区", "我们一天能打八百个电话"];
        let grounds = || (0..8u8).map(|bits| [1, 2, 4].map(|bit| bits & bit > 0));
        let clock = CallClock::default();
        let mut callbacks = 0;
        for text in said {
            let known = (Times::default(), lines.map(|_| LineAsks::default()));
            for _ in 0..2 {
                for (place, line) in (0..).zip(lines.map(Some).into_iter().chain([None])) {
                    for [accepts, busy, yes] in grounds() {
                        let new = (Times::default(), LineAsks::default());
                        let callback = |times: &Times, asks: Option<&LineAsks>| {
                            let line = line.zip(asks);
                            let heard = Heard { event: 0, at_ms: 0, turn: 0, text, times, line, accepts, busy, yes, refuses: Refuses::No };
                            choose(std::iter::once(heard), &clock)
                        };
                        let found = callback(&known.0, known.1.get(place));
                        assert_eq!(found, callback(&new.0, Some(&new.1)), "{text}, {line:?}, {accepts}, {busy}, {yes}");
                        callbacks += usize::from(found.is_some());
                    }
                }
            }
        }
        assert!((100..500).contains(&callbacks), "{callbacks} of {} name a time", said.len() * 2 * 4 * 8);
    }
}
