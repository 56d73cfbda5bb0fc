//! How much the harness costs: the cases on the default targets with every witness, against a
//! bare loop that makes the same cold handshakes as fast as it can and looks at nothing. Cases of
//! one mail that arrives by STARTTLS; those that end otherwise mostly wait for something.
//!
//! `cargo bench --bench bare_loop` (`PFS_ENGINE` chooses the engine). Both start their fleets and
//! stop them; images have to be there.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark that cannot run has nothing to say"
)]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use harness::cli::Where;
use harness::commands::{Ground, prepare};
use harness::event::{Event, Reproduce};
use harness::outcome::Outcome;
use harness::peer::{self, Mail, NoDelayStream, PreparedServer};
use harness::plan::{Case, ClientPlan, Decision, ServerPlan};
use harness::runner::{self, classic_client, classic_server, client_options, server_options};
use harness::session::{Kind, Line, Ports, Running, Session, recipient};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

const ROUNDS: usize = 3;

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let jobs = 4 * std::thread::available_parallelism().map_or(2, usize::from);
        let mut ratios = Vec::new();
        for round in 1..=ROUNDS {
            let (full, cases) = full_run(jobs).await;
            let bare = bare_run(jobs).await;
            let ratio = full.as_secs_f64() / bare.as_secs_f64();
            println!(
                "round {round}: {cases} cases: with all witnesses {:.2} s, bare loop {:.2} s, ratio {ratio:.2}",
                full.as_secs_f64(),
                bare.as_secs_f64()
            );
            ratios.push(ratio);
        }
        ratios.sort_by(f64::total_cmp);
        println!("median ratio {:.2}", ratios[ROUNDS / 2]);
    });
}

async fn ground() -> Ground {
    let (events, _) = mpsc::unbounded_channel();
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let scenarios =
        harness::scenario::load(&directory).unwrap_or_else(|errors| panic!("{}", errors[0]));
    let engine = Where { engine: None }.engine();
    let engine = engine.unwrap_or_else(|error| panic!("{error}"));
    let mut ground = prepare(
        scenarios.into_iter().map(Arc::new).collect(),
        &[],
        engine,
        &events,
    )
    .await
    .unwrap_or_else(|e| panic!("{e}"));
    ground
        .decisions
        .retain(|decision| matches!(decision, Decision::Run(case) if is_plain(case)));
    ground
}

fn is_plain(case: &Case) -> bool {
    let file = &case.scenario.file;
    let exim =
        matches!(case.server, ServerPlan::Exim(_)) || matches!(case.client, ClientPlan::Exim(_));
    case.expect.must_deliver()
        && case.expect.tls != Some(false)
        && case.scenario.mails() == 1
        && !file.implicit_tls()
        && !file.fresh
        && file.known_bug.is_empty()
        && !exim
}

async fn open(ground: Ground) -> (Arc<Session>, Vec<Decision>) {
    let catalogue = ground.cases();
    let session = Session::open(
        ground.engine,
        &ground.cache,
        Kind::Private,
        ground.targets,
        catalogue,
    )
    .await
    .unwrap_or_else(|e| panic!("{e}"));
    (Arc::new(session), ground.decisions)
}

async fn full_run(jobs: usize) -> (Duration, usize) {
    let started = Instant::now();
    let (session, decisions) = open(ground().await).await;
    let (events, mut received) = mpsc::unbounded_channel();
    let tally = runner::run(
        &session,
        decisions,
        runner::Options {
            jobs,
            accept: false,
            snapshots: Default::default(),
            reproduce: Reproduce::default().on(session.engine()),
        },
        &events,
    )
    .await;
    session.close().await.unwrap_or_else(|e| panic!("{e}"));
    if tally.fail + tally.broken > 0 {
        while let Ok(event) = received.try_recv() {
            if let Event::Case(case) = event
                && matches!(case.outcome, Outcome::Fail(_) | Outcome::Broken(_))
            {
                eprintln!("{} on {}: {:?}", case.id, case.target, case.outcome);
            }
        }
        panic!("a run that fails measures something else");
    }
    (started.elapsed(), tally.pass)
}

