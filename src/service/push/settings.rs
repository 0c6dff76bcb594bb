//! Where and how a tenant's verdicts are pushed.

use std::fmt;

use http::Uri;

use crate::wire::v1;

/// Where a tenant's verdicts are pushed, which, and what they are signed with. Operators write this in their settings; tenants
/// have no say in it, so a URL may well be inside the operator's network.
#[derive(Clone, PartialEq, Eq)]
pub struct PushSettings {
    pub(super) url: Uri,
    pub(super) keys: Vec<Vec<u8>>,
    labels: Vec<String>,
    provisional: bool,
}

impl fmt::Debug for PushSettings {
    /// Without keys, and without the URL's path, in which some receivers have their secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PushSettings")
            .field("host", &self.url.host())
            .field("labels", &self.labels)
            .field("provisional", &self.provisional)
            .finish_non_exhaustive()
    }
}

/// Why verdicts cannot be pushed so. The URL and the keys are not part of the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettingsError {
    /// It is no URL.
    NoUrl,
    /// It is neither `http` nor `https`.
    Scheme(String),
    /// It names a user, and perhaps a password.
    User,
    /// There is nothing to sign with.
    NoKey,
    /// A key of this many bytes.
    Key(usize),
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoUrl => f.write_str("not a URL that verdicts can be pushed to: http://HOST/… or https://HOST/… is wanted"),
            Self::Scheme(scheme) => write!(f, "verdicts are pushed by http and https, not by {scheme}"),
            Self::User => f.write_str("a URL that verdicts are pushed to names no user; the receiver knows us by the signature"),
            Self::NoKey => f.write_str("verdicts are pushed signed: a secret is wanted"),
            Self::Key(bytes) => write!(f, "a webhook's secret is 24 to 64 bytes, not {bytes}"),
        }
    }
}

impl std::error::Error for SettingsError {}

impl PushSettings {
    /// Verdicts with one of these labels (none: all) are pushed to `url`, signed with each of `keys`: more than one while a
    /// receiver changes from an old secret to a new one.
    ///
    /// # Errors
    /// The URL is none for this, or a key is missing or of a wrong length.
    pub fn new(url: &str, keys: Vec<Vec<u8>>, labels: Vec<String>, provisional: bool) -> Result<Self, SettingsError> {
        let url: Uri = url.parse().map_err(|_| SettingsError::NoUrl)?;
        let scheme = url.scheme_str().ok_or(SettingsError::NoUrl)?;
        if scheme != "http" && scheme != "https" {
            return Err(SettingsError::Scheme(scheme.to_owned()));
        }
        let authority = url.authority().ok_or(SettingsError::NoUrl)?;
        if authority.as_str().contains('@') {
            return Err(SettingsError::User);
        }
        if authority.host().is_empty() {
            return Err(SettingsError::NoUrl);
        }
        if keys.is_empty() {
            return Err(SettingsError::NoKey);
        }
        match keys.iter().find(|key| !(24..=64).contains(&key.len())) {
            Some(key) => Err(SettingsError::Key(key.len())),
            None => Ok(Self { url, keys, labels, provisional }),
        }
    }

    /// The labels of which verdicts are pushed; none: all.
    #[must_use]
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// Whether a verdict is pushed. Who was told of a call, `heard`, hears of all that comes of it: that an A became a C, that it is final,
    /// that the customer is not to be called again after all.
    #[must_use]
    pub fn wants(&self, verdict: &v1::Verdict, heard: bool) -> bool {
        (verdict.r#final || self.provisional) && (heard || self.is_wanted(&verdict.label))
    }

    /// Whether verdicts of a label are pushed.
    #[must_use]
    pub fn is_wanted(&self, label: &str) -> bool {
        self.labels.is_empty() || self.labels.iter().any(|wanted| wanted == label)
    }

    /// Whether verdicts are pushed while a call lives.
    #[must_use]
    pub fn provisional(&self) -> bool {
        self.provisional
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(labels: &[&str], provisional: bool) -> PushSettings {
        let labels = labels.iter().map(|label| (*label).to_owned()).collect();
        PushSettings::new("https://crm.example/hook", vec![vec![7; 24]], labels, provisional).expect("good settings")
    }

    fn verdict(label: &str, r#final: bool) -> v1::Verdict {
        v1::Verdict { label: label.to_owned(), r#final, ..v1::Verdict::default() }
    }

    #[test]
    fn which_verdicts_are_wanted() {
        for (labels, provisional, label, is_final, heard, wanted) in [
            (&[][..], false, "F", true, false, true),
            (&[], false, "F", false, true, false),
            (&[], true, "", false, false, true),
            (&["A", "B"], false, "B", true, false, true),
            (&["A", "B"], false, "C", true, false, false),
            (&["A", "B"], false, "C", true, true, true),
            (&["A", "B"], true, "A", false, false, true),
            (&["A", "B"], true, "", false, false, false),
            (&["A", "B"], true, "", false, true, true),
        ] {
            let wants = settings(labels, provisional).wants(&verdict(label, is_final), heard);
            assert_eq!(wants, wanted, "{labels:?} {provisional} {label:?} {is_final} {heard}");
        }
    }

    #[test]
    fn what_is_refused_and_in_which_words() {
        let key = || vec![vec![1; 32]];
        for (url, keys, said) in [
            ("ftp://crm.example/", key(), "verdicts are pushed by http and https, not by ftp"),
            ("file:///etc/passwd", key(), "not a URL that verdicts can be pushed to: http://HOST/… or https://HOST/… is wanted"),
            ("crm.example/hook", key(), "not a URL that verdicts can be pushed to: http://HOST/… or https://HOST/… is wanted"),
            ("/hook", key(), "not a URL that verdicts can be pushed to: http://HOST/… or https://HOST/… is wanted"),
            (
                "https://me:it@crm.example/",
                key(),
                "a URL that verdicts are pushed to names no user; the receiver knows us by the signature",
            ),
            ("https://crm.example/", Vec::new(), "verdicts are pushed signed: a secret is wanted"),
            ("https://crm.example/", vec![vec![1; 32], vec![1; 23]], "a webhook's secret is 24 to 64 bytes, not 23"),
        ] {
            let error = PushSettings::new(url, keys, Vec::new(), false).expect_err(url);
            assert_eq!(error.to_string(), said, "{url}");
        }
    }

    #[test]
    fn nothing_secret_is_shown() {
        let shown = format!("{:?}", settings(&["A"], false));
        assert_eq!(shown, r#"PushSettings { host: Some("crm.example"), labels: ["A"], provisional: false, .. }"#);
    }
}
