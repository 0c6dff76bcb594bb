//! `callgrade demo`: the service started for real, sample calls streamed through real gRPC.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;
use clap::Args;
use tokio::sync::oneshot;

use super::classify::verdict_table;
use super::paint::{Role, paint};
use super::{Outcome, serve};
use crate::config::Lang;
use crate::ingest::Limits;
use crate::script::Library;
use crate::script::ScriptChoice;
use crate::service::{Patience, Service};
use crate::transport::{self, ServerOptions};
use crate::wire::v1;
use crate::wire::v1::grading_client::GradingClient;
use crate::wire::v1::stream_calls_response::Response;

#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// Exit after printing, without staying up
    #[arg(long)]
    exit: bool,
}

/// Sample calls of both scripts, one a line.
const CALLS: &str = include_str!("../../examples/calls.jsonl");

pub(super) fn run(args: &DemoArgs, lang: Lang) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(demo(args, lang))?;
    Ok(ExitCode::SUCCESS)
}

async fn demo(args: &DemoArgs, lang: Lang) -> anyhow::Result<()> {
    let scripts = ScriptChoice::new(Library::bundled()?, None)?;
    let service = Service::new(scripts, Limits::default(), Patience::default());
    let (listener, address) = transport::listen("127.0.0.1:0").await?;
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(transport::serve(service, listener, ServerOptions::default(), async {
        let _ = stopped.await;
    }));
    println!("listening on {address}");

    let requests = requests()?;
    let events = requests.len();
    let begun = Instant::now();
    let mut client = GradingClient::connect(format!("http://{address}")).await?;
    let mut answers = client.stream_calls(tokio_stream::iter(requests)).await?.into_inner();
    let mut verdicts: BTreeMap<String, v1::Verdict> = BTreeMap::new();
    let mut provisional = 0;
    while let Some(answer) = answers.message().await? {
        match answer.response {
            Some(Response::Verdict(verdict)) => {
                provisional += usize::from(!verdict.r#final);
                verdicts.insert(verdict.call_id.clone(), *verdict);
            }
            Some(Response::Rejection(rejection)) => {
                let reason = rejection.status.map(|status| status.message).unwrap_or_default();
                anyhow::bail!("call {:?}, event {}: {reason}", rejection.call_id, rejection.seq);
            }
            Some(Response::Ack(_)) | None => {}
        }
    }
    let took = begun.elapsed();
    let verdicts: Vec<v1::Verdict> = verdicts.into_values().collect();
    let lines = verdict_table(&verdicts, lang);
    for (number, line) in lines.iter().enumerate() {
        anstream::println!("{}", if number == 0 { paint(Role::Head, line) } else { line.clone() });
    }
    let calls = verdicts.len();
    println!();
    println!(
        "{}",
        lang.pick(
            format!("{calls} 通、{events} 个事件经 gRPC 交错送入，用时 {took:.1?}；途中的临时等级 {provisional} 次，上面是终态。"),
            format!("{calls} calls, {events} events interleaved over gRPC in {took:.1?}; {provisional} provisional verdicts on the way, the final ones above."),
        )
    );
    if !args.exit && std::io::stdout().is_terminal() {
        println!("\n{}", how_to_talk(&address.to_string(), lang));
        serve::told_to_stop().await;
    }
    drop(client);
    let _ = stop.send(());
    server.await??;
    Ok(())
}

/// The sample calls as a dialer would stream them: interleaved, each event with its sequence number.
fn requests() -> anyhow::Result<Vec<v1::StreamCallsRequest>> {
    let mut calls = Vec::new();
    for (number, line) in CALLS.lines().enumerate() {
        let call: v1::Call = serde_json::from_str(line).with_context(|| format!("sample call {}", number + 1))?;
        calls.push(call);
    }
    let longest = calls.iter().map(|call| call.events.len()).max().unwrap_or_default();
    let mut requests = Vec::new();
    for place in 0..longest {
        for call in &calls {
            let Some(event) = call.events.get(place) else { continue };
            let first = place == 0;
            requests.push(v1::StreamCallsRequest {
                call_id: call.call_id.clone(),
                seq: place as u32 + 1,
                event: Some(event.clone()),
                script_id: if first { call.script_id.clone() } else { String::new() },
                started_at: if first { call.started_at } else { None },
                ..v1::StreamCallsRequest::default()
            });
        }
    }
    Ok(requests)
}

fn how_to_talk(address: &str, lang: Lang) -> String {
    let call = r#"{"callId":"demo-1","scriptId":"telemarketing","events":[{"atMs":5000,"answered":{}},{"atMs":6000,"utterance":{"speaker":"CUSTOMER","text":"你们这个怎么收费的"}},{"atMs":9000,"hangup":{"by":"CUSTOMER"}}]}"#;
    let curl = format!("curl -s http://{address}/v1/calls:grade -H 'content-type: application/json' -d '{call}'");
    let grpc = format!("grpcurl -plaintext {address} list");
    match lang {
        Lang::Zh => format!("服务还在运行，试试：\n  {curl}\n  {grpc}\n  接口文档 http://{address}/v1/openapi.json\nCtrl-C 退出。"),
        Lang::En => {
            format!("The service stays up. Try:\n  {curl}\n  {grpc}\n  API document: http://{address}/v1/openapi.json\nCtrl-C stops it.")
        }
    }
}
