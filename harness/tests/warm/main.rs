//! Who joins the fleets that `pfs up` has left, and who does not; and whom the fleets of a run reach. Real fleets of the chroot engine: these need root, and
//! fail without.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that finds something wrong has no other way to say so"
)]

mod bundle;
mod crash;
mod images;
mod import;
mod place;
mod shards;

use std::io::{BufRead as _, BufReader, ErrorKind};
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;

use place::Place;

#[tokio::test]
async fn a_rebuilt_root_is_not_served_by_the_fleet_of_the_old_one() {
    let place = Place::new().await;
    place.pfs(&["up"]).passes();
    place.pfs(&["run", "--accept"]).passes();
    assert_eq!(place.fleets().len(), 1, "the run has joined the fleet");
    // The same name, another build: its smtpd does nothing but fail.
    place.rebuild("usr/lib/postfix/sbin/smtpd", "#!/bin/sh\nexit 1\n");
    let said = place.pfs(&["run"]);
    assert!(!said.text.contains("1 passed"), "{}", said.text);
    assert_ne!(said.code, Some(0), "{}", said.text);
    place.pfs(&["down"]).passes();
    assert!(place.fleets().is_empty(), "{:?}", place.fleets());
}

#[tokio::test]
async fn another_build_of_pfs_starts_fleets_of_its_own() {
    let place = Place::new().await;
    place.pfs(&["up"]).passes();
    let before = place.fleets();
    let other = place.copy_of_pfs();
    let said = place.run(&other, &["run", "--accept"]);
    said.passes();
    assert!(said.text.contains("another build of pfs"), "{}", said.text);
    assert_eq!(place.fleets(), before, "its own fleet is gone with it");
    // But it ends the others' when it is told to.
    place.run(&other, &["down"]).passes();
    assert!(place.fleets().is_empty(), "{:?}", place.fleets());
}

