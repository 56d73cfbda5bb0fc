//! What is not ours, in a cache and beside it, stays as it is. These need root, and no Postfix.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs::{self, File},
    os::unix::fs::{MetadataExt as _, symlink},
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, SystemTime},
};

use pfs_containers::{
    Cache, Engine, EngineChoice, Settings,
    owned::{MARK, Owned, Purpose},
};

async fn open(cache: &Path) -> Box<dyn Engine> {
    let settings = Settings::new(Cache::at(cache));
    EngineChoice::Chroot.open(settings).await.unwrap()
}

fn run(program: &str, arguments: &[&std::ffi::OsStr]) {
    let status = Command::new(program).args(arguments).status().unwrap();
    assert!(status.success(), "{program} {arguments:?}");
}

/// Something mounted for as long as this is held.
struct Mounted(PathBuf);

impl Mounted {
    fn bind(from: &Path, to: &Path) -> Mounted {
        let to_name = to.as_os_str();
        run("mount", &["--bind".as_ref(), from.as_os_str(), to_name]);
        Mounted(to.to_owned())
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

/// A file that nobody may change for as long as this is held.
struct Immutable(PathBuf);

impl Immutable {
    fn make(path: &Path) -> Immutable {
        run("chattr", &["+i".as_ref(), path.as_os_str()]);
        Immutable(path.to_owned())
    }
}

impl Drop for Immutable {
    fn drop(&mut self) {
        let _ = Command::new("chattr").arg("-i").arg(&self.0).status();
    }
}

/// What is in a tree: kind, mode, owner, inode, and what it holds.
fn manifest(directory: &Path) -> BTreeMap<PathBuf, (u32, u32, u64, OsString)> {
    let mut found = BTreeMap::new();
    let mut left = vec![directory.to_owned()];
    while let Some(path) = left.pop() {
        let about = path.symlink_metadata().unwrap();
        let holds = if about.is_symlink() {
            fs::read_link(&path).unwrap().into()
        } else if about.is_file() {
            String::from_utf8_lossy(&fs::read(&path).unwrap())
                .into_owned()
                .into()
        } else {
            OsString::new()
        };
        if about.is_dir() {
            left.extend(
                fs::read_dir(&path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        }
        found.insert(path, (about.mode(), about.uid(), about.ino(), holds));
    }
    found
}

/// A home of a fleet whose maker is gone.
fn dead(cache: &Path, name: &str) -> PathBuf {
    let path = cache.join("fleets").join(name);
    let owned = Owned::make(&path, Purpose::Fleet).unwrap();
    fs::create_dir_all(path.join("root/dev")).unwrap();
    fs::write(path.join("root/dev/stdout"), "log").unwrap();
    drop(owned);
    path
}

#[tokio::test]
async fn what_is_not_ours_in_a_cache_stays() {
    let directory = tempfile::tempdir().unwrap();
    // A blank, a backslash and a tab: octal in mountinfo.
    let cache = directory.path().join("a b\\c\td");
    let fleets = cache.join("fleets");
    fs::create_dir_all(&fleets).unwrap();
    let outside = directory.path().join("etc-like");
    fs::create_dir_all(outside.join("postfix")).unwrap();
    fs::write(outside.join("postfix/main.cf"), "mine").unwrap();

    fs::create_dir_all(fleets.join("not-ours/data")).unwrap();
    fs::create_dir(fleets.join("empty")).unwrap();
    fs::write(fleets.join("file"), "mine").unwrap();
    symlink(&outside, fleets.join("link")).unwrap();
    let foreign = |name: &str| {
        let path = fleets.join(name);
        fs::create_dir_all(path.join("root/etc")).unwrap();
        fs::write(path.join("root/etc/passwd"), "mine").unwrap();
        path
    };
    // Marks that are none.
    fs::write(foreign("old").join("pfs-fleet"), "").unwrap();
    fs::write(foreign("empty-mark").join(MARK), "").unwrap();
    run("mkfifo", &[foreign("fifo").join(MARK).as_os_str()]);
    fs::create_dir(foreign("directory").join(MARK)).unwrap();
    symlink("/etc/hostname", foreign("mark-is-link").join(MARK)).unwrap();
    symlink("/dev/zero", foreign("mark-is-device").join(MARK)).unwrap();
    // A copy of one of ours, and one that cannot be removed whole.
    let one = dead(&cache, "one");
    let copy = fleets.join("copy");
    run("cp", &["-a".as_ref(), one.as_os_str(), copy.as_os_str()]);
    let immutable = dead(&cache, "immutable");
    let _immutable = Immutable::make(&immutable.join(MARK));
    // Ours, and dead, but for what somebody mounted in it.
    let mounted = dead(&cache, "with mount");
    let at = mounted.join("root/in it");
    fs::create_dir(&at).unwrap();
    let _mounted = Mounted::bind(&outside, &at);
    let mounted_on = fleets.join("mounted on");
    fs::create_dir(&mounted_on).unwrap();
    let _mounted_on = Mounted::bind(&one, &mounted_on);
    // Ours, and dead, but its root leads elsewhere.
    let leads = dead(&cache, "leads");
    fs::remove_dir_all(leads.join("root")).unwrap();
    symlink("/", leads.join("root")).unwrap();
    // Things that look unfinished.
    for path in [
        "roots/debian-13-00.new-1/etc",
        "bases/trixie-00.partial-1-tree/etc",
    ] {
        fs::create_dir_all(cache.join(path)).unwrap();
    }
    fs::write(cache.join("bases/trixie-00.partial-1"), "mine").unwrap();
    let old = SystemTime::now() - Duration::from_secs(86400);
    for entry in fs::read_dir(&fleets).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.is_symlink() {
            File::open(path).unwrap().set_modified(old).unwrap();
        }
    }
    drop(_mounted_on);
    let _mounted_on = Mounted::bind(&outside, &mounted_on);

    let mut before = manifest(directory.path());
    let engine = open(&cache).await;
    // What could not be removed is told.
    let _ = engine.sweep().await;
    let after = manifest(directory.path());
    before.retain(|path, _| !path.starts_with(&one));
    let locks = cache.join("locks");
    let missing: Vec<_> = before
        .iter()
        .filter(|(path, about)| after.get(*path) != Some(about))
        .collect();
    assert!(missing.is_empty(), "{missing:#?}");
    let new: Vec<_> = after
        .keys()
        .filter(|path| !before.contains_key(*path) && !path.starts_with(&locks))
        .collect();
    assert!(
        new.iter().all(|path| path.ends_with("CACHEDIR.TAG")),
        "{new:#?}"
    );
    assert!(!one.exists());
}

#[tokio::test]
async fn a_full_descriptor_table_is_no_proof_of_death() {
    // In a process of its own, whose limit is its own.
    if std::env::var_os("PFS_TEST_CACHE").is_none() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("fleets")).unwrap();
        let one = dead(directory.path(), "one");
        let status = Command::new("prlimit")
            .arg("--nofile=40:40")
            .arg(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "--nocapture",
                std::thread::current().name().unwrap(),
            ])
            .env("PFS_TEST_CACHE", directory.path())
            .status()
            .unwrap();
        assert!(status.success());
        assert!(one.exists());
        assert_eq!(open(directory.path()).await.sweep().await.unwrap(), 1);
        return;
    }
    let cache = PathBuf::from(std::env::var_os("PFS_TEST_CACHE").unwrap());
    let engine = open(&cache).await;
    // All but a few of the descriptors: enough to read a directory with, not to look into all of it.
    for spare in 0..8 {
        let mut taken = Vec::new();
        while let Ok(file) = File::open("/dev/null") {
            taken.push(file);
        }
        taken.truncate(taken.len() - spare.min(taken.len()));
        if spare < 3 {
            let _ = engine.sweep().await;
            drop(taken);
            assert!(cache.join("fleets/one").exists(), "with {spare} left");
        }
    }
}
