//! The Postfix of this machine, as an instance of its own: its programs and libraries are shown read-only, or copied where
//! nothing can be mounted, as in a chroot or in a container; its configuration, queue and data directory are new ones. The
//! system's are neither read nor written, and it does not matter whether its Postfix runs.

use std::{
    env, fmt, fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Stdio,
};

use serde::{Deserialize, Serialize};

use super::{Making, Origin, bootstrap::can_isolate, inside::PATH, root::listing};
use crate::{
    BoxFuture, Error, Result,
    cache::in_thread,
    recipe::hash,
    tree::{self, metadata},
};

/// Directories that hold programs and libraries, as far as they are none of links to others.
const SHOWN: [&str; 9] = [
    "bin", "lib", "lib32", "lib64", "libx32", "nix", "opt", "sbin", "usr",
];
/// What no Postfix needs of them, where they have to be copied.
const LEFT_OUT: [&str; 9] = [
    "/usr/include",
    "/usr/lib/debug",
    "/usr/lib/firmware",
    "/usr/lib/modules",
    "/usr/share/doc",
    "/usr/share/fonts",
    "/usr/share/locale",
    "/usr/share/man",
    "/usr/src",
];
/// What programs and libraries read in /etc; nothing of this host's identity, and no secrets.
const CONFIGURATION: [&str; 20] = [
    "alternatives",
    "ca-certificates",
    "ca-certificates.conf",
    "crypto-policies",
    "debian_version",
    "gai.conf",
    "group",
    "host.conf",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "nsswitch.conf",
    "os-release",
    "passwd",
    "pki",
    "protocols",
    "sasl2",
    "services",
    "ssl",
];
/// What a Postfix is made of besides its programs (`meta_directory`, postconf(5)).
const META: [&str; 10] = [
    "dynamicmaps.cf",
    "dynamicmaps.cf.d",
    "main.cf.proto",
    "makedefs.out",
    "master.cf.proto",
    "post-install",
    "postfix-files",
    "postfix-files.d",
    "postfix-script",
    "postmulti-script",
];

/// The Postfix of this machine.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Installed;

/// What `postconf -d` tells of where it is built to be.
struct Layout {
    defaults: String,
    running: String,
}

impl Layout {
    async fn ask(making: &Making<'_>) -> Result<Layout> {
        let known = env::var_os("PATH").unwrap_or_default();
        let postconf = env::split_paths(&known)
            .chain(env::split_paths(PATH))
            .map(|directory| directory.join("postconf"))
            .find(|path| path.is_file())
            .ok_or_else(|| {
                making.unusable(
                    "no postconf on this machine: install Postfix, or use NAME=root:DIR for one that is elsewhere",
                )
            })?;
        // Neither option reads main.cf.
        let ask = async |option: &[&str]| -> Result<String> {
            let output = tokio::process::Command::new(&postconf)
                .args(option)
                .env("MAIL_CONFIG", "/nonexistent")
                .env("LC_ALL", "C")
                .stdin(Stdio::null())
                .output()
                .await
                .map_err(Error::io("running", &postconf))?;
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        };
        Ok(Layout {
            defaults: ask(&["-d"]).await?,
            running: ask(&["-T", "run-version"]).await?,
        })
    }

    fn directory(&self, making: &Making<'_>, name: &str) -> Result<PathBuf> {
        self.defaults
            .lines()
            .filter_map(|line| line.split_once(" = "))
            .find(|(known, _)| *known == name)
            .map(|(_, value)| PathBuf::from(value))
            .ok_or_else(|| making.unusable(format!("its `postconf -d` does not tell {name}")))
    }

    /// An instance of its own has these at the places they were built for, so nothing of the system may be shown there.
    fn check(&self, making: &Making<'_>) -> Result<()> {
        let shown = programs();
        for name in ["config_directory", "queue_directory", "data_directory"] {
            let directory = self.directory(making, name)?;
            if shown.iter().any(|shown| directory.starts_with(shown)) {
                let why = format!(
                    "its {name} is {}, beside the programs, and cannot be kept apart from the system's; copy the system \
                     and use NAME=root:DIR",
                    directory.display()
                );
                return Err(making.unusable(why));
            }
        }
        Ok(())
    }
}

fn programs() -> Vec<PathBuf> {
    SHOWN
        .iter()
        .map(|name| Path::new("/").join(name))
        .filter(|path| {
            path.symlink_metadata()
                .is_ok_and(|found| found.is_dir() && !found.is_symlink())
        })
        .collect()
}

impl fmt::Display for Installed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("installed")
    }
}

