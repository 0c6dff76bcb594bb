//! Clients that send slowly, or nothing: what they have begun is ended.
//!
//! A connection has a while to say what it wants ([`Opening`]): the HTTP/2 preface, or the whole head of its first HTTP/1 request. Of
//! later heads hyper takes care, of connections that have gone silent the keep-alive of HTTP/2, and of bodies [`watch`].

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::oneshot;
use tokio::time::Sleep;
use tonic::transport::server::Connected;

/// What every HTTP/2 connection begins with (RFC 9113, 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What is known of how a connection begins.
#[derive(Debug)]
enum Said {
    /// So much of the HTTP/2 preface, and nothing else.
    Preface(usize),
    /// Something else, which is HTTP/1: part of a request's head, of whose last line so much has come.
    Head(LineEnd),
    /// All that is waited for.
    Enough,
}

/// How far the empty line that ends a head has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LineEnd {
    /// Within a line.
    No,
    /// After a line's end.
    One,
    /// After a line's end and a carriage return.
    Returned,
}

impl Said {
    fn hear(&mut self, bytes: &[u8]) {
        for (place, byte) in bytes.iter().enumerate() {
            match self {
                Self::Enough => return,
                Self::Preface(heard) if PREFACE[*heard] == *byte => {
                    *heard += 1;
                    if *heard == PREFACE.len() {
                        *self = Self::Enough;
                    }
                }
                // Lines of the preface that were heard so far are not a request's: it begins "PRI", and no method does.
                Self::Preface(_) => {
                    *self = Self::Head(LineEnd::No);
                    return self.hear(&bytes[place..]);
                }
                Self::Head(end) => {
                    *end = match (*end, byte) {
                        (LineEnd::No, b'\n') => LineEnd::One,
                        (LineEnd::One, b'\r') => LineEnd::Returned,
                        (LineEnd::One | LineEnd::Returned, b'\n') => {
                            *self = Self::Enough;
                            return;
                        }
                        _ => LineEnd::No,
                    }
                }
            }
        }
    }
}

/// A connection that is dropped unless it says in time what it wants.
#[derive(Debug)]
pub(super) struct Opening<C> {
    connection: C,
    said: Said,
    deadline: Pin<Box<Sleep>>,
}

impl<C> Opening<C> {
    /// Gives a connection `within` to say what it wants.
    pub(super) fn new(connection: C, within: Duration) -> Self {
        Self { connection, said: Said::Preface(0), deadline: Box::pin(tokio::time::sleep(within)) }
    }
}

impl<C: AsyncRead + Unpin> AsyncRead for Opening<C> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if matches!(this.said, Said::Enough) {
            return Pin::new(&mut this.connection).poll_read(cx, buffer);
        }
        let before = buffer.filled().len();
        if let Poll::Ready(read) = Pin::new(&mut this.connection).poll_read(cx, buffer) {
            this.said.hear(&buffer.filled()[before..]);
            return Poll::Ready(read);
        }
        ready!(this.deadline.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the connection did not say in time what it wants")))
    }
}

impl<C: AsyncWrite + Unpin> AsyncWrite for Opening<C> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.connection).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_shutdown(cx)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, slices: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.connection).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.connection.is_write_vectored()
    }
}

impl<C: Connected> Connected for Opening<C> {
    type ConnectInfo = C::ConnectInfo;

    fn connect_info(&self) -> C::ConnectInfo {
        self.connection.connect_info()
    }
}

/// A body that did not come in time; within how long it should have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Late(Duration);

impl fmt::Display for Late {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the request was not whole within {:?}", self.0)
    }
}

/// A request whose body is watched, and what resolves when the body is not whole `within` some time from now, and never otherwise.
pub(super) fn watch(request: Request, within: Duration) -> (Request, impl Future<Output = Late>) {
    let (arriving, whole) = oneshot::channel::<()>();
    let arriving = Some(arriving).filter(|_| !request.body().is_end_stream());
    let request = request.map(|body| Body::new(UnsyncBoxBody::new(Arriving { body, arriving })));
    let late = async move {
        // The sender is never used: it goes when there is nothing more to wait for.
        if tokio::time::timeout(within, whole).await.is_ok() {
            std::future::pending::<()>().await;
        }
        Late(within)
    };
    (request, late)
}

/// A body that lets go of its sender once it has come whole, or nobody reads it any more.
struct Arriving {
    body: Body,
    arriving: Option<oneshot::Sender<()>>,
}

impl HttpBody for Arriving {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        let frame = ready!(Pin::new(&mut this.body).poll_frame(cx));
        if !matches!(frame, Some(Ok(_))) || this.body.is_end_stream() {
            this.arriving = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether enough was said, however it is cut up.
    fn enough(text: &str) -> bool {
        let whole = {
            let mut said = Said::Preface(0);
            said.hear(text.as_bytes());
            matches!(said, Said::Enough)
        };
        let mut said = Said::Preface(0);
        text.bytes().for_each(|byte| said.hear(&[byte]));
        assert_eq!(matches!(said, Said::Enough), whole, "{text:?}");
        whole
    }

    #[test]
    fn a_preface_or_a_whole_head_is_enough() {
        assert!(enough("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
        assert!(enough("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nand more"));
        assert!(enough("GET / HTTP/1.1\r\nhost: x\r\n\r\n"));
        assert!(enough("GET / HTTP/1.1\nhost: x\n\n"));
        assert!(enough("P\n\n"));
        for part in [
            "",
            "P",
            "PRI * HTTP/2.0\r\n\r\n",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r",
            "GET / HTTP/1.1\r\nhost: x\r\n",
            "GET / HTTP/1.1\r\n\rx\n",
        ] {
            assert!(!enough(part), "{part:?}");
        }
    }
}
