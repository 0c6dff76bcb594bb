//! Clients that send slowly, or nothing.

use std::time::Duration;

use callgrade::service::tenant::Tenants;
use callgrade::transport::{Security, ServerOptions};
use callgrade::wire::v1;
use callgrade::wire::v1::grading_client::GradingClient;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::{LONG, start, start_keeping};
use crate::support::{TestServer, block_on};

/// The time that the tests give, and wait for.
const SHORT: Duration = Duration::from_millis(300);

/// Sends something, and reads until the server ends the connection.
async fn left_with(server: &TestServer, sent: &[u8]) -> String {
    let mut stream = TcpStream::connect(&server.address).await.expect("a connection");
    stream.write_all(sent).await.expect("sent");
    let mut told = Vec::new();
    // An error means that it was reset: it is ended then too.
    let _ = tokio::time::timeout(LONG, stream.read_to_end(&mut told)).await.expect("the server ends the connection");
    String::from_utf8_lossy(&told).into_owned()
}

#[test]
fn connections_that_do_not_say_what_they_want_are_dropped() {
    block_on(async {
        let server = start(Security { opening: SHORT, ..Security::default() }).await;
        for half in ["", "G", "GET /v1/scripts HTTP/1.1\r\nhost: x\r\nx-slow: ", "PRI * HTTP/2.0\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r"] {
            let told = left_with(&server, half.as_bytes()).await;
            assert!(!told.contains("200"), "{half:?}: {told}");
        }
    });
}

#[test]
fn a_head_that_comes_byte_by_byte_is_no_better() {
    block_on(async {
        let server = start(Security { opening: SHORT, ..Security::default() }).await;
        let stream = TcpStream::connect(&server.address).await.expect("a connection");
        let (mut reading, mut writing) = stream.into_split();
        let drip = tokio::spawn(async move {
            let _ = writing.write_all(b"GET /v1/scripts HTTP/1.1\r\nx-slow: ").await;
            while writing.write_all(b"a").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        let read = tokio::time::timeout(LONG, reading.read(&mut [0; 1])).await.expect("the server ends the connection");
        assert_eq!(read.unwrap_or(0), 0);
        drip.abort();
    });
}

#[test]
fn a_body_that_does_not_come_is_not_waited_for() {
    block_on(async {
        let server = start(Security { body: SHORT, ..Security::default() }).await;
        let head = "POST /v1/calls:grade HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{\"callId\":";
        let told = left_with(&server, head.as_bytes()).await;
        assert!(told.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{told}");
        assert!(told.contains(r#""message":"the request was not whole within 300ms","status":"DEADLINE_EXCEEDED""#), "{told}");
    });
}

#[test]
fn a_deadline_of_the_clients_is_kept_by_every_service() {
    block_on(async {
        let server = start_keeping(Security::default()).await;
        for method in ["Grading/GradeCall", "Records/ListCalls", "Scripts/PublishScript", "Regrading/StartRegrade"] {
            let head = format!(
                "POST /callgrade.v1.{method} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/grpc-web+proto\r\n"
            );
            // A frame of 100 bytes, of which five come.
            let told =
                left_with(&server, format!("{head}grpc-timeout: 300m\r\ncontent-length: 105\r\n\r\n\0\0\0\0d12345").as_bytes()).await;
            assert!(told.contains("grpc-status: 4\r\n") && told.contains("the%20client's%20deadline"), "{method}: {told}");
        }
    });
}

#[test]
fn a_head_without_end_is_refused() {
    block_on(async {
        let server = start(Security::default()).await;
        let head = format!("GET /v1/scripts HTTP/1.1\r\nhost: x\r\nx-long: {}", "a".repeat(1 << 20));
        let mut stream = TcpStream::connect(&server.address).await.expect("a connection");
        // The server may close before all is sent.
        let _ = stream.write_all(head.as_bytes()).await;
        let mut told = Vec::new();
        let _ = tokio::time::timeout(LONG, stream.read_to_end(&mut told)).await.expect("the server ends the connection");
        let told = String::from_utf8_lossy(&told);
        assert!(told.is_empty() || told.starts_with("HTTP/1.1 431 "), "{told}");
    });
}

#[test]
fn a_connection_whose_other_end_is_gone_is_dropped_and_one_that_is_quiet_is_not() {
    block_on(async {
        let options = ServerOptions { keepalive: SHORT, keepalive_timeout: Duration::from_secs(5), ..ServerOptions::default() };
        let server = TestServer::start_guarded(Tenants::default(), options).await;
        let (sender, receiver) = mpsc::channel(1);
        let mut grading = GradingClient::connect(format!("http://{}", server.address)).await.expect("a channel");
        let mut quiet = grading.stream_calls(ReceiverStream::new(receiver)).await.expect("a stream").into_inner();
        // The preface and empty settings: HTTP/2 is spoken, and then nothing more, no answer to a ping either.
        left_with(&server, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00").await;
        let event = v1::StreamCallsRequest { call_id: "c".to_owned(), seq: 1, script_id: "telemarketing".to_owned(), ..Default::default() };
        sender.send(event).await.expect("the stream is open");
        let answer = tokio::time::timeout(LONG, quiet.message()).await.expect("an answer").expect("no error");
        assert!(answer.is_some());
    });
}
