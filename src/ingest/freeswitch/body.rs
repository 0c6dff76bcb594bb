//! The bodies in which FreeSWITCH posts a record, and the files in which it leaves one that it could not post.

use std::borrow::Cow;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use percent_encoding::percent_decode;

/// How a record is posted unless FreeSWITCH is told otherwise: the field of a form.
const FIELD: &[u8] = b"cdr=";
/// How JSON begins that is encoded as a whole.
const ENCODED: [&[u8]; 2] = [b"%7B", b"%7b"];

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent).with_decode_allow_trailing_bits(true),
);

/// Whether bytes begin as a body or file of FreeSWITCH does that is no plain JSON.
#[must_use]
pub fn is_body(beginning: &[u8]) -> bool {
    let beginning = beginning.trim_ascii_start();
    beginning.starts_with(FIELD) || ENCODED.iter().any(|encoded| beginning.starts_with(encoded))
}

/// The JSON of a record: as it is (`encode=false`), in the field `cdr` of a form (`encode=true`) or in base64 there
/// (`encode=base64`), or encoded like an address, as files in `err-log-dir` are.
///
/// # Errors
/// It is none of these.
pub fn json_of(body: &[u8]) -> Result<Cow<'_, str>, String> {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body).trim_ascii();
    if body.starts_with(b"{") {
        return Ok(String::from_utf8_lossy(body));
    }
    let field = body.split(|byte| *byte == b'&').find_map(|field| field.strip_prefix(FIELD));
    let value = match field {
        Some(value) => value.trim_ascii(),
        None if ENCODED.iter().any(|encoded| body.starts_with(encoded)) => body,
        None => return Err("not a FreeSWITCH CDR: neither a JSON object nor a form with the field cdr".to_owned()),
    };
    if value.starts_with(b"{") || ENCODED.iter().any(|encoded| value.starts_with(encoded)) {
        // A form's space is a +; FreeSWITCH writes both with a percent sign.
        let spaced: Vec<u8> = value.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
        return Ok(Cow::Owned(percent_decode(&spaced).decode_utf8_lossy().into_owned()));
    }
    let encoded: Vec<u8> = percent_decode(value).filter(|byte| !byte.is_ascii_whitespace()).collect();
    let decoded = BASE64.decode(encoded).map_err(|_| "the field cdr is neither JSON nor base64".to_owned())?;
    Ok(Cow::Owned(String::from_utf8_lossy(&decoded).trim().to_owned()))
}
