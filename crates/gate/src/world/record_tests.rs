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
            scope.spawn(move || (0..each).for_each(|at| append_to(path, &format!("{thread} {at} {}\n", "x".repeat(60)), None, bound).unwrap()));
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
    (0..200).for_each(|at| append_to(folder.path(), &format!("{at:03} {}\n", "x".repeat(96)), None, 1000).unwrap());
    let found = lines(folder.path());
    assert_eq!(found.last().unwrap().get(..3), Some("199"));
    assert!(found.len() <= 10 * (KEPT + 1) && found.is_sorted(), "{} lines", found.len());
}

#[test]
fn a_line_stands_behind_no_piece_of_another() {
    let folder = tempfile::tempdir().unwrap();
    append_to(folder.path(), "one\n", None, MAX_BYTES).unwrap();
    fs::write(name(folder.path(), 0), "one\ntw").unwrap();
    append_to(folder.path(), "three\n", None, MAX_BYTES).unwrap();
    assert_eq!(lines(folder.path()), ["one", "tw", "three"]);
}

#[test]
fn what_is_no_plain_file_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(name(folder.path(), 0)).unwrap();
    assert!(append(&[folder.path().to_path_buf()], "x\n", None).is_err());
    let second = tempfile::tempdir().unwrap();
    append(&[folder.path().to_path_buf(), second.path().join("new")], "x\n", None).unwrap();
    assert_eq!(lines(&second.path().join("new")), ["x"]);
}

#[test]
fn an_event_of_a_call_is_recorded_once() {
    let folder = tempfile::tempdir().unwrap();
    let folders = [folder.path().to_path_buf()];
    let of = |event: &str, call: &str, input| Entry { call: call.to_owned(), input, ..Entry::new(event, crate::record::RecordSource::Hot, 1) };
    let put = |entry: &Entry| append(&folders, &entry.line(), entry.twin().as_ref()).unwrap();
    let one = of("PreToolUse", "toolu_1", Some(7));
    (0..3).for_each(|_| put(&one));
    assert_eq!(lines(folder.path()).len(), 1);
    // Another event, another call, another input under the same id, and what is of no call.
    [of("PostToolUse", "toolu_1", Some(7)), of("PreToolUse", "toolu_11", Some(7)), of("PreToolUse", "toolu_1", Some(8))].iter().for_each(put);
    (0..2).for_each(|_| put(&of("Stop", "", None)));
    assert_eq!(lines(folder.path()).len(), 6);
    // A twin far away is written again; readers leave it out.
    (0..40).for_each(|at| put(&of("PreToolUse", &format!("toolu_x{at}"), Some(at))));
    put(&one);
    let mut seen = SeenEntries::default();
    let entries: Vec<Entry> = lines(folder.path()).iter().filter_map(|line| Entry::read(line.as_bytes())).collect();
    assert_eq!((entries.len(), entries.iter().filter(|entry| seen.is_new(entry)).count()), (47, 46));
}
