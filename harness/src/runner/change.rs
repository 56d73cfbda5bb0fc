//! What a case does to its own fleets while they run.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::peers::Fleets;
use crate::plan::{Case, ClientPlan, PostfixSide, ServerPlan};
use crate::session::{Running, Session};

/// Most that a command may print. Bytes.
const PRINTED_LIMIT: u64 = 1 << 20;

/// Changes files as the case says; returns what was written.
pub(super) async fn change(
    session: &Session,
    case: &Case,
    fleets: &Fleets,
    deadline: Instant,
) -> Result<Vec<String>, String> {
    let Some(change) = &case.scenario.file.change else {
        return Ok(Vec::new());
    };
    let mut sides: Vec<(&PostfixSide, &Running)> = Vec::new();
    if let (ServerPlan::Postfix(side), Some(running)) = (&case.server, &fleets.server) {
        sides.push((side, running));
    }
    if let (ClientPlan::Postfix { side, .. }, Some(running)) = (&case.client, &fleets.client) {
        sides.push((side, running));
    }
    let mut printed = BTreeMap::new();
    for (side, running) in &sides {
        for command in &side.daemons.commands {
            let port = side.daemons.command_port(command).unwrap_or_default();
            let output = timeout_at(deadline, output(running.fleet.address_of(port))).await;
            let failed = |why: String| format!("`{command}` in {}: {why}", side.fleet);
            let output = output
                .map_err(|_| failed("not done before the deadline".to_owned()))?
                .map_err(|error| failed(error.to_string()))?;
            printed.insert(command.clone(), output);
        }
    }
    let mut written = Vec::new();
    let mut done = Vec::new();
    for (side, running) in sides {
        // Both sides may live in one fleet.
        if done.contains(&&side.fleet) {
            continue;
        }
        let files = session
            .change(&side.fleet, running, case, change, printed.clone())
            .await
            .map_err(|error| error.to_string())?;
        let texts = files
            .iter()
            .map(|file| String::from_utf8_lossy(&file.bytes));
        written.extend(texts.map(|text| text.into_owned()));
        done.push(&side.fleet);
    }
    Ok(written)
}

/// Everything that spawn(8) at this address has to say.
async fn output(address: SocketAddr) -> std::io::Result<Vec<u8>> {
    let stream = TcpStream::connect(address).await?;
    let mut output = Vec::new();
    stream.take(PRINTED_LIMIT).read_to_end(&mut output).await?;
    Ok(output)
}
