//! The verdict, written back.

use serde_json::{Value, json};

use crate::wire::v1;

/// The `vendor` of our analysis objects.
const VENDOR: &str = "callgrade";
/// What their `schema` begins with; the script's id and version follow.
const SCHEMA: &str = "callgrade.v1.Verdict";

/// The vCon with the verdict as an `analysis` object, in the place of an earlier one of ours; the rest is as it was. What is
/// no JSON object comes back unchanged.
///
/// The object is of type `report`, from vendor `callgrade`; its `schema` names the message and the script's version, its body
/// (encoding `json`) is the [`v1::Verdict`] in canonical proto3 JSON, and `dialog` lists every dialog.
#[must_use]
pub fn with_verdict(original: &Value, verdict: &v1::Verdict) -> Value {
    let mut vcon = original.clone();
    let Some(object) = vcon.as_object_mut() else { return vcon };
    let dialogs = object.get("dialog").and_then(Value::as_array).map_or(0, Vec::len);
    let mut ours = json!({
        "type": "report",
        "vendor": VENDOR,
        "product": VENDOR,
        "schema": format!("{SCHEMA} {}@{}", verdict.script_id, verdict.script_version),
        "mediatype": "application/json",
        "encoding": "json",
        "body": verdict,
    });
    // Optional only where the analysis comes of no dialog.
    if let Some(ours) = ours.as_object_mut().filter(|_| dialogs > 0) {
        ours.insert("dialog".to_owned(), (0..dialogs).collect());
    }
    let mut analysis = match object.remove("analysis") {
        Some(Value::Array(list)) => list,
        // The draft knows no other form, but what is there is not ours to lose.
        Some(Value::Object(only)) => vec![Value::Object(only)],
        _ => Vec::new(),
    };
    let at = analysis.iter().position(is_ours).unwrap_or(analysis.len());
    analysis.retain(|analysis| !is_ours(analysis));
    analysis.insert(at, ours);
    object.insert("analysis".to_owned(), Value::Array(analysis));
    vcon
}

fn is_ours(analysis: &Value) -> bool {
    let text = |key: &str| analysis.get(key).and_then(Value::as_str).unwrap_or_default();
    text("vendor") == VENDOR && text("schema").starts_with(SCHEMA)
}
