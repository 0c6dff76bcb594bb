//! A real HTTP server that takes pushes, checks each, and fails as it is told to.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// What it answers.
#[derive(Clone)]
pub enum Reply {
    Status(u16),
    /// A status with a header.
    With(u16, &'static str, String),
    /// Nothing, until it is released.
    Hang(Arc<Notify>),
}

/// What came.
#[derive(Debug, Clone)]
pub struct Arrival {
    pub id: String,
    pub event: Value,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    pub peer: SocketAddr,
    /// Whether it was answered 2xx.
    pub taken: bool,
}

impl Arrival {
    pub fn call(&self) -> &str {
        self.event["subject"].as_str().expect("a subject")
    }
}

type Decide = dyn Fn(&Arrival, usize) -> Reply + Send + Sync;

struct Desk {
    decide: Box<Decide>,
    arrivals: Mutex<Vec<Arrival>>,
    /// The calls of which one is being answered.
    busy: Mutex<Vec<String>>,
    /// Those of which another came meanwhile.
    overtaken: Mutex<Vec<String>>,
}

/// A receiver on a free port.
pub struct Receiver {
    pub url: String,
    desk: Arc<Desk>,
    task: JoinHandle<()>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Receiver {
    /// Answers as `decide` says, which is told what came and how often this one had come before.
    pub async fn start(decide: impl Fn(&Arrival, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/hooks/callgrade?of=test", listener.local_addr().expect("its address"));
        let desk =
            Arc::new(Desk { decide: Box::new(decide), arrivals: Mutex::default(), busy: Mutex::default(), overtaken: Mutex::default() });
        let routes = Router::new().route("/hooks/callgrade", post(take)).with_state(Arc::clone(&desk));
        let task = tokio::spawn(async move {
            axum::serve(listener, routes.into_make_service_with_connect_info::<SocketAddr>()).await.expect("the receiver runs");
        });
        Self { url, desk, task }
    }

    pub async fn good() -> Self {
        Self::start(|_, _| Reply::Status(204)).await
    }

    pub fn arrivals(&self) -> Vec<Arrival> {
        self.desk.arrivals.lock().unwrap().clone()
    }

    /// The calls that had two pushes in flight at one time.
    pub fn overtaken(&self) -> Vec<String> {
        self.desk.overtaken.lock().unwrap().clone()
    }

    pub fn taken(&self) -> Vec<Arrival> {
        self.arrivals().into_iter().filter(|arrival| arrival.taken).collect()
    }
}

async fn take(
    State(desk): State<Arc<Desk>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, (StatusCode, String)> {
    let refuse = |reason: String| (StatusCode::BAD_REQUEST, reason);
    check(&headers, &body).map_err(refuse)?;
    let event: Value = serde_json::from_slice(&body).map_err(|error| refuse(error.to_string()))?;
    let id = event["id"].as_str().unwrap_or_default().to_owned();
    let mut arrival = Arrival { id, event, headers, body: body.to_vec(), peer, taken: false };
    let call = arrival.call().to_owned();
    {
        let mut busy = desk.busy.lock().unwrap();
        if busy.contains(&call) {
            desk.overtaken.lock().unwrap().push(call.clone());
        }
        busy.push(call.clone());
    }
    let before = desk.arrivals.lock().unwrap().iter().filter(|other| other.id == arrival.id).count();
    let reply = (desk.decide)(&arrival, before);
    let response = match &reply {
        Reply::Status(status) => StatusCode::from_u16(*status).expect("a status").into_response(),
        Reply::With(status, name, value) => {
            (StatusCode::from_u16(*status).expect("a status"), [(*name, value.clone())], "not now").into_response()
        }
        Reply::Hang(release) => {
            desk.arrivals.lock().unwrap().push(arrival.clone());
            release.notified().await;
            StatusCode::NO_CONTENT.into_response()
        }
    };
    arrival.taken = response.status().is_success();
    desk.busy.lock().unwrap().retain(|busy| *busy != call);
    desk.arrivals.lock().unwrap().push(arrival);
    Ok(response)
}

/// What a receiver by the prescription checks, computed without our own code: id, time, signature, type of content.
pub fn check(headers: &HeaderMap, body: &[u8]) -> Result<(), String> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).ok_or_else(|| format!("no {name}"));
    let (id, timestamp, signatures) = (text("webhook-id")?, text("webhook-timestamp")?, text("webhook-signature")?);
    let at: i64 = timestamp.parse().map_err(|_| format!("{timestamp} is no time"))?;
    // The tolerance of the reference implementations.
    if (jiff::Timestamp::now().as_second() - at).abs() > 300 {
        return Err(format!("{timestamp} is too far from now"));
    }
    let signed = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body].concat();
    let wanted = format!("v1,{}", STANDARD.encode(hmac_sha256(super::SECRET, &signed)));
    if !signatures.split(' ').any(|signature| signature == wanted) {
        return Err(format!("{signatures} is not {wanted}"));
    }
    let event: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    if event["id"].as_str() != Some(id) {
        return Err(format!("the event is not {id}"));
    }
    if text(header::CONTENT_TYPE.as_str())? != "application/cloudevents+json" {
        return Err("another type of content".to_owned());
    }
    Ok(())
}

/// RFC 2104, for keys of up to 64 bytes.
fn hmac_sha256(key: &[u8], message: &[u8]) -> Vec<u8> {
    let padded = |with: u8| -> Vec<u8> { (0..64).map(|at| key.get(at).copied().unwrap_or(0) ^ with).collect() };
    let inner = Sha256::digest([&padded(0x36)[..], message].concat());
    Sha256::digest([&padded(0x5c)[..], &inner[..]].concat()).to_vec()
}
