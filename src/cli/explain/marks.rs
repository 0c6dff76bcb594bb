//! What was found in the customer's words, marked where it stands.

use super::Page;
use crate::cli::paint::{Role, paint};
use crate::core::lexicon::{Match, Scratch};
use crate::core::scope::{self, Cue, TakenBack};
use crate::core::verdict::{Category, Evidence};

impl Page<'_> {
    /// The text with its hits in colour; how a hit was made follows it where that is not plain. What does not count is struck out,
    /// and why follows it.
    pub(super) fn highlight(&self, index: u32, text: &str) -> String {
        let marks = self.verdict.evidence.iter().filter(|e| e.event == index && e.start < e.end && e.signal != "invite");
        let marks: Vec<&Evidence> = marks.filter(|e| matches!(e.category, Category::Concept(_))).collect();
        let chars: Vec<char> = text.chars().collect();
        let slice =
            |start: u32, end: u32| chars[(start as usize).min(chars.len())..(end as usize).min(chars.len())].iter().collect::<String>();
        let shown = |mark: &&Evidence| match mark.category {
            Category::Concept(concept) => Some((mark.start, mark.end, self.role(concept), self.how(mark))),
            _ => None,
        };
        // Of what does not count at all, a machine's words, nothing is told.
        let counts = self.call.turn_of(index).is_some();
        let unsaid = if counts { scope::taken_back(self.script, text, &mut Scratch::default()) } else { Vec::new() };
        let beside = |back: &&TakenBack| !marks.iter().any(|mark| mark.start < back.hit.end && back.hit.start < mark.end);
        let said_before = |back: &&TakenBack| back.by != Cue::Correction || back.hit.end <= back.cue.start;
        let unsaid = unsaid.iter().filter(beside).filter(said_before);
        let unsaid = unsaid.map(|back| (back.hit.start, back.hit.end, Role::Unsaid, Some(self.unsaid(back, &slice))));
        let mut marks: Vec<_> = marks.iter().filter_map(shown).chain(unsaid).collect();
        marks.sort_by_key(|(start, end, ..)| (*start, std::cmp::Reverse(*end)));
        let mut out = String::new();
        let mut at = 0;
        for (start, end, role, note) in marks {
            if start < at || start >= end {
                continue;
            }
            out.push_str(&slice(at, start));
            out.push_str(&paint(role, &slice(start, end)));
            if let Some(note) = note {
                out.push_str(&paint(Role::Faint, &format!("({note})")));
            }
            at = end;
        }
        out.push_str(&slice(at, u32::MAX));
        out
    }

    /// Why a statement does not count.
    fn unsaid(&self, back: &TakenBack, slice: &dyn Fn(u32, u32) -> String) -> String {
        let cue = slice(back.cue.start, back.cue.end);
        let (zh, en) = match back.by {
            Cue::Negation => ("否定", "negated by"),
            Cue::Hypothesis => ("假设", "supposed by"),
            Cue::Quotation => ("引述", "quoted by"),
            Cue::Relay => ("转述", "relayed by"),
            Cue::Correction => ("更正", "corrected by"),
        };
        self.lang.pick(format!("不算：{zh}「{cue}」"), format!("does not count: {en} 「{cue}」"))
    }

    fn how(&self, mark: &Evidence) -> Option<String> {
        let phrase = mark.phrase.text(self.script);
        match mark.how {
            Match::Learned => {
                let (score, grams) = (mark.phrase.score() * 100.0, mark.phrase.grams().join(" "));
                Some(self.lang.pick(
                    format!("像例句「{phrase}」{score:.0}%，凭 {grams}"),
                    format!("like the example \"{phrase}\" {score:.0}%, by {grams}"),
                ))
            }
            Match::Pinyin => Some(format!("{}{phrase}", self.lang.pick("音同 ", "sounds like "))),
            Match::Context => Some(self.lang.pick("按上文", "by context").to_owned()),
            _ => None,
        }
    }
}
