//! One directory, several threads, processes and periods.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use pfs_certs::{CertName, Error, Pki};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Set in the children of `processes_agree`, which are this test program again: the directory they share.
const CHILD: &str = "PFS_CERTS_TEST_DIRECTORY";

#[test]
fn second_opener_finds_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let first = chain(&open(directory.path()), "ecdsa-p256");
    assert_eq!(chain(&open(directory.path()), "ecdsa-p256"), first);
}

#[test]
fn all_at_once_agree() {
    let directory = tempfile::tempdir().unwrap();
    let chains: Vec<_> = thread::scope(|scope| {
        let openers: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| chain(&open(directory.path()), "client-ecdsa")))
            .collect();
        let chains = openers.into_iter().map(|opener| opener.join().unwrap());
        chains.collect()
    });
    assert!(chains.iter().all(|chain| *chain == chains[0]));
}

#[test]
fn processes_agree() {
    if let Some(shared) = std::env::var_os(CHILD) {
        println!("{}", chain(&open(Path::new(&shared)), "rsa2048"));
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let children: Vec<_> = (0..3)
        .map(|_| {
            Command::new(std::env::current_exe().unwrap())
                .args(["processes_agree", "--exact", "--nocapture"])
                .env(CHILD, directory.path())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let ours = open(directory.path()).leaf("rsa2048").unwrap();
    for child in children {
        let output = child.wait_with_output().unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(printed.contains(&ours.chain_pem()), "{printed}");
    }
}

#[test]
fn files_are_private() {
    let directory = tempfile::tempdir().unwrap();
    chain(&open(directory.path()), "ed25519");
    let keys: Vec<_> = fs::read_dir(directory.path().join("keys"))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(keys.len(), 3, "root, intermediate, leaf: {keys:?}");
    for key in keys {
        assert_eq!(key.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn a_later_period_keeps_keys_and_renews_certificates() {
    let directory = tempfile::tempdir().unwrap();
    let now = SystemTime::now();
    let [early, late] = [now, now + 200 * DAY].map(|now| {
        let pki = Pki::open(directory.path(), now).unwrap();
        assert!(pki.clock() <= now && now <= pki.clock() + 30 * DAY);
        pki.leaf("ecdsa-p256").unwrap()
    });
    assert_eq!(early.key_pem(), late.key_pem());
    assert_ne!(early.cert_pem(), late.cert_pem());
    let folders: Vec<_> = fs::read_dir(directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("certs-"))
        .collect();
    assert_eq!(folders.len(), 1, "the expired ones are gone: {folders:?}");
}

#[test]
fn damaged_files_are_named() {
    let directory = tempfile::tempdir().unwrap();
    chain(&open(directory.path()), "ecdsa-p256");
    let key = directory.path().join("keys/ecdsa-p256.ecdsa-p256.pem");
    let good = fs::read_to_string(&key).unwrap();
    for bad in [
        "",
        "nonsense",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    ] {
        fs::write(&key, bad).unwrap();
        let error = open(directory.path()).leaf("ecdsa-p256").unwrap_err();
        assert!(matches!(error, Error::Corrupt { .. }), "{error}");
        assert!(error.to_string().starts_with(key.to_str().unwrap()));
    }
    fs::write(&key, good).unwrap();
    open(directory.path()).leaf("ecdsa-p256").unwrap();
}

#[test]
fn unusable_directory() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = Pki::open(file.path(), SystemTime::now()).unwrap_err();
    assert!(matches!(error, Error::Io { .. }), "{error}");
}

#[test]
fn opening_is_quick() {
    let directory = tempfile::tempdir().unwrap();
    let start = Instant::now();
    let pki = open(directory.path());
    for name in CertName::all().filter(|name| !name.key_kind().name().starts_with("rsa")) {
        pki.get(name).unwrap();
    }
    let made = start.elapsed();
    // Some 20 ms on an idle machine; the bound is for a loaded one.
    assert!(made < Duration::from_secs(2), "{made:?}");
}

fn open(directory: &Path) -> Pki {
    Pki::open(directory, SystemTime::now()).unwrap()
}

fn chain(pki: &Pki, name: &str) -> String {
    pki.leaf(name).unwrap().chain_pem()
}
