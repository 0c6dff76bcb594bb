//! IETF vCon (draft-ietf-vcon-vcon-core, versions 0.0.1 to 0.4.0): one conversation with its parties, dialogs and analyses.
//!
//! What is said is taken from `text` dialogs, each at its own `start`, and of other dialogs from their transcript. An
//! `incomplete` dialog is a call that did not connect. What cannot be used is told in a notice; only a vCon that cannot be
//! read, is signed or encrypted, or names no `uuid` is rejected.

mod content;
mod dialog;
mod events;
mod lines;
mod mask;
mod party;
mod speaker;
mod time;
mod transcript;
mod write;

use std::collections::BTreeMap;

use serde_json::Value;

pub use mask::mask;
pub use write::with_verdict;

use self::content::{Object, scalar, text};
use super::{CallRecord, Limits, Rejection};

/// How a vCon is read.
#[derive(Debug, Clone, PartialEq)]
pub struct VconOptions {
    /// The party that is the robot: its name, telephone number, mail address or other identifier, its index, or a speaker's
    /// name in the transcript. `None`: the party whose type is bot, else whose role is agent.
    pub robot_party: Option<String>,
    /// Characters a second at which text without times is spaced.
    pub speaking_rate: f64,
}

impl Default for VconOptions {
    fn default() -> Self {
        Self { robot_party: None, speaking_rate: 4.5 }
    }
}

/// Extensions that a vCon may call critical: what they add is read here or changes nothing of what is.
const SUPPORTED: [&str; 4] = ["cc", "contact_center", "wtf", "wtf_transcription"];
/// The versions whose shape is known.
const VERSIONS: [&str; 6] = ["0.0.1", "0.0.2", "0.1.0", "0.2.0", "0.3.0", "0.4.0"];

/// Reads a vCon.
///
/// # Errors
/// It is none, is signed or encrypted, requires an extension that is not supported, has no `uuid`, or the wanted robot
/// party is not in it.
pub fn call(json: &[u8], options: &VconOptions, limits: &Limits) -> Result<CallRecord, Rejection> {
    let text = String::from_utf8_lossy(json);
    let text = text.trim_start_matches('\u{FEFF}');
    let damaged = std::str::from_utf8(json).is_err();
    let vcon = match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(vcon)) => vcon,
        Ok(_) => return Err(unreadable(text, "not a vCon: not a JSON object".to_owned())),
        Err(_) if is_compact(text, 3) => return Err(unreadable("", SIGNED.to_owned())),
        Err(_) if is_compact(text, 5) => return Err(unreadable("", ENCRYPTED.to_owned())),
        Err(error) => return Err(unreadable(text, format!("not a vCon: {error}"))),
    };
    if vcon.contains_key("ciphertext") {
        return Err(unreadable(text, ENCRYPTED.to_owned()));
    }
    if vcon.contains_key("payload") && (vcon.contains_key("signatures") || vcon.contains_key("signature")) {
        return Err(unreadable(text, SIGNED.to_owned()));
    }
    let call_id = match vcon.get("uuid") {
        Some(Value::String(uuid)) if !uuid.trim().is_empty() => uuid.trim().to_owned(),
        None | Some(Value::Null | Value::String(_)) => return Err(unreadable("", "the vCon has no uuid".to_owned())),
        Some(other) => return Err(unreadable("", format!("uuid: not text: {other}"))),
    };
    let failed = |reason: String| Rejection { call_id: call_id.clone(), seq: 0, reason };
    let required = required(&vcon);
    if !required.is_empty() {
        return Err(failed(format!("the vCon requires an extension that is not supported: {}", required.join(", "))));
    }
    let mut record = CallRecord { call_id: call_id.clone(), ..CallRecord::default() };
    if let Some(version) = self::text(&vcon, "vcon").filter(|version| !VERSIONS.contains(version)) {
        record.notices.push(format!("vCon version {version:?} is not known; read as 0.4.0"));
    }
    let tags = tags(&vcon);
    record.script_id = script_of(&vcon, &tags).unwrap_or_default();
    record.attributes = attributes(&vcon, tags);
    events::read(&vcon, damaged, options, limits, &mut record).map_err(failed)?;
    Ok(record)
}

