//! The record on the disk, in threads that each open it for themselves.

use super::*;

/// Every line of every file. A line may have a blank one in front: whoever appends while another one does sees no line end.
fn lines(folder: &Path) -> Vec<String> {
    files(&[folder.to_path_buf()])
        .iter()
        .flat_map(|path| fs::read_to_string(path).unwrap().lines().filter(|line| !line.is_empty()).map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

#[test]
fn nothing_is_lost_when_files_are_turned_over() {
    let folder = tempfile::tempdir().unwrap();
    // Some lines more than a file holds, and less than all that are kept.
    let (threads, each, bound) = (8, 250, 40_000);
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let path = folder.path();
            scope.spawn(move || (0..each).for_each(|at| append_to(path, &format!("{thread} {at} {}\n", "x".repeat(60)), bound).unwrap()));
        }
    });
    let found = lines(folder.path());
    assert!(files(&[folder.path().to_path_buf()]).len() > 2, "the bound was not reached");
    assert_eq!(found.len(), threads * each);
    for thread in 0..threads {
        let own: Vec<&String> = found.iter().filter(|line| line.starts_with(&format!("{thread} "))).collect();
        assert_eq!(own.len(), each, "of thread {thread}");
    }
}

#[test]
fn the_oldest_file_gives_way() {
    let folder = tempfile::tempdir().unwrap();
    (0..200).for_each(|at| append_to(folder.path(), &format!("{at:03} {}\n", "x".repeat(96)), 1000).unwrap());
    let found = lines(folder.path());
    assert_eq!(found.last().unwrap().get(..3), Some("199"));
    assert!(found.len() <= 10 * (KEPT + 1) && found.is_sorted(), "{} lines", found.len());
}

#[test]
fn a_line_stands_behind_no_piece_of_another() {
    let folder = tempfile::tempdir().unwrap();
    append_to(folder.path(), "one\n", MAX_BYTES).unwrap();
    fs::write(name(folder.path(), 0), "one\ntw").unwrap();
    append_to(folder.path(), "three\n", MAX_BYTES).unwrap();
    assert_eq!(lines(folder.path()), ["one", "tw", "three"]);
}

#[test]
fn what_is_no_plain_file_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(name(folder.path(), 0)).unwrap();
    assert!(append(&[folder.path().to_path_buf()], "x\n").is_err());
    let second = tempfile::tempdir().unwrap();
    append(&[folder.path().to_path_buf(), second.path().join("new")], "x\n").unwrap();
    assert_eq!(lines(&second.path().join("new")), ["x"]);
}
