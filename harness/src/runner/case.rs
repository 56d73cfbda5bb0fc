//! One case: connections made, taken or passed on, until every witness has spoken.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use pfs_containers::EngineName;

use super::change::change;
use super::collect::Ended;
use super::command::{Program, Start, Told, is_listening};
use super::peers::{self, Fleets};
use super::place::{Place, turn};
use super::serve::{Behind, serve};
use crate::evidence::{Evidence, PostfixLog, Statements};
use crate::observe::summary::Side;
use crate::peer::{
    self, ErrorKind, Mail, MailClient, Message, PeerError, RustlsServer, Stage, TlsMode,
};
use crate::plan::{Case, ClientPlan, CommandPlan, PostfixSide, ServerPlan};
use crate::printable;
use crate::scenario::{Begins, SideName};
use crate::session::{MISSING_EXIM, Running, Session, command_port, command_port_at, recipient};

/// Why a case was not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// The target lacks what it takes.
    NotApplicable(String),
    /// A fleet, a port, this program.
    Broken(String),
}

/// How long a client may still see something of a server that has logged its end.
const AFTER_FATAL: Duration = Duration::from_secs(3);

/// Sender of every mail; the null sender, so that nothing is ever bounced.
const SENDER: &str = "";

/// Runs the connections of a case. `slot` is let go when they are over, before the last that master(8) may say of their
/// processes is waited for.
///
/// # Errors
/// What is broken or missing on this side: a fleet, a port, a program. Never what Postfix or a
/// peer did.
pub async fn gather(session: &Session, case: &Case, slot: impl Send) -> Result<Evidence, Obstacle> {
    let fleets = peers::fleets(session, case)
        .await
        .map_err(|error| Obstacle::Broken(error.to_string()))?;
    if let Some(missing) = fleets.without_names(case) {
        return Err(Obstacle::NotApplicable(missing));
    }
    if let Some(missing) = missing(session, case) {
        return Err(Obstacle::NotApplicable(missing));
    }
    let _names = match &case.client {
        ClientPlan::Postfix {
            side,
            zones: Some(_),
            ..
        } => {
            let held = session.hold_names(&side.fleet).await;
            Some(held.map_err(|error| Obstacle::Broken(error.to_string()))?)
        }
        _ => None,
    };
    let _turn = turn(case).await;
    let deadline = Instant::now() + case.scenario.deadline();
    let work = async {
        match (&case.client, &case.server) {
            (ClientPlan::Command(plan), ServerPlan::Postfix(server)) => {
                command_client(session, case, (plan, server), &fleets, deadline).await
            }
            (_, ServerPlan::Postfix(server)) if case.client.side().is_none() => {
                peer_to_postfix(session, case, server, &fleets, deadline).await
            }
            (ClientPlan::Postfix { side, .. } | ClientPlan::Exim(side), _) => {
                fleet_client(session, case, side, &fleets, deadline).await
            }
            _ => Err("neither side is a Postfix".to_owned()),
        }
    };
    let gone =
        |side| format!("the {side}'s Postfix or its log is gone: was it, or Docker, stopped?");
    // A fleet that ends under a case is not the case's failure: looked at first, since the end of a log also ends the
    // work.
    let said = tokio::select! {
        biased;
        () = ended(fleets.server.as_ref()) => Err(gone("server")),
        () = ended(fleets.client.as_ref()) => Err(gone("client")),
        said = work => said,
    };
    let Connected {
        mut said,
        server,
        client,
    } = said.map_err(Obstacle::Broken)?;
    drop(slot);
    session.release(case).await;
    (said.server_log, said.client_log) = tokio::join!(settle(server), settle(client));
    let volatile = case.scenario.file.volatile.iter();
    let volatile = volatile.map(|one| one.line.clone()).collect();
    let evidence = Evidence::from(said).leaving_out(volatile);
    if let Some(why) = lacks_support(case, &evidence) {
        return Err(Obstacle::NotApplicable(why));
    }
    if let (true, Some(side)) = (lacks_exim(&evidence), case.client.side()) {
        let target = &side.fleet.target;
        return Err(Obstacle::NotApplicable(format!(
            "needs an Exim; {target} has none at /opt/exim/usr/sbin/exim4: unpack exim4-daemon-light \
             (as Debian calls it) to /opt/exim in its image"
        )));
    }
    Ok(evidence)
}