impl Origin for Installed {
    /// Of what its `postconf` says, and of names, sizes and times of its daemons and libraries.
    fn key<'a>(&'a self, making: &'a Making<'a>) -> BoxFuture<'a, Result<String>> {
        Box::pin(async {
            let layout = Layout::ask(making).await?;
            let directories = [
                layout.directory(making, "daemon_directory")?,
                layout.directory(making, "shlib_directory")?,
                layout.directory(making, "meta_directory")?,
                PathBuf::from("/etc/ssl"),
            ];
            let meta = directories[2].clone();
            in_thread(move || {
                let mut parts = vec![
                    layout.defaults.into_bytes(),
                    layout.running.into_bytes(),
                    vec![u8::from(can_isolate())],
                ];
                // What the administrator has there is not looked at.
                let unwanted = |path: &Path| {
                    path.starts_with(&meta) && !META.iter().any(|name| path.ends_with(name))
                };
                for directory in directories.iter().filter(|path| path.is_dir()) {
                    match directory == &meta {
                        true => {
                            for name in META.map(|name| meta.join(name)) {
                                if let Ok(found) = name.symlink_metadata() {
                                    parts.push(format!("{name:?} {found:?}").into_bytes());
                                }
                            }
                        }
                        false => parts.push(listing(directory, &unwanted)?),
                    }
                }
                Ok(hash(&parts))
            })
            .await
        })
    }

    fn fill<'a>(&'a self, making: &'a Making<'a>, root: &'a Path) -> BoxFuture<'a, Result<()>> {
        Box::pin(async {
            let layout = Layout::ask(making).await?;
            layout.check(making)?;
            let meta = layout.directory(making, "meta_directory")?;
            let root = root.to_owned();
            let copied = self.shown().is_empty();
            in_thread(move || skeleton(&root, &meta, copied)).await
        })
    }

    fn shown(&self) -> Vec<PathBuf> {
        match can_isolate() {
            true => programs(),
            false => Vec::new(),
        }
    }

    fn not_in_docker(&self) -> Option<&'static str> {
        Some("a container does not have the programs of this machine")
    }
}

fn skeleton(root: &Path, meta: &Path, copied: bool) -> Result<()> {
    for directory in [
        "dev",
        "etc",
        "home",
        "proc",
        "root",
        "run",
        "sys",
        "var/lib",
        "var/spool",
    ] {
        let path = root.join(directory);
        fs::create_dir_all(&path).map_err(Error::io("creating", &path))?;
    }
    for temporary in ["tmp", "var/tmp"] {
        let path = root.join(temporary);
        fs::create_dir_all(&path).map_err(Error::io("creating", &path))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o1777))
            .map_err(Error::io("changing the mode of", &path))?;
    }
    for name in SHOWN {
        let (here, there) = (Path::new("/").join(name), root.join(name));
        match here.symlink_metadata() {
            Ok(found) if found.is_symlink() => tree::copy_link(&here, &there)?,
            Ok(found) if found.is_dir() && copied => {
                let left_out = |path: &Path| LEFT_OUT.iter().any(|out| path == Path::new(out));
                tree::copy(&here, &there, &left_out, &|_| false)?;
            }
            Ok(found) if found.is_dir() => {
                fs::create_dir_all(&there).map_err(Error::io("creating", &there))?;
            }
            _ => {}
        }
    }
    let private = |path: &Path| path.ends_with("private");
    for name in CONFIGURATION {
        copy_if_there(
            &Path::new("/etc").join(name),
            &root.join("etc").join(name),
            &private,
        )?;
    }
    // Where it is shown, it is there.
    if !programs().iter().any(|shown| meta.starts_with(shown)) {
        let there = root.join(meta.strip_prefix("/").unwrap_or(meta));
        fs::create_dir_all(&there).map_err(Error::io("creating", &there))?;
        for name in META {
            copy_if_there(&meta.join(name), &there.join(name), &private)?;
        }
    }
    Ok(())
}

fn copy_if_there(from: &Path, to: &Path, empty: &dyn Fn(&Path) -> bool) -> Result<()> {
    match from.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        _ => {
            metadata(from)?;
            tree::copy(from, to, empty, &|_| false)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_skeleton_has_nothing_of_the_systems_configuration() {
        let host = tempfile::tempdir().unwrap();
        let meta = host.path().join("postfix");
        fs::create_dir_all(meta.join("postfix-files.d")).unwrap();
        for name in ["main.cf", "master.cf", "postfix-files", "sasl_passwd"] {
            fs::write(meta.join(name), name).unwrap();
        }
        let root = host.path().join("root");
        skeleton(&root, &meta, false).unwrap();
        let copied = root.join(meta.strip_prefix("/").unwrap());
        let mut names: Vec<_> = tree::entries(&copied)
            .unwrap()
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        names.sort();
        assert_eq!(names, ["postfix-files", "postfix-files.d"]);
        assert!(!root.join("etc/shadow").exists());
        assert!(
            !root
                .join("etc/ssl/private")
                .read_dir()
                .is_ok_and(|mut found| found.next().is_some())
        );
    }
}
