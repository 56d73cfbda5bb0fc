//! A side of a case in its fleet.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock, Mutex as StdMutex, PoisonError};

use tokio::net::TcpListener;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::Instant;

use super::collect::{self, Collector};
use crate::observe::summary::Side;
use crate::plan::{Case, ClientPlan, PostfixSide};
use crate::session::{Line, Ports, Running};

/// Who has a port that a scenario names, by port.
static TURNS: LazyLock<StdMutex<HashMap<u16, Arc<Mutex<()>>>>> = LazyLock::new(StdMutex::default);

/// Waits until no other case of this process uses the port that the next hop of this one names.
pub(super) async fn turn(case: &Case) -> Option<OwnedMutexGuard<()>> {
    let ClientPlan::Postfix { nexthop, .. } = &case.client else {
        return None;
    };
    let turn = {
        let mut turns = TURNS.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(turns.entry(nexthop.port()?).or_default())
    };
    Some(turn.lock_owned().await)
}

/// A side that is a Postfix: its fleet and its ports.
pub(super) struct Place<'a> {
    pub(super) running: &'a Running,
    pub(super) ports: Ports,
}

impl<'a> Place<'a> {
    pub(super) fn of(
        case: &Case,
        side: &PostfixSide,
        running: Option<&'a Arc<Running>>,
        server: bool,
    ) -> Result<Self, String> {
        let missing = || format!("the fleet {} has no line for {}", side.fleet, case.id);
        let running = running.ok_or_else(missing)?;
        let line = Line::of(case, &side.fleet)
            .into_iter()
            .find(|line| line.role.is_server() == server)
            .ok_or_else(missing)?;
        let ports = running.ports(&line).ok_or_else(missing)?;
        Ok(Self { running, ports })
    }

    pub(super) fn log(&self, case: &Case, side: Side, deadline: Instant) -> Collector {
        let lines = self
            .running
            .fleet
            .log()
            .subscribe_to(&format!("postfix/{}", case.tag), collect::daemons(side));
        let tlsproxy = match &case.client {
            ClientPlan::Postfix { side, .. } if side.daemons.tlsproxy => Side::Client,
            _ => Side::Server,
        };
        Collector::new(lines, side, tlsproxy, deadline)
    }

    /// Binds the port on which the harness is reached by this Postfix.
    pub(super) async fn listen(&self) -> Result<TcpListener, String> {
        let address = SocketAddr::new(self.running.fleet.harness_address(), self.ports.harness);
        TcpListener::bind(address).await.map_err(|error| {
            format!("cannot listen on {address}: {error}; another program may have taken the port")
        })
    }
}
