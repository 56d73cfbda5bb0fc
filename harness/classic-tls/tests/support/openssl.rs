//! The `openssl` commands to test against.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use classic_tls::names::{CipherSuite, Version};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

/// One `openssl`, on this machine or in a root file system.
#[derive(Clone, Debug)]
pub struct OpenSsl {
    program: PathBuf,
    root: Option<PathBuf>,
    /// Where it finds `tests/keys`, as it sees the path.
    keys: String,
    /// `OpenSSL 3.0.17`, for the table.
    pub version: String,
}

impl OpenSsl {
    /// Those named in `CLASSIC_TLS_OPENSSL`, separated by colons: programs, or root directories to enter with chroot.
    /// Without it, the machine's own.
    ///
    /// Panics if there is none, or one does not run: a test against nothing would be worse.
    pub async fn all() -> Vec<Self> {
        let named = std::env::var("CLASSIC_TLS_OPENSSL").unwrap_or_else(|_| "openssl".to_owned());
        let mut found = Vec::new();
        for path in named.split(':').filter(|path| !path.is_empty()) {
            found.push(Self::open(Path::new(path)).await);
        }
        assert!(
            !found.is_empty(),
            "CLASSIC_TLS_OPENSSL names no openssl: unset it or give paths"
        );
        found
    }

    async fn open(path: &Path) -> Self {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys");
        let mut openssl = if path.is_dir() {
            let inside = "/tmp/classic-tls-keys";
            let target = path.join(&inside[1..]);
            std::fs::create_dir_all(&target).unwrap();
            for entry in std::fs::read_dir(&source).unwrap() {
                let entry = entry.unwrap();
                std::fs::copy(entry.path(), target.join(entry.file_name())).unwrap();
            }
            Self {
                program: "openssl".into(),
                root: Some(path.to_owned()),
                keys: inside.to_owned(),
                version: String::new(),
            }
        } else {
            Self {
                program: path.to_owned(),
                root: None,
                keys: source.to_str().unwrap().to_owned(),
                version: String::new(),
            }
        };
        let output = openssl.command().arg("version").output().await.unwrap_or_else(|error| {
            panic!(
                "cannot run {}: {error}: install openssl (apt-get install openssl), or name one in CLASSIC_TLS_OPENSSL",
                path.display()
            )
        });
        assert!(
            output.status.success(),
            "{} version: {}",
            path.display(),
            output.status
        );
        let text = String::from_utf8_lossy(&output.stdout);
        openssl.version = text.split(' ').take(2).collect::<Vec<_>>().join(" ");
        openssl
    }

    /// The command, without the system's configuration, which forbids old versions.
    pub fn command(&self) -> Command {
        let mut command = match &self.root {
            Some(root) => {
                let mut command = Command::new("chroot");
                command.arg(root).arg(&self.program);
                command
            }
            None => Command::new(&self.program),
        };
        command.env("OPENSSL_CONF", "/dev/null").kill_on_drop(true);
        command
    }

    /// The suites it has for `version`.
    pub async fn suites(&self, version: Version) -> Vec<CipherSuite> {
        let list = "ALL:COMPLEMENTOFALL:@SECLEVEL=0";
        let output = self
            .command()
            .args(["ciphers", "-s", flag(version), list])
            .output()
            .await
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.trim()
            .split(':')
            .filter_map(CipherSuite::from_openssl_name)
            .collect()
    }

    /// Arguments for a certificate and key of `tests/keys`; `prefix` is empty or `d` for s_server's second pair.
    pub fn identity(&self, prefix: &str, name: &str) -> Vec<String> {
        let form = |what: &str| format!("-{prefix}{what}form");
        vec![
            format!("-{prefix}cert"),
            format!("{}/{name}.crt.der", self.keys),
            form("cert"),
            "DER".to_owned(),
            format!("-{prefix}key"),
            format!("{}/{name}.key.der", self.keys),
            form("key"),
            "DER".to_owned(),
        ]
    }

    /// Starts `s_server` with `arguments`, which answers every line reversed; returns it with its port.
    pub async fn server(&self, arguments: &[String]) -> (Child, u16) {
        let mut child = self
            .command()
            .args(["s_server", "-accept", "127.0.0.1:0", "-rev"])
            .args(["-cipher", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut seen = String::new();
        while let Some(line) = lines.next_line().await.unwrap() {
            if let Some(port) = line
                .strip_prefix("ACCEPT ")
                .and_then(|rest| rest.rsplit(':').next())
            {
                let port = port.trim().parse().unwrap();
                let mut stderr = child.stderr.take().unwrap();
                tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                tokio::spawn(async move {
                    let mut sink = Vec::new();
                    let _ = stderr.read_to_end(&mut sink).await;
                });
                return (child, port);
            }
            seen.push_str(&line);
        }
        let mut errors = String::new();
        child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut errors)
            .await
            .unwrap();
        panic!(
            "{}: s_server {arguments:?} does not listen: {seen} {errors}",
            self.version
        );
    }
}

/// s_client's and `ciphers`' option for one version only.
pub fn flag(version: Version) -> &'static str {
    match version {
        Version::TLS1_0 => "-tls1",
        Version::TLS1_1 => "-tls1_1",
        _ => "-tls1_2",
    }
}
