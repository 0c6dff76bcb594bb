//! The server itself: what it is told is masked, graded, kept and pushed, and killing it loses none of that.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use callgrade::core::event::Party;
use callgrade::wire::v1;

use super::receiver::{Receiver, Reply};
use super::{SECRET, open};
use crate::support::{CallBuilder, RunningServer, block_on, call_message, callgrade, comparable, program, stdout, stream_message};

#[test]
fn a_verdict_is_pushed_masked_and_once_though_the_server_is_killed() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("data");
    let place = store.to_string_lossy().into_owned();
    let events = CallBuilder::new()
        .answered()
        .robot("opening", "给您介绍一下电话机器人可以吗")
        .customer("多少钱 打我手机 13800138000 吧")
        .robot("product", "一个机器人一年几千块钱")
        .customer("加个微信 我微信就是幺三八零零幺三八零零零")
        .hangup(Party::Customer)
        .build();
    block_on(async {
        let well = Arc::new(AtomicBool::new(false));
        let answers = Arc::clone(&well);
        let receiver = Receiver::start(move |_, _| Reply::Status(if answers.load(Ordering::Relaxed) { 204 } else { 500 })).await;
        let settings = folder.path().join("callgrade.toml");
        let toml = format!(
            "push-schedule = \"1s,1s,1s,1s,1s,1s,1s,1s,1s,1s\"\n[tenants.default.push]\nurl = \"{}\"\nsecret = \"whsec_{}\"\n",
            receiver.url,
            STANDARD.encode(SECRET)
        );
        std::fs::write(&settings, toml).expect("the settings are written");
        let start = || {
            let mut command = program();
            command.args(["serve", "--listen", "127.0.0.1:0", "--store", &place, "--config"]).arg(&settings);
            RunningServer::start_with(&mut command)
        };
        let server = start();
        let mut client = v1::grading_client::GradingClient::connect(format!("http://{}", server.address)).await.expect("it answers");
        let messages: Vec<_> = (1..).zip(&events).map(|(seq, event)| stream_message("pushed", "telemarketing", seq, event)).collect();
        let mut told = client.stream_calls(tokio_stream::iter(messages)).await.expect("a stream").into_inner();
        while told.message().await.expect("an answer").is_some() {}
        while receiver.arrivals().is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        // Dropped, and so killed, while the receiver refuses.
        drop(server);
        assert!(receiver.taken().is_empty());
        well.store(true, Ordering::Relaxed);
        let server = start();
        while receiver.taken().is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        drop(server);
        let taken = receiver.taken();
        assert_eq!(taken.len(), 1, "one final verdict, and no provisional ones");
        assert_eq!(taken[0].event["type"], "callgrade.verdict.final.v1");

        let line = serde_json::to_vec(&call_message("pushed", "telemarketing", &events)).expect("JSON");
        let masked = stdout(&callgrade(&["classify", "--mask", "-"], &line));
        let expected: v1::Verdict = serde_json::from_str(&masked).expect("a verdict");
        let pushed: v1::Verdict = serde_json::from_value(taken[0].event["data"].clone()).expect("a verdict");
        assert_eq!(comparable(&pushed), comparable(&expected));
    });
    let kept = open(&store).find("default", &["pushed"]).expect("the store is read");
    for row in &kept[0].events {
        let text = String::from_utf8_lossy(&row.body);
        assert!(!text.contains("13800138000") && !text.contains("幺三八零零"), "{text}");
    }
    let forget = callgrade(&["forget", "--phone", "138-0013-8000", "--yes", "--store", &place], b"");
    assert!(forget.status.success(), "{forget:?}");
    assert!(open(&store).find("default", &["pushed"]).expect("the store is read").is_empty(), "found by its number and gone");
}
