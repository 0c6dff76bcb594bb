//! A verdict as a CloudEvent.

use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::PushSettings;
use crate::store::calls::PushRow;
use crate::wire::v1;

/// A verdict that may be pushed, and what of it the verdict itself does not say.
#[derive(Debug, Clone, Copy)]
pub struct News<'a> {
    /// Whose call it is.
    pub tenant: &'a Arc<str>,
    /// The call's number in the store.
    pub call: i64,
    /// Tells a call's provisional verdicts apart: the place of the event that led to this one will do. Final ones are told apart
    /// by their revision.
    pub turn: u32,
    /// Whether the receiver was told of this call before.
    pub heard: bool,
    /// When the verdict was made, in milliseconds since 1970.
    pub made_ms: i64,
    /// The verdict.
    pub verdict: &'a v1::Verdict,
}

/// [CloudEvents 1.0](https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md), structured. There is no
/// `dataschema`, which would have to be a place where the schema is: `data` is a `callgrade.v1.Verdict`, as `type` says.
#[derive(Serialize)]
struct CloudEvent<'a> {
    specversion: &'static str,
    id: &'a str,
    source: String,
    #[serde(rename = "type")]
    kind: &'static str,
    subject: &'a str,
    time: String,
    datacontenttype: &'static str,
    data: &'a v1::Verdict,
}

impl PushSettings {
    /// The row that announces a verdict, to be written in the transaction of the verdict itself; none if it is not wanted.
    #[must_use]
    pub fn row(&self, news: &News<'_>) -> Option<PushRow> {
        self.wants(news.verdict, news.heard).then(|| row(news)).flatten()
    }
}

fn row(news: &News<'_>) -> Option<PushRow> {
    let News { tenant, call, made_ms, verdict, .. } = *news;
    let event_id = event_id(news);
    let event = CloudEvent {
        specversion: "1.0",
        id: &event_id,
        source: format!("/callgrade/tenants/{tenant}"),
        kind: if verdict.r#final { "callgrade.verdict.final.v1" } else { "callgrade.verdict.provisional.v1" },
        subject: &verdict.call_id,
        time: jiff::Timestamp::from_millisecond(made_ms).unwrap_or_default().to_string(),
        datacontenttype: "application/json",
        data: verdict,
    };
    // A verdict has nothing in it that JSON could not say.
    let body = serde_json::to_vec(&event).ok()?;
    let call_id = verdict.call_id.as_str().into();
    Some(PushRow { tenant: Arc::clone(tenant), call, call_id, event_id, made_ms, body: Bytes::from(body) })
}

/// The call's number and which of its verdicts, for people; and a digest of what it says and of when, so that no other verdict ever has
/// the same: not of a store that was made anew, nor of a call to which the number of a deleted one was given. Nothing of it comes
/// from the dialer as it is, because Standard Webhooks sign `id.timestamp.body` and an id must not bring dots into that.
fn event_id(news: &News<'_>) -> String {
    let mut digest = Sha256::new();
    for part in [&**news.tenant, "\0", &news.verdict.call_id, "\0", &news.verdict.script_version] {
        digest.update(part.as_bytes());
    }
    digest.update(news.made_ms.to_be_bytes());
    let unique: String = digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let (kind, which) = if news.verdict.r#final { ("final", news.verdict.revision) } else { ("live", news.turn) };
    format!("{}-{kind}-{which}-{unique}", news.call)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn pushed(call_id: &str, tenant: &str, call: i64, turn: u32, revision: u32, made_ms: i64) -> PushRow {
        let settings = PushSettings::new("http://localhost/", vec![vec![7; 24]], Vec::new(), true).expect("good settings");
        let verdict = v1::Verdict { call_id: call_id.to_owned(), revision, r#final: revision > 0, ..v1::Verdict::default() };
        let tenant = tenant.into();
        settings.row(&News { tenant: &tenant, call, turn, heard: false, made_ms, verdict: &verdict }).expect("it is wanted")
    }

    #[test]
    fn ids_are_stable_and_no_two_verdicts_share_one() {
        let made = 1_800_000_000_123;
        let first = pushed("c.1", "t", 12, 3, 1, made);
        assert_eq!(first.event_id, pushed("c.1", "t", 12, 3, 1, made).event_id);
        assert!(first.event_id.starts_with("12-final-1-"), "{}", first.event_id);
        assert!(!first.event_id.contains('.'), "{}", first.event_id);
        let all = [
            first,
            pushed("c.1", "t", 12, 3, 2, made),
            pushed("c.1", "t", 12, 3, 0, made),
            pushed("c.1", "t", 12, 4, 0, made),
            pushed("c.1", "u", 12, 3, 1, made),
            pushed("c.2", "t", 12, 3, 1, made),
            pushed("c.1", "t", 12, 3, 1, made + 1),
        ];
        let ids: HashSet<&str> = all.iter().map(|row| row.event_id.as_str()).collect();
        assert_eq!(ids.len(), all.len());
    }

    #[test]
    fn the_envelope() {
        let row = pushed("c-1", "acme", 12, 3, 1, 1_800_000_000_123);
        let event: serde_json::Value = serde_json::from_slice(&row.body).expect("JSON");
        let mut attributes = event.as_object().expect("an object").clone();
        let data = attributes.remove("data").expect("data");
        let wanted = serde_json::json!({
            "specversion": "1.0", "id": row.event_id, "source": "/callgrade/tenants/acme", "type": "callgrade.verdict.final.v1",
            "subject": "c-1", "time": "2027-01-15T08:00:00.123Z", "datacontenttype": "application/json",
        });
        assert_eq!(serde_json::Value::Object(attributes), wanted);
        assert_eq!(data["callId"], "c-1");
        assert_eq!(data["fallback"], false, "fields of default value are written too");
        let live = pushed("c-1", "acme", 12, 3, 0, 0);
        let event: serde_json::Value = serde_json::from_slice(&live.body).expect("JSON");
        assert_eq!(event["type"], "callgrade.verdict.provisional.v1");
    }
}
