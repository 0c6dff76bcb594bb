//! One push on its way: an HTTP request and what the receiver answered.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::{ClientConfig, RootCertStore};

use super::settings::PushSettings;
use super::{schedule, sign};

/// How much of an answer is read, for the connection to be of use again: what it says does not matter.
const ANSWER_BYTES: usize = 64 << 10;
/// How long that may take.
const ANSWER_PATIENCE: Duration = Duration::from_secs(1);
/// How long a connection without use is kept.
const IDLE: Duration = Duration::from_secs(60);

/// What a receiver answered.
#[derive(Debug)]
pub(super) enum Answer {
    /// 2xx.
    Taken,
    /// Anything else. Redirects are not followed: what is signed for one place is not sent to another.
    Refused(StatusCode, Option<Duration>),
    /// Nothing, and why.
    Nothing(String),
}

/// Sends pushes; its connections are used again and shared by all.
#[derive(Debug, Clone)]
pub(super) struct Post {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    timeout: Duration,
}

impl Post {
    /// Trusts these roots, or the web's.
    pub(super) fn new(timeout: Duration, roots: Option<RootCertStore>) -> Result<Self, rustls::Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let tls = match roots {
            Some(roots) => tls.with_root_certificates(roots),
            None => tls.with_webpki_roots(),
        };
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let connector =
            HttpsConnectorBuilder::new().with_tls_config(tls.with_no_client_auth()).https_or_http().enable_http1().wrap_connector(tcp);
        let client =
            Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE).build::<_, Full<Bytes>>(connector);
        Ok(Self { client, timeout })
    }

    /// Sends one, signed as of now.
    pub(super) async fn send(&self, settings: &PushSettings, event_id: &str, body: Bytes) -> Answer {
        let timestamp_s = super::pusher::now_ms() / 1000;
        let request = Request::builder()
            .method(Method::POST)
            .uri(settings.url.clone())
            .header(header::CONTENT_TYPE, "application/cloudevents+json")
            .header(header::USER_AGENT, concat!("callgrade/", env!("CARGO_PKG_VERSION")))
            .header("webhook-id", event_id)
            .header("webhook-timestamp", timestamp_s)
            .header("webhook-signature", sign::signature(&settings.keys, event_id, timestamp_s, &body))
            .body(Full::new(body));
        let request = match request {
            Ok(request) => request,
            Err(error) => return Answer::Nothing(error.to_string()),
        };
        match tokio::time::timeout(self.timeout, self.client.request(request)).await {
            Err(_) => Answer::Nothing(format!("no answer within {} ms", self.timeout.as_millis())),
            Ok(Err(error)) => Answer::Nothing(chain(&error)),
            Ok(Ok(response)) => {
                let (head, body) = response.into_parts();
                // The status line decides, as the prescription has it. Who cannot finish the rest has still said it.
                let _ = tokio::time::timeout(ANSWER_PATIENCE, Limited::new(body, ANSWER_BYTES).collect()).await;
                if head.status.is_success() { Answer::Taken } else { Answer::Refused(head.status, retry_after(&head.headers)) }
            }
        }
    }
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    schedule::retry_after(headers.get(header::RETRY_AFTER)?.to_str().ok()?, SystemTime::now())
}

/// An error with what is behind it: the client's own words are only that it could not.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut behind = error.source();
    while let Some(error) = behind {
        let also = error.to_string();
        if !text.contains(&also) {
            text.push_str(": ");
            text.push_str(&also);
        }
        behind = error.source();
    }
    text
}
