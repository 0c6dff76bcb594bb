//! TLS with real certificates: who is trusted, what is spoken, and what changes while the server runs.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use callgrade::transport::Security;
use callgrade::transport::tls::{Tls, TlsFiles};
use callgrade::wire::v1;
use callgrade::wire::v1::grading_client::GradingClient;
use hyper_util::rt::TokioIo;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::transport::{Channel, Endpoint};
use tower::service_fn;

use super::{LONG, eventually, start};
use crate::support::{TestServer, block_on};

/// An authority, with its certificate in PEM.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub pem: String,
}

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let pem = params.self_signed(&key).expect("a certificate").pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// A certificate for a name and its key, in PEM.
    pub fn issue(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        (params.signed_by(&key, &self.issuer).expect("a certificate").pem(), key.serialize_pem())
    }
}

/// Files of a server, in a folder of their own.
pub struct Files {
    folder: TempDir,
}

impl Files {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).expect("written");
        path
    }

    /// Writes a server's certificate and key.
    pub fn pair(&self, (cert, key): &(String, String)) -> TlsFiles {
        TlsFiles { cert: self.write("cert.pem", cert), key: self.write("key.pem", key), client_ca: None }
    }
}

async fn guarded(tls: Arc<Tls>, opening: Duration) -> TestServer {
    start(Security { tls: Some(tls), opening, ..Security::default() }).await
}

/// Trusts an authority, and speaks a protocol; with a certificate of its own if it has one.
fn client(trusted: &Authority, protocol: &str, own: Option<&(String, String)>) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(trusted.pem.as_bytes()).expect("a certificate")).expect("an authority");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots);
    let mut config = match own {
        None => builder.with_no_client_auth(),
        Some((cert, key)) => {
            let cert = CertificateDer::from_pem_slice(cert.as_bytes()).expect("a certificate");
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("a key");
            builder.with_client_auth_cert(vec![cert], key).expect("a pair")
        }
    };
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    TlsConnector::from(Arc::new(config))
}

async fn connect(connector: &TlsConnector, address: &str) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(address).await?;
    connector.connect(ServerName::try_from("localhost").expect("a name"), stream).await
}

/// A gRPC channel in TLS.
async fn channel(connector: TlsConnector, server: &TestServer) -> Result<Channel, tonic::transport::Error> {
    let address = server.address.clone();
    let connecting = service_fn(move |_| {
        let (connector, address) = (connector.clone(), address.clone());
        async move { connect(&connector, &address).await.map(TokioIo::new) }
    });
    Endpoint::from_static("http://localhost").connect_with_connector(connecting).await
}

