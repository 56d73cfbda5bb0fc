//! How long a fleet takes to start, to be joined and to stop:
//! `start_times [docker|chroot] [TARGET] [PORTS] [ROUNDS] [ZONES]`; with signed ZONES it has name servers.

use std::time::Instant;

use pfs_containers::{
    Cache, EngineChoice, FleetSpec, NameService, ProgressEvent, Service, Settings, Target,
    dns::{Zone, ZoneState},
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let argument = |n, default: &str| {
        std::env::args()
            .nth(n)
            .unwrap_or_else(|| default.to_owned())
    };
    let choice: EngineChoice = argument(1, "auto").parse()?;
    let target = Target::parse(&argument(2, "debian-13"))?;
    let ports: u16 = argument(3, "150").parse()?;
    let rounds: u32 = argument(4, "5").parse()?;
    let zones: u32 = argument(5, "0").parse()?;

    let engine = choice.open(Settings::new(Cache::of_user())).await?;
    engine.sweep().await?;
    let began = Instant::now();
    let progress = |event: ProgressEvent| eprintln!("{event:?}");
    let facts = engine.prepare(&target, &progress).await?;
    println!(
        "{} {target} {} {}: prepared in {:?}",
        engine.name(),
        facts.mail_version,
        facts.openssl_text,
        began.elapsed()
    );

    for round in 0..rounds {
        let mut spec = FleetSpec::new(
            format!("times-{}-{round}", std::process::id()),
            target.clone(),
            &facts,
        );
        spec.services
            .extend((0..ports).map(|n| Service::smtpd(20_000 + n).tag(&format!("c{n}"))));
        let zones = (0..zones).map(|n| Zone {
            name: format!("zone-{n}.test"),
            state: ZoneState::Signed,
            records: Vec::new(),
        });
        let names = NameService {
            zones: zones.collect(),
            silences: Vec::new(),
        };
        spec.dns = Some(names).filter(|names| !names.zones.is_empty());
        let began = Instant::now();
        let fleet = engine.start(&spec).await?;
        let started = began.elapsed();
        let began = Instant::now();
        let again = engine.attach(fleet.state()).await?;
        let attached = began.elapsed();
        let began = Instant::now();
        fleet.stop().await?;
        println!(
            "started {started:?}, attached {attached:?}, stopped {:?}",
            began.elapsed()
        );
        drop(again);
    }
    Ok(())
}
