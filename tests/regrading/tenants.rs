//! Jobs belong to tenants, and grade nobody else's calls.

use std::time::Duration;

use callgrade::service::access::{Access, KeyRing, NewKey, Role, tenant};
use callgrade::transport::{Security, ServerOptions};
use callgrade::wire::v1;
use callgrade::wire::v1::grading_client::GradingClient;
use callgrade::wire::v1::regrading_client::RegradingClient;
use callgrade::wire::v1::scripts_client::ScriptsClient;
use tonic::Code;
use tonic::transport::{Channel, Endpoint};

use super::{edited, request};
use crate::records::call;
use crate::support::{TestServer, block_on};

fn with_key<T>(key: &str, message: T) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    request.metadata_mut().insert("x-api-key", key.parse().expect("a value"));
    request
}

async fn ended(client: &mut RegradingClient<Channel>, key: &str, id: &str) -> v1::Regrade {
    loop {
        let request = v1::GetRegradeRequest { regrade_id: id.to_owned() };
        let regrade = client.get_regrade(with_key(key, request)).await.expect("its own").into_inner().regrade.expect("a job");
        if regrade.ended_at.is_some() {
            return regrade;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[test]
fn a_key_of_another_tenant_finds_no_job_and_its_calls_are_left_alone() {
    block_on(async {
        let [north, south] =
            ["north", "south"].map(|name| NewKey::generate(tenant(name).expect("a name"), Role::Qa, "", 1).expect("random bytes"));
        let keys = KeyRing::default();
        keys.replace([north.record, south.record]);
        let security = Security { access: std::sync::Arc::new(Access::new(keys, None)), ..Security::default() };
        let server = TestServer::start_keeping(ServerOptions { security, ..ServerOptions::default() }).await;
        let (north, south) = (north.key, south.key);
        let channel = Endpoint::from_shared(format!("http://{}", server.address)).expect("an address").connect().await.expect("a channel");
        let mut grading = GradingClient::new(channel.clone());
        for (key, ids) in [(&north, &["n1", "n2", "both"][..]), (&south, &["s1", "both"])] {
            for id in ids {
                let message = v1::GradeCallRequest { call: Some(call(id, "我再想想", &[])) };
                grading.grade_call(with_key(key, message)).await.expect("it is kept");
            }
        }
        let mut client = RegradingClient::new(channel.clone());
        let named = v1::StartRegradeRequest { request_id: "same".to_owned(), ..request("telemarketing") };
        let start = client.start_regrade(with_key(&north, named.clone())).await.expect("its own").into_inner();
        let id = start.regrade.expect("a job").regrade_id;
        let regrade = ended(&mut client, &north, &id).await;
        assert_eq!(regrade.progress.expect("progress").done, 3, "its own calls");

        let refused = |result: Result<(), tonic::Status>| result.expect_err("not its own").code();
        let one = || v1::GetRegradeRequest { regrade_id: id.clone() };
        assert_eq!(refused(client.get_regrade(with_key(&south, one())).await.map(drop)), Code::NotFound);
        let watch = v1::WatchRegradeRequest { regrade_id: id.clone() };
        assert_eq!(refused(client.watch_regrade(with_key(&south, watch)).await.map(drop)), Code::NotFound);
        let cancel = v1::CancelRegradeRequest { regrade_id: id.clone() };
        assert_eq!(refused(client.cancel_regrade(with_key(&south, cancel)).await.map(drop)), Code::NotFound);
        let list = v1::ListRegradedCallsRequest { regrade_id: id.clone(), ..v1::ListRegradedCallsRequest::default() };
        assert_eq!(refused(client.list_regraded_calls(with_key(&south, list)).await.map(drop)), Code::NotFound);
        let export = v1::ExportRegradeRequest { regrade_id: id.clone() };
        assert_eq!(refused(client.export_regrade(with_key(&south, export)).await.map(drop)), Code::NotFound);
        let delete = v1::DeleteRegradeRequest { regrade_id: id.clone() };
        assert_eq!(refused(client.delete_regrade(with_key(&south, delete)).await.map(drop)), Code::NotFound);
        let listed = client.list_regrades(with_key(&south, v1::ListRegradesRequest::default())).await.expect("its own").into_inner();
        assert_eq!(listed.regrades, []);
        // The same request id is another tenant's own.
        let start = client.start_regrade(with_key(&south, named)).await.expect("its own").into_inner();
        let other = start.regrade.expect("a job").regrade_id;
        assert_ne!(other, id);
        assert_eq!(ended(&mut client, &south, &other).await.progress.expect("progress").done, 2);

        // A version of one is none of the other's.
        let bundle = edited();
        let publish = v1::PublishScriptRequest { script_id: bundle.name.clone(), files: bundle.files.clone(), ..Default::default() };
        ScriptsClient::new(channel).publish_script(with_key(&north, publish)).await.expect("its own");
        let with = v1::StartRegradeRequest { script_version: bundle.version(), ..request("telemarketing") };
        assert_eq!(refused(client.start_regrade(with_key(&south, with.clone())).await.map(drop)), Code::NotFound);
        let start = client.start_regrade(with_key(&north, with)).await.expect("its own").into_inner();
        assert_eq!(ended(&mut client, &north, &start.regrade.expect("a job").regrade_id).await.state(), v1::RegradeState::Done);
    });
}
