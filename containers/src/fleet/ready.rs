//! Proof that a fleet works, and Postfix's own words if it does not.

use std::{
    future::Future,
    io::{
        self,
        ErrorKind::{ConnectionRefused, HostUnreachable},
    },
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    time::{Instant, MissedTickBehavior, interval, timeout},
};

use super::lease::Lease;
use crate::{Error, FleetState, Log, LogLine, LogReceiver, Result, config::base::INJECT_TAG};

/// How long a process that gives up may take to say the rest of why.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// Time between two attempts to connect to a port that is about to listen.
const KNOCK: Duration = Duration::from_millis(5);
/// How soon a token is sent again that did not show in the log. A follower of a log that others write, too, may have
/// begun to read only after the first was written.
const RESEND: Duration = Duration::from_millis(250);

/// Takes the lease of a fleet that is starting, as soon as its master listens.
///
/// `lines` must have been subscribed before the log was followed.
pub(crate) async fn started(
    state: &FleetState,
    log: &Log,
    mut lines: LogReceiver,
    deadline: Instant,
) -> Result<Lease> {
    let id = &state.id;
    let began = Instant::now();
    let told = async {
        loop {
            let Some(line) = lines.recv().await else {
                return false;
            };
            // master(8) has bound every port by then.
            if line.daemon == "master" && line.text.starts_with("daemon started") {
                return true;
            }
            if gives_up(&line) {
                return false;
            }
        }
    };
    match tokio::time::timeout_at(deadline, told).await {
        Ok(true) => {}
        Ok(false) => return Err(refused(id, log).await),
        Err(_) => return Err(late(id, "Postfix's master to start", began, log)),
    }
    let address = state.address_of(state.lease_port);
    let connected = tokio::time::timeout_at(deadline, connect(address));
    tokio::select! {
        connected = connected => match connected {
            Ok(Ok(stream)) => Ok(Lease::of(stream)),
            Ok(Err(error)) => Err(unreachable(id, address, &error)),
            Err(_) => Err(late(id, &format!("a connection to {address}"), began, log)),
        },
        () = log.ended() => Err(refused(id, log).await),
    }
}

/// Waits until master has read its files again and the inject service greets with this generation.
pub(crate) async fn reloaded(
    state: &FleetState,
    lines: &mut LogReceiver,
    generation: u32,
    deadline: Duration,
) -> Result<()> {
    let told = async {
        while let Some(line) = lines.recv().await {
            if line.daemon == "master" && line.text.starts_with("reload ") {
                return Ok(());
            }
        }
        Err(state.gone("its log has ended"))
    };
    let deadline = Instant::now() + deadline;
    within(deadline, &state.id, "reloading its Postfix", told).await?;
    let address = state.address_of(state.inject_port);
    let expected = format!("generation {generation}");
    within(
        deadline,
        &state.id,
        "the services of the new generation",
        async {
            // A process of the old generation may greet first; it ends with its client.
            loop {
                let stream = connect(address)
                    .await
                    .map_err(|error| state.gone(format!("{address}: {error}")))?;
                let mut greeting = String::new();
                let read = BufReader::new(stream).read_line(&mut greeting).await;
                if read.is_ok() && greeting.trim_end().ends_with(&expected) {
                    return Ok(());
                }
            }
        },
    )
    .await
}

/// Connects, again while nothing listens yet; any other error ends it.
pub(super) async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let mut knocks = interval(KNOCK);
    knocks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        // There is nothing to wait on: a port is open inside a container before Docker's proxy has it, and the
        // kernel remembers for a second that nobody had the address a moment ago.
        knocks.tick().await;
        match TcpStream::connect(address).await {
            Err(error) if matches!(error.kind(), ConnectionRefused | HostUnreachable) => {}
            done => return done,
        }
    }
}

fn unreachable(fleet: &str, address: SocketAddr, error: &io::Error) -> Error {
    Error::Gone {
        fleet: fleet.to_owned(),
        why: format!("connecting to {address}: {error}"),
    }
}

/// See [`Fleet::ready`](super::Fleet::ready).
pub(crate) async fn ready(state: &FleetState, log: &Log, deadline: Duration) -> Result<()> {
    let began = Instant::now();
    let token = token();
    let lines = log.subscribe_all();
    let proof = async {
        // The first of the two to end decides; the sender never ends by itself.
        tokio::select! {
            seen = seen(state, log, lines, &token) => seen,
            failed = send_until_seen(state, &token) => Err(failed),
        }
    };
    match timeout(deadline, proof).await {
        Ok(result) => result,
        Err(_) => Err(late(&state.id, "a line in Postfix's log", began, log)),
    }
}

