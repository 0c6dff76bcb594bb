//! The connections that clients make, handshakes done, so that none of them waits for another.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_rustls::server::TlsStream;
use tonic::transport::server::{Connected, TcpConnectInfo};

use super::slow::Opening;
use super::tls::Tls;

/// A client's connection, in clear or in TLS.
#[derive(Debug)]
pub(super) enum Connection {
    Clear(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// Does the same to either kind of connection.
macro_rules! either {
    ($connection:expr, $inner:ident => $action:expr) => {
        match $connection.get_mut() {
            Connection::Clear(stream) => {
                let $inner = Pin::new(stream);
                $action
            }
            Connection::Tls(stream) => {
                let $inner = Pin::new(&mut **stream);
                $action
            }
        }
    };
}

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => stream.poll_read(cx, buffer))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        either!(self, stream => stream.poll_write(cx, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => stream.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => stream.poll_shutdown(cx))
    }

    fn poll_write_vectored(self: Pin<&mut Self>, cx: &mut Context<'_>, slices: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        either!(self, stream => stream.poll_write_vectored(cx, slices))
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Clear(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }
}

impl Connected for Connection {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        match self {
            Self::Clear(stream) => stream.connect_info(),
            Self::Tls(stream) => stream.get_ref().0.connect_info(),
        }
    }
}

/// Connections that wait to be served.
const BACKLOG: usize = 128;
/// How long nothing is accepted after the system refused a connection: for want of file descriptors, most often, which only time
/// gives back.
const PAUSE: Duration = Duration::from_millis(50);

/// The connections to a listener, as they are ready to be served. The listener is closed when this is dropped.
pub(super) struct Incoming {
    ready: mpsc::Receiver<Opening<Connection>>,
    _accepting: JoinSet<()>,
}

impl Incoming {
    /// Takes connections; each has `opening` for its handshake, and then to say what it wants.
    pub(super) fn new(listener: TcpListener, tls: Option<Arc<Tls>>, opening: Duration) -> Self {
        let (sender, ready) = mpsc::channel(BACKLOG);
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, tls, opening, sender));
        Self { ready, _accepting: accepting }
    }
}

impl Stream for Incoming {
    type Item = io::Result<Opening<Connection>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.ready.poll_recv(cx).map(|connection| connection.map(Ok))
    }
}

async fn accept(listener: TcpListener, tls: Option<Arc<Tls>>, opening: Duration, ready: mpsc::Sender<Opening<Connection>>) {
    // Handshakes go on beside each other; they end with this loop.
    let mut handshakes = JoinSet::new();
    loop {
        while handshakes.try_join_next().is_some() {}
        let (stream, from) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        // An error means that the client has gone already.
        let _ = stream.set_nodelay(true);
        match &tls {
            None => {
                if ready.send(Opening::new(Connection::Clear(stream), opening)).await.is_err() {
                    return;
                }
            }
            Some(tls) => {
                let (acceptor, ready) = (tls.acceptor(), ready.clone());
                handshakes.spawn(async move {
                    if let Some(stream) = shaken(acceptor.accept(stream), from, opening).await {
                        // An error means that the server has stopped.
                        let _ = ready.send(Opening::new(Connection::Tls(Box::new(stream)), opening)).await;
                    }
                });
            }
        }
    }
}

/// The stream of a handshake, if it succeeds in time.
async fn shaken(handshake: tokio_rustls::Accept<TcpStream>, from: SocketAddr, within: Duration) -> Option<TlsStream<TcpStream>> {
    match tokio::time::timeout(within, handshake).await {
        Ok(Ok(stream)) => Some(stream),
        Ok(Err(error)) => {
            tracing::debug!(%from, %error, "a TLS handshake failed");
            None
        }
        Err(_) => {
            tracing::debug!(%from, "a TLS handshake took too long");
            None
        }
    }
}
