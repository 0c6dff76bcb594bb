//! A vCon without personal numbers, for writing it back.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::content;
use crate::ingest::mask::{Number, mask_json, masked_document};

/// Masks every personal number of a vCon, wherever it stands: in parties, dialogs, transcripts, attachments, also in bodies that
/// are encoded (`base64url`), as far as they are text. What is not JSON text, such as sound or a document that lies elsewhere,
/// is as it was. Whether anything was masked.
pub fn mask(vcon: &mut Value, found: &mut dyn FnMut(Number)) -> bool {
    bodies(vcon, found) | mask_json(vcon, found)
}

/// Masks the bodies that are encoded text.
fn bodies(value: &mut Value, found: &mut dyn FnMut(Number)) -> bool {
    match value {
        Value::Array(list) => list.iter_mut().fold(false, |any, value| bodies(value, found) | any),
        Value::Object(object) => {
            let encoded = content::text(object, "encoding").is_some_and(|encoding| encoding.to_ascii_lowercase().starts_with("base64"));
            let text = object.get("body").and_then(Value::as_str).filter(|_| encoded);
            let text = text.and_then(content::base64).and_then(|bytes| String::from_utf8(bytes).ok());
            let masked = text.and_then(|text| masked_document(&text, found));
            let any = masked.is_some();
            if let Some(masked) = masked {
                object.insert("body".to_owned(), Value::String(URL_SAFE_NO_PAD.encode(masked)));
            }
            object.values_mut().fold(any, |any, value| bodies(value, found) | any)
        }
        _ => false,
    }
}