async fn seen(state: &FleetState, log: &Log, mut lines: LogReceiver, token: &str) -> Result<()> {
    while let Some(line) = lines.recv().await {
        if line.text.contains(token) {
            return Ok(());
        }
        // Services under test may fail as they like; those every fleet has may not.
        let ours = line.tag == "postfix" || line.tag == format!("postfix/{INJECT_TAG}");
        if ours && gives_up(&line) {
            return Err(refused(&state.id, log).await);
        }
    }
    Err(refused(&state.id, log).await)
}

async fn send_until_seen(state: &FleetState, token: &str) -> Error {
    let address = state.address_of(state.inject_port);
    let mut patience = RESEND;
    let mut again = interval(RESEND);
    again.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        again.tick().await;
        let sent = send(address, token);
        match timeout(patience, sent).await {
            Ok(Err(error)) if error.kind() == ConnectionRefused => {
                return unreachable(&state.id, address, &error);
            }
            // An smtpd that dies closes the connection: its own words are in the log, or it is tried again.
            Ok(Ok(()) | Err(_)) => {}
            Err(_) => patience *= 2,
        }
    }
}

/// Says something that smtpd(8) logs word by word, without any configuration: a command that is none of SMTP's
/// (`smtpd_forbidden_commands`).
async fn send(address: SocketAddr, token: &str) -> io::Result<()> {
    let mut stream = BufReader::new(connect(address).await?);
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    stream
        .write_all(format!("GET /{token}\r\n").as_bytes())
        .await?;
    line.clear();
    stream.read_line(&mut line).await?;
    Ok(())
}

/// A word nobody has logged before.
fn token() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let now = std::time::SystemTime::UNIX_EPOCH
        .elapsed()
        .unwrap_or_default();
    format!(
        "pfs-ready-{}-{}-{count}",
        std::process::id(),
        now.as_nanos()
    )
}

fn gives_up(line: &LogLine) -> bool {
    line.is_fatal() || line.text.starts_with("pfs: ") || line.text.contains("bad command startup")
}

/// The lines that tell why Postfix does not run.
async fn refused(fleet: &str, log: &Log) -> Error {
    let _ = timeout(LAST_WORDS, log.ended()).await;
    let tail = log.tail();
    let telling = |line: &&Arc<LogLine>| {
        let words = ["fatal:", "panic:", "error:", "warning:"];
        line.daemon.is_empty() || words.iter().any(|word| line.text.starts_with(word))
    };
    let mut words: Vec<String> = tail
        .iter()
        .filter(telling)
        .map(ToString::to_string)
        .collect();
    if words.is_empty() {
        words = tail.iter().map(ToString::to_string).collect();
    }
    if words.is_empty() {
        words.push("it ended without a word".to_owned());
    }
    Error::Refused {
        fleet: fleet.to_owned(),
        words,
    }
}

fn late(fleet: &str, doing: &str, began: Instant, log: &Log) -> Error {
    Error::Deadline {
        fleet: fleet.to_owned(),
        doing: format!("waiting for {doing}"),
        after: began.elapsed(),
        tail: log
            .tail()
            .iter()
            .rev()
            .take(10)
            .rev()
            .map(ToString::to_string)
            .collect(),
    }
}

/// Runs a step of a start under the fleet's deadline.
pub(crate) async fn within<T>(
    deadline: Instant,
    fleet: &str,
    doing: &str,
    step: impl Future<Output = Result<T>>,
) -> Result<T> {
    let began = Instant::now();
    match tokio::time::timeout_at(deadline, step).await {
        Ok(done) => done,
        Err(_) => Err(Error::Deadline {
            fleet: fleet.to_owned(),
            doing: doing.to_owned(),
            after: began.elapsed(),
            tail: Vec::new(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn last_words_are_what_complains() {
        let log = Log::new();
        log.push("Nov 22 08:00:00 mail postfix/master[1]: daemon started -- version 3.10.13");
        log.push("Nov 22 08:00:00 mail postfix/master[1]: fatal: bind 127.0.0.1 port 25: Address already in use");
        log.push("pfs: master ended with status 1");
        log.end();
        let Error::Refused { words, .. } = refused("t", &log).await else {
            panic!()
        };
        assert_eq!(
            words,
            [
                "postfix/master[1]: fatal: bind 127.0.0.1 port 25: Address already in use",
                "pfs: master ended with status 1"
            ]
        );
    }

    #[test]
    fn tokens_differ() {
        assert_ne!(token(), token());
    }
}
