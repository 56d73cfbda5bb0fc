//! What a fleet's container is made of, as testcontainers and Docker want it.

use std::{
    collections::{BTreeSet, HashMap},
    io,
    path::Path,
    time::SystemTime,
};

use testcontainers::{
    ContainerRequest, GenericImage, ImageExt as _, ReuseDirective,
    bollard::models::{HostConfig, HostConfigLogConfig, PortBinding},
    core::Host,
};

use super::{image::Image, network::Route};
use crate::{
    Error, FleetSpec, Result,
    engine::supervise::{RESOLVER_OPTIONS, SUPERVISE, poll},
    fleet::files::{RootFile, RootFiles},
};

/// Label of every container started here; its value is the fleet's id.
const LABEL: &str = "pfs.fleet";
/// Where the fleet's files wait inside its container until they are unpacked.
const ARCHIVE: &str = "/pfs-fleet.tar";
/// Where the script is that starts everything.
const SCRIPT: &str = "/usr/share/pfs/supervise";

pub(crate) fn container_name(id: &str) -> String {
    format!("pfs-{id}")
}

/// What testcontainers is asked to start.
pub(crate) fn request(
    spec: &FleetSpec,
    image: &Image,
    route: &Route,
    archive: Vec<u8>,
) -> ContainerRequest<GenericImage> {
    let ports: Vec<u16> = spec.ports().filter(|_| route.published).collect();
    // A fleet with zones answers there itself, others have their names in /etc/hosts: none is anybody else's business. In a
    // network of our own Docker would put a resolver of its own there, whatever it is told.
    let unpack = format!(
        "tar -xf {ARCHIVE} -C / && rm -f {ARCHIVE} && printf 'nameserver 127.0.0.1\\noptions {}\\n' >/etc/resolv.conf && \
         exec /bin/sh {SCRIPT} \"$@\"",
        RESOLVER_OPTIONS.join(" ")
    );
    let network = route.network.clone();
    let daemons = &image.facts.daemon_directory;
    let mut generic = GenericImage::new(&image.name, &image.tag).with_entrypoint("/bin/sh");
    for port in &ports {
        generic = generic.with_exposed_port((*port).into());
    }
    let mut request = generic
        .with_cmd([
            "-c",
            &unpack,
            "supervise",
            "",
            daemons,
            &poll(spec.lifetime),
        ])
        .with_container_name(container_name(&spec.id))
        .with_label(LABEL, &spec.id)
        // Only keeps testcontainers from removing it with this process: other processes may use it.
        .with_reuse(ReuseDirective::Always)
        .with_label("pfs.instance", instance())
        .with_user("0")
        .with_startup_timeout(spec.deadline)
        .with_copy_to(ARCHIVE, archive)
        .with_host_config_modifier(move |config| host_config(config, &ports, &network));
    for (name, value) in spec.holder.iter().flat_map(|holder| holder.labels()) {
        request = request.with_label(name, value);
    }
    for host in spec.host_names() {
        let address = match route.published {
            false => Host::Addr(route.harness),
            true => Host::HostGateway,
        };
        request = request.with_host(host, address);
    }
    request
}

fn host_config(config: &mut HostConfig, ports: &[u16], network: &str) {
    // Not asked of testcontainers, which would make one that is missing: another one, with a way out.
    config.network_mode = Some(network.to_owned());
    config.auto_remove = Some(true);
    config.publish_all_ports = Some(false);
    // Whatever the daemon's default is: this is the one that can be read back at once.
    config.log_config = Some(HostConfigLogConfig {
        typ: Some("json-file".to_owned()),
        config: Some(HashMap::new()),
    });
    let loopback = || {
        Some(vec![PortBinding {
            host_ip: Some("127.0.0.1".to_owned()),
            host_port: None,
        }])
    };
    config.port_bindings = Some(
        ports
            .iter()
            .map(|port| (format!("{port}/tcp"), loopback()))
            .collect(),
    );
}

/// A word that no other container's label has, so that none is taken for this one.
fn instance() -> String {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    format!("{}-{}", std::process::id(), now.as_nanos())
}

/// All of a fleet's files as one archive: each one for itself would be a question to Docker. They look an hour old,
/// since Postfix waits for newer ones to "cool down".
pub(crate) fn archive(spec: &FleetSpec) -> Result<Vec<u8>> {
    let mut files = spec.render("0.0.0.0")?;
    files.insert(SCRIPT.to_owned(), RootFile::public(SUPERVISE));
    pack(&files).map_err(Error::io("packing", ARCHIVE))
}

pub(crate) fn pack(files: &RootFiles) -> io::Result<Vec<u8>> {
    let hour_ago = SystemTime::UNIX_EPOCH
        .elapsed()
        .map_or(0, |now| now.as_secs().saturating_sub(3600));
    let mut archive = tar::Builder::new(Vec::new());
    let mut directories = BTreeSet::new();
    for (path, file) in files {
        let path = path.trim_start_matches('/');
        // tar would make a missing one with the umask's mode.
        let own = |directory: &&Path| directory.starts_with("etc/postfix/pfs");
        let parents: Vec<_> = Path::new(path)
            .ancestors()
            .skip(1)
            .take_while(own)
            .collect();
        for directory in parents.into_iter().rev() {
            if directories.insert(directory.to_owned()) {
                let mut header = header(0o755, 0, hour_ago);
                header.set_entry_type(tar::EntryType::Directory);
                archive.append_data(&mut header, directory, io::empty())?;
            }
        }
        let mut header = header(file.mode, file.bytes.len() as u64, hour_ago);
        archive.append_data(&mut header, path, file.bytes.as_slice())?;
    }
    archive.into_inner()
}

fn header(mode: u32, size: u64, modified: u64) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    header.set_mode(mode);
    header.set_size(size);
    header.set_mtime(modified);
    header.set_uid(0);
    header.set_gid(0);
    header
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;
    use crate::{FleetFile, Target, TargetFacts};

    #[test]
    fn the_archive_has_every_file_with_its_mode_and_looks_old() {
        let facts = TargetFacts::for_tests(&[]);
        let mut spec = FleetSpec::new("t", Target::parse("debian-13").unwrap(), &facts);
        spec.files
            .push(FleetFile::secret("/etc/postfix/pfs/a/key.pem", "key"));
        let bytes = archive(&spec).unwrap();
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
        let mut seen = Vec::new();
        for entry in tar::Archive::new(bytes.as_slice()).entries().unwrap() {
            let mut entry = entry.unwrap();
            let header = entry.header().clone();
            assert!(header.mtime().unwrap() < now - 3000);
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            seen.push((
                entry.path().unwrap().display().to_string(),
                header.mode().unwrap(),
                text,
            ));
        }
        let find = |name: &str| {
            seen.iter()
                .find(|(path, ..)| path.trim_end_matches('/') == name)
                .unwrap()
        };
        assert_eq!(find("etc/postfix/pfs/a").1, 0o755);
        assert_eq!(find("etc/postfix/pfs/a/key.pem").1, 0o600);
        assert_eq!(find("etc/postfix/pfs/a/key.pem").2, "key");
        assert!(find("usr/share/pfs/supervise").2.starts_with("#!/bin/sh"));
    }
}
