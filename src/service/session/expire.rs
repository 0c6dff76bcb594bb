//! What becomes of a call without an event: gaps given up, idle calls ended, ended ones forgotten, and the last word to who waits.

use std::time::Instant;

use super::{Answers, Context, Session};
use crate::core::verdict::EndedBy;
use crate::service::told::Answer;
use crate::service::{Patience, Refusal};

impl Session {
    /// When something is due: a gap given up, an idle call ended, an ended one forgotten.
    pub(in crate::service) fn due(&self, patience: &Patience) -> Instant {
        let rest = match self.ended_at {
            Some(ended) => ended + patience.final_open,
            None => self.touched + patience.idle,
        };
        self.order.due(patience).map_or(rest, |gap| gap.min(rest))
    }

    /// Does what is due; whether the session is over.
    pub(in crate::service) fn expire(&mut self, cx: &mut Context<'_>) -> bool {
        let mut answers = Answers::new();
        self.wake(cx.now);
        let idle = self.ended_at.is_none() && self.touched + cx.patience.idle <= cx.now;
        let gapped = self.order.gapped();
        // Who has been silent for so long sends nothing again.
        while self.order.gapped() && (idle || self.order.due(cx.patience).is_some_and(|due| due <= cx.now)) {
            let (told, before) = (self.told(), self.order.next());
            self.skip_gap(cx, &mut answers);
            self.acknowledge(before, &mut answers);
            self.tell(told, &mut answers, cx);
        }
        let over = if self.is_closed(cx) {
            true
        } else if idle && self.ended_at.is_none() {
            match &mut self.call {
                Some(call) if cx.keeping.is_none() || self.number != 0 => {
                    call.close(EndedBy::Idle);
                    self.tell(None, &mut answers, cx);
                    false
                }
                _ => true,
            }
        } else {
            gapped && self.call.is_none() && self.owner.upgrade().is_none()
        };
        self.owe(answers);
        over
    }

    /// Keeps answers for the owner; a newer verdict or acknowledgement takes the older one's place.
    fn owe(&mut self, answers: Answers) {
        for mut answer in answers {
            match &mut answer {
                Answer::Verdict(_) => self.owed.retain(|owed| !matches!(owed, Answer::Verdict(_))),
                Answer::Ack { came, .. } => self.owed.retain(|owed| {
                    let Answer::Ack { came: (from, _), .. } = owed else { return true };
                    came.0 = came.0.min(*from);
                    false
                }),
                Answer::Refused(..) => {}
            }
            self.owed.push(answer);
        }
    }

    /// Takes leave: the owner is told what it has not been told yet, and that what waits has waited in vain.
    pub(in crate::service) fn say_goodbye(&mut self, refusal: &Refusal) {
        let waiting = self.order.take_waiting();
        if let Some(owner) = self.owner.upgrade() {
            let mut last = std::mem::take(&mut self.owed);
            last.extend(waiting.map(|seq| Answer::refused(seq, refusal.clone())));
            owner.push_last(&self.call_id, last);
        }
    }

    /// Takes leave because a group with these events of the call could not be written; which ones are to be sent again.
    pub(in crate::service) fn fall_back(&mut self, unwritten: &[u32], refusal: &Refusal) -> Vec<u32> {
        let mut back: Vec<u32> = unwritten.iter().copied().chain(self.order.sent_back()).chain(self.order.ahead()).collect();
        self.owed = std::mem::take(&mut self.owed).into_iter().flat_map(|owed| owed.refuse(refusal)).collect();
        self.say_goodbye(refusal);
        back.sort_unstable();
        back.dedup();
        back
    }
}
