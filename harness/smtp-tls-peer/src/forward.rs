//! A tap: passes bytes between a client and a server and records the TLS part of what it sees.

use std::net::{IpAddr, SocketAddr};

use classic_tls::wire::{Recording, Side, Transcript};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::{Instant, timeout_at};

use super::error::{Failure, PeerError};
use super::no_delay::NoDelayStream;
use super::options::Beginning;
use super::rustls_client::connect;
use super::smtp::line::escaped;
use super::smtp::{MAX_LINE, Stage};
use super::tap::{SharedRecording, begins_tls};

/// Most lines in clear that are kept.
const MAX_CLEAR_LINES: usize = 256;

/// What a tap saw of one connection.
#[derive(Debug, Clone)]
pub struct ForwardReport {
    /// The lines in clear before TLS, both sides, in the order in which they passed; at most 256.
    pub clear: Vec<(Side, String)>,
    /// How TLS began, if it did: STARTTLS was answered with 220, or the client's first byte was that of a TLS record.
    pub began: Option<Beginning>,
    /// The bytes since then.
    pub recording: Recording,
    /// The same, parsed.
    pub transcript: Transcript,
    /// All bytes passed on from the client.
    pub from_client: u64,
    /// All bytes passed on from the server.
    pub from_server: u64,
    /// The side that closed first. After QUIT both may, so it then says nothing.
    pub closed_first: Option<Side>,
    /// Why it did not end with both sides closing.
    pub error: Option<PeerError>,
}

impl ForwardReport {
    /// The server name that the client sent.
    #[must_use]
    pub fn sni(&self) -> Option<&str> {
        self.transcript.client_hello.as_ref()?.sni.as_deref()
    }
}

/// Where a tap connects from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ForwardOptions {
    /// The address to connect from.
    pub source: Option<IpAddr>,
}

/// Takes one connection from `listener`, connects to `upstream` and copies both ways until both have closed. Always
/// comes back by `deadline`.
pub async fn forward(
    listener: &TcpListener,
    upstream: SocketAddr,
    options: ForwardOptions,
    deadline: Instant,
) -> ForwardReport {
    let mut tap = Tap::new();
    let outcome = timeout_at(deadline, async {
        let (client, _) = listener
            .accept()
            .await
            .map_err(|source| Failure::Connection {
                what: "cannot accept a connection".to_owned(),
                source,
            })?;
        let server =
            connect(upstream, options.source)
                .await
                .map_err(|source| Failure::Connection {
                    what: format!("cannot connect to {upstream}"),
                    source,
                })?;
        tap.stage = Stage::Banner;
        tap.copy(NoDelayStream::new(client), server).await
    })
    .await;
    tap.report(outcome.unwrap_or(Err(Failure::Deadline)))
}

/// The same between two streams that are already connected.
pub async fn forward_between<C, S>(client: C, server: S, deadline: Instant) -> ForwardReport
where
    C: AsyncRead + AsyncWrite + Unpin,
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut tap = Tap::new();
    tap.stage = Stage::Banner;
    let outcome = timeout_at(deadline, tap.copy(client, server)).await;
    tap.report(outcome.unwrap_or(Err(Failure::Deadline)))
}

/// Where in the dialogue a connection is.
#[derive(Debug, PartialEq, Eq)]
enum Phase {
    /// The client has said nothing yet; what the server has, belongs to TLS if the client begins with it.
    Silent(Vec<u8>),
    /// Lines in clear.
    Clear,
    /// The client has said STARTTLS. What it sends before the reply belongs to TLS only if the reply is 220.
    Asked(Vec<u8>),
    /// Everything is recorded.
    Tls,
}

struct Tap {
    phase: Phase,
    stage: Stage,
    clear: Vec<(Side, String)>,
    partial: [Vec<u8>; 2],
    passed: [u64; 2],
    closed_first: Option<Side>,
    recording: SharedRecording,
    began: Option<Beginning>,
}

const fn index(side: Side) -> usize {
    match side {
        Side::Client => 0,
        Side::Server => 1,
    }
}

impl Tap {
    fn new() -> Self {
        Self {
            phase: Phase::Silent(Vec::new()),
            stage: Stage::Connect,
            clear: Vec::new(),
            partial: [Vec::new(), Vec::new()],
            passed: [0; 2],
            closed_first: None,
            recording: SharedRecording::default(),
            began: None,
        }
    }

    fn report(self, outcome: Result<(), Failure>) -> ForwardReport {
        let transcript = self.recording.transcript();
        // A tap has no side of its own; what it waits for is what the client has not done yet.
        let error = outcome
            .err()
            .map(|failure| failure.explain(Side::Client, self.stage, &transcript));
        ForwardReport {
            clear: self.clear,
            began: self.began,
            recording: self.recording.snapshot(),
            transcript,
            from_client: self.passed[0],
            from_server: self.passed[1],
            closed_first: self.closed_first,
            error,
        }
    }

