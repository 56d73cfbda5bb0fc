//! What becomes of a case when the name servers of its fleet are missing or do not start. No Docker, no root: the engine
//! is one that says so.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use harness::event::{Event, Reproduce};
use harness::outcome::{EXIT_BROKEN, Outcome};
use harness::plan::{Decision, plan};
use harness::runner::{self, Options};
use harness::scenario::{TargetVersions, parse};
use harness::session::{Kind, Session};
use pfs_containers::{
    BoxFuture, Cache, Engine, EngineName, Error, Fleet, FleetSpec, FleetState, Holder, Progress,
    Result, Target, TargetFacts, Version,
};
use tokio::sync::mpsc;

const SCENARIO: &str = r#"
why    = "w"
server = { rustls = {} }
client = { postfix = { smtp_tls_security_level = "dane" } }
dns    = { records = ["mail.example.test A", "mail.example.test TLSA tlsa-3-1-1:ecdsa-p256"] }
"#;

/// Starts no fleet, as one whose nsd refuses its zones.
struct NoNames;

impl Engine for NoNames {
    fn name(&self) -> EngineName {
        EngineName::Chroot
    }

    fn prepare<'a>(
        &'a self,
        target: &'a Target,
        _: &'a dyn Progress,
    ) -> BoxFuture<'a, Result<TargetFacts>> {
        Box::pin(async { Ok(facts(target)) })
    }

    fn made_of<'a>(&'a self, target: &'a Target) -> BoxFuture<'a, Result<String>> {
        Box::pin(async { Ok(target.name().to_owned()) })
    }

    fn start<'a>(&'a self, spec: &'a FleetSpec) -> BoxFuture<'a, Result<Fleet>> {
        Box::pin(async {
            assert_eq!(spec.dns.as_ref().map(|dns| dns.zones.len()), Some(1));
            Err(Error::NameServers {
                fleet: spec.id.clone(),
                words: vec!["nsd: the words of nsd".to_owned()],
            })
        })
    }

    fn attach<'a>(&'a self, state: &'a FleetState) -> BoxFuture<'a, Result<Fleet>> {
        Box::pin(async {
            Err(Error::Gone {
                fleet: state.id.clone(),
                why: "never started".to_owned(),
            })
        })
    }

    fn end<'a>(&'a self, _: &'a Holder) -> BoxFuture<'a, Result<usize>> {
        Box::pin(async { Ok(0) })
    }

    fn close<'a>(&'a self, _: &'a Holder) -> BoxFuture<'a, Result<()>> {
        Box::pin(async { Ok(()) })
    }

    fn leads_out(&self) -> BoxFuture<'_, Result<Option<String>>> {
        Box::pin(async { Ok(None) })
    }

    fn sweep(&self) -> BoxFuture<'_, Result<usize>> {
        Box::pin(async { Ok(0) })
    }
}

fn facts(target: &Target) -> TargetFacts {
    TargetFacts {
        target: target.name().to_owned(),
        key: String::new(),
        postfix: Version::parse("3.10.13").unwrap(),
        openssl: Version::parse("3.5.7").unwrap(),
        mail_version: "3.10.13".to_owned(),
        openssl_text: "OpenSSL 3.5.7".to_owned(),
        config_directory: "/etc/postfix".to_owned(),
        daemon_directory: "/usr/lib/postfix/sbin".to_owned(),
        command_directory: "/usr/sbin".to_owned(),
        written: Vec::new(),
        programs: BTreeSet::new(),
        compatibility_level: "3.9".to_owned(),
        map_types: BTreeSet::new(),
        defaults: BTreeMap::new(),
        install: BTreeMap::new(),
        packaged: pfs_containers::Packaged::default(),
    }
}

#[tokio::test]
async fn name_servers_that_do_not_start_are_broken_and_never_a_failure() {
    let scenario = parse(Path::new("dane/case.toml"), SCENARIO)
        .unwrap()
        .remove(0);
    let target = Target::parse("debian-13").unwrap();
    let versions = TargetVersions {
        name: "debian-13".to_owned(),
        postfix: "3.10.13".parse().unwrap(),
        openssl: "3.5.7".parse().unwrap(),
    };
    let decision = plan(
        &Arc::new(scenario),
        &versions,
        std::slice::from_ref(&versions),
    );
    let Decision::Run(case) = &decision else {
        unreachable!("{decision:?}")
    };
    let catalogue = vec![Arc::new((**case).clone())];
    let directory = tempfile::tempdir().unwrap();
    let facts = facts(&target);
    let cache = Cache::at(directory.path());
    let session = Session::open(
        Box::new(NoNames),
        &cache,
        Kind::Private,
        BTreeMap::from([("debian-13".to_owned(), (target, facts))]),
        catalogue,
    );
    let session = Arc::new(session.await.unwrap());
    let (events, mut received) = mpsc::unbounded_channel();
    let options = Options {
        jobs: 1,
        accept: false,
        snapshots: Default::default(),
        reproduce: Reproduce::default().on("chroot"),
    };
    let tally = runner::run(&session, vec![decision], options, &events).await;
    assert_eq!((tally.fail, tally.broken), (0, 1));
    assert_eq!(tally.exit_code(), EXIT_BROKEN);
    let Some(Event::Case(result)) = received.recv().await else {
        unreachable!("a case ends with an event")
    };
    let Outcome::Broken(why) = &result.outcome else {
        unreachable!("{:?}", result.outcome)
    };
    assert!(why.contains("its name servers did not start"), "{why}");
    assert!(why.contains("the words of nsd"), "{why}");
}