/// What was said while the connections lasted, and the logs of those whose processes may still crash.
struct Connected {
    said: Statements,
    server: Option<Ended>,
    client: Option<Ended>,
}

async fn settle(log: Option<Ended>) -> Option<PostfixLog> {
    match log {
        Some(ended) => Some(ended.settle().await),
        None => None,
    }
}

/// Whether the program in Exim's place has said that Exim is not there.
fn lacks_exim(evidence: &Evidence) -> bool {
    let lines = evidence.log(Side::Client).map(PostfixLog::lines);
    lines
        .into_iter()
        .flatten()
        .any(|line| line.text.contains(MISSING_EXIM))
}

/// What the case needs and a target of it lacks.
fn missing(session: &Session, case: &Case) -> Option<String> {
    let lacking = case.fleets().find_map(|key| {
        let facts = session.facts(&key.target)?;
        let mut needs = case.scenario.file.needs.iter();
        let need = needs.find(|need| !facts.programs.contains(need.program()))?;
        Some((key, need))
    });
    lacking.map(|(key, need)| {
        format!(
            "needs {}; {} has none: install {} (as Debian calls it) in its image",
            need.program(),
            key.target,
            need.package()
        )
    })
}

/// Why a program of the user's cannot do what the case asks of it, if it says so.
fn lacks_support(case: &Case, evidence: &Evidence) -> Option<String> {
    let plan = match (&case.client, &case.server) {
        (ClientPlan::Command(plan), _) | (_, ServerPlan::Command(plan)) => plan,
        _ => return None,
    };
    let why = evidence
        .command()?
        .unsupported(plan.unsupported.as_deref())?;
    let place = plan
        .side
        .as_ref()
        .map_or("this machine", |side| side.fleet.target.as_str());
    Some(format!(
        "the command on {place} cannot do it: {}",
        printable::line(why)
    ))
}

async fn ended(fleet: Option<&Arc<Running>>) {
    match fleet {
        Some(running) => running.fleet.ended().await,
        None => std::future::pending().await,
    }
}

fn mail(case: &Case, to: String) -> Mail {
    let mut mail = Mail::new(SENDER, &to, &case.id.to_string());
    if let Some(body) = &case.scenario.file.message.body {
        mail.body = format!("Subject: {}\r\n\r\n{body}\r\n", case.id);
    }
    for header in case.scenario.file.message.headers.iter().rev() {
        mail.body = format!("{header}\r\n{}", mail.body);
    }
    mail
}

/// What the sink took; an error if it could not take a connection at all.
fn arrived(taken: Result<Message, PeerError>) -> Result<Option<Message>, String> {
    match taken {
        Ok(message) => Ok(Some(message)),
        Err(error) if error.kind == ErrorKind::Connection && error.stage == Stage::Connect => {
            Err(format!("behind the server: {}", error.text))
        }
        // No mail came, or the server broke off: that is what it did.
        Err(_) => Ok(None),
    }
}

/// How TLS begins on a side of this process.
fn mode(case: &Case, side: SideName) -> TlsMode {
    match case.scenario.file.begins(side) {
        Begins::Implicit => TlsMode::Implicit,
        Begins::Starttls => TlsMode::Starttls,
    }
}

/// The client of this process, ready to go.
fn mail_client(session: &Session, case: &Case) -> Result<Box<dyn MailClient>, String> {
    let mode = mode(case, SideName::Client);
    match &case.client {
        ClientPlan::Rustls {
            options,
            certificate,
        } => {
            let mut options = peers::client_options(options, certificate.as_deref(), session.pki())
                .map_err(|error| error.to_string())?;
            options.mode = mode;
            Ok(Box::new(options))
        }
        ClientPlan::Classic {
            options,
            certificate,
        } => {
            let mut client = peers::classic_client(options, certificate.as_deref(), session.pki())
                .map_err(|error| error.to_string())?;
            client.smtp.mode = mode;
            Ok(Box::new(client))
        }
        ClientPlan::Postfix { .. } | ClientPlan::Exim(_) | ClientPlan::Command(_) => {
            Err("the client is no peer of this process".to_owned())
        }
    }
}

