//! The head of a case's call, and the callback that is expected of it.

use jiff::Timestamp;
use serde::Deserialize;

use super::Case;
use crate::core::callback::{CallClock, Callback};

/// What is expected of a callback: `none`, or what is named of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum CallbackSpec {
    /// `none`
    Bare(String),
    /// `{at: 2026-11-24T15:00+08:00, words: 明天下午三点, event: 3}`
    Parts(Parts),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Parts {
    /// Its moment in RFC 3339; `""`: the words name none.
    at: Option<String>,
    /// The customer's words.
    words: Option<String>,
    /// The event of the words, from 0.
    event: Option<u32>,
}

impl Case {
    /// When its call began, in seconds since 1970 and nanoseconds; `None` where it does not say.
    ///
    /// # Errors
    /// `started_at` is no moment in RFC 3339.
    pub fn started_at(&self) -> Result<Option<(i64, i32)>, String> {
        let Some(text) = &self.started_at else { return Ok(None) };
        let at: Timestamp = text.parse().map_err(|_| format!("`started_at` is no moment, such as 2026-03-02T10:00:00+08:00: {text}"))?;
        Ok(Some((at.as_second(), at.subsec_nanosecond())))
    }

    /// The time zone its call names; empty: none.
    #[must_use]
    pub fn time_zone(&self) -> &str {
        self.time_zone.as_deref().unwrap_or_default()
    }

    /// The clock of its call.
    ///
    /// # Errors
    /// As of [`started_at`](Self::started_at).
    pub fn clock(&self) -> Result<CallClock, String> {
        Ok(CallClock::new(self.started_at()?, self.time_zone()))
    }
}

impl CallbackSpec {
    /// What is expected and what there is instead, of each part that differs.
    pub(super) fn differences(&self, got: Option<&Callback>) -> Vec<(String, String, String)> {
        let told = |callback: &Callback| {
            let at = callback.at.as_ref().map_or("no moment".to_owned(), |at| at.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string());
            format!("{:?} at {at}", callback.words)
        };
        let parts = match (self, got) {
            (Self::Bare(none), None) if none == "none" => return Vec::new(),
            (Self::Bare(expected), got) => {
                let got = got.map_or("none".to_owned(), told);
                return vec![("callback".to_owned(), expected.clone(), got)];
            }
            (Self::Parts(parts), _) => parts,
        };
        let Some(callback) = got else { return vec![("callback".to_owned(), format!("{parts:?}"), "none".to_owned())] };
        let mut differences = Vec::new();
        if let Some(expected) = &parts.at {
            let moment = callback.at.as_ref().map(jiff::Zoned::timestamp);
            let same = if expected.is_empty() { moment.is_none() } else { expected.parse().ok().is_some_and(|at| moment == Some(at)) };
            if !same {
                differences.push(("callback.at".to_owned(), format!("{expected:?}"), told(callback)));
            }
        }
        if let Some(expected) = parts.words.as_ref().filter(|expected| ***expected != *callback.words) {
            differences.push(("callback.words".to_owned(), format!("{expected:?}"), format!("{:?}", callback.words)));
        }
        if let Some(expected) = parts.event.filter(|expected| *expected != callback.event) {
            differences.push(("callback.event".to_owned(), expected.to_string(), callback.event.to_string()));
        }
        differences
    }
}
