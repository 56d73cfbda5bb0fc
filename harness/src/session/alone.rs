//! A case by itself: what its Postfix instances are made of, for whoever starts them without this harness.

use pfs_certs::Pki;
use pfs_containers::{FleetSpec, Target, TargetFacts};

use super::lines::{self, Line, Ports};
use crate::plan::{Case, FleetKey};

/// The port of a server that has none of its own.
const SERVER_PORT: u16 = 10_025;
/// Where a server passes mail on to.
pub const SINK_PORT: u16 = 10_026;

/// The port at which the server of a case listens by itself.
pub fn server_port(case: &Case) -> u16 {
    let lines: Vec<Line> = case.fleets().flat_map(|key| Line::of(case, key)).collect();
    let own = lines.iter().find_map(Line::fixed_port);
    let wanted = lines.iter().find_map(Line::server_port);
    own.or(wanted).unwrap_or(SERVER_PORT)
}

/// One of the instances of a case, with its lines and no others, client and server at ports that fit each other.
///
/// # Errors
/// A certificate that cannot be made.
pub fn alone(
    case: &Case,
    key: &FleetKey,
    (target, facts): &(Target, TargetFacts),
    pki: &Pki,
) -> Result<FleetSpec, pfs_certs::Error> {
    let port = server_port(case);
    let with_ports = |line: Line| {
        let harness = match line.role.is_server() {
            true => SINK_PORT,
            false => line.server_port().unwrap_or(port),
        };
        let fleet = line.fixed_port().unwrap_or(port);
        (line, Ports { fleet, harness })
    };
    // A program of the user's needs no Postfix to run it.
    let lines = Line::of(case, key).into_iter();
    let lines = lines.filter(|line| line.command.is_none());
    let lines: Vec<(Line, Ports)> = lines.map(with_ports).collect();
    pki.prepare(lines::certificates(&lines))?;
    let mut spec = FleetSpec::new("alone", target.clone(), facts);
    lines::put(&mut spec, key, &lines, pki)?;
    Ok(spec)
}