async fn peer_to_postfix(
    session: &Session,
    case: &Case,
    server: &PostfixSide,
    fleets: &Fleets,
    deadline: Instant,
) -> Result<Connected, String> {
    let client = mail_client(session, case)?;
    let place = Place::of(case, server, fleets.server.as_ref(), true)?;
    let sink = place.listen().await?;
    let mut log = place.log(case, Side::Server, deadline);
    let address = place.running.fleet.address_of(place.ports.fleet);
    let mail = mail(case, recipient(&case.tag));
    let mut said = Statements::default();
    let mails = case.scenario.mails();
    for number in 1..=mails {
        if number == mails {
            said.changed = change(session, case, fleets, deadline).await?;
        }
        let sending = client.send(address, &mail, deadline);
        tokio::pin!(sending);
        let report = tokio::select! {
            report = &mut sending => Some(report),
            // A smtpd that ends before it takes the connection leaves the client to its deadline.
            () = log.fatal() => timeout(AFTER_FATAL, sending).await.ok(),
        };
        let Some(report) = report else { break };
        if let (Stage::Connect, Some(error)) = (report.stage(), &report.error) {
            return Err(format!("{address}: {error}"));
        }
        said.message = match report.delivered() {
            true => arrived(peer::sink(&sink, deadline).await)?,
            false => None,
        };
        said.peer = Some(report.after(said.peer.take()));
        log.next().await;
    }
    Ok(Connected {
        said,
        server: Some(log.finish().await),
        client: None,
    })
}

/// Where a program of the user's is started, if that is a fleet, and the place of its line in it.
fn start_of<'a>(
    case: &Case,
    plan: &CommandPlan,
    fleets: &'a Fleets,
) -> Result<(Start, Option<Place<'a>>), String> {
    let Some(side) = &plan.side else {
        return Ok((Start::Machine, None));
    };
    let running = match plan.line.is_server {
        true => fleets.server.as_ref(),
        false => fleets.client.as_ref(),
    };
    let place = Place::of(case, side, running, plan.line.is_server)?;
    let at = place.running.fleet.address_of(place.ports.fleet);
    Ok((Start::Fleet(at), Some(place)))
}

/// How many mails smtpd(8) has taken in a session, as its last line counts the commands that went well.
fn taken(last: &str) -> usize {
    let count = |name: &str| {
        let words = last.split(' ').filter_map(|word| word.strip_prefix(name));
        words
            .filter_map(|count| count.split('/').next()?.parse::<usize>().ok())
            .sum::<usize>()
    };
    count("data=") + count("bdat=").min(1)
}

async fn command_client(
    session: &Session,
    case: &Case,
    (plan, server): (&CommandPlan, &PostfixSide),
    fleets: &Fleets,
    deadline: Instant,
) -> Result<Connected, String> {
    let place = Place::of(case, server, fleets.server.as_ref(), true)?;
    let sink = place.listen().await?;
    let mut log = place.log(case, Side::Server, deadline);
    let behind = Behind::Postfix(place.running.fleet.address_of(place.ports.fleet));
    let (start, own) = start_of(case, plan, fleets)?;
    let listener = match &own {
        Some(own) => own.listen().await?,
        None => TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .map_err(|error| format!("cannot listen on 127.0.0.1: {error}"))?,
    };
    let told = Told {
        address: listener.local_addr().map_err(|error| error.to_string())?,
        looked_at_there: false,
    };
    let mut said = Statements::default();
    let mails = case.scenario.mails();
    for number in 1..=mails {
        if number == mails {
            said.changed = change(session, case, fleets, deadline).await?;
        }
        let program = Program::start(session, case, plan, start, told, deadline).await?;
        let ended = program.ended(deadline);
        let (connections, report) = serve(
            &listener,
            &behind,
            ended,
            std::future::pending(),
            &mut said,
            deadline,
        )
        .await?;
        said.command = Some(report);
        for _ in 0..connections {
            let Some(last) = log.next().await else { break };
            for _ in 0..taken(&last.text) {
                said.message = arrived(peer::sink(&sink, deadline).await)?;
            }
        }
    }
    Ok(Connected {
        said,
        server: Some(log.finish().await),
        client: None,
    })
}

