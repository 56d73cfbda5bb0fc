//! A TCP connection that acknowledges at once.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A TCP connection without delays on either side. [`send`](super::send), [`receive`](super::receive),
/// [`forward`](super::forward()) and the sink use it by themselves; whoever accepts connections for
/// [`PreparedServer::receive_on`](super::PreparedServer::receive_on) or [`forward_between`](super::forward_between)
/// wraps them in it.
///
/// Postfix leaves Nagle's algorithm on, so its second small write (EHLO after the Finished of TLS 1.3, a reply after
/// the session tickets) waits until the first is acknowledged, and an idle kernel takes 40 ms for that.
#[derive(Debug)]
pub struct NoDelayStream(TcpStream);

impl NoDelayStream {
    /// Takes over a connection just made or accepted.
    #[must_use]
    pub fn new(stream: TcpStream) -> Self {
        // Only speed is lost if this fails.
        let _ = stream.set_nodelay(true);
        let stream = Self(stream);
        stream.acknowledge();
        stream
    }

    /// The kernel forgets this with every write.
    fn acknowledge(&self) {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let _ = self.0.set_quickack(true);
    }
}

impl AsyncRead for NoDelayStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for NoDelayStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.0).poll_write(cx, buf);
        self.acknowledge();
        result
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.0).poll_write_vectored(cx, bufs);
        self.acknowledge();
        result
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