/// Asks over HTTP/1.1; the answer's first line.
async fn first_line(mut stream: TlsStream<TcpStream>) -> std::io::Result<String> {
    stream.write_all(b"GET /v1/scripts HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned())
}

#[test]
fn grpc_and_http_are_spoken_in_tls_and_not_in_clear() {
    block_on(async {
        let (authority, files) = (Authority::new(), Files::new());
        let tls = Arc::new(Tls::new(files.pair(&authority.issue("localhost"))).expect("good files"));
        let server = guarded(tls, LONG).await;
        let mut grading = GradingClient::new(channel(client(&authority, "h2", None), &server).await.expect("a channel"));
        let scripts = grading.list_scripts(v1::ListScriptsRequest {}).await.expect("an answer").into_inner().scripts;
        assert_eq!(scripts.len(), 2);
        let stream = connect(&client(&authority, "http/1.1", None), &server.address).await.expect("a connection");
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
        assert_eq!(first_line(stream).await.expect("an answer"), "HTTP/1.1 200 OK");
        let stranger = connect(&client(&Authority::new(), "h2", None), &server.address).await;
        assert!(stranger.is_err(), "a client that does not trust the authority");
        let mut clear = GradingClient::connect(format!("http://{}", server.address)).await.expect("TCP");
        assert!(clear.list_scripts(v1::ListScriptsRequest {}).await.is_err(), "in clear");
    });
}

#[test]
fn clients_need_a_certificate_where_one_is_asked_for() {
    block_on(async {
        let (authority, clients, files) = (Authority::new(), Authority::new(), Files::new());
        let client_ca = Some(files.write("clients.pem", &clients.pem));
        let tls = Tls::new(TlsFiles { client_ca, ..files.pair(&authority.issue("localhost")) }).expect("good files");
        assert!(tls.is_mutual());
        let server = guarded(Arc::new(tls), LONG).await;
        let ask =
            async |own: Option<&(String, String)>| first_line(connect(&client(&authority, "http/1.1", own), &server.address).await?).await;
        assert_eq!(ask(Some(&clients.issue("dialer-7"))).await.expect("an answer"), "HTTP/1.1 200 OK");
        assert!(ask(None).await.is_err(), "without a certificate");
        assert!(ask(Some(&authority.issue("dialer-7"))).await.is_err(), "with one of another authority");
    });
}

#[test]
fn certificates_change_while_the_server_runs_and_bad_ones_change_nothing() {
    block_on(async {
        let (old, new, files) = (Authority::new(), Authority::new(), Files::new());
        let tls = Arc::new(Tls::new(files.pair(&old.issue("localhost"))).expect("good files"));
        let server = guarded(Arc::clone(&tls), LONG).await;
        let mut long_lived = GradingClient::new(channel(client(&old, "h2", None), &server).await.expect("a channel"));

        files.write("key.pem", &old.issue("localhost").1);
        // The server looks too: whoever is first complains.
        let _ = tls.refresh();
        assert!(!tls.refresh().expect("complained of once"));
        assert!(connect(&client(&old, "h2", None), &server.address).await.is_ok(), "the old pair is kept");

        files.pair(&new.issue("localhost"));
        let trusting = client(&new, "http/1.1", None);
        let stream = eventually("the new certificate is used", async || connect(&trusting, &server.address).await.ok()).await;
        assert_eq!(first_line(stream).await.expect("an answer"), "HTTP/1.1 200 OK");
        assert!(connect(&client(&old, "h2", None), &server.address).await.is_err());
        long_lived.list_scripts(v1::ListScriptsRequest {}).await.expect("connections that there were go on");
    });
}

#[test]
fn a_slow_handshake_blocks_nobody_and_is_ended() {
    block_on(async {
        let (authority, files) = (Authority::new(), Files::new());
        let tls = Arc::new(Tls::new(files.pair(&authority.issue("localhost"))).expect("good files"));
        let server = guarded(tls, Duration::from_secs(3)).await;
        let mut silent = Vec::new();
        for _ in 0..200 {
            silent.push(TcpStream::connect(&server.address).await.expect("a connection"));
        }
        let stream = connect(&client(&authority, "http/1.1", None), &server.address).await.expect("a connection");
        assert_eq!(first_line(stream).await.expect("an answer"), "HTTP/1.1 200 OK");
        for mut stream in silent {
            let read = tokio::time::timeout(LONG, stream.read(&mut [0; 1])).await.expect("it is dropped");
            assert_eq!(read.unwrap_or(0), 0);
        }
    });
}

#[test]
fn files_that_are_not_good_are_refused_with_why() {
    let (authority, files) = (Authority::new(), Files::new());
    let pair = authority.issue("localhost");
    let good = files.pair(&pair);
    let told = |change: &dyn Fn(&mut TlsFiles)| {
        let mut changed = good.clone();
        change(&mut changed);
        Tls::new(changed).expect_err("not good").to_string()
    };
    let (cert, key) = (good.cert.display(), good.key.display());
    let junk = files.write("junk.pem", "what\n");
    let other = files.write("other.pem", &authority.issue("localhost").1);
    let absent = files.write("absent.pem", "").with_extension("gone");
    assert_eq!(told(&|it| it.cert = absent.clone()), format!("cannot read {}: No such file or directory (os error 2)", absent.display()));
    assert_eq!(told(&|it| it.cert = junk.clone()), format!("{} holds no certificate in PEM", junk.display()));
    assert_eq!(told(&|it| it.cert = it.key.clone()), format!("{key} holds no certificate in PEM"));
    assert_eq!(told(&|it| it.key = it.cert.clone()), format!("{cert} holds no private key in PEM"));
    assert_eq!(told(&|it| it.key = other.clone()), format!("the key in {} is not that of the certificate in {cert}", other.display()));
    assert_eq!(told(&|it| it.client_ca = Some(junk.clone())), format!("{} holds no certificate in PEM", junk.display()));
}
