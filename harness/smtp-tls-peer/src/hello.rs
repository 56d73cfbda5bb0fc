//! A client's first flight, and the ways in which it may go out.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::options::Misbehaviour;
use super::smtp::Reply;
use super::smtp::line::reply_line;

/// Bytes of a TLS record's header.
const RECORD_HEADER: usize = 5;

/// A stream whose first write, a ClientHello, is cut in two or is the last one.
#[derive(Debug)]
pub(super) struct Shaped<S> {
    inner: S,
    shape: Misbehaviour,
    /// What is to go out, each piece by a write of its own.
    pieces: VecDeque<Vec<u8>>,
}

impl<S> Shaped<S> {
    /// Everything but the misbehaviours that are about the ClientHello passes through as it is.
    pub(super) const fn new(inner: S, shape: Misbehaviour) -> Self {
        Self {
            inner,
            shape,
            pieces: VecDeque::new(),
        }
    }

    /// Whether the ClientHello is still to come and to be cut.
    fn shapes(&self) -> bool {
        matches!(
            self.shape,
            Misbehaviour::ClientHelloInSegments | Misbehaviour::ClientHelloInRecords
        )
    }
}

/// The ClientHello `record` as it goes out.
fn pieces(shape: Misbehaviour, record: &[u8]) -> Vec<Vec<u8>> {
    match shape {
        Misbehaviour::ClientHelloInSegments => {
            let (first, second) = record.split_at(record.len() / 2);
            vec![first.to_vec(), second.to_vec()]
        }
        Misbehaviour::ClientHelloInRecords => match record.split_at_checked(RECORD_HEADER) {
            Some((header, body)) => {
                let (first, second) = body.split_at(body.len() / 2);
                vec![[cut(header, first), cut(header, second)].concat()]
            }
            None => vec![record.to_vec()],
        },
        _ => vec![record.to_vec()],
    }
}

/// A record of the same type and version with another body.
fn cut(header: &[u8], body: &[u8]) -> Vec<u8> {
    let mut record = header.get(..3).unwrap_or_default().to_vec();
    record.extend(u16::try_from(body.len()).unwrap_or(u16::MAX).to_be_bytes());
    record.extend(body);
    record
}

impl<S: AsyncWrite + Unpin> Shaped<S> {
    fn poll_pieces(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(piece) = self.pieces.front_mut() {
            let count = ready!(Pin::new(&mut self.inner).poll_write(cx, piece))?;
            if count == 0 {
                return Poll::Ready(Err(ErrorKind::WriteZero.into()));
            }
            piece.drain(..count);
            if piece.is_empty() {
                ready!(Pin::new(&mut self.inner).poll_flush(cx))?;
                self.pieces.pop_front();
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Shaped<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.poll_pieces(cx))?;
        if self.shape == Misbehaviour::CloseAfterClientHello {
            // Said once; whoever hears it closes and reads on until the other side has closed as well.
            self.shape = Misbehaviour::None;
            return Poll::Ready(Err(ErrorKind::ConnectionAborted.into()));
        }
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Shaped<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.shapes() {
            self.pieces = pieces(self.shape, buf).into();
            self.shape = Misbehaviour::None;
            return Poll::Ready(Ok(buf.len()));
        }
        ready!(self.poll_pieces(cx))?;
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    // As for Recorder: what is left after a failed handshake comes in one call.
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.shapes() {
            let first = bufs.iter().find(|buf| !buf.is_empty());
            return self.poll_write(cx, first.map_or(&[], |buf| buf));
        }
        ready!(self.poll_pieces(cx))?;
        Pin::new(&mut self.inner).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_pieces(cx))?;
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_pieces(cx))?;
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

/// The reply to a command that was sent together with what follows it, once it is there.
pub(super) type LateReply = Arc<OnceLock<Reply>>;

/// A stream that sends a command in one go with the first write, and keeps its reply from the reader.
#[derive(Debug)]
pub(super) struct Pipelined<S> {
    inner: S,
    /// The command, and then what was written behind it.
    output: Vec<u8>,
    waits_for_more: bool,
    /// The reply as far as it has come; nothing where there is none to wait for.
    input: Option<Vec<u8>>,
    /// What came after the reply.
    rest: Vec<u8>,
    reply: LateReply,
}

impl<S> Pipelined<S> {
    /// No command: a stream as it is.
    pub(super) fn plain(inner: S) -> Self {
        Self {
            inner,
            output: Vec::new(),
            waits_for_more: false,
            input: None,
            rest: Vec::new(),
            reply: LateReply::default(),
        }
    }

