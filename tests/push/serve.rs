//! The server itself: what it is told is masked, graded, kept and pushed, and killing it loses none of that.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use callgrade::core::event::Party;
use callgrade::wire::v1;

use super::receiver::{Receiver, Reply};
use super::{SECRET, open};
use crate::support::{CallBuilder, RunningServer, block_on, call_message, callgrade, comparable, program, stdout, stream_message, until};

/// Starts servers on one store that push to a receiver, with settings of their own and more of the push.
fn pushing<'a>(folder: &Path, place: &'a str, settings: &str, receiver: &Receiver, more: &str) -> impl Fn() -> RunningServer + use<'a> {
    let file = folder.join("callgrade.toml");
    let (url, secret) = (&receiver.url, STANDARD.encode(SECRET));
    let toml = format!("{settings}\n[tenants.default.push]\nurl = \"{url}\"\nsecret = \"whsec_{secret}\"\n{more}\n");
    std::fs::write(&file, toml).expect("the settings are written");
    move || {
        let mut command = program();
        command.args(["serve", "--listen", "127.0.0.1:0", "--store", place, "--config"]).arg(&file);
        RunningServer::start_with(&mut command)
    }
}

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
        let start = pushing(folder.path(), &place, "push-schedule = \"1s,1s,1s,1s,1s,1s,1s,1s,1s,1s\"", &receiver, "");
        let server = start();
        let mut client = v1::grading_client::GradingClient::connect(format!("http://{}", server.address)).await.expect("it answers");
        let messages: Vec<_> = (1..).zip(&events).map(|(seq, event)| stream_message("pushed", "telemarketing", seq, event)).collect();
        let mut told = client.stream_calls(tokio_stream::iter(messages)).await.expect("a stream").into_inner();
        while told.message().await.expect("an answer").is_some() {}
        until("it is pushed", || !receiver.arrivals().is_empty()).await;
        // Dropped, and so killed, while the receiver refuses.
        drop(server);
        assert!(receiver.taken().is_empty());
        well.store(true, Ordering::Relaxed);
        let server = start();
        until("it is pushed again", || !receiver.taken().is_empty()).await;
        drop(server);
        let taken = receiver.taken();
        // A server killed before it hears that it was taken sends the same again.
        assert!(
            taken.len() <= 2 && taken.iter().all(|arrival| arrival.event["id"] == taken[0].event["id"]),
            "one final verdict, and no provisional ones"
        );
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

#[test]
fn who_was_told_of_a_call_hears_of_all_that_comes_of_it_and_nobody_of_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("data").to_string_lossy().into_owned();
    let called = |answers: [&str; 3]| {
        let [first, second, third] = answers;
        let call = CallBuilder::new().answered().robot("opening", "您看要不要办一个？").customer(first);
        let call = call.robot("", "您可以了解一下").customer(second).customer(third);
        call.hangup(Party::Customer).build()
    };
    let (told, other) = (called(["不需要", "收费吗，多少兆的", "别再给我打电话了"]), called(["收费吗", "多少兆的", "我想想"]));
    block_on(async {
        let receiver = Receiver::start(|_, _| Reply::Status(204)).await;
        let start = pushing(folder.path(), &place, "gap-ms = 200", &receiver, "labels = [\"D\", \"Q\"]\nprovisional = true");
        let send = async |server: &RunningServer, seqs: &[usize]| {
            let mut client = v1::grading_client::GradingClient::connect(format!("http://{}", server.address)).await.expect("it answers");
            let message = |id, events: &[_], seq: usize| stream_message(id, "broadband", seq as u32, &events[seq - 1]);
            let messages: Vec<_> = seqs.iter().flat_map(|seq| [message("told", &told, *seq), message("other", &other, *seq)]).collect();
            let mut answers = client.stream_calls(tokio_stream::iter(messages)).await.expect("a stream").into_inner();
            let mut last = None;
            while let Some(answer) = answers.message().await.expect("an answer") {
                if let Some(v1::stream_calls_response::Response::Verdict(verdict)) = answer.response {
                    last = Some(verdict).filter(|verdict| verdict.call_id == "told").or(last);
                }
            }
            last
        };
        let server = start();
        let first = send(&server, &[1, 2, 3]).await.expect("a verdict");
        assert_eq!(first.label, "D");
        drop(server);
        // What was pushed is not kept; it is found again from the events. Event 6 is late.
        let mut server = start();
        let last = send(&server, &[4, 5, 7]).await.expect("a verdict");
        assert!(last.r#final && last.label != "D" && !last.do_not_call, "{last:?}");
        assert_eq!(last.notices, ["event 6 has not come; graded without"]);
        let revised = send(&server, &[6]).await.expect("a verdict");
        assert_eq!((revised.revision, revised.do_not_call, revised.notices.as_slice()), (2, true, [""; 0].map(str::to_owned).as_slice()));
        let revised = || receiver.taken().iter().any(|arrival| arrival.event["data"]["revision"] == 2);
        until("the revision is pushed", revised).await;
        let pushed: Vec<(String, bool, String)> = receiver
            .taken()
            .iter()
            .map(|arrival| &arrival.event["data"])
            .map(|verdict| (verdict["callId"].to_string(), verdict["final"] == true, verdict["label"].as_str().unwrap_or("").to_owned()))
            .collect();
        assert!(pushed.iter().all(|(call, ..)| call == "\"told\""), "{pushed:?}");
        assert_eq!(pushed[0], ("\"told\"".to_owned(), false, "D".to_owned()), "{pushed:?}");
        assert_eq!(pushed.iter().filter(|(_, last, _)| *last).count(), 2, "{pushed:?}");
        server.signal("TERM");
        assert_eq!(server.exit_code(), Some(0));
        let log = server.log();
        assert!(log.contains("no script in use has the label \\\"Q\\\""), "{log}");
    });
}
