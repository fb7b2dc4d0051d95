//! The store: keys, torn records, eight writers.

use super::*;

const KIND: StoreFile = StoreFile { name: "test", slots: 64, tries: TRIES };

fn folder() -> (tempfile::TempDir, Vec<PathBuf>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("memory");
    (folder, vec![path])
}

fn slot(key: u64, time: u64) -> Slot {
    Slot { key, time, value: [7; VALUE] }
}

fn count(folders: &[PathBuf], key: u64) -> io::Result<u64> {
    let mut store = Store::open(folders, KIND)?;
    Ok(store.update(key, |old| Some(slot(key, old.map_or(1, |old| old.time + 1))))?.unwrap().time)
}

#[test]
fn a_key_finds_its_newest_record() {
    let (_kept, folders) = folder();
    assert!(Store::look(&folders, KIND).is_none());
    for round in 1..=100 {
        for key in 1..=4 {
            assert_eq!(count(&folders, key).unwrap(), round);
        }
    }
    let store = Store::look(&folders, KIND).unwrap();
    assert_eq!([1, 2, 3, 4].map(|key| store.get(key).map(|slot| slot.time)), [Some(100); 4]);
    assert_eq!(store.get(5), None);
}

#[test]
fn the_oldest_give_way_and_the_file_stays_small() {
    let (_kept, folders) = folder();
    for key in 1..=10_000 {
        assert_eq!(count(&folders, key).unwrap(), 1);
    }
    let store = Store::look(&folders, KIND).unwrap();
    assert!(store.file.metadata().unwrap().len() <= KIND.slots * 64);
    assert_eq!(store.get(10_000).map(|slot| slot.time), Some(1));
    assert_eq!(store.get(1), None);
}

/// Whatever bytes of a record a kill leaves behind: the old one or the new one is there, and writing continues.
#[test]
fn a_torn_record_is_none() {
    for cut in 0..64 {
        let (_kept, folders) = folder();
        count(&folders, 3).unwrap();
        let path = folders[0].join("test.store");
        let before = std::fs::read(&path).unwrap();
        count(&folders, 3).unwrap();
        let after = std::fs::read(&path).unwrap();
        let torn: Vec<u8> = (0..after.len()).map(|at| if at % 64 < cut { after[at] } else { before.get(at).copied().unwrap_or(0) }).collect();
        std::fs::write(&path, torn).unwrap();
        let found = Store::look(&folders, KIND).unwrap().get(3).unwrap().time;
        assert!([1, 2].contains(&found), "cut at {cut}: {found}");
        assert_eq!(count(&folders, 3).unwrap(), found + 1);
    }
}

#[test]
fn eight_writers_lose_nothing() {
    let (_kept, folders) = folder();
    std::thread::scope(|scope| {
        for key in 1..=8 {
            let folders = &folders;
            scope.spawn(move || {
                for _ in 0..100 {
                    count(folders, 100).unwrap();
                    count(folders, key).unwrap();
                }
            });
        }
    });
    let store = Store::look(&folders, KIND).unwrap();
    assert_eq!(store.get(100).unwrap().time, 800);
    assert!((1..=8).all(|key| store.get(key).unwrap().time == 100));
}

#[test]
fn a_lock_that_stays_is_an_error_in_time() {
    let (_kept, folders) = folder();
    let held = Store::open(&folders, KIND).unwrap();
    let begun = std::time::Instant::now();
    assert_eq!(Store::open(&folders, KIND).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    assert!(begun.elapsed() < Duration::from_secs(2));
    // Reading continues.
    assert!(Store::look(&folders, KIND).is_some());
    drop(held);
    assert!(Store::open(&folders, KIND).is_ok());
}
