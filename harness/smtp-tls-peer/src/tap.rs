//! Recording what passes over a stream.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use classic_tls::wire::{Recording, Side, Transcript};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Most bytes kept of each direction. A handshake takes a few thousand; what follows is encrypted mail.
pub const MAX_RECORDED: usize = 1 << 20;

/// A recording that its writer and its readers share.
#[derive(Debug, Clone, Default)]
pub struct SharedRecording(Arc<Mutex<Recording>>);

impl SharedRecording {
    /// Adds bytes sent by `side`; past [`MAX_RECORDED`] they are dropped.
    pub fn push(&self, side: Side, bytes: &[u8]) {
        let mut recording = self.lock();
        let kept = match side {
            Side::Client => &mut recording.client,
            Side::Server => &mut recording.server,
        };
        let room = MAX_RECORDED.saturating_sub(kept.len());
        kept.extend(bytes.iter().take(room));
    }

    /// What has been recorded so far.
    #[must_use]
    pub fn snapshot(&self) -> Recording {
        self.lock().clone()
    }

    /// What has been recorded so far, parsed.
    #[must_use]
    pub fn transcript(&self) -> Transcript {
        let recording = self.lock();
        Transcript::parse(&recording.client, &recording.server)
    }

    fn lock(&self) -> MutexGuard<'_, Recording> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stream that records both directions.
///
/// A write that fails because the other side has gone is no error here: what that side said last, an alert perhaps, is
/// still to be read, and tells more than a broken pipe.
#[derive(Debug)]
pub struct Recorder<S> {
    inner: S,
    writer: Side,
    recording: SharedRecording,
    /// Bytes read from `inner` before it was wrapped, still to be handed out.
    early: Vec<u8>,
    /// The other side no longer reads.
    deaf: bool,
}

/// With which octet a client's first record of TLS begins (RFC 8446 section 5.1: a handshake), or a hello in the format of
/// SSL 2.0 (RFC 5246 appendix E.2: a length with the highest bit set). No SMTP command does.
pub(super) const fn begins_tls(first: u8) -> bool {
    first == 0x16 || first >= 0x80
}

/// Whether an error of a write says that the other side has gone.
pub(super) fn gone(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::BrokenPipe | ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted
    )
}

impl<S> Recorder<S> {
    /// Wraps `inner`; `writer` is the side that writes into it, so what is read comes from the other one.
    pub const fn new(inner: S, writer: Side, recording: SharedRecording) -> Self {
        Self::after(Vec::new(), inner, writer, recording)
    }

    /// The same, where `early` has already been read from `inner`.
    pub const fn after(early: Vec<u8>, inner: S, writer: Side, recording: SharedRecording) -> Self {
        Self {
            inner,
            writer,
            recording,
            early,
            deaf: false,
        }
    }

    /// What a write, flush or shutdown is taken for.
    fn forgive<T>(&mut self, result: Poll<io::Result<T>>, instead: T) -> Poll<io::Result<T>> {
        match result {
            Poll::Ready(Err(error)) if gone(&error) => {
                self.deaf = true;
                Poll::Ready(Ok(instead))
            }
            other => other,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Recorder<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let result = if self.early.is_empty() {
            Pin::new(&mut self.inner).poll_read(cx, buf)
        } else {
            let count = self.early.len().min(buf.remaining());
            let bytes: Vec<u8> = self.early.drain(..count).collect();
            buf.put_slice(&bytes);
            Poll::Ready(Ok(()))
        };
        if let Some(bytes) = buf.filled().get(before..)
            && !bytes.is_empty()
        {
            self.recording.push(self.writer.other(), bytes);
        }
        result
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Recorder<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.deaf {
            return Poll::Ready(Ok(buf.len()));
        }
        let result = Pin::new(&mut self.inner).poll_write(cx, buf);
        if let Poll::Ready(Ok(count)) = result
            && let Some(bytes) = buf.get(..count)
        {
            self.recording.push(self.writer, bytes);
        }
        self.forgive(result, buf.len())
    }

    // tokio-rustls writes what is left after a failed handshake in one call: without this, only the first record would
    // go out, and the alert would not.
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let all = bufs.iter().map(|buf| buf.len()).sum();
        if self.deaf {
            return Poll::Ready(Ok(all));
        }
        let result = Pin::new(&mut self.inner).poll_write_vectored(cx, bufs);
        if let Poll::Ready(Ok(count)) = result {
            let mut left = count;
            for buf in bufs {
                let bytes = buf.get(..left.min(buf.len())).unwrap_or_default();
                self.recording.push(self.writer, bytes);
                left -= bytes.len();
            }
        }
        self.forgive(result, all)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.inner).poll_flush(cx);
        self.forgive(result, ())
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.inner).poll_shutdown(cx);
        self.forgive(result, ())
    }
}
