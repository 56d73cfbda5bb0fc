//! Who reaches whom between this process and a container.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket},
    time::Duration,
};

use testcontainers::bollard::{Docker, query_parameters::InspectNetworkOptions};
use tokio::time::timeout;

use crate::{Address, Error, Result, images::error};

/// The network every container is in. Docker's own, since it alone keeps a container's `--dns` as it is.
pub(crate) const NETWORK: &str = "bridge";

/// How containers and this process reach each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    /// We reach them at their own address, they reach us at this one of ours.
    Bridge {
        /// Our address as they see it.
        harness: Ipv4Addr,
    },
    /// We reach them through ports published on 127.0.0.1, they reach us as `host-gateway`.
    Published {
        /// Where we listen for them.
        harness: IpAddr,
    },
}

impl Route {
    /// Finds out which it is, without starting anything.
    pub(crate) async fn find(docker: &Docker, wanted: Address) -> Result<Route> {
        let inspected = docker.inspect_network(NETWORK, None::<InspectNetworkOptions>);
        let network = timeout(Duration::from_secs(10), inspected)
            .await
            .map_err(|_| Error::DockerUnreachable {
                why: "no answer about its bridge within 10 s".to_owned(),
            })?
            .map_err(error("inspecting the network `bridge`"))?;
        let subnets = network
            .ipam
            .and_then(|ipam| ipam.config)
            .unwrap_or_default();
        let subnet = subnets
            .iter()
            .find_map(|config| Subnet::parse(config.subnet.as_deref()?));
        let gateway: Option<Ipv4Addr> = subnets
            .iter()
            .find_map(|config| config.gateway.as_deref()?.parse().ok())
            .or(subnet.map(|s| s.first()));
        let own = gateway.and_then(own_address_towards);
        let on_bridge = own.filter(|own| subnet.is_some_and(|subnet| subnet.contains(*own)));
        match (wanted, on_bridge) {
            (Address::Auto | Address::Bridge, Some(harness)) => Ok(Route::Bridge { harness }),
            (Address::Bridge, None) => Err(Error::Docker {
                doing: "looking for a way to its bridge".to_owned(),
                why: "this process is neither on Docker's host nor in a container on its bridge; \
                      use published ports"
                    .to_owned(),
            }),
            (Address::Auto | Address::Published, _) => Ok(Route::Published {
                harness: behind_host_gateway(gateway),
            }),
        }
    }

    /// Where this process listens for a container's connections.
    pub(crate) fn harness(self) -> IpAddr {
        match self {
            Route::Bridge { harness } => IpAddr::V4(harness),
            Route::Published { harness } => harness,
        }
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Subnet {
    base: u32,
    mask: u32,
}

impl Subnet {
    fn parse(text: &str) -> Option<Subnet> {
        let (base, bits) = text.split_once('/')?;
        let base = base.parse::<Ipv4Addr>().ok()?.to_bits();
        let bits = bits.parse::<u32>().ok().filter(|bits| *bits <= 32)?;
        let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
        Some(Subnet {
            base: base & mask,
            mask,
        })
    }

    fn contains(self, address: Ipv4Addr) -> bool {
        address.to_bits() & self.mask == self.base
    }

    fn first(self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.base | 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subnets() {
        let subnet = Subnet::parse("172.17.0.0/16").unwrap();
        assert!(subnet.contains(Ipv4Addr::new(172, 17, 255, 1)));
        assert!(!subnet.contains(Ipv4Addr::new(172, 18, 0, 1)));
        assert_eq!(subnet.first(), Ipv4Addr::new(172, 17, 0, 1));
        assert!(
            Subnet::parse("0.0.0.0/0")
                .unwrap()
                .contains(Ipv4Addr::LOCALHOST)
        );
        for bad in ["", "172.17.0.0", "172.17.0.0/33", "fe80::/64", "x/8"] {
            assert_eq!(Subnet::parse(bad), None, "{bad}");
        }
    }
}
