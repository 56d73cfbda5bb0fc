use super::*;

fn made(name: &str) -> (tempfile::TempDir, PathBuf, Owned) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    let owned = Owned::make(&path, Purpose::Fleet).unwrap();
    fs::create_dir_all(path.join("root/etc")).unwrap();
    (directory, path, owned)
}

#[track_caller]
fn is_unknown(path: &Path) {
    let found = Owned::examine(path, Purpose::Fleet);
    assert!(matches!(found, Found::Unknown(_)), "{found:?}");
}

#[test]
fn is_ours_from_its_making_to_its_removal() {
    let (directory, path, owned) = made("one");
    assert!(matches!(Owned::examine(&path, Purpose::Fleet), Found::Used));
    let joined = Owned::join(&path, Purpose::Fleet).unwrap();
    drop(owned);
    assert!(matches!(Owned::examine(&path, Purpose::Fleet), Found::Used));
    drop(joined);
    assert!(Owned::make(&path, Purpose::Fleet).is_err());
    is_unknown_for_others(&path);
    let Found::Dead(dead) = Owned::examine(&path, Purpose::Fleet) else {
        panic!("nobody uses it")
    };
    assert!(Owned::join(&path, Purpose::Fleet).is_err());
    dead.remove().unwrap();
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

fn is_unknown_for_others(path: &Path) {
    let found = Owned::examine(path, Purpose::Root);
    assert!(matches!(found, Found::Unknown(_)), "{found:?}");
}

#[test]
fn what_is_not_known_is_not_ours() {
    let (directory, path, owned) = made("one");
    drop(owned);
    // A copy, and one that an older or other program marked.
    let copy = directory.path().join("copy");
    fs::create_dir(&copy).unwrap();
    is_unknown(&copy);
    fs::copy(path.join(MARK), copy.join(MARK)).unwrap();
    is_unknown(&copy);
    fs::write(copy.join(MARK), "").unwrap();
    is_unknown(&copy);
    // A link to one of ours, a link as mark, a fifo as mark.
    let link = directory.path().join("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    is_unknown(&link);
    fs::remove_file(copy.join(MARK)).unwrap();
    std::os::unix::fs::symlink(path.join(MARK), copy.join(MARK)).unwrap();
    is_unknown(&copy);
    fs::remove_file(copy.join(MARK)).unwrap();
    let fifo = Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, copy.join(MARK), FileType::Fifo, fifo, 0).unwrap();
    is_unknown(&copy);
    fs::write(directory.path().join("file"), "").unwrap();
    is_unknown(&directory.path().join("file"));
    assert!(matches!(
        Owned::examine(&path, Purpose::Fleet),
        Found::Dead(_)
    ));
}

#[test]
fn what_was_given_up_is_gone_when_its_removal_is_waited_for() {
    let directory = tempfile::tempdir().unwrap();
    for number in 0..20 {
        let path = directory.path().join(format!("{number}"));
        let unfinished = Unfinished::make(&path, Purpose::Base).unwrap();
        for file in 0..200 {
            fs::write(unfinished.path().join(format!("{file}")), "").unwrap();
        }
    }
    finish_removals();
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn what_was_interrupted_is_taken_up_again() {
    let (directory, path, owned) = made("one");
    // A removal that came as far as the mark.
    drop(owned);
    fs::remove_dir_all(path.join("root")).unwrap();
    let passing = directory.path().join(format!("{PASSING}1"));
    fs::rename(&path, &passing).unwrap();
    let empty = directory.path().join(format!("{PASSING}2"));
    fs::create_dir(&empty).unwrap();
    let foreign = directory.path().join(format!("{PASSING}3"));
    fs::create_dir_all(foreign.join("data")).unwrap();
    assert_eq!(directories(directory.path()).unwrap(), [] as [&Path; 0]);
    assert!(passing.exists() && empty.exists(), "they are young");
    let old = std::time::SystemTime::now() - 2 * PASSING_KEPT;
    for path in [&passing, &empty, &foreign] {
        File::open(path).unwrap().set_modified(old).unwrap();
    }
    directories(directory.path()).unwrap();
    assert!(!passing.exists() && !empty.exists());
    assert!(foreign.join("data").exists());
}