    /// `command`, with its CR LF, goes out with the first write; its one-line reply is put into `reply`.
    pub(super) fn command(inner: S, command: &[u8], reply: LateReply) -> Self {
        Self {
            output: command.to_vec(),
            waits_for_more: true,
            input: Some(Vec::new()),
            reply,
            ..Self::plain(inner)
        }
    }
}

impl<S: AsyncWrite + Unpin> Pipelined<S> {
    fn poll_output(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.output.is_empty() {
            let count = ready!(Pin::new(&mut self.inner).poll_write(cx, &self.output))?;
            if count == 0 {
                return Poll::Ready(Err(ErrorKind::WriteZero.into()));
            }
            self.output.drain(..count);
        }
        Poll::Ready(Ok(()))
    }
}

/// Longest reply line waited for, in bytes.
const LONGEST_REPLY: usize = super::smtp::MAX_LINE;

impl<S: AsyncRead + AsyncWrite + Unpin> Pipelined<S> {
    /// Reads the reply; what comes after it goes to `rest`.
    fn poll_reply(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(input) = &mut self.input {
            let mut chunk = [0; 512];
            let mut buffer = ReadBuf::new(&mut chunk);
            ready!(Pin::new(&mut self.inner).poll_read(cx, &mut buffer))?;
            if buffer.filled().is_empty() {
                return Poll::Ready(Err(ErrorKind::UnexpectedEof.into()));
            }
            input.extend(buffer.filled());
            let Some(end) = input.iter().position(|byte| *byte == b'\n') else {
                if input.len() > LONGEST_REPLY {
                    return Poll::Ready(Err(ErrorKind::InvalidData.into()));
                }
                continue;
            };
            self.rest = input.split_off(end + 1);
            let line = input.trim_ascii_end();
            let Some((code, _, text)) = reply_line(line) else {
                return Poll::Ready(Err(ErrorKind::InvalidData.into()));
            };
            let _ = self.reply.set(Reply {
                code,
                lines: vec![super::smtp::line::escaped(text)],
            });
            self.input = None;
            if code != 220 {
                return Poll::Ready(Err(ErrorKind::ConnectionRefused.into()));
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Pipelined<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.poll_reply(cx))?;
        if self.rest.is_empty() {
            return Pin::new(&mut self.inner).poll_read(cx, buf);
        }
        let count = self.rest.len().min(buf.remaining());
        let bytes: Vec<u8> = self.rest.drain(..count).collect();
        buf.put_slice(&bytes);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Pipelined<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.waits_for_more {
            self.waits_for_more = false;
            self.output.extend(buf);
            return Poll::Ready(Ok(buf.len()));
        }
        ready!(self.poll_output(cx))?;
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.waits_for_more {
            let first = bufs.iter().find(|buf| !buf.is_empty());
            return self.poll_write(cx, first.map_or(&[], |buf| buf));
        }
        ready!(self.poll_output(cx))?;
        Pin::new(&mut self.inner).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_output(cx))?;
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_output(cx))?;
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    /// A ClientHello record with a body of six bytes.
    const RECORD: &[u8] = &[22, 3, 1, 0, 6, 1, 0, 0, 2, 3, 3];

    async fn through(shape: Misbehaviour) -> Vec<u8> {
        let (near, mut far) = duplex(1024);
        let mut shaped = Shaped::new(near, shape);
        shaped.write_all(RECORD).await.unwrap();
        shaped.write_all(b"next").await.unwrap();
        shaped.flush().await.unwrap();
        drop(shaped);
        let mut all = Vec::new();
        far.read_to_end(&mut all).await.unwrap();
        all
    }

    #[tokio::test]
    async fn segments_carry_the_same_bytes() {
        let expected = [RECORD, b"next"].concat();
        assert_eq!(through(Misbehaviour::None).await, expected);
        assert_eq!(through(Misbehaviour::ClientHelloInSegments).await, expected);
    }

    #[tokio::test]
    async fn records_have_headers_of_their_own() {
        let expected = [
            &[22, 3, 1, 0, 3, 1, 0, 0, 22, 3, 1, 0, 3, 2, 3, 3][..],
            b"next",
        ]
        .concat();
        assert_eq!(through(Misbehaviour::ClientHelloInRecords).await, expected);
    }

    #[tokio::test]
    async fn a_command_goes_out_with_what_follows() {
        let (near, mut far) = duplex(1024);
        let reply = LateReply::default();
        let mut pipelined = Pipelined::command(near, b"STARTTLS\r\n", Arc::clone(&reply));
        pipelined.write_all(b"hello").await.unwrap();
        pipelined.flush().await.unwrap();
        let mut heard = [0; 64];
        let count = far.read(&mut heard).await.unwrap();
        assert_eq!(&heard[..count], b"STARTTLS\r\nhello");
        far.write_all(b"220 2.0.0 Ready\r\nanswer").await.unwrap();
        let count = pipelined.read(&mut heard).await.unwrap();
        assert_eq!(&heard[..count], b"answer");
        assert_eq!(reply.get().map(|reply| reply.code), Some(220));
    }

    #[tokio::test]
    async fn a_refusal_is_an_error_with_its_reply() {
        let (near, mut far) = duplex(1024);
        let reply = LateReply::default();
        let mut pipelined = Pipelined::command(near, b"STARTTLS\r\n", Arc::clone(&reply));
        far.write_all(b"554 5.5.0 Error: SMTP protocol synchronization\r\n")
            .await
            .unwrap();
        assert!(pipelined.read(&mut [0; 8]).await.is_err());
        assert_eq!(reply.get().map(|reply| reply.code), Some(554));
    }
}
