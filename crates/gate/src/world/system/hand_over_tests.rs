//! Files that hold the input, and programs that are not there.

use super::*;

#[test]
fn both_kinds_of_file_hold_the_input() {
    for (kind, file) in [("memory", memory_file().or_else(|_| unlinked_file())), ("unlinked", unlinked_file())] {
        let mut file = file.expect(kind);
        file.write_all(b"input").expect(kind);
        file.rewind().expect(kind);
        let mut text = String::new();
        file.read_to_string(&mut text).expect(kind);
        assert_eq!(text, "input", "{kind}");
    }
}

#[test]
fn a_program_that_is_not_there_is_an_error() {
    let until = Instant::now() + Duration::from_secs(5);
    let error = ask(Path::new("/nowhere"), &[OsStr::new("x")], Vec::new(), b"", 10, until).expect_err("no such program");
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
}

#[test]
fn what_a_program_gives_back_is_taken_within_bounds() {
    let shell = |script: &str, millis: u64| {
        let args = ["sh", "-c", script].map(OsStr::new);
        let mut asked = ask(Path::new("/bin/sh"), &args, Vec::new(), b"input", 100, Instant::now() + Duration::from_millis(millis)).expect(script);
        (String::from_utf8(asked.output.clone()).expect(script), asked.late, asked.end())
    };
    let ended = |code: i32| format!("it ended with exit code {code}");
    assert_eq!(shell("cat; echo x >&2", 20_000), ("input".to_owned(), false, ended(0)));
    assert_eq!(shell("exit 3", 20_000), (String::new(), false, ended(3)));
    assert_eq!(shell("kill -9 $$", 20_000), (String::new(), false, "signal 9 ended it".to_owned()));
    assert_eq!(shell("echo a; exec sleep 100", 500), ("a\n".to_owned(), true, "it did not end".to_owned()));
    assert_eq!(shell("exec >&-; exec sleep 100", 20_000), (String::new(), false, "it did not end".to_owned()));
    assert!(shell("exec yes", 20_000).0.len() <= 100 + CHUNK);
}
