//! The doors for dialers that push: Aliyun's robot call reports and FreeSWITCH's CDRs, over real HTTP.

use callgrade::ingest::Limits;
use callgrade::service::Patience;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::formats::freeswitch::{cdr, form};
use crate::support::{TestServer, block_on};

/// A POST by hand: status and body.
async fn post(server: &TestServer, path: &str, kind: &str, body: &str) -> (u16, Value) {
    let mut stream = tokio::net::TcpStream::connect(&server.address).await.expect("the server answers");
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        server.address,
        body.len()
    );
    stream.write_all(head.as_bytes()).await.expect("the head is sent");
    // A server that refuses a body by its length does not read it.
    let _ = stream.write_all(body.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8(answer).expect("text");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("a head: {answer}"));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}")))
}

async fn served() -> TestServer {
    TestServer::start(Patience::default(), Limits::default()).await
}

fn report(id: &str, value: &str) -> Value {
    json!({"callId": id, "robotId": "r", "type": "finish", "data": {
        "output": {"slots": [{"nodeName": "开场白节点", "action": "recognized", "source": "x", "value": value}], "intentions": [], "tags": ""},
        "info": {"duration": 9, "code": 200_000, "startTime": 1_640_759_017_000_u64, "answerTime": 1_640_759_026_000_u64, "endTime": 1_640_759_034_000_u64, "direction": 1}}})
}

#[test]
fn aliyuns_push_is_answered_as_it_expects() {
    block_on(async {
        let mut server = served().await;
        let path = "/v1/aliyun/report?script=broadband";
        let good = json!([report("a", "价格"), report("b", "拒绝")]).to_string();
        assert_eq!(post(&server, path, "application/json", &good).await, (200, json!({"code": 0, "msg": "calls graded: 2"})));
        let mut wrong = report("c", "价格");
        wrong["data"]["info"]["startTime"] = json!("early");
        let mixed = json!([report("a", "价格"), wrong, {"robotId": "r"}, report("d", "价格")]).to_string();
        assert_eq!(
            post(&server, path, "application/json", &mixed).await,
            (
                200,
                json!({"code": 3, "msg": "calls graded: 2; refused: 2: call \"c\": element 2: data.info.startTime: invalid value: string \"early\", expected a number; element 3: the report has no callId"})
            )
        );
        let mut event = report("e", "价格");
        event["data"]["output"]["slots"][0]["value"] = json!({});
        let (status, receipt) = post(&server, path, "application/json", &json!([event]).to_string()).await;
        assert_eq!((status, receipt["code"].as_i64()), (200, Some(0)), "the call is graded: {receipt}");
        assert!(receipt["msg"].as_str().unwrap().starts_with("calls graded: 1; events left out: 1: call \"e\", event "), "{receipt}");
        // Without the script, and with one that is not there.
        let (status, receipt) = post(&server, "/v1/aliyun/report?script=nope", "application/json", &good).await;
        assert_eq!(
            (status, receipt),
            (
                200,
                json!({"code": 5, "msg": "calls graded: 0; refused: 2: call \"a\": unknown script \"nope\"; there are broadband, telemarketing; call \"b\": unknown script \"nope\"; there are broadband, telemarketing"})
            )
        );
        let (_, receipt) = post(&server, "/v1/aliyun/report", "application/json", &good).await;
        assert_ne!(receipt["code"], 0, "{receipt}");
        assert_eq!(
            post(&server, path, "application/json", "").await,
            (200, json!({"code": 3, "msg": "calls graded: 0; refused: 1: no call reports"}))
        );
        let many: Vec<Value> = (0..50).map(|_| json!({})).collect();
        let (_, receipt) = post(&server, path, "application/json", &json!(many).to_string()).await;
        let msg = receipt["msg"].as_str().unwrap();
        assert!(msg.contains("refused: 50: element 1: ") && msg.ends_with("element 20: the report has no callId; and 30 more"), "{msg}");
        server.stopped().await;
    });
}

#[test]
fn freeswitch_gets_the_verdict_however_it_posts() {
    block_on(async {
        let mut server = served().await;
        let record = cdr(|variables| {
            variables.as_object_mut().unwrap().remove("callgrade_script");
            variables["callgrade_events"] = json!(r#"[{"atMs":14000,"utterance":{"speaker":"CUSTOMER","text":"怎么收费"}}]"#);
        });
        // As mod_json_cdr makes the address: it does not see that there are parameters.
        let path = "/v1/freeswitch/cdr?script=telemarketing?uuid=a_0a1b2c3d-1111-4222-8333-944445555666";
        for (kind, body) in [("application/json", record.to_string()), ("application/x-www-form-urlencoded", form(&record))] {
            let (status, answer) = post(&server, path, kind, &body).await;
            assert_eq!(status, 200, "{answer}");
            assert_eq!(answer["verdict"]["callId"], "0a1b2c3d-1111-4222-8333-944445555666");
            assert_eq!((&answer["verdict"]["label"], &answer["verdict"]["ruleId"]), (&json!("C"), &json!("C1")), "{kind}");
            assert_eq!(answer["verdict"]["signals"]["hungUpBy"], "customer");
            assert_eq!(answer["rejections"], json!([]));
        }
        // A record's own script outranks the address's.
        let own = cdr(|_| {});
        let (_, answer) = post(&server, "/v1/freeswitch/cdr?script=broadband", "application/json", &own.to_string()).await;
        assert_eq!(answer["verdict"]["scriptId"], "telemarketing");
        let (status, answer) = post(&server, "/v1/freeswitch/cdr", "application/json", r#"{"variables":{}}"#).await;
        assert_eq!(
            (status, &answer["error"]["message"]),
            (400, &json!("the CDR has neither variables.uuid nor variables.callgrade_call_id"))
        );
        let (status, _) = post(&server, "/v1/freeswitch/cdr?script=nope", "application/json", &record.to_string()).await;
        assert_eq!(status, 404);
        server.stopped().await;
    });
}

#[test]
fn bodies_over_the_limit_are_refused() {
    block_on(async {
        let limits = Limits { message_bytes: 4_000, ..Limits::default() };
        let mut server = TestServer::start(Patience::default(), limits).await;
        let reports: Vec<Value> = (0..50).map(|number| report(&number.to_string(), "价格")).collect();
        assert_eq!(
            post(&server, "/v1/aliyun/report?script=broadband", "application/json", &json!(reports).to_string()).await,
            (413, json!({"code": 8, "msg": "the body has more than 4000 bytes"}))
        );
        let long = cdr(|variables| variables["callgrade_events"] = json!(" ".repeat(5_000)));
        let (status, answer) = post(&server, "/v1/freeswitch/cdr", "application/json", &long.to_string()).await;
        assert_eq!((status, &answer["error"]["status"]), (413, &json!("RESOURCE_EXHAUSTED")));
        server.stopped().await;
    });
}

#[test]
fn the_document_describes_the_doors() {
    let document: Value = serde_json::from_str(include_str!("../src/transport/openapi.json")).expect("JSON");
    for path in ["/v1/aliyun/report", "/v1/freeswitch/cdr"] {
        let door = &document["paths"][path]["post"];
        assert!(door["operationId"].is_string(), "{path}");
        for schema in door.to_string().split("#/components/schemas/").skip(1) {
            let name = schema.split('"').next().unwrap();
            assert!(document["components"]["schemas"][name].is_object(), "{path}: {name}");
        }
    }
}
