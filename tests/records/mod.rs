//! What a server keeps, over its doors and on the command line: calls, script versions, the audit log.

mod command_line;
mod doors;
mod http;
mod kept;
mod versions;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use callgrade::core::event::{Event, Party};
use callgrade::wire::v1;
use callgrade::wire::v1::grading_client::GradingClient;
use callgrade::wire::v1::records_client::RecordsClient;
use callgrade::wire::v1::scripts_client::ScriptsClient;
use tonic::transport::Channel;

use crate::support::{CallBuilder, call_message, exit_code, stderr, stdout, stream_message};

/// The real program, serving; killed when dropped.
pub struct Program {
    process: Child,
    pub address: String,
}

impl Program {
    /// With its store in this folder, and more arguments.
    pub fn serve(store: &Path, more: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_callgrade"))
            .args(["serve", "--listen", "127.0.0.1:0", "--store"])
            .arg(store)
            .args(more)
            .env("LC_ALL", "C")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("callgrade starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("its stdout is ours")).read_line(&mut line).expect("it says where it listens");
        let address = line.trim_end().strip_prefix("listening on ").unwrap_or_else(|| panic!("its first line is {line:?}")).to_owned();
        Self { process, address }
    }

    /// Kills it; what it said on standard error.
    pub fn kill(mut self) -> String {
        let mut said = String::new();
        self.process.kill().expect("it runs");
        let mut stderr = self.process.stderr.take().expect("its stderr is ours");
        std::io::Read::read_to_string(&mut stderr, &mut said).expect("what it said");
        said
    }

    /// Tells it to stop; whether it ended well.
    pub fn stop(mut self) -> bool {
        let told = rustix::process::Pid::from_child(&self.process);
        rustix::process::kill_process(told, rustix::process::Signal::TERM).expect("it runs");
        exit_code(&mut self.process) == Some(0)
    }

    pub async fn channel(&self) -> Channel {
        Channel::from_shared(format!("http://{}", self.address)).expect("an address").connect().await.expect("the server answers")
    }

    pub async fn grading(&self) -> GradingClient<Channel> {
        GradingClient::new(self.channel().await)
    }

    pub async fn records(&self) -> RecordsClient<Channel> {
        RecordsClient::new(self.channel().await)
    }

    pub async fn scripts(&self) -> ScriptsClient<Channel> {
        ScriptsClient::new(self.channel().await)
    }

    /// Grades a call whole, which keeps it.
    pub async fn grade(&self, call: v1::Call) -> v1::Verdict {
        let answer = self.grading().await.grade_call(v1::GradeCallRequest { call: Some(call) }).await.expect("it is graded").into_inner();
        answer.verdict.expect("a verdict")
    }

    /// Sends events of one call on a stream of their own, until all are acknowledged.
    pub async fn stream(&self, call_id: &str, from: u32, events: &[Event]) {
        let messages: Vec<_> = (from..).zip(events).map(|(seq, event)| stream_message(call_id, "telemarketing", seq, event)).collect();
        let last = from + messages.len() as u32 - 1;
        let mut answers = self.grading().await.stream_calls(tokio_stream::iter(messages)).await.expect("a stream").into_inner();
        let mut acknowledged = 0;
        while let Some(answer) = answers.message().await.expect("no error") {
            if let Some(v1::stream_calls_response::Response::Ack(ack)) = answer.response {
                acknowledged = ack.seq;
            }
        }
        assert_eq!(acknowledged, last);
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A customer who asks what it costs, and more.
pub fn asking(more: &str) -> Vec<Event> {
    CallBuilder::new().answered().robot("opening", "给您介绍一下可以吗").customer("怎么收费").customer(more).hangup(Party::Customer).build()
}

/// A call of that, with attributes.
pub fn call(call_id: &str, more: &str, attributes: &[(&str, &str)]) -> v1::Call {
    let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    v1::Call { attributes, ..call_message(call_id, "telemarketing", &asking(more)) }
}

/// Runs the program on a store; what it printed.
pub fn run(store: &Path, args: &[&str]) -> String {
    let store = store.display().to_string();
    let output = crate::support::callgrade(&[args, &["--store", &store]].concat(), b"");
    assert!(output.status.success(), "{args:?}: {}{}", stdout(&output), stderr(&output));
    stdout(&output)
}

/// Runs the program on a store; how it exited, and what it said on standard error.
pub fn fails(store: &Path, args: &[&str]) -> (Option<i32>, String) {
    let store = store.display().to_string();
    let output = crate::support::callgrade(&[args, &["--store", &store]].concat(), b"");
    (output.status.code(), stderr(&output))
}
