//! What of a setting may be shown.

use std::borrow::Cow;

/// What stands where a secret would.
pub(super) const HIDDEN: &str = "…";

/// Words of an option's name by which its value is a secret.
const SECRET: [&str; 6] = ["secret", "password", "passphrase", "token", "key", "pepper"];
/// How an option calls a value that only says where something lies.
const PLACES: [&str; 3] = ["FILE", "DIR", "PATH"];

/// Whether an option's value must not be shown: it is named as a secret, and is not only the place of one.
pub(super) fn is_secret(option: &clap::Arg) -> bool {
    let named = option.get_long().unwrap_or_default().split('-').any(|word| SECRET.contains(&word));
    let place = option.get_value_names().unwrap_or_default().iter().any(|name| PLACES.contains(&name.as_str()));
    named && !place && option.get_action().takes_values()
}

/// A text without the passwords of URLs (`postgres://user:…@host`) and of connection strings (`password=…`).
///
/// # Examples
/// ```
/// use callgrade::config::without_passwords;
/// assert_eq!(without_passwords("postgres://grader:pw@db/calls"), "postgres://grader:…@db/calls");
/// assert_eq!(without_passwords("host=db password=pw user=grader"), "host=db password=… user=grader");
/// ```
#[must_use]
pub fn without_passwords(text: &str) -> Cow<'_, str> {
    let mut out = Cow::Borrowed(text);
    if let Some(begin) = text.find("://").map(|at| at + 3) {
        let authority = text[begin..].find(['/', '?', '#']).map_or(text.len(), |length| begin + length);
        // A password may hold an `@` that was not escaped: the last one ends it. One may even hold a `/`.
        let authority = if text[begin..authority].contains('@') { authority } else { text.len() };
        if let Some(end) = text[begin..authority].rfind('@').map(|at| begin + at)
            && let Some(colon) = text[begin..end].find(':').map(|at| begin + at)
        {
            out = Cow::Owned(format!("{}{HIDDEN}{}", &text[..=colon], &text[end..]));
        }
    }
    let mut from = 0;
    while let Some(at) = out[from..].to_ascii_lowercase().find("password=").map(|at| from + at + "password=".len()) {
        let rest = &out[at..];
        let end = match rest.strip_prefix('\'') {
            Some(quoted) => quoted.find('\'').map_or(out.len(), |length| at + length + 2),
            None => rest.find([' ', '\t', '&', '#']).map_or(out.len(), |length| at + length),
        };
        out = Cow::Owned(format!("{}{HIDDEN}{}", &out[..at], &out[end..]));
        from = at + HIDDEN.len();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_go_and_the_rest_stays() {
        for (text, shown) in [
            ("127.0.0.1:50051", "127.0.0.1:50051"),
            ("http://collector:4317/v1", "http://collector:4317/v1"),
            ("postgres://db/calls", "postgres://db/calls"),
            ("postgres://me@db/calls", "postgres://me@db/calls"),
            ("postgres://me:s3cret@db:5432/calls", "postgres://me:…@db:5432/calls"),
            ("postgres://me:a@b@db/calls", "postgres://me:…@db/calls"),
            ("postgres://me:a/b@db/calls", "postgres://me:…@db/calls"),
            ("postgres://db/calls?user=me&password=pw&x=1", "postgres://db/calls?user=me&password=…&x=1"),
            ("host=db PASSWORD='p w' user=me", "host=db PASSWORD=… user=me"),
        ] {
            assert_eq!(without_passwords(text), shown, "{text}");
        }
    }

    #[test]
    fn names_tell_secrets_and_values_that_are_places_are_none() {
        let option = |name: &'static str, value: &'static str| clap::Arg::new(name).long(name).value_name(value);
        assert!(is_secret(&option("jwt-secret", "SECRET")));
        assert!(is_secret(&option("mask-key", "KEY")));
        assert!(!is_secret(&option("tls-key", "FILE")));
        assert!(!is_secret(&option("keepalive-ms", "MS")));
    }
}
