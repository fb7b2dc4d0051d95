//! Records that were changed in every way, and what is found.

use super::*;
use gate::chain::{self, ChainEnd};

/// Lines of a chain, each with its end.
fn record(count: u64) -> Vec<String> {
    let mut end = ChainEnd::default();
    let next = |at: u64, end: &mut ChainEnd| {
        let line = chain::linked(&format!("{{\"v\":2,\"time\":{at},\"what\":\"command {at}\"}}\n"), *end, at == 1);
        *end = chain::end_of(line.as_bytes()).unwrap();
        line
    };
    (1..=count).map(|at| next(at, &mut end)).collect()
}

/// A line behind others.
fn behind(lines: &[String], text: &str) -> String {
    let end = chain::end_of_all(lines.concat().as_bytes()).unwrap_or_default();
    chain::linked(&format!("{{\"v\":2,\"what\":\"{text}\"}}\n"), end, false)
}

fn checked(files: &[&[String]], known: &[KnownLine]) -> ChainReport {
    let files: Vec<RecordFile> = files.iter().enumerate().map(|(at, lines)| RecordFile { name: format!("{at}"), bytes: lines.concat().into_bytes() }).collect();
    verify(&files, known)
}

/// What was found, as `FILE:LINE KIND`.
fn found(files: &[&[String]]) -> Vec<String> {
    short(&checked(files, &[]))
}

fn short(report: &ChainReport) -> Vec<String> {
    report.breaks.iter().map(|found| format!("{}:{} {}", found.file, found.line, found.kind.word())).collect()
}

fn checkpoint(lines: &[String], at: usize) -> KnownLine {
    let link = LineLink::read(lines[at].trim_end().as_bytes()).unwrap();
    KnownLine { number: link.number, digest: shown(&link.digest), by: "a checkpoint".to_owned() }
}

#[test]
fn each_edit_is_found_at_its_place() {
    let whole = record(20);
    assert_eq!(found(&[&whole]), [""; 0]);
    let edit = |change: &dyn Fn(&mut Vec<String>)| {
        let mut lines = whole.clone();
        change(&mut lines);
        found(&[&lines])
    };
    assert_eq!(edit(&|lines| lines[9] = lines[9].replace("command 10", "command xx")), ["0:10 changed"]);
    // Its digest instead of its text, and both.
    let digest = checkpoint(&whole, 9).digest;
    assert_eq!(edit(&|lines| lines[9] = lines[9].replace(&digest, &"a".repeat(32))), ["0:10 changed"]);
    assert_eq!(edit(&|lines| lines[9] = behind(&whole[..9], "other")), ["0:11 changed"]);
    assert_eq!(edit(&|lines| drop(lines.remove(9))), ["0:10 removed"]);
    assert_eq!(edit(&|lines| drop(lines.drain(4..15))), ["0:5 removed"]);
    assert_eq!(edit(&|lines| lines.swap(9, 10)), ["0:10 swapped"]);
    assert_eq!(edit(&|lines| lines.swap(3, 16)), ["0:4 swapped"]);
    assert_eq!(edit(&|lines| lines.insert(9, lines[3].clone())), ["0:10 inserted"]);
    // One that is linked to the line before it, as if it had been written then.
    assert_eq!(edit(&|lines| lines.insert(9, behind(&whole[..9], "forged"))), ["0:10 inserted"]);
    assert_eq!(edit(&|lines| lines.insert(9, lines[9].replace("command 10", "command xx"))), ["0:10 inserted"]);
    assert_eq!(edit(&|lines| lines.insert(9, "{\"v\":2,\"time\":1}\n".to_owned())), ["0:10 inserted"]);
    // The link itself.
    assert_eq!(edit(&|lines| lines[9] = "{\"v\":2,\"time\":10}\n".to_owned()), ["0:10 changed"]);
    assert_eq!(edit(&|lines| drop(lines.remove(0))), ["0:1 removed"]);
    // What a chain cannot show.
    assert_eq!(edit(&|lines| lines.truncate(12)), [""; 0]);
}

#[test]
fn what_happens_by_itself_is_no_edit() {
    let mut lines = record(5);
    let end = chain::end_of(lines[4].as_bytes()).unwrap();
    lines.push(chain::unlinked("{\"v\":2,\"time\":6}\n", end));
    lines.push(behind(&lines, "behind it"));
    // One that saw the lock's holder not yet: it comes in between.
    let end = chain::end_of(lines[6].as_bytes()).unwrap();
    let late = chain::unlinked("{\"v\":2,\"time\":7}\n", end);
    let next = behind(&lines, "at the same moment");
    lines.extend([late, next]);
    lines.insert(9, "{\"v\":2,\"ti\n".to_owned());
    lines.push(behind(&lines, "behind a piece"));
    let report = checked(&[&lines], &[]);
    assert_eq!(short(&report), ["0:6 unlinked", "0:8 unlinked", "0:10 torn"]);
    assert!(report.is_whole());
    // A line without the lock that was removed, or changed.
    let mut fewer = lines.clone();
    fewer.remove(5);
    assert_eq!(found(&[&fewer]).first().unwrap(), "0:6 changed");
    lines[5] = lines[5].replace("\"time\":6", "\"time\":9");
    assert_eq!(found(&[&lines]), ["0:6 changed", "0:8 unlinked", "0:10 torn"]);
}

#[test]
fn files_go_on_where_the_one_before_ends() {
    let older = record(8);
    let end = chain::end_of(older[7].as_bytes()).unwrap();
    let mut newer = vec![chain::linked("{\"v\":2}\n", end, true)];
    newer.push(behind(&newer, "x"));
    assert_eq!(found(&[&older, &newer]), [""; 0]);
    // The older file is no longer kept.
    let report = checked(&[&newer], &[]);
    assert_eq!((short(&report).len(), report.first, report.last), (0, Some(9), Some(10)));
    assert_eq!(found(&[&older[..6], &newer]), ["0:6 cut"]);
    assert_eq!(found(&[&older, &newer[1..]]), ["1:1 removed"]);
    // Lines of an earlier version in front.
    let before = vec!["{\"v\":1,\"time\":1}\n".to_owned(), "{\"v\":2,\"time\":2}\n".to_owned()];
    let report = checked(&[&before, &older, &newer], &[]);
    assert_eq!((report.older, short(&report).len()), (2, 0));
}

#[test]
fn a_checkpoint_shows_what_a_chain_cannot() {
    let lines = record(20);
    let (early, late) = (checkpoint(&lines, 4), checkpoint(&lines, 14));
    let report = checked(&[&lines], &[late.clone(), early.clone()]);
    assert_eq!((report.agreeing.len(), short(&report).len()), (2, 0));
    // Everything from line 10 on is made anew, with another line 10.
    let rewritten = |from: usize| {
        let mut all: Vec<String> = lines[..from].to_vec();
        for at in from..20 {
            all.push(behind(&all, &format!("other {at}")));
        }
        all
    };
    assert_eq!(found(&[&rewritten(10)]), [""; 0], "no chain shows this");
    let report = checked(&[&rewritten(10)], &[early.clone(), late.clone()]);
    assert_eq!((short(&report), report.is_whole()), (vec!["0:15 rewritten".to_owned()], false));
    // Behind the last checkpoint it is not seen.
    assert!(checked(&[&rewritten(16)], &[early.clone(), late.clone()]).is_whole());
    assert_eq!(short(&checked(&[&lines[..12]], &[early.clone(), late.clone()])), ["0:12 cut"]);
    assert_eq!(short(&checked(&[&[]], &[early])), ["0:0 cut"]);
}
