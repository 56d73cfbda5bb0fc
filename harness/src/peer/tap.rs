//! Recording what passes over a stream.

use std::io;
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
#[derive(Debug)]
pub struct Recorder<S> {
    inner: S,
    writer: Side,
    recording: SharedRecording,
}

impl<S> Recorder<S> {
    /// Wraps `inner`; `writer` is the side that writes into it, so what is read comes from the other one.
    pub const fn new(inner: S, writer: Side, recording: SharedRecording) -> Self {
        Self {
            inner,
            writer,
            recording,
        }
    }

    const fn reader(&self) -> Side {
        match self.writer {
            Side::Client => Side::Server,
            Side::Server => Side::Client,
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
        let result = Pin::new(&mut self.inner).poll_read(cx, buf);
        if let Some(bytes) = buf.filled().get(before..)
            && !bytes.is_empty()
        {
            self.recording.push(self.reader(), bytes);
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
        let result = Pin::new(&mut self.inner).poll_write(cx, buf);
        if let Poll::Ready(Ok(count)) = result
            && let Some(bytes) = buf.get(..count)
        {
            self.recording.push(self.writer, bytes);
        }
        result
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
