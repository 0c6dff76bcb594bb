//! Limits of a tenant: streams and requests.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::time::Duration;

use callgrade::ingest::Limits;
use callgrade::service::access::Role;
use callgrade::service::quota::Quota;
use callgrade::service::tenant::{TenantSettings, Tenants};
use callgrade::transport::{Security, ServerOptions};
use callgrade::wire::v1;
use callgrade::wire::v1::grading_client::GradingClient;
use callgrade::wire::v1::stream_calls_response::Response as Answer;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

use super::{access, ask, eventually, new_key};
use crate::support::{TestServer, block_on};

/// Sends a key with each request.
#[derive(Clone)]
struct WithKey(String);

impl Interceptor for WithKey {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("x-api-key", self.0.parse().expect("a value"));
        Ok(request)
    }
}

async fn client(server: &TestServer, key: &str) -> GradingClient<InterceptedService<Channel, WithKey>> {
    let channel = Endpoint::from_shared(format!("http://{}", server.address)).expect("an address").connect().await.expect("a channel");
    GradingClient::with_interceptor(channel, WithKey(key.to_owned()))
}

/// A server with a tenant that has limits and one that has none.
async fn limited(limits: TenantSettings) -> (TestServer, String, String) {
    let (north, south) = (new_key("north", Role::Ingest), new_key("south", Role::Ingest));
    let none = Quota { live_calls: None, streams: None, requests_per_second: None };
    let others = TenantSettings { quota: none, ..TenantSettings::default() };
    let tenants = Tenants::new(HashMap::from([("north".to_owned(), limits)]), others);
    let security = Security { access: access([north.record, south.record], None), ..Security::default() };
    let options = ServerOptions { security, ..ServerOptions::default() };
    (TestServer::start_guarded(tenants, options).await, north.key, south.key)
}

fn of(quota: Quota) -> TenantSettings {
    TenantSettings { quota, ..TenantSettings::default() }
}

#[test]
fn a_stream_too_many_is_refused_until_another_ends() {
    block_on(async {
        let (server, north, south) = limited(of(Quota { streams: Some(2), ..Quota::default() })).await;
        let open = async |key: &str| {
            let (sender, receiver) = mpsc::channel::<v1::StreamCallsRequest>(1);
            client(&server, key).await.stream_calls(ReceiverStream::new(receiver)).await.map(|answers| (sender, answers))
        };
        let first = open(&north).await.expect("a stream");
        let _second = open(&north).await.expect("another");
        let refused = open(&north).await.expect_err("one too many");
        assert_eq!((refused.code(), refused.message()), (Code::ResourceExhausted, "over the tenant's limit of open streams: 2"));
        assert_eq!(refused.get_details_retry_info().and_then(|info| info.retry_delay), Some(Duration::from_secs(1)));
        let _other = open(&south).await.expect("another tenant's");
        drop(first);
        let _again = eventually("the place is free again", async || open(&north).await.ok()).await;
        assert!(open(&north).await.is_err());
    });
}

#[test]
fn requests_too_fast_are_told_when_to_come_back() {
    block_on(async {
        let limits = of(Quota { requests_per_second: NonZeroU32::new(1), ..Quota::default() });
        let (server, north, south) = limited(limits).await;
        let key = [("x-api-key", north.as_str())];
        let (_, headers, body) =
            eventually("a request is refused", async || Some(ask(&server, "GET", "/v1/scripts", &key).await).filter(|it| it.0 == 429))
                .await;
        assert_eq!(headers["retry-after"], "1");
        let body: serde_json::Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!(body["error"]["status"], "RESOURCE_EXHAUSTED");
        let detail = &body["error"]["details"][0];
        assert_eq!(detail["@type"], "type.googleapis.com/google.rpc.RetryInfo");
        let delay = detail["retryDelay"].as_str().and_then(|delay| delay.strip_suffix('s')?.parse::<f64>().ok());
        assert!(delay.is_some_and(|delay| delay > 0.0 && delay <= 1.0), "{detail}");
        let refused = async || client(&server, &north).await.list_scripts(v1::ListScriptsRequest {}).await.err();
        let refused = eventually("a call is refused", refused).await;
        assert_eq!((refused.code(), refused.message()), (Code::ResourceExhausted, "over the tenant's limit of requests a second: 1"));
        assert!(refused.get_details_retry_info().is_some());
        let mut other = client(&server, &south).await;
        for _ in 0..50 {
            other.list_scripts(v1::ListScriptsRequest {}).await.expect("another tenant's requests are its own");
        }
    });
}

#[test]
fn a_message_over_the_tenants_own_limit_is_refused() {
    block_on(async {
        let limits = Limits { message_bytes: 100, ..Limits::default() };
        let (server, north, south) = limited(TenantSettings { limits, ..TenantSettings::default() }).await;
        let long = v1::GetScriptRequest { script_id: "x".repeat(200), version: String::new() };
        let refused = client(&server, &north).await.get_script(long.clone()).await.expect_err("too long");
        assert_eq!(refused.code(), Code::ResourceExhausted);
        let other = client(&server, &south).await.get_script(long).await.expect_err("no such script");
        assert_eq!(other.code(), Code::NotFound);
    });
}

#[test]
fn a_call_too_many_is_refused_until_another_ends() {
    block_on(async {
        let (server, north, south) = limited(of(Quota { live_calls: Some(1), ..Quota::default() })).await;
        let event = |call: &str, seq: u32, event: v1::call_event::Event| v1::StreamCallsRequest {
            call_id: call.to_owned(),
            seq,
            script_id: "telemarketing".to_owned(),
            event: Some(v1::CallEvent { at_ms: seq, event: Some(event) }),
            ..v1::StreamCallsRequest::default()
        };
        let answered = || v1::call_event::Event::Answered(v1::Answered {});
        let hangup = v1::call_event::Event::Hangup(v1::Hangup::default());
        let told = async |key: &str, events: Vec<v1::StreamCallsRequest>| {
            let mut answers = client(&server, key).await.stream_calls(tokio_stream::iter(events)).await.expect("a stream").into_inner();
            let mut told = Vec::new();
            while let Some(answer) = answers.message().await.expect("no error") {
                match answer.response.expect("an answer") {
                    Answer::Ack(ack) => told.push(format!("{} {}", ack.call_id, ack.seq)),
                    Answer::Rejection(rejection) => {
                        let status = rejection.status.expect("a status");
                        told.push(format!("{} {} {} {}", rejection.call_id, rejection.seq, status.code, status.message));
                    }
                    Answer::Verdict(_) => {}
                }
            }
            told
        };
        let refused = "b 1 8 over the tenant's limit of live calls: 1";
        assert_eq!(told(&north, vec![event("a", 1, answered()), event("b", 1, answered())]).await, ["a 1", refused]);
        assert_eq!(told(&south, vec![event("a", 1, answered()), event("b", 1, answered())]).await, ["a 1", "b 1"]);
        assert_eq!(told(&north, vec![event("a", 2, hangup), event("b", 1, answered())]).await, ["a 2", "b 1"]);
    });
}