const SIGNED: &str = "a signed vCon (JWS): verify it and give its payload";
const ENCRYPTED: &str = "an encrypted vCon (JWE): decrypt it first";

/// Whether the text is a JWS (three parts) or JWE (five) in compact form: base64url, beginning with a JSON object.
fn is_compact(text: &str, parts: usize) -> bool {
    let text = text.trim().trim_matches('"');
    text.starts_with("eyJ")
        && text.split('.').count() == parts
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// A rejection of a text that cannot be read, naming its uuid if that can be made out.
fn unreadable(text: &str, reason: String) -> Rejection {
    let after = text.split_once("\"uuid\"").map(|(_, after)| after.trim_start());
    let value = after.and_then(|after| after.strip_prefix(':')).and_then(|after| after.trim_start().strip_prefix('"'));
    let call_id = value.and_then(|value| value.split_once('"')).map_or(String::new(), |(id, _)| id.to_owned());
    Rejection { call_id, seq: 0, reason }
}

/// The critical extensions that are not supported; the drafts before called the field `must_support`.
fn required(vcon: &Object) -> Vec<String> {
    let lists = ["critical", "must_support"].iter().filter_map(|key| vcon.get(*key)?.as_array());
    let names = lists.flatten().filter_map(scalar);
    names.filter(|name| !SUPPORTED.contains(&name.to_ascii_lowercase().as_str())).collect()
}

/// The `name:value` tags that vcon-lib keeps in an attachment.
fn tags(vcon: &Object) -> BTreeMap<String, String> {
    let mut tags = BTreeMap::new();
    for attachment in attachments(vcon).filter(|attachment| is_of(attachment, &["tags", "tag"])) {
        let Ok(Some(body)) = content::document(attachment) else { continue };
        match body {
            Value::Array(list) => tags.extend(
                list.iter()
                    .filter_map(Value::as_str)
                    .filter_map(|tag| tag.split_once(':').map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))),
            ),
            Value::Object(named) => tags.extend(named.iter().filter_map(|(name, value)| Some((name.clone(), scalar(value)?)))),
            _ => {}
        }
    }
    tags
}

fn attachments(vcon: &Object) -> impl Iterator<Item = &Object> {
    vcon.get("attachments").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object)
}

/// Whether an attachment is of one of these types; the later drafts call it `purpose`.
fn is_of(attachment: &Object, types: &[&str]) -> bool {
    ["type", "purpose"].iter().filter_map(|key| text(attachment, key)).any(|kind| types.contains(&kind.to_ascii_lowercase().as_str()))
}

/// Names under which a vCon may say which talk script the robot followed.
const SCRIPT: [&str; 6] = ["script_id", "script", "scriptId", "callgrade_script", "callgrade_script_id", "talk_script"];

/// The script the vCon names: in `meta` of its own or of a dialog, as a tag, or as an attachment of that type.
fn script_of(vcon: &Object, tags: &BTreeMap<String, String>) -> Option<String> {
    let named = |object: &Object| SCRIPT.iter().find_map(|key| object.get(*key).and_then(scalar));
    let meta = |object: &Object| object.get("meta").and_then(Value::as_object).and_then(named);
    let dialogs = || vcon.get("dialog").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object);
    let attached = || {
        attachments(vcon)
            .filter(|attachment| is_of(attachment, &SCRIPT.map(str::to_ascii_lowercase).each_ref().map(String::as_str)))
            .find_map(|attachment| match content::document(attachment).ok()?? {
                Value::Object(body) => named(&body).or_else(|| body.get("id").and_then(scalar)),
                body => scalar(&body),
            })
    };
    meta(vcon).or_else(|| dialogs().find_map(meta)).or_else(|| SCRIPT.iter().find_map(|key| tags.get(*key).cloned())).or_else(attached)
}

/// What calls may be filtered by: tags, subject, and of the contact-centre extension the campaign and interaction.
fn attributes(vcon: &Object, tags: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut attributes = tags;
    if let Some(subject) = text(vcon, "subject") {
        attributes.insert("subject".to_owned(), subject.to_owned());
    }
    for dialog in vcon.get("dialog").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object) {
        for key in ["campaign", "interaction"] {
            if let Some(value) = dialog.get(key).and_then(scalar) {
                attributes.entry(key.to_owned()).or_insert(value);
            }
        }
    }
    attributes
}
