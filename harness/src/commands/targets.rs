//! `pfs targets`.

use pfs_containers::{Packaged, ProgressEvent, Target, TargetFacts};

use super::Error;
use super::prepare::{nominal, open_engine};
use crate::cli::{EngineName, TargetsOf};
use crate::outcome::EXIT_PASS;
use crate::{say, tell};

/// Programs of the name servers (`images/dns.sh`).
const NAME_SERVERS: [&str; 5] = ["nsd", "unbound", "ldns-keygen", "ldns-signzone", "drill"];

pub(super) async fn targets(options: TargetsOf) -> Result<u8, Error> {
    if options.targets.targets.is_empty() {
        built_in();
        return Ok(EXIT_PASS);
    }
    let targets = options
        .targets
        .targets
        .iter()
        .map(|name| Target::parse(name));
    let targets = targets.collect::<Result<Vec<_>, _>>()?;
    let engine = match options.place.engine()? {
        EngineName::Auto if targets.iter().any(Target::needs_chroot) => EngineName::Chroot,
        asked => asked,
    };
    let (engine, _) = open_engine(engine).await?;
    let progress = |event: ProgressEvent| {
        if let ProgressEvent::Making { target, line }
        | ProgressEvent::Bootstrapping { target, line } = event
        {
            tell!("{target}: {line}");
        }
    };
    for target in &targets {
        let facts = engine.prepare(target, &progress).await?;
        describe(target, &facts);
    }
    Ok(EXIT_PASS)
}

/// What a scenario with `start = "as-packaged"` has.
fn packaged(packaged: &Packaged) {
    let tls: Vec<String> = packaged
        .main_cf
        .iter()
        .filter(|(name, _)| name.contains("tls"))
        .map(|(name, value)| format!("{name} = {value}"))
        .collect();
    let mut heading = "as packaged";
    for line in &tls {
        say!("  {heading:<20} {line}");
        heading = "";
    }
    if tls.is_empty() {
        say!("  {heading:<20} main.cf says nothing of TLS");
    }
    let chrooted: Vec<&str> = packaged.chrooted.iter().map(String::as_str).collect();
    match chrooted.as_slice() {
        [] => say!("  in a chroot          nothing"),
        some => say!("  in a chroot          {}", some.join(" ")),
    }
}

fn built_in() {
    for target in Target::built_in() {
        let versions = nominal(&target)
            .map(|v| format!("Postfix {}, OpenSSL {}", v.postfix, v.openssl))
            .unwrap_or_default();
        let default = Target::defaults().any(|one| one.name() == target.name());
        say!(
            "{:<16}{versions}{}",
            target.name(),
            if default { "" } else { " (only when named)" }
        );
    }
    for (form, what) in [
        ("NAME=image:REF", "an image with Postfix in it"),
        ("NAME=root:DIR", "a root file system in a directory"),
        (
            "NAME=debs:DIR",
            "your .deb files, over debian-13 or another with @debian-12",
        ),
        (
            "NAME=source:DIR",
            "your source tree, built over debian-13 or another",
        ),
        (
            "installed",
            "the Postfix of this machine, as an instance of its own",
        ),
    ] {
        say!("{form:<16}{what}");
    }
}

/// What was found in a target, and what does not apply to it.
fn describe(target: &Target, facts: &TargetFacts) {
    let name = target.name();
    say!(
        "{name}: Postfix {}, {}",
        facts.mail_version,
        facts.openssl_text
    );
    say!("  from                 {}", target.argument());
    say!("  compatibility_level  {}", facts.compatibility_level);
    say!("  config_directory     {}", facts.config_directory);
    say!("  daemon_directory     {}", facts.daemon_directory);
    for written in &facts.written {
        say!("  writes to            {written}");
    }
    packaged(&facts.packaged);
    let maps: Vec<&str> = facts.map_types.iter().map(String::as_str).collect();
    say!("  lookup tables        {}", maps.join(" "));
    let missing: Vec<&str> = NAME_SERVERS
        .into_iter()
        .filter(|program| !facts.programs.contains(*program))
        .collect();
    if missing.is_empty() {
        say!("  name servers         nsd, unbound: DANE applies");
    } else {
        say!(
            "  name servers         without {}: what looks names up, such as DANE, does not apply",
            missing.join(", ")
        );
    }
    if facts.programs.contains("exim") {
        say!("  Exim                 there: pairs with it apply");
    } else {
        say!("  Exim                 none in /opt/exim: pairs with it do not apply");
    }
}
