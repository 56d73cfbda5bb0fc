//! Networks of ours: one for each holder, which leads nowhere.

use std::{collections::HashMap, fs, net::IpAddr};

use testcontainers::bollard::{
    Docker,
    errors::Error as BollardError,
    models::{Ipam, IpamConfig, NetworkCreateRequest, NetworkInspect},
    query_parameters::{InspectNetworkOptions, ListNetworksOptions, ListNetworksOptionsBuilder},
};
use tokio::time::{Instant, timeout};

use super::{
    Route, own_address_towards,
    subnet::{Subnet, ranges, routes_in},
};
use crate::{
    Cache, Error, Holder, Result,
    fleet::ready::within,
    holder::CACHE_ID,
    images::{PATIENCE, error, is_missing},
    recipe::hash,
    silent,
};

/// Label of every network made here.
const LABEL: &str = "pfs.network";
/// What Docker's bridge calls the address that it tells containers to use as their gateway, if it is not its own.
const NOBODY: &str = "DefaultGatewayIPv4";
/// Lock of a cache around making and removing a network: whoever finds one has its container in it before it can go.
const LOCK: &str = "docker-networks";

/// What a holder's network is called.
fn name(holder: &Holder) -> String {
    let labels = holder.labels().map(|(_, value)| value);
    format!("pfs-{}", hash(&labels))
}

fn labels(holder: &Holder) -> HashMap<String, String> {
    let own = (LABEL, "fleets".to_owned());
    let all = holder.labels().into_iter().chain([own]);
    all.map(|(name, value)| (name.to_owned(), value)).collect()
}

/// A holder's own network, with no way out of it. What Docker calls `internal` forwards nothing, yet its containers have
/// this machine as their gateway, and so reach it at every address that it has: the gateway here is one that nobody has.
/// This machine's address in it is nobody else's either, so that the ports of two sessions are never the same.
pub(super) async fn network(docker: &Docker, holder: &Holder) -> Result<Route> {
    let (name, labels) = (name(holder), labels(holder));
    let doing = format!("making the network {name}");
    let found = async {
        let cache = Cache::at(holder.cache());
        let _lock = cache.lock(LOCK, &doing, "docker", &silent()).await?;
        match find(docker, &name).await? {
            Some(found) => Ok(Some(found)),
            None => {
                make(docker, &name, &labels).await?;
                find(docker, &name).await
            }
        }
    };
    let deadline = Instant::now() + PATIENCE;
    let found = within(deadline, &name, "making its network", found).await?;
    let own = found.filter(|found| {
        found.labels.as_ref() == Some(&labels)
            && found.internal == Some(true)
            && leads_nowhere(found.ipam.as_ref())
    });
    let Some(own) = own else {
        return Err(Error::Docker {
            doing,
            why: "there is one of that name that was not made by pfs: `docker network inspect` shows it"
                .to_owned(),
        });
    };
    let gateway = Subnet::of(own.ipam.as_ref()).map(|(_, gateway)| gateway);
    match gateway.filter(|gateway| own_address_towards(*gateway) == Some(*gateway)) {
        Some(own) => Ok(Route {
            network: name,
            harness: IpAddr::V4(own),
            published: false,
        }),
        None => Err(Error::Docker {
            doing,
            why: "this machine has no IPv4 address in it".to_owned(),
        }),
    }
}

async fn find(docker: &Docker, name: &str) -> Result<Option<NetworkInspect>> {
    match docker
        .inspect_network(name, None::<InspectNetworkOptions>)
        .await
    {
        Ok(found) => Ok(Some(found)),
        Err(missing) if is_missing(&missing) => Ok(None),
        Err(why) => Err(error("looking for a network")(why)),
    }
}

