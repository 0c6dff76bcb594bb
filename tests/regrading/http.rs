//! Jobs over HTTP/JSON.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

use super::more_questions;
use crate::records::{Program, call};
use crate::support::block_on;

/// What a request is answered: status, body.
pub async fn ask(server: &Program, method: &str, path: &str, body: &str) -> (u16, String) {
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let request = http::Request::builder().method(method).uri(format!("http://{}{path}", server.address));
    let answer = client.request(request.body(Full::from(body.to_owned())).expect("a request")).await.expect("an answer");
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.expect("its body").to_bytes();
    (status, String::from_utf8_lossy(&body).into_owned())
}

async fn asked(server: &Program, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let (status, answer) = ask(server, method, path, &body).await;
    (status, serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{method} {path}: {error}: {answer}")))
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

#[test]
fn jobs_are_asked_for_watched_read_and_deleted() {
    let folder = tempfile::tempdir().expect("a folder");
    block_on(async {
        let server = Program::serve(folder.path(), &[]);
        for number in 1..=3 {
            server.grade(call(&format!("c{number}"), "我再想想", &[])).await;
        }
        let (path, text) = more_questions();
        let body = json!({"scriptId": "telemarketing", "draft": {path: text}, "note": "试一试", "against": "AGAINST_STORED_LABELS"});
        let (status, answer) = asked(&server, "POST", "/v1/regrades", &body).await;
        assert_eq!((status, &answer["regrade"]["note"], &answer["regrade"]["draft"]), (200, &"试一试".into(), &true.into()), "{answer}");
        let id = answer["regrade"]["regradeId"].as_str().expect("its id").to_owned();
        let (status, watched) = ask(&server, "GET", &format!("/v1/regrades/{id}/watch"), "").await;
        let watched = lines(&watched);
        assert_eq!((status, &watched.last().expect("the end")["state"]), (200, &"REGRADE_STATE_DONE".into()));
        let (_, answer) = asked(&server, "GET", &format!("/v1/regrades/{id}"), &Value::Null).await;
        assert_eq!((&answer["regrade"]["progress"]["done"], &answer["diff"]["changed"]), (&"3".into(), &"3".into()), "{answer}");
        let (_, page) = asked(&server, "GET", &format!("/v1/regrades/{id}/calls?kind=label&label=B&pageSize=2"), &Value::Null).await;
        let ids = |page: &Value| -> Vec<String> {
            page["calls"].as_array().expect("calls").iter().map(|call| call["callId"].as_str().expect("an id").to_owned()).collect()
        };
        assert_eq!(ids(&page), ["c3", "c2"], "{page}");
        let token = page["nextPageToken"].as_str().expect("a token");
        let next = format!("/v1/regrades/{id}/calls?kind=label&label=B&pageSize=2&pageToken={token}");
        assert_eq!(ids(&asked(&server, "GET", &next, &Value::Null).await.1), ["c1"]);
        let (status, exported) = ask(&server, "GET", &format!("/v1/regrades/{id}/export"), "").await;
        let exported = lines(&exported);
        assert_eq!((status, exported.len(), &exported[0]["verdict"]["label"]), (200, 3, &exported[0]["label"]));
        let (_, answer) = asked(&server, "POST", &format!("/v1/regrades/{id}/cancel"), &Value::Null).await;
        assert_eq!(answer["regrade"]["state"], "REGRADE_STATE_DONE", "it had ended");
        let (_, listed) = asked(&server, "GET", "/v1/regrades?pageSize=5", &Value::Null).await;
        assert_eq!(listed["regrades"][0]["regradeId"], id.as_str());
        assert_eq!(asked(&server, "DELETE", &format!("/v1/regrades/{id}"), &Value::Null).await, (200, json!({})));
        for (method, path, body, code, status, message) in [
            ("GET", format!("/v1/regrades/{id}"), "", 404, "NOT_FOUND", format!("there is no re-grading {id:?}")),
            ("GET", format!("/v1/regrades/{id}/export"), "", 404, "NOT_FOUND", format!("there is no re-grading {id:?}")),
            ("GET", format!("/v1/regrades/{id}/watch"), "", 404, "NOT_FOUND", format!("there is no re-grading {id:?}")),
            (
                "GET",
                "/v1/regrades?kind=label".to_owned(),
                "",
                400,
                "INVALID_ARGUMENT",
                "there is no parameter \"kind\" here; see /v1/openapi.json".to_owned(),
            ),
            (
                "GET",
                format!("/v1/regrades/{id}/calls?kind=other"),
                "",
                400,
                "INVALID_ARGUMENT",
                "kind is \"other\", not same, rule, label or rejected".to_owned(),
            ),
            ("GET", "/v1/regrades?pageSize=x".to_owned(), "", 400, "INVALID_ARGUMENT", "pageSize is \"x\", not a whole number".to_owned()),
            ("POST", "/v1/regrades".to_owned(), "{}", 400, "INVALID_ARGUMENT", "script_id is empty: which script is to grade?".to_owned()),
            (
                "POST",
                "/v1/regrades".to_owned(),
                "[]x",
                400,
                "INVALID_ARGUMENT",
                "not a StartRegradeRequest: invalid type: sequence, expected struct callgrade.v1.StartRegradeRequest at line 1 column 2"
                    .to_owned(),
            ),
            (
                "PUT",
                "/v1/regrades".to_owned(),
                "",
                405,
                "UNIMPLEMENTED",
                "/v1/regrades does not answer PUT; see /v1/openapi.json".to_owned(),
            ),
        ] {
            let (http, answer) = ask(&server, method, &path, body).await;
            let answer: Value = serde_json::from_str(&answer).expect("JSON");
            let error = &answer["error"];
            assert_eq!((http, &error["status"], &error["message"]), (code, &status.into(), &message.into()), "{method} {path}");
        }
        for (body, field, message) in [
            (
                r#"{"scriptId":"telemarketing","filter":{"label":"D"}}"#,
                "filter.label",
                "unknown field `label`, expected one of `script_id`, `scriptId`, ",
            ),
            (
                r#"{"scriptId":"telemarketing","scriptversion":"x"}"#,
                "scriptversion",
                "unknown field `scriptversion`, expected one of `request_id`, `requestId`, ",
            ),
            (r#"{"scriptId":"telemarketing","against":"STORED"}"#, "against", "unknown variant `STORED`, expected one of "),
            (r#"{"scriptId":"telemarketing","filter":{"labels":"D"}}"#, "filter.labels", "invalid type: string \"D\", expected a sequence"),
            (r#"{"scriptId":"telemarketing","filter":["D"]}"#, "filter", "invalid type: sequence, expected struct callgrade.v1.CallFilter"),
            (r#"{"scriptId":7}"#, "scriptId", "invalid type: integer `7`, expected a string"),
            ("{", "body", "EOF while parsing an object"),
        ] {
            let (http, answer) = ask(&server, "POST", "/v1/regrades", body).await;
            let answer: Value = serde_json::from_str(&answer).expect("JSON");
            let error = &answer["error"];
            assert_eq!((http, &error["status"]), (400, &"INVALID_ARGUMENT".into()), "{body}");
            assert_eq!(error["details"][0]["fieldViolations"][0]["field"], field, "{body}");
            let told = error["message"].as_str().expect("words");
            assert!(told.starts_with(&format!("not a StartRegradeRequest: {message}")), "{told}");
        }
        let (_, listed) = asked(&server, "GET", "/v1/regrades", &Value::Null).await;
        assert_eq!(listed["regrades"], json!([]), "none of them is a job");
        let twice = json!({"scriptId": "telemarketing", "requestId": "r"});
        assert_eq!(asked(&server, "POST", "/v1/regrades", &twice).await.0, 200);
        let other = json!({"scriptId": "telemarketing", "requestId": "r", "note": "x"});
        let (status, answer) = asked(&server, "POST", "/v1/regrades", &other).await;
        assert_eq!((status, &answer["error"]["status"]), (409, &"ALREADY_EXISTS".into()));
    });
}

#[test]
fn the_document_describes_every_route() {
    let folder = tempfile::tempdir().expect("a folder");
    block_on(async {
        let server = Program::serve(folder.path(), &[]);
        let (_, document) = asked(&server, "GET", "/v1/openapi.json", &Value::Null).await;
        for (method, path, _) in callgrade::transport::auth::ROUTES {
            let described = path.replace("{regrade_id}", "{regradeId}");
            if described.starts_with("/v1/regrades") {
                let operation = &document["paths"][&described][method.as_str().to_lowercase()];
                assert!(operation["responses"]["200"].is_object(), "{method} {path}");
            }
        }
    });
}
