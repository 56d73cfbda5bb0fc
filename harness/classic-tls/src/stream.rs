//! A connection over any asynchronous byte stream.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::timeout;

use crate::config::{ClientConfig, ServerConfig};
use crate::connection::Connection;
use crate::error::Error;
use crate::report::Report;

/// Bytes read or protected at a time: one full record.
const CHUNK: usize = 1 << 14;

/// Time for the alert to reach a peer after a failed handshake.
const LINGER: Duration = Duration::from_secs(1);

/// A handshake that failed, with what was seen of it.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct HandshakeFailure {
    /// Why.
    pub error: Error,
    /// Everything known up to then, alerts included.
    pub report: Box<Report>,
}

/// A TLS connection over `io`, after its handshake.
///
/// Reading ends when the peer says goodbye or closes; which of the two it was is in
/// [`Report::close_notify_received`]. Shutting down says goodbye and closes the writing half.
#[derive(Debug)]
pub struct Stream<IO> {
    io: IO,
    connection: Connection,
    output: Vec<u8>,
    received: Vec<u8>,
    ended: bool,
}

/// Runs a client's handshake over `io`.
///
/// # Errors
/// Whatever went wrong, at the latest after [`ClientConfig::handshake_timeout`]; the peer has been told then.
pub async fn connect<IO>(io: IO, config: Arc<ClientConfig>) -> Result<Stream<IO>, HandshakeFailure>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    let limit = config.handshake_timeout;
    handshake(
        io,
        Connection::client(config).map_err(before_anything)?,
        limit,
    )
    .await
}

/// Runs a server's handshake over `io`.
///
/// # Errors
/// Whatever went wrong, at the latest after [`ServerConfig::handshake_timeout`]; the peer has been told then.
pub async fn accept<IO>(io: IO, config: Arc<ServerConfig>) -> Result<Stream<IO>, HandshakeFailure>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    let limit = config.handshake_timeout;
    handshake(
        io,
        Connection::server(config).map_err(before_anything)?,
        limit,
    )
    .await
}

impl<IO> Stream<IO> {
    /// What has been seen and agreed on.
    pub fn report(&self) -> &Report {
        self.connection.report()
    }

    /// The connection itself.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The underlying stream and the report; bytes not yet read are lost.
    pub fn into_parts(self) -> (IO, Report) {
        (self.io, self.connection.report().clone())
    }
}

fn before_anything(error: Error) -> HandshakeFailure {
    HandshakeFailure {
        error,
        report: Box::new(Report::new(crate::wire::Side::Client)),
    }
}

async fn handshake<IO>(
    mut io: IO,
    mut connection: Connection,
    limit: Duration,
) -> Result<Stream<IO>, HandshakeFailure>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    let result = match timeout(limit, drive(&mut io, &mut connection)).await {
        Ok(result) => result,
        Err(_) => Err(connection.abort(Error::Deadline {
            after: limit,
            awaited: connection.awaited(),
        })),
    };
    match result {
        Ok(()) => Ok(Stream {
            received: connection.take_received(),
            io,
            connection,
            output: Vec::new(),
            ended: false,
        }),
        Err(error) => {
            // Whether the peer hears of it changes nothing for this end.
            let _ = timeout(LINGER, part(&mut io, connection.take_output())).await;
            Err(HandshakeFailure {
                error,
                report: Box::new(connection.report().clone()),
            })
        }
    }
}

async fn drive<IO>(io: &mut IO, connection: &mut Connection) -> Result<(), Error>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    let mut buffer = vec![0; CHUNK];
    loop {
        let output = connection.take_output();
        if !output.is_empty() {
            // A peer that refuses may close before it has read everything; its alert says more than the broken pipe.
            let written = match io.write_all(&output).await {
                Ok(()) => io.flush().await,
                Err(error) => Err(error),
            };
            if let Err(error) = written {
                return Err(last_words(io, connection, &mut buffer)
                    .await
                    .unwrap_or_else(|| failed(connection, &error)));
            }
        }
        if !connection.is_handshaking() {
            return Ok(());
        }
        match io.read(&mut buffer).await {
            Ok(0) => connection.read_end()?,
            // What comes behind the end of the handshake is not its affair, however it was cut: see `poll_read`.
            Ok(count) => match connection.read(&buffer[..count]) {
                Err(error) if connection.is_handshaking() => return Err(error),
                _ => {}
            },
            Err(error) => return Err(failed(connection, &error)),
        }
    }
}

/// The error in what the peer has still sent, if there is one.
async fn last_words<IO>(
    io: &mut IO,
    connection: &mut Connection,
    buffer: &mut [u8],
) -> Option<Error>
where
    IO: AsyncRead + Unpin,
{
    while let Ok(count @ 1..) = io.read(buffer).await {
        if let Err(error) = connection.read(&buffer[..count]) {
            return Some(error);
        }
    }
    None
}

fn failed(connection: &mut Connection, error: &io::Error) -> Error {
    connection.abort(Error::Io {
        reason: error.to_string(),
    })
}

/// Sends the alert and reads to the peer's end, so that no reset overtakes it.
async fn part<IO>(io: &mut IO, alert: Vec<u8>) -> io::Result<()>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    io.write_all(&alert).await?;
    io.shutdown().await?;
    let mut buffer = vec![0; CHUNK];
    while io.read(&mut buffer).await? > 0 {}
    Ok(())
}

impl<IO: AsyncWrite + Unpin> Stream<IO> {
    /// Writes out what the connection has to say.
    fn poll_drain(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.output.extend(self.connection.take_output());
        while !self.output.is_empty() {
            match ready!(Pin::new(&mut self.io).poll_write(context, &self.output))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => {
                    self.output.drain(..count);
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncRead for Stream<IO> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        target: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            if !this.received.is_empty() {
                let count = this.received.len().min(target.remaining());
                target.put_slice(&this.received[..count]);
                this.received.drain(..count);
                return Poll::Ready(Ok(()));
            }
            if let Some(failure) = this.connection.failure() {
                let failure = failure.clone();
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, failure)));
            }
            if this.ended || this.report().close_notify_received {
                return Poll::Ready(Ok(()));
            }
            let mut chunk = [0; CHUNK];
            let mut buffer = ReadBuf::new(&mut chunk);
            ready!(Pin::new(&mut this.io).poll_read(context, &mut buffer))?;
            if buffer.filled().is_empty() {
                this.ended = true;
                continue;
            }
            // An error is told once the data before it has been read.
            let _ = this.connection.read(buffer.filled());
            this.received = this.connection.take_received();
            // Answers to warnings and alerts go out when there is room; reading does not wait for it, and a peer that is
            // not there to hear them has still said what it said.
            match this.poll_drain(context) {
                Poll::Ready(Err(error))
                    if this.received.is_empty() && this.connection.failure().is_none() =>
                {
                    return Poll::Ready(Err(error));
                }
                _ => {}
            }
        }
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Stream<IO> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_drain(context))?;
        let count = data.len().min(CHUNK);
        this.connection
            .write(&data[..count])
            .map_err(|error| io::Error::new(io::ErrorKind::BrokenPipe, error))?;
        if let Poll::Ready(Err(error)) = this.poll_drain(context) {
            return Poll::Ready(Err(error));
        }
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_drain(context))?;
        Pin::new(&mut this.io).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.connection.close();
        ready!(this.poll_drain(context))?;
        Pin::new(&mut this.io).poll_shutdown(context)
    }
}
