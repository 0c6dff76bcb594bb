//! `script.yaml` as it is written. Every name here is one that script authors type.

use indexmap::IndexMap;
use serde::Deserialize;
use serde_saphyr::Spanned;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScriptSpec {
    pub(crate) id: Spanned<String>,
    pub(crate) title: String,
    #[serde(default)]
    #[allow(dead_code, reason = "told to people who read the file, not to the engine")]
    pub(crate) language: Option<String>,
    pub(crate) labels: Vec<LabelSpec>,
    #[serde(default)]
    pub(crate) settings: IndexMap<String, Spanned<SettingSpec>>,
    #[serde(default)]
    pub(crate) variables: IndexMap<String, String>,
    pub(crate) flow: FlowSpec,
    pub(crate) lexicon: LexiconSpec,
    pub(crate) rules: Vec<RuleSpec>,
    #[serde(default)]
    pub(crate) follow_up: Vec<FollowUpSpec>,
    #[serde(default)]
    pub(crate) aliases: AliasesSpec,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LabelSpec {
    pub(crate) id: Spanned<String>,
    #[serde(default)]
    pub(crate) title: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum SettingSpec {
    Bool(bool),
    Int(i64),
    Double(f64),
    String(String),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FlowSpec {
    #[serde(default)]
    pub(crate) start: Option<Spanned<String>>,
    pub(crate) nodes: Vec<NodeSpec>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NodeSpec {
    pub(crate) id: Spanned<String>,
    #[serde(default)]
    pub(crate) title: String,
    #[serde(default)]
    pub(crate) main: bool,
    #[serde(default)]
    pub(crate) weight: Option<Spanned<f64>>,
    #[serde(default)]
    pub(crate) invite: bool,
    #[serde(default)]
    pub(crate) after: Option<Spanned<String>>,
    #[serde(default)]
    pub(crate) asks: AskSpec,
    #[serde(default)]
    pub(crate) prompt: Option<Spanned<String>>,
    #[serde(default)]
    pub(crate) cues: Vec<Spanned<String>>,
    #[serde(default)]
    pub(crate) branches: IndexMap<Spanned<String>, TargetsSpec>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AskSpec {
    Offer,
    Question,
    Open,
    #[default]
    None,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum TargetsSpec {
    One(Spanned<String>),
    Many(Vec<Spanned<String>>),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LexiconSpec {
    pub(crate) categories: IndexMap<Spanned<String>, String>,
    #[serde(default)]
    pub(crate) questions: IndexMap<Spanned<String>, String>,
    #[serde(default)]
    pub(crate) opposite: Vec<Vec<Spanned<String>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleSpec {
    pub(crate) id: Spanned<String>,
    pub(crate) label: Spanned<String>,
    #[serde(default)]
    pub(crate) catch_all: bool,
    pub(crate) when: Spanned<String>,
    #[serde(default)]
    pub(crate) words: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FollowUpSpec {
    pub(crate) when: Spanned<String>,
    pub(crate) action: Spanned<String>,
    #[serde(default)]
    pub(crate) within_hours: u32,
    #[serde(default)]
    pub(crate) note: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AliasesSpec {
    #[serde(default)]
    pub(crate) nodes: IndexMap<Spanned<String>, Spanned<String>>,
    #[serde(default)]
    pub(crate) categories: IndexMap<Spanned<String>, Spanned<String>>,
}
