//! Our end of a fleet's client: what answers on the port it connects to.

use std::future::Future;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout_at};

use crate::evidence::Statements;
use crate::peer::{self, MailServer};

/// What stands behind the port that the client of a fleet connects to.
pub(super) enum Behind {
    Peer(Box<dyn MailServer>),
    Postfix(SocketAddr),
    /// A program of the user's: that nothing answers there is its own doing.
    Command(SocketAddr),
}

/// Serves the client's connections, one after the other, until its mails are done with; returns
/// how many reached the server, and what `mails` does. A connection that is left once they are, and `dead` is too, is
/// given up: it waits for a server that has ended and that master(8) does not start again so soon.
///
/// # Errors
/// A connection that this program could not take or pass on: nothing that Postfix did.
pub(super) async fn serve<T>(
    listener: &TcpListener,
    behind: &Behind,
    mails: impl Future<Output = T>,
    dead: impl Future<Output = ()>,
    said: &mut Statements,
    deadline: Instant,
) -> Result<(usize, T), String> {
    tokio::pin!(mails, dead);
    let mut connections = 0;
    let mut finished = None;
    let mut ended = false;
    loop {
        let stream = tokio::select! {
            biased;
            accepted = listener.accept() => {
                let (stream, _) = accepted.map_err(|error| format!("cannot take a connection: {error}"))?;
                Some(stream)
            }
            done = &mut mails, if finished.is_none() => {
                // What it connected to before its last word may wait in the backlog: look once more.
                finished = Some(done);
                continue;
            }
            () = std::future::ready(()), if finished.is_some() => None,
        };
        let Some(stream) = stream else { break };
        let connection = connection(stream, behind, said, deadline);
        tokio::pin!(connection);
        // The mails go on while the connection lasts.
        loop {
            tokio::select! {
                reached = &mut connection => {
                    connections += usize::from(reached?);
                    break;
                }
                done = &mut mails, if finished.is_none() => finished = Some(done),
                () = &mut dead, if !ended => ended = true,
                () = std::future::ready(()), if ended && finished.is_some() => {
                    connections += 1;
                    break;
                }
            }
        }
    }
    let done = match finished {
        Some(done) => done,
        None => mails.await,
    };
    Ok((connections, done))
}

/// Serves one connection; true if the server behind has seen it.
async fn connection(
    stream: TcpStream,
    behind: &Behind,
    said: &mut Statements,
    deadline: Instant,
) -> Result<bool, String> {
    let report = match behind {
        Behind::Peer(server) => server.receive(stream, deadline).await,
        Behind::Postfix(address) | Behind::Command(address) => {
            let upstream = match timeout_at(deadline, peer::connect(*address, None)).await {
                Ok(Ok(upstream)) => upstream,
                Ok(Err(_)) if matches!(behind, Behind::Command(..)) => return Ok(false),
                Ok(Err(error)) => {
                    return Err(format!(
                        "cannot connect to the server at {address}: {error}"
                    ));
                }
                Err(_) => return Ok(false),
            };
            let stream = peer::NoDelayStream::new(stream);
            let report = peer::forward_between(stream, upstream, deadline).await;
            said.tap = Some(report);
            return Ok(true);
        }
    };
    said.peer = Some(report.after(said.peer.take()));
    Ok(true)
}