/// Makes one in the first range of addresses that nobody has.
async fn make(docker: &Docker, name: &str, labels: &HashMap<String, String>) -> Result<()> {
    let listed = docker.list_networks(None::<ListNetworksOptions>);
    let listed = listed.await.map_err(error("listing networks"))?;
    let configs = listed
        .into_iter()
        .filter_map(|network| network.ipam?.config);
    let of_docker = configs
        .flatten()
        .filter_map(|config| Subnet::parse(&config.subnet?));
    // This process may not be allowed to look, or have none.
    let routes = fs::read_to_string("/proc/net/route").unwrap_or_default();
    let taken: Vec<Subnet> = of_docker.chain(routes_in(&routes)).collect();
    let free = ranges(name).filter(|range| !taken.iter().any(|taken| taken.overlaps(*range)));
    for range in free {
        let doing = format!("making the network {name}");
        match docker.create_network(request(name, labels, range)).await {
            Ok(_) => return Ok(()),
            // Somebody else has been given it meanwhile.
            Err(BollardError::DockerResponseServerError { message, .. })
                if message.contains("overlap") => {}
            Err(why) => return Err(error(&doing)(why)),
        }
    }
    Err(Error::Docker {
        doing: format!("making the network {name}"),
        why: "all of 198.19.0.0/16 is in use: `docker network ls` and `ip route` show by whom; `docker network prune` \
              removes what no container is in"
            .to_owned(),
    })
}

fn request(name: &str, labels: &HashMap<String, String>, range: Subnet) -> NetworkCreateRequest {
    let config = IpamConfig {
        subnet: Some(format!("{}/24", range.at(0))),
        gateway: Some(range.first().to_string()),
        auxiliary_addresses: Some(HashMap::from([(
            NOBODY.to_owned(),
            range.at(254).to_string(),
        )])),
        ..Default::default()
    };
    NetworkCreateRequest {
        name: name.to_owned(),
        driver: Some("bridge".to_owned()),
        internal: Some(true),
        labels: Some(labels.clone()),
        ipam: Some(Ipam {
            config: Some(vec![config]),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// Whether the containers' gateway is an address that nobody has.
fn leads_nowhere(ipam: Option<&Ipam>) -> bool {
    let config = ipam
        .and_then(|ipam| ipam.config.as_deref())
        .unwrap_or_default();
    matches!(config, [one] if one
        .auxiliary_addresses
        .as_ref()
        .is_some_and(|all| all.contains_key(NOBODY)))
}

/// Removes the network of a holder, unless a container is still in it. The caller holds the holder's lock.
pub(crate) async fn remove_of(docker: &Docker, holder: &Holder) -> Result<()> {
    for (id, of) in list(docker).await? {
        if of == *holder {
            remove(docker, &id).await?;
        }
    }
    Ok(())
}

/// Removes the networks of holders that are proved dead.
pub(crate) async fn sweep(docker: &Docker) -> Result<()> {
    for (id, holder) in list(docker).await? {
        if !holder.is_dead() {
            continue;
        }
        // Whoever comes back to it makes it anew, or is about to put a container into it.
        let Some(_lock) = Cache::at(holder.cache()).try_lock(LOCK, "sweeping")? else {
            continue;
        };
        if holder.is_dead() {
            remove(docker, &id).await?;
        }
    }
    Ok(())
}

/// Every network that is ours by each of its marks, and whose it is.
async fn list(docker: &Docker) -> Result<Vec<(String, Holder)>> {
    let filters = HashMap::from([("label", vec![CACHE_ID, LABEL])]);
    let options = ListNetworksOptionsBuilder::new().filters(&filters).build();
    let listed = timeout(PATIENCE, docker.list_networks(Some(options))).await;
    let found = match listed {
        Ok(found) => found.map_err(error("listing networks"))?,
        Err(_) => {
            return Err(Error::DockerUnreachable {
                why: "no list of networks within 10 s".to_owned(),
            });
        }
    };
    let ours = found.into_iter().filter_map(|network| {
        let found = network.labels?;
        let holder = Holder::of_labels(&found)?;
        let is_ours = network.name? == name(&holder)
            && found == labels(&holder)
            && network.internal == Some(true);
        Some((network.id.filter(|_| is_ours)?, holder))
    });
    Ok(ours.collect())
}

/// One that a container is in stays: Docker refuses to remove it.
async fn remove(docker: &Docker, id: &str) -> Result<()> {
    let doing = "removing a network";
    match timeout(PATIENCE, docker.remove_network(id)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(why)) if is_missing(&why) || is_in_use(&why) => Ok(()),
        Ok(Err(why)) => Err(error(doing)(why)),
        Err(_) => Err(Error::Docker {
            doing: doing.to_owned(),
            why: format!("not done within {} s", PATIENCE.as_secs()),
        }),
    }
}

/// "… has active endpoints"; the number was another one in older versions of Docker.
fn is_in_use(error: &BollardError) -> bool {
    matches!(
        error,
        BollardError::DockerResponseServerError {
            status_code: 403 | 409,
            ..
        }
    )
}
