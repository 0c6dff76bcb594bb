//! Whose words they are: robot, customer or human agent.

use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

use super::dialog::Said;
use super::party::{Parties, speaker_of_word};
use super::transcript::Who;
use crate::core::event::Speaker;

/// Settles which party is the robot.
///
/// # Errors
/// The wanted one is neither a party nor a speaker of a transcript.
pub(super) fn choose_robot(parties: &mut Parties, wanted: Option<&str>, said: &[Said], notices: &mut Vec<String>) -> Result<(), String> {
    if let Some(wanted) = wanted {
        let labelled = said.iter().any(|said| matches!(&said.who, Who::Label(label) if same(label, wanted)));
        return match parties.find(wanted) {
            Some(party) => {
                parties.set_robot(party);
                Ok(())
            }
            None if labelled => Ok(()),
            None if parties.len() == 0 => Err(format!("robot party {wanted:?}: the vCon names no parties")),
            None => Err(format!("robot party {wanted:?} is none of the vCon's parties: {}", parties.names())),
        };
    }
    if let Some((party, more)) = parties.robot_by_role() {
        if more {
            notices.push(format!("several agents; party {party} ({}) is taken for the robot", parties.name(party)));
        }
        parties.set_robot(party);
        return Ok(());
    }
    let first = said.iter().find_map(|said| if let Who::Party(party) = said.who { Some(party) } else { None });
    if let Some(party) = first.filter(|party| *party < parties.len()) {
        let name = parties.name(party);
        notices.push(format!("no party has the role agent; party {party} ({name}), who speaks first, is taken for the robot"));
        parties.set_robot(party);
    }
    Ok(())
}

/// Says whose each utterance of a dialog's transcript, or of all text dialogs, is.
pub(super) fn attribute(parties: &Parties, wanted: Option<&str>, said: &[Said], notices: &mut Vec<String>) -> Vec<Speaker> {
    let known: Vec<Option<Speaker>> = said.iter().map(|said| known(parties, wanted, &said.who)).collect();
    if said.iter().all(|said| said.who == Who::Nobody) {
        if !said.is_empty() {
            notices.push("the transcript names no speakers; they are taken to alternate, the robot first".to_owned());
        }
        return (0..said.len()).map(|place| if place % 2 == 0 { Speaker::Robot } else { Speaker::Customer }).collect();
    }
    // Those that only a recogniser's number names: the robot is among them unless it is known.
    let mut amounts: IndexMap<&Who, usize, FxBuildHasher> = IndexMap::default();
    for (said, _) in said.iter().zip(&known).filter(|(said, known)| known.is_none() && said.who != Who::Nobody) {
        *amounts.entry(&said.who).or_default() += said.text.chars().count();
    }
    let mut robot = None;
    if !known.contains(&Some(Speaker::Robot)) {
        // Of equals the first.
        robot = amounts.iter().rev().max_by_key(|(_, amount)| *amount).map(|(who, _)| *who);
        if let Some(robot) = robot {
            notices.push(format!("no speaker is named as the robot; {}, who says the most, is taken for it", described(robot)));
        }
    }
    let mut before = Speaker::Robot;
    let each = said.iter().zip(known).map(|(said, known)| {
        let speaker = match known {
            Some(speaker) => speaker,
            None if said.who == Who::Nobody => before,
            None if Some(&said.who) == robot => Speaker::Robot,
            None => Speaker::Customer,
        };
        before = speaker;
        speaker
    });
    each.collect()
}

fn known(parties: &Parties, wanted: Option<&str>, who: &Who) -> Option<Speaker> {
    match who {
        Who::Party(party) => parties.speaker(*party),
        Who::Label(label) if wanted.is_some_and(|wanted| same(label, wanted)) => Some(Speaker::Robot),
        Who::Label(label) => {
            let of_party = parties.of_label(label).and_then(|party| parties.speaker(party));
            of_party.or_else(|| speaker_of_word(label))
        }
        Who::Channel(_) | Who::Nobody => None,
    }
}

fn same(label: &str, wanted: &str) -> bool {
    label.trim().to_lowercase() == wanted.trim().to_lowercase()
}

fn described(who: &Who) -> String {
    match who {
        Who::Party(party) => format!("party {party}"),
        Who::Channel(channel) => format!("channel {channel}"),
        Who::Label(label) => format!("{label:?}"),
        Who::Nobody => "nobody".to_owned(),
    }
}