#[tokio::test]
async fn down_waits_for_whoever_uses_the_fleets() {
    let place = Place::new().await;
    place.pfs(&["up"]).passes();
    let before = place.fleets();
    // What a run holds for as long as it lasts.
    let run = place.hold_session();
    let mut down = place
        .command(Path::new(env!("CARGO_BIN_EXE_pfs")), &["down"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(down.stderr.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    let own = format!("in use by process {} (", std::process::id());
    assert!(line.contains(&own), "{line}");
    assert_eq!(place.fleets(), before);
    drop(run);
    assert!(down.wait().unwrap().success());
    assert!(place.fleets().is_empty(), "{:?}", place.fleets());
}

/// The same with a run, in the middle of a case of it.
#[tokio::test]
async fn down_waits_for_a_run() {
    let place = Place::new().await;
    place.scenario(
        "why = \"Waits for whoever writes into a fifo of its fleet.\"\ndeadline = 60\n\
         server = { postfix = { smtpd_tls_dh1024_param_file = \"dh:2048\" } }\nclient = { rustls = {} }\n\
         change = { files = { \"dh:2048\" = \"run:mkfifo /tmp/go && cat /tmp/go\" } }\n",
    );
    place.pfs(&["up"]).passes();
    let program = Path::new(env!("CARGO_BIN_EXE_pfs"));
    let mut run = place.command(program, &["run"]);
    let mut run = run.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let run = run.as_mut().unwrap();
    let fifo = place.appears("root/tmp/go");
    let mut down = place.command(program, &["down"]);
    let mut down = down.stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(down.stderr.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    let its = format!("in use by process {} (", run.id());
    assert!(line.contains(&its), "{line}");
    let before = place.fleets();
    // A fifo is opened once both ends are: the run is where it was.
    let go = std::fs::File::options().write(true).open(fifo).unwrap();
    assert!(!before.is_empty());
    assert!(down.try_wait().unwrap().is_none());
    drop(go);
    // Whatever becomes of its case.
    run.wait().unwrap();
    assert!(down.wait().unwrap().success());
    assert!(place.fleets().is_empty(), "{:?}", place.fleets());
}

#[tokio::test]
async fn down_finds_what_no_record_tells_of() {
    let place = Place::new().await;
    place.pfs(&["up"]).passes();
    place.forget_records();
    let said = place.pfs(&["down"]);
    said.passes();
    assert!(said.text.contains("1 fleets stopped"), "{}", said.text);
    assert!(place.fleets().is_empty(), "{:?}", place.fleets());
    assert!(place.processes().is_empty(), "{:?}", place.processes());
}

#[tokio::test]
async fn a_fleet_that_is_gone_without_a_word_stops_no_later_run() {
    let place = Place::new().await;
    place.pfs(&["up"]).passes();
    place.pfs(&["run", "--accept"]).passes();
    place.kill_everything();
    place.pfs(&["run"]).passes();
    place.pfs(&["down"]).passes();
    assert!(place.fleets().is_empty(), "{:?}", place.fleets());
}

/// Nothing is known of a target that no mirror has: its cases are broken, and no others.
#[tokio::test]
async fn a_target_that_cannot_be_made_stops_no_other() {
    let place = Place::new().await;
    let run = |arguments: &[&str]| {
        let mut command = place.command(Path::new(env!("CARGO_BIN_EXE_pfs")), arguments);
        // The discard service (RFC 863), which nobody runs.
        command.env("PFS_MIRROR", "http://127.0.0.1:9/debian");
        command.args(["--target", "debian-12"]);
        let output = command.output().unwrap();
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        (output.status.code(), text)
    };
    let (code, text) = run(&["run", "--accept"]);
    assert_eq!(code, Some(3), "{text}");
    for words in [
        "1 passed, 1 broken",
        "debian-12 cannot be made here: bootstrapping debian-12",
        "set PFS_MIRROR to its URL",
        "`--target NAME=image:REF`",
    ] {
        assert!(text.contains(words), "`{words}` is not in: {text}");
    }
    // Also one that has a side of a case.
    place.scenario(
        "why = \"Any handshake will do.\"\nserver = { postfix = {}, on = \"debian-12\" }\nclient = { rustls = {} }\n",
    );
    let (code, text) = run(&["run"]);
    assert_eq!(code, Some(3), "{text}");
    assert!(text.contains("2 broken"), "{text}");
    let once = text.matches("set PFS_MIRROR to its URL").count();
    assert_eq!(once, 1, "told once for both: {text}");
    let (code, text) = run(&["mutate"]);
    assert_eq!(code, Some(3), "{text}");
}

/// A next hop may be any address: mail for it must not get there.
#[tokio::test]
async fn mail_does_not_leave_the_run() {
    // Where the first line of a run's first fleet sends its mail to, at another address.
    let outside = TcpListener::bind("127.0.0.9:10052").unwrap();
    outside.set_nonblocking(true).unwrap();
    let place = Place::new().await;
    for (address, refusal) in [
        ("127.0.0.9", "Connection refused"),
        // TEST-NET-1 (RFC 5737).
        ("192.0.2.1", "Network is unreachable"),
    ] {
        place.scenario(&format!(
            "why = \"Nothing arrives.\"\nserver = {{ rustls = {{}} }}\n\
             client = {{ nexthop = \"[{address}]\", postfix = {{ smtp_tls_security_level = \"may\" }} }}\n\
             expect = {{ delivered = true }}\n"
        ));
        let said = place.pfs(&["run"]);
        // Where nothing of ours listens nothing is learned: broken, as an unreachable network may be.
        assert!(matches!(said.code, Some(1 | 3)), "{}", said.text);
        assert!(said.text.contains(refusal), "{}", said.text);
        for others in [vec!["mutate"], vec!["minimise", "t/case"]] {
            place.pfs(&others);
        }
    }
    let error = outside.accept().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WouldBlock, "somebody has come");
}

/// Nor do those that have the machine's own network in common.
#[tokio::test]
async fn fleets_of_two_caches_do_not_meet() {
    let places = [Place::new().await, Place::new().await];
    for place in &places {
        place.pfs(&["up"]).passes();
        place.pfs(&["run", "--accept"]).passes();
    }
    std::thread::scope(|scope| {
        for place in &places {
            scope.spawn(|| (0..8).for_each(|_| place.pfs(&["run"]).passes()));
        }
    });
}

/// They want the same ports and read the same log.
#[tokio::test]
async fn runs_of_one_case_in_one_fleet_take_turns() {
    let place = Place::new().await;
    place.pfs(&["up"]).passes();
    place.pfs(&["run", "--accept"]).passes();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| (0..5).for_each(|_| place.pfs(&["run"]).passes()));
        }
    });
    assert_eq!(place.fleets().len(), 1, "all of them have joined it");
}

/// Runs of two caches want the same addresses and ports.
#[tokio::test]
async fn runs_of_two_caches_do_not_meet() {
    let places = [Place::new().await, Place::new().await];
    for place in &places {
        place.pfs(&["run", "--accept"]).passes();
    }
    std::thread::scope(|scope| {
        for place in &places {
            scope.spawn(|| (0..5).for_each(|_| place.pfs(&["run"]).passes()));
        }
    });
}
