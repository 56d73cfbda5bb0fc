//! Agreement with the `openssl` command, which Postfix's own documentation refers to.
//!
//! Where the command is missing these tests fail and say what to install: nothing was checked.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use pfs_certs::dh::Parameters;
use pfs_certs::{CertName, Digest, Of, Pki};
use tempfile::TempDir;

#[test]
fn verifies_chains() {
    let openssl = OpenSsl::find();
    let pki = Pki::generate(SystemTime::now()).unwrap();
    let root = openssl.file("root.pem", &pki.ca_pem("root").unwrap());
    let other = openssl.file("other.pem", &pki.ca_pem("other-root").unwrap());
    for name in CertName::all() {
        let leaf = pki.get(name).unwrap();
        let chain = openssl.file(&format!("{name}.pem"), &leaf.cert_pem());
        let verify = |trusted: &Path| {
            // The file holds the intermediate too, as a server would send it.
            let (ok, text) = openssl.run(&[
                "verify".as_ref(),
                "-CAfile".as_ref(),
                trusted,
                "-untrusted".as_ref(),
                &chain,
                "-purpose".as_ref(),
                if leaf.common_name().starts_with("client.") {
                    "sslclient"
                } else {
                    "sslserver"
                }
                .as_ref(),
                &chain,
            ]);
            if ok {
                "OK".to_owned()
            } else {
                error_text(&text)
            }
        };
        let (by_root, by_other) = match name.as_str() {
            expired if expired.ends_with("expired") => ("certificate has expired", UNKNOWN),
            "not-yet-valid" | "localhost-not-yet-valid" => {
                ("certificate is not yet valid", UNKNOWN)
            }
            "other-ca" | "client-other-ca" | "localhost-other-ca" => (UNKNOWN, "OK"),
            "self-signed"
            | "impostor"
            | "impostor-rsa"
            | "client-self-signed"
            | "localhost-self-signed" => (SELF_SIGNED, SELF_SIGNED),
            "client-server-eku" => ("unsuitable certificate purpose", UNKNOWN),
            _ => ("OK", UNKNOWN),
        };
        assert_eq!(verify(&root), by_root, "{name}");
        // Which of several errors comes first is OpenSSL's business; that it is none is not.
        assert_eq!(verify(&other) == "OK", by_other == "OK", "{name}");
    }
    let own = openssl.file("own.pem", &pki.leaf("self-signed").unwrap().cert_pem());
    let (ok, text) = openssl.run(&["verify".as_ref(), "-CAfile".as_ref(), &own, &own]);
    assert!(ok, "trusted by itself: {text}");
}

const SELF_SIGNED: &str = "self-signed certificate";
const UNKNOWN: &str = "unable to get local issuer certificate";

#[test]
fn fingerprints() {
    let openssl = OpenSsl::find();
    let pki = Pki::generate(SystemTime::now()).unwrap();
    for name in [
        "rsa2048",
        "rsa1024",
        "ecdsa-p256",
        "ecdsa-p521",
        "ed25519",
        "ed448",
        "dsa2048",
    ] {
        let leaf = pki.leaf(name).unwrap();
        let certificate = openssl.file("cert.pem", &leaf.cert_pem());
        let (_, public_key) = openssl.run(&[
            "x509".as_ref(),
            "-noout".as_ref(),
            "-pubkey".as_ref(),
            "-in".as_ref(),
            &certificate,
        ]);
        let public_key = openssl.file("pubkey.pem", &public_key);
        let der = openssl.path("pubkey.der");
        openssl.ok(&[
            "pkey".as_ref(),
            "-pubin".as_ref(),
            "-outform".as_ref(),
            "DER".as_ref(),
            "-in".as_ref(),
            &public_key,
            "-out".as_ref(),
            &der,
        ]);
        for digest in Digest::ALL {
            let option = format!("-{digest}");
            let printed = openssl.ok(&[
                "x509".as_ref(),
                "-noout".as_ref(),
                "-fingerprint".as_ref(),
                option.as_ref(),
                "-in".as_ref(),
                &certificate,
            ]);
            let printed = printed.trim().split_once('=').unwrap().1;
            assert_eq!(leaf.fingerprint(digest, Of::Certificate), printed, "{name}");

            let printed = openssl.ok(&["dgst".as_ref(), option.as_ref(), "-c".as_ref(), &der]);
            let printed = printed.trim().rsplit(' ').next().unwrap().to_uppercase();
            assert_eq!(leaf.fingerprint(digest, Of::PublicKey), printed, "{name}");
        }
    }
}

#[test]
fn keys_match_certificates() {
    let openssl = OpenSsl::find();
    let pki = Pki::generate(SystemTime::now()).unwrap();
    for name in CertName::all() {
        let leaf = pki.get(name).unwrap();
        let chain = openssl.file("chain.pem", &leaf.chain_pem());
        let from_key = openssl.ok(&["pkey".as_ref(), "-pubout".as_ref(), "-in".as_ref(), &chain]);
        let from_certificate = openssl.ok(&[
            "x509".as_ref(),
            "-noout".as_ref(),
            "-pubkey".as_ref(),
            "-in".as_ref(),
            &chain,
        ]);
        assert_eq!(from_key, from_certificate, "{name}");
    }
}

#[test]
fn parameter_files() {
    let openssl = OpenSsl::find();
    for parameters in Parameters::all() {
        let file = openssl.file("dh.pem", parameters.pem());
        let (readable, text) = openssl.run(&[
            "dhparam".as_ref(),
            "-noout".as_ref(),
            "-text".as_ref(),
            "-in".as_ref(),
            &file,
        ]);
        assert_eq!(readable, parameters.group().is_some(), "{text}");
        if let Some(group) = parameters.group() {
            let size = format!("({} bit)", group.bits);
            assert!(text.contains(&size), "{}: {text}", parameters.name());
        }
    }
}

struct OpenSsl {
    directory: TempDir,
}

impl OpenSsl {
    fn find() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let version = Command::new("openssl").arg("version").output();
        assert!(
            version.is_ok(),
            "cannot run openssl: apt-get install openssl"
        );
        Self { directory }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn file(&self, name: &str, contents: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, contents).unwrap();
        path
    }

    /// Whether it succeeded, and all it printed.
    fn run(&self, arguments: &[&Path]) -> (bool, String) {
        let output = Command::new("openssl").args(arguments).output().unwrap();
        let mut text = String::from_utf8(output.stdout).unwrap();
        text += &String::from_utf8_lossy(&output.stderr);
        (output.status.success(), text)
    }

    fn ok(&self, arguments: &[&Path]) -> String {
        let (ok, text) = self.run(arguments);
        assert!(ok, "{arguments:?}: {text}");
        text
    }
}

/// `error 10 at 0 depth lookup: certificate has expired` without what precedes the colon. OpenSSL 1.1.1
/// writes `self signed`.
fn error_text(text: &str) -> String {
    let line = text
        .lines()
        .find(|line| line.starts_with("error "))
        .unwrap();
    let reason = line.split_once(": ").unwrap().1.trim();
    reason.replace("self signed", "self-signed")
}
