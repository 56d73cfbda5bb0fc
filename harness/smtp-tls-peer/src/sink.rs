//! SMTP in clear: a sink that takes what a Postfix delivers, and the injection of a message.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use classic_tls::wire::{Side, Transcript};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::error::{Failure, PeerError};
use super::no_delay::NoDelayStream;
use super::rustls_client::connect;
use super::smtp::{Client, Dialogue, Event, Mail, Message, Offer, Server, SmtpError, Stage};

/// The name a sink gives itself. Postfix takes a server with its own name for a mail loop, so it is nobody else's.
const SINK_NAME: &str = "sink.pfs.invalid";

/// The name in EHLO of an injection.
const INJECT_NAME: &str = "inject.pfs.invalid";

/// Most connections that a sink serves at a time; the next ones wait in the listener's queue.
const MAX_CONNECTIONS: usize = 256;

/// How long a sink keeps a connection: longer than Postfix keeps one for reuse (`smtp_connection_cache_time_limit`, 2 s).
const SESSION: Duration = Duration::from_secs(60);

/// Takes one connection from `listener` and returns its first message.
///
/// # Errors
/// When no message has come by `deadline` or the connection fails before.
pub async fn sink(listener: &TcpListener, deadline: Instant) -> Result<Message, PeerError> {
    let mut dialogue = Dialogue {
        stage: Stage::Connect,
        ..Dialogue::default()
    };
    let outcome = timeout_at(deadline, async {
        let (stream, _) = listener
            .accept()
            .await
            .map_err(|source| Failure::Connection {
                what: "cannot accept a connection".to_owned(),
                source,
            })?;
        let mut server = Server::new(NoDelayStream::new(stream), SINK_NAME, Offer::No);
        server.banner(&mut dialogue).await?;
        match server.next(&mut dialogue).await? {
            Event::Message(message) => {
                // The rest is politeness; the message is here.
                let _ = timeout(Duration::from_secs(1), server.next(&mut dialogue)).await;
                Ok(message)
            }
            _ => Err(Failure::from(SmtpError::Closed {
                expected: "a message",
            })),
        }
    })
    .await
    .unwrap_or(Err(Failure::Deadline));
    outcome.map_err(|failure| failure.explain(Side::Server, dialogue.stage, &Transcript::default()))
}

/// Serves every connection to `listener` at the same time and sends each message to `messages`, until the receiving end
/// of that channel is dropped. A connection that breaks the rules is closed; the others go on.
///
/// # Errors
/// When the listener fails.
pub async fn sink_all(
    listener: &TcpListener,
    messages: mpsc::Sender<Message>,
) -> std::io::Result<()> {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if connections.len() < MAX_CONNECTIONS => {
                let (stream, _) = accepted?;
                let messages = messages.clone();
                connections.spawn(async move {
                    let _ = timeout(SESSION, sink_connection(NoDelayStream::new(stream), messages)).await;
                });
            }
            Some(_) = connections.join_next() => {}
            () = messages.closed() => return Ok(()),
        }
    }
}

async fn sink_connection<S>(stream: S, messages: mpsc::Sender<Message>) -> Result<(), SmtpError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut dialogue = Dialogue::default();
    let mut server = Server::new(stream, SINK_NAME, Offer::No);
    server.banner(&mut dialogue).await?;
    while let Event::Message(message) = server.next(&mut dialogue).await? {
        if messages.send(message).await.is_err() {
            break;
        }
    }
    Ok(())
}

/// Until the clock shows a second that is this many later.
async fn seconds(count: u32) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let Ok(now) = now.map(|now| now.subsec_nanos()) else {
        return;
    };
    if count > 0 {
        sleep(Duration::from_secs(count.into()) - Duration::from_nanos(now.into())).await;
    }
}

/// What the server said about an injected message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Injected {
    /// The queue id in its reply, if it is Postfix's.
    pub queue_id: Option<String>,
    /// The reply to the end of the message.
    pub reply: String,
}

/// Hands a message to the SMTP server at `address`, in clear.
///
/// # Errors
/// When the server cannot be reached, refuses a step, or `deadline` comes first.
pub async fn inject(
    address: SocketAddr,
    from: &str,
    to: &str,
    body: &str,
    deadline: Instant,
) -> Result<Injected, PeerError> {
    inject_aged(address, from, to, body, 0, deadline).await
}

/// As [`inject`], with a message that is this many whole seconds old when the server has all of it: servers count its
/// age from when they began to take it, in seconds of the clock.
///
/// # Errors
/// As there.
pub async fn inject_aged(
    address: SocketAddr,
    from: &str,
    to: &str,
    body: &str,
    age: u32,
    deadline: Instant,
) -> Result<Injected, PeerError> {
    let mail = Mail {
        from: from.to_owned(),
        to: to.to_owned(),
        body: body.to_owned(),
    };
    let mut dialogue = Dialogue {
        stage: Stage::Connect,
        ..Dialogue::default()
    };
    let outcome = timeout_at(deadline, async {
        let stream = connect(address, None)
            .await
            .map_err(|source| Failure::Connection {
                what: format!("cannot connect to {address}"),
                source,
            })?;
        let mut client = Client::new(stream);
        client.banner(&mut dialogue).await?;
        client.ehlo(INJECT_NAME, Stage::Ehlo, &mut dialogue).await?;
        let reply = client
            .deliver_when(&mail, seconds(age), &mut dialogue)
            .await?;
        // The message is in the queue; how the server says goodbye is of no interest.
        let _ = client.quit(&mut dialogue).await;
        Ok(Injected {
            queue_id: reply.queue_id().map(str::to_owned),
            reply: reply.to_string(),
        })
    })
    .await
    .unwrap_or(Err(Failure::Deadline));
    outcome.map_err(|failure| failure.explain(Side::Client, dialogue.stage, &Transcript::default()))
}
