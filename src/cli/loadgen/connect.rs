//! The way to the server.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::Endpoint;
use tonic::{Request, Streaming};

use crate::wire::v1;
use crate::wire::v1::grading_client::GradingClient;

/// How long a connection may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Messages that are ready to go before the stream is waited for.
const READY: usize = 256;

/// A stream's two halves.
pub(super) struct Stream {
    pub(super) requests: mpsc::Sender<v1::StreamCallsRequest>,
    pub(super) answers: Streaming<v1::StreamCallsResponse>,
}

/// A server, and what is shown to it.
pub(super) struct Server {
    endpoint: Endpoint,
    connector: HttpsConnector<HttpConnector>,
    authorization: Option<MetadataValue<Ascii>>,
}

impl Server {
    pub(super) fn new(url: &str, key: Option<String>, ca: Option<&Path>) -> anyhow::Result<Self> {
        ensure!(url.starts_with("http://") || url.starts_with("https://"), "--server is a URL, http://HOST:PORT or https://HOST:PORT");
        let endpoint = Endpoint::from_shared(url.to_owned()).with_context(|| url.to_owned())?.connect_timeout(PATIENCE);
        let authorization = key.map(|key| format!("Bearer {key}").parse()).transpose().context("--key is no key")?;
        Ok(Self { endpoint, connector: connector(ca)?, authorization })
    }

    /// Opens a stream over a connection of its own.
    pub(super) async fn open(&self) -> anyhow::Result<Stream> {
        let channel = self.endpoint.connect_with_connector(self.connector.clone()).await?;
        let (requests, receiver) = mpsc::channel(READY);
        let mut request = Request::new(ReceiverStream::new(receiver));
        if let Some(authorization) = &self.authorization {
            request.metadata_mut().insert("authorization", authorization.clone());
        }
        let answers = GradingClient::new(channel).stream_calls(request).await;
        let answers = answers.map_err(|status| anyhow::anyhow!("{}: {}", crate::wire::code_name(status.code()), status.message()))?;
        Ok(Stream { requests, answers: answers.into_inner() })
    }
}

/// TCP, in TLS where the URL says so.
fn connector(ca: Option<&Path>) -> anyhow::Result<HttpsConnector<HttpConnector>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let tls = match ca {
        None => tls.with_webpki_roots(),
        Some(file) => {
            let mut roots = RootCertStore::empty();
            let certificates = CertificateDer::pem_file_iter(file).with_context(|| file.display().to_string())?;
            for certificate in certificates {
                roots.add(certificate.with_context(|| file.display().to_string())?).with_context(|| file.display().to_string())?;
            }
            ensure!(!roots.is_empty(), "{}: no certificate in it", file.display());
            tls.with_root_certificates(roots)
        }
    };
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    Ok(HttpsConnectorBuilder::new().with_tls_config(tls.with_no_client_auth()).https_or_http().enable_http2().wrap_connector(tcp))
}
