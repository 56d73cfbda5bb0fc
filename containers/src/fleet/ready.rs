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

use super::{Names, lease::Lease};
use crate::{
    Error, FleetSpec, FleetState, Log, LogLine, LogReceiver, Result, config::base::INJECT_TAG,
};

/// What every line of `images/dns.sh` begins with, until it gives up.
const NAMES: &str = "dns: ";
/// How a line begins with which it gives up.
const NAMES_FAILED: &str = "pfs: dns: ";
/// How long a process that gives up may take to say the rest of why.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// Time between two attempts to connect to a port that is about to listen.
const KNOCK: Duration = Duration::from_millis(5);
/// How soon a token is sent again that did not show in the log. A follower of a log that others write, too, may have
/// begun to read only after the first was written.
const RESEND: Duration = Duration::from_millis(250);

/// Takes the lease of a fleet that is starting, as soon as its master listens and its name servers answer.
///
/// `lines` must have been subscribed before the log was followed.
pub(crate) async fn started(
    state: &FleetState,
    log: &Log,
    mut lines: LogReceiver,
    spec: &FleetSpec,
    deadline: Instant,
) -> Result<(Lease, Names)> {
    let id = &state.id;
    let began = Instant::now();
    let mut awaited = Awaited::new(spec, "daemon started");
    match tokio::time::timeout_at(deadline, awaited.told(&mut lines)).await {
        Ok(true) => {}
        Ok(false) => return Err(refused(id, log).await),
        Err(_) => return Err(late(id, awaited.doing(), began, log)),
    }
    let names = awaited.names.unwrap_or_default();
    let address = state.address_of(state.lease_port);
    let connected = tokio::time::timeout_at(deadline, connect(address));
    tokio::select! {
        connected = connected => match connected {
            Ok(Ok(stream)) => Ok((Lease::of(stream), names)),
            Ok(Err(error)) => Err(unreachable(id, address, &error)),
            Err(_) => Err(late(id, &format!("a connection to {address}"), began, log)),
        },
        () = log.ended() => Err(refused(id, log).await),
    }
}

/// What the log must tell before a fleet can be used.
struct Awaited {
    /// Said by master(8), which has bound every port by then.
    master: &'static str,
    master_said: bool,
    /// Said by `images/dns.sh`.
    generation: u32,
    /// None until it is known.
    names: Option<Names>,
}

impl Awaited {
    fn new(spec: &FleetSpec, master: &'static str) -> Awaited {
        Awaited {
            master,
            master_said: false,
            generation: spec.generation,
            names: spec.dns.is_none().then(Names::default),
        }
    }

    /// Reads until everything has been said; false if something gave up or the log ended.
    async fn told(&mut self, lines: &mut LogReceiver) -> bool {
        while !self.master_said || self.names.is_none() {
            let Some(line) = lines.recv().await else {
                return false;
            };
            if line.daemon == "master" && line.text.starts_with(self.master) {
                self.master_said = true;
            } else if line.daemon.is_empty() && line.text.starts_with(NAMES) {
                self.hear(line.text.get(NAMES.len()..).unwrap_or_default());
            } else if gives_up(&line) {
                return false;
            }
        }
        true
    }

    fn hear(&mut self, text: &str) {
        if let Some(missing) = text.strip_prefix("missing ") {
            let tools = missing.split_whitespace().map(str::to_owned).collect();
            self.names = Some(Names::Missing(tools));
        } else if text == format!("generation {} answers", self.generation) {
            self.names = Some(Names::Served);
        }
    }

    fn doing(&self) -> &'static str {
        match self.master_said {
            false => "Postfix's master to start",
            true => "an answer of its name servers",
        }
    }
}

/// Waits until master has read its files again, the name servers answer from theirs, and the inject service greets with
/// the new generation.
pub(crate) async fn reloaded(
    state: &FleetState,
    log: &Log,
    lines: &mut LogReceiver,
    spec: &FleetSpec,
) -> Result<()> {
    let began = Instant::now();
    let deadline = began + spec.deadline;
    let mut awaited = Awaited::new(spec, "reload ");
    match tokio::time::timeout_at(deadline, awaited.told(lines)).await {
        Ok(true) => {}
        Ok(false) => return Err(refused(&state.id, log).await),
        Err(_) => return Err(late(&state.id, awaited.doing(), began, log)),
    }
    let address = state.address_of(state.inject_port);
    let expected = format!("generation {}", spec.generation);
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
    if tail.iter().any(|line| line.text.starts_with(NAMES_FAILED)) {
        let said = |line: &Arc<LogLine>| {
            let mut starts = [NAMES_FAILED, NAMES].into_iter();
            let text = starts.find_map(|start| line.text.strip_prefix(start));
            text.filter(|_| line.daemon.is_empty()).map(str::to_owned)
        };
        return Error::NameServers {
            fleet: fleet.to_owned(),
            words: tail.iter().filter_map(said).collect(),
        };
    }
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

    #[tokio::test]
    async fn name_servers_are_waited_for_and_heard() {
        let facts = crate::TargetFacts::for_tests(&[]);
        let target = crate::Target::parse("debian-13").unwrap();
        let mut spec = FleetSpec::new("t", target, &facts);
        spec.dns = Some(crate::NameService::default());
        spec.generation = 2;
        for (line, names) in [
            ("dns: generation 2 answers", Names::Served),
            (
                "dns: missing nsd drill",
                Names::Missing(vec!["nsd".to_owned(), "drill".to_owned()]),
            ),
        ] {
            let log = Log::new();
            let mut lines = log.subscribe_all();
            log.push("dns: generation 1 answers");
            log.push("Nov 22 08:00:00 mail postfix/master[1]: daemon started -- version 3.10.13");
            log.push(line);
            let mut awaited = Awaited::new(&spec, "daemon started");
            assert!(awaited.told(&mut lines).await);
            assert_eq!(awaited.names, Some(names));
        }
    }

    #[tokio::test]
    async fn name_servers_give_up_in_their_own_words() {
        let log = Log::new();
        log.push("dns: ldns-signzone: no such key");
        log.push("pfs: dns: the zone example.test. cannot be signed");
        log.end();
        let error = refused("t", &log).await;
        let Error::NameServers { words, .. } = &error else {
            panic!("{error}")
        };
        assert_eq!(
            words,
            &[
                "ldns-signzone: no such key",
                "the zone example.test. cannot be signed"
            ]
        );
    }

    #[test]
    fn tokens_differ() {
        assert_ne!(token(), token());
    }
}
