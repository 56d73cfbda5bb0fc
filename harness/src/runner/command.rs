//! A program of the user's as one end of a case: started, listened to, and ended with its case.

mod machine;

use std::convert::Infallible;
use std::fmt::Write as _;
use std::hash::{BuildHasher as _, Hasher as _};
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
};
use tokio::net::TcpStream;
use tokio::time::{Instant, interval, timeout, timeout_at};

use crate::evidence::CommandReport;
use crate::plan::{Case, CommandPlan};
use crate::session::Session;

/// Most that is kept of what a program prints. Bytes.
const KEPT: usize = 64 << 10;

/// Longest line that is read at once. Bytes.
const LINE: u64 = 8 << 10;

/// How long what is ended may take to be gone.
const END: Duration = Duration::from_secs(3);

/// Time between two looks at a port that nobody listens at yet: the kernel has no event for it.
const LOOK: Duration = Duration::from_millis(20);

/// Where a program runs.
#[derive(Clone, Copy)]
pub(super) enum Start {
    /// In a fleet, for whoever connects to this address.
    Fleet(SocketAddr),
    /// On this machine.
    Machine,
}

/// What a program is told, and who sees when it listens.
#[derive(Clone, Copy)]
pub(super) struct Told {
    /// Where to connect to, or to listen at.
    pub(super) address: SocketAddr,
    /// The port is looked at where the program runs: here it cannot be seen.
    pub(super) looked_at_there: bool,
}

/// A running program.
pub(super) struct Program {
    reader: BufReader<Box<dyn AsyncRead + Send + Unpin>>,
    /// Its end ends the program.
    writer: Option<Box<dyn AsyncWrite + Send + Unpin>>,
    machine: Option<machine::Leader>,
    secret: String,
    ready: Option<String>,
    report: CommandReport,
    listens: bool,
}

/// What a program's end of the line brings next.
enum Heard {
    Output,
    Listens,
    Ended,
}

impl Program {
    /// Starts the program of a case.
    ///
    /// # Errors
    /// This side's: a port that nobody answers at, a user or a directory that is not there.
    pub(super) async fn start(
        session: &Session,
        case: &Case,
        plan: &CommandPlan,
        start: Start,
        told: Told,
        deadline: Instant,
    ) -> Result<Self, String> {
        let (reader, mut writer, machine): (
            Box<dyn AsyncRead + Send + Unpin>,
            Box<dyn AsyncWrite + Send + Unpin>,
            _,
        ) = match start {
            Start::Fleet(at) => {
                let stream = timeout_at(deadline, TcpStream::connect(at)).await;
                let stream = stream
                    .map_err(|_| format!("no answer at {at}, where {} is started", plan.line))?
                    .map_err(|error| format!("{at}, where {} is started: {error}", plan.line))?;
                let (reader, writer) = stream.into_split();
                (Box::new(reader), Box::new(writer), None)
            }
            Start::Machine => {
                let (reader, writer, leader) = machine::start(session, case, plan).await?;
                (Box::new(reader), Box::new(writer), Some(leader))
            }
        };
        let mut random = std::collections::hash_map::RandomState::new().build_hasher();
        random.write_u8(0);
        let secret = format!("{:016x}", random.finish());
        let Told {
            address,
            looked_at_there,
        } = told;
        let look = match looked_at_there {
            true => "look",
            false => "wait",
        };
        let words = format!("{secret}\n{} {}\n{look}\n", address.ip(), address.port());
        writer
            .write_all(words.as_bytes())
            .await
            .map_err(|error| format!("{} is not started: {error}", plan.line))?;
        Ok(Self {
            reader: BufReader::new(reader),
            writer: Some(writer),
            machine,
            secret,
            ready: plan.ready.clone(),
            report: CommandReport {
                is_server: plan.line.is_server,
                output: String::new(),
                status: None,
            },
            listens: false,
        })
    }