/// A program of the user's that is a server, started, and where it is reached.
async fn command_server(
    session: &Session,
    case: &Case,
    plan: &CommandPlan,
    fleets: &Fleets,
    deadline: Instant,
) -> Result<(Program, SocketAddr, bool), String> {
    let (start, own) = start_of(case, plan, fleets)?;
    let (told, reached) = match own {
        Some(own) => {
            let in_container = session.engine() == EngineName::Docker;
            let start = own.ports.fleet;
            let port = match in_container {
                true => command_port(start),
                false => command_port_at(start, own.running.fleet.address_of(start).ip()),
            };
            let reached = own.running.fleet.address_of(port);
            // What a container has published comes in at an address that only it knows.
            let told = match in_container {
                true => SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)),
                false => reached,
            };
            (
                Told {
                    address: told,
                    looked_at_there: in_container,
                },
                reached,
            )
        }
        None => {
            // Free at this moment, and nobody else is given it as long as the kernel has others.
            let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
            let address = free.and_then(|free| free.local_addr());
            let address = address.map_err(|error| format!("no port on 127.0.0.1: {error}"))?;
            (
                Told {
                    address,
                    looked_at_there: false,
                },
                address,
            )
        }
    };
    // Else it would be taken for the one that is started now, which cannot have the port.
    if !told.looked_at_there && is_listening(told.address) {
        return Err(format!(
            "{}, where the program has to listen, is taken by another",
            told.address
        ));
    }
    let mut program = Program::start(session, case, plan, start, told, deadline).await?;
    let listens = program.listens(told, deadline).await;
    Ok((program, reached, listens))
}

