//! Who took part, and which of them is the robot.

use rustc_hash::FxHashMap;
use serde_json::Value;

use super::content::{Object, scalar, text};
use crate::core::event::Speaker;

/// A party of the vCon.
#[derive(Debug, Clone, Default)]
pub(super) struct Party {
    name: String,
    role: String,
    bot: bool,
}

impl Party {
    fn read(object: &Object) -> Self {
        let meta = object.get("meta").and_then(Value::as_object);
        let role = text(object, "role").or_else(|| meta.and_then(|meta| text(meta, "role"))).unwrap_or_default().to_lowercase();
        Self {
            name: text(object, "name").unwrap_or_default().to_owned(),
            // `type` is of the later drafts: person, bot or organization.
            bot: text(object, "type") == Some("bot") || matches!(role.as_str(), "bot" | "robot" | "ai" | "机器人"),
            role,
        }
    }
}

/// An identifier without what may be left out: the scheme, case, and what telephone numbers are set apart with.
fn comparable(id: &str) -> String {
    let id = id.trim().to_lowercase();
    let bare = ["tel:", "mailto:", "sip:", "sips:"].iter().find_map(|scheme| id.strip_prefix(scheme)).unwrap_or(&id);
    let telephone = bare.starts_with(['+', '(']) || bare.starts_with(|c: char| c.is_ascii_digit());
    if telephone && bare.chars().all(|c| c.is_ascii_digit() || "+-() .".contains(c)) {
        return bare.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect();
    }
    bare.to_owned()
}

/// What a speaker's name in a transcript says by itself.
pub(super) fn speaker_of_word(word: &str) -> Option<Speaker> {
    match word.trim().to_lowercase().as_str() {
        "robot" | "bot" | "ai" | "assistant" | "agent" | "system" | "caller" | "callbot" | "voicebot" | "机器人" | "客服" | "坐席"
        | "座席" | "话务员" | "主叫" | "系统" | "销售" => Some(Speaker::Robot),
        "customer" | "client" | "user" | "contact" | "callee" | "human" | "客户" | "用户" | "顾客" | "被叫" | "机主" => {
            Some(Speaker::Customer)
        }
        "human agent" | "supervisor" | "人工" | "人工坐席" | "人工座席" | "人工客服" | "转人工" => Some(Speaker::Agent),
        _ => None,
    }
}

/// The parties, the robot among them known or not.
#[derive(Debug, Default)]
pub(super) struct Parties {
    list: Vec<Party>,
    /// By everything that identifies one, as compared; of equals the first.
    by_id: FxHashMap<String, usize>,
    /// By role, where only one party has it.
    by_role: FxHashMap<String, Option<usize>>,
    robot: Option<usize>,
}

impl Parties {
    /// Reads the `parties` of a vCon; what is no party keeps its place.
    pub(super) fn read(vcon: &Object) -> Self {
        let list = vcon.get("parties").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let mut parties = Self::default();
        for (index, party) in list.iter().enumerate() {
            let object = party.as_object();
            let ids = ["name", "tel", "mailto", "sip", "did", "uuid", "id"].iter().filter_map(|key| object?.get(*key).and_then(scalar));
            for id in ids {
                parties.by_id.entry(comparable(&id)).or_insert(index);
            }
            let party = object.map(Party::read).unwrap_or_default();
            if !party.role.is_empty() {
                parties.by_role.entry(party.role.clone()).and_modify(|only| *only = None).or_insert(Some(index));
            }
            parties.list.push(party);
        }
        parties
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    /// Its name, else its number.
    pub(super) fn name(&self, party: usize) -> String {
        self.list.get(party).map(|party| party.name.clone()).filter(|name| !name.is_empty()).unwrap_or_else(|| party.to_string())
    }

    /// Every name, for those who named none of them.
    pub(super) fn names(&self) -> String {
        (0..self.len()).map(|party| format!("{party} ({})", self.name(party))).collect::<Vec<_>>().join(", ")
    }

    /// The party of that name, telephone number or other identifier, else of that index.
    pub(super) fn find(&self, wanted: &str) -> Option<usize> {
        let index = || wanted.bytes().all(|byte| byte.is_ascii_digit()).then(|| wanted.parse().ok()).flatten();
        self.by_id.get(&comparable(wanted)).copied().or_else(|| index().filter(|index| *index < self.len()))
    }

    /// The party that a transcript's speaker name means: its identifier, or a role that only one party has.
    pub(super) fn of_label(&self, label: &str) -> Option<usize> {
        let role = || self.by_role.get(&label.trim().to_lowercase()).copied().flatten();
        self.by_id.get(&comparable(label)).copied().or_else(role)
    }

    /// Says which party is the robot.
    pub(super) fn set_robot(&mut self, party: usize) {
        self.robot = Some(party);
    }

    /// The party that is the robot by what the vCon says: the bot, else the first agent; and whether there are more of these.
    pub(super) fn robot_by_role(&self) -> Option<(usize, bool)> {
        let first = |test: &dyn Fn(&Party) -> bool| {
            let mut found = (0..self.len()).filter(|&party| self.list.get(party).is_some_and(test));
            found.next().map(|party| (party, found.next().is_some()))
        };
        first(&|party| party.bot).or_else(|| first(&|party| party.role == "agent"))
    }

    /// Whose words a party's are.
    pub(super) fn speaker(&self, party: usize) -> Option<Speaker> {
        let of = self.list.get(party)?;
        Some(match of.role.as_str() {
            _ if self.robot == Some(party) => Speaker::Robot,
            "agent" | "supervisor" | "sme" | "坐席" | "人工坐席" => Speaker::Agent,
            _ => Speaker::Customer,
        })
    }
}
