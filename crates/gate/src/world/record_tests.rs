//! The record on the disk, in threads that each open it for themselves.

use super::*;
use crate::chain::{LineLink, START};

/// Every line of every file, with its link. A line may have a blank one in front: whoever appends while another one does, and
/// without the lock, sees no line end.
fn whole_lines(folder: &Path) -> Vec<String> {
    files(&[folder.to_path_buf()])
        .iter()
        .flat_map(|path| fs::read_to_string(path).unwrap().lines().filter(|line| !line.is_empty()).map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

/// Every line without its link.
fn lines(folder: &Path) -> Vec<String> {
    let bare = |line: String| line.strip_prefix("{\"t\":\"").and_then(|rest| Some(rest.split_once('"')?.0.to_owned())).unwrap_or(line);
    whole_lines(folder).into_iter().map(bare).collect()
}

/// A line that says `text`.
fn line(text: &str) -> String {
    format!("{{\"t\":\"{text}\"}}\n")
}

/// Each line follows the one before it.
fn assert_chained(folder: &Path) {
    let mut before: Option<LineLink> = None;
    for line in whole_lines(folder) {
        let link = LineLink::read(line.as_bytes()).expect("a link");
        let (digest, number) = before.map_or((link.previous.unwrap_or(START), link.number - 1), |before| (before.digest, before.number));
        assert!(link.follows(&digest, line.as_bytes()) && link.number == number + 1, "{line}");
        before = Some(link);
    }
}

#[test]
fn nothing_is_lost_when_files_are_turned_over() {
    let folder = tempfile::tempdir().unwrap();
    // Some lines more than a file holds, and less than all that are kept.
    let (threads, each, bound) = (8, 250, 80_000);
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let path = folder.path();
            scope.spawn(move || (0..each).for_each(|at| append_to(path, &line(&format!("{thread} {at} {}", "x".repeat(60))), None, bound).unwrap()));
        }
    });
    let found = lines(folder.path());
    assert!(files(&[folder.path().to_path_buf()]).len() > 2, "the bound was not reached");
    assert_eq!(found.len(), threads * each);
    for thread in 0..threads {
        let own: Vec<&String> = found.iter().filter(|line| line.starts_with(&format!("{thread} "))).collect();
        assert_eq!(own.len(), each, "of thread {thread}");
    }
    assert_chained(folder.path());
}

#[test]
fn the_oldest_file_gives_way() {
    let folder = tempfile::tempdir().unwrap();
    (0..200).for_each(|at| append_to(folder.path(), &line(&format!("{at:03} {}", "x".repeat(96))), None, 1000).unwrap());
    let found = lines(folder.path());
    assert_eq!(found.last().unwrap().get(..3), Some("199"));
    assert!(found.len() <= 10 * (KEPT + 1) && found.is_sorted(), "{} lines", found.len());
    assert_chained(folder.path());
}

#[test]
fn a_line_stands_behind_no_piece_of_another() {
    let folder = tempfile::tempdir().unwrap();
    append_to(folder.path(), &line("one"), None, MAX_BYTES).unwrap();
    let cut = fs::read_to_string(name(folder.path(), 0)).unwrap() + "tw";
    fs::write(name(folder.path(), 0), cut).unwrap();
    append_to(folder.path(), &line("three"), None, MAX_BYTES).unwrap();
    assert_eq!(lines(folder.path()), ["one", "tw", "three"]);
}

#[test]
fn what_is_no_plain_file_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(name(folder.path(), 0)).unwrap();
    assert!(append(&[folder.path().to_path_buf()], &line("x"), None).is_err());
    let second = tempfile::tempdir().unwrap();
    append(&[folder.path().to_path_buf(), second.path().join("new")], &line("x"), None).unwrap();
    assert_eq!(lines(&second.path().join("new")), ["x"]);
}

