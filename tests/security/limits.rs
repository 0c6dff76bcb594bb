//! Limits of a tenant: streams and requests.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::time::Duration;

use callgrade::service::access::Role;
use callgrade::service::quota::{Quota, TenantLimits};
use callgrade::transport::Security;
use callgrade::wire::v1;
use callgrade::wire::v1::grading_client::GradingClient;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

use super::{access, ask, eventually, new_key, start};
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
async fn limited(limits: TenantLimits) -> (TestServer, String, String) {
    let (north, south) = (new_key("north", Role::Ingest), new_key("south", Role::Ingest));
    let none = TenantLimits { live_calls: None, streams: None, requests_per_second: None, ..TenantLimits::default() };
    let security = Security {
        access: access([north.record, south.record], None),
        quota: Quota::new(none, HashMap::from([("north".to_owned(), limits)])),
        ..Security::default()
    };
    (start(security).await, north.key, south.key)
}

#[test]
fn a_stream_too_many_is_refused_until_another_ends() {
    block_on(async {
        let (server, north, south) = limited(TenantLimits { streams: Some(2), ..TenantLimits::default() }).await;
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
        let limits = TenantLimits { requests_per_second: NonZeroU32::new(1), ..TenantLimits::default() };
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
        let calls = callgrade::ingest::Limits { message_bytes: 100, ..Default::default() };
        let (server, north, south) = limited(TenantLimits { calls, ..TenantLimits::default() }).await;
        let long = v1::GetScriptRequest { script_id: "x".repeat(200), version: String::new() };
        let refused = client(&server, &north).await.get_script(long.clone()).await.expect_err("too long");
        assert_eq!(refused.code(), Code::ResourceExhausted);
        let other = client(&server, &south).await.get_script(long).await.expect_err("no such script");
        assert_eq!(other.code(), Code::NotFound);
    });
}
