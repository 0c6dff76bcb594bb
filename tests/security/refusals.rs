//! Every method and every route with no key, a wrong one, a revoked one and each role.

use callgrade::service::access::{KeyRecord, Role};
use callgrade::transport::Security;
use callgrade::transport::auth::{Asks, METHODS, Need, ROUTES};
use callgrade::wire::v1;
use callgrade::wire::v1::grading_client::GradingClient;
use callgrade::wire::v1::records_client::RecordsClient;
use callgrade::wire::v1::scripts_client::ScriptsClient;
use tonic::Code;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::codegen::http::{HeaderMap, StatusCode};
use tonic::metadata::MetadataValue;
use tonic::transport::{Channel, Endpoint};
use tonic_prost::ProstCodec;

use super::{access, ask, new_key, send, start, start_keeping};
use crate::support::{TestServer, block_on};

/// A server with keys, and what to present: a name, the key, the role that it gives.
async fn guarded() -> (TestServer, Vec<(&'static str, Option<String>, Option<Role>)>) {
    let [ingest, qa, admin, revoked, unknown] =
        [Role::Ingest, Role::Qa, Role::Admin, Role::Admin, Role::Admin].map(|role| new_key("north", role));
    let revoked_record = KeyRecord { revoked_ms: Some(2), ..revoked.record };
    let access = access([ingest.record, qa.record, admin.record.clone(), revoked_record], None);
    let server = start_keeping(Security { access, ..Security::default() }).await;
    let forged = format!("cg_{}_{}", admin.record.id, "0".repeat(64));
    let presented = vec![
        ("no key", None, None),
        ("an unknown key", Some(unknown.key), None),
        ("a wrong secret", Some(forged), None),
        ("no key at all", Some("letmein".to_owned()), None),
        ("a revoked key", Some(revoked.key), None),
        ("ingest", Some(ingest.key), Some(Role::Ingest)),
        ("qa", Some(qa.key), Some(Role::Qa)),
        ("admin", Some(admin.key), Some(Role::Admin)),
    ];
    (server, presented)
}

/// How a call of a method with an empty message begins: its status as far as the headers tell.
async fn call(channel: &Channel, method: &str, key: Option<&str>) -> Code {
    let mut client = tonic::client::Grpc::new(channel.clone());
    client.ready().await.expect("the server is there");
    let mut request = tonic::Request::new(());
    if let Some(key) = key {
        let value: MetadataValue<_> = format!("Bearer {key}").parse().expect("a value");
        request.metadata_mut().insert("authorization", value);
    }
    let path: PathAndQuery = format!("/{method}").parse().expect("a path");
    match client.server_streaming::<(), (), _>(request, path, ProstCodec::default()).await {
        Ok(_) => Code::Ok,
        Err(status) => status.code(),
    }
}

/// The refusal that somebody should get, if any.
fn refusal(need: Need, role: Option<Role>) -> Option<Code> {
    match (need, role) {
        (Need::Nothing, _) => None,
        (Need::Role(_) | Need::Operator, None) => Some(Code::Unauthenticated),
        // They are all of another tenant.
        (Need::Operator, Some(_)) => Some(Code::PermissionDenied),
        (Need::Role(least), Some(role)) => (role < least).then_some(Code::PermissionDenied),
    }
}

#[test]
fn every_method_refuses_whoever_may_not_call_it() {
    block_on(async {
        let (server, presented) = guarded().await;
        let channel = Endpoint::from_shared(format!("http://{}", server.address)).expect("an address").connect().await.expect("a channel");
        let mut refused = 0;
        for (method, need, _) in METHODS {
            for (name, key, role) in &presented {
                let code = call(&channel, method, key.as_deref()).await;
                match refusal(*need, *role) {
                    Some(expected) => {
                        assert_eq!(code, expected, "{method} with {name}");
                        refused += 1;
                    }
                    None => assert!(!matches!(code, Code::Unauthenticated | Code::PermissionDenied), "{method} with {name}: {code:?}"),
                }
            }
        }
        // Five who have no key to the methods that ask for one, and who has too low a role to those of Records, Scripts and Regrading.
        assert_eq!(refused, 5 * 23 + 16 + 1);
    });
}

#[test]
fn what_is_in_no_table_is_not_dispatched() {
    block_on(async {
        let (server, presented) = guarded().await;
        let channel = Endpoint::from_shared(format!("http://{}", server.address)).expect("an address").connect().await.expect("a channel");
        let (_, admin, _) = presented.last().expect("the highest role");
        for method in [
            "callgrade.v1.Grading/Unheard",
            "callgrade.v1.Grading/",
            "callgrade.v1.Grading/x/GradeCall",
            "callgrade.v1.Grading/%47radeCall",
            "callgrade.v1.Other/GradeCall",
        ] {
            assert_eq!(call(&channel, method, None).await, Code::Unauthenticated, "{method}");
            assert_eq!(call(&channel, method, admin.as_deref()).await, Code::Unimplemented, "{method}");
        }
    });
}

#[test]
fn every_route_refuses_whoever_may_not_take_it() {
    block_on(async {
        let (server, presented) = guarded().await;
        for (method, path, asks) in ROUTES {
            let need = match asks {
                Asks::For(need) => *need,
                Asks::Like(name) => METHODS.iter().find(|(known, ..)| known == name).expect("a method").1,
            };
            for (name, key, role) in &presented {
                let headers: Vec<(&str, &str)> = key.iter().map(|key| ("x-api-key", key.as_str())).collect();
                let (status, ..) =
                    ask(&server, method.as_str(), &path.replace("{call_id}", "c").replace("{regrade_id}", "r"), &headers).await;
                match refusal(need, *role) {
                    Some(Code::Unauthenticated) => assert_eq!(status, 401, "{path} with {name}"),
                    Some(_) => assert_eq!(status, 403, "{path} with {name}"),
                    None => assert!(status != 401 || need == Need::Nothing, "{path} with {name}: {status}"),
                }
            }
        }
        let (_, admin, _) = presented.last().expect("the highest role");
        let key = [("x-api-key", admin.as_deref().expect("a key"))];
        assert_eq!(ask(&server, "DELETE", "/v1/scripts", &[]).await.0, 401);
        assert_eq!(ask(&server, "DELETE", "/v1/scripts", &key).await.0, 405);
        assert_eq!(ask(&server, "HEAD", "/v1/scripts", &key).await.0, 200);
        assert_eq!(ask(&server, "GET", "/v1/nothing", &[]).await.0, 401);
        assert_eq!(ask(&server, "GET", "/v1/nothing", &key).await.0, 404);
    });
}

#[test]
fn metrics_are_for_the_operator_alone_and_name_nothing_that_an_asker_made_up() {
    block_on(async {
        let [north, operator] = ["north", "default"].map(|tenant| new_key(tenant, Role::Ingest));
        let access = access([north.record, operator.record], None);
        let server = start_keeping(Security { access, ..Security::default() }).await;
        assert_eq!(ask(&server, "13800138000", "/v1/calls", &[]).await.0, 401);
        let (status, _, body) = ask(&server, "GET", "/metrics", &[("x-api-key", &north.key)]).await;
        assert_eq!(status, 403);
        assert!(body.contains(r#""message":"this tells of all tenants: it takes a key or token of tenant default""#), "{body}");
        let (status, _, body) = ask(&server, "GET", "/metrics", &[("x-api-key", &operator.key)]).await;
        assert!(status == 200 && body.contains("callgrade_requests_total{method=\"other\",code=\"401\"} 1"), "{body}");
        assert!(!body.contains("13800138000"), "{body}");
    });
}

#[test]
fn refusals_are_told_in_the_askers_protocol() {
    block_on(async {
        let (server, presented) = guarded().await;
        let (status, headers, body) = ask(&server, "GET", "/v1/scripts", &[]).await;
        assert_eq!(status, 401);
        assert_eq!(headers["www-authenticate"], "Bearer realm=\"callgrade\"");
        let told = r#"give an API key or a token: \"authorization: Bearer …\" or \"x-api-key: …\""#;
        assert_eq!(body, format!(r#"{{"error":{{"code":16,"details":[],"message":"{told}","status":"UNAUTHENTICATED"}}}}"#));
        for (name, told) in [
            ("an unknown key", "there is no such API key"),
            ("a wrong secret", "there is no such API key"),
            ("no key at all", "what came is no API key (they begin with cg_) and no token"),
            ("a revoked key", "the API key was revoked"),
        ] {
            let (_, key, _) = presented.iter().find(|(known, ..)| *known == name).expect("a key");
            let (_, _, body) = ask(&server, "GET", "/v1/scripts", &[("x-api-key", key.as_deref().expect("a key"))]).await;
            assert!(body.contains(&format!(r#""message":"{told}""#)), "{name}: {body}");
        }
        let web = [("content-type", "application/grpc-web+proto")];
        let (status, headers, _) = ask(&server, "POST", "/callgrade.v1.Grading/GradeCall", &web).await;
        assert_eq!(
            (status.as_u16(), &headers["grpc-status"], &headers["content-type"]),
            (200, &"16".parse().unwrap(), &web[0].1.parse().unwrap())
        );
        let (_, ingest, _) = presented.iter().find(|(name, ..)| *name == "ingest").expect("a key");
        let low = [web[0], ("x-api-key", ingest.as_deref().expect("a key"))];
        let (_, headers, _) = ask(&server, "POST", "/callgrade.v1.Records/DeleteCall", &low).await;
        assert_eq!(headers["grpc-status"], "7");
        assert_eq!(headers["grpc-message"], "this%20takes%20the%20role%20admin;%20the%20key%20or%20token%20has%20ingest");
    });
}

#[test]
fn keys_come_and_go_while_the_server_runs() {
    block_on(async {
        let (first, second) = (new_key("north", Role::Ingest), new_key("south", Role::Ingest));
        let access = access([first.record.clone()], None);
        let server = start(Security { access: access.clone(), ..Security::default() }).await;
        let status = async |key: &str| ask(&server, "GET", "/v1/scripts", &[("x-api-key", key)]).await.0.as_u16();
        assert_eq!((status(&first.key).await, status(&second.key).await), (200, 401));
        access.keys.replace([KeyRecord { revoked_ms: Some(2), ..first.record }, second.record]);
        assert_eq!((status(&first.key).await, status(&second.key).await), (401, 200));
    });
}

/// One tenant's key and another's, at a server where `north` has a call of the id.
async fn two_tenants(call_id: &str) -> (TestServer, String, String) {
    let (north, south) = (new_key("north", Role::Admin), new_key("south", Role::Admin));
    let server = start_keeping(Security { access: access([north.record, south.record], None), ..Security::default() }).await;
    let event = r#"{"seq":1,"atMs":6000,"answered":{}}"#;
    let (status, _, told) = bring(&server, &north.key, call_id, event).await;
    assert_eq!(status, 200, "{told}");
    (server, north.key, south.key)
}

/// Brings an event of a call in over HTTP.
async fn bring(server: &TestServer, key: &str, call_id: &str, event: &str) -> (StatusCode, HeaderMap, String) {
    let body = format!(r#"{{"scriptId":"telemarketing","events":[{event}]}}"#);
    send(server, "POST", &format!("/v1/calls/{call_id}/events"), &[("x-api-key", key)], body).await
}

#[test]
fn a_key_of_another_tenant_finds_no_call() {
    block_on(async {
        let (server, north, south) = two_tenants("c").await;
        let verdict = async |key: &str| ask(&server, "GET", "/v1/calls/c/verdict", &[("x-api-key", key)]).await;
        assert_eq!(verdict(&north).await.0, 200);
        let (status, _, told) = verdict(&south).await;
        assert_eq!(status, 404, "{told}");
        let nothing = ask(&server, "GET", "/v1/calls/other/verdict", &[("x-api-key", &south)]).await.2;
        assert_eq!(told, nothing.replace("other", "c"), "as for a call that there is not");

        let channel = Endpoint::from_shared(format!("http://{}", server.address)).expect("an address").connect().await.expect("a channel");
        let state = async |key: &str| {
            let mut request = tonic::Request::new(v1::GetCallStateRequest { call_id: "c".to_owned() });
            request.metadata_mut().insert("x-api-key", key.parse().expect("a value"));
            GradingClient::new(channel.clone()).get_call_state(request).await.map(|state| state.into_inner().last_seq)
        };
        assert_eq!(state(&north).await.expect("its call"), 1);
        assert_eq!(state(&south).await.expect_err("none of its own").code(), Code::NotFound);

        let (_, _, told) = bring(&server, &south, "c", r#"{"seq":1,"atMs":7000,"hangup":{}}"#).await;
        assert!(told.contains(r#""ack":{"callId":"c","seq":1}"#), "a call of the same id is another's: {told}");
        let (.., told) = verdict(&north).await;
        assert!(told.contains(r#""final":false"#), "and has not ended this one: {told}");
        assert_eq!(state(&north).await.expect("its call"), 1);
    });
}

/// A request with a key.
fn with_key<T>(key: &str, message: T) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    request.metadata_mut().insert("x-api-key", key.parse().expect("a value"));
    request
}

#[test]
fn a_key_of_another_tenant_finds_nothing_kept() {
    block_on(async {
        let (server, north, south) = two_tenants("c").await;
        let channel = Endpoint::from_shared(format!("http://{}", server.address)).expect("an address").connect().await.expect("a channel");
        let mut records = RecordsClient::new(channel.clone());
        let get = || v1::GetCallRequest { call_id: "c".to_owned(), history: true };
        assert_eq!(records.get_call(with_key(&south, get())).await.expect_err("not its own").code(), Code::NotFound);
        let listed = records.list_calls(with_key(&south, v1::ListCallsRequest::default())).await.expect("its own").into_inner();
        assert!(listed.calls.is_empty(), "{listed:?}");
        let mut exported = records.export_calls(with_key(&south, v1::ExportCallsRequest::default())).await.expect("its own").into_inner();
        assert_eq!(exported.message().await.expect("no error"), None);
        let delete = || v1::DeleteCallRequest { call_id: "c".to_owned() };
        assert_eq!(records.delete_call(with_key(&south, delete())).await.expect_err("not its own").code(), Code::NotFound);
        assert!(records.get_call(with_key(&north, get())).await.is_ok(), "and nobody has touched it");
        for (path, status) in [("/v1/calls/c", 404), ("/v1/calls", 200), ("/v1/calls:export", 200)] {
            let told = ask(&server, "GET", path, &[("x-api-key", &south)]).await;
            assert_eq!(told.0, status, "{path}");
            assert!(status == 404 || !told.2.contains(r#""callId":"c""#), "{path}: {}", told.2);
        }
        assert_eq!(ask(&server, "DELETE", "/v1/calls/c", &[("x-api-key", &south)]).await.0, 404);

        let mut scripts = ScriptsClient::new(channel.clone());
        let mut files = crate::support::script("telemarketing").files.clone();
        let yaml = files.get_mut("script.yaml").expect("the script");
        yaml.push_str("# of the north\n");
        let publish = v1::PublishScriptRequest { script_id: "telemarketing".to_owned(), files, activate: true, note: String::new() };
        let version = scripts.publish_script(with_key(&north, publish)).await.expect("published").into_inner().version.expect("a version");
        let list = v1::ListScriptVersionsRequest { script_id: "telemarketing".to_owned() };
        let listed = scripts.list_script_versions(with_key(&south, list)).await.expect("its own").into_inner().versions;
        assert!(listed.iter().all(|listed| listed.version != version.version), "{listed:?}");
        let activate = v1::ActivateScriptRequest { script_id: "telemarketing".to_owned(), version: version.version.clone() };
        assert_eq!(scripts.activate_script(with_key(&south, activate)).await.expect_err("not its own").code(), Code::NotFound);
        let get = v1::GetScriptRequest { script_id: "telemarketing".to_owned(), version: version.version.clone() };
        let mut grading = GradingClient::new(channel);
        assert_eq!(grading.get_script(with_key(&south, get.clone())).await.expect_err("not its own").code(), Code::NotFound);
        assert_eq!(
            grading.get_script(with_key(&north, get)).await.expect("its own").into_inner().summary.expect("one").version,
            version.version
        );
    });
}