#[test]
fn an_event_of_a_call_is_recorded_once() {
    let folder = tempfile::tempdir().unwrap();
    let folders = [folder.path().to_path_buf()];
    let of = |event: &str, call: &str, input| Entry { call: call.to_owned(), input, ..Entry::new(event, crate::record::RecordSource::Hot, 1) };
    let put = |entry: &Entry| append(&folders, &entry.line(), entry.line_with_twin().twin()).unwrap();
    let one = of("PreToolUse", "toolu_1", Some(7));
    (0..3).for_each(|_| put(&one));
    assert_eq!(lines(folder.path()).len(), 1);
    // Another event, another call, another input under the same id, and what is of no call.
    [of("PostToolUse", "toolu_1", Some(7)), of("PreToolUse", "toolu_11", Some(7)), of("PreToolUse", "toolu_1", Some(8))].iter().for_each(put);
    (0..2).for_each(|_| put(&of("Stop", "", None)));
    assert_eq!(lines(folder.path()).len(), 6);
    // Clients that count their calls have the same ids in each session.
    let in_session = |session: &str| Entry { session: session.to_owned(), ..of("PreToolUse", "call_1", Some(9)) };
    for session in ["one", "two", "two", "a \"name\"", "0d7e6f1c-9a3b-4c1d-8e2f-001122334455"] {
        put(&in_session(session));
    }
    assert_eq!(lines(folder.path()).len(), 10);
    // A twin far away is written again; readers leave it out.
    (0..40).for_each(|at| put(&of("PreToolUse", &format!("toolu_x{at}"), Some(at))));
    put(&one);
    let mut seen = SeenEntries::default();
    let entries: Vec<Entry> = lines(folder.path()).iter().filter_map(|line| Entry::read(line.as_bytes())).collect();
    assert_eq!((entries.len(), entries.iter().filter(|entry| seen.is_new(entry)).count()), (51, 50));
}

#[test]
fn a_line_whose_lock_does_not_come_is_marked() {
    let folder = tempfile::tempdir().unwrap();
    let put = |text: &str| append_to(folder.path(), &line(text), None, MAX_BYTES).unwrap();
    put("one");
    {
        let held = open(&name(folder.path(), 0)).unwrap();
        held.lock().unwrap();
        let begun = Instant::now();
        (0..12).for_each(|at| put(&format!("late {at} {}", "x".repeat(300))));
        assert!(begun.elapsed() < PATIENCE * 12 * 3, "{:?}", begun.elapsed());
    }
    put("two");
    put("three");
    let lines = whole_lines(folder.path());
    let chained: Vec<LineLink> = lines.iter().map(|line| LineLink::read(line.as_bytes()).unwrap()).collect();
    let first = chained[0].digest;
    assert_eq!(chained.iter().filter(|link| link.unlinked.is_some()).count(), 12);
    assert_eq!(chained[1].unlinked, Some(first));
    // The chain goes on behind them, and covers them.
    assert_eq!(chained.iter().map(|link| link.number).collect::<Vec<_>>(), [vec![1; 13], vec![2, 3]].concat());
    assert!(chained[13].follows(&chained[12].digest, lines[13].as_bytes()));
    assert!(lines.iter().all(|line| line.len() < crate::record::MAX_LINE));
}

#[test]
fn a_policy_says_how_much_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let folders = [folder.path().to_path_buf()];
    let fill = |count: usize| (0..count).for_each(|at| append_to(folder.path(), &line(&format!("{at:03} {}", "x".repeat(96))), None, 1000).unwrap());
    keep(&folders, 0, 16).unwrap();
    fill(100);
    assert_eq!(files(&folders).len(), 2, "16 MB are two files");
    keep(&folders, 0, 80).unwrap();
    fill(200);
    assert_eq!(files(&folders).len(), 10);
    // Less again: what is too much goes with the next file.
    keep(&folders, 0, 0).unwrap();
    fill(20);
    assert_eq!(files(&folders).len(), KEPT + 1);
    assert_chained(folder.path());
    // A file with what no policy can say lets nothing go.
    let before = files(&folders).len();
    for damaged in ["18446744073709551615 1", "429496728690 280", "-1", "x y", "999999999999999999999"] {
        fs::write(folder.path().join(RETENTION), damaged).unwrap();
        let_go(&folders, system::now_ms());
        assert_eq!(files(&folders).len(), before, "{damaged}");
    }
    keep(&folders, 0, 0).unwrap();
    // By age: a file is begun anew early enough, and old ones go.
    let dated = |time: u64| append_to(folder.path(), &Entry::new("Stop", crate::record::RecordSource::Hot, time).line(), None, MAX_BYTES).unwrap();
    let_go(&folders, u64::MAX);
    assert_eq!(files(&folders).len(), KEPT + 1, "nothing is said of days");
    keep(&folders, 8, 0).unwrap();
    for path in files(&folders) {
        fs::remove_file(path).unwrap();
    }
    let now = system::now_ms();
    dated(now - DAY);
    let_go(&folders, now);
    assert_eq!(files(&folders).len(), 1);
    let_go(&folders, now + 2 * DAY);
    dated(now);
    assert_eq!(files(&folders).len(), 2);
    let_go(&folders, now + 9 * DAY);
    assert!(files(&folders).is_empty());
}
