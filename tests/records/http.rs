//! What is kept, over HTTP/JSON.

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use super::{Program, call};
use crate::support::{RunningServer, block_on, get};

async fn ask(server: &Program, method: &str, path: &str) -> (u16, String, String) {
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
    let uri = format!("http://{}{path}", server.address);
    let request = http::Request::builder().method(method).uri(uri).body(Empty::new()).expect("a request");
    let answer = client.request(request).await.expect("an answer");
    let status = answer.status().as_u16();
    let kind = answer.headers().get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_owned();
    let body = answer.into_body().collect().await.expect("its body").to_bytes();
    (status, kind, String::from_utf8_lossy(&body).into_owned())
}

async fn json(server: &Program, method: &str, path: &str) -> (u16, Value) {
    let (status, _, body) = ask(server, method, path).await;
    (status, serde_json::from_str(&body).unwrap_or_else(|error| panic!("{path}: {error}: {body}")))
}

#[test]
fn calls_are_read_listed_exported_and_deleted() {
    let folder = tempfile::tempdir().expect("a folder");
    block_on(async {
        let server = Program::serve(folder.path(), &[]);
        for (number, line) in [(1, "a b"), (2, "c"), (3, "a b")] {
            server.grade(call(&format!("c{number}"), "效果怎么样", &[("line", line)])).await;
        }
        let (status, listed) =
            json(&server, "GET", "/v1/calls?attribute=line%3Da+b&label=A&label=B&final=true&text=%E6%94%B6%E8%B4%B9").await;
        let ids: Vec<&str> = listed["calls"].as_array().expect("calls").iter().filter_map(|call| call["callId"].as_str()).collect();
        assert_eq!((status, ids), (200, vec!["c3", "c1"]));
        let (_, first) = json(&server, "GET", "/v1/calls?pageSize=2&from=2020-01-01T00:00:00Z&before=2100-01-01T00:00:00%2B08:00").await;
        let token = first["nextPageToken"].as_str().expect("a token").to_owned();
        let next = format!("/v1/calls?page_size=2&page_token={token}&from=2020-01-01T00:00:00Z&before=2100-01-01T00:00:00%2B08:00");
        let (_, second) = json(&server, "GET", &next).await;
        assert_eq!((second["calls"][0]["callId"].as_str(), second["nextPageToken"].as_str()), (Some("c1"), Some("")));

        let (status, one) = json(&server, "GET", "/v1/calls/c2?history=true").await;
        assert_eq!((status, &one["call"]["summary"]["attributes"]["line"]), (200, &Value::from("c")));
        assert_eq!((&one["call"]["verdict"], one["history"].as_array().map(Vec::len)), (&one["history"][0], Some(1)));
        assert_eq!(one["call"]["call"]["events"].as_array().map(Vec::len), Some(5));

        let (status, kind, lines) = ask(&server, "GET", "/v1/calls:export?script_id=telemarketing").await;
        assert_eq!((status, kind.as_str(), lines.lines().count()), (200, "application/jsonl", 3));
        let line: Value = serde_json::from_str(lines.lines().next().expect("a line")).expect("JSON");
        assert_eq!(
            (&line["summary"]["callId"], &line["verdict"]["label"], &line["rejections"]),
            (&"c3".into(), &"B".into(), &Value::Array(Vec::new()))
        );

        assert_eq!(json(&server, "DELETE", "/v1/calls/c2").await, (200, serde_json::json!({})));
        for (method, path, code, status, message) in [
            ("GET", "/v1/calls/c2", 404, "NOT_FOUND", "there is no call \"c2\""),
            ("DELETE", "/v1/calls/c2", 404, "NOT_FOUND", "there is no call \"c2\""),
            ("GET", "/v1/calls?pageSize=2000", 400, "INVALID_ARGUMENT", "page_size is 2000; it may be 1 to 1000"),
            ("GET", "/v1/calls?pageSize=some", 400, "INVALID_ARGUMENT", "pageSize is \"some\", not a whole number"),
            ("GET", "/v1/calls?final=no", 400, "INVALID_ARGUMENT", "final is \"no\", not true or false"),
            ("GET", "/v1/calls?from=today", 400, "INVALID_ARGUMENT", "from is \"today\", not a moment such as 2026-03-01T09:00:00+08:00"),
            (
                "GET",
                "/v1/calls?label=Z",
                400,
                "INVALID_ARGUMENT",
                "there is no label \"Z\": no script and no kept call has it; there are A, B, C, D, E, F",
            ),
            ("GET", "/v1/calls?attribute=line", 400, "INVALID_ARGUMENT", "attribute is \"line\", not NAME=VALUE"),
            (
                "GET",
                "/v1/calls:export?pageSize=3",
                400,
                "INVALID_ARGUMENT",
                "there is no parameter \"pageSize\" here; see /v1/openapi.json",
            ),
            ("GET", "/v1/calls/c1?text=x", 400, "INVALID_ARGUMENT", "there is no parameter \"text\" here; see /v1/openapi.json"),
            ("GET", "/v1/calls?pageToken=x", 400, "INVALID_ARGUMENT", "page_token is none that was given with this filter"),
            ("POST", "/v1/calls", 405, "UNIMPLEMENTED", "/v1/calls does not answer POST; see /v1/openapi.json"),
        ] {
            let (http, body) = json(&server, method, path).await;
            let error = &body["error"];
            assert_eq!((http, &error["status"], &error["message"]), (code, &status.into(), &message.into()), "{method} {path}");
        }
    });
}

#[test]
fn a_server_that_keeps_nothing_says_so() {
    let server = RunningServer::start(&[]);
    block_on(async {
        for path in ["/v1/calls", "/v1/calls/c1", "/v1/calls:export", "/v1/regrades"] {
            let (status, body) = get(&server.address, path).await;
            let message = "this server keeps no calls: it was started with --store none";
            assert_eq!(
                (status, body),
                (501, format!(r#"{{"error":{{"code":12,"details":[],"message":"{message}","status":"UNIMPLEMENTED"}}}}"#))
            );
        }
        assert_eq!(get(&server.address, "/v1/scripts").await.0, 200);
    });
}

#[test]
fn the_document_describes_every_route() {
    let folder = tempfile::tempdir().expect("a folder");
    block_on(async {
        let server = Program::serve(folder.path(), &[]);
        let (_, document) = json(&server, "GET", "/v1/openapi.json").await;
        for (path, methods) in [("/v1/calls", &["get"][..]), ("/v1/calls/{callId}", &["get", "delete"]), ("/v1/calls:export", &["get"])] {
            for method in methods {
                assert!(document["paths"][path][*method]["responses"]["200"].is_object(), "{method} {path}");
            }
        }
        for name in ["CallSummary", "KeptCall", "ListCallsResponse", "GetCallResponse"] {
            assert!(document["components"]["schemas"][name]["properties"].is_object(), "{name}");
        }
    });
}