async fn fleet_client(
    session: &Session,
    case: &Case,
    client: &PostfixSide,
    fleets: &Fleets,
    deadline: Instant,
) -> Result<Connected, String> {
    let place = Place::of(case, client, fleets.client.as_ref(), false)?;
    let listener = place.listen().await?;
    let mut log = place.log(case, Side::Client, deadline);
    let mut program = None;
    let (behind, server) = match &case.server {
        ServerPlan::Command(plan) => {
            let (started, address, listens) =
                command_server(session, case, plan, fleets, deadline).await?;
            if !listens {
                let said = Statements {
                    command: Some(started.stop().await),
                    ..Statements::default()
                };
                return Ok(Connected {
                    said,
                    server: None,
                    client: None,
                });
            }
            program = Some(started);
            (Behind::Command(address), None)
        }
        ServerPlan::Rustls {
            options,
            certificates,
            sni,
        } => {
            let mut options = peers::server_options(options, certificates, sni, session.pki())
                .map_err(|error| error.to_string())?;
            if options.mode == TlsMode::Starttls {
                options.mode = mode(case, SideName::Server);
            }
            let server = RustlsServer::new(options).map_err(|error| error.to_string())?;
            (Behind::Peer(Box::new(server)), None)
        }
        ServerPlan::Classic {
            options,
            certificates,
            sni,
        } => {
            let mut server = peers::classic_server(options, certificates, sni, session.pki())
                .map_err(|error| error.to_string())?;
            if server.smtp.mode == TlsMode::Starttls {
                server.smtp.mode = mode(case, SideName::Server);
            }
            (Behind::Peer(Box::new(server)), None)
        }
        ServerPlan::Postfix(side) | ServerPlan::Exim(side) => {
            let server = Place::of(case, side, fleets.server.as_ref(), true)?;
            (
                Behind::Postfix(server.running.fleet.address_of(server.ports.fleet)),
                Some(server),
            )
        }
    };
    let sink = match &server {
        Some(server) => Some((
            server.listen().await?,
            server.log(case, Side::Server, deadline),
        )),
        None => None,
    };
    let (sink, mut server_log) = sink.unzip();
    let state = place.running.fleet.state();
    let inject = place.running.fleet.address_of(state.inject_port);
    let mail = mail(case, recipient(&case.tag));
    // Told when the server has ended that should not: the client may wait for it much longer than the case lasts.
    let gone = Notify::new();
    let mails = async {
        let mut message = None;
        let mut changed = Vec::new();
        let mails = case.scenario.mails();
        for number in 1..=mails {
            if number == mails {
                changed = change(session, case, fleets, deadline).await?;
            }
            let age = case.scenario.file.message.age.unwrap_or_default();
            peer::inject_aged(inject, &mail.from, &mail.to, &mail.body, age, deadline)
                .await
                .map_err(|error| format!("injecting the mail: {error}"))?;
            let arriving = async {
                match &sink {
                    Some(sink) => arrived(peer::sink(sink, deadline).await),
                    None => Ok(None),
                }
            };
            tokio::pin!(arriving);
            let mut arrived = None;
            let mut abandoned = false;
            let given_up = async {
                gone.notified().await;
                // What it may still see of that server it says first.
                let _ = timeout(AFTER_FATAL, std::future::pending::<()>()).await;
            };
            tokio::pin!(given_up);
            // An Exim passes the mail on before it says that it has taken it.
            let result = {
                let result = log.next();
                tokio::pin!(result);
                loop {
                    tokio::select! {
                        result = &mut result => break result,
                        () = &mut given_up => {
                            abandoned = true;
                            break None;
                        }
                        mail = &mut arriving, if arrived.is_none() => arrived = Some(mail),
                    }
                }
            };
            if abandoned {
                message = None;
                break;
            }
            let sent = result.is_some_and(|line| line.text.contains(", status=sent"));
            message = match arrived {
                _ if !sent => None,
                Some(mail) => mail?,
                None => arriving.await?,
            };
        }
        Ok::<_, String>((log, message, changed))
    };
    let mut said = Statements::default();
    let dead = async {
        match &mut server_log {
            Some(log) => log.fatal().await,
            None => std::future::pending().await,
        }
        let expect = &case.expect;
        if expect.fatal.is_none()
            && expect.panic.is_none()
            && expect.signal.is_none()
            && expect.exit_status.is_none()
        {
            gone.notify_one();
        }
    };
    let served = serve(&listener, &behind, mails, dead, &mut said, deadline);
    let (connections, mails) = match &mut program {
        Some(program) => tokio::select! {
            served = served => served?,
            // What it prints is read as it comes: it must never wait for a reader.
            never = program.follow() => match never {},
        },
        None => served.await?,
    };
    let (client_log, message, changed) = mails?;
    said.changed = changed;
    let client = client_log.finish().await;
    if let Some(program) = program {
        said.taken = client
            .lines()
            .iter()
            .any(|line| line.text.contains(", status=sent"));
        // Only one whose end is asked for is waited for: most servers have none.
        said.command = Some(match case.expect.command_status {
            Some(_) => program.ended(deadline).await,
            None => program.stop().await,
        });
    }
    // Nobody but us listens where this client may go: that it was refused says nothing of Postfix.
    let refused = client
        .lines()
        .iter()
        .find(|line| line.text.contains(": Connection refused"));
    if let (0, Some(line)) = (connections, refused) {
        return Err(format!(
            "nothing of ours listens where the client went: {}",
            line.text
        ));
    }
    let client = Some(client);
    let mut server = None;
    if let Some(mut server_log) = server_log {
        // Without a connection the server has nothing to say, and an Exim never has.
        if let ServerPlan::Postfix(_) = &case.server {
            for _ in 0..connections {
                if server_log.next().await.is_none() {
                    break;
                }
            }
            server = Some(server_log.finish().await);
        }
        said.message = message;
    } else {
        said.message = said
            .peer
            .as_ref()
            .and_then(|report| report.message().cloned());
    }
    Ok(Connected {
        said,
        server,
        client,
    })
}
