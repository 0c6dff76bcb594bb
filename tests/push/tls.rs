//! Receivers behind TLS.

use std::sync::Arc;
use std::time::Duration;

use callgrade::service::push::{PushOptions, Schedule};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::{block_on, dead, entries, open, put, quick, receivers, row, start, until};

/// A receiver for `localhost` with a certificate of its own: its URL, the certificate, how many it took.
async fn receiver() -> (String, CertificateDer<'static>, tokio::task::JoinHandle<()>) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|config| config.with_no_client_auth().with_single_cert(vec![certificate.clone()], key))
        .expect("the receiver's TLS");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("https://localhost:{}/", listener.local_addr().expect("its address").port());
    let task = tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            // A client that does not trust it goes away.
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let (mut got, mut buffer) = (Vec::new(), [0; 4096]);
            while !got.ends_with(b"}}") {
                match stream.read(&mut buffer).await {
                    Ok(read) if read > 0 => got.extend_from_slice(&buffer[..read]),
                    _ => break,
                }
            }
            let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").await;
            let _ = stream.shutdown().await;
        }
    });
    (url, certificate, task)
}

#[test]
fn a_receiver_is_trusted_by_the_authority_that_is_given_and_by_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    block_on(async {
        let (url, certificate, task) = receiver().await;
        let options = PushOptions { schedule: Schedule::new(Vec::new()), ..quick() };
        put(&store, vec![row("t", 1, 1_000)]);
        let pusher = start(&store, receivers(&[("t", &url)]), options.clone());
        until("it is given up", || dead(&store).len() == 1).await;
        let entry = dead(&store).remove(0);
        assert!(entry.error.contains("invalid peer certificate: UnknownIssuer"), "{}", entry.error);
        pusher.stop(Duration::from_secs(30)).await;

        assert_eq!(store.resend_dead_pushes("t", 0).unwrap(), 1);
        let mut roots = RootCertStore::empty();
        roots.add(certificate).expect("a certificate");
        let pusher = start(&store, receivers(&[("t", &url)]), PushOptions { roots: Some(roots), ..options });
        until("the outbox is empty", || entries(&store).is_empty()).await;
        pusher.stop(Duration::from_secs(30)).await;
        task.abort();
    });
}