async fn bare_run(jobs: usize) -> Duration {
    let started = Instant::now();
    let (session, decisions) = open(ground().await).await;
    let slots = Arc::new(Semaphore::new(jobs));
    let mut running = JoinSet::new();
    for decision in decisions {
        let Decision::Run(case) = decision else {
            continue;
        };
        let (session, slots) = (Arc::clone(&session), Arc::clone(&slots));
        running.spawn(async move {
            let mut fleets = BTreeMap::new();
            for key in case.fleets() {
                let fleet = session
                    .fleet(key, &case)
                    .await
                    .unwrap_or_else(|e| panic!("{e}"));
                fleets.insert(key.clone(), fleet);
            }
            let _slot = slots.acquire().await;
            handshake(&session, &case, &fleets).await;
        });
    }
    while let Some(ended) = running.join_next().await {
        ended.expect("no case panics");
    }
    session.close().await.unwrap_or_else(|e| panic!("{e}"));
    started.elapsed()
}

type Fleets = BTreeMap<harness::plan::FleetKey, Arc<Running>>;

fn line(
    case: &Case,
    side: &harness::plan::PostfixSide,
    fleets: &Fleets,
    server: bool,
) -> (Arc<Running>, Ports) {
    let running = Arc::clone(&fleets[&side.fleet]);
    let lines = Line::of(case, &side.fleet);
    let line = lines
        .iter()
        .find(|line| line.role.is_server() == server)
        .expect("planned");
    let ports = running.ports(line).expect("in the fleet");
    (running, ports)
}

/// The connection of a case and nothing else.
async fn handshake(session: &Session, case: &Case, fleets: &Fleets) {
    let deadline = tokio::time::Instant::now() + case.scenario.deadline();
    let mail = Mail::new("", &recipient(&case.tag), "bare");
    let server = match &case.server {
        ServerPlan::Postfix(side) | ServerPlan::Exim(side) => {
            let (running, ports) = line(case, side, fleets, true);
            Some(running.fleet.address_of(ports.fleet))
        }
        _ => None,
    };
    match (&case.client, server) {
        (
            ClientPlan::Rustls {
                options,
                certificate,
            },
            Some(address),
        ) => {
            let options =
                client_options(options, certificate.as_deref(), session.pki()).expect("options");
            peer::send(address, &options, &mail, deadline).await;
        }
        (
            ClientPlan::Classic {
                options,
                certificate,
            },
            Some(address),
        ) => {
            let client =
                classic_client(options, certificate.as_deref(), session.pki()).expect("options");
            peer::classic::send(address, &client, &mail, deadline).await;
        }
        (ClientPlan::Postfix { side, .. } | ClientPlan::Exim(side), upstream) => {
            let (running, ports) = line(case, side, fleets, false);
            let at = SocketAddr::new(running.fleet.harness_address(), ports.harness);
            let listener = TcpListener::bind(at).await.expect("the port is ours");
            let inject = running.fleet.address_of(running.fleet.state().inject_port);
            peer::inject(inject, &mail.from, &mail.to, &mail.body, deadline)
                .await
                .expect("injected");
            let accepted = tokio::time::timeout_at(deadline, listener.accept()).await;
            let (stream, _) = accepted
                .unwrap_or_else(|_| panic!("{}: no connection", case.id))
                .expect("a connection");
            let stream = NoDelayStream::new(stream);
            match (&case.server, upstream) {
                (
                    ServerPlan::Rustls {
                        options,
                        certificates,
                        sni,
                    },
                    _,
                ) => {
                    let options =
                        server_options(options, certificates, sni, session.pki()).expect("options");
                    let prepared = PreparedServer::new(&options).expect("options");
                    prepared.receive_on(stream, &options, deadline).await;
                }
                (
                    ServerPlan::Classic {
                        options,
                        certificates,
                        sni,
                    },
                    _,
                ) => {
                    let server =
                        classic_server(options, certificates, sni, session.pki()).expect("options");
                    peer::classic::receive_on(stream, &server, deadline).await;
                }
                (ServerPlan::Postfix(_) | ServerPlan::Exim(_), Some(address)) => {
                    let upstream = peer::connect(address, None)
                        .await
                        .expect("the server is there");
                    peer::forward_between(stream, upstream, deadline).await;
                }
                (ServerPlan::Postfix(_) | ServerPlan::Exim(_), None)
                | (ServerPlan::Command(_), _) => {}
            }
        }
        (ClientPlan::Rustls { .. } | ClientPlan::Classic { .. } | ClientPlan::Command(_), _) => {}
    }
}