    /// What comes next. What it prints is text of somebody else's: it is kept as it is, and nothing in it means anything
    /// here but the words of the plan.
    async fn hear(&mut self) -> Heard {
        let mut line = Vec::new();
        let read = (&mut self.reader)
            .take(LINE)
            .read_until(b'\n', &mut line)
            .await;
        if !matches!(read, Ok(1..)) {
            return Heard::Ended;
        }
        let line = String::from_utf8_lossy(&line);
        let own = line.strip_prefix(&self.secret).map(str::trim);
        match own.and_then(|words| words.split_once(' ').or(Some((words, "")))) {
            Some(("listens", _)) => return Heard::Listens,
            Some(("ended", status)) => {
                self.report.status = status.parse().ok();
                return Heard::Ended;
            }
            _ => {}
        }
        let room = KEPT.saturating_sub(self.report.output.len());
        if room > 0 {
            let kept: String = line.chars().take(room).collect();
            let _ = write!(self.report.output, "{kept}");
        }
        match &self.ready {
            Some(ready) if line.contains(ready.as_str()) => Heard::Listens,
            _ => Heard::Output,
        }
    }

    /// Waits until it listens at `address`; false if it has ended instead, or the deadline has come.
    pub(super) async fn listens(&mut self, told: Told, deadline: Instant) -> bool {
        let own_word = self.ready.is_some();
        let look = async {
            if own_word || told.looked_at_there {
                return std::future::pending().await;
            }
            let mut ticks = interval(LOOK);
            while !is_listening(told.address) {
                ticks.tick().await;
            }
        };
        tokio::pin!(look);
        let mut listens = false;
        let waiting = async {
            loop {
                tokio::select! {
                    () = &mut look => return true,
                    heard = self.hear() => match heard {
                        Heard::Listens => return true,
                        Heard::Ended => return false,
                        Heard::Output => {}
                    },
                }
            }
        };
        if let Ok(yes) = timeout_at(deadline, waiting).await {
            listens = yes;
        }
        self.listens = listens;
        listens
    }

    /// Waits until it has ended, and ends what it has left behind; at the deadline itself, too.
    pub(super) async fn ended(mut self, deadline: Instant) -> CommandReport {
        let ended = async { while !matches!(self.hear().await, Heard::Ended) {} };
        let _ = timeout_at(deadline, ended).await;
        self.stop().await
    }

    /// Hears what it prints for as long as this is awaited.
    pub(super) async fn follow(&mut self) -> Infallible {
        loop {
            if let Heard::Ended = self.hear().await {
                std::future::pending().await
            }
        }
    }

    /// Ends it.
    pub(super) async fn stop(mut self) -> CommandReport {
        if let Some(mut writer) = self.writer.take() {
            let _ = writer.shutdown().await;
        }
        let status = self.report.status;
        let rest = async { while !matches!(self.hear().await, Heard::Ended) {} };
        let _ = timeout(END, rest).await;
        // Who is ended has no status of its own.
        self.report.status = status.or(self.report.status);
        if let Some(leader) = self.machine.take() {
            leader.end(END).await;
        }
        self.report
    }
}

/// Whether something listens at an address of this network namespace (proc_net_tcp: local address, state 0A).
pub(super) fn is_listening(address: SocketAddr) -> bool {
    let port = format!("{:04X}", address.port());
    let own = match address {
        SocketAddr::V4(address) => {
            format!("{:08X}", u32::from_ne_bytes(address.ip().octets()))
        }
        SocketAddr::V6(_) => String::new(),
    };
    // Of this thread: a run may be in a network namespace that the program's first thread is not in.
    let tables = ["/proc/thread-self/net/tcp", "/proc/thread-self/net/tcp6"];
    tables.iter().any(|table| {
        let table = std::fs::read_to_string(table).unwrap_or_default();
        table.lines().any(|line| {
            let mut words = line.split_ascii_whitespace().skip(1);
            let local = words.next().and_then(|local| local.split_once(':'));
            let state = words.nth(1);
            state == Some("0A")
                && local.is_some_and(|(at, known)| {
                    known == port && (at.bytes().all(|byte| byte == b'0') || at.ends_with(&own))
                })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_port_is_seen_while_somebody_listens_at_it() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        assert!(is_listening(address));
        let elsewhere = SocketAddr::new([127, 0, 0, 2].into(), address.port());
        assert!(!is_listening(elsewhere));
        drop(listener);
        assert!(!is_listening(address));
    }
}
