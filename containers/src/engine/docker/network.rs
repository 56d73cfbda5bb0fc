//! Who reaches whom between this process and a container.

mod own;
mod subnet;

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};

use testcontainers::bollard::{Docker, query_parameters::InspectNetworkOptions};
use tokio::time::timeout;

use crate::{
    Address, Error, Holder, Result,
    images::{PATIENCE, error, is_missing},
};
pub(crate) use own::{remove_of, sweep};
use subnet::Subnet;

/// Docker's own network, which leads to wherever this machine's does.
const DEFAULT: &str = "bridge";
/// Where this process is, as seen from Docker's networks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// On Docker's host, which has an address in every network.
    Host,
    /// In a container on Docker's own network, at this address.
    Bridge(Ipv4Addr),
    /// Elsewhere: published ports lead there, and containers reach us as `host-gateway`, where we listen at this address.
    Elsewhere(IpAddr),
}

/// How the containers of a holder and this process reach each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Route {
    /// The network that the containers are in.
    pub(crate) network: String,
    /// Where this process listens for a container's connections.
    pub(crate) harness: IpAddr,
    /// Whether they are reached through ports published on 127.0.0.1, and not at addresses of their own.
    pub(crate) published: bool,
}

impl Place {
    /// Finds out which it is, without starting anything.
    pub(crate) async fn find(docker: &Docker, wanted: Address) -> Result<Place> {
        let inspected = docker.inspect_network(DEFAULT, None::<InspectNetworkOptions>);
        let network = match timeout(PATIENCE, inspected).await {
            Ok(Ok(network)) => network,
            // Docker can be told to have none. Then there is nothing that could be published, either.
            Ok(Err(missing)) if is_missing(&missing) => return Ok(Place::Host),
            Ok(Err(why)) => return Err(error("inspecting the network `bridge`")(why)),
            Err(_) => {
                return Err(Error::DockerUnreachable {
                    why: "no answer about its bridge within 10 s".to_owned(),
                });
            }
        };
        let subnet = Subnet::of(network.ipam.as_ref());
        let gateway = subnet.map(|(_, gateway)| gateway);
        let own = gateway.and_then(own_address_towards);
        let on_bridge = own.filter(|own| subnet.is_some_and(|(subnet, _)| subnet.contains(*own)));
        match (wanted, on_bridge) {
            (Address::Auto, Some(own)) if Some(own) == gateway => Ok(Place::Host),
            (Address::Auto | Address::Bridge, Some(own)) => Ok(Place::Bridge(own)),
            (Address::Bridge, None) => Err(Error::Docker {
                doing: "looking for a way to its bridge".to_owned(),
                why: "this process is neither on Docker's host nor in a container on its bridge; \
                      use published ports"
                    .to_owned(),
            }),
            (Address::Auto | Address::Published, _) => {
                Ok(Place::Elsewhere(behind_host_gateway(gateway)))
            }
        }
    }

    /// The way between this process and the containers of a holder, whose network is made if there is none.
    pub(crate) async fn route(&self, docker: &Docker, holder: &Holder) -> Result<Route> {
        let default = |harness, published| Route {
            network: DEFAULT.to_owned(),
            harness,
            published,
        };
        match self {
            Place::Host => own::network(docker, holder).await,
            Place::Bridge(own) => Ok(default(IpAddr::V4(*own), false)),
            Place::Elsewhere(own) => Ok(default(*own, true)),
        }
    }

    /// Why the containers are not in a network that leads nowhere.
    pub(crate) fn leads_out(&self) -> Option<String> {
        let why = match self {
            Place::Host => return None,
            Place::Bridge(_) => "pfs is in a container",
            Place::Elsewhere(_) => "pfs does not run on Docker's host",
        };
        Some(format!(
            "{why}: the fleets are on Docker's own network, and mail for an address that a scenario names may leave \
             this machine"
        ))
    }
}

/// The local address a packet to `peer` would carry; sends nothing.
fn own_address_towards(peer: Ipv4Addr) -> Option<Ipv4Addr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((peer, 9)).ok()?;
    match socket.local_addr().ok()? {
        SocketAddr::V4(local) => Some(*local.ip()),
        SocketAddr::V6(_) => None,
    }
}

/// Where to listen so that a container reaches us as `host-gateway`: on Docker's host that is the bridge's own
/// address; Docker Desktop leads it to the host's loopback instead.
fn behind_host_gateway(gateway: Option<Ipv4Addr>) -> IpAddr {
    let ours = gateway.filter(|gateway| TcpListener::bind((*gateway, 0)).is_ok());
    IpAddr::V4(ours.unwrap_or(Ipv4Addr::LOCALHOST))
}