    async fn copy<C, S>(&mut self, client: C, server: S) -> Result<(), Failure>
    where
        C: AsyncRead + AsyncWrite + Unpin,
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let (mut from_client, mut to_client) = tokio::io::split(client);
        let (mut from_server, mut to_server) = tokio::io::split(server);
        let mut client_chunk = vec![0_u8; 1 << 14];
        let mut server_chunk = vec![0_u8; 1 << 14];
        let mut open = [true; 2];
        while open.contains(&true) {
            // A side that resets the connection has closed it; what matters is passed on to the other.
            let (side, count) = tokio::select! {
                read = from_client.read(&mut client_chunk), if open[0] => (Side::Client, read.unwrap_or(0)),
                read = from_server.read(&mut server_chunk), if open[1] => (Side::Server, read.unwrap_or(0)),
            };
            let chunk = match side {
                Side::Client => client_chunk.get(..count),
                Side::Server => server_chunk.get(..count),
            }
            .unwrap_or_default();
            if chunk.is_empty() {
                open[index(side)] = false;
                self.closed_first.get_or_insert(side);
                let _ = match side {
                    Side::Client => to_server.shutdown().await,
                    Side::Server => to_client.shutdown().await,
                };
                continue;
            }
            // Before it is passed on: the answer must find the right phase.
            self.look(side, chunk);
            let written = match side {
                Side::Client => to_server.write_all(chunk).await,
                Side::Server => to_client.write_all(chunk).await,
            };
            match written {
                Ok(()) => self.passed[index(side)] += chunk.len() as u64,
                // Nobody reads this direction any more; the other one may still have something to say.
                Err(_) => open[index(side)] = false,
            }
        }
        self.stage = Stage::Done;
        Ok(())
    }

    /// Follows the dialogue and records what belongs to TLS.
    fn look(&mut self, side: Side, chunk: &[u8]) {
        if let Phase::Silent(greeting) = &mut self.phase {
            match side {
                Side::Server => {
                    let room = MAX_LINE.saturating_sub(greeting.len());
                    greeting.extend(chunk.iter().take(room));
                }
                Side::Client if chunk.first().is_some_and(|first| begins_tls(*first)) => {
                    let greeting = std::mem::take(greeting);
                    self.clear.clear();
                    self.phase = Phase::Tls;
                    self.began = Some(Beginning::FirstByte);
                    self.stage = Stage::Handshake;
                    self.recording.push(Side::Server, &greeting);
                }
                Side::Client => self.phase = Phase::Clear,
            }
        }
        let mut rest = chunk;
        while let Some((&byte, after)) = rest.split_first() {
            match (&mut self.phase, side) {
                (Phase::Tls, _) => {
                    self.recording.push(side, rest);
                    return;
                }
                (Phase::Asked(early), Side::Client) => {
                    let room = MAX_LINE.saturating_sub(early.len());
                    early.extend(rest.iter().take(room));
                    return;
                }
                (Phase::Silent(_) | Phase::Clear, _) | (Phase::Asked(_), Side::Server) => {
                    rest = after;
                    let partial = &mut self.partial[index(side)];
                    if byte == b'\n' {
                        let line = std::mem::take(partial);
                        self.line(side, &line);
                    } else if partial.len() < MAX_LINE {
                        partial.push(byte);
                    }
                }
            }
        }
    }

    fn line(&mut self, side: Side, line: &[u8]) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if self.clear.len() < MAX_CLEAR_LINES {
            self.clear.push((side, escaped(line)));
        }
        match (&self.phase, side) {
            (Phase::Clear, Side::Client) => {
                self.stage = stage_of(line).unwrap_or(self.stage);
                if line.trim_ascii().eq_ignore_ascii_case(b"STARTTLS") {
                    self.phase = Phase::Asked(Vec::new());
                }
            }
            // The last line of the reply: no hyphen after the code.
            (Phase::Asked(_), Side::Server) if line.get(3) != Some(&b'-') => {
                let early = match std::mem::replace(&mut self.phase, Phase::Clear) {
                    Phase::Asked(early) => early,
                    _ => Vec::new(),
                };
                if line.starts_with(b"220") {
                    self.phase = Phase::Tls;
                    self.began = Some(Beginning::Starttls);
                    self.stage = Stage::Handshake;
                }
                self.look(Side::Client, &early);
            }
            _ => {}
        }
    }
}

fn stage_of(command: &[u8]) -> Option<Stage> {
    Some(match command.get(..4)?.to_ascii_uppercase().as_slice() {
        b"EHLO" | b"HELO" => Stage::Ehlo,
        b"STAR" => Stage::Starttls,
        b"MAIL" => Stage::Mail,
        b"RCPT" => Stage::Rcpt,
        b"DATA" => Stage::Data,
        b"QUIT" => Stage::Quit,
        _ => return None,
    })
}
