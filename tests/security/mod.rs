//! Who is let in, how much they may ask for, TLS, and clients that send slowly: against real servers.

mod keys;
mod limits;
mod refusals;
mod slow;
mod start;
pub mod tls;
mod tokens;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use callgrade::service::access::{Access, KeyRecord, KeyRing, NewKey, Role, Tokens, tenant};
use callgrade::service::tenant::Tenants;
use callgrade::transport::{Security, ServerOptions};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tonic::codegen::http::{HeaderMap, Request, StatusCode};

use crate::support::TestServer;

/// Far longer than anything should take.
const LONG: Duration = Duration::from_secs(30);

/// A key for a tenant.
fn new_key(name: &str, role: Role) -> NewKey {
    NewKey::generate(tenant(name).expect("a name"), role, "", 1).expect("random bytes")
}

/// Lets in whoever has one of these keys, or a token.
fn access(records: impl IntoIterator<Item = KeyRecord>, tokens: Option<Tokens>) -> Arc<Access> {
    let keys = KeyRing::default();
    keys.replace(records);
    Arc::new(Access::new(keys, tokens))
}

async fn start(security: Security) -> TestServer {
    TestServer::start_guarded(Tenants::default(), ServerOptions { security, ..ServerOptions::default() }).await
}

/// One that keeps its calls, so that every service and route is there.
async fn start_keeping(security: Security) -> TestServer {
    TestServer::start_keeping(ServerOptions { security, ..ServerOptions::default() }).await
}

/// What an HTTP/1.1 request is answered: status, headers, body.
async fn ask(server: &TestServer, method: &str, path: &str, headers: &[(&str, &str)]) -> (StatusCode, HeaderMap, String) {
    send(server, method, path, headers, String::new()).await
}

/// What an HTTP/1.1 request with a body is answered.
async fn send(server: &TestServer, method: &str, path: &str, headers: &[(&str, &str)], body: String) -> (StatusCode, HeaderMap, String) {
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let mut request = Request::builder().method(method).uri(format!("http://{}{path}", server.address));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = client.request(request.body(Full::from(body)).expect("a request")).await.expect("an answer");
    let (head, body) = response.into_parts();
    let body = body.collect().await.expect("a body").to_bytes();
    (head.status, head.headers, String::from_utf8_lossy(&body).into_owned())
}

/// Does something again until it tells something.
async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut attempt: impl FnMut() -> F) -> T {
    let trying = async {
        loop {
            if let Some(told) = attempt().await {
                return told;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(LONG, trying).await.unwrap_or_else(|_| panic!("{what}"))
}
