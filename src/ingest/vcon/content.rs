//! What dialogs and analyses hold inline: decoded, parsed, its markup taken out.

use serde_json::{Map, Value};

/// A JSON object.
pub(super) type Object = Map<String, Value>;

/// A field that is text and not empty.
pub(super) fn text<'a>(object: &'a Object, key: &str) -> Option<&'a str> {
    object.get(key).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty())
}

/// Text or a number, as text; empty counts as nothing.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The media type without its parameters, under either name it had in the drafts; empty if none is given.
pub(super) fn media_type(object: &Object) -> String {
    let given = text(object, "mediatype").or_else(|| text(object, "mimetype")).unwrap_or_default();
    given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// What the `body` holds; `None` where there is none.
///
/// # Errors
/// It is not what its `encoding` says.
pub(super) fn body(object: &Object) -> Result<Option<Value>, String> {
    let Some(body) = object.get("body").filter(|body| !body.is_null()) else { return Ok(None) };
    let encoding = text(object, "encoding").unwrap_or("none").to_ascii_lowercase();
    match (body, encoding.as_str()) {
        (Value::String(encoded), "base64url" | "base64") => {
            let bytes = base64(encoded).ok_or_else(|| format!("a body that is not {encoding}"))?;
            String::from_utf8(bytes).map(|text| Some(Value::String(text))).map_err(|_| "text that is not UTF-8".to_owned())
        }
        (_, "none" | "json" | "base64url" | "base64") => Ok(Some(body.clone())),
        _ => Err(format!("unknown encoding {encoding:?}")),
    }
}

/// The words of a dialog's `body`; `None` where there is none.
///
/// # Errors
/// It holds none that can be read.
pub(super) fn words(object: &Object) -> Result<Option<String>, String> {
    let media_type = media_type(object);
    let readable = media_type.is_empty() || media_type.starts_with("text/") || media_type == "application/json";
    if !readable {
        return Err(format!("text of type {media_type:?}, which is not read"));
    }
    match body(object)? {
        None => Ok(None),
        Some(Value::String(text)) if media_type == "text/html" => Ok(Some(without_markup(&text))),
        Some(Value::String(text)) => Ok(Some(text.trim().to_owned())),
        Some(Value::Object(object)) => {
            let inner = ["text", "body", "content", "message"].iter().find_map(|key| self::text(&object, key));
            inner.map(|text| Some(text.to_owned())).ok_or_else(|| "a body without text".to_owned())
        }
        Some(_) => Err("a body that is not text".to_owned()),
    }
}

/// What an analysis' `body` holds: JSON, also where it is written as text. `None` where there is none.
///
/// # Errors
/// It cannot be decoded.
pub(super) fn document(object: &Object) -> Result<Option<Value>, String> {
    Ok(body(object)?.map(|body| match body {
        Value::String(text) if text.trim_start().starts_with(['{', '[']) => serde_json::from_str(&text).unwrap_or(Value::String(text)),
        Value::String(text) if media_type(object) == "text/html" => Value::String(without_markup(&text)),
        body => body,
    }))
}

/// Decodes base64 in either alphabet (RFC 4648, sections 4 and 5), padded or not.
pub(super) fn base64(encoded: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(encoded.len() / 4 * 3);
    let (mut bits, mut held) = (0u32, 0u32);
    for byte in encoded.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=') {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(six);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held & 0xFF) as u8);
        }
    }
    (held < 6).then_some(bytes)
}

/// The words of a piece of HTML, its blocks on lines of their own.
pub(super) fn without_markup(html: &str) -> String {
    const BLOCKS: [&str; 9] = ["br", "p", "div", "li", "tr", "h1", "h2", "h3", "blockquote"];
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some((before, after)) = rest.split_once('<') {
        out.push_str(before);
        let opens = after.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!');
        if !opens {
            out.push('<');
            rest = after;
            continue;
        }
        let Some((tag, behind)) = after.split_once('>') else {
            out.push('<');
            rest = after;
            break;
        };
        let name: String =
            tag.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
        rest = match name.as_str() {
            // What a browser does not show either.
            "script" | "style" | "head" if !tag.starts_with('/') => {
                let closes = |at: usize| {
                    let close = behind.get(at + 1..)?.strip_prefix('/')?.get(..name.len())?;
                    close.eq_ignore_ascii_case(&name).then_some(at)
                };
                let end = behind.match_indices('<').find_map(|(at, _)| closes(at));
                end.and_then(|at| behind.get(at..)).and_then(|closing| closing.split_once('>')).map_or("", |(_, rest)| rest)
            }
            _ => behind,
        };
        if BLOCKS.contains(&name.as_str()) {
            out.push('\n');
        }
    }
    out.push_str(rest);
    let lines = out.lines().map(|line| unescape(line).split_whitespace().collect::<Vec<_>>().join(" "));
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

/// Character references resolved: the numeric ones and those of HTML that occur in speech.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        // No reference that is resolved has a longer name.
        let end = after.bytes().take(9).position(|byte| byte == b';');
        let reference = end.and_then(|end| Some((after.get(..end)?, after.get(end + 1..)?)));
        let character = reference.and_then(|(name, _)| match name {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            "nbsp" => Some(' '),
            _ => {
                let number = name.strip_prefix('#')?;
                let code = number.strip_prefix(['x', 'X']).map_or_else(|| number.parse().ok(), |hex| u32::from_str_radix(hex, 16).ok());
                code.and_then(char::from_u32)
            }
        });
        match (character, reference) {
            (Some(character), Some((_, behind))) => {
                out.push(character);
                rest = behind;
            }
            _ => {
                out.push('&');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_in_either_alphabet() {
        assert_eq!(base64("5aSa5bCR6ZKx").as_deref(), Some("多少钱".as_bytes()));
        assert_eq!(base64("-_-_\n"), Some(vec![0xFB, 0xFF, 0xBF]));
        assert_eq!(base64("+/+/"), base64("-_-_"));
        assert_eq!(base64("YQ=="), Some(b"a".to_vec()));
        assert_eq!(base64("YQ"), Some(b"a".to_vec()));
        assert_eq!(base64("Y"), None);
        assert_eq!(base64("多少"), None);
    }

    #[test]
    fn markup_is_taken_out() {
        for (html, expected) in [
            ("<p>喂，<b>您好</b></p><p>多少钱？</p>", "喂，您好\n多少钱？"),
            ("<style>p{a:b}</style>好<br/>的&nbsp;&amp;&#21890;&#x5582;", "好\n的 &喂喂"),
            ("三<五 & 六 &unknown; <3", "三<五 & 六 &unknown; <3"),
            ("<script>if (a<b) {}</SCRIPT>好", "好"),
            ("<script>没有完", ""),
            ("好<b 没有完<i", "好<b 没有完<i"),
        ] {
            assert_eq!(without_markup(html), expected, "{html}");
        }
    }
}
